"""From what a user writes after `--model` to what it means, and what is ready on this machine.

Opens nothing and imports neither LangChain nor llama.cpp; the seats themselves are put together in
seating.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from harness.errors import UserError
from harness.models.providers import PROVIDERS, Provider

Family = Literal["auto", "chat", "local", "reference", "script", "replay", "human"]
"""What kind of thing sits in a seat; `chat` is any hosted model, written `provider:model`."""

DEFAULT_MODELS: Mapping[str, str] = {"openai": "gpt-5.4-mini"}
"""What `auto` takes of a provider: small, keeps to a schema. TRACKTWO_MODEL overrides it."""

MODEL_VARIABLE = "TRACKTWO_MODEL"
"""The environment variable with the model that `auto` means, in the notation of `--model`."""

_NO_KEY = "no provider's key is in the environment"
_ALONE = ("auto", "reference", "human")
_PERSON = "human+"
_STANDS_IN = ("reference", "script", "local", "chat")
_WITH_FILE = ("script", "replay")
_EXAMPLE = f"openai:{DEFAULT_MODELS['openai']}"


@dataclass(frozen=True)
class ModelSpec:
    """A model as the user named it."""

    family: Family
    rest: str = ""
    """`chat`: provider:model; `local`, `script` and `replay`: the file; `human`: the model that
    stands in; else empty."""

    @property
    def provider(self) -> Provider | None:
        """Who answers, for `chat`."""
        return PROVIDERS[self.rest.partition(":")[0]] if self.family == "chat" else None

    def __str__(self) -> str:
        """In the notation of `--model`."""
        if self.family == "chat":
            return self.rest
        join = "+" if self.family == "human" else ":"
        return f"{self.family}{join}{self.rest}" if self.rest else self.family


@dataclass(frozen=True)
class SeatDefaults:
    """How a delegation works with a model where the user says nothing else."""

    speech: Literal["free", "composed"]
    """Whether the model writes the statement, or it is composed from the dossier."""
    guard: bool
    """Whether moves that cross its own red lines are left out of its schema."""
    memory: Literal["debate", "item"]
    """Whether it sees the record of the whole debate or of the item."""


class Availability(NamedTuple):
    """Whether a model can be used here now."""

    name: str
    """What to write after `--model`."""
    ready: bool
    why: str
    """Why it is ready, or what is missing."""


class Choice(NamedTuple):
    """What `auto` stands for here."""

    spec: str
    why: str


def parse(spec: str) -> ModelSpec:
    """What the user named.

    Raises:
        UserError: There is no such thing; the message says what to write instead.
    """
    if spec.strip().startswith(_PERSON):
        return _person(spec, spec.strip().removeprefix(_PERSON))
    head, colon, rest = spec.strip().partition(":")
    if head in _ALONE:
        if rest:
            raise UserError(f"`{head}` takes nothing after it; write `{head}`, not {spec!r}.")
        return ModelSpec(head)  # type: ignore[arg-type]
    if head in _WITH_FILE:
        if not rest:
            raise UserError(f"`{head}` needs a file: write {head}:FILE.")
        return ModelSpec(head, rest)  # type: ignore[arg-type]
    if head == "local":
        return _local(spec, colon, rest)
    return _chat(spec, head, rest)


def _person(spec: str, stand_in: str) -> ModelSpec:
    if not stand_in:
        raise UserError(f"{spec!r} names nobody that stands in: write human+reference, or `human`.")
    if parse(stand_in).family not in _STANDS_IN:
        raise UserError(
            f"{stand_in!r} cannot stand in for a person; name reference, script:FILE, local or "
            f"provider:model, as in human+{_EXAMPLE}."
        )
    return ModelSpec("human", stand_in)


def _local(spec: str, colon: str, rest: str) -> ModelSpec:
    if colon and Path(rest).suffix.lower() != ".gguf":
        raise UserError(f"{spec!r} names no .gguf file: write `local`, or local:FILE.gguf.")
    return ModelSpec("local", rest)


def _chat(spec: str, provider: str, model: str) -> ModelSpec:
    if provider not in PROVIDERS:
        families = [*_ALONE, *_WITH_FILE, "local"]
        near = difflib.get_close_matches(provider, [*PROVIDERS, *families], n=1, cutoff=0.6)
        nearest = f" Did you mean {near[0]}?" if near else ""
        named = f"No provider named {provider!r}." if model else f"No model named {spec!r}."
        raise UserError(
            f"{named}{nearest} Write provider:model, for example {_EXAMPLE}; "
            "`tracktwo models` lists what is ready here."
        )
    if not model:
        raise UserError(f"{provider} needs a model: write {provider}:MODEL.")
    return ModelSpec("chat", f"{provider}:{model}")


def choose_auto(env: Mapping[str, str]) -> Choice:
    """The model that `auto` stands for, and why.

    TRACKTWO_MODEL where it is set; else a provider whose key is in the environment, whose plugin is
    installed and of which we know a model; else the embedded one, which needs nothing.
    """
    named = env.get(MODEL_VARIABLE, "").strip()
    if named:
        if parse(named).family == "auto":
            raise UserError(f"{MODEL_VARIABLE} says `auto`; name a model there, or unset it.")
        return Choice(named, f"{MODEL_VARIABLE} names it")
    unused: list[str] = []
    for provider in PROVIDERS.values():
        key = provider.key_set(env)
        if key and provider.installed:
            if provider.name in DEFAULT_MODELS:
                spec = f"{provider.name}:{DEFAULT_MODELS[provider.name]}"
                return Choice(spec, f"{key} is set")
            unused.append(f"{key} is set too: name a model with --model {provider.name}:MODEL")
    return Choice(
        "local",
        "; ".join([_NO_KEY if not unused else "no key it knows a model for is set", *unused]),
    )


def defaults_for(spec: ModelSpec) -> SeatDefaults:
    """How a delegation works with this model unless told otherwise.

    Raises:
        ValueError: For `auto`, which has to be chosen first.
    """
    match spec.family:
        case "chat":
            return SeatDefaults("free", guard=False, memory="debate")
        case "local" if spec.rest:
            return SeatDefaults("free", guard=False, memory="item")
        case "local":
            # 135 million parameters choose well enough but cannot keep to a mandate unaided.
            return SeatDefaults("composed", guard=True, memory="item")
        case "reference" | "script" | "replay":
            return SeatDefaults("composed", guard=False, memory="item")
        case "human" if spec.rest:
            return defaults_for(parse(spec.rest))
        case "human":
            return SeatDefaults("free", guard=False, memory="debate")
        case _:
            raise ValueError("`auto` has to be chosen before its defaults are known")


def available(env: Mapping[str, str]) -> tuple[Availability, ...]:
    """Everything that can be written after `--model`, and whether it is ready here."""
    return (
        Availability("reference", True, "no model: negotiates by the mandate alone"),
        _embedded(),
        Availability("local:FILE.gguf", True, "any GGUF file, in this process"),
        *(_availability(provider, env) for provider in PROVIDERS.values()),
        Availability("script:FILE", True, "lines written beforehand"),
        Availability("replay:FILE", True, "a recorded debate"),
        Availability("human", True, "you, at this terminal"),
        Availability("human+MODEL", True, "you, and a model that stands in when you leave"),
    )


def _embedded() -> Availability:
    from harness.models.weights import EMBEDDED, weights_in_cache, weights_in_environment

    here = weights_in_environment() or weights_in_cache()
    fetched = f"fetches its weights ({EMBEDDED.megabytes} MB) on first use"
    return Availability("local", True, f"{EMBEDDED.title}; {'ready' if here else fetched}")


def _availability(provider: Provider, env: Mapping[str, str]) -> Availability:
    name = f"{provider.name}:MODEL"
    missing = [] if provider.installed else [f"pip install {provider.package}"]
    key = provider.key_set(env)
    if provider.keys and key is None and not _keyless(provider, env):
        missing.append(f"set {provider.keys[0]}")
    if missing:
        return Availability(name, False, " and ".join(missing))
    if key:
        return Availability(name, True, f"{key} is set")
    return Availability(name, True, "its plugin is installed; no key is asked for")


def _keyless(provider: Provider, env: Mapping[str, str]) -> bool:
    """Whether a server of one's own stands in for the provider."""
    return provider.name == "openai" and bool(env.get("OPENAI_BASE_URL", "").strip())
