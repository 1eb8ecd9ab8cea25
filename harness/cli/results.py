"""`tracktwo results`: what an experiment came to, beside what was declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import BaseUrl, Timeout

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from evals.comparison.observations import Scoring
    from evals.comparison.presented import Grid, Section
    from evals.comparison.shapes import Results
    from evals.comparison.shown import Cell
    from evals.evaluator import Result
    from harness.cli.judging import JudgeOptions
    from harness.experiment.reading import Read
    from harness.experiment.shapes import Experiment
    from harness.transcript import Transcript

GAP = 2
MARGIN = 2
"""Blanks between columns, and around a table."""
SENTENCE = 24
"""Letters of a sentence in a cell after which it goes on below."""


def results(
    experiment: Annotated[
        str,
        typer.Argument(
            help="An experiment file, one that comes with the program by its name, or the folder "
            "with its debates.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the debates of an experiment file, as for `tracktwo experiment`.  "
            "[default: ./transcripts/experiments/ID]",
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The tables as Markdown.")] = False,
    csv: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv", help="Also write observations, and rows to FILE.rows.csv."
        ),
    ] = None,
    parquet: Annotated[
        Path | None,
        typer.Option(metavar="FILE.parquet", help="The same as Parquet."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Also write one HTML page.")
    ] = None,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Ask no judge; what judges have said already counts."),
    ] = False,
    base_url: BaseUrl = None,
    timeout: Timeout = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Show what an experiment came to, beside what was declared.

    Scores that are missing beside a transcript, or stale, are made first. Where the experiment
    declares judges, they are asked what they have not answered yet.

    \b
    Examples:
      tracktwo results chair-rules
      tracktwo results transcripts/experiments/chair-rules --page results.html
      tracktwo results my-experiment.yaml --markdown
    """
    from evals.comparison.results import results_of
    from harness.cli.judging import JudgeOptions
    from harness.cli.show import terminal

    folder, read = where(experiment, out)
    options = JudgeOptions((), base_url=base_url, timeout=timeout, quiet=json or markdown)
    scoring = scoring_of(declared_in(folder, read), options, offline=offline)
    with counted(scoring) as counting:
        found = results_of(folder, read, scoring=counting)
    written = _written(found, csv, parquet, page)
    console = terminal()
    if json:
        console.out(found.model_dump_json(), highlight=False)
    elif markdown:
        from evals.comparison.markdown import to_markdown

        console.out(to_markdown(found), highlight=False)
    else:
        show(console, found)
        for path in (folder, *written):
            console.print(f"  {path}", soft_wrap=True)


def where(named: str, out: Path | None) -> tuple[Path, Read | None]:
    """The folder with the debates, and the experiment file where one was named.

    Raises:
        UserError: there is no such folder or experiment, or no debate was held.
    """
    from harness.errors import UserError
    from harness.experiment.reading import load_experiment
    from harness.sweep.running import usual_folder

    if Path(named).is_dir():
        if out is not None:
            raise UserError(
                f"--out says where the debates of an experiment file lie, and {named} is a folder "
                "of debates itself: leave one of them out."
            )
        return Path(named), None
    read = load_experiment(named)
    folder = out or usual_folder(read)
    if not folder.is_dir():
        raise UserError(
            f"{folder} is not there: hold the debates first, `tracktwo experiment {named}`, or say "
            "with --out where they lie."
        )
    return folder, read


def declared_in(folder: Path, read: Read | None) -> Experiment | None:
    """What is declared: by the file, else by the folder; None where nothing is."""
    from harness.experiment.folder import Folder

    if read is not None:
        return read.experiment
    declarations = Folder(folder).declared
    return declarations[-1].experiment if declarations else None


def scoring_of(experiment: Experiment | None, options: JudgeOptions, *, offline: bool) -> Scoring:
    """How transcripts are scored: by code, and by the judges that were declared."""
    from evals.comparison.observations import by_code, still_holding
    from evals.dimensions.registry import RUBRICS, fed_by
    from evals.judging.rubrics import rubric
    from evals.registry import BUILT_IN
    from harness.cli.scoring import Scoring as Asked

    if experiment is None or offline or not experiment.judges:
        return by_code
    rubrics = tuple(rubric(name) for name in experiment.rubrics or RUBRICS)
    versions = {each.name: each.version for each in BUILT_IN}
    versions |= {each.name: each.version for each in fed_by(rubrics)}
    asked = Asked(options._replace(names=experiment.judges), experiment.rubrics)

    def judged(path: Path, transcript: Transcript) -> tuple[Result, ...]:
        known = still_holding(path, versions, experiment.judges)
        return asked.of(path).results if known is None else known

    return judged


