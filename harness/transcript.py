"""The transcript: an append-only file of events, the only source of truth.

One JSON object a line. The file appears with its first two lines (header and run card) already in
it, every further event is appended as one write, and a last line torn by a crash is recognised by
its missing line end. Nothing here decides or scores anything.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import ValidationError

from harness.errors import TranscriptError, TranscriptInUse
from harness.events import (
    BOOKKEEPING,
    EVENT,
    SCHEMA,
    DebateClosed,
    Event,
    EventBase,
    Header,
    ModelCall,
    RunCard,
    Text,
    may_see,
)
from harness.known import names_of, unknown
from harness.setting import Rules, Setting
from harness.state import State, fold

_TAIL = 1 << 16  # bytes; the chair's closing words are far shorter

UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""For each old version of the format, what turns one of its lines into the next version's."""


@dataclass(frozen=True)
class Transcript:
    """A debate as it was recorded."""

    events: tuple[Event, ...]
    """Header, run card, then everything that happened."""
    path: Path | None = None
    torn: int = 0
    """Bytes of a torn last line that were left out."""
    size: int | None = None
    """Bytes of the file when it was read, the torn ones included."""

    @property
    def header(self) -> Header:
        """What the file is."""
        header = self.events[0]
        assert isinstance(header, Header)
        return header

    @property
    def card(self) -> RunCard:
        """What the debate was held with."""
        card = self.events[1]
        assert isinstance(card, RunCard)
        return card

    @property
    def setting(self) -> Setting:
        """The part of the setting that was debated."""
        return self.card.setting

    @property
    def rules(self) -> Rules:
        """The rules of procedure in force."""
        return self.card.rules

    @cached_property
    def state(self) -> State:
        """The state after the last event."""
        return fold(self.events)

    @property
    def finished(self) -> bool:
        """Whether the chair closed the debate; if not, it can be resumed."""
        return any(isinstance(event, DebateClosed) for event in self.events)

    @property
    def debate(self) -> tuple[Event, ...]:
        """The events of the debate itself: without header, run card and bookkeeping."""
        return tuple(e for e in self.events[2:] if not isinstance(e, BOOKKEEPING))

    @property
    def calls(self) -> tuple[ModelCall, ...]:
        """Every call to a seat, in order."""
        return tuple(event for event in self.events if isinstance(event, ModelCall))

    @cached_property
    def texts(self) -> dict[str, str]:
        """The pieces of prompts, by fingerprint."""
        return {event.sha: event.text for event in self.events if isinstance(event, Text)}

    def seen_by(self, seat: str | None) -> tuple[Event, ...]:
        """The events a seat may know of; the public ones for None.

        The run card is left out for everyone: it holds all parties' positions.
        """
        return tuple(e for e in self.events[2:] if may_see(e, seat))


def dump(event: EventBase) -> str:
    """One event as one line of JSON, without its line end."""
    return event.model_dump_json()


def read(path: Path | str) -> Transcript:
    """Read a transcript. A torn last line is left out and counted, never guessed at.

    Raises:
        TranscriptError: the file is missing, is not a transcript, is of a newer format, or a line
            other than a torn last one cannot be read or names what its setting does not have; the
            message names file and line.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TranscriptError(f"{path}: cannot be read: {error.strerror}.") from error
    whole = data[: data.rfind(b"\n") + 1]
    lines = whole.split(b"\n")[:-1]
    events = tuple(_events(path, lines))
    if len(events) < 2 or not isinstance(events[1], RunCard):
        raise TranscriptError(f"{path}:2: a transcript needs a run card in its second line.")
    _only_known(path, events, events[1].setting)
    return Transcript(events, path, torn=len(data) - len(whole), size=len(data))


def _only_known(path: Path, events: Sequence[Event], setting: Setting) -> None:
    names = names_of(setting)
    for number, event in enumerate(events, 1):
        if (name := unknown(event, names)) is not None:
            raise TranscriptError(
                f"{path}:{number}: {name} is not in the setting that line 2 holds; the record was "
                "changed after it was written, so take a copy that was not."
            )


def closed(path: Path) -> bool:
    """Whether the file is the transcript of a finished debate, told by its end alone.

    A `read` is sure; this is for finding one's way among thousands.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            end = file.read()
    except OSError:
        return False
    return b'"kind":"debate_closed"' in end.rpartition(b"\n")[0].rpartition(b"\n")[2]


def _events(path: Path, lines: list[bytes]) -> Iterator[Event]:
    return events_of(path, lines, version_of(path, lines[0] if lines else b""))


