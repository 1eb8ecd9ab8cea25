"""What the shelf's tables show of a debate and of an experiment, in words."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from harness.errors import UserError
from harness.events import CHAIR
from harness.experiment.design import declared_arms
from harness.experiment.folder import Declaration, Folder
from harness.viewer.app.index import DECLARED, Entry, Index
from harness.viewer.app.shelf_glance import Glance, Sitting
from harness.viewer.app.shelf_scores import Headlines, Share
from harness.viewer.app.shelf_search import Asked, Outcome, Range, Sort, outcome_of

OUTCOME_WORDS: Mapping[Outcome, str] = {
    "all": "all issues agreed",
    "some": "some agreed",
    "none": "none agreed",
    "under-way": "under way",
    "unfinished": "unfinished",
    "broken": "broken file",
}


class Line(NamedTuple):
    """Something of a party."""

    who: str
    what: str


class Row(NamedTuple):
    """A debate on the shelf."""

    key: str
    """Its name, which a form sends letter by letter, however they look."""
    name: str
    """The last part of that."""
    folder: str
    address: str
    setting: str
    items: tuple[str, ...]
    seats: tuple[Line, ...]
    outcome: Outcome
    words: str
    """What became of it."""
    adopted: int
    issues: int
    """How many there were; 0 where nobody counted."""
    in_line: tuple[Line, ...]
    crossed: tuple[Line, ...]
    unscored: str
    """Why there are no scores; empty if there are."""
    turns: int
    created: str
    fork_of: str


class ExperimentRow(NamedTuple):
    """An experiment on the shelf."""

    name: str
    address: str
    question: str
    arms: tuple[str, ...]
    debates: int
    finished: int
    broken: str
    """Why its declaration cannot be read; empty if it can."""


def narrowed(asked: Asked, columns: Mapping[Sort, str]) -> tuple[str, ...]:
    """What is left out and how the rest is sorted, in words, but for the words searched for."""
    said = [
        f"{what} {value}"
        for what, value in (
            ("party", asked.party),
            ("model", asked.model),
            ("prompt", asked.prompt),
        )
        if value
    ]
    if asked.outcome:
        said.append(OUTCOME_WORDS[asked.outcome])
    if asked.experiment is not None:
        said.append(_of_experiment(asked.experiment))
    said += _bounds("issues agreed", asked.agreed, 100, " %")
    said += _bounds("votes in line", asked.in_line, 100, " %")
    said += _bounds("red lines crossed", asked.crossed, 1, "")
    if (asked.sort, asked.falling) != ("date", True):
        way = "largest or latest first" if asked.falling else "smallest or earliest first"
        said.append(f"sorted by {columns[asked.sort].lower()}, {way}")
    return tuple(said)


def _of_experiment(name: str) -> str:
    return "of no experiment" if name == "-" else f"experiment {name or 'this folder'}"


def _bounds(what: str, bounds: Range, scale: float, unit: str) -> list[str]:
    ends = (("from", bounds.low), ("to", bounds.high))
    said = " ".join(f"{end} {value * scale:g}" for end, value in ends if value is not None)
    return [f"{what} {said}{unit}"] if said else []


def address_of(name: str, room: str = "debates") -> str:
    """Where a debate or an experiment is shown."""
    return f"/{room}/{quote(name)}"


def row(entry: Entry, under_way: Mapping[str, bool]) -> Row:
    """A debate's row; what is under way comes with whether that is sure."""
    folder, _, last = entry.name.rpartition("/")
    outcome, seen = outcome_of(entry, under_way), entry.glance
    found = entry.headlines
    names = {seat.seat: seat.name for seat in seen.seats} if seen else {}
    return Row(
        key=entry.name,
        name=last,
        folder=folder,
        address=address_of(entry.name),
        setting=seen.setting.name if seen else "",
        items=tuple(item.name for item in seen.items) if seen else (),
        seats=tuple(_seats(seen.seats)) if seen else (),
        outcome=outcome,
        words=_words(seen, outcome, sure=under_way.get(entry.name, True)) if seen else entry.broken,
        adopted=seen.adopted if seen else 0,
        issues=seen.issues if seen else 0,
        in_line=_shares(found.in_line, names) if found else (),
        crossed=_shares(found.crossed, names) if found else (),
        unscored=_unscored(found) if found else "",
        turns=seen.turns if seen else 0,
        created=seen.created if seen else "",
        fork_of=seen.fork_of if seen else "",
    )


def experiment_row(index: Index, name: str, entries: Sequence[Entry]) -> ExperimentRow:
    """An experiment's row, as it was declared last."""
    declared, broken = declarations(index.folder / name)
    last = declared[-1].experiment if declared else None
    return ExperimentRow(
        name=name or index.folder.name,
        address=address_of(name, "experiments"),
        question=last.question if last else "",
        arms=tuple(arm.id for arm in declared_arms(last)) if last else (),
        debates=len(entries),
        finished=sum(bool(each.glance and each.glance.closed) for each in entries),
        broken=broken,
    )


def declarations(folder: Path) -> tuple[tuple[Declaration, ...], str]:
    """What was declared in an experiment's folder, or none of it and why it cannot be told."""
    try:
        declared = Folder(folder).declared
    except UserError as error:
        return (), str(error).replace(f"{folder}{os.sep}", "")
    except UnicodeDecodeError:
        return (), f"{DECLARED} is no text in UTF-8."
    except OSError as error:
        return (), f"{DECLARED} cannot be read: {error.strerror}."
    return declared, "" if declared else f"{DECLARED} holds no declaration."


def _seats(seats: Sequence[Sitting]) -> list[Line]:
    """Who sat where, those with the same model and prompt together."""
    groups: dict[str, list[str]] = {}
    for seat in seats:
        what = f"{seat.model}, prompt {seat.prompt}" if seat.prompt else seat.model
        if seat.seat != CHAIR or seat.model != "reference":  # the chair speaks by rule
            groups.setdefault(what, []).append(seat.name)
    return [Line(", ".join(names), what) for what, names in groups.items()]


def _words(seen: Glance, outcome: Outcome, *, sure: bool) -> str:
    match outcome:
        case "all":
            return f"all {seen.issues} agreed" if seen.issues != 1 else "the one issue agreed"
        case "some":
            return f"{seen.adopted} of {seen.issues} agreed"
        case "none":
            return f"none of {seen.issues} agreed"
        case "under-way":
            return "under way" if sure else "under way, or stopped a moment ago"
        case _ if seen.stopped:
            return f"unfinished: stopped at its ceiling of {seen.stopped}"
        case _:
            return "unfinished"


def _shares(shares: Sequence[Share], names: dict[str, str]) -> tuple[Line, ...]:
    """Party by party; what could not be scored is said, what was not asked is no 0."""
    return tuple(
        Line(names.get(share.about, share.about), _share(share)) for share in shares if share.about
    )


def _share(share: Share) -> str:
    lost = f", {share.unscored} unscored" if share.unscored else ""
    return (f"{share.hits} of {share.n}" if share.n else "no case") + lost


def _unscored(found: Headlines) -> str:
    match found.standing:
        case "scored":
            return ""
        case "none":
            return "not scored"
        case "stale":
            return "scored before it changed"
        case "broken":
            return f"scores unreadable: {found.why}"
