"""Limits and the breaker, in a time that passes only while everybody waits."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ProviderDown, UserError
from harness.events import CallFailure, Usage
from harness.models.breaker import Patience
from harness.models.limits import SLACK, Gate, Limits
from harness.models.wire import observer
from harness.prompt import Reply
from tests.models.virtual_time import LoopClock, VirtualLoop, in_virtual_time


@dataclass
class Provider:
    """A provider that takes some time to answer and may be down; keeps what it was asked when."""

    seconds: float = 1.0
    down: Callable[[float], bool] = lambda now: False
    usage: Usage = field(default_factory=Usage)
    asked: list[tuple[float, int]] = field(default_factory=list)
    """When, and by whom."""
    together: int = 0
    most: int = 0

    def call(self, who: int = 0, seconds: float | None = None) -> Callable[[], Awaitable[Reply]]:
        async def ask() -> Reply:
            loop = asyncio.get_running_loop()
            self.asked.append((loop.time(), who))
            self.together += 1
            self.most = max(self.most, self.together)
            try:
                await asyncio.sleep(self.seconds if seconds is None else seconds)
            finally:
                self.together -= 1
            return failing() if self.down(loop.time()) else Reply("fine", usage=self.usage)

        return ask

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.asked]


def failing() -> Reply:
    """What is left of a call that the provider's client has given up."""
    told = observer()
    assert told is not None
    told.failed(outage=True)
    why = "answered 503: out of order"
    return Reply(None, failure=CallFailure(kind="provider_error", why=why))


def a_gate(limits: Limits | None = None, patience: Patience | None = None) -> Gate:
    return Gate("openai", limits or Limits(at_once=None), patience or Patience(), LoopClock())


def most_in_a_minute(times: list[float], weights: list[float] | None = None) -> float:
    """The most that falls into any 60 seconds."""
    weighed = list(zip(times, weights or [1.0] * len(times), strict=True))
    return max(
        sum(weight for at, weight in weighed if start <= at < start + 60 - 1e-6) for start in times
    )


@given(
    at_once=st.integers(1, 6),
    per_minute=st.integers(2, 240),
    calls=st.lists(st.tuples(st.floats(0, 20), st.floats(0, 9)), min_size=1, max_size=40),
)
def test_no_limit_is_ever_passed_and_the_first_to_come_is_the_first_to_go(
    at_once: int, per_minute: int, calls: list[tuple[float, float]]
) -> None:
    provider = Provider()
    arrivals: list[int] = []

    async def main() -> None:
        gate = a_gate(Limits(at_once=at_once, requests_per_minute=per_minute))

        async def later(who: int, wait: float, seconds: float) -> None:
            await asyncio.sleep(wait)
            arrivals.append(who)
            await gate.through(provider.call(who, seconds))

        await asyncio.gather(*(later(n, *call) for n, call in enumerate(calls)))

    in_virtual_time(main())
    assert provider.most <= at_once
    assert most_in_a_minute(provider.times) <= per_minute
    assert [who for _, who in provider.asked] == arrivals


def test_a_busy_line_uses_what_the_limit_allows() -> None:
    provider = Provider(seconds=0.2)

    async def main() -> None:
        gate = a_gate(Limits(at_once=64, requests_per_minute=500))
        await asyncio.gather(*(gate.through(provider.call()) for _ in range(2000)))

    in_virtual_time(main())
    took = provider.times[-1] - provider.times[0]
    assert took == pytest.approx(1999 / 500 * 60, rel=0.01)


@pytest.mark.parametrize(("expected", "used"), [(100, 400), (400, 100), (250, 250)])
def test_tokens_are_counted_as_the_provider_reports_them(expected: float, used: int) -> None:
    provider = Provider(seconds=0.5, usage=Usage(input=used - 50, output=50))

    async def main() -> None:
        gate = a_gate(Limits(at_once=4, tokens_per_minute=6000))
        await asyncio.gather(*(gate.through(provider.call(), expected) for _ in range(200)))

    in_virtual_time(main())
    spent = most_in_a_minute(provider.times, [used] * 200)
    in_the_dark = 4 * max(used - expected, 0)  # under way, and larger than they were thought to be
    assert 0.9 * 6000 <= spent <= 6000 + used + in_the_dark
    assert provider.times[-1] == pytest.approx(200 * used / 6000 * 60, rel=0.05)


