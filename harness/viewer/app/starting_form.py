"""The form that starts a debate: what it offers, and the debate that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from harness.errors import UserError
from harness.loading import load_setting, personas_root, settings_available
from harness.models import registry
from harness.viewer.app.desk import Desk
from harness.viewer.app.filled import (
    WHOLE_FORM,
    Filled,
    budget_of,
    model_of,
    prices_of,
    ready_models,
)

if TYPE_CHECKING:
    from harness.seating import Means, Wishes
    from harness.session import Sitting
    from harness.setting import Agenda, Setting

BEFORE: Mapping[str, tuple[str, ...]] = {
    "model": ("auto",),
    "prompt": ("dossier",),
    "chair": ("reference",),
    "seed": ("0",),
    "score": ("yes",),
}
"""What stands in the form before anybody typed."""

SPEECH = ("free", "composed")
GUARD = ("mandate", "none")
MEMORY = ("debate", "item")
DECISION = ("consensus", "majority", "veto")


class Listed(NamedTuple):
    """A setting that can be chosen."""

    name: str
    chosen: bool


@dataclass(frozen=True)
class Offered:
    """What can be chosen in the form."""

    settings: tuple[Listed, ...]
    setting: Setting
    prompts: tuple[str, ...]
    models: tuple[str, ...]
    """Those that can be named as they stand."""
    available: tuple[registry.Availability, ...]
    """All kinds, and what is missing for those that are not ready."""


def offered(typed: Filled, desk: Desk) -> Offered:
    """What can be chosen, for the setting that is chosen."""
    names = tuple(folder.name for folder in settings_available())
    chosen = _setting_name(typed)
    listed = tuple(Listed(name, name == chosen) for name in names)
    return Offered(
        settings=listed,
        setting=load_setting(chosen),
        prompts=prompts(),
        models=ready_models(desk),
        available=registry.available(desk.env),
    )


def prompts() -> tuple[str, ...]:
    """The persona prompts that come with the program, by name."""
    files = (personas_root() / "prompts").glob("*.md.j2")
    return tuple(sorted(file.name.removesuffix(".md.j2") for file in files))


def _setting_name(typed: Filled) -> str:
    names = [folder.name for folder in settings_available()]
    name = typed.text("setting") or ("geneva-2021" if "geneva-2021" in names else names[0])
    if name not in names:
        raise UserError(f"There is no setting {name!r}; there is {', '.join(names)}.")
    return name


def sitting_of(typed: Filled, desk: Desk) -> Sitting | None:
    """The debate that was asked for; None where something has to be mended, which is noted."""
    from harness.seating import Means

    setting = load_setting(_setting_name(typed))
    wishes = _wishes(typed, setting, desk)
    agenda = _agenda(typed, setting)
    means = Means(budget_of(typed), prices_of(typed, desk), desk.env)
    seed = typed.whole("seed")
    if agenda is None or typed.errors or _unseated(typed, setting, agenda):
        return None
    return typed.attempt(
        WHOLE_FORM, lambda: _opened(typed, desk, setting, agenda, wishes, seed or 0, means)
    )


def _opened(
    typed: Filled, desk: Desk, setting: Setting, agenda: Agenda, wishes: Wishes, seed: int,
    means: Means,
) -> Sitting:  # fmt: skip
    from harness.session import opened, require_prices, unused

    def place(name: str) -> Path:
        return unused(desk.folder, name)

    sitting = opened(setting, agenda, wishes, seed, means, place)
    if typed.text("max_cost"):
        require_prices(sitting)
    return sitting


def _wishes(typed: Filled, setting: Setting, desk: Desk) -> Wishes:
    from harness.seating import Wishes

    address = typed.text("base_url")
    parties = [party.id for party in setting.parties]
    models = {party: model_of(typed, f"model-{party}", desk, address) for party in parties}
    named = {party: _prompt(typed, f"prompt-{party}") for party in parties}
    guard = _one_of(typed, "guard", GUARD)
    return Wishes(
        model=model_of(typed, "model", desk, address) or "auto",
        models={party: model for party, model in models.items() if model},
        prompt=_prompt(typed, "prompt") or "dossier",
        prompts={party: prompt for party, prompt in named.items() if prompt},
        chair=model_of(typed, "chair", desk, address) or "reference",
        speech=_speech(typed),
        guard=None if guard is None else guard == "mandate",
        memory=_memory(typed),
        temperature=typed.amount("temperature"),
        max_reply=typed.whole("max_reply", 1),
        base_url=address or None,
        timeout=typed.amount("timeout", 1),
    )


def _speech(typed: Filled) -> Literal["free", "composed"] | None:
    return _one_of(typed, "speech", SPEECH)  # type: ignore[return-value]


def _memory(typed: Filled) -> Literal["debate", "item"] | None:
    return _one_of(typed, "memory", MEMORY)  # type: ignore[return-value]


def _prompt(typed: Filled, name: str) -> str | None:
    return _one_of(typed, name, prompts())


def _one_of(typed: Filled, name: str, known: tuple[str, ...]) -> str | None:
    """What was picked of a list; None where nothing was."""
    picked = typed.text(name)
    if picked and picked not in known:
        typed.errors[name] = f"There is no {picked!r} here; there is {', '.join(known)}."
    return picked if picked in known else None


def _agenda(typed: Filled, setting: Setting) -> Agenda | None:
    from harness.agendas import agenda_by_hand

    rounds, decision = typed.whole("rounds", 1), _one_of(typed, "decision", DECISION)
    rules: dict[str, object] = {"rounds": rounds, "decision": decision}
    return typed.attempt(
        "agenda",
        lambda: agenda_by_hand(
            setting,
            typed.text("agenda") or None,
            items=typed.chosen("items"),
            parties=typed.chosen("parties"),
            rules={name: value for name, value in rules.items() if value is not None},
        ),
    )


def _unseated(typed: Filled, setting: Setting, agenda: Agenda) -> bool:
    """Whether a model or prompt is named for a party that is not at the table; that is noted."""
    for party in setting.parties:
        for name in (f"model-{party.id}", f"prompt-{party.id}"):
            if typed.text(name) and party.id not in agenda.parties:
                typed.errors[name] = f"{party.name} has no seat under this agenda."
    return bool(typed.errors)
