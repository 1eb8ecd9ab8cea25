"""What models cost, as the user says: prices are facts that age, so none are built in.

A price is given as `--price MODEL=IN/OUT`, in US dollars per million tokens, or in the environment
variable TRACKTWO_PRICES as a comma-separated list of the same. Models that run on this machine cost
nothing; any other model without a price has no cost on the record, and no ceiling on cost can
be kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from harness.errors import UserError
from harness.events import Usage

PRICES_VARIABLE = "TRACKTWO_PRICES"
"""The environment variable with prices."""

_MILLION = 1_000_000


class Price(NamedTuple):
    """US dollars per million tokens."""

    input: float
    output: float
    cached: float | None = None
    """For tokens read from a prompt cache; the same as `input` where left out."""

    def of(self, usage: Usage) -> float:
        """What a call with this usage costs."""
        cached = self.input if self.cached is None else self.cached
        fresh = usage.input - usage.cached
        dollars = fresh * self.input + usage.cached * cached + usage.output * self.output
        return dollars / _MILLION


FREE = Price(0.0, 0.0)
"""Of models that run on this machine."""


class PriceList:
    """The prices the user gave."""

    def __init__(self, prices: Mapping[str, Price] | None = None) -> None:
        """Take the prices by model, written as after `--model`."""
        self._prices = dict(prices or {})

    @classmethod
    def given(cls, options: Iterable[str], env: Mapping[str, str]) -> PriceList:
        """Prices from the command line, over those from the environment.

        Raises:
            UserError: One of them cannot be read.
        """
        listed = [entry for entry in env.get(PRICES_VARIABLE, "").split(",") if entry.strip()]
        return cls(dict(_entry(text) for text in [*listed, *options]))

    def of(self, model: str) -> Price | None:
        """The price of a model; None where it is not known."""
        if model == "local" or model.startswith("local:"):
            return FREE
        return self._prices.get(model)

    def require(self, models: Iterable[str]) -> None:
        """Make sure that a ceiling on cost can be kept.

        Raises:
            UserError: A model has no price.
        """
        missing = sorted({model for model in models if self.of(model) is None})
        if missing:
            raise UserError(
                f"--max-cost needs the price of {', '.join(missing)}: give --price "
                f"{missing[0]}=IN/OUT in dollars per million tokens, or limit --max-tokens instead."
            )


def _entry(text: str) -> tuple[str, Price]:
    """`MODEL=IN/OUT` or `MODEL=IN/OUT/CACHED`."""
    model, _, figures = text.strip().rpartition("=")
    try:
        numbers = [float(figure) for figure in figures.split("/")]
    except ValueError:
        numbers = []
    if not (model and len(numbers) in (2, 3) and all(0 <= n < float("inf") for n in numbers)):
        raise UserError(
            f"{text!r} is no price: write MODEL=IN/OUT in dollars per million tokens, "
            "for example openai:MODEL=0.5/2."
        )
    return model, Price(*numbers)
