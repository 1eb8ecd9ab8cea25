"""Experiments drawn by the thousand, with the truth known: do the statistics keep their word?

Each experiment has scenarios whose levels differ a lot, a true difference that varies from scenario
to scenario (omega), and debates that vary (sigma). All numbers come from `compare`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from evals.comparison.families import holm
from evals.comparison.inference import Difference, compare
from evals.comparison.judge_error import JudgeError
from evals.comparison.pairing import Values
from evals.comparison.power import mde, power
from evals.comparison.verdicts import verdict

OMEGA, SIGMA, LEVELS = 0.05, 0.10, 0.3
RUNS = 2000
SEEDS = 3

Pair = tuple[Values, Values]


def named(cells: list[list[float]]) -> Values:
    return {f"s{at:02}": dict(enumerate(row)) for at, row in enumerate(cells)}


def drawn(
    rng: Generator, scenarios: int, effect: float, *, seeds: int = SEEDS, runs: int = RUNS,
    omega: float = OMEGA,
) -> Iterator[Pair]:  # fmt: skip
    """A baseline and an arm, as often as asked for."""
    shape = (runs, scenarios, seeds)
    level = rng.normal(0.5, LEVELS, (runs, scenarios, 1))
    moved = rng.normal(effect, omega, (runs, scenarios, 1))
    base = (level + rng.normal(0, SIGMA, shape)).tolist()
    arm = (level + moved + rng.normal(0, SIGMA, shape)).tolist()
    yield from ((named(b), named(a)) for b, a in zip(base, arm, strict=True))


def compared(pairs: Iterator[Pair], smallest: float = 0.05) -> list[Difference]:
    return [compare(b, a, smallest=smallest, better="higher") for b, a in pairs]


def share(found: list[Difference], holds: Callable[[Difference], bool]) -> float:
    return sum(map(holds, found)) / len(found)


def rejects(difference: Difference) -> bool:
    assert difference.p is not None
    return difference.p <= 0.05


def covers(difference: Difference, truth: float) -> bool:
    low, high = difference.best.low, difference.best.high
    assert low is not None
    assert high is not None
    return low <= truth <= high


@pytest.mark.parametrize("scenarios", [6, 8, 16])
def test_where_nothing_differs_one_experiment_in_twenty_says_so(scenarios: int) -> None:
    found = compared(drawn(default_rng(scenarios), scenarios, 0.0))
    assert 0.03 <= share(found, rejects) <= 0.07
    assert 0.93 <= share(found, lambda d: covers(d, 0.0)) <= 0.97
    # The exact test may be cautious, never bold.
    assert share(found, lambda d: d.p_flip is not None and d.p_flip <= 0.05) <= 0.07


@pytest.mark.parametrize("scenarios", [6, 8, 16])
def test_shares_of_few_issues_keep_the_rates_too(scenarios: int) -> None:
    """No normal distribution anywhere: issues of four agreed, in items easy and hard."""
    rng = default_rng(scenarios)
    chance = rng.beta(1.5, 2.5, (RUNS, scenarios, 1))
    moved = np.clip(chance + rng.choice([-0.1, 0.1], chance.shape), 0, 1)
    shape = (RUNS, scenarios, SEEDS)
    cells = [(rng.binomial(4, np.broadcast_to(p, shape)) / 4).tolist() for p in (chance, moved)]
    # In half of them the arms change places, so that cutting at 0 and 1 is no true difference.
    order = rng.random(RUNS) < 0.5
    pairs = (
        (named(b), named(a)) if keep else (named(a), named(b))
        for b, a, keep in zip(*cells, order, strict=True)
    )  # fmt: skip
    assert 0.03 <= share(compared(pairs), rejects) <= 0.07


@pytest.mark.parametrize(
    ("scenarios", "seeds", "effect"), [(6, 5, 0.1), (9, 3, 0.08), (16, 1, 0.1)]
)
def test_the_power_that_was_promised_is_there(scenarios: int, seeds: int, effect: float) -> None:
    rng = default_rng(scenarios)
    found = compared(drawn(rng, scenarios, effect, seeds=seeds))
    promised = power(effect, OMEGA, SIGMA, scenarios, seeds)
    assert 0.5 < promised < 0.95
    assert share(found, lambda d: verdict(d, d.p).word == "win") == pytest.approx(
        promised, abs=0.03
    )
    assert 0.93 <= share(found, lambda d: covers(d, effect)) <= 0.97
    # What each of them says it could have found is what there was to be found, on average.
    least = [d.observed.mde for d in found if d.observed.mde is not None]
    squares = np.mean(np.square(least)) ** 0.5
    assert squares == pytest.approx(mde(OMEGA, SIGMA, scenarios, seeds), rel=0.04)


def test_of_several_arms_against_one_baseline_hardly_ever_one_wins_that_should_not() -> None:
    rng, arms, scenarios, runs = default_rng(7), 4, 8, 1000
    level = rng.normal(0.5, LEVELS, (runs, 1, scenarios, 1))
    moved = rng.normal(0.0, OMEGA, (runs, arms + 1, scenarios, 1))
    moved[:, 0] = 0.0
    cells = level + moved + rng.normal(0, SIGMA, (runs, arms + 1, scenarios, SEEDS))
    raw = adjusted = 0
    for run in cells.tolist():
        base, *others = map(named, run)
        ps = [compare(base, arm, smallest=0.05, better="higher").p for arm in others]
        raw += any(p is not None and p <= 0.05 for p in ps)
        adjusted += any(p is not None and p <= 0.05 for p in holm(ps))
    assert adjusted / runs <= 0.05 + 0.015
    assert raw / runs > 0.10


@pytest.mark.parametrize("scenarios", [6, 16])
def test_what_just_matters_is_hardly_ever_found_equivalent(scenarios: int) -> None:
    found = compared(drawn(default_rng(scenarios), scenarios, 0.1), smallest=0.1)

    def equivalent(difference: Difference) -> bool:
        p = difference.best.p_equivalence
        return p is not None and p <= 0.05

    assert share(found, equivalent) <= 0.05 + 0.01
    same = compared(drawn(default_rng(1), scenarios, 0.0, runs=300), smallest=0.2)
    assert share(same, equivalent) > 0.9


def test_scenarios_and_seeds_are_told_apart_without_bias() -> None:
    found = compared(drawn(default_rng(3), 12, 0.0, omega=0.2, runs=1000))
    parts = [d.components for d in found if d.components is not None]
    assert len(parts) == 1000
    assert sum(part.truncated for part in parts) <= 10  # cutting at 0 would bias the mean upward
    assert np.mean([part.scenario for part in parts]) == pytest.approx(0.2**2, rel=0.04)
    assert np.mean([part.seed for part in parts]) == pytest.approx(SIGMA**2, rel=0.04)


def test_seeds_as_the_unit_find_what_is_not_there() -> None:
    """Why the scenario is the unit: the same experiments, each debate counted as one of its own."""
    found = []
    for base, arm in drawn(default_rng(8), 6, 0.0, seeds=8, runs=600, omega=0.1):
        apart = [
            {f"{name}/{seed}": {1: v} for name, row in side.items() for seed, v in row.items()}
            for side in (base, arm)
        ]
        found.append(compare(*apart, smallest=0.05, better="higher"))
    assert share(found, rejects) > 0.2
    assert share(found, lambda d: covers(d, 0.0)) < 0.8


def test_behind_a_judge_the_interval_holds_the_true_difference() -> None:
    """A judge with .7 of the hits and .1 false alarms, measured anew on 60 claims of each kind."""
    rng, runs, effect, shape = default_rng(5), 1500, 0.15, (1500, 12, SEEDS)
    level = rng.uniform(0.25, 0.5, (runs, 12, 1))
    moved = rng.normal(effect, 0.05, (runs, 12, 1))
    sides = [
        (rng.binomial(40, 0.1 + 0.6 * np.broadcast_to(true, shape)) / 40).tolist()
        for true in (level, level + moved)
    ]
    golds = (rng.binomial(60, (0.7, 0.1), (runs, 2)) / 60).tolist()
    found = [
        compare(named(b), named(a), smallest=0.05, better="higher", judge=measured(*gold))
        for b, a, gold in zip(*sides, golds, strict=True)
    ]
    assert 0.93 <= share(found, lambda d: covers(d, effect)) <= 0.97

    def as_judged(difference: Difference) -> bool:
        low, high = difference.observed.low, difference.observed.high
        return low is not None and high is not None and low <= effect <= high

    assert share(found, as_judged) < 0.5


def measured(hits: float, false: float, gold: int = 60) -> JudgeError:
    variance = (hits * (1 - hits) + false * (1 - false)) / gold
    return JudgeError(youden=hits - false, variance=variance)
