"""`tracktwo power`: what an experiment can see, before anybody has paid for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from evals.comparison.power import Design, Prospect, Spread

BETWEEN = 0.05
WITHIN = 0.1
"""Standard deviations of a share from 0 to 1 where nobody has measured any."""

ASSUMED = "assumed, not measured: a small experiment of your own says more"


def power(
    effect: Annotated[
        float,
        typer.Option(
            help="The true difference to be found, in the metric's unit.", show_default=False
        ),
    ],
    between: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="How far the difference varies from scenario to scenario (standard deviation).  "
            f"[default: {BETWEEN}]",
        ),
    ] = None,
    within: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="How far debates of one scenario and arm vary (standard deviation).  "
            f"[default: {WITHIN}]",
        ),
    ] = None,
    found_in: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="An experiment's folder: how far its debates varied on its primary metric.",
        ),
    ] = None,
    scenarios: Annotated[int, typer.Option(help="Scenarios: items debated alone.")] = 9,
    seeds: Annotated[int, typer.Option(help="Seeds a scenario and arm.")] = 5,
    arms: Annotated[
        int, typer.Option(help="Arms compared with the baseline; p is adjusted for them.")
    ] = 1,
    wanted: Annotated[
        float, typer.Option("--power", help="Probability of finding it that is asked for.")
    ] = 0.8,
    alpha: Annotated[float, typer.Option(help="The risk of a false alarm that is taken.")] = 0.05,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Say which difference an experiment can find, and how large it has to be for another.

    \b
    Examples:
      tracktwo power --effect 0.1
      tracktwo power --effect 0.1 --scenarios 13 --seeds 3 --arms 4
      tracktwo power --effect 0.1 --between 0.08 --within 0.2 --json
      tracktwo power --effect 0.1 --from transcripts/experiments/chair-rules
    """
    from harness.cli.show import terminal

    known = measured(found_in) if found_in is not None else None
    spread = spread_of(between, within, known)
    seen = foreseen(effect, spread, scenarios, seeds, arms=arms, wanted=wanted, alpha=alpha)
    console = terminal()
    if json:
        console.out(seen.model_dump_json(), highlight=False)
    else:
        _show(console, seen)


def measured(folder: Path) -> Spread:
    """How far an experiment's debates varied, over all its arms.

    Raises:
        UserError: the folder holds no experiment, or no arm has what it takes to tell.
    """
    from evals.comparison.power import Spread
    from evals.comparison.results import results_of
    from evals.comparison.sentences import pooled
    from harness.errors import UserError

    found = results_of(folder)
    known = [
        row.difference
        for row in found.rows
        if row.kind == "arm"
        and row.variation is None
        and row.metric.metric == found.experiment.primary.metric
        and row.difference is not None
        and row.difference.components is not None
    ]
    if not known:
        raise UserError(
            f"{folder} does not tell how far debates vary: it takes two arms with two seeds each "
            "on a scenario. Hold more, or give --between and --within."
        )
    spread = pooled(known)
    return Spread(spread.between, spread.within, f"found in {folder}{spread.source}")


def spread_of(between: float | None, within: float | None, known: Spread | None = None) -> Spread:
    """What to reckon with: what the user says, else what an experiment found, else a guess.

    Args:
        between: The user's, if any.
        within: The user's, if any.
        known: What an experiment found, if there is one (`Spread.of`).
    """
    from evals.comparison.power import Spread

    start = known or Spread(BETWEEN, WITHIN, ASSUMED)
    if between is None and within is None:
        return start
    both = between is not None and within is not None
    return Spread(
        start.between if between is None else between,
        start.within if within is None else within,
        "as given" if both else f"one as given, the other {start.source}",
    )


