"""The driver's side of debates that are held by workers: hands them out, writes them down.

The driver alone writes transcripts, under the same lock as ever, and it lets a worker make one paid
call at a time: the next one when the last is on the disk. So no call is paid twice but the one in
flight when a worker or the driver dies, no worker can pass a ceiling, and workers need no disk that
they share with the driver.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness import events as e
from harness.errors import (
    BudgetExhausted,
    HarnessError,
    ModelUnavailable,
    ProviderDown,
    TranscriptError,
    TranscriptInUse,
    UserError,
)
from harness.events import EVENT, Event
from harness.experiment.design import Cell
from harness.models.budget import Budget
from harness.models.clock import Clock
from harness.models.prices import PriceList
from harness.seating import Means
from harness.sweep.cluster_crew import Crew, Member, WorkerLost
from harness.sweep.cluster_worker import Begun, Broke, Refused, is_paid
from harness.sweep.holding import card_of, where_prompts_lie
from harness.transcript import Transcript, Writer, read

LOSSES = 3
"""How many workers a debate may lose in a row without a step forward."""


class WorkerFault(HarnessError):
    """A defect of ours that showed on a worker; its log has the traceback."""


class Purse:
    """The budget of a sweep, of which a worker gets one call at a time."""

    def __init__(self, budget: Budget) -> None:
        """Take the budget; nothing else may count calls in it."""
        self._budget = budget
        self._out = 0
        self._settled = asyncio.Event()

    async def draw(self) -> Refused | None:
        """Set one call aside, or say why there is none.

        Calls set aside may not be needed: before the last one is refused, they are waited for.
        """
        while True:
            try:
                self._budget.admit()
            except BudgetExhausted as stop:
                if stop.ceiling != "calls" or not self._out:
                    return Refused(stop.ceiling, stop.why)
                self._settled.clear()
                await self._settled.wait()
            else:
                self._out += 1
                return None

    def settle(self, calls: Iterable[e.ModelCall]) -> None:
        """Count the call that was set aside as what it came to."""
        made = list(calls)
        for call in made:
            self._budget.add(call.usage, call.cost)
        spent = self._budget.spent
        self._budget.spent = replace(spent, calls=spent.calls + len(made) - 1)
        self._back()

    def forfeit(self) -> None:
        """Count the call that was set aside as made: whether it was paid is not known."""
        self._back()

    def recall(self, recording: Transcript) -> None:
        """Count the calls of a debate that an earlier run left unfinished."""
        for call in recording.calls:
            if is_paid(call):
                self._budget.recall(call.usage, call.cost)

    def _back(self) -> None:
        self._out -= 1
        self._settled.set()


@dataclass
class Remote:
    """Holds debates on the workers of a cluster."""

    crew: Crew
    purse: Purse
    prices: PriceList
    clock: Clock
    counted: set[str] = field(default_factory=set)
    """Debates of which the budget counts already what is on record."""

    async def hold(self, cell: Cell, path: Path) -> AsyncGenerator[Event]:
        """Hold the debate, or go on with it, yielding each event once it is in the file.

        Raises:
            TranscriptInUse: another process holds the debate.
            TranscriptError: the debate no longer goes the way it was recorded.
            ModelUnavailable: only the user can mend what keeps a model from answering.
            WorkerLost: workers died over it several times in a row.
        """
        opened = self._opened(cell, path)
        if opened is None:
            return
        writer, begun = opened
        with writer:
            async with aclosing(self._events(cell.name, path, begun)) as happening:
                async for event in happening:
                    yield writer.append(event)

    def _opened(self, cell: Cell, path: Path) -> tuple[Writer, Begun] | None:
        """The transcript under our lock, and what was in it; None where nothing is left to do."""
        if not path.exists():
            self.counted.add(cell.name)
            return self._created(cell, path)
        transcript, recording = path.read_bytes(), read(path)
        if recording.finished:
            return None
        if recording.size != len(transcript):
            raise TranscriptInUse(f"{path} is being written by another process.")
        writer = Writer.resume(recording)
        if cell.name not in self.counted:
            self.counted.add(cell.name)
            self.purse.recall(recording)
        return writer, Begun(where_prompts_lie(recording.card, cell), transcript, fresh=False)

    def _created(self, cell: Cell, path: Path) -> tuple[Writer, Begun]:
        card = card_of(cell, Means(Budget(), self.prices))
        header = e.Header(debate=path.stem, created=self.clock.now())
        writer = Writer.create(path, header, card)
        return writer, Begun(card, path.read_bytes(), fresh=True)

    async def _events(self, name: str, path: Path, begun: Begun) -> AsyncGenerator[Event]:
        """What happens in the debate, whoever holds it."""
        losses = 0
        while True:
            try:
                async with (
                    self.crew.somebody() as worker,
                    aclosing(self._steps(worker, name, begun)) as steps,
                ):
                    async for events in steps:
                        losses = 0 if events else losses
                        for event in events:
                            yield event
                return
            except WorkerLost:
                losses += 1
                if losses == LOSSES:
                    raise
                begun = Begun(begun.card, _so_far(path), fresh=False)

    async def _steps(
        self, worker: Member, name: str, begun: Begun
    ) -> AsyncGenerator[tuple[Event, ...]]:
        """What happens in the debate while this worker has it, up to a paid call at a time."""
        taken_up: Begun | None = begun
        while True:
            refused = await self.purse.draw()
            try:
                step = await worker.step(name, taken_up, refused)
            except BaseException:
                if refused is None:
                    self.purse.forfeit()
                raise
            events = tuple(EVENT.validate_json(line) for line in step.lines.splitlines())
            if refused is None:
                self.purse.settle(event for event in events if is_paid(event))
            yield events
            if step.broke is not None:
                raise _error(step.broke)
            if step.over:
                return
            taken_up = None


def _so_far(path: Path) -> bytes:
    return path.read_bytes()


def _error(broke: Broke) -> Exception:
    """The worker's error, as it would have been raised here."""
    kinds: dict[str, type[Exception]] = {
        "model": ModelUnavailable,
        "provider": ProviderDown,
        "transcript": TranscriptError,
        "user": UserError,
        "defect": WorkerFault,
    }
    return kinds[broke.kind](broke.why)
