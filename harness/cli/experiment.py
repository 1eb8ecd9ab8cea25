"""`tracktwo experiment`: hold the debates of an experiment file, or go on with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import MaxCalls, MaxCost, MaxMinutes, MaxTokens, Prices

if TYPE_CHECKING:
    from harness.cli.sweeping import Board
    from harness.experiment.design import Cell
    from harness.experiment.folder import Folder
    from harness.experiment.reading import Read
    from harness.models.budget import Budget
    from harness.models.prices import PriceList
    from harness.sweep.sweep import Tally

STOPPED = 3
INTERRUPTED = 130
HOSTED_AT_ONCE = 16


def experiment(
    file: Annotated[
        str,
        typer.Argument(help="An experiment file, or one that comes with the program by its name."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the debates.  [default: ./transcripts/experiments/ID]"),
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option(min=1, help="Debates under way at once.  [default: 16; 1 with local models]"),
    ] = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    max_minutes: MaxMinutes = None,
    price: Prices = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, for programs.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only what came of it.")] = False,
) -> None:
    """Hold the debates that an experiment file asks for.

    Run the same command again to go on: what is finished is left alone, what was interrupted is
    taken up, and arms or seeds that were added are held. `tracktwo results` reads the outcome.

    \b
    Examples:
      tracktwo experiment chair-rules
      tracktwo experiment evals/experiments/prompt-variants.yaml --max-minutes 30
    """
    import asyncio
    import os

    from harness.cli.sweeping import Board
    from harness.experiment.folder import Folder
    from harness.experiment.reading import load_experiment
    from harness.models.prices import PriceList

    read = load_experiment(file)
    folder = Folder(out or folder_of(read))
    cells = list(read.design.cells())
    prices = PriceList.given([*_priced(read), *(price or ())], os.environ)
    budget = _budget(read, max_calls, max_tokens, max_cost, max_minutes)
    board = Board(read, cells, folder, as_json=json, quiet=quiet)
    try:
        with board:
            tally = asyncio.run(
                _held(read, cells, folder, budget, prices, at_once or _usual(cells), board)
            )
    except KeyboardInterrupt:
        board.interrupted()
        raise typer.Exit(INTERRUPTED) from None
    board.end(tally)
    if tally.stopped:
        raise typer.Exit(STOPPED)


async def _held(
    read: Read,
    cells: list[Cell],
    folder: Folder,
    budget: Budget,
    prices: PriceList,
    at_once: int,
    board: Board,
) -> Tally:
    import os

    from harness.models.clock import SystemClock
    from harness.models.pool import Pool
    from harness.seating import Means
    from harness.sweep.holding import Holder
    from harness.sweep.sweep import Sweep

    clock = SystemClock()
    pool = Pool()
    done = sum(folder.finished(cell) for cell in cells)
    folder.declare(read.experiment, read.source, clock.now(), done)
    holder = Holder(lambda name: Means(budget, prices, os.environ, pool.of(name)), lambda _: clock)
    sweep = Sweep(cells, folder, holder, clock, at_once, board.hear)
    try:
        return await sweep.run()
    finally:
        await pool.aclose()


def folder_of(read: Read) -> Path:
    """Where an experiment's debates lie if nothing else is said."""
    from harness.cli.run import in_checkout

    base = Path("transcripts/runs") if in_checkout() else Path("transcripts")
    return base / "experiments" / read.experiment.id


def _usual(cells: list[Cell]) -> int:
    """Local models answer one call at a time; more debates would only push out what they read."""
    local = any(spec.startswith("local") for cell in cells for spec in cell.models.values())
    return 1 if local else HOSTED_AT_ONCE


def _priced(read: Read) -> list[str]:
    return [f"{model}={price}" for model, price in read.experiment.prices.items()]


def _budget(
    read: Read,
    max_calls: int | None,
    max_tokens: int | None,
    max_cost: float | None,
    max_minutes: float | None,
) -> Budget:
    """The file's ceilings, or those of the command line where it names some."""
    from harness.models.budget import Budget

    declared = read.experiment.budget
    return Budget(
        max_calls=declared.max_calls if max_calls is None else max_calls,
        max_tokens=declared.max_tokens if max_tokens is None else max_tokens,
        max_cost=declared.max_cost if max_cost is None else max_cost,
        max_minutes=declared.max_minutes if max_minutes is None else max_minutes,
    )
