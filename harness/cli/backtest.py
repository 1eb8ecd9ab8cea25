"""`tracktwo backtest`: simulated outcomes against what history did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import transcripts_of

if TYPE_CHECKING:
    from rich.console import Console

    from evals.backtest import Reading, Report, Run
    from harness.events import RunCard
    from harness.setting import Setting
    from harness.transcript import Transcript

HELD = 3
"""Debates the reference negotiator holds where none are given; its seed draws lots only."""


class Partial(Enum):
    """How partial agreement in history is read."""

    AGREED = "agreed"
    NONE = "none"
    OUT = "out"


def backtest(
    setting: Annotated[
        str, typer.Argument(help="The setting by name, or its folder.", show_default=False)
    ],
    transcripts: Annotated[
        list[Path], typer.Argument(help="Transcripts, or folders of them.", show_default=False)
    ],
    reference: Annotated[
        list[Path] | None,
        typer.Option(
            help="Transcripts of the reference negotiator, or a folder of them; may be repeated.  "
            "[default: those among TRANSCRIPTS, else debates held now]"
        ),
    ] = None,
    outcomes: Annotated[
        Path | None,
        typer.Option(help="A file of outcomes.  [default: the one that comes with the setting]"),
    ] = None,
    partial: Annotated[
        Partial, typer.Option(help="Read what was agreed in part as agreed, as none, or leave out.")
    ] = Partial.AGREED,
    without_silence: Annotated[
        bool,
        typer.Option("--without-silence", help="Leave out outcomes whose evidence is silence."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The tables as Markdown.")] = False,
    page: Annotated[
        Path | None, typer.Option(help="Also write one HTML page.", metavar="FILE.html")
    ] = None,
) -> None:
    """Score simulated outcomes against what became of the issues in history.

    Debates with the same models, prompts and rules are runs of one system; each system is a row.

    \b
    Examples:
      tracktwo backtest geneva-2021 transcripts/examples
      tracktwo backtest geneva-2021 transcripts/examples --page backtest.html
      tracktwo backtest geneva-2021 transcripts/examples --without-silence --markdown
    """
    from evals.backtest import Reading
    from harness.cli.show import terminal

    reading = Reading(
        partial=partial.value,
        silence="out" if without_silence else "none",
    )
    report = _report(setting, transcripts, reference or (), outcomes, reading)
    console = terminal()
    if json:
        console.out(report.model_dump_json(), highlight=False)
    elif markdown:
        from evals.backtest.words import to_markdown

        console.out(to_markdown(report), highlight=False)
    else:
        _show(console, report)
    if page is not None:
        _write_page(page, report)


def _report(
    name: str,
    given: Sequence[Path],
    reference: Sequence[Path],
    outcomes: Path | None,
    reading: Reading,
) -> Report:
    from evals.backtest import backtest, load_history, outcomes_file, run_of, told_apart
    from harness.errors import UserError
    from harness.loading import load_setting

    setting = load_setting(name)
    history = load_history(outcomes or outcomes_file(setting.id), setting)
    # Only what is needed is kept of each: there may be thousands.
    found: list[Run] = []
    table: RunCard | None = None
    for transcript in _read(transcripts_of(given)):
        found.append(run_of(transcript, setting))
        table = table or transcript.card
    assert table is not None
    runs = told_apart(found)
    documented = {o.issue for o in history.outcomes if o.horizon == "summit"}
    if not any(documented.intersection(run.issues) for run in runs):
        raise UserError(
            f"None of the {len(runs)} transcripts has an issue on its agenda of which "
            "the outcome at the summit is documented; hold the debate with --agenda summit."
        )
    base, source = _reference(setting, runs, reference, table)
    return backtest(setting, history, runs, base, reading, source)


def _reference(
    setting: Setting, runs: Sequence[Run], given: Sequence[Path], table: RunCard
) -> tuple[list[Run], str]:
    """The reference negotiator's debates, and where they come from in words."""
    from evals.backtest import run_of
    from harness.errors import UserError

    if given:
        found = [run_of(transcript, setting) for transcript in _read(transcripts_of(given))]
        for run in found:
            if not run.system.reference:
                raise UserError(
                    f"{run.name} is no debate between reference negotiators, as --reference "
                    f"needs: {run.system.label}."
                )
        return found, f"{len(found)} debates given with --reference"
    among = [run for run in runs if run.system.reference]
    if among:
        # Those at other tables are rows of their own; the one with most runs is the base rate.
        (most, _), *_ = Counter(run.system.id for run in among).most_common()
        same = [run for run in among if run.system.id == most]
        return same, f"{len(same)} debates of {same[0].system.label} among those given"
    issues = {issue for run in runs for issue in run.issues}
    held = [run_of(transcript, setting) for transcript in _held(setting, issues, table)]
    return held, (
        f"{HELD} debates held for this report under the rules of the first one given, seeds 0 to "
        f"{HELD - 1}"
    )


