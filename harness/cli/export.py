"""`tracktwo export`: debates in other formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from harness.cli.options import transcripts_of

if TYPE_CHECKING:
    from evals.exporting.rows import Table as TableName
    from evals.exporting.visible import Debate

Format: TypeAlias = Literal["markdown", "csv", "jsonl", "inspect"]

ENDINGS: dict[str, Format] = {".md": "markdown", ".csv": "csv", ".jsonl": "jsonl"}
LOGS = Path("logs")
"""Where Inspect looks for logs."""


class Table(Enum):
    """What a row is."""

    TURNS = "turns"
    MOVES = "moves"
    SCORES = "scores"


def export(
    transcripts: Annotated[
        list[Path], typer.Argument(help="Transcripts, or folders of them.", show_default=False)
    ],
    markdown: Annotated[
        bool,
        typer.Option("--markdown", help="A file to read: every turn and source has an anchor."),
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Rows for a spreadsheet.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Rows as JSON, one a line.")] = False,
    inspect: Annotated[
        bool, typer.Option("--inspect", help="Logs for `inspect view`; needs the extra `inspect`.")
    ] = False,
    table: Annotated[
        Table | None,
        typer.Option(
            help="With --csv and --jsonl: what a row is.  [default: turns; a folder: all]"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="A file, or a folder for one file a debate or table.  [default: this terminal; "
            "--inspect: ./logs]",
        ),
    ] = None,
    private: Annotated[
        bool,
        typer.Option(
            "--private/--public",
            help="Also notes, private meetings, confidential positions, calls; or none of them.",
        ),
    ] = False,
) -> None:
    """Write debates as Markdown, as rows of turns, moves or scores, or as Inspect logs.

    The ending of --out tells the format where none is named. Scores are those beside a transcript;
    where there are none, or older ones, they are made in memory, without judges. What is private
    stays out unless you ask for it.

    \b
    Examples:
      tracktwo export transcripts/examples/reference-eight-of-twelve.jsonl -o debate.md
      tracktwo export transcripts/examples --csv --table moves -o moves.csv
      tracktwo export transcripts/examples --jsonl -o tables
      tracktwo export transcripts/examples --inspect -o logs
    """  # fmt: skip
    named = {"markdown": markdown, "csv": csv, "jsonl": jsonl, "inspect": inspect}
    format = _format([name for name, wanted in named.items() if wanted], out)
    _check_table(format, table)
    paths = transcripts_of(transcripts)
    match format:
        case "inspect":
            _logs(paths, out or LOGS, public=not private)
        case "markdown":
            _markdown(paths, out, private=private)
        case "csv" | "jsonl":
            _rows(paths, format, table, out, private=private)


def _format(named: list[str], out: Path | None) -> Format:
    from harness.errors import UserError

    if len(named) > 1:
        raise UserError(f"--{named[0]} and --{named[1]} are two formats; name one of them.")
    known = ENDINGS.get(out.suffix) if out is not None else None
    found = named[0] if named else known
    if found is None:
        raise UserError(
            "Say what to write: --markdown, --csv, --jsonl or --inspect; or end the name after "
            "--out in .md, .csv or .jsonl."
        )
    return found  # type: ignore[return-value]  # the names of the options are those of the formats


def _check_table(format: Format, table: Table | None) -> None:
    from harness.errors import UserError

    if table is not None and format not in ("csv", "jsonl"):
        raise UserError(
            f"--table says what a row is: name it with --csv or --jsonl, not --{format}."
        )


def _logs(paths: list[Path], out: Path, *, public: bool) -> None:
    from evals.exporting.inspect_logs import write_logs
    from harness.cli.show import terminal
    from harness.errors import UserError

    if out.is_file():
        raise UserError(f"{out} is a file; logs go to a folder.")
    console = terminal()
    for path in write_logs(paths, out, public=public):
        console.print(f"Written: {path}", soft_wrap=True)
    console.print(f"Open with: inspect view --log-dir {out}", soft_wrap=True)


def _markdown(paths: list[Path], out: Path | None, *, private: bool) -> None:
    from evals.exporting.markdown import to_markdown
    from harness.errors import UserError

    if out is None or not _is_folder(out):
        if len(paths) > 1:
            raise UserError(f"{len(paths)} debates are as many files: name a folder after --out.")
        (debate,) = _debates(paths, private=private)
        _put([to_markdown(debate)], out)
        return
    targets = _targets(paths, out)
    for path, debate in zip(paths, _debates(paths, private=private), strict=True):
        _put([to_markdown(debate)], targets[path])


def _targets(paths: list[Path], folder: Path) -> dict[Path, Path]:
    """A file for each debate; two debates of one name would overwrite each other."""
    from harness.errors import UserError

    found: dict[Path, Path] = {}
    for path in paths:
        target = folder / f"{path.stem}.md"
        if target in found.values():
            raise UserError(f"Two of the debates are named {path.stem}; export them one by one.")
        found[path] = target
    return found


def _rows(
    paths: list[Path], format: Literal["csv", "jsonl"], table: Table | None, out: Path | None,
    *, private: bool,
) -> None:  # fmt: skip
    from evals.exporting.rows import TABLES, to_csv, to_jsonl

    write = to_csv if format == "csv" else to_jsonl
    if out is None or not _is_folder(out):
        rows = _named(table or Table.TURNS)
        _put(write(_debates(paths, private=private), rows), out)
        return
    _check_apart(paths, format, out)
    for each in TABLES if table is None else (_named(table),):
        _put(write(_debates(paths, private=private), each), out / f"{each}.{format}")


def _check_apart(paths: list[Path], format: str, out: Path) -> None:
    """Rows as JSON lines would be taken for transcripts by whoever reads the folder next."""
    from harness.errors import UserError

    if format == "jsonl" and out.resolve() in (path.resolve().parent for path in paths):
        raise UserError(f"{out} is the folder of the transcripts; name another after --out.")


def _named(table: Table) -> TableName:
    """The table as evals call it: the two lists of names are compared by a test."""
    return table.value


def _is_folder(out: Path) -> bool:
    return out.is_dir() or not out.suffix


def _debates(paths: Iterable[Path], *, private: bool) -> Iterator[Debate]:
    from evals.exporting.visible import debate_of
    from harness.cli.show import terminal

    for path in paths:
        debate = debate_of(path, private=private)
        if debate.remark:
            terminal(stderr=True).print(debate.remark, style="yellow", soft_wrap=True)
        yield debate


def _put(pieces: Iterable[str], out: Path | None) -> None:
    from evals.warehouse.export import write_text
    from evals.warehouse.files import is_record
    from harness.cli.show import terminal
    from harness.errors import UserError
    from harness.plain import clean

    console = terminal()
    if out is None:
        for piece in pieces:
            words = clean(piece) if console.is_terminal else piece
            console.out(words, highlight=False, end="")
        return
    if is_record(out):
        raise UserError(f"{out} is a transcript or its scores; write the export somewhere else.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{out.parent} cannot be made: {error.strerror}.") from error
    write_text(out, pieces)
    console.print(f"Written: {out}", soft_wrap=True)
