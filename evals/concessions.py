"""D9: who gave ground, how much, to whose gain, in return for what; and what each took home.

The unit is a party's firmness points (`Mandate.points`). A party's ground on an issue is the least
good text it has said it could live with: by offering it, accepting or reserving on it, or voting
for it. Each step further down is a concession of the points given up, counted once: going back up
and down again gives nothing. Its first declared text sets the ground and gives nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from evals import subject
from evals.baselines import nash
from evals.evaluator import Evidence, Marker, Result, evaluator, evidence
from evals.intervals import gini
from evals.record import joins, mandates
from harness import events as e
from harness.setting import Mandate, Setting
from harness.transcript import Transcript

_DECLARES = ("propose", "concede", "accept", "reserve")


class Concession(NamedTuple):
    """One step down."""

    party: str
    issue: str
    given_from: str
    """The text that was its ground before, as `issue/option`."""
    given_to: str
    size: int
    """Points given up, above 0."""
    gains: Mapping[str, int]
    """Points each other party gains by the step; only those that gain."""
    in_return_for: str | None
    """The text asked for in return, where the move says so."""
    event: e.MoveMade | e.VoteCast
    """Where it was made."""


def ledger(transcript: Transcript) -> tuple[Concession, ...]:
    """All concessions, in order."""
    setting, silence = transcript.setting, transcript.rules.silence
    held = mandates(setting)
    ground: dict[tuple[str, str], str] = {}
    steps: list[Concession] = []
    for event in transcript.events:
        declared = _declared(event, silence)
        if declared is None or not isinstance(event, e.MoveMade | e.VoteCast):
            continue
        issue = declared.partition("/")[0]
        place = (event.party, issue)
        mandate = held[event.party, setting.item_of(issue).id]
        before = ground.setdefault(place, declared)
        if mandate.points[declared] < mandate.points[before]:
            ground[place] = declared
            steps.append(_step(setting, held, mandate, before, declared, event))
    return tuple(steps)


def _declared(event: e.Event, silence: bool) -> str | None:
    """The text an event says its party could live with."""
    if isinstance(event, e.MoveMade) and event.move.move in _DECLARES:
        return event.move.key
    if isinstance(event, e.VoteCast) and joins(event.vote, silence):
        return f"{event.issue}/{event.option}"
    return None


def _step(
    setting: Setting,
    held: Mapping[tuple[str, str], Mandate],
    mandate: Mandate,
    before: str,
    to: str,
    event: e.MoveMade | e.VoteCast,
) -> Concession:
    gains = {
        party.id: held[party.id, mandate.item.id].points[to]
        - held[party.id, mandate.item.id].points[before]
        for party in setting.parties
        if party.id != mandate.party
    }
    return Concession(
        mandate.party,
        before.partition("/")[0],
        before,
        to,
        mandate.points[before] - mandate.points[to],
        {party: gain for party, gain in gains.items() if gain > 0},
        event.move.in_return_for if isinstance(event, e.MoveMade) else None,
        event,
    )


def longest_streak(givers: Sequence[str], party: str) -> int:
    """The most concessions in a row by the party with none by anybody else in between."""
    longest = run = 0
    for giver in givers:
        run = run + 1 if giver == party else 0
        longest = max(longest, run)
    return longest


@evaluator("concessions", version=1)
def concessions(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D9: the ledger, what each party gave and received, how evenly, and what was returned."""
    steps = ledger(transcript)
    adopted = _adopted(transcript)
    for step in steps:
        yield _entry(mark, step, adopted)
    parties = transcript.state.parties
    for party in parties:
        yield from _balance(mark, party, steps)
    yield _evenness(mark, parties, steps)
    yield _returned(transcript, mark, steps, adopted)


def _adopted(transcript: Transcript) -> dict[str, e.Decided]:
    """The adopted texts that stand, by key."""
    return {
        f"{issue.issue}/{issue.decision.option}": issue.decision
        for issue in transcript.state.issues.values()
        if issue.decision is not None and issue.outcome == "adopted"
    }


def _entry(mark: Marker, step: Concession, adopted: Mapping[str, e.Decided]) -> Result:
    gains = ", ".join(f"{party} +{gain}" for party, gain in step.gains.items()) or "nobody"
    why = f"{step.party} went from {step.given_from} to {step.given_to}; to the gain of {gains}"
    if step.in_return_for:
        got = "obtained" if step.in_return_for in adopted else "not obtained"
        why += f"; in return for {step.in_return_for}, {got}"
    return mark.score(
        subject.party_issue(step.party, step.issue),
        "concession",
        step.size,
        why,
        n=1,
        label=step.given_to,
        evidence=_evidence([step]),
    )


