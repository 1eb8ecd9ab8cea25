import json
import sys
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from harness.errors import ModelUnavailable, UserError
from harness.events import Usage
from harness.models.chat import IN_WORDS, ChatSeat
from harness.turn import Answer as ReadAnswer
from harness.turn import Message, Reply, read
from tests.models.asking import a_request
from tests.models.server import A_TURN, Answer, ChatServer, rejected, spoken

KEY = "sk-never-to-be-seen-1234567890"

pytestmark = pytest.mark.anyio

Opens = Callable[..., Awaitable[ChatSeat]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _only_this_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_ORG_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        yield running


@pytest.fixture
async def opens(server: ChatServer) -> AsyncIterator[Opens]:
    seats: list[ChatSeat] = []

    async def open_seat(**options: Any) -> ChatSeat:
        seat = ChatSeat("openai:small", **{"base_url": server.url, **options})
        seats.append(seat)
        return seat

    yield open_seat
    for seat in seats:
        await seat.aclose()


async def test_a_turn_goes_out_as_two_messages_with_a_strict_schema_and_nothing_stray(
    server: ChatServer, opens: Opens
) -> None:
    request = a_request(seed=11)
    await (await opens()).answer(request)
    (body,) = server.bodies
    assert body.pop("messages") == [
        {"role": "system", "content": "You are the American delegation. You want limits."},
        {"role": "user", "content": "Take the floor."},
    ]
    assert body.pop("response_format") == {
        "type": "json_schema",
        "json_schema": {"name": "turn", "strict": True, "schema": request.schema},
    }
    assert body == {"model": "small", "seed": 11, "stream": False}


async def test_the_reply_carries_text_model_finish_and_usage_with_cached_tokens(
    opens: Opens,
) -> None:
    reply = await (await opens()).answer(a_request())
    assert (reply.text, reply.model, reply.finish) == (A_TURN, "small-2026-01-01", "stop")
    assert reply.usage == Usage(input=100, output=20, cached=64)
    assert reply.constrained
    assert reply.failure is None
    assert reply.retries == 0


async def test_the_reply_can_be_read_as_a_turn(opens: Opens) -> None:
    request = a_request()
    reply = await (await opens()).answer(request)
    assert read(reply.text or "", request) == ReadAnswer(citations=("us-am-1",))


class FixedClock:
    def __init__(self) -> None:
        self.ticks = 0.0

    def now(self) -> str:
        return "2026-01-01T00:00:00+00:00"

    def monotonic(self) -> float:
        self.ticks += 1.5
        return self.ticks


async def test_the_time_comes_from_the_clock_that_was_handed_in(opens: Opens) -> None:
    reply = await (await opens(clock=FixedClock())).answer(a_request())
    assert (reply.started, reply.latency) == ("2026-01-01T00:00:00+00:00", 1.5)


async def test_the_parameters_on_record_are_those_on_the_wire(
    server: ChatServer, opens: Opens
) -> None:
    reply = await (await opens(temperature=0.3, max_tokens=90)).answer(a_request())
    sent = {k: v for k, v in server.bodies[0].items() if k not in ("messages", "response_format")}
    assert sent["temperature"] == 0.3
    answer_format = reply.parameters["response_format"]
    assert answer_format == {"type": "json_schema", "strict": True}
    assert {k: v for k, v in reply.parameters.items() if k != "response_format"} == sent


async def test_a_temperature_that_langchain_drops_is_not_on_record(server: ChatServer) -> None:
    seat = ChatSeat("openai:gpt-5-mini", base_url=server.url, temperature=0.3)
    reply = await seat.answer(a_request())
    await seat.aclose()
    assert "temperature" not in reply.parameters


async def test_a_refusal_is_a_failure_with_its_words_and_its_tokens(
    server: ChatServer, opens: Opens
) -> None:
    server.answers = [spoken(None, refusal="I will not\nspeak for a state.")]
    reply = await (await opens()).answer(a_request())
    assert _failure(reply) == ("refused", "I will not speak for a state.")
    assert reply.usage.output == 20
    assert reply.finish == "refusal"


async def test_what_the_filter_withholds_is_refused(server: ChatServer, opens: Opens) -> None:
    server.answers = [spoken("", finish="content_filter")]
    reply = await (await opens()).answer(a_request())
    assert _failure(reply) == ("refused", "withheld by the provider's filter")


async def test_a_reply_cut_at_its_length_keeps_the_text_and_the_tokens(
    server: ChatServer, opens: Opens
) -> None:
    server.answers = [spoken('{"citations": ["us-', finish="length")]
    reply = await (await opens()).answer(a_request())
    assert _failure(reply) == ("truncated", "cut short at 20 tokens")
    assert reply.text == '{"citations": ["us-'
    assert reply.usage == Usage(input=100, output=20, cached=64)


async def test_a_busy_server_is_asked_again_and_each_time_is_counted(
    server: ChatServer, opens: Opens
) -> None:
    server.answers = [rejected(429, "slow down", retry_after="0"), rejected(429, "slow down")]
    reply = await (await opens()).answer(a_request())
    assert reply.failure is None
    assert reply.retries == 2
    assert [h["x-stainless-retry-count"] for h in server.headers] == ["0", "1", "2"]


async def test_a_server_that_keeps_failing_is_a_failure_with_its_status(
    server: ChatServer, opens: Opens
) -> None:
    server.answers = [rejected(500, "out of order")] * 2
    reply = await (await opens(max_retries=1)).answer(a_request())
    assert _failure(reply) == ("provider_error", "answered 500: out of order")
    assert reply.retries == 1
    assert reply.parameters["model"] == "small"


async def test_a_server_that_hangs_is_given_up(server: ChatServer, opens: Opens) -> None:
    server.answers = [Answer(hangs=True)]
    reply = await (await opens(timeout=0.2, max_retries=0)).answer(a_request())
    assert _failure(reply) == ("timeout", "gave no answer in time")
    assert reply.text is None


async def test_a_server_that_is_not_there_is_a_provider_error(opens: Opens) -> None:
    seat = await opens(base_url="http://127.0.0.1:9/v1", max_retries=0)
    reply = await seat.answer(a_request())
    assert _failure(reply)[0] == "provider_error"


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(Answer(body='{"choices": [{"mess'), id="cut JSON"),
        pytest.param(Answer(body="[]"), id="not an object"),
        pytest.param(Answer(body={"id": "x", "choices": []}), id="no choices"),
        pytest.param(Answer(body={"id": "x", "choices": None}), id="null choices"),
        pytest.param(Answer(body={"error": {"message": "upstream"}}), id="an error in a 200"),
        pytest.param(
            Answer(body="<p>sorry</p>", headers={"content-type": "text/html"}), id="a web page"
        ),
    ],
)
async def test_a_damaged_body_is_asked_for_again(
    server: ChatServer, opens: Opens, damaged: Answer
) -> None:
    server.answers = [damaged]
    reply = await (await opens()).answer(a_request())
    assert (reply.text, reply.failure, reply.retries) == (A_TURN, None, 1)


