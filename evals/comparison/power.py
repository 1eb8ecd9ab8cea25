"""What an experiment can see before anybody has paid for it.

The model is that of spread.py: over C scenarios of S seeds the difference of two arms has the
variance omega²/C + 2 sigma²/(C S), omega being how far the true difference varies from scenario to
scenario and sigma how far debates of one scenario and arm vary. More seeds shrink the second term
alone, more scenarios both.

Power is exact for that model, by the noncentral t distribution: the t test's statistic has it when
effects are normal. The common short form adds two t quantiles instead, (t(1 - alpha/2) + t(power))
standard errors; it is given beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from evals.comparison.distributions import found, least_found, t_quantile
from evals.comparison.inference import LEAST
from evals.comparison.spread import Components
from evals.evaluator import Value

SEEDS = (1, 2, 3, 5, 10, 20)
"""Seeds a scenario for which the scenarios needed are worked out."""

MOST_SCENARIOS = 10_000
"""Where the search for enough scenarios ends."""


class Spread(NamedTuple):
    """How far differences vary, in the metric's unit, and how that is known."""

    between: float
    """omega: standard deviation between scenarios of the true difference."""
    within: float
    """sigma: standard deviation between debates of one scenario and arm."""
    source: str
    """Where the two come from, in words."""

    @classmethod
    def of(cls, components: Components, source: str) -> Spread:
        """What an experiment found (`Difference.components`)."""
        return cls(components.between, components.within, source)


class Design(NamedTuple):
    """An experiment to be held."""

    scenarios: int
    seeds: int
    """Seeds a scenario and arm."""
    debates: int
    """All of them, the baseline's included."""
    power: float
    """Probability of finding the effect asked about."""


class Prospect(Value):
    """What one design can see, and which designs could see what is wanted."""

    effect: float
    """The true difference asked about, above 0 in the metric's unit."""
    between: float
    within: float
    source: str
    """How the two are known."""
    alpha: float
    """Level at which one arm's p has to pass: the family's level over its arms."""
    arms: int
    """Arms compared with the baseline."""
    wanted: float
    """The power asked for."""
    here: Design
    """What one has."""
    mde: float
    """The smallest true difference found with the power asked for by what one has."""
    mde_by_quantiles: float
    """The same by the short form."""
    enough: tuple[Design, ...]
    """For several numbers of seeds, the fewest scenarios that reach the power asked for."""

    @property
    def cheapest(self) -> Design | None:
        """The one of `enough` with fewest debates; None where none is enough."""
        return min(self.enough, key=lambda design: design.debates, default=None)


def standard_error(omega: float, sigma: float, scenarios: int, seeds: int) -> float:
    """Of a difference between two arms: sqrt(omega²/C + 2 sigma²/(C S)).

    Raises:
        ValueError: a standard deviation is below 0 or both are 0, there is no seed, or there are
            fewer scenarios than a test needs.
    """
    if omega < 0 or sigma < 0 or not omega + sigma:
        raise ValueError(f"standard deviations of {omega} and {sigma}: above 0 is asked for")
    if scenarios < LEAST or seeds < 1:
        raise ValueError(f"{scenarios} scenarios of {seeds} seeds: {LEAST} of 1 are the least")
    return sqrt(omega**2 / scenarios + 2 * sigma**2 / (scenarios * seeds))


