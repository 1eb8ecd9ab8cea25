"""How many tokens a model reads: counted by its own tokenizer where that is here, else estimated.

A GGUF file brings its tokenizer and its chat template along, so that messages can be counted
exactly without the model reading them. The tokenizers of hosted models have to be fetched from
their makers; nothing is fetched here, and what is reported for them is called an estimate.
"""

from __future__ import annotations

import json
import math
import secrets
import weakref
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from harness.errors import ModelUnavailable
from harness.models.registry import ModelSpec
from harness.prompt import Message

CHARACTERS_A_TOKEN = 4
"""Of English text, by rule of thumb; a text in another language has more tokens than this gives."""

_WAIT = 60.0
"""Seconds for one answer of llama.cpp; counting takes milliseconds."""


class Counter(Protocol):
    """Counts tokens for one model."""

    exact: bool
    """Whether the counts are those of the model's own tokenizer."""
    how: str
    """Where the counts come from, in words."""

    def text(self, text: str) -> int:
        """Tokens of a text by itself."""
        ...

    def messages(self, messages: Sequence[Message]) -> int:
        """Tokens of a whole prompt; with what stands between the messages, where that is known."""
        ...


def counter_for(spec: ModelSpec) -> Counter:
    """What counts tokens for the model: its own tokenizer for a GGUF file, else an estimate.

    Raises:
        ModelUnavailable: the GGUF file cannot be had or loaded.
    """
    if spec.family != "local":
        return Estimate()
    from harness.models.weights import find_weights

    return Tokenizer(Path(spec.rest) if spec.rest else find_weights())


class Estimate:
    """Tokens from characters, for models whose tokenizer is not here."""

    exact = False
    how = f"an estimate of {CHARACTERS_A_TOKEN} characters a token; the tokenizer is not here"

    def text(self, text: str) -> int:
        """Tokens of a text, rounded up."""
        return math.ceil(len(text) / CHARACTERS_A_TOKEN)

    def messages(self, messages: Sequence[Message]) -> int:
        """Tokens of all the messages together; what stands between them is not counted."""
        return self.text("".join(message.text for message in messages))


class Tokenizer:
    """The tokenizer and the chat template of a GGUF file."""

    exact = True
    how = "by the model's own tokenizer"

    def __init__(self, weights: Path) -> None:
        """Load the file; only its tokenizer is used.

        Raises:
            ModelUnavailable: the file cannot be read or loaded, or llama.cpp cannot run here.
        """
        self._key = secrets.token_urlsafe(32)
        # In a list, so that the server's threads end with this object, before the interpreter goes.
        servers = [_server(weights, self._key)]
        weakref.finalize(self, servers.clear)
        self._address = urlsplit(servers[0].listening_address).netloc

    def text(self, text: str) -> int:
        """Tokens of a text by itself; those of two texts need not be those of both together."""
        return self._tokens(text, whole=False)

    def messages(self, messages: Sequence[Message]) -> int:
        """Tokens the model reads: the messages in its chat template, up to where it answers."""
        sent = [{"role": message.role, "content": message.text} for message in messages]
        return self._tokens(self._ask("/apply-template", {"messages": sent})["prompt"], whole=True)

    def _tokens(self, text: str, *, whole: bool) -> int:
        asked = {"content": text, "add_special": whole, "parse_special": True}
        return len(self._ask("/tokenize", asked)["tokens"])

    def _ask(self, path: str, asked: Mapping[str, object]) -> dict[str, Any]:
        """One question to the server in this process; no proxy of the environment has a part in it.

        Raises:
            ModelUnavailable: it gives no answer.
        """
        connection = HTTPConnection(self._address, timeout=_WAIT)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        try:
            connection.request("POST", path, json.dumps(asked), headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise ModelUnavailable(
                f"llama.cpp cannot count tokens here (it answered {answer.status} to {path}): "
                "name another model."
            )
        data: dict[str, Any] = json.loads(body)
        return data


# Any: xllamacpp ships no types.
def _server(weights: Path, key: str) -> Any:
    """llama.cpp with the file, on a loopback port that answers only to the key."""
    try:
        import xllamacpp
    except ImportError as error:
        raise ModelUnavailable(
            f"llama.cpp cannot run here ({error}): install what is missing, or name another model."
        ) from error
    if not weights.is_file():
        raise ModelUnavailable(f"There is no model file {weights}: give the path of a GGUF file.")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    # As little as llama.cpp takes: nothing is read by the model, so it needs no room to think.
    params.n_ctx, params.n_parallel, params.warmup, params.verbosity = 256, 1, False, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.api_keys = [key]
    params.ui = params.endpoint_slots = params.endpoint_props = False
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ModelUnavailable(
            f"llama.cpp cannot load {weights}: give the path of a whole GGUF file."
        ) from error
