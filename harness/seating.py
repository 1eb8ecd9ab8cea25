"""From what the user asked for to a room: which model sits where, with which prompt and parameters.

Everything a seat is given stands on the run card, so that a debate can be resumed from its
transcript alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from harness import events as e
from harness.briefing import Briefer, PersonaPrompt, persona_prompt
from harness.chair import Chair
from harness.debate import Beginning, Room
from harness.delegation import Delegation
from harness.errors import TranscriptError, UserError
from harness.events import CHAIR, BudgetStop
from harness.floor import floor_for
from harness.loading import personas_root
from harness.masking import Mask
from harness.models import registry
from harness.models.budget import Budget, Metered
from harness.models.door import open_language_model, price_of
from harness.models.pool import DebateModels
from harness.models.prices import Price, PriceList
from harness.models.replay import Replayed, recorded
from harness.models.saying import Saying
from harness.setting import Agenda, Setting, sha
from harness.transcript import Transcript, read
from harness.turn import Seated

VERSIONED = ("tracktwo", "langchain", "langchain-openai", "openai", "pydantic", "xllamacpp")


@dataclass(frozen=True)
class Wishes:
    """What the user asked for; a seat that is not named gets the common choice."""

    model: str = "auto"
    models: Mapping[str, str] = field(default_factory=dict)
    """Seat -> model."""
    prompt: str = "dossier"
    prompts: Mapping[str, str] = field(default_factory=dict)
    """Party -> persona prompt."""
    chair: str = "reference"
    """`reference` for fixed phrases alone; any model may be given the chair's voice."""
    speech: Literal["free", "composed"] | None = None
    guard: bool | None = None
    memory: Literal["debate", "item"] | None = None
    masked: bool | None = None
    """Hide the names that give a party away, whatever the persona prompt says."""
    temperature: float | None = None
    max_reply: int | None = None
    """The most tokens a reply may have."""
    base_url: str | None = None
    timeout: float | None = None


def at_terminal(seat: str, stand_in: Seated | None) -> Seated:
    """Asks whoever sits at this terminal."""
    from harness.models.human import Human

    return Human(stand_in=stand_in)


@dataclass
class Means:
    """What a sitting runs on; none of it changes what is recorded."""

    budget: Budget
    prices: PriceList
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    models: DebateModels | None = None
    """A pool that many debates share, as this debate sees it. None: the debate opens models of its
    own, without limits, and closes them at its end."""
    recalls: bool = True
    """Whether a debate that is taken up again counts what is on record of it in the budget; not
    where that has been counted already."""
    person: Callable[[str, Seated | None], Seated] = at_terminal
    """What asks the person in a seat, given the seat and what stands in for them, if anything
    does."""


def seat_cards(setting: Setting, wishes: Wishes, env: Mapping[str, str]) -> tuple[e.Seat, ...]:
    """Who sits where, in seat order, the chair last.

    Raises:
        UserError: a seat, model or prompt does not exist.
    """
    seats = [party.id for party in setting.parties]
    for named in (*wishes.models, *wishes.prompts):
        if named not in seats:
            raise UserError(
                f"No seat named {named!r} at this table; the seats are {', '.join(seats)}."
            )
    cards = [_card(seat, wishes, env) for seat in seats]
    spec, why = _chosen(wishes.chair, env)
    chair = e.Seat(seat=CHAIR, model=spec, why=why, speech="free", memory="item",
                   parameters=_parameters(wishes, spec))  # fmt: skip
    return (*cards, chair)


def _card(seat: str, wishes: Wishes, env: Mapping[str, str]) -> e.Seat:
    spec, why = _chosen(wishes.models.get(seat, wishes.model), env)
    parsed = registry.parse(spec)
    if parsed.family == "replay":
        return _as_recorded(read(parsed.rest), seat, spec)
    prompt = _prompt(wishes.prompts.get(seat, wishes.prompt))
    usual = registry.defaults_for(behind(spec))
    return e.Seat(
        seat=seat,
        model=spec,
        prompt=prompt.name,
        prompt_sha=prompt.sha,
        speech=wishes.speech or usual.speech,
        guard=usual.guard if wishes.guard is None else wishes.guard,
        memory=wishes.memory or usual.memory,
        masked=wishes.masked or False,
        parameters=_parameters(wishes, spec),
        why=why,
    )


def _as_recorded(recording: Transcript, seat: str, spec: str) -> e.Seat:
    """A replayed seat is briefed and speaks as it did then, whatever else was asked for."""
    for card in recording.card.seats:
        if card.seat == seat:
            return card.model_copy(update={"model": spec, "why": ""})
    raise UserError(f"{recording.path} has no seat {seat!r} to replay.")


