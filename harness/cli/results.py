"""The end of a debate: the joint text, the two headline tables, and where everything lies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.plain import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from evals.tables import AgreementRow, ConsistencyRow, Tables
    from harness.mechanism import Paragraph
    from harness.transcript import Transcript

STATUS = {
    "adopted": "agreed",
    "bracketed": "in brackets",
    "lapsed": "lapsed",
    "open": "open",
    "undecided": "not decided",
}

BESIDE = (
    "best: in the best joint outcome that crosses nobody's red line. "
    "zone: options every mandate could live with."
)
MEASURED = (
    "Measured against the documented positions by code, from moves and votes; "
    "no model judged the prose."
)


def scored(path: Path) -> tuple[Transcript, Tables, Path]:
    """Score a transcript, write the scores beside it, and return both tables."""
    from evals import scores
    from evals.evaluator import evaluate
    from evals.registry import BUILT_IN
    from evals.tables import tables
    from harness.transcript import read

    transcript = read(path)
    results = evaluate(transcript, BUILT_IN)
    written = scores.write(path, BUILT_IN, results)
    return transcript, tables(transcript, results), written


def show_json(console: Console, path: Path) -> None:
    """One object with the paths and both tables, after the events."""
    import json

    from pydantic import TypeAdapter

    from evals.tables import Tables

    _, made, written = scored(path)
    data = {
        "kind": "result",
        "transcript": str(path),
        "scores": str(written),
        "tables": TypeAdapter(Tables).dump_python(made, mode="json"),
    }
    console.out(json.dumps(data, ensure_ascii=False), highlight=False)


def show_results(console: Console, path: Path, *, brief: bool = False) -> None:
    """Joint text, tables and paths; only the count and the paths if `brief`."""
    from harness.mechanism import joint_text

    transcript, made, written = scored(path)
    if not brief:
        show_joint_text(console, transcript, joint_text(transcript.state, transcript.setting))
        show_tables(console, transcript, made)
    show_counts(console, transcript, made)
    console.print(f"Transcript: {path}", soft_wrap=True)
    console.print(f"Scores:     {written}", soft_wrap=True)


def show_joint_text(
    console: Console, transcript: Transcript, paragraphs: tuple[Paragraph, ...]
) -> None:
    """The single negotiating text: adopted paragraphs, brackets with holders, reservations."""
    from harness.events import NOTICE

    setting = transcript.setting
    console.print("\nJOINT TEXT", style="bold")
    console.print(NOTICE, style="dim")
    item = None
    for paragraph in paragraphs:
        if paragraph.item != item:
            item = paragraph.item
            console.print(f"\n{clean(setting.item(item).title)}", style="bold")
        heading = clean(setting.issue(paragraph.issue).heading)
        console.print(f"  {heading}: {STATUS[paragraph.status]}", style="bold")
        if paragraph.text is not None:
            console.print(f"    {clean(paragraph.text)}")
            for reservation in paragraph.reservations:
                name = setting.party(reservation.party).name
                because = f" ({reservation.because})" if reservation.because else ""
                console.print(f"    Reservation of {name}{because}.")
        for option, text, holders in paragraph.brackets:
            names = ", ".join(setting.party(holder).short for holder in holders)
            console.print(f"    [{names} ({option}): {clean(text)}]")
        if paragraph.text is None and not paragraph.brackets:
            console.print(f"    {clean(paragraph.why)}", style="dim")


def show_tables(console: Console, transcript: Transcript, made: Tables) -> None:
    """Agreement by issue and consistency by party."""
    console.print()
    console.print(_agreement(transcript, made))
    console.print(BESIDE, style="dim")
    console.print()
    console.print(_consistency(made))
    console.print(MEASURED, style="dim")


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _agreement(transcript: Transcript, made: Tables) -> Table:
    table = _table(
        "AGREEMENT",
        "issue",
        "outcome",
        "text",
        "for",
        "reserving",
        "against",
        "best",
        "zone",
        "event",
    )
    for row in made.agreement:
        table.add_row(*_agreement_cells(transcript, row))
    return table


def _agreement_cells(transcript: Transcript, row: AgreementRow) -> tuple[str, ...]:
    setting = transcript.setting

    def names(parties: tuple[str, ...]) -> str:
        return " ".join(setting.party(party).short for party in parties) or "-"

    text = f"({row.option}) {row.label}" if row.label else "-"
    best = row.best.partition("/")[2] if row.best else "-"
    zone = " ".join(key.partition("/")[2] for key in row.zopa) or "none"
    against = names(row.rejected_by)
    if row.missing:
        against += f" (no answer: {names(row.missing)})"
    return (
        clean(setting.issue(row.issue).heading),
        STATUS[row.outcome],
        clean(text),
        names(row.accepted_by),
        names(tuple(r.party for r in row.reservations)),
        against,
        best,
        zone,
        f"#{row.seq}" if row.seq is not None else "-",
    )


def _consistency(made: Tables) -> Table:
    table = _table(
        "CONSISTENCY", "party", "votes in line", "had it accepted all", "red lines crossed",
        "citations valid", "core positions cited", "satisfaction", "given", "received",
        "failed turns",
    )  # fmt: skip
    for row in made.consistency:
        table.add_row(*_consistency_cells(row))
    return table


def _consistency_cells(row: ConsistencyRow) -> tuple[str, ...]:
    from evals.tables import show

    results = (
        row.in_line, row.always_accept, row.crossed, row.citations, row.coverage,
        row.satisfaction, row.given, row.received, row.failed,
    )  # fmt: skip
    return (row.name, *(show(result) for result in results))


def show_counts(console: Console, transcript: Transcript, made: Tables) -> None:
    """The outcome in one line, with its baselines, and what the debate used."""
    issues = len(made.agreement)
    agreed = sum(row.outcome == "adopted" for row in made.agreement)
    held = made.baselines
    console.print(
        f"\nAgreed: {agreed} of {issues} issues. Beside it: a random deal "
        f"{held.random.agreement:.0%}, always-accept {held.always_accept.adopted} of {issues}, "
        f"best joint outcome {held.best.adopted} of {issues}."
    )
    calls = [call for call in transcript.calls if call.started is not None]
    if calls:
        tokens = sum(call.usage.input + call.usage.output for call in calls)
        cached = sum(call.usage.cached for call in calls)
        seconds = sum(call.latency for call in calls)
        console.print(
            f"Used: {len(calls)} calls, {tokens:,} tokens ({cached:,} from a cache), "
            f"{seconds:.1f} s of model time."
        )
    if not transcript.finished:
        console.print(
            f"The debate is not finished. Go on with: tracktwo run --resume {transcript.path}",
            soft_wrap=True,
        )
