"""The index of a folder: what can be told of all its transcripts without reading them whole.

Nothing in the folder is written. Every file is known by its size, time and inode; what has changed
is looked at again on the next look, and the rest is remembered, in memory and in a file of the
program's own, which can be deleted at any time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from evals.evaluator import Value
from evals.scores import scores_path
from harness.errors import TranscriptError
from harness.places import cache_folder, draft_of
from harness.setting import sha
from harness.viewer.app.shelf_glance import Glance, glance
from harness.viewer.app.shelf_scores import Headlines, Stamp, headlines, stamp_of

ENDING = ".jsonl"

DERIVED = (".scores", ".judge-calls", ".judgements", ".cassette")
"""Endings of the stems of files that belong to a transcript, or a sweep, and are none."""

DECLARED = "declared.jsonl"
"""What a folder has that is an experiment's."""

OF_EXPERIMENTS = (DECLARED, "failures.jsonl")

KEPT = 2
"""Version of the file the index is kept in."""

WORTH_KEEPING = 32
"""Files that have to be new to the index before it is written anew: for fewer it does not pay."""


class Scored(Value):
    """Headline scores, and the files they hold for."""

    transcript: Stamp
    beside: Stamp | None
    """None where there is no file of scores."""
    headlines: Headlines


class Entry(Value):
    """One transcript on the shelf."""

    name: str
    """Its path within the folder, without its ending."""
    stamp: Stamp
    glance: Glance | None = None
    """None where the file is broken."""
    broken: str = ""
    """What is wrong with the file."""
    scored: Scored | None = None
    """None where nobody has asked for its scores yet."""

    @property
    def folder(self) -> str:
        """The folder within the folder; empty for the folder itself."""
        return _folder(self.name)

    @property
    def headlines(self) -> Headlines | None:
        """The headline scores; None where nobody has asked for them yet."""
        return self.scored.headlines if self.scored else None

    @cached_property
    def words(self) -> str:
        """Everything it can be found by, in small letters."""
        if self.glance is None:
            return f"{self.name} {self.broken}".casefold()
        named = (self.glance.setting, *self.glance.items)
        said = [word for each in named for word in (each.id, each.name)]
        for seat in self.glance.seats:
            said += (seat.seat, seat.name, seat.model, seat.prompt)
        return " ".join((self.name, self.glance.debate, *said)).casefold()


class Look(NamedTuple):
    """What the folder held when it was looked at."""

    entries: tuple[Entry, ...]
    """By name."""
    experiments: tuple[str, ...]
    """Folders with a declaration, by their path within the folder; `""` for the folder itself."""
    fresh: int
    """How many files were read because they were new or had changed."""
    unread: tuple[str, ...] = ()
    """Files and folders that could not be looked at, each with the reason."""


class _Kept(Value):
    """The file that an index is kept in."""

    version: int
    folder: str
    entries: tuple[Entry, ...]


