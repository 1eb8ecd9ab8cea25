"""Files to tables, and then the doors are shut.

DuckDB reads the lines itself, each view only the keys it needs, so thousands of transcripts never
become Python objects. Once the tables are filled, the connection can neither read nor write any
file, load an extension or change that: whatever a question says, it concerns these tables alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from evals.warehouse.dossier import DOSSIER
from evals.warehouse.files import Found, Lines, find, readable
from evals.warehouse.floor import FLOOR
from evals.warehouse.record import RECORD
from evals.warehouse.results import CELLS, RESULTS
from evals.warehouse.shape import View
from harness.errors import TranscriptError, UserError

if TYPE_CHECKING:
    from types import ModuleType

    from duckdb import DuckDBPyConnection

VIEWS: dict[str, View] = {view.name: view for view in (*RECORD, *FLOOR, *DOSSIER, CELLS, *RESULTS)}
"""Every view by name."""

MISSING = (
    "Asking transcripts needs the package duckdb, which is not installed: run "
    "`pip install 'tracktwo[analysis]'`"
)
"""What a user without the package is told."""

_PLACED = {
    "file": "VARCHAR", "experiment": "VARCHAR", "arm": "VARCHAR", "variation": "VARCHAR",
    "scenario": "VARCHAR", "standing": "BOOLEAN",
}  # fmt: skip
_ORDER = ("file", "seq", "evaluator", "metric", "subject")

_Rows = TypeVar("_Rows", bound=tuple[object, ...])


def open_warehouse(
    paths: Iterable[Path | str] = ("transcripts",),
    views: Iterable[str] | None = None,
    *,
    may_write: Path | None = None,
) -> DuckDBPyConnection:
    """Transcripts and scores as tables in memory, for SQL.

    Args:
        paths: Transcripts, files of scores, or folders; a folder stands for all below it.
        views: The views wanted, by name; all of them if left out. Fewer are quicker.
        may_write: One file that the connection may still write, for an answer.

    Returns:
        A connection of DuckDB that can read nothing but these tables.

    Raises:
        UserError: duckdb is not installed; there is no transcript; a file cannot be read; there is
            no such view.
    """
    found = find(paths)
    con = connection()
    try:
        fill(con, found, [a_view(name) for name in (VIEWS if views is None else views)])
        shut(con, may_write)
    except BaseException:
        con.close()
        raise
    return con


def a_view(name: str) -> View:
    """The view of this name.

    Raises:
        UserError: there is none; the message names the nearest.
    """
    from harness.loading.names import near

    if name not in VIEWS:
        raise UserError(f"There is no view {name!r}{near(name, VIEWS)}")
    return VIEWS[name]


def duckdb() -> ModuleType:
    """The module `duckdb`.

    Raises:
        UserError: it is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise UserError(MISSING) from None
    return duckdb


def connection() -> DuckDBPyConnection:
    """A database in memory that fetches nothing from anywhere by itself."""
    con: DuckDBPyConnection = duckdb().connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_file_cache": False,
            "python_enable_replacements": False,
        }
    )
    con.execute("set enable_progress_bar = false")  # it would be drawn into the answer
    return con


def empty() -> DuckDBPyConnection:
    """All views without a row, shut: to see whether a question can be understood."""
    con = connection()
    for view in VIEWS.values():
        con.execute(view.ddl)
    shut(con)
    return con


def run(
    con: DuckDBPyConnection, sql: str, values: dict[str, list[str]] | None = None
) -> DuckDBPyConnection:
    """Execute a statement that may take long.

    Raises:
        KeyboardInterrupt: the user has interrupted it.
        duckdb.Error: it could not be executed.
    """
    from concurrent.futures import ThreadPoolExecutor, wait

    # In a thread of its own: DuckDB looks for Ctrl-C between pieces of work, which may be long.
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(con.execute, sql, values)
        try:
            return task.result()
        except KeyboardInterrupt:
            while not task.done():  # it may not have begun
                con.interrupt()
                wait([task], timeout=0.1)
            raise


def shut(con: DuckDBPyConnection, may_write: Path | None = None) -> None:
    """Let the connection touch no file from now on, but for one it may write."""
    # The folder for spilling would stay open to reading and writing.
    con.execute("set temp_directory = ''")
    if may_write is not None:
        con.execute(f"set allowed_paths = [{text(str(may_write.absolute()))}]")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")


