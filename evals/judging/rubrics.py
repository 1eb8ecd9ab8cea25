"""Rubrics: one Markdown file per judged dimension, which an analyst can change without Python.

The front matter names the dimension, its scale and what the judge is shown; the body is what the
judge is told. A file's fingerprint stands on every score made with it, and a calibration holds for
exactly that fingerprint.
"""

from __future__ import annotations

import difflib
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from evals.evaluator import Value
from harness.errors import UserError
from harness.setting import sha

FOLDER = Path(__file__).parent.parent / "rubrics"
"""Where the rubrics that come with the program lie."""

Reads = Literal["sentences", "claims", "pairs", "statements", "issues", "chair"]
"""What one verdict is about.

sentences: sentences are split into claims; claims: one claim, beside positions of the record;
pairs: two claims of a party on an item; statements: one statement among those on its item; issues:
one party on one issue, from all that was said on the item; chair: a text of the chair and a party.
"""

Shows = Literal["nothing", "positions", "red_lines", "confidential", "cited"]
"""Which positions the judge sees beside what it reads: those of the speaker on the item; cited:
only those that the statement itself cites, and claims of statements that cite none are not read."""


class Rubric(Value):
    """What a judge is told about one dimension."""

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    """Name of the dimension and of its metrics."""
    title: str
    """As a heading reads."""
    version: int = Field(ge=1)
    """Raised by whoever changes the meaning of the scale."""
    reads: Reads
    """What one verdict is about."""
    scale: dict[str, str] = Field(default_factory=dict)
    """Each label with what it means; empty where the labels are the parties."""
    values: dict[str, float | None] = Field(default_factory=dict)
    """Labels as numbers, where a mean of them makes sense; null for a label that has no place among
    the numbers, such as one for courtesies: it counts in no mean."""
    needs_quote: tuple[str, ...] = ()
    """Labels that count only with words quoted from what was read (and from a position, where
    positions are shown)."""
    shows: Shows = "nothing"
    """Which positions the judge sees."""
    masked: bool | None = None
    """True: names are always hidden; False: never; left out: in half of the calls."""
    palette: dict[str, str] = Field(default_factory=dict)
    """A colour for each label, for pages."""
    text: str
    """The body: what the judge is told."""

    @model_validator(mode="after")
    def _coherent(self) -> Rubric:
        for field, labels in (
            ("values", self.values), ("needs_quote", self.needs_quote), ("palette", self.palette),
        ):  # fmt: skip
            for label in labels:
                if self.scale and label not in self.scale:
                    known = ", ".join(self.scale)
                    raise ValueError(
                        f"{field} names {label!r}, which is not on the scale ({known})"
                    )
        if self.values and set(self.values) != set(self.scale):
            raise ValueError(
                "values must give a number, or null, for every label of the scale, or be left out"
            )
        # Without a scale the labels are the parties: who speaks is asked of statements alone.
        unlabelled = self.reads == "statements" and self.masked is True
        if self.reads != "sentences" and not self.scale and not unlabelled:
            raise ValueError("scale is missing: give each label with what it means")
        return self

    @cached_property
    def sha(self) -> str:
        """Fingerprint of everything in the file; the palette, which no judge sees, left out."""
        return sha(self.model_dump_json(exclude={"palette"}))


def read_rubric(path: Path) -> Rubric:
    """The rubric in a file.

    Raises:
        UserError: it cannot be read; the message names file, line and what is wrong.
    """
    try:
        whole = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: no rubric can be read there ({error}).") from None
    front, body = _parts(path, whole)
    try:
        return Rubric.model_validate({**_front(path, front), "text": body.strip()})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        said = first["msg"].removeprefix("Value error, ")
        place = ".".join(str(part) for part in first["loc"])
        # What `_coherent` says begins with the field it is about.
        line = _line_of(whole, str(first["loc"][0]) if first["loc"] else said.split()[0])
        raise UserError(
            f"{path}:{line}: {place}: {said}." if place else f"{path}:{line}: {said}."
        ) from None


def rubric(named: str) -> Rubric:
    """The rubric of this name, or in this file.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    if named.endswith(".md"):
        return read_rubric(Path(named))
    path = FOLDER / f"{named}.md"
    if not path.exists():
        near = difflib.get_close_matches(named, shipped(), n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise UserError(
            f"No rubric named {named!r}.{meant} There are {', '.join(shipped())}; "
            "or give the path of an .md file."
        )
    return read_rubric(path)


def shipped() -> tuple[str, ...]:
    """The names of the rubrics that come with the program."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "README"))


def _parts(path: Path, whole: str) -> tuple[str, str]:
    lines = whole.splitlines(keepends=True)
    fences = [number for number, line in enumerate(lines) if line.strip() == "---"]
    if len(fences) < 2 or fences[0] != 0:
        raise UserError(
            f"{path}:1: a rubric begins with its front matter between two lines of ---; "
            "see evals/rubrics/README.md."
        )
    return "".join(lines[1 : fences[1]]), "".join(lines[fences[1] + 1 :])


def _front(path: Path, text: str) -> dict[str, object]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    try:
        data = YAML(typ="safe", pure=True).load(StringIO(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise UserError(f"{path}:{line}: not YAML: {error.problem}.") from None
    if not isinstance(data, dict):
        raise UserError(f"{path}:2: the front matter is a list of `name: value` lines.")
    for field in ("scale", "values", "palette"):
        if isinstance(data.get(field), dict):
            data[field] = {str(label): value for label, value in data[field].items()}
    if isinstance(data.get("needs_quote"), list):
        data["needs_quote"] = [str(label) for label in data["needs_quote"]]
    return data


def _line_of(whole: str, field: str) -> int:
    for number, line in enumerate(whole.splitlines(), 1):
        if field and line.startswith(f"{field}:"):
            return number
    return 1
