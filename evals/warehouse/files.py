"""Which files are meant by a path, and what of each can be read.

A transcript that somebody may still be writing is read from a copy of its whole lines, so that all
views show the same moment and a torn last line is left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from evals.scores import SCHEMA as SCORES_SCHEMA
from harness.errors import UserError
from harness.events import SCHEMA
from harness.loading import display
from harness.transcript import closed

TRANSCRIPT = "tracktwo transcript"
SCORES = "tracktwo scores"
DECLARED = "declared.jsonl"
SET_ASIDE = "broken"
"""Folder beside a declaration, with what could not be gone on with."""

_FIRST_LINE = 1 << 16
_GLOB = frozenset("*?[]{}")


class Lines(NamedTuple):
    """A file of JSON lines."""

    path: Path
    file: str
    """The transcript it is, or belongs to, as it is shown."""


@dataclass
class Found:
    """The files that were meant."""

    transcripts: dict[Path, Lines] = field(default_factory=dict)
    scores: dict[Path, Lines] = field(default_factory=dict)
    experiments: dict[Path, None] = field(default_factory=dict)
    """Folders in which an experiment was declared."""

    def take(self, path: Path) -> bool:
        """Put a file where it belongs; False if it is neither a transcript nor its scores."""
        match _format(path):
            case "transcript":
                self.transcripts[path] = Lines(path, display(path))
            case "scores":
                transcript = path.with_name(path.name.replace(".scores.jsonl", ".jsonl"))
                self.scores[path] = Lines(path, display(transcript))
            case _:
                return False
        return True


def find(given: Iterable[Path | str]) -> Found:
    """The transcripts and scores meant; a folder stands for all that lies in and below it.

    What lies beside them (declarations, judges' calls) is passed over, and so are debates that an
    experiment has set aside.

    Raises:
        UserError: a path does not exist or is no transcript, or there is no transcript at all.
    """
    found, paths = Found(), [Path(path) for path in given]
    for path in paths:
        if path.is_dir():
            for each in _below(path.resolve(), found):
                found.take(each)
        else:
            _take_file(path, found)
    if not found.transcripts and not found.scores:
        where = ", ".join(display(path) for path in paths)
        raise UserError(
            f"There is no transcript in {where}; name a file or folder, or hold a debate with "
            "`tracktwo run`."
        )
    return found


def is_record(path: Path) -> bool:
    """Whether there is a transcript, or a file of scores, of this name."""
    return path.is_file() and _format(path) is not None


def readable(path: Path, copies: Path) -> Path:
    """Where the file can be read from: itself, or a copy of its whole lines.

    Args:
        path: The file.
        copies: A folder for copies.
    """
    if _at_rest(path) and not _GLOB & set(str(path)):
        return path
    data = path.read_bytes()
    copy = copies / f"{sum(1 for _ in copies.iterdir())}.jsonl"
    copy.write_bytes(data[: data.rfind(b"\n") + 1])
    return copy


def _take_file(path: Path, found: Found) -> None:
    path = path.resolve()
    if not path.is_file():
        raise UserError(f"{display(path)} does not exist; name a transcript or a folder of them.")
    if not found.take(path):
        raise UserError(
            f"{display(path)}:1: neither a transcript nor a file of scores; its first line has "
            "to say so."
        )
    scores = path.with_name(f"{path.stem}.scores.jsonl")
    if scores.is_file():
        found.take(scores)
    if (path.parent / DECLARED).is_file():
        found.experiments[path.parent] = None


def _below(top: Path, found: Found) -> Iterator[Path]:
    for folder, folders, files in os.walk(top):
        if DECLARED in files:
            found.experiments[Path(folder)] = None
            folders[:] = [name for name in folders if name != SET_ASIDE]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.endswith(".jsonl") and not name.startswith("."):
                yield Path(folder, name)


def _format(path: Path) -> str | None:
    """What the first line says the file is."""
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(_FIRST_LINE))
    except OSError as error:
        raise UserError(f"{display(path)} cannot be read: {error.strerror}.") from error
    except ValueError:
        return None
    said = first.get("format") if isinstance(first, dict) else None
    if said not in (TRANSCRIPT, SCORES):
        return None
    known = SCHEMA if said == TRANSCRIPT else SCORES_SCHEMA
    if first.get("schema_version") != known:
        raise UserError(
            f"{display(path)}:1: format {first.get('schema_version')!r} is not known; this program "
            f"asks files of format {known}."
        )
    return "transcript" if said == TRANSCRIPT else "scores"


def _at_rest(path: Path) -> bool:
    """Whether nobody will write to the file any more, and its last line is whole."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        whole = file.read() == b"\n"
    return whole and (path.name.endswith(".scores.jsonl") or closed(path))