def mde(
    omega: float,
    sigma: float,
    scenarios: int,
    seeds: int,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """The smallest true difference that is found with this power.

    Args:
        omega: Standard deviation between scenarios of the true difference.
        sigma: Standard deviation between debates of one scenario and arm.
        scenarios: C, at least 6.
        seeds: S, at least 1.
        alpha: Level of the two-sided test.
        power: Probability of finding it.

    Raises:
        ValueError: a number is out of its range.
        UserError: scipy is not installed.
    """
    error = standard_error(omega, sigma, scenarios, seeds)
    return least_found(scenarios - 1, alpha, power) * error


def mde_by_quantiles(
    omega: float,
    sigma: float,
    scenarios: int,
    seeds: int,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """The same by the short form (t(1 - alpha/2, C-1) + t(power, C-1))·SE.

    The short form shifts a t distribution where the true one is skewed. At .05 and .8 it is .7 %
    too small with 6 scenarios, .2 % with 9, and right to a thousandth from 12.

    Raises:
        ValueError: a number is out of its range.
        UserError: scipy is not installed.
    """
    error = standard_error(omega, sigma, scenarios, seeds)
    df = scenarios - 1
    return (t_quantile(1 - alpha / 2, df) + t_quantile(power, df)) * error


def power(
    effect: float,
    omega: float,
    sigma: float,
    scenarios: int,
    seeds: int,
    alpha: float = 0.05,
) -> float:
    """Probability that a true difference is found, and in its direction; arguments as for `mde`.

    Raises:
        ValueError: a number is out of its range; `effect` is from 0.
        UserError: scipy is not installed.
    """
    error = standard_error(omega, sigma, scenarios, seeds)
    return found(effect / error, scenarios - 1, alpha)


def needed(
    effect: float,
    omega: float,
    sigma: float,
    *,
    wanted: float = 0.8,
    alpha: float = 0.05,
    arms: int = 1,
    seeds: Sequence[int] = SEEDS,
) -> tuple[Design, ...]:
    """For each number of seeds, the fewest scenarios with which the effect is found.

    Args:
        effect: The true difference, above 0.
        omega: Standard deviation between scenarios of the true difference.
        sigma: Standard deviation between debates of one scenario and arm.
        wanted: Power asked for.
        alpha: Level of the two-sided test of one arm.
        arms: Arms that debate besides the baseline; counts in `debates` alone.
        seeds: Numbers of seeds to try.

    Returns:
        A design for each that needs at most `MOST_SCENARIOS`, up to where more seeds save no
        scenario any more.

    Raises:
        ValueError: a number is out of its range.
        UserError: scipy is not installed.
    """
    if effect <= 0:
        raise ValueError(f"an effect of {effect}; above 0 is asked for")
    designs: list[Design] = []
    for each in sorted(seeds):
        scenarios = _fewest(effect, omega, sigma, each, alpha, wanted)
        if scenarios is None or (designs and scenarios == designs[-1].scenarios):
            continue
        reached = power(effect, omega, sigma, scenarios, each, alpha)
        designs.append(Design(scenarios, each, _debates(arms, scenarios, each), reached))
    return tuple(designs)


def _fewest(
    effect: float, omega: float, sigma: float, seeds: int, alpha: float, wanted: float
) -> int | None:
    """By halving: with more scenarios the smallest difference found only falls."""

    def enough(scenarios: int) -> bool:
        return mde(omega, sigma, scenarios, seeds, alpha, wanted) <= effect

    if not enough(MOST_SCENARIOS):
        return None
    low, high = LEAST, MOST_SCENARIOS
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _debates(arms: int, scenarios: int, seeds: int) -> int:
    return (arms + 1) * scenarios * seeds


def prospect(
    effect: float,
    spread: Spread,
    *,
    scenarios: int,
    seeds: int,
    wanted: float = 0.8,
    alpha: float = 0.05,
    arms: int = 1,
) -> Prospect:
    """What a design can see of an effect, and what would be needed.

    With several arms each is held to alpha over their number, the first and hardest step of Holm's
    adjustment; later steps ask for less, so an effect is found at least as often as said here.

    Raises:
        ValueError: a number is out of its range.
        UserError: scipy is not installed.
    """
    if arms < 1:
        raise ValueError(f"{arms} arms besides the baseline; at least 1 is asked for")
    level, (omega, sigma, source) = alpha / arms, spread
    reached = power(effect, omega, sigma, scenarios, seeds, level)
    return Prospect(
        effect=effect,
        between=omega,
        within=sigma,
        source=source,
        alpha=level,
        arms=arms,
        wanted=wanted,
        here=Design(scenarios, seeds, _debates(arms, scenarios, seeds), reached),
        mde=mde(omega, sigma, scenarios, seeds, level, wanted),
        mde_by_quantiles=mde_by_quantiles(omega, sigma, scenarios, seeds, level, wanted),
        enough=needed(effect, omega, sigma, wanted=wanted, alpha=level, arms=arms),
    )
