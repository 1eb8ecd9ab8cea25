"""From an experiment to the debates it asks for: arms crossed with scenarios and seeds.

The seed also decides who sits where. With n parties, the order of speaking moves on at every seed,
and who is treated, or has which of the rotating models, at every n-th. From scenario to scenario
both move on too, one of them faster, so that neither a state nor a model is tied to speaking first
even where there is one seed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, TypeVar, cast

from harness.agendas import agenda_by_hand
from harness.briefing import PersonaPrompt, persona_prompt
from harness.experiment.shapes import (
    ALL,
    IN_TURN,
    Arm,
    Conditions,
    Cross,
    Experiment,
    Variation,
    Yardstick,
)
from harness.experiment.wording import read_wording, reworded
from harness.loading import find_setting, load_setting, personas_root
from harness.setting import Agenda, Rules, Setting, sha

USUAL_PROMPT = "dossier"

CROSSED = ("prompt", "model", "chair", "rules")
"""What arms can be all combinations of."""

_Kind = TypeVar("_Kind", bound=Conditions)


@dataclass(frozen=True)
class Scenario:
    """What is debated in one debate: the unit over which arms are compared."""

    id: str
    setting: str
    """The setting, by name or folder."""
    items: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """One debate of an experiment: an arm on a scenario at a seed."""

    arm: str
    variation: str | None
    """The circumstance that was changed; None for the comparison itself."""
    scenario: str
    seed: int
    setting: Setting
    agenda: Agenda
    """Parties in seat order, items and rules of this debate."""
    prompts: Mapping[str, str]
    """Party -> persona prompt, by name or path."""
    models: Mapping[str, str]
    """Party -> model."""
    treated: tuple[str, ...]
    """The parties that have the arm's own persona prompt and model."""
    conditions: Conditions
    """The rest of what it is held with."""
    sha: str
    """Fingerprint of everything that may change what happens."""

    @property
    def drawn(self) -> int:
        """The seed that the debate is held with."""
        return self.seed + (self.conditions.seed_shift or 0)

    @property
    def name(self) -> str:
        """Name of the debate and stem of its file; another debate never has the same."""
        arm = f"{self.arm}.{self.variation}" if self.variation else self.arm
        return f"{arm}.{self.scenario}.s{self.seed:02d}-{self.sha[:8]}"


