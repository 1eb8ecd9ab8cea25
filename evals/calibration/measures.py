"""How well a judge's labels agree with people's, as values that can be stored.

A judge's entry may be None: it gave no label that could be read. Such a claim is unscored; it is
counted by human label beside the table and is neither right nor wrong.

Intervals take the claims to be independent. Claims of one debate are not, so the true uncertainty
is larger. Plain Python: the default install has no statistics library.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Literal, TypeAlias, TypeVar

from pydantic import Field, model_validator

from evals.evaluator import Value
from evals.intervals import wilson

Method: TypeAlias = Literal["wilson", "bootstrap", "newcombe", "agresti-min", "fieller"]
"""How an interval was made; the function that makes it names the source."""

RESAMPLES = 2000
_UNDEFINED = 0.05
"""Share of resamples without a value above which an interval would describe the rest alone."""

Unit = TypeVar("Unit", bound=Hashable)


class Estimate(Value):
    """A number, what it stands on, and how far it may be off; or the reason why there is none."""

    value: float | None
    """None where `why` says why there is no value; never a stand-in such as 0."""
    low: float | None = None
    """Lower end of the interval. It may stand without a value: then it is all that is known."""
    high: float | None = None
    level: float = 0.95
    """Nominal coverage of the interval."""
    method: Method | None = None
    """None where there is no interval."""
    n: int = Field(default=0, ge=0)
    """How many claims the value stands on."""
    hits: int | None = None
    """The numerator, where the value is a share of claims."""
    unscored: int = Field(default=0, ge=0)
    """How many further claims had no label to count."""
    why: str = ""
    """Why there is no value, or no interval."""

    def shown(self, digits: int = 2) -> str:
        """A share in words: `0.13 [0.11, 0.15]`, clipped to [0, 1] where it has to be, saying so.

        The value itself stays as it is: cutting every negative estimate to 0 and averaging over
        debates would push the average up.
        """
        if self.value is None:
            return f"none ({self.why})"
        ends = "" if self.low is None or self.high is None else f" {self._ends(digits)}"
        clipped = _clip(self.value)
        note = "" if clipped == self.value else f" (clipped from {self.value:.{digits}f})"
        return f"{clipped:.{digits}f}{ends}{note}"

    def _ends(self, digits: int) -> str:
        low, high = _clip(self.low or 0.0), _clip(self.high or 0.0)
        return f"[{low:.{digits}f}, {high:.{digits}f}]"


def _clip(share: float) -> float:
    return min(1.0, max(0.0, share))


def nothing(why: str, n: int = 0, unscored: int = 0) -> Estimate:
    """The statement that there is no value, and why."""
    return Estimate(value=None, n=n, unscored=unscored, why=why)


def share(hits: int, of: int, level: float = 0.95, unscored: int = 0) -> Estimate:
    """`hits` in `of` with Wilson's interval; no value where `of` is 0."""
    if not of:
        return nothing("there was nothing to count", unscored=unscored)
    low, high = wilson(hits, of, level)
    return Estimate(
        value=hits / of, low=low, high=high, level=level, method="wilson", n=of, hits=hits,
        unscored=unscored,
    )  # fmt: skip


class Confusion(Value):
    """How often each label of the judge met each label of people."""

    labels: tuple[str, ...]
    """The classes, in the order of rows and columns."""
    counts: tuple[tuple[int, ...], ...]
    """A row for each human label, a column for each of the judge's."""
    unscored: tuple[int, ...]
    """For each human label, the claims on which the judge gave no label."""

    @model_validator(mode="after")
    def _square(self) -> Confusion:
        size = len(self.labels)
        if len(set(self.labels)) != size:
            raise ValueError("a label stands twice")
        if {len(self.counts), len(self.unscored), *map(len, self.counts)} - {size}:
            raise ValueError(f"the table does not have {size} rows and columns")
        return self

    @property
    def n(self) -> int:
        """Claims that both labelled."""
        return sum(map(sum, self.counts))

    def count(self, human: str, judge: str) -> int:
        """Claims with this human label and this label of the judge."""
        return self.counts[self.labels.index(human)][self.labels.index(judge)]

    def row(self, human: str) -> int:
        """Scored claims with this human label."""
        return sum(self.counts[self.labels.index(human)])

    def column(self, judge: str) -> int:
        """Claims to which the judge gave this label."""
        at = self.labels.index(judge)
        return sum(row[at] for row in self.counts)

    def against_rest(self, label: str) -> Confusion:
        """The same claims with two classes: the label, and `other` for all the rest."""
        both = self.count(label, label)
        missed, false = self.row(label) - both, self.column(label) - both
        at = self.labels.index(label)
        return Confusion(
            labels=(label, f"not {label}"),
            counts=((both, missed), (false, self.n - both - missed - false)),
            unscored=(self.unscored[at], sum(self.unscored) - self.unscored[at]),
        )