async def test_a_body_shorter_than_promised_is_asked_for_again(
    server: ChatServer, opens: Opens
) -> None:
    whole = spoken()
    server.answers = [Answer(body=whole.body, cut=40)]
    reply = await (await opens()).answer(a_request())
    assert (reply.text, reply.retries) == (A_TURN, 1)


async def test_a_body_that_stays_damaged_is_a_failure(server: ChatServer, opens: Opens) -> None:
    server.answers = [Answer(body="{")] * 3
    reply = await (await opens()).answer(a_request())
    assert _failure(reply) == (
        "provider_error",
        "answered 200 with 1 bytes that are not JSON",
    )
    assert reply.retries == 2


@pytest.mark.parametrize(
    "words",
    [
        "This response_format type is unavailable now",
        "Invalid schema for response_format 'turn': schema must have a 'type' key.",
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this "
        "model.",
        "failed to parse grammar",
    ],
)
async def test_a_provider_without_schemas_gets_it_in_words_from_then_on(
    server: ChatServer, opens: Opens, words: str
) -> None:
    server.answers = [rejected(400, words)]
    seat = await opens()
    request = a_request()
    replies = [await seat.answer(request) for _ in range(2)]
    assert [reply.constrained for reply in replies] == [False, False]
    assert [reply.retries for reply in replies] == [0, 0]
    first, *others = server.bodies
    assert "response_format" in first
    assert len(others) == 2
    for body in others:
        assert "response_format" not in body
        last = body["messages"][-1]["content"]
        assert last == "Take the floor." + IN_WORDS + json.dumps(request.schema)
    assert replies[0].parameters["schema_in_message"] is True


