"""An event loop whose time passes only while nobody has anything to do; hours take milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Waiting moves the clock instead of taking time."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.turns = 0
        """How often the loop has gone round."""
        super().__init__(_Instant(self))

    def time(self) -> float:
        return self.passed


class _Instant(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._of = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        self._of.turns += 1
        ready: list[Any] = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everybody waits for something that will never happen")
        if not ready and timeout:
            self._of.passed += timeout
        return ready


class LoopClock:
    """Tells the time of the loop that runs."""

    def now(self) -> str:
        return (
            f"2026-01-01T{int(self.monotonic()) // 3600:02}:{int(self.monotonic()) // 60 % 60:02}Z"
        )

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def in_virtual_time(main: Coroutine[Any, Any, _T]) -> _T:
    """Run it where time costs nothing."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
