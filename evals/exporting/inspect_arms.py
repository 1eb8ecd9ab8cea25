"""Which debates go into which log: one log an arm, one sample a scenario, one epoch a seed.

Debates in an experiment's folder belong to the arm that was declared. Others belong together if
they were held alike: the same dossier and rules, and in every seat the same model and prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from evals.warehouse.cells import Placed, survey
from harness.events import Fork, RunCard
from harness.loading import display
from harness.setting import sha
from harness.transcript import read

BY_HAND = "by-hand"
"""What an agenda is called that was put together on the command line; it names no scenario."""


class Sitting(NamedTuple):
    """A debate and its place in a log."""

    path: Path
    sample: str
    """The scenario."""
    epoch: int
    """1, 2, ... in the order of seeds."""
    seed: int
    created: str
    """UTC time at which its file was opened, ISO 8601."""
    debate: str


class Arm(NamedTuple):
    """The debates of one log."""

    task: str
    """The experiment with the arm, or the setting."""
    key: str
    """Fingerprint of what its debates have in common."""
    experiment: str | None
    arm: str | None
    variation: str | None
    sittings: tuple[Sitting, ...]
    """By scenario, then by epoch."""

    @property
    def created(self) -> str:
        """When the first of them began."""
        return min(sitting.created for sitting in self.sittings)

    @property
    def samples(self) -> tuple[str, ...]:
        """Its scenarios."""
        return tuple(dict.fromkeys(sitting.sample for sitting in self.sittings))


class _Found(NamedTuple):
    place: tuple[str, str, str | None, str | None, str | None]
    sitting: Sitting


def arms(paths: Sequence[Path]) -> tuple[Arm, ...]:
    """The debates as arms, in the order in which their first debates are given.

    Raises:
        TranscriptError: a transcript cannot be read.
    """
    placed = _placed(paths)
    grouped: dict[tuple[str, str, str | None, str | None, str | None], list[Sitting]] = {}
    for path in dict.fromkeys(paths):
        found = _found(path, placed.get(display(path)))
        grouped.setdefault(found.place, []).append(found.sitting)
    return tuple(Arm(*place, tuple(_numbered(held))) for place, held in grouped.items())


def _placed(paths: Iterable[Path]) -> dict[str, Placed]:
    """The places of those that belong to an experiment, by file."""
    folders: dict[Path, dict[str, Path]] = {}
    for path in paths:
        folders.setdefault(path.parent, {})[path.stem] = path
    return {
        each.file: each for folder, held in folders.items() for each in survey(folder, held).placed
    }


def _found(path: Path, place: Placed | None) -> _Found:
    transcript = read(path)
    card, header = transcript.card, transcript.header
    scenario = place.scenario if place is not None else _scenario(card)
    sitting = Sitting(path, scenario, 0, card.seed, header.created, header.debate)
    if place is None:
        return _Found((card.setting.id, sha(_alike(card)), None, None, None), sitting)
    arm = f"{place.arm}.{place.variation}" if place.variation else place.arm
    # Held before the prompts or the dossier were changed: another arm, whatever its name.
    task = f"{place.experiment}.{arm}" + (".earlier" if place.standing is False else "")
    return _Found((task, sha(task), place.experiment, place.arm, place.variation), sitting)


def _scenario(card: RunCard) -> str:
    """The agenda where it has a name of its own, else the items."""
    items = [item.id for item in card.setting.items]
    agenda = card.setting.default_agenda
    return "+".join(items) if agenda == BY_HAND or len(items) == 1 else agenda


def _alike(card: RunCard) -> str:
    """Everything in which debates of one arm agree."""
    seats = "\n".join(seat.model_copy(update={"why": ""}).model_dump_json() for seat in card.seats)
    rules = card.rules.model_dump_json()
    return "\n".join((card.setting.id, card.setting_sha, rules, seats, _forked(card.fork)))


def _forked(fork: Fork | None) -> str:
    """The other conditions of a fork; its seed is what epochs are for."""
    if fork is None:
        return ""
    return fork.model_copy(update={"seed": 0, "seats": ()}).model_dump_json()


def _numbered(held: Iterable[Sitting]) -> Iterable[Sitting]:
    """The debates with their epochs; two of one seed are two epochs."""
    epochs: dict[str, int] = {}
    for sitting in sorted(held, key=lambda s: (s.sample, s.seed, s.debate, str(s.path))):
        epochs[sitting.sample] = epochs.get(sitting.sample, 0) + 1
        yield sitting._replace(epoch=epochs[sitting.sample])