@dataclass(frozen=True)
class Design:
    """An experiment with its settings, arms and scenarios."""

    experiment: Experiment
    beside: Path
    """Folder of the experiment file; prompts and settings may be named relative to it."""

    @cached_property
    def arms(self) -> tuple[Arm, ...]:
        """The arms that are compared, the baseline first, with everything said for all of them."""
        found = [_over(Arm, self.experiment.common, arm) for arm in declared_arms(self.experiment)]
        return tuple(sorted(found, key=lambda arm: arm.id != self.experiment.baseline))

    @cached_property
    def yardsticks(self) -> tuple[Arm, ...]:
        """The arms that nobody proposes to use and that take debates of their own."""
        return tuple(
            _yardstick(name, self.baseline) for name in dict.fromkeys(self.experiment.beside)
        )

    @property
    def baseline(self) -> Arm:
        """The arm all others are compared with."""
        return next(arm for arm in self.arms if arm.id == self.experiment.baseline)

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios, in order."""
        return tuple(self._scenarios())

    @property
    def seeds(self) -> range:
        """The seeds."""
        return range(1, self.experiment.seeds + 1)

    def cells(self) -> Iterator[Cell]:
        """Every debate the experiment asks for.

        Whole scenarios first, and of each scenario all arms, so that what an interrupted experiment
        has can be compared; seeds of an arm in a row, because their prompts begin alike and a model
        that keeps what it has read goes faster.
        """
        variations: tuple[Variation | None, ...] = (None, *self.experiment.variations)
        for variation, (index, scenario) in product(variations, enumerate(self.scenarios)):
            arms = self.arms if variation else (*self.arms, *self.yardsticks)
            for arm, seed in product(arms, self.seeds):
                yield self._cell(arm, variation, scenario, index, seed)

    def under(self, arm: Arm, variation: Variation | None) -> Conditions:
        """What an arm is held with, in the circumstances that are varied."""
        return arm if variation is None else _over(Conditions, arm, variation)

    def setting(self, name: str) -> Setting:
        """A setting of the experiment, loaded once."""
        return self._loaded(name)

    def _scenarios(self) -> Iterator[Scenario]:
        experiment = self.experiment
        several = len(experiment.every_setting) > 1
        for name in experiment.every_setting:
            items = self.agenda(self.setting(name)).items
            if experiment.scenario_unit == "setting":
                yield Scenario(self.setting(name).id, name, items)
                continue
            for item in items:
                yield Scenario(
                    f"{self.setting(name).id}.{item}" if several else item, name, (item,)
                )

    def agenda(self, setting: Setting) -> Agenda:
        """What the experiment debates in a setting: parties in seat order, items and usual rules.

        Raises:
            UserError: the setting has no such agenda, item or party, or there are too few.
        """
        experiment = self.experiment
        return agenda_by_hand(
            setting, experiment.agenda, items=experiment.items, parties=experiment.parties
        )

    def _cell(
        self, arm: Arm, variation: Variation | None, scenario: Scenario, index: int, seed: int
    ) -> Cell:
        held = self.under(arm, variation)
        setting = self._worded(scenario.setting, held.wording)
        parties = self.agenda(setting).parties
        treated = _treated(self.experiment.treat, parties, seed, index)
        control = self.under(self.baseline, variation)
        if arm.id in self.experiment.beside:
            control = held  # a yardstick takes the whole table, whoever is treated in the arms
        seated = {party: held if party in treated else control for party in parties}
        agenda = agenda_by_hand(
            setting,
            self.experiment.agenda,
            items=scenario.items,
            parties=self._order(parties, held, seed - 1 + index),
            rules=_changed(held.rules),
        )
        prompts = {party: self._prompt(each, party) for party, each in seated.items()}
        models = {party: _model(seated[party], party, parties, seed, index) for party in parties}
        print_of = self._fingerprint(setting, agenda, prompts, models, held, seed)
        return Cell(
            arm=arm.id,
            variation=variation.id if variation else None,
            scenario=scenario.id,
            seed=seed,
            setting=setting,
            agenda=agenda,
            prompts=prompts,
            models=models,
            treated=treated,
            conditions=held,
            sha=print_of,
        )

    def _order(self, parties: Sequence[str], held: Conditions, shift: int) -> list[str]:
        moved = shift % len(parties) if self.experiment.rotate_seats else 0
        order = [*parties[moved:], *parties[:moved]]
        return order[::-1] if held.reverse_seats else order

    def _prompt(self, held: Conditions, party: str) -> str:
        return prompt_beside(held.prompts.get(party, held.prompt or USUAL_PROMPT), self.beside)

    def _fingerprint(
        self,
        setting: Setting,
        agenda: Agenda,
        prompts: Mapping[str, str],
        models: Mapping[str, str],
        held: Conditions,
        seed: int,
    ) -> str:
        rest = held.model_dump(
            mode="json",
            exclude={"id", "what", "prompt", "prompts", "model", "models", "rotate_models", "rules"}
            | {"wording", "reverse_seats"},
            exclude_none=True,
        )
        facts: list[Any] = [
            self._setting_sha(setting),
            agenda.model_dump(mode="json"),
            {party: self._read(prompt).sha for party, prompt in prompts.items()},
            dict(models),
            rest,
            seed,
        ]
        return sha(json.dumps(facts, sort_keys=True))

    def _worded(self, name: str, wording: str | None) -> Setting:
        """The setting, its positions in the words of the file where one is named."""
        if wording is None:
            return self.setting(name)
        if (name, wording) not in self._reworded:
            given = read_wording(self.beside / wording)
            self._reworded[name, wording] = reworded(self.setting(name), given)
        return self._reworded[name, wording]

    @cached_property
    def _reworded(self) -> dict[tuple[str, str], Setting]:
        return {}

    def _loaded(self, name: str) -> Setting:
        if name not in self._settings:
            beside = self.beside / name
            folder = beside if beside.is_dir() else find_setting(name)
            self._settings[name] = load_setting(folder)
        return self._settings[name]

    def _setting_sha(self, setting: Setting) -> str:
        if id(setting) not in self._shas:
            self._shas[id(setting)] = setting.sha
        return self._shas[id(setting)]

    def _read(self, prompt: str) -> PersonaPrompt:
        if prompt not in self._prompts:
            self._prompts[prompt] = persona_prompt(prompt, personas_root() / "prompts")
        return self._prompts[prompt]

    @cached_property
    def _settings(self) -> dict[str, Setting]:
        return {}

    @cached_property
    def _shas(self) -> dict[int, str]:
        return {}

    @cached_property
    def _prompts(self) -> dict[str, PersonaPrompt]:
        return {}


def prompt_beside(name: str, folder: Path) -> str:
    """A persona prompt as it can be opened: a file is meant beside the experiment file."""
    beside = folder / name
    return str(beside) if name.endswith(".j2") and beside.is_file() else name


def declared_arms(experiment: Experiment) -> tuple[Arm, ...]:
    """The arms as the file has them: those listed, then all combinations."""
    crossed = _crossed(experiment.cross) if experiment.cross is not None else ()
    return (*experiment.arms, *crossed)


def _crossed(cross: Cross) -> Iterator[Arm]:
    """All combinations; an arm is called by the handles of what it combines."""
    axes: list[list[tuple[str, dict[str, object]]]] = []
    for axis in CROSSED:
        values: Mapping[str, object] = getattr(cross, axis)
        if values:
            axes.append([(handle, {axis: value}) for handle, value in values.items()])
    for combination in product(*axes) if axes else ():
        fields = {name: value for _, each in combination for name, value in each.items()}
        yield Arm.model_validate({"id": "-".join(handle for handle, _ in combination), **fields})


def _yardstick(name: Yardstick, baseline: Arm) -> Arm:
    changes: dict[str, object]
    match name:
        case "reference":
            changes = {"model": "reference", "models": {}, "rotate_models": ()}
        case "no-talk":
            changes = {"rules": baseline.rules.model_copy(update={"rounds": 0, "caucuses": ()})}
        case "solo":
            changes = {"prompt": "all-sides", "prompts": {}}
    return baseline.model_copy(update={"id": name, **changes})


def _over(kind: type[_Kind], base: Conditions, top: Conditions) -> _Kind:
    """The conditions of `base` with those that `top` states, as a value of this kind."""
    stated = {name: getattr(top, name) for name in top.model_fields_set}
    fields = {name: getattr(base, name) for name in base.model_fields_set} | stated
    if "prompts" in stated and "prompt" not in stated:
        fields["prompts"] = {**base.prompts, **top.prompts}
    elif "prompt" in stated:
        fields["prompts"] = top.prompts
    if stated.keys() & {"model", "rotate_models"}:
        fields |= {"models": top.models, "rotate_models": top.rotate_models, "model": top.model}
    elif "models" in stated:
        fields["models"] = {**base.models, **top.models}
    fields["rules"] = base.rules.model_copy(update=_changed(top.rules))
    known = {name: value for name, value in fields.items() if name in kind.model_fields}
    return cast(_Kind, kind.model_construct(_fields_set=set(known), **known))


def _changed(rules: Rules) -> dict[str, Any]:
    """The rules a file states, by name."""
    return {name: getattr(rules, name) for name in rules.model_fields_set}


def _treated(treat: str, parties: Sequence[str], seed: int, index: int) -> tuple[str, ...]:
    if treat == ALL:
        return tuple(parties)
    if treat != IN_TURN:
        return (treat,)
    # Against the order of speaking, which moves on with the scenario too: else the party treated at
    # the first seed would speak first in every scenario.
    return (parties[-_moved(len(parties), len(parties), seed, index) % len(parties)],)


def _model(held: Conditions, party: str, parties: Sequence[str], seed: int, index: int) -> str:
    if party in held.models:
        return held.models[party]
    if held.rotate_models:
        several = held.rotate_models
        moved = _moved(len(several), min(len(several), len(parties)), seed, index)
        return several[(parties.index(party) + moved) % len(several)]
    assert held.model is not None, "reading.py checks that every arm has a model"
    return held.model


def _moved(of: int, every: int, seed: int, index: int) -> int:
    """How far what is passed round so many has moved on: once in `every` seeds, and a scenario.

    After a round of scenarios it moves once more, so that it meets every order of speaking.
    """
    return (seed - 1) // every + index + index // of
