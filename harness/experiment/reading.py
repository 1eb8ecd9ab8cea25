"""From an experiment file to its value, or to everything that is wrong with it, each with a place.

Whether metrics and judges exist is not known here: whoever scores says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from harness.agendas import agenda_by_hand
from harness.briefing import persona_prompt
from harness.errors import Problem, SettingError, UserError
from harness.experiment.design import CROSSED, Design, declared_arms, prompt_beside
from harness.experiment.shapes import ALL, IN_TURN, Conditions, Cross, Experiment
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

LONGEST = 60
"""Letters of an arm's name, as of any handle."""


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
    yield from _settings(document, root, design)
    settings = _known_settings(design)
    for setting in settings:
        yield from _in_setting(document, root, design, setting)
    yield from _arms(document, root, design, settings)
    yield from _prices(document, root)
    for node, conditions in _conditions(root, design.experiment):
        yield from _condition_misfits(document, node, conditions, design)
        yield from _at_table(document, node, conditions, design, settings)
        yield from _wording(document, node, conditions, design, settings)


def _settings(document: Document, root: Node, design: Design) -> Iterator[Problem]:
    """Settings that do not exist, or of which two have one name."""
    one, several = root.get("setting"), root.get("settings")
    if one is not None and several is not None:
        yield document.problem(one, "the file has `settings` as well; keep one of the two")
    names: list[str] = []
    for index, name in enumerate(design.experiment.every_setting):
        spot = root.each("settings")[index] if design.experiment.settings else one or root
        try:
            names.append(design.setting(name).id)
        except SettingError:
            raise
        except UserError as error:
            yield document.problem(spot, str(error))
            continue
        if names[-1] in names[:-1]:
            yield document.problem(spot, f"two settings are called {shown(names[-1])}")


def _known_settings(design: Design) -> list[Setting]:
    """The settings that exist; those that do not are told of by `_settings`."""
    found: list[Setting] = []
    for name in design.experiment.every_setting:
        with suppress(UserError):
            found.append(design.setting(name))
    return found


def _in_setting(
    document: Document, root: Node, design: Design, setting: Setting
) -> Iterator[Problem]:
    """Items, parties and agenda that the setting does not have."""
    parties = [party.id for party in setting.parties]
    agenda = root.get("agenda")
    missing = [
        *_unknown(document, root.each("items"), [item.id for item in setting.items], "item"),
        *_unknown(document, root.each("parties"), parties, "party"),
        *_unknown(document, [agenda] if agenda else [], [a.id for a in setting.agendas], "agenda"),
    ]
    yield from missing
    if missing:
        return
    try:
        seated = design.agenda(setting).parties
    except UserError as error:
        yield document.problem(root.get("parties") or root, str(error))
        return
    treat = root.get("treat")
    yield from _unknown(document, [treat] if treat else [], [ALL, IN_TURN, *seated], "party")
    for metric in (root.get("primary"), *root.each("secondary")):
        of = metric.get("of") if metric is not None else None
        named = ["debate", "parties", "treated", *seated]
        yield from _unknown(document, [of] if of else [], named, "party")


def _seated(design: Design, settings: Sequence[Setting]) -> list[str]:
    """The parties that sit at any table; none where a table cannot be laid."""
    found: dict[str, None] = {}
    for setting in settings:
        try:
            found |= dict.fromkeys(design.agenda(setting).parties)
        except UserError:  # `_in_setting` has told why
            return []
    return list(found)


def _unknown(
    document: Document, nodes: Sequence[Node], names: Sequence[str], what: str
) -> Iterator[Problem]:
    for node in nodes:
        if node.value not in names:
            hint = near(str(node.value), names)
            yield document.problem(node, f"{shown(node.value)} is no {what}{hint}")


