"""Replies recorded once and given again; over real HTTP, files and processes."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.events import CallFailure, Usage
from harness.models import registry
from harness.models.breaker import Patience
from harness.models.budget import Budget
from harness.models.cassette import Asked, Cassette, Mode
from harness.models.clock import Clock
from harness.models.pool import Pool
from harness.models.prices import Price, PriceList
from harness.prompt import Message, Prompt, Reply
from harness.seating import Means
from harness.session import Sitting
from harness.transcript import read
from tests.models.server import Answer, ChatServer, Json, rejected, spoken
from tests.rooms import a_sitting, instance, two_sides

KEY = "sk-never-to-be-seen-1234567890"
SMALL = registry.parse("openai:small")
PARAMETERS = {"temperature": 0.5}
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cassette.jsonl"


_OPEN: list[Cassette] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


def a_cassette(path: Path, mode: Mode) -> Cassette:
    """A cassette that is closed after the test."""
    _OPEN.append(Cassette(path, mode))
    return _OPEN[-1]


def written(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def a_prompt(text: str = "Speak.", seed: int = 1, schema: Json | None = None) -> Prompt:
    messages = (Message("system", ("You are a delegation.",)), Message("user", (text,)))
    return Prompt(messages, schema or SCHEMA, seed)


def asked(prompt: Prompt | None = None, spec: str = "openai:small", **parameters: Any) -> Asked:
    return Asked.of(registry.parse(spec), PARAMETERS | parameters, prompt or a_prompt())


def said(text: str) -> Reply:
    return Reply(
        text, "small-2026", Usage(input=9, output=3, cached=4), "stop", started="2026-01-01"
    )


def recording(path: Path, *replies: tuple[str, str, Reply]) -> Cassette:
    """A cassette on which the same question was answered to these debates and calls."""
    cassette = a_cassette(path, "record")
    for debate, call, reply in replies:
        cassette.keep(debate, call, asked(), reply)
    cassette.close()
    return a_cassette(path, "strict")


class Ticking:
    """A clock at which every look is another moment."""

    def __init__(self) -> None:
        self._ticks = itertools.count()
        self._lock = threading.Lock()

    def now(self) -> str:
        with self._lock:
            return f"2026-01-01T00:00:{next(self._ticks) % 60:02}.000+00:00"

    def monotonic(self) -> float:
        return float(next(self._ticks))


def differently(seed: int = 0) -> Any:
    """A model that answers every request in its own way, and now and then not at all."""
    rng, lock = random.Random(seed), threading.Lock()

    def answer(body: Json) -> Answer:
        with lock:
            draw = rng.random()
            text = json.dumps(instance(body["response_format"]["json_schema"]["schema"], rng))
        if draw < 0.1:
            return spoken(None, refusal="I will not.")
        if draw < 0.2:
            return spoken("so be it")
        return spoken(text, cached=rng.randrange(90))

    return answer


def a_debate(pool: Pool, cassette: Cassette, path: Path, url: str, clock: Clock) -> Sitting:
    """A debate of the two sides, with a model in every seat and the chair."""
    sitting = a_sitting(
        path, two_sides(), model="openai:small", chair="openai:small", base_url=url,
        speech="free", seed=3,
    )  # fmt: skip
    sitting.clock = cassette.clock_of(path.stem, clock)
    sitting.means = Means(Budget(), PriceList(), {}, pool.of(path.stem))
    return sitting


async def held_together(cassette: Cassette, folder: Path, url: str, prices: PriceList) -> None:
    """Two debates that only their names tell apart, at the same time."""
    pool, clock = Pool(cassette=cassette), Ticking()
    try:
        sittings = [a_debate(pool, cassette, folder / f"{n}.jsonl", url, clock) for n in "ab"]
        for sitting in sittings:
            sitting.means.prices = prices
        await asyncio.gather(*(_drained(sitting) for sitting in sittings))
    finally:
        await pool.aclose()


async def _drained(sitting: Sitting) -> None:
    async with aclosing(sitting.hold()) as happening:
        async for _ in happening:
            pass


async def test_debates_that_only_their_names_tell_apart_are_held_again_byte_by_byte(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the server off, no key and no price list: file headers, costs and failures included."""
    server = ChatServer()
    server.ordinary = differently()
    with server.running():
        cassette = a_cassette(path, "record")
        prices = PriceList({"openai:small": Price(1.0, 2.0)})
        await held_together(cassette, tmp_path / "live", server.url, prices)
        cassette.close()
    monkeypatch.delenv("OPENAI_API_KEY")
    recorded = written(path)
    await held_together(a_cassette(path, "strict"), tmp_path / "again", server.url, PriceList())

    live = {name: (tmp_path / "live" / f"{name}.jsonl").read_bytes() for name in "ab"}
    again = {name: (tmp_path / "again" / f"{name}.jsonl").read_bytes() for name in "ab"}
    assert live == again
    assert written(path) == recorded
    records = [read(tmp_path / "live" / f"{name}.jsonl") for name in "ab"]
    first, second = ([call.reply for call in record.calls] for record in records)
    assert first != second, "the two debates have to differ for this to show anything"
    assert any(call.failure for record in records for call in record.calls)
    assert records[0].calls[0].cost
    assert records[0].header.created != records[1].header.created


