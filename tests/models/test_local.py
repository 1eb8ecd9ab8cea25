"""The embedded model itself, in this process. It is installed with the tests: never a skip."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import ModelUnavailable
from harness.models.grammar import grammar_of
from harness.models.local import Completion, ContextExceeded, Llama, load
from harness.models.weights import find_weights

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.local_model

SCHEMA: dict[str, object] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["kind", "option", "cites"],
    "properties": {
        "kind": {"enum": ["propose", "accept", "reserve", "reject"]},
        "option": {"enum": ["verification-annual", "verification-none"]},
        "cites": {"type": "array", "items": {"enum": ["us-ss-1", "us-ss-2"]}, "maxItems": 2},
    },
}

LONG: dict[str, object] = {
    "type": "array",
    "items": {"type": "string", "minLength": 100},
    "minItems": 200,
}


@pytest.fixture(scope="module")
def llama() -> Llama:
    return load(find_weights(), context=1024)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def seat(party: str, *record: str) -> list[dict[str, str]]:
    mandate = " ".join(f"Position {party}-{n}: {party} holds that {n} is fair." for n in range(8))
    return [
        {"role": "system", "content": f"{party} has the floor. {mandate}"},
        {"role": "user", "content": "\n".join(("The record:", *record, f"{party}, answer."))},
    ]


def ask(llama: Llama, messages: list[dict[str, str]], *, seed: int = 1) -> Completion:
    return llama.complete(messages, schema=SCHEMA, temperature=1.0, seed=seed, max_tokens=120)


def test_the_schema_is_kept_to(llama: Llama) -> None:
    for seed in range(4):
        reply = ask(llama, seat("us", "chair: The item is open."), seed=seed)
        assert reply.finish_reason == "stop"
        said = json.loads(reply.text)
        assert set(said) == {"kind", "option", "cites"}
        assert said["kind"] in {"propose", "accept", "reserve", "reject"}
        assert said["option"] in {"verification-annual", "verification-none"}
        assert set(said["cites"]) <= {"us-ss-1", "us-ss-2"}


def test_the_record_of_a_call_is_complete(llama: Llama) -> None:
    reply = ask(llama, seat("us"))
    assert reply.model == "SmolLM2-135M-Instruct.Q4_1"
    assert reply.prompt_tokens > 100
    assert 0 < reply.completion_tokens <= 120
    assert reply.seconds > 0
    sent = reply.parameters
    assert (sent["temperature"], sent["seed"], sent["max_tokens"]) == (1.0, 1, 120)
    assert sent["grammar"] == grammar_of(SCHEMA)
    assert "messages" not in sent
    json.dumps(sent)


def test_a_seat_finds_its_beginning_again_after_others_spoke(llama: Llama) -> None:
    first = ask(llama, seat("nl", "chair: The item is open."))
    for other in ("no", "dk", "se"):
        ask(llama, seat(other, "chair: The item is open."))
    again = ask(llama, seat("nl", "chair: The item is open.", "no: We agree to all of it."))
    assert again.prompt_tokens > first.prompt_tokens
    assert again.cached_tokens > 0.9 * first.prompt_tokens


def test_the_same_calls_in_a_fresh_model_give_the_same_replies() -> None:
    def debate() -> list[str]:
        fresh = Llama(find_weights(), context=1024)
        return [ask(fresh, seat(party)[1:]).text for party in ("us", "ru", "us")]

    assert debate() == debate()


def test_a_cut_reply_says_so(llama: Llama) -> None:
    reply = llama.complete(seat("us"), schema=None, temperature=0, seed=1, max_tokens=3)
    assert (reply.finish_reason, reply.completion_tokens) == ("length", 3)


def test_a_prompt_that_does_not_fit_is_an_error(llama: Llama) -> None:
    with pytest.raises(ContextExceeded) as raised:
        ask(llama, seat("us", *(["ru: We cannot accept that."] * 300)))
    assert raised.value.kind == "overflow"
    assert raised.value.prompt_tokens > raised.value.context == 1024
    assert ask(llama, seat("us")).text  # and the model goes on


def test_a_slot_that_is_not_there(llama: Llama) -> None:
    with pytest.raises(ValueError, match="slot 1 is not one of this model's 1"):
        llama.complete(seat("us"), schema=None, temperature=0, seed=1, max_tokens=1, slot=1)


@pytest.mark.anyio
async def test_cancelling_stops_the_model_and_frees_it() -> None:
    llama = Llama(find_weights())
    long = asyncio.create_task(
        llama.acomplete(
            [{"role": "user", "content": "Tell a very long story."}],
            schema=LONG,
            temperature=1.0,
            seed=1,
            max_tokens=7000,
        )
    )
    waiting = asyncio.create_task(
        llama.acomplete(seat("us"), schema=None, temperature=0, seed=1, max_tokens=1)
    )
    await asyncio.sleep(0.3)
    assert not long.done()
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    async with asyncio.timeout(60):  # the whole story would take minutes
        assert (await waiting).completion_tokens == 1


SCRIPT = f"""
from pathlib import Path
import sys
from harness.models.local import load
llama = load(Path(sys.argv[1]))
print("ready", flush=True)
llama.complete(
    [{{"role": "user", "content": "Tell a very long story."}}],
    schema={LONG!r}, temperature=1.0, seed=1, max_tokens=int(sys.argv[2]),
)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console")
def test_ctrl_c_ends_the_process_at_once() -> None:
    command = [sys.executable, "-c", SCRIPT, str(find_weights()), "7000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGINT
    assert errors.endswith(b"KeyboardInterrupt\n")


def test_the_process_ends_cleanly_and_in_silence() -> None:
    command = [sys.executable, "-c", SCRIPT, str(find_weights()), "5"]
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"ready\n", b"")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: None, "cannot be read (No such file or directory)"),
        (lambda file: file.write_bytes(b"hello"), "is not a GGUF file"),
        (lambda file: file.write_bytes(b"GGUF" + bytes(500)), "llama.cpp cannot load"),
    ],
    ids=["missing", "other", "cut"],
)
def test_a_file_that_is_no_model(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    file = tmp_path / "model.gguf"
    make(file)
    with pytest.raises(ModelUnavailable) as raised:
        Llama(file)
    assert said in str(raised.value)
