"""Judging through the Batch API: handed in, fetched later, never paid twice, failures said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.judging.batch import Batch, BatchPending
from evals.judging.judges import open_judge
from evals.judging.ledger import Ledger
from evals.judging.live import Live
from evals.judging.pipeline import Plan, judge_transcript
from evals.judging.rubrics import rubric
from evals.judging.shapes import Judgements
from harness.errors import BudgetExhausted, UserError
from harness.models.budget import Budget
from harness.models.prices import PriceList
from harness.transcript import Transcript, read
from tests.evals.judging.batches import BatchServer
from tests.evals.judging.test_pipeline import by_the_sheet
from tests.models.server import ChatServer

pytestmark = pytest.mark.anyio
EXAMPLES = Path(__file__).parents[3] / "transcripts/examples"
PLAN = Plan((rubric("consistency"),))


@pytest.fixture(scope="module")
def transcript() -> Transcript:
    return read(EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl")


def completion(body: dict[str, Any]) -> dict[str, Any]:
    answer = by_the_sheet(body).body
    assert isinstance(answer, dict)
    return answer


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(completion).running() as running:
        yield running


async def run(
    transcript: Transcript, server: BatchServer, ledger: Ledger, **options: Any
) -> Judgements:
    judge = open_judge("openai:judge", base_url=server.url, **options)
    try:
        return await judge_transcript(transcript, (judge,), PLAN, asking=Batch(), ledger=ledger)
    finally:
        await judge.close()


async def test_three_runs_of_one_command_give_what_live_calls_give(
    transcript: Transcript, server: BatchServer, tmp_path: Path
) -> None:
    path = tmp_path / "debate.judge-calls.jsonl"
    with pytest.raises(BatchPending, match="batch_1"):
        await run(transcript, server, Ledger(path))
    with pytest.raises(BatchPending, match="batch_1"):  # nothing yet: nothing is handed in again
        await run(transcript, server, Ledger(path))
    assert list(server.batches) == ["batch_1"]
    server.finish()
    with pytest.raises(BatchPending, match="batch_2"):
        await run(transcript, server, Ledger(path))
    server.finish()
    found = await run(transcript, server, Ledger(path))
    with ChatServer().running() as chat:
        chat.ordinary = by_the_sheet
        judge = open_judge("openai:judge", base_url=chat.url)
        live = await judge_transcript(transcript, (judge,), PLAN, asking=Live())
        await judge.close()
    assert found.verdicts == live.verdicts
    assert found.claims == live.claims
    assert len(found.verdicts) > 20
    assert await run(transcript, server, Ledger(path)) == found
    assert list(server.batches) == ["batch_1", "batch_2"]


async def test_what_is_handed_in_is_what_a_live_call_sends(
    transcript: Transcript, server: BatchServer
) -> None:
    with pytest.raises(BatchPending):
        await run(transcript, server, Ledger())
    handed_in = [line["body"] for line in server.requests("batch_1")]
    with ChatServer().running() as chat:
        chat.ordinary = by_the_sheet
        judge = open_judge("openai:judge", base_url=chat.url, at_once=1)
        await judge_transcript(transcript, (judge,), PLAN, asking=Live())
        await judge.close()
        sent = chat.bodies[: len(handed_in)]
    assert [{k: v for k, v in body.items() if k != "stream"} for body in sent] == handed_in


async def test_what_an_expired_batch_answered_is_kept_and_the_rest_handed_in_again(
    transcript: Transcript, server: BatchServer
) -> None:
    ledger = Ledger()
    with pytest.raises(BatchPending):
        await run(transcript, server, ledger)
    all_of_it = {line["custom_id"] for line in server.requests("batch_1")}
    server.finish("expired", keep=0.5)
    with pytest.raises(BatchPending, match="batch_2"):
        await run(transcript, server, ledger)
    rest = {line["custom_id"] for line in server.requests("batch_2")}
    assert rest < all_of_it
    assert len(rest) == len(all_of_it) - len(ledger.calls)


async def test_a_request_the_provider_refused_is_unscored_and_does_not_come_back(
    transcript: Transcript, server: BatchServer
) -> None:
    ledger = Ledger()
    with pytest.raises(BatchPending):
        await run(transcript, server, ledger)
    server.finish(failing=1)
    with pytest.raises(BatchPending, match="batch_2"):
        await run(transcript, server, ledger)
    server.finish()
    found = await run(transcript, server, ledger)
    lost = [v for v in found.verdicts if v.label is None]
    assert lost
    assert all("not allowed" in (v.unscored or "") for v in lost)
    assert list(server.batches) == ["batch_1", "batch_2"]


async def test_a_rejected_batch_is_one_sentence(
    transcript: Transcript, server: BatchServer
) -> None:
    ledger = Ledger()
    with pytest.raises(BatchPending):
        await run(transcript, server, ledger)
    server.finish("failed")
    with pytest.raises(UserError, match=r"rejected batch batch_1: line 1 is odd"):
        await run(transcript, server, ledger)


async def test_ceilings_and_prices_hold_for_batches(
    transcript: Transcript, server: BatchServer
) -> None:
    with pytest.raises(BudgetExhausted):
        await run(transcript, server, Ledger(), budget=Budget(max_calls=1))
    assert not server.batches
    ledger, budget = Ledger(), Budget()
    prices = PriceList.given(["openai:judge=10/20"], {})
    with pytest.raises(BatchPending):
        await run(transcript, server, ledger, budget=budget, prices=prices)
    server.finish()
    with pytest.raises(BatchPending):
        await run(transcript, server, ledger, budget=budget, prices=prices)
    assert budget.spent.cost > 0


def test_a_model_in_this_process_has_no_batches() -> None:
    from evals.judging.batch import _seat
    from tests.evals.judging.judges import Says, judge

    with pytest.raises(UserError, match="without it"):
        _seat(judge(Says(""), "local"))
