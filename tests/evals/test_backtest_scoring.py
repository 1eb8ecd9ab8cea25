"""Scores that reward honesty, base rates with known scores, intervals and tests that are exact."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from evals.backtest.inference import paired
from evals.backtest.scoring import (
    anything,
    brier,
    counted,
    everything_agreed,
    log_score,
    nothing_agreed,
    smoothed,
)
from evals.comparison.distributions import t_quantile
from evals.comparison.randomisation import sign_flip

EVERY = ("a", "b", "c", "none")

Score = Callable[[Mapping[str, float], Collection[str]], float]


@st.composite
def distributions(draw: st.DrawFn, least: float = 0.0) -> dict[str, float]:
    weights = [draw(st.floats(least, 1.0)) for _ in EVERY]
    assume(sum(weights) > 0.01)
    return {each: weight / sum(weights) for each, weight in zip(EVERY, weights, strict=True)}


def expected(score: Score, said: dict[str, float], true: dict[str, float]) -> float:
    return sum(true[each] * score(said, (each,)) for each in EVERY if true[each] > 0)


@given(distributions(), distributions())
def test_nobody_expects_a_better_brier_score_than_by_saying_what_is_true(
    said: dict[str, float], true: dict[str, float]
) -> None:
    gap = expected(brier, said, true) - expected(brier, true, true)
    # The loss is exactly the squared distance between what is said and what is true.
    assert gap == pytest.approx(sum((said[e] - true[e]) ** 2 for e in EVERY), abs=1e-9)


@given(distributions(least=0.001), distributions(least=0.001))
def test_nobody_expects_a_better_log_score_than_by_saying_what_is_true(
    said: dict[str, float], true: dict[str, float]
) -> None:
    assert expected(log_score, said, true) >= expected(log_score, true, true) - 1e-9


@given(distributions(), st.sampled_from(EVERY))
def test_scores_stay_in_their_ranges(said: dict[str, float], happened: str) -> None:
    assert -1e-12 <= brier(said, (happened,)) <= 2 + 1e-12
    assert log_score(smoothed(said, 5, (happened,)), (happened,)) >= 0


def test_the_ends_of_the_brier_range_are_certainty_right_and_wrong() -> None:
    sure = {"a": 1.0, "b": 0.0, "none": 0.0}
    assert brier(sure, ("a",)) == 0.0
    assert brier(sure, ("none",)) == 2.0


def test_base_rates_have_the_scores_worked_out_by_hand() -> None:
    # Three options and none.
    assert brier(nothing_agreed(EVERY), ("none",)) == 0.0
    assert brier(nothing_agreed(EVERY), ("b",)) == 2.0
    assert brier(everything_agreed(EVERY), ("b",)) == pytest.approx((2 / 3) ** 2 + 2 / 9)
    assert brier(everything_agreed(EVERY), ("none",)) == pytest.approx(1 + 3 / 9)
    assert brier(anything(EVERY), ("none",)) == pytest.approx(0.75**2 + 3 / 16)
    for base in (nothing_agreed, everything_agreed, anything):
        assert sum(base(EVERY).values()) == pytest.approx(1)


def test_outcomes_that_history_cannot_tell_apart_count_as_one() -> None:
    said = {"a": 0.2, "b": 0.3, "none": 0.5}
    assert brier(said, ("none", "b")) == pytest.approx(0.2**2 + 0.2**2)
    assert log_score(said, ("none", "b")) == pytest.approx(-math.log(0.8))
    assert sum(smoothed(said, 10, ("none", "b")).values()) == pytest.approx(1)
    assert len(smoothed(said, 10, ("none", "b"))) == 2


def test_smoothing_adds_one_half_to_the_count_of_every_outcome() -> None:
    shares = counted(["a", "a", "a", "b"], EVERY)
    made = smoothed(shares, 4, ("c",))
    assert made["a"] == pytest.approx(3.5 / 6)
    assert made["c"] == pytest.approx(0.5 / 6)
    assert sum(made.values()) == pytest.approx(1)


def test_what_was_never_seen_is_not_impossible_but_unsmoothed_it_has_no_score() -> None:
    shares = counted(["a"], EVERY)
    with pytest.raises(ValueError, match="not finite"):
        log_score(shares, ("none",))
    assert log_score(smoothed(shares, 1, ("none",)), ("none",)) == pytest.approx(-math.log(0.5 / 3))


def test_no_runs_give_no_distribution() -> None:
    with pytest.raises(ValueError, match="no run"):
        counted([], EVERY)
    with pytest.raises(ValueError, match="no run"):
        smoothed({}, 0, ("a",))


# Intervals and tests.


@pytest.mark.parametrize("df", [1, 2, 5, 30, 37, 200])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.975, 0.999])
def test_the_t_quantile_is_that_of_the_tables(df: int, level: float) -> None:
    assert t_quantile(level, df) == pytest.approx(float(stats.t.ppf(level, df)), abs=1e-7)


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=9))
def test_signs_are_flipped_in_every_way_there_is(differences: list[float]) -> None:
    assume(all(d == 0 or abs(d) > 1e-6 for d in differences))
    observed = abs(sum(differences))
    ways = list(itertools.product((1, -1), repeat=len(differences)))
    far = sum(
        abs(sum(s * d for s, d in zip(signs, differences, strict=True))) >= observed - 1e-9
        for signs in ways
    )
    assert sign_flip(differences) == pytest.approx(far / len(ways))


def test_the_sign_flip_test_has_the_smallest_p_it_can_have() -> None:
    assert sign_flip([1.0] * 6) == 2 / 2**6
    assert sign_flip([0.0, 0.0, 1.0, 1.0]) == 2 / 2**2  # what does not differ decides nothing
    assert sign_flip([]) == 1.0
    assert sign_flip([0.5] * 40) == 2 / 2**40
    with pytest.raises(ValueError, match="up to 40"):
        sign_flip([0.5] * 41)


def test_a_paired_difference_has_the_t_interval_over_issues() -> None:
    made = paired([0.2, -0.1, 0.4, 0.3, 0.0, 0.1])
    theirs = stats.ttest_1samp([0.2, -0.1, 0.4, 0.3, 0.0, 0.1], 0).confidence_interval()
    assert made.mean == pytest.approx(0.15)
    assert (made.low, made.high) == pytest.approx((theirs.low, theirs.high))
    assert (made.n, made.better, made.worse) == (6, 1, 4)


def test_few_issues_have_no_test_and_one_has_no_interval() -> None:
    assert paired([0.1] * 5).p is None
    assert paired([0.1] * 6).p is not None
    one = paired([0.3])
    assert (one.mean, one.low, one.high, one.p) == (0.3, None, None, None)
    assert paired([]).mean is None
