"""Puts questions to a judge one by one, several under way at once, and notes every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from evals.judging.judges import Judge
from evals.judging.ledger import Ledger
from harness.prompt import Prompt


class Asked(NamedTuple):
    """A prompt with its name."""

    id: str
    prompt: Prompt


class Asking(Protocol):
    """A way to have questions answered: now, or in a batch."""

    async def ask(self, judge: Judge, asked: Sequence[Asked], ledger: Ledger) -> None:
        """See to it that the ledger has an answer to each of them."""
        ...


class Live:
    """Asks at once."""

    def __init__(self, told: Callable[[str], None] | None = None) -> None:
        """`told` hears the name of each question when it is answered."""
        self._told = told

    async def ask(self, judge: Judge, asked: Sequence[Asked], ledger: Ledger) -> None:
        """Ask what the ledger does not know.

        Raises:
            BudgetExhausted: a ceiling was reached; what was answered is on the ledger.
            ModelUnavailable: the user has to mend something.
        """
        gate = asyncio.Semaphore(judge.at_once)

        async def one(question: Asked) -> None:
            async with gate:
                reply = await judge.model.ask(question.prompt)
            ledger.note(judge.name, question.id, question.prompt, reply)
            if self._told is not None:
                self._told(question.id)

        fresh = [question for question in asked if not _known(ledger, judge, question)]
        try:
            async with asyncio.TaskGroup() as group:
                for question in fresh:
                    group.create_task(one(question))
        except ExceptionGroup as errors:
            # One sentence for the user, as if there had been one call.
            raise errors.exceptions[0] from None


def _known(ledger: Ledger, judge: Judge, question: Asked) -> bool:
    return ledger.answer(judge.name, question.prompt) is not None
