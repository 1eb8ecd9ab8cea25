"""Many debates on shared models, over real HTTP."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from harness import events as e
from harness.errors import ProviderDown, UserError
from harness.models import registry
from harness.models.breaker import Patience
from harness.models.limits import SLACK, Limits
from harness.models.pool import Pool, PooledModel
from harness.models.prices import Price
from harness.prompt import Message, Prompt, Reply
from harness.session import Sitting
from harness.transcript import read
from tests.models.asking import a_request
from tests.models.server import Answer, ChatServer, Json, rejected, spoken
from tests.rooms import a_sitting, instance, two_sides

SMALL = registry.parse("openai:small")
QUICK = Patience(after=3, first=0.1, longest=0.2, total=30)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-to-be-seen-1234567890")


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        yield running


@asynccontextmanager
async def a_pool(**options: Any) -> AsyncIterator[Pool]:
    pool = Pool(**options)
    try:
        yield pool
    finally:
        await pool.aclose()


def a_prompt(seed: int) -> Prompt:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    return Prompt((Message("user", (f"Question {seed}.",)),), schema, seed)


def opened(pool: Pool, server: ChatServer, debate: str = "a", **parameters: Any) -> PooledModel:
    return pool.of(debate).open(SMALL, {"base_url": server.url, **parameters})


class Watched:
    """What a server saw: when each request came, and how many were under way together."""

    def __init__(self, answer: Callable[[Json, int], Answer], seconds: float = 0.0) -> None:
        self.times: list[float] = []
        self.most = 0
        self._together = 0
        self._answer = answer
        self._seconds = seconds
        self._lock = threading.Lock()

    def __call__(self, body: Json) -> Answer:
        with self._lock:
            self.times.append(time.monotonic())
            self._together += 1
            self.most = max(self.most, self._together)
            number = len(self.times)
        time.sleep(self._seconds)
        with self._lock:
            self._together -= 1
            return self._answer(body, number)


async def test_equal_models_are_opened_once_and_others_by_themselves(server: ChatServer) -> None:
    async with a_pool() as pool:
        first = pool.live(SMALL, {"base_url": server.url, "temperature": 0.5})
        again = pool.live(SMALL, {"temperature": 0.5, "base_url": server.url})
        warmer = pool.live(SMALL, {"base_url": server.url, "temperature": 0.7})
    assert first is again
    assert first is not warmer


async def test_what_is_on_record_of_each_call_is_its_own_however_many_are_under_way(
    server: ChatServer,
) -> None:
    """Every third is refused once. The client says in a header how often it has sent a request, so
    that the server knows as well; connections may fail too, where so many come at once."""
    refused: set[int] = set()

    def answer(body: Json) -> Answer:
        seed = body["seed"]
        if seed % 3 == 0 and seed not in refused:
            refused.add(seed)
            return rejected(429, "slow down")
        time.sleep(random.Random(seed).random() / 20)
        return spoken(json.dumps({"seed": seed, "said": body["messages"][0]["content"]}))

    server.ordinary = answer
    async with a_pool(limits=Limits(at_once=40)) as pool:
        models = [opened(pool, server, f"debate {n}") for n in range(60)]
        asked = (model.ask(a_prompt(n)) for n, model in enumerate(models))
        replies: list[Reply] = await asyncio.gather(*asked)
    sent = {
        body["seed"]: int(headers["x-stainless-retry-count"])
        for body, headers in zip(server.bodies, server.headers, strict=True)
    }
    assert sum(sent.values()) >= 20
    for seed, reply in enumerate(replies):
        assert json.loads(reply.text or "") == {"seed": seed, "said": f"Question {seed}."}
        assert reply.parameters["seed"] == seed
        assert reply.retries == sent[seed]


async def test_a_debate_that_ends_leaves_the_models_to_the_others(
    server: ChatServer, tmp_path: Path
) -> None:
    server.ordinary = by_schema
    async with a_pool() as pool:
        for name in ("one", "two"):
            await hold(in_pool(pool, server, tmp_path / f"{name}.jsonl"))
    for name in ("one", "two"):
        record = read(tmp_path / f"{name}.jsonl")
        assert record.finished
        assert not [event for event in record.events if isinstance(event, e.TurnFailed)]


async def test_a_debate_on_a_pool_is_on_record_like_one_on_its_own(
    server: ChatServer, tmp_path: Path
) -> None:
    server.ordinary = by_schema
    await hold(a_sitting(tmp_path / "own.jsonl", two_sides(), **of_the(server)))
    async with a_pool() as pool:
        await hold(in_pool(pool, server, tmp_path / "pooled.jsonl"))
    own, pooled = ([untimed(event) for event in read(tmp_path / f"{name}.jsonl").events[1:]]
                   for name in ("own", "pooled"))  # fmt: skip
    assert own == pooled


async def test_the_server_never_sees_more_calls_at_once_than_allowed(server: ChatServer) -> None:
    watched = Watched(lambda body, number: spoken(), seconds=0.02)
    server.ordinary = watched
    async with a_pool(limits=Limits(at_once=5)) as pool:
        models = [opened(pool, server, temperature=n / 4) for n in range(4)]  # one limit for all
        await asyncio.gather(*(models[n % 4].ask(a_prompt(n)) for n in range(40)))
    assert len(watched.times) == 40
    assert watched.most == 5


async def test_requests_reach_the_server_at_the_pace_that_is_set(server: ChatServer) -> None:
    watched = Watched(lambda body, number: spoken())
    server.ordinary = watched
    async with a_pool(limits={server.url: Limits(requests_per_minute=1200)}) as pool:
        model = opened(pool, server)
        begun = time.monotonic()
        await asyncio.gather(*(model.ask(a_prompt(n)) for n in range(60)))
    assert watched.times[-1] - begun >= 59 * (60 + SLACK) / 1200 - SLACK


async def test_limits_are_for_each_server_by_itself(server: ChatServer) -> None:
    slow, quick = Watched(lambda body, number: spoken()), Watched(lambda body, number: spoken())
    server.ordinary = slow
    with ChatServer().running() as other:
        other.ordinary = quick
        limits = {server.url: Limits(requests_per_minute=60), "openai": Limits(at_once=3)}
        async with a_pool(limits=limits) as pool:
            models = [opened(pool, each) for each in (server, other)]
            asks = [model.ask(a_prompt(n)) for n in range(3) for model in models]
            begun = time.monotonic()
            await asyncio.gather(*asks)
    slowly, quickly = (each.times[-1] - begun for each in (slow, quick))
    assert slowly > 1.4
    assert quickly < slowly - 0.5


def test_limits_for_nobody_are_refused() -> None:
    with pytest.raises(UserError, match="'opnai', which is no provider: did you mean openai"):
        Pool(limits={"opnai": Limits()})


@pytest.mark.parametrize("how", ["seconds", "milliseconds", "date"])
async def test_when_one_call_is_told_to_wait_the_others_do_not_even_ask(
    server: ChatServer, how: str
) -> None:
    """The wait is the server's, to the second, and one call alone runs into a refusal."""

    def answer(body: Json, number: int) -> Answer:
        headers = {
            "seconds": {"retry_after": "1"},
            "milliseconds": {"retry_after_ms": "1000"},
            "date": {"retry_after": formatdate(time.time() + 2, usegmt=True)},
        }
        return rejected(429, "slow down", **headers[how]) if number == 4 else spoken()

    watched = Watched(answer, seconds=0.05)
    server.ordinary = watched
    async with a_pool(limits=Limits(at_once=2)) as pool:
        model = opened(pool, server)
        replies = await asyncio.gather(*(model.ask(a_prompt(n)) for n in range(20)))
    assert [reply.failure for reply in replies] == [None] * 20
    assert sum(reply.retries for reply in replies) == 1
    refused_at = watched.times[3] + 0.05
    early = [at for at in watched.times[4:] if at < refused_at + 0.99]
    assert len(early) <= 3, "only what was on its way already may come in that second"
    assert len(watched.times) == 21


