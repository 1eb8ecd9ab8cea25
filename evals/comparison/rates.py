"""Shares of claims and votes, and events that hardly ever happen.

Claims of one debate hang together, so a share over them is not as sure as its number of claims
suggests; and of ten debates without a leak it does not follow that there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Literal, NamedTuple

from evals.comparison.distributions import MISSING, special, t_quantile
from evals.evaluator import Value
from evals.intervals import wilson
from harness.errors import UserError

LEVEL = 0.95


class Cluster(NamedTuple):
    """The claims of one debate or one scenario."""

    hits: int
    of: int


class ClusteredShare(Value):
    """A share of claims, and how far it may be off given that claims hang together."""

    value: float | None
    """None without claims."""
    se: float | None = None
    """Clustered; None with fewer than two clusters."""
    low: float | None = None
    high: float | None = None
    level: float = LEVEL
    method: Literal["clustered-t", "exact-over-clusters"] | None = None
    """How the interval was made; None where there is none."""
    hits: int = 0
    n: int = 0
    """Claims."""
    clusters: int = 0
    """Debates or scenarios with a claim."""
    why: str = ""
    """Why there is no value, or no interval."""


def clustered_share(clusters: Iterable[Cluster]) -> ClusteredShare:
    """A share over all claims, with a standard error over the debates or scenarios they come from.

    SE² = sum_c (sum_{i in c} (y_i - share))² · C/(C - 1) / n², and share ± t(.975, C - 1)·SE, ends
    outside [0, 1] cut off. E. Miller, "Adding Error Bars to Evals", arXiv 2411.00640 (2024); K.-Y.
    Liang and S. L. Zeger, Biometrika 73 (1986), 13-22. Cluster by the unit that was sampled: by
    scenario for what is to hold of other scenarios.

    Where no claim is a hit, or every one, SE is 0 and says nothing. The interval then is the exact
    one with clusters as the cases, as if the claims of a cluster were one and the same.

    Raises:
        ValueError: a cluster has more hits than claims, or a count below 0.
        UserError: scipy is not installed.
    """
    given = list(clusters)
    if wrong := [c for c in given if not 0 <= c.hits <= c.of]:
        raise ValueError(f"{wrong[0].hits} of {wrong[0].of} is no share")
    held = [c for c in given if c.of]
    size, hits, n = len(held), sum(c.hits for c in held), sum(c.of for c in held)
    if not n:
        return ClusteredShare(value=None, why="there was nothing to count")
    share = hits / n
    if size < 2:
        return ClusteredShare(
            value=share, hits=hits, n=n, clusters=size,
            why="the claims of one debate or scenario say nothing about others: no interval",
        )  # fmt: skip
    if hits in (0, n):
        low, high = exact(0 if hits == 0 else size, size)
        return ClusteredShare(
            value=share, low=low, high=high, method="exact-over-clusters", hits=hits, n=n,
            clusters=size, why="no standard error: all claims are alike",
        )  # fmt: skip
    se = sqrt(sum((c.hits - share * c.of) ** 2 for c in held) * size / (size - 1)) / n
    half = t_quantile((1 + LEVEL) / 2, size - 1) * se
    return ClusteredShare(
        value=share, se=se, low=max(0.0, share - half), high=min(1.0, share + half),
        method="clustered-t", hits=hits, n=n, clusters=size,
    )  # fmt: skip


class RareEvents(Value):
    """How often something happens that should not, and how often it might."""

    hits: int
    of: int
    share: float
    wilson: tuple[float, float]
    """Wilson's interval: close to its level on average, and narrower."""
    exact: tuple[float, float]
    """Clopper and Pearson's: never below its level."""
    at_most: float | None
    """3/n, where nothing happened: with 95 % confidence it happens no more often."""


def rare_events(hits: int, of: int) -> RareEvents | None:
    """Crossed red lines, leaks and the like: both intervals, and the rule of three.

    Cases are taken to be independent: count one a debate, not one a statement.

    Returns:
        None where there were no cases.

    Raises:
        ValueError: `hits` is not within 0..of.
        UserError: scipy is not installed.
    """
    if not of and not hits:
        return None
    ends = exact(hits, of)
    return RareEvents(
        hits=hits,
        of=of,
        share=hits / of,
        wilson=wilson(hits, of),
        exact=ends,
        at_most=rule_of_three(of) if not hits else None,
    )


def exact(hits: int, of: int, level: float = LEVEL) -> tuple[float, float]:
    """Clopper and Pearson's interval: all shares that a binomial test does not reject.

    From quantiles of the beta distribution; C. J. Clopper and E. S. Pearson, Biometrika 26 (1934),
    404-413.

    Raises:
        ValueError: `of` is not positive, `hits` not within 0..of, or level not within (0, 1).
        UserError: scipy is not installed.
    """
    if of <= 0 or not 0 <= hits <= of or not 0 < level < 1:
        raise ValueError(f"no interval for {hits} of {of} at level {level}")
    tail, quantile = (1 - level) / 2, special().betaincinv
    low = float(quantile(hits, of - hits + 1, tail)) if hits else 0.0
    high = float(quantile(hits + 1, of - hits, 1 - tail)) if hits < of else 1.0
    return low, high


def rule_of_three(of: int) -> float:
    """The share that none in `of` cases leaves possible: 3/n, at most 1.

    It solves (1 - p)^n = .05 for small p. J. A. Hanley and A. Lippman-Hand, JAMA 249 (1983),
    1743-1745. One-sided, so it is below the upper end of a two-sided interval.

    Raises:
        ValueError: there were no cases.
    """
    if of <= 0:
        raise ValueError("without cases nothing is known")
    return min(1.0, 3 / of)


class PairedEvents(Value):
    """An event in debates that two arms both held."""

    both: int
    baseline_only: int
    arm_only: int
    neither: int
    p: float
    """McNemar's, exact and two-sided: of the pairs that differ, as many on one side. 1 where none
    differs."""


def mcnemar(
    baseline: Mapping[str, Mapping[int, bool]], arm: Mapping[str, Mapping[int, bool]]
) -> PairedEvents | None:
    """Whether an event is rarer in one arm, from scenario -> seed -> whether it happened.

    Q. McNemar, Psychometrika 12 (1947), 153-157, with binomial instead of normal probabilities. It
    takes pairs to be independent: with several seeds a scenario p is too small where an event
    hangs on the scenario, so read it beside how many scenarios the events come from.

    Returns:
        None where the arms share no debate.

    Raises:
        UserError: scipy is not installed.
    """
    pairs = [
        (event, arm[scenario][seed])
        for scenario, seeds in baseline.items()
        for seed, event in seeds.items()
        if seed in arm.get(scenario, {})
    ]
    if not pairs:
        return None
    first, second = pairs.count((True, False)), pairs.count((False, True))
    return PairedEvents(
        both=pairs.count((True, True)),
        baseline_only=first,
        arm_only=second,
        neither=pairs.count((False, False)),
        p=_binomial(first, first + second),
    )


def _binomial(hits: int, of: int) -> float:
    if not of:
        return 1.0
    try:
        from scipy.stats import binomtest
    except ImportError:
        raise UserError(MISSING) from None
    return float(binomtest(hits, of).pvalue)
