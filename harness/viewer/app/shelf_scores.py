"""The headline scores of a transcript, from the file beside it, if they are about it as it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from evals.evaluator import Value
from evals.scores import SCHEMA, ScoresHeader, scores_path
from harness.transcript import fingerprint

HEADLINES = {
    ("agreement", "agreement_rate"): "agreed",
    ("concordance", "in_line"): "in_line",
    ("red_lines", "crossed_hard"): "crossed",
}
"""Evaluator and metric of what stands on the shelf."""

_MARKS = tuple(f'"evaluator":"{name}"'.encode() for name, _ in HEADLINES)
"""Inside a text of JSON its quotation marks would be escaped: no other line has one of these."""


class Share(Value):
    """So many of so many cases, of the debate or of a party."""

    about: str
    """Empty for the debate as a whole, else the party's id."""
    hits: int
    n: int
    unscored: int = 0
    """Further cases that could not be scored."""

    @property
    def value(self) -> float | None:
        """The share; None where there was nothing to count."""
        return self.hits / self.n if self.n else None


class Headlines(Value):
    """What the scores beside a transcript say, in short."""

    standing: Literal["scored", "none", "stale", "broken"]
    """none: there is no such file; stale: the transcript has changed since; broken: see `why`."""
    agreed: tuple[Share, ...] = ()
    in_line: tuple[Share, ...] = ()
    crossed: tuple[Share, ...] = ()
    why: str = ""

    def of(self, which: Literal["agreed", "in_line", "crossed"], about: str = "") -> Share | None:
        """One of them for the debate or a party; None where it was not scored."""
        found: tuple[Share, ...] = getattr(self, which)
        return next((share for share in found if share.about == about), None)


class Stamp(NamedTuple):
    """What tells that a file is the same as when it was looked at."""

    size: int
    modified: int
    """Nanoseconds."""
    inode: int


def stamp_of(path: Path | os.DirEntry[str]) -> Stamp | None:
    """The file's stamp; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ino)


class _Lean(BaseModel):
    """A score without what it stands on, which is most of its line."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    evaluator: str
    metric: str
    subject: str
    n: int
    hits: int | None = None
    unscored: int = 0


def headlines(transcript: Path) -> Headlines:
    """The headline scores beside a transcript.

    The transcript's bytes are hashed, not read, to tell whether they are the ones that were scored.
    """
    path = scores_path(transcript)
    try:
        lines = path.read_bytes().split(b"\n")
        header = ScoresHeader.model_validate_json(lines[0])
        if header.schema_version > SCHEMA:
            return Headlines(standing="broken", why=f"format {header.schema_version} is newer")
        if header.transcript_sha != fingerprint(transcript):
            return Headlines(standing="stale")
        return _gathered(lines[1:])
    except FileNotFoundError:
        return Headlines(standing="none")
    except OSError as error:
        return Headlines(standing="broken", why=f"cannot be read: {error.strerror}")
    except ValidationError as error:
        return Headlines(standing="broken", why=error.errors(include_url=False)[0]["msg"])


def _gathered(lines: list[bytes]) -> Headlines:
    found: dict[str, list[Share]] = {name: [] for name in HEADLINES.values()}
    for line in lines:
        if not line.startswith(b'{"kind":"score"') or not any(mark in line for mark in _MARKS):
            continue
        score = _Lean.model_validate_json(line)
        which = HEADLINES.get((score.evaluator, score.metric))
        kind, _, name = score.subject.partition(":")
        if which and score.hits is not None and (kind == "debate" or (kind == "party" and name)):
            share = Share(about=name, hits=score.hits, n=score.n, unscored=score.unscored)
            found[which].append(share)
    shares = {name: tuple(each) for name, each in found.items()}
    return Headlines.model_validate({"standing": "scored", **shares})
