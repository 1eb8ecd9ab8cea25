"""The robustness card: does what an arm brings survive when something else is changed?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from evals.comparison.book import Book
from evals.comparison.inference import Difference, compare
from evals.comparison.pairing import Values
from evals.comparison.shapes import CardLine, Row

Survives = Literal["yes", "no", "unsettled", "nothing to survive"]

ITSELF = "the comparison itself"


class Answer(NamedTuple):
    """Whether an effect survives, and why."""

    survives: Survives
    why: str


def card(book: Book, rows: Sequence[Row]) -> tuple[CardLine, ...]:
    """For every arm its difference under each circumstance; empty without variations."""
    return tuple(_lines(book, rows)) if book.variations else ()


def _lines(book: Book, rows: Sequence[Row]) -> Iterator[CardLine]:
    first = book.metrics[0]
    by_spot = {(r.name, r.variation): r for r in rows if r.metric == first and r.kind == "arm"}
    what = {each.id: each.what for each in book.experiment.variations}
    for arm in book.arms[1:]:
        main = by_spot[arm, None]
        assert main.difference is not None
        yield CardLine(
            arm=arm, variation=None, what=ITSELF, difference=main.difference,
            survives="yes" if shown(main) else "nothing to survive",
            why="this is the effect that may survive" if shown(main) else _no_effect(main),
        )  # fmt: skip
        for variation in book.variations:
            varied = by_spot[arm, variation].difference
            assert varied is not None
            yield CardLine(
                arm=arm,
                variation=variation,
                what=what[variation],
                difference=varied,
                change=_change(book, arm, variation),
                **survival(main, varied)._asdict(),
            )


def shown(row: Row) -> bool:
    """Whether the comparison itself shows an effect of the arm."""
    return row.verdict is not None and row.verdict.word in ("win", "loss")


def _no_effect(row: Row) -> str:
    return row.verdict.why if row.verdict is not None else "no effect was shown"


def survival(main: Row, varied: Difference) -> Answer:
    """Whether an effect survives a circumstance.

    yes: it goes the same way and its interval excludes 0. no: it goes the other way and its
    interval excludes 0, or the interval excludes an effect as large as what matters, or as the one
    found where that is smaller. unsettled: neither. Intervals are not adjusted for the number of
    circumstances.
    """
    if not shown(main) or main.difference is None:
        return Answer("nothing to survive", "the comparison itself shows no effect")
    found, here = main.difference.best.value or 0.0, varied.best
    if here.value is None or here.low is None or here.high is None:
        return Answer("unsettled", here.why or "there is no interval under this circumstance")
    way = 1 if found > 0 else -1
    near, far = sorted((way * here.low, way * here.high))
    least = min(abs(found), main.difference.smallest or abs(found))
    if near > 0:
        return Answer("yes", "the same way, and its interval excludes 0")
    if far < 0:
        return Answer("no", "it is reversed, and its interval excludes 0")
    if far < least:
        return Answer("no", f"its interval excludes an effect of {least:.2g}")
    return Answer("unsettled", f"its interval holds both 0 and an effect of {least:.2g}")


def _change(book: Book, arm: str, variation: str) -> Difference:
    """The difference under a variation less the one without, over scenarios and seeds of both."""
    return compare(
        _differences(book, arm, None),
        _differences(book, arm, variation),
        smallest=book.experiment.primary.smallest,
        better=book.experiment.primary.better,
        alpha=book.experiment.alpha,
    )


def _differences(book: Book, arm: str, variation: str | None) -> Values:
    """Scenario -> seed -> the arm's value less the baseline's, where both have one."""
    metric = book.metrics[0]
    base = book.scored(book.baseline, metric, variation).values
    mine = book.scored(arm, metric, variation).values
    return {
        name: {seed: seeds[seed] - base[name][seed] for seed in seeds.keys() & base[name].keys()}
        for name, seeds in mine.items()
        if name in base
    }
