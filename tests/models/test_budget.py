import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BudgetExhausted, UserError
from harness.events import CallFailure, Usage
from harness.models.budget import Budget, Metered
from harness.models.prices import FREE, Price, PriceList
from harness.turn import Reply, Request
from tests.models.asking import a_request

REQUEST = a_request()


class Speaker:
    """A seat that takes its time and uses what it is told to."""

    reads_prompts = True

    def __init__(self, *uses: Usage, metered: bool = True, waits: float = 0.0) -> None:
        self.metered = metered
        self.asked = 0
        self._uses = uses or (Usage(input=10, output=5),)
        self._waits = waits

    async def answer(self, request: Request) -> Reply:
        use = self._uses[self.asked % len(self._uses)]
        self.asked += 1
        await asyncio.sleep(self._waits)
        return Reply(text="{}", usage=use)


class Minutes:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.minutes = 0.0

    def now(self) -> str:
        return "2026-01-01T00:00:00+00:00"

    def monotonic(self) -> float:
        return self.minutes * 60


def asked_until_stopped(seat: Metered, most: int = 50) -> BudgetExhausted:
    async def ask() -> None:
        for _ in range(most):
            await seat.answer(REQUEST)

    with pytest.raises(BudgetExhausted) as caught:
        asyncio.run(ask())
    return caught.value


@pytest.mark.parametrize(
    ("ceilings", "ceiling", "why", "calls"),
    [
        ({"max_calls": 3}, "calls", "3 of 3 calls are made", 3),
        ({"max_tokens": 40}, "tokens", "45 of 40 tokens are used", 3),
        ({"max_cost": 0.00005}, "cost", "$0.0001 of $0.0001 are spent", 3),
        ({"max_calls": 0}, "calls", "0 of 0 calls are made", 0),
    ],
)
def test_a_ceiling_that_is_reached_is_named_and_nothing_more_is_asked(
    ceilings: dict[str, Any], ceiling: str, why: str, calls: int
) -> None:
    speaker = Speaker()
    stopped = asked_until_stopped(Metered(speaker, Budget(**ceilings), Price(1.0, 2.0)))
    assert (stopped.ceiling, stopped.why) == (ceiling, why)
    assert speaker.asked == calls


def test_minutes_run_from_the_making_of_the_budget() -> None:
    clock = Minutes()
    clock.minutes = 100.0
    budget = Budget(max_minutes=2, clock=clock)
    clock.minutes = 101.9
    budget.admit()
    clock.minutes = 102.0
    with pytest.raises(BudgetExhausted, match="of 2 minutes have passed") as caught:
        budget.admit()
    assert caught.value.ceiling == "minutes"


def test_without_ceilings_nothing_stops() -> None:
    budget = Budget()

    async def ask() -> None:
        for _ in range(100):
            await Metered(Speaker(), budget).answer(REQUEST)

    asyncio.run(ask())
    assert budget.spent.calls == 100


def test_the_call_that_passes_the_ceiling_is_kept() -> None:
    seat = Metered(Speaker(Usage(input=1000, output=1)), Budget(max_tokens=10), Price(1.0, 1.0))
    reply = asyncio.run(seat.answer(REQUEST))
    assert reply.text == "{}"
    assert reply.cost == pytest.approx(0.001001)


@given(
    ceiling=st.integers(0, 12),
    seats=st.integers(1, 5),
    turns=st.integers(1, 6),
)
def test_however_many_ask_at_once_the_number_of_calls_never_passes_its_ceiling(
    ceiling: int, seats: int, turns: int
) -> None:
    budget = Budget(max_calls=ceiling)
    speakers = [Speaker() for _ in range(seats)]

    async def all_ask() -> list[Any]:
        calls = [Metered(s, budget).answer(REQUEST) for s in speakers for _ in range(turns)]
        return await asyncio.gather(*calls, return_exceptions=True)

    results = asyncio.run(all_ask())
    made = sum(speaker.asked for speaker in speakers)
    assert made == budget.spent.calls == min(ceiling, seats * turns)
    assert sum(isinstance(result, Reply) for result in results) == made