@contextmanager
def counted(scoring: Scoring) -> Iterator[Scoring]:
    """The same scoring, with a line at the terminal that says how many debates were read."""
    import sys

    count = 0

    def counting(path: Path, transcript: Transcript) -> Sequence[Result]:
        nonlocal count
        found = scoring(path, transcript)
        count += 1
        sys.stderr.write(f"\r\033[K{count} debates read")
        sys.stderr.flush()
        return found

    shown = sys.stderr.isatty()
    try:
        yield counting if shown else scoring
    finally:
        if shown:
            sys.stderr.write("\r\033[K")


def _written(
    found: Results, csv: Path | None, parquet: Path | None, page: Path | None
) -> list[Path]:
    """Write the files that were asked for."""
    from evals.comparison.export import to_csv, to_parquet

    written: list[Path] = []
    if csv is not None:
        written += to_csv(found, csv)
    if parquet is not None:
        written += to_parquet(found, parquet)
    if page is not None:
        from evals.comparison.page import page as to_page

        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(to_page(found, base=_between(page, Path(found.folder))), encoding="utf-8")
        written.append(page)
    return written


def _between(page: Path, folder: Path) -> str:
    """The way from the page's folder to the transcripts, with slashes."""
    import os

    way = Path(os.path.relpath(folder.resolve(), page.resolve().parent)).as_posix()
    return "" if way == "." else way


def show(console: Console, found: Results) -> None:
    """All sections, one below the other."""
    from evals.comparison.presented import sections

    for section in sections(found):
        _show(console, section)
    console.print("\nFILES", style="bold")


def _show(console: Console, section: Section) -> None:
    from harness.plain import clean

    if section.title:
        kind, colon, name = clean(section.title).partition(":")
        console.print(f"\n{kind.upper()}{colon}{name}", style="bold")
    for words in section.words:
        console.print(clean(words))
    if section.grid is not None:
        for part in fitting(section.grid, console.width):
            console.print(_table(part, console.width))
    for point in section.points:
        console.print(_hanging(clean(point)))
    for note in section.notes:
        console.print(clean(note), style="dim")


def _hanging(point: str) -> Table:
    """A point of a list whose further lines stand below its first."""
    from rich.table import Table

    table = Table.grid(padding=(0, 1))
    table.add_row("-", point)
    return table


def fitting(grid: Grid, width: int) -> list[Grid]:
    """The table, or several with some of its columns each, so that no number is broken."""
    first, *widths = needed(grid)
    parts, room = [[0]], width - first - MARGIN
    for column, wide in enumerate(widths, 1):
        if len(parts[-1]) > 1 and wide + GAP > room:
            parts.append([0])
            room = width - first - MARGIN
        parts[-1].append(column)
        room -= wide + GAP
    return [
        grid._replace(
            head=tuple(grid.head[column] for column in part),
            rows=tuple(tuple(row[column] for column in part) for row in grid.rows),
        )
        for part in parts
    ]


def needed(grid: Grid) -> list[int]:
    """How wide each column has to be: numbers are whole, sentences may go over several lines."""
    return [
        max(
            *(len(word) for word in name.split()),
            *(min(len(line), SENTENCE) for row in grid.rows for line in _cell(row[i]).split("\n")),
        )
        for i, name in enumerate(grid.head)
    ]


def _table(grid: Grid, width: int) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    natural = [max(len(n), w) for n, w in zip(grid.head, needed(grid), strict=True)]
    narrow = sum(natural) + GAP * len(natural) + MARGIN > width
    for index, (name, wide) in enumerate(zip(grid.head, needed(grid), strict=True)):
        table.add_column(
            name,
            overflow="fold",
            justify="right" if index else "left",
            width=wide if narrow else None,
        )
    for row in grid.rows:
        table.add_row(*map(_cell, row))
    return table


def _cell(cell: Cell) -> str:
    from harness.plain import clean

    return "\n".join(clean(part) for part in (cell.main, *cell.small))
