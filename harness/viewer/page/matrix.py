"""The agreement matrix: every party's formal answer on every issue, and where it is on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from evals.record import Answer, answers, joins
from evals.tables import AgreementRow
from harness.setting import Issue, Item
from harness.viewer.anchors import anchor
from harness.viewer.anchors import event as event_anchor
from harness.viewer.anchors import turn as turn_anchor
from harness.viewer.page.lanes import named
from harness.viewer.page.words import OUTCOMES, position_of
from harness.viewer.reading import Reading

Kind = Literal[
    "accept", "reserve", "reject", "abstain", "declared", "no answer", "not put", "not decided"
]

WORDS: Mapping[Kind, str] = {
    "accept": "accepts", "reserve": "with reservation", "reject": "rejects",
    "abstain": "abstains", "declared": "by declaration", "no answer": "no answer",
    "not put": "not put", "not decided": "not decided",
}  # fmt: skip
"""An answer in a word or two."""

SIGNS: Mapping[Kind, str] = {
    "accept": "✓", "reserve": "✓*", "reject": "✗", "abstain": "○", "declared": "✓✓",
    "no answer": "?", "not put": "-", "not decided": "…",
}  # fmt: skip


class Cell(NamedTuple):
    """What one party answered on one issue."""

    party: str
    kind: Kind
    to: str
    """Anchor of the vote's turn or of the decision; empty where there is nothing to lead to."""
    where: str
    """The turn's handle, or `decision`; empty likewise."""
    because: str | None
    """The position behind it, by id; None where the page has no such position."""
    crosses: str | None
    """The red line of its own that it let pass, by id."""
    hidden: frozenset[str] = frozenset()
    """Those of the two that are confidential."""

    @property
    def behind(self) -> str:
        """Anchor of the position behind it; empty where none is named."""
        return anchor("pos", self.because) if self.because else ""

    @property
    def line(self) -> str:
        """Anchor of the red line that it let pass; empty where there is none."""
        return anchor("pos", self.crosses) if self.crosses else ""

    @property
    def words(self) -> str:
        """The answer in a word or two."""
        return WORDS[self.kind]

    @property
    def sign(self) -> str:
        """The answer as a sign; the words stand beside it."""
        return SIGNS[self.kind]


class MatrixRow(NamedTuple):
    """One issue."""

    issue: Issue
    outcome: str
    """What became of it, in words."""
    settled: bool
    """Whether a text was adopted and stands."""
    text: str
    """The text adopted or voted on; empty where there is none."""
    cells: tuple[Cell, ...]

    @property
    def to(self) -> str:
        """Anchor of the issue."""
        return anchor("issue", self.issue.id)


class MatrixPart(NamedTuple):
    """The issues of one item."""

    item: Item
    rows: tuple[MatrixRow, ...]


def matrix(reading: Reading) -> tuple[MatrixPart, ...]:
    """The matrix, by item; items without issues are left out."""
    given = {(a.party, a.key): a for a in answers(reading.transcript)}
    rows = {row.issue: row for row in reading.tables.agreement}
    return tuple(
        MatrixPart(
            item, tuple(_row(reading, issue, rows[issue.id], given) for issue in item.issues)
        )
        for item in reading.setting.items
        if item.issues
    )


def _row(
    reading: Reading, issue: Issue, row: AgreementRow, given: Mapping[tuple[str, str], Answer]
) -> MatrixRow:
    state = reading.transcript.state.issues[issue.id]
    option = row.option or (state.tabled.option if state.tabled else None)
    key = f"{issue.id}/{option}"
    cells = tuple(
        _cell(reading, row, party.id, given.get((party.id, key)))
        for party in reading.setting.parties
    )
    text = named(issue, option) if option else ""
    return MatrixRow(issue, OUTCOMES[row.outcome], row.outcome == "adopted", text, cells)


def _cell(reading: Reading, row: AgreementRow, party: str, answer: Answer | None) -> Cell:
    decision = event_anchor(row.seq) if row.seq is not None else ""
    if answer is None:
        kind: Kind = "not decided" if row.seq is None else "not put"
        if party in row.missing:
            kind = "no answer"
        return Cell(party, kind, decision, "decision" if decision else "", None, None)
    mandate = reading.mandates[party, row.item]
    line = mandate.red_lines.get(answer.key)
    passed = line is not None and joins(answer.choice, reading.transcript.rules.silence)
    crosses = line.id if line is not None and passed else None
    if answer.by_declaration:
        return Cell(
            party, "declared", decision, "decision", None, crosses, _hidden(reading, crosses)
        )
    turn = getattr(answer.event, "turn", "")
    because = answer.because if position_of(reading, answer.because or "") else None
    hidden = _hidden(reading, because, crosses)
    return Cell(party, answer.choice, turn_anchor(turn), turn, because, crosses, hidden)


def _hidden(reading: Reading, *positions: str | None) -> frozenset[str]:
    return frozenset(each for each in positions if each and reading.hides(each))