async def test_many_calls_that_are_told_to_wait_all_wait_as_long_as_they_were_told(
    server: ChatServer,
) -> None:
    watched = Watched(
        lambda body, number: rejected(429, "slow down", retry_after="0.7") if number <= 4
        else spoken(),
    )  # fmt: skip
    server.ordinary = watched
    async with a_pool(limits=Limits(at_once=4)) as pool:
        model = opened(pool, server)
        replies = await asyncio.gather(*(model.ask(a_prompt(n)) for n in range(12)))
    assert [reply.failure for reply in replies] == [None] * 12
    assert [reply.retries for reply in replies] == [1] * 4 + [0] * 8
    assert watched.times[4] - watched.times[3] >= 0.65


async def test_an_outage_leaves_no_failed_reply_and_few_requests(server: ChatServer) -> None:
    until = time.monotonic() + 2.5
    watched = Watched(
        lambda body, number: rejected(503, "out of order") if number > 40 and during(until)
        else spoken(),
    )  # fmt: skip
    server.ordinary = watched
    async with a_pool(limits=Limits(at_once=10), patience=QUICK) as pool:
        model = opened(pool, server, max_retries=0)

        async def debate(n: int) -> list[Reply]:
            return [await model.ask(a_prompt(n)) for _ in range(5)]

        replies = list(itertools.chain(*await asyncio.gather(*(debate(n) for n in range(40)))))
    assert len(replies) == 200
    assert [reply.failure for reply in replies] == [None] * 200
    assert watched.times[-1] > until
    # Those under way, and a trial every 0.2 s.
    assert len(watched.times) <= 200 + 10 + 3 + 2.5 / 0.2


