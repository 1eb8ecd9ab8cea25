"""What became of each issue in each debate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from harness.setting import Issue
from harness.state import IssueState
from harness.transcript import Transcript
from harness.viewer import anchors
from harness.viewer.comparing.aligning import items_of, merged
from harness.viewer.comparing.naming import Names
from harness.viewer.comparing.substance import answers
from harness.viewer.page.words import MARKS, OUTCOMES

Status = Literal["adopted", "bracketed", "lapsed", "open", "undecided", "absent"]
"""undecided: the record ends before; absent: the issue was not on the agenda."""

Differs = Literal["outcome", "answers", "no", "cannot tell"]
"""outcome: not the same text adopted, or none; answers: the same outcome with other answers or
brackets; cannot tell: fewer than two debates have decided it."""

WORDS: Mapping[str, str] = {**OUTCOMES, "absent": "not on the agenda"}
SIGNS: Mapping[str, str] = {**MARKS, "absent": "-"}


class Cell(NamedTuple):
    """What became of an issue in one debate."""

    status: Status
    option: str
    """The text adopted, by letter and gist; empty where none was."""
    sha: str
    """Fingerprint of its exact text."""
    notes: tuple[str, ...]
    """Who was against, with reservations, and what stands in brackets."""
    to: str
    """Anchor of the issue on the debate's page."""
    like: int | None = None
    """The first debate in which it is all the same; None in that one."""

    @property
    def words(self) -> str:
        """What became of it, in a word or two."""
        return WORDS[self.status]

    @property
    def mark(self) -> str:
        """The same as a mark."""
        return SIGNS[self.status]

    @property
    def decided(self) -> bool:
        """Whether there is anything to compare."""
        return self.status not in ("undecided", "absent")


class Row(NamedTuple):
    """An issue in all debates."""

    item: str
    """The item's title."""
    issue: str
    heading: str
    cells: tuple[Cell, ...]
    differs: Differs

    @property
    def other_text(self) -> bool:
        """Whether texts that are called the same are not."""
        adopted = [cell for cell in self.cells if cell.sha]
        return len({cell.sha for cell in adopted}) > len({cell.option for cell in adopted})


def outcomes(transcripts: Sequence[Transcript]) -> tuple[Row, ...]:
    """Every issue that is on the agenda of any, item by item."""
    return tuple(_rows(transcripts))


def issues_of(
    transcripts: Sequence[Transcript],
) -> Iterator[tuple[str, str, tuple[Issue | None, ...]]]:
    """Item and issue by id, with the issue as each debate has it, in one order for all."""
    for item in merged([items_of(each) for each in transcripts]):
        held = [_issues(each, item) for each in transcripts]
        for issue in merged([tuple(each) for each in held]):
            yield item, issue, tuple(each.get(issue) for each in held)


def _issues(transcript: Transcript, item: str) -> dict[str, Issue]:
    if item not in items_of(transcript):
        return {}
    return {issue.id: issue for issue in transcript.setting.item(item).issues}


def _rows(transcripts: Sequence[Transcript]) -> Iterator[Row]:
    names = [Names(each.setting) for each in transcripts]
    for item, issue, held in issues_of(transcripts):
        cells = tuple(
            _cell(issue, each.state.issues.get(issue) if has else None, names[n])
            for n, (each, has) in enumerate(zip(transcripts, held, strict=True))
        )
        cells = tuple(_like(cells, number) for number in range(len(cells)))
        known = next(n for n, has in enumerate(held) if has)
        title, heading = names[known].item(item), names[known].issue(issue)
        yield Row(title, issue, heading, cells, _differs(cells))


def _cell(issue: str, state: IssueState | None, names: Names) -> Cell:
    to = anchors.anchor("issue", issue)
    if state is None:
        return Cell("absent", "", "", (), "")
    decision = state.decision
    if decision is None:
        return Cell("undecided", "", "", (), to)
    status: Status = "lapsed" if state.lapsed else decision.outcome
    held = tuple(
        f"[{names.option(issue, each.option)}: {names.all(each.holders) or 'nobody'}]"
        for each in decision.brackets
    )
    adopted = status == "adopted" and decision.option
    option = names.option(issue, decision.option or "") if adopted else ""
    sha = (decision.sha or "") if adopted else ""
    return Cell(status, option, sha, (*answers(decision, names), *held), to)


def _like(cells: Sequence[Cell], number: int) -> Cell:
    cell = cells[number]
    first = cells.index(cell)
    return cell._replace(like=first) if first < number and cell.decided else cell


def _differs(cells: Sequence[Cell]) -> Differs:
    decided = [cell for cell in cells if cell.decided]
    if len(decided) < 2:
        return "cannot tell"
    if len({(cell.status, cell.option.partition(" ")[0], cell.sha) for cell in decided}) > 1:
        return "outcome"
    return "answers" if len({cell.notes for cell in decided}) > 1 else "no"
