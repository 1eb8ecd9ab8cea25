"""Holds the debates that go on from another, each in a file of its own.

What is finished is left alone and what was interrupted is taken up, so the same command goes on
where it was left.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from harness import events as e
from harness.errors import UserError
from harness.fork.branches import Branch, Plan, Side
from harness.fork.files import check_files
from harness.models import registry
from harness.models.budget import Budget
from harness.models.clock import Clock, SystemClock
from harness.models.limits import Limits
from harness.models.pool import Pool
from harness.models.prices import PriceList
from harness.seating import Means, Seating
from harness.session import Sitting
from harness.transcript import Transcript, Writer, closed, read

ATTEMPTS = 2
"""How often a debate that breaks off is begun: once more, then it is a failure."""

HOSTED_AT_ONCE = 8
"""Debates under way at once, where hosted models sit in all seats."""

Step = Literal["there", "begins", "finished", "broke", "failed", "stopped"]


class News(NamedTuple):
    """Something that happened to one of the debates."""

    step: Step
    """there: was finished before; broke: is tried once more; failed: is not."""
    branch: Branch
    why: str = ""


def _nobody(news: News) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Terms:
    """On what terms debates are held; none of it changes what is compared."""

    budget: Budget
    prices: PriceList
    at_once: int | None = None
    """Debates under way at once; None for 8, or 1 where anything else than hosted models sits."""
    watch: Callable[[News], None] = _nobody
    limits: Limits | None = None
    clock: Clock = field(default_factory=SystemClock)
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    seating: Callable[[e.RunCard, Means, Transcript | None], Seating] = Seating
    """What fills a room from its card."""


@dataclass
class Held:
    """What became of a plan."""

    plan: Plan
    folder: Path
    finished: dict[str, Path] = field(default_factory=dict)
    """Name -> file of the debates that were held to their end."""
    failed: dict[str, str] = field(default_factory=dict)
    """Name -> reason of those that broke off twice."""
    stopped: str = ""
    """The ceiling that was reached."""

    @property
    def control(self) -> tuple[Transcript, ...]:
        """The unchanged debates, as they were written."""
        return self._of("control")

    @property
    def changed(self) -> tuple[Transcript, ...]:
        """The changed ones."""
        return self._of("changed")

    @property
    def left(self) -> int:
        """How many debates were planned and are neither finished nor given up."""
        return len(self.plan.branches) - len(self.finished) - len(self.failed)

    def _of(self, side: Side) -> tuple[Transcript, ...]:
        names = (branch.name for branch in self.plan.branches if branch.side == side)
        return tuple(read(self.finished[name]) for name in names if name in self.finished)


async def hold(plan: Plan, folder: Path, terms: Terms) -> Held:
    """Hold what is missing of a plan.

    Raises:
        UserError: a file that sits in a seat is not found, and no debate has begun; or the record
            no longer goes the way it was recorded, or a model cannot be used.
        ProviderDown: a provider gave no answer for as long as patience lasts.
    """
    check_files(missing(plan, folder))
    held = Held(plan, folder)
    waiting = iter(plan.branches)
    pool = Pool(limits=terms.limits, clock=terms.clock)
    holder = _Holder(held, terms, pool)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(terms.at_once or _usual_at_once(plan)):
                group.create_task(holder.work(waiting))
    except BaseExceptionGroup as several:
        raise _first(several) from None
    finally:
        await pool.aclose()
    return held


def missing(plan: Plan, folder: Path) -> tuple[Branch, ...]:
    """The debates of a plan that were not held to their end yet."""
    return tuple(b for b in plan.branches if not closed(folder / f"{b.name}.jsonl"))


@dataclass(frozen=True)
class _Holder:
    held: Held
    terms: Terms
    pool: Pool

    async def work(self, waiting: Iterator[Branch]) -> None:
        """One debate after the other, until a ceiling is reached."""
        for branch in waiting:
            path = self.held.folder / f"{branch.name}.jsonl"
            if closed(path):
                self.held.finished[branch.name] = path
                self._tell("there", branch)
            elif not self.held.stopped:
                await self._attempts(branch, path)

    async def _attempts(self, branch: Branch, path: Path) -> None:
        """Hold a debate, once more if it breaks off."""
        for attempt in range(1, ATTEMPTS + 1):
            self._tell("begins", branch)
            try:
                stop = await self._listen(branch, path, begun_here=attempt > 1)
            except UserError:
                raise
            except Exception as error:  # whatever breaks in one must not cost the others
                why = f"{type(error).__name__}: {error}"
                self._tell("failed" if attempt == ATTEMPTS else "broke", branch, why)
                continue
            self._ended(branch, path, stop)
            return
        self.held.failed[branch.name] = why

    async def _listen(self, branch: Branch, path: Path, *, begun_here: bool) -> str:
        """Hold the debate; the ceiling that stopped it, if one did."""
        stop = ""
        sitting = self._sitting(branch, path, begun_here)
        async with aclosing(sitting.hold()) as happening:
            async for event in happening:
                stop = event.why if isinstance(event, e.BudgetStop) else ""
        return stop

    def _sitting(self, branch: Branch, path: Path, begun_here: bool) -> Sitting:
        terms = self.terms
        if not path.exists():
            header = e.Header(debate=branch.name, created=terms.clock.now())
            Writer.create(path, header, branch.card, branch.taken).close()
        recording = read(path)
        models = self.pool.of(branch.name)
        # What a first attempt spent is in the budget already.
        recalls = not begun_here
        means = Means(terms.budget, terms.prices, terms.env, models, recalls=recalls)
        return Sitting(recording.card, path, means, terms.clock, recording, terms.seating)

    def _ended(self, branch: Branch, path: Path, stop: str) -> None:
        if stop:
            self.held.stopped = stop
            self._tell("stopped", branch, stop)
        else:
            self.held.finished[branch.name] = path
            self._tell("finished", branch)

    def _tell(self, step: Step, branch: Branch, why: str = "") -> None:
        self.terms.watch(News(step, branch, why))


def _usual_at_once(plan: Plan) -> int:
    """A model in this process answers one call at a time; more debates would only be in its way."""
    specs = {seat.model for branch in plan.branches for seat in branch.card.seats}
    families = {registry.parse(spec).family for spec in specs} - {"reference", "script"}
    return HOSTED_AT_ONCE if families == {"chat"} else 1


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    first = several.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
