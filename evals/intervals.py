"""Intervals for shares of few things.

Plain Python: the default install has no statistics library.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist


def wilson(hits: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a share of `hits` in `of`.

    With p = hits/of and z the (1 + level)/2 quantile of the normal distribution:

        (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)

    Unlike p ± 2 standard errors it stays inside [0, 1] and has a width at 0 and at n. Source: E. B.
    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927),
    209-212; recommended for small n by Brown, Cai and DasGupta, Statistical Science 16 (2001).

    It takes the cases to be independent, which the votes of one debate are not: read it as the
    least the uncertainty can be.

    Raises:
        ValueError: `of` is not positive, `hits` is not within 0..of, or level not within (0, 1).
    """
    if of <= 0 or not 0 <= hits <= of or not 0 < level < 1:
        raise ValueError(f"no interval for {hits} of {of} at level {level}")
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = hits / of
    spread = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    middle = share + z * z / (2 * of)
    scale = 1 + z * z / of
    # Exact ends: at 0 and n the formula is 0 and 1 up to rounding.
    low = 0.0 if hits == 0 else (middle - spread) / scale
    high = 1.0 if hits == of else (middle + spread) / scale
    return low, high


def gini(amounts: list[float]) -> float | None:
    """Gini coefficient of shares that are not negative: 0 all equal, (n-1)/n one has everything.

    Mean absolute difference over all ordered pairs, halved and divided by the mean. None where
    there are no amounts or they sum to 0.

    Raises:
        ValueError: an amount is negative.
    """
    if any(amount < 0 for amount in amounts):
        raise ValueError("the Gini coefficient is for amounts that are not negative")
    total = sum(amounts)
    if not total:
        return None
    differences = sum(abs(a - b) for a in amounts for b in amounts)
    return differences / (2 * len(amounts) * total)
