"""What judges say about the prose of one transcript: asking them, and the PROSE table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.plain import clean

if TYPE_CHECKING:
    from rich.console import Console

    from evals.evaluator import Result, Score
    from evals.judging.judges import Judge
    from evals.judging.ledger import Ledger
    from evals.judging.pipeline import Cost, Plan
    from evals.judging.shapes import Claim, Judgements
    from harness.cli.judging import JudgeOptions
    from harness.transcript import Transcript

SHARES = ("supported", "partial", "contradicted", "unsupported")

READ_SO = (
    "Read by a model, which errs: `raw` is what it said, `corrected` takes its measured errors "
    "into account. Grey in brackets: why a number should not be relied on."
)


class Prose(NamedTuple):
    """What judges said about one transcript."""

    judgements: Judgements
    costs: dict[str, Cost]
    """Judge -> what its calls took."""
    queue: Path | None
    """Where the claims lie on which judges disagree."""
    disputed: int


def judged(
    path: Path, transcript: Transcript, options: JudgeOptions, rubrics: Sequence[str]
) -> Prose:
    """Ask the judges what is not known yet, and write what they said beside the transcript.

    Raises:
        UserError: a judge or rubric cannot be used; or a batch is under way.
    """
    import asyncio

    from evals.dimensions.registry import RUBRICS
    from evals.judging import files
    from evals.judging.ledger import Ledger, ledger_path
    from evals.judging.pipeline import Plan, cost
    from evals.judging.rubrics import rubric
    from harness.cli.judging import budget_of, judges_of, stopping

    plan = Plan(tuple(rubric(name) for name in rubrics or RUBRICS))
    ledger = Ledger(ledger_path(path), path.name)
    judges = judges_of(options, budget_of(options))
    with stopping(ledger.path):
        found = asyncio.run(_asked(transcript, judges, plan, options, ledger))
    files.write(path, found)
    disputed = _disputed(found)
    queue = files.write_queue(path, disputed) if len(judges) > 1 else None
    costs = {judge.name: cost(transcript, ledger, judge.name) for judge in judges}
    return Prose(found, costs, queue, len(disputed))


async def _asked(
    transcript: Transcript,
    judges: Sequence[Judge],
    plan: Plan,
    options: JudgeOptions,
    ledger: Ledger,
) -> Judgements:
    from evals.judging.batch import BatchPending
    from evals.judging.pipeline import judge_transcript
    from harness.cli.judging import asking_of, closed
    from harness.errors import UserError

    try:
        return await judge_transcript(
            transcript, judges, plan, asking=asking_of(options), ledger=ledger
        )
    except BatchPending as pending:
        raise UserError(str(pending)) from None
    finally:
        await closed(judges)


def _disputed(found: Judgements) -> list[tuple[Claim, str]]:
    from evals.calibration.alpha import disputed

    judges = found.judges
    claims = [claim for claim in found.claims if claim.checkworthy]
    by_judge = {
        judge: {v.unit: v.label for v in found.of("consistency", judge)} for judge in judges
    }
    labels = {judge: [by_judge[judge].get(c.id) for c in claims] for judge in judges}
    return [
        (claims[each.claim], "; ".join(f"{j}: {label}" for j, label in each.labels.items()))
        for each in disputed(labels)
    ]


def show_prose(console: Console, results: Sequence[Result], prose: Prose) -> None:
    """The PROSE table, the other judged metrics, and what judging took."""
    from rich import box
    from rich.table import Table

    scores = _judged_scores(results)
    table = Table(title="PROSE", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in ("judge", "party", "claims", *SHARES, "unscored", "standing"):
        table.add_column(column, overflow="fold")
    for row in _rows(scores):
        table.add_row(*(clean(cell) for cell in row))
    if table.row_count:
        console.print()
        console.print(table)
        console.print(READ_SO, style="dim")
    _show_others(console, [s for s in scores if not _in_table(s)])
    for judge, cost in prose.costs.items():
        console.print(
            f"{judge}: {cost.calls} calls, {cost.tokens:,} tokens; asking about every sentence and "
            f"position would have taken {cost.sentence_by_position} calls."
        )
    if prose.queue is not None:
        console.print(
            f"{prose.disputed} claims on which the judges disagree, for people to decide: "
            f"{prose.queue}",
            soft_wrap=True,
        )


def _judged_scores(results: Sequence[Result]) -> list[Score]:
    from evals.evaluator import Score

    return [r for r in results if isinstance(r, Score) and r.judge is not None]


def _in_table(score: Score) -> bool:
    return score.evaluator == "consistency" and score.metric in SHARES


def _rows(scores: Sequence[Score]) -> list[tuple[str, ...]]:
    """A row for each judge and party."""
    found: dict[tuple[str, str], dict[str, Score]] = {}
    for score in scores:
        if _in_table(score) and score.judge and "/" not in score.subject:
            found.setdefault((score.judge.judge, score.subject), {})[score.metric] = score
    return [
        (
            judge,
            about.removeprefix("party:"),
            str(metrics["supported"].n),
            *(share(metrics[label]) for label in SHARES),
            str(metrics["supported"].unscored),
            standing(list(metrics.values())),
        )
        for (judge, about), metrics in found.items()
    ]


def share(score: Score) -> str:
    """A judged share, raw and corrected."""
    if score.value is None:
        return "none"
    raw = f"{score.value:.2f}"
    if score.interval is not None:
        raw += f" [{score.interval.low:.2f}, {score.interval.high:.2f}]"
    if score.corrected is None:
        return f"raw {raw}"
    found, ends = score.corrected, score.corrected.interval
    value = "none" if found.value is None else f"{found.value:.2f}"
    within = f" [{ends.low:.2f}, {ends.high:.2f}]" if ends else ""
    return f"raw {raw}, corrected {value}{within}"


def standing(scores: Sequence[Score]) -> str:
    """Whether the judge is calibrated, and what the battery has against it."""
    judged = scores[0].judge
    assert judged is not None
    known = f"kappa {judged.kappa:.2f}" if judged.kappa is not None else "no kappa"
    words = f"calibrated on {judged.gold}, {known}" if judged.calibrated else "uncalibrated"
    against = "; ".join(dict.fromkeys(s.greyed for s in scores if s.greyed))
    return f"{words} ({against})" if against else words


def _show_others(console: Console, scores: Sequence[Score]) -> None:
    """The other judged metrics over parties and the debate: a line each, by judge."""
    by_judge: dict[str, list[Score]] = {}
    for score in scores:
        if score.value is not None and score.judge and "/" not in score.subject:
            by_judge.setdefault(score.judge.judge, []).append(score)
    for judge, own in by_judge.items():
        console.print(clean(f"\nOTHER METRICS READ BY {judge}"), style="bold")
        for line in _by_metric(own):
            console.print(clean(f"  {line}"), soft_wrap=True)
        for known in dict.fromkeys(standing([score]) for score in own):
            console.print(clean(f"  {known}"), style="dim", soft_wrap=True)


def _by_metric(scores: Sequence[Score]) -> list[str]:
    from evals.tables import show

    values: dict[str, list[str]] = {}
    for score in scores:
        about = score.subject.partition(":")[2] or score.subject
        told = f"{about} {show(score)}" + (" (greyed)" if score.greyed else "")
        values.setdefault(f"{score.evaluator}/{score.metric}", []).append(told)
    return [f"{metric}: {', '.join(told)}" for metric, told in values.items()]
