"""What a reader wants to know at once, each answer with the place it comes from.

What was agreed and by whom, who gave most, where a party departed furthest from what it is on
record for and what the source says, and how it all differs from history.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from evals.backtest.history import NONE, NotScored, Outcome, target
from evals.backtest.history import Reading as HowRead
from evals.concessions import ledger
from evals.concordance import judged
from evals.tables import AgreementRow
from harness import events as e
from harness.setting import Position
from harness.viewer import anchors
from harness.viewer.page.pieces import Judged, Verdicts
from harness.viewer.page.words import (
    MARKS,
    OUTCOMES,
    Face,
    Found,
    face,
    faces,
    in_shorts,
    position_of,
    scored,
)
from harness.viewer.reading import Reading

SHOWN = 3
"""How many departures are named; the score they come from leads to all."""


class Settled(NamedTuple):
    """What became of one issue."""

    heading: str
    to: str
    mark: str
    outcome: str
    label: str
    by: str
    """Who agreed, or who holds which bracket, in words."""
    where: str
    """Anchor of the decision; empty where there is none."""


class Gave(NamedTuple):
    """What a party gave up, in firmness points."""

    face: Face
    points: float
    steps: int
    to: str
    """Anchor of the score; empty where it was not scored."""
    largest: str
    """Anchor of the turn of its largest step; empty where it made none."""
    step: str
    """That step in words."""


class Departure(NamedTuple):
    """Words or a vote that stand against a documented position of their own party."""

    how: Literal["judged", "red line", "vote"]
    face: Face
    turn: str
    to: str
    what: str
    """What it did, in words."""
    words: str
    """What it said there; empty where the page has no words of that turn."""
    position: Position
    to_position: str
    by: str
    """Who says so: a judge by name, or that code counted it."""
    score: str
    """Anchor of the score; empty where there is none."""


class Beside(NamedTuple):
    """An issue's outcome beside what became of it in history."""

    heading: str
    to: str
    simulated: str
    history: str
    same: bool
    what: str
    source: str
    url: str
    date: str


class Past(NamedTuple):
    """The simulated outcomes beside those of history."""

    rows: tuple[Beside, ...]
    left_out: int
    """Issues that have no outcome on record to compare with."""

    @property
    def same(self) -> int:
        """How many came out alike."""
        return sum(row.same for row in self.rows)


class Summary(NamedTuple):
    """The answers."""

    adopted: int
    of: int
    finished: bool
    rate: str
    """Anchor of the agreement rate."""
    agreed: tuple[Settled, ...]
    others: tuple[Settled, ...]
    gave: tuple[Gave, ...]
    departures: tuple[Departure, ...]
    read: bool
    """Whether a judge read the statements for consistency."""
    checked: int
    """Formal answers on which the record speaks."""
    past: Past | None


def summary(reading: Reading) -> Summary:
    """The answers for a debate, finished or not."""
    known = faces(reading)
    rows = reading.tables.agreement
    found = scored(reading).get(("agreement", "agreement_rate", "debate"))
    read = any(v.rubric == "consistency" for v in reading.judgements.verdicts)
    return Summary(
        sum(row.outcome == "adopted" for row in rows),
        len(rows),
        reading.transcript.finished,
        found.to if found else "",
        tuple(_settled(reading, known, row) for row in rows if row.outcome == "adopted"),
        tuple(_settled(reading, known, row) for row in rows if row.outcome != "adopted"),
        _gave(reading, known),
        tuple(_departures(reading, known)),
        read,
        sum(each.wanted != "neither" for each in judged(reading.transcript)),
        _past(reading),
    )


def _settled(reading: Reading, known: Mapping[str, Face], row: AgreementRow) -> Settled:
    issue = reading.setting.issue(row.issue)
    where = anchors.event(row.seq) if row.seq is not None else ""
    return Settled(
        issue.heading, anchors.anchor("issue", row.issue), MARKS[row.outcome],
        OUTCOMES[row.outcome], row.label or "", _by(reading, known, row), where,
    )  # fmt: skip


def _by(reading: Reading, known: Mapping[str, Face], row: AgreementRow) -> str:
    if row.outcome == "adopted":
        with_ = [face(known, party).title for party in row.accepted_by]
        reserving = [face(known, each.party).title for each in row.reservations]
        said = ", ".join(with_)
        return said + f"; with reservation: {', '.join(reserving)}" * bool(reserving)
    held = [
        f"“{each.label}” held by {', '.join(face(known, party).title for party in each.holders)}"
        for each in row.brackets
    ]
    return "; ".join(held) or in_shorts(row.why, reading.setting)


def _gave(reading: Reading, known: Mapping[str, Face]) -> tuple[Gave, ...]:
    steps = ledger(reading.transcript)
    index = scored(reading)
    found: list[Gave] = []
    for party in known.values():
        own = [step for step in steps if step.party == party.id]
        score = index.get(("concessions", "given", f"party:{party.id}"))
        largest = max(own, key=lambda step: step.size, default=None)
        words = ""
        if largest is not None:
            before, after = (
                reading.setting.option(k).label for k in (largest.given_from, largest.given_to)
            )
            words = f"from “{before}” to “{after}”, {largest.size} points"
        found.append(
            Gave(
                party,
                sum(step.size for step in own),
                len(own),
                score.to if score else "",
                anchors.turn(largest.event.turn) if largest else "",
                words,
            )
        )
    return tuple(sorted(found, key=lambda each: -each.points))


