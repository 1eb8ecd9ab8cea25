"""The workers of a cluster as the driver sees them: hired, handed debates, replaced when lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from harness.errors import UserError
from harness.sweep.cluster_worker import Begun, Present, Refused, Step

STILLBORN = 3
"""How many workers in a row may die before they are at work."""

PATIENCE = 600.0
"""Seconds for which the first worker is waited for; a cluster may have to start a machine."""

FAREWELL = 5.0
"""Seconds that workers have to throw away their scratch files."""


class WorkerLost(Exception):
    """A worker died, or cannot be reached; what it was doing may be given to another."""


class CrewUnavailable(UserError):
    """No worker can hold debates, and only the user can mend it; ends a sweep."""


@dataclass(eq=False)
class Member:
    """One worker."""

    handle: Any
    """The actor."""
    who: Present
    load: int = 0
    """Debates it has."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def step(self, name: str, begun: Begun | None, refused: Refused | None) -> Step:
        """As `Worker.step`.

        Raises:
            WorkerLost: there is no answer, and there will be none.
        """
        try:
            step: Step = await answered(self.handle.step.remote(name, begun, refused))
        except WorkerLost:
            self.gone.set()
            raise
        return step


async def answered(reference: Any) -> Any:
    """What a call to an actor came to.

    Raises:
        WorkerLost: the actor is dead or out of reach.
        RayTaskError: the call raised.
    """
    from ray.exceptions import RayError, RayTaskError

    try:
        return await reference
    except RayTaskError:
        raise
    except RayError as error:
        raise WorkerLost(_gist(str(error))) from error


class Crew:
    """So many places for workers, each filled again when its worker is lost."""

    def __init__(
        self,
        hire: Callable[[], Any],
        places: int,
        each: int,
        prompts: Mapping[str, str],
        versions: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        """Hire nobody yet.

        Args:
            hire: starts a worker and returns its actor; it may come up later.
            places: how many workers there are to be.
            each: debates that one may have at a time.
            prompts: persona prompts they need, with their fingerprints.
            versions: of packages that have to be the same everywhere.
            say: told, in a sentence, who came and who was lost.
        """
        self._hire = hire
        self._places = places
        self._each = each
        self._prompts = prompts
        self._versions = versions
        self._say = say
        self._members: list[Member] = []
        self._stillborn = 0
        self._trouble: Exception | None = None
        self._changed = asyncio.Event()
        self._keeping: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Crew:
        """Hire, and wait for the first to come.

        Raises:
            CrewUnavailable: nobody came in time, or who came cannot hold these debates.
        """
        self._keeping = [asyncio.create_task(self._keep()) for _ in range(self._places)]
        try:
            async with asyncio.timeout(PATIENCE):
                await self._free()
        except TimeoutError:
            await self._dismiss()
            raise CrewUnavailable(
                f"No worker started within {PATIENCE / 60:.0f} minutes: the cluster has no room "
                "for one; ask for fewer CPUs or GPUs a worker, or look at `ray status`."
            ) from None
        except BaseException:
            await self._dismiss()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Dismiss everybody; what they have under way is stopped."""
        await self._dismiss()

    @asynccontextmanager
    async def somebody(self) -> AsyncIterator[Member]:
        """The worker with the fewest debates; waits until one may have another.

        Raises:
            CrewUnavailable: there is nobody any more, or who came cannot hold these debates.
        """
        member = await self._free()
        member.load += 1
        try:
            yield member
        finally:
            member.load -= 1
            self._changed.set()

    async def _free(self) -> Member:
        while True:
            if self._trouble is not None:
                raise self._trouble
            free = [m for m in self._members if m.load < self._each and not m.gone.is_set()]
            if free:
                return min(free, key=lambda member: member.load)
            self._changed.clear()
            await self._changed.wait()

    async def _keep(self) -> None:
        """Keep one place filled."""
        try:
            while True:
                await self._fill()
        except Exception as error:  # shown by whoever waits for a worker
            self._trouble = error
            self._changed.set()

    async def _fill(self) -> None:
        """Hire a worker, and see to it until it is lost."""
        handle = self._hire()
        try:
            member = await self._greeted(handle)
            if member is not None:
                await self._attended(member)
        finally:
            _kill(handle)

    async def _greeted(self, handle: Any) -> Member | None:
        """The worker, once it has said who it is; None where it died before that."""
        try:
            who: Present = await answered(handle.present.remote(self._prompts))
        except WorkerLost as lost:
            self._stillborn += 1
            if self._stillborn == STILLBORN:
                raise CrewUnavailable(
                    f"{STILLBORN} workers in a row died before they could begin ({lost}). "
                    "Workers need tracktwo with the packages that are installed here."
                ) from lost
            return None
        self._stillborn = 0
        self._check(who)
        return Member(handle, who)

    async def _attended(self, member: Member) -> None:
        who = member.who
        self._members.append(member)
        self._changed.set()
        self._say(f"Worker {who.pid} on {who.host} is at work.")
        await member.gone.wait()
        self._members.remove(member)
        self._say(f"Worker {who.pid} on {who.host} is lost; its debates go on elsewhere.")

    def _check(self, who: Present) -> None:
        """Whether it would hold the debates that are meant."""
        for name, here in self._versions.items():
            there = who.versions.get(name, "not installed")
            if there != here:
                raise CrewUnavailable(
                    f"{name} is {there} on {who.host} and {here} here; "
                    "install the same version on both."
                )
        if who.lacks:
            raise CrewUnavailable(
                f"{who.host} does not have the same persona prompt {who.lacks[0]}; "
                "put the file on all machines under that path."
            )

    async def _dismiss(self) -> None:
        """Let everybody tidy up, then stop them."""
        leaving = [answered(member.handle.leave.remote()) for member in self._members]
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await asyncio.gather(*leaving, return_exceptions=True)
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)


def _kill(handle: Any) -> None:
    """Stop a worker, also one that is out of reach: it must not go on by itself."""
    import ray

    ray.kill(handle)


def _gist(words: str) -> str:
    """The last line that says something; Ray puts what an actor raised there."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
