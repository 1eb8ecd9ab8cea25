"""Files of scores: `<transcript>.scores.jsonl` beside the transcript they are about.

The first line says which file was scored, by which versions; then one result a line. A file of
scores is derived: it can be deleted and made again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from evals.evaluator import Evaluator, Failure, Result, Score, Value
from harness.errors import TranscriptError
from harness.events import NOTICE
from harness.places import draft_of
from harness.transcript import fingerprint

SCHEMA = 1
"""Version of the format."""


class ScoresHeader(Value):
    """The first line: what was scored, and with what."""

    kind: Literal["scores_header"] = "scores_header"
    format: Literal["tracktwo scores"] = "tracktwo scores"
    schema_version: int = SCHEMA
    transcript: str
    """Name of the transcript's file."""
    transcript_sha: str
    """SHA-256 of the transcript's bytes when it was scored."""
    evaluators: dict[str, int]
    """Version of each evaluator that ran, by name."""
    notice: str = NOTICE


_LINE: TypeAdapter[Score | Failure] = TypeAdapter(
    Annotated[Score | Failure, Field(discriminator="kind")]
)


@dataclass(frozen=True)
class ScoreFile:
    """A file of scores as read."""

    header: ScoresHeader
    results: tuple[Result, ...]

    def stale(self, transcript: Path) -> bool:
        """Whether the transcript has changed since it was scored."""
        return fingerprint(transcript) != self.header.transcript_sha


def scores_path(transcript: Path) -> Path:
    """Where the scores of a transcript lie."""
    return transcript.with_name(f"{transcript.stem}.scores.jsonl")


def write(transcript: Path, evaluators: Iterable[Evaluator], results: Iterable[Result]) -> Path:
    """Write results beside the transcript they are about, replacing earlier ones as a whole."""
    header = ScoresHeader(
        transcript=transcript.name,
        transcript_sha=fingerprint(transcript),
        evaluators={each.name: each.version for each in evaluators},
    )
    path = scores_path(transcript)
    lines = [header.model_dump_json(), *(result.model_dump_json() for result in results)]
    draft = draft_of(path)
    draft.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    draft.replace(path)
    return path


def read(path: Path) -> ScoreFile:
    """Read a file of scores.

    Raises: TranscriptError: it is missing, of a newer format, or a line cannot be read; the message
    names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise TranscriptError(f"{path}: cannot be read: {error.strerror}.") from error
    if not lines:
        raise TranscriptError(f"{path}:1: not a file of scores: it is empty.")
    header: ScoresHeader | None = None
    results: list[Result] = []
    try:
        header = ScoresHeader.model_validate_json(lines[0])
        for line in lines[1:]:
            results.append(_LINE.validate_json(line))  # noqa: PERF401 (its length names a bad line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "line"
        number = 1 if header is None else len(results) + 2
        raise TranscriptError(
            f"{path}:{number}: not a result of this format: {where}: {first['msg']}. "
            "Scores can be made again from the transcript."
        ) from error
    if header.schema_version > SCHEMA:
        raise TranscriptError(
            f"{path}:1: format {header.schema_version} is newer than this program."
        )
    return ScoreFile(header, tuple(results))
