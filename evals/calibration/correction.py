"""Estimates of how often a label truly holds, from a judge that errs and claims people labelled.

A judge's raw share is biased: one that finds a fifth of the contradictions reports a fifth of them.
How the bias can be taken out depends on how the claims for the gold were chosen, and only the user
knows that. So `correct` asks for the design.

Notation: h is the human label of a claim, f the judge's, c the label asked for, theta its true
share among the judged claims. N claims are judged only; m claims of the gold have both labels.

Random: the gold is a random sample of the same claims.
    The judge's error is measured on the gold and added, whatever the judge is like:

        theta = mean_N(f = c) + mean_m((h = c) - (f = c))

    Both means come from the same population, so the expectation is the true share. The variance is
    var(f = c)/N + var((h = c) - (f = c))/m. Source: A. N. Angelopoulos, S. Bates, C. Fannjiang, M.
    I. Jordan and T. Zrnic, "Prediction-powered inference", Science 382 (2023), 669-674. A blind
    judge only adds noise, so the power-tuned form weighs it by w in [0, 1],

        theta_w = w mean_N(f = c) + mean_m((h = c) - w (f = c)),
        w = cov(h = c, f = c) / ((1 + m/N) var(f = c)),

    which is the human labels alone at w = 0. Source: A. N. Angelopoulos, J. C. Duchi and T. Zrnic,
    "PPI++: Efficient prediction-powered inference", arXiv 2311.01453 (2023).

Balanced: the gold has about as many claims of each label, chosen or written that way.
    Then the formulas above are wrong. Their second mean is taken over the gold's mix of labels, so
    it is the error the judge would make if the transcripts had that mix, and no number of gold
    claims mends it. Predictive values do not carry over either: P(h | f) moves with the mix. What
    may carry over are the rows of the confusion matrix, A[h][f] = P(f | h): how the judge labels a
    claim, given what the claim truly is. This is the label-shift assumption. With pi[h] the true
    shares in the transcripts, the judge's shares there are q[f] = sum_h pi[h] A[h][f], and so

        theta = pi[c] = sum_f q[f] W[f][c],    W the inverse of A.

    In words: each label of the judge is replaced by the score W[f][c], whose mean over gold claims
    is 1 where c is true and 0 where another label is, and the score is averaged over the judged
    claims. Weighting the prediction-powered error by the transcripts' own mix,
    theta = q[c] + sum_h pi[h] ((h = c) - A[h][c]), has this same solution. For two labels it is W.
    J. Rogan and B. Gladen, American Journal of Epidemiology 107 (1978), 71-76; in general see Z. C.
    Lipton, Y.-X. Wang and A. J. Smola, "Detecting and correcting for label shift with black box
    predictors", ICML (2018).

    The whole matrix is used rather than one label against the rest: the false alarms among "the
    rest" depend on which labels the rest consists of, and that mix shifts too. Merging labels is
    harmless only where the judge treats them alike.

    Interval. Errors of q and of the rows are independent multinomials, and to first order they
    reach theta as mean_N w - sum_h pi[h] mean_{gold h} w with w[f] = W[f][c]. Let r be the range of
    w (for two labels 1/(sensitivity + specificity - 1)), taken on between the judge's labels f and
    g, and s[h] = (W[f][h] - W[g][h]) / r, which sums to 0 and has s[c] = 1. If the true share is t,
    the error of (theta - t)/r is of the same form with the mix pi[h] + (t - theta) s[h], so

        V(t) = var(w)/N + sum_h (pi[h] + (t - theta) s[h])^2 var_h(w)/m_h

    and the interval is all t with (theta - t)^2 <= z^2 V(t). At t = theta this is the delta method;
    as a whole it is Fieller's interval for a ratio (E. C. Fieller, JRSS B 16 (1954), 175-185) with
    1/r as the denominator. It widens as 1/r nears 0, where the confusion matrix has no inverse, and
    once 1/r is hardly distinguishable from 0 there is no value: the gold does not show that the
    judge tells the label apart.

    Where it fails: if claims in transcripts are harder for the judge than those of the gold with
    the same label, the rows differ and the estimate is wrong with no sign of it. Only one such case
    shows in the data, and there is no value then: shares of the judge that no mix of the gold's
    labels could produce.

Everything is about the claims the judge could score; the unscored ones are counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import Literal, NamedTuple, TypeAlias

from pydantic import Field

from evals.calibration.measures import Confusion, Estimate, nothing, share
from evals.evaluator import Value

Design: TypeAlias = Literal["random", "balanced"]
"""How the gold was chosen: `random`, a random sample of the judged claims; `balanced`, by label."""

MIN_GOLD = 20
"""Fewest claims of a random gold for an estimate. In simulations with judges from blind to nearly
perfect and true shares from .05 to .5, intervals covered at .93 or more from there on."""

MIN_PER_LABEL = 15
"""Fewest claims of each label of a balanced gold; there intervals covered at .92 or more."""

MIN_YOUDEN = 0.4
"""Least sensitivity + specificity - 1 for a Rogan-Gladen estimate beside the others. Below it, its
errors are more than 2.5 times those of the judge's share."""

