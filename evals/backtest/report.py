"""The back-test itself: simulated outcomes of several systems against what happened.

Everything is computed from runs and history under one reading; other readings are computed the same
way and shown beside it. Nothing here reads files or prints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from evals.backtest import scoring
from evals.backtest.history import NONE, History, NotScored, Reading, Target, categories, target
from evals.backtest.inference import paired
from evals.backtest.scoring import Shares
from evals.backtest.shapes import (
    BASES,
    Against,
    Base,
    BaseRow,
    IssueResult,
    IssueRow,
    Report,
    Share,
    SystemRow,
    Varied,
    Verdict,
)
from evals.backtest.simulated import Run, Simulated, System
from evals.intervals import wilson
from harness.setting import Issue, Setting

_DISTRIBUTIONS: Mapping[Base, Callable[[Sequence[str]], Shares]] = {
    "nothing": scoring.nothing_agreed,
    "everything": scoring.everything_agreed,
    "anything": scoring.anything,
}

VARIANTS = (
    Reading(),
    Reading(partial="none"),
    Reading(partial="out"),
    Reading(silence="out"),
    Reading(silence="either"),
    Reading(repeats=True),
)
"""The readings that are shown beside each other."""


class _Scored(NamedTuple):
    """A score on one issue."""

    brier: float
    log: float
    right: bool


class _Assessed(NamedTuple):
    """Everything under one reading."""

    issues: tuple[IssueRow, ...]
    systems: tuple[SystemRow, ...]
    bases: tuple[BaseRow, ...]


def backtest(
    setting: Setting,
    history: History,
    runs: Sequence[Run],
    reference: Sequence[Run],
    reading: Reading,
    source: str,
) -> Report:
    """Score every system among the runs against history and the base rates.

    Args:
        setting: what was debated, whole.
        history: what happened.
        runs: the debates, labels told apart.
        reference: debates of the reference negotiator on the same issues; may be empty.
        reading: how history is read for the headline.
        source: where the reference debates come from, in words.
    """
    main = _assess(setting, history, runs, reference, reading)
    varied = []
    for each in dict.fromkeys((reading, *VARIANTS)):
        made = main if each == reading else _assess(setting, history, runs, reference, each)
        scored = sum(bool(row.right) for row in made.issues)
        varied.append(
            Varied(reading=each, words=each.words, issues=scored, systems=made.systems,
                   bases=made.bases)
        )  # fmt: skip
    return Report(
        setting=setting.id,
        title=setting.title,
        reading=reading,
        smoothing=f"{scoring.PRIOR:g} added to the count of every outcome (log score only)",
        reference=source,
        systems=main.systems,
        bases=main.bases,
        issues=main.issues,
        varied=tuple(varied),
    )


def _assess(
    setting: Setting,
    history: History,
    runs: Sequence[Run],
    reference: Sequence[Run],
    reading: Reading,
) -> _Assessed:
    systems = tuple({run.system.id: run.system for run in runs}.values())
    of = {system.id: [run for run in runs if run.system.id == system.id] for system in systems}
    issues = [(item.id, issue) for item in setting.items for issue in item.issues]
    targets = {issue.id: target(history, issue.id, reading) for _, issue in issues}
    rows = tuple(_row(item, issue, history, targets[issue.id], of) for item, issue in issues)
    most = max((len(each) for each in of.values()), default=1)
    bases = {
        base: {
            issue.id: scored
            for _, issue in issues
            if (scored := _base_score(base, issue, targets[issue.id], reference, most))
        }
        for base in BASES
    }
    return _Assessed(
        rows,
        tuple(_system_row(s, of[s.id], rows, targets, bases) for s in systems),
        tuple(_base_row(base, scores) for base, scores in bases.items() if scores),
    )


def _row(
    item: str,
    issue: Issue,
    history: History,
    goal: Target | NotScored,
    of: Mapping[str, Sequence[Run]],
) -> IssueRow:
    labels = {option.id: option.label for option in issue.options} | {NONE: "nothing agreed"}
    return IssueRow(
        item=item,
        issue=issue.id,
        heading=issue.heading,
        options=tuple((outcome, labels[outcome]) for outcome in categories(issue)),
        documented=history.at_summit(issue.id),
        right=goal.right if isinstance(goal, Target) else (),
        not_scored=goal.why if isinstance(goal, NotScored) else None,
        systems=tuple(_issue_result(s, issue, goal, each, labels) for s, each in of.items()),
        later=history.later(issue.id),
    )


def _outcomes(runs: Iterable[Run], issue: str) -> list[Simulated]:
    found = (run.issues.get(issue) for run in runs)
    return [each for each in found if isinstance(each, Simulated)]


def _issue_result(
    system: str,
    issue: Issue,
    goal: Target | NotScored,
    runs: Sequence[Run],
    labels: Mapping[str, str],
) -> IssueResult:
    every, outcomes = categories(issue), _outcomes(runs, issue.id)
    names = [each.outcome for each in outcomes]
    shares = scoring.counted(names, every) if names else {}
    scored = _score(shares, goal, len(names)) if names else None
    same = _same_holders(outcomes, goal) if isinstance(goal, Target) else None
    right = sum(name in goal.right for name in names) if isinstance(goal, Target) else 0
    return IssueResult(
        system=system,
        n=len(names),
        unscored=len(runs) - len(names),
        why=_reasons(runs, issue.id),
        shares=tuple(_share(outcome, labels, names) for outcome in every if names),
        brier=scored.brier if scored else None,
        log=scored.log if scored else None,
        right=right,
        same_holders=same,
        verdict=_verdict(goal, len(names), right, same),
    )


def _reasons(runs: Iterable[Run], issue: str) -> tuple[str, ...]:
    missing = NotScored("it was not on the agenda")
    found = (run.issues.get(issue, missing) for run in runs)
    counts = Counter(each.why for each in found if isinstance(each, NotScored))
    return tuple(
        f"{count} runs: {why}" if count > 1 else f"1 run: {why}"
        for why, count in counts.most_common()
    )


def _share(outcome: str, labels: Mapping[str, str], names: Sequence[str]) -> Share:
    count = names.count(outcome)
    low, high = wilson(count, len(names))
    return Share(
        outcome=outcome, label=labels[outcome], count=count, share=count / len(names), low=low,
        high=high,
    )  # fmt: skip


def _same_holders(outcomes: Sequence[Simulated], goal: Target) -> int | None:
    """Runs without agreement in which each documented bracket is held by exactly those parties."""
    if not goal.brackets or goal.agreed:
        return None
    return sum(
        each.outcome == NONE
        and all(
            any(b.option == was.option and set(b.holders) == set(was.holders)
                for b in each.brackets)
            for was in goal.brackets
        )
        for each in outcomes
    )  # fmt: skip


def _verdict(goal: Target | NotScored, n: int, right: int, same: int | None) -> Verdict:
    if isinstance(goal, NotScored) or not n:
        return "unscored"
    if 2 * right <= n:
        return "wrong"
    if goal.agreed:
        return "same_reason"
    if same is None:
        return "right"
    return "same_reason" if 2 * same > n else "other_reason"


def _score(shares: Shares, goal: Target | NotScored, n: int) -> _Scored | None:
    if isinstance(goal, NotScored):
        return None
    return _Scored(
        scoring.brier(shares, goal.right),
        scoring.log_score(scoring.smoothed(shares, n, goal.right), goal.right),
        sum(shares.get(outcome, 0.0) for outcome in goal.right) > 0.5,
    )


def _base_score(
    base: Base, issue: Issue, goal: Target | NotScored, reference: Sequence[Run], most: int
) -> _Scored | None:
    """A base rate's score; smoothed as if it had been observed in as many runs as the systems."""
    every = categories(issue)
    if base != "reference":
        return _score(_DISTRIBUTIONS[base](every), goal, most)
    names = [each.outcome for each in _outcomes(reference, issue.id)]
    return _score(scoring.counted(names, every), goal, most) if names else None


