"""A recorded debate as a model: every call gets the reply it got then.

Replaying a whole transcript gives the same events byte for byte. It is also how an interrupted
debate goes on: what is on record is replayed, and only what is missing is asked anew.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import BudgetExhausted, TranscriptError
from harness.events import BudgetStop, ModelCall
from harness.transcript import Transcript
from harness.turn import Reply, Request, Seated


class Replayed:
    """One seat's recorded replies; past their end, another seat goes on, if there is one."""

    metered = False
    """What was recorded has been paid for; a seat that goes on after it counts its own calls."""

    def __init__(
        self,
        calls: Mapping[str, ModelCall],
        name: str,
        then: Seated | None = None,
        stop: BudgetStop | None = None,
    ) -> None:
        """Take the recorded calls by name and the file they come from.

        Args:
            calls: the seat's calls, by name.
            name: the file, for messages.
            then: who answers past the end of the recording.
            stop: the ceiling the recorded debate ended at, to be met again at the same place.
        """
        self._calls = calls
        self._name = name
        self._then = then
        self._stop = stop
        # A seat that was sent no messages then is asked without any now.
        asked = any(call.sent for call in calls.values())
        self.reads_prompts = asked if then is None else then.reads_prompts

    async def answer(self, request: Request) -> Reply:
        """The recorded reply to the same question.

        Raises:
            TranscriptError: the question differs from the recorded one, or there is no recording of
                it and nobody to go on.
        """
        call = self._calls.get(request.call)
        if call is None:
            if self._then is not None:
                return await self._then.answer(request)
            if self._stop is not None:
                raise BudgetExhausted(self._stop.ceiling, self._stop.why)
            raise TranscriptError(
                f"{self._name} holds no reply to {request.call}; the debate went another way."
            )
        if call.request_sha != request.sha:
            raise TranscriptError(
                f"{self._name}, line {call.seq + 1}: {request.call} is asked differently now than "
                "when it was recorded; setting, prompts, rules or program have changed."
            )
        return Reply(
            text=call.reply,
            model=call.model,
            usage=call.usage,
            finish=call.finish,
            parameters=call.parameters,
            constrained=call.constrained,
            started=call.started,
            latency=call.latency,
            cost=call.cost,
            retries=call.retries,
            failure=call.failure,
        )


def recorded(
    transcript: Transcript, seat: str, start: int = 0, end: int | None = None
) -> dict[str, ModelCall]:
    """A seat's recorded calls, by name; of a fork, those among some of the debate's events."""
    calls = (event for event in transcript.debate[start:end] if isinstance(event, ModelCall))
    return {call.call: call for call in calls if call.seat == seat}
