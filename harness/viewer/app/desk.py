"""What the app works on: a folder of debates, and the debates that it holds itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from harness.errors import UserError
from harness.session import Sitting


class UnderWay(NamedTuple):
    """A debate that this program is holding."""

    path: Path
    task: asyncio.Task[None]


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

    def hold(self, sitting: Sitting) -> UnderWay:
        """Begin to hold a debate; it goes on whether or not anybody watches."""
        name = self.name_of(sitting.path)
        under_way = UnderWay(sitting.path, asyncio.create_task(_held(sitting), name=name))
        self.under_way[name] = under_way

        def over(task: asyncio.Task[None]) -> None:
            self.under_way.pop(name, None)
            if not task.cancelled() and (error := task.exception()) is not None:
                self.broken[name] = str(error) or type(error).__name__

        under_way.task.add_done_callback(over)
        return under_way

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


async def _held(sitting: Sitting) -> None:
    async with aclosing(sitting.hold()) as happening:
        async for _ in happening:
            pass
