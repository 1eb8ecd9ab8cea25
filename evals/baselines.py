"""What to hold a result against: a random deal, always-accept, and the best joint outcome.

Everything is exact and computed from the setting's mandates alone (always-accept also reads which
texts were tabled). Nothing is sampled. Leaving an issue open is worth 0 to everyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from operator import add, ge

from evals.record import mandates
from harness.events import Decided, Tabled
from harness.setting import Issue, Rules, Setting
from harness.transcript import Transcript

FRONT_LIMIT = 1_000
"""Most ways to settle a package that are compared; beyond it there is no best Nash product."""

SEARCH_LIMIT = 200_000
"""Most partial deals looked at for the best Nash product; beyond it there is none."""

Vector = tuple[int, ...]
"""Firmness points of every party, in seat order."""


@dataclass(frozen=True)
class Zopa:
    """The zone of possible agreement of one issue."""

    issue: str
    acceptable: tuple[str, ...]
    """Options that every party's mandate could accept, see `Mandate.acceptable`."""
    uncrossed: tuple[str, ...]
    """Options that cross no party's red line."""
    options: int
    """How many options the issue has."""

    @property
    def random(self) -> float:
        """The chance, in [0, 1], that an option drawn at random is acceptable to all."""
        return len(self.acceptable) / self.options


@dataclass(frozen=True)
class Deal:
    """An option, or none, for every issue, and what it is worth."""

    options: Mapping[str, str | None]
    """Issue -> option key; None where the issue is left open."""
    utilities: Mapping[str, int]
    """Party -> firmness points."""

    @property
    def adopted(self) -> int:
        """How many issues it settles."""
        return sum(key is not None for key in self.options.values())

    @property
    def total(self) -> int:
        """The sum of the parties' points."""
        return sum(self.utilities.values())

    @property
    def nash(self) -> int | None:
        """The Nash product, see `nash`."""
        return nash(self.utilities.values())


@dataclass(frozen=True)
class RandomDeal:
    """What an option drawn uniformly and independently for every issue is expected to bring."""

    agreement: float | None
    """Expected share, in [0, 1], of the issues whose option is acceptable to all; None where no
    issue was on the agenda."""
    everything: float
    """Chance, in [0, 1], that the whole deal is."""
    utilities: Mapping[str, float]
    """Party -> expected firmness points."""


@dataclass(frozen=True)
class Baselines:
    """Everything a result is shown beside."""

    zopa: Mapping[str, Zopa]
    """By issue."""
    random: RandomDeal
    always_accept: Deal
    """Every text that was tabled, or adopted by declaration, is adopted."""
    best: Deal
    """Crosses nobody's red line, settles as many issues as possible, then has the highest total."""
    best_total: Deal
    """Crosses nobody's red line and has the highest total; issues may be left open."""
    best_nash: Deal | None
    """Crosses nobody's red line and has the highest Nash product; None where there are too
    many deals to search (see `FRONT_LIMIT`, `SEARCH_LIMIT`)."""


def baselines(transcript: Transcript) -> Baselines:
    """All baselines of a debate."""
    setting, rules = transcript.setting, transcript.rules
    return Baselines(
        zopa={issue.id: zopa(setting, issue) for issue in _issues(setting)},
        random=random_deal(setting),
        always_accept=always_accept(transcript),
        best=best(setting, rules),
        best_total=best_total(setting, rules),
        best_nash=best_nash(setting, rules),
    )


def points(setting: Setting, key: str | None) -> Vector:
    """What a text is worth to each party, in seat order; 0 for an issue left open."""
    if key is None:
        return (0,) * len(setting.parties)
    item = setting.item_of(key.partition("/")[0])
    return tuple(setting.mandate(party.id, item.id).points[key] for party in setting.parties)


def deal(setting: Setting, options: Mapping[str, str | None]) -> Deal:
    """A deal with its utilities: the sum, per party, of its points for each adopted text."""
    vectors = [points(setting, key) for key in options.values()]
    sums = _sum(vectors, len(setting.parties))
    ids = (party.id for party in setting.parties)
    return Deal(dict(options), dict(zip(ids, sums, strict=True)))


