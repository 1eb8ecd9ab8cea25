"""How much of something there will be, and between what it will lie. Knows nothing of debates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import pi, sqrt, tan
from statistics import NormalDist, fmean, variance
from typing import NamedTuple

LEVEL = 0.95
"""Nominal coverage of the intervals."""


class Amount(NamedTuple):
    """How much of something, and between what it will lie."""

    value: float
    low: float | None = None
    """None where there is nothing to tell the spread from."""
    high: float | None = None

    def __add__(self, other: object) -> Amount:
        """The sum of two; the intervals are added as those of independent amounts."""
        if not isinstance(other, Amount):
            return NotImplemented
        value = self.value + other.value
        if None in (self.low, self.high, other.low, other.high):
            return Amount(value)
        assert self.low is not None
        assert self.high is not None
        assert other.low is not None
        assert other.high is not None
        down = sqrt((self.value - self.low) ** 2 + (other.value - other.low) ** 2)
        up = sqrt((self.high - self.value) ** 2 + (other.high - other.value) ** 2)
        return Amount(value, max(0.0, value - down), value + up)


NOTHING = Amount(0.0, 0.0, 0.0)


def expected(
    known: Mapping[str, Sequence[float]], missing: Mapping[str, int], *, spread: bool = True
) -> Amount:
    """What debates to come will take in all, by scenario, from what others took.

    With `spread` a prediction interval: the debates to come vary like the known ones of a scenario,
    pooled over scenarios, and so does the mean they are told from. A scenario of which nothing is
    known differs from the others as those differ from each other, and all its debates do together.

    Args:
        known: what each debate took, by scenario.
        missing: how many are to come, by scenario.
        spread: whether the known ones are a sample of what the ones to come are.
    """
    mean = {scenario: fmean(took) for scenario, took in known.items()}
    usual = fmean(mean.values())
    value = sum(count * mean.get(scenario, usual) for scenario, count in missing.items())
    freedom = sum(len(took) - 1 for took in known.values())
    new = [count for scenario, count in missing.items() if scenario not in known]
    if not spread or (len(known) < 2 if new else freedom < 1):
        return Amount(value)
    squares = sum(variance(took) * (len(took) - 1) for took in known.values() if len(took) > 1)
    within = squares / freedom if freedom else 0.0
    if len(new) < len(missing) and not freedom:
        return Amount(value)
    total = sum(
        within * (count + count**2 / len(known[scenario]))
        for scenario, count in missing.items()
        if scenario in known
    )
    if new:
        between = variance(mean.values())
        total += between * (sum(n * n for n in new) + sum(new) ** 2 / len(known))
        total += within * sum(new)
    half = t_quantile((1 + LEVEL) / 2, len(known) - 1 if new else freedom) * sqrt(total)
    return Amount(value, max(0.0, value - half), value + half)


def t_quantile(share: float, freedom: int) -> float:
    """Student's t below which this share lies; from 3 degrees of freedom on within 1 percent.

    Abramowitz and Stegun (1964), 26.7.5, because scipy is no dependency of the harness; exact for 1
    and 2 degrees of freedom, where the expansion is too rough.
    """
    if freedom == 1:
        return tan(pi * (share - 0.5))
    if freedom == 2:
        return (2 * share - 1) * sqrt(2 / (4 * share * (1 - share)))
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + terms[0] / freedom + terms[1] / freedom**2 + terms[2] / freedom**3
