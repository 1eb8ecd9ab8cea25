"""What talk is held against: luck, an agreeable fool, a perfect planner, and talks nobody hears.

Three yardsticks take no debates, see evals/baselines.py. They are worked out for each debate of the
baseline arm, with its setting, rules and parties, so that they stand on the same scenarios and
seeds as the arms they are held against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from evals.baselines import Deal, always_accept, best, random_deal, zopa
from evals.comparison.inference import ALIKE, Difference, compare
from evals.comparison.pairing import Values
from evals.comparison.shapes import TalkPremium
from evals.concessions import attainable
from evals.record import mandates
from harness.experiment.shapes import Metric
from harness.setting import Setting
from harness.transcript import Transcript

RANDOM = "random deal"
ACCEPT = "always-accept"
BEST = "best joint outcome"
COMPUTED = (RANDOM, ACCEPT, BEST)
"""The yardsticks that take no debates, from the least to ask for to the most."""

IN_LINE = "concordance/in_line"
ALWAYS = "concordance/in_line_always_accept"
"""What the same debates would have come to, had everybody accepted everything."""


LEVEL = 0.05
"""Of the tests behind the words; not adjusted, as yardsticks are exploratory."""


class Yard(NamedTuple):
    """The computed yardsticks of one debate."""

    rate: Mapping[str, float]
    """Yardstick -> share of the issues agreed."""
    weighted: Mapping[str, float]
    satisfaction: Mapping[str, Mapping[str, float]]
    """Yardstick -> party -> share of its attainable points; parties with none are left out."""

    def value(self, name: str, metric: Metric, treated: Sequence[str]) -> float | None:
        """The yardstick on a metric; None where it is not defined for it."""
        match metric.metric, metric.of:
            case "agreement/agreement_rate", "debate":
                return self.rate[name]
            case "agreement/agreement_rate_weighted", "debate":
                return self.weighted[name]
            case "satisfaction/satisfaction", of:
                chosen = _chosen(self.satisfaction[name], of, treated)
                return fmean(chosen) if chosen else None
        return None


def _chosen(values: Mapping[str, float], of: str, treated: Sequence[str]) -> list[float]:
    wanted = {"parties": tuple(values), "treated": tuple(treated)}.get(of, (of,))
    return [values[party] for party in wanted if party in values]


def yard(transcript: Transcript) -> Yard:
    """Work out what a debate is held against."""
    setting = transcript.setting
    deals = {ACCEPT: always_accept(transcript), BEST: best(setting, transcript.rules)}
    drawn = random_deal(setting)
    weights = {issue.id: issue.weight for item in setting.items for issue in item.issues}
    total, luck = sum(weights.values()), _luck(setting)
    return Yard(
        rate={
            RANDOM: sum(luck.values()) / len(luck),
            **{name: deal.adopted / len(deal.options) for name, deal in deals.items()},
        },
        weighted={
            RANDOM: sum(weights[key] * chance for key, chance in luck.items()) / total,
            **{name: _weight(deal, weights) / total for name, deal in deals.items()},
        },
        satisfaction={
            name: _satisfied(setting, utilities)
            for name, utilities in (
                (RANDOM, drawn.utilities),
                *((name, deal.utilities) for name, deal in deals.items()),
            )
        },
    )


def _luck(setting: Setting) -> dict[str, float]:
    """Issue -> chance that an option drawn at random is acceptable to all."""
    return {issue.id: zopa(setting, issue).random for i in setting.items for issue in i.issues}


def _weight(deal: Deal, weights: Mapping[str, float]) -> float:
    return sum(weights[key] for key, option in deal.options.items() if option is not None)


def _satisfied(setting: Setting, utilities: Mapping[str, float]) -> dict[str, float]:
    held = mandates(setting)
    most = {
        party.id: sum(attainable(held[party.id, item.id]) for item in setting.items)
        for party in setting.parties
    }
    return {party: utilities[party] / best for party, best in most.items() if best}


def premiums(
    metric: Metric,
    arms: Mapping[str, Values],
    yardsticks: Mapping[str, Values],
    smallest: float | None,
) -> Iterator[TalkPremium]:
    """Each arm less each yardstick, paired over scenarios.

    Args:
        metric: What is compared.
        arms: Arm -> its values.
        yardsticks: Name -> its values.
        smallest: The smallest difference of interest, where one was declared.
    """
    for arm, values in arms.items():
        for name, beside in yardsticks.items():
            found = compare(beside, values, smallest=smallest, better=metric.better or "higher")
            yield TalkPremium(
                arm=arm,
                beside=name,
                metric=metric,
                value=found.observed.value,
                low=found.observed.low,
                high=found.observed.high,
                why=_reading(found, smallest),
            )


def _reading(found: Difference, smallest: float | None) -> str:
    """What the comparison says, in a word or two; the two tests stand in inference.py."""
    effect = found.observed
    if effect.value is None:
        return found.why or effect.why
    if effect.why == ALIKE:
        return "alike in every scenario"
    if found.p is None:
        return "no test"
    if found.p <= LEVEL:
        return "more" if effect.value > 0 else "less"
    if smallest is not None and (effect.p_equivalence or 1) <= LEVEL:
        return f"as good, to within {smallest:g}"
    return "not told apart"
