"""A statement cut into pieces: what a judge labelled, and the positions its words name.

Places are counted in the statement as it was recorded; whatever is harmful in a piece is made
harmless only when it is put on the page, so no place shifts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from evals.exporting.visible import sees_public, tells
from evals.judging.shapes import Claim, Verdict
from harness import events as e
from harness.viewer.reading import Reading

WORST = ("contradicted", "unsupported", "partial", "supported", "abstain", "no_claim")
"""Labels of the rubric `consistency`, the one a reader should see first in front."""
LABELS: Mapping[str, str] = {
    "contradicted": "contradicts the record", "unsupported": "not on record",
    "partial": "partly on record", "supported": "on record", "abstain": "cannot be decided",
    "no_claim": "nothing to check",
}  # fmt: skip


class Opinion(NamedTuple):
    """What one judge said."""

    judge: str
    rubric: str
    label: str
    """In words; `no label` where there is none."""
    reason: str
    """Of the judge, or why there is no label."""
    position: str
    """The position it rests on; empty where on none."""
    quote: str
    retest: bool
    pair: str
    """The other turn, where two statements were compared; else empty."""
    private: bool = False
    """Whether the label itself speaks of confidential positions: the judge was shown them, or it
    rests on one."""
    tells: bool = False
    """Whether the judge's words tell something private."""


class Judged(NamedTuple):
    """A stretch of a statement, and what judges said of it."""

    to: str
    """Anchor of what was said of it."""
    start: int
    end: int
    label: str
    """The gravest label on consistency, as the rubric names it; empty where there is none."""
    uncited: bool
    """Whether it can be checked against a record and nothing was cited for it."""
    disputed: bool
    opinions: tuple[Opinion, ...]

    @property
    def words(self) -> str:
        """The label in words."""
        return LABELS.get(self.label, self.label) or "no verdict"


class Piece(NamedTuple):
    """Some words of a statement."""

    text: str
    judged: Judged | None = None
    cites: str = ""
    """The position that the words name, where they are its id."""


class Verdicts:
    """What judges said, by the claim, the statement or the turn it is about."""

    def __init__(self, reading: Reading) -> None:
        """Sort the judgements of a reading."""
        self.held = reading.secrets
        self.claims: dict[int, list[Claim]] = {}
        for claim in reading.judgements.claims:
            self.claims.setdefault(claim.seq, []).append(claim)
        self._of_unit: dict[str, list[Verdict]] = {}
        self._of_turn: dict[str, list[Verdict]] = {}
        known = {claim.id for claim in reading.judgements.claims}
        self.turns = {claim.turn for claim in reading.judgements.claims}
        for verdict in reading.judgements.verdicts:
            if reading.public and not sees_public(verdict.rubric):
                continue
            unit = verdict.unit.rpartition(">")[2]
            if unit in known:
                self._of_unit.setdefault(unit, []).append(verdict)
            elif verdict.turn is not None:
                self._of_turn.setdefault(verdict.turn, []).append(verdict)

    def on_turn(self, turn: str) -> tuple[Opinion, ...]:
        """What was said of a turn as a whole."""
        return tuple(self._opinion(verdict) for verdict in self._of_turn.get(turn, ()))

    def on(self, statement: e.Statement) -> tuple[Judged, ...]:
        """What was said of the sentences of a statement, in order, none over another."""
        length = len(statement.text)
        found: dict[tuple[int, int], list[Claim]] = {}
        for claim in self.claims.get(statement.seq, ()):
            if 0 <= claim.start < claim.end <= length:
                found.setdefault((claim.start, claim.end), []).append(claim)
        judged: list[Judged] = []
        for (start, end), claims in sorted(found.items()):
            if not judged or start >= judged[-1].end:
                to = f"{statement.turn}-s{len(judged) + 1}"
                judged.append(self._judged(to, start, end, claims, statement))
        return tuple(judged)

    def _judged(
        self, to: str, start: int, end: int, claims: Sequence[Claim], statement: e.Statement
    ) -> Judged:
        verdicts = [v for claim in claims for v in self._of_unit.get(claim.id, ())]
        first = [v for v in verdicts if v.rubric == "consistency" and v.run == 0 and v.label]
        labels = {v.label for v in first}
        worst = next((label for label in WORST if label in labels), "")
        return Judged(
            to, start, end, worst, _uncited(claims, verdicts, statement),
            _disputed(first), tuple(map(self._opinion, verdicts)),
        )  # fmt: skip

    def _opinion(self, verdict: Verdict) -> Opinion:
        """A verdict as it is shown."""
        first, pair, _ = verdict.unit.partition(">")
        other = first.partition(".")[0]
        label = verdict.label or ""
        return Opinion(
            verdict.judge,
            verdict.rubric,
            LABELS.get(label, label.replace("_", " ")) or "no label",
            verdict.reason or verdict.unscored or "",
            verdict.position or "",
            verdict.quote,
            verdict.run > 0,
            other if pair and other in self.turns else "",
            not sees_public(verdict.rubric) or self.held.told_by(verdict.position),
            tells(verdict, self.held),
        )


def pieces(
    statement: e.Statement, judged: Iterable[Judged], positions: Iterable[str]
) -> tuple[Piece, ...]:
    """The statement cut at the ends of judged sentences and at ids of positions in its words."""
    cut = re.compile("|".join(rf"(?<![\w-]){re.escape(p)}(?![\w-])" for p in positions) or r"(?!)")
    return tuple(
        piece
        for text, mark in _stretches(statement.text, judged)
        for piece in _linked(text, mark, cut)
    )


def _stretches(text: str, judged: Iterable[Judged]) -> Iterator[tuple[str, Judged | None]]:
    place = 0
    for each in judged:
        if text[place : each.start]:
            yield text[place : each.start], None
        yield text[each.start : each.end], each
        place = each.end
    if text[place:]:
        yield text[place:], None


def _linked(text: str, mark: Judged | None, cut: re.Pattern[str]) -> Iterator[Piece]:
    place = 0
    for found in cut.finditer(text):
        if text[place : found.start()]:
            yield Piece(text[place : found.start()], mark)
        yield Piece(found[0], mark, found[0])
        place = found.end()
    if text[place:]:
        yield Piece(text[place:], mark)


def _disputed(verdicts: Sequence[Verdict]) -> bool:
    """Whether two judges gave one claim different labels."""
    by_unit: dict[str, set[str | None]] = {}
    for verdict in verdicts:
        by_unit.setdefault(verdict.unit, set()).add(verdict.label)
    return any(len(labels) > 1 for labels in by_unit.values())


def _uncited(claims: Sequence[Claim], verdicts: Sequence[Verdict], statement: e.Statement) -> bool:
    """Who reads the rubric `citations` knows; without it only who cites nothing at all is sure."""
    if not any(claim.checkworthy for claim in claims):
        return False
    read = [v.label for v in verdicts if v.rubric == "citations" and v.label]
    return "unsupported" in read if read else not statement.citations
