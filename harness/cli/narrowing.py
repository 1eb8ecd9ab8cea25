"""Which part of a record is wanted: by item, issue, party, turn, or words in it.

Events are taken turn by turn: what a delegation was asked, said and moved in one turn stands or
falls together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from harness import events as e
from harness.errors import UserError
from harness.events import Event
from harness.setting import Setting
from harness.transcript import Transcript


class Group(NamedTuple):
    """Events that belong together: a turn with its calls, or one act of the chair."""

    events: tuple[Event, ...]

    @property
    def turn(self) -> e.TurnEvent | None:
        """The first event of the turn; None where it is none."""
        return next((event for event in self.events if isinstance(event, e.TurnEvent)), None)


class Grouping:
    """Puts events together as they come; calls wait for the turn that they are about."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._calls: list[e.ModelCall | e.Unread] = []
        self._turn: list[Event] = []
        self._handle = ""

    def take(self, events: Iterable[Event]) -> Iterator[Group]:
        """The groups that are known to be whole after these further events."""
        for event in events:
            match event:
                case e.TurnEvent():
                    if event.turn != self._handle:
                        yield from self._turn_over()
                        self._begin(event)
                    self._turn.append(event)
                case e.ModelCall() | e.Unread():
                    yield from self._turn_over()
                    self._calls.append(event)
                case e.Text():
                    continue
                case _:
                    yield from self.rest()
                    yield Group((event,))

    def rest(self) -> Iterator[Group]:
        """What is left, where nothing more is to be waited for."""
        yield from self._turn_over()
        if self._calls:
            yield Group(tuple(self._calls))
            self._calls = []

    def _begin(self, event: e.TurnEvent) -> None:
        self._handle = event.turn
        self._turn = [each for each in self._calls if _asked(each.call) == _asked(event.call)]
        self._calls = [each for each in self._calls if each not in self._turn]

    def _turn_over(self) -> Iterator[Group]:
        if self._turn:
            yield Group(tuple(self._turn))
        self._turn, self._handle = [], ""


def _asked(call: str) -> str:
    """The name of a call without the number of the attempt."""
    return call.rpartition("#")[0] or call


@dataclass(frozen=True)
class Wanted:
    """What of a record is wanted; where several are given, all of them have to hold."""

    item: str | None = None
    issue: str | None = None
    party: str | None = None
    turn: str | None = None
    find: str | None = None
    """Words that have to be shown in it, whatever their case."""

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Wanted()

    def check(self, record: Transcript, *, complete: bool = True) -> None:
        """Say so where there is nothing of that name, rather than show nothing.

        Args:
            record: The record.
            complete: Whether no turns are still to come.

        Raises:
            UserError: the record has no such item, issue, party or turn; or there is nothing to
                look for.
        """
        setting = record.setting
        issues = [issue.id for item in setting.items for issue in item.issues]
        _among(record, "item", self.item, [item.id for item in setting.items])
        _among(record, "issue", self.issue, issues)
        _among(record, "party", self.party, [party.id for party in setting.parties])
        turns = {event.turn for event in record.events if isinstance(event, e.TurnEvent)}
        if complete and self.turn is not None and self.turn not in turns:
            last = f"T1 to T{len(turns)}" if turns else "none yet"
            raise UserError(f"{record.path} has no turn {self.turn!r}; it has {last}.")
        if self.find is not None and not self.find.strip():
            raise UserError("--find needs words to look for.")

    def of(self, group: Group, setting: Setting, shown: Callable[[Event], str]) -> Group | None:
        """What of a group is wanted; None if nothing.

        Args:
            group: A turn, or an act of the chair.
            setting: What the talks are about.
            shown: An event as its reader sees it, in which `find` looks.
        """
        turn = group.turn
        if self.party is not None and (turn is None or turn.party != self.party):
            return None
        if self.turn is not None and (turn is None or turn.turn != self.turn):
            return None
        if self.item is not None and not any(_under(event, self.item) for event in group.events):
            return None
        if self.issue is not None:
            group = Group(tuple(_on_issue(group, self.issue, setting)))
        pattern = self.pattern
        if pattern is not None and not any(pattern.search(shown(each)) for each in group.events):
            return None
        return group if group.events else None

    @property
    def pattern(self) -> re.Pattern[str] | None:
        """What is looked for: the words in any case, with any space between them."""
        if self.find is None:
            return None
        return re.compile(r"\s+".join(map(re.escape, self.find.split())), re.IGNORECASE)


def _among(record: Transcript, what: str, wanted: str | None, known: list[str]) -> None:
    if wanted is not None and wanted not in known:
        has = ", ".join(known) or "none"
        raise UserError(f"{record.path} has no {what} {wanted!r}; it has {has}.")


def _under(event: Event, item: str) -> bool:
    match event:
        case e.Injected():
            return event.inject.item == item
        case e.ModelCall() | e.Unread():
            return event.call.startswith(f"{item}/")
        case _:
            return getattr(event, "item", None) == item


def _on_issue(group: Group, issue: str, setting: Setting) -> Iterator[Event]:
    """What of a group bears on an issue: of a turn, all but its moves and votes on others."""
    bears = any(_bears(event, issue, setting) for event in group.events)
    for event in group.events:
        about = _issue_of(event)
        if bears and about in (None, issue):
            yield event


def _issue_of(event: Event) -> str | None:
    match event:
        case e.MoveMade() | e.RuledOut():
            return event.move.issue
        case e.VoteCast() | e.Tabled() | e.Decided():
            return event.issue
        case _:
            return None


def _bears(event: Event, issue: str, setting: Setting) -> bool:
    match event:
        case e.Statement():
            return any(bears_on(setting, position, issue) for position in event.citations)
        case e.ItemOpened() | e.TurnFailed():
            return event.item == setting.item_of(issue).id
        case e.PackageRuled():
            return issue in event.issues
        case _:
            return _issue_of(event) == issue


def bears_on(setting: Setting, position: str, issue: str) -> bool:
    """Whether a position speaks for or against an option of the issue."""
    try:
        found = setting.position(position)
    except KeyError:  # cited, and in nobody's mandate
        return False
    return any(key.startswith(f"{issue}/") for key in found.supports + found.opposes)
