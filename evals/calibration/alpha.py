"""Agreement among those who label: judges with each other, people with each other.

Agreement says how repeatable labels are, not whether they are right: judges that share an error
agree perfectly. Whether they are right takes human labels, see measures.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from math import log2, sqrt
from types import ModuleType
from typing import Literal, NamedTuple, TypeAlias

from evals.calibration.measures import RESAMPLES, Estimate, kappa_of, nothing, resampled
from evals.evaluator import Value
from evals.intervals import wilson
from harness.errors import UserError

TARGET = 0.8
"""Krippendorff's customary level for relying on labels (Content Analysis, 2nd ed. 2004, ch. 11)."""

LEAST = 0.667
"""His lowest level even for tentative conclusions (the same place)."""

Reading: TypeAlias = Literal["reliable", "tentative", "unreliable", "unknown"]
"""At least .8; at least .667; below; no value."""

_Pattern: TypeAlias = tuple[int, ...]
"""How many judges gave a claim each label."""


class Alpha(Value):
    """Krippendorff's alpha across judges, and how it reads."""

    judges: tuple[str, ...]
    alpha: Estimate
    """1 is perfect agreement, 0 what chance would give. Its n is the claims with two labels or more
    and `unscored` the claims with fewer."""
    reading: Reading
    """By the value. Where the interval reaches into a lower reading, so may the truth."""


def alpha(
    labels_by_judge: Mapping[str, Sequence[str | None]],
    *,
    resamples: int = RESAMPLES // 2,
    seed: int = 0,
) -> Alpha:
    """Krippendorff's alpha for nominal labels, with a bootstrap interval over claims.

    Source: K. Krippendorff, Content Analysis (2nd ed. 2004), ch. 11, as computed by the package
    `krippendorff`. Units are claims; a missing label (None) is left out, not counted as a label.

    Raises:
        UserError: the package is not installed.
        ValueError: the judges' sequences differ in length.
    """
    claims = list(zip(*labels_by_judge.values(), strict=True))
    labels = sorted({label for claim in claims for label in claim if label is not None})
    patterns = Counter(
        tuple(claim.count(label) for label in labels)
        for claim in claims
        if sum(label is not None for label in claim) > 1
    )
    lost = len(claims) - patterns.total()
    why = _undefined(patterns)
    package = _package()

    def value(drawn: Mapping[_Pattern, int]) -> float | None:
        return None if _undefined(drawn) else _nominal(package, drawn)

    found = (
        nothing(why, patterns.total(), lost)
        if why
        else resampled(patterns, value, resamples=resamples, seed=seed, unscored=lost)
    )
    return Alpha(judges=tuple(labels_by_judge), alpha=found, reading=_reading(found.value))


def _package() -> ModuleType:
    try:
        import krippendorff
    except ImportError:
        raise UserError(
            "Krippendorff's alpha needs the package krippendorff, which is not installed: run "
            '`pip install "tracktwo[analysis]"`'
        ) from None
    return krippendorff


def _undefined(patterns: Mapping[_Pattern, int]) -> str:
    if not patterns:
        return "undefined: no claim has labels from two judges"
    seen = [sum(of) for of in zip(*patterns, strict=True)]
    if sum(map(bool, seen)) < 2:
        return "undefined: every label is the same, so chance alone would agree as well"
    return ""


def _nominal(package: ModuleType, patterns: Mapping[_Pattern, int]) -> float:
    counts = [pattern for pattern, times in patterns.items() for _ in range(times)]
    return float(package.alpha(value_counts=counts, level_of_measurement="nominal"))


def _reading(value: float | None) -> Reading:
    if value is None:
        return "unknown"
    return "reliable" if value >= TARGET else "tentative" if value >= LEAST else "unreliable"


