"""Hands questions in as batches of the OpenAI Batch API: cheaper, and answered within a day.

What is sent is what a live call would send. The ledger keeps the provider's id of each batch, so
that the same command, run later, fetches the answers instead of asking again. Judging has two
steps, claims and then labels, so it takes two batches: three runs of the command in all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from evals.judging.judges import Judge
from evals.judging.ledger import BatchSent, Ledger, key_of
from evals.judging.live import Asked
from harness.errors import HarnessError, UserError
from harness.parts import CallFailure
from harness.prompt import Reply

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch as OpenAIBatch

    from harness.models.chat import ChatSeat

ENDPOINT: Final = "/v1/chat/completions"
MOST = 50_000
"""Requests in one batch; OpenAI's own limit."""

_OVER = ("completed", "expired", "cancelled", "failed")


class BatchPending(HarnessError):
    """Batches are under way; the same command fetches them later."""

    def __init__(self, judge: str, batches: Mapping[str, str]) -> None:
        """Keep the ids with how far each is."""
        self.batches = dict(batches)
        listed = ", ".join(f"{name} ({how_far})" for name, how_far in batches.items())
        super().__init__(
            f"{judge}: {listed}. The provider answers within a day; run the same command again to "
            "fetch what is there."
        )


class Batch:
    """Asks in batches. Only for judges reached through the openai client."""

    async def ask(self, judge: Judge, asked: Sequence[Asked], ledger: Ledger) -> None:
        """Fetch what batches have answered, hand in what none holds, and stop until all is there.

        Raises:
            BatchPending: answers are still to come.
            UserError: the judge has no Batch API.
            BudgetExhausted: a ceiling was reached; nothing was handed in beyond it.
        """
        seat = _seat(judge)
        by_key = {key_of(question.prompt): question for question in asked}
        under_way: dict[str, str] = {}
        held: set[str] = set()
        for batch in ledger.batches:
            # The other step's batches are fetched when their questions are asked.
            if batch.judge != judge.name or batch.over or not by_key.keys() & {*batch.keys}:
                continue
            found = await seat.client.batches.retrieve(batch.batch)
            if found.status in _OVER:
                await _fetched(found, by_key, judge, seat.client, ledger)
                ledger.note_batch(batch.model_copy(update={"over": found.status}))
                _check(found)
            else:
                under_way[batch.batch] = _how_far(found)
                held |= set(batch.keys)
        fresh = [key for key, q in by_key.items() if key not in held and _fresh(q, judge, ledger)]
        for start in range(0, len(fresh), MOST):
            keys = fresh[start : start + MOST]
            sent = await _handed_in({key: by_key[key] for key in keys}, judge, seat)
            ledger.note_batch(BatchSent(judge=judge.name, batch=sent.id, keys=tuple(keys)))
            under_way[sent.id] = _how_far(sent)
        if under_way:
            raise BatchPending(judge.name, under_way)


def _seat(judge: Judge) -> ChatSeat:
    from harness.models.chat import ChatSeat

    if not isinstance(judge.opened, ChatSeat):
        raise UserError(f"--batch is for hosted judges; ask {judge.name} without it.")
    return judge.opened


def _fresh(question: Asked, judge: Judge, ledger: Ledger) -> bool:
    """Whether a question has to be handed in: it has no answer, and no batch has refused it one."""
    if ledger.answer(judge.name, question.prompt) is not None:
        return False
    reply = ledger.reply(judge.name, question.prompt)
    return reply is None or "batch" not in reply.parameters


def _check(batch: OpenAIBatch) -> None:
    if batch.status == "failed":
        errors = (batch.errors.data if batch.errors else None) or []
        said = "; ".join(str(error.message) for error in errors[:3]) or "no reason given"
        raise UserError(
            f"The provider rejected batch {batch.id}: {said}. Mend that and run the same command "
            "again, or ask without --batch."
        )


async def _handed_in(chunk: Mapping[str, Asked], judge: Judge, seat: ChatSeat) -> OpenAIBatch:
    lines = []
    for key, question in chunk.items():
        judge.budget.admit()
        body = seat.body(question.prompt)
        line = {"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body}
        lines.append(json.dumps(line, ensure_ascii=False))
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    file = await seat.client.files.create(file=("judge.jsonl", data), purpose="batch")
    return await seat.client.batches.create(
        input_file_id=file.id, endpoint=ENDPOINT, completion_window="24h"
    )


async def _fetched(
    batch: OpenAIBatch,
    by_key: Mapping[str, Asked],
    judge: Judge,
    client: AsyncOpenAI,
    ledger: Ledger,
) -> None:
    """Put every answer of a batch that is over on the ledger; what it lacks stays open."""
    for name in (batch.output_file_id, batch.error_file_id):
        if name is None:
            continue
        for key, reply in _replies((await client.files.content(name)).text):
            question = by_key.get(key)
            if question is None or not _fresh(question, judge, ledger):
                continue
            cost = judge.price.of(reply.usage) if judge.price else None
            judge.budget.add(reply.usage, cost)
            answer = replace(reply, cost=cost, constrained=True, parameters={"batch": batch.id})
            ledger.note(judge.name, question.id, question.prompt, answer)


def _replies(text: str) -> Iterator[tuple[str, Reply]]:
    """The answers in an output or error file, by question; their order is not promised."""
    for line in text.splitlines():
        data: dict[str, Any] = json.loads(line)
        yield data["custom_id"], _reply(data)


def _reply(data: Mapping[str, Any]) -> Reply:
    from openai.types.chat import ChatCompletion

    from harness.models.chat import read_completion

    response: dict[str, Any] = data.get("response") or {}
    if response.get("status_code") == 200:
        return read_completion(ChatCompletion.model_validate(response["body"]))
    error = data.get("error") or response.get("body", {}).get("error") or {}
    why = str(error.get("message") or f"answered {response.get('status_code')}")
    return Reply(text=None, failure=CallFailure(kind="provider_error", why=why[:300]))


def _how_far(batch: OpenAIBatch) -> str:
    counts = batch.request_counts
    done = f", {counts.completed + counts.failed} of {counts.total}" if counts else ""
    return f"{batch.status}{done}"