def text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def fill(con: DuckDBPyConnection, found: Found, views: Sequence[View]) -> None:
    """Make the tables of these views."""
    with tempfile.TemporaryDirectory(prefix="tracktwo-query-") as folder:
        copies = Path(folder)
        sources = {view.source for view in views}
        if "transcripts" in sources:
            _know(con, "transcripts", list(found.transcripts.values()), copies)
        if "scores" in sources:
            _know(con, "scores", list(found.scores.values()), copies)
        if any(view.declared for view in views):
            _place(con, found)
        for view in views:
            con.execute(view.ddl)
            _insert(con, view, found)
    for table in ("known_transcripts", "known_scores", "placed", "planned"):
        con.execute(f"drop table if exists {table}")


def _insert(con: DuckDBPyConnection, view: View, found: Found) -> None:
    if view.source == "cells":
        con.execute(f"insert into {view.name} select * from planned")
        return
    files = found.transcripts if view.source == "transcripts" else found.scores
    if not files:
        return
    known = f"known_{view.source}"
    paths = [path for (path,) in con.execute(f"select path from {known}").fetchall()]
    reads = ", ".join(f"{text(key)}: {text(kind)}" for key, kind in view.reads.items())
    lines = (
        "select known.*, line.* exclude (path) from read_json($paths, format='newline_delimited', "
        f"records=true, filename='path', columns={{{reads}}}) line join {known} known using (path)"
    )
    statement = (
        f"insert into {view.name} with lines as ({lines}) select * from ({view.select}) "
        f"order by {_order(view)}"
    )
    try:
        run(con, statement, {"paths": paths})
    except duckdb().Error as error:
        raise _unreadable(files, error) from error


def _order(view: View) -> str:
    names = [column.name for column in view.columns]
    places = [str(names.index(name) + 1) for name in _ORDER if name in names]
    return ", ".join(places) or "all"


def _know(con: DuckDBPyConnection, source: str, files: Sequence[Lines], copies: Path) -> None:
    """Put down where each file is read, what it is called and, of scores, whether they hold."""
    rows = [
        (str(readable(each.path, copies)), each.file, _stale(each) if source == "scores" else None)
        for each in files
    ]
    _table(con, f"known_{source}", {"path": "VARCHAR", "file": "VARCHAR", "stale": "BOOLEAN"}, rows)


def _stale(scores: Lines) -> bool | None:
    """Whether the transcript has changed since it was scored; None where it is not at hand."""
    import json

    from harness.transcript import fingerprint

    transcript = scores.path.with_name(scores.path.name.replace(".scores.jsonl", ".jsonl"))
    if not transcript.is_file():
        return None
    with scores.path.open("rb") as file:
        scored = json.loads(file.readline()).get("transcript_sha")
    return bool(fingerprint(transcript) != scored)


def _place(con: DuckDBPyConnection, found: Found) -> None:
    """Put down which debate belongs to which arm, and which are asked for."""
    from evals.warehouse.cells import survey

    surveys = []
    for folder in found.experiments:
        held = {path.stem: path for path in found.transcripts if path.parent == folder}
        surveys.append(survey(folder, held))
    _table(con, "placed", _PLACED, [row for each in surveys for row in each.placed])
    planned = {column.name: column.type for column in CELLS.columns}
    _table(con, "planned", planned, [row for each in surveys for row in each.planned])


def _table(
    con: DuckDBPyConnection, name: str, kinds: dict[str, str], rows: Sequence[_Rows]
) -> None:
    """Make a table from rows, handed over column by column: row by row takes far longer."""
    con.execute(f"create table {name} ({', '.join(f'{key} {kinds[key]}' for key in kinds)})")
    if rows:
        lists = ", ".join(f"unnest(?::{kind}[])" for kind in kinds.values())
        con.execute(
            f"insert into {name} select {lists}", [list(c) for c in zip(*rows, strict=True)]
        )


def _unreadable(files: dict[Path, Lines], error: Exception) -> UserError:
    """The file and line behind an error of DuckDB, in our reader's words where it finds them."""
    from evals import scores
    from harness import transcript

    for path in files:
        read = scores.read if path.name.endswith(".scores.jsonl") else transcript.read
        try:
            read(path)
        except TranscriptError as found:
            return UserError(f"{found} Move the file away, or name the other files.")
    return UserError(f"The files cannot be read: {str(error).splitlines()[0]}")
