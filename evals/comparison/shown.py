"""A result's values as the page words them: numbers, cells of tables, sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import floor, log10
from re import fullmatch
from typing import NamedTuple

from evals.comparison.inference import Difference, Effect
from evals.comparison.missing import Bounds
from evals.comparison.rates import RareEvents
from evals.comparison.shapes import CardLine, Row, TalkPremium, Use
from evals.comparison.svg import minus
from evals.comparison.verdicts import Word
from harness.experiment.shapes import Metric

NOTHING = "\N{EN DASH}"
"""Where there is no number; why is said beside it."""

SIGNS: dict[Word, str] = {
    "win": "\N{BLACK UP-POINTING TRIANGLE}",
    "loss": "\N{BLACK DOWN-POINTING TRIANGLE}",
    "equivalent": "\N{ALMOST EQUAL TO}",
    "inconclusive": "?",
}

OF = {
    "debate": "of the debate",
    "parties": "mean of the parties",
    "treated": "mean of the parties that have the arm's prompt and model",
}

BETTER = {"higher": "higher is better", "lower": "lower is better", None: "neither way is better"}

ADJUSTED = {"holm": "Holm", "benjamini-hochberg": "Benjamini-Hochberg", "none": "not adjusted"}


class Cell(NamedTuple):
    """What stands in a cell: the number, and under it what belongs to it."""

    main: str
    small: tuple[str, ...] = ()


class Numbers(NamedTuple):
    """How the numbers of one metric are written, alike in all its rows."""

    places: int
    """Decimals."""

    def plain(self, value: float | None) -> str:
        """A level."""
        return NOTHING if value is None else minus(f"{value:.{self.places}f}")

    def signed(self, value: float | None) -> str:
        """A difference."""
        return NOTHING if value is None else minus(f"{value:+.{self.places}f}")

    def between(self, low: float | None, high: float | None, *, signed: bool = False) -> str:
        """An interval; empty where there is none."""
        if low is None or high is None:
            return ""
        say = self.signed if signed else self.plain
        return f"[{say(low)}, {say(high)}]"

    def effect(self, effect: Effect | TalkPremium) -> Cell:
        """A difference with its interval."""
        return _cell(self.signed(effect.value), self.between(effect.low, effect.high, signed=True))


def numbers(rows: Sequence[Row]) -> Numbers:
    """Decimals enough for two digits of what matters, or of the widest interval where nobody said.

    Args:
        rows: The rows of one metric.
    """
    matters = [r.difference.smallest for r in rows if r.difference and r.difference.smallest]
    halves = [(r.estimate.high or 0) - (r.estimate.low or 0) for r in rows]
    return decimals(min(matters) if matters else max(halves, default=0) / 2)


def decimals(size: float) -> Numbers:
    """Decimals enough for two digits of a size; two where there is none."""
    return Numbers(min(4, max(0, 1 - floor(log10(size) + 1e-9))) if size > 0 else 2)


def mean(row: Row, say: Numbers) -> Cell:
    """An arm's mean, its interval, and how far it could be off for what is missing."""
    interval = say.between(row.estimate.low, row.estimate.high)
    return _cell(say.plain(row.estimate.value), interval, _bounds(row.bounds, say.plain))


def difference(row: Row, say: Numbers) -> Cell:
    """The arm against the baseline: corrected for a judge's errors where they are known."""
    if row.difference is None:
        return Cell("baseline" if row.kind == "baseline" else NOTHING)
    shown = say.effect(row.difference.best)
    return _cell(shown.main, *shown.small, _bounds(row.difference_bounds, say.signed))


def adjusted(row: Row, column: str) -> Cell:
    """The p that decides; what it was adjusted by where that is not what the column says."""
    if row.difference is None or row.difference.p is None:
        return Cell(NOTHING)
    if row.p_adjusted is None:
        return Cell(chance(row.difference.p), (ADJUSTED["none"],))
    other = () if row.adjusted_by == column else (ADJUSTED[row.adjusted_by],)
    return Cell(chance(row.p_adjusted), other)


def flipped(row: Row) -> Cell:
    """The p of the exact test."""
    return Cell(chance(row.difference.p_flip if row.difference else None))


def findable(row: Row, say: Numbers) -> Cell:
    """The minimum detectable effect."""
    return Cell(say.plain(row.difference.best.mde if row.difference else None))


def seeds(row: Row) -> Cell:
    """How many debates a scenario has."""
    fewest, most = row.estimate.seeds
    return Cell(str(most) if fewest == most else f"{fewest} to {most}")


def cases(row: Row) -> Cell:
    """What the mean stands on; a yardstick that is worked out from mandates has none."""
    if row.kind == "computed":
        return Cell(NOTHING)
    debates = "debate" if row.empty == 1 else "debates"
    none = f"{row.empty:,} {debates} with none" if row.empty else ""
    return _cell(f"{row.cases:,}", none)


