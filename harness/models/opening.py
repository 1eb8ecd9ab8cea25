"""Opens a hosted model through LangChain, and says in one sentence what is missing where it cannot.

Option names are checked against the plugin's own fields, because LangChain only warns about a
misspelt one and sends it on. Keys come from the environment alone: options are written into the
transcript.
"""

from __future__ import annotations

import difflib
import importlib
import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from harness.errors import ModelUnavailable, UserError
from harness.models.providers import PROVIDERS, Provider
from harness.models.wire import http_client

if TYPE_CHECKING:
    import httpx2
    from langchain_core.language_models import BaseChatModel

_SECRET = ("api_key", "secret", "password", "authorization", "access_token", "default_headers")
"""Option names that may hold a credential."""

# The plugin suggests its own ways out of a schema the provider does not take; we have taken ours.
_SUGGESTIONS = (
    "(This model does not support OpenAI's structured|Invalid schema for OpenAI's"
    "|Cannot use method='json_schema')"
)


class Opened(NamedTuple):
    """A hosted model, ready to be asked."""

    model: BaseChatModel
    http: httpx2.AsyncClient | None
    """The watched client it speaks through; None where the plugin has its own."""


def open_model(
    spec: str, base_url: str | None, timeout: float, max_retries: int, options: Mapping[str, Any]
) -> Opened:
    """Open `provider:model`.

    Raises:
        UserError: An option that the provider does not have, or a value it does not take.
        ModelUnavailable: The plugin or the key is missing.
    """
    provider = PROVIDERS[spec.partition(":")[0]]
    if base_url and "@" in urlsplit(base_url).netloc:
        raise UserError(
            "The address of a server cannot hold a password, because it is written into the "
            "transcript; give the key in the environment."
        )
    chat_class = _chat_class(spec, provider)
    fields = _names(chat_class)
    asked = dict(options) | ({"base_url": base_url} if base_url else {})
    for name in asked:
        _check(name, provider, fields)
    ours: dict[str, Any] = {"timeout": timeout, "max_retries": max_retries, "cache": False}
    http = None
    if _speaks_openai(chat_class):
        http = http_client(timeout)
        ours |= {"http_async_client": http, "http_socket_options": (), "use_responses_api": False}
    if not _key_at_hand(provider, base_url):
        raise ModelUnavailable(
            f"{spec} needs a key: set {' or '.join(provider.keys)}, or use a model that needs none "
            "(`tracktwo models` lists them)."
        )
    if _own_server(provider, base_url) and not provider.key_set(os.environ):
        ours["api_key"] = "none"
    accepted = {name: value for name, value in ours.items() if name in fields}
    model = _build(spec, accepted | asked)
    return Opened(model, http)


def secrets_of(model: BaseChatModel) -> tuple[str, ...]:
    """The credentials that a model holds, so that they can be kept out of the record."""
    from pydantic import SecretStr

    values = (getattr(model, name, None) for name in type(model).model_fields)
    found = (value.get_secret_value() for value in values if isinstance(value, SecretStr))
    return tuple(secret for secret in found if len(secret) > len("none"))


def _chat_class(spec: str, provider: Provider) -> type[BaseChatModel]:
    if not provider.installed:
        raise ModelUnavailable(
            f"{spec} needs the package {provider.package}: pip install {provider.package}."
        )
    found: type[BaseChatModel] = getattr(
        importlib.import_module(provider.module), provider.chat_class
    )
    return found


def _names(chat_class: type[BaseChatModel]) -> frozenset[str]:
    """All names by which an option can be given."""
    fields = chat_class.model_fields
    return frozenset(fields) | {field.alias for field in fields.values() if field.alias}


def _check(name: str, provider: Provider, fields: frozenset[str]) -> None:
    if any(secret in name for secret in _SECRET):
        keys = f" ({provider.keys[0]})" if provider.keys else ""
        raise UserError(
            f"{name} cannot be an option, because options are written into the transcript; "
            f"give keys in the environment{keys}."
        )
    if name not in fields:
        near = difflib.get_close_matches(name, sorted(fields), n=1)
        nearest = f" Did you mean {near[0]}?" if near else ""
        raise UserError(f"{provider.name} has no option {name!r}.{nearest}")


def _speaks_openai(chat_class: type[BaseChatModel]) -> bool:
    """Whether the plugin is built on the openai client, and so on our HTTP client."""
    from langchain_openai.chat_models.base import BaseChatOpenAI

    return issubclass(chat_class, BaseChatOpenAI)


def _own_server(provider: Provider, base_url: str | None) -> bool:
    """Whether an OpenAI-compatible server of one's own is meant, which may need no key."""
    named = base_url or os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE")
    return provider.name == "openai" and bool(named)


def _key_at_hand(provider: Provider, base_url: str | None) -> bool:
    if not provider.keys or provider.key_set(os.environ):
        return True
    return _own_server(provider, base_url)


def _build(spec: str, arguments: Mapping[str, Any]) -> BaseChatModel:
    from langchain.chat_models import init_chat_model
    from pydantic import ValidationError

    warnings.filterwarnings("ignore", message=_SUGGESTIONS, category=UserWarning)
    try:
        model: BaseChatModel = init_chat_model(spec, **arguments)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "options"
        raise UserError(f"{spec}: {place}: {first['msg']}.") from None
    except (ImportError, ValueError) as error:
        raise ModelUnavailable(f"{spec} cannot be set up: {str(error).splitlines()[0]}") from None
    return model