async def test_turns_in_flight_together_all_survive_a_provider_without_schemas(
    server: ChatServer, opens: Opens
) -> None:
    import asyncio

    server.answers = [rejected(400, "no response_format here")] * 3
    seat = await opens()
    replies = await asyncio.gather(*(seat.answer(a_request()) for _ in range(3)))
    assert [reply.failure for reply in replies] == [None] * 3


async def test_a_provider_that_takes_no_seed_is_asked_without(
    server: ChatServer, opens: Opens
) -> None:
    server.answers = [rejected(400, "Unsupported parameter: 'seed'")]
    reply = await (await opens()).answer(a_request())
    assert reply.failure is None
    assert "seed" not in server.bodies[1]
    assert reply.constrained


async def test_any_other_rejection_is_a_provider_error(server: ChatServer, opens: Opens) -> None:
    server.answers = [rejected(400, "temperature must be 1")]
    reply = await (await opens()).answer(a_request())
    assert _failure(reply) == ("provider_error", "answered 400: temperature must be 1")
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Your messages resulted in 9000 tokens.", "context_length_exceeded"),
        ("This model's maximum context length is 8192 tokens.", None),
        ("the request exceeds the available context size", None),
    ],
)
async def test_a_prompt_too_long_is_an_overflow(
    server: ChatServer, opens: Opens, words: str, code: str | None
) -> None:
    server.answers = [rejected(400, words, code)]
    reply = await (await opens()).answer(a_request())
    assert _failure(reply) == ("overflow", f"answered 400: {words}")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (rejected(401, f"Incorrect API key provided: {KEY}"), "check OPENAI_API_KEY"),
        (rejected(403, "not for you"), "check OPENAI_API_KEY"),
        (rejected(404, f"no such model for {KEY}"), "check the name and the address"),
        (rejected(429, "You exceeded your quota", "insufficient_quota"), "has no credit left"),
    ],
)
async def test_what_only_the_user_can_mend_stops_the_debate(
    server: ChatServer, opens: Opens, answer: Answer, hint: str
) -> None:
    server.answers = [answer]
    seat = await opens(max_retries=0)
    with pytest.raises(ModelUnavailable, match=hint) as caught:
        await seat.answer(a_request())
    assert KEY not in str(caught.value)
    assert "openai:small" in str(caught.value)


async def test_the_key_travels_in_the_header_only(server: ChatServer, opens: Opens) -> None:
    server.answers = [rejected(500, f"key {KEY} crashed us")]
    seat = await opens(max_retries=0)
    replies = [await seat.answer(a_request()) for _ in range(2)]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in json.dumps(server.bodies)
    assert KEY not in repr(replies)
    assert "key [key] crashed us" in repr(replies)


async def test_an_address_with_a_password_in_it_is_refused() -> None:
    with pytest.raises(UserError, match="cannot hold a password") as caught:
        ChatSeat("openai:small", base_url="https://me:hunter2@example.org/v1")
    assert "hunter2" not in str(caught.value)


async def test_langchains_own_cache_is_never_asked(server: ChatServer, opens: Opens) -> None:
    set_llm_cache(InMemoryCache())
    try:
        seat = await opens()
        for _ in range(2):
            await seat.answer(a_request())
    finally:
        set_llm_cache(None)
    assert len(server.bodies) == 2


async def test_a_server_of_ones_own_needs_no_key(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    seat = ChatSeat("openai:small")
    reply = await seat.answer(a_request())
    await seat.aclose()
    assert reply.failure is None


async def test_without_a_key_the_message_names_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelUnavailable, match="openai:small needs a key: set OPENAI_API_KEY"):
        ChatSeat("openai:small")