APART = 3.0
"""Standard errors by which 1/r must differ from 0 for a label-shift value. With two labels a blind
judge gets there once in 370 golds, and its values would be anything."""

_IMPOSSIBLE = 0.999
"""Level at which a share outside [0, 1] counts against the label-shift assumption."""


class Tally(Value):
    """How often a judge gave each label."""

    counts: dict[str, int]
    unscored: int = Field(default=0, ge=0)

    @property
    def n(self) -> int:
        """Claims with a label."""
        return sum(self.counts.values())


def tally(labels: Sequence[str | None]) -> Tally:
    """Count a judge's labels; None is unscored."""
    counts = Counter(label for label in labels if label is not None)
    return Tally(counts=dict(sorted(counts.items())), unscored=len(labels) - counts.total())


class Corrected(Value):
    """The share of one label: as judged, and as it is likely to be."""

    label: str
    design: Design
    raw: Estimate
    """The judge's share, with the interval of a judge that never errs."""
    prediction_powered: Estimate
    """The judge's share plus its error on the gold. Only where the gold is a random sample."""
    tuned: Estimate
    """The same with the judge weighed by its use. Only where the gold is a random sample."""
    weight: float | None = Field(default=None, ge=0, le=1)
    """What the judge weighs in `tuned`: 0 means that only the human labels count."""
    rogan_gladen: Estimate
    """(raw + specificity - 1) / (sensitivity + specificity - 1). Random sample, good judge only."""
    label_shift: Estimate
    """The judge's shares unmixed by its confusion matrix. Only where the gold is balanced."""
    human: Estimate
    """People's labels alone. Only where the gold is a random sample."""

    @property
    def best(self) -> Estimate:
        """The estimate to report: `tuned` for a random gold, `label_shift` for a balanced one."""
        return self.tuned if self.design == "random" else self.label_shift


def correct(
    label: str, judged: Tally, gold: Confusion, *, design: Design, level: float = 0.95
) -> Corrected:
    """Estimate the true share of a label among judged claims.

    Args:
        label: The label asked for.
        judged: The judge's labels of the claims nobody else labelled; those of the gold are not
            among them.
        gold: The same judge against people, on the claims people labelled.
        design: How those claims were chosen. Nothing in the numbers can tell, and the wrong answer
            gives a wrong estimate with a narrow interval.
        level: Coverage aimed at.

    Raises:
        ValueError: the label, or one in `judged`, is none of the gold's.
    """
    if unknown := sorted({label, *judged.counts}.difference(gold.labels)):
        raise ValueError(f"{unknown[0]!r} is none of the gold's labels {', '.join(gold.labels)}")
    raw = share(judged.counts.get(label, 0), judged.n, level, judged.unscored)
    if design == "balanced":
        absent = nothing("the gold was chosen by label: its mix is not that of these claims")
        return Corrected(
            label=label, design=design, raw=raw, prediction_powered=absent, tuned=absent,
            rogan_gladen=absent, human=absent, label_shift=label_shift(label, judged, gold, level),
        )  # fmt: skip
    weight = tuned_weight(label, judged, gold)
    return Corrected(
        label=label,
        design=design,
        raw=raw,
        prediction_powered=prediction_powered(label, judged, gold, level=level),
        tuned=prediction_powered(label, judged, gold, weight=weight, level=level),
        weight=weight,
        rogan_gladen=rogan_gladen(label, judged, gold, level),
        label_shift=nothing("for gold chosen by label; this is a random sample"),
        human=share(gold.row(label), gold.n, level, sum(gold.unscored)),
    )


