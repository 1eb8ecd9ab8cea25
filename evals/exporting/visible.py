"""What of a transcript and its scores an export may show."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from evals import scores
from evals.evaluator import Evidence, Failure, Result, Score, evaluate
from evals.judging.rubrics import rubric
from evals.judging.shapes import Verdict
from evals.registry import BUILT_IN
from harness import events as e
from harness.errors import UserError
from harness.events import Event, RunCard, may_see
from harness.loading import display
from harness.parts import Fork, Reservation, Seat
from harness.setting import Party, Position, Setting
from harness.transcript import Transcript, read

_MACHINERY = (e.Text, e.ModelCall, e.Unread)
"""What seats were sent and answered is their own business, whatever it says of its audience."""

WITHHELD = "left out: it rests on what is private"
"""What stands in place of words that are not for everyone."""

_BROKE = "the evaluator broke: "
_PATH = re.compile(r"(?<=:)(?:~|[A-Za-z]:)?[/\\](?!/)[^+]*[/\\]")
"""Folders of an absolute path: whose they are is nobody's business."""

_RUN = 4
"""So many words in a row, in nothing that is public, tell where words come from."""


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
    """Its scores; words and evidence that are private are left out of a public one."""
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
    return Debate(display(path), public(whole), public_results(whole, results), remark)


def public(transcript: Transcript) -> Transcript:
    """The transcript as everybody may read it; events keep their numbers."""
    kept = tuple(filter(_is_public, transcript.events))
    turns = {event.turn for event in kept if isinstance(event, e.TurnEvent)}
    hidden = {each.id for each in _confidential(transcript.setting)}
    held = secrets(transcript)
    shown = (_told(_public_event(each, turns, hidden), held) for each in kept)
    return replace(transcript, events=tuple(shown))


def public_calls(transcript: Transcript) -> tuple[e.ModelCall, ...]:
    """The calls whose figures everybody may know: of public turns, and of the chair's words.

    Nobody can then tell from sums of tokens that some met in private, or for how long.

    Args:
        transcript: The whole transcript.
    """
    shown = [event for event in transcript.events if _is_public(event)]
    turns = {_stem(event.call) for event in shown if isinstance(event, e.TurnEvent)}
    chair = {event.call for event in shown if isinstance(event, e.ChairSpoke)}
    return tuple(c for c in transcript.calls if _stem(c.call) in turns or c.call in chair)


def _stem(call: str) -> str:
    """The name of a call without the number of the attempt."""
    return call.rpartition("#")[0]


@dataclass(frozen=True)
class Secrets:
    """What a transcript holds that is not for everyone, to find it again in other words."""

    names: Set[str]
    """Ids of confidential positions, and their canaries."""
    words: Set[tuple[str, ...]]
    """Runs of words of notes, private meetings, replies that gave no answer and confidential
    positions, as far as nothing public has them too."""

    def told_by(self, text: str | None) -> bool:
        """Whether a text names a confidential position or has words of what is private."""
        if not text:
            return False
        if any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) for name in self.names):
            return True
        said = _words(text)
        return any(run in self.words for length in self._lengths for run in _runs(said, length))

    @cached_property
    def _lengths(self) -> Set[int]:
        return {len(run) for run in self.words}


def secrets(transcript: Transcript) -> Secrets:
    """What is private in a transcript; nothing in one that was stripped of it."""
    hidden = [*_confidential(transcript.setting)]
    names = {name for each in hidden for name in (each.id, each.canary) if name}
    words: set[tuple[str, ...]] = set()
    for text in _private_texts(transcript, hidden):
        said = _words(text)
        words.update(_runs(said, min(_RUN, len(said))))
    open_ = _words(" ".join(_public_texts(transcript)))
    for length in {len(run) for run in words}:
        words.difference_update(_runs(open_, length))
    return Secrets(frozenset(names), frozenset(words))


def _confidential(setting: Setting) -> Iterator[Position]:
    for party in setting.parties:
        yield from (each for each in party.positions if each.visibility == "confidential")


def _private_texts(transcript: Transcript, hidden: Iterable[Position]) -> Iterator[str]:
    for position in hidden:
        yield from (position.statement, position.spoken)
    lost = {event.call for event in transcript.events if isinstance(event, e.Unread)}
    for event in transcript.events:
        match event:
            case RunCard() if event.fork and event.fork.said and event.fork.said.note:
                yield event.fork.said.note
            case e.Note():
                yield event.text
            case e.Unread():
                yield event.why
            case e.ModelCall() if event.reply and (event.failure or event.call in lost):
                yield event.reply
            case e.Statement() if event.audience is not None:
                yield event.text


def _public_texts(transcript: Transcript) -> Iterator[str]:
    for party in transcript.setting.parties:
        yield from (each.statement for each in party.positions if each.visibility == "public")
    for event in transcript.events:
        if isinstance(event, e.Statement) and event.audience is None:
            yield event.text


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.casefold()))


def _runs(said: tuple[str, ...], length: int) -> Iterator[tuple[str, ...]]:
    if length:
        yield from (said[at : at + length] for at in range(len(said) - length + 1))


def _is_public(event: Event) -> bool:
    return may_see(event, None) and not isinstance(event, _MACHINERY)


