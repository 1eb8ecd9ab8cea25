"""What a language model is sent, and what comes back: the one shape every model here takes.

Knows nothing of turns or judges; whoever asks says what the answer has to look like.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harness.parts import CallFailure, Usage
from harness.setting import sha

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Json = dict[str, Any]
"""A JSON object; the only place where values of unknown shape are met."""


@dataclass(frozen=True)
class Message:
    """One message to a language model: its text is its parts joined."""

    role: Literal["system", "user"]
    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """What is sent."""
        return "".join(self.parts)


@dataclass(frozen=True)
class Prompt:
    """Messages, and the JSON Schema that the answer has to fit."""

    messages: tuple[Message, ...]
    schema: Json
    seed: int
    """Sent to models that take one."""
    room: int | None = None
    """Tokens the longest sensible answer needs; None leaves it to the model."""
    longest: int | None = None
    """Characters a free text in the answer may have, where a grammar can hold a model to it."""

    @property
    def sha(self) -> str:
        """Fingerprint of messages and schema."""
        texts = [[message.role, message.text] for message in self.messages]
        return sha(json.dumps([texts, self.schema], sort_keys=True))


@dataclass(frozen=True)
class Reply:
    """What came back, whoever was asked."""

    text: str | None
    """The raw answer, a JSON object in text; None where the call failed."""
    model: str | None = None
    """The model id that answered."""
    usage: Usage = field(default_factory=Usage)
    finish: str | None = None
    parameters: Json = field(default_factory=dict)
    """Parameters on the wire, messages and schema left out."""
    constrained: bool = False
    started: str | None = None
    latency: float = 0.0
    cost: float | None = None
    retries: int = 0
    failure: CallFailure | None = None


class LanguageModel(Protocol):
    """Anything that answers a prompt: a hosted model, a model in this process."""

    async def ask(self, prompt: Prompt) -> Reply:
        """Answer once; whatever goes wrong is in the reply.

        Raises:
            ModelUnavailable: only the user can mend what is wrong.
            BudgetExhausted: a ceiling has been reached; nothing was asked.
        """
        ...


@dataclass(frozen=True)
class Unreadable:
    """A reply that could not be read, and why, in words fit for the repair."""

    why: str


def one_of(words: Iterable[str]) -> Json:
    """The schema of one of these words."""
    return {"type": "string", "enum": list(words)}


def object_of(properties: Mapping[str, Json]) -> Json:
    """The schema of an object with these keys; all required and no other, for strict modes."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def parsed(text: str) -> Json | Unreadable:
    """The JSON object in a raw reply; an object that says a thing twice says nothing."""
    try:
        data = json.loads(
            _unfenced(text), object_pairs_hook=_each_once, parse_constant=_no_constant
        )
        json.dumps(data, ensure_ascii=False).encode()  # no file holds half a surrogate pair
    except (ValueError, RecursionError) as error:
        return Unreadable(f"the reply is not JSON: {error}"[:400])
    return data if isinstance(data, dict) else Unreadable("the reply is not a JSON object")


def defect(
    data: Json,
    schema: Json,
    meant: Callable[[ValidationError], ValidationError] = lambda error: error,
) -> str | None:
    """Where the data does not fit the schema, and how; None where it does.

    `meant` may put a better error in the place of one, where several ways to fit were tried.
    """
    import jsonschema

    try:
        errors = list(jsonschema.Draft202012Validator(schema).iter_errors(data))
        worst = jsonschema.exceptions.best_match(meant(error) for error in errors)
    except RecursionError:
        return "$: nested too deeply"
    return None if worst is None else f"{worst.json_path}: {worst.message[:400]}"


def _each_once(pairs: list[tuple[str, Any]]) -> Json:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands there twice")
    return data


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _unfenced(text: str) -> str:
    """The text without a surrounding ```json fence."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text[3:-3].removeprefix("json")
    return text


def last_fitting(text: str, schema: Json) -> Json | Unreadable:
    """The last JSON object in a raw reply that fits the schema, whatever stands around it.

    For readers of prose: an object that was quoted or copied on the way comes before the answer.
    """
    found = [data for data in _objects(text) if defect(data, schema) is None]
    if found:
        return found[-1]
    data = parsed(text)
    return data if isinstance(data, Unreadable) else Unreadable(str(defect(data, schema)))


def _objects(text: str) -> Iterator[Json]:
    """The outermost JSON objects in a text, in order."""
    decoder = json.JSONDecoder(object_pairs_hook=_each_once, parse_constant=_no_constant)
    at = text.find("{")
    while at >= 0:
        try:
            data, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield data
        at = text.find("{", end)
