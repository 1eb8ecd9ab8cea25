import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from harness.errors import ModelUnavailable
from harness.models.embedded import LocalSeat, room_for
from harness.models.local import load
from harness.models.weights import find_weights
from harness.turn import Message
from tests.models.asking import a_request

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.local_model
async def test_the_embedded_model_answers_a_turn_within_its_schema() -> None:
    request = a_request()
    reply = await LocalSeat().answer(request)
    assert reply.failure is None
    assert reply.text is not None
    jsonschema.validate(json.loads(reply.text), request.schema)
    assert reply.constrained
    assert reply.model == "SmolLM2-135M-Instruct.Q4_1"
    assert reply.finish == "stop"
    assert reply.usage.input > reply.usage.cached >= 0
    assert reply.usage.output > 0
    assert reply.started is not None


@pytest.mark.local_model
async def test_the_parameters_on_record_hold_the_seed_but_not_the_schema() -> None:
    reply = await LocalSeat(temperature=0.2, max_tokens=5).answer(a_request(seed=5))
    assert reply.parameters["seed"] == 5
    assert reply.parameters["temperature"] == 0.2
    assert "citations" not in json.dumps(reply.parameters)


@pytest.mark.local_model
async def test_a_reply_cut_short_keeps_its_text_and_tokens() -> None:
    reply = await LocalSeat(max_tokens=3).answer(a_request())
    assert reply.failure is not None
    assert reply.failure.kind == "truncated"
    assert reply.usage.output == 3
    assert reply.text


@pytest.mark.local_model
async def test_a_prompt_that_does_not_fit_is_an_overflow() -> None:
    request = a_request()
    long = replace(request, messages=(Message("user", ("You want limits. " * 500,)),))
    reply = await LocalSeat(context=512).answer(long)
    assert reply.failure is not None
    assert reply.failure.kind == "overflow"
    assert reply.text is None


@pytest.mark.local_model
def test_seats_with_the_same_file_share_one_model() -> None:
    assert LocalSeat()._llama is LocalSeat(str(find_weights()))._llama is load(find_weights())


def test_a_file_that_is_no_model_is_said_before_the_debate(tmp_path: Path) -> None:
    file = tmp_path / "notes.gguf"
    file.write_text("hello")
    with pytest.raises(ModelUnavailable, match="is not a GGUF file"):
        LocalSeat(str(file))


def test_free_speech_gets_more_room_than_composed_speech() -> None:
    assert room_for(a_request(speech="free")) > room_for(a_request()) > 200
    assert room_for(a_request(phase="decision")) > 100
