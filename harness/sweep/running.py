"""One experiment, from its file to its folder: what the command line and a Python program call."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.experiment.design import Cell
from harness.experiment.folder import Folder
from harness.experiment.reading import Read, load_experiment
from harness.models.budget import Budget
from harness.models.cassette import Cassette
from harness.models.clock import Clock, SystemClock
from harness.models.limits import Limits
from harness.models.pool import Pool
from harness.models.prices import PriceList
from harness.places import in_checkout
from harness.seating import Means
from harness.session import run_alone
from harness.sweep.cluster import Cluster
from harness.sweep.holding import Holder, language_models
from harness.sweep.pricing import recall
from harness.sweep.sweep import News, Sweep, Tally

HOSTED_AT_ONCE = 16
"""Debates under way at once, where no model in this process takes part."""


LOOK_FOR_TROUBLE = 2.0
"""Seconds after which is looked whether a provider is down."""


def _unheard(news: News) -> None:
    """Nobody watches."""


def _unsaid(words: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Terms:
    """On what terms the debates of an experiment are held; none of it changes what is compared."""

    budget: Budget
    prices: PriceList
    at_once: int | None = None
    """Debates under way at once; None for 16, or 1 where a model in this process takes part."""
    cassette: Cassette | None = None
    """Where replies are recorded or come from."""
    watch: Callable[[News], None] = _unheard
    """Told of everything that happens, as it happens."""
    cluster: Cluster | None = None
    """The Ray cluster whose workers hold the debates; None for this process."""
    say: Callable[[str], None] = _unsaid
    """Told, in a sentence, which worker of a cluster came and which was lost."""
    clock: Clock = field(default_factory=SystemClock)
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @classmethod
    def of(
        cls,
        read: Read,
        *,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        max_minutes: float | None = None,
        prices: tuple[str, ...] = (),
        at_once: int | None = None,
        cassette: Cassette | None = None,
        cluster: Cluster | None = None,
        watch: Callable[[News], None] = _unheard,
    ) -> Terms:
        """The file's terms, with those that are given here in their place.

        Raises:
            UserError: a price cannot be read, or a ceiling on cost has models without a price.
        """
        declared = read.experiment.budget
        listed = [f"{model}={price}" for model, price in read.experiment.prices.items()]
        known = PriceList.given([*listed, *prices], os.environ)
        cost = declared.max_cost if max_cost is None else max_cost
        if cost is not None:
            known.require(hosted(read))
        budget = Budget(
            max_calls=declared.max_calls if max_calls is None else max_calls,
            max_tokens=declared.max_tokens if max_tokens is None else max_tokens,
            max_cost=cost,
            max_minutes=declared.max_minutes if max_minutes is None else max_minutes,
        )
        return cls(budget, known, at_once, cassette, watch, cluster)

    def pool(self, read: Read) -> Pool:
        """The models of the run, under the limits that the file declares."""
        return Pool(limits=self.limits(read), cassette=self.cassette, clock=self.clock)

    def limits(self, read: Read) -> Limits | None:
        """How fast each provider may be asked, as the file declares; None where it says nothing."""
        stated = read.experiment.limits.model_dump(exclude_none=True)
        return Limits(**stated) if stated else None


@dataclass(frozen=True)
class Held:
    """An experiment whose debates have been held, as far as they could be."""

    read: Read
    folder: Folder
    tally: Tally


def hosted(read: Read) -> list[str]:
    """The hosted models that speak in the experiment, in its seats or in the chair's."""
    specs = dict.fromkeys(spec for cell in read.design.cells() for spec in language_models(cell))
    return [str(spec) for spec in specs if spec.family == "chat"]


