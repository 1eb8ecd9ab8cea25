"""THE loop: one debate, from the chair's welcome to the count.

Yields every event as it happens and writes nothing, so that the same loop feeds a file, a terminal,
a page and the tests. It has no clock and draws nothing: the same replies give the same events.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from harness import events as e
from harness import mechanism
from harness.chair import Chair
from harness.delegation import Delegation, Occasion
from harness.events import Event
from harness.floor import Floor
from harness.setting import Item, Rules, Setting
from harness.state import State, advance, fold


@dataclass
class Record:
    """What has happened so far, and the state it adds up to."""

    state: State
    events: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> Event:
        """Put an event on the record."""
        self.events.append(event)
        self.state = advance(self.state, event)
        return event

    @property
    def next_turn(self) -> str:
        """The handle of the next turn."""
        return f"T{self.state.turns + 1}"


@dataclass(frozen=True)
class Room:
    """Everything a debate is held with."""

    setting: Setting
    """The agenda's part of the setting."""
    rules: Rules
    delegations: Mapping[str, Delegation]
    chair: Chair
    floor: Floor
    seed: int
    beginning: Beginning | None = None
    """What the first events are held with, where they were taken over from another debate."""

    def at(self, record: Record) -> Room:
        """The room as it is at this point of the record."""
        if self.beginning is None or len(record.events) >= self.beginning.fork.kept:
            return self
        return self.beginning.room.at(record)

    def unheard_by(self, record: Record) -> tuple[str, ...]:
        """The parties that a fork keeps from hearing the next turn."""
        if self.beginning is None or len(record.events) >= self.beginning.fork.kept:
            return ()
        room, fork = self.beginning
        here = fork.unheard if fork.turn == record.next_turn else ()
        return (*here, *room.unheard_by(record))


class Beginning(NamedTuple):
    """How a fork began: the room its first events were held in, and how many they are."""

    room: Room
    fork: e.Fork


async def debate(room: Room, card: e.RunCard) -> AsyncGenerator[Event]:
    """Hold the debate, yielding each event as it happens."""
    record = Record(fold([card]))
    yield record.add(room.chair.opens_debate())
    for index, item in enumerate(room.setting.items):
        async for event in _discuss(room, record, index, item):
            yield record.add(event)
    ruling = mechanism.package(record.state, room.rules, None)
    if ruling is not None:
        yield record.add(ruling)
    yield record.add(room.chair.closes_debate(record.state))


async def _discuss(room: Room, record: Record, index: int, item: Item) -> AsyncIterator[Event]:
    """One item by the rules of procedure. The caller puts each event on the record."""
    opened = room.chair.opens_item(item)
    yield opened
    async for event in _voiced(room, record, item, opened.words, "opens"):
        yield event
    if room.rules.opening_statements:
        async for event in _round(room, record, index, item, "opening", 0):
            yield event
    async for event in _caucuses(room, record, item, 0):
        yield event
    for number in range(1, room.rules.rounds + 1):
        if not _open_issues(record.state, item):
            break
        for inject in room.rules.injects:
            if inject.item == item.id and inject.round == number:
                yield e.Injected(inject=inject)
        async for event in _round(room, record, index, item, "round", number):
            yield event
        async for event in _caucuses(room, record, item, number):
            yield event
    async for event in _decide(room, record, item):
        yield event
    ruling = mechanism.package(record.state, room.rules, item.id)
    if ruling is not None:
        yield ruling
    closed = room.chair.closes_item(item, record.state)
    async for event in _voiced(room, record, item, closed.words, "closes"):
        yield event
    yield closed


async def _round(
    room: Room, record: Record, index: int, item: Item, phase: e.Phase, number: int
) -> AsyncIterator[Event]:
    """Every delegation takes the floor once; then those that were asked may reply."""
    speakers = list(room.floor.speakers(record.state, index, number))
    yield e.RoundOpened(item=item.id, phase=phase, round=number)
    name = "opening statements" if phase == "opening" else f"round {number} of {room.rules.rounds}"
    # Opening statements are prepared beforehand: nobody has heard another's.
    heard, state = (list(record.events), record.state) if phase == "opening" else (None, None)
    for speaker in speakers:
        if not _open_issues(record.state, item):
            return  # the mechanism ends the talk: nothing is left to talk about
        occasion = Occasion(item.id, phase, number, name)
        async for event in _turn(room, record, speaker, occasion, heard, state):
            yield event
        for found in mechanism.agreed_on_the_floor(record.state, room.setting, room.rules, item.id):
            yield room.chair.announces(found)
    async for event in _replies(room, record, item, number):
        yield event


