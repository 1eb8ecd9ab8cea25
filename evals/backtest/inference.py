"""How far a mean over issues can be trusted: an interval and an exact test.

Issues are the unit: runs of one system on one issue repeat each other and say nothing about other
issues.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

from evals.comparison.distributions import t_quantile
from evals.comparison.randomisation import MOST, TIE, sign_flip
from evals.evaluator import Value


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
    """The mean difference with a t interval, mean ± t(.975, n-1)·sd/√n, and a sign-flip test.

    Raises:
        UserError: scipy is not installed.
    """
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
        better=sum(d < -TIE for d in differences),
        worse=sum(d > TIE for d in differences),
    )
