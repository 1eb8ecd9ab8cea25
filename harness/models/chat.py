"""A hosted model in a seat: any `provider:model` of LangChain, any OpenAI-compatible server.

What was sent is taken from the wire rather than from what we meant to send. Sending again after
429, 5xx and lost connections is left to the provider's own client, which honours `retry-after`; the
one thing it does not notice, a 200 whose body cannot be read, is sent again here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.errors import UserError
from harness.events import CallFailure, Usage
from harness.models import failures
from harness.models.clock import Clock, SystemClock
from harness.models.opening import open_model, secrets_of
from harness.models.wire import Wire, observer, watching
from harness.prompt import Json, Prompt, Reply
from harness.turn import Request

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

DAMAGED_RESENDS = 2
"""How often a 200 with an unreadable body is asked for again."""

BETWEEN_RETRIES = 120.0
"""Seconds that a provider may ask us to wait before each retry; the openai client's own bound."""

IN_WORDS = (
    "\n\nAnswer with one JSON object and nothing else: no other text, no code fence. "
    "It must fit this JSON Schema:\n"
)
"""Put before the schema where the provider cannot be made to keep to one."""

_CUT = ("length", "max_tokens", "max_output_tokens", "model_length")
_REFUSED = ("content_filter", "refusal", "safety", "prohibited_content", "blocklist", "recitation")


@dataclass(frozen=True)
class _Manner:
    """How a provider is asked: in full, until it says that it cannot."""

    constrained: bool
    """Made to keep to the schema; else the schema is written into the last message."""
    seeded: bool


