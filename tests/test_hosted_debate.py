"""Whole debates over real HTTP, with a server that answers by the schema it is sent."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness import cli
from harness import events as e
from harness.transcript import Transcript, read
from tests.models.server import Answer, ChatServer, Json, rejected, spoken
from tests.rooms import instance


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ChatServer]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-to-be-written-down")
    chat = ChatServer()
    chat.ordinary = by_schema
    with chat.running():
        yield chat


def by_schema(body: Json) -> Answer:
    """What a model that keeps to its schema says; the same for the same request."""
    schema = body["response_format"]["json_schema"]["schema"]
    rng = random.Random(json.dumps(body["messages"]))
    return spoken(json.dumps(instance(schema, rng)), cached=80)


def held(server: ChatServer, *more: str) -> Transcript:
    done = CliRunner().invoke(
        cli.app,
        ["run", "--items", "libya,syria", "--model", "openai:any", "--base-url", server.url,
         "--out", "debate.jsonl", "--quiet", *more],
    )  # fmt: skip
    assert done.exit_code in (0, 3), done.output
    return read("debate.jsonl")


def test_a_hosted_debate_ends_with_decisions_and_every_call_on_the_record(
    server: ChatServer,
) -> None:
    record = held(server, "--chair", "openai:any")

    assert record.finished
    assert all(issue.settled for issue in record.state.issues.values())
    assert len(record.calls) == len(server.bodies)
    seats = {call.seat for call in record.calls}
    assert seats == {"us", "ru", "chair"}


def test_the_record_holds_what_went_over_the_wire(server: ChatServer) -> None:
    record = held(server)

    for call, body in zip(record.calls, server.bodies, strict=True):
        sent = [
            {"role": message.role, "content": "".join(record.texts[part] for part in message.parts)}
            for message in call.sent
        ]
        assert sent == body["messages"]
        assert call.answer_schema is not None
        schema = json.loads(record.texts[call.answer_schema])
        assert schema == body["response_format"]["json_schema"]["schema"]
        assert call.parameters["seed"] == body["seed"]
        assert (call.usage.input, call.usage.output, call.usage.cached) == (100, 20, 80)


def test_nothing_earlier_in_a_prompt_is_rewritten_while_the_debate_runs(server: ChatServer) -> None:
    held(server)

    by_seat: dict[str, list[str]] = {}
    for body in server.bodies:
        system, user = (message["content"] for message in body["messages"])
        by_seat.setdefault(system, []).append(user.rpartition("</record>")[0])
    assert len(by_seat) == 2
    for prompts in by_seat.values():
        for before, after in itertools.pairwise(prompts):
            assert after.startswith(before)


def test_a_key_is_never_written_down(server: ChatServer, tmp_path: Path) -> None:
    server.answers = [rejected(500, "sk-not-to-be-written-down is overloaded")] * 3
    held(server)

    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"sk-not-to-be-written-down" not in path.read_bytes()


def test_a_server_that_fails_now_and_then_costs_turns_and_never_the_debate(
    server: ChatServer,
) -> None:
    refusal = spoken(None, refusal="I cannot take part.")
    server.answers = [refusal, spoken("not JSON"), spoken("{}"), spoken('{"mo', finish="length")]
    record = held(server)

    failures = [event for event in record.events if isinstance(event, e.TurnFailed)]
    assert record.finished
    assert failures[0].failure == "refused"
    assert {failure.failure for failure in failures[1:]} <= {"unreadable", "truncated"}


def test_a_stopped_debate_goes_on_without_asking_anything_twice(server: ChatServer) -> None:
    stopped = held(server, "--max-calls", "3")
    assert isinstance(stopped.events[-1], e.BudgetStop)
    assert len(server.bodies) == 3

    done = CliRunner().invoke(cli.app, ["run", "--resume", "debate.jsonl", "--quiet"])
    assert done.exit_code == 0, done.output

    asked = [json.dumps(body["messages"]) + str(body["seed"]) for body in server.bodies]
    assert len(set(asked)) == len(asked)
    assert read("debate.jsonl").finished


def test_what_the_model_beside_a_script_used_counts_again_after_a_resume(
    server: ChatServer, tmp_path: Path
) -> None:
    (tmp_path / "lines.yaml").write_text("- {item: libya, round: 0, say: We are here to listen.}\n")
    scripted = ("--model", "us=script:lines.yaml+openai:any", "--model", "ru=reference")
    stopped = held(server, *scripted, "--max-calls", "2")
    assert isinstance(stopped.events[-1], e.BudgetStop)
    assert len(server.bodies) == 2

    again = ["run", "--resume", "debate.jsonl", "--quiet", "--max-calls", "2"]
    assert CliRunner().invoke(cli.app, again).exit_code == 3
    assert len(server.bodies) == 2