def confusion(
    human: Sequence[str], judge: Sequence[str | None], labels: Sequence[str] | None = None
) -> Confusion:
    """Count two aligned sequences of labels.

    Args:
        human: The label people gave to each claim.
        judge: The judge's label of the same claim; None where it is unscored.
        labels: The classes in the order wanted; without it, those that occur, sorted.

    Raises:
        ValueError: the sequences differ in length, or a label is none of `labels`.
    """
    pairs = Counter(zip(human, judge, strict=True))
    seen = {label for pair in pairs for label in pair if label is not None}
    classes = tuple(sorted(seen) if labels is None else labels)
    if unknown := sorted(seen.difference(classes)):
        raise ValueError(f"{unknown[0]!r} is none of the labels {', '.join(classes)}")
    return Confusion(
        labels=classes,
        counts=tuple(tuple(pairs[h, j] for j in classes) for h in classes),
        unscored=tuple(pairs[h, None] for h in classes),
    )


class ClassMeasures(Value):
    """How the judge does on one class, each a share with Wilson's interval and its n."""

    label: str
    sensitivity: Estimate
    """Of the claims people gave this label, those the judge gave it too."""
    specificity: Estimate
    """Of the claims people gave another label, those to which the judge did not give this one."""
    positive_value: Estimate
    """Positive predictive value: of the claims the judge gave this label, those people did too.
    It holds for the mix of labels in the gold, and for no other mix."""
    negative_value: Estimate
    """Negative predictive value: of those to which the judge did not give it, those people did not
    either. It holds for the mix of labels in the gold, and for no other mix."""


class Measures(Value):
    """A judge measured against people on the same claims."""

    confusion: Confusion
    unscored: Estimate
    """Share of the claims on which the judge gave no label."""
    classes: tuple[ClassMeasures, ...]
    agreement: Estimate
    """Share of the scored claims with the same label. High for a judge that always gives the most
    frequent label, so never read it alone."""
    balanced_accuracy: Estimate
    """Mean of the sensitivities over the labels people used; 1/labels is blind."""
    kappa: Estimate
    """Cohen's kappa between judge and people."""
    human_kappa: Estimate | None = None
    """Kappa between people, where several labelled: what a judge can at most be asked for."""


