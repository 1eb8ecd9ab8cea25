"""How fast one provider may be asked, by all debates together.

Calls stand in one line, first come first served; only the first of them waits for anything, and it
sleeps exactly as long as it has to. A call that an outage took is asked again once the provider is
back (breaker.py). Nothing here knows what is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from harness.errors import UserError
from harness.models.breaker import Breaker, Patience
from harness.models.clock import Clock
from harness.models.wire import observed_by
from harness.prompt import Reply

SLACK = 0.5
"""Seconds of a limit left unused by a late wake-up that may be made up for."""

LONGEST_PAUSE = 120.0
"""Seconds for which all calls hold back when a provider asks it of one of them."""

_MINUTE = 60.0
_BUSY = (429, 503)


@dataclass(frozen=True)
class Limits:
    """What one provider or server may be asked at most; None for no limit."""

    at_once: int | None = 64
    """Calls under way together."""
    requests_per_minute: float | None = None
    """Requests in any 60 seconds, those that the provider's client sends again included. They are
    spread evenly."""
    tokens_per_minute: float | None = None
    """Tokens read and written in any 60 seconds, give or take the last call. An estimate is set
    aside before a call and corrected by the usage that the provider reports."""

    def __post_init__(self) -> None:
        """Check the figures.

        Raises:
            UserError: one of them is not above zero.
        """
        for name in ("at_once", "requests_per_minute", "tokens_per_minute"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise UserError(f"{name} is {value}: give a number above 0, or leave it out.")


class Pace:
    """So much in any 60 seconds, spread evenly.

    The generic cell rate algorithm (ITU-T I.371): each unit moves the moment of the next by a fixed
    interval. With an interval of (60 s + tolerance) / limit, whatever starts within the tolerance
    stays within the limit in every window of 60 s.
    """

    def __init__(self, per_minute: float) -> None:
        """Take the limit, in units a minute."""
        self._interval = (_MINUTE + SLACK) / per_minute
        self._next = float("-inf")

    def wait(self, now: float) -> float:
        """Seconds until something may go."""
        return max(0.0, self._next - now)

    def take(self, now: float, units: float = 1.0) -> None:
        """Count what goes now, or as soon as it may."""
        self._next = max(self._next, now - SLACK) + units * self._interval

    def correct(self, units: float) -> None:
        """Count units more than were taken; fewer where negative."""
        self._next += units * self._interval


class Gate:
    """What every call to one provider or server passes; belongs to one event loop."""

    def __init__(self, provider: str, limits: Limits, patience: Patience, clock: Clock) -> None:
        """Open the gate.

        Args:
            provider: what a person calls it, for messages.
            limits: shared by all calls that pass here.
            patience: when the provider counts as down.
            clock: what tells the time; its `monotonic` has to keep pace with the event loop's.
        """
        self._breaker = Breaker(provider, patience, clock)
        self._patience = patience
        self._clock = clock
        self._at_once = limits.at_once
        self._requests = _pace(limits.requests_per_minute)
        self._tokens = _pace(limits.tokens_per_minute)
        self._under_way = 0
        self._paused_until = float("-inf")
        self._line = asyncio.Lock()
        self._changed = asyncio.Event()

    @property
    def counts_tokens(self) -> bool:
        """Whether it matters how many tokens a call is expected to use."""
        return self._tokens is not None

    @property
    def trouble(self) -> str | None:
        """What is wrong while the provider is down, in a sentence."""
        return self._breaker.trouble

    async def through(self, ask: Callable[[], Awaitable[Reply]], tokens: float = 0) -> Reply:
        """Ask when it is allowed; again, where an outage took the call.

        A failure that looks like an outage is a reply only where the call failed twice and others
        begun in between were answered.

        Args:
            ask: makes the call.
            tokens: how many it is expected to use.

        Raises:
            ProviderDown: no call was answered for as long as patience lasts.
            Exception: whatever `ask` raises.
        """
        failed_at: float | None = None
        pause = self._patience.first
        while True:
            passage = await self._admitted(tokens)
            reply = await self._asked(ask, passage)
            if not passage.outage:
                return reply
            if self._breaker.open:
                failed_at, pause = None, self._patience.first  # the outage explains it
                continue
            if failed_at is not None and self._breaker.newest_answered > failed_at:
                return reply
            failed_at = self._clock.monotonic() if failed_at is None else failed_at
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._patience.longest)

    async def resend(self) -> None:
        """Wait until a call under way may send its request once more; it has its place already."""
        now = self._clock.monotonic()
        wait = self._paused_until - now
        if self._requests is not None:
            wait = max(wait, self._requests.wait(now))
            self._requests.take(now)
        while wait > 0:
            await asyncio.sleep(wait)
            wait = self._paused_until - self._clock.monotonic()

    def hold_back(self, seconds: float) -> None:
        """Let no call begin for so long."""
        until = self._clock.monotonic() + min(seconds, LONGEST_PAUSE)
        self._paused_until = max(self._paused_until, until)

    async def _admitted(self, tokens: float) -> _Passage:
        """Stand in line until a call may begin."""
        async with self._line:
            while (wait := self._wait()) > 0:
                await self._rest(wait)
            now = self._clock.monotonic()
            if self._requests is not None:
                self._requests.take(now)
            if self._tokens is not None:
                self._tokens.take(now, tokens)
            self._under_way += 1
            return _Passage(self, now, tokens, self._breaker.goes())

    def _wait(self) -> float:
        """Seconds until the first in line may go; infinite where it depends on others."""
        now = self._clock.monotonic()
        full = self._at_once is not None and self._under_way >= self._at_once
        return max(
            self._breaker.wait(),
            self._paused_until - now,
            self._requests.wait(now) if self._requests else 0.0,
            self._tokens.wait(now) if self._tokens else 0.0,
            float("inf") if full else 0.0,
        )

    async def _rest(self, seconds: float) -> None:
        """Wait so long, or until something has changed."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(None if seconds == float("inf") else seconds):
                await self._changed.wait()

    async def _asked(self, ask: Callable[[], Awaitable[Reply]], passage: _Passage) -> Reply:
        try:
            with observed_by(passage):
                reply = await ask()
        except BaseException:
            self._breaker.abandoned(trial=passage.trial)
            raise
        else:
            self._note(passage, reply)
            return reply
        finally:
            self._under_way -= 1
            self._changed.set()

    def _note(self, passage: _Passage, reply: Reply) -> None:
        used = reply.usage.input + reply.usage.output
        if self._tokens is not None and used:
            self._tokens.correct(used - passage.tokens)
        if passage.outage:
            why = reply.failure.why if reply.failure else "no answer"
            self._breaker.failed(why, trial=passage.trial)
        else:
            self._breaker.answered(passage.begun, trial=passage.trial)


class _Passage:
    """One call on its way through the gate; told by the HTTP client what happens to it."""

    def __init__(self, gate: Gate, begun: float, tokens: float, trial: bool) -> None:
        self.begun = begun
        self.tokens = tokens
        self.trial = trial
        self.outage = False
        self._gate = gate
        self._sent = 0

    async def sends(self) -> None:
        """The first request has been let through with the call; any other waits its turn."""
        self._sent += 1
        if self._sent > 1:
            await self._gate.resend()

    def answered(self, status: int, retry_after: float | None) -> None:
        """Whoever else waits holds back as well: asking now would only be refused."""
        if status in _BUSY and retry_after is not None:
            self._gate.hold_back(retry_after)

    def failed(self, *, outage: bool) -> None:
        """Keep whether it looks like an outage."""
        self.outage = outage


def _pace(per_minute: float | None) -> Pace | None:
    return None if per_minute is None else Pace(per_minute)
