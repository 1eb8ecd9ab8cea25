"""The rows of a results table: every arm and yardstick on every metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from evals.comparison.book import Book
from evals.comparison.confounds import confounded
from evals.comparison.families import benjamini_hochberg, holm
from evals.comparison.inference import Difference, Estimate, arm_mean, compare
from evals.comparison.judges import error_of, known
from evals.comparison.missing import bounds, difference_bounds
from evals.comparison.observations import Seen, unscored_share
from evals.comparison.rates import RareEvents, rare_events
from evals.comparison.shapes import Row, RowKind
from evals.comparison.verdicts import Verdict, verdict
from harness.experiment.shapes import Metric

RARE = 0.1
"""A share up to which it is told in how many debates it happened at all."""

WITHHELD = "no verdict on the arm"
"""How the reason begins where something else than the arm differs."""

WITHIN = ("agreement/agreement_rate_weighted", "concordance/concordance", "red_lines/gate")
"""Metrics from 0 to 1 that are no shares of cases."""

Family: TypeAlias = Mapping[tuple[str, int], float | None]
"""(arm, number of the metric) -> p after adjustment."""


def rows(book: Book) -> tuple[Row, ...]:
    """All rows: the primary metric first; within a metric baseline, arms, yardsticks.

    What was repeated under a variation follows, on the primary metric alone.
    """
    differences = {
        (arm, number): _difference(book, arm, number)
        for number in range(len(book.metrics))
        for arm in book.arms
        if arm != book.baseline
    }
    return (*_main(book, differences, _families(differences)), *_varied(book))


def _main(
    book: Book, differences: Mapping[tuple[str, int], Difference], adjusted: Family
) -> Iterator[Row]:
    for number, metric in enumerate(book.metrics):
        yield _row(book, book.baseline, "baseline", metric)
        for arm in book.arms[1:]:
            found, p = differences[arm, number], adjusted[arm, number]
            row = _row(book, arm, "arm", metric, found)
            yield row.model_copy(
                update={
                    "p_adjusted": p,
                    "adjusted_by": "benjamini-hochberg" if number else "holm",
                    "verdict": _verdict(book, arm, metric, found, p),
                }
            )
        for name in book.yardsticks:
            yield _row(book, name, "yardstick", metric, _difference(book, name, number))
        yield from _computed(book, metric)


def _families(differences: Mapping[tuple[str, int], Difference]) -> Family:
    """Holm over the arms on the primary metric; Benjamini-Hochberg over arms on all others."""
    first = [key for key in differences if not key[1]]
    grid = [key for key in differences if key[1]]
    return dict(
        zip(
            [*first, *grid],
            [*holm([differences[k].p for k in first]),
             *benjamini_hochberg([differences[k].p for k in grid])],
            strict=True,
        )
    )  # fmt: skip


def _difference(book: Book, arm: str, number: int, variation: str | None = None) -> Difference:
    """Of an arm to the baseline on a metric; of the primary, with what matters."""
    metric = book.metrics[number]
    return compare(
        book.scored(book.baseline, metric, variation).values,
        book.scored(arm, metric, variation).values,
        smallest=None if number else book.experiment.primary.smallest,
        better=metric.better or "higher",
        judge=error_of(book.of(arm, metric, variation), metric),
        alpha=book.experiment.alpha,
    )


def _verdict(
    book: Book, arm: str, metric: Metric, found: Difference, p: float | None
) -> Verdict | None:
    """None where neither way is better: there is then a difference or none, but nothing is won.

    Where something else differs than the arm, its verdict is withheld.
    """
    if metric.better is None:
        return None
    plain = verdict(found, p, book.experiment.alpha)
    against = confounded(book, arm)
    if not against or found.p is None:
        return plain
    why = f"{WITHHELD}, for its debates differ from the baseline's in {against}"
    return Verdict(word="inconclusive", why=why, p=plain.p, alpha=plain.alpha)


def _row(
    book: Book,
    arm: str,
    kind: RowKind,
    metric: Metric,
    difference: Difference | None = None,
    variation: str | None = None,
) -> Row:
    seen, mine = book.of(arm, metric, variation), book.scored(arm, metric, variation)
    base = book.scored(book.baseline, metric, variation)
    ends = _range(book, metric)
    judge, greyed = known(seen, metric)
    estimate = _within(arm_mean(mine.values), ends)
    return Row(
        name=arm,
        kind=kind,
        variation=variation,
        metric=metric,
        estimate=estimate,
        difference=difference,
        rare=_rare(seen, estimate) if ends else None,
        cases=sum(each.observation.n for each in seen),
        unscored=unscored_share(mine),
        empty=sum(each.kind == "empty" for each in seen),
        bounds=bounds(mine, low=ends[0], high=ends[1]) if ends else None,
        difference_bounds=difference_bounds(base, mine, low=ends[0], high=ends[1])
        if ends and difference is not None
        else None,
        judge=judge,
        greyed=greyed,
    )


def _within(estimate: Estimate, ends: tuple[float, float] | None) -> Estimate:
    """The estimate with its interval cut off where the metric ends: nothing true lies beyond."""
    if ends is None or estimate.low is None or estimate.high is None:
        return estimate
    low, high = max(ends[0], estimate.low), min(ends[1], estimate.high)
    return estimate.model_copy(update={"low": low, "high": high})


def _range(book: Book, metric: Metric) -> tuple[float, float] | None:
    """The lowest and highest value the metric can take, where that is known."""
    of_it = [seen for key, each in book.seen.items() if key[1:] == (metric.metric, metric.of)
             for seen in each]  # fmt: skip
    if metric.metric in WITHIN or any(seen.share for seen in of_it):
        return 0.0, 1.0
    return None


def _rare(seen: Sequence[Seen], estimate: Estimate) -> RareEvents | None:
    """In how many debates it happened; of debates that are alike at every seed one a scenario."""
    if estimate.value is None or estimate.value > RARE:
        return None
    by_scenario: dict[str, list[float]] = {}
    for each in seen:
        if each.observation.value is not None:
            by_scenario.setdefault(each.observation.scenario, []).append(each.observation.value)
    alike = all(len(set(values)) == 1 for values in by_scenario.values())
    if alike and any(map(any, by_scenario.values())):
        by_scenario = {name: values[:1] for name, values in by_scenario.items()}
    events = [value > 0 for values in by_scenario.values() for value in values]
    return rare_events(sum(events), len(events))


def _computed(book: Book, metric: Metric) -> Iterator[Row]:
    """The yardsticks that take no debates."""
    base = book.scored(book.baseline, metric).values
    for name, values in book.computed(metric).items():
        yield Row(
            name=name,
            kind="computed",
            metric=metric,
            estimate=_within(arm_mean(values), _range(book, metric)),
            difference=compare(
                base, values, smallest=None, better=metric.better or "higher",
                alpha=book.experiment.alpha,
            ),
        )  # fmt: skip


def _varied(book: Book) -> Iterator[Row]:
    """The primary metric under every variation: exploratory, for the robustness card."""
    metric = book.metrics[0]
    for variation in book.variations:
        for arm in book.arms:
            found = None
            if arm != book.baseline:
                found = _difference(book, arm, 0, variation)
            kind: RowKind = "baseline" if arm == book.baseline else "arm"
            yield _row(book, arm, kind, metric, found, variation)
