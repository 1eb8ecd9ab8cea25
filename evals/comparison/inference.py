"""What an experiment's debates say about one arm, and about two.

The unit is the scenario: one item of the agenda, debated alone, or the setting where there are
several. Seeds of one scenario are averaged first, scenarios weigh alike, and every standard error
is one over scenarios. Debates, statements and claims as units would find differences that are not
there: two of five null experiments at a level of .05, with pooled statements.

Two tests. The one that decides is the t test over scenario differences, D / (sd(d_s)/√C) with C - 1
degrees of freedom: it goes with the interval, its power can be promised, and it can be adjusted for
many arms. The sign-flip test beside it is exact and asks for no distribution, but with C scenarios
its p cannot fall below 2/2^C, so with few of them and many arms it could never decide anything.
Where the two disagree the verdict says so.

With fewer than six scenarios no test is made: not even the exact one could come below .05, and the
t test would rest on a normal distribution nobody has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import StatisticsError, correlation, fmean
from typing import Literal, TypeAlias

from evals.comparison.distributions import least_found, t_cdf, t_quantile, two_sided
from evals.comparison.judge_error import JudgeError, through
from evals.comparison.pairing import Dropped, Pairs, ScenarioDifference, Values, check, pair
from evals.comparison.randomisation import TIE, sign_flip
from evals.comparison.spread import Components, components, variance
from evals.evaluator import Value

LEAST = 6
"""Fewest scenarios for a test: with five, the smallest p of the sign-flip test is .0625."""

MOST_FLIPPED = 32
"""Most scenarios for the sign-flip test: it takes 10 ms, twice that with every further pair, and
with so many it hardly differs from the t test any more."""

LEVEL = 0.95
"""Nominal coverage of the intervals."""

TOO_FEW = "too few scenarios for a test"
NONE_SHARED = "the arms have no scenario in common"
ONE = "one scenario says nothing about others: no interval"
UNBOUNDED = "with so few scenarios the judge's errors leave the true difference without bounds"
ALIKE = "every scenario has the same value: nothing tells how far another would be off"

Better: TypeAlias = Literal["higher", "lower"]
"""Which way of the metric is favourable."""


class Estimate(Value):
    """The mean of one arm over scenarios."""

    value: float | None
    """None without debates."""
    se: float | None = None
    """Standard error over scenarios; None with fewer than two."""
    low: float | None = None
    """Lower end of the t interval over scenario means."""
    high: float | None = None
    level: float = LEVEL
    scenarios: int = 0
    seeds: tuple[int, int] = (0, 0)
    """Fewest and most debates a scenario."""
    n: int = 0
    """Debates."""
    why: str = ""
    """Why there is no value, or no interval."""


class Effect(Value):
    """A difference, and how far it may be off."""

    value: float | None
    """The arm less the baseline, in the metric's unit; None where `why` says why."""
    se: float | None = None
    low: float | None = None
    high: float | None = None
    mde: float | None = None
    """The smallest true difference that an experiment like this finds with the power asked for,
    before p is adjusted for other arms; None without a test."""
    p_equivalence: float | None = None
    """TOST: the higher of two one-sided p against `smallest` above and below 0. At most alpha: the
    true difference is smaller than what matters. None without a test."""
    why: str = ""
    """Why there is no value, or no interval."""


class Difference(Value):
    """An arm against the baseline."""

    observed: Effect
    """As scored, or as the judge reports it."""
    corrected: Effect | None = None
    """The same with the judge's errors taken out; None where no judge's errors were given."""
    judge: JudgeError | None = None
    smallest: float | None
    """The smallest difference of interest, above 0 in the metric's unit."""
    better: Better | None
    """None where neither way is."""
    level: float = LEVEL
    alpha: float = 0.05
    power: float = 0.8
    p: float | None = None
    """Of the t test over scenarios, two-sided, not adjusted; None without a test. Where all
    scenarios differ alike t is undefined, and this is the sign-flip p."""
    p_flip: float | None = None
    """Of the exact sign-flip test; None without a test, or with more than `MOST_FLIPPED`
    scenarios."""
    correlation: float | None = None
    """Of the two arms' scenario means, in [-1, 1]: what pairing gains. None where an arm's are all
    alike, or with fewer than three scenarios."""
    components: Components | None = None
    """None where no scenario has two pairs of seeds."""
    scenarios: tuple[ScenarioDifference, ...] = ()
    """Every d_s, in order of name."""
    dropped: Dropped = Dropped()
    why: str = ""
    """Why no test was made."""

    @property
    def best(self) -> Effect:
        """The numbers to report: corrected where a judge's errors are known, else as observed."""
        return self.observed if self.corrected is None else self.corrected

    @property
    def n(self) -> int:
        """Pairs of debates."""
        return sum(each.pairs for each in self.scenarios)

    @property
    def seeds(self) -> tuple[int, int]:
        """Fewest and most pairs a scenario."""
        pairs = [each.pairs for each in self.scenarios] or [0]
        return min(pairs), max(pairs)


def arm_mean(values: Values) -> Estimate:
    """The mean over scenario means, each of the same weight, with a t interval over scenarios.

    Raises:
        ValueError: a value is not finite.
        UserError: scipy is not installed.
    """
    check(values)
    rows = [list(seeds.values()) for seeds in values.values() if seeds]
    if not rows:
        return Estimate(value=None, why="no debate has a value")
    means = [fmean(row) for row in rows]
    counts = [len(row) for row in rows]
    effect = _effect(means, None, 0.05, 0.8)
    return Estimate(
        value=effect.value, se=effect.se, low=effect.low, high=effect.high, why=effect.why,
        scenarios=len(rows), seeds=(min(counts), max(counts)), n=sum(counts),
    )  # fmt: skip