def prediction_powered(
    label: str, judged: Tally, gold: Confusion, *, weight: float = 1.0, level: float = 0.95
) -> Estimate:
    """The share of a label from judged claims and a random sample of them that people labelled.

    See the formulas above; `weight` 1 is the plain form. The interval adds half a claim to each
    cell of the 2x2 table of the gold and one of each kind to the judged claims before it takes the
    normal interval (A. Agresti and Y. Min, Statistics in Medicine 24 (2005), 729-740, and Agresti
    and Coull, American Statistician 52 (1998), 119-126). Without that, and with a t quantile just
    as well, a judge that happens to be right on all of a small gold would seem never to err, and
    coverage falls to .65. The value itself has no such addition, so it may lie off the middle.
    """
    (both, missed), (false, neither) = gold.against_rest(label).counts
    n, m, said = judged.n, gold.n, judged.counts.get(label, 0)
    if m < MIN_GOLD or not n:
        why = f"{m} claims labelled by people, {MIN_GOLD} needed" if n else "no claim was judged"
        return nothing(why, n, judged.unscored)
    value = weight * said / n + (both + missed - weight * (both + false)) / m
    cells = [(1 - weight, both), (1.0, missed), (-weight, false), (0.0, neither)]
    error = sum(score * (count + 0.5) for score, count in cells) / (m + 2)
    spread = sum(score**2 * (count + 0.5) for score, count in cells) / (m + 2) - error**2
    rate = (said + 1) / (n + 2)
    reach = _z(level) * sqrt(weight**2 * rate * (1 - rate) / (n + 2) + spread / (m + 2))
    middle = weight * rate + error
    return Estimate(
        value=value, low=middle - reach, high=middle + reach, level=level, method="agresti-min",
        n=n + m, unscored=judged.unscored,
    )  # fmt: skip


def tuned_weight(label: str, judged: Tally, gold: Confusion) -> float:
    """What the judge should weigh in [0, 1] for the narrowest interval; 0 if it never varies."""
    (both, missed), (false, _) = gold.against_rest(label).counts
    n, m = judged.n, gold.n
    if not n or not m:
        return 0.0
    rate = (judged.counts.get(label, 0) + both + false) / (n + m)
    shared = both / m - (both + missed) / m * (both + false) / m
    spread = (1 + m / n) * rate * (1 - rate)
    return min(1.0, max(0.0, shared / spread)) if spread else 0.0


def rogan_gladen(label: str, judged: Tally, gold: Confusion, level: float = 0.95) -> Estimate:
    """The label-shift estimate of one label against the rest, for a judge good enough for it."""
    two = gold.against_rest(label)
    (both, missed), (false, neither) = two.counts
    if not both + missed or not false + neither:
        return nothing("the gold has claims on one side only", judged.n, judged.unscored)
    youden = both / (both + missed) + neither / (false + neither) - 1
    if youden < MIN_YOUDEN:
        why = f"sensitivity + specificity - 1 is {youden:.2f}, below {MIN_YOUDEN}"
        return nothing(why, judged.n, judged.unscored)
    said = judged.counts.get(label, 0)
    counts = {two.labels[0]: said, two.labels[1]: judged.n - said}
    merged = Tally(counts=counts, unscored=judged.unscored)
    return label_shift(label, merged, two, level, least=1)


def label_shift(
    label: str, judged: Tally, gold: Confusion, level: float = 0.95, *, least: int = MIN_PER_LABEL
) -> Estimate:
    """The share of a label from judged claims and gold with another mix of labels; see above.

    Variances are taken with two claims more in each row of the confusion matrix and among the
    judged claims, spread over the labels, for the reason given at `prediction_powered`.

    Args:
        label: The label asked for.
        judged: The judge's labels.
        gold: The judge against people.
        level: Coverage aimed at.
        least: Fewest scored gold claims of each label.

    Returns:
        Where the confusion matrix is too near to a singular one, no value, the reason, and the
        interval of all shares that the claims leave possible.
    """
    used = tuple(h for h in gold.labels if gold.row(h) or gold.column(h) or judged.counts.get(h))
    scarce = min(used, key=gold.row, default=None)
    if scarce is None or not judged.n:
        return nothing("no claim was judged", judged.n, judged.unscored)
    if label not in used or gold.row(scarce) < least:
        short = label if label not in used else scarce
        why = f"the gold has {gold.row(short)} scored claims labelled {short!r}, {least} needed"
        return nothing(why, judged.n, judged.unscored)
    unmixed = _unmix(used, judged, gold)
    if unmixed is None:
        return Estimate(
            value=None, low=0.0, high=1.0, level=level, method="fieller", n=judged.n,
            unscored=judged.unscored, why=_alike(used, gold),
        )  # fmt: skip
    for each in used:
        if unmixed.impossible(each):
            return nothing(
                f"the judge's labels fit no mix of the gold's: {each!r} would have a share of "
                f"{unmixed.shares[used.index(each)]:.2f}; it does not judge these claims as it "
                "judges the gold",
                judged.n, judged.unscored,
            )  # fmt: skip
    return unmixed.estimate(label, level, _alike(used, gold))


