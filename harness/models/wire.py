"""What really went over the wire in one call to a hosted model, seen by the HTTP client itself.

Knows the OpenAI chat protocol and the HTTP library under the openai client; knows nothing of turns.
A client made here notes every request and answer in the `Wire` of the call under way, so one client
can serve many calls at once.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    import httpx2

Json = dict[str, Any]


@dataclass
class Wire:
    """One call as the HTTP client saw it."""

    requests: int = 0
    """How often it was sent."""
    parameters: Json = field(default_factory=dict)
    """The body of the last request without messages and schema; empty where nothing was seen."""
    damage: str | None = None
    """Why the body of a 200 cannot be read; None where it can."""


class Observer(Protocol):
    """Who wants to know what becomes of a call while it is under way."""

    async def sends(self) -> None:
        """Told before each request; the request waits until it has been."""
        ...

    def answered(self, status: int, retry_after: float | None) -> None:
        """Told of each answer: its status, and the seconds to wait where it asks for that."""
        ...

    def failed(self, *, outage: bool) -> None:
        """Told of a call that is given up, and whether the provider may be down."""
        ...


_CALL: ContextVar[Wire | None] = ContextVar("wire", default=None)
_OBSERVER: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def watching() -> Iterator[Wire]:
    """Note what the clients made here send and receive for the call made inside the block."""
    wire = Wire()
    token = _CALL.set(wire)
    try:
        yield wire
    finally:
        _CALL.reset(token)


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Tell the observer of the call made inside the block."""
    token = _OBSERVER.set(observer)
    try:
        yield
    finally:
        _OBSERVER.reset(token)


def observer() -> Observer | None:
    """Who observes the call under way, if anybody does."""
    return _OBSERVER.get()


def http_client(timeout: float) -> httpx2.AsyncClient:
    """A client for the openai library that gives up after `timeout` seconds of silence."""
    import openai

    return openai.DefaultAsyncHttpxClient(
        timeout=timeout,
        verify=_trust(),
        event_hooks={"request": [_note_request], "response": [_note_response]},
    )


@cache
def _trust() -> ssl.SSLContext:
    """The system's trusted certificates, read once: reading them costs more than a client."""
    import httpx2

    return httpx2.create_ssl_context()


async def _note_request(request: httpx2.Request) -> None:
    observing = _OBSERVER.get()
    if observing is not None:
        await observing.sends()
    wire = _CALL.get()
    if wire is None:
        return
    wire.requests += 1
    wire.damage = None
    wire.parameters = without_schema(json.loads(request.content))


def without_schema(body: Mapping[str, Any]) -> Json:
    """A request's body without messages, and of the answer's format what is not the schema."""
    kept = {key: value for key, value in body.items() if key != "messages"}
    answer_format = kept.get("response_format")
    if isinstance(answer_format, dict):
        kept["response_format"] = {
            "type": answer_format.get("type"),
            "strict": answer_format.get("json_schema", {}).get("strict"),
        }
    if "grammar" in kept:
        kept["grammar"] = "of the schema, without white space"
    return kept


async def _note_response(response: httpx2.Response) -> None:
    observing = _OBSERVER.get()
    if observing is not None:
        observing.answered(response.status_code, _retry_after(response.headers))
    wire = _CALL.get()
    if wire is not None and response.status_code == 200:
        wire.damage = _damage(await response.aread(), response.headers.get("content-type", "json"))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks to wait; None where it does not say.

    RFC 9110, 10.2.3: seconds or a date; some providers say milliseconds besides.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        return seconds if 0 < seconds < float("inf") else None
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def _damage(body: bytes, content_type: str) -> str | None:
    """Why the body is no chat completion; None where it is one."""
    # The client reads nothing else as JSON, whatever it holds.
    if not content_type.partition(";")[0].strip().endswith("json"):
        return f"answered 200 with {content_type} instead of JSON"
    try:
        data = json.loads(body)
    except ValueError:
        return f"answered 200 with {len(body)} bytes that are not JSON"
    if not isinstance(data, dict):
        return "answered 200 with JSON that is not an object"
    if data.get("error"):
        return f"answered 200 with an error: {data['error']}"
    choices = data.get("choices")
    if not (isinstance(choices, list) and choices and _has_message(choices[0])):
        return "answered 200 without a message"
    return None


def _has_message(choice: object) -> bool:
    return isinstance(choice, dict) and isinstance(choice.get("message"), dict)
