"""From debates and their scores to observations: one metric in one debate, or why there is none.

Three things are told apart. A value. Nothing to count, such as votes in line where nobody voted:
no value, and none is missing. And a value that is missing, because what should have been scored
could not be, or the debate broke off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Literal, NamedTuple, TypeAlias

from evals import scores, subject
from evals.comparison.debates import Debate
from evals.comparison.missing import Scored
from evals.comparison.shapes import Observation
from evals.evaluator import Evaluator, Failure, Judged, Result, Score, evaluate
from evals.registry import BUILT_IN
from harness.errors import TranscriptError
from harness.experiment.shapes import Metric
from harness.transcript import Transcript, fingerprint

Scoring: TypeAlias = Callable[[Path, Transcript], Sequence[Result]]
"""What gives the results for a transcript: those beside it where they still hold, else new ones."""

Kind = Literal["value", "empty", "missing", "unheld"]
"""unheld: the debate is not finished, so nothing is known either way."""

BROKE_OFF = "the debate broke off twice"
"""How the reason begins where a debate was given up."""

NOT_GIVEN = "no evaluator gave this metric"
"""The reason where the scores of a debate know nothing of a metric."""

_PARTY = re.compile(r"party:[^/]+")


class Seen(NamedTuple):
    """An observation with what rows need beside it."""

    observation: Observation
    kind: Kind
    judge: Judged | None = None
    greyed: str = ""
    share: bool = False
    """Whether the value is a share of cases, so from 0 to 1."""


def by_code(path: Path, transcript: Transcript) -> tuple[Result, ...]:
    """The results beside a transcript; those of code are made where they are missing or stale.

    What judges said of the transcript as it stands is kept.

    Raises:
        TranscriptError: the file of scores is of a newer format.
    """
    return with_code(path, transcript, BUILT_IN)


def with_code(
    path: Path, transcript: Transcript, evaluators: Sequence[Evaluator]
) -> tuple[Result, ...]:
    """The same for evaluators of one's own choice."""
    kept = _kept(path)
    versions = {each.name: each.version for each in evaluators}
    if kept is not None and versions.items() <= kept.header.evaluators.items():
        return kept.results
    made = evaluate(transcript, evaluators)
    others = [r for r in kept.results if r.evaluator not in versions] if kept is not None else []
    known = [_Named(n, v) for n, v in (kept.header.evaluators if kept else {}).items()]
    others_there = [each for each in known if each.name not in versions]
    scores.write(path, [*evaluators, *others_there], [*made, *others])
    return (*made, *others)


def still_holding(
    path: Path, versions: Mapping[str, int], judges: Sequence[str]
) -> tuple[Result, ...] | None:
    """The results beside a transcript, if evaluators and judges are all there; else None.

    Args:
        path: The transcript.
        versions: Evaluators asked for, with their versions.
        judges: Judges of whom there has to be a result.
    """
    kept = _kept(path)
    if kept is None or not versions.items() <= kept.header.evaluators.items():
        return None
    spoke = {r.judge.judge for r in kept.results if isinstance(r, Score) and r.judge is not None}
    return kept.results if spoke.issuperset(judges) else None


class _Named(NamedTuple):
    """An evaluator whose results are kept: its name and version are all that is needed."""

    name: str
    version: int

    def __call__(self, transcript: Transcript) -> Iterable[Result]:
        """Nothing new."""
        return ()


def _kept(path: Path) -> scores.ScoreFile | None:
    """The scores beside a transcript, if there are any and it has not changed since.

    A file that cannot be read is one that is made again: it is derived.
    """
    beside = scores.scores_path(path)
    if not beside.is_file():
        return None
    try:
        found = scores.read(beside)
    except TranscriptError:
        return None
    return None if found.header.transcript_sha != fingerprint(path) else found