def compare(
    baseline: Values,
    arm: Values,
    *,
    smallest: float | None,
    better: Better | None,
    judge: JudgeError | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> Difference:
    """An arm less the baseline, over the debates that both held, paired by scenario and seed.

    Args:
        baseline: The baseline's values.
        arm: The arm's.
        smallest: The smallest difference of interest; None where nobody declared one, and then
            nothing can be found equivalent.
        better: Which way is favourable, None where neither is; changes no number, only the
            verdict.
        judge: The errors of the judge whose shares these are; None where code made the values, or
            where they are to be reported as the judge said them.
        alpha: Level of the two-sided test for which `mde` holds.
        power: Probability of finding it for which `mde` holds.

    Raises:
        ValueError: a value is not finite, or `smallest` is not above 0.
        UserError: scipy is not installed.
    """
    if smallest is not None and smallest <= 0:
        raise ValueError(f"a smallest difference of interest of {smallest}; above 0 is asked for")
    pairs = pair(baseline, arm)
    values = [each.value for each in pairs.scenarios]
    observed = _effect(values, smallest, alpha, power)
    p, p_flip, why = _tests(values, observed)
    return Difference(
        observed=observed,
        corrected=None if judge is None else _corrected(observed, len(values), smallest, judge),
        judge=judge,
        smallest=smallest,
        better=better,
        alpha=alpha,
        power=power,
        p=p,
        p_flip=p_flip,
        correlation=_correlation(pairs),
        components=components(pairs.differences),
        scenarios=pairs.scenarios,
        dropped=pairs.dropped,
        why=why,
    )


def _effect(values: Sequence[float], smallest: float | None, alpha: float, power: float) -> Effect:
    """The mean with its t interval; with six values or more, what a test needs."""
    n = len(values)
    if n < 2:
        return Effect(value=values[0], why=ONE) if n else Effect(value=None, why=NONE_SHARED)
    value, se = fmean(values), _sd(values) / sqrt(n)
    equivalence = _equivalence(value, se, n, smallest)
    if not se:
        return Effect(value=value, se=0.0, p_equivalence=equivalence, why=ALIKE)
    half = t_quantile((1 + LEVEL) / 2, n - 1) * se
    return Effect(
        value=value,
        se=se,
        low=value - half,
        high=value + half,
        mde=least_found(n - 1, alpha, power) * se if n >= LEAST else None,
        p_equivalence=equivalence,
    )


def _sd(values: Sequence[float]) -> float:
    """The standard deviation; 0 where it is rounding, which would make any mean significant."""
    sd = sqrt(variance(values))
    return sd if sd > TIE * max(1.0, *map(abs, values)) else 0.0


def _equivalence(
    value: float, se: float, n: int, smallest: float | None, judge: JudgeError | None = None
) -> float | None:
    """The p of two one-sided t tests (D. J. Schuirmann, J. Pharmacokin. Biopharm. 15 (1987)).

    Behind a judge the margins are smallest·J on the judge's scale, and J's own error is added. With
    no spread between scenarios the t test has no error to divide by; each is then a sign-flip test,
    whose smallest one-sided p is 1/2^n.
    """
    if smallest is None or n < LEAST:
        return None
    youden, doubt = (1.0, 0.0) if judge is None else (judge.youden, judge.variance)
    error = sqrt(se**2 + smallest**2 * doubt)
    room = smallest * youden - abs(value)
    by_t = t_cdf(-room / error, n - 1) if error else float(room <= 0)
    return by_t if se else max(by_t, 0.5**n)


def _tests(values: Sequence[float], observed: Effect) -> tuple[float | None, float | None, str]:
    """The p of the t test and of the sign-flip test, or why there are none."""
    n = len(values)
    if not n:
        return None, None, NONE_SHARED
    if n < LEAST:
        return None, None, TOO_FEW
    assert observed.value is not None
    assert observed.se is not None
    flipped = sign_flip(values) if n <= MOST_FLIPPED else None
    if observed.se:
        return two_sided(observed.value / observed.se, n - 1), flipped, ""
    return max(2 * 0.5**n, float(abs(observed.value) <= TIE)), flipped, ""


def _corrected(observed: Effect, n: int, smallest: float | None, judge: JudgeError) -> Effect:
    """The true difference behind what the judge reports; none behind a judge that may be blind."""
    if judge.against or observed.value is None or observed.se is None:
        why = judge.against or observed.why
        return Effect(value=None, why=why)
    quantile = t_quantile((1 + LEVEL) / 2, n - 1)
    true = through(observed.value, observed.se, quantile, judge)
    alike = observed.low is None
    return Effect(
        value=true.value,
        se=true.se,
        low=None if alike else true.low,
        high=None if alike else true.high,
        mde=None if observed.mde is None else observed.mde / judge.youden,
        p_equivalence=_equivalence(observed.value, observed.se, n, smallest, judge),
        why=observed.why or (UNBOUNDED if true.low is None else ""),
    )


def _correlation(pairs: Pairs) -> float | None:
    if len(pairs.scenarios) < 3:
        return None
    try:
        return correlation(
            [each.baseline for each in pairs.scenarios], [each.arm for each in pairs.scenarios]
        )
    except StatisticsError:  # one arm is the same everywhere: nothing to correlate
        return None