async def hold(read: Read, cells: list[Cell], folder: Folder, terms: Terms) -> Tally:
    """Hold the debates that are missing, after putting on file what was declared.

    What the debates in the folder took before counts in the budget, so that its ceilings are those
    of the whole experiment; its minutes are this run's own.

    Raises:
        ModelUnavailable: only the user can mend what keeps a model from answering.
        ProviderDown: a provider gave no answer for as long as patience lasts.
        UserError: the cassette holds no such reply, a file of the folder cannot be read, ...
    """
    folder.declare(read.experiment, read.source, terms.clock.now(), folder.held)
    counted = recall(folder, terms.budget, terms.prices)
    if terms.cluster is not None:
        from harness.sweep.cluster import held_on_ray

        return await held_on_ray(
            cells, folder, terms.budget, terms.prices, terms.cluster,
            each=usual_at_once(cells), at_once=terms.at_once, limits=terms.limits(read),
            counted=counted, watch=terms.watch, say=terms.say,
        )  # fmt: skip
    pool = terms.pool(read)
    sweep = Sweep(
        cells=cells,
        folder=folder,
        holder=Holder(
            lambda name: _means(terms, pool, name),
            lambda name: _clock(terms, name),
            terms.clock,
            counted,
        ),
        clock=terms.clock,
        at_once=terms.at_once or usual_at_once(cells),
        watch=terms.watch,
    )
    telling = asyncio.create_task(tell_of_trouble(pool, terms.say))
    try:
        return await sweep.run()
    finally:
        telling.cancel()
        await pool.aclose()


class Troubled(Protocol):
    """What knows which providers are down: a `Pool`."""

    @property
    def trouble(self) -> tuple[str, ...]:
        """What is wrong, a sentence each."""
        ...


async def tell_of_trouble(
    pool: Troubled, say: Callable[[str], None], every: float = LOOK_FOR_TROUBLE
) -> None:
    """Say it when a provider goes down or comes back, for as long as this is not cancelled."""
    known: tuple[str, ...] = ()
    while True:
        await asyncio.sleep(every)
        for sentence in pool.trouble:
            if sentence not in known:
                say(sentence)
        if known and not pool.trouble:
            say("Every provider answers again.")
        known = pool.trouble


def usual_at_once(cells: list[Cell]) -> int:
    """How many debates are held at once if nobody says.

    A model in this process answers one call at a time; more debates at once would only push out of
    its cache what it has read of the others.
    """
    local = any(spec.family == "local" for cell in cells for spec in language_models(cell))
    return 1 if local else HOSTED_AT_ONCE


def run_experiment(
    file: str | Path,
    *,
    out: Path | str | None = None,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    max_minutes: float | None = None,
    prices: tuple[str, ...] = (),
    at_once: int | None = None,
    cassette: Cassette | None = None,
    watch: Callable[[News], None] = _unheard,
) -> Held:
    """Hold the debates of an experiment file, or go on with them.

    Runs on an event loop of its own; where one is running already, as in a notebook, that one
    stands still. What is finished is left alone, so calling it again goes on where it was left.
    `evals.comparison.results.results_of(held.folder.path)` reads the outcome.

    Args:
        file: The experiment file, or an experiment that comes with the program by its name.
        out: Folder for the debates; `transcripts/experiments/ID` where left out.
        max_calls: Calls at most; as the file says where left out, and so for the other ceilings.
        max_tokens: Tokens at most, read and written.
        max_cost: US dollars at most; every hosted model then needs a price.
        max_minutes: Minutes at most, of this call.
        prices: `MODEL=IN/OUT` in US dollars per million tokens.
        at_once: Debates under way at once.
        cassette: Where replies are recorded or come from.
        watch: Told of everything that happens.

    Raises:
        UserError: the file has problems, or a model cannot be used.
    """
    read = load_experiment(file)
    folder = Folder(Path(out) if out is not None else usual_folder(read))
    terms = Terms.of(
        read, max_calls=max_calls, max_tokens=max_tokens, max_cost=max_cost,
        max_minutes=max_minutes, prices=prices, at_once=at_once, cassette=cassette, watch=watch,
    )  # fmt: skip
    tally = run_alone(hold(read, list(read.design.cells()), folder, terms))
    return Held(read, folder, tally)


def usual_folder(read: Read) -> Path:
    """Where an experiment's debates lie if nothing else is said."""
    base = Path("transcripts/runs") if in_checkout() else Path("transcripts")
    return base / "experiments" / read.experiment.id


def _means(terms: Terms, pool: Pool, name: str) -> Means:
    return Means(terms.budget, terms.prices, terms.env, pool.of(name))


def _clock(terms: Terms, name: str) -> Clock:
    return terms.clock if terms.cassette is None else terms.cassette.clock_of(name, terms.clock)
