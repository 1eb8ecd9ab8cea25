"""A whole transcript judged through a real server: what is asked, kept, and not paid twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.judging.judges import Judge, family, open_judge
from evals.judging.ledger import Ledger, ledger_path
from evals.judging.live import Live
from evals.judging.pipeline import Plan, cost, judge_transcript
from evals.judging.rubrics import Rubric, rubric
from evals.judging.shapes import Judgements
from harness.errors import BudgetExhausted, TranscriptError, UserError
from harness.models.budget import Budget
from harness.transcript import Transcript, read
from tests.evals.judging.judges import ByRule, judge, labelling, said_as
from tests.models.server import Answer, ChatServer, spoken

pytestmark = pytest.mark.anyio
EXAMPLES = Path(__file__).parents[3] / "transcripts/examples"
CONSISTENCY = Plan((rubric("consistency"),))


@pytest.fixture(scope="module")
def transcript() -> Transcript:
    return read(EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl")


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        running.ordinary = by_the_sheet
        yield running


def by_the_sheet(body: dict[str, Any]) -> Answer:
    """One claim a sentence, each `partial`: what an honest server can say of any sheet."""
    schema = body["response_format"]["json_schema"]["schema"]
    user = body["messages"][-1]["content"]
    lines = dict(
        line.split(": ", 1) for line in user.splitlines() if line[:1] in "SU" and ": " in line
    )
    if "S1" in schema["properties"]:
        data = {
            handle: [{"claim": said_as(lines[handle]), "type": "position"}]
            for handle in schema["properties"]
        }
        return spoken(json.dumps(data))
    verdict = {"reason": "in part", "label": "partial"}
    return spoken(json.dumps(dict.fromkeys(schema["properties"], verdict)))


async def judged(
    transcript: Transcript, *judges: Judge, ledger: Ledger | None = None, plan: Plan = CONSISTENCY
) -> Judgements:
    try:
        return await judge_transcript(transcript, judges, plan, asking=Live(), ledger=ledger)
    finally:
        for each in judges:
            await each.close()


async def test_every_claim_gets_one_verdict_of_every_judge(
    transcript: Transcript, server: ChatServer
) -> None:
    judges = [open_judge(f"openai:{name}", base_url=server.url) for name in ("one", "two")]
    found = await judged(transcript, *judges)
    wanted = [claim.id for claim in found.claims if claim.checkworthy]
    assert len(wanted) > 20
    for name in ("openai:one", "openai:two"):
        assert sorted(v.unit for v in found.of("consistency", name)) == sorted(wanted)
        assert {v.label for v in found.of("consistency", name)} == {"partial"}
        assert found.answered[name] == ("small-2026-01-01",)


async def test_the_second_time_nothing_is_asked(
    transcript: Transcript, server: ChatServer, tmp_path: Path
) -> None:
    path = ledger_path(tmp_path / "debate.jsonl")
    first = await judged(
        transcript, open_judge("openai:one", base_url=server.url), ledger=Ledger(path)
    )
    asked = len(server.bodies)
    again = await judged(
        transcript, open_judge("openai:one", base_url=server.url), ledger=Ledger(path)
    )
    assert len(server.bodies) == asked
    assert again == first


async def test_a_ceiling_keeps_what_was_answered_and_goes_on_from_there(
    transcript: Transcript, server: ChatServer, tmp_path: Path
) -> None:
    path = ledger_path(tmp_path / "debate.jsonl")
    budget = Budget(max_calls=4)
    limited = open_judge("openai:one", base_url=server.url, budget=budget)
    with pytest.raises(BudgetExhausted):
        await judged(transcript, limited, ledger=Ledger(path))
    assert len(Ledger(path).calls) == 4
    await judged(transcript, open_judge("openai:one", base_url=server.url), ledger=Ledger(path))
    whole = await judged(transcript, open_judge("openai:one", base_url=server.url), ledger=Ledger())
    assert len(Ledger(path).calls) == len({json.dumps(body["messages"]) for body in server.bodies})
    assert whole.claims


async def test_a_torn_last_line_is_asked_again_and_nothing_else(
    transcript: Transcript, server: ChatServer, tmp_path: Path
) -> None:
    path = ledger_path(tmp_path / "debate.jsonl")
    first = await judged(
        transcript, open_judge("openai:one", base_url=server.url), ledger=Ledger(path)
    )
    asked = len(server.bodies)
    path.write_bytes(path.read_bytes()[:-40])
    again = await judged(
        transcript, open_judge("openai:one", base_url=server.url), ledger=Ledger(path)
    )
    assert len(server.bodies) == asked + 1
    assert again == first


def test_a_ledger_of_something_else_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "debate.judge-calls.jsonl"
    path.write_text('{"kind": "judge_calls", "transcript": "x"}\n{"kind": "poem"}\n')
    with pytest.raises(TranscriptError, match=r"judge-calls.jsonl:2: not a judge's call"):
        Ledger(path)


async def test_a_refusing_judge_leaves_everything_unscored(
    transcript: Transcript, server: ChatServer
) -> None:
    server.ordinary = lambda body: spoken(None, refusal="I do not judge states.")
    found = await judged(transcript, open_judge("openai:one", base_url=server.url))
    assert not [claim for claim in found.claims if claim.checkworthy]
    assert found.verdicts
    assert all(v.label is None and "refused" in (v.unscored or "") for v in found.verdicts)


async def test_calls_grow_with_the_transcript_and_not_with_sentences_times_positions() -> None:
    transcript = read(EXAMPLES / "reference-eight-of-twelve.jsonl")

    def one_claim(schema: dict[str, Any], user: str) -> dict[str, Any]:
        lines = dict(line.split(": ", 1) for line in user.splitlines() if line[:1] == "S")
        return {h: [{"claim": said_as(lines[h]), "type": "fact"}] for h in schema["properties"]}

    label = labelling(lambda line, positions: {"reason": "", "label": "unsupported"})
    model = ByRule(lambda s, u: one_claim(s, u) if "S1" in s["properties"] else label(s, u))
    ledger = Ledger()
    await judged(transcript, judge(model), ledger=ledger)
    spent = cost(transcript, ledger, "openai:rule")
    assert spent.calls == len(model.prompts)
    assert spent.share is not None
    assert 3 * spent.calls <= spent.sentence_by_position


async def test_a_retest_asks_in_another_order(transcript: Transcript) -> None:
    model = ByRule(labelling(lambda line, positions: {"reason": "", "label": "even"}))
    tone = Rubric(
        name="tone", title="Tone", version=1, reads="statements", text="How it sounds.",
        scale={"sharp": "sharp", "even": "even"}, shows="positions",
    )  # fmt: skip
    found = await judged(transcript, judge(model), plan=Plan((tone,), runs=3))
    assert len({prompt.sha for prompt in model.prompts}) > len(model.prompts) / 2
    runs = [[v.unit for v in found.of("tone", run=run)] for run in range(3)]
    assert runs[0] == runs[1] == runs[2] != []


@pytest.mark.parametrize("name", ["reference", "human", "script:x.yaml"])
def test_only_a_language_model_can_judge(name: str) -> None:
    with pytest.raises(UserError, match="no language model"):
        open_judge(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai:gpt-5.4-mini", "gpt"),
        ("openrouter:qwen/qwen3-32b", "qwen"),
        ("local:models/Qwen2.5-Coder.gguf", "qwen"),
        ("local", "smollm"),
        ("anthropic:claude-x", "claude"),
        ("reference", "reference"),
    ],
)
def test_families(name: str, expected: str) -> None:
    assert family(name) == expected


@pytest.mark.local_model
def test_the_name_of_a_judge_says_nothing_of_where_its_file_lies(tmp_path: Path) -> None:
    from harness.models.weights import find_weights

    file = tmp_path / "small.gguf"
    file.symlink_to(find_weights())
    assert open_judge(f"local:{file}").name == "local:small.gguf"