def _departures(reading: Reading, known: Mapping[str, Face]) -> Iterator[Departure]:
    """Judged contradictions first; then what moves and votes say by themselves."""
    judged_ones = sorted(_contradictions(reading, known), key=_gravity)
    counted = sorted(_against(reading, known), key=_gravity)
    for number, each in enumerate((*judged_ones, *counted)):
        if number < SHOWN:
            yield each


def _gravity(each: Departure) -> tuple[bool, int]:
    return each.position.kind != "red_line", -each.position.firmness


def _contradictions(reading: Reading, known: Mapping[str, Face]) -> Iterator[Departure]:
    verdicts = Verdicts(reading)
    for event in reading.transcript.events:
        if isinstance(event, e.Statement) and event.audience is None:
            for each in verdicts.on(event):
                if each.label == "contradicted":
                    yield from _contradiction(reading, known, event, each)


def _contradiction(
    reading: Reading, known: Mapping[str, Face], statement: e.Statement, each: Judged
) -> Iterator[Departure]:
    rests = [o for o in each.opinions if o.rubric == "consistency" and o.position and not o.retest]
    against = [o for o in rests if o.label.startswith("contradicts")]
    for opinion in against[:1]:
        position = position_of(reading, opinion.position)
        if position is not None:
            judges = ", ".join(dict.fromkeys(o.judge for o in against))
            yield Departure(
                "judged", face(known, statement.party), statement.turn, each.to,
                "said what a judge reads as contradicting its record",
                statement.text[each.start : each.end], position,
                anchors.anchor("pos", position.id), f"judged by {judges}",
                _share(reading, statement.party),
            )  # fmt: skip


def _share(reading: Reading, party: str) -> str:
    found = scored(reading).get(("consistency", "contradicted", f"party:{party}"))
    return found.to if found else ""


def _against(reading: Reading, known: Mapping[str, Face]) -> Iterator[Departure]:
    """Answers on the other side than the party's mandate asks for; its moves where no vote was."""
    index, setting = scored(reading), reading.setting
    words = _words(reading)
    for each in judged(reading.transcript):
        answer = each.answer
        item = setting.item_of(answer.issue)
        if each.wanted == "neither" or each.in_line:
            continue
        mandate = reading.mandates[answer.party, item.id]
        behind = mandate.against(answer.key) if each.wanted == "against" else None
        for position in (behind or mandate.backing(answer.key))[:1]:
            turn = _turn_of(reading, answer.party, answer.key, answer.event)
            crossing = answer.key in mandate.red_lines and each.wanted == "against"
            score = _score(index, "concordance", answer.party, answer.issue)
            yield Departure(
                "red line" if crossing else "vote", face(known, answer.party), turn,
                anchors.turn(turn) if turn else anchors.event(answer.event.seq),
                _did(each.answer.choice, answer.by_declaration, setting.option(answer.key).label),
                words.get(turn, ""), position, anchors.anchor("pos", position.id),
                "counted from moves and votes", score,
            )  # fmt: skip


def _did(choice: str, by_declaration: bool, label: str) -> str:
    does = {"accept": "accepted", "reserve": "accepted with reservation", "reject": "rejected"}
    how = " by declaration" if by_declaration else " in the vote" if choice != "abstain" else ""
    return f"{does.get(choice, 'abstained on')} “{label}”{how}"


def _score(index: Mapping[tuple[str, str, str], Found], name: str, party: str, issue: str) -> str:
    found = index.get((name, "answer_in_line", f"party:{party}/issue:{issue}"))
    return found.to if found else ""


def _turn_of(reading: Reading, party: str, key: str, event: e.VoteCast | e.Decided) -> str:
    """The turn of a vote; of adoption by declaration the turn in which the party declared it."""
    if isinstance(event, e.VoteCast):
        return event.turn
    declared = [
        each.turn
        for each in reading.transcript.events
        if isinstance(each, e.MoveMade)
        and each.seq < event.seq
        and (each.party, each.move.key) == (party, key)
        and each.move.move in ("propose", "concede", "accept", "reserve")
    ]
    return declared[-1] if declared else ""


def _words(reading: Reading) -> Mapping[str, str]:
    return {
        event.turn: event.text
        for event in reading.transcript.events
        if isinstance(event, e.Statement) and event.audience is None
    }


def _past(reading: Reading) -> Past | None:
    """Read as back-tests read it by default; what they leave out is left out and counted."""
    if reading.history is None:
        return None
    rows: list[Beside] = []
    for row in reading.tables.agreement:
        wanted = target(reading.history, row.issue, HowRead())
        outcome = reading.history.at_summit(row.issue)
        if not isinstance(wanted, NotScored) and outcome is not None:
            stood = row.option if row.outcome == "adopted" and row.option else NONE
            rows.append(_beside(reading, row, outcome, stood in wanted.right))
    return Past(tuple(rows), len(reading.tables.agreement) - len(rows))


def _beside(reading: Reading, row: AgreementRow, outcome: Outcome, same: bool) -> Beside:
    issue = reading.setting.issue(row.issue)
    labels = {option.id: option.label for option in issue.options}
    levels = {"agreed": "agreed", "partial": "agreed in part", "not_agreed": "not agreed"}
    prevailed = labels.get(outcome.outcome_option)
    history = levels[outcome.level] + (f": “{prevailed}”" if prevailed else "")
    return Beside(
        issue.heading, anchors.anchor("issue", issue.id),
        OUTCOMES[row.outcome] + (f": “{row.label}”" if row.outcome == "adopted" else ""),
        history, same, outcome.what, outcome.source.title, outcome.source.url,
        outcome.source.date.isoformat(),
    )  # fmt: skip
