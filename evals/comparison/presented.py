"""A result as sections of words and tables, for a terminal and for Markdown alike.

Several narrow tables rather than a wide one, so that all of them can be read on any screen. What
was declared comes before what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from evals.comparison import shown
from evals.comparison.observations import BROKE_OFF
from evals.comparison.sentences import called, listed
from evals.comparison.shapes import CardLine, Declared, Results, Row, TalkPremium, Use
from evals.comparison.shown import Cell, Numbers
from harness.events import NOTICE
from harness.experiment.shapes import Metric

Made: TypeAlias = Callable[[Row], Cell]
"""What makes a row's cell of a column."""

PREMIUM = ("agreement/agreement_rate", "satisfaction/satisfaction")
"""Metrics that a talk premium is shown on, besides the primary one."""

BROKEN = 5
"""Failures that are shown; the rest are counted."""


class Grid(NamedTuple):
    """A table; the first column names its rows."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Section(NamedTuple):
    """A part of a result."""

    title: str
    """Empty where it goes on with the one before."""
    words: tuple[str, ...] = ()
    """Paragraphs before the table."""
    grid: Grid | None = None
    notes: tuple[str, ...] = ()
    """How to read it."""
    points: tuple[str, ...] = ()
    """A list."""


def sections(results: Results) -> tuple[Section, ...]:
    """Everything, in the order in which it should be read; empty parts are left out."""
    parts = (
        _declared(results),
        Section("Found", (results.sentence, *_warned(results))),
        *_primary(results),
        Section("Where to spend", (results.spend,)),
        *_secondary(results),
        *_yardsticks(results),
        *_premium(results),
        *_card(results),
        _use(results),
        _failures(results),
        Section("Cautions", points=results.cautions),
    )
    return tuple(part for part in parts if part.words or part.grid or part.points)


def _declared(results: Results) -> Section:
    experiment, primary = results.experiment, results.experiment.primary
    unit = "agenda items, each debated alone" if experiment.scenario_unit == "item" else "settings"
    scenarios = len({o.scenario for o in results.observations})
    points = (
        f"question: {experiment.question}",
        f"primary metric: {called(primary)} ({shown.measured(primary)})",
        f"smallest difference that would matter: {primary.smallest:g}",
        f"baseline: {experiment.baseline}; arms: {listed(_arms(results))}",
        f"scenarios: {_scenarios(results, scenarios)} {unit}; seeds a scenario: {experiment.seeds}",
        f"risk of a false alarm taken: {experiment.alpha:g}, over all arms on the primary metric",
        f"experiment {experiment.id}, sha {results.sha}",
        results.standing,
        *_later(results.declared),
    )
    return Section("Declared", (NOTICE,), points=points)


def _warned(results: Results) -> Iterator[str]:
    """That there is something to read before relying on the sentence."""
    if results.cautions:
        one = len(results.cautions) == 1
        yield f"{len(results.cautions)} caution{'s' * (not one)} at the end."


def _arms(results: Results) -> list[str]:
    return [row.name for row in _of(results, _first(results)) if row.kind == "arm"]


def _scenarios(results: Results, seen: int) -> str:
    """How many were planned, and of how many there is anything."""
    base = results.use.get(results.experiment.baseline)
    planned = base.planned // results.experiment.seeds if base else 0
    return str(planned) if seen == planned else f"{seen} of {planned}"


def _later(declared: Sequence[Declared]) -> Iterator[str]:
    for each in declared[1:]:
        what = "; ".join(each.changes) or "nothing that is compared"
        yield f"changed {_day(each.at)}, with {each.finished:,} debates finished: {what}"


def _day(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC"


def _first(results: Results) -> Metric:
    """The primary metric as rows have it."""
    primary = results.experiment.primary
    return Metric(metric=primary.metric, of=primary.of, better=primary.better)


def _of(results: Results, metric: Metric) -> list[Row]:
    """The rows of a metric, those under a variation left out."""
    return [row for row in results.rows if row.metric == metric and row.variation is None]


def _compared(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.kind in ("baseline", "arm")]


def _primary(results: Results) -> Iterator[Section]:
    metric = _first(results)
    rows = _compared(_of(results, metric))
    say = shown.numbers(rows)
    yield Section(
        f"Primary: {called(metric)}",
        (f"{shown.measured(metric)}.",),
        _grid(
            rows,
            ("mean [95 %]", lambda row: shown.mean(row, say)),
            ("difference [95 %]", lambda row: shown.difference(row, say)),
            ("p (Holm)", lambda row: shown.adjusted(row, "holm")),
            ("p (sign-flip)", shown.flipped),
            ("would be found", lambda row: shown.findable(row, say)),
        ),
        notes=(_reading(results, rows),),
        points=_points(rows, say),
    )
    yield Section(
        "What it stands on",
        grid=_grid(
            rows,
            ("scenarios", lambda row: Cell(str(row.estimate.scenarios))),
            ("seeds", shown.seeds),
            ("cases", shown.cases),
            ("unscored", lambda row: Cell(shown.share(row.unscored))),
            ("judge", shown.judge),
        ),
        notes=(
            "cases: votes, claims and the like behind the mean. unscored: the share that could not "
            "be scored; it is in no mean.",
        ),
    )


def _points(rows: Sequence[Row], say: Numbers) -> tuple[str, ...]:
    """Verdicts and what else has to be known, arms of which the same is to be said together."""
    said: dict[str, list[str]] = {}
    for row in rows:
        said.setdefault(_said(row, say), []).append(row.name)
    return tuple(f"{listed(names)}: {text}" for text, names in said.items() if text)


def _said(row: Row, say: Numbers) -> str:
    """A row's verdict and what else has to be known about it; empty where there is nothing."""
    found = ""
    if row.verdict is not None:
        found = row.verdict.sentence
    elif row.kind != "baseline":
        found = _undirected(row)
    # What speaks for a verdict may be what stands in a note as well.
    beside = dict.fromkeys(note for note in shown.notes(row, say) if note not in found)
    return "; ".join(filter(None, (found, *beside)))


