"""The end of a debate: the joint text, the two headline tables, and where everything lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.plain import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from evals.evaluator import Evaluator, Result
    from evals.tables import AgreementRow, ConsistencyRow, Tables
    from harness.cli.judging import JudgeOptions
    from harness.cli.prose import Prose
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
BY_MOVES = "Measured against the documented positions by code, from moves and votes."
MEASURED = (
    "Measured against the documented positions by code, from moves and votes; "
    "no model judged the prose (--judge MODEL has one do so)."
)


class Scored(NamedTuple):
    """A transcript with everything that was found out about it."""

    transcript: Transcript
    tables: Tables
    results: tuple[Result, ...]
    written: Path
    """The file of scores."""
    prose: Prose | None
    """What judges said, where there were any."""


@dataclass(frozen=True)
class Scoring:
    """How transcripts are scored: by code alone, by judges too, by evaluators of one's own."""

    judges: JudgeOptions | None = None
    rubrics: tuple[str, ...] = ()
    own: tuple[Evaluator, ...] = ()

    def of(self, path: Path) -> Scored:
        """Score a transcript and write the scores beside it."""
        from evals import scores
        from evals.evaluator import evaluate
        from evals.registry import BUILT_IN
        from evals.tables import tables
        from harness.transcript import read

        transcript = read(path)
        prose = self._prose(path, transcript)
        evaluators: list[Evaluator] = [*BUILT_IN, *self.own]
        if prose is not None:
            from evals.dimensions.registry import fed_by

            chosen = tuple(prose.judgements.rubrics.values())
            evaluators += [each.on(prose.judgements) for each in fed_by(chosen)]
        results = evaluate(transcript, evaluators)
        if prose is not None:
            results = _with_standing(results, prose)
        written = scores.write(path, evaluators, results)
        return Scored(transcript, tables(transcript, results), results, written, prose)

    def _prose(self, path: Path, transcript: Transcript) -> Prose | None:
        if self.judges is None or not self.judges.names:
            return None
        from harness.cli.prose import judged

        return judged(path, transcript, self.judges, self.rubrics)


def _with_standing(results: tuple[Result, ...], prose: Prose) -> tuple[Result, ...]:
    """Judged scores with what is known of their judge: its calibration and its battery."""
    from evals.calibration.calibrating import CALIBRATIONS
    from evals.calibration.standing import calibrated
    from evals.validity.battery import CARDS, greyed

    known = calibrated(results, prose.judgements, CALIBRATIONS.known())
    return greyed(known, CARDS.known())


BY_CODE = Scoring()
"""No judge is asked."""


def show_json(console: Console, path: Path, scoring: Scoring = BY_CODE) -> None:
    """One object with the paths and both tables, after the events."""
    import json

    from pydantic import TypeAdapter

    from evals.tables import Tables

    found = scoring.of(path)
    data = {
        "kind": "result",
        "transcript": str(path),
        "scores": str(found.written),
        "tables": TypeAdapter(Tables).dump_python(found.tables, mode="json"),
    }
    if found.prose is not None:
        judged = [r for r in found.results if getattr(r, "judge", None) is not None]
        data["judged"] = [each.model_dump(mode="json") for each in judged]
    console.out(json.dumps(data, ensure_ascii=False), highlight=False)


def show_results(
    console: Console, path: Path, scoring: Scoring = BY_CODE, *, brief: bool = False
) -> None:
    """Joint text, tables and paths; only the count and the paths if `brief`."""
    from harness.mechanism import joint_text

    found = scoring.of(path)
    transcript, made = found.transcript, found.tables
    if not brief:
        show_joint_text(console, transcript, joint_text(transcript.state, transcript.setting))
        show_tables(console, transcript, made, judged=found.prose is not None)
        if found.prose is not None:
            from harness.cli.prose import show_prose

            show_prose(console, found.results, found.prose)
    show_counts(console, transcript, made)
    console.print(f"Transcript: {path}", soft_wrap=True)
    console.print(f"Scores:     {found.written}", soft_wrap=True)


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


def show_tables(
    console: Console, transcript: Transcript, made: Tables, *, judged: bool = False
) -> None:
    """Agreement by issue and consistency by party; `judged` if a table of prose follows."""
    console.print()
    console.print(_agreement(transcript, made))
    console.print(BESIDE, style="dim")
    console.print()
    console.print(_consistency(made))
    console.print(MEASURED if not judged else BY_MOVES, style="dim")


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


def _agreed(made: Tables) -> str:
    issues = len(made.agreement)
    agreed = sum(row.outcome == "adopted" for row in made.agreement)
    held = made.baselines
    if held.random.agreement is None:
        return "No issue was on the agenda."
    return (
        f"Agreed: {agreed} of {issues} issues. Beside it: a random deal "
        f"{held.random.agreement:.0%}, always-accept {held.always_accept.adopted} of {issues}, "
        f"best joint outcome {held.best.adopted} of {issues}."
    )


def show_counts(console: Console, transcript: Transcript, made: Tables) -> None:
    """The outcome in one line, with its baselines, and what the debate used."""
    console.print(f"\n{_agreed(made)}")
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
