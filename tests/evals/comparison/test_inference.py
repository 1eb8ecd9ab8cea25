"""Means and differences over scenarios: against scipy, by hand, and at the edges."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evals.comparison.distributions import special
from evals.comparison.inference import (
    ALIKE,
    NONE_SHARED,
    ONE,
    TOO_FEW,
    Difference,
    arm_mean,
    compare,
)
from evals.comparison.pairing import Values
from evals.comparison.spread import components, judge_variance
from evals.comparison.verdicts import Verdict, verdict
from harness.errors import UserError

BASE = (0.40, 0.55, 0.30, 0.62, 0.48, 0.51, 0.36)
ARM = (0.52, 0.60, 0.47, 0.61, 0.66, 0.58, 0.41)
DIFFERENCES = tuple(a - b for a, b in zip(ARM, BASE, strict=True))


def single(means: Sequence[float]) -> Values:
    """One seed a scenario."""
    return {f"item-{at:02}": {1: value} for at, value in enumerate(means)}


def against(
    differences: Sequence[float], *, smallest: float | None = 0.05, **more: Any
) -> Difference:
    """An arm that differs so much from a baseline at 0."""
    zeros = single([0.0] * len(differences))
    better = more.pop("better", "higher")
    return compare(zeros, single(differences), smallest=smallest, better=better, **more)


def told(difference: Difference, p: float | None = None, alpha: float = 0.05) -> Verdict:
    return verdict(difference, difference.p if p is None else p, alpha)


# One arm.


def test_a_mean_is_one_of_scenario_means_however_many_seeds_each_has() -> None:
    found = arm_mean({"a": {1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0}, "b": {1: 0.0}, "c": {1: 0.5, 7: 0.7}})
    theirs = stats.ttest_1samp([1.0, 0.0, 0.6], 0).confidence_interval()
    assert found.value == pytest.approx(1.6 / 3)  # pooled debates would say .74
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert found.se == pytest.approx(stats.sem([1.0, 0.0, 0.6]))
    assert (found.scenarios, found.seeds, found.n) == (3, (1, 4), 7)


def test_a_mean_without_spread_or_of_one_scenario_has_no_interval() -> None:
    one, alike, none = arm_mean({"a": {1: 0.3, 2: 0.5}}), arm_mean(single([1.0] * 9)), arm_mean({})
    assert one.value == pytest.approx(0.4)
    assert (one.low, one.why) == (None, ONE)
    assert (alike.value, alike.low, alike.high, alike.why) == (1.0, None, None, ALIKE)
    assert (none.value, none.n) == (None, 0)
    assert none.why
    assert arm_mean({"a": {}, "b": {1: 0.2}}).scenarios == 1  # nothing scored is no scenario


# Two arms.


def test_a_difference_is_that_of_the_paired_t_test() -> None:
    found = compare(single(BASE), single(ARM), smallest=0.05, better="higher")
    theirs = stats.ttest_rel(ARM, BASE)
    ends = theirs.confidence_interval()
    assert found.observed.value == pytest.approx(sum(DIFFERENCES) / 7)
    assert found.observed.se == pytest.approx(stats.sem(DIFFERENCES))
    assert (found.observed.low, found.observed.high) == pytest.approx((ends.low, ends.high))
    assert found.p == pytest.approx(theirs.pvalue)
    assert found.correlation == pytest.approx(stats.pearsonr(BASE, ARM).statistic)
    assert found.best is found.observed


def test_the_sign_flip_p_is_that_of_every_permutation() -> None:
    found = compare(single(BASE), single(ARM), smallest=0.05, better="higher")
    theirs = stats.permutation_test(
        (DIFFERENCES,), lambda d, axis: d.mean(axis=axis),
        permutation_type="samples", n_resamples=10_000, vectorized=True,
    )  # fmt: skip
    assert found.p_flip == pytest.approx(theirs.pvalue)


def test_tost_is_the_higher_of_two_one_sided_tests() -> None:
    found = against(DIFFERENCES, smallest=0.2)
    below = stats.ttest_1samp(DIFFERENCES, -0.2, alternative="greater").pvalue
    above = stats.ttest_1samp(DIFFERENCES, 0.2, alternative="less").pvalue
    assert found.observed.p_equivalence == pytest.approx(max(below, above))
    assert against(DIFFERENCES, smallest=None).observed.p_equivalence is None


def test_what_is_found_with_the_power_asked_for_is_so_by_the_noncentral_t() -> None:
    found = against(DIFFERENCES, alpha=0.01, power=0.9)
    assert found.observed.mde is not None
    assert found.observed.se is not None
    away = found.observed.mde / found.observed.se
    assert stats.nct.sf(stats.t.ppf(0.995, 6), 6, away) == pytest.approx(0.9, abs=1e-6)


def test_only_what_both_arms_held_is_compared_and_the_rest_is_said() -> None:
    base = {"a": {1: 0.1, 2: 0.3, 3: 0.9}, "b": {1: 0.2}, "c": {1: 0.5}, "d": {1: 0.4}}
    arm = {"a": {2: 0.4, 1: 0.3}, "b": {1: 0.5}, "c": {2: 0.5}, "e": {1: 1.0}, "f": {}}
    found = compare(base, arm, smallest=0.1, better="higher")
    assert [(s.scenario, s.pairs) for s in found.scenarios] == [("a", 2), ("b", 1)]
    assert found.scenarios[0].value == pytest.approx(0.15)
    assert found.scenarios[0].baseline == pytest.approx(0.2)  # not of the seed the arm lacks
    assert found.observed.value == pytest.approx((0.15 + 0.3) / 2)
    assert found.dropped.scenarios == ("c", "d", "e")
    assert (found.dropped.baseline, found.dropped.arm) == (3, 2)
    assert "c, d, e" in found.dropped.words
    assert (found.n, found.seeds) == (3, (1, 2))
    whole = compare(base, base, smallest=0.1, better="higher")
    assert whole.dropped.words == ""


def test_below_six_scenarios_there_is_an_interval_and_no_test() -> None:
    found = against([0.5, 0.6, 0.55, 0.52, 0.58])
    assert found.observed.low is not None
    assert found.observed.low > 0
    assert (found.p, found.p_flip, found.observed.mde) == (None, None, None)
    assert found.observed.p_equivalence is None
    made = told(found)
    assert (made.word, made.why) == ("inconclusive", "too few scenarios for a test")
    assert found.why == TOO_FEW
    assert against([0.5, 0.6, 0.55, 0.52, 0.58, 0.5]).p is not None


def test_arms_without_a_scenario_in_common_have_no_difference() -> None:
    found = compare({"a": {1: 0.5}}, {"b": {1: 0.5}}, smallest=0.1, better="higher")
    assert (found.observed.value, found.why, found.n, found.seeds) == (None, NONE_SHARED, 0, (0, 0))
    assert told(found).why == NONE_SHARED


def test_differences_all_alike_are_no_certainty() -> None:
    """Rounding would make the t statistic 10^15."""
    found = against([0.1 + 0.2] * 3 + [0.3] * 3)
    assert (found.observed.low, found.observed.mde, found.observed.why) == (None, None, ALIKE)
    assert found.p == found.p_flip == 2 / 2**6
    same = against([0.0] * 8)
    assert (same.p, same.observed.p_equivalence) == (1.0, 1 / 2**8)
    assert told(same).word == "equivalent"
    assert against([0.3] * 8).observed.p_equivalence == 1.0
    assert same.correlation is None


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_a_defect(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"'item-03', seed 1: .* is not finite"):
        against([0.1, 0.2, 0.1, wrong, 0.2, 0.1])
    with pytest.raises(ValueError, match="finite"):
        arm_mean(single([0.1, wrong]))


@pytest.mark.parametrize("smallest", [0.0, -0.1])
def test_a_smallest_difference_is_above_nothing(smallest: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        against(DIFFERENCES, smallest=smallest)


def test_many_scenarios_have_the_t_test_alone() -> None:
    found = against([0.1, -0.05, 0.2] * 14)
    assert (found.p_flip, len(found.scenarios)) == (None, 42)
    assert found.p == pytest.approx(stats.ttest_1samp([0.1, -0.05, 0.2] * 14, 0).pvalue)


ROWS = st.lists(
    st.lists(st.integers(-100, 100).map(lambda i: i / 100), min_size=2, max_size=4),
    min_size=6, max_size=9,
)  # fmt: skip


def arms_of(rows: list[list[float]]) -> tuple[Values, Values]:
    base = {f"s{i}": dict(enumerate(row)) for i, row in enumerate(rows)}
    arm = {f"s{i}": {k: v * v for k, v in enumerate(row)} for i, row in enumerate(rows)}
    return base, arm


@given(ROWS)
def test_the_other_way_round_everything_is_mirrored(rows: list[list[float]]) -> None:
    base, arm = arms_of(rows)
    one = compare(base, arm, smallest=0.1, better="higher")
    other = compare(arm, base, smallest=0.1, better="lower")
    assert one.observed.value == pytest.approx(-(other.observed.value or 0.0), abs=1e-12)
    assert one.p == pytest.approx(other.p, abs=1e-9)
    assert one.p_flip == pytest.approx(other.p_flip)
    assert one.observed.p_equivalence == pytest.approx(other.observed.p_equivalence, abs=1e-9)
    assert one.components == other.components
    assert told(one).word == told(other).word


@given(ROWS, st.sampled_from([0.25, 4.0, 64.0]))
def test_the_unit_of_the_metric_changes_no_probability(
    rows: list[list[float]], scale: float
) -> None:
    base, arm = arms_of(rows)

    def scaled(values: Values) -> Values:
        return {s: {k: v * scale for k, v in seeds.items()} for s, seeds in values.items()}

    one = compare(base, arm, smallest=0.125, better="higher")
    other = compare(scaled(base), scaled(arm), smallest=0.125 * scale, better="higher")
    assert one.p == pytest.approx(other.p, abs=1e-9)
    assert one.observed.p_equivalence == pytest.approx(other.observed.p_equivalence, abs=1e-9)
    assert (one.observed.value or 0) * scale == pytest.approx(other.observed.value, abs=1e-9)


# Where differences come from.


def test_variance_is_split_as_worked_out_by_hand() -> None:
    # Means .2, .5, .2; within: .02 + .08 + 0 over 3 degrees of freedom is 2 sigma².
    found = components([[0.1, 0.3], [0.3, 0.7], [0.2, 0.2]])
    assert found is not None
    assert found.seed == pytest.approx((0.02 + 0.08) / 3 / 2)
    assert found.scenario == pytest.approx(0.03 - (0.1 / 3) / 2)
    assert not found.truncated
    assert found.between == pytest.approx(found.scenario**0.5)


def test_scenarios_that_differ_less_than_seeds_have_no_negative_variance() -> None:
    found = components([[-1.0, 1.0], [-1.1, 1.0], [1.0, -1.0]])
    assert found is not None
    assert (found.scenario, found.truncated) == (0.0, True)


def test_one_seed_a_scenario_cannot_tell_the_two_apart() -> None:
    assert components([[0.1], [0.3], [0.2]]) is None
    assert components([[0.1, 0.2]]) is None
    assert against(DIFFERENCES).components is None


def test_a_judges_own_noise_is_half_of_what_changes_per_claim() -> None:
    assert judge_variance(0.1, 20) == pytest.approx(0.0025)
    with pytest.raises(ValueError, match="retest"):
        judge_variance(1.1, 20)


# Verdicts.

CLEAR = (0.30, 0.34, 0.26, 0.31, 0.29, 0.33, 0.27)
TINY = (0.010, 0.014, 0.006, 0.011, 0.009, 0.013, 0.007)
NOTHING = (0.010, -0.014, 0.006, -0.011, 0.009, -0.013, 0.007)
NOISE = (0.4, -0.5, 0.6, -0.4, 0.3, -0.6, 0.5)


@pytest.mark.parametrize(
    ("differences", "better", "word"),
    [
        (CLEAR, "higher", "win"),
        (CLEAR, "lower", "loss"),
        (CLEAR, None, "different"),
        ([-d for d in CLEAR], "lower", "win"),
        ([-d for d in CLEAR], "higher", "loss"),
        (NOTHING, "higher", "equivalent"),
        (NOISE, "higher", "inconclusive"),
    ],
)
def test_the_verdict_follows_the_difference_and_what_is_better(
    differences: Sequence[float], better: str | None, word: str
) -> None:
    assert told(against(differences, better=better)).word == word


def test_shown_and_mattering_are_two_findings() -> None:
    tiny, clear = told(against(TINY)), told(against(CLEAR))
    assert (tiny.word, tiny.size) == ("win", "smaller")
    assert tiny.sentence == "win, but smaller than what matters (0.05)"
    assert (clear.size, clear.sentence) == ("matters", "win: by as much as matters or more (0.05)")
    between = told(against(CLEAR, smallest=0.3))
    assert between.sentence == "win, though it may be smaller than what matters (0.3)"
    down = told(against([-d for d in CLEAR], smallest=0.2))
    assert (down.word, down.size) == ("loss", "matters")
    assert told(against(CLEAR, smallest=None)).size == "undeclared"


def test_adjustment_can_take_a_difference_away() -> None:
    found = against(ARM_LIKE)
    assert found.p is not None
    assert found.p < 0.05
    assert told(found).word == "win"
    assert told(found, p=4 * found.p).word == "inconclusive"
    with pytest.raises(ValueError, match="after adjustment"):
        verdict(found, found.p / 2)
    with pytest.raises(ValueError, match="after adjustment"):
        verdict(found, None)


ARM_LIKE = (0.12, 0.05, 0.17, -0.01, 0.18, 0.07, 0.05)


def test_what_an_experiment_could_not_have_found_is_said_to_be_so() -> None:
    blunt = told(against(NOISE))
    assert "had to be 0.66 or more" in blunt.why
    assert "0.05 would matter" in blunt.why
    # Sharp enough for .3, and on its edge: neither shown nor ruled out.
    edge = against([d / 2 + 0.2 for d in NOISE], smallest=0.36)
    assert edge.observed.mde is not None
    assert edge.observed.mde < 0.36
    assert told(edge).why == "no difference was shown, and none of 0.36 is ruled out"
    assert told(against(NOISE, smallest=None)).why == "no difference was shown"


def test_the_exact_test_is_heard_where_it_disagrees() -> None:
    found = against([0.02, 0.3, 0.35, 0.28, 0.4, -0.05])
    assert found.p is not None
    assert found.p_flip is not None
    assert found.p < 0.05 < found.p_flip
    assert "sign-flip test does not show it (p = 0.09)" in told(found).sentence
    assert told(against(CLEAR)).caution == ""


def test_without_scipy_the_user_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "scipy":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UserError, match=r"pip install 'tracktwo\[analysis\]'"):
        special()
    with pytest.raises(UserError, match="scipy, which is not installed"):
        against(DIFFERENCES)
