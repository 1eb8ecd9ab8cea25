"""Two sides of a few debates each: is what differs more than chance?

Plain Python but for the t quantile: the default install has no statistics library.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import comb, sqrt
from statistics import fmean, stdev

from evals.comparison.distributions import t_quantile
from harness.errors import UserError

ALPHA = 0.05


def exact_p(control: Mapping[str, int], changed: Mapping[str, int]) -> float:
    """Probability of counts as far apart or further, if both sides' outcomes were drawn alike.

    Fisher's exact test for two rows and any number of columns: of all tables with the same margins,
    the share of those no likelier than the one found. G. H. Freeman and J. H. Halton, Biometrika 38
    (1951), 141-149. Runs at one seed on both sides may hang together, which makes it cautious.

    Raises:
        ValueError: a side has no debate.
    """
    outcomes = [*{**control, **changed}]
    totals = [control.get(name, 0) + changed.get(name, 0) for name in outcomes]
    first, second = sum(control.values()), sum(changed.values())
    if not first or not second:
        raise ValueError("a side without debates cannot be compared")
    seen = 1
    for name, total in zip(outcomes, totals, strict=True):
        seen *= comb(total, control.get(name, 0))
    # (debates of the first side placed so far, ways) -> how many tables have that
    tables: Counter[tuple[int, int]] = Counter({(0, 1): 1})
    for total in totals:
        longer: Counter[tuple[int, int]] = Counter()
        for (placed, ways), count in tables.items():
            for here in range(min(total, first - placed) + 1):
                longer[placed + here, ways * comb(total, here)] += count
        tables = longer
    unlikely = sum(
        ways * count for (placed, ways), count in tables.items() if placed == first and ways <= seen
    )
    return unlikely / comb(first + second, first)


def t_interval(
    before: Sequence[float], after: Sequence[float]
) -> tuple[float | None, float | None, str]:
    """A 95 % t interval for the difference of two means, second less first, variance pooled.

    Returns:
        Its ends, or the reason why there are none.
    """
    if not after:
        return None, None, ""
    n, m = len(before), len(after)
    if n < 2 or m < 2:
        return None, None, "one debate a side says nothing about others"
    spread = ((n - 1) * stdev(before) ** 2 + (m - 1) * stdev(after) ** 2) / (n + m - 2)
    if spread == 0:
        return None, None, "all debates of a side are alike"
    try:
        half = t_quantile(0.975, n + m - 2) * sqrt(spread * (1 / n + 1 / m))
    except UserError as error:  # everything else here needs no package; say what is missing
        return None, None, str(error)
    difference = fmean(after) - fmean(before)
    return difference - half, difference + half, ""


def enough(issues: int) -> int:
    """Debates a side from which on outcomes that never agree show, among so many issues (Holm)."""
    return next(n for n in range(1, 100) if max(1, issues) * 2 / comb(2 * n, n) <= ALPHA)
