"""What the values nobody has could do to a mean: its best and its worst case.

A mean over what could be scored is right only if what could not be is like the rest. Where more
than a fiftieth is missing that has to be shown, not assumed: the bounds put the lowest and the
highest value the metric can take in every gap. C. F. Manski, Partial Identification of Probability
Distributions (2003), chapter 1.
"""

from __future__ import annotations

from statistics import fmean
from typing import NamedTuple

from evals.comparison.pairing import Values
from evals.evaluator import Value

MOST_UNSCORED = 0.02
"""Share unscored up to which no bounds are shown."""


class Scored(NamedTuple):
    """One arm's values, and what is missing of them."""

    values: Values
    unscored: Values
    """Scenario -> seed -> the share of the debate's cases without a score, in [0, 1]; 1, or no
    value, for a debate that failed. A debate named in neither was never planned."""


class Bounds(Value):
    """How low and how high a number could be."""

    low: float
    high: float
    unscored: float
    """Share of what the number should stand on that is missing, weighed as the mean weighs it."""


def bounds(arm: Scored, *, low: float, high: float) -> Bounds | None:
    """Best and worst case of an arm's mean over scenario means.

    Args:
        arm: Values and what is missing.
        low: The lowest value the metric can take.
        high: The highest.

    Returns:
        None where at most `MOST_UNSCORED` is missing, or nothing was planned.

    Raises:
        ValueError: a value is not within low and high, or a share not in [0, 1].
    """
    whole = _whole(arm, low, high)
    return whole if whole is not None and whole.unscored > MOST_UNSCORED else None


def difference_bounds(baseline: Scored, arm: Scored, *, low: float, high: float) -> Bounds | None:
    """Best and worst case of the arm's mean less the baseline's, over scenarios planned for both.

    Returns:
        None where at most `MOST_UNSCORED` of either arm is missing, or they share no scenario;
        `unscored` is that of the arm with more.

    Raises:
        ValueError: a value is not within low and high, or a share not in [0, 1].
    """
    shared = _scenarios(baseline) & _scenarios(arm)
    one = _whole(_only(baseline, shared), low, high)
    other = _whole(_only(arm, shared), low, high)
    if one is None or other is None:
        return None
    unscored = max(one.unscored, other.unscored)
    if unscored <= MOST_UNSCORED:
        return None
    return Bounds(low=other.low - one.high, high=other.high - one.low, unscored=unscored)


def _whole(arm: Scored, low: float, high: float) -> Bounds | None:
    """The bounds, however little is missing; None where nothing was planned."""
    means = [_scenario(arm, name, low, high) for name in sorted(_scenarios(arm))]
    if not means:
        return None
    return Bounds(
        low=fmean(mean.low for mean in means),
        high=fmean(mean.high for mean in means),
        unscored=fmean(mean.unscored for mean in means),
    )


def _scenario(arm: Scored, name: str, low: float, high: float) -> Bounds:
    values, unscored = arm.values.get(name, {}), arm.unscored.get(name, {})
    cells = [
        _cell(values.get(seed), unscored.get(seed, 0.0), low, high)
        for seed in sorted({*values, *unscored})
    ]
    return Bounds(
        low=fmean(cell.low for cell in cells),
        high=fmean(cell.high for cell in cells),
        unscored=fmean(cell.unscored for cell in cells),
    )


def _cell(value: float | None, unscored: float, low: float, high: float) -> Bounds:
    if value is None:
        return Bounds(low=low, high=high, unscored=1.0)
    if not low <= value <= high or not 0 <= unscored <= 1:
        raise ValueError(
            f"value {value}, unscored {unscored}: expected within [{low}, {high}] and [0, 1]"
        )
    scored = 1 - unscored
    return Bounds(
        low=scored * value + unscored * low, high=scored * value + unscored * high,
        unscored=unscored,
    )  # fmt: skip


def _scenarios(arm: Scored) -> set[str]:
    named = {*arm.values, *arm.unscored}
    return {name for name in named if arm.values.get(name) or arm.unscored.get(name)}


def _only(arm: Scored, names: set[str]) -> Scored:
    return Scored(
        {name: seeds for name, seeds in arm.values.items() if name in names},
        {name: seeds for name, seeds in arm.unscored.items() if name in names},
    )
