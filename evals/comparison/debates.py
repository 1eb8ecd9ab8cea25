"""The debates an experiment asks for, and what of them lies in its folder.

A debate is told by the fingerprint in its name. Where a prompt file is gone or was edited since,
the fingerprint cannot be made again; a debate is then told by arm, scenario and seed, provided that
its run card agrees with the plan in all but the wording, and that is said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from harness.briefing import persona_prompt
from harness.errors import UserError
from harness.events import RunCard
from harness.experiment.design import USUAL_PROMPT, Cell, Design
from harness.experiment.folder import Broken, Folder
from harness.experiment.shapes import Conditions, Experiment
from harness.loading import personas_root
from harness.transcript import closed, read

State = Literal["finished", "unfinished", "failed", "missing"]
"""unfinished: begun and not at its end; failed: broke off and given up; missing: never begun."""

GIVEN_UP = 2
"""The attempt after which a debate that broke off is not tried again."""

_NAME = re.compile(r"(?P<key>.+\.s\d{2,})-[0-9a-f]{8}")


@dataclass(frozen=True)
class Debate:
    """A debate that was planned, and what became of it."""

    arm: str
    variation: str | None
    scenario: str
    seed: int
    treated: tuple[str, ...]
    """Parties that have the arm's own persona prompt and model."""
    path: Path
    """Its transcript, or where it would lie."""
    state: State
    why: str = ""
    """Why it was given up."""

    @property
    def group(self) -> str:
        """The arm; under a variation `arm.variation`."""
        return group_of(self.arm, self.variation)


class Stock(NamedTuple):
    """What an experiment has of its debates."""

    debates: tuple[Debate, ...]
    """Every planned one, in the order of the plan."""
    notes: tuple[str, ...]
    """What was left out, and what was told by its name alone."""


def group_of(arm: str, variation: str | None) -> str:
    """How the debates of an arm are called, by themselves or under a variation."""
    return f"{arm}.{variation}" if variation else arm


def stock(folder: Folder, design: Design) -> Stock:
    """Match the plan with the folder.

    Raises:
        UserError: a setting of the experiment cannot be found, or a file not be read.
    """
    lost = _lost(design)
    cells = list(_standing_in(design, lost).cells())
    files, taken = _files(folder.path), _taken(folder, cells, bool(lost))
    broken = {each.debate: each for each in folder.broken}
    debates = tuple(
        _debate(cell, path, broken[path.stem].why if _given_up(broken, path) else "")
        for cell, path in zip(cells, taken, strict=True)
    )
    over = [path for path in files if path not in set(taken)]
    return Stock(debates, tuple(_notes(lost, debates, cells, over)))


def _given_up(broken: Mapping[str, Broken], path: Path) -> bool:
    return path.stem in broken and broken[path.stem].attempt >= GIVEN_UP


def _debate(cell: Cell, path: Path, why: str) -> Debate:
    state: State = "missing"
    if closed(path):
        state = "finished"
    elif why:
        state = "failed"
    elif path.is_file():
        state = "unfinished"
    return Debate(
        arm=cell.arm,
        variation=cell.variation,
        scenario=cell.scenario,
        seed=cell.seed,
        treated=cell.treated,
        path=path,
        state=state,
        why=why if state == "failed" else "",
    )


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.jsonl")) if _NAME.fullmatch(path.stem)]


def _taken(folder: Folder, cells: Sequence[Cell], loose: bool) -> list[Path]:
    """For each cell its transcript, or where it would lie.

    Only an arm of which nothing has the plan's fingerprint is told by name: a mix of two wordings
    would be neither.
    """
    by_key: dict[str, list[Path]] = {}
    for path in _files(folder.path):
        by_key.setdefault(path.stem.rpartition("-")[0], []).append(path)
    exact = {_group(cell) for cell in cells if folder.transcript(cell).is_file()}
    return [
        folder.transcript(cell)
        if _group(cell) in exact
        else _latest(by_key.get(_key(cell), ()), cell, loose) or folder.transcript(cell)
        for cell in cells
    ]