async def _replies(room: Room, record: Record, item: Item, number: int) -> AsyncIterator[Event]:
    """Right of reply for those that were asked and have not spoken since."""
    if not room.rules.rounds:
        return  # nobody hears anybody before the decision
    asked = list(dict.fromkeys(question[1] for question in record.state.questions))
    if not asked or not _open_issues(record.state, item):
        return
    yield e.RoundOpened(item=item.id, phase="reply", round=number)
    for party in asked[: room.rules.right_of_reply]:
        async for event in _turn(room, record, party, Occasion(item.id, "reply", number, "reply")):
            yield event


async def _caucuses(room: Room, record: Record, item: Item, number: int) -> AsyncIterator[Event]:
    """Private meetings due after this round: each party in the room speaks once; no moves."""
    due = [c for c in room.rules.caucuses if c.item == item.id and c.after_round == number]
    for nth, caucus in enumerate(due, 1):
        if not _open_issues(record.state, item):
            return
        audience = caucus.parties
        yield e.CaucusOpened(audience=audience, item=item.id, parties=audience)
        yield e.RoundOpened(audience=audience, item=item.id, phase="caucus", round=number)
        for party in caucus.parties:
            occasion = Occasion(item.id, "caucus", number, "private meeting", audience, nth)
            async for event in _turn(room, record, party, occasion):
                yield event


async def _decide(room: Room, record: Record, item: Item) -> AsyncIterator[Event]:
    """The chair tables what the declared acceptances give; every delegation answers."""
    for ballot in range(1, room.rules.ballots + 1):
        tabled = False
        for issue in _open_issues(record.state, item):
            seed = room.at(record).seed
            found = mechanism.compromise(record.state, record.state.issues[issue], seed)
            if found is not None:
                tabled = True
                event = room.chair.tables(item, room.setting.issue(issue), found)
                async for voiced in _voiced(
                    room, record, item, event.words, f"tables{ballot}.{issue}"
                ):
                    yield voiced
                yield event
        if not tabled:
            break
        async for cast in _ballot(room, record, item, ballot):
            yield cast
        last = ballot == room.rules.ballots
        for issue in _open_issues(record.state, item):
            decision = mechanism.tally(record.state, record.state.issues[issue], room.rules)
            if decision.outcome == "adopted" or (last and decision.outcome == "bracketed"):
                yield room.chair.announces(decision)
    for issue in _open_issues(record.state, item):
        yield room.chair.announces(
            mechanism.tally(record.state, record.state.issues[issue], room.rules)
        )


async def _ballot(room: Room, record: Record, item: Item, ballot: int) -> AsyncIterator[Event]:
    """Every delegation decides on what the table holds before it hears how the others did."""
    yield e.RoundOpened(item=item.id, phase="decision", round=ballot)
    sealed, state = list(record.events), record.state
    for party in state.parties:
        occasion = Occasion(item.id, "decision", ballot, "decision")
        async for event in _turn(room, record, party, occasion, sealed, state):
            yield event


async def _turn(
    room: Room,
    record: Record,
    party: str,
    occasion: Occasion,
    heard: Sequence[Event] | None = None,
    state: State | None = None,
) -> AsyncIterator[Event]:
    """One delegation's turn, on the record as it stands or as it stood when the ballot opened."""
    delegation = room.at(record).delegations[party]
    if unheard := room.unheard_by(record):
        present = occasion.audience or record.state.parties
        occasion = replace(occasion, audience=tuple(p for p in present if p not in unheard))
    async for event in delegation.take_turn(
        occasion,
        record.events if heard is None else heard,
        record.state if state is None else state,
        record.state,
        record.next_turn,
    ):
        yield event


async def _voiced(
    room: Room, record: Record, item: Item, facts: str, what: str
) -> AsyncIterator[Event]:
    """The chair's voice on what it does, where a model has it."""
    where = f"{item.id}/{what}"
    chair = room.at(record).chair
    async for event in chair.says(facts, item, record.state, where, record.events):
        yield event


def _open_issues(state: State, item: Item) -> tuple[str, ...]:
    """The issues of the item that are not decided."""
    return tuple(issue.issue for issue in state.in_item(item.id) if not issue.settled)
