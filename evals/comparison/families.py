"""Many comparisons at once: how far a p has to be adjusted for those beside it.

Holm's for the primary metric, every arm against the baseline: the chance of even one difference
that is not there stays at alpha. Benjamini and Hochberg's for grids of secondary metrics: of what
is called a difference, a share of alpha is not there. All else is exploratory and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from evals.comparison.distributions import MISSING
from harness.errors import UserError


def holm(ps: Sequence[float | None]) -> tuple[float | None, ...]:
    """Adjusted p for a family of which none may be wrong, in the order given.

    The k-th smallest of m is multiplied by m - k + 1, and none falls below a smaller one's. S.
    Holm, Scandinavian Journal of Statistics 6 (1979), 65-70. Asks nothing of how the tests hang
    together, and arms that share a baseline do.

    Args:
        ps: In [0, 1]; None for a comparison without a test, which stays None and does not count.

    Raises:
        ValueError: a p is not in [0, 1].
    """
    return _tested(ps, _holm)


def benjamini_hochberg(ps: Sequence[float | None]) -> tuple[float | None, ...]:
    """As q values: the smallest share of false finds at which each comparison would be one.

    The k-th smallest of m is multiplied by m / k, and none exceeds a larger one's. Y. Benjamini and
    Y. Hochberg, JRSS B 57 (1995), 289-300. Holds for independent tests and for those that hang
    together positively, such as metrics of the same debates.

    Args:
        ps: In [0, 1]; None for a comparison without a test, which stays None and does not count.

    Raises:
        ValueError: a p is not in [0, 1].
        UserError: scipy is not installed.
    """
    return _tested(ps, _benjamini_hochberg)


def _tested(
    ps: Sequence[float | None], adjust: Callable[[Sequence[float]], list[float]]
) -> tuple[float | None, ...]:
    tested = [p for p in ps if p is not None]
    if wrong := [p for p in tested if not 0 <= p <= 1]:
        raise ValueError(f"{wrong[0]} is no p: it is not in [0, 1]")
    adjusted = iter(adjust(tested) if tested else [])
    return tuple(None if p is None else next(adjusted) for p in ps)


def _holm(ps: Sequence[float]) -> list[float]:
    adjusted, highest = [0.0] * len(ps), 0.0
    for rank, at in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[at]))
        adjusted[at] = highest
    return adjusted


def _benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    try:
        from scipy.stats import false_discovery_control
    except ImportError:
        raise UserError(MISSING) from None
    return [float(q) for q in false_discovery_control(ps)]