class _Unmixed(NamedTuple):
    """The judge's shares, solved for the true ones."""

    labels: tuple[str, ...]
    shares: list[float]
    """True shares; they sum to 1, and errors may carry one outside [0, 1]."""
    scores: list[list[float]]
    """W[f][h] of the module's formulas, a list over f for each h."""
    judged: Tally
    gold: Confusion

    def quadratic(self, label: str) -> tuple[float, float, float]:
        """V(t) = a + 2 b d + c d^2 with d = t - theta."""
        own = self.scores[self.labels.index(label)]
        f, g = own.index(max(own)), own.index(min(own))
        a = _variance([self.judged.counts.get(each, 0) for each in self.labels], own)
        b = c = 0.0
        for human, true, scores in zip(self.labels, self.shares, self.scores, strict=True):
            error = _variance([self.gold.count(human, each) for each in self.labels], own)
            slope = (scores[f] - scores[g]) / (own[f] - own[g])
            a, b, c = a + true**2 * error, b + true * slope * error, c + slope**2 * error
        return a, b, c

    def impossible(self, label: str) -> bool:
        """Whether the share lies outside [0, 1] by more than its error explains."""
        value = self.shares[self.labels.index(label)]
        d = min(1.0, max(0.0, value)) - value
        a, b, c = self.quadratic(label)
        return d * d > _z(_IMPOSSIBLE) ** 2 * (a + 2 * b * d + c * d * d)

    def estimate(self, label: str, level: float, blind: str) -> Estimate:
        """The share with Fieller's interval; `blind` is why there is no value, if there is none."""
        value = self.shares[self.labels.index(label)]
        parts = self.quadratic(label)
        low, high = _fieller(value, *(_z(level) ** 2 * part for part in parts))
        told = APART**2 * parts[2] < 1
        return Estimate(
            value=value if told else None, low=low, high=high, level=level, method="fieller",
            n=self.judged.n, unscored=self.judged.unscored, why="" if told else blind,
        )  # fmt: skip


def _fieller(value: float, a: float, b: float, c: float) -> tuple[float, float]:
    """All t with d^2 <= a + 2 b d + c d^2, d = t - value; within [0, 1] where it has no bound."""
    slope = 1 - c or 1e-12
    root = sqrt(max(0.0, b * b + slope * a))
    low, high = value + (b - root) / slope, value + (b + root) / slope
    if slope > 0:
        return low, high
    left = [
        t
        for t in (0.0, 1.0, low, high)
        if 0 <= t <= 1 and slope * (t - value) ** 2 - 2 * b * (t - value) - a <= 1e-9
    ]
    return min(left, default=0.0), max(left, default=1.0)


def _unmix(used: tuple[str, ...], judged: Tally, gold: Confusion) -> _Unmixed | None:
    scores = _inverse([[gold.count(h, f) / gold.row(h) for h in used] for f in used])
    if scores is None:
        return None
    said = [judged.counts.get(f, 0) / judged.n for f in used]
    shares = [sum(q * w for q, w in zip(said, own, strict=True)) for own in scores]
    return _Unmixed(used, shares, scores, judged, gold)


def _variance(counts: Sequence[int], scores: Sequence[float]) -> float:
    """Of the mean of a score over multinomial counts, with two claims more spread over them."""
    n, extra = sum(counts) + 2, 2 / len(counts)
    shares = [(count + extra) / n for count in counts]
    mean = sum(p * x for p, x in zip(shares, scores, strict=True))
    return (sum(p * x * x for p, x in zip(shares, scores, strict=True)) - mean * mean) / n


def _alike(used: tuple[str, ...], gold: Confusion) -> str:
    """The reason for an ill-conditioned matrix: the two labels the judge treats most alike."""

    def distance(a: str, b: str) -> float:
        gaps = (gold.count(a, f) / gold.row(a) - gold.count(b, f) / gold.row(b) for f in used)
        return sum(map(abs, gaps)) / 2

    pairs = [(distance(a, b), a, b) for i, a in enumerate(used) for b in used[i + 1 :]]
    gap, one, two = min(pairs, default=(0.0, used[0], used[0]))
    step = "merge the two or label more" if len(used) > 2 else "label more"
    return (
        f"the gold does not show that the judge tells the labels apart: on claims labelled {one!r} "
        f"and {two!r} its labels differ by {gap:.0%}; {step}"
    )


def _inverse(matrix: Sequence[Sequence[float]]) -> list[list[float]] | None:
    """Gauss-Jordan with row exchange; None for a matrix that has no inverse."""
    size = len(matrix)
    work = [[*row, *(float(i == j) for j in range(size))] for i, row in enumerate(matrix)]
    for at in range(size):
        best = max(range(at, size), key=lambda row: abs(work[row][at]))
        work[at], work[best] = work[best], work[at]
        pivot = work[at][at]
        if abs(pivot) < 1e-9:
            return None
        work[at] = [entry / pivot for entry in work[at]]
        for other in range(size):
            if other != at and (factor := work[other][at]):
                work[other] = [x - factor * y for x, y in zip(work[other], work[at], strict=True)]
    return [row[size:] for row in work]


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
