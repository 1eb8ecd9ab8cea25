"""`tracktwo experiment`: hold the debates of an experiment file, or go on with them."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import MaxCalls, MaxCost, MaxMinutes, MaxTokens, Prices

if TYPE_CHECKING:
    from harness.experiment.design import Cell
    from harness.experiment.folder import Folder
    from harness.experiment.reading import Read
    from harness.models.cassette import Cassette
    from harness.sweep.cluster import Cluster
    from harness.sweep.running import Terms

FAILED = 1
STOPPED = 3
INTERRUPTED = 130


class Engine(Enum):
    """What holds the debates."""

    ASYNCIO = "asyncio"
    RAY = "ray"


class Replay(Enum):
    """Where replies come from."""

    ANY = "any"
    STRICT = "strict"


def experiment(
    file: Annotated[
        str,
        typer.Argument(help="An experiment file, or one that comes with the program by its name."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the debates.  [default: ./transcripts/experiments/ID]"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take, and hold nothing.")
    ] = False,
    pilot: Annotated[
        int | None,
        typer.Option(
            min=1, help="Hold so many seeds of everything, and say what the rest would take."
        ),
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option(min=1, help="Debates under way at once.  [default: 16; 1 with local models]"),
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Keep every reply on the cassette.")
    ] = False,
    replay: Annotated[
        Replay | None,
        typer.Option(
            help="Take replies from the cassette. any: ask for what is not on it, and keep it; "
            "strict: ask nobody."
        ),
    ] = None,
    cassette: Annotated[
        Path | None,
        typer.Option(
            help="The cassette's file.  [default: ./transcripts/experiments/ID.cassette.jsonl]"
        ),
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="asyncio: this process; ray: the workers of a cluster.")
    ] = Engine.ASYNCIO,
    address: Annotated[
        str | None,
        typer.Option(
            help="The cluster: auto, HOST:6379 or ray://HOST:10001.  "
            "[default: what RAY_ADDRESS names, else processes of this machine]"
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Workers of the cluster.  [default: what has room]")
    ] = None,
    worker_cpus: Annotated[float, typer.Option(min=0, help="CPUs a worker takes.")] = 1.0,
    worker_gpus: Annotated[float, typer.Option(min=0, help="GPUs a worker takes.")] = 0.0,
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
    taken up, and arms or seeds that were added are held. Several may run at once on one folder.
    `tracktwo results` reads the outcome.

    \b
    Examples:
      tracktwo experiment chair-rules
      tracktwo experiment prompt-variants --dry-run
      tracktwo experiment my-experiment.yaml --max-minutes 30
    """
    from contextlib import nullcontext

    from harness.experiment.folder import Folder
    from harness.experiment.reading import load_experiment
    from harness.sweep.running import Terms, usual_folder

    read = load_experiment(file)
    folder = Folder(out or usual_folder(read))
    tape = (
        None
        if dry_run
        else _cassette(
            cassette or usual_folder(read).with_suffix(".cassette.jsonl"),
            named=cassette is not None,
            record=record,
            replay=replay,
        )
    )
    cells = list(read.design.cells())
    with tape or nullcontext():
        terms = Terms.of(
            read, max_calls=max_calls, max_tokens=max_tokens, max_cost=max_cost,
            max_minutes=max_minutes, prices=tuple(price or ()), at_once=at_once, cassette=tape,
            cluster=_cluster(engine, address, workers, worker_cpus, worker_gpus, tape),
        )  # fmt: skip
        if not dry_run:
            chosen = [cell for cell in cells if pilot is None or cell.seed <= pilot]
            _hold(read, chosen, folder, terms, as_json=json, quiet=quiet, more=pilot is not None)
        if dry_run or pilot is not None:
            _price(read, cells, folder, terms, as_json=json)


def _hold(
    read: Read,
    cells: list[Cell],
    folder: Folder,
    terms: Terms,
    *,
    as_json: bool,
    quiet: bool,
    more: bool,
) -> None:
    """Hold the debates, watched."""
    import asyncio
    from dataclasses import replace

    from harness.cli.sweeping import Board
    from harness.sweep.running import hold

    board = Board(read, cells, folder, as_json=as_json, quiet=quiet)
    try:
        with board:
            tally = asyncio.run(
                hold(read, cells, folder, replace(terms, watch=board.hear, say=board.say))
            )
    except KeyboardInterrupt:
        board.interrupted()
        raise typer.Exit(INTERRUPTED) from None
    board.end(tally, hint=not more)
    if tally.stopped:
        raise typer.Exit(STOPPED)
    if tally.failed:
        raise typer.Exit(FAILED)


def _price(read: Read, cells: list[Cell], folder: Folder, terms: Terms, *, as_json: bool) -> None:
    """Say what the missing debates will take."""
    import asyncio

    from harness.cli.pricing import show_plan
    from harness.seating import Means
    from harness.sweep.pricing import plan

    means = Means(terms.budget, terms.prices, terms.env)
    show_plan(read, asyncio.run(plan(cells, folder, means)), as_json=as_json)


def _cluster(
    engine: Engine,
    address: str | None,
    workers: int | None,
    cpus: float,
    gpus: float,
    tape: Cassette | None,
) -> Cluster | None:
    """The cluster that is meant.

    Raises:
        UserError: options of a cluster without one, or a cassette with one.
    """
    from harness.errors import UserError
    from harness.sweep.cluster import Cluster

    if engine is Engine.ASYNCIO:
        if address is not None or workers is not None:
            raise UserError("--address and --workers are of a cluster; add --engine ray.")
        return None
    if tape is not None:
        raise UserError("--record and --replay are for one process; leave out --engine ray.")
    return Cluster(address, workers, cpus, gpus)


def _cassette(file: Path, *, named: bool, record: bool, replay: Replay | None) -> Cassette | None:
    from harness.errors import UserError
    from harness.models.cassette import Cassette

    if record and replay is not None:
        raise UserError("--record asks anew and --replay asks for nothing; choose one.")
    if not record and replay is None:
        if named:
            raise UserError("--cassette is used with --record or --replay; add one of them.")
        return None
    if record:
        return Cassette(file, "record")
    return Cassette(file, "strict" if replay is Replay.STRICT else "replay")
