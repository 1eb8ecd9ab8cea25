"""What the app works on: a folder of debates, and the debates that it holds itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from harness.errors import UserError
from harness.events import DebateClosed
from harness.models.waiting import Terms, Waiting
from harness.session import Sitting
from harness.turn import Seated

Afterwards = Callable[[Path], object]
"""What is done with the transcript of a debate that was held to its end."""


class UnderWay(NamedTuple):
    """A debate that this program is holding."""

    path: Path
    task: asyncio.Task[None]


class Holder(NamedTuple):
    """Who has taken a seat, and on what terms."""

    key: str
    terms: Terms


@dataclass
class Desk:
    """The app's one piece of shared state. Files are the record; this knows only what is going on.

    All of it is used from the event loop alone.
    """

    folder: Path
    """Where debates lie, subfolders included, and where new ones are written."""
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    under_way: dict[str, UnderWay] = field(default_factory=dict)
    """By name: the transcript's path within the folder, without its ending."""
    people: dict[str, dict[str, Waiting]] = field(default_factory=dict)
    """Where debates held here wait for people: by the debate's name, then by seat."""
    holders: dict[tuple[str, str], Holder] = field(default_factory=dict)
    """Who has taken which seats: by the debate's name and the seat."""
    broken: dict[str, str] = field(default_factory=dict)
    """Why debates that were held here broke off, by name."""
    hosts: frozenset[str] = frozenset({"127.0.0.1", "localhost", "[::1]"})
    """What the app may be called in an address."""

    def path_of(self, name: str) -> Path:
        """The transcript of this name.

        Raises:
            UserError: there is none, or the name leads out of the folder.
        """
        root = self.folder.resolve()
        path = (root / f"{name}.jsonl").resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise UserError(f"There is no transcript {name!r} in {self.folder}.")
        return path

    def name_of(self, path: Path) -> str:
        """The name of a transcript in the folder: its path there, without its ending."""
        return path.resolve().relative_to(self.folder.resolve()).with_suffix("").as_posix()

    def hold(self, sitting: Sitting, afterwards: Afterwards | None = None) -> UnderWay:
        """Begin to hold a debate; it goes on whether or not anybody watches.

        People in its seats are waited for, in the browser.

        Args:
            sitting: The debate.
            afterwards: What is done with its transcript, in a thread, once the chair has closed it.

        Raises:
            UserError: it is held here already.
        """
        name = self.name_of(sitting.path)
        if name in self.under_way:
            raise UserError(f"{name} is under way already.")
        self.broken.pop(name, None)
        sitting = replace(sitting, means=replace(sitting.means, person=self._person(name)))
        task = asyncio.create_task(_held(sitting, afterwards), name=name)
        under_way = UnderWay(sitting.path, task)
        self.under_way[name] = under_way

        def over(task: asyncio.Task[None]) -> None:
            self.under_way.pop(name, None)
            self.people.pop(name, None)
            if not task.cancelled() and (error := task.exception()) is not None:
                self.broken[name] = str(error) or type(error).__name__

        under_way.task.add_done_callback(over)
        return under_way

    def _person(self, name: str) -> Callable[[str, Seated | None], Seated]:
        seats = self.people[name] = {}

        def waits(seat: str, stand_in: Seated | None) -> Seated:
            seats[seat] = Waiting(stand_in)
            return seats[seat]

        return waits

    def begin(self, paths: Sequence[Path], work: Coroutine[object, object, None]) -> None:
        """Begin a work that holds several debates; each counts as under way until `ended`."""
        task = asyncio.create_task(work)
        names = [self.name_of(path) for path in paths]
        for name, path in zip(names, paths, strict=True):
            self.broken.pop(name, None)
            self.under_way[name] = UnderWay(path, task)

        def over(task: asyncio.Task[None]) -> None:
            error = None if task.cancelled() else task.exception()
            for name in names:
                if name in self.under_way and self.under_way[name].task is task:
                    self.ended(name, str(error) or type(error).__name__ if error else "")

        task.add_done_callback(over)

    def ended(self, name: str, why: str = "") -> None:
        """One of several debates is no longer under way; `why` it broke off, if it did."""
        self.under_way.pop(name, None)
        if why:
            self.broken[name] = why

    async def stop(self, name: str) -> None:
        """Stop a debate that is held here; what is on record of it stays and can be resumed."""
        under_way = self.under_way.get(name)
        if under_way is None:
            return
        under_way.task.cancel()
        await asyncio.wait([under_way.task])

    async def close(self) -> None:
        """Stop every debate that is held here."""
        for name in list(self.under_way):
            await self.stop(name)


async def _held(sitting: Sitting, afterwards: Afterwards | None) -> None:
    closed = False
    async with aclosing(sitting.hold()) as happening:
        async for event in happening:
            closed = isinstance(event, DebateClosed)
    if afterwards is not None and closed:
        await asyncio.to_thread(afterwards, sitting.path)
