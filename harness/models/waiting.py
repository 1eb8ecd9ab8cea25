"""A person in the seat, somewhere else: the debate waits until an answer is handed in.

Whoever shows the question, a page in a browser for one, calls from the event loop that holds the
debate: `arrive`, `alive`, `hand_in`, `hand_over`, `take_back`, `leave`. What happens when a turn's
time is up or the person has left was agreed beforehand (`Terms`). A turn nobody answers is a
failure; it is never an acceptance. Every reply says who answered it.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from typing import Literal

from harness.errors import UserError
from harness.events import CHAIR, CallFailure
from harness.models.clock import Clock, SystemClock
from harness.turn import Reply, Request, Seated, Unreadable, parsed, read

AtLimit = Literal["turn", "rest", "nothing"]
"""When a turn's time is up: the stand-in answers this turn, or sits there until the seat is taken
back, or nobody answers and the turn is recorded as failed."""

OnLeaving = Literal["turn", "rest", "wait"]
"""When the person has left: the same, or the debate waits until they are back or time is up."""

Because = Literal["the turn's time was up", "the person had left", "the person handed over"]
"""Why the stand-in answered, as the record has it."""

AWAY = 75.0
"""Seconds without a sign of life after which a person counts as gone. A browser lets a page that is
out of sight give one a minute."""


@dataclass(frozen=True)
class Terms:
    """What was agreed before the person sat down."""

    limit: float | None = None
    """Seconds a turn may take; None for as long as it takes."""
    at_limit: AtLimit = "nothing"
    on_leaving: OnLeaving = "wait"
    away: float = AWAY
    """Seconds without a sign of life that count as leaving, where signs are given at all."""


class Waiting:
    """Puts each question to a person who is not at this terminal, and waits for the answer.

    Until somebody arrives the debate waits without a limit; from then on the clock of each turn
    runs from the moment its question is put.
    """

    metered = False  # a person costs nothing; the stand-in counts its own calls

    def __init__(
        self,
        stand_in: Seated | None = None,
        *,
        terms: Terms | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Take what answers where the person does not, if anything does."""
        self.reads_prompts = stand_in is not None and stand_in.reads_prompts
        self.asked: Request | None = None
        """The question that waits for the person; None while it is not their turn."""
        self.handed_over = False
        """Whether the stand-in holds the seat until it is taken back."""
        self.arrived = False
        """Whether anybody has sat down yet."""
        self._stand_in = stand_in
        self._terms = terms or Terms()
        self._clock = clock or SystemClock()
        self._changed = asyncio.Event()
        self._answer: str | None = None
        self._given_away = ""
        """The turn that the stand-in answers, its repair included."""
        self._why: Because = "the person handed over"
        self._began = 0.0
        self._sign: float | None = None

    @property
    def terms(self) -> Terms:
        """What was agreed."""
        return self._terms

    @property
    def has_stand_in(self) -> bool:
        """Whether anything can answer in the person's place."""
        return self._stand_in is not None

    @property
    def left(self) -> float | None:
        """Seconds left for the question, at least 0; None where no clock runs."""
        if self.asked is None or self._terms.limit is None or not self.arrived:
            return None
        return max(0.0, self._began + self._terms.limit - self._clock.monotonic())

    def arrive(self, terms: Terms) -> None:
        """The person sits down on these terms; the clock of a question that waits starts now.

        Raises:
            UserError: the terms need a stand-in and there is none, or a time is not positive.
        """
        if not self.has_stand_in and (terms.at_limit, terms.on_leaving) != ("nothing", "wait"):
            raise UserError(
                "Nothing can stand in for you in this seat: let a turn without an answer count as "
                "failed, or start the debate with a stand-in, such as human+reference."
            )
        times = [terms.away] if terms.limit is None else [terms.away, terms.limit]
        if not all(0 < time < math.inf for time in times):
            raise UserError("A turn's limit and the time that counts as leaving are above 0.")
        self._terms, self.arrived = terms, True
        self._began = self._clock.monotonic()
        self._changed.set()

    def alive(self) -> None:
        """A sign of life; once one was given, their staying away counts as leaving."""
        if self._sign is None:
            self._changed.set()  # from now on there is a time to look out for
        self._sign = self._clock.monotonic()

    def hand_in(self, call: str, text: str) -> Unreadable | None:
        """Answer the question; why not, where the answer cannot be read: it waits on.

        Raises:
            UserError: that question is not waiting any more.
        """
        request = self.asked
        if request is None or request.call != call or self._answer is not None:
            raise UserError("That turn is over: what you wrote was not sent.")
        flaw = unfit(text, request)
        if flaw is None:
            self._answer = text
            self._changed.set()
        return flaw

    def hand_over(self, *, turn: bool = False) -> None:
        """The stand-in takes the seat until it is taken back; with `turn`, for the open question.

        Raises:
            UserError: there is no stand-in.
        """
        if not self.has_stand_in:
            raise UserError("There is no stand-in for this seat to hand over to.")
        self._give_away("the person handed over", rest=not turn)
        self._changed.set()

    def take_back(self) -> None:
        """The person answers again, from the next question on."""
        self.handed_over = False

    def leave(self) -> None:
        """The person says that they go; what was agreed for that happens."""
        self._sign = self._clock.monotonic() - self._terms.away
        self._changed.set()

    async def answer(self, request: Request) -> Reply:
        """The person's answer, the stand-in's, or a failure."""
        if self.handed_over or self._given_away == _turn(request):
            self._given_away = _turn(request)
            return await self._stood_in(request)
        self.asked, self._answer = request, None
        self._began = self._clock.monotonic()
        try:
            return await self._waited(request)
        finally:
            self.asked = None

    async def _waited(self, request: Request) -> Reply:
        while True:
            self._changed.clear()
            if self._answer is not None:
                return self._reply(self._answer)
            if self._given_away == _turn(request):
                return await self._stood_in(request)
            if (why := self._nobody()) is not None:
                return self._reply(None, CallFailure(kind="timeout", why=why))
            if self._given_away != _turn(request):
                await self._something()

    def _nobody(self) -> str | None:
        """Why the turn stays without an answer; else lets the stand-in have it where it is due."""
        if self.left == 0:
            if self._terms.at_limit == "nothing":
                return f"no answer within {self._terms.limit:g} seconds"
            self._give_away("the turn's time was up", rest=self._terms.at_limit == "rest")
        elif self._terms.on_leaving != "wait" and self._until_gone() == 0:
            self._give_away("the person had left", rest=self._terms.on_leaving == "rest")
        return None

    def _until_gone(self) -> float | None:
        """Seconds until the person counts as gone; None where they gave no sign of life yet."""
        if self._sign is None:
            return None
        return max(0.0, self._sign + self._terms.away - self._clock.monotonic())

    def _give_away(self, why: Because, *, rest: bool) -> None:
        if self.asked is not None:
            self._given_away, self.asked = _turn(self.asked), None
        self.handed_over = self.handed_over or rest
        self._why = why

    async def _something(self) -> None:
        """Wait until something was done, or a time that was agreed has passed."""
        gone = self._until_gone() if self._terms.on_leaving != "wait" else None
        times = [time for time in (self.left, gone) if time is not None]
        try:
            async with asyncio.timeout(max(min(times), 0.01) if times else None):
                await self._changed.wait()
        except TimeoutError:
            pass  # whoever waits looks at the clock again

    async def _stood_in(self, request: Request) -> Reply:
        assert self._stand_in is not None
        reply = await self._stand_in.answer(request)
        said = {"instead_of": "human", "because": self._why}
        return replace(reply, parameters={**reply.parameters, **said})

    def _reply(self, text: str | None, failure: CallFailure | None = None) -> Reply:
        terms = self._terms
        agreed = {"turn_limit": terms.limit, "at_limit": terms.at_limit} if terms.limit else {}
        finish = "stop" if failure is None else None
        return Reply(text=text, model="human", finish=finish, parameters=agreed, failure=failure)


def unfit(text: str, request: Request) -> Unreadable | None:
    """Why a person's answer cannot be taken; the chair's voice may also say nothing."""
    if request.seat == CHAIR:
        data = parsed(text)
        if isinstance(data, Unreadable):
            return data
        fits = set(data) == {"statement"} and isinstance(data["statement"], str)
        return None if fits else Unreadable("$.statement: the chair's words are one text")
    outcome = read(text, request, own_words=True)
    return outcome if isinstance(outcome, Unreadable) else None


def _turn(request: Request) -> str:
    """The name of the turn that a call belongs to, its repair included."""
    return request.call.partition("#")[0]
