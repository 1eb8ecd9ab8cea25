"""A GGUF model in this process, through llama.cpp: no server to start, no key, no network.

What makes a turn cheap is llama.cpp's prompt cache. When a prompt starts like an earlier one, only
its rest is read. llama.cpp keeps the state of earlier prompts in memory (`_CACHE_MIB`), so every
seat of a debate finds its own beginning again although all seats share one slot.

The same calls in the same order in a fresh process give the same replies. A reply may differ from
that of a call whose prompt was not cached, because the prompt is then read in other blocks, which
rounds differently.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import secrets
import threading
import weakref
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import ModelFailure, ModelUnavailable, UserError
from harness.models.grammar import grammar_of

# State of earlier prompts kept in memory: some 23 kB a token for the embedded model and 28 kB for
# one of 1.5 billion parameters, so about 40,000 tokens. llama.cpp's own default is 8 GiB.
_CACHE_MIB = 1024

# Tokens of the prompt read at a time. Between blocks a call can be stopped (every 0.6 s with the
# embedded model and one thread); blocks of 512 would be 5% faster.
_BLOCK = 128

# More threads than this do not make models of this size faster. One core is left free besides: the
# threads wait for one another thousands of times a second by spinning, so if another program takes
# one thread's core, all of them stand still. On two cores, both used for one call: 2.3 s alone,
# 25 to 150 s beside one busy program. With one thread: 3.4 s, and 3.5 s.
_MOST_THREADS = 8

# llama.cpp's own values, sent all the same: the record then says them, and a new release of
# llama.cpp cannot change them unseen.
_SAMPLING = {"top_k": 40, "top_p": 0.95, "min_p": 0.05}


class ContextExceeded(ModelFailure):
    """The prompt has more tokens than the model can take in. Nothing of it was cut off."""

    def __init__(self, prompt_tokens: int, context: int) -> None:
        """Keep both counts and say them."""
        self.prompt_tokens = prompt_tokens
        self.context = context
        super().__init__(
            "overflow",
            f"the prompt has {prompt_tokens} tokens and the model's context holds {context}",
        )


class Completion(NamedTuple):
    """What one call gave, and what it cost."""

    text: str
    model: str
    """The file's name without its ending."""
    prompt_tokens: int
    cached_tokens: int
    """How many of the prompt's tokens were not read again."""
    completion_tokens: int
    finish_reason: str
    """`stop`, or `length` if the reply was cut at `max_tokens` or at the end of the context."""
    seconds: float
    """Spent reading the prompt and writing the reply, as llama.cpp says; not waiting for others."""
    parameters: dict[str, object]
    """The request as it was sent, without its messages."""


class Llama:
    """A GGUF model in this process. Load once per file (`load`); calls wait for one another.

    One call at a time is on purpose. Calls side by side would share llama.cpp's blocks, and what a
    delegation says would then depend on who else was being asked.

    Args:
        weights: The GGUF file.
        context: How many tokens a prompt and its reply may have together. A model trained on fewer
            takes fewer.
        slots: How many prompts are kept ready for use. One is enough: earlier prompts come back
            from the cache in a few milliseconds. More cost `context` tokens of memory each.
        threads: Threads to compute with; by default what TRACKTWO_THREADS says, or else the cores
            that are idle now, at least 1 and at most 8.

    Raises:
        ModelUnavailable: if the file cannot be loaded.
        UserError: if TRACKTWO_THREADS is not a number.
    """

    def __init__(
        self, weights: Path, *, context: int = 8192, slots: int = 1, threads: int | None = None
    ) -> None:
        self._name = weights.stem
        self._slots = slots
        # In a list, so that the finalizer holds the server without holding the Llama. Ending the
        # server's own threads before the interpreter goes is what makes a clean exit.
        servers = [_start(weights, context, slots, threads or _threads())]
        self._servers = servers
        weakref.finalize(self, servers.clear)
        # The one worker is the lock: first come, first served.
        self._worker = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="llama")

    def complete(
        self,
        messages: list[dict[str, str]],
        *,
        schema: dict[str, object] | None,
        temperature: float,
        seed: int,
        max_tokens: int,
        slot: int = -1,
        longest: int | None = None,
    ) -> Completion:
        """Answer `messages`; Ctrl-C stops it between two tokens.

        Args:
            messages: Each with a `role` and a `content`.
            schema: JSON Schema which the reply follows, if it is not cut short. llama.cpp obeys
                types, enums, `required`, lengths and `$defs`; it ignores `uniqueItems`.
            temperature: 0 for always the likeliest token.
            seed: The same seed, calls and order give the same replies.
            max_tokens: Where the reply is cut.
            slot: The slot to use; -1 lets llama.cpp choose the one whose prompt is nearest.
            longest: Characters that a free text in the reply may have; None for no limit.

        Raises:
            ContextExceeded: if the prompt does not fit.
            ModelFailure: if llama.cpp gives no reply.
        """
        request = self._request(schema, temperature, seed, max_tokens, slot, longest)
        stop = threading.Event()
        work = self._worker.submit(self._answer, messages, request, stop)
        try:
            # In short waits, because a wait without an end cannot be interrupted on Windows.
            while not work.done():
                concurrent.futures.wait([work], timeout=0.2)
            return work.result()
        finally:
            stop.set()
            work.cancel()

    async def acomplete(
        self,
        messages: list[dict[str, str]],
        *,
        schema: dict[str, object] | None,
        temperature: float,
        seed: int,
        max_tokens: int,
        slot: int = -1,
        longest: int | None = None,
    ) -> Completion:
        """Answer `messages` as `complete` does; cancelling the task stops it between two tokens."""
        request = self._request(schema, temperature, seed, max_tokens, slot, longest)
        stop = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._worker, self._answer, messages, request, stop)
        finally:
            stop.set()

    def _request(
        self,
        schema: dict[str, object] | None,
        temperature: float,
        seed: int,
        max_tokens: int,
        slot: int,
        longest: int | None,
    ) -> dict[str, object]:
        if not -1 <= slot < self._slots:
            raise ValueError(f"slot {slot} is not one of this model's {self._slots}")
        request: dict[str, object] = {
            "temperature": temperature,
            **_SAMPLING,
            "seed": seed,
            "max_tokens": max_tokens,
            "cache_prompt": True,
            "id_slot": slot,
            # As a stream, and with news while the prompt is read: only a stream can be stopped.
            "stream": True,
            "stream_options": {"include_usage": True},
            "return_progress": True,
        }
        if schema is not None:
            request |= _constraint(schema, longest)
        return request

    def _answer(
        self, messages: list[dict[str, str]], request: dict[str, object], stop: threading.Event
    ) -> Completion:
        """Make the call, in the worker."""
        chunks: list[dict[str, Any]] = []

        def heard(chunk: dict[str, Any]) -> bool:
            chunks.append(chunk)
            return stop.is_set()

        self._servers[0].handle_chat_completions({"messages": messages, **request}, heard)
        if stop.is_set():
            raise concurrent.futures.CancelledError
        return _completion(chunks, self._name, request)