def test_a_call_larger_than_the_limit_goes_all_the_same_and_is_paid_for_afterwards() -> None:
    provider = Provider(usage=Usage(input=2000))

    async def main() -> None:
        gate = a_gate(Limits(tokens_per_minute=1000))
        await gate.through(provider.call(), 2000)
        await gate.through(provider.call(), 2000)

    in_virtual_time(main())
    assert provider.times == pytest.approx([0, 120], abs=2)


def test_waiting_is_sleeping() -> None:
    """A thousand calls that wait an hour cost no work but their own."""

    async def main() -> int:
        gate = a_gate(Limits(at_once=8, requests_per_minute=1000 / 60))
        provider = Provider(seconds=0.1)
        await asyncio.gather(*(gate.through(provider.call()) for _ in range(1000)))
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        assert loop.time() > 3500
        return loop.turns

    assert in_virtual_time(main()) < 10 * 1000


def test_a_call_that_is_given_up_in_line_or_under_way_leaves_the_way_free() -> None:
    provider = Provider(seconds=10)

    async def main() -> list[int]:
        gate = a_gate(Limits(at_once=1))
        tasks = [asyncio.create_task(gate.through(provider.call(n))) for n in range(4)]
        await asyncio.sleep(1)
        for dropped in (tasks[0], tasks[1], tasks[2]):  # under way, first in line, in line
            dropped.cancel()
        await tasks[3]
        return [who for _, who in provider.asked]

    assert in_virtual_time(main()) == [0, 3]


def test_when_one_is_told_to_wait_all_wait() -> None:
    provider = Provider()

    async def main() -> None:
        gate = a_gate(Limits(at_once=2))
        first = asyncio.create_task(gate.through(provider.call()))
        await asyncio.sleep(0.5)
        gate.hold_back(30)
        await asyncio.gather(first, *(gate.through(provider.call()) for _ in range(5)))

    in_virtual_time(main())
    assert provider.times[0] == 0
    assert all(at >= 30.5 for at in provider.times[1:])


def test_a_request_sent_again_counts_as_a_request() -> None:
    sent: list[float] = []

    async def twice() -> Reply:
        told = observer()
        assert told is not None
        for _ in range(2):
            await told.sends()
            sent.append(asyncio.get_running_loop().time())
            told.answered(429, None)
        return Reply("fine")

    async def main() -> None:
        gate = a_gate(Limits(requests_per_minute=30))
        await asyncio.gather(*(gate.through(twice) for _ in range(40)))

    in_virtual_time(main())
    assert len(sent) == 80
    assert most_in_a_minute(sent) <= 30
    assert sent[-1] == pytest.approx(79 * 2, rel=0.02)


def test_an_outage_leaves_no_failed_call_and_is_not_besieged() -> None:
    provider = Provider(down=lambda now: 20 < now < 200)

    async def main() -> list[Reply]:
        gate = a_gate(Limits(at_once=64))

        async def debate(who: int) -> list[Reply]:
            return [await gate.through(provider.call(who)) for _ in range(20)]

        held = await asyncio.gather(*(debate(n) for n in range(200)))
        return list(itertools.chain(*held))

    replies = in_virtual_time(main())
    assert len(replies) == 4000
    assert all(reply.failure is None for reply in replies)
    trials = [at for at in provider.times if 25 < at < 199]
    gaps = [later - earlier for earlier, later in itertools.pairwise(trials)]
    assert len(trials) <= 8
    assert gaps == sorted(gaps)
    assert max(gaps) <= 60 + provider.seconds
    assert max(provider.times) < 330  # it is noticed soon that the provider is back


def test_calls_of_a_debate_alone_are_taken_through_an_outage_too() -> None:
    provider = Provider(down=lambda now: 5 < now < 100)

    async def main() -> list[Reply]:
        gate = a_gate()
        return [await gate.through(provider.call()) for _ in range(10)]

    assert all(reply.failure is None for reply in in_virtual_time(main()))


def test_an_outage_while_what_was_begun_is_still_answered_leaves_no_failed_call() -> None:
    """New calls are refused at once, those begun before go on to their end: a server draining."""
    asked: list[float] = []

    async def main() -> list[Reply]:
        gate = a_gate(Limits(at_once=None))

        def call(seconds: float) -> Callable[[], Awaitable[Reply]]:
            async def ask() -> Reply:
                now = asyncio.get_running_loop().time()
                asked.append(now)
                if 1 < now < 60:
                    return failing()
                await asyncio.sleep(seconds)
                return Reply("fine")

            return ask

        async def late(wait: float) -> Reply:
            await asyncio.sleep(wait)
            return await gate.through(call(1))

        old = [gate.through(call(3 + n)) for n in range(20)]
        return list(await asyncio.gather(*old, *(late(2 + n / 10) for n in range(20))))

    assert all(reply.failure is None for reply in in_virtual_time(main()))
    assert len([at for at in asked if 1 < at < 60]) <= 20, "what was begun before says nothing"


