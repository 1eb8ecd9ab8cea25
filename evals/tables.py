"""The two headline tables, as rows of values: AGREEMENT by issue and CONSISTENCY by party.

Rows hold numbers and scores, not text, so that the terminal, the page and the export can each
set them as they like; `to_markdown` is the plainest way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from evals import subject
from evals.baselines import Baselines, baselines
from evals.evaluator import Evaluator, Failure, Result, evaluate
from evals.record import decisions
from evals.registry import BUILT_IN
from harness.events import NOTICE, Decided, Reservation
from harness.mechanism import Paragraph, joint_text
from harness.transcript import Transcript


@dataclass(frozen=True)
class Held:
    """A bracketed text and who holds it."""

    option: str
    """Id of the option within its issue."""
    label: str
    holders: tuple[str, ...]


@dataclass(frozen=True)
class AgreementRow:
    """One issue: what became of it, and what could have."""

    item: str
    issue: str
    title: str
    outcome: Literal["adopted", "bracketed", "lapsed", "open", "undecided"]
    option: str | None
    """The text adopted or voted on, by id."""
    label: str | None
    accepted_by: tuple[str, ...]
    reservations: tuple[Reservation, ...]
    rejected_by: tuple[str, ...]
    missing: tuple[str, ...]
    """Parties whose answer could not be had."""
    brackets: tuple[Held, ...]
    why: str
    seq: int | None
    """Number of the event that decided it."""
    zopa: tuple[str, ...]
    """Options, as `issue/option`, that every party's mandate could live with."""
    best: str | None
    """Its option in the best joint outcome that crosses nobody's red line, if it has one."""
    random: float
    """Chance that an option drawn at random is acceptable to all."""


@dataclass(frozen=True)
class ConsistencyRow:
    """One party: each metric as a score or as a failure to make one; None if nobody tried."""

    party: str
    name: str
    in_line: Result | None
    """Formal answers on the side its mandate asks for."""
    always_accept: Result | None
    """The same if it had accepted everything."""
    majority: Result | None
    """The same if it had followed the majority of the others."""
    crossed: Result | None
    """Red lines let pass, of those put to a decision."""
    crossed_soft: Result | None
    """Red-line texts endorsed on the floor, of those offered."""
    gap: Result | None
    """Mean gap between declared stance and vote."""
    citations: Result | None
    """Valid citations of all."""
    coverage: Result | None
    """Core positions cited at least once."""
    satisfaction: Result | None
    """Firmness points attained of those attainable."""
    given: Result | None
    """Points given up."""
    received: Result | None
    """Points gained by the steps of others."""
    failed: Result | None
    """Turns without an answer."""


@dataclass(frozen=True)
class Tables:
    """Both tables of one debate and what they stand beside."""

    debate: str
    finished: bool
    agreement: tuple[AgreementRow, ...]
    consistency: tuple[ConsistencyRow, ...]
    agreement_rate: Result | None
    baselines: Baselines
    failures: tuple[Failure, ...] = field(default=())
    """Everything that could not be scored."""
    notice: str = NOTICE


_COLUMNS: Mapping[str, tuple[str, str]] = {
    "in_line": ("concordance", "in_line"),
    "always_accept": ("concordance", "in_line_always_accept"),
    "majority": ("concordance", "in_line_majority"),
    "crossed": ("red_lines", "crossed_hard"),
    "crossed_soft": ("red_lines", "crossed_soft"),
    "gap": ("say_do", "gap"),
    "citations": ("citations", "valid"),
    "coverage": ("citations", "coverage"),
    "satisfaction": ("satisfaction", "satisfaction"),
    "given": ("concessions", "given"),
    "received": ("concessions", "received"),
    "failed": ("procedure", "failed_turns"),
}
"""Column -> evaluator and metric."""


def tables(
    transcript: Transcript,
    results: Iterable[Result] | None = None,
    evaluators: Iterable[Evaluator] = BUILT_IN,
) -> Tables:
    """Both tables, from results already made or from the evaluators."""
    found = tuple(evaluate(transcript, evaluators) if results is None else results)
    index = {(r.evaluator, r.metric, r.subject): r for r in found}
    broken = {r.evaluator: r for r in found if isinstance(r, Failure) and r.metric == "*"}

    def cell(evaluator: str, metric: str, about: str) -> Result | None:
        return index.get((evaluator, metric, about), broken.get(evaluator))

    held = baselines(transcript)
    return Tables(
        transcript.header.debate,
        transcript.finished,
        agreement_rows(transcript, held),
        tuple(
            ConsistencyRow(
                party.id,
                party.name,
                **{name: cell(*where, subject.party(party.id)) for name, where in _COLUMNS.items()},
            )
            for party in transcript.setting.parties
        ),
        cell("agreement", "agreement_rate", subject.DEBATE),
        held,
        tuple(r for r in found if isinstance(r, Failure)),
    )


