"""The circuit breaker: whether a provider that fails is down, and when to try it again.

Pure but for the clock it is handed: it waits for nothing and asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from harness.errors import ProviderDown
from harness.models.clock import Clock


class Patience(NamedTuple):
    """When a provider counts as down, and how long it is waited for."""

    after: int = 5
    """Failed calls in a row, without an answered one in between, that open the breaker."""
    first: float = 1.0
    """Seconds before the first trial; each further one waits twice as long as the one before."""
    longest: float = 60.0
    """Seconds between two trials at most."""
    total: float = 600.0
    """Seconds since the first failure of the row after which waiting calls are turned away."""


@dataclass
class _Row:
    """Failed calls in a row."""

    since: float
    """When the first of them failed."""
    since_utc: str
    failures: int
    why: str
    """What the last of them met with."""


class Breaker:
    """One provider's breaker: closed while calls are answered, open while it is down.

    While it is open, one call at a time goes through as a trial; the others wait. The first trial
    that is answered closes it.
    """

    def __init__(self, provider: str, patience: Patience, clock: Clock) -> None:
        """Start closed.

        Args:
            provider: what a person calls it, for messages.
            patience: when it opens, and how long it is waited for.
            clock: what tells the time.
        """
        self.newest_answered = float("-inf")
        """When the latest call that has been answered was begun."""
        self._provider = provider
        self._patience = patience
        self._clock = clock
        self._row: _Row | None = None
        self._opened: float | None = None
        self._trying = False
        self._pause = patience.first
        self._due = 0.0

    @property
    def open(self) -> bool:
        """Whether the provider counts as down."""
        return self._opened is not None

    @property
    def trouble(self) -> str | None:
        """What is wrong while the breaker is open, in a sentence."""
        return self._words() if self.open else None

    def wait(self) -> float:
        """Seconds until the next call may go through; 0 where it may now.

        Raises:
            ProviderDown: patience is at its end, and no trial is due.
        """
        if not self.open or self._row is None:
            return 0.0
        now = self._clock.monotonic()
        if not self._trying and now >= self._due:
            return 0.0
        left = self._row.since + self._patience.total - now
        if left <= 0:
            raise ProviderDown(
                f"{self._words()}: what was recorded is kept; run the same command again when it "
                "is back."
            )
        return left if self._trying else min(left, self._due - now)

    def goes(self) -> bool:
        """Let a call through; says whether it is the trial."""
        trial = self.open
        self._trying = self._trying or trial
        return trial

    def answered(self, begun: float, *, trial: bool) -> None:
        """A call begun at that moment was answered, by whatever answer."""
        self.newest_answered = max(self.newest_answered, begun)
        if trial:
            self._trying = False
        # A server that is going down still answers what it had begun: no sign that it is back.
        if self._opened is None or begun >= self._opened:
            self._row, self._opened, self._pause = None, None, self._patience.first

    def failed(self, why: str, *, trial: bool) -> None:
        """A call met with what an outage looks like."""
        now = self._clock.monotonic()
        if self._row is None:
            self._row = _Row(now, self._clock.now(), 0, why)
        self._row.failures += 1
        self._row.why = why
        if trial:
            self._trying = False
            self._pause = min(2 * self._pause, self._patience.longest)
            self._due = now + self._pause
        elif self._opened is None and self._row.failures >= self._patience.after:
            self._opened = now
            self._due = now + self._pause

    def abandoned(self, *, trial: bool) -> None:
        """A call ended without telling anything about the provider."""
        if trial:
            self._trying = False

    def _words(self) -> str:
        assert self._row is not None
        return (
            f"{self._provider} has answered no call since {self._row.since_utc} "
            f"(the last one: {self._row.why})"
        )
