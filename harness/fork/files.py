"""Whether the files that seats name are there, asked before any debate gets a file of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness import events as e
from harness.errors import UserError
from harness.events import CHAIR
from harness.fork.branches import Branch
from harness.models import registry


def check_files(branches: Iterable[Branch]) -> None:
    """Whether every script, recording and file of weights that sits in a seat is to be found.

    A run card names them as they were named when the debate was begun, often from another folder.

    Raises:
        UserError: a file is not found from the folder in which the program runs.
    """
    for branch in branches:
        for seat in branch.card.seats:
            for file in _files(seat.model):
                if not Path(file).is_file():
                    raise UserError(_missing(seat, file, branch))


def _files(model: str) -> Iterator[str]:
    """The files that a seat's model is made of, those of what stands behind it included."""
    spec = registry.parse(model)
    match spec.family:
        case "script":
            # script:FILE+MODEL; the last plus counts, as where the seat is filled.
            file, plus, behind = spec.rest.rpartition("+")
            yield file if plus else spec.rest
            yield from _files(behind) if plus else ()
        case "human" if spec.rest:
            yield from _files(spec.rest)
        case "replay" | "local" if spec.rest:
            yield spec.rest


def _missing(seat: e.Seat, file: str, branch: Branch) -> str:
    """What is to be done about it.

    The unchanged debates keep whoever sat there, so that another model would help the others alone.
    """
    name = "the chair" if seat.seat == CHAIR else branch.card.setting.party(seat.seat).short
    whole = Path(file).is_absolute()
    where = "is not there" if whole else f"is not found from {Path.cwd()}"
    mend = "put the file there" if whole else "start tracktwo in the folder where that path holds"
    said = f"In the seat of {name} sits {seat.model}, and {file} {where}"
    if branch.side == "control":
        return f"{said}. The unchanged debates keep that seat as it was: {mend}."
    return f"{said}: name another model for that seat, or {mend}."
