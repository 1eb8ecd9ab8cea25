"""Judgements as files beside the transcript: what was claimed and what judges said of it.

`NAME.judgements.jsonl` is derived from the ledger and can be made again. `NAME.queue.csv` holds the
claims on which judges disagree, for people to label: its columns are those that `tracktwo
calibrate --gold FILE` reads (evals/labelling/cells.py), so that what people decide can measure the
judges.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from evals.evaluator import Value
from evals.judging.shapes import Claim, Judgements, Verdict
from evals.labelling import cells
from harness.errors import TranscriptError, UserError
from harness.events import NOTICE, Header
from harness.places import draft_of
from harness.plain import clean
from harness.setting import sha
from harness.transcript import Transcript, fingerprint
from harness.transcript import read as whole


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


def write_queue(transcript: Path, claims: Iterable[tuple[Claim, str]]) -> Path:
    """Write the claims people should decide on, with what the judges said as the rationale.

    `target` and `annotator` are left empty: they are for whoever decides.
    """
    said_in = Debate.of(whole(transcript))
    rows = (
        (said_in.id_of(c), "", "test", "", c.party, c.item, one_line(c.text), "", said)
        for c, said in claims
    )
    return _replaced(queue_path(transcript), cells.written((*cells.NEEDED, *cells.NOTED), rows))


def queued(path: Path) -> tuple[str, ...]:
    """The ids of the claims in a queue, in its order.

    Raises:
        UserError: it cannot be read; the message names file and line.
    """
    lines = list(cells.lines_of(path))
    for line in lines:
        if line.wrong:
            raise UserError(f"{path}:{line.number}: {line.wrong}")
    return tuple(line.cells["id"] for line in lines)


class Debate(NamedTuple):
    """What tells one debate from every other, wherever its file lies."""

    name: str
    created: str

    @classmethod
    def of(cls, transcript: Transcript) -> Debate:
        """The debate on record in a transcript."""
        header = transcript.events[0]
        assert isinstance(header, Header)
        return cls(header.debate, header.created)

    def id_of(self, claim: Claim) -> str:
        """The id of a claim in queues and labels: `T5.2.1-3f09a2c1`.

        A claim's own id is unique in its debate only, and another judge may put the same sentence
        in other words under the same id; the fingerprint behind the hyphen tells them apart.
        """
        head = claim.id if _SAFE.fullmatch(claim.id) else "claim"
        parts = (*self, claim.party, claim.item, claim.turn, claim.sentence, claim.text)
        return f"{head}-{sha(chr(0).join(parts))[:8]}"


_SAFE = re.compile(r"[A-Za-z0-9.]{1,40}")


def one_line(text: str) -> str:
    """A claim's words as a proposition has them: on one line, nothing hidden in them."""
    return " ".join(clean(text).split())


def _replaced(path: Path, text: str) -> Path:
    draft = draft_of(path)
    draft.write_text(text, encoding="utf-8", newline="")
    draft.replace(path)
    return path