def agreement_rows(transcript: Transcript, held: Baselines) -> tuple[AgreementRow, ...]:
    """One row per issue, in the order of the agenda."""
    decided = decisions(transcript)
    return tuple(
        _agreement_row(transcript, held, paragraph, decided.get(paragraph.issue))
        for paragraph in joint_text(transcript.state, transcript.setting)
    )


def _agreement_row(
    transcript: Transcript, held: Baselines, paragraph: Paragraph, decision: Decided | None
) -> AgreementRow:
    issue = transcript.setting.issue(paragraph.issue)
    lapsed = transcript.state.issues[issue.id].lapsed
    option = decision.option if decision else None
    return AgreementRow(
        item=paragraph.item,
        issue=issue.id,
        title=issue.title,
        outcome="lapsed" if lapsed else paragraph.status,
        option=option,
        label=issue.option(option).label if option else None,
        accepted_by=decision.accept if decision else (),
        reservations=decision.reserve if decision else (),
        rejected_by=decision.reject if decision else (),
        missing=decision.missing if decision else (),
        brackets=tuple(
            Held(key, issue.option(key).label, holders) for key, _, holders in paragraph.brackets
        ),
        why=paragraph.why,
        seq=decision.seq if decision else None,
        zopa=held.zopa[issue.id].acceptable,
        best=held.best.options[issue.id],
        random=held.zopa[issue.id].random,
    )


def to_markdown(made: Tables) -> str:
    """Both tables as Markdown, with the notice that the words are simulated."""
    parts = [f"# {_safe(made.debate)}", "", f"> {made.notice}", ""]
    if not made.finished:
        parts += ["The record ends before the talks were closed.", ""]
    parts += ["## Agreement", "", f"Issues adopted: {show(made.agreement_rate)}.", ""]
    parts += _grid(
        ("issue", "outcome", "text", "for", "reserving", "against", "no answer", "brackets",
         "why", "event", "acceptable to all", "best joint", "random"),
        (_agreement_cells(row) for row in made.agreement),
    )  # fmt: skip
    parts += ["", *_beside(made.baselines), "", "## Consistency", ""]
    parts += _grid(
        ("party", "in line", "always-accept", "majority", "red lines crossed", "on the floor",
         "say-do gap", "citations valid", "core positions cited", "satisfaction", "given",
         "received", "failed turns"),
        ((row.name, *(show(getattr(row, name)) for name in _COLUMNS)) for row in made.consistency),
    )  # fmt: skip
    if made.failures:
        parts += ["", "## Could not be scored", ""]
        parts += [f"- {_safe(f'{f.evaluator}, {f.subject}: {f.why}')}" for f in made.failures]
    return "\n".join(parts) + "\n"


def show(result: Result | None) -> str:
    """A result in a few characters: value, count, interval, and what could not be scored."""
    if result is None:
        return "not scored"
    if isinstance(result, Failure):
        return "failed"
    lost = f", {result.unscored} unscored" if result.unscored else ""
    if result.value is None:
        return f"none ({result.n}{lost})" if lost else "none"
    if result.hits is not None:
        text = f"{result.hits}/{result.n}"
        if result.interval is not None:
            text += f" [{result.interval.low:.2f}, {result.interval.high:.2f}]"
        return text + lost
    value = f"{result.value:.2f}" if isinstance(result.value, float) else str(result.value)
    return f"{value} (n={result.n}{lost})"


def _agreement_cells(row: AgreementRow) -> tuple[str, ...]:
    return (
        row.title,
        row.outcome,
        f"{row.option}: {row.label}" if row.option else "",
        ", ".join(row.accepted_by),
        ", ".join(f"{r.party} ({r.because})" if r.because else r.party for r in row.reservations),
        ", ".join(row.rejected_by),
        ", ".join(row.missing),
        "; ".join(f"[{b.option}: {b.label}] {', '.join(b.holders)}" for b in row.brackets),
        row.why,
        "" if row.seq is None else str(row.seq),
        ", ".join(_option(key) for key in row.zopa) or "none",
        _option(row.best) if row.best else "none",
        f"{row.random:.2f}",
    )


def _beside(held: Baselines) -> list[str]:
    issues = len(held.zopa)
    if held.random.agreement is None:
        return ["No issue was on the agenda, so there is nothing to stand beside."]
    return [
        f"Beside it: a random deal is acceptable to all on {held.random.agreement:.0%} of the "
        f"issues in expectation; if every tabled text were accepted, {held.always_accept.adopted} "
        f"of {issues} issues would be adopted; the best joint outcome that crosses nobody's red "
        f"line settles {held.best.adopted} of {issues}."
    ]


def _option(key: str) -> str:
    return key.partition("/")[2]


def _grid(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(head)
    lines = [names, ["---"] * len(names), *(list(row) for row in rows)]
    return ["| " + " | ".join(_safe(cell) for cell in line) + " |" for line in lines]


def _safe(text: str) -> str:
    """Text that cannot break out of a table cell or start a tag or link."""
    flat = " ".join(text.split())
    for character in "\\|`<[*_":
        flat = flat.replace(character, "\\" + character)
    return flat
