"""Ceilings on calls, tokens, cost and minutes, shared by all seats of a debate.

A call is stopped before it is made, never while it is under way: what has been paid for is kept. So
tokens and cost may pass their ceiling by the calls in flight; the number of calls never passes its
own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.errors import BudgetExhausted
from harness.events import Usage
from harness.models.clock import Clock, SystemClock
from harness.models.prices import Price
from harness.prompt import LanguageModel, Prompt, Reply
from harness.turn import Request, Seated


@dataclass(frozen=True)
class Spent:
    """What a debate has used so far."""

    calls: int = 0
    """Calls made or under way."""
    input: int = 0
    """Tokens read, cached ones included."""
    output: int = 0
    """Tokens written."""
    cached: int = 0
    """Tokens read from a prompt cache."""
    cost: float = 0.0
    """US dollars of the calls whose price is known."""
    unpriced: int = 0
    """Calls whose price is not known."""

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.input + self.output


class Budget:
    """What a debate may use. The minutes run from the moment it is made."""

    def __init__(
        self,
        *,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        max_minutes: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Set the ceilings; None means that there is none."""
        self._max_calls = max_calls
        self._max_tokens = max_tokens
        self._max_cost = max_cost
        self._max_minutes = max_minutes
        self._clock = clock or SystemClock()
        self._begun = self._clock.monotonic()
        self.spent = Spent()

    @property
    def minutes(self) -> float:
        """Minutes since the budget was made."""
        return (self._clock.monotonic() - self._begun) / 60

    def admit(self) -> None:
        """Let one more call be made, and count it.

        Raises:
            BudgetExhausted: A ceiling has been reached.
        """
        self._check()
        self.spent = replace(self.spent, calls=self.spent.calls + 1)

    def add(self, usage: Usage, cost: float | None) -> None:
        """Count what an admitted call used."""
        spent = self.spent
        self.spent = replace(
            spent,
            input=spent.input + usage.input,
            output=spent.output + usage.output,
            cached=spent.cached + usage.cached,
            cost=spent.cost + (cost or 0.0),
            unpriced=spent.unpriced + (cost is None),
        )

    def recall(self, usage: Usage, cost: float | None) -> None:
        """Count a call of an earlier sitting, so that a resumed debate keeps to its ceilings."""
        self.spent = replace(self.spent, calls=self.spent.calls + 1)
        self.add(usage, cost)

    def _check(self) -> None:
        spent, minutes = self.spent, self.minutes
        if self._max_calls is not None and spent.calls >= self._max_calls:
            raise BudgetExhausted("calls", f"{spent.calls} of {self._max_calls} calls are made")
        if self._max_tokens is not None and spent.tokens >= self._max_tokens:
            raise BudgetExhausted("tokens", f"{spent.tokens} of {self._max_tokens} tokens are used")
        if self._max_cost is not None and spent.cost >= self._max_cost:
            raise BudgetExhausted("cost", f"${spent.cost:.4f} of ${self._max_cost:.4f} are spent")
        if self._max_minutes is not None and minutes >= self._max_minutes:
            passed = f"{minutes:.1f} of {self._max_minutes:g} minutes have passed"
            raise BudgetExhausted("minutes", passed)


class Metered:
    """A seat under a budget. Seats that are not `metered` cost nothing and are passed through."""

    def __init__(self, seat: Seated, budget: Budget, price: Price | None = None) -> None:
        """Put the seat under the budget.

        Args:
            seat: what sits there; counted if it says `metered = True`.
            budget: shared by all seats of the debate.
            price: of its model, where it is known.
        """
        self.reads_prompts = seat.reads_prompts
        self.metered = getattr(seat, "metered", False)
        self._seat = seat
        self._budget = budget
        self._price = price

    async def answer(self, request: Request) -> Reply:
        """Answer one turn and count what it used.

        Raises:
            BudgetExhausted: A ceiling has been reached; nothing was asked.
        """
        if not self.metered:
            return await self._seat.answer(request)
        self._budget.admit()
        return _paid(await self._seat.answer(request), self._budget, self._price)


class MeteredModel:
    """A language model under a budget."""

    def __init__(self, model: LanguageModel, budget: Budget, price: Price | None = None) -> None:
        """Put the model under the budget; the price is its own, where it is known."""
        self._model = model
        self._budget = budget
        self._price = price

    async def ask(self, prompt: Prompt) -> Reply:
        """Answer and count what it used.

        Raises:
            BudgetExhausted: A ceiling has been reached; nothing was asked.
        """
        self._budget.admit()
        return _paid(await self._model.ask(prompt), self._budget, self._price)

    async def aclose(self) -> None:
        """Let go of the model's connections, if it has any."""
        if hasattr(self._model, "aclose"):
            await self._model.aclose()


def _paid(reply: Reply, budget: Budget, price: Price | None) -> Reply:
    """Count what a call used, and say what it cost."""
    # A recorded reply says what it cost; prices may have changed since.
    cost = reply.cost
    if cost is None and price is not None:
        cost = price.of(reply.usage)
    budget.add(reply.usage, cost)
    return replace(reply, cost=cost)