def during(until: float) -> bool:
    return time.monotonic() < until


async def test_whoever_watches_is_told_which_server_is_not_there() -> None:
    with ChatServer().running() as gone:
        url = gone.url
    async with a_pool(patience=QUICK) as pool:
        model = pool.of("a").open(SMALL, {"base_url": url, "max_retries": 0})
        asked = asyncio.create_task(model.ask(a_prompt(1)))
        for _ in range(100):
            await asyncio.sleep(0.05)
            if pool.trouble:
                break
        assert f"the server at {url} has answered no call since" in pool.trouble[0]
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked


async def test_one_prompt_that_always_fails_is_recorded_while_others_are_answered(
    server: ChatServer,
) -> None:
    def answer(body: Json) -> Answer:
        time.sleep(0.02)
        return rejected(500, "cannot parse") if body["seed"] == 3 else spoken()

    server.ordinary = answer
    async with a_pool(patience=QUICK) as pool:
        model = opened(pool, server, max_retries=0)

        recorded = asyncio.Event()

        async def debate(n: int) -> Reply:
            reply = await model.ask(a_prompt(n))
            while n != 3 and not recorded.is_set():
                reply = await model.ask(a_prompt(n))
            recorded.set()
            return reply

        replies = await asyncio.gather(*(debate(n) for n in range(6)))
    failed = [n for n, reply in enumerate(replies) if reply.failure]
    assert failed == [3]
    failure = replies[3].failure
    assert failure is not None
    assert (failure.kind, failure.why) == ("provider_error", "answered 500: cannot parse")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(spoken(None, refusal="I will not."), id="refused"),
        pytest.param(spoken("{", finish="length"), id="truncated"),
        pytest.param(spoken("so be it"), id="unreadable"),
        pytest.param(rejected(400, "too long", "context_length_exceeded"), id="overflow"),
        pytest.param(rejected(400, "temperature must be 1"), id="rejected"),
    ],
)
async def test_what_is_no_outage_is_a_reply_at_once(server: ChatServer, answer: Answer) -> None:
    server.ordinary = lambda body: answer
    async with a_pool(patience=Patience(after=1, first=5)) as pool:
        model = opened(pool, server)
        for n in range(4):
            await model.ask(a_prompt(n))
        assert not pool.trouble
    assert len(server.bodies) == 4


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        pytest.param(rejected(429, "slow down"), {"max_retries": 0}, id="429"),
        pytest.param(rejected(502, "bad gateway"), {"max_retries": 0}, id="5xx"),
        pytest.param(Answer(hangs=True), {"max_retries": 0, "timeout": 0.2}, id="no answer"),
    ],
)
async def test_what_looks_like_an_outage_is_asked_again(
    server: ChatServer, answer: Answer, asked: dict[str, Any]
) -> None:
    server.answers = [answer] * 5
    async with a_pool(patience=QUICK) as pool:
        reply = await opened(pool, server, **asked).ask(a_prompt(1))
    assert reply.failure is None
    assert len(server.bodies) == 6


