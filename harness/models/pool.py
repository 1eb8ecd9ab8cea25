"""The language models of one program run: each is opened once and shared by all its debates.

What they share besides: how fast each provider may be asked and whether it is down (limits.py), and
the cassette that replies are recorded on or come from (cassette.py). A pool belongs to one event
loop. Whoever opened it closes it; a debate that ends closes nothing.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import UserError
from harness.models.breaker import Patience
from harness.models.cassette import Asked, Cassette
from harness.models.clock import Clock, SystemClock
from harness.models.door import open_language_model
from harness.models.limits import Gate, Limits
from harness.models.providers import PROVIDERS
from harness.models.registry import ModelSpec
from harness.prompt import Prompt, Reply
from harness.turn import Request

if TYPE_CHECKING:
    from harness.models.chat import ChatSeat
    from harness.models.embedded import LocalSeat
    from harness.models.prices import Price

_REPLY_TOKENS = 500
"""Tokens a reply is expected to have where nobody set a ceiling; put right after the call."""

_CHARACTERS = 4
"""Characters of a prompt that make a token, roughly; put right after the call."""


class Server(NamedTuple):
    """Who answers: what limits hold for."""

    provider: str
    """As before the colon of `provider:model`."""
    base_url: str = ""
    """Its address, where it is not the provider's own."""

    def __str__(self) -> str:
        """What a person calls it."""
        return f"the server at {self.base_url}" if self.base_url else self.provider