async def test_only_what_is_missing_is_asked_and_then_it_is_there(
    server: ChatServer, path: Path
) -> None:
    server.ordinary = lambda body: spoken(f'"{body["messages"][1]["content"]}"')

    async def ask(mode: Any, *texts: str) -> list[str | None]:
        pool = Pool(cassette=a_cassette(path, mode))
        model = pool.of("a").open(SMALL, {"base_url": server.url})
        replies = [await model.ask(a_prompt(text)) for text in texts]
        await pool.aclose()
        return [reply.text for reply in replies]

    assert await ask("record", "one") == ['"one"']
    assert await ask("replay", "one", "two") == ['"one"', '"two"']
    assert [body["messages"][1]["content"] for body in server.bodies] == ["one", "two"]
    assert await ask("strict", "two", "one") == ['"two"', '"one"']
    assert await ask("record", "one") == ['"one"']
    assert len(server.bodies) == 3


async def test_replaying_opens_nothing_until_something_is_missing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    recording(path, ("a", "", said("yes"))).close()
    pool = Pool(cassette=a_cassette(path, "replay"))
    model = pool.of("a").open(SMALL, PARAMETERS)
    assert (await model.ask(a_prompt())).text == "yes"
    with pytest.raises(UserError, match="openai:small needs a key"):
        await model.ask(a_prompt("Something else."))


def test_a_reply_comes_back_with_all_that_was_known_of_it(path: Path) -> None:
    reply = Reply(
        text="Мир, 和平 \u2028", model="small-2026", usage=Usage(input=9, output=3, cached=4),
        finish="stop", parameters={"seed": 1, "top_p": 0.5}, constrained=True,
        started="2026-01-01T00:00:00.000+00:00", latency=1.25, cost=0.000125, retries=2,
        failure=CallFailure(kind="truncated", why="cut short"),
    )  # fmt: skip
    cassette = recording(path, ("a", "arms/round1/us#1", reply))
    assert cassette.find("a", "arms/round1/us#1", asked()) == reply
    assert "Мир, 和平" in path.read_text(encoding="utf-8"), "people read it"


def test_the_reply_to_the_same_call_is_preferred_to_one_to_the_same_question(path: Path) -> None:
    cassette = recording(
        path, ("a", "one", said("a1")), ("b", "one", said("b1")), ("a", "two", said("a2"))
    )
    for debate, call, text in [("a", "one", "a1"), ("b", "one", "b1"), ("a", "two", "a2")]:
        assert cassette.find(debate, call, asked()) == said(text)
    assert cassette.find("c", "one", asked()) == said("a1")


def test_what_was_recorded_last_of_a_call_holds(path: Path) -> None:
    cassette = recording(path, ("a", "one", said("first")), ("a", "one", said("second")))
    assert cassette.find("a", "one", asked()) == said("second")


def test_how_a_model_is_reached_and_where_its_file_lies_do_not_matter(path: Path) -> None:
    near, far = (asked(base_url=url, timeout=t) for url, t in [("http://a", 1), ("http://b", 9)])
    assert near.key == far.key
    here, there = (asked(spec=f"local:/{folder}/small.gguf") for folder in ("here", "there"))
    assert here.key == there.key
    assert here.key != asked(spec="local:/here/large.gguf").key


@pytest.mark.parametrize(
    ("now", "differs"),
    [
        (asked(spec="openai:large"), r"the model \(openai:large, recorded openai:small\)"),
        (asked(temperature=1.0), r'the parameters \(\{"temperature": 1.0\}, recorded .*0.5\}\)'),
        (asked(a_prompt("Shout.")), "message 2 of 2"),
        (asked(replace(a_prompt(), messages=())), r"number of messages \(0, recorded 2\)"),
        (asked(a_prompt(schema={"type": "null"})), "the schema of the answer"),
        (asked(a_prompt(seed=7)), r"the seed \(7, recorded 1\)"),
        (asked(replace(a_prompt(), room=70)), "the parameters"),
    ],
)
def test_a_miss_says_what_differs_and_what_to_do(path: Path, now: Asked, differs: str) -> None:
    cassette = recording(path, ("a", "one", said("first")))
    with pytest.raises(UserError, match=f"one of a was recorded .* {differs}.*--replay") as caught:
        cassette.find("a", "one", now)
    assert str(path) in str(caught.value)
    assert str(caught.value).count("the ") < 8, "and nothing that does not differ"