def test_a_call_that_fails_while_others_are_answered_is_a_failure() -> None:
    asked: list[int] = []

    async def main() -> list[Reply]:
        gate = a_gate(Limits(at_once=4))

        def call(who: int) -> Callable[[], Awaitable[Reply]]:
            async def ask() -> Reply:
                asked.append(who)
                await asyncio.sleep(1)
                return failing() if who == 7 else Reply("fine")

            return ask

        async def debate(who: int) -> Reply:
            for _ in range(20):
                reply = await gate.through(call(who))
                if reply.failure:
                    break
            return reply

        return list(await asyncio.gather(*(debate(n) for n in range(12))))

    replies = in_virtual_time(main())
    assert [n for n, reply in enumerate(replies) if reply.failure] == [7]
    assert asked.count(7) == 2


def test_answers_that_are_no_outage_open_nothing() -> None:
    refused = Reply(None, failure=CallFailure(kind="refused", why="no"))
    asked = 0

    async def refuse() -> Reply:
        nonlocal asked
        asked += 1
        await asyncio.sleep(1)
        return refused

    async def main() -> float:
        gate = a_gate(patience=Patience(after=2))
        for _ in range(10):
            assert await gate.through(refuse) is refused
        assert gate.trouble is None
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main()) == pytest.approx(10)
    assert asked == 10


def test_patience_ends_and_the_message_says_who_since_when_and_what_to_do() -> None:
    provider = Provider(down=lambda now: True)

    async def main() -> tuple[list[BaseException], float, float]:
        gate = a_gate(Limits(at_once=8), Patience(total=600))
        calls = (gate.through(provider.call()) for _ in range(50))
        ends = await asyncio.gather(*calls, return_exceptions=True)
        loop = asyncio.get_running_loop()
        turned_away = loop.time()
        assert gate.trouble is not None
        with pytest.raises(ProviderDown):
            await gate.through(provider.call())  # not waited for once more
        return [end for end in ends if isinstance(end, BaseException)], turned_away, loop.time()

    ends, turned_away, later = in_virtual_time(main())
    assert len(ends) == 50
    assert {type(end) for end in ends} == {ProviderDown}
    assert str(ends[0]) == (
        "openai has answered no call since 2026-01-01T00:00Z (the last one: answered 503: out of "
        "order): what was recorded is kept; run the same command again when it is back."
    )
    assert 595 < turned_away < 665
    assert later == turned_away
    assert len(provider.asked) < 8 + 5 + 20


def test_a_provider_that_comes_back_after_all_is_used_again() -> None:
    provider = Provider(down=lambda now: now < 2000)

    async def main() -> Reply:
        gate = a_gate()
        with pytest.raises(ProviderDown):
            await gate.through(provider.call())
        await asyncio.sleep(2000)
        return await gate.through(provider.call())

    assert in_virtual_time(main()).failure is None


def test_a_trial_that_is_given_up_is_followed_by_another() -> None:
    provider = Provider(down=lambda now: now < 30, seconds=2)

    async def main() -> list[Reply | BaseException]:
        gate = a_gate(Limits(at_once=2), Patience(after=2))
        tasks = [asyncio.create_task(gate.through(provider.call(n))) for n in range(6)]
        await asyncio.sleep(8)  # the second trial is under way
        assert (gate.trouble is not None, provider.together) == (True, 1)
        trial = provider.asked[-1][1]
        tasks[trial].cancel()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    ends = in_virtual_time(main())
    assert sum(isinstance(end, asyncio.CancelledError) for end in ends) == 1
    assert sum(isinstance(end, Reply) and end.failure is None for end in ends) == 5


def test_an_error_only_the_user_can_mend_goes_straight_through() -> None:
    async def wrong_key() -> Reply:
        raise UserError("check the key")

    async def main() -> None:
        gate = a_gate(Limits(at_once=1))
        for _ in range(3):
            with pytest.raises(UserError, match="check the key"):
                await gate.through(wrong_key)

    in_virtual_time(main())


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_a_limit_that_makes_no_sense_is_refused(value: float) -> None:
    with pytest.raises(UserError, match="requests_per_minute is"):
        Limits(requests_per_minute=value)


def test_the_slack_is_part_of_the_limit() -> None:
    assert 0 < SLACK < 1  # the interval grows by it: more than a second would cost too much