class ChatSeat:
    """A hosted model. One may sit in several seats and answer several turns at once.

    It remembers nothing between turns but what its provider cannot do.
    """

    reads_prompts = True
    metered = True

    def __init__(
        self,
        spec: str,
        *,
        base_url: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        timeout: float = 120.0,
        max_retries: int = 2,
        options: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Open the model; nothing is sent yet.

        Args:
            spec: `provider:model`.
            base_url: an OpenAI-compatible server; for `openai`, OPENAI_BASE_URL where left out.
            temperature: None leaves it to the provider.
            max_tokens: the most a reply may have; None leaves it to the provider.
            timeout: seconds without an answer after which a request is given up.
            max_retries: how often the provider's client sends a failed request again.
            options: further options of the LangChain class, by name; credentials are refused.
            clock: what tells the time.

        Raises:
            UserError: an option that does not exist, or a value it does not take.
            ModelUnavailable: the plugin or the key is missing.
        """
        asked = {"temperature": temperature, "max_tokens": max_tokens, **(options or {})}
        given = {name: value for name, value in asked.items() if value is not None}
        self.spec = spec
        self._base_url = base_url
        self._clock = clock or SystemClock()
        self._patience = (timeout + BETWEEN_RETRIES) * (max_retries + 1)
        self._model, self._http = open_model(spec, base_url, timeout, max_retries, given)
        self._secrets = secrets_of(self._model)
        seeded = self._http is not None
        self._manner = _Manner(constrained=_can_be_constrained(self._model), seeded=seeded)

    async def answer(self, request: Request) -> Reply:
        """Answer one turn; raises as `ask` does."""
        return await self.ask(request.prompt)

    async def ask(self, prompt: Prompt) -> Reply:
        """Ask the model once.

        Raises:
            ModelUnavailable: the provider does not know the key or the model; only the user can
                mend that.
        """
        started, begun = self._clock.now(), self._clock.monotonic()
        with watching() as wire:
            reply = await self._reply(prompt, wire)
        return replace(reply, started=started, latency=round(self._clock.monotonic() - begun, 6))

    def body(self, prompt: Prompt) -> Json:
        """The body that `ask` sends, for handing in many at once."""
        schema = {"name": "turn", "strict": True, "schema": prompt.schema}
        messages = [{"role": message.role, "content": message.text} for message in prompt.messages]
        usual: Json = getattr(self._model, "_default_params", {})
        sent = {name: value for name, value in usual.items() if name != "stream"}
        return {
            **sent,
            "messages": messages,
            "response_format": {"type": "json_schema", "json_schema": schema},
            "seed": prompt.seed,
        }

    @property
    def client(self) -> AsyncOpenAI:
        """The provider's own client, with its key and address.

        Raises:
            UserError: the model is not reached through the openai client.
        """
        client: AsyncOpenAI | None = getattr(self._model, "root_async_client", None)
        if client is None:
            raise UserError(f"{self.spec} has no Batch API that can be used here; leave it out.")
        return client

    async def aclose(self) -> None:
        """Give back the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def _reply(self, prompt: Prompt, wire: Wire) -> Reply:
        """The reply, however often it has to be asked for."""
        resent = 0
        while True:
            manner = self._manner
            try:
                async with asyncio.timeout(self._patience):
                    reply = _read(await self._send(prompt, manner))
            # A plugin may raise anything; what is not the provider's doing is raised again below.
            except Exception as error:
                if wire.damage is not None and resent < DAMAGED_RESENDS:
                    resent += 1
                    continue
                if wire.damage is None and self._gives_way(error, manner):
                    wire.requests = 0
                    continue
                reply = self._failed(error, wire)
            return replace(
                reply,
                constrained=manner.constrained,
                parameters=self._parameters(wire, manner),
                retries=max(resent, wire.requests - 1),
            )

    async def _send(self, prompt: Prompt, manner: _Manner) -> BaseMessage:
        seed = {"seed": prompt.seed} if manner.seeded else {}
        messages = _messages(prompt, in_words=not manner.constrained)
        if not manner.constrained:
            return await self._model.bind(**seed).ainvoke(messages)
        strict = {"strict": True} if self._http is not None else {}
        schema = {"title": "turn", **prompt.schema}
        asker = self._model.with_structured_output(
            schema, method="json_schema", include_raw=True, **strict, **seed
        )
        answer: Any = await asker.ainvoke(messages)
        raw: BaseMessage = answer["raw"]
        return raw

    def _gives_way(self, error: Exception, manner: _Manner) -> bool:
        """Whether what was rejected can be done without; it is then left out from now on."""
        if manner.constrained and failures.about_schema(error):
            self._manner = replace(self._manner, constrained=False)
            return True
        if manner.seeded and failures.about_seed(error):
            self._manner = replace(self._manner, seeded=False)
            return True
        return False

    def _failed(self, error: Exception, wire: Wire) -> Reply:
        """What is left of a call that raised.

        Raises:
            ModelUnavailable: the user must mend it.
            Exception: the error itself, where it is a defect of ours.
        """
        completion = getattr(error, "completion", None)
        if completion is not None:
            return read_completion(completion)
        if wire.damage is not None:
            why = failures.on_one_line(wire.damage)
            failure: CallFailure | None = CallFailure(kind="provider_error", why=why)
        else:
            missing = failures.unavailable(error, self.spec, self._base_url)
            if missing is not None:
                raise type(missing)(self._without_secrets(str(missing))) from None
            failure = failures.failure_of(error)
        if failure is None:
            raise error
        told = observer()
        if told is not None:
            told.failed(outage=wire.damage is None and failures.is_outage(error))
        why = self._without_secrets(failure.why)
        return Reply(text=None, failure=CallFailure(kind=failure.kind, why=why))

    def _parameters(self, wire: Wire, manner: _Manner) -> Json:
        """The parameters as sent; those the plugin says it sends where the wire cannot be seen."""
        sent = wire.parameters or getattr(self._model, "_default_params", {})
        # Through JSON: what a plugin keeps for itself does not belong on the record.
        text = json.dumps(sent, default=lambda value: type(value).__name__)
        cleaned: Json = json.loads(self._without_secrets(text))
        return cleaned if manner.constrained else {**cleaned, "schema_in_message": True}

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text


def _can_be_constrained(model: BaseChatModel) -> bool:
    """Whether the plugin knows how to make its provider keep to a schema."""
    nothing = {"title": "turn", "type": "object", "properties": {}}
    try:
        model.with_structured_output(nothing, method="json_schema", include_raw=True)
    except (NotImplementedError, ValueError, TypeError):
        return False
    return True


def _messages(prompt: Prompt, *, in_words: bool) -> list[BaseMessage]:
    """The prompt's messages as LangChain's, with the schema written into the last if need be."""
    from langchain_core.messages import HumanMessage, SystemMessage

    texts = [(message.role, message.text) for message in prompt.messages]
    if in_words and texts:
        role, text = texts.pop()
        texts.append((role, text + IN_WORDS + json.dumps(prompt.schema)))
    kinds: dict[str, type[BaseMessage]] = {"system": SystemMessage, "user": HumanMessage}
    return [kinds[role](text) for role, text in texts]


def _read(message: BaseMessage) -> Reply:
    """A message of LangChain as a reply."""
    facts = message.response_metadata
    finish = facts.get("finish_reason") or facts.get("stop_reason") or facts.get("done_reason")
    refusal = message.additional_kwargs.get("refusal")
    text = str(message.text)
    calls = getattr(message, "tool_calls", None)
    if not text and calls:
        # Some plugins ask for structure by way of a tool.
        text = json.dumps(calls[0]["args"])
    reply = Reply(
        text=text,
        model=facts.get("model_name") or facts.get("model"),
        usage=_usage(getattr(message, "usage_metadata", None) or {}),
        finish="refusal" if refusal else finish,
    )
    return _judged(reply, refusal)


def read_completion(completion: ChatCompletion) -> Reply:
    """A completion of the openai client as a reply, also where it was cut short or withheld."""
    choice, counted = completion.choices[0], completion.usage
    details = counted.prompt_tokens_details if counted else None
    usage = Usage(
        input=counted.prompt_tokens if counted else 0,
        output=counted.completion_tokens if counted else 0,
        cached=(details.cached_tokens or 0) if details else 0,
    )
    message = choice.message
    reply = Reply(message.content, completion.model, usage, choice.finish_reason)
    return _judged(reply, message.refusal)


def _judged(reply: Reply, refusal: str | None) -> Reply:
    """The reply with its failure, if it was refused or cut short."""
    finish = (reply.finish or "").lower()
    if refusal or finish in _REFUSED:
        why = " ".join((refusal or "withheld by the provider's filter").split())
        refused = CallFailure(kind="refused", why=why[: failures.MAX_WORDS])
        return replace(reply, text=reply.text or refusal, failure=refused)
    if finish in _CUT:
        why = f"cut short at {reply.usage.output} tokens"
        return replace(reply, failure=CallFailure(kind="truncated", why=why))
    return reply


def _usage(counted: Mapping[str, Any]) -> Usage:
    details: Mapping[str, int] = counted.get("input_token_details") or {}
    return Usage(
        input=counted.get("input_tokens", 0),
        output=counted.get("output_tokens", 0),
        cached=sum(n for name, n in details.items() if name.endswith("cache_read")),
    )
