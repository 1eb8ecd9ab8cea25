"""`tracktwo query`: ask transcripts and scores in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from evals.warehouse.asking import Answer, Cell

SHOWN = 1000
"""Rows of a table that are shown; the other formats have all."""


class Format(Enum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"
    PARQUET = "parquet"


ENDINGS = {
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".md": Format.MARKDOWN,
    ".parquet": Format.PARQUET,
}


def query(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SQL] [PATHS]...",
            help="The question, then transcripts or folders of them.  [default: ./transcripts]",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        Format | None, typer.Option(help="How the answer is written.  [default: table]")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the answer to .csv, .json, .md or .parquet."),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write every view as Parquet, for notebooks."),
    ] = None,
    views: Annotated[
        bool, typer.Option("--views", help="The views: columns, what they mean, a question each.")
    ] = False,
    schema: Annotated[bool, typer.Option("--schema", help="The views as SQL.")] = False,
) -> None:
    """Ask transcripts and their scores in SQL (DuckDB, in this process).

    A folder stands for everything below it, experiments included. Questions only read, and only
    the views; half-written lines are left out. Scores are there once `tracktwo score` made them.

    \b
    Examples:
      tracktwo query "select item, outcome, count(*) from decisions group by all" transcripts
      tracktwo query "from debates" --out debates.csv
      tracktwo query --views
      tracktwo query --export tables transcripts/examples
    """
    from harness.cli.show import terminal

    given, console = words or [], terminal()
    if views:
        _show_views(console)
    elif schema:
        _show_schema(console)
    elif export is not None:
        _export(console, export, _paths(given))
    else:
        sql = _question(given)
        _answer(console, sql, _paths(given[1:]), _format(format, out), out)


def _question(given: list[str]) -> str:
    from harness.errors import UserError

    if not given:
        raise UserError('Ask something: tracktwo query "from debates"; --views lists the views.')
    if _is_path(given[0]):
        raise UserError(
            f'{given[0]!r} is a path; the question comes first: tracktwo query "from debates" '
            f"{given[0]}"
        )
    return given[0]


def _is_path(text: str) -> bool:
    try:
        return Path(text).exists()
    except OSError:  # longer than any name of a file
        return False


def _paths(given: list[str]) -> list[Path]:
    return [Path(path) for path in given] or [Path("transcripts")]


def _format(wanted: Format | None, out: Path | None) -> Format:
    from harness.errors import UserError

    if out is None:
        if wanted is Format.PARQUET:
            raise UserError("Parquet goes to a file: add --out FILE.parquet.")
        return wanted or Format.TABLE
    found = wanted or ENDINGS.get(out.suffix)
    if found is None or found is Format.TABLE:
        raise UserError(
            f"{out}: say what to write with --format csv, json, markdown or parquet, or end the "
            "name in .csv, .json, .md or .parquet."
        )
    return found


def _answer(console: Console, sql: str, paths: list[Path], form: Format, out: Path | None) -> None:
    from evals.warehouse import open_warehouse
    from evals.warehouse.asking import ask, understood
    from evals.warehouse.export import draft_of, write_parquet, write_text

    needed = understood(sql)
    if out is not None:
        _check_target(out)
    draft = draft_of(out) if out is not None and form is Format.PARQUET else None
    with open_warehouse(paths, needed, may_write=draft) as con:
        if out is not None and form is Format.PARQUET:
            write_parquet(con, sql, out)
        elif out is not None:
            write_text(out, _pieces(ask(con, sql), form))
        elif form is Format.TABLE:
            _show(console, ask(con, sql))
        else:
            _say(console, _pieces(ask(con, sql), form))
    if out is not None:
        console.print(f"Written: {out}", soft_wrap=True)


def _check_target(out: Path) -> None:
    from evals.warehouse.files import is_record
    from harness.errors import UserError

    if not out.parent.is_dir():
        raise UserError(f"{out}: the folder {out.parent} does not exist; make it first.")
    if is_record(out):
        raise UserError(f"{out} is a transcript or its scores; write the answer somewhere else.")


def _pieces(answer: Answer, form: Format) -> Iterator[str]:
    from evals.warehouse.export import to_csv, to_json, to_markdown

    writers = {Format.CSV: to_csv, Format.JSON: to_json, Format.MARKDOWN: to_markdown}
    return writers[form](answer)


def _say(console: Console, pieces: Iterator[str]) -> None:
    """Text for whoever reads it: a terminal gets nothing that could steer it."""
    from harness.plain import clean

    for piece in pieces:
        console.out(clean(piece) if console.is_terminal else piece, highlight=False, end="")


def _show(console: Console, answer: Answer) -> None:
    from itertools import islice

    from harness.events import NOTICE

    shown = list(islice(answer.rows, SHOWN))
    more = next(answer.rows, None) is not None
    console.print(_table(answer.columns, shown))
    count = f"The first {SHOWN:,} rows; --format csv has all." if more else _rows(len(shown))
    console.print(count, style="dim")
    console.print(NOTICE, style="dim")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _table(columns: tuple[tuple[str, str], ...], rows: list[tuple[Cell, ...]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from evals.warehouse.export import is_number, shown

    table = Table(box=box.SIMPLE_HEAD)
    for name, kind in columns:
        justify: Literal["right", "left"] = "right" if is_number(kind) else "left"
        table.add_column(Text(shown(name)), justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell), "dim" if cell is None else "") for cell in row))
    return table


def _show_views(console: Console) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from evals.warehouse import VIEWS

    for view in VIEWS.values():
        console.print(Text(view.name, "bold"))
        console.print(Text(view.meaning))
        table = Table(box=box.SIMPLE, show_header=False, padding=(0, 1))
        for column in view.columns:
            table.add_row(Text(column.name), Text(column.type, "dim"), Text(column.meaning))
        console.print(table)
        for each in view.examples:
            console.print(Text(each.question))
            console.print(Text(f"  {each.sql}", "cyan"), soft_wrap=True)
        console.print()


def _show_schema(console: Console) -> None:
    from evals.warehouse import VIEWS

    console.out("\n\n".join(view.ddl for view in VIEWS.values()), highlight=False)


def _export(console: Console, folder: Path, paths: list[Path]) -> None:
    from evals.warehouse.export import export_views
    from harness.events import NOTICE

    for name, count in export_views(paths, folder).items():
        console.print(f"{folder / name}.parquet: {_rows(count)}", soft_wrap=True)
    console.print(NOTICE, style="dim")
