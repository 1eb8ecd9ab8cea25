"""What people gave: one file of labels for each person and setting.

`SETTING.by-NAME.csv` has a row for every claim its person labelled or passed over, in the format of
gold (cells.py). It is replaced as a whole, under a lock, so a crash leaves the old file or the new
one, and two windows of one person neither lose a label nor have it twice.

A label counts as independent as long as its person has not been shown what others said of the
claim. If it is changed afterwards, the independent one is kept beside it.
"""

from __future__ import annotations

import os
import re
import threading
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError

from evals.evaluator import Value
from evals.labelling import cells
from evals.labelling.queue import Entry, Order
from evals.labels import WITH_POSITIONS, Label
from harness.errors import UserError
from harness.places import draft_of

Mode = Literal["blind", "open"]
"""`blind`: given before anything that others said of the claim was shown; `open`: after."""

COLUMNS = (*cells.NEEDED, *cells.NOTED, *cells.GIVEN)
LONGEST_NAME = 40
LONGEST_NOTE = 2000
DAY = 86_400
"""Seconds; a label that took longer was left open, and how long it took is not known."""

_BY = re.compile(r"(?P<setting>[a-z0-9-]+)\.by-(?P<who>[a-z0-9-]+)\.csv")
_GATE = threading.RLock()


class Row(Value):
    """What one person gave on one claim."""

    id: str
    label: Label | None
    """None where the claim was passed over, or the label taken back."""
    who: str
    party: str
    item: str
    text: str
    positions: tuple[str, ...] = ()
    note: str = ""
    time: str = ""
    """When it was given: UTC, ISO 8601."""
    seconds: float | None = Field(default=None, ge=0)
    """From when the claim was shown to when the label was given; None if unknown."""
    mode: Mode = "blind"
    independent: Label | None = None
    """The label as it stood before others' were shown; None if there was none."""
    shown: bool = False
    """Whether what others said of the claim was shown to this person."""
    queue: Order
    """The order in which claims were read."""
    seed: int | None = None
    """Of the lot, where the order was drawn."""
    debate: str = ""

    def cells(self) -> tuple[str, ...]:
        """The row as the cells of a file."""
        seconds = "" if self.seconds is None else f"{self.seconds:.1f}"
        seed = "" if self.seed is None else str(self.seed)
        return (
            self.id, self.label or "", "test", self.who, self.party, self.item, self.text,
            " ".join(self.positions), self.note, self.time, seconds, self.mode,
            self.independent or "", "yes" if self.shown else "", self.queue, seed, self.debate,
        )  # fmt: skip

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Row:
        """The row in the cells of a file.

        Raises:
            ValidationError: a cell holds what it cannot hold.
        """
        return cls.model_validate(
            {
                "id": given["id"],
                "label": given["target"] or None,
                "who": given["annotator"],
                "party": given["party"],
                "item": given["item"],
                "text": given["text"],
                "positions": cells.ids(given.get("positions", "")),
                "note": given.get("rationale", ""),
                "time": given.get("time", ""),
                "seconds": given.get("seconds") or None,
                "mode": given.get("mode") or "open",
                "independent": given.get("independent") or None,
                "shown": given.get("shown") == "yes",
                "queue": given.get("queue") or "listed",
                "seed": given.get("seed") or None,
                "debate": given.get("debate", ""),
            }
        )


class Given(NamedTuple):
    """What a person says of a claim, before it is written down."""

    label: Label | None
    """None passes the claim over."""
    positions: tuple[str, ...] = ()
    note: str = ""
    seconds: float | None = None
    open: bool = False
    """Whether what others said stood beside the claim."""


class Way(NamedTuple):
    """How a person goes through the claims."""

    order: Order
    seed: int | None = None


def slug(name: str) -> str:
    """A person's name as it stands in names of files and in rows.

    Raises:
        UserError: nothing of the name is left.
    """
    flat = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", flat).strip("-")[:LONGEST_NAME].strip("-")
    if not found:
        raise UserError("A name needs a letter from a to z or a digit, for the file's name.")
    return found


