"""Where an experiment's debates lie, and what was declared when.

<folder>/declared.jsonl      every version of the declaration, with how many debates there were
<folder>/failures.jsonl      debates that broke off, with the reason
<folder>/<debate>.jsonl      the transcripts; what is derived from one stands beside it
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
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


class Declaration(Value):
    """What was declared, and when."""

    sha: str
    """Fingerprint, see `Experiment.sha`."""
    at: str
    """UTC time, ISO 8601."""
    finished: int
    """How many debates of the experiment were finished by then."""
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

    def declare(self, experiment: Experiment, source: str, at: str, finished: int) -> bool:
        """Put the declaration on file, unless it is the one that stands; True if it was put."""
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


def _lines(path: Path, shape: type[_Line]) -> Iterator[_Line]:
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            yield shape.model_validate_json(line)
        except ValidationError as error:
            why = error.errors(include_url=False)[0]["msg"]
            raise UserError(f"{path}:{number}: cannot be read: {why}. Remove the line.") from error
