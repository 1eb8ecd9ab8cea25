"""Answers and views as text and files; every one says that the words are simulated."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from evals.warehouse.asking import Answer, Cell, misunderstood
from evals.warehouse.files import find
from evals.warehouse.opening import VIEWS, connection, duckdb, fill, run, text
from harness.errors import UserError
from harness.events import NOTICE
from harness.plain import plain

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PARQUET = f"(format parquet, compression zstd, kv_metadata {{notice: {text(NOTICE)}}})"


def to_csv(answer: Answer) -> Iterator[str]:
    """The answer as lines of CSV with a last column that carries the notice.

    Lists and maps are JSON. Text that a spreadsheet would take for a formula begins with an
    apostrophe; JSON and Parquet have it as it is.
    """
    names = [name for name, _ in answer.columns]
    added = [] if "notice" in names else ["notice"]
    yield _csv_line([*names, *added])
    for row in answer.rows:
        yield _csv_line([*map(_csv_cell, row), *(NOTICE for _ in added)])


def to_json(answer: Answer) -> Iterator[str]:
    """The answer as one JSON object: notice, columns with their types, rows as objects."""
    columns = [{"name": name, "type": kind} for name, kind in answer.columns]
    head = json.dumps({"notice": NOTICE, "columns": columns})
    yield f'{head[:-1]}, "rows": ['
    names, end = [name for name, _ in answer.columns], "\n"
    for row in answer.rows:
        data = dict(zip(names, map(jsonable, row), strict=True))
        yield f"{end}{json.dumps(data, allow_nan=False)}"
        end = ",\n"
    yield "\n]}\n"


def to_markdown(answer: Answer) -> Iterator[str]:
    """The answer as a table in Markdown; numbers are aligned to the right."""
    yield _row([name for name, _ in answer.columns])
    yield _row(["---:" if is_number(kind) else "---" for _, kind in answer.columns])
    for row in answer.rows:
        yield _row([shown(cell) for cell in row])
    yield f"\n*{NOTICE}*\n"


def write_text(path: Path, pieces: Iterable[str]) -> None:
    """Write a file as a whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    draft = draft_of(path)
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        draft.replace(path)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


def draft_of(path: Path) -> Path:
    """Where a file is written before it takes its place."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def write_parquet(con: DuckDBPyConnection, sql: str, path: Path) -> None:
    """Write the rows of a select as Parquet; the notice is in the file's metadata.

    The connection has to be one that may write `draft_of(path)`.

    Raises:
        UserError: DuckDB could not answer it.
    """
    # A table first: what follows the question, such as a comment, then does no harm.
    try:
        run(con, f"create temp table answer as {sql}")
    except duckdb().Error as error:
        raise misunderstood(error) from error
    _write_table(con, "answer", path)


def export_views(paths: Iterable[Path | str], folder: Path) -> dict[str, int]:
    """Write every view as FOLDER/VIEW.parquet.

    Returns:
        Rows of each view.

    Raises:
        UserError: as `open_warehouse`.
    """
    found = find(paths)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritten(folder, error) from error
    rows: dict[str, int] = {}
    for view in VIEWS.values():  # one after the other, so that memory holds one at a time
        with connection() as con:
            fill(con, found, [view])
            _write_table(con, view.name, folder / f"{view.name}.parquet")
            counted = con.execute(f"select count(*) from {view.name}").fetchall()
            rows[view.name] = int(counted[0][0])
    return rows


def _write_table(con: DuckDBPyConnection, table: str, path: Path) -> None:
    draft = draft_of(path)
    try:
        con.execute(f"copy {table} to {text(str(draft.absolute()))} {_PARQUET}")
        draft.replace(path)
    except duckdb().IOException as error:
        raise UserError(f"{path} cannot be written: {str(error).splitlines()[0]}") from error
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


def _unwritten(path: Path, error: OSError) -> UserError:
    return UserError(f"{path} cannot be written: {error.strerror}.")


def is_number(kind: str) -> bool:
    """Whether a type of DuckDB is one of numbers."""
    return kind.split("(")[0] in (
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
        "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL",
    )  # fmt: skip


def shown(cell: Cell) -> str:
    """A value on one line, harmless in a terminal or a table of Markdown."""
    match cell:
        case None:
            return "null"
        case bool():
            return str(cell).lower()
        case float():
            return f"{cell:.1f}" if 1e3 <= abs(cell) < 1e15 else f"{cell:.4g}"
        case list():
            return ", ".join(map(shown, cell))
        case dict():
            return ", ".join(f"{shown(key)}: {shown(value)}" for key, value in cell.items())
        case _:
            return plain(cell)


def jsonable(cell: Cell) -> object:
    """A value as JSON has it; what is no number in JSON (infinite, not a number) is null."""
    match cell:
        case None | bool() | int() | str():
            return cell
        case float() | Decimal():
            return float(cell) if math.isfinite(cell) else None
        case list():
            return [jsonable(each) for each in cell]
        case dict():
            return {str(key): jsonable(value) for key, value in cell.items()}
        case _:
            return str(cell)


def _csv_cell(cell: Cell) -> object:
    match cell:
        case str():
            return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
        case list() | dict():
            return json.dumps(jsonable(cell), ensure_ascii=False)
        case bool():
            return str(cell).lower()
        case _:
            return cell


def _csv_line(cells: list[object]) -> str:
    line = StringIO()
    # Python 3.11 leaves a lone carriage return unquoted, which readers take for the end of the row.
    told = [
        cell.replace("\r\n", "\n").replace("\r", "\n") if type(cell) is str else cell
        for cell in cells
    ]
    csv.writer(line, lineterminator="\n").writerow(told)
    return line.getvalue()


def _row(cells: list[str]) -> str:
    return (
        "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells) + " |\n"
    )
