"""What a judge's measured errors make of a difference between two arms.

A judge that finds a share `sensitivity` of the claims with a label, and takes a share
1 - specificity of the others for it, reports q = pi·sensitivity + (1 - pi)(1 - specificity) where
the true share is pi. If it errs alike in both arms, the difference of two reports is

    q_B - q_A = J (pi_B - pi_A),    J = sensitivity + specificity - 1  (Youden's index),

so false alarms cancel and the true difference is the observed one over J. W. J. Youden, Cancer 3
(1950), 32-35; W. J. Rogan and B. Gladen, American Journal of Epidemiology 107 (1978), 71-76. A
difference of 0 stays 0: whether there is one can be tested on what the judge said, and J only says
how large it is.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

from evals.evaluator import Value
from evals.labels import LABELS

if TYPE_CHECKING:
    from evals.calibration.calibrating import Calibration
    from evals.calibration.measures import Confusion

APART = 3.0
"""Standard errors by which J must be above 0 for a corrected difference: below, the judge may as
well be blind and the quotient be anything. The same bar as for a corrected share
(calibration/correction.py)."""

LEAST_GOLD = 15
"""Fewest labelled claims with the label, and fewest without it."""

ASSUMES = (
    "the judge errs alike in both arms and as it does on the gold, and takes every other label for "
    "this one equally often or in the gold's mix; a judge kinder to one arm's wording breaks this, "
    "and nothing in the numbers shows it"
)
"""What a corrected difference rests on."""

AMONG = tuple(label for label in LABELS if label != "no_claim")
"""The labels whose shares can be corrected: shares among what the judge takes for claims."""


class JudgeError(Value):
    """How much of a true difference a judge lets through."""

    youden: float
    """J, in [-1, 1]: 1 never errs, 0 is blind."""
    variance: float
    """Of J, from the number of labelled claims."""
    label: str = ""
    gold: str = ""
    """Name of the labelled set."""
    scarce: str = ""
    """Why J is not known, where the gold is too small to say."""

    @property
    def against(self) -> str:
        """Why there is no corrected difference; empty where there is one."""
        if self.scarce:
            return self.scarce
        if self.youden > APART * sqrt(self.variance):
            return ""
        return (
            f"the gold does not show that the judge tells {self.label or 'the label'} from the "
            f"rest: sensitivity + specificity - 1 is {self.youden:.2f} with a standard error of "
            f"{sqrt(self.variance):.2f}"
        )


class Through(NamedTuple):
    """An observed difference and its error, carried over to the true scale."""

    value: float
    se: float
    low: float | None
    high: float | None


def through(observed: float, se: float, quantile: float, judge: JudgeError) -> Through:
    """The true difference behind an observed one.

    The standard error is the delta method's, sqrt(se²/J² + D² Var(J)/J⁴). The interval is
    Fieller's, all theta with (D - theta J)² <= t² (se² + theta² Var(J)) (E. C. Fieller, JRSS B 16
    (1954), 175-185): unlike D/J ± t·se it holds 0 exactly where the test on D does not reject.

    Args:
        observed: D as the judge reports it.
        se: Its standard error over scenarios.
        quantile: t for the level wanted.
        judge: One whose `against` is empty.
    """
    j, v = judge.youden, judge.variance
    value = observed / j
    error = sqrt(se**2 / j**2 + observed**2 * v / j**4)
    a = j**2 - quantile**2 * v
    if a <= 0:
        return Through(value, error, None, None)
    root = quantile * sqrt(a * se**2 + v * observed**2)
    return Through(value, error, (observed * j - root) / a, (observed * j + root) / a)


def judge_error(calibration: Calibration, label: str) -> JudgeError:
    """What a calibration says about differences in the share of a label.

    The share is one among check-worthy claims, so gold claims the judge takes for none are left
    out, and with them their part in either rate. Variances add one claim of each kind (A. Agresti
    and B. Coull, American Statistician 52 (1998), 119-126): a judge right on all of a small gold is
    not one that never errs.

    Raises:
        ValueError: the label is none whose shares are corrected.
    """
    if label not in AMONG:
        raise ValueError(f"{label!r} is none of {', '.join(AMONG)}")
    table = calibration.measures.confusion
    own = sum(table.count(label, each) for each in AMONG)
    others = _rest(table, label, AMONG)
    if min(own, others) < LEAST_GOLD:
        scarce = (
            f"the gold has {own} scored claims labelled {label} and {others} others that the judge "
            f"takes for claims; {LEAST_GOLD} of each are needed"
        )
        return JudgeError(youden=0, variance=0, label=label, gold=calibration.gold, scarce=scarce)
    hits, false = table.count(label, label), _rest(table, label, (label,))
    return JudgeError(
        youden=hits / own - false / others,
        variance=_variance(hits, own) + _variance(false, others),
        label=label,
        gold=calibration.gold,
    )


def _rest(table: Confusion, label: str, judged: tuple[str, ...]) -> int:
    """Claims with another human label to which the judge gave one of these."""
    return sum(table.count(h, f) for h in table.labels if h != label for f in judged)


def _variance(hits: int, of: int) -> float:
    share = (hits + 1) / (of + 2)
    return share * (1 - share) / (of + 2)
