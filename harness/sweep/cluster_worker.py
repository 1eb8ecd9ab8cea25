"""What runs on a worker of a cluster: debates, a step at a time, as the driver asks for them.

A worker writes to scratch files of its own; the transcript is with the driver, which asks for the
next step once the last one is on its disk. So the loss of a worker costs at most the turns in
flight, and nothing but the driver's folder has to outlive it. Nothing here knows of Ray.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, NamedTuple, TypeGuard

from harness import events as e
from harness.briefing import persona_prompt
from harness.errors import (
    BudgetExhausted,
    ModelUnavailable,
    ProviderDown,
    TranscriptError,
    UserError,
)
from harness.events import Event
from harness.loading import personas_root
from harness.models.budget import Budget
from harness.models.clock import SystemClock
from harness.models.limits import Limits
from harness.models.pool import Pool
from harness.models.prices import PriceList
from harness.seating import VERSIONED, Means
from harness.session import Sitting
from harness.transcript import read

THREADS = "TRACKTWO_THREADS"

_log = logging.getLogger(__name__)


class Refused(NamedTuple):
    """No further call may be made."""

    ceiling: str
    """calls, tokens, cost or minutes."""
    why: str


class Broke(NamedTuple):
    """Why a debate broke off."""

    kind: Literal["model", "provider", "transcript", "user", "defect"]
    """What a worker's error was: a `ModelUnavailable`, a `ProviderDown`, a `TranscriptError`,
    another `UserError`, or a defect of ours."""
    why: str


class Begun(NamedTuple):
    """A debate for a worker to take up."""

    card: e.RunCard
    """What it is held with; persona prompts by the names under which they are found now."""
    transcript: bytes
    """What is on record: header and run card at least."""
    fresh: bool
    """Whether nobody has held any of it."""


class Step(NamedTuple):
    """What happened in a debate up to its next paid call, or to its end."""

    lines: bytes
    """Lines of the transcript that the driver does not have yet."""
    over: bool
    """Whether nothing follows."""
    broke: Broke | None = None


class Present(NamedTuple):
    """Who a worker is, and what it has."""

    host: str
    pid: int
    versions: Mapping[str, str]
    """Package -> version, as in `versions_here`."""
    lacks: tuple[str, ...]
    """Persona prompts that are missing here, or differ from the driver's."""


class Leave(Budget):
    """The driver's budget as a worker sees it: one more call, or none.

    What a call used is counted by the driver, from the transcript.
    """

    refused: Refused | None = None

    def admit(self) -> None:
        """Let the call be made.

        Raises:
            BudgetExhausted: the driver allowed none.
        """
        if self.refused is not None:
            raise BudgetExhausted(*self.refused)
        super().admit()


@dataclass
class _Debate:
    """A debate under way on this worker."""

    path: Path
    leave: Leave
    known: int
    """How many lines the driver had at the beginning."""
    happening: AsyncGenerator[Event]
    busy: bool = False
    """Whether a call is awaited."""
    told: int | None = None
    """Bytes of the file that the driver has; None before it was asked."""

    async def step(self, refused: Refused | None) -> bool:
        """Go on to the next paid call that is not on record; True at the end."""
        self.leave.refused, self.busy = refused, True
        async for event in self.happening:
            if is_paid(event) and event.seq >= self.known:
                self.busy = False
                return False
        self.busy = False
        return True

    def news(self) -> bytes:
        """What was written since this was asked last."""
        if not self.path.exists():
            return b""
        with self.path.open("rb") as file:
            if self.told is None:
                for _ in range(self.known):
                    file.readline()
            else:
                file.seek(self.told)
            lines = file.read()
            self.told = file.tell()
        return lines

    async def close(self) -> None:
        """Throw the scratch file away."""
        if not self.busy:  # a call that is still awaited ends with the process
            await self.happening.aclose()
        self.path.unlink(missing_ok=True)


class Worker:
    """Holds debates for a driver, several at a time on one event loop."""

    def __init__(
        self, prices: PriceList, limits: Mapping[str, Limits] | Limits, cpus: int, folder: Path
    ) -> None:
        """Open nothing yet.

        Args:
            prices: of models.
            limits: this worker's share of how fast providers may be asked.
            cpus: cores that a model in this process may use, unless the environment says.
            folder: the driver's working folder, which files are named relative to; gone to where
                this machine has it.
        """
        if folder.is_dir():
            os.chdir(folder)
        os.environ.setdefault(THREADS, str(cpus))
        self._prices = prices
        self._pool = Pool(limits=limits)
        self._scratch = tempfile.TemporaryDirectory(prefix="tracktwo-worker-")
        self._debates: dict[str, _Debate] = {}

    async def present(self, prompts: Mapping[str, str]) -> Present:
        """Who this is; `prompts` are the persona prompts needed, with their fingerprints."""
        lacks = tuple(name for name, print_of in prompts.items() if _print_of(name) != print_of)
        return Present(socket.gethostname(), os.getpid(), versions_here(), lacks)

    async def step(self, name: str, begun: Begun | None, refused: Refused | None) -> Step:
        """Go on with a debate to its next paid call.

        Args:
            name: of the debate.
            begun: the debate, where this worker is to take it up; None where it has it.
            refused: why no call may be made; then the debate goes on to where it needs one.
        """
        try:
            if begun is not None:
                self._debates[name] = self._taken_up(name, begun)
            over, broke = await self._debates[name].step(refused), None
        except Exception as error:  # a value: not every error can be sent to another process
            over, broke = True, self._broke(error)
        debate = self._debates.get(name)
        lines = debate.news() if debate is not None else b""
        if over and debate is not None:
            await self._debates.pop(name).close()
        return Step(lines, over, broke)

    async def leave(self) -> None:
        """Throw all scratch files away; nothing is asked of this worker any more."""
        for debate in self._debates.values():
            await debate.close()
        await self._pool.aclose()
        self._scratch.cleanup()

    def _taken_up(self, name: str, begun: Begun) -> _Debate:
        path = Path(self._scratch.name) / f"{name}.jsonl"
        path.write_bytes(begun.transcript)
        recording = read(path)
        if begun.fresh:
            path.unlink()
        leave = Leave()
        means = Means(leave, self._prices, os.environ, self._pool.of(name))
        sitting = Sitting(
            begun.card, path, means, SystemClock(), None if begun.fresh else recording
        )
        return _Debate(path, leave, len(recording.events), sitting.hold())

    def _broke(self, error: Exception) -> Broke:
        # The driver's transcript is meant, not the scratch file.
        why = str(error).replace(f"{self._scratch.name}{os.sep}", "")
        match error:
            case ModelUnavailable():
                return Broke("model", why)
            case ProviderDown():
                return Broke("provider", why)
            case TranscriptError():
                return Broke("transcript", why)
            case UserError():
                return Broke("user", why)
            case _:
                _log.error("a debate broke off", exc_info=error)
                return Broke("defect", f"{type(error).__name__}: {why}")


def is_paid(event: Event) -> TypeGuard[e.ModelCall]:
    """Whether the event is a call to a language model; nothing else reads the clock."""
    return isinstance(event, e.ModelCall) and event.started is not None


def versions_here() -> dict[str, str]:
    """The packages that stand on run cards, with their versions in this process."""
    return {name: _version(name) for name in VERSIONED}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _print_of(prompt: str) -> str | None:
    try:
        return persona_prompt(prompt, personas_root() / "prompts").sha
    except UserError:
        return None
