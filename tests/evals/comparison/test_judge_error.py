"""What a judge's errors make of a difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evals.calibration.calibrating import CALIBRATIONS, Calibration
from evals.calibration.measures import measure
from evals.comparison.inference import Difference, compare
from evals.comparison.judge_error import AMONG, JudgeError, judge_error, through
from evals.comparison.verdicts import verdict
from evals.labels import LABELS

SURE = JudgeError(youden=0.5, variance=0.0)
MEASURED = JudgeError(youden=0.5, variance=0.01)
BLIND = JudgeError(youden=0.1, variance=0.01, label="contradicted")
CLEAR = (0.10, 0.14, 0.06, 0.11, 0.09, 0.13, 0.07)


def judged(
    differences: Sequence[float], judge: JudgeError | None, smallest: float = 0.05, **more: Any
) -> Difference:
    arm = {f"s{at}": {1: d} for at, d in enumerate(differences)}
    base = {name: {1: 0.0} for name in arm}
    return compare(base, arm, smallest=smallest, better="lower", judge=judge, **more)


def calibration(human: Sequence[str], judge: Sequence[str | None]) -> Calibration:
    known = CALIBRATIONS.known([CALIBRATIONS.shipped])[0]
    return known.model_copy(update={"measures": measure(human, judge, LABELS, resamples=10)})


def test_a_judge_that_sees_half_doubles_the_difference_and_its_error() -> None:
    raw, found = judged(CLEAR, None), judged(CLEAR, SURE)
    assert found.observed == raw.observed
    assert found.best is found.corrected
    assert found.corrected is not None
    for name in ("value", "se", "low", "high", "mde"):
        seen = getattr(raw.observed, name)
        assert getattr(found.corrected, name) == pytest.approx(2 * seen), name
    assert found.p == raw.p


def test_a_judge_measured_on_few_claims_widens_the_interval_and_moves_nothing_else() -> None:
    sure, found = judged(CLEAR, SURE).corrected, judged(CLEAR, MEASURED).corrected
    assert sure is not None
    assert found is not None
    assert found.value == sure.value
    assert found.low is not None
    assert found.high is not None
    assert sure.low is not None
    assert sure.high is not None
    assert found.high - found.low > sure.high - sure.low
    # The delta method by hand: D = .1, J = .5, Var(J) = .01.
    assert sure.se is not None
    assert found.se == pytest.approx(math.sqrt(sure.se**2 + 0.1**2 * 0.01 / 0.5**4))


@given(
    st.floats(-0.5, 0.5), st.floats(0.01, 0.3), st.floats(0.3, 1.0), st.floats(0.0, 0.01)
)  # fmt: skip
def test_the_interval_holds_0_exactly_where_the_test_does_not_reject(
    observed: float, se: float, youden: float, variance: float
) -> None:
    judge = JudgeError(youden=youden, variance=variance)
    assume(not judge.against)
    assume(abs(abs(observed) - 2.5 * se) > 1e-6)
    found = through(observed, se, 2.5, judge)
    assert found.low is not None
    assert found.high is not None
    assert (found.low <= 0 <= found.high) == (abs(observed) < 2.5 * se)
    # And its ends solve Fieller's equation.
    for end in (found.low, found.high):
        gap = (observed - end * youden) ** 2
        assert gap == pytest.approx(2.5**2 * (se**2 + end**2 * variance), rel=1e-6, abs=1e-9)


def test_behind_a_judge_that_may_be_blind_there_is_no_difference_and_no_verdict() -> None:
    found = judged(CLEAR, BLIND)
    assert found.corrected is not None
    assert found.corrected.value is None
    assert "tells contradicted from the rest" in found.corrected.why
    assert found.p is not None
    assert found.p < 0.001
    made = verdict(found, found.p)
    assert (made.word, made.why) == ("inconclusive", found.corrected.why)
    # Nor can it make two arms equivalent by seeing nothing.
    unseen = judged([d / 100 for d in (3, -4, 5, -3, 2, -5, 4)], BLIND, smallest=0.2)
    assert verdict(unseen, unseen.p).word == "inconclusive"


def test_equivalence_is_asked_on_the_true_scale() -> None:
    small = [d / 100 for d in (3, -4, 5, -3, 2, -5, 4)]
    raw, sure, found = (judged(small, j, smallest=0.05) for j in (None, SURE, MEASURED))
    ps = [each.best.p_equivalence for each in (raw, sure, found)]
    assert ps == sorted(ps, key=lambda p: p or 0)
    assert verdict(raw, raw.p).word == "equivalent"
    assert verdict(sure, sure.p).word == "inconclusive"


def test_too_few_scenarios_may_leave_no_bounds() -> None:
    found = judged(CLEAR[:3], JudgeError(youden=0.5, variance=0.02)).corrected
    assert found is not None
    assert (found.low, found.high) == (None, None)
    assert "without bounds" in found.why
    alike = judged([0.1] * 7, MEASURED).corrected
    assert alike is not None
    assert alike.value == pytest.approx(0.2)
    assert alike.low is None


def test_errors_are_read_off_the_table_of_a_calibration() -> None:
    human = ["contradicted"] * 20 + ["supported"] * 20 + ["no_claim"] * 20
    judge = (
        ["contradicted"] * 12 + ["partial"] * 4 + ["no_claim"] * 4
        + ["contradicted"] * 2 + ["supported"] * 18
        + ["no_claim"] * 18 + ["contradicted"] * 2
    )  # fmt: skip
    found = judge_error(calibration(human, judge), "contradicted")
    # What the judge takes for no claim is outside the share: 12 of 16, and 4 of 22 others.
    assert found.youden == pytest.approx(12 / 16 - 4 / 22)
    expected = (13 / 18) * (5 / 18) / 18 + (5 / 24) * (19 / 24) / 24
    assert found.variance == pytest.approx(expected)
    assert found.against == ""


def test_a_judge_right_on_all_of_a_small_gold_is_not_one_that_never_errs() -> None:
    labels = [label for label in LABELS for _ in range(15)]
    found = judge_error(calibration(labels, labels), "supported")
    assert found.youden == 1.0
    assert found.variance > 0


def test_a_small_gold_says_so_instead_of_a_number() -> None:
    labels = ["supported"] * 14 + ["partial"] * 30
    found = judge_error(calibration(labels, labels), "supported")
    assert "14 scored claims labelled supported" in found.against
    assert judged(CLEAR, found).corrected is not None
    with pytest.raises(ValueError, match="'no_claim' is none of"):
        judge_error(calibration(labels, labels), "no_claim")


@pytest.mark.parametrize("label", AMONG)
def test_the_calibration_that_comes_with_the_program_corrects_nothing(label: str) -> None:
    """The embedded model calls nearly every claim partial."""
    for known in CALIBRATIONS.known([CALIBRATIONS.shipped]):
        assert judge_error(known, label).against
