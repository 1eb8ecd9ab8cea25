"""Judgements as files beside the transcript: what was claimed and what judges said of it.

`NAME.judgements.jsonl` is derived from the ledger and can be made again. `NAME.queue.csv` holds the
claims on which judges disagree, for people to label: its columns are those that `tracktwo
calibrate --gold FILE` reads, so that what people decide can measure the judges.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from evals.evaluator import Value
from evals.judging.shapes import Claim, Judgements, Verdict
from harness.errors import TranscriptError
from harness.events import NOTICE
from harness.transcript import fingerprint


class JudgementsHeader(Value):
    """The first line: which file was read, by whom."""

    kind: Literal["judgements"] = "judgements"
    format: Literal["tracktwo judgements"] = "tracktwo judgements"
    schema_version: int = 1
    transcript: str
    """Name of the transcript's file."""
    transcript_sha: str
    """SHA-256 of its bytes when it was read."""
    judges: tuple[str, ...]
    rubrics: dict[str, str]
    """Fingerprint of each rubric, by name."""
    notice: str = NOTICE


_LINE: TypeAdapter[Claim | Verdict] = TypeAdapter(
    Annotated[Claim | Verdict, Field(discriminator="kind")]
)


def judgements_path(transcript: Path) -> Path:
    """Where the judgements of a transcript lie."""
    return transcript.with_name(f"{transcript.stem}.judgements.jsonl")


def queue_path(transcript: Path) -> Path:
    """Where the claims lie on which judges disagree."""
    return transcript.with_name(f"{transcript.stem}.queue.csv")


def write(transcript: Path, judgements: Judgements) -> Path:
    """Write judgements beside their transcript, replacing earlier ones as a whole."""
    header = JudgementsHeader(
        transcript=transcript.name,
        transcript_sha=fingerprint(transcript),
        judges=judgements.judges,
        rubrics={name: rubric.sha for name, rubric in judgements.rubrics.items()},
    )
    records = [*judgements.claims, *judgements.verdicts]
    lines = [header.model_dump_json(), *(record.model_dump_json() for record in records)]
    return _replaced(judgements_path(transcript), "".join(f"{line}\n" for line in lines))


def read(path: Path) -> tuple[JudgementsHeader, Judgements]:
    """Read a file of judgements; rubrics and prompts are not in it, only their fingerprints.

    Raises:
        TranscriptError: it is missing, or a line cannot be read; the message names file and line.
    """
    header: JudgementsHeader | None = None
    records: list[Claim | Verdict] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        header = JudgementsHeader.model_validate_json(lines[0] if lines else "")
        for line in lines[1:]:
            records.append(_LINE.validate_json(line))  # noqa: PERF401 (its length names a bad line)
    except OSError as error:
        raise TranscriptError(f"{path}: cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        number = 1 if header is None else len(records) + 2
        raise TranscriptError(
            f"{path}:{number}: not a judgement of this format: {first['msg']}. Judgements can be "
            "made again from the judge's calls."
        ) from error
    return header, Judgements().with_records(records)


COLUMNS = ("id", "target", "split", "annotator", "party", "item", "text", "positions", "rationale")


def write_queue(transcript: Path, claims: Iterable[tuple[Claim, str]]) -> Path:
    """Write the claims people should decide on, with what the judges said as the rationale.

    `target` and `annotator` are left empty: they are for whoever decides.
    """
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for claim, said in claims:
        row = (claim.id, "", "test", "", claim.party, claim.item, claim.text, "", said)
        rows.writerow([_inert(cell) for cell in row])
    return _replaced(queue_path(transcript), text.getvalue())


def _inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell


def _replaced(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return path