def judge(row: Row) -> Cell:
    """Who judged, and what is known about how it errs."""
    if row.judge is None:
        return Cell("none")
    kappa = "" if row.judge.kappa is None else f", kappa {row.judge.kappa:.2f}"
    known = f"calibrated on {row.judge.gold}{kappa}" if row.judge.calibrated else "uncalibrated"
    return _cell(row.judge.judge, known, row.greyed and f"failed {row.greyed}")


def tokens(use: Use | None) -> Cell:
    """Tokens read and written."""
    if use is None:
        return Cell(NOTHING)
    cached = f"{use.cached:,} cached" if use.cached else ""
    return _cell(f"{use.input + use.output:,}", cached)


def cost(use: Use | None) -> Cell:
    """Money, as far as prices are known."""
    if use is None:
        return Cell(NOTHING)
    without = f"{use.unpriced:,} calls without a price" if use.unpriced else ""
    return _cell("not known" if use.unpriced and not use.cost else f"${use.cost:,.2f}", without)


def seconds(use: Use | None) -> Cell:
    """Model time."""
    return Cell(NOTHING if use is None else f"{use.seconds:,.0f}")


def chance(p: float | None) -> str:
    """A p, never as 0."""
    if p is None:
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def share(value: float) -> str:
    """A share in percent, never as 0 where there is some, nor as all where there is not."""
    said = f"{100 * value:.1f}".removesuffix(".0")
    if value > 0 and said == "0":
        return "<0.1 %"
    return ">99.9 %" if value < 1 and said == "100" else f"{said} %"


def measured(metric: Metric) -> str:
    """What is measured of whom, and which way is better."""
    return f"{metric.metric}, {OF.get(metric.of, f'of {metric.of}')}; {BETTER[metric.better]}"


def forest(row: Row, say: Numbers) -> str:
    """A row's small drawing in words."""
    if row.difference is None:
        return ""
    shown = say.effect(row.difference.best)
    matters = row.difference.smallest
    beside = "" if matters is None else f"; {say.plain(matters)} would matter"
    return f"{row.name} less the baseline: {' '.join((shown.main, *shown.small))}{beside}"


def notes(row: Row, say: Numbers) -> tuple[str, ...]:
    """What else has to be known about a row."""
    return tuple(said for said in _notes(row, say) if said)


def _notes(row: Row, say: Numbers) -> Iterator[str]:
    yield row.estimate.why
    if row.difference is not None:
        yield row.difference.why or row.difference.best.why
        yield row.difference.dropped.words
        yield _observed(row.difference, say)
        yield row.verdict.caution if row.verdict else ""
    yield _rare(row.rare)


def _observed(difference: Difference, say: Numbers) -> str:
    if difference.corrected is None or difference.judge is None:
        return ""
    seen = " ".join((say.effect(difference.observed).main, *say.effect(difference.observed).small))
    return f"as the judge has it {seen}; it lets {difference.judge.youden:.2f} of a difference show"


def _rare(rare: RareEvents | None) -> str:
    if rare is None:
        return ""
    low, high = rare.exact
    most = f"; at most {share(rare.at_most)} by the rule of three" if rare.at_most else ""
    return (
        f"it happened in {rare.hits} of {rare.of} debates, exact 95 % interval "
        f"{share(low)} to {share(high)}{most}"
    )


def _bounds(bounds: Bounds | None, say: Callable[[float], str]) -> str:
    if bounds is None:
        return ""
    return f"{say(bounds.low)} to {say(bounds.high)} if the unscored were worst or best"


def _cell(main: str, *small: str) -> Cell:
    return Cell(main, tuple(each for each in small if each))


def found(row: Row) -> str:
    """What goes on after the word of a verdict."""
    if row.verdict is not None:
        return f"{row.verdict.sentence.removeprefix(row.verdict.word)}."
    why = row.difference.why if row.difference else "nothing to pair with the baseline"
    return f": {why}." if why else "."


def stands_on(row: Row, say: Numbers) -> str:
    """The numbers a verdict stands on."""
    if row.difference is None:
        return ""
    effect = say.effect(row.difference.best)
    p = "" if row.p_adjusted is None else f", p {chance(row.p_adjusted)}"
    return f"{' '.join((effect.main, *effect.small))}{p}"


def moment(at: str) -> str:
    """A time to the minute, if it is one."""
    return at[:16].replace("T", " ") if fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*", at) else at


def survives(line: CardLine) -> str:
    """Whether the effect is still there, and why."""
    return f"{line.survives}: {line.why}" if line.why else line.survives


def circumstance(line: CardLine) -> str:
    """What was changed."""
    return line.what if line.variation is None else f"{line.what} ({line.variation})"
