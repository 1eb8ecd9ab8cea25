"""Where a debate can be left: between two turns, never within one.

A turn is one answer: what was asked, what came back, what was said and done. So are the words of a
chair with a voice. An event inside one stands for the moment before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from harness import events as e
from harness.errors import UserError
from harness.events import Event
from harness.transcript import Transcript


class Turn(NamedTuple):
    """One turn of a recorded debate."""

    handle: str
    """`T7`."""
    party: str
    start: int
    """Index of its first event among those of the debate, prompts and calls included."""
    events: tuple[Event, ...]

    @property
    def end(self) -> int:
        """Index of the first event after it."""
        return self.start + len(self.events)


@dataclass(frozen=True)
class Point:
    """A moment of a recorded debate."""

    origin: Transcript
    kept: int
    """How many of the debate's events lie before it."""

    @property
    def at(self) -> int:
        """Number of the first event after it; one more than the last where nothing follows."""
        debate = self.origin.debate
        return debate[self.kept].seq if self.kept < len(debate) else debate[-1].seq + 1

    @property
    def turn(self) -> Turn | None:
        """The next turn on record, if there is one."""
        return next((turn for turn in turns(self.origin.debate) if turn.start >= self.kept), None)

    @property
    def words(self) -> str:
        """The moment in words."""
        turn = self.turn
        if turn is None:
            return f"before event {self.at}"
        return f"before {turn.handle} (event {turn.events[0].seq})"

    @property
    def slug(self) -> str:
        """The moment as it stands in file names."""
        return self.turn.handle if self.turn is not None else f"e{self.at}"


def point_of(origin: Transcript, at: str | int) -> Point:
    """The moment meant.

    Args:
        origin: The recorded debate.
        at: Handle of the turn it is right before, `T7`, or number of an event, `seq`.

    Raises:
        UserError: there is no such turn or event in the debate.
    """
    debate, text = origin.debate, str(at)
    if text.isdigit():
        return Point(origin, _whole(debate, _index(origin, int(text))))
    known = list(turns(debate))
    for turn in known:
        if turn.handle == text.upper():
            return Point(origin, turn.start)
    last = f"its turns are T1 to {known[-1].handle}" if known else "no turn was taken"
    raise UserError(
        f"{origin.path} has no turn {text!r}: {last}; name one of them, or an event by its number."
    )


def turns(debate: Sequence[Event]) -> Iterator[Turn]:
    """The turns of a debate, in order."""
    for start, events in _answers(debate):
        spoken = next((event for event in events if isinstance(event, e.TurnEvent)), None)
        if spoken is not None:
            yield Turn(spoken.turn, spoken.party, start, events)


def _index(origin: Transcript, seq: int) -> int:
    """Place of the event among those of the debate."""
    debate = origin.debate
    if not debate or not debate[0].seq <= seq <= debate[-1].seq:
        first, last = (debate[0].seq, debate[-1].seq) if debate else (2, 2)
        what = "is before the debate" if seq < first else "is not on record"
        raise UserError(
            f"{origin.path}: event {seq} {what}, whose events are {first} to {last}; name one of "
            "them, or a turn as T7."
        )
    return next(index for index, event in enumerate(debate) if event.seq >= seq)


def _whole(debate: Sequence[Event], index: int) -> int:
    """The same place, or the start of the answer it lies in."""
    for start, events in _answers(debate):
        if start <= index < start + len(events):
            return start
    return index


def _answers(debate: Sequence[Event]) -> Iterator[tuple[int, tuple[Event, ...]]]:
    """The stretches of events that belong to one answer, each with the index of its first."""
    for call, group in groupby(enumerate(_calls(debate)), key=lambda pair: pair[1]):
        if call is not None:
            places = [index for index, _ in group]
            yield places[0], tuple(debate[places[0] : places[-1] + 1])


def _calls(debate: Sequence[Event]) -> list[str | None]:
    """For every event the call it belongs to, whichever attempt; None for the chair's own acts."""
    found: list[str | None] = []
    for event in reversed(debate):
        if isinstance(event, e.Text):  # it stands before the call it was sent with
            found.append(found[-1] if found else None)
        elif isinstance(event, e.ModelCall | e.TurnEvent | e.Unread | e.ChairSpoke):
            found.append(event.call.rpartition("#")[0])
        else:
            found.append(None)
    return found[::-1]