def _balance(mark: Marker, party: str, steps: Sequence[Concession]) -> Iterator[Result]:
    about = subject.party(party)
    own = [step for step in steps if step.party == party]
    others = [step for step in steps if party in step.gains]
    given = sum(step.size for step in own)
    received = sum(step.gains[party] for step in others)
    yield mark.score(
        about, "given", given, "its own points it gave up", n=len(own), evidence=_evidence(own)
    )
    yield mark.score(
        about, "received", received, "its own points it gained by the steps of others",
        n=len(others), evidence=_evidence(others),
    )  # fmt: skip
    total = given + received
    yield mark.score(
        about,
        "asymmetry",
        (given - received) / total if total else None,
        "(given - received)/(given + received); 1 gave everything, -1 only received"
        if total
        else "no value: nothing was given or received",
        n=len(own) + len(others),
        evidence=_evidence([*own, *others]),
    )
    yield mark.score(
        about,
        "longest_streak",
        longest_streak([step.party for step in steps], party),
        "most concessions in a row without one by anybody else in between",
        n=len(own),
        evidence=_evidence(own),
    )


def _evenness(mark: Marker, parties: Iterable[str], steps: Sequence[Concession]) -> Result:
    """How unevenly the giving was spread."""
    given = [float(sum(s.size for s in steps if s.party == party)) for party in parties]
    return mark.score(
        subject.DEBATE,
        "given_gini",
        gini(given),
        "Gini coefficient of points given up over the parties; 0 all gave alike"
        if any(given)
        else "no value: nobody gave ground",
        n=len(given),
        evidence=_evidence(steps),
    )


def _returned(
    transcript: Transcript,
    mark: Marker,
    steps: Sequence[Concession],
    adopted: Mapping[str, e.Decided],
) -> Result:
    asked = [step for step in steps if step.in_return_for]
    settled = {k for k, state in transcript.state.issues.items() if state.settled}
    known = [s for s in asked if (s.in_return_for or "").partition("/")[0] in settled]
    got = [step for step in known if step.in_return_for in adopted]
    decided = [adopted[step.in_return_for] for step in got if step.in_return_for]
    return mark.rate(
        subject.DEBATE, "returned", len(got), len(known),
        "concessions whose asked-for return was adopted, of those whose issue was decided",
        unscored=len(asked) - len(known),
        evidence=[*_evidence(asked), *(evidence(d, "adopted") for d in decided)],
    )  # fmt: skip


@evaluator("satisfaction", version=1)
def satisfaction(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D9: points each party took home, of those it could have had, and the Nash product.

    Issues left open are worth 0. Attainable is the sum over the issues of the best option's points
    that crosses none of the party's own red lines, or 0: what it would get if it dictated the text.
    """
    setting = transcript.setting
    held = mandates(setting)
    adopted = _adopted(transcript)
    unscored = sum(not issue.settled for issue in transcript.state.issues.values())
    found = tuple(evidence(decision, key) for key, decision in adopted.items())
    settled = len(transcript.state.issues) - unscored
    taken: list[int] = []
    for party in transcript.state.parties:
        own = {item.id: held[party, item.id] for item in setting.items}
        attained = sum(
            own[setting.item_of(key.partition("/")[0]).id].points[key] for key in adopted
        )
        taken.append(attained)
        about = subject.party(party)
        why = "firmness points of the adopted texts"
        yield mark.score(
            about, "attained", attained, why, n=settled, unscored=unscored, evidence=found
        )
        best = sum(map(attainable, own.values()))
        yield mark.score(
            about,
            "satisfaction",
            attained / best if best else None,
            f"{attained} of {best} attainable points" if best else "no value: nothing to attain",
            n=settled,
            unscored=unscored,
            evidence=found,
        )
    product = nash(taken)
    yield mark.score(
        subject.DEBATE,
        "nash_product",
        product,
        "product of the points attained" if product is not None
        else "no value: a party is worse off than without any agreement",
        n=len(taken),
        unscored=unscored,
        evidence=found,
    )  # fmt: skip


def attainable(mandate: Mandate) -> int:
    """The points the party would get on the item if it dictated the text; never below 0."""
    return sum(
        max([0, *(mandate.points[k] for k in issue.keys if k not in mandate.red_lines)])
        for issue in mandate.item.issues
    )


def _evidence(steps: Iterable[Concession]) -> tuple[Evidence, ...]:
    return tuple(
        evidence(s.event, f"{s.party}: {s.given_from} to {s.given_to}, {s.size} points")
        for s in steps
    )
