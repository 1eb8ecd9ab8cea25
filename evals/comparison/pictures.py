"""The drawings of a result: which marks they have, and where a mark leads.

A difference leads to the place on the page that lists its debates, a debate to its transcript.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple
from urllib.parse import quote

from evals.comparison import shown, svg
from evals.comparison.facts import NONE
from evals.comparison.inference import Difference
from evals.comparison.shapes import Observation, Results, Row
from evals.comparison.shown import Numbers
from evals.comparison.svg import Bar, Part, Point, Scale, Track
from harness.experiment.shapes import Metric


class Figure(NamedTuple):
    """One arm, scenario by scenario."""

    arm: str
    said: str
    """What it shows, for those who do not see it."""
    scale: Scale
    tracks: tuple[Track, ...]
    bar: Bar | None = None
    band: tuple[float, float] | None = None


class Debate(NamedTuple):
    """A debate as a link."""

    seed: int
    name: str
    href: str
    said: str
    """Its value, or that it has none."""
    why: str


class Place(NamedTuple):
    """Where the page lists the debates of an arm on a scenario."""

    id: str
    debates: tuple[Debate, ...]


class Debates(NamedTuple):
    """The debates of one circumstance, each to be opened."""

    variation: str | None
    scenarios: tuple[tuple[str, tuple[Place, ...]], ...]
    """Each with a place for every arm."""


class Agreed(NamedTuple):
    """A cell of the agreement matrix."""

    share: str
    option: str
    """The most frequent one; empty where nothing was ever agreed."""
    parts: tuple[Part, ...]
    said: str


class Pictures:
    """The drawings of a result, with arms and scenarios in one order everywhere."""

    def __init__(self, results: Results, base: str) -> None:
        """Take the result, and the way from the page to the transcripts."""
        primary = results.experiment.primary
        rows = [r for r in results.rows if (r.metric.metric, r.metric.of) == _key(primary)]
        seen = results.observations
        paired = (d.scenario for row in rows if row.difference for d in row.difference.scenarios)
        self.results = results
        self.base = base
        self.arms = once((*(r.name for r in rows if r.kind != "computed"), *(o.arm for o in seen)))
        self.scenarios = once((*(o.scenario for o in seen), *paired))
        self.variations = once(o.variation for o in seen)
        self.own = [o for o in seen if self._is_own(o)]

    def _is_own(self, seen: Observation) -> bool:
        """Whether it is of the primary metric."""
        return (seen.metric, seen.of) == _key(self.results.experiment.primary)

    def in_order(self, names: Iterable[str]) -> tuple[str, ...]:
        """Arms as the tables have them, then those that the tables do not know."""
        known = {name: rank for rank, name in enumerate(self.arms)}
        return tuple(sorted(names, key=lambda name: (known.get(name, len(known)), name)))

    def place(self, variation: str | None, scenario: str, arm: str) -> str:
        """The id of the place that lists these debates: numbers, as a name can be anything."""
        which = 0 if variation is None else 1 + self.variations.index(variation)
        return f"d{which}-{self.scenarios.index(scenario)}-{self.arms.index(arm)}"

    def href(self, debate: str) -> str:
        """Where a transcript lies, seen from the page; nothing in a name can lead elsewhere."""
        folder = quote(self.base, safe="/")
        join = "/" if folder and not folder.endswith("/") else ""
        return f"{folder}{join}{quote(debate, safe='')}.jsonl"

    def differences(self, rows: Sequence[Row], say: Numbers) -> Iterator[Figure]:
        """Every arm's scenario differences."""
        compared = [(r, r.difference) for r in rows if r.kind == "arm" and r.difference is not None]
        on = scale_of([d for _, d in compared], svg.NAMES, svg.EDGE, dots=True)
        for row, difference in compared:
            yield Figure(
                arm=row.name,
                said=shown.forest(row, say),
                scale=on,
                tracks=tuple(self._difference_tracks(row.name, difference, say, on)),
                bar=svg.bar(difference.best, on),
                band=svg.band(difference.smallest, on),
            )

    def _difference_tracks(
        self, arm: str, difference: Difference, say: Numbers, on: Scale
    ) -> Iterator[Track]:
        of = {each.scenario: each for each in difference.scenarios}
        for index, name in enumerate(self.scenarios):
            if (d := of.get(name)) is None:
                yield svg.track(name, index, (), on, mean=None, note="no pair")
                continue
            said = (
                f"{name}: {say.signed(d.value)}; {arm} {say.plain(d.arm)}, baseline "
                f"{say.plain(d.baseline)}, {d.pairs} pairs of debates"
            )
            point = Point(d.value, f"#{self.place(None, name, arm)}", said)
            yield svg.track(name, index, (point,), on, mean=None)

    def spreads(self, say: Numbers) -> Iterator[Figure]:
        """Every arm's values by scenario and seed."""
        held = [o for o in self.own if o.variation is None]
        arms = self.in_order({o.arm for o in held})
        cells = {(o.arm, o.scenario) for o in held if o.value is not None}
        values = [o.value for o in held if o.value is not None]
        whole = len(values) == len(held) and len(cells) == len(arms) * len(self.scenarios)
        on = svg.scale(values, svg.NAMES, svg.EDGE if whole else svg.NOTES)
        for arm in arms:
            tracks = (
                self._spread_track(index, name, [o for o in held if o.arm == arm], say, on)
                for index, name in enumerate(self.scenarios)
            )
            said = f"{arm}: one dot a debate, a line at the mean of each scenario"
            yield Figure(arm=arm, said=said, scale=on, tracks=tuple(tracks))

    def _spread_track(
        self, index: int, scenario: str, held: Sequence[Observation], say: Numbers, on: Scale
    ) -> Track:
        seen = sorted((o for o in held if o.scenario == scenario), key=_by_seed)
        points = [
            Point(o.value, self.href(o.debate), _said(o, say)) for o in seen if o.value is not None
        ]
        mean = fmean(point.value for point in points) if points else None
        return svg.track(scenario, index, points, on, mean=mean, note=_missing(seen))

    def debates(self, say: Numbers) -> Iterator[Debates]:
        """All debates, the comparison's own first, then those of each circumstance."""
        # The comparison's own are listed even where there are none: dots lead there.
        held: dict[str | None, dict[tuple[str, str], dict[str, Observation]]] = {None: {}}
        for seen in (*self.results.observations, *self.own):
            there = held.setdefault(seen.variation, {})
            there.setdefault((seen.scenario, seen.arm), {})[seen.debate] = seen
        for variation, of in held.items() if self.scenarios else ():
            rows = ((s, tuple(self._places(variation, s, of, say))) for s in self.scenarios)
            yield Debates(variation, tuple(rows))

    def _places(
        self,
        variation: str | None,
        scenario: str,
        held: dict[tuple[str, str], dict[str, Observation]],
        say: Numbers,
    ) -> Iterator[Place]:
        for arm in self.arms:
            seen = sorted(held.get((scenario, arm), {}).values(), key=_by_seed)
            place = self.place(variation, scenario, arm)
            yield Place(place, tuple(self._debate(each, say) for each in seen))

    def _debate(self, seen: Observation, say: Numbers) -> Debate:
        known = self._is_own(seen)
        said = (say.plain(seen.value) if seen.value is not None else _kind(seen)) if known else ""
        return Debate(seen.seed, seen.debate, self.href(seen.debate), said, seen.why)

    def matrix(self) -> Iterator[tuple[str, tuple[Agreed, ...]]]:
        """Issue by issue, what each arm agreed."""
        agreement = self.results.agreement
        arms = self.in_order(agreement)
        for issue in dict.fromkeys(issue for arm in arms for issue in agreement[arm]):
            yield issue, tuple(_agreed(agreement[arm].get(issue, {})) for arm in arms)


