"""Where the seats read the time. Nothing here may influence what is said or decided."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What tells a seat and a budget the time."""

    def now(self) -> str:
        """UTC time, ISO 8601, for the record."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment, for durations."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> str:
        """UTC time to the millisecond, ISO 8601."""
        return datetime.now(UTC).isoformat(timespec="milliseconds")

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        return time.monotonic()
