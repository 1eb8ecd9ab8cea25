"""What is promised before an experiment: against tables, scipy, and itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evals.comparison.distributions import found, least_found
from evals.comparison.inference import LEAST, compare
from evals.comparison.power import (
    MOST_SCENARIOS,
    Spread,
    mde,
    mde_by_quantiles,
    needed,
    power,
    prospect,
)


@pytest.mark.parametrize(
    ("scenarios", "seeds", "at_ten", "at_fifteen"),
    [
        (6, 3, 0.136, 0.188),
        (6, 10, 0.096, 0.119),
        (12, 3, 0.085, 0.117),
        (12, 10, 0.060, 0.074),
        (20, 3, 0.063, 0.087),
        (20, 10, 0.044, 0.055),
        (40, 5, 0.037, 0.049),
    ],
)
def test_the_short_form_is_that_of_the_table_and_the_exact_one_near_it(
    scenarios: int, seeds: int, at_ten: float, at_fifteen: float
) -> None:
    for sigma, listed in ((0.10, at_ten), (0.15, at_fifteen)):
        short = mde_by_quantiles(0.05, sigma, scenarios, seeds)
        assert short == pytest.approx(listed, abs=6e-4)
        exact = mde(0.05, sigma, scenarios, seeds)
        assert exact == pytest.approx(short, rel=0.01)
        if scenarios == LEAST:
            assert exact > short  # the short form promises a little too much


@pytest.mark.parametrize("df", [5, 8, 15, 60])
@pytest.mark.parametrize("away", [0.0, 1.0, 3.0, 6.0])
@pytest.mark.parametrize("alpha", [0.05, 0.0125])
def test_power_is_that_of_the_noncentral_t(df: int, away: float, alpha: float) -> None:
    beyond = stats.t.ppf(1 - alpha / 2, df)
    theirs = stats.nct.sf(beyond, df, away) if away else stats.t.sf(beyond, df)
    assert found(away, df, alpha) == pytest.approx(theirs, abs=1e-7)


DESIGNS = (
    st.floats(0.0, 0.3), st.floats(0.01, 0.3), st.integers(LEAST, 60), st.integers(1, 20)
)  # fmt: skip


@given(*DESIGNS, st.sampled_from([0.05, 0.0125]), st.sampled_from([0.5, 0.8, 0.95]))
def test_the_smallest_difference_found_is_found_with_just_that_power(
    omega: float, sigma: float, scenarios: int, seeds: int, alpha: float, wanted: float
) -> None:
    least = mde(omega, sigma, scenarios, seeds, alpha, wanted)
    assert power(least, omega, sigma, scenarios, seeds, alpha) == pytest.approx(wanted, abs=1e-5)


@given(*DESIGNS)
def test_more_debates_never_see_less_and_scenarios_beat_seeds(
    omega: float, sigma: float, scenarios: int, seeds: int
) -> None:
    least = mde(omega, sigma, scenarios, seeds)
    more_scenarios = mde(omega, sigma, 2 * scenarios, seeds)
    more_seeds = mde(omega, sigma, scenarios, 2 * seeds)
    assert more_scenarios < more_seeds <= least


def test_what_is_needed_is_the_fewest_that_are_enough() -> None:
    designs = needed(0.1, 0.05, 0.1)
    assert designs[0].debates == 2 * designs[0].scenarios * designs[0].seeds
    assert [each.seeds for each in designs] == [1, 2, 3, 5, 10]
    for each in designs:
        assert each.power == pytest.approx(power(0.1, 0.05, 0.1, each.scenarios, each.seeds))
        assert each.power >= 0.8
        if each.scenarios > LEAST:
            assert power(0.1, 0.05, 0.1, each.scenarios - 1, each.seeds) < 0.8
    # Twenty seeds save no scenario over ten, so they are not listed.
    assert designs[-1].scenarios == LEAST


def test_an_effect_lost_in_the_scenarios_needs_more_of_them_than_there_are() -> None:
    assert needed(0.001, 0.3, 0.1) == ()
    assert mde(0.3, 0.1, MOST_SCENARIOS, 20) > 0.001


def test_with_more_arms_each_is_held_to_its_part_of_alpha() -> None:
    spread = Spread(0.05, 0.1, "given")
    one = prospect(0.1, spread, scenarios=9, seeds=5)
    four = prospect(0.1, spread, scenarios=9, seeds=5, arms=4)
    assert four.alpha == pytest.approx(0.0125)
    assert (one.here.debates, four.here.debates) == (90, 225)
    assert four.here.power == pytest.approx(power(0.1, 0.05, 0.1, 9, 5, 0.0125))
    assert four.here.power < one.here.power
    assert four.mde > one.mde
    assert one.cheapest is not None
    assert one.cheapest.debates == min(each.debates for each in one.enough)
    assert prospect(0.001, Spread(0.3, 0.1, ""), scenarios=9, seeds=5).cheapest is None


def test_an_experiment_foresees_the_next_one_like_it() -> None:
    """The spread an experiment found gives the smallest difference that experiment reports."""
    effects, noise = (0.1, 0.5, -0.2, 0.3, 0.0, 0.4, 0.2, -0.1), (0.05, -0.1, 0.0, 0.05)
    base = {f"s{i}": dict(enumerate(noise)) for i in range(8)}
    arm = {f"s{i}": {k: e - 2 * n for k, n in enumerate(noise)} for i, e in enumerate(effects)}
    found = compare(base, arm, smallest=0.1, better="higher")
    assert found.components is not None
    assert not found.components.truncated
    spread = Spread.of(found.components, "an experiment")
    assert mde(spread.between, spread.within, 8, 4) == pytest.approx(found.observed.mde)


@pytest.mark.parametrize(
    ("omega", "sigma", "scenarios", "seeds"),
    [(-0.1, 0.1, 9, 5), (0.0, 0.0, 9, 5), (0.1, 0.1, 5, 5), (0.1, 0.1, 9, 0)],
)
def test_a_design_that_cannot_be_is_refused(
    omega: float, sigma: float, scenarios: int, seeds: int
) -> None:
    with pytest.raises(ValueError, match=r"asked for|are the least"):
        power(0.1, omega, sigma, scenarios, seeds)


def test_questions_without_an_answer_are_refused() -> None:
    with pytest.raises(ValueError, match="from 0"):
        power(-0.1, 0.05, 0.1, 9, 5)
    with pytest.raises(ValueError, match="above 0"):
        needed(0.0, 0.05, 0.1)
    with pytest.raises(ValueError, match="at least 1"):
        prospect(0.1, Spread(0.05, 0.1, ""), scenarios=9, seeds=5, arms=0)
    with pytest.raises(ValueError, match="probability"):
        least_found(5, 0.05, 0.01)


@pytest.mark.parametrize(("away", "df"), [(60.0, 5), (38.0, 100), (500.0, 8)])
def test_an_effect_that_cannot_be_missed_is_found_for_sure(away: float, df: int) -> None:
    assert found(away, df, 0.05) == 1.0
