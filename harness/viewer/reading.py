"""Everything that is known of one debate, for whoever shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from evals.backtest.history import History, load_history, outcomes_file
from evals.evaluator import Result
from evals.exporting.visible import Secrets, debate_of, public_verdict, secrets
from evals.judging import files
from evals.judging.shapes import Judgements
from evals.record import mandates
from evals.tables import Tables, tables
from harness.errors import UserError
from harness.setting import Mandate, Setting
from harness.transcript import Transcript, fingerprint, read


@dataclass(frozen=True)
class Reading:
    """One debate as it is shown; with `public`, nothing in it is anybody's own."""

    file: str
    """Name of the transcript's file; not where it lies, because pages are passed on."""
    transcript: Transcript
    results: tuple[Result, ...]
    """Its scores; `results[n]` is what `#score-n` leads to."""
    judgements: Judgements
    """What judges said claim by claim; empty where none was asked."""
    history: History | None
    """What became of the issues in history, where that is documented."""
    public: bool
    remarks: tuple[str, ...] = ()
    """What there is to say of the scores and judgements, such as that they were out of date."""

    @property
    def setting(self) -> Setting:
        """The part of the setting that was debated."""
        return self.transcript.setting

    @cached_property
    def tables(self) -> Tables:
        """The two headline tables."""
        return tables(self.transcript, self.results)

    @cached_property
    def mandates(self) -> Mapping[tuple[str, str], Mandate]:
        """The mandate of every party on every item, by (party, item)."""
        return mandates(self.setting)

    @cached_property
    def secrets(self) -> Secrets:
        """What is private in it, to find it in the words of others; nothing in a public one."""
        return secrets(self.transcript)

    @property
    def has_confidential(self) -> bool:
        """Whether confidential positions count in its mandates; never so in a public one."""
        held = (p for party in self.setting.parties for p in party.positions)
        return any(p.visibility == "confidential" for p in held)

    def hides(self, position: str | None) -> bool:
        """Whether this is the id of a confidential position of the setting."""
        held = (p for party in self.setting.parties for p in party.positions)
        return any(p.id == position and p.visibility == "confidential" for p in held)


def reading_of(path: Path, *, public: bool = False) -> Reading:
    """A transcript with all that lies beside it.

    Args:
        path: The transcript; scores that are missing or out of date are made anew in memory.
        public: Leave out everything private before anything is derived from the rest.

    Raises:
        TranscriptError: the transcript or a file beside it cannot be read.
    """
    debate = debate_of(path, private=not public)
    held = secrets(read(path)) if public else None
    judgements, remark = _judgements(path, debate.transcript, held)
    remarks = tuple(each for each in (debate.remark, remark) if each)
    return Reading(
        file=path.name,
        transcript=debate.transcript,
        results=debate.results,
        judgements=judgements,
        history=_history(debate.transcript.setting),
        public=public,
        remarks=remarks,
    )


def _judgements(path: Path, transcript: Transcript, held: Secrets | None) -> tuple[Judgements, str]:
    """The judgements beside the transcript, as far as they are about what is shown of it.

    Args:
        path: The transcript.
        transcript: What is shown of it.
        held: What must not be in their words; None where everything may be.
    """
    beside = files.judgements_path(path)
    if not beside.is_file():
        return Judgements(), ""
    header, found = files.read(beside)
    if header.transcript_sha != fingerprint(path):
        return Judgements(), f"{beside.name} is older than its transcript and left out."
    shown = {event.seq for event in transcript.events}
    positions = {p.id for party in transcript.setting.parties for p in party.positions}
    claims = tuple(claim for claim in found.claims if claim.seq in shown)
    verdicts = tuple(
        verdict if held is None else public_verdict(verdict, held)
        for verdict in found.verdicts
        if shown.issuperset(verdict.seqs) and verdict.position in {None, *positions}
    )
    return Judgements().with_records((*claims, *verdicts)), ""


def _history(setting: Setting) -> History | None:
    """What became of the issues; None where the setting has no file of outcomes of its own."""
    try:
        file = outcomes_file(setting.id)
    except UserError:
        return None
    return _on_agenda(load_history(file, _whole(setting)), setting)


def _whole(setting: Setting) -> Setting:
    """The setting the outcomes are checked against, which the transcript may hold a part of."""
    from harness.loading import load_setting

    return load_setting(setting.id)


def _on_agenda(history: History, setting: Setting) -> History:
    issues = {issue.id for item in setting.items for issue in item.issues}
    kept = tuple(outcome for outcome in history.outcomes if outcome.issue in issues)
    return history.model_copy(update={"outcomes": kept})
