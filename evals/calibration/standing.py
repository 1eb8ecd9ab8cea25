"""What calibrations do to scores: kappa, and corrected shares beside the raw ones.

A calibration holds for a model, a rubric and a wording: change one, and scores are uncalibrated
again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from evals import subject
from evals.calibration.calibrating import Calibration
from evals.calibration.correction import Tally, correct
from evals.evaluator import Correction, Interval, Result, Score
from evals.judging.shapes import Judgements
from evals.labels import LABELS

CORRECTABLE = tuple(label for label in LABELS if label != "no_claim")
"""Labels whose shares are corrected; what is no claim was taken out before."""

MOST_EMPTY = 0.9
"""The most claims that can be taken for none at all before a share among the rest means nothing."""

HOW = (
    "label shift: the judge's shares unmixed by its confusion matrix on the gold, over those that "
    "are claims; it holds if claims of a label are as hard in the transcript as in the gold. Ends "
    "outside [0, 1] are cut off"
)


def calibrated(
    results: Sequence[Result], judgements: Judgements, calibrations: Sequence[Calibration]
) -> tuple[Result, ...]:
    """The results, with kappa and corrected shares where the judge was measured.

    Corrected are the shares of supported, partial, contradicted and unsupported claims of the
    consistency dimension, over a party, a party on an item, and the debate.
    """
    return tuple(_with(result, judgements, calibrations) for result in results)


def _with(result: Result, judgements: Judgements, calibrations: Sequence[Calibration]) -> Result:
    if not isinstance(result, Score) or result.judge is None:
        return result
    found = next((c for c in calibrations if c.holds_for(result.judge)), None)
    if found is None:
        return result
    judged = result.judge.model_copy(
        update={
            "gold": found.gold,
            "gold_sha": found.gold_sha,
            "kappa": found.measures.kappa.value,
        }
    )
    corrected = _corrected(result, judgements, found)
    return result.model_copy(update={"judge": judged, "corrected": corrected})


def _corrected(score: Score, judgements: Judgements, calibration: Calibration) -> Correction | None:
    """The share among check-worthy claims: of all claims judged, over those that are claims."""
    if score.judge is None or score.metric not in CORRECTABLE or score.value is None:
        return None
    table = calibration.measures.confusion
    said = Counter(_said(score, judgements, calibration.rubric))
    tally = Tally(counts={label: said[label] for label in LABELS}, unscored=score.unscored)
    best = correct(score.metric, tally, table, design="balanced").best
    empty = correct("no_claim", tally, table, design="balanced").best.value or 0.0
    claims = 1 - min(MOST_EMPTY, max(0.0, empty))

    def among_claims(share: float) -> float:
        return min(1.0, max(0.0, share / claims))

    interval = None
    if best.low is not None and best.high is not None:
        ends = among_claims(best.low), among_claims(best.high)
        interval = Interval(low=ends[0], high=ends[1], method="fieller")
    value = None if best.value is None else among_claims(best.value)
    return Correction(value=value, interval=interval, gold=table.n, how=HOW, why=best.why)


def _said(score: Score, judgements: Judgements, rubric: str) -> Iterator[str]:
    """The judge's labels on the claims the score is about."""
    assert score.judge is not None
    for verdict in judgements.of(rubric, score.judge.judge):
        about = {subject.DEBATE, subject.party(verdict.party or "")}
        if verdict.party and verdict.item:
            about.add(subject.party_item(verdict.party, verdict.item))
        if verdict.label in LABELS and score.subject in about:
            yield verdict.label
