"""Many debates at once, in one process: what is missing is held, what is there is left alone.

Each debate is a file, and whoever writes a file holds its lock. So several processes may run the
same experiment: none holds a debate that another has, and what a process leaves behind when it is
killed is taken up by the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from harness import events as e
from harness.errors import TranscriptError, TranscriptInUse, UserError
from harness.events import Event
from harness.experiment.design import Cell
from harness.experiment.folder import ASIDE, Broken, Folder
from harness.models.clock import Clock
from harness.session import unused
from harness.sweep.holding import Holds

ATTEMPTS = 2
"""How often a debate that breaks off is begun: once more, then it is a failure."""

LOOK_AGAIN = 2.0
"""Seconds after which is looked whether a debate in other hands is finished or free."""

Step = Literal["there", "begins", "turn", "finished", "broke", "failed", "elsewhere", "stopped"]


class News(NamedTuple):
    """Something that happened in a sweep."""

    step: Step
    """there: was finished before; broke: will be tried once more; failed: will not; elsewhere:
    another process holds it; stopped: a ceiling was reached."""
    cell: Cell
    why: str = ""
    event: Event | None = None
    """The turn's model call, for `turn`."""


@dataclass
class Tally:
    """What became of the debates of a sweep."""

    planned: int = 0
    there: int = 0
    """Finished before the sweep began, or by another process."""
    held: int = 0
    """Finished in the sweep."""
    failed: list[Cell] = field(default_factory=list)
    """Broke off twice."""
    left: int = 0
    """Not begun, or not finished, because a ceiling was reached."""
    stopped: str = ""
    """Which ceiling."""

    @property
    def complete(self) -> bool:
        """Whether every debate that was planned is there."""
        return self.there + self.held == self.planned


@dataclass
class Sweep:
    """The debates of an experiment, about to be held."""

    cells: Iterable[Cell]
    folder: Folder
    holder: Holds
    clock: Clock
    at_once: int = 1
    """Debates under way at once."""
    watch: Callable[[News], None] = lambda news: None
    """Told of everything that happens, as it happens."""
    tally: Tally = field(default_factory=Tally)
    _elsewhere: deque[Cell] = field(default_factory=deque)

    async def run(self) -> Tally:
        """Hold what is missing.

        Raises:
            UserError: what keeps a debate from going on would keep the others too, and the user can
                mend it: no key, a provider that is down, a cassette without the reply. The debates
                under way stop where they are and can be gone on with.
        """
        missing = iter(list(self._missing()))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.at_once):
                    group.create_task(self._work(missing))
        except BaseExceptionGroup as several:
            raise _one(several) from None
        return self.tally

    def _missing(self) -> Iterator[Cell]:
        for cell in self.cells:
            self.tally.planned += 1
            if self.folder.finished(cell):
                self._is_there(cell)
            else:
                yield cell

    async def _work(self, missing: Iterator[Cell]) -> None:
        """One debate after the other; at the end, those that other processes were holding."""
        for cell in missing:
            await self._attempt(cell)
        while self._elsewhere:
            cell = self._elsewhere.popleft()
            await self._attempt(cell)
            if cell in self._elsewhere:
                await asyncio.sleep(LOOK_AGAIN)

    async def _attempt(self, cell: Cell) -> None:
        """Hold a debate, once more if it breaks off, unless another process has done so."""
        if self.folder.finished(cell):
            self._is_there(cell)
            return
        for attempt in range(1, ATTEMPTS + 1):
            if self.tally.stopped:
                self.tally.left += 1
                return
            why = await self._hold(cell)
            if why is None:
                return
            self.folder.broke(
                Broken(debate=cell.name, at=self.clock.now(), attempt=attempt, why=why)
            )
            self.watch(News("failed" if attempt == ATTEMPTS else "broke", cell, why))
        self.tally.failed.append(cell)

    async def _hold(self, cell: Cell) -> str | None:
        """Hold a debate; why it broke off, if it did."""
        known = self._file_of(cell)
        try:
            await self._listen(cell)
        except TranscriptInUse:
            self._left_to_others(cell)
        except TranscriptError as error:
            if known is not None and self._file_of(cell) != known:
                self._left_to_others(cell)  # another process has set it aside and begun it anew
                return None
            self._set_aside(cell)
            return str(error)
        except UserError:
            raise
        except Exception as error:  # whatever breaks in one debate must not cost the others
            return f"{type(error).__name__}: {error}"
        return None

    async def _listen(self, cell: Cell) -> None:
        self.watch(News("begins", cell))
        debate = self.holder.hold(cell, self.folder.transcript(cell))
        last: Event | None = None
        async with aclosing(debate) as happening:
            async for event in happening:
                last = event
                if isinstance(event, e.ModelCall):
                    self.watch(News("turn", cell, event=event))
        if last is None:  # another process finished it after we had looked
            self._is_there(cell)
        elif isinstance(last, e.BudgetStop):
            self.tally.stopped = last.why
            self.tally.left += 1
            self.watch(News("stopped", cell, last.why))
        else:
            self.tally.held += 1
            self.watch(News("finished", cell))

    def _is_there(self, cell: Cell) -> None:
        self.tally.there += 1
        self.watch(News("there", cell))

    def _left_to_others(self, cell: Cell) -> None:
        self._elsewhere.append(cell)
        self.watch(News("elsewhere", cell))

    def _set_aside(self, cell: Cell) -> None:
        """Move what cannot be gone on with out of the way; nothing is deleted."""
        path = self.folder.transcript(cell)
        if not path.exists():
            return
        aside = self.folder.path / ASIDE
        aside.mkdir(exist_ok=True)
        path.rename(unused(aside, path.stem))

    def _file_of(self, cell: Cell) -> int | None:
        """Which file the transcript is; another one where it was set aside and begun anew."""
        try:
            return self.folder.transcript(cell).stat().st_ino
        except FileNotFoundError:
            return None


def _one(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to show for a group: the user's to mend before a defect, the first of them."""
    found = list(_flat(several))
    return next((error for error in found if isinstance(error, UserError)), found[0])


def _flat(several: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in several.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _flat(error)
        else:
            yield error