async def test_without_the_plugin_the_message_says_what_to_install() -> None:
    with pytest.raises(ModelUnavailable, match="pip install langchain-upstage"):
        ChatSeat("upstage:solar")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temprature": 1}, "openai has no option 'temprature'. Did you mean temperature"),
        ({"api_key": "sk-1"}, "options are written into the transcript"),
        ({"default_headers": {}}, "options are written into the transcript"),
        ({"temperature": "hot"}, "openai:small: temperature: .*valid number"),
    ],
)
async def test_an_option_that_cannot_be_is_refused_in_one_sentence(
    options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        ChatSeat("openai:small", options=options)


@pytest.mark.parametrize("phase", ["round", "decision"])
async def test_the_schema_is_one_that_strict_modes_take(
    server: ChatServer, opens: Opens, phase: Any
) -> None:
    await (await opens()).answer(a_request(phase=phase, speech="free"))
    schema = server.bodies[0]["response_format"]["json_schema"]["schema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    for part in _parts(schema):
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])


class Plain(BaseChatModel):
    """A provider whose plugin knows no structured output and is not built on the openai client."""

    model: str
    timeout: float | None = None
    lines: tuple[str, ...] = (A_TURN,)

    @property
    def _llm_type(self) -> str:
        return "plain"

    @property
    def _default_params(self) -> dict[str, Any]:
        return {"model": self.model, "timeout": self.timeout}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self.model == "broken":
            raise PlainError(503)
        if self.model == "defect":
            raise KeyError("ours")
        assert not kwargs
        assert IN_WORDS in str(messages[-1].content)
        message = AIMessage(A_TURN, response_metadata={"stop_reason": "end_turn", "model": "p-1"})
        return ChatResult(generations=[ChatGeneration(message=message)])


class PlainError(Exception):
    def __init__(self, status_code: int) -> None:
        self.status_code = status_code
        super().__init__("the plugin's own error")


@pytest.fixture
def groq(monkeypatch: pytest.MonkeyPatch) -> None:
    from langchain.chat_models.base import _get_chat_model_creator

    module = types.ModuleType("langchain_groq")
    module.ChatGroq = Plain  # type: ignore[attr-defined]
    module.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "langchain_groq", module)
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    _get_chat_model_creator.cache_clear()


@pytest.mark.usefixtures("groq")
async def test_another_providers_plugin_gets_the_schema_in_words_and_no_stray_arguments() -> None:
    seat = ChatSeat("groq:mixed")
    reply = await seat.answer(a_request())
    await seat.aclose()
    assert (reply.text, reply.finish, reply.model) == (A_TURN, "end_turn", "p-1")
    assert not reply.constrained
    assert reply.usage == Usage()
    assert reply.parameters == {"model": "mixed", "timeout": 120.0, "schema_in_message": True}


@pytest.mark.usefixtures("groq")
async def test_another_plugins_own_error_is_the_providers_doing() -> None:
    reply = await ChatSeat("groq:broken").answer(a_request())
    assert _failure(reply) == ("provider_error", "answered 503: the plugin's own error")


@pytest.mark.usefixtures("groq")
async def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(KeyError, match="ours"):
        await ChatSeat("groq:defect").answer(a_request())


@pytest.fixture
def llama_server() -> Iterator[str]:
    import xllamacpp

    from harness.models.weights import find_weights

    params = xllamacpp.CommonParams()
    params.model.path = str(find_weights())
    params.n_ctx = 4096
    params.n_parallel = 1
    params.verbosity = 0
    params.port = 0
    servers = [xllamacpp.Server(params)]
    yield servers[0].listening_address + "/v1"
    # Ending the server is what lets go of its port.
    servers.clear()


@pytest.mark.local_model
async def test_another_real_server_answers_within_the_schema(llama_server: str) -> None:
    seat = ChatSeat("openai:local", base_url=llama_server, max_tokens=600, temperature=0.0)
    request = a_request()
    reply = await seat.answer(request)
    too_long = replace(request, messages=(Message("user", ("You want limits. " * 2000,)),))
    overflow = await seat.answer(too_long)
    await seat.aclose()
    assert reply.failure is None
    assert reply.constrained
    jsonschema.validate(json.loads(reply.text or ""), request.schema)
    assert reply.usage.input > 0
    assert reply.usage.output > 0
    assert _failure(overflow)[0] == "overflow"


def _failure(reply: Reply) -> tuple[str, str]:
    assert reply.failure is not None
    return reply.failure.kind, reply.failure.why


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from _parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _parts(value)