def events_of(path: Path, lines: Iterable[bytes], version: int, first: int = 1) -> Iterator[Event]:
    """The events on some whole lines of a transcript, in order.

    Args:
        path: The file, for messages.
        lines: Lines without their line ends.
        version: The version of the format they are in; older lines are upgraded.
        first: The number of the first of them in the file, from 1.

    Raises:
        TranscriptError: a line is no event; the message names file and line.
    """
    for number, line in enumerate(lines, first):
        try:
            if version != SCHEMA:
                line = _upgraded(line, version)
            yield EVENT.validate_json(line)
        except ValidationError as error:
            found = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in found["loc"])
            raise TranscriptError(
                f"{path}:{number}: not an event of this format: {where}: {found['msg']}."
            ) from error


def version_of(path: Path, line: bytes) -> int:
    """The version of the format that the first line of a file names.

    Raises:
        TranscriptError: it names none, or one that is not known.
    """
    if not line.strip():
        raise TranscriptError(f"{path}:1: not a transcript: its first line is empty.")
    try:
        version = json.loads(line)["schema_version"]
    except ValueError as error:
        raise TranscriptError(
            f"{path}:1: not a transcript: its first line is no JSON. Name a file that "
            "`tracktwo run` wrote."
        ) from error
    except (KeyError, TypeError) as error:
        raise TranscriptError(
            f"{path}:1: not a transcript: its first line has no schema_version. A chat log "
            "becomes one by `tracktwo import`."
        ) from error
    if not isinstance(version, int) or version > SCHEMA or version < 1:
        raise TranscriptError(
            f"{path}:1: format {version!r} is not known; this program reads up to {SCHEMA}. "
            "Install a newer tracktwo."
        )
    return version


def _upgraded(line: bytes, version: int) -> bytes:
    data: dict[str, Any] = json.loads(line)
    for old in range(version, SCHEMA):
        data = UPGRADES[old](data)
    return json.dumps(data).encode()


class Writer:
    """Appends events to one transcript and gives them their line numbers.

    Every event survives the death of the process; what was paid for is to survive even a power cut,
    so whoever holds the debate calls `flush` after each model call.
    """

    def __init__(self, path: Path, next_seq: int) -> None:
        """Open an existing file for appending; use `create` or `resume`."""
        self.path = path
        self._seq = next_seq
        self._file = path.open("ab", buffering=0)
        try:
            _lock(self._file.fileno(), path)
        except TranscriptError:
            self._file.close()
            raise

    @classmethod
    def create(
        cls, path: Path, header: Header, card: RunCard, taken: Sequence[Event] = ()
    ) -> Writer:
        """Start a transcript; the file appears with header and run card in it or not at all.

        Args:
            path: where it is to lie.
            header: its first line.
            card: its second.
            taken: events that a fork takes over; they appear with the file.

        Raises:
            TranscriptInUse: the file exists already; nothing is overwritten.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        first = [
            event.model_copy(update={"seq": seq})
            for seq, event in enumerate((header, card, *taken))
        ]
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            draft.write_text("".join(dump(event) + "\n" for event in first), encoding="utf-8")
            os.link(draft, path)
        except FileExistsError as error:
            raise TranscriptInUse(f"{path} exists already; nothing was overwritten.") from error
        finally:
            draft.unlink(missing_ok=True)
        return cls(path, next_seq=len(first))

    @classmethod
    def resume(cls, transcript: Transcript) -> Writer:
        """Go on with a transcript that was read; a torn last line is cut off first.

        Raises:
            TranscriptError: another process is writing the file, or has since it was read.
        """
        path, size = transcript.path, transcript.size
        assert path is not None
        assert size is not None
        writer = cls(path, next_seq=len(transcript.events))
        if path.stat().st_size != size:
            writer.close()
            raise TranscriptInUse(f"{path} has changed since it was read; resume it once more.")
        if transcript.torn:
            os.truncate(path, size - transcript.torn)
        return writer

    def append(self, event: Event) -> Event:
        """Write one event and return it with its line number."""
        event = event.model_copy(update={"seq": self._seq})
        line = (dump(event) + "\n").encode()
        while line:  # one write, but for a disk that fills up half-way
            line = line[self._file.write(line) :]
        self._seq += 1
        return event

    def flush(self) -> None:
        """Have the disk itself keep what was written; takes milliseconds."""
        if not self._file.closed:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flush to disk and let go of the file."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()

    def __enter__(self) -> Writer:
        """The writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file, whatever happened."""
        self.close()


def _lock(descriptor: int, path: Path) -> None:
    """Keep a second process from writing the same transcript."""
    try:
        import fcntl
    except ImportError:  # no advisory locks on this system: the user keeps to one process
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise TranscriptInUse(f"{path} is being written by another process.") from error


def fingerprint(path: Path) -> str:
    """SHA-256 of the file, for scores to say what they scored."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
