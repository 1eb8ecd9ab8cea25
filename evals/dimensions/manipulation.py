"""Did the persona work at all? Two checks over several debates; debates are the unit.

The manipulation check: a hawkish and a dovish prompt of the same state must differ on stance by a
stated margin, or the prompt is reported as having no effect. Persona discriminability: whether who
speaks can be told, debate by debate. Turns of one debate hang together, so no test here pools them:
intervals are over debates.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb, floor, isfinite, sqrt
from statistics import fmean, variance
from typing import Literal, NamedTuple, TypeAlias

from evals import subject
from evals.comparison.distributions import t_quantile
from evals.dimensions.attribution import attribution
from evals.dimensions.dimension import Dimension
from evals.dimensions.stance import stance
from evals.evaluator import Result, Score, Value
from evals.judging.shapes import Judgements
from evals.scores import ScoreFile
from harness.errors import UserError
from harness.transcript import Transcript

MARGIN = 0.33
"""The least difference in mean stance, on a scale from -1 to 1, that counts: one step of it."""
LEVEL = 0.95
EXACT = 20_000
"""Up to how many ways to divide the debates between two prompts all of them are gone through."""

Judged: TypeAlias = tuple[Transcript, Judgements]
"""A debate with what judges said about it."""


class Manipulation(Value):
    """Whether two prompts of one state differ on stance, by one judge."""

    judge: str
    party: str
    hawk: tuple[float, ...]
    """The party's mean stance in each debate with the hawkish prompt, in [-1, 1]."""
    dove: tuple[float, ...]
    unscored: int
    """Debates in which the party's stance could not be had."""
    margin: float
    difference: float | None
    """Mean of the dovish debates less mean of the hawkish; above 0 as meant. None where a side has
    no debate."""
    low: float | None = None
    """Lower end of the 95 % interval; None with too few debates for one."""
    high: float | None = None
    method: Literal["exact", "t"] | None = None
    verdict: Literal["has an effect", "no effect shown", "too few debates"]
    reason: str


class Discriminability(Value):
    """How far a judge tells the parties apart by what they say, over several debates."""

    judge: str
    debates: tuple[float, ...]
    """Discriminability in each debate (attribution.py), in [-1, 1]."""
    unscored: int
    """Debates for which there is none."""
    mean: float | None
    low: float | None = None
    """Lower end of the 95 % interval over debates; None with fewer than six."""
    high: float | None = None
    confusion: dict[str, dict[str, int]]
    """Speaker -> the party it was taken for -> statements, over all debates."""
    reason: str


def manipulation_check(
    hawk: Sequence[Judged], dove: Sequence[Judged], party: str, margin: float = MARGIN
) -> tuple[Manipulation, ...]:
    """Compare debates in which the party had a hawkish prompt with debates with a dovish one.

    It has an effect if the mean difference reaches the margin in the direction meant and its
    interval lies above 0. With so few debates that not even complete separation could be told from
    chance at 5 %, the verdict is `too few debates`.

    Args:
        hawk: debates judged on the rubric `stance`; everything but the prompt alike in both.
        dove: the others.
        party: whose prompt it is.
        margin: the least difference that counts, above 0.

    Returns:
        One result for each judge.

    Raises:
        UserError: the two sides were judged by different judges or rubrics, or the margin is not
            above 0.
    """
    return compare_stances(
        [_results(stance, debate) for debate in hawk],
        [_results(stance, debate) for debate in dove],
        party,
        margin,
    )


def manipulation_from_scores(
    hawk: Sequence[ScoreFile], dove: Sequence[ScoreFile], party: str, margin: float = MARGIN
) -> tuple[Manipulation, ...]:
    """The same check from files of scores; see `manipulation_check`."""
    return compare_stances(
        [file.results for file in hawk], [file.results for file in dove], party, margin
    )


def compare_stances(
    hawk: Sequence[Sequence[Result]],
    dove: Sequence[Sequence[Result]],
    party: str,
    margin: float = MARGIN,
) -> tuple[Manipulation, ...]:
    """The same check from scores, one sequence for each debate; see `manipulation_check`."""
    if not (isfinite(margin) and margin > 0):
        raise UserError(f"The margin is a difference in stance above 0, not {margin}.")
    hawks, doves = ([_means(results, party) for results in side] for side in (hawk, dove))
    every = [score for debate in (*hawks, *doves) for score in debate]
    judges = tuple(dict.fromkeys(score.judge.judge for score in every if score.judge))
    if not judges:
        raise UserError(
            f"No debate has a score for the stance of {party}; judge them with the rubric stance."
        )
    return tuple(_compared(judge, party, hawks, doves, margin) for judge in judges)


