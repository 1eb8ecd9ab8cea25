"""A form as somebody filled it in: what was typed, and what is wrong with it, field by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.errors import UserError
from harness.models import registry
from harness.models.budget import Budget
from harness.models.prices import PriceList
from harness.viewer.app.desk import Desk

if TYPE_CHECKING:
    from starlette.requests import Request

_Found = TypeVar("_Found")

WHOLE_FORM = ""
"""Where an error stands that belongs to no field."""


@dataclass
class Filled:
    """What was typed; reading it notes what cannot be read."""

    values: Mapping[str, Sequence[str]]
    errors: dict[str, str] = field(default_factory=dict)
    """What is wrong, a sentence each, by field; under "" what is wrong with the whole."""

    def text(self, name: str) -> str:
        """What stands in a field, without blanks around it; empty where nothing does."""
        typed = self.values.get(name) or ("",)
        return typed[0].strip()

    def chosen(self, name: str) -> tuple[str, ...]:
        """Every box that is ticked under this name."""
        return tuple(each for each in self.values.get(name, ()) if each)

    def whole(self, name: str, least: int = 0) -> int | None:
        """A whole number, at least so much; None where nothing was typed."""
        return self._number(name, int, least, "whole number")

    def amount(self, name: str, least: float = 0) -> float | None:
        """A number, at least so much; None where nothing was typed."""
        return self._number(name, float, least, "number")

    def attempt(self, name: str, reading: Callable[[], _Found]) -> _Found | None:
        """What the reading gives; None where the user has to mend something, which is noted."""
        try:
            return reading()
        except UserError as error:
            self.errors.setdefault(name, str(error))
            return None

    def _number(
        self, name: str, kind: Callable[[str], _Found], least: float, what: str
    ) -> _Found | None:
        typed = self.text(name)
        if not typed:
            return None
        try:
            number = kind(typed)
            # Written this way round because NaN is neither above nor below anything.
            if not least <= number < float("inf"):  # type: ignore[operator]
                raise ValueError
        except ValueError:
            self.errors[name] = f"{typed!r} is no {what} from {least:g} upwards."
            return None
        return number


async def filled(request: Request) -> Filled:
    """The form that was sent."""
    form = await request.form()
    names = dict.fromkeys(form.keys())
    return Filled({n: tuple(v for v in form.getlist(n) if isinstance(v, str)) for n in names})


def model_of(typed: Filled, name: str, desk: Desk, base_url: str = "") -> str | None:
    """The model named in a field, if it can be used here; None where none is, or it cannot."""
    spec = typed.text(name)
    return typed.attempt(name, lambda: usable(spec, desk, base_url)) if spec else None


def usable(spec: str, desk: Desk, base_url: str = "") -> str:
    """The model, its file found in the folder where it has one.

    Raises:
        UserError: there is no such model, something is missing for it here, or its file lies
            outside the folder.
    """
    parsed = registry.parse(spec)
    match parsed.family:
        case "human" if parsed.rest:
            return f"human+{usable(parsed.rest, desk, base_url)}"
        case "script":
            file, plus, then = parsed.rest.rpartition("+")
            if not plus:
                return f"script:{_file(parsed.rest, desk)}"
            return f"script:{_file(file, desk)}+{usable(then, desk, base_url)}"
        case "replay" | "local" if parsed.rest:
            return f"{parsed.family}:{_file(parsed.rest, desk)}"
        case "chat":
            _check_ready(parsed, desk, base_url)
    return spec


def _file(name: str, desk: Desk) -> Path:
    """A file in the folder, named from there or from where the program was started."""
    root = desk.folder.resolve()
    for path in (desk.folder / name, Path(name)):
        if path.resolve().is_relative_to(root) and path.is_file():
            return path
    raise UserError(
        f"There is no file {name!r} in {desk.folder}: what the app seats lies in its folder; "
        "`tracktwo run` seats any file."
    )


def _check_ready(spec: registry.ModelSpec, desk: Desk, base_url: str) -> None:
    provider = spec.provider
    assert provider is not None
    if provider.name == "openai" and base_url:
        return  # a server of one's own may need no key
    for each in registry.available(desk.env):
        if each.name == f"{provider.name}:MODEL" and not each.ready:
            raise UserError(
                f"{spec} cannot be used here yet: {each.why}, and start `tracktwo view` again."
            )


def ready_models(desk: Desk) -> tuple[str, ...]:
    """What can be chosen as it stands, for a list to pick from."""
    listed = [each.name for each in registry.available(desk.env) if each.ready]
    plain = [name for name in listed if "MODEL" not in name and "FILE" not in name]
    auto = registry.choose_auto(desk.env).spec
    return tuple(dict.fromkeys(["auto", auto, *plain, "human+reference"]))


def budget_of(typed: Filled) -> Budget:
    """The ceilings that were set."""
    return Budget(
        max_calls=typed.whole("max_calls"),
        max_tokens=typed.whole("max_tokens"),
        max_cost=typed.amount("max_cost"),
        max_minutes=typed.amount("max_minutes"),
    )


def prices_of(typed: Filled, desk: Desk) -> PriceList:
    """The prices that were named, a line each, over those of the environment."""
    lines = [line for line in typed.text("prices").splitlines() if line.strip()]
    found = typed.attempt("prices", lambda: PriceList.given(lines, desk.env))
    return found or PriceList()
