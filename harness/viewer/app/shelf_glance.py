"""What can be told of a transcript from its first two lines and its end alone.

A whole reading is sure and takes several times as long; this is for finding one's way among
thousands. What lies between the run card and the last turns is not looked at.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from evals.evaluator import Value
from harness.errors import TranscriptError
from harness.events import Header, RunCard
from harness.transcript import dump, events_of, version_of

TAIL = 1 << 16
"""Bytes at the end that are read first; more where the last line or its turn is not among them."""

LONGEST = 1 << 26
"""Bytes that are read of the card, or of the end, at most: no file is to fill the memory."""

_TURN = re.compile(rb'"turn": ?"T([0-9]{1,9})"')
"""Inside a text of JSON its quotation marks would be escaped, so this is never somebody's words."""


class Named(Value):
    """Something that has a handle and a name."""

    id: str
    name: str


class Sitting(Value):
    """Who or what sat in a seat."""

    seat: str
    """Party id, or `chair`."""
    name: str
    """The party's short name."""
    model: str
    prompt: str = ""
    """Persona prompt by name; empty where none was used."""


class Glance(Value):
    """A transcript at a glance."""

    debate: str
    created: str
    """UTC time, ISO 8601."""
    setting: Named
    items: tuple[Named, ...]
    seats: tuple[Sitting, ...]
    fork_of: str = ""
    """Name of the transcript it was taken from; empty where it was held from its start."""
    closed: bool
    """Whether the chair closed the debate; else the counts are 0 and mean nothing."""
    adopted: int = 0
    bracketed: int = 0
    open: int = 0
    turns: int = 0
    """Number of the last turn on record, failed ones included."""
    stopped: str = ""
    """The ceiling at which it stopped, where that is the last that happened."""

    @property
    def issues(self) -> int:
        """How many issues the chair counted at the end."""
        return self.adopted + self.bracketed + self.open


class _Lean(BaseModel):
    """A part of an event; what is not asked for is passed over without being looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Party(_Lean):
    id: str
    short: str


class _Item(_Lean):
    id: str
    title: str


class _Setting(_Lean):
    id: str
    title: str
    parties: tuple[_Party, ...]
    items: tuple[_Item, ...]


class _Seat(_Lean):
    seat: str
    model: str
    prompt: str | None = None


class _Fork(_Lean):
    origin: str


class _Card(_Lean):
    kind: str
    setting: _Setting
    seats: tuple[_Seat, ...]
    fork: _Fork | None = None


class _Last(_Lean):
    """The last line of a file, whatever it is."""

    kind: str
    adopted: int = 0
    bracketed: int = 0
    open: int = 0
    ceiling: str = ""


def glance(path: Path) -> Glance:
    """What the file's head and end say.

    Raises:
        TranscriptError: the file cannot be opened, is no transcript, is of a newer format, or its
            first two lines or its last cannot be read; the message names file and line.
    """
    try:
        with path.open("rb") as file:
            header, card = _head(path, file)
            last, turns = _end(path, file, file.tell())
    except OSError as error:
        raise TranscriptError(f"{path}: cannot be read: {error.strerror}.") from error
    closed = last.kind == "debate_closed"
    counts = {"adopted": last.adopted, "bracketed": last.bracketed, "open": last.open}
    return Glance(
        debate=header.debate,
        created=header.created,
        setting=Named(id=card.setting.id, name=card.setting.title),
        items=tuple(Named(id=item.id, name=item.title) for item in card.setting.items),
        seats=tuple(_seats(card)),
        fork_of=card.fork.origin if card.fork else "",
        closed=closed,
        turns=turns,
        stopped=last.ceiling if last.kind == "budget_stop" else "",
        **(counts if closed else {}),
    )


def _seats(card: _Card) -> list[Sitting]:
    names = {party.id: party.short for party in card.setting.parties}
    return [
        Sitting(
            seat=each.seat,
            name=names.get(each.seat, each.seat),
            model=each.model,
            prompt=each.prompt or "",
        )
        for each in card.seats
    ]


def _head(path: Path, file: BinaryIO) -> tuple[Header, _Card]:
    first, second = file.readline(LONGEST), file.readline(LONGEST)
    version = version_of(path, first)
    header = next(iter(events_of(path, [first], version)))
    if not isinstance(header, Header) or not second.endswith(b"\n"):
        number = 2 if isinstance(header, Header) else 1
        raise TranscriptError(f"{path}:{number}: not a transcript: no header and run card.")
    return header, _card(path, second, version)


def _card(path: Path, line: bytes, version: int) -> _Card:
    card: _Card | None
    try:
        card = _Card.model_validate_json(line)
    except ValidationError:
        # The reader of whole transcripts knows older formats, and says best what is wrong.
        (event,) = events_of(path, [line], version, first=2)
        card = _Card.model_validate_json(dump(event)) if isinstance(event, RunCard) else None
    if card is None or card.kind != "run_card":
        raise TranscriptError(f"{path}:2: a transcript needs a run card in its second line.")
    return card


def _end(path: Path, file: BinaryIO, head: int) -> tuple[_Last, int]:
    """The last whole line and the number of the last turn; bytes before `head` are not its."""
    size, span = file.seek(0, os.SEEK_END), TAIL
    while True:
        start = max(head, size - span)
        file.seek(start)
        whole = file.read(size - start).rpartition(b"\n")[0]
        turns = max((int(each) for each in _TURN.findall(whole)), default=0)
        # Without a line end before it the last line may have begun before what was read.
        if start == head or (turns and b"\n" in whole) or span > LONGEST:
            break
        span *= 8
    return _last(path, whole.rpartition(b"\n")[2]), turns


def _last(path: Path, line: bytes) -> _Last:
    if not line:
        return _Last(kind="run_card")  # nothing has happened yet
    try:
        return _Last.model_validate_json(line)
    except ValidationError as error:
        found: Any = error.errors(include_url=False)[0]
        raise TranscriptError(f"{path}: its last line is no event: {found['msg']}.") from error
