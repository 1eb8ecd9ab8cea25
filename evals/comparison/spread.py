"""Where differences come from: other scenarios, or another throw of the dice in the same one.

Only the first kind limits what more seeds can buy, so the two tell where to spend.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, sqrt
from statistics import fmean

from evals.evaluator import Value


def variance(values: Sequence[float]) -> float:
    """The unbiased variance of two values or more.

    `statistics.variance` is exact, in fractions, and takes most of the time of a comparison.
    """
    mean = fmean(values)
    return fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


class Components(Value):
    """The variance of paired differences, split in two.

    The model: the difference of one pair of debates is D + (scenario) + (seed), with the variances
    omega² and 2 sigma², so that Var(D) = omega²/C + 2 sigma²/(C S) over C scenarios of S seeds.
    """

    scenario: float
    """omega²: variance between scenarios of the true difference, in squares of the metric's unit.
    At least 0."""
    seed: float
    """sigma²: variance between debates of one scenario and arm. Half of that between pairs, so if
    seeds make the two debates of a pair alike, it is what is left once that is taken out."""
    truncated: bool = False
    """Whether the estimate of omega² was below 0 and stands at 0: the scenarios differ no more than
    the seeds explain."""

    @property
    def between(self) -> float:
        """omega: the standard deviation between scenarios."""
        return sqrt(self.scenario)

    @property
    def within(self) -> float:
        """sigma: the standard deviation between debates."""
        return sqrt(self.seed)


def components(differences: Sequence[Sequence[float]]) -> Components | None:
    """Split the variance of differences, one row for each scenario, one entry for each pair.

    Analysis of variance with unweighted means: 2 sigma² is the mean square within scenarios, and
    omega² the variance of the scenario means less 2 sigma² times the mean of 1/pairs. Both are
    unbiased whatever the number of pairs, but for the truncation of omega² at 0. Source: S. R.
    Searle, G. Casella and C. E. McCulloch, Variance Components (1992), chapters 3 and 4.

    Returns:
        None with fewer than two scenarios, or if none has two pairs: they cannot be told apart.
    """
    freedom = sum(len(row) - 1 for row in differences)
    if len(differences) < 2 or not freedom:
        return None
    means = [fmean(row) for row in differences]
    square = sum((d - m) ** 2 for row, m in zip(differences, means, strict=True) for d in row)
    pairs = square / freedom
    between = variance(means) - pairs * fmean([1 / len(row) for row in differences])
    return Components(scenario=max(0.0, between), seed=pairs / 2, truncated=between < 0)


def judge_variance(retest: float, claims: float) -> float:
    """sigma²_judge: how much of sigma² is the judge answering the same question differently.

    Two answers of a judge on a claim with the chance p of a label differ with probability
    2p(1 - p), twice the variance of one answer; a debate's share averages over its claims. So the
    variance is r/(2n) with r the share of labels that change when the same is asked again. r counts
    changes between any two labels, so for one label this is the most it can be. What it takes up of
    sigma² asking each claim more often can save, and more seeds as well.

    Args:
        retest: r, in [0, 1], as a calibration reports it.
        claims: n, claims a debate, at least 1; the harmonic mean where they differ.

    Raises:
        ValueError: a number is out of its range.
    """
    if not 0 <= retest <= 1 or claims < 1:
        raise ValueError(f"a retest share of {retest} over {claims} claims")
    return retest / (2 * claims)
