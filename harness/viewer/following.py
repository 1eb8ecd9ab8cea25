"""A transcript as it grows: the events that were added since one last looked.

Whoever writes the file, this process or another, it is only read. Nothing here waits: the live page
and the terminal decide how often they look.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

from harness.errors import TranscriptError
from harness.events import DebateClosed, Event, RunCard
from harness.transcript import events_of, version_of


class _Place(NamedTuple):
    """How far a file has been read, and what is needed to tell that it is still the same file."""

    inode: int = 0
    offset: int = 0
    """Bytes of whole lines that were read."""
    first: bytes = b""
    """The first of these lines, with its line end."""
    last: bytes = b""
    """The last of these lines, with its line end."""


class Tail:
    """Reads a growing transcript, a few events at a time.

    A last line without its line end waits until it is whole. A file that was replaced by another,
    or cut back behind what was read, is begun anew: `begun` goes up, and the next events start with
    its header, so whoever follows forgets what it had.
    """

    def __init__(self, path: Path) -> None:
        """Follow the file from its first line; it is opened only while it is read."""
        self.path = path
        self.begun = 1
        """How often the file was read from its first line; more than 1 where it was replaced."""
        self.seq = 0
        """Number of the next event, which is how many lines were read."""
        self.closed = False
        """Whether the chair has closed the debate."""
        self._place = _Place()
        self._version = 0

    def more(self) -> tuple[Event, ...]:
        """The events of the whole lines that were added since the last call.

        Sound events before a line that cannot be read are handed out first; the call after that
        raises.

        Raises:
            TranscriptError: the file is missing or no longer there, is no transcript or of a newer
                format, or a line cannot be read; the message names file and line.
        """
        try:
            with self.path.open("rb") as file:
                self._begin_anew_if_other(file)
                file.seek(self._place.offset)
                data, inode = file.read(), os.fstat(file.fileno()).st_ino
        except OSError as error:
            raise TranscriptError(f"{self.path}: cannot be read: {error.strerror}.") from error
        whole = data[: data.rfind(b"\n") + 1]
        return self._taken(whole.split(b"\n")[:-1], inode) if whole else ()

    def _begin_anew_if_other(self, file: BinaryIO) -> None:
        """A writer only appends whole lines, or cuts off a torn one: what was read stays there."""
        place = self._place
        if not place.offset:
            return
        same = os.fstat(file.fileno()).st_ino == place.inode
        same = same and file.read(len(place.first)) == place.first
        file.seek(place.offset - len(place.last))
        if not same or file.read(len(place.last)) != place.last:
            self.begun += 1
            self.seq, self.closed, self._place = 0, False, _Place()

    def _taken(self, lines: list[bytes], inode: int) -> tuple[Event, ...]:
        if not self.seq:
            self._version = version_of(self.path, lines[0])
        events: list[Event] = []
        parsed = events_of(self.path, lines, self._version, first=self.seq + 1)
        try:
            for line, event in zip(lines, parsed, strict=True):
                self._check(event)
                self._note(line, event, inode)
                events.append(event)
        except TranscriptError:
            if not events:
                raise
        return tuple(events)

    def _check(self, event: Event) -> None:
        if self.seq == 1 and not isinstance(event, RunCard):
            raise TranscriptError(
                f"{self.path}:2: a transcript needs a run card in its second line."
            )

    def _note(self, line: bytes, event: Event, inode: int) -> None:
        self.seq += 1
        line += b"\n"
        first = self._place.first or line
        self._place = _Place(inode, self._place.offset + len(line), first, line)
        self.closed = self.closed or isinstance(event, DebateClosed)