def foreseen(
    effect: float,
    spread: Spread,
    scenarios: int,
    seeds: int,
    *,
    arms: int = 1,
    wanted: float = 0.8,
    alpha: float = 0.05,
) -> Prospect:
    """What the design can see.

    Raises:
        UserError: a number is out of its range, or scipy is not installed.
    """
    from evals.comparison.inference import LEAST
    from evals.comparison.power import prospect
    from harness.errors import UserError

    for sound, said in (
        (effect > 0, f"--effect {effect:g}: name a difference above 0; the test looks both ways"),
        (
            scenarios >= LEAST,
            f"--scenarios {scenarios}: with fewer than {LEAST} no test is made, whatever the "
            "number of seeds; add items",
        ),
        (seeds >= 1, f"--seeds {seeds}: at least 1 is needed"),
        (arms >= 1, f"--arms {arms}: at least 1 has to be compared with the baseline"),
        (0 < alpha < 0.5, f"--alpha {alpha:g}: a risk between 0 and .5 is needed"),
        (alpha < wanted < 1, f"--power {wanted:g}: a probability between alpha and 1 is needed"),
        (
            spread.between + spread.within > 0,
            "--between 0 --within 0: where nothing varies one debate says all; name one above 0",
        ),
    ):
        if not sound:
            raise UserError(f"{said}.")
    return prospect(
        effect, spread, scenarios=scenarios, seeds=seeds, wanted=wanted, alpha=alpha, arms=arms
    )


def _show(console: Console, seen: Prospect) -> None:
    from harness.plain import clean

    for line in _words(seen):
        console.print(clean(line))
    if seen.enough:
        _table(console, seen)
    for line in _notes(seen):
        console.print(clean(line), style="dim")


def _words(seen: Prospect) -> Iterator[str]:
    """What one has, in plain words."""
    here = seen.here
    yield (
        f"{here.scenarios} scenarios of {_seeds(here)}, {_arms(seen)}: {here.debates:,} debates."
    )
    yield (
        f"A true difference of {seen.effect:g} is found with probability {_chance(here.power)}. "
        f"The smallest one found with probability {_chance(seen.wanted)} is {seen.mde:.3g}."
    )
    if seen.cheapest is None:
        yield (
            f"No number of scenarios up to 10,000 finds {seen.effect:g} with probability "
            f"{_chance(seen.wanted)}: it is lost in what varies."
        )
        return
    yield (
        "That is enough."
        if here.power >= seen.wanted
        else f"That is not enough. {seen.cheapest.scenarios} scenarios of "
        f"{_seeds(seen.cheapest)} would take the fewest debates ({seen.cheapest.debates:,})."
    )


def _seeds(design: Design) -> str:
    return f"{design.seeds} seed{'' if design.seeds == 1 else 's'}"


def _arms(seen: Prospect) -> str:
    one = "one arm" if seen.arms == 1 else f"{seen.arms} arms"
    return f"{one} against the baseline"


def _table(console: Console, seen: Prospect) -> None:
    from rich import box
    from rich.table import Table

    title = f"ENOUGH TO FIND {seen.effect:g} WITH PROBABILITY {_chance(seen.wanted)}"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for head in ("scenarios", "seeds", "debates", "probability"):
        table.add_column(head, justify="right")
    for each in seen.enough:
        table.add_row(
            str(each.scenarios), str(each.seeds), f"{each.debates:,}", _chance(each.power)
        )
    console.print()
    console.print(table)


def _notes(seen: Prospect) -> Iterator[str]:
    """What the numbers rest on."""
    yield (
        f"The true difference varies between scenarios with standard deviation {seen.between:.3g}, "
        f"debates of one scenario and arm with {seen.within:.3g} ({seen.source})."
    )
    adjusted = "" if seen.arms == 1 else f", {seen.alpha * seen.arms:.3g} over {seen.arms} arms"
    yield (
        f"Two-sided t test over scenarios at {seen.alpha:.3g}{adjusted}; power by the noncentral t "
        f"distribution. The short form with t quantiles says {seen.mde_by_quantiles:.3g} for the "
        "smallest."
    )
    yield (
        f"Scenarios beat seeds: without end of seeds the standard error is still "
        f"{seen.between / seen.here.scenarios**0.5:.2g} with {seen.here.scenarios} scenarios."
    )


def _chance(probability: float) -> str:
    """Two decimals; never 1, which nothing is."""
    return ">.99" if probability > 0.995 else f"{probability:.2f}".removeprefix("0")