def scale_of(
    differences: Iterable[Difference],
    left: float = svg.FOREST_MARGIN,
    right: float = svg.FOREST_WIDTH - svg.FOREST_MARGIN,
    *,
    dots: bool = False,
) -> Scale:
    """The axis that differences share.

    Args:
        differences: Those that stand on it.
        left: Where it begins.
        right: Where it ends.
        dots: Whether the scenarios stand on it too.
    """
    given = tuple(differences)
    seen = [each.value for d in given for each in d.scenarios] if dots else []
    effects, smallest = [d.best for d in given], [d.smallest for d in given]
    return svg.difference_scale(effects, smallest, seen, left, right)


def once(names: Iterable[str | None]) -> tuple[str, ...]:
    """The names that are there, each once, in the order in which they come."""
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _key(metric: Metric) -> tuple[str, str]:
    return metric.metric, metric.of


def _by_seed(seen: Observation) -> tuple[int, str]:
    return seen.seed, seen.debate


def _said(seen: Observation, say: Numbers) -> str:
    return f"{seen.scenario}, seed {seen.seed}: {say.plain(seen.value)}; opens {seen.debate}.jsonl"


def _kind(seen: Observation) -> str:
    """Why a debate has no value, in a word."""
    return "unscored" if seen.unscored else "none"


def _missing(seen: Sequence[Observation]) -> str:
    """How many debates of a scenario have no value."""
    kinds = [_kind(o) for o in seen if o.value is None]
    if not kinds:
        return "" if seen else "no debate"
    return f"{len(kinds)} {kinds[0] if len(set(kinds)) == 1 else 'missing'}"


def _agreed(outcomes: Mapping[str, float]) -> Agreed:
    if not outcomes:
        return Agreed(shown.NOTHING, "", (), "not debated")
    texts = {name: share for name, share in outcomes.items() if name != NONE and share}
    options = sorted(texts, key=lambda name: (-texts[name], name))
    kinds = [("other" if rank else "most", texts[name]) for rank, name in enumerate(options)]
    open_ = outcomes.get(NONE, 0.0)
    told = [f"{name} {shown.share(texts[name])}" for name in options]
    return Agreed(
        share=shown.share(min(1.0, sum(texts.values()))),
        option=options[0] if options else "",
        parts=svg.parts([*kinds, ("open", open_)]),
        said="; ".join((*told, f"nothing agreed {shown.share(open_)}")),
    )
