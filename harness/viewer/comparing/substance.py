"""What an event comes to when debates are held against each other, and how it reads.

Handles of turns, offers and calls, the chair's formulas and the number of attempts are left out of
it: they differ although nothing is different.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from harness import events as e
from harness.events import Event, EventBase, Move
from harness.viewer.comparing.naming import Names
from harness.viewer.page.words import DOES, OUTCOMES, PHASES

Substance: TypeAlias = tuple[object, ...]

PROSE = (e.Statement, e.ChairSpoke)
"""What decides nothing."""

VOTES: Mapping[str, str] = {
    "accept": "votes for", "reserve": "votes, with a reservation, for", "reject": "votes against",
    "abstain": "abstains on",
}  # fmt: skip


def item_of(event: Event) -> str | None:
    """The item an event belongs to; None where it belongs to none."""
    if isinstance(event, e.Injected):
        return event.inject.item
    item: str | None = getattr(event, "item", None)
    return item


def substance(event: EventBase) -> Substance | None:
    """What of an event has to be the same in another debate; None where it is mere bookkeeping."""
    match event:
        case e.TurnEvent():
            did = _did(event)
            place = (event.item, event.phase, event.round, event.party)
            return None if did is None else (*place, *did)
        case e.RoundOpened():
            return (event.kind, event.item, event.phase, event.round)
        case e.Injected():
            return (event.kind, event.inject.item, event.inject.round, event.inject.text)
        case e.CaucusOpened():
            return (event.kind, event.item, event.parties)
        case e.Tabled():
            return (event.kind, event.item, event.issue, event.option, event.sha)
        case e.Decided():
            return (event.kind, event.item, event.issue, *_decided(event))
        case e.PackageRuled():
            return (event.kind, event.scope, event.item, event.stands, event.issues)
        case e.ChairSpoke():
            return (event.kind, event.item, event.text)
        case e.ItemOpened() | e.ItemClosed():
            return (event.kind, event.item)
        case e.DebateOpened() | e.DebateClosed():
            return (event.kind,)
        case _:
            return None


def _did(event: e.TurnEvent) -> Substance | None:
    match event:
        case e.Statement():
            return (event.kind, event.text, event.citations)
        case e.MoveMade() | e.RuledOut():
            return (event.kind, *_moved(event.move))
        case e.VoteCast():
            return (event.kind, event.issue, event.option, event.sha, event.vote, event.because)
        case e.TurnFailed():
            return (event.kind, event.failure)
        case _:
            return None


def _moved(move: Move) -> Substance:
    return (
        move.move, move.issue, move.option, move.sha, move.to, move.in_return_for, move.because
    )  # fmt: skip


def _decided(event: e.Decided) -> Substance:
    sides = (event.accept, event.reject, event.abstain, event.missing)
    reserved = tuple(sorted((each.party, each.because or "") for each in event.reserve))
    held = tuple((each.option, tuple(sorted(each.holders))) for each in event.brackets)
    by_side = tuple(tuple(sorted(side)) for side in sides)
    return (event.outcome, event.by, event.option, event.sha, by_side, reserved, held)


def place(event: Event, names: Names) -> str:
    """Where in the talks an event lies, in words: `round 2 of Sanctions`."""
    item = item_of(event)
    if item is None:
        return "the talks as a whole"
    phase = getattr(event, "phase", None)
    if phase is None:
        return names.item(item)
    return f"{phase_of(phase, getattr(event, 'round', 0)).lower()} of {names.item(item)}"


def phase_of(phase: str, round_: int) -> str:
    """A stretch of an item as a heading."""
    if phase == "round":
        return f"Round {round_}"
    title = PHASES.get(phase, phase)
    return f"{title} {round_}" if phase in ("reply", "decision") and round_ > 1 else title


def said(event: Event, names: Names) -> str:
    """What happened, in a sentence without its stop; a statement's words are left out."""
    match event:
        case e.TurnEvent():
            return f"{names.party(event.party)} {done(event, names)}"
        case e.Tabled():
            text = names.option(event.issue, event.option)
            return f"the chair puts {text} on {names.issue(event.issue)} to the decision"
        case e.Decided():
            text = f", {names.option(event.issue, event.option)}" if event.option else ""
            sides = "".join(f", {each}" for each in answers(event, names))
            return f"{names.issue(event.issue)} is {OUTCOMES[event.outcome]}{text}{sides}"
        case e.PackageRuled():
            return "the package stands" if event.stands else "the package fails"
        case e.ItemOpened():
            return f"the chair opens {names.item(event.item)}"
        case e.ItemClosed():
            return f"the chair closes {names.item(event.item)}"
        case e.RoundOpened():
            return f"{phase_of(event.phase, event.round).lower()} begins"
        case e.Injected():
            return "the chair announces news"
        case e.ChairSpoke():
            return "the chair speaks"
        case e.DebateClosed():
            return "the talks are closed"
        case _:
            return event.kind.replace("_", " ")


def answers(event: e.Decided, names: Names) -> tuple[str, ...]:
    """Whoever did not simply accept what was put, in words."""
    reserved = [each.party for each in event.reserve]
    sides = (
        ("against: ", event.reject), ("with a reservation: ", reserved),
        ("abstaining: ", event.abstain), ("without an answer: ", event.missing),
    )  # fmt: skip
    return tuple(f"{head}{names.all(who)}" for head, who in sides if who)


def done(event: e.TurnEvent, names: Names) -> str:
    """What a party does, without its name."""
    match event:
        case e.MoveMade(move=move):
            return _moves(move, names)
        case e.RuledOut(move=move):
            return f"{_moves(move, names)}, which is ruled out of order"
        case e.VoteCast():
            text = names.option(event.issue, event.option)
            why = f" (because of {event.because})" if event.because else ""
            return f"{VOTES[event.vote]} {text} on {names.issue(event.issue)}{why}"
        case e.TurnFailed():
            return f"gives no answer ({event.failure.replace('_', ' ')})"
        case _:
            return "speaks"


def _moves(move: Move, names: Names) -> str:
    issue = names.issue(move.issue)
    why = f" (because of {move.because})" if move.because else ""
    if move.move == "ask":
        return f"asks {names.party(move.to) if move.to else 'the others'} about {issue}{why}"
    text = names.option(move.issue, move.option or "")
    wanted, _, option = (move.in_return_for or "").partition("/")
    asked = f", for {names.option(wanted, option)} on {names.issue(wanted)}" if wanted else ""
    return f"{DOES[move.move]} {text} on {issue}{asked}{why}"
