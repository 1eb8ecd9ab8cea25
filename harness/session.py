"""One sitting: holds a debate and writes it down, or goes on with one that was interrupted.

The only place that joins the loop, the file and the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from harness import events as e
from harness.debate import debate
from harness.errors import BudgetExhausted, TranscriptError
from harness.events import Event
from harness.models.clock import Clock, SystemClock
from harness.seating import Means, Seating, Wishes, behind, name_of, run_card, seat_cards
from harness.setting import Agenda, Setting
from harness.transcript import Transcript, Writer, dump, read

_Result = TypeVar("_Result")


@dataclass
class Sitting:
    """A debate about to be held, or taken up again, and the file it goes to."""

    card: e.RunCard
    path: Path
    means: Means
    clock: Clock
    recording: Transcript | None = None
    """What is on record already, when an interrupted debate is resumed."""
    seating: Callable[[e.RunCard, Means, Transcript | None], Seating] = Seating
    """What fills the room from the card."""

    async def hold(self) -> AsyncGenerator[Event]:
        """Hold the debate, yielding each event once it is in the file.

        Events that a resumed debate had already recorded are yielded again, not written again.

        Raises:
            TranscriptError: the debate no longer goes the way it was recorded.
        """
        seating = self.seating(self.card, self.means, self.recording)
        room = seating.room()
        try:
            with self._writer() as writer:
                known = self._known(writer)
                try:
                    async with aclosing(debate(room, self.card)) as happening:
                        index = 0
                        async for event in happening:
                            # Seats without a model answer at once, and others want their turn.
                            await asyncio.sleep(0)
                            if index < len(known):
                                yield _same(known[index], event, self.path)
                            else:
                                yield await _kept(writer, event)
                            index += 1
                except BudgetExhausted as stop:
                    yield writer.append(e.BudgetStop(ceiling=stop.ceiling, why=stop.why))
        finally:
            await seating.close()

    def _writer(self) -> Writer:
        if self.recording is not None:
            return Writer.resume(self.recording)
        header = e.Header(debate=self.path.stem, created=self.clock.now())
        return Writer.create(self.path, header, self.card)

    def _known(self, writer: Writer) -> tuple[Event, ...]:
        """What is on record; a note that the file was taken up again goes after it."""
        if self.recording is None:
            return ()
        if self.recording.finished:
            return self.recording.debate
        if not self._just_taken_over(self.recording):
            writer.append(e.Resumed(at=self.clock.now(), trimmed=self.recording.torn))
        return self.recording.debate

    def _just_taken_over(self, recording: Transcript) -> bool:
        """Whether the file holds only what a fork took over: it begins here, nothing broke off."""
        fork, torn = self.card.fork, recording.torn
        return fork is not None and len(recording.events) == 2 + fork.kept and not torn


async def _kept(writer: Writer, event: Event) -> Event:
    """The event, in the file; a call that was paid for also on the disk before anything else."""
    event = writer.append(event)
    if isinstance(event, e.ModelCall) and event.started is not None:
        await asyncio.to_thread(writer.flush)
    return event


def _same(recorded: Event, happened: Event, path: Path) -> Event:
    """The recorded event, if the debate took the same way again."""
    if dump(recorded.model_copy(update={"seq": -1})) != dump(happened):
        raise TranscriptError(
            f"{path}, line {recorded.seq + 1}: the debate goes another way now than when it was "
            "recorded; setting, prompts or program have changed. Start a new debate instead."
        )
    return recorded


def opened(
    setting: Setting,
    agenda: Agenda,
    wishes: Wishes,
    seed: int,
    means: Means,
    place: Callable[[str], Path],
) -> Sitting:
    """A new debate, as it was wished for.

    Args:
        setting: The whole setting.
        agenda: What of it is debated, by whom and by which rules.
        wishes: Who sits where.
        seed: Of everything that is drawn.
        means: What it runs on.
        place: Where the transcript of a debate of this name goes.

    Raises:
        UserError: a seat, model or prompt does not exist.
    """
    card = run_card(setting, agenda, seat_cards(setting.only(agenda), wishes, means.env), seed)
    clock = SystemClock()
    return Sitting(card, place(name_of(card, stamp(clock))), means, clock)


def taken_up(path: Path, means: Means) -> Sitting:
    """A debate that was interrupted, to go on with.

    Raises:
        TranscriptError: it cannot be read, or is finished.
    """
    transcript = read(path)
    if transcript.finished:
        raise TranscriptError(f"{path} is finished; there is nothing to resume.")
    return Sitting(transcript.card, path, means, SystemClock(), transcript)


def require_prices(sitting: Sitting) -> None:
    """Whether a ceiling on cost can be kept in this debate.

    Raises:
        UserError: a hosted model has no price.
    """
    behind_seats = [behind(seat.model) for seat in sitting.card.seats]
    chat = [str(spec) for spec in behind_seats if spec.family == "chat"]
    sitting.means.prices.require(chat)


def stamp(clock: Clock) -> str:
    """The time as it stands in file names."""
    return clock.now()[:19].replace("-", "").replace(":", "").replace("T", "-")


def unused(folder: Path, name: str) -> Path:
    """A transcript of this name in the folder, with a number where there is one already."""
    path = folder / f"{name}.jsonl"
    number = 2
    while path.exists():
        path = folder / f"{name}-{number}.jsonl"
        number += 1
    return path


def held(sitting: Sitting) -> Transcript:
    """Hold a debate to its end or to a ceiling, and read what was written.

    It runs on an event loop of its own; where one is running already, that one stands still.

    Raises:
        UserError: a model cannot be used here, or a prompt is not the one on the card.
    """

    async def hold() -> None:
        async with aclosing(sitting.hold()) as happening:
            async for _ in happening:
                pass

    run_alone(hold())
    return read(sitting.path)


def run_alone(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run on an event loop of its own; where one is running already, that one stands still."""
    if not _loop_running():
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _loop_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
