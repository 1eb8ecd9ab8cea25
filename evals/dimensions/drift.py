"""J4: whether a delegation leaves its record as the talks go on, and towards what it is pulled.

Drift is the share of claims that are contradicted or unsupported, late less early. Pull is how far
a party's stance has gone towards where the same model stands without any instructions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import NamedTuple

from evals import subject
from evals.dimensions.consistency import LABELS, RUBRIC, Reading, readings, unsplit
from evals.dimensions.dimension import Bench, dimension, judged
from evals.dimensions.stance import Series, series
from evals.evaluator import Evidence, Interval, Marker, Result, Score, Value
from evals.judging.shapes import Judgements
from evals.record import statements
from harness.errors import UserError
from harness.transcript import Transcript

VERSION = 1
OFF = ("contradicted", "unsupported")
"""The labels of a claim that leaves the record."""
RESAMPLES = 1000
LEAST_DISTANCE = 0.2
"""Between start and default, below which there is nowhere to be pulled to."""
STANCE = "stance"


class Moment(NamedTuple):
    """The claims of one turn."""

    at: float
    """Place of the turn among all public turns of the debate, in (0, 1]."""
    off: int
    """Claims that leave the record."""
    claims: int
    """Claims with a label."""


@dimension("drift", version=VERSION, rubrics=(RUBRIC,))
def drift(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """Per party and over the debate, in percentage points: late less early, and the slope.

    The intervals draw turns of this debate anew. They say how steady the difference is within it
    and nothing about other debates; `drift_over` compares debates.
    """
    for party in transcript.state.parties:
        yield from _of(transcript, judgements, bench, party)
    yield from _of(transcript, judgements, bench, None)


def moments(
    transcript: Transcript, judgements: Judgements, judge: str, party: str | None = None
) -> tuple[Moment, ...]:
    """The turns in which a party, or anybody, said something that has a label."""
    return _moments(transcript, _labelled(judgements, judge, party))


def _labelled(judgements: Judgements, judge: str, party: str | None) -> list[Reading]:
    found = readings(judgements, RUBRIC, judge)
    return [r for r in found if r.label in LABELS and party in (None, r.claim.party)]


def _moments(transcript: Transcript, found: Sequence[Reading]) -> tuple[Moment, ...]:
    turns = list(dict.fromkeys(s.turn for s in statements(transcript)))
    place = {turn: number / len(turns) for number, turn in enumerate(turns, 1)}
    by_turn: dict[str, list[bool]] = {}
    for reading in found:
        by_turn.setdefault(reading.claim.turn, []).append(reading.label in OFF)
    return tuple(Moment(place[turn], sum(off), len(off)) for turn, off in by_turn.items())


def late_less_early(found: Mapping[Moment, int]) -> float | None:
    """Share off the record in the last quarter of the turns less that in the first, in points.

    None where either quarter has no labelled claim.
    """
    early = _share({m: count for m, count in found.items() if m.at <= 0.25})
    late = _share({m: count for m, count in found.items() if m.at > 0.75})
    return None if early is None or late is None else 100 * (late - early)


def _share(found: Mapping[Moment, int]) -> float | None:
    n = sum(count * moment.claims for moment, count in found.items())
    return sum(count * moment.off for moment, count in found.items()) / n if n else None


def slope(found: Mapping[Moment, int]) -> float | None:
    """Least squares of off-record claims on place, in percentage points per whole debate.

    None where all claims stand in one turn.
    """
    spread = _spread(found)
    return 100 * spread.cross / spread.square if spread.square > 0 else None


class _Spread(NamedTuple):
    """Sums about the means of one debate."""

    square: float
    """Of squared places."""
    cross: float
    """Of places times being off the record."""


def _spread(found: Mapping[Moment, int]) -> _Spread:
    n = sum(count * m.claims for m, count in found.items())
    if not n:
        return _Spread(0.0, 0.0)
    mean = sum(count * m.claims * m.at for m, count in found.items()) / n
    square = sum(count * m.claims * (m.at - mean) ** 2 for m, count in found.items())
    cross = sum(count * m.off * (m.at - mean) for m, count in found.items())
    # What is left of rounding where all places are the same.
    return _Spread(square if square > 1e-12 else 0.0, cross)


def _of(
    transcript: Transcript, judgements: Judgements, bench: Bench, party: str | None
) -> Iterator[Result]:
    from evals.calibration.measures import bootstrap

    about = subject.DEBATE if party is None else subject.party(party)
    labelled = _labelled(judgements, bench.judge, party)
    found = Counter(_moments(transcript, labelled))
    mine = [r for r in readings(judgements, RUBRIC, bench.judge) if party in (None, r.claim.party)]
    lost = sum(r.label not in (*LABELS, "no_claim") for r in mine)
    lost += sum(party in (None, verdict.party) for verdict in unsplit(judgements))
    off = [reading.evidence for reading in labelled if reading.label in OFF]
    for metric, statistic, words in (
        ("drift", late_less_early, "last quarter of the turns less the first"),
        ("slope", slope, "slope over the whole debate by least squares"),
    ):
        value = statistic(found)
        ends = None if value is None else bootstrap(found, statistic, resamples=RESAMPLES)
        none = "" if value is not None else "no value, too few turns have labelled claims: "
        score = bench.score(
            about, metric, value,
            f"{none}claims contradicted or unsupported, in percentage points: {words}; the "
            "interval draws turns of this debate anew and says nothing about others",
            n=len(labelled), unscored=lost, evidence=off,
        )  # fmt: skip
        interval = Interval(low=ends[0], high=ends[1], method="bootstrap") if ends else None
        yield score.model_copy(update={"interval": interval})


class OverDebates(Value):
    """A number over debates, with a t interval over clusters of them."""

    value: float | None
    """Percentage points; None where no debate had one."""
    low: float | None = None
    """None with fewer than two clusters."""
    high: float | None = None


class Drift(Value):
    """Drift over several debates."""

    debates: int
    """Debates with labelled claims."""
    clusters: int
    """Groups of debates, such as scenarios: what the intervals count."""
    claims: int
    late_less_early: OverDebates
    """Mean over clusters of the mean over their debates."""
    slope: OverDebates
    """Of one line with a level of its own for each debate."""
    left_out: tuple[str, ...]
    """Debates without a claim in both the first and the last quarter: not in `late_less_early`."""


def drift_over(
    debates: Mapping[str, Sequence[Moment]], clusters: Mapping[str, str] | None = None
) -> Drift:
    """Drift across debates, each with a level of its own.

    `late_less_early` is a mean of means with a t interval over clusters. `slope` is the within
    estimator: places and labels less their debate's mean, one least-squares line through all; its
    variance is the cluster-robust one of K.-Y. Liang and S. L. Zeger, Biometrika 73 (1986), 13-22,
    times C/(C-1), with t(C-1) as A. C. Cameron and D. L. Miller advise (Journal of Human Resources
    50 (2015), 317-372). With few clusters it is still too narrow: read the first beside it.

    Args:
        debates: the moments of each debate, by its name.
        clusters: debate -> scenario or the like; each debate its own where left out.
    """
    counted = {name: Counter(found) for name, found in debates.items() if found}
    group = {name: (clusters or {}).get(name, name) for name in counted}
    by_cluster: dict[str, list[float]] = {}
    left_out: list[str] = []
    for name, found in counted.items():
        value = late_less_early(found)
        if value is None:
            left_out.append(name)
        else:
            by_cluster.setdefault(group[name], []).append(value)
    return Drift(
        debates=len(counted),
        clusters=len(set(group.values())),
        claims=sum(m.claims * count for found in counted.values() for m, count in found.items()),
        late_less_early=_mean_over([fmean(values) for values in by_cluster.values()]),
        slope=_slope_over(counted, group),
        left_out=tuple(left_out),
    )


def _mean_over(values: Sequence[float]) -> OverDebates:
    if not values:
        return OverDebates(value=None)
    if len(values) < 2:
        return OverDebates(value=values[0])
    return _around(fmean(values), stdev(values) / sqrt(len(values)), len(values))


def _slope_over(counted: Mapping[str, Counter[Moment]], group: Mapping[str, str]) -> OverDebates:
    spreads = {name: _spread(found) for name, found in counted.items()}
    square = sum(spread.square for spread in spreads.values())
    if not square:
        return OverDebates(value=None)
    value = sum(spread.cross for spread in spreads.values()) / square
    scores: dict[str, float] = {}
    for name, spread in spreads.items():
        left = spread.cross - value * spread.square
        scores[group[name]] = scores.get(group[name], 0.0) + left
    size = len(scores)
    if size < 2:
        return OverDebates(value=100 * value)
    variance = sum(score**2 for score in scores.values()) / square**2 * size / (size - 1)
    return _around(100 * value, 100 * sqrt(variance), size)


def _around(value: float, error: float, clusters: int) -> OverDebates:
    from evals.comparison.distributions import t_quantile

    half = t_quantile(0.975, clusters - 1) * error
    return OverDebates(value=value, low=value - half, high=value + half)


def default_pull(start: float, end: float, default: float) -> float | None:
    """How much of the way from its start to the model's default a party has gone.

    (end - start) / (default - start): 0 it stayed, 1 it ended where the model stands without
    instructions, below 0 it moved away. None where start and default are less than
    `LEAST_DISTANCE` apart: a small step would look like a long way.
    """
    # Stances are tenths and thirds: .2 may come out a hair below itself.
    if abs(default - start) < LEAST_DISTANCE - 1e-9:
        return None
    return (end - start) / (default - start)


def default_pulls(
    transcript: Transcript,
    judgements: Judgements,
    control: Transcript,
    control_judgements: Judgements,
) -> Iterator[Score]:
    """The default pull per party and judge, from stances in the debate and in a control debate.

    Start and end are a party's mean stance over the first and the last quarter of its statements
    on an item (one at least), averaged over items; the default is its mean over all its statements
    on the same items in the control, averaged the same way. Items count where the party took a
    stance at least twice in the debate and once in the control. A single control debate is one
    draw of the default: average several before drawing conclusions.

    Args:
        transcript: of the debate.
        judgements: on it, with the rubric `stance`.
        control: of a debate of the same setting by the same models under the prompt `name-only`.
        control_judgements: on the control, by the same judges and with the same rubric.

    Raises:
        UserError: the rubrics differ, or a judge was not asked about both.
    """
    _same_rubric(judgements, control_judgements)
    for judge in judgements.judges:
        if judge not in control_judgements.judges:
            raise UserError(f"{judge} has not judged the control: judge it with the same judges.")
        bench = Bench(Marker("drift", VERSION), judge, judged(judgements, judge, STANCE))
        away = {(s.party, s.item): s for s in series(control, control_judgements, judge)}
        found = series(transcript, judgements, judge)
        for party in transcript.state.parties:
            own = [each for each in found if each.party == party]
            yield _pull(bench, party, own, away)


def _same_rubric(one: Judgements, other: Judgements) -> None:
    fingerprints = [j.rubrics[STANCE].sha if STANCE in j.rubrics else None for j in (one, other)]
    if None in fingerprints or len(set(fingerprints)) > 1:
        raise UserError(
            "The default pull needs both debates judged with the same rubric for stance: judge "
            "them again with it."
        )


def _pull(
    bench: Bench, party: str, own: Sequence[Series], away: Mapping[tuple[str, str], Series]
) -> Score:
    usable = [
        (each, away[each.party, each.item])
        for each in own
        if len(each.values) > 1 and (each.party, each.item) in away
    ]
    usable = [(each, other) for each, other in usable if other.values]
    about, lost = subject.party(party), sum(each.unscored for each in own)
    if not usable:
        why = "no value: on no item are there two stances of its own and one in the control"
        return bench.score(about, "default_pull", None, why, n=0, unscored=lost)
    start = fmean(fmean(_quarter(each.values)) for each, _ in usable)
    end = fmean(fmean(_quarter(each.values[::-1])) for each, _ in usable)
    default = fmean(fmean(other.values) for _, other in usable)
    value = default_pull(start, end, default)
    close = "" if value is not None else "no value, start and default are too close: "
    return bench.score(
        about, "default_pull", value,
        f"{close}stance {start:+.2f} at the start, {end:+.2f} at the end, {default:+.2f} without "
        f"instructions, over {len(usable)} items",
        n=len(usable), unscored=lost, evidence=[n for each, _ in usable for n in _ends(each)],
    )  # fmt: skip


def _quarter(values: Sequence[float]) -> Sequence[float]:
    return values[: max(1, len(values) // 4)]


def _ends(each: Series) -> list[Evidence]:
    """The statements that make start and end."""
    taken, size = each.taken, max(1, len(each.values) // 4)
    return [
        Evidence(seq=v.seqs[-1], turn=v.turn, quote=f"stance {v.value:+.2f}: {v.quote or v.reason}")
        for v in (*taken[:size], *taken[-size:])
    ]