def _chosen(spec: str, env: Mapping[str, str]) -> tuple[str, str]:
    """The model meant, and why where the program chose it."""
    if registry.parse(spec).family != "auto":
        return spec, ""
    choice = registry.choose_auto(env)
    return choice.spec, choice.why


def behind(spec: str) -> registry.ModelSpec:
    """What decides how the seat works.

    For a script that is the model that answers the rest, for a person the one that stands in.
    """
    parsed = registry.parse(spec)
    if parsed.family == "script":
        return registry.parse(_script(parsed.rest)[1])
    if parsed.family == "human" and parsed.rest:
        return behind(parsed.rest)
    return parsed


def reads_prompts(seat: e.Seat) -> bool:
    """Whether the persona prompt wished for a seat reaches a language model there.

    A replayed seat is briefed as it was recorded, whatever is wished for.
    """
    return behind(seat.model).family in ("chat", "local")


def _script(rest: str) -> tuple[str, str]:
    """File and model of `script:FILE+MODEL`; the reference negotiator where no model is named."""
    file, plus, model = rest.rpartition("+")
    return (file, model) if plus else (rest, "reference")


def _parameters(wishes: Wishes, spec: str) -> dict[str, Any]:
    if behind(spec).family not in ("chat", "local"):
        return {}
    asked = {
        "temperature": wishes.temperature,
        "max_tokens": wishes.max_reply,
        "base_url": wishes.base_url,
        "timeout": wishes.timeout,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _prompt(name: str) -> PersonaPrompt:
    return persona_prompt(name, personas_root() / "prompts")


def run_card(setting: Setting, agenda: Agenda, seats: tuple[e.Seat, ...], seed: int) -> e.RunCard:
    """Everything the debate will be held with."""
    return e.RunCard(
        setting=setting.only(agenda),
        setting_sha=setting.sha,
        rules=agenda.rules,
        seats=seats,
        seed=seed,
        versions={name: _version(name) for name in VERSIONED},
    )


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


class Seating:
    """Fills a room from a run card, and empties it afterwards."""

    def __init__(self, card: e.RunCard, means: Means, recording: Transcript | None = None) -> None:
        """Take the card; with a recording, its replies come first and are not paid again."""
        self.card = card
        self._means = means
        self._recording = recording
        self._opened: list[Any] = []

    def room(self) -> Room:
        """The room, with somebody in every seat.

        Raises:
            UserError: a model cannot be used here, or a prompt is not the one on the card.
        """
        return self._room(self.card, self._seated)

    def _room(self, card: e.RunCard, seated: Callable[[e.Seat], Seated]) -> Room:
        chair_card = next(seat for seat in card.seats if seat.seat == CHAIR)
        delegations = {
            s.seat: self._delegation(card, s, seated(s)) for s in card.seats if s.seat != CHAIR
        }
        return Room(
            setting=card.setting,
            rules=card.rules,
            delegations=delegations,
            chair=self._chair(card, chair_card, seated),
            floor=floor_for(card.rules),
            seed=card.seed,
            beginning=self._beginning(card),
        )

    def _beginning(self, card: e.RunCard) -> Beginning | None:
        """What a fork took over, held as it was then; nobody is asked anything there."""
        fork = card.fork
        if fork is None or not fork.kept:
            return None
        then = {"seats": fork.seats, "seed": fork.seed, "fork": fork.earlier}
        start = fork.earlier.kept if fork.earlier is not None else 0

        def seated(seat: e.Seat) -> Seated:
            source = self._source(seat.seat)
            return Replayed(recorded(source, seat.seat, start, fork.kept), str(source.path))

        return Beginning(self._room(card.model_copy(update=then), seated), fork)

    def _source(self, seat: str) -> Transcript:
        """Where the replies are on record that a fork took over."""
        if self._recording is not None:
            return self._recording
        now = registry.parse(next(s.model for s in self.card.seats if s.seat == seat))
        if now.family != "replay":
            raise TranscriptError(
                f"What was said before the fork is on record in the fork's own file: name "
                f"replay:FILE for {seat} too."
            )
        return read(now.rest)

    async def close(self) -> None:
        """Let go of connections."""
        for seat in self._opened:
            if hasattr(seat, "aclose"):
                await seat.aclose()

    def _delegation(self, card: e.RunCard, seat: e.Seat, seated: Seated) -> Delegation:
        party = card.setting.party(seat.seat)
        if seat.prompt is None:
            raise TranscriptError(
                f"{party.name} was not held here ({seat.model}), so it cannot be held again; "
                "`tracktwo run` holds a debate of its own."
            )
        prompt = _prompt(seat.prompt)
        if prompt.sha != seat.prompt_sha:
            raise TranscriptError(
                f"Persona prompt {seat.prompt!r} has changed since this debate began; "
                "it cannot go on."
            )
        hidden = prompt.masked or seat.masked
        mask = Mask(card.setting, card.rules.language) if hidden else None
        briefer = Briefer(
            setting=card.setting,
            rules=card.rules,
            party=party,
            prompt=prompt,
            speech=seat.speech,
            memory=seat.memory,
            parts=personas_root() / "prompts" / "parts",
            brief=seat.speech == "composed",
            called=mask.called if mask else str,
        )
        return Delegation(
            party=party,
            seat=seat,
            model=seated,
            briefer=briefer,
            setting=card.setting,
            rules=card.rules,
            seed=card.seed,
            mask=mask,
        )

    def _chair(self, card: e.RunCard, seat: e.Seat, seated: Callable[[e.Seat], Seated]) -> Chair:
        voice = None if registry.parse(seat.model).family == "reference" else seated(seat)
        parts = personas_root() / "prompts" / "parts"
        return Chair(card.setting, card.rules, card.seed, parts, voice)

    def _seated(self, seat: e.Seat) -> Seated:
        """What sits in the seat; what is on record already is not asked again."""
        spec, fork = registry.parse(seat.model), self.card.fork
        kept = fork.kept if fork is not None else 0  # paid for in the debate it was taken from
        if spec.family == "replay":
            return _replayed(read(spec.rest), seat.seat, kept)
        live = self._live(spec, seat)
        if fork is not None and fork.said is not None and fork.said.party == seat.seat:
            live = Saying(fork.said, live)
        if self._recording is None:
            return live
        calls = recorded(self._recording, seat.seat, kept)
        for call in calls.values():
            # Only what costs something reads the clock, also where it answers the rest of a script.
            if call.started is not None and self._means.recalls:
                self._means.budget.recall(call.usage, call.cost)
        return Replayed(calls, str(self._recording.path), then=live)

    def _live(self, spec: registry.ModelSpec, seat: e.Seat) -> Seated:
        match spec.family:
            case "reference":
                from harness.models.reference import Reference

                return Reference()
            case "human":
                other = self._live(registry.parse(spec.rest), seat) if spec.rest else None
                return self._means.person(seat.seat, other)
            case "script":
                from harness.models.script import Scripted, read_script

                file, model = _script(spec.rest)
                otherwise = self._live(registry.parse(model), seat)
                return Scripted(read_script(Path(file)), otherwise)
            case "local" | "chat":
                price = price_of(spec, self._means.prices)
                return Metered(self._language_model(spec, seat, price), self._means.budget, price)
            case _:
                raise UserError(f"{spec} cannot sit in a seat by itself.")

    def _language_model(
        self, spec: registry.ModelSpec, seat: e.Seat, price: Price | None
    ) -> Seated:
        """From the shared pool, which outlives this debate; else one of the debate's own."""
        if self._means.models is not None:
            return self._means.models.open(spec, seat.parameters, price)
        opened = open_language_model(spec, seat.parameters)
        self._opened.append(opened)
        return opened


def _replayed(recording: Transcript, seat: str, start: int) -> Replayed:
    last = recording.events[-1]
    stop = last if isinstance(last, BudgetStop) else None
    return Replayed(recorded(recording, seat, start), str(recording.path), stop=stop)


def name_of(card: e.RunCard, stamp: str) -> str:
    """A file name for the debate: setting, agenda, who sat there, and a stamp."""
    models = list(dict.fromkeys(_short(s.model) for s in card.seats if s.seat != CHAIR))
    who = "-".join(models) if len(models) <= 2 else "mixed"
    return f"{card.setting.id}-{card.setting.default_agenda}-{who}-{stamp}"


def _short(model: str) -> str:
    head, _, rest = model.partition(":")
    family = head.partition("+")[0]
    if family in ("script", "replay", "human"):
        return family
    plain = (rest.rpartition("/")[2] or head).removesuffix(".gguf")
    kept = "".join(c if c.isalnum() else "-" for c in plain.lower())
    return kept[:24] if len(kept) <= 24 else f"{kept[:19]}-{sha(plain)[:4]}"