def nash(utilities: Iterable[int]) -> int | None:
    """The Nash product: the product of the parties' gains over no agreement, which is worth 0.

    Defined only where nobody loses; None where a party is worse off than without agreement. Source:
    J. F. Nash, "The Bargaining Problem", Econometrica 18 (1950), 155-162. Firmness points of
    different parties have no common unit, so compare products within one setting only.
    """
    gains = tuple(utilities)
    return None if any(gain < 0 for gain in gains) else prod(gains)


def zopa(setting: Setting, issue: Issue) -> Zopa:
    """The zone of possible agreement of an issue."""
    item = setting.item_of(issue.id)
    held = [setting.mandate(party.id, item.id) for party in setting.parties]
    return Zopa(
        issue.id,
        acceptable=tuple(k for k in issue.keys if all(m.acceptable(k) for m in held)),
        uncrossed=tuple(k for k in issue.keys if not any(k in m.red_lines for m in held)),
        options=len(issue.keys),
    )


def random_deal(setting: Setting) -> RandomDeal:
    """The random deal; expectations are sums over issues, so they are exact."""
    issues = _issues(setting)
    chances = [zopa(setting, issue).random for issue in issues]
    held = mandates(setting)
    utilities = {
        party.id: sum(
            sum(held[party.id, item.id].points[key] for key in issue.keys) / len(issue.keys)
            for item in setting.items
            for issue in item.issues
        )
        for party in setting.parties
    }
    agreement = sum(chances) / len(chances) if chances else None
    return RandomDeal(agreement, prod(chances), utilities)


def always_accept(transcript: Transcript) -> Deal:
    """The deal if every party accepted every text that was put; what was never put stays open."""
    options: dict[str, str | None] = {issue.id: None for issue in _issues(transcript.setting)}
    for event in transcript.events:
        if isinstance(event, Tabled) or (isinstance(event, Decided) and event.by == "declaration"):
            options[event.issue] = f"{event.issue}/{event.option}"
    return deal(transcript.setting, _lapse(transcript.setting, transcript.rules, options))


def best(setting: Setting, rules: Rules) -> Deal:
    """The best outcome that crosses nobody's red line: most issues settled, then highest total.

    Issues are separable, so each is settled on its own by the uncrossed option of highest total
    (the first in the setting's order on a tie). Under a package rule a package settles only if each
    of its issues has an uncrossed option; otherwise all of it stays open.
    """
    options = {issue.id: _best_option(setting, issue) for issue in _issues(setting)}
    return deal(setting, _lapse(setting, rules, options))


def best_total(setting: Setting, rules: Rules) -> Deal:
    """The outcome of highest total that crosses nobody's red line; a losing text stays open."""
    chosen: dict[str, str | None] = {}
    for group in _packages(setting, rules):
        options = {issue.id: _best_option(setting, issue) for issue in group}
        total = sum(sum(points(setting, key)) for key in options.values())
        whole = None not in options.values()
        chosen |= options if whole and total > 0 else dict.fromkeys(options)
    return deal(setting, chosen)


def best_nash(setting: Setting, rules: Rules) -> Deal | None:
    """The outcome of highest Nash product that crosses nobody's red line, then of highest total.

    The product is not separable by issue, but grows in each party's points: of the ways to settle
    some packages only the undominated ones can matter. What is left is searched depth first, and a
    branch is cut where even each party's best on the rest could not beat the best deal found. Both
    steps are exact; where a limit is reached there is no answer rather than a guess.
    """
    packages: list[Choices] = []
    for group in _packages(setting, rules):
        choices = _choices(setting, group)
        if choices is None:
            return None
        packages.append(choices)
    found = _Search(_merged(packages)).run(len(setting.parties))
    return deal(setting, dict(found)) if found is not None else None


Choices = Mapping[Vector, tuple[tuple[str, str | None], ...]]
"""The ways to settle a package: what each is worth, and its (issue, option key) pairs."""


def _merged(packages: Sequence[Choices]) -> list[Choices]:
    """The packages with neighbours joined, and thinned to their front, while that stays small."""
    merged: list[Choices] = []
    for choices in packages:
        if merged and len(merged[-1]) * len(choices) <= FRONT_LIMIT:
            merged[-1] = pareto(
                {
                    _add(have, more): done + keys
                    for have, done in merged[-1].items()
                    for more, keys in choices.items()
                }
            )
        else:
            merged.append(choices)
    return merged


