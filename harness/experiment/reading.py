"""From an experiment file to its value, or to everything that is wrong with it, each with a place.

Whether metrics and judges exist is not known here: whoever scores says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.briefing import persona_prompt
from harness.errors import Problem, SettingError, UserError
from harness.experiment.design import Design, declared_arms
from harness.experiment.shapes import ALL, IN_TURN, Arm, Conditions, Experiment
from harness.experiment.wording import read_wording, reworded
from harness.loading import display, personas_root
from harness.loading.names import near
from harness.loading.placed import Document, Node, read_document, shown
from harness.loading.shapes import in_shape
from harness.models import registry
from harness.models.prices import PriceList
from harness.setting import Setting

SHIPPED = Path(__file__).resolve().parent.parent.parent / "evals" / "experiments"

NEEDS_SOMEBODY = ("auto", "human")
"""Models that stand for another choice, or for a person: not the same debate each time."""


class Read(NamedTuple):
    """An experiment file as read."""

    path: Path
    source: str
    design: Design

    @property
    def experiment(self) -> Experiment:
        """What it declares."""
        return self.design.experiment


def experiments_available() -> tuple[str, ...]:
    """The names of the experiments that come with the program."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def find_experiment(name_or_path: str | Path) -> Path:
    """The file of an experiment: the path given, or one that comes with the program by its name.

    Raises:
        UserError: there is no such file; the message names the nearest and all there are.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    shipped = SHIPPED / f"{name_or_path}.yaml"
    if shipped.is_file():
        return shipped
    hint = near(str(name_or_path), experiments_available())
    raise UserError(f"There is no experiment {shown(str(name_or_path))}{hint}")


def load_experiment(name_or_path: str | Path) -> Read:
    """Read an experiment file.

    Raises:
        SettingError: the file, or a setting it names, has problems; carries all of the first.
        UserError: there is no such file.
    """
    path = find_experiment(name_or_path)
    data = path.read_bytes()
    document = read_document(data, display(path))
    experiment, found = in_shape(document, Experiment)
    problems = [*document.problems, *found]
    root = document.root
    if problems or experiment is None or root is None:
        raise SettingError(tuple(dict.fromkeys(problems)))
    design = Design(experiment, path.parent)
    if problems := list(_misfits(document, root, design)):
        raise SettingError(tuple(dict.fromkeys(problems)))
    return Read(path, data.decode(), design)


def _misfits(document: Document, root: Node, design: Design) -> Iterator[Problem]:
    """What the file names that does not exist, or says against itself."""
    experiment = design.experiment
    yield from _settings(document, root, design)
    yield from _arms(document, root, experiment)
    yield from _prices(document, root)
    for node, conditions in _conditions(root, experiment):
        yield from _condition_misfits(document, node, conditions, design)


def _settings(document: Document, root: Node, design: Design) -> Iterator[Problem]:
    experiment = design.experiment
    for name in experiment.every_setting:
        try:
            setting = design.setting(name)
        except SettingError:
            raise
        except UserError as error:
            yield document.problem(root.get("setting") or root.get("settings") or root, str(error))
            continue
        yield from _in_setting(document, root, experiment, setting)


def _in_setting(
    document: Document, root: Node, experiment: Experiment, setting: Setting
) -> Iterator[Problem]:
    """Items, parties and agenda that the setting does not have."""
    parties = [party.id for party in setting.parties]
    agendas = [agenda.id for agenda in setting.agendas]
    yield from _unknown(document, root.each("items"), [i.id for i in setting.items], "item")
    yield from _unknown(document, root.each("parties"), parties, "party")
    agenda = root.get("agenda")
    yield from _unknown(document, [agenda] if agenda else [], agendas, "agenda")
    seated = (
        experiment.parties or setting.agenda(experiment.agenda or setting.default_agenda).parties
    )
    treat = root.get("treat")
    yield from _unknown(document, [treat] if treat else [], [ALL, IN_TURN, *seated], "party")
    for metric in (root.get("primary"), *root.each("secondary")):
        of = metric.get("of") if metric is not None else None
        named = ["debate", "parties", "treated", *seated]
        yield from _unknown(document, [of] if of else [], named, "party")


def _unknown(
    document: Document, nodes: Sequence[Node], names: Sequence[str], what: str
) -> Iterator[Problem]:
    for node in nodes:
        if node.value not in names:
            hint = near(str(node.value), names)
            yield document.problem(node, f"{shown(node.value)} is no {what}{hint}")


def _arms(document: Document, root: Node, experiment: Experiment) -> Iterator[Problem]:
    """Whether there are arms to compare, each with a name of its own and a model."""
    arms = declared_arms(experiment)
    spot = root.get("arms") or root.get("cross") or root
    names = [arm.id for arm in arms]
    if len(arms) < 2:
        yield document.problem(spot, "needs at least two arms to compare, under `arms` or `cross`")
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        yield document.problem(spot, f"two arms are called {shown(name)}")
    for name in experiment.beside:
        if name in names:
            yield document.problem(
                spot, f"{shown(name)} is the name of a yardstick; rename the arm"
            )
    baseline = root.get("baseline")
    if baseline is not None and baseline.value not in names:
        hint = near(str(baseline.value), names)
        yield document.problem(baseline, f"{shown(baseline.value)} is no arm{hint}")
    for arm in arms:
        if not _has_model(arm, experiment.common):
            why = f"the arm {arm.id} has no model; write `model: local`, or provider:model"
            yield document.problem(spot, why)


def _has_model(arm: Arm, common: Conditions) -> bool:
    return any(held.model or held.rotate_models for held in (arm, common))


def _prices(document: Document, root: Node) -> Iterator[Problem]:
    prices = root.get("prices")
    held = prices.value if prices is not None and isinstance(prices.value, dict) else {}
    for model, node in held.items():
        try:
            PriceList.given([f"{model}={node.value}"], {})
        except UserError as error:
            yield document.problem(node, str(error))


def _conditions(root: Node, experiment: Experiment) -> Iterator[tuple[Node, Conditions]]:
    """Every place of the file that says what debates are held with."""
    common = root.get("common")
    if common is not None:
        yield common, experiment.common
    yield from zip(root.each("arms"), experiment.arms, strict=True)
    yield from zip(root.each("variations"), experiment.variations, strict=True)
    cross = root.get("cross")
    if cross is not None and experiment.cross is not None:
        for handle, model in experiment.cross.model.items():
            yield _under(cross, "model", handle), Conditions(model=model)
        for handle, prompt in experiment.cross.prompt.items():
            yield _under(cross, "prompt", handle), Conditions(prompt=prompt)


def _under(node: Node, *keys: str) -> Node:
    for key in keys:
        node = node.get(key) or node
    return node


def _condition_misfits(
    document: Document, node: Node, held: Conditions, design: Design
) -> Iterator[Problem]:
    """Models and prompts that do not exist."""
    models = [m for m in (held.model, held.chair, *held.models.values(), *held.rotate_models) if m]
    for spec in models:
        why = _bad_model(spec)
        if why is not None:
            yield document.problem(_spot(node, spec), why)
    for name in filter(None, (held.prompt, *held.prompts.values())):
        file = design.beside / name
        try:
            persona_prompt(str(file) if file.is_file() else name, personas_root() / "prompts")
        except UserError as error:
            yield document.problem(_spot(node, name), str(error))

    if held.wording is not None:
        yield from _wording(document, node, held.wording, design)


def _wording(document: Document, node: Node, name: str, design: Design) -> Iterator[Problem]:
    """What is wrong with a file of other statements, at the place that names it."""
    try:
        wording = read_wording(design.beside / name)
        for setting in design.experiment.every_setting:
            reworded(design.setting(setting), wording)
    except UserError as error:
        yield document.problem(_spot(node, name), str(error))


def _bad_model(spec: str) -> str | None:
    try:
        family = registry.parse(spec).family
    except UserError as error:
        return str(error)
    if family in NEEDS_SOMEBODY:
        return f"{shown(spec)} is not the same model every time; name the model that is meant"
    return None


def _spot(node: Node, text: str) -> Node:
    """Where below the node the text stands."""
    return next((each for each in node.walk() if each.value == text), node)
