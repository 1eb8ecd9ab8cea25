"""Where the parties stand in the end: answers, numbers, who gave what, and yardsticks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from evals.baselines import Deal, deal
from evals.concessions import Concession, ledger
from harness.mechanism import joint_text
from harness.setting import Issue, Party
from harness.viewer.anchors import turn as turn_anchor
from harness.viewer.page.history_beside import Beside, beside
from harness.viewer.page.lanes import named
from harness.viewer.page.matrix import MatrixPart, matrix
from harness.viewer.page.measures import JudgedRow, MeasureRow, consistency, judged
from harness.viewer.reading import Reading


class Gain(NamedTuple):
    """What another party gained by a step."""

    short: str
    points: int


class Total(NamedTuple):
    """What a party has given and received up to a step."""

    party: Party
    given: int
    received: int


class Entry(NamedTuple):
    """One step of the concession ledger."""

    to: str
    turn: str
    short: str
    issue: Issue
    given_from: str
    given_to: str
    points: int
    gains: tuple[Gain, ...]
    """Who gained by it; nobody, where it is empty."""
    in_return: str
    """The text asked for in return, and whether it was adopted; empty where none was."""
    totals: tuple[Total, ...]
    """Of all parties, this step included."""


class Yardstick(NamedTuple):
    """What a deal is worth, to hold the outcome against."""

    name: str
    means: str
    settled: str
    """How many issues it settles."""
    points: tuple[str, ...]
    """Firmness points of each party, in seat order."""
    total: str


class Standing(NamedTuple):
    """Everything that the debate came to."""

    parties: tuple[Party, ...]
    parts: tuple[MatrixPart, ...]
    consistency: tuple[MeasureRow, ...]
    judged: tuple[JudgedRow, ...]
    ledger: tuple[Entry, ...]
    gave_most: str
    """Who gave most, in a sentence."""
    yardsticks: tuple[Yardstick, ...]
    """The simulated outcome first."""
    beside: Beside | None
    """None where no outcome in history is documented."""
    public: bool
    counts_hidden: bool = False
    """Whether confidential positions count in the numbers."""


def standing(reading: Reading) -> Standing:
    """What a debate came to, finished or not."""
    entries = _ledger(reading)
    return Standing(
        reading.setting.parties,
        matrix(reading),
        consistency(reading),
        judged(reading),
        entries,
        _gave_most(entries),
        _yardsticks(reading) if any(item.issues for item in reading.setting.items) else (),
        beside(reading),
        reading.public,
        reading.has_confidential,
    )


def _ledger(reading: Reading) -> tuple[Entry, ...]:
    given: dict[str, int] = {}
    received: dict[str, int] = {}
    entries = []
    for step in ledger(reading.transcript):
        given[step.party] = given.get(step.party, 0) + step.size
        for party, points in step.gains.items():
            received[party] = received.get(party, 0) + points
        totals = tuple(
            Total(party, given.get(party.id, 0), received.get(party.id, 0))
            for party in reading.setting.parties
        )
        entries.append(_entry(reading, step, totals))
    return tuple(entries)


def _entry(reading: Reading, step: Concession, totals: tuple[Total, ...]) -> Entry:
    setting = reading.setting
    issue = setting.issue(step.issue)
    gains = tuple(Gain(setting.party(p).short, points) for p, points in step.gains.items())
    return Entry(
        turn_anchor(step.event.turn), step.event.turn, setting.party(step.party).short, issue,
        _option(issue, step.given_from), _option(issue, step.given_to), step.size, gains,
        _returned(reading, step.in_return_for), totals,
    )  # fmt: skip


def _option(issue: Issue, key: str) -> str:
    return named(issue, key.partition("/")[2])


def _returned(reading: Reading, key: str | None) -> str:
    if key is None:
        return ""
    issue, _, option = key.partition("/")
    state = reading.transcript.state.issues[issue]
    asked = f"{reading.setting.issue(issue).heading}, {_option(reading.setting.issue(issue), key)}"
    if not state.settled:
        return f"{asked}: not decided"
    got = state.outcome == "adopted" and state.decision and state.decision.option == option
    return f"{asked}: {'obtained' if got else 'not obtained'}"


def _gave_most(entries: tuple[Entry, ...]) -> str:
    if not entries:
        return "Nobody gave ground."
    most = max(total.given for total in entries[-1].totals)
    who = [total.party.name for total in entries[-1].totals if total.given == most]
    said = " and ".join(f"{name[0].upper()}{name[1:]}" for name in who)
    return f"{said} gave most: {_points(most)}{' each' if len(who) > 1 else ''}."


def _points(count: int) -> str:
    return f"{count} point" if count == 1 else f"{count} points"


def _yardsticks(reading: Reading) -> tuple[Yardstick, ...]:
    held = reading.tables.baselines
    rows = [
        _deal(reading, "This debate", "the texts that were adopted and stand", _here(reading)),
        _random(reading),
        _deal(reading, "Always accept", "every tabled text is adopted", held.always_accept),
        _deal(
            reading, "Best joint outcome",
            "crosses nobody's red line, settles the most issues, then has the most points",
            held.best,
        ),
    ]  # fmt: skip
    return tuple(rows)


def _here(reading: Reading) -> Deal:
    adopted: Mapping[str, str | None] = {
        p.issue: f"{p.issue}/{p.option}" if p.status == "adopted" else None
        for p in joint_text(reading.transcript.state, reading.setting)
    }
    return deal(reading.setting, adopted)


def _deal(reading: Reading, name: str, means: str, worth: Deal) -> Yardstick:
    issues = len(reading.transcript.state.issues)
    points = tuple(str(worth.utilities[party.id]) for party in reading.setting.parties)
    return Yardstick(name, means, f"{worth.adopted} of {issues}", points, str(worth.total))


def _random(reading: Reading) -> Yardstick:
    drawn = reading.tables.baselines.random
    points = tuple(f"{drawn.utilities[party.id]:.1f}" for party in reading.setting.parties)
    return Yardstick(
        "Random deal",
        "an option drawn for every issue, in expectation; settled: acceptable to all",
        "none" if drawn.agreement is None else f"{drawn.agreement:.0%}",
        points,
        f"{sum(drawn.utilities.values()):.1f}",
    )
