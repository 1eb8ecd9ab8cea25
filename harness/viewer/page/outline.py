"""The outline: where everything on the page is, items and issues with their outcomes."""

from __future__ import annotations

from typing import NamedTuple

from harness.viewer import anchors
from harness.viewer.page.words import MARKS, OUTCOMES
from harness.viewer.reading import Reading


class Line(NamedTuple):
    """An issue."""

    to: str
    heading: str
    mark: str
    outcome: str


class Group(NamedTuple):
    """An item with its issues."""

    to: str
    title: str
    lines: tuple[Line, ...]
    agreed: int


class Outline(NamedTuple):
    """All items of the agenda, in order."""

    groups: tuple[Group, ...]


def outline(reading: Reading) -> Outline:
    """The outline of a debate."""
    outcomes = {row.issue: row.outcome for row in reading.tables.agreement}
    groups: list[Group] = []
    for item in reading.setting.items:
        found = [outcomes.get(issue.id, "undecided") for issue in item.issues]
        lines = tuple(
            Line(anchors.anchor("issue", issue.id), issue.heading, MARKS[each], OUTCOMES[each])
            for issue, each in zip(item.issues, found, strict=True)
        )
        to = anchors.anchor("item", item.id)
        groups.append(Group(to, item.title, lines, found.count("adopted")))
    return Outline(tuple(groups))