def _group(cell: Cell) -> str:
    return group_of(cell.arm, cell.variation)


def _key(cell: Cell) -> str:
    """The name of a debate without its fingerprint."""
    return cell.name.rpartition("-")[0]


def _latest(paths: Sequence[Path], cell: Cell, loose: bool) -> Path | None:
    """Of the debates held as the cell asks, but for the wording, the one begun last."""
    held = [(read(path), path) for path in paths]
    fitting = [(t.header.created, path) for t, path in held if _fits(t.card, cell, loose)]
    return max(fitting)[1] if fitting else None


def _fits(card: RunCard, cell: Cell, loose: bool) -> bool:
    """Whether rules, models and the names of prompts are the plan's; the names not if `loose`."""
    seats = {seat.seat: seat for seat in card.seats if seat.seat in cell.models}
    return (
        card.rules == cell.agenda.rules
        and tuple(seats) == cell.agenda.parties
        and all(seat.model == cell.models[party] for party, seat in seats.items())
        and (loose or all(_same(seat.prompt, cell.prompts[p]) for p, seat in seats.items()))
    )


def _same(one: str | None, other: str) -> bool:
    """Whether two prompts have one name; where the files lie may differ."""
    return one is None or Path(one).name == Path(other).name


def _lost(design: Design) -> tuple[str, ...]:
    """The files of the experiment, prompts and wordings, that cannot be read here any more."""
    experiment = design.experiment
    named = {
        name
        for held in _conditions(experiment)
        for name in (held.prompt, *held.prompts.values())
        if name is not None
    }
    named |= set(experiment.cross.prompt.values() if experiment.cross else ())
    lost = {name for name in named if not _readable(name, design.beside)}
    worded = {held.wording for held in _conditions(experiment) if held.wording is not None}
    lost |= {name for name in worded if not (design.beside / name).is_file()}
    return tuple(sorted(lost))


def _conditions(experiment: Experiment) -> Iterator[Conditions]:
    yield experiment.common
    yield from experiment.arms
    yield from experiment.variations


def _readable(name: str, beside: Path) -> bool:
    file = beside / name
    try:
        persona_prompt(str(file) if file.is_file() else name, personas_root() / "prompts")
    except UserError:
        return False
    return True


def _standing_in(design: Design, lost: Iterable[str]) -> Design:
    """The design with other files for those that are lost: all but fingerprints stay true."""
    if not lost:
        return design
    data = design.experiment.model_dump(mode="json", exclude_unset=True)
    return Design(Experiment.model_validate(_replaced(data, frozenset(lost))), design.beside)


def _replaced(data: object, lost: frozenset[str]) -> object:
    """The data with every lost prompt replaced and every lost wording left out."""
    if isinstance(data, list):
        return [_replaced(each, lost) for each in data]
    if not isinstance(data, dict):
        return data
    return {
        key: _usual(value, lost) if key in ("prompt", "prompts") else _replaced(value, lost)
        for key, value in data.items()
        if key != "wording" or value not in lost
    }


def _usual(value: object, lost: frozenset[str]) -> object:
    if isinstance(value, dict):
        return {key: _usual(each, lost) for key, each in value.items()}
    return USUAL_PROMPT if value in lost else value


def _notes(
    lost: Sequence[str], debates: Sequence[Debate], cells: Sequence[Cell], over: Sequence[Path]
) -> Iterator[str]:
    if lost:
        yield (
            f"{', '.join(lost)} cannot be read here, so debates are told by arm, scenario and seed "
            "where their run cards fit"
        )
    otherwise = Counter(
        each.group for each, cell in zip(debates, cells, strict=True) if each.path.stem != cell.name
    )
    for group, count in otherwise.items():
        if not lost:
            yield (
                f"{count} debates of {group} were held with another wording of prompt or dossier "
                "than there is now; they are counted as they were held"
            )
    if over:
        yield (
            f"{len(over)} debates in the folder are left out: they belong to another version of "
            "the experiment, of its prompts or of its dossier"
        )
