"""Opens a language model by its name, for whoever has something to ask: a seat, the chair, a judge.

Only here is it decided which class stands behind a name. What negotiates without a language model
(the reference negotiator, scripts, recordings, people) is no answer to a prompt and has its place
in seating.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.errors import UserError
from harness.models import registry
from harness.models.prices import FREE, Price, PriceList

if TYPE_CHECKING:
    from harness.models.chat import ChatSeat
    from harness.models.embedded import LocalSeat

LOCAL_PARAMETERS = ("temperature", "max_tokens", "context")
"""What a model in this process can be told; the rest concerns servers."""


def open_language_model(
    spec: registry.ModelSpec, parameters: Mapping[str, Any]
) -> ChatSeat | LocalSeat:
    """The model behind `local`, `local:FILE.gguf` or `provider:model`.

    Args:
        spec: as `registry.parse` read it.
        parameters: temperature, max_tokens, base_url, timeout, ...; those that do not concern this
            kind of model are left out.

    Raises:
        UserError: no language model, or an option that does not exist.
        ModelUnavailable: the weights, the plugin or the key is missing.
    """
    match spec.family:
        case "local":
            from harness.models.embedded import LocalSeat

            known = {name: parameters[name] for name in LOCAL_PARAMETERS if name in parameters}
            return LocalSeat(spec.rest, **known)
        case "chat":
            from harness.models.chat import ChatSeat

            return ChatSeat(spec.rest, **parameters)
        case _:
            raise UserError(
                f"{spec} is no language model; name `local`, local:FILE.gguf or provider:model."
            )


def price_of(spec: registry.ModelSpec, prices: PriceList) -> Price | None:
    """What the model costs; None where nobody said."""
    return FREE if spec.family == "local" else prices.of(spec.rest)