class _Search:
    """Branch and bound for the highest (Nash product, total)."""

    def __init__(self, packages: Sequence[Choices]) -> None:
        # The packages that move the most points first, so that bounds tighten early.
        spread = sorted(packages, key=lambda c: -max(sum(map(abs, vector)) for vector in c))
        self.packages = [sorted(c.items(), key=lambda kv: -sum(kv[0])) for c in spread]
        tops = [tuple(map(max, zip(*choices, strict=True))) for choices in spread]
        self.rest = [_sum(tops[depth:], len(tops[0])) for depth in range(len(tops))]
        self.best: tuple[int, int] = (-1, 0)
        self.found: tuple[tuple[str, str | None], ...] | None = None
        self.steps = 0

    def run(self, parties: int) -> tuple[tuple[str, str | None], ...] | None:
        """The best deal as (issue, option key) pairs; None where the search grew too large."""
        self._settle(0, (0,) * parties, ())
        return self.found if self.steps <= SEARCH_LIMIT else None

    def _settle(self, depth: int, have: Vector, done: tuple[tuple[str, str | None], ...]) -> None:
        self.steps += 1
        if self.steps > SEARCH_LIMIT:
            return
        rest = self.rest[depth] if depth < len(self.packages) else (0,) * len(have)
        reach = _add(have, rest)
        if min(reach) < 0 or (prod(reach), sum(reach)) <= self.best:
            return
        if depth == len(self.packages):
            self.best, self.found = (prod(have), sum(have)), done
            return
        for vector, keys in self.packages[depth]:
            self._settle(depth + 1, _add(have, vector), (*done, *keys))


def _choices(setting: Setting, group: Sequence[Issue]) -> Choices | None:
    """The undominated ways to settle a package, or to leave it open; None if there are too many."""
    none = (0,) * len(setting.parties)
    whole: Choices = {none: ()}
    for issue in group:
        worth = {key: points(setting, key) for key in zopa(setting, issue).uncrossed}
        if len(whole) * len(worth) > FRONT_LIMIT:
            return None
        whole = pareto(
            {
                _add(have, more): (*done, (issue.id, key))
                for have, done in whole.items()
                for key, more in worth.items()
            }
        )
    return pareto({none: tuple((issue.id, None) for issue in group), **whole})


def pareto(choices: Choices) -> Choices:
    """The choices that no other is at least as good as for everyone."""
    kept: list[Vector] = []
    # Highest total first: a vector can be dominated only by one of higher total.
    for vector in sorted(choices, key=sum, reverse=True):
        if not any(all(map(ge, better, vector)) for better in kept):
            kept.append(vector)
    return {vector: choices[vector] for vector in kept}


def _best_option(setting: Setting, issue: Issue) -> str | None:
    totals = {key: sum(points(setting, key)) for key in zopa(setting, issue).uncrossed}
    return max(totals, key=totals.__getitem__, default=None)


def _packages(setting: Setting, rules: Rules) -> tuple[tuple[Issue, ...], ...]:
    """The issues that stand or fall together."""
    if rules.package == "agenda":
        return (_issues(setting),)
    if rules.package == "item":
        return tuple(item.issues for item in setting.items)
    return tuple((issue,) for issue in _issues(setting))


def _lapse(
    setting: Setting, rules: Rules, options: Mapping[str, str | None]
) -> Mapping[str, str | None]:
    """The options with every package that has a gap left open as a whole."""
    kept: dict[str, str | None] = {}
    for group in _packages(setting, rules):
        mine = {issue.id: options[issue.id] for issue in group}
        kept |= dict.fromkeys(mine) if None in mine.values() else mine
    return kept


def _issues(setting: Setting) -> tuple[Issue, ...]:
    return tuple(issue for item in setting.items for issue in item.issues)


def _add(one: Vector, other: Vector) -> Vector:
    return tuple(map(add, one, other))


def _sum(vectors: Iterable[Vector], width: int) -> Vector:
    return reduce(_add, vectors, (0,) * width)