def _public_event(event: Event, turns: Set[str], hidden: Set[str]) -> Event:
    """The event without what is private in it.

    Args:
        event: Something everybody may know of.
        turns: Handles of the turns everybody may know of.
        hidden: Ids of confidential positions: what a party gave as its reason without saying it.
    """
    match event:
        case RunCard():
            fork = event.fork and _public_fork(event.fork, turns)
            setting, seats = _public_setting(event.setting), _public_seats(event.seats)
            return event.model_copy(update={"setting": setting, "fork": fork, "seats": seats})
        case e.MoveMade() | e.RuledOut() if event.move.because in hidden:
            move = event.move.model_copy(update={"because": None})
            return event.model_copy(update={"move": move})
        case e.VoteCast() if event.because in hidden:
            return event.model_copy(update={"because": None})
        case e.Decided():
            reserve = tuple(_public_reservation(each, hidden) for each in event.reserve)
            return event.model_copy(update={"reserve": reserve})
        case _:
            return event


def _public_reservation(each: Reservation, hidden: Set[str]) -> Reservation:
    return each.model_copy(update={"because": None}) if each.because in hidden else each


def _told(event: Event, held: Secrets) -> Event:
    """The event with a neutral reason, where the reason it gives quotes what is private."""
    if isinstance(event, e.TurnFailed | e.RuledOut | e.BudgetStop) and held.told_by(event.why):
        return event.model_copy(update={"why": WITHHELD})
    return event


def _public_seats(seats: Iterable[Seat]) -> tuple[Seat, ...]:
    """Who sat where; of a file that speaks in a seat the name, not where it lies."""
    return tuple(s.model_copy(update={"model": _PATH.sub("", s.model)}) for s in seats)


def _public_fork(fork: Fork, turns: Set[str]) -> Fork:
    """Where a debate was taken from.

    Its changes may quote a note or a private meeting, what was taken out may have been
    confidential, and moves and votes as they were made may name what is.
    """
    known = fork.turn in turns
    said = fork.said if known else None
    if said is not None:
        said = said.model_copy(update={"note": None, "moves": (), "votes": ()})
    return fork.model_copy(
        update={
            "changes": (WITHHELD,) if fork.changes else (), "without": (), "unheard": (),
            "turn": fork.turn if known else None, "said": said,
            "seats": _public_seats(fork.seats),
            "earlier": fork.earlier and _public_fork(fork.earlier, frozenset()),
        }
    )  # fmt: skip


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


def public_results(transcript: Transcript, results: Iterable[Result]) -> tuple[Result, ...]:
    """Scores as everybody may read them: values stay, words that rest on what is private do not.

    Args:
        transcript: The whole transcript, which says what is private.
        results: Its scores.
    """
    held = secrets(transcript)
    turns = {x.turn for x in transcript.events if isinstance(x, e.TurnEvent) and _is_public(x)}
    shown = {event.seq for event in transcript.events if _is_public(event)}

    def told(each: Evidence) -> bool:
        known = each.seq in shown or each.turn in turns
        return known and not each.private

    named = (r for r in results if not held.told_by(f"{r.metric} {r.subject}"))
    return tuple(_public_result(result, held, told) for result in named)


def _public_result(result: Result, held: Secrets, told: Callable[[Evidence], bool]) -> Result:
    if isinstance(result, Failure):
        why = WITHHELD if held.told_by(result.why) else public_why(result.why)
        return result.model_copy(update={"why": why})
    tells = result.judge is not None and not sees_public(result.judge.rubric)
    kept = filter(told, result.evidence)
    return result.model_copy(
        update={
            "reason": WITHHELD if tells or held.told_by(result.reason) else result.reason,
            "label": None if held.told_by(result.label) else result.label,
            "evidence": tuple(_public_evidence(each, held) for each in kept),
        }
    )


def _public_evidence(each: Evidence, held: Secrets) -> Evidence:
    return each.model_copy(update={"quote": ""}) if held.told_by(each.quote) else each


def public_why(why: str) -> str:
    """A broken evaluator's message may quote what it read, so only the kind of error is shown."""
    if not why.startswith(_BROKE):
        return why
    return _BROKE + why.removeprefix(_BROKE).partition(":")[0]


def public_verdict(verdict: Verdict, held: Secrets) -> Verdict:
    """A verdict as everybody may read it: label and judge stay; words only if they tell nothing.

    Args:
        verdict: What a judge said.
        held: What the whole transcript holds that is private.
    """
    if sees_public(verdict.rubric) and not tells(verdict, held):
        return verdict
    return verdict.model_copy(
        update={
            "reason": WITHHELD, "quote": "", "position": None, "position_quote": "",
            "unscored": verdict.unscored and WITHHELD,
        }
    )  # fmt: skip


def tells(verdict: Verdict, held: Secrets) -> bool:
    """Whether a verdict rests on a confidential position, or its words tell something private.

    Args:
        verdict: What a judge said.
        held: What the whole transcript holds that is private.
    """
    words = (verdict.reason, verdict.quote, verdict.position_quote, verdict.unscored,
             verdict.position)  # fmt: skip
    return any(map(held.told_by, words))


@lru_cache
def sees_public(name: str) -> bool:
    """Whether judges of this rubric see public positions only; not so where nobody knows."""
    try:
        return rubric(name).shows != "confidential"
    except UserError:
        return False


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