async def test_a_provider_that_stays_down_ends_the_sitting_and_the_file_goes_on_later(
    server: ChatServer, tmp_path: Path
) -> None:
    path = tmp_path / "debate.jsonl"
    down = threading.Event()
    server.ordinary = lambda body: (
        rejected(503, "out of order") if down.is_set() else by_schema(body)
    )
    patience = Patience(after=2, first=0.05, longest=0.1, total=0.4)
    async with a_pool(patience=patience) as pool:
        sitting = in_pool(pool, server, path, max_retries=0)
        with pytest.raises(ProviderDown, match=f"the server at {server.url} has answered no call"):
            await hold(
                sitting, lambda event: down.set() if isinstance(event, e.ModelCall) else None
            )
    left = read(path)
    assert not left.finished
    assert len(left.calls) == 1

    down.clear()
    paid = len(server.bodies)
    async with a_pool() as pool:
        await hold(in_pool(pool, server, path, resume=True, max_retries=0))
    record = read(path)
    assert record.finished
    assert not [event for event in record.events if isinstance(event, e.TurnFailed)]
    assert len(record.calls) == 1 + len(server.bodies) - paid


async def test_a_reply_says_what_it_cost(server: ChatServer) -> None:
    async with a_pool() as pool:
        model = pool.of("a").open(SMALL, {"base_url": server.url}, Price(1.0, 10.0, 0.5))
        reply = await model.answer(a_request())
    assert reply.cost == pytest.approx((36 * 1.0 + 64 * 0.5 + 20 * 10.0) / 1e6)


def by_schema(body: Json) -> Answer:
    """What a model that keeps to its schema says; the same for the same request."""
    schema = body["response_format"]["json_schema"]["schema"]
    return spoken(json.dumps(instance(schema, random.Random(json.dumps(body["messages"])))))


def of_the(server: ChatServer) -> dict[str, Any]:
    return {"model": "openai:small", "chair": "reference", "base_url": server.url}


def in_pool(
    pool: Pool, server: ChatServer, path: Path, *, resume: bool = False, **parameters: Any
) -> Sitting:
    sitting = a_sitting(path, two_sides(), resume=resume, **of_the(server))
    seats = (
        seat.model_copy(update={"parameters": seat.parameters | parameters})
        if seat.model == "openai:small" else seat
        for seat in sitting.card.seats
    )  # fmt: skip
    sitting.card = sitting.card.model_copy(update={"seats": tuple(seats)})
    sitting.means.models = pool.of(path.stem)
    return sitting


async def hold(sitting: Sitting, hear: Callable[[e.Event], None] = lambda event: None) -> None:
    async with aclosing(sitting.hold()) as happening:
        async for event in happening:
            hear(event)


def untimed(event: e.Event) -> e.Event:
    """The event without what the time of day has put into it."""
    if isinstance(event, e.ModelCall):
        return event.model_copy(update={"started": None, "latency": 0.0})
    return event
