"""A back-test in words and as Markdown; what terminal, file and page share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from evals.backtest.history import NONE
from evals.backtest.inference import Paired
from evals.backtest.shapes import (
    BASES,
    Base,
    BaseRow,
    IssueResult,
    IssueRow,
    Report,
    SystemRow,
    Verdict,
)
from evals.intervals import wilson
from harness.plain import clean

VERDICTS: Mapping[Verdict, str] = {
    "same_reason": "right, right reason",
    "other_reason": "right, other reason",
    "right": "right",
    "wrong": "wrong",
    "unscored": "not scored",
}

LEVELS = {"agreed": "agreed", "partial": "agreed in part", "not_agreed": "not agreed"}

EVIDENCE = {"text": "by a document", "account": "by an account", "silence": "by silence only"}

MEANS = (
    "A score says how much of a system's runs fell on what happened at one summit, issue by issue."
)
DOES_NOT_MEAN = (
    "It does not say that the system foresees what states do: it is one summit whose issues hang "
    "together, issues and options were drafted and outcomes coded by hand after the event, and a "
    "language model may have read about it in training."
)
RIGHT = (
    "right: most runs have the outcome that happened. Right reason: the same text where one was "
    "agreed; where none was, the documented party holds the documented bracket. Plain right: no "
    "source says who held what."
)
SCORES = (
    "Brier 0 (all on what happened) to 2; log score in nats from 0, after smoothing: {smoothing}. "
    "Less is better."
)
DIFFERENCES = (
    "Brier less that of the base rate, mean over issues [95 % t interval, df = issues - 1], p by "
    "exact sign flip over issues, not adjusted for many comparisons. Below 0: closer to history."
)


def number(value: float | None) -> str:
    """A score with two decimals; a dash where there is none."""
    return "-" if value is None else f"{value:.2f}"


def difference(paired: Paired) -> str:
    """A mean difference with interval and p."""
    if paired.mean is None:
        return "no issue in common"
    said = f"{paired.mean:+.2f}"
    if paired.low is not None and paired.high is not None:
        said += f" [{paired.low:+.2f}, {paired.high:+.2f}]"
    return said + (f" p{chance(paired.p)}" if paired.p is not None else f" n={paired.n}")


def chance(p: float) -> str:
    """A p value with its sign, never as 0: `=.031`, `<.001`."""
    return "<.001" if p < 0.001 else "=" + f"{p:.3f}".removeprefix("0")


def against(row: SystemRow, base: Base) -> str:
    """The row's difference to the base rate; a dash where it is not compared."""
    found = [each.paired for each in row.against if each.base == base]
    return difference(found[0]) if found else "-"


def runs(row: SystemRow) -> str:
    """How many runs, how many of them differ, how many are not finished."""
    said = f"{row.runs} ({row.distinct} distinct)"
    return said + (f", {row.unfinished} unfinished" if row.unfinished else "")


def share_unscored(row: SystemRow) -> str:
    """What share of runs times issues could not be scored."""
    return f"{row.unscored}/{row.cells}" if row.unscored else "0"


def reasons(row: SystemRow) -> str:
    """Issues right for the right reason, of those where one is on record."""
    return f"{row.same_reason}/{row.reasons}"


def happened(row: IssueRow) -> str:
    """What happened at the summit, in a few words."""
    was = row.documented
    if was is None:
        return "no outcome at the summit is documented"
    said = LEVELS[was.level]
    if was.outcome_option == NONE:
        said += " on no text" if was.level == "partial" else ""
    else:
        joined = "; what prevailed" if was.level == "not_agreed" else ""
        said += f"{joined}: ({was.outcome_option}) {row.label(was.outcome_option)}"
    return said + (" *" if was.evidence == "silence" else "")


def hit(result: IssueResult) -> str:
    """Runs on what happened, with Wilson's interval over runs."""
    if result.brier is None:
        return VERDICTS["unscored"]
    low, high = wilson(result.right, result.n)
    return f"{result.right}/{result.n} [{low:.2f}, {high:.2f}]"


def spread(result: IssueResult) -> str:
    """Every outcome that came about, most frequent first."""
    came = sorted((s for s in result.shares if s.count), key=lambda share: -share.count)
    said = ", ".join(f"{share.outcome} {share.count}" for share in came) or "no run"
    return said + (f"; {result.unscored} without outcome" if result.unscored else "")


def verdicts(report: Report) -> Iterator[str]:
    """One sentence a system: how it stands to saying that nothing is agreed."""
    for row in report.systems:
        found = [each.paired for each in row.against if each.base == "nothing"]
        if not found or found[0].mean is None:
            yield f"{row.system.label}: no issue could be scored."
            continue
        yield (
            f"{row.system.label} is {_standing(found[0])} saying that nothing is agreed: "
            f"{difference(found[0])} over {found[0].n} issues."
            + _depends(report, row, _standing(found[0]))
            + (" All its runs ended alike: one would have said as much." if _alike(row) else "")
        )


def _depends(report: Report, row: SystemRow, standing: str) -> str:
    """Under which readings of history the verdict would be another."""
    others: dict[str, list[str]] = {}
    for varied in report.varied:
        same = next(each for each in varied.systems if each.system.id == row.system.id)
        for found in (each.paired for each in same.against if each.base == "nothing"):
            if _standing(found) != standing:
                others.setdefault(_standing(found), []).append(varied.words)
    if not others:
        return " Every reading of history below says so."
    told = "; ".join(
        f"{said} it under: {', '.join(f'“{w}”' for w in words)}" for said, words in others.items()
    )
    return f" It depends on how history is read: {told}."