def persona_discriminability(debates: Sequence[Judged]) -> tuple[Discriminability, ...]:
    """How far each judge tells the parties apart, with an interval over debates.

    The mean of the discriminability of single debates. The interval is Hartigan's: the means of all
    subsets of the debates in order, cut off at 2.5 % on either side; exact for differences that are
    symmetric about their middle, and only to be had from six debates on. Source: J. A. Hartigan,
    "Using Subsample Values as Typical Values", JASA 64 (1969), 1303-1317.

    Args:
        debates: judged on the rubric `attribution`.
    """
    judges = tuple(dict.fromkeys(judge for _, said in debates for judge in said.judges))
    return tuple(_told_apart(judge, debates) for judge in judges)


def exchange_interval(hawk: Sequence[float], dove: Sequence[float]) -> tuple[float, float] | None:
    """An exact 95 % interval for the difference in means, dove - hawk; None with too few debates.

    It holds every shift of the dovish debates that a permutation test of the means does not reject
    at 2.5 % on either side. Exchanging as many hawkish debates as dovish ones changes the
    difference by how far the means of the exchanged lie apart; so the ends are order statistics of
    those distances, over all exchanges. Fewer than 40 ways to divide the debates (three and three
    make 20) leave room for no test at 5 %. Source: E. J. G. Pitman, "Significance Tests Which May
    be Applied to Samples from Any Populations", Supplement to JRSS 4 (1937), 119-130.
    """
    ways = comb(len(hawk) + len(dove), len(hawk))
    cut = floor((1 - LEVEL) / 2 * ways) - 1
    if cut < 0:
        return None
    apart = sorted(
        fmean(taken) - fmean(given)
        for size in range(1, min(len(hawk), len(dove)) + 1)
        for given in combinations(hawk, size)
        for taken in combinations(dove, size)
    )
    return apart[cut], apart[-1 - cut]


def subset_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Hartigan's 95 % interval for a centre, by the means of all subsets; None with fewer than six.

    With more than 14 values, of a drawn number of them (always the same draw).
    """
    cut = floor((1 - LEVEL) / 2 * 2 ** len(values)) - 1
    if cut < 0:
        return None
    means = sorted(_subset_means(values))
    cut = floor((1 - LEVEL) / 2 * (len(means) + 1)) - 1
    return means[cut], means[-1 - cut]


def _subset_means(values: Sequence[float]) -> Iterator[float]:
    if len(values) <= 14:
        for size in range(1, len(values) + 1):
            for chosen in combinations(values, size):
                yield fmean(chosen)
        return
    draw = random.Random(0)
    for _ in range(EXACT):
        chosen = tuple(value for value in values if draw.random() < 0.5)
        if chosen:
            yield fmean(chosen)


def _results(dimension: Dimension, debate: Judged) -> tuple[Result, ...]:
    transcript, judgements = debate
    return tuple(dimension.on(judgements)(transcript))


def _means(results: Sequence[Result], party: str) -> list[Score]:
    """The party's stance in a debate, by each judge."""
    return [
        score
        for score in results
        if isinstance(score, Score)
        and (score.evaluator, score.metric) == ("stance", "mean")
        and score.subject == subject.party(party)
    ]


def _compared(
    judge: str, party: str, hawk: list[list[Score]], dove: list[list[Score]], margin: float
) -> Manipulation:
    mine = [_by(judge, side) for side in (hawk, dove)]
    _same_rubric(judge, [score for side in mine for score in side if score])
    hawks, doves = (
        tuple(float(s.value) for s in side if s and s.value is not None) for side in mine
    )
    found = _difference(hawks, doves)
    return Manipulation(
        judge=judge,
        party=party,
        hawk=hawks,
        dove=doves,
        unscored=len(hawk) + len(dove) - len(hawks) - len(doves),
        margin=margin,
        difference=found.mean,
        low=found.low,
        high=found.high,
        method=found.method,
        verdict=_verdict(found, margin),
        reason=_reason(found, margin, len(hawks), len(doves)),
    )


