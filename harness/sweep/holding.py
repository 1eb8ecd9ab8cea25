"""From a cell of an experiment to a sitting that can be held, or taken up where it was left."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.events import Event, RunCard
from harness.experiment.design import Cell
from harness.models.clock import Clock
from harness.seating import Means, Wishes, run_card, seat_cards
from harness.session import Sitting
from harness.transcript import read


class Holds(Protocol):
    """Whoever holds the debates of a sweep: this process, or others on its behalf."""

    def hold(self, cell: Cell, path: Path) -> AsyncGenerator[Event]:
        """Hold the debate, or go on with it, yielding each event once it is in the file."""
        ...


@dataclass(frozen=True)
class Holder:
    """What debates are held with that is not part of any of them."""

    means: Callable[[str], Means]
    """What the debate of this name runs on."""
    clock: Callable[[str], Clock]
    """What tells the time in the debate of this name."""

    def hold(self, cell: Cell, path: Path) -> AsyncGenerator[Event]:
        """Hold the debate here; raises as `sitting` and `Sitting.hold` do."""
        return self.sitting(cell, path).hold()

    def sitting(self, cell: Cell, path: Path) -> Sitting:
        """The debate, ready to be held; what is on record of it already is not asked again.

        Raises:
            TranscriptError: what lies there is no transcript.
            UserError: a model or prompt does not exist.
        """
        means, clock = self.means(cell.name), self.clock(cell.name)
        recording = read(path) if path.exists() else None
        card = recording.card if recording is not None else card_of(cell, means)
        return Sitting(card, path, means, clock, recording)


def card_of(cell: Cell, means: Means) -> RunCard:
    """What the debate of a cell is held with, as it goes on record."""
    seated = cell.setting.only(cell.agenda)
    seats = seat_cards(seated, wishes_of(cell), means.env)
    return run_card(cell.setting, cell.agenda, seats, cell.drawn)


def wishes_of(cell: Cell) -> Wishes:
    """Who sits where in the debate of a cell."""
    held = cell.conditions
    return Wishes(
        models=cell.models,
        prompts=cell.prompts,
        chair=held.chair or "reference",
        speech=held.speech,
        guard=held.guard,
        memory=held.memory,
        masked=held.masked,
        temperature=held.temperature,
        max_reply=held.max_reply,
        base_url=held.base_url,
        timeout=held.timeout,
    )
