"""Labelled claims as CSV: one format for queues, for what people gave, and for gold.

Knows rows and cells, not what stands in them. A cell that a spreadsheet would take for a formula
gets an apostrophe in front when it is written and loses it when it is read, so what comes back is
what was said.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from harness.errors import UserError

NEEDED = ("id", "target", "split", "annotator", "party", "item", "text")
"""Columns that every such file has; `target` is the label, empty where nobody gave one."""
NOTED = ("positions", "rationale")
"""Columns that say what a label rests on, and why."""
GIVEN = ("time", "seconds", "mode", "independent", "shown", "queue", "seed", "debate")
"""Columns that say how a label was given; what measures a judge does not read them."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


class Line(NamedTuple):
    """One row of a file."""

    number: int
    """Its last line in the file, from 1."""
    cells: Mapping[str, str]
    """By column; empty where `wrong` says why."""
    wrong: str = ""
    """What is wrong with it, in a sentence; empty if nothing is."""


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; `restored` undoes it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def restored(cell: str) -> str:
    """A cell as it was before `inert`."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def written(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A heading and rows as the text of a file."""
    text = StringIO()
    # With these line ends a cell that holds either half of them is put in quotation marks.
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(columns)
    lines.writerows([inert(cell) for cell in row] for row in rows)
    return text.getvalue()


def text_of(path: Path) -> str:
    """The text of a file, without a byte order mark.

    Raises:
        UserError: it cannot be read, or is not UTF-8.
    """
    try:
        # Not read_text: it would turn the line ends inside of cells into others.
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text; save it as UTF-8.") from error


def lines_of(path: Path) -> Iterator[Line]:
    """Every row that is not blank.

    Raises:
        UserError: it cannot be read, is not CSV, or its heading is not that of this format.
    """
    reader = csv.reader(StringIO(text_of(path), newline=""), strict=True)
    try:
        columns = next(reader, [])
        if columns:
            _check(path, columns)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _line(reader.line_num, columns, cells)
    except csv.Error as error:
        raise UserError(f"{path}:{reader.line_num}: is not CSV: {error}.") from error


def _line(number: int, columns: Sequence[str], cells: Sequence[str]) -> Line:
    if len(cells) == len(columns):
        return Line(number, dict(zip(columns, map(restored, cells), strict=True)))
    many = f"{len(cells)} cells for {len(columns)} columns"
    return Line(number, {}, f"has {many}; put text with commas in quotation marks.")


def _check(path: Path, columns: Sequence[str]) -> None:
    missing = [name for name in NEEDED if name not in columns]
    strange = [name for name in columns if name not in (*NEEDED, *NOTED, *GIVEN)]
    twice = [name for name, count in Counter(columns).items() if count > 1]
    for names, what in ((missing, "lacks"), (strange, "does not know"), (twice, "has twice")):
        if names:
            raise UserError(
                f"{path}:1: the heading {what} {', '.join(names)}; it is {','.join(NEEDED)} and, "
                f"where you have them, {','.join((*NOTED, *GIVEN))}."
            )


def ids(cell: str) -> tuple[str, ...]:
    """The ids in a cell of positions, parted by blanks, commas or semicolons."""
    return tuple(cell.replace(";", " ").replace(",", " ").split())
