"""Debates as tables, a row each: turns, moves (votes included), scores; as CSV or JSON lines.

Names of columns are those of the views of `tracktwo query` where they mean the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias, get_args

from evals.evaluator import Failure, Result, Score
from evals.exporting.visible import Debate
from evals.warehouse.asking import Answer
from evals.warehouse.export import jsonable
from evals.warehouse.export import to_csv as csv_of
from evals.warehouse.shape import Column, columns
from harness import events as e
from harness.events import NOTICE

Table = Literal["turns", "moves", "scores"]
TABLES: tuple[Table, ...] = get_args(Table)

Cell: TypeAlias = str | int | float | bool | list[str] | list[int] | None
Row: TypeAlias = Mapping[str, Cell]


_PLACE = """
    file VARCHAR: the transcript
    seq INTEGER: line number in the file, from 0
    turn VARCHAR: handle of the turn, T12
    party VARCHAR: who had the floor
    item VARCHAR: agenda item
    phase VARCHAR: opening, round, reply, caucus or decision
    round INTEGER: round of the item
"""

COLUMNS: Mapping[Table, tuple[Column, ...]] = {
    "turns": columns(f"""
    {_PLACE.strip()}
    private BOOLEAN: whether not everybody could hear it
    statement VARCHAR: what was said; null in votes without words and in failed turns
    words INTEGER: how many words that is
    citations VARCHAR[]: positions cited
    speech VARCHAR: free: the model worded it; composed: the dossier did
    note VARCHAR: private note of the delegation; null unless private rows were asked for
    moves INTEGER: moves in order
    ruled_out INTEGER: moves out of order
    votes INTEGER: formal answers given
    failure VARCHAR: why there is no answer; never a vote, an abstention or silence
    why VARCHAR: the failure in words
    """),
    "moves": columns(f"""
    {_PLACE.strip()}
    move VARCHAR: propose, accept, reserve, reject, withdraw, concede, ask; vote: a formal answer
    issue VARCHAR: issue
    option VARCHAR: option of the issue; null for ask
    label VARCHAR: the option in a few words
    vote VARCHAR: accept, reserve, reject or abstain; null where it is no vote
    offer VARCHAR: the offer answered, withdrawn or replaced
    tabled VARCHAR: handle of the offer this move put on the table
    asked VARCHAR: the party a question went to
    in_return_for VARCHAR: what a concession asks for, issue/option
    because VARCHAR: the position behind it
    in_order BOOLEAN: false where it was ruled out and changed nothing
    why VARCHAR: why it was ruled out
    """),
    "scores": columns("""
    file VARCHAR: the transcript
    evaluator VARCHAR: name of the evaluator
    version INTEGER: its version
    metric VARCHAR: the metric; evals/README.md has every formula
    subject VARCHAR: debate, item:ID, party:ID, party:ID/issue:ID, parties:ID+ID ...
    value DOUBLE: the value; true is 1; null where there is none, and reason says why
    label VARCHAR: the value in a word, for metrics that are categories
    n INTEGER: cases it stands on
    hits INTEGER: the numerator of a share of cases
    unscored INTEGER: further cases that could not be scored
    low DOUBLE: lower end of the interval; null where nothing is estimated
    high DOUBLE: upper end
    judge VARCHAR: the judge behind it; null where code alone made it
    rubric VARCHAR: what the judge was asked
    calibrated BOOLEAN: whether the judge's errors were measured; null without a judge
    corrected DOUBLE: the value corrected for these errors
    corrected_low DOUBLE: lower end of its interval
    corrected_high DOUBLE: upper end
    screen BOOLEAN: whether it only flags what to read
    greyed VARCHAR: why it should not be relied on; empty if nothing is known against it
    failed BOOLEAN: whether it could not be scored; never a 0
    reason VARCHAR: why this value, or why there is none
    evidence INTEGER[]: line numbers of the events it rests on
    """),
}
"""The columns of each table, in order; one with the notice follows."""


def rows(debate: Debate, table: Table) -> Iterator[Row]:
    """The rows of a debate, in the order of the record; scores in the order they were made."""
    match table:
        case "turns":
            yield from _turns(debate)
        case "moves":
            yield from _moves(debate)
        case "scores":
            yield from (_score(each, debate.file) for each in debate.results)


def to_csv(debates: Iterable[Debate], table: Table) -> Iterator[str]:
    """Lines of CSV: lists are JSON, nothing is a formula to a spreadsheet, notice at the end."""
    columns = COLUMNS[table]
    kinds = tuple((column.name, column.type) for column in columns)
    found = (row for debate in debates for row in rows(debate, table))
    cells = (tuple(_one_line_end(row[column.name]) for column in columns) for row in found)
    return csv_of(Answer(kinds, cells))


def _one_line_end(cell: Cell) -> Cell:
    """A carriage return that is not quoted ends a row for many readers of CSV."""
    return cell.replace("\r\n", "\n").replace("\r", "\n") if isinstance(cell, str) else cell


def to_jsonl(debates: Iterable[Debate], table: Table) -> Iterator[str]:
    """A JSON object a line, its keys in the order of the columns, the notice last."""
    for debate in debates:
        for row in rows(debate, table):
            data = {column.name: jsonable(row[column.name]) for column in COLUMNS[table]}
            yield json.dumps(data | {"notice": NOTICE}, allow_nan=False) + "\n"


def _turns(debate: Debate) -> Iterator[Row]:
    turns: dict[str, list[e.TurnEvent]] = {}
    for event in debate.transcript.events:
        if isinstance(event, e.TurnEvent):
            turns.setdefault(event.turn, []).append(event)
    for events in turns.values():
        yield _turn(events, debate.file)


def _turn(events: list[e.TurnEvent], file: str) -> Row:
    said = next((each for each in events if isinstance(each, e.Statement)), None)
    note = next((each for each in events if isinstance(each, e.Note)), None)
    failed = next((each for each in events if isinstance(each, e.TurnFailed)), None)
    own = (e.Note, e.RuledOut)
    return {
        **_place(events[0], file),
        "private": any(x.audience is not None for x in events if not isinstance(x, own)),
        "statement": said.text if said else None,
        "words": len(said.text.split()) if said else None,
        "citations": list(said.citations) if said else None,
        "speech": said.speech if said else None,
        "note": note.text if note else None,
        "moves": sum(isinstance(each, e.MoveMade) for each in events),
        "ruled_out": sum(isinstance(each, e.RuledOut) for each in events),
        "votes": sum(isinstance(each, e.VoteCast) for each in events),
        "failure": failed.failure if failed else None,
        "why": failed.why if failed else None,
    }


def _moves(debate: Debate) -> Iterator[Row]:
    for event in debate.transcript.events:
        match event:
            case e.MoveMade() | e.RuledOut():
                yield _move(debate, event)
            case e.VoteCast():
                yield {
                    **_place(event, debate.file),
                    **_no_move("vote", event.issue, event.option, event.because),
                    "label": _label(debate, f"{event.issue}/{event.option}"),
                    "vote": event.vote,
                }


def _move(debate: Debate, event: e.MoveMade | e.RuledOut) -> Row:
    move = event.move
    return {
        **_place(event, debate.file),
        **_no_move(move.move, move.issue, move.option, move.because),
        "label": _label(debate, move.key) if move.option else None,
        "offer": move.offer,
        "tabled": event.offer if isinstance(event, e.MoveMade) else None,
        "asked": move.to,
        "in_return_for": move.in_return_for,
        "in_order": isinstance(event, e.MoveMade),
        "why": event.why if isinstance(event, e.RuledOut) else None,
    }


def _no_move(move: str, issue: str, option: str | None, because: str | None) -> dict[str, Cell]:
    """What moves and votes have in common; the rest is empty until it is filled in."""
    return {
        "move": move, "issue": issue, "option": option, "label": None, "vote": None, "offer": None,
        "tabled": None, "asked": None, "in_return_for": None, "because": because, "in_order": True,
        "why": None,
    }  # fmt: skip


def _label(debate: Debate, key: str) -> str | None:
    """The option in a few words; None for one that is not in the setting, which is ruled out."""
    try:
        return debate.transcript.setting.option(key).label
    except KeyError:
        return None


def _place(event: e.TurnEvent, file: str) -> dict[str, Cell]:
    return {
        "file": file, "seq": event.seq, "turn": event.turn, "party": event.party,
        "item": event.item, "phase": event.phase, "round": event.round,
    }  # fmt: skip


def _score(result: Result, file: str) -> Row:
    empty: dict[str, Cell] = {column.name: None for column in COLUMNS["scores"]}
    named: dict[str, Cell] = {
        "file": file, "evaluator": result.evaluator, "version": result.version,
        "metric": result.metric, "subject": result.subject,
    }  # fmt: skip
    if isinstance(result, Failure):
        return {**empty, **named, "failed": True, "reason": result.why}
    return {**empty, **named, **_value(result), **_judged(result)}


def _value(score: Score) -> dict[str, Cell]:
    return {
        "value": None if score.value is None else float(score.value),
        "label": score.label,
        "n": score.n,
        "hits": score.hits,
        "unscored": score.unscored,
        "low": score.interval.low if score.interval else None,
        "high": score.interval.high if score.interval else None,
        "screen": score.screen,
        "greyed": score.greyed,
        "failed": False,
        "reason": score.reason,
        "evidence": sorted({each.seq for each in score.evidence}),
    }


def _judged(score: Score) -> dict[str, Cell]:
    judge, corrected = score.judge, score.corrected
    ends = corrected.interval if corrected else None
    return {
        "judge": judge.judge if judge else None,
        "rubric": judge.rubric if judge else None,
        "calibrated": judge.calibrated if judge else None,
        "corrected": corrected.value if corrected else None,
        "corrected_low": ends.low if ends else None,
        "corrected_high": ends.high if ends else None,
    }
