"""An experiment's results as one HTML page: no script, nothing from elsewhere, light and dark.

All it shows is in the values of shapes.py; every text among them is data and is escaped by the
template engine. Its only links lead to places on the page and to transcripts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from evals.comparison import declaration, shown, svg
from evals.comparison.legend import legend
from evals.comparison.pictures import Pictures, once, scale_of
from evals.comparison.sentences import called
from evals.comparison.shapes import Results, Row, RowKind, TalkPremium
from evals.comparison.shown import Numbers
from evals.comparison.svg import Scale
from evals.pages import render
from harness.events import NOTICE
from harness.experiment.shapes import Metric

TEMPLATE = Path(__file__).with_name("page.html.j2")


class Group(NamedTuple):
    """The rows of one metric, and how they are set."""

    metric: Metric
    say: Numbers
    scale: Scale
    rows: tuple[Row, ...]
    """The baseline and the arms."""
    yardsticks: tuple[Row, ...]


class Premiums(NamedTuple):
    """The talk premium on one metric."""

    metric: Metric
    beside: tuple[str, ...]
    """The yardsticks."""
    arms: tuple[tuple[str, tuple[TalkPremium | None, ...]], ...]
    """For each arm, what it brings above each of them."""


class Yardstick(NamedTuple):
    """A yardstick on all metrics."""

    name: str
    kind: RowKind
    rows: tuple[Row | None, ...]
    """None where it is not defined."""


def page(results: Results, *, base: str = "") -> str:
    """The page, complete; the same for equal results.

    Args:
        results: What an experiment came to.
        base: Path from the page's folder to the folder with the transcripts, with slashes; empty
            where it is the same.
    """
    pictures = Pictures(results, base)
    groups = _groups(results)
    primary = groups[0]
    return render(
        TEMPLATE,
        results=results,
        notice=NOTICE,
        shown=shown,
        declaration=declaration,
        svg=svg,
        called=called,
        arms=pictures.arms,
        primary=primary,
        secondary=groups[1:],
        groups=groups,
        say_of=_words_for(groups),
        remarks_on=_remarks,
        differences=tuple(pictures.differences(primary.rows, primary.say)),
        spreads=tuple(pictures.spreads(primary.say)),
        debates=tuple(pictures.debates(primary.say)),
        matrix=tuple(pictures.matrix()),
        matrix_arms=pictures.in_order(results.agreement),
        yardsticks=_yardsticks(groups),
        premiums=tuple(_premiums(results)),
        card_scale=scale_of([line.difference for line in results.card]),
        varied=_varied(results),
        used=pictures.in_order(results.use),
        reading=legend(results),
    )


def _groups(results: Results) -> tuple[Group, ...]:
    """The rows by metric, the primary one first, which has its place even without rows."""
    primary: Metric = results.experiment.primary
    plain = [row for row in results.rows if row.variation is None]
    metrics = {(m.metric, m.of): m for m in (*(row.metric for row in plain), primary)}
    first = metrics.pop((primary.metric, primary.of))
    return tuple(
        _group(metric, [row for row in plain if _same(row.metric, metric)])
        for metric in (first, *metrics.values())
    )


def _premiums(results: Results) -> Iterator[Premiums]:
    """Metric by metric, each arm less each yardstick."""
    given = results.premium
    for metric in {(p.metric.metric, p.metric.of): p.metric for p in given}.values():
        found = {(p.arm, p.beside): p for p in given if _same(p.metric, metric)}
        beside = once(name for _, name in found)
        arms = once(arm for arm, _ in found)
        cells = ((arm, tuple(found.get((arm, name)) for name in beside)) for arm in arms)
        yield Premiums(metric, beside, tuple(cells))


def _varied(results: Results) -> Mapping[tuple[str, str | None], Row]:
    """The rows on the primary metric, by arm and circumstance."""
    primary = results.experiment.primary
    return {(r.name, r.variation): r for r in results.rows if _same(r.metric, primary)}


def _remarks(rows: Sequence[Row], say: Numbers) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What else has to be known, each with the rows of which it has to be known."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for note in shown.notes(row, say):
            found.setdefault(note, []).append(row.name)
    return tuple((note, tuple(names)) for note, names in found.items())


def _yardsticks(groups: Sequence[Group]) -> tuple[Yardstick, ...]:
    kinds = {row.name: row.kind for group in groups for row in group.yardsticks}
    return tuple(
        Yardstick(name, kind, tuple(_named(group.yardsticks, name) for group in groups))
        for name, kind in kinds.items()
    )


def _named(rows: Sequence[Row], name: str) -> Row | None:
    return next((row for row in rows if row.name == name), None)


def _same(one: Metric, other: Metric) -> bool:
    return (one.metric, one.of) == (other.metric, other.of)


def _group(metric: Metric, rows: Sequence[Row]) -> Group:
    differences = [row.difference for row in rows if row.difference is not None]
    arms = [row for row in rows if row.kind in ("baseline", "arm")]
    return Group(
        metric=metric,
        say=shown.numbers(rows),
        scale=scale_of(differences),
        rows=tuple(arms),
        yardsticks=tuple(row for row in rows if row.kind in ("yardstick", "computed")),
    )


def _words_for(groups: Sequence[Group]) -> Callable[[Metric], Numbers]:
    """How the numbers of a metric are written in its table; two decimals if it has none."""
    known = {(group.metric.metric, group.metric.of): group.say for group in groups}
    return lambda metric: known.get((metric.metric, metric.of), Numbers(2))