class Index:
    """The index of one folder; may be used from several threads."""

    def __init__(self, folder: Path, kept_in: Path | None = None) -> None:
        """Take the folder, and where the index is kept; None: in memory alone."""
        self.folder = folder.resolve()
        self.kept_in = kept_in
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] | None = None

    def look(self) -> Look:
        """The folder as it is now; only what has changed since the last look is read."""
        with self._lock:
            known = self._known()
            found, experiments, unread = self._walk()
            entries = {
                name: known[name]
                if name in known and known[name].stamp == stamp
                else self._seen(name, stamp)
                for name, stamp in found.items()
            }
            fresh = sum(entries[name] is not known.get(name) for name in entries)
            self._entries = entries
            if fresh >= WORTH_KEEPING:
                self._keep()
            return Look(tuple(entries.values()), experiments, fresh, unread)

    def with_scores(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """The same entries, each with its headline scores as they are now."""
        given = tuple(entries)
        with self._lock:
            scored = tuple(map(self._with_scores, given))
            known = self._known()
            for entry in scored:
                if entry.name in known:
                    known[entry.name] = entry
            fresh = sum(after is not before for before, after in zip(given, scored, strict=True))
            if fresh >= WORTH_KEEPING:
                self._keep()
        return scored

    def path_of(self, entry: Entry) -> Path:
        """The transcript."""
        return self.folder / f"{entry.name}{ENDING}"

    def _seen(self, name: str, stamp: Stamp) -> Entry:
        path = self.folder / f"{name}{ENDING}"
        try:
            return Entry(name=name, stamp=stamp, glance=glance(path))
        except TranscriptError as error:
            return Entry(name=name, stamp=stamp, broken=str(error).replace(str(path), path.name))
        except RecursionError:
            why = f"{path.name}:1: not a transcript: its first line is nested too deeply."
            return Entry(name=name, stamp=stamp, broken=why)

    def _with_scores(self, entry: Entry) -> Entry:
        if entry.glance is None:
            return entry
        path = self.path_of(entry)
        beside = stamp_of(scores_path(path))
        held = entry.scored
        if held and held.beside == beside and held.transcript == entry.stamp:
            return entry
        found = Headlines(standing="none") if beside is None else headlines(path)
        scored = Scored(transcript=entry.stamp, beside=beside, headlines=found)
        return entry.model_copy(update={"scored": scored})

    def _walk(self) -> tuple[dict[str, Stamp], tuple[str, ...], tuple[str, ...]]:
        unread: list[str] = []
        found = sorted(_files(self.folder, unread))
        declared = tuple(_folder(name) for name, _ in found if _file(name) == DECLARED)
        debates = {
            name.removesuffix(ENDING): stamp
            for name, stamp in found
            if _is_debate(_file(name), experiment=_folder(name) in declared)
        }
        return debates, declared, tuple(unread)

    def _known(self) -> dict[str, Entry]:
        if self._entries is None:
            self._entries = {entry.name: entry for entry in self._read()}
        return self._entries

    def _read(self) -> tuple[Entry, ...]:
        try:
            kept = _Kept.model_validate_json(self.kept_in.read_bytes()) if self.kept_in else None
        except (OSError, ValidationError):
            return ()  # never kept, or by another version: the transcripts say it all again
        same = kept and (kept.version, kept.folder) == (KEPT, str(self.folder))
        return kept.entries if kept and same else ()

    def _keep(self) -> None:
        if self.kept_in is None or self._entries is None:
            return
        kept = _Kept(version=KEPT, folder=str(self.folder), entries=tuple(self._entries.values()))
        draft = draft_of(self.kept_in)
        try:
            self.kept_in.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(kept.model_dump_json(exclude_defaults=True), encoding="utf-8")
            draft.replace(self.kept_in)
        except (OSError, ValueError):
            # No room, no right, or a name that is no text: the next start takes longer, no more.
            self.kept_in = None


@lru_cache(maxsize=8)
def index_of(folder: Path) -> Index:
    """The index of a folder that all rooms of the app share, kept in the cache folder."""
    resolved = folder.resolve()
    return Index(resolved, cache_folder() / "shelves" / f"{sha(os.fsencode(resolved).hex())}.json")


def experiment_of(entry: Entry, experiments: Iterable[str]) -> str | None:
    """The experiment in whose folder the transcript lies; None where it is in none."""
    return entry.folder if entry.folder in experiments else None


def by_experiment(look: Look) -> Mapping[str, tuple[Entry, ...]]:
    """The transcripts of every experiment, by its folder."""
    found: dict[str, list[Entry]] = {name: [] for name in look.experiments}
    for entry in look.entries:
        if entry.folder in found:
            found[entry.folder].append(entry)
    return {name: tuple(entries) for name, entries in found.items()}


def _files(folder: Path, unread: list[str]) -> Iterator[tuple[str, Stamp]]:
    """The JSONL files below a folder; what is hidden or a link is left out."""
    ways = [""]
    while ways:
        way = ways.pop()
        try:
            with os.scandir(folder / way) as found:
                listed = [each for each in found if not each.name.startswith(".")]
        except OSError as error:
            unread.append(f"{_said(way) or folder}: {error.strerror}")
            continue
        for each in listed:
            name = f"{way}{each.name}"
            if each.is_dir(follow_symlinks=False):
                ways.append(f"{name}/")
            elif each.name.endswith(ENDING) and each.is_file(follow_symlinks=False):
                if name != _said(name):
                    unread.append(f"{_said(name)}: its name is no text in UTF-8")
                elif (stamp := stamp_of(each)) is not None:  # else it was removed a moment ago
                    yield name, stamp


def _said(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def _file(name: str) -> str:
    return name.rpartition("/")[2]


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _is_debate(file: str, *, experiment: bool) -> bool:
    of_experiment = experiment and file in OF_EXPERIMENTS
    return not of_experiment and not file.removesuffix(ENDING).endswith(DERIVED)