def _base_row(base: Base, scores: Mapping[str, _Scored]) -> BaseRow:
    return BaseRow(
        base=base,
        words=BASES[base],
        issues=len(scores),
        brier=fmean(s.brier for s in scores.values()),
        log=fmean(s.log for s in scores.values()),
        right=sum(s.right for s in scores.values()),
    )


def _system_row(
    system: System,
    runs: Sequence[Run],
    rows: Sequence[IssueRow],
    targets: Mapping[str, Target | NotScored],
    bases: Mapping[Base, Mapping[str, _Scored]],
) -> SystemRow:
    goals = {issue: goal for issue, goal in targets.items() if isinstance(goal, Target)}
    own = {row.issue: _of(row, system) for row in rows if row.issue in goals}
    scored = {issue: result for issue, result in own.items() if result.brier is not None}
    briers = {i: r.brier for i, r in scored.items() if r.brier is not None}
    logs = [r.log for r in scored.values() if r.log is not None]
    return SystemRow(
        system=system,
        runs=len(runs),
        unfinished=sum(not run.finished for run in runs),
        distinct=len({tuple(_name(run, issue) for issue in goals) for run in runs}),
        issues=len(scored),
        brier=fmean(briers.values()) if briers else None,
        log=fmean(logs) if logs else None,
        right=sum(r.verdict in ("same_reason", "other_reason", "right") for r in scored.values()),
        same_reason=sum(r.verdict == "same_reason" for r in scored.values()),
        reasons=sum(goals[issue].agreed or bool(goals[issue].brackets) for issue in scored),
        cells=len(runs) * len(own),
        unscored=sum(result.unscored for result in own.values()),
        against=_against(system, briers, bases),
    )


def _of(row: IssueRow, system: System) -> IssueResult:
    return next(result for result in row.systems if result.system == system.id)


def _name(run: Run, issue: str) -> str | None:
    found = run.issues.get(issue)
    return found.outcome if isinstance(found, Simulated) else None


def _against(
    system: System, briers: Mapping[str, float], bases: Mapping[Base, Mapping[str, _Scored]]
) -> tuple[Against, ...]:
    return tuple(
        Against(
            base=base,
            paired=paired([briers[i] - s.brier for i, s in scores.items() if i in briers]),
        )
        for base, scores in bases.items()
        if scores and not (base == "reference" and system.reference)
    )