def _undirected(row: Row) -> str:
    """What there is to say where neither way is better."""
    if row.p_adjusted is None:
        return row.difference.why if row.difference else "no test"
    alpha = row.difference.alpha if row.difference else 0.05
    return "a difference" if row.p_adjusted <= alpha else "no difference was shown"


def _reading(results: Results, rows: Sequence[Row]) -> str:
    arms = sum(row.kind == "arm" for row in rows)
    return (
        "mean: over scenarios, each of the same weight. difference: the arm less "
        f"{results.experiment.baseline}, scenario by scenario. [95 %]: an interval made like this "
        "holds the true value 95 times in 100. p: how often chance alone gives a difference this "
        f"large, adjusted (Holm) for {arms} arms; sign-flip: the exact test, not adjusted. would "
        "be found: the smallest true difference that is found 4 times in 5, before adjustment."
        f"{_equivalence(results, rows)}"
    )


def _equivalence(results: Results, rows: Sequence[Row]) -> str:
    """Said where an interval may reach farther than the verdict lets one think."""
    if not any(row.verdict is not None and row.verdict.word == "equivalent" for row in rows):
        return ""
    alpha = results.experiment.alpha
    return (
        f" equivalent: two one-sided tests at {alpha:g}, so it is the {1 - 2 * alpha:.0%} interval "
        "that lies within what matters; not adjusted for other arms."
    )


def _grid(rows: Sequence[Row], *columns: tuple[str, Made]) -> Grid:
    return Grid(
        ("arm", *(name for name, _ in columns)),
        tuple((Cell(row.name), *(make(row) for _, make in columns)) for row in rows),
    )


def _secondary(results: Results) -> Iterator[Section]:
    """The other metrics: a table each, adjusted over all of them."""
    first = _first(results)
    for metric in dict.fromkeys(row.metric for row in results.rows):
        if metric == first:
            continue
        rows = _compared(_of(results, metric))
        say = shown.numbers(rows)
        yield Section(
            f"Secondary: {called(metric)}",
            (f"{shown.measured(metric)}.",),
            _grid(
                rows,
                ("mean [95 %]", _mean(say)),
                ("difference [95 %]", _difference(say)),
                ("q (B-H)", lambda row: shown.adjusted(row, "benjamini-hochberg")),
                ("scenarios", lambda row: Cell(str(row.estimate.scenarios))),
                ("unscored", lambda row: Cell(shown.share(row.unscored))),
            ),
            points=_points(rows, say),
        )


def _mean(say: Numbers) -> Made:
    return lambda row: shown.mean(row, say)


def _difference(say: Numbers) -> Made:
    return lambda row: shown.difference(row, say)


