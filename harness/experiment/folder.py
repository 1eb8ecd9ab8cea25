"""Where an experiment's debates lie, and what was declared when.

<folder>/declared.jsonl      every version of the declaration, with how many debates there were
<folder>/failures.jsonl      debates that broke off, with the reason
<folder>/<debate>.jsonl      the transcripts; what is derived from one stands beside it
<folder>/broken/             transcripts that could not be gone on with; their debates began anew
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from harness.errors import UserError
from harness.experiment.design import Cell
from harness.experiment.shapes import Experiment
from harness.rules import Value
from harness.transcript import closed

_Line = TypeVar("_Line", bound=Value)

ASIDE = "broken"
"""The folder below for transcripts that could not be gone on with."""

_DEBATE = re.compile(r".+\.s\d{2,}-[0-9a-f]{8}")
"""What a debate is called, see `Cell.name`."""


class Declaration(Value):
    """What was declared, and when."""

    sha: str
    """Fingerprint, see `Experiment.sha`."""
    at: str
    """UTC time, ISO 8601."""
    finished: int
    """How many debates in the folder were finished by then, those of earlier versions included."""
    source: str
    """The experiment file, as it was."""
    experiment: Experiment


class Broken(Value):
    """A debate that broke off."""

    debate: str
    at: str
    attempt: int
    """1, or 2 for the retry."""
    why: str


@dataclass(frozen=True)
class Folder:
    """The folder of one experiment."""

    path: Path

    @property
    def declared(self) -> tuple[Declaration, ...]:
        """Everything that was declared, oldest first.

        Raises:
            UserError: the file cannot be read.
        """
        return tuple(_lines(self.path / "declared.jsonl", Declaration))

    @property
    def broken(self) -> tuple[Broken, ...]:
        """Every time a debate broke off, oldest first."""
        return tuple(_lines(self.path / "failures.jsonl", Broken))

    def transcript(self, cell: Cell) -> Path:
        """Where the debate is written."""
        return self.path / f"{cell.name}.jsonl"

    def finished(self, cell: Cell) -> bool:
        """Whether the debate has been held to its end."""
        return closed(self.transcript(cell))

    @property
    def debates(self) -> tuple[Path, ...]:
        """Every transcript in the folder, finished or not, of any version of the experiment."""
        named = sorted(self.path.glob("*.jsonl"))
        return tuple(path for path in named if _DEBATE.fullmatch(path.stem))

    @property
    def set_aside(self) -> tuple[Path, ...]:
        """The transcripts that could not be gone on with."""
        return tuple(sorted((self.path / ASIDE).glob("*.jsonl")))

    @property
    def held(self) -> int:
        """How many debates in the folder are finished, of any version of the experiment."""
        return sum(map(closed, self.debates))

    def declare(self, experiment: Experiment, source: str, at: str, finished: int) -> bool:
        """Put the declaration on file, unless it is the one that stands; True if it was put.

        Args:
            experiment: what is declared.
            source: the file as it is.
            at: UTC time, ISO 8601.
            finished: how many debates are finished, see `held`.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with _alone(self.path / "declared.jsonl"):
            standing = self.declared
            if standing and standing[-1].sha == experiment.sha:
                return False
            declaration = Declaration(
                sha=experiment.sha, at=at, finished=finished, source=source, experiment=experiment
            )
            # What was left out stays left out, so that reading it again gives the same value.
            self._append("declared.jsonl", declaration.model_dump(mode="json", exclude_unset=True))
        return True

    def broke(self, event: Broken) -> None:
        """Put on file that a debate broke off."""
        self._append("failures.jsonl", event.model_dump(mode="json"))

    def _append(self, name: str, data: dict[str, Any]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        line = (json.dumps(data, ensure_ascii=False) + "\n").encode()
        # One write to a file opened for appending: two processes' lines do not mix.
        descriptor = os.open(self.path / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process is in the same block on this file."""
    with path.open("ab") as file:
        try:
            import fcntl
        except ImportError:  # no advisory locks on this system: the user keeps to one process
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lines(path: Path, shape: type[_Line]) -> Iterator[_Line]:
    if not path.is_file():
        return
    # Not splitlines(): a question may hold a line separator that JSON leaves as it is.
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")[:-1], 1):
        try:
            yield shape.model_validate_json(line)
        except ValidationError as error:
            why = error.errors(include_url=False)[0]["msg"]
            raise UserError(f"{path}:{number}: cannot be read: {why}. Remove the line.") from error