def human_kappa(
    annotators: Mapping[str, Sequence[str | None]], *, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """Mean of Cohen's kappa over all pairs of people, over the claims that all of them labelled.

    It is the ceiling: a judge cannot be asked to agree with people more than they do.

    Raises:
        ValueError: fewer than two people, or sequences that differ in length.
    """
    if len(annotators) < 2:
        raise ValueError("agreement between people takes at least two of them")
    claims = list(zip(*annotators.values(), strict=True))
    whole = Counter(tuple(str(label) for label in claim) for claim in claims if None not in claim)
    lost = len(claims) - whole.total()
    return resampled(whole, _mean_kappa, resamples=resamples, seed=seed, unscored=lost)


def _mean_kappa(claims: Mapping[tuple[str, ...], int]) -> float | None:
    people = len(next(iter(claims), ()))
    total, pairs = 0.0, 0
    for one, two in combinations(range(people), 2):
        cells: Counter[tuple[str, str]] = Counter()
        for claim, count in claims.items():
            cells[claim[one], claim[two]] += count
        found = kappa_of(cells)
        if found is None:
            return None
        total, pairs = total + found, pairs + 1
    return total / pairs if pairs else None


class Dispute(Value):
    """A claim on which judges disagree."""

    claim: int
    """Its place in the sequences of labels, from 0."""
    labels: dict[str, str | None]
    """What each judge said; None where it gave no label."""
    entropy: float
    """Shannon entropy of the labels given, in bits: 1 is an even split between two."""


def disputed(labels_by_judge: Mapping[str, Sequence[str | None]]) -> tuple[Dispute, ...]:
    """The claims on which judges disagree, worst first: a queue for people, not for a coin.

    Worst is the highest entropy; among equals, the claim that comes first. A claim on which all
    labels given are the same is in no dispute, also where a judge gave none.

    Raises:
        ValueError: the judges' sequences differ in length.
    """
    claims = zip(*labels_by_judge.values(), strict=True)
    found = [
        Dispute(
            claim=at, labels=dict(zip(labels_by_judge, claim, strict=True)), entropy=_entropy(claim)
        )
        for at, claim in enumerate(claims)
        if len(set(claim) - {None}) > 1
    ]
    return tuple(sorted(found, key=lambda dispute: (-dispute.entropy, dispute.claim)))


def _entropy(claim: Sequence[str | None]) -> float:
    given = Counter(label for label in claim if label is not None)
    shares = [count / given.total() for count in given.values()]
    return -sum(part * log2(part) for part in shares)


class SelfPreference(Value):
    """Whether a judge is kinder to seats of its own model family than another family's judge is."""

    own_seats: Estimate
    """Own-family judge's favourable share less the other judge's, on the same claims made by seats
    of the own family, in [-1, 1]. A generally lenient judge has a gap here too."""
    other_seats: Estimate
    """The same gap on claims made by other seats: how much kinder the judge is to anybody."""
    net: Estimate
    """The first less the second: the preference that is left once general leniency is out."""


def self_preference(
    own_seats: Sequence[tuple[bool | None, bool | None]],
    other_seats: Sequence[tuple[bool | None, bool | None]],
    level: float = 0.95,
) -> SelfPreference:
    """The self-preference gap, beside the leniency it would be mistaken for.

    Each pair is one claim: whether the own-family judge labelled it favourably, whether the other
    family's judge did; None where unscored, which leaves the claim out.

    Newcombe's interval for paired shares is used for the gaps rather than a bootstrap, because gaps
    are small and claims few: with no claim in dispute a bootstrap gives an interval of width 0. The
    two gaps are of different claims, so their difference joins the intervals by square-and-add (G.
    Y. Zou and A. Donner, Statistics in Medicine 27 (2008), 1693-1702).
    """
    home, away = paired_gap(own_seats, level), paired_gap(other_seats, level)
    return SelfPreference(own_seats=home, other_seats=away, net=_difference(home, away, level))


def paired_gap(pairs: Sequence[tuple[bool | None, bool | None]], level: float = 0.95) -> Estimate:
    """Share of true firsts less share of true seconds, over pairs with both, in [-1, 1].

    Interval: method 10 of R. G. Newcombe, "Improved confidence intervals for the difference between
    binomial proportions based on paired data", Statistics in Medicine 17 (1998), 2635-2650: the two
    Wilson intervals joined with their correlation. Like McNemar's test it uses that the claims are
    the same, and it has a width where both always agree.
    """
    cells = Counter(pair for pair in pairs if None not in pair)
    n, lost = cells.total(), len(pairs) - cells.total()
    if not n:
        return nothing("no claim was scored by both judges", unscored=lost)
    both, first = cells[True, True], cells[True, False]
    second, neither = cells[False, True], cells[False, False]
    p, q = (both + first) / n, (both + second) / n
    p_low, p_high = wilson(both + first, n, level)
    q_low, q_high = wilson(both + second, n, level)
    phi = _correlation(both, first, second, neither)
    below = _joined(p - p_low, q_high - q, phi)
    above = _joined(p_high - p, q - q_low, phi)
    return Estimate(
        value=p - q, low=p - q - below, high=p - q + above, level=level, method="newcombe", n=n,
        unscored=lost,
    )  # fmt: skip


def _correlation(both: int, first: int, second: int, neither: int) -> float:
    """Phi of the 2x2 table, with Newcombe's continuity correction where it is positive."""
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    if not margins:
        return 0.0
    product = float(both * neither - first * second)
    if product > 0:
        product = max(0.0, product - (both + first + second + neither) / 2)
    return product / sqrt(margins)


def _joined(one: float, two: float, correlation: float = 0.0) -> float:
    return sqrt(max(0.0, one * one - 2 * correlation * one * two + two * two))


def _difference(one: Estimate, two: Estimate, level: float) -> Estimate:
    n, lost = one.n + two.n, one.unscored + two.unscored
    first, second = _reach(one), _reach(two)
    if first is None or second is None:
        return nothing(one.why or two.why, n, lost)
    value = first.value - second.value
    return Estimate(
        value=value, low=value - _joined(first.below, second.above),
        high=value + _joined(first.above, second.below), level=level, method="newcombe", n=n,
        unscored=lost,
    )  # fmt: skip


class _Reach(NamedTuple):
    """A value and how far its interval goes to both sides."""

    value: float
    below: float
    above: float


def _reach(found: Estimate) -> _Reach | None:
    if found.value is None or found.low is None or found.high is None:
        return None
    return _Reach(found.value, found.value - found.low, found.high - found.value)
