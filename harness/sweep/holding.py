"""From a cell of an experiment to a sitting that can be held, or taken up where it was left."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from harness.events import Event, RunCard
from harness.experiment.design import Cell
from harness.models import registry
from harness.models.clock import Clock
from harness.seating import Means, Wishes, behind, run_card, seat_cards
from harness.session import Sitting
from harness.transcript import read


class Holds(Protocol):
    """Whoever holds the debates of a sweep: this process, or others on its behalf."""

    def hold(self, cell: Cell, path: Path) -> AsyncGenerator[Event]:
        """Hold the debate, or go on with it, yielding each event once it is in the file.

        Nothing happens in a debate that is finished already.
        """
        ...


@dataclass(frozen=True)
class Holder:
    """What debates are held with that is not part of any of them."""

    means: Callable[[str], Means]
    """What the debate of this name runs on."""
    clock: Callable[[str], Clock]
    """What tells the time in the debate of this name, from its beginning."""
    resumed: Clock | None = None
    """What tells the time in a debate that is gone on with; the same where left out."""
    counted: set[str] = field(default_factory=set)
    """Debates of which the budget counts already what is on record."""

    async def hold(self, cell: Cell, path: Path) -> AsyncGenerator[Event]:
        """Hold the debate here; raises as `sitting` and `Sitting.hold` do."""
        sitting = self.sitting(cell, path)
        if sitting.recording is not None and sitting.recording.finished:
            return
        async with aclosing(sitting.hold()) as happening:
            async for event in happening:
                yield event

    def sitting(self, cell: Cell, path: Path) -> Sitting:
        """The debate, ready to be held; what is on record of it already is not asked again.

        Raises:
            TranscriptError: what lies there is no transcript.
            UserError: a model or prompt does not exist.
        """
        means = self.means(cell.name)
        recording = read(path) if path.exists() else None
        clock = self.resumed if recording is not None else None
        card = (
            card_of(cell, means) if recording is None else where_prompts_lie(recording.card, cell)
        )
        means = replace(means, recalls=cell.name not in self.counted)
        self.counted.add(cell.name)
        return Sitting(card, path, means, clock or self.clock(cell.name), recording)


def where_prompts_lie(card: RunCard, cell: Cell) -> RunCard:
    """The card with the prompts' files as the cell names them.

    Files are named relative to the experiment file, which may be called from another folder now.
    """
    seats = tuple(
        seat.model_copy(update={"prompt": _where(seat.prompt, cell.prompts.get(seat.seat))})
        for seat in card.seats
    )
    return card.model_copy(update={"seats": seats})


def _where(recorded: str | None, named: str | None) -> str | None:
    if recorded is None or named is None or Path(recorded).name != Path(named).name:
        return recorded
    return named


def card_of(cell: Cell, means: Means) -> RunCard:
    """What the debate of a cell is held with, as it goes on record."""
    seated = cell.setting.only(cell.agenda)
    seats = seat_cards(seated, wishes_of(cell), means.env)
    return run_card(cell.setting, cell.agenda, seats, cell.drawn)


def language_models(cell: Cell) -> tuple[registry.ModelSpec, ...]:
    """The language models that the debate of a cell asks, in its seats and in the chair's.

    Raises:
        UserError: a model is none.
    """
    named = dict.fromkeys((*cell.models.values(), cell.conditions.chair or "reference"))
    specs = dict.fromkeys(behind(name) for name in named)
    return tuple(spec for spec in specs if spec.family in ("chat", "local"))


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