@given(
    uses=st.lists(
        st.builds(Usage, input=st.integers(0, 500), output=st.integers(0, 500)),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_spent_is_the_sum_of_what_the_replies_say(uses: list[Usage]) -> None:
    budget = Budget()
    speaker = Speaker(*uses)
    seat = Metered(speaker, budget, Price(1.0, 2.0))

    async def all_ask() -> list[Reply]:
        return await asyncio.gather(*(seat.answer(REQUEST) for _ in uses))

    replies = asyncio.run(all_ask())
    assert budget.spent.tokens == sum(use.input + use.output for use in uses)
    assert budget.spent.cost == pytest.approx(sum(reply.cost or 0.0 for reply in replies))


def test_a_call_that_fails_counts_with_what_it_used() -> None:
    class Cut(Speaker):
        async def answer(self, request: Request) -> Reply:
            reply = await super().answer(request)
            why = CallFailure(kind="truncated", why="cut")
            return Reply(text=None, usage=reply.usage, failure=why)

    budget = Budget()
    asyncio.run(Metered(Cut(), budget).answer(REQUEST))
    assert (budget.spent.calls, budget.spent.tokens) == (1, 15)


def test_seats_that_cost_nothing_are_not_counted_and_never_stopped() -> None:
    budget = Budget(max_calls=0)
    seat = Metered(Speaker(metered=False), budget)
    assert asyncio.run(seat.answer(REQUEST)).cost is None
    assert budget.spent.calls == 0


def test_a_call_without_a_price_has_no_cost_and_is_counted_as_such() -> None:
    budget = Budget()
    assert asyncio.run(Metered(Speaker(), budget).answer(REQUEST)).cost is None
    assert (budget.spent.cost, budget.spent.unpriced) == (0.0, 1)


def test_what_an_earlier_sitting_used_counts_towards_the_ceiling() -> None:
    budget = Budget(max_calls=2)
    budget.recall(Usage(input=10, output=5, cached=4), 0.5)
    budget.recall(Usage(input=10, output=5), None)
    assert (budget.spent.tokens, budget.spent.cached, budget.spent.cost) == (30, 4, 0.5)
    with pytest.raises(BudgetExhausted):
        budget.admit()


def test_cached_tokens_cost_what_their_price_says() -> None:
    usage = Usage(input=1_000_000, output=100_000, cached=400_000)
    assert Price(2.0, 10.0).of(usage) == pytest.approx(3.0)
    assert Price(2.0, 10.0, 0.5).of(usage) == pytest.approx(2.4)


def test_no_price_is_built_in() -> None:
    assert PriceList().of("openai:gpt-5.4-mini") is None


@pytest.mark.parametrize("model", ["local", "local:big.gguf"])
def test_models_on_this_machine_are_free(model: str) -> None:
    assert PriceList().of(model) == FREE


def test_prices_on_the_command_line_go_before_those_of_the_environment() -> None:
    env = {"TRACKTWO_PRICES": "openai:a=1/2, openai:b=3/4/0.5"}
    prices = PriceList.given(["openai:a=5/6"], env)
    assert prices.of("openai:a") == Price(5.0, 6.0)
    assert prices.of("openai:b") == Price(3.0, 4.0, 0.5)


@pytest.mark.parametrize(
    "text", ["openai:a", "openai:a=1", "=1/2", "openai:a=x/y", "openai:a=-1/2", "openai:a=nan/1"]
)
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no price: write MODEL=IN/OUT"):
        PriceList.given([text], {})


def test_a_ceiling_on_cost_needs_every_price() -> None:
    prices = PriceList({"openai:a": Price(1.0, 1.0)})
    prices.require(["openai:a", "local"])
    with pytest.raises(UserError, match="--max-cost needs the price of openai:b, openai:c"):
        prices.require(["openai:c", "openai:a", "openai:b", "openai:c"])