class Books:
    """The files of labels in a folder."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made with the first label."""
        self.folder = folder

    def people(self) -> tuple[str, ...]:
        """Everybody who has a file, by name."""
        return tuple(sorted({who for who, _ in self._files()}))

    def settings(self) -> tuple[str, ...]:
        """The settings that have labels, by name."""
        return tuple(sorted({self._named(path)["setting"] for _, path in self._files()}))

    def rows(self, who: str) -> dict[str, Row]:
        """What a person gave, by claim, on all settings.

        Raises:
            UserError: a file cannot be read; the message names file and line.
        """
        return {
            row.id: row
            for person, path in self._files()
            if person == who
            for row in _read(path).values()
        }

    def everybody(self) -> dict[str, dict[str, Row]]:
        """What everybody gave, by person and claim."""
        return {who: self.rows(who) for who in self.people()}

    def path(self, who: str, setting: str) -> Path:
        """Where the labels of a person on a setting lie."""
        return self.folder / f"{setting}.by-{who}.csv"

    def give(self, who: str, entry: Entry, given: Given, way: Way) -> Row:
        """Write down a label, or that a claim was passed over; an earlier one is replaced."""
        with self._changing(who, entry.setting) as rows:
            before = rows.pop(entry.id, None)
            row = _row(who, entry, given, way, before)
            rows[entry.id] = row
        return row

    def take_back(self, who: str, claim: str) -> None:
        """Take a label back; that others' labels were shown is not forgotten."""
        for setting in self._settings_of(who):
            with self._changing(who, setting) as rows:
                before = rows.pop(claim, None)
                if before is not None and before.shown:
                    rows[claim] = before.model_copy(update={"label": None, "positions": ()})

    def show(self, who: str, claims: Collection[str]) -> None:
        """Note that a person was shown what others said of claims; of those with a row only."""
        for setting in self._settings_of(who):
            with self._changing(who, setting) as rows:
                for claim in rows.keys() & set(claims):
                    rows[claim] = rows[claim].model_copy(update={"shown": True})

    def merge(self, setting: str) -> Path:
        """Write everybody's labels on a setting into one file, for `tracktwo calibrate`.

        Raises:
            UserError: nobody has labelled anything, or a file cannot be read.
        """
        files = [path for _, path in self._files() if self._named(path)["setting"] == setting]
        rows = [row for path in files for row in _read(path).values() if row.label is not None]
        if not rows:
            raise UserError(f"There is no label on {setting} in {self.folder} yet.")
        target = self.folder / f"{setting}.everybody.csv"
        _replace(target, sorted(rows, key=lambda row: (row.id, row.who)))
        return target

    def _settings_of(self, who: str) -> tuple[str, ...]:
        return tuple(
            self._named(path)["setting"] for person, path in self._files() if person == who
        )

    def _files(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self.folder.glob("*.by-*.csv")):
            if found := _BY.fullmatch(path.name):
                yield found["who"], path

    @staticmethod
    def _named(path: Path) -> re.Match[str]:
        found = _BY.fullmatch(path.name)
        assert found is not None
        return found

    @contextmanager
    def _changing(self, who: str, setting: str) -> Iterator[dict[str, Row]]:
        """A person's rows on a setting, written anew once they are changed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(who, setting)
        with _GATE, _alone(path.with_name(f".{path.name}.lock")):
            rows = _read(path) if path.is_file() else {}
            yield rows
            _replace(path, rows.values())


def _row(who: str, entry: Entry, given: Given, way: Way, before: Row | None) -> Row:
    shown = given.open or (before is not None and before.shown)
    kept = before.independent if before is not None else None
    return Row(
        id=entry.id,
        label=given.label,
        who=who,
        party=entry.claim.party,
        item=entry.claim.item,
        text=entry.claim.text,
        positions=given.positions if given.label in WITH_POSITIONS else (),
        note=" ".join(given.note.split())[:LONGEST_NOTE],
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=given.seconds,
        mode="open" if shown else "blind",
        independent=kept if shown else given.label,
        shown=shown,
        queue=way.order,
        seed=way.seed,
        debate=entry.debate,
    )


def _read(path: Path) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for number, given, wrong in cells.lines_of(path):
        if wrong:
            raise UserError(f"{path}:{number}: {wrong}")
        try:
            row = Row.of(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = first["loc"][0]
            raise UserError(
                f"{path}:{number}: {field} {str(first['input'])[:40]!r} cannot be read: "
                f"{first['msg']}."
            ) from None
        if row.id in rows:
            raise UserError(f"{path}:{number}: {row.id} stands twice; one label a claim.")
        rows[row.id] = row
    return rows


def _replace(path: Path, rows: Iterable[Row]) -> None:
    """Put the new file in the old one's place, once the disk has all of it."""
    draft = draft_of(path)
    with draft.open("w", encoding="utf-8", newline="") as file:
        file.write(cells.written(COLUMNS, (row.cells() for row in rows)))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Keep other processes from changing the same file meanwhile."""
    with lock.open("w") as file:
        try:
            import fcntl
        except ImportError:  # no advisory locks on this system: one program at a time
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
