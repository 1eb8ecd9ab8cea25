"""Pages of debates, made in threads and kept as long as their files stay as they are."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from evals import scores
from evals.judging import files
from harness import events as e
from harness.transcript import Transcript
from harness.viewer.page.page import fragments, page
from harness.viewer.reading import Reading, reading_of

_Made = TypeVar("_Made")

_ANCHOR = re.compile(r' id="([^"]+)"')

KEPT = 12
"""How many pages are kept, the last ones used."""


class Entry(NamedTuple):
    """An entry of the conversation."""

    name: str
    """Its anchor on the page."""
    last: int
    """Number of the last event that changed it; 0 where none did."""
    html: str


class Shown(NamedTuple):
    """A debate as it is on record at some moment, in the pieces of its page."""

    seq: int
    """Number of the last event that is in it."""
    sections: Mapping[str, str]
    entries: tuple[Entry, ...]
    said: str
    """What happened last, in a few words."""
    seconds: float
    """How long it took to make."""


class Page(NamedTuple):
    """The page of a debate."""

    html: str
    seq: int
    """Number of the last event that is in it."""
    last: e.Event


@dataclass
class _Kept(Generic[_Made]):
    """What was made of files, by what it was made of; asked for twice at once, it is made once."""

    make: Callable[[Path, bool], _Made]
    made: OrderedDict[tuple[Path, bool], tuple[object, asyncio.Task[_Made]]] = field(
        default_factory=OrderedDict
    )

    async def of(self, path: Path, public: bool) -> _Made:
        """What is made of a debate as it is now."""
        key, stamp = (path, public), _stamp(path)
        known = self.made.get(key)
        if known is None or known[0] != stamp:
            task = asyncio.create_task(asyncio.to_thread(self.make, path, public))
            known = self.made[key] = (stamp, task)
        self.made.move_to_end(key)
        while len(self.made) > KEPT:
            self.made.popitem(last=False)
        # Shielded: whoever goes away does not take it from the others who wait for it.
        return await asyncio.shield(known[1])


def _stamp(path: Path) -> tuple[object, ...]:
    """What changes when the debate, its scores or its judgements do."""
    return tuple(map(_state, (path, scores.scores_path(path), files.judgements_path(path))))


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        about = os.stat(path)  # noqa: PTH116 (asked from the event loop, and as quick as it gets)
    except OSError:
        return None
    return about.st_ino, about.st_mtime_ns, about.st_size


class Renderings:
    """The pages of debates and the pieces they are made of."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._pages: _Kept[Page] = _Kept(_page)
        self._shown: _Kept[Shown] = _Kept(_shown)

    async def page(self, path: Path, *, public: bool) -> Page:
        """The whole page, for an app that sends the policy itself.

        Raises:
            TranscriptError: the transcript or a file beside it cannot be read.
        """
        return await self._pages.of(path, public)

    async def shown(self, path: Path, *, public: bool) -> Shown:
        """The pieces of the page.

        Raises:
            TranscriptError: the transcript or a file beside it cannot be read.
        """
        return await self._shown.of(path, public)


def _page(path: Path, public: bool) -> Page:
    reading = reading_of(path, public=public)
    last = reading.transcript.events[-1]
    return Page(page(reading, served=True), last.seq, last)


def _shown(path: Path, public: bool) -> Shown:
    begun = time.monotonic()
    reading = reading_of(path, public=public)
    made = fragments(reading)
    changed = _changes(reading.transcript)
    entries = tuple(Entry(_name(html), changed.get(seq, 0), html) for seq, html in made.entries)
    last = reading.transcript.events[-1].seq
    return Shown(last, made.sections, entries, _said(reading), time.monotonic() - begun)


def _name(html: str) -> str:
    found = _ANCHOR.search(html)
    assert found is not None, "an entry without an anchor"
    return found[1]


def _changes(transcript: Transcript) -> dict[int, int]:
    """Of every entry, by the number of its first event, that of the last one that changed it.

    A turn grows while it is taken, and an item's heading says what became of its issues.
    """
    turns: dict[str, int] = {}
    items: dict[str, int] = {}
    found: dict[int, int] = {}
    for event in transcript.events:
        found[event.seq] = event.seq
        match event:
            case e.TurnEvent():
                found[turns.setdefault(event.turn, event.seq)] = event.seq
            case e.ItemOpened():
                items.setdefault(event.item, event.seq)
            case e.Tabled() | e.Decided() if event.item in items:
                found[items[event.item]] = event.seq
            case e.PackageRuled():
                found.update(dict.fromkeys(items.values(), event.seq))
    return found


def _said(reading: Reading) -> str:
    """What happened last that anybody may hear of."""
    for event in reversed(reading.transcript.events):
        if event.audience is None:
            match event:
                case e.TurnEvent():
                    return f"{event.turn}: {reading.setting.party(event.party).name}"
                case e.ItemOpened():
                    return reading.setting.item(event.item).title
                case e.DebateClosed():
                    return "The debate is over"
    return ""
