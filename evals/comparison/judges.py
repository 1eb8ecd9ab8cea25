"""What is known of the judge behind a row: its calibration, its battery, and its errors."""

from __future__ import annotations

from collections.abc import Sequence

from evals.calibration.calibrating import CALIBRATIONS, Calibration
from evals.comparison.judge_error import AMONG, JudgeError, judge_error
from evals.comparison.observations import Seen
from evals.evaluator import Judged
from harness.experiment.shapes import Metric

CONSISTENCY = "consistency"
"""The evaluator whose shares of labels can be corrected."""


def known(seen: Sequence[Seen], metric: Metric) -> tuple[Judged | None, str]:
    """The judge of some observations with its calibration, and the checks of the battery it failed.

    Both are looked up as they are now: a judge may have been calibrated after it judged.
    """
    from evals.validity.battery import CARDS

    judge = _judge(seen)
    if judge is None:
        return None, ""
    if (found := _calibration(judge)) is not None:
        kappa = found.measures.kappa.value
        measured = {"gold": found.gold, "gold_sha": found.gold_sha, "kappa": kappa}
        judge = judge.model_copy(update=measured)
    card = next((card for card in CARDS.known() if card.holds_for(judge)), None)
    failed = card.against(metric.metric.partition("/")[2]) if card is not None else ()
    return judge, ", ".join(failed)


def error_of(seen: Sequence[Seen], metric: Metric) -> JudgeError | None:
    """The judge's measured errors, for shares of a label; None where nothing is known of them."""
    evaluator, _, label = metric.metric.partition("/")
    judge = _judge(seen)
    if judge is None or evaluator != CONSISTENCY or label not in AMONG:
        return None
    found = _calibration(judge)
    return None if found is None else judge_error(found, label)


def _judge(seen: Sequence[Seen]) -> Judged | None:
    return next((each.judge for each in seen if each.judge is not None), None)


def _calibration(judge: Judged) -> Calibration | None:
    return next((c for c in CALIBRATIONS.known() if c.holds_for(judge)), None)