def _yardsticks(results: Results) -> Iterator[Section]:
    """Those nobody proposes to use, beside the baseline: a column a metric."""
    metrics = [
        metric
        for metric in dict.fromkeys(row.metric for row in results.rows)
        if any(row.kind in ("yardstick", "computed") for row in _of(results, metric))
    ]
    found = {(row.name, row.metric): row for row in results.rows if row.variation is None}
    names = [r.name for r in results.rows if r.kind in ("yardstick", "computed")]
    if not names:
        return
    base = results.experiment.baseline
    yield Section(
        "Yardsticks",
        ("What nobody proposes to use, to see what a mean is worth; exploratory, no test.",),
        Grid(
            ("yardstick", *map(called, metrics)),
            tuple(
                (Cell(name), *(_level(found.get((name, metric)), results) for metric in metrics))
                for name in (base, *dict.fromkeys(names))
            ),
        ),
        notes=(
            "always-accept, random deal and best joint outcome are computed for the baseline's "
            "debates; the others were held. no-talk: nobody hears anybody. solo: one model plays "
            "all sides.",
        ),
    )


def _level(row: Row | None, results: Results) -> Cell:
    if row is None:
        return Cell(shown.NOTHING)
    say = shown.numbers(_compared(_of(results, row.metric)))
    return shown.mean(row, say)


def _premium(results: Results) -> Iterator[Section]:
    """What talking brought, on the primary metric and those of agreement."""
    first = _first(results)
    for metric in dict.fromkeys(each.metric for each in results.premium):
        if metric != first and metric.metric not in PREMIUM:
            continue
        held = [each for each in results.premium if each.metric == metric]
        beside = list(dict.fromkeys(each.beside for each in held))
        say = shown.numbers(_compared(_of(results, metric)))
        found = {(each.arm, each.beside): each for each in held}
        yield Section(
            f"Talk premium: {called(metric)}",
            grid=Grid(
                ("arm", *(f"less {name}" for name in beside)),
                tuple(
                    (Cell(arm), *(_brought(found[arm, name], say) for name in beside))
                    for arm in dict.fromkeys(each.arm for each in held)
                ),
            ),
            notes=("the arm less the yardstick, over scenarios [95 %]; exploratory.",),
        )


def _brought(premium: TalkPremium, say: Numbers) -> Cell:
    cell = say.effect(premium)
    return Cell(cell.main, tuple(part for part in (*cell.small, premium.why) if part))


def _card(results: Results) -> Iterator[Section]:
    """Does what an arm brings survive when something else is changed? A table an arm."""
    say = shown.decimals(results.experiment.primary.smallest)
    arms = list(dict.fromkeys(line.arm for line in results.card))
    for arm in arms:
        yield Section(
            f"Robustness: {arm}",
            grid=Grid(
                ("circumstance", "difference [95 %]", "change [95 %]", "survives"),
                tuple(_survival(line, say) for line in results.card if line.arm == arm),
            ),
            notes=(
                "change: the difference here less that in the comparison itself. Intervals are not "
                "adjusted for the number of circumstances.",
            )
            if arm == arms[-1]
            else (),
        )


def _survival(line: CardLine, say: Numbers) -> tuple[Cell, ...]:
    return (
        Cell(shown.circumstance(line)),
        say.effect(line.difference.best),
        say.effect(line.change.best) if line.change is not None else Cell(shown.NOTHING),
        Cell(line.survives, (line.why,)),
    )


def _use(results: Results) -> Section:
    return Section(
        "What it took",
        grid=Grid(
            ("arm", "debates", "failed", "calls", "tokens", "cost", "seconds"),
            tuple((Cell(name), *_took(use)) for name, use in results.use.items()),
        ),
        notes=(
            "debates: finished of planned. failed: broke off twice. tokens: read and written. "
            "seconds: of model time.",
        ),
    )


def _took(use: Use) -> tuple[Cell, ...]:
    return (
        Cell(f"{use.finished}/{use.planned}"),
        Cell(f"{use.failed:,}"),
        Cell(f"{use.calls:,}"),
        shown.tokens(use),
        shown.cost(use),
        shown.seconds(use),
    )


def _failures(results: Results) -> Section:
    """The debates that were given up, with the reasons; those held at another try are counted."""
    lost = {o.debate for o in results.observations if o.why.startswith(BROKE_OFF)}
    last = {each.debate: each.why for each in results.broken}
    said = [f"{debate}: {why}" for debate, why in last.items() if debate in lost]
    held = len(last) - len(said)
    return Section(
        "Debates that broke off",
        points=(
            *said[:BROKEN],
            *((f"and {len(said) - BROKEN} more, see failures.jsonl",) * (len(said) > BROKEN)),
            *((f"{held} broke off and were held, or are left out, since",) * bool(held)),
        ),
    )