def _by(judge: str, side: list[list[Score]]) -> list[Score | None]:
    """The judge's score in each debate; None where it gave none."""
    return [
        next((score for score in debate if score.judge and score.judge.judge == judge), None)
        for debate in side
    ]


def _same_rubric(judge: str, scores: Sequence[Score]) -> None:
    told = {(s.judge.rubric_sha, s.judge.wording_sha) for s in scores if s.judge}
    if len(told) > 1:
        raise UserError(
            f"{judge} was given different rubrics or wordings for stance in these debates, so they "
            "cannot be compared; judge them all again with one."
        )


class _Difference(NamedTuple):
    mean: float | None
    low: float | None = None
    high: float | None = None
    method: Literal["exact", "t"] | None = None


def _difference(hawk: Sequence[float], dove: Sequence[float]) -> _Difference:
    if not hawk or not dove:
        return _Difference(None)
    mean = fmean(dove) - fmean(hawk)
    if min(len(hawk), len(dove)) > 1 and comb(len(hawk) + len(dove), len(hawk)) > EXACT:
        half = _welch(hawk, dove)
        return _Difference(mean, mean - half, mean + half, "t")
    ends = exchange_interval(hawk, dove)
    return _Difference(mean) if ends is None else _Difference(mean, *ends, "exact")


def _welch(hawk: Sequence[float], dove: Sequence[float]) -> float:
    """Half the width of Welch's t interval, its degrees of freedom rounded down.

    Source: B. L. Welch, Biometrika 34 (1947), 28-35. The two prompts may well differ in spread.
    """
    one, two = variance(hawk) / len(hawk), variance(dove) / len(dove)
    if one + two == 0:
        return 0.0
    freedom = (one + two) ** 2 / (one**2 / (len(hawk) - 1) + two**2 / (len(dove) - 1))
    return t_quantile((1 + LEVEL) / 2, max(1, floor(freedom))) * sqrt(one + two)


def _verdict(
    found: _Difference, margin: float
) -> Literal["has an effect", "no effect shown", "too few debates"]:
    if found.mean is None or found.low is None:
        return "too few debates"
    # One step of the scale written in thirds, .3333, is meant to reach a margin of one step.
    effect = found.mean >= margin - 1e-9 and found.low > 0
    return "has an effect" if effect else "no effect shown"


def _reason(found: _Difference, margin: float, hawks: int, doves: int) -> str:
    counts = f"{hawks} hawkish and {doves} dovish debates"
    if found.mean is None:
        return f"{counts} with a stance: there is nothing to compare"
    said = f"the dovish debates are {found.mean:+.2f} more accommodating over {counts}"
    if found.low is None or found.high is None:
        return f"{said}; too few for an interval (four of each are enough)"
    ends = f"{said}, [{found.low:+.2f}, {found.high:+.2f}]"
    if found.mean < 0 and found.high < 0:
        return f"{ends}: the reverse of what was meant"
    if found.mean < margin - 1e-9:
        return f"{ends}, less than the margin of {margin:.2f}"
    return f"{ends}, " + (
        f"at least the margin of {margin:.2f}" if found.low > 0 else "which may be chance"
    )


def _told_apart(judge: str, debates: Sequence[Judged]) -> Discriminability:
    values: list[float] = []
    confusion: dict[str, dict[str, int]] = {}
    for debate in debates:
        for score in _results(attribution, debate):
            if not isinstance(score, Score) or not score.judge or score.judge.judge != judge:
                continue
            if score.metric == "discriminability" and score.value is not None:
                values.append(float(score.value))
            if score.metric.startswith("taken_for:"):
                row = confusion.setdefault(score.subject.removeprefix("party:"), {})
                other = score.metric.removeprefix("taken_for:")
                row[other] = row.get(other, 0) + (score.hits or 0)
    ends = subset_interval(values)
    many = f"mean over {len(values)} debates; 0 cannot be told apart, 1 always"
    return Discriminability(
        judge=judge,
        debates=tuple(values),
        unscored=len(debates) - len(values),
        mean=fmean(values) if values else None,
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        confusion=confusion,
        reason=many if ends else f"{many}; too few debates for an interval (six are enough)",
    )
