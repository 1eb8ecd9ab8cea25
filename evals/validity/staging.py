"""A transcript in which the truth of every sentence is known: gold propositions put into mouths.

The record of a real debate carries them, so that speakers, turns, moves and votes are what they
always are; every other statement becomes a courtesy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from evals.calibration.gold import Gold, Proposition
from evals.judging.pipeline import SPLITTING
from evals.judging.shapes import Judgements
from evals.labels import Label
from evals.text import sentences
from evals.validity.planted import CannotPlant
from evals.validity.prose import rewritten
from harness import events as e
from harness.transcript import Transcript

FILLER = "Thank you, Chair."
"""What is said in every other turn."""


class Place(NamedTuple):
    """Some sentences of a statement, by number: the same in every variant that keeps sentences."""

    turn: str
    first: int
    """Number of the first sentence, from 1."""
    last: int

    def holds(self, unit: str) -> bool:
        """Whether a claim (`T5.2.1`) or sentence (`T5.2`) is one of these."""
        turn, number, *_ = unit.split(".")
        return turn == self.turn and self.first <= int(number) <= self.last


@dataclass(frozen=True)
class Staged:
    """A transcript that says gold propositions, and which they are."""

    transcript: Transcript
    said: Mapping[str, Proposition]
    """Proposition id -> what was said."""
    places: Mapping[str, Place]
    """Proposition id -> where it is said."""

    def of(self, *labels: Label) -> tuple[str, ...]:
        """The ids of the propositions with one of these labels, in the order they are said."""
        return tuple(key for key, each in self.said.items() if each.label in labels)

    def labels(
        self, judgements: Judgements, rubric: str, judge: str, *, run: int = 0
    ) -> dict[str, str | None]:
        """What the judge says of each proposition; None where every claim of it is unscored.

        A proposition may be taken apart into several claims: one that is contradicted decides,
        then one that is supported, then the rest in the order of the scale. A proposition in which
        the first step found nothing to check is `no_claim`.
        """
        by_claim = {v.unit: v.label for v in judgements.of(rubric, judge, run=run)}
        return {key: self._label(key, judgements, by_claim) for key in self.said}

    def _label(
        self, key: str, judgements: Judgements, by_claim: Mapping[str, str | None]
    ) -> str | None:
        place = self.places[key]
        claims = [claim for claim in judgements.claims if place.holds(claim.id)]
        lost = any(
            v.rubric == SPLITTING and v.label is None and place.holds(v.unit)
            for v in judgements.verdicts
        )
        found = [by_claim.get(claim.id) for claim in claims if claim.checkworthy]
        scored = [label for label in found if label is not None and label != "abstain"]
        if scored:
            return min(scored, key=_FIRST.index)
        return None if found or lost else "no_claim"


_FIRST = ("contradicted", "supported", "partial", "unsupported", "no_claim")


def staged(clean: Transcript, gold: Gold, *, per_turn: int = 3) -> Staged:
    """Every gold proposition of the debated items said by its party, a few in a turn.

    Args:
        clean: a debate between parties of the gold's setting.
        gold: where the propositions come from; both splits.
        per_turn: propositions in one statement.

    Raises:
        CannotPlant: the gold has nothing on what was debated, or a party had too few turns.
    """
    waiting = _waiting(clean, gold)
    if not any(waiting.values()):
        raise CannotPlant(f"{gold.name} has no propositions on the items of this debate.")
    said: dict[str, Proposition] = {}
    places: dict[str, Place] = {}

    def told(statement: e.Statement) -> e.Statement:
        queue = waiting.get((statement.party, statement.item), [])
        chosen, queue[:] = queue[:per_turn], queue[per_turn:]
        at = 1
        for each in chosen:
            count = len(sentences(each.text))
            said[each.id], places[each.id] = each, Place(statement.turn, at, at + count - 1)
            at += count
        text = " ".join(each.text for each in chosen) or FILLER
        return statement.model_copy(update={"text": text, "citations": ()})

    changed = rewritten(clean, told)
    left = [each.id for queue in waiting.values() for each in queue]
    if left:
        raise CannotPlant(f"Too few turns to say {', '.join(left[:5])}; debate more rounds.")
    return Staged(changed, said, places)


def _waiting(clean: Transcript, gold: Gold) -> dict[tuple[str, str], list[Proposition]]:
    waiting: dict[tuple[str, str], list[Proposition]] = {}
    parties = {party.id for party in clean.setting.parties}
    items = {item.id for item in clean.setting.items}
    known = {p.id for party in clean.setting.parties for p in party.positions}
    for each in gold.propositions:
        if each.party in parties and each.item in items and set(each.positions) <= known:
            waiting.setdefault((each.party, each.item), []).append(each)
    return waiting


def swap_value(label: str | None) -> float | None:
    """How far a label speaks for a claim: supported 1, partial .5, contradicted -1, the rest 0."""
    if label is None:
        return None
    return {"supported": 1.0, "partial": 0.5, "contradicted": -1.0}.get(label, 0.0)


def better(own: Sequence[str | None], other: Sequence[str | None]) -> tuple[float | None, int]:
    """P(own > other) + half of the ties over pairs with both labels, and how many there were."""
    pairs = [
        (a, b)
        for one, two in zip(own, other, strict=True)
        if (a := swap_value(one)) is not None and (b := swap_value(two)) is not None
    ]
    if not pairs:
        return None, 0
    return sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs), len(pairs)