def _held(setting: Setting, issues: set[str], table: RunCard) -> Iterator[Transcript]:
    """Debates between reference negotiators on these issues, with a table's parties and rules."""
    import asyncio
    import tempfile

    from harness.cli.show import terminal
    from harness.models.budget import Budget
    from harness.models.clock import SystemClock
    from harness.models.prices import PriceList
    from harness.seating import Means, Wishes, run_card, seat_cards
    from harness.session import Sitting
    from harness.setting import Agenda
    from harness.transcript import read

    terminal(stderr=True).print(f"Holding {HELD} debates between reference negotiators ...")
    agenda = Agenda(
        id="back-test",
        title="What the debates under test had on their agendas",
        parties=tuple(party.id for party in table.setting.parties),
        items=tuple(item.id for item in setting.items if issues & {i.id for i in item.issues}),
        rules=table.rules,
    )
    means = Means(Budget(), PriceList())
    seats = seat_cards(setting.only(agenda), Wishes(model="reference"), means.env)

    async def hold(seed: int, path: Path) -> None:
        card = run_card(setting, agenda, seats, seed)
        async for _ in Sitting(card, path, means, SystemClock()).hold():
            pass

    with tempfile.TemporaryDirectory() as folder:
        for seed in range(HELD):
            path = Path(folder) / f"reference-seed-{seed}.jsonl"
            asyncio.run(hold(seed, path))
            yield read(path)


def _read(paths: Iterable[Path]) -> Iterator[Transcript]:
    """Every transcript once; a copy of one that was read would count a run twice."""
    from harness.cli.show import terminal
    from harness.transcript import fingerprint, read

    first: dict[str, Path] = {}
    for path in paths:
        transcript = read(path)
        same = first.setdefault(fingerprint(path), path)
        if same is path:
            yield transcript
        else:
            terminal(stderr=True).print(f"{path} is the same file as {same}; it counts once.")


def _show(console: Console, report: Report) -> None:
    """Verdicts, the tables, and what has to be known to read them."""
    from evals.backtest import words
    from harness.plain import clean

    console.print(f"BACK-TEST: {clean(report.title)}", style="bold")
    console.print(report.notice, style="dim")
    for said in words.verdicts(report):
        console.print(f"\n{clean(said)}")
    for title, heads, rows in (
        ("SCORES", words.SCORE_COLUMNS, words.score_cells(report)),
        (
            "BRIER SCORE LESS THAT OF EACH BASE RATE",
            words.difference_columns(),
            words.difference_cells(report),
        ),
        ("BY ISSUE", words.issue_columns(report), words.issue_cells(report)),
        ("OTHER READINGS", words.varied_columns(report), words.varied_cells(report)),
    ):
        _table(console, title, heads, rows)
    for note in words.notes(report):
        console.print(clean(note), style="dim")


def _table(
    console: Console, title: str, heads: Iterable[str], rows: Iterable[Sequence[str]]
) -> None:
    from rich import box
    from rich.table import Table

    from harness.plain import clean

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for head in heads:
        table.add_column(clean(head), overflow="fold")
    for row in rows:
        table.add_row(*map(clean, row))
    console.print()
    console.print(table)


def _write_page(path: Path, report: Report) -> None:
    from evals.backtest.page import to_html
    from harness.cli.show import terminal
    from harness.errors import UserError

    try:
        path.write_text(to_html(report), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}.") from error
    # On the other stream, so that --json and --markdown stay whole.
    terminal(stderr=True).print(f"Page: {path}", soft_wrap=True)