def test_a_miss_without_a_recording_of_the_call_says_so(path: Path) -> None:
    cassette = recording(path, ("a", "one", said("first")))
    with pytest.raises(UserError, match="holds no reply to two of a: name a cassette that does"):
        cassette.find("a", "two", asked(a_prompt("Shout.")))
    with pytest.raises(UserError, match="holds no debate named b"):
        cassette.clock_of("b", Ticking()).now()


async def test_no_secret_is_written(server: ChatServer, path: Path) -> None:
    server.answers = [rejected(400, f"{KEY} is not welcome"), rejected(500, f"{KEY} crashed us")]
    pool = Pool(cassette=a_cassette(path, "record"), patience=Patience(after=9, first=0))
    model = pool.of("a").open(SMALL, {"base_url": server.url, "max_retries": 0})
    refused = await model.ask(a_prompt())
    await model.ask(a_prompt())
    await pool.aclose()
    assert refused.failure is not None
    assert "[key] is not welcome" in written(path)
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    for secret in (KEY, KEY[3:], server.url):
        assert secret not in written(path)


async def test_what_an_outage_did_to_a_call_is_not_recorded(server: ChatServer, path: Path) -> None:
    server.answers = [rejected(503, "out of order")] * 2
    patience = Patience(after=2, first=0.05, longest=0.1)
    pool = Pool(cassette=a_cassette(path, "record"), patience=patience)
    model = pool.of("a").open(SMALL, {"base_url": server.url, "max_retries": 0})
    await model.ask(a_prompt())
    await pool.aclose()
    assert len(server.bodies) == 3
    lines = [json.loads(line) for line in written(path).splitlines()]
    assert [line["kind"] for line in lines] == ["cassette", "reply"]
    assert lines[1]["failure"] is None


@pytest.mark.parametrize("mode", ["record", "replay", "strict"])
def test_a_torn_last_line_is_left_out_and_said(path: Path, mode: Any) -> None:
    recording(path, ("a", "one", said("first")), ("a", "two", said("second"))).close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    cassette = a_cassette(path, mode)
    last = whole.splitlines(keepends=True)[-1]
    assert cassette.torn == len(last) - 7
    if mode == "strict":
        assert path.read_bytes() == whole[:-7]
        with pytest.raises(UserError, match="holds no reply to two"):
            cassette.find("a", "two", asked(a_prompt("Other.")))
    else:
        cassette.keep("a", "two", asked(), said("anew"))
    cassette.close()
    again = a_cassette(path, "strict")
    assert again.find("a", "one", asked()) == said("first")
    if mode != "strict":
        assert again.find("a", "two", asked()) == said("anew")
        assert again.torn == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"kind":"header","debate":"x"}\n', ":1: no line of a cassette of version 1"),
        ("a diary\n", ":1: no line of a cassette"),
        ('{"kind":"debate","debate":"x","created":"2026"}\n', ":1: a cassette has one header"),
    ],
)
def test_what_is_no_cassette_is_not_written_to(path: Path, content: str, words: str) -> None:
    path.write_text(content)
    modes: tuple[Mode, ...] = ("record", "replay", "strict")
    for mode in modes:
        with pytest.raises(UserError, match=words):
            a_cassette(path, mode)
    assert path.read_text() == content


def test_a_newer_version_and_a_damaged_line_are_named_with_their_place(path: Path) -> None:
    recording(path, ("a", "one", said("first")), ("a", "two", said("second"))).close()
    whole = path.read_text()
    path.write_text(whole.replace('"schema_version":1', '"schema_version":2'))
    with pytest.raises(UserError, match=r"cassette.jsonl:1: no line of a cassette of version 1"):
        a_cassette(path, "strict")
    path.write_text(whole.replace('"call":"one"', '"call":one'))
    with pytest.raises(UserError, match=r"cassette.jsonl:2: no line"):
        a_cassette(path, "record")


def test_there_has_to_be_a_cassette_to_replay_strictly(path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no cassette .* record one first"):
        a_cassette(path, "strict")


def test_a_debate_began_when_it_was_first_written_down(path: Path) -> None:
    clock = Ticking()
    for _ in range(5):
        clock.now()
    cassette = a_cassette(path, "record")
    once = cassette.clock_of("a", clock)
    moment = once.now()
    assert once.now() == moment
    assert once.monotonic() != once.monotonic()
    assert a_cassette(path, "strict").clock_of("a", Ticking()).now() == moment
    assert a_cassette(path, "replay").clock_of("a", Ticking()).now() == moment
    assert cassette.clock_of("a", clock).now() != moment, "held anew, it begins anew"


def test_of_many_replies_only_an_index_is_in_memory(path: Path) -> None:
    cassette = a_cassette(path, "record")
    for number in range(3000):
        cassette.keep("a", str(number), asked(a_prompt(seed=number)), said("x" * 2000))
    cassette.close()
    tracemalloc.start()
    strict = a_cassette(path, "strict")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / 3000 < 400, "bytes a reply, which has 2,500 in the file"
    assert strict.find("a", "2999", asked(a_prompt(seed=2999))) == said("x" * 2000)