def _arms(
    document: Document, root: Node, design: Design, settings: Sequence[Setting]
) -> Iterator[Problem]:
    """Whether there are arms to compare, each with a name of its own and a model."""
    experiment = design.experiment
    spot = root.get("arms") or root.get("cross") or root
    if too_long := _longest_name(experiment):
        why = f"an arm would be called {too_long!r}; give shorter handles, {LONGEST} letters in all"
        yield document.problem(root.get("cross") or root, why)
        return
    names = [arm.id for arm in declared_arms(experiment)]
    if len(names) < 2:
        yield document.problem(spot, "needs at least two arms to compare, under `arms` or `cross`")
    for name in _twice(names):
        yield document.problem(spot, f"two arms are called {shown(name)}")
    for name in _twice([each.id for each in experiment.variations]):
        where = root.get("variations") or root
        yield document.problem(where, f"two variations are called {shown(name)}")
    for name in experiment.beside:
        if name in names:
            yield document.problem(
                spot, f"{shown(name)} is the name of a yardstick; rename the arm"
            )
    baseline = root.get("baseline")
    if baseline is not None and baseline.value not in names:
        hint = near(str(baseline.value), names)
        yield document.problem(baseline, f"{shown(baseline.value)} is no arm{hint}")
    seated = set(_seated(design, settings))
    for arm in design.arms:
        if not (arm.model or arm.rotate_models or (seated and seated <= set(arm.models))):
            why = f"the arm {arm.id} has no model; write `model: local`, or provider:model"
            yield document.problem(spot, why)
    yield from _variations(document, root, design)


def _variations(document: Document, root: Node, design: Design) -> Iterator[Problem]:
    """Circumstances under which an arm would be no other than the baseline."""
    if design.experiment.baseline not in [arm.id for arm in design.arms]:
        return
    others = [arm for arm in design.arms if not _alike(arm, design.baseline)]
    for node, variation in zip(root.each("variations"), design.experiment.variations, strict=True):
        control = design.under(design.baseline, variation)
        for arm in others:
            if _alike(design.under(arm, variation), control):
                why = f"under it the arm {arm.id} is the baseline; change what the arms share"
                yield document.problem(node, why)


def _alike(one: Conditions, other: Conditions) -> bool:
    """Whether two are the same in all but their names."""
    return one.model_dump(exclude={"id"}) == other.model_dump(exclude={"id"})


def _longest_name(experiment: Experiment) -> str | None:
    """The longest name of a combination, where it is too long for an arm."""
    cross = experiment.cross or Cross()
    axes: tuple[Mapping[str, object], ...] = (cross.prompt, cross.model, cross.chair, cross.rules)
    name = "-".join(max(axis, key=len) for axis in axes if axis)
    return name if len(name) > LONGEST else None


def _twice(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


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
        for axis in CROSSED:
            for handle, value in getattr(experiment.cross, axis).items():
                yield _under(cross, axis, handle), Conditions.model_validate({axis: value})


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
    if held.model is not None and held.rotate_models:
        why = "the place has `model` as well; keep one of the two"
        yield document.problem(node.get("rotate_models") or node, why)
    for name in filter(None, (held.prompt, *held.prompts.values())):
        try:
            persona_prompt(prompt_beside(name, design.beside), personas_root() / "prompts")
        except UserError as error:
            yield document.problem(_spot(node, name), str(error))


def _at_table(
    document: Document,
    node: Node,
    held: Conditions,
    design: Design,
    settings: Sequence[Setting],
) -> Iterator[Problem]:
    """Prompts and models for parties that have no seat, and rules that no table can follow."""
    seated = _seated(design, settings)
    if not seated:
        return
    for key in ("prompts", "models"):
        given = node.get(key)
        for party, value in given.value.items() if given and isinstance(given.value, dict) else ():
            if party not in seated:
                why = f"{shown(party)} is no party at this table{near(party, seated)}"
                yield document.problem(value, why)
    rules = {name: getattr(held.rules, name) for name in held.rules.model_fields_set}
    for setting in settings:
        usual = design.agenda(setting)
        try:
            agenda_by_hand(
                setting, design.experiment.agenda, items=usual.items, parties=usual.parties,
                rules=rules,
            )  # fmt: skip
        except UserError as error:
            yield document.problem(_under(node, "rules"), str(error))


def _wording(
    document: Document,
    node: Node,
    held: Conditions,
    design: Design,
    settings: Sequence[Setting],
) -> Iterator[Problem]:
    """What is wrong with a file of other statements, at the place that names it."""
    if held.wording is None:
        return
    try:
        wording = read_wording(design.beside / held.wording)
        for setting in settings:
            reworded(setting, wording)
    except UserError as error:
        why = "; ".join(str(error).splitlines())
        yield document.problem(_spot(node, held.wording), why)


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