def measure(
    human: Sequence[str],
    judge: Sequence[str | None],
    labels: Sequence[str] | None = None,
    *,
    human_kappa: Estimate | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Measures:
    """Measure a judge against people; the arguments are those of `confusion` and `bootstrap`.

    `human_kappa` (see alpha.py) goes along where several people labelled the claims.
    """
    table = confusion(human, judge, labels)
    cells = _cells(table)
    lost = sum(table.unscored)
    return Measures(
        confusion=table,
        unscored=share(lost, lost + table.n),
        classes=tuple(_class(table, label) for label in table.labels),
        agreement=share(sum(cells[a, b] for a, b in cells if a == b), table.n, unscored=lost),
        balanced_accuracy=resampled(
            cells, _balanced_accuracy, resamples=resamples, seed=seed, unscored=lost
        ),
        kappa=resampled(cells, kappa_of, resamples=resamples, seed=seed, unscored=lost),
        human_kappa=human_kappa,
    )


def _cells(table: Confusion) -> Counter[tuple[str, str]]:
    return Counter(
        {(h, j): count for h in table.labels for j in table.labels if (count := table.count(h, j))}
    )


def _class(table: Confusion, label: str) -> ClassMeasures:
    (both, missed), (false, neither) = table.against_rest(label).counts
    lost = table.unscored[table.labels.index(label)]
    others = sum(table.unscored) - lost
    return ClassMeasures(
        label=label,
        sensitivity=share(both, both + missed, unscored=lost),
        specificity=share(neither, neither + false, unscored=others),
        positive_value=share(both, both + false),
        negative_value=share(neither, neither + missed),
    )


def _balanced_accuracy(cells: Mapping[tuple[str, str], int]) -> float | None:
    rows: Counter[str] = Counter()
    for (human, _), count in cells.items():
        rows[human] += count
    if not rows:
        return None
    return sum(cells.get((label, label), 0) / of for label, of in rows.items()) / len(rows)


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa between two classifications, in [-1, 1]: 0 is what chance alone would give.

    (p_o - p_e) / (1 - p_e) with p_o the observed share of agreement and p_e the share expected from
    the two marginals. Source: J. Cohen, "A Coefficient of Agreement for Nominal Scales",
    Educational and Psychological Measurement 20 (1960), 37-46. None where it is undefined: no
    pairs, or both always in one and the same class.
    """
    return kappa_of(Counter(pairs))


def kappa_of(cells: Mapping[tuple[str, str], int]) -> float | None:
    """Cohen's kappa, from how often each pair of labels occurs."""
    total = sum(cells.values())
    if not total:
        return None
    first, second = Counter[str](), Counter[str]()
    for (a, b), count in cells.items():
        first[a] += count
        second[b] += count
    observed = sum(count for (a, b), count in cells.items() if a == b) / total
    expected = sum(first[label] * second[label] for label in first) / (total * total)
    return None if expected == 1 else (observed - expected) / (1 - expected)


def flip_rate(first: Sequence[str | None], second: Sequence[str | None]) -> Estimate:
    """Retest noise: share of the claims whose label changes when the same judge is asked again.

    A claim that either run left unscored is in `unscored`, not in `n`.

    Raises:
        ValueError: the sequences differ in length.
    """
    pairs = [pair for pair in zip(first, second, strict=True) if None not in pair]
    return share(sum(a != b for a, b in pairs), len(pairs), unscored=len(first) - len(pairs))


def auc(
    positives: Sequence[float],
    negatives: Sequence[float],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Chance that a positive claim scores above a negative one, ties counting half; in [0, 1].

    The Mann-Whitney statistic over its maximum. Source: H. B. Mann and D. R. Whitney, Annals of
    Mathematical Statistics 18 (1947), 50-60; J. A. Hanley and B. J. McNeil, Radiology 143 (1982),
    29-36. Interval: percentile bootstrap over all claims.
    """
    cells = Counter([(score, True) for score in positives])
    cells.update((score, False) for score in negatives)
    return resampled(cells, _auc, resamples=resamples, seed=seed)


def _auc(cells: Mapping[tuple[float, bool], int]) -> float | None:
    above, below, wins = 0, 0, 0.0
    for score in sorted({score for score, _ in cells}):
        up, down = cells.get((score, True), 0), cells.get((score, False), 0)
        wins += up * (below + down / 2)
        above, below = above + up, below + down
    return wins / (above * below) if above and below else None


def resampled(
    units: Counter[Unit],
    statistic: Callable[[Mapping[Unit, int]], float | None],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
    unscored: int = 0,
) -> Estimate:
    """A statistic of claims with its bootstrap interval, or the reason why there is none."""
    n = units.total()
    value = statistic(units)
    if value is None:
        return nothing("undefined: no claims, or all of one kind", n, unscored)
    found = bootstrap(units, statistic, resamples=resamples, seed=seed, level=level)
    if found is None:
        return Estimate(
            value=value, n=n, unscored=unscored,
            why="no interval: the claims are too few or too alike for resampling to show how far "
            "the value may be off",
        )  # fmt: skip
    low, high = found
    return Estimate(
        value=value, low=low, high=high, level=level, method="bootstrap", n=n, unscored=unscored
    )


def bootstrap(
    units: Counter[Unit],
    statistic: Callable[[Mapping[Unit, int]], float | None],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of a statistic that depends on how often each kind occurs.

    Draws as many claims as there are, with replacement. Source: B. Efron, "Bootstrap Methods:
    Another Look at the Jackknife", Annals of Statistics 7 (1979), 1-26. The same claims in another
    order give the same interval.

    Returns:
        None where it would mislead: more than 5 % of the resamples have no value, or all have the
        same one, which would read as certainty.
    """
    kinds = sorted(units, key=repr)
    weights = [units[kind] for kind in kinds]
    rng = random.Random(seed)
    drawn = [
        statistic(Counter(rng.choices(kinds, weights, k=units.total()))) for _ in range(resamples)
    ]
    values = sorted(value for value in drawn if value is not None)
    if len(values) < (1 - _UNDEFINED) * resamples or values[0] == values[-1]:
        return None
    return _quantile(values, (1 - level) / 2), _quantile(values, (1 + level) / 2)


def _quantile(ordered: Sequence[float], at: float) -> float:
    """Linear interpolation between the two nearest of the ordered values."""
    place = at * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
