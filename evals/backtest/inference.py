"""How far a mean over issues can be trusted: an interval and an exact test.

Issues are the unit: runs of one system on one issue repeat each other and say nothing about other
issues. Plain Python: the default install has no statistics library.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import exp, lgamma, log, sqrt
from statistics import fmean, stdev

from evals.evaluator import Value

MOST = 40
"""Up to how many differences signs are flipped exactly: two halves of 2^20 sums."""


class Paired(Value):
    """A mean of differences over issues, with its interval and test."""

    n: int
    """Issues that both sides were scored on."""
    mean: float | None
    """None without issues."""
    low: float | None
    """None with fewer than two issues."""
    high: float | None
    p: float | None
    """Exact, two-sided, by flipping signs; None with fewer than six issues (it could not fall
    below .05) or more than `MOST`."""
    better: int
    """Issues with a difference below 0."""
    worse: int
    """Issues with a difference above 0."""


def paired(differences: Sequence[float]) -> Paired:
    """The mean difference with a t interval, mean ± t(.975, n-1)·sd/√n, and a sign-flip test."""
    n = len(differences)
    mean = fmean(differences) if n else None
    low = high = None
    if mean is not None and n > 1:
        half = t_quantile(0.975, n - 1) * stdev(differences) / sqrt(n)
        low, high = mean - half, mean + half
    return Paired(
        n=n,
        mean=mean,
        low=low,
        high=high,
        p=sign_flip(differences) if 6 <= n <= MOST else None,
        better=sum(d < -_TIE for d in differences),
        worse=sum(d > _TIE for d in differences),
    )


_TIE = 1e-12
"""Below this a difference is rounding."""


def sign_flip(differences: Sequence[float]) -> float:
    """Share of all 2^n ways to sign the differences whose sum is at least as far from 0.

    Exact: Fisher's randomisation test for pairs (The Design of Experiments, 1935, section 21). The
    sums of two halves are sorted and matched, so 2^n ways take 2^(n/2) steps.

    Raises:
        ValueError: more than `MOST` differences are not 0.
    """
    sizes = [abs(d) for d in differences if abs(d) > _TIE]
    if len(sizes) > MOST:
        raise ValueError(f"signs are flipped exactly for up to {MOST} differences")
    seen = abs(sum(differences)) - _TIE * max(1, len(sizes))
    if seen <= 0:
        return 1.0
    left, right = _sums(sizes[::2]), sorted(_sums(sizes[1::2]))
    far = sum(len(right) - bisect_left(right, seen - one) for one in left)
    return float(min(1.0, 2 * far / 2 ** len(sizes)))


def _sums(sizes: Sequence[float]) -> list[float]:
    """The sum under every choice of signs."""
    sums = [0.0]
    for size in sizes:
        sums = [s + size for s in sums] + [s - size for s in sums]
    return sums


def t_quantile(level: float, df: int) -> float:
    """The value below which a t variable with `df` degrees of freedom falls with this probability.

    Found by halving on the distribution function, to about 1e-12.

    Raises:
        ValueError: `df` is not positive, or level not within [.5, 1).
    """
    if df <= 0 or not 0.5 <= level < 1:
        raise ValueError(f"no t quantile at level {level} with {df} degrees of freedom")
    low, high = 0.0, 1.0
    while t_cdf(high, df) < level:
        high *= 2
    while high - low > 1e-12 * max(1.0, high):
        middle = (low + high) / 2
        low, high = (middle, high) if t_cdf(middle, df) < level else (low, middle)
    return (low + high) / 2


def t_cdf(value: float, df: int) -> float:
    """Probability that a t variable with `df` degrees of freedom is at most `value`, value >= 0.

    1 - I(df/2, 1/2; df/(df + t²))/2 with the regularised incomplete beta function I.
    """
    return 1 - _incomplete_beta(df / 2, 0.5, df / (df + value * value)) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by its continued fraction where that converges."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = exp(a * log(x) + b * log(1 - x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
    return front / _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of DLMF 8.17.22, evaluated from far enough down."""
    value = 1.0
    for m in range(200, 0, -1):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m - 1) * (a + b + m - 1) * x / ((a + 2 * m - 2) * (a + 2 * m - 1))
        value = 1 + odd / (1 + even / value)
    return value
