"""What of a transcript and its scores an export may show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from evals import scores
from evals.evaluator import Result, Score, evaluate
from evals.registry import BUILT_IN
from harness import events as e
from harness.events import Event, RunCard, may_see
from harness.loading import display
from harness.setting import Party, Setting
from harness.transcript import Transcript, read

_MACHINERY = (e.Text, e.ModelCall, e.Unread)
"""What seats were sent and answered is their own business, whatever it says of its audience."""


class Label(NamedTuple):
    """What a judge said of something in a turn."""

    dimension: str
    judge: str
    calibrated: bool
    """Whether the judge's errors have been measured."""
    greyed: str
    """Why it should not be relied on; empty if nothing is known against it."""
    quote: str
    """The label, the position it rests on, and the words it is about."""
    private: bool

    @property
    def standing(self) -> str:
        """The judge's name, and what is known against it."""
        known = "" if self.calibrated else ", uncalibrated"
        return f"{self.judge}{known}" + (f", {self.greyed}" if self.greyed else "")


class Debate(NamedTuple):
    """A debate as it may be shown."""

    file: str
    """The transcript, as its path is shown."""
    transcript: Transcript
    results: tuple[Result, ...]
    """Its scores; evidence that is private is left out of a public one."""
    remark: str
    """What there is to say of the scores, such as that they were made anew; empty if nothing."""


def debate_of(path: Path, *, private: bool = False) -> Debate:
    """A transcript with the scores beside it.

    Scores that are missing, or older than the transcript, are made anew in memory by code alone;
    nothing is written.

    Args:
        path: The transcript.
        private: Whether notes, private meetings, confidential positions and calls are to be shown.

    Raises:
        TranscriptError: the transcript or its file of scores cannot be read.
    """
    whole = read(path)
    results, remark = _scored(path, whole)
    if private:
        return Debate(display(path), whole, results, remark)
    return Debate(display(path), public(whole), tuple(map(_public_result, results)), remark)


def public(transcript: Transcript) -> Transcript:
    """The transcript as everybody may read it; events keep their numbers."""
    kept = tuple(map(_public_event, filter(_is_public, transcript.events)))
    return replace(transcript, events=kept)


def _is_public(event: Event) -> bool:
    return may_see(event, None) and not isinstance(event, _MACHINERY)


def _public_event(event: Event) -> Event:
    match event:
        case RunCard():
            said = event.fork.said if event.fork is not None else None
            if event.fork is not None and said is not None and said.note is not None:
                fork = event.fork.model_copy(
                    update={"said": said.model_copy(update={"note": None})}
                )
                event = event.model_copy(update={"fork": fork})
            return event.model_copy(update={"setting": _public_setting(event.setting)})
        case _:
            return event


def _public_setting(setting: Setting) -> Setting:
    # Built anew, because a copy would carry over the cached look-ups of the whole setting.
    fields = {name: getattr(setting, name) for name in Setting.model_fields}
    return Setting(**fields | {"parties": tuple(map(_public_party, setting.parties))})


def _public_party(party: Party) -> Party:
    kept = tuple(each for each in party.positions if each.visibility == "public")
    return party.model_copy(update={"positions": kept})


def _scored(path: Path, transcript: Transcript) -> tuple[tuple[Result, ...], str]:
    beside = scores.scores_path(path)
    if beside.is_file():
        found = scores.read(beside)
        if not found.stale(path):
            return found.results, ""
        judged = any(isinstance(each, Score) and each.judge for each in found.results)
        lost = " Judged scores are left out." if judged else ""
        remark = f"{beside.name} is older than its transcript; its scores are made anew.{lost}"
    else:
        remark = ""
    return evaluate(transcript, BUILT_IN), remark


def _public_result(result: Result) -> Result:
    if not isinstance(result, Score):
        return result
    kept = tuple(each for each in result.evidence if not each.private)
    return result.model_copy(update={"evidence": kept})


def judged_by_turn(results: Iterable[Result]) -> Mapping[str, tuple[Label, ...]]:
    """What judges said of each turn, by handle, as far as the scores name it as evidence.

    A share names every contradicted claim and a few of the others, so a turn without a label may
    have been read all the same.
    """
    found: dict[str, dict[Label, None]] = {}
    for score in results:
        if not isinstance(score, Score) or score.judge is None:
            continue
        for each in score.evidence:
            if each.turn is not None:
                label = Label(
                    score.evaluator, score.judge.judge, score.judge.calibrated,
                    score.greyed, each.quote, each.private,
                )  # fmt: skip
                found.setdefault(each.turn, {})[label] = None
    return {turn: tuple(labels) for turn, labels in found.items()}
