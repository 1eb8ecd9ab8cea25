"""Scores as Inspect's: a name, a value or none with the reason, the words, what they rest on.

What could not be scored, and what had nothing to count, is NaN, which Inspect leaves out of every
mean; the reason says which of the two it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import nan
from pathlib import Path
from typing import NamedTuple

from evals import subject
from evals.evaluator import Evidence, Failure, Result, Score
from evals.exporting.inspect_talk import Json, Reference, Talk, inert
from evals.judging import files
from evals.judging.shapes import Verdict
from harness.transcript import fingerprint

EMPTY = "nothing_to_count"
"""The reason where there is no value because there was nothing to count."""

FAILED = "scoring_failed"
"""The reason where it could not be scored; Inspect's own word."""

SHOWN = 12
"""So many pieces of evidence stand in a score's words; the metadata has all."""


class Entry(NamedTuple):
    """One score of a sample, or one label of a turn."""

    name: str
    value: float | int | bool | str
    """NaN where there is none."""
    answer: str | None
    """The value in a word, where it is a category."""
    explanation: str
    reason: str | None
    """Why there is no value, in one word."""
    metadata: dict[str, Json]
    references: tuple[Reference, ...]
    anchor: int | None = None
    """The event a label belongs to."""


def judgements(path: Path) -> tuple[Verdict, ...]:
    """What judges said of the transcript as it is; nothing of what they said of an earlier state.

    Raises:
        TranscriptError: the file of judgements cannot be read.
    """
    where = files.judgements_path(path)
    if not where.is_file():
        return ()
    header, found = files.read(where)
    return found.verdicts if header.transcript_sha == fingerprint(path) else ()


def of_turns(result: Result) -> bool:
    """Whether a result is about one thing a party did, and so a label of a turn."""
    return isinstance(result, Score) and result.subject.startswith("party:") and (
        "/issue:" in result.subject
    )  # fmt: skip


def entries(talk: Talk, results: Iterable[Result]) -> dict[str, Entry]:
    """The scores of the sample by name; what is about one turn is left to `labels`."""
    found: dict[str, Entry] = {}
    for result in results:
        if not of_turns(result):
            entry = entry_of(talk, result)
            name = entry.name if entry.name not in found else f"{entry.name} ({len(found)})"
            found[name] = entry._replace(name=name)
    return found


def name_of(result: Result) -> str:
    """`evaluator/metric`, with what it is about unless that is the debate, and its judge."""
    about = "" if result.subject == subject.DEBATE else f" {result.subject}"
    judge = f" by {result.judge.judge}" if isinstance(result, Score) and result.judge else ""
    return f"{result.evaluator}/{result.metric}{about}{judge}"


def entry_of(talk: Talk, result: Result) -> Entry:
    """A result as a score of Inspect's."""
    if isinstance(result, Failure):
        words = f"Unscored: {inert(result.why)}"
        data: dict[str, Json] = {
            "subject": result.subject, "version": result.version, "why": result.why,
        }  # fmt: skip
        return Entry(name_of(result), nan, None, words, FAILED, data, ())
    value = nan if result.value is None else result.value
    reason = None if result.value is not None else FAILED if result.unscored else EMPTY
    notes = [note for note in result.evidence if note.seq in talk.shown]
    return Entry(
        name_of(result), value, result.label, _explained(talk, result, notes), reason,
        _metadata(result, notes), talk.cited(note.seq for note in notes),
        anchor=max((note.seq for note in notes), default=None),
    )  # fmt: skip


def _metadata(result: Score, notes: Sequence[Evidence]) -> dict[str, Json]:
    stated = result.model_dump(
        mode="json", exclude={"kind", "evaluator", "metric", "value", "evidence", "reason", "label"}
    )
    evidence: list[Json] = [
        {"seq": note.seq, "turn": note.turn, "quote": note.quote} for note in notes
    ]
    kept: dict[str, Json] = {
        key: value for key, value in stated.items() if value not in (None, "", [])
    }
    if not result.screen:
        kept.pop("screen")
    return kept | {"evidence": evidence}


def _explained(talk: Talk, result: Score, notes: Sequence[Evidence]) -> str:
    facts = [f"n = {result.n}", f"unscored {result.unscored}"]
    if result.interval is not None:
        low, high = result.interval.low, result.interval.high
        facts.append(f"{result.interval.level:.0%} interval {low:.2f} to {high:.2f}")
    warned = [f"**Greyed**: {inert(result.greyed)}"] if result.greyed else []
    judge = [_judge(result)] if result.judge is not None else []
    lines = [inert(result.reason), "; ".join(facts), *judge, *warned]
    return "\n\n".join([*lines, *_cited(talk, notes)])


def _judge(result: Score) -> str:
    assert result.judge is not None
    if not result.judge.calibrated:
        return f"Judge {inert(result.judge.judge)}, **uncalibrated**"
    stands = f"Judge {inert(result.judge.judge)}, calibrated on {inert(result.judge.gold or '')}"
    right = result.corrected
    if right is None or right.value is None:
        return f"{stands}; no corrected value"
    return f"{stands}; corrected for its errors {right.value:.2f}"


def _cited(talk: Talk, notes: Sequence[Evidence]) -> Iterator[str]:
    """The evidence as a list, one line an event, each with its reference."""
    if not notes:
        return
    grouped: dict[Reference, list[Evidence]] = {}
    for note in notes:
        grouped.setdefault(talk.references[note.seq], []).append(note)
    lines = [_line(talk, reference, held) for reference, held in list(grouped.items())[:SHOWN]]
    more = len(grouped) - len(lines)
    yield "\n".join(f"- {line}" for line in lines) + (f"\n- and {more} more" if more else "")


def _line(talk: Talk, reference: Reference, notes: Sequence[Evidence]) -> str:
    turn = notes[0].turn or "the chair"
    words = "; ".join(dict.fromkeys(filter(None, (note.quote for note in notes))))
    return f"{reference.cite} {turn}" + (f": {inert(' '.join(words.split()))}" if words else "")


def labels(talk: Talk, results: Iterable[Result], verdicts: Iterable[Verdict]) -> Iterator[Entry]:
    """What code and judges say of single turns; what is not for everyone is left out."""
    for result in results:
        if of_turns(result):
            entry = entry_of(talk, result)
            if entry.anchor is not None:
                yield _titled(entry)
    for verdict in verdicts:
        if verdict.run == 0 and verdict.seqs and talk.shown.issuperset(verdict.seqs):
            yield _titled(_verdict(talk, verdict))


def _titled(entry: Entry) -> Entry:
    """The label with its name in its words: the viewer shows no other beside it."""
    return entry._replace(explanation=f"**{inert(entry.name)}**\n\n{entry.explanation}")


def _verdict(talk: Talk, verdict: Verdict) -> Entry:
    data: dict[str, Json] = {
        "judge": verdict.judge, "rubric": verdict.rubric, "unit": verdict.unit,
        "position": verdict.position, "quote": verdict.quote,
        "position_quote": verdict.position_quote,
    }  # fmt: skip
    references = talk.cited(verdict.seqs)
    said = verdict.unscored or verdict.reason
    parts = [
        " ".join(reference.cite for reference in references),
        inert(verdict.unit),
        inert(said),
        f"rests on {inert(verdict.position)}" if verdict.position else "",
    ]
    return Entry(
        f"{verdict.rubric} by {verdict.judge}",
        nan if verdict.label is None else verdict.label,
        None, "; ".join(filter(None, parts)),
        FAILED if verdict.label is None else None, data, references, verdict.seqs[-1],
    )  # fmt: skip