def _constraint(schema: dict[str, object], longest: int | None) -> dict[str, object]:
    """What makes the reply follow the schema: our compact grammar, else llama.cpp's translation."""
    try:
        return {"grammar": grammar_of(schema, longest)}
    except (KeyError, ValueError):
        return {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}


_loaded: dict[tuple[Path, int], Llama] = {}
_loading = threading.Lock()


def load(weights: Path, *, context: int = 8192) -> Llama:
    """Return the one `Llama` of this process for this file and context, loading it if need be."""
    key = (weights.resolve(), context)
    with _loading:
        if key not in _loaded:
            _loaded[key] = Llama(weights, context=context)
        return _loaded[key]


# Any: xllamacpp ships no types.
def _start(weights: Path, context: int, slots: int, threads: int) -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise ModelUnavailable(
            f"llama.cpp cannot run here ({error}): install what is missing (on a slim Linux image "
            "often the package libgomp1), or choose another model."
        ) from error
    try:
        with weights.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelUnavailable(
            f"The model file {weights} cannot be read ({error.strerror}): give the path of a GGUF "
            "file."
        ) from error
    if magic != b"GGUF":
        raise ModelUnavailable(f"{weights} is not a GGUF file: give the path of one.")

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx = context * slots  # llama.cpp divides it among the slots
    params.n_parallel = slots
    params.n_batch = params.n_ubatch = _BLOCK
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = _CACHE_MIB
    params.ctx_shift = False  # never drop the start of a prompt to make room
    params.verbosity = 0  # no log on stderr; errors come back in the reply
    # xllamacpp always opens a port on the loopback address. We do not use it, so nobody else shall:
    # it answers only to a key that nobody is told.
    params.api_keys = [secrets.token_urlsafe(32)]
    params.ui = params.endpoint_slots = params.endpoint_props = False
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ModelUnavailable(
            f"llama.cpp cannot load {weights}: the file may be cut short, of a kind this release "
            "does not know, or too large for this machine's memory; fetch it again or choose "
            "another model."
        ) from error


def _threads() -> int:
    if asked := os.environ.get("TRACKTWO_THREADS"):
        if not asked.isdecimal() or int(asked) < 1:
            raise UserError(f"TRACKTWO_THREADS is {asked!r}: set it to a number from 1 up, or not.")
        return int(asked)
    # Not on every platform, but where it is it knows what a container may use.
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    # Threads wait for one another by spinning: one more than there are idle cores makes a call ten
    # times slower, not faster.
    busy = int(os.getloadavg()[0]) if hasattr(os, "getloadavg") else 1
    return min(_MOST_THREADS, max(1, cores - busy))


def _completion(chunks: list[dict[str, Any]], model: str, request: dict[str, object]) -> Completion:
    """Put the chunks of a stream together."""
    text: list[str] = []
    finish_reason = ""
    usage: dict[str, Any] = {}
    timings: dict[str, Any] = {}
    for chunk in chunks:
        if error := chunk.get("error"):
            if error.get("type") == "exceed_context_size_error":
                raise ContextExceeded(error["n_prompt_tokens"], error["n_ctx"])
            raise ModelFailure("provider_error", str(error.get("message", error)))
        for choice in chunk["choices"]:
            text.append(choice["delta"].get("content") or "")
            finish_reason = choice["finish_reason"] or finish_reason
        usage = chunk.get("usage", usage)
        timings = chunk.get("timings", timings)
    if not (finish_reason and usage and timings):
        raise ModelFailure("provider_error", "llama.cpp ended the reply without saying why")
    return Completion(
        text="".join(text),
        model=model,
        prompt_tokens=usage["prompt_tokens"],
        cached_tokens=usage["prompt_tokens_details"]["cached_tokens"],
        completion_tokens=usage["completion_tokens"],
        finish_reason=finish_reason,
        seconds=(timings["prompt_ms"] + timings["predicted_ms"]) / 1000,
        parameters=request,
    )
