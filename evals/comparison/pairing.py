"""Two arms side by side: the debates that both held, scenario by scenario.

The scenario is the unit of analysis. Debates of one scenario under other seeds repeat each other
and say nothing about other scenarios, so they are averaged before anything is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from statistics import fmean
from typing import NamedTuple, TypeAlias

from evals.evaluator import Value

Values: TypeAlias = Mapping[str, Mapping[int, float]]
"""Scenario -> seed -> the metric's value in that debate of one arm; what is missing is absent."""


class ScenarioDifference(Value):
    """What one scenario says about two arms."""

    scenario: str
    value: float
    """d_s: the mean over its pairs of the arm's value less the baseline's."""
    pairs: int
    """Seeds that both arms have."""
    baseline: float
    """Mean of the baseline over those seeds."""
    arm: float


class Dropped(Value):
    """What was not compared because the other side lacks it."""

    scenarios: tuple[str, ...] = ()
    """Scenarios of either arm without one seed that both have."""
    baseline: int = 0
    """Debates of the baseline without a counterpart, those of dropped scenarios included."""
    arm: int = 0

    @property
    def words(self) -> str:
        """In a sentence; empty where nothing was dropped."""
        if not (self.baseline or self.arm):
            return ""
        without = f"; without a pair: {', '.join(self.scenarios)}" if self.scenarios else ""
        debates = "debate" if self.baseline == 1 else "debates"
        return (
            f"not compared for want of the other side: {self.baseline} {debates} of the baseline, "
            f"{self.arm} of the arm{without}"
        )


class Pairs(NamedTuple):
    """Two arms, seed by seed."""

    differences: tuple[tuple[float, ...], ...]
    """For each scenario that both have, the difference of each pair."""
    scenarios: tuple[ScenarioDifference, ...]
    dropped: Dropped


def pair(baseline: Values, arm: Values) -> Pairs:
    """Match the debates of two arms by scenario and seed.

    Raises:
        ValueError: a value is not finite.
    """
    check(baseline)
    check(arm)
    found, differences, alone = [], [], []
    for name in sorted({*baseline, *arm}):
        ours, theirs = arm.get(name, {}), baseline.get(name, {})
        seeds = sorted(ours.keys() & theirs.keys())
        if not seeds:
            alone.append(name)
            continue
        differences.append(tuple(ours[s] - theirs[s] for s in seeds))
        found.append(
            ScenarioDifference(
                scenario=name,
                value=fmean(differences[-1]),
                pairs=len(seeds),
                baseline=fmean([theirs[s] for s in seeds]),
                arm=fmean([ours[s] for s in seeds]),
            )
        )
    paired = sum(each.pairs for each in found)
    dropped = Dropped(
        scenarios=tuple(name for name in alone if baseline.get(name) or arm.get(name)),
        baseline=_debates(baseline) - paired,
        arm=_debates(arm) - paired,
    )
    return Pairs(tuple(differences), tuple(found), dropped)


def check(values: Values) -> None:
    """Refuse what is no number: it would spread into every mean without a word.

    Raises:
        ValueError: a value is not finite; the message names its debate.
    """
    for scenario, seeds in values.items():
        for seed, value in seeds.items():
            if not isfinite(value):
                raise ValueError(f"scenario {scenario!r}, seed {seed}: {value} is not finite")


def _debates(values: Values) -> int:
    return sum(map(len, values.values()))
