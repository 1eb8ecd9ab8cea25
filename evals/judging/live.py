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
        stop: list[Exception] = []

        async def one(question: Asked) -> None:
            async with gate:
                if stop:
                    return
                try:
                    reply = await judge.model.ask(question.prompt)
                # Raised below: first the calls under way come home, because they are paid for.
                except Exception as error:
                    stop.append(error)
                    return
            ledger.note(judge.name, question.id, question.prompt, reply)
            if self._told is not None:
                self._told(question.id)

        fresh = [question for question in asked if not _known(ledger, judge, question)]
        await asyncio.gather(*(one(question) for question in fresh))
        if stop:
            raise stop[0]


def _known(ledger: Ledger, judge: Judge, question: Asked) -> bool:
    return ledger.answer(judge.name, question.prompt) is not None