def observed(
    debate: Debate, metric: Metric, results: Iterable[Result], judges: Sequence[str] = ()
) -> Seen:
    """One metric in one finished debate.

    Of several judges the one that was declared first speaks.
    """
    evaluator, _, name = metric.metric.partition("/")
    of_it = [r for r in results if r.evaluator == evaluator and r.metric in (name, "*")]
    about = _subjects(metric.of, debate.treated, of_it)
    lost = [r for r in of_it if isinstance(r, Failure) and (r.metric == "*" or r.subject in about)]
    own = [r for r in of_it if isinstance(r, Score) and r.subject in about]
    return _seen(debate, metric, _of_one_judge(own, judges), lost)


def not_held(debate: Debate, metric: Metric) -> Seen:
    """The observation that a debate which is not finished does not give."""
    why = {
        "failed": f"{BROKE_OFF}: {debate.why}",
        "unfinished": "the debate is not finished",
    }.get(debate.state, "the debate has not been held")
    failed = debate.state == "failed"
    return Seen(
        _observation(debate, metric, None, unscored=int(failed), why=why),
        "missing" if failed else "unheld",
    )


def _subjects(of: str, treated: Sequence[str], results: Iterable[Result]) -> set[str]:
    """What the scores have to be about."""
    if of == subject.DEBATE:
        return {subject.DEBATE}
    if of == "treated":
        return {subject.party(party) for party in treated}
    if of == "parties":
        return {r.subject for r in results if _PARTY.fullmatch(r.subject)}
    return {subject.party(of)}


def _of_one_judge(own: list[Score], judges: Sequence[str]) -> list[Score]:
    there = {score.judge.judge for score in own if score.judge is not None}
    if len(there) < 2:
        return own
    chosen = next((name for name in judges if name in there), min(there))
    return [score for score in own if score.judge is None or score.judge.judge == chosen]


def _seen(debate: Debate, metric: Metric, own: Sequence[Score], lost: Sequence[Failure]) -> Seen:
    values = [float(score.value) for score in own if score.value is not None]
    cases = sum(score.n for score in own)
    unscored = sum(score.unscored for score in own) + len(lost)
    why = ""
    if not values:
        reasons = [*(f.why for f in lost), *(s.reason for s in own)]
        why = reasons[0] if reasons else NOT_GIVEN
        unscored = unscored if own else max(1, unscored)
    empty = bool(own) and not unscored
    return Seen(
        _observation(
            debate, metric, fmean(values) if values else None, n=cases, unscored=unscored, why=why
        ),
        "value" if values else "empty" if empty else "missing",
        judge=next((score.judge for score in own if score.judge is not None), None),
        greyed=next((score.greyed for score in own if score.greyed), ""),
        share=any(score.hits is not None for score in own),
    )


def _observation(
    debate: Debate,
    metric: Metric,
    value: float | None,
    *,
    n: int = 0,
    unscored: int = 0,
    why: str = "",
) -> Observation:
    return Observation(
        arm=debate.arm, variation=debate.variation, scenario=debate.scenario, seed=debate.seed,
        metric=metric.metric, of=metric.of, value=value, n=n, unscored=unscored, why=why,
        debate=debate.path.stem,
    )  # fmt: skip


def scored(seen: Iterable[Seen]) -> Scored:
    """Values and what is missing of them, by scenario and seed, of the debates of one arm.

    Debates that had nothing to count, and those not held yet, are in neither.
    """
    values: dict[str, dict[int, float]] = {}
    missing: dict[str, dict[int, float]] = {}
    for each in seen:
        found = each.observation
        if found.value is not None:
            values.setdefault(found.scenario, {})[found.seed] = found.value
        if each.kind == "missing":
            missing.setdefault(found.scenario, {})[found.seed] = 1.0
        elif each.kind == "value" and found.unscored:
            share = found.unscored / (found.n + found.unscored)
            missing.setdefault(found.scenario, {})[found.seed] = share
    return Scored(values, missing)


def unscored_share(arm: Scored) -> float:
    """The share that is missing, averaged as the mean is: over seeds, then over scenarios."""
    names = {*arm.values, *arm.unscored}
    return fmean(_missing(arm, name) for name in names) if names else 0.0


def _missing(arm: Scored, scenario: str) -> float:
    lost = arm.unscored.get(scenario, {})
    return fmean(lost.get(seed, 0.0) for seed in {*arm.values.get(scenario, {}), *lost})
