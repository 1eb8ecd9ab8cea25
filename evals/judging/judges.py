"""Judges: language models that label, each known by the name after `--judge`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.models import registry
from harness.models.budget import Budget, MeteredModel
from harness.models.door import open_language_model, price_of
from harness.models.prices import Price, PriceList
from harness.prompt import LanguageModel

if TYPE_CHECKING:
    from harness.models.chat import ChatSeat
    from harness.models.embedded import LocalSeat

TEMPERATURE = 0.0
"""A judge is asked for its likeliest answer."""


@dataclass(frozen=True)
class Judge:
    """A model that labels."""

    name: str
    """As named after `--judge`, `auto` resolved."""
    model: LanguageModel
    at_once: int = 8
    """Calls under way together."""
    opened: ChatSeat | LocalSeat | None = None
    """The model without its meter, for handing in batches."""
    budget: Budget = field(default_factory=Budget)
    """What it may use."""
    price: Price | None = None

    async def close(self) -> None:
        """Let go of connections."""
        # What was not opened here, such as a judge made for a test, may have nothing to close.
        if hasattr(self.model, "aclose"):
            await self.model.aclose()


def open_judge(
    name: str,
    *,
    budget: Budget | None = None,
    prices: PriceList | None = None,
    env: Mapping[str, str] | None = None,
    base_url: str | None = None,
    timeout: float | None = None,
    at_once: int = 8,
) -> Judge:
    """The judge of this name: `local`, `local:FILE.gguf`, `provider:model` or `auto`.

    Raises:
        UserError: no language model, or an option that does not exist.
        ModelUnavailable: the weights, the plugin or the key is missing.
    """
    env = os.environ if env is None else env
    spec = registry.parse(name)
    if spec.family == "auto":
        spec = registry.parse(registry.choose_auto(env).spec)
    given = {"temperature": TEMPERATURE, "base_url": base_url, "timeout": timeout}
    parameters = {key: value for key, value in given.items() if value is not None}
    opened = open_language_model(spec, parameters)
    allowed = budget or Budget()
    price = price_of(spec, prices or PriceList())
    # A model in this process answers one call at a time, whatever is asked.
    together = 1 if spec.family == "local" else at_once
    metered = MeteredModel(opened, allowed, price)
    return Judge(_name(spec), metered, together, opened, allowed, price)


def _name(spec: registry.ModelSpec) -> str:
    """The judge's name on scores: of a file its name alone, wherever it lies on this machine."""
    file = spec.family == "local" and spec.rest
    return f"local:{Path(spec.rest).name}" if file else str(spec)


def family(name: str) -> str:
    """The family a model belongs to, by the first letters of its name: `gpt`, `claude`, `qwen`.

    Used for the self-preference gap. Two models of one family share training, so a judge may
    favour what its own family writes.
    """
    spec = registry.parse(name)
    if spec.family not in ("local", "chat"):
        return spec.family
    if spec.family == "local" and not spec.rest:
        return "smollm"
    model = re.split(r"[:/\\]", spec.rest)[-1].lower()
    found = re.match(r"[a-z]+", model)
    return found.group() if found else model
