"""A small model in this process, in a seat: `local` and `local:FILE.gguf`.

Needs no key and no network once its weights are here. All seats with the same file share one loaded
model, whose replies always keep to the schema unless they are cut short.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.errors import ModelFailure
from harness.events import CallFailure, Usage
from harness.models.clock import Clock, SystemClock
from harness.models.local import Completion, load
from harness.models.weights import find_weights
from harness.models.wire import without_schema
from harness.prompt import Json, Prompt, Reply
from harness.turn import Request

# Generous: ids are long, and the grammar lets the model put every value on a line of its own.
_TOKENS_OF_A_MOVE = 80
_TOKENS_OF_CITATIONS = 160
_TOKENS_OF_SPEECH = 500
_MOST_TOKENS = 1000


class LocalSeat:
    """A GGUF model in this process."""

    reads_prompts = True
    metered = True

    def __init__(
        self,
        file: str = "",
        *,
        temperature: float = 0.7,
        max_tokens: int | None = None,
        context: int = 8192,
        clock: Clock | None = None,
    ) -> None:
        """Load the model, unless another seat has.

        Args:
            file: a GGUF file; empty for the embedded model, which is fetched if it is not here yet.
            temperature: 0 for always the likeliest token.
            max_tokens: the most a reply may have; None for what the longest sensible answer needs.
            context: tokens that a prompt and its reply may have together.
            clock: what tells the time.

        Raises:
            ModelUnavailable: the file cannot be had or loaded.
        """
        self._llama = load(Path(file) if file else find_weights(), context=context)
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._clock = clock or SystemClock()

    async def answer(self, request: Request) -> Reply:
        """Answer one turn; whatever goes wrong is in the reply."""
        return await self.ask(replace(request.prompt, room=room_for(request)))

    async def ask(self, prompt: Prompt) -> Reply:
        """Ask the model once; whatever goes wrong is in the reply."""
        started, begun = self._clock.now(), self._clock.monotonic()
        try:
            completion = await self._llama.acomplete(
                [{"role": message.role, "content": message.text} for message in prompt.messages],
                schema=prompt.schema,
                temperature=self._temperature,
                seed=prompt.seed,
                max_tokens=self._max_tokens or prompt.room or _MOST_TOKENS,
                longest=prompt.longest,
            )
            reply = _read(completion)
        except ModelFailure as error:
            reply = Reply(text=None, failure=CallFailure(kind=error.kind, why=error.why))
        latency = round(self._clock.monotonic() - begun, 6)
        return replace(reply, constrained=True, started=started, latency=latency)


def room_for(request: Request) -> int:
    """Tokens that the longest sensible answer to the request needs."""
    wanted = request.schema["properties"]
    votes = len(wanted["votes"]["properties"]) if "votes" in wanted else 0
    speech = _TOKENS_OF_SPEECH if request.speech == "free" else 0
    return _TOKENS_OF_CITATIONS + _TOKENS_OF_A_MOVE * (_most_moves(wanted) + votes) + speech


def _most_moves(wanted: Json) -> int:
    moves: Json = wanted.get("moves", {})
    return len(moves.get("properties", ())) or int(moves.get("maxItems", 0))


def _read(completion: Completion) -> Reply:
    """A completion of llama.cpp as a reply."""
    reply = Reply(
        text=completion.text,
        model=completion.model,
        usage=Usage(
            input=completion.prompt_tokens,
            output=completion.completion_tokens,
            cached=completion.cached_tokens,
        ),
        finish=completion.finish_reason,
        parameters=without_schema(completion.parameters),
    )
    if completion.finish_reason != "length":
        return reply
    why = f"cut short at {completion.completion_tokens} tokens"
    return replace(reply, failure=CallFailure(kind="truncated", why=why))
