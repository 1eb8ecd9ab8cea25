"""What planting gives back: the changed record, what was planted where, and what to compare with.

Also the comparison itself: which results of an evaluator differ between two records, by evaluator,
subject and metric.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from evals.evaluator import Evaluator, Result, Value, evaluate
from harness import events as e
from harness.errors import UserError
from harness.transcript import Transcript


class CannotPlant(UserError):
    """There is no place in the record for what was to be planted; the message says why."""


class Mark(Value):
    """One thing that was planted."""

    plant: str
    """The function that planted it, such as `red_line_vote`."""
    seq: int | None = None
    """Number of the event in the planted record; None for what stands in the setting."""
    turn: str | None = None
    """Handle of the turn."""
    party: str | None = None
    """The party it was planted on."""
    position: str | None = None
    """The position it concerns."""
    key: str | None = None
    """The text it concerns, as `issue/option`."""
    words: str = ""
    """The words planted; confidential where the plant is a leak."""


@dataclass(frozen=True)
class Planted:
    """A record with something planted in it."""

    transcript: Transcript
    marks: tuple[Mark, ...]
    """What was planted and where; never empty."""
    clean: Transcript
    """The record to compare with: the same without the plant. Not always the one that was given:
    for a leak it is that record with the position made confidential and nothing leaked."""


Cell: TypeAlias = tuple[str, str, str]
"""What a result is about: (evaluator, subject, metric)."""

Reading: TypeAlias = Mapping[Cell, tuple[tuple[object, ...], ...]]
"""All values of every cell, in no order, so that two readings can be compared."""


class Recall(NamedTuple):
    """How many plants an evaluator saw."""

    found: int
    of: int
    missed: tuple[Mark, ...]
    """The marks of those it did not."""

    def __str__(self) -> str:
        """`found/of`, with the share where there is one."""
        return f"{self.found}/{self.of}" + (f" ({self.found / self.of:.1%})" if self.of else "")


def reading(results: Iterable[Result]) -> Reading:
    """The values, labels and counts of results; reasons, evidence and intervals are left out.

    Floats are rounded to nine places, because a sum over a set has no order.
    """
    cells: dict[Cell, list[tuple[object, ...]]] = defaultdict(list)
    for result in results:
        cells[result.evaluator, result.subject, result.metric].append(_content(result))
    return {cell: tuple(sorted(found, key=repr)) for cell, found in cells.items()}


def _content(result: Result) -> tuple[object, ...]:
    if result.kind == "failure":
        return ("failure", result.why)
    value = round(result.value, 9) if isinstance(result.value, float) else result.value
    return (value, result.label, result.n, result.hits, result.unscored)


def differing(before: Reading, after: Reading, *, unscored: bool = True) -> frozenset[Cell]:
    """The cells that are not the same in both readings, or stand in one of them only.

    Without `unscored`, how many cases could not be scored makes no difference.
    """

    def kept(found: Reading, cell: Cell) -> list[tuple[object, ...]]:
        return [content if unscored else content[:4] for content in found.get(cell, ())]

    cells = before.keys() | after.keys()
    return frozenset(cell for cell in cells if kept(before, cell) != kept(after, cell))


def changed(evaluators: Iterable[Evaluator], planted: Planted) -> frozenset[Cell]:
    """The cells whose values differ between the clean and the planted record."""
    chosen = tuple(evaluators)
    before, after = (evaluate(t, chosen) for t in (planted.clean, planted.transcript))
    return differing(reading(before), reading(after))


def detected(evaluator: Evaluator, planted: Planted, *metrics: str) -> bool:
    """Whether any result of the evaluator changed; with `metrics`, any result of one of these."""
    return any(not metrics or cell[2] in metrics for cell in changed((evaluator,), planted))


def recall(evaluator: Evaluator, plants: Iterable[Planted], *metrics: str) -> Recall:
    """How many of the planted records the evaluator told from the clean ones."""
    listed = tuple(plants)
    missed = [planted for planted in listed if not detected(evaluator, planted, *metrics)]
    marks = tuple(mark for planted in missed for mark in planted.marks)
    return Recall(len(listed) - len(missed), len(listed), marks)


def statement_of(transcript: Transcript, turn: str) -> e.Statement:
    """What was said in the turn.

    Raises:
        CannotPlant: nothing was.
    """
    for event in transcript.events:
        if isinstance(event, e.Statement) and event.turn == turn:
            return event
    raise CannotPlant(f"nothing was said in turn {turn!r}; name a turn with a statement.")


def public_turns(transcript: Transcript, party: str | None = None) -> tuple[str, ...]:
    """The turns with words that everyone heard, of the party or of all."""
    return tuple(
        event.turn
        for event in transcript.events
        if isinstance(event, e.Statement)
        and event.audience is None
        and event.text.strip()
        and party in (None, event.party)
    )


def marked(plant: str, event: e.EventBase, words: str = "", **where: str | None) -> Mark:
    """A mark on an event of the planted record."""
    turn = event.turn if isinstance(event, e.TurnEvent) else None
    party = event.party if isinstance(event, e.TurnEvent) else None
    return Mark(plant=plant, seq=event.seq, turn=turn, party=party, words=words, **where)
