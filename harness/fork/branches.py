"""From a recorded debate to the debates that go on from it: changed, and not changed.

Whatever is changed, as many debates go on at the same seeds with nothing changed: without them a
movement could be chance. Nothing here holds a debate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness import events as e
from harness.errors import UserError
from harness.events import Event
from harness.fork.changes import (
    Changes,
    check,
    check_seats,
    in_vain,
    in_words,
    position_of,
    said,
    seats_after,
    setting_without,
    unheard_in,
)
from harness.fork.point import Point, point_of
from harness.parts import Fork
from harness.plain import plain
from harness.seating import run_card
from harness.setting import Setting, sha
from harness.transcript import Transcript, fingerprint

Side = Literal["control", "changed"]


@dataclass(frozen=True)
class Branch:
    """One debate that goes on from another, or is held again beside it."""

    side: Side
    name: str
    """Of the debate and its file; another never has the same."""
    card: e.RunCard
    taken: tuple[Event, ...] = ()
    """The events it takes over."""


@dataclass(frozen=True)
class Plan:
    """Everything that is to be held."""

    origin: Transcript
    what: str
    """Where the record is left, or what is taken out of it, in words."""
    changes: tuple[str, ...]
    """Everything that is changed, in words; empty where only unchanged debates are held."""
    branches: tuple[Branch, ...]
    """At each seed the unchanged debate, then the changed one."""
    in_vain: tuple[str, ...] = ()
    """Changes that cannot have an effect on who sits there, a sentence each."""


def plan_fork(
    origin: Transcript,
    at: str | int,
    changes: Changes,
    seeds: Sequence[int],
    env: Mapping[str, str],
) -> Plan:
    """The debates that go on from a moment.

    Args:
        origin: A recorded debate, finished or not.
        at: The turn that is taken anew, `T7`, or the number of the first event that is not taken
            over. Where a statement is changed, the turn whose it is: it stays but for that.
        changes: What is to be otherwise; with none only the unchanged debates are held.
        seeds: One for each debate of a side.
        env: Where keys are looked for.

    Raises:
        UserError: there is no such moment, party, prompt or model, or the changes do not fit.
    """
    point = point_of(origin, at)
    check(point, changes)
    start = _after_turn(point) if changes.of_a_statement else point
    if start.turn is None and origin.finished:
        raise UserError(
            f"{origin.path}: nobody takes the floor after that; name an earlier turn or event."
        )
    seats = seats_after(origin, changes, env)
    check_seats(seats)
    words = tuple(in_words(point, changes, seats))
    taken = origin.debate[: start.kept]
    control = _provenance(origin).model_copy(
        update={"at": start.at, "kept": len(taken), "seats": origin.card.seats}
        | {"seed": origin.card.seed, "earlier": origin.card.fork}
    )
    sides: list[tuple[Side, e.RunCard, tuple[Event, ...]]]
    sides = [("control", _card(origin, control), taken)]
    if words:
        fork, amended = _amended(point, changes, control, taken)
        fork = fork.model_copy(update={"changes": words})
        sides.append(("changed", _card(origin, fork, seats=seats), amended))
    branches = _at_seeds(point.slug, sides, seeds)
    return Plan(origin, point.words, words, branches, tuple(in_vain(changes, seats)))


def plan_without(origin: Transcript, position: str, seeds: Sequence[int]) -> Plan:
    """The debate held again from its start, with a position and without it.

    From its start, because a mandate does not change in mid-debate.

    Args:
        origin: A recorded debate.
        position: Id of a position of a party at the table, on a debated item.
        seeds: One for each debate of a side.

    Raises:
        UserError: no such position, or a recording sits in a seat.
    """
    gone, setting = position_of(origin, position), origin.setting
    check_seats(origin.card.seats)
    words = (f"{setting.holder(position)} without {position}: {plain(gone.statement)}",)
    control = _provenance(origin)
    lacking = control.model_copy(update={"without": (position,), "changes": words})
    sides: list[tuple[Side, e.RunCard, tuple[Event, ...]]] = [
        ("control", _card(origin, control), ()),
        ("changed", _card(origin, lacking, setting=setting_without(setting, position)), ()),
    ]
    return Plan(origin, "from the start", words, _at_seeds("again", sides, seeds))


def _after_turn(point: Point) -> Point:
    turn = point.turn
    assert turn is not None
    return Point(point.origin, turn.end)


def _provenance(origin: Transcript) -> Fork:
    assert origin.path is not None
    return Fork(origin=origin.path.name, origin_sha=fingerprint(origin.path))


def _amended(
    point: Point, changes: Changes, control: Fork, taken: tuple[Event, ...]
) -> tuple[Fork, tuple[Event, ...]]:
    """What a changed debate takes over, and how it says so."""
    turn = point.turn
    if turn is None or not changes.of_a_statement:
        return control, taken
    if changes.unheard:
        parties = [party.id for party in point.origin.setting.parties]
        deaf = unheard_in(turn, changes.unheard, parties)
        fork = control.model_copy(update={"turn": turn.handle, "unheard": changes.unheard})
        return fork, (*taken[: turn.start], *deaf)
    (text,) = changes.say.values()
    # The turn itself is taken again: with these words, and no model asked.
    update = {"turn": turn.handle, "said": said(turn, text), "kept": turn.start}
    return control.model_copy(update={**update, "at": turn.events[0].seq}), taken[: turn.start]


def _card(
    origin: Transcript,
    fork: Fork,
    *,
    seats: tuple[e.Seat, ...] | None = None,
    setting: Setting | None = None,
) -> e.RunCard:
    """What a branch is held with, but for its seed."""
    card, debated = origin.card, setting or origin.setting
    now = run_card(debated, debated.agendas[0], seats or card.seats, card.seed)
    return now.model_copy(
        update={"setting_sha": card.setting_sha, "rules": card.rules, "fork": fork}
    )


def _at_seeds(
    where: str, sides: Sequence[tuple[Side, e.RunCard, tuple[Event, ...]]], seeds: Sequence[int]
) -> tuple[Branch, ...]:
    branches: list[Branch] = []
    for seed in seeds:
        for side, card, taken in sides:
            seeded = card.model_copy(update={"seed": seed})
            branches.append(Branch(side, _name(where, side, seeded), seeded, taken))
    return tuple(branches)


def _name(where: str, side: Side, card: e.RunCard) -> str:
    assert card.fork is not None
    origin = card.fork.origin.removesuffix(".jsonl")
    held_with = sha(card.model_dump_json(exclude={"versions"}))[:8]
    return f"{origin}.{where}.{side}.s{card.seed:02d}-{held_with}"