class Pool:
    """The language models of one program run."""

    def __init__(
        self,
        *,
        limits: Limits | Mapping[str, Limits] | None = None,
        cassette: Cassette | None = None,
        patience: Patience | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            limits: for each provider or server by itself; in a mapping by address of the server or
                name of the provider, with the usual ones for any that is not named.
            cassette: where replies are recorded or come from; it is not closed with the pool.
            patience: when a provider counts as down, and how long it is waited for.
            clock: what tells the time; its `monotonic` has to keep pace with the event loop's.

        Raises:
            UserError: limits are given for what is neither a provider nor an address.
        """
        self.cassette = cassette
        self._usual = limits if isinstance(limits, Limits) else Limits()
        self._named = _by_server(limits) if isinstance(limits, Mapping) else {}
        self._patience = patience or Patience()
        self._clock = clock or SystemClock()
        self._opened: dict[str, ChatSeat | LocalSeat] = {}
        self._gates: dict[Server, Gate] = {}

    def of(self, debate: str) -> DebateModels:
        """The pool as the debate of this name sees it; the name is that of its file."""
        return DebateModels(self, debate)

    @property
    def trouble(self) -> tuple[str, ...]:
        """What is wrong with providers that are down now, a sentence each; for whoever watches."""
        return tuple(gate.trouble for gate in self._gates.values() if gate.trouble)

    async def aclose(self) -> None:
        """Let go of all connections."""
        opened, self._opened = self._opened, {}
        for seat in opened.values():
            if hasattr(seat, "aclose"):
                await seat.aclose()

    def live(self, spec: ModelSpec, parameters: Mapping[str, Any]) -> ChatSeat | LocalSeat:
        """The model itself, opened the first time it is wanted.

        Raises:
            UserError: no language model, or an option that does not exist.
            ModelUnavailable: the weights, the plugin or the key is missing.
        """
        name = json.dumps([str(spec), dict(parameters)], sort_keys=True)
        if name not in self._opened:
            self._opened[name] = open_language_model(spec, parameters)
        return self._opened[name]

    def gate(self, spec: ModelSpec, parameters: Mapping[str, Any]) -> Gate | None:
        """What calls to the model pass; None for one in this process, which queues by itself."""
        if spec.family != "chat":
            return None
        server = _server(spec, parameters)
        if server not in self._gates:
            usual = self._named.get(server.provider, self._usual)
            limits = self._named.get(server.base_url, usual)
            self._gates[server] = Gate(str(server), limits, self._patience, self._clock)
        return self._gates[server]


class DebateModels:
    """The pool as one debate sees it."""

    def __init__(self, pool: Pool, debate: str) -> None:
        """Bind the pool to the debate's name."""
        self._pool = pool
        self._debate = debate

    def open(
        self, spec: ModelSpec, parameters: Mapping[str, Any], price: Price | None = None
    ) -> PooledModel:
        """The model, for this debate; nothing has to be closed.

        With a cassette to replay from, the model itself is opened when the first reply is missing.

        Args:
            spec: as `registry.parse` read it.
            parameters: temperature, max_tokens, base_url, timeout, ...
            price: of the model, so that a recorded reply says what it cost.

        Raises:
            UserError: no language model, or an option that does not exist.
            ModelUnavailable: the weights, the plugin or the key is missing.
        """
        cassette = self._pool.cassette
        if cassette is None or cassette.mode == "record":
            self._pool.live(spec, parameters)
        return PooledModel(self._pool, self._debate, spec, parameters, price)


class PooledModel:
    """A shared language model in one debate: sits in a seat, or answers prompts."""

    reads_prompts = True
    metered = True

    def __init__(
        self,
        pool: Pool,
        debate: str,
        spec: ModelSpec,
        parameters: Mapping[str, Any],
        price: Price | None,
    ) -> None:
        """Use `DebateModels.open`."""
        self._pool = pool
        self._debate = debate
        self._spec = spec
        self._parameters = dict(parameters)
        self._price = price

    async def answer(self, request: Request) -> Reply:
        """Answer one turn; raises as `ask` does."""
        prompt = request.prompt
        return await self._reply(prompt, request.call, lambda: self._live.answer(request))

    async def ask(self, prompt: Prompt, call: str = "") -> Reply:
        """Ask the model once, or take the recorded reply.

        Args:
            prompt: what is sent.
            call: a name that tells this call from others of the debate that are sent the same.

        Raises:
            ModelUnavailable: only the user can mend what is wrong.
            ProviderDown: the provider gave no answer for as long as patience lasts.
            UserError: the cassette has no such reply and nothing may be asked.
        """
        return await self._reply(prompt, call, lambda: self._live.ask(prompt))

    @property
    def _live(self) -> ChatSeat | LocalSeat:
        return self._pool.live(self._spec, self._parameters)

    async def _reply(self, prompt: Prompt, call: str, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        cassette = self._pool.cassette
        if cassette is None:
            return await self._asked(prompt, ask)
        asked = Asked.of(self._spec, self._parameters, prompt)
        reply = cassette.find(self._debate, call, asked)
        if reply is None:
            reply = await self._asked(prompt, ask)
            cassette.keep(self._debate, call, asked, reply)
        return reply

    async def _asked(self, prompt: Prompt, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        gate = self._pool.gate(self._spec, self._parameters)
        if gate is None:
            reply = await ask()
        else:
            reply = await gate.through(ask, self._tokens(prompt) if gate.counts_tokens else 0)
        return replace(reply, cost=None if self._price is None else self._price.of(reply.usage))

    def _tokens(self, prompt: Prompt) -> float:
        """Tokens that a call is expected to read and write."""
        characters = sum(len(message.text) for message in prompt.messages)
        characters += len(json.dumps(prompt.schema))
        return characters / _CHARACTERS + float(self._parameters.get("max_tokens", _REPLY_TOKENS))


def _by_server(limits: Mapping[str, Limits]) -> dict[str, Limits]:
    for name in limits:
        if name not in PROVIDERS and "://" not in name:
            near = difflib.get_close_matches(name, PROVIDERS, n=1)
            hint = f"did you mean {near[0]}?" if near else "name a provider or a server's address."
            raise UserError(f"Limits are given for {name!r}, which is no provider: {hint}")
    return {name.rstrip("/"): each for name, each in limits.items()}


def _server(spec: ModelSpec, parameters: Mapping[str, Any]) -> Server:
    """Who answers; for `openai` the address may stand in the environment."""
    provider = spec.rest.partition(":")[0]
    address = parameters.get("base_url")
    if not address and provider == "openai":
        address = os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE")
    return Server(provider, str(address or "").rstrip("/"))
