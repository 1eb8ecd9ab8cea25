"""Which debate of an experiment belongs to which arm, told by what was declared.

Every declaration names arms, scenarios and seeds; a debate belongs to the cell whose name it has.
Whether it is still exactly the debate that is asked for can be told only where the prompts and
settings of the declaration are at hand, because they are part of its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import UserError
from harness.loading import display
from harness.transcript import closed

if TYPE_CHECKING:
    from harness.experiment.design import Design
    from harness.experiment.folder import Broken


class Slot(NamedTuple):
    """A place in an experiment: an arm on a scenario at a seed."""

    experiment: str
    experiment_sha: str
    arm: str
    role: str
    """baseline, arm or yardstick."""
    variation: str | None
    scenario: str
    seed: int

    @property
    def key(self) -> str:
        """What the names of its debates begin with; a fingerprint follows."""
        arm = f"{self.arm}.{self.variation}" if self.variation else self.arm
        return f"{arm}.{self.scenario}.s{self.seed:02d}"


class Placed(NamedTuple):
    """Where a transcript belongs."""

    file: str
    experiment: str
    arm: str
    variation: str | None
    scenario: str
    standing: bool | None


class Planned(NamedTuple):
    """A debate that is asked for, and what became of it: a row of `cells`."""

    experiment: str
    experiment_sha: str
    folder: str
    arm: str
    role: str
    variation: str | None
    scenario: str
    seed: int
    file: str | None
    finished: bool
    broke: int
    why: str | None


class Survey(NamedTuple):
    """What is known of a folder's debates."""

    placed: tuple[Placed, ...] = ()
    planned: tuple[Planned, ...] = ()


def survey(folder: Path, held: Mapping[str, Path]) -> Survey:
    """The debates of an experiment's folder and where each belongs.

    Args:
        folder: The folder with the declaration.
        held: The transcripts in it, by stem.

    Returns:
        Nothing where the folder cannot be read as an experiment: then nothing is claimed about it.
    """
    from harness.experiment.design import Design
    from harness.experiment.folder import Folder

    try:
        declared, broken = Folder(folder).declared, Folder(folder).broken
    except UserError:
        return Survey()
    if not declared:
        return Survey()
    # Where the experiment file lay is not on record; its prompts are looked for from here.
    designs = [Design(each.experiment, Path.cwd()) for each in declared]
    slots = [_slots(design) for design in designs]
    known = {slot.key: slot for some in slots for slot in some}
    names = _names(designs[-1])
    placed = [
        Placed(display(path), s.experiment, s.arm, s.variation, s.scenario, _standing(stem, names))
        for stem, path in held.items()
        if (s := known.get(_key(stem))) is not None
    ]
    planned = _planned(folder, slots[-1], names, held, broken)
    return Survey(tuple(placed), tuple(planned))


def _planned(
    folder: Path,
    slots: tuple[Slot, ...],
    names: Mapping[str, str] | None,
    held: Mapping[str, Path],
    broken: tuple[Broken, ...],
) -> Iterator[Planned]:
    for slot in slots:
        stem = names.get(slot.key) if names is not None else _only(slot.key, held)
        path = held.get(stem) if stem is not None else None
        off = [each for each in broken if each.debate == stem or (
            names is None and _key(each.debate) == slot.key)]  # fmt: skip
        yield Planned(
            slot.experiment, slot.experiment_sha, display(folder), slot.arm, slot.role,
            slot.variation, slot.scenario, slot.seed, display(path) if path is not None else None,
            path is not None and closed(path), len(off), off[-1].why if off else None,
        )  # fmt: skip


def _slots(design: Design) -> tuple[Slot, ...]:
    """Every place the declaration has; none where its setting cannot be had."""
    experiment = design.experiment
    try:
        scenarios = [scenario.id for scenario in design.scenarios]
    except (UserError, KeyError):  # the setting is elsewhere, or has other items by now
        return ()
    roles = {arm.id: "arm" for arm in design.arms} | {experiment.baseline: "baseline"}
    beside: dict[str, str] = dict.fromkeys(experiment.beside, "yardstick")
    slots = []
    for variation in (None, *(each.id for each in experiment.variations)):
        arms = roles if variation is not None else roles | beside
        slots += [
            Slot(experiment.id, experiment.sha, arm, role, variation, scenario, seed)
            for (arm, role), scenario, seed in product(arms.items(), scenarios, design.seeds)
        ]
    return tuple(slots)


def _names(design: Design) -> dict[str, str] | None:
    """The exact name of each debate that is asked for, by key; None where it cannot be told."""
    try:
        return {_key(cell.name): cell.name for cell in design.cells()}
    except (UserError, KeyError):
        return None


def _standing(stem: str, names: Mapping[str, str] | None) -> bool | None:
    return None if names is None else names.get(_key(stem)) == stem


def _key(stem: str) -> str:
    return stem.rpartition("-")[0]


def _only(key: str, held: Mapping[str, Path]) -> str | None:
    """The one debate that begins like this; None where there are several or none."""
    found = [stem for stem in held if _key(stem) == key]
    return found[0] if len(found) == 1 else None
