"""Proper scores of a distribution over outcomes, and the base rates a system has to beat.

A score is proper if nobody can do better than by saying what they believe: the expected score is
best for the true distribution. Both scores here are losses: 0 is perfect, more is worse.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import log

from evals.backtest.history import NONE

Shares = Mapping[str, float]
"""Outcome -> probability; sums to 1."""

PRIOR = 0.5
"""What is added to the count of every outcome before the log score, see `smoothed`."""


def brier(shares: Shares, right: Collection[str]) -> float:
    """The squared distance between the distribution and what happened, in [0, 2].

        sum over outcomes of (probability - 1 if it happened else 0)²

    Source: G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly
    Weather Review 78 (1950), 1-3; it is strictly proper (Gneiting and Raftery, JASA 102 (2007),
    359-378). 0: all on what happened; 2: all on one thing that did not.

    Args:
        shares: the distribution over the outcomes of one issue.
        right: what happened; several outcomes that the record cannot tell apart count as one.
    """
    merged = _merged(shares, right)
    hit = merged.pop("")
    return (1 - hit) ** 2 + sum(share**2 for share in merged.values())


def log_score(shares: Shares, right: Collection[str]) -> float:
    """Minus the natural logarithm of the probability of what happened, in [0, ∞), in nats.

    Source: I. J. Good, "Rational decisions", JRSS B 14 (1952), 107-114. A probability of 0 would
    cost without limit: smooth first.

    Raises:
        ValueError: the probability of what happened is 0.
    """
    hit = _merged(shares, right)[""]
    if hit <= 0:
        raise ValueError("the log score of something given no probability is not finite")
    return max(0.0, -log(hit))


def smoothed(shares: Shares, n: int, right: Collection[str]) -> Shares:
    """The distribution after `n` runs with one half added to the count of every outcome.

        (n · share + 1/2) / (n + C/2), with C outcomes, those in `right` counted as one

    The expected share under Jeffreys' prior; as a rule of prediction: Krichevsky and Trofimov, IEEE
    Transactions on Information Theory 27 (1981), 199-207. Add-one (Laplace) pulls more.

    Raises:
        ValueError: `n` is not positive.
    """
    if n <= 0:
        raise ValueError("nothing to smooth: no run was scored")
    merged = _merged(shares, right)
    first = next(iter(right))
    total = n + PRIOR * len(merged)
    return {key or first: (n * share + PRIOR) / total for key, share in merged.items()}


def _merged(shares: Shares, right: Collection[str]) -> dict[str, float]:
    """The outcomes in `right` as one, under the empty name; an outcome not named has 0."""
    if not right:
        raise ValueError("nothing is right: there is nothing to score against")
    merged = {"": sum(shares.get(outcome, 0.0) for outcome in right)}
    return merged | {outcome: share for outcome, share in shares.items() if outcome not in right}


def counted(outcomes: Sequence[str], every: Sequence[str]) -> Shares:
    """The share of each of `every` outcome among those that occurred.

    Raises:
        ValueError: none occurred.
    """
    if not outcomes:
        raise ValueError("no run was scored")
    return {outcome: outcomes.count(outcome) / len(outcomes) for outcome in every}


def nothing_agreed(every: Sequence[str]) -> Shares:
    """All on `none`."""
    return {outcome: float(outcome == NONE) for outcome in every}


def everything_agreed(every: Sequence[str]) -> Shares:
    """Nothing on `none`, the same on every option."""
    options = len(every) - 1
    return {outcome: 0.0 if outcome == NONE else 1 / options for outcome in every}


def anything(every: Sequence[str]) -> Shares:
    """The same on every option and on `none`."""
    return {outcome: 1 / len(every) for outcome in every}
