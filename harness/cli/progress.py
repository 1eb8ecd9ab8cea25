"""The line at the bottom while a debate runs: where it is, what it has used, how long it took."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from harness import events as e
from harness.state import State, advance, fold

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from harness.session import Sitting


class Progress:
    """Keeps the state of the talks and shows it in one line, on a terminal only."""

    def __init__(self, console: Console, sitting: Sitting, *, live: bool) -> None:
        """Start from the run card; with `live`, show the line."""
        self._console = console
        self._sitting = sitting
        self._live = live and console.is_terminal
        self._status: Status | None = None
        self._turns_shown = 0
        self.state: State = fold([sitting.card])

    def __enter__(self) -> Progress:
        """Put the line on the screen."""
        if self._live:
            self._status = self._console.status(self._line(), spinner="dots")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take it off again."""
        self.stop()

    def stop(self) -> None:
        """Take the line off the screen."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def note(self, event: e.Event) -> None:
        """Follow one event."""
        self.state = advance(self.state, event)
        if self._status is not None:
            self._status.update(self._line())

    def turn_since_table(self) -> bool:
        """Whether turns were taken since this was last asked."""
        taken = self.state.turns > self._turns_shown
        self._turns_shown = self.state.turns
        return taken

    def _line(self) -> str:
        items = self._sitting.card.setting.items
        ids = [item.id for item in items]
        state, budget = self.state, self._sitting.means.budget
        place = f"item {ids.index(state.item) + 1} of {len(ids)}" if state.item else "opening"
        if state.phase is not None:
            place += f", {state.phase} {state.round or ''}".rstrip()
        spent = budget.spent
        parts = [place, f"{state.turns} turns", f"{spent.calls} calls", f"{spent.tokens:,} tokens"]
        if spent.cost:
            parts.append(f"${spent.cost:.4f}")
        parts.append(f"{int(budget.minutes)}:{int(budget.minutes * 60) % 60:02d}")
        return "  ".join(parts)