def _standing(paired: Paired) -> str:
    if paired.low is None or paired.high is None:
        return "not yet comparable (too few issues) with"
    if paired.low > 0:
        return "further from history than"
    return "closer to history than" if paired.high < 0 else "not to be told apart from"


def _alike(row: SystemRow) -> bool:
    return row.runs > 1 and row.distinct == 1


def notes(report: Report) -> tuple[str, ...]:
    """What has to stand under the tables."""
    unscored = [row for row in report.issues if row.not_scored is not None]
    silent = [r for r in report.issues if r.documented and r.documented.evidence == "silence"]
    scored = sum(bool(row.right) for row in report.issues)
    return (
        SCORES.format(smoothing=report.smoothing),
        DIFFERENCES,
        RIGHT,
        f"Reference negotiator: {report.reference}.",
        f"Scored: {scored} of {len(report.issues)} issues. Not scored: "
        + ("; ".join(f"{row.issue} ({row.not_scored})" for row in unscored) or "none")
        + ".",
        f"* marks {len(silent)} outcomes whose evidence is silence; --without-silence leaves them "
        "out.",
        "What could not be scored in a run (not reached, no answer to be had) is counted as "
        "unscored, never as `none`.",
        f"{MEANS} {DOES_NOT_MEAN}",
    )


def to_markdown(report: Report) -> str:
    """The whole report as Markdown."""
    return "\n".join(_markdown(report)) + "\n"


def _markdown(report: Report) -> Iterator[str]:
    yield f"## Back-test: {_cell(report.title)}\n"
    yield f"{report.notice}\n"
    yield from (f"- {_cell(said)}" for said in verdicts(report))
    yield "\n### Scores\n"
    yield from _grid(SCORE_COLUMNS, score_cells(report))
    yield "\n### Differences of the Brier score\n"
    yield from _grid(difference_columns(), difference_cells(report))
    yield "\n### By issue\n"
    yield from _grid(issue_columns(report), issue_cells(report))
    yield "\n### Other readings of the same history (Brier)\n"
    yield from _grid(varied_columns(report), varied_cells(report))
    yield ""
    yield from (f"- {_cell(note)}" for note in notes(report))


SCORE_COLUMNS = (
    "system", "runs", "issues", "Brier", "log score", "right", "right reason", "unscored",
)  # fmt: skip


def score_cells(report: Report) -> Iterator[tuple[str, ...]]:
    """The headline table: systems, then base rates."""
    for row in report.systems:
        yield (
            row.system.label, runs(row), str(row.issues), number(row.brier), number(row.log),
            f"{row.right}/{row.issues}", reasons(row), share_unscored(row),
        )  # fmt: skip
    for base in shown_bases(report):
        yield (
            f"base rate: {base.words}", "-", str(base.issues), number(base.brier),
            number(base.log), f"{base.right}/{base.issues}", "-", "-",
        )  # fmt: skip


def shown_bases(report: Report) -> tuple[BaseRow, ...]:
    """The base rates that are not among the systems anyway."""
    there = any(row.system.reference for row in report.systems)
    return tuple(base for base in report.bases if not (there and base.base == "reference"))


def difference_cells(report: Report) -> Iterator[tuple[str, ...]]:
    """Each system against each base rate."""
    for row in report.systems:
        yield (row.system.label, *(against(row, base) for base in BASES))


def issue_columns(report: Report) -> tuple[str, ...]:
    """Heads of the table by issue."""
    heads = (head for row in report.systems for head in (row.system.label, "its runs"))
    return ("issue", "happened", *heads)


def issue_cells(report: Report) -> Iterator[tuple[str, ...]]:
    """What happened, and for each system its verdict and what its runs came to."""
    for row in report.issues:
        cells = [
            cell
            for result in row.systems
            for cell in (verdict(row, result), spread(result))
        ]  # fmt: skip
        yield (row.heading, happened(row), *cells)


def verdict(row: IssueRow, result: IssueResult) -> str:
    """Right or wrong, and in how many runs."""
    if row.not_scored is not None or result.brier is None:
        return VERDICTS["unscored"]
    return f"{VERDICTS[result.verdict]} {hit(result)}"


def label(report: Report, result: IssueResult) -> str:
    """What the system of a result is called."""
    return next(r.system.label for r in report.systems if r.system.id == result.system)


def difference_columns() -> tuple[str, ...]:
    """Heads of the table of differences."""
    return ("system", *BASES.values())


def varied_columns(report: Report) -> tuple[str, ...]:
    """Heads of the table of readings."""
    labels = [row.system.label for row in report.systems]
    differs = [f"{label} less nothing agreed" for label in labels]
    return ("reading", "issues", *labels, *(b.words for b in shown_bases(report)), *differs)


def varied_cells(report: Report) -> Iterator[tuple[str, ...]]:
    """The mean Brier scores under each reading of history."""
    for each in report.varied:
        bases = {base.base: base.brier for base in each.bases}
        yield (
            each.words,
            str(each.issues),
            *(number(row.brier) for row in each.systems),
            *(number(bases.get(base.base)) for base in shown_bases(report)),
            *(against(row, "nothing") for row in each.systems),
        )


def _grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(map(_cell, heads)) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(map(_cell, row)) + " |"


def _cell(text: str) -> str:
    return " ".join(clean(text).split()).replace("|", "\\|").replace("<", "&lt;")
