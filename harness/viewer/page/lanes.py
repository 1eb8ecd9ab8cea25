"""One party on one issue as a lane of the board: heat, bars of worth, and a mark a turn.

Lengths are in pixels of the drawing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from harness import events as e
from harness.setting import Issue, Party, Setting
from harness.viewer.anchors import turn as turn_anchor
from harness.viewer.page import stances
from harness.viewer.page.stances import Course, Deed
from harness.viewer.page.words import DOES, SIGNS

COLUMN, WIDE = 28, 44
"""Width of a turn; the wider one where an item has so few turns that they have room."""
LANE = 36
"""Height of a party's lane."""
HEAD = 24
"""Height of the band above the lanes, where the chair's doings stand."""
TOP, HEAT = 5, 18
"""Where in a lane a stance of +1 stands, and how far below it one of -1."""
FLOOR = LANE - 2
"""Where in a lane the bars of worth stand."""

VOTES: Mapping[e.VoteChoice, str] = {
    "accept": "votes for", "reserve": "votes for, with a reservation,",
    "reject": "votes against", "abstain": "abstains on",
}  # fmt: skip
_HEIGHTS: Mapping[stances.Worth, int] = {
    "best": 6, "backed": 4, "silent": 3, "against": 2, "red_line": 2,
}  # fmt: skip


class Axis(NamedTuple):
    """Where the turns of an item stand."""

    begins: Mapping[str, int]
    column: int
    """Width of a turn."""

    def middle(self, turn: str) -> int:
        """The middle of a turn."""
        return self.begins[turn] + self.column // 2

    @property
    def end(self) -> int:
        """Where the last turn ends."""
        return len(self.begins) * self.column


class Heat(NamedTuple):
    """A stretch of turns over which a party's declared stance did not change."""

    x: int
    width: int
    shade: str
    """for, lean, torn, doubt or against."""
    words: str


class Bar(NamedTuple):
    """A stretch of turns over which a party's ground did not change."""

    x: int
    width: int
    y: int
    height: int
    worth: stances.Worth
    words: str


class Jump(NamedTuple):
    """The way from a declared stance to the vote, where the two differ."""

    y1: int
    y2: int
    flipped: bool


class Mark(NamedTuple):
    """What a party did on an issue in one turn; leads to the turn."""

    x: int
    to: str
    turn: str
    signs: tuple[str, ...]
    vote: e.VoteChoice | None
    y: int
    """Where the vote stands."""
    jump: Jump | None
    crosses: tuple[str, ...]
    """Public red lines it goes across, by id of the position."""
    words: str
    lines: tuple[str, ...]
    """Each deed in words, for the table."""
    hidden: tuple[str, ...] = ()
    """What each of them has to do with confidential positions, in words; empty where nothing."""
    flagged: bool = False
    """Whether it goes across a confidential red line."""

    @property
    def shown(self) -> str:
        """The signs as far as they have room in a column."""
        return "".join(self.signs) if len(self.signs) <= 2 else f"{self.signs[0]}…"


class Lane(NamedTuple):
    """One party on one issue."""

    party: Party
    y: int
    heats: tuple[Heat, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    missing: bool
    """Whether its answer could not be had."""
    where: int
    """Middle of the turn after which the issue was decided; where a missing answer is marked."""


def told(issue: Issue, deed: Deed, setting: Setting) -> str:
    """A move or vote in words, without its party: `accepts (b) A joint text`."""
    if deed.option is None:
        asked = setting.party(deed.to).short if deed.to else "the others"
        return f"asks {asked} about {issue.title}"
    parts = [f"{VOTES[deed.vote] if deed.vote else DOES[deed.kind]} {named(issue, deed.option)}"]
    if deed.gap is not None and deed.gap.stance != deed.gap.cast:
        flip = "a flip" if deed.gap.flipped else "a gap"
        open_ = " after an open concession" if deed.gap.explained else ""
        parts.append(f"{flip} from {deed.gap.stance:+.2f} declared to {deed.gap.cast:+.2f}{open_}")
    if deed.crosses and not _confidential(setting, deed.crosses):
        parts.append(f"across its red line {deed.crosses}")
    return ", ".join(parts)


def _confidential(setting: Setting, position: str) -> bool:
    return setting.position(position).visibility == "confidential"


def _hidden(deed: Deed, setting: Setting) -> str:
    if not deed.crosses or not _confidential(setting, deed.crosses):
        return ""
    return f"across its confidential red line {deed.crosses}"


def named(issue: Issue, option: str) -> str:
    """A text by letter and gist."""
    return f"({option}) {issue.option(option).label}"


def lane(
    issue: Issue,
    party: Party,
    course: Course,
    axis: Axis,
    setting: Setting,
    *,
    number: int,
    end: int,
    lost: bool,
) -> Lane:
    """The lane of a party.

    Args:
        issue: The issue.
        party: Whose lane it is.
        course: What it did on the issue.
        axis: The turns of the item.
        setting: What names come from.
        number: Of the lane in its row, from 0.
        end: Where stances end, because the issue was decided or the record does.
        lost: Whether the party's answer could not be had.
    """
    return Lane(
        party,
        HEAD + number * LANE,
        tuple(_heats(course, axis, end)),
        tuple(_bars(issue, course, axis, end)),
        tuple(_marks(issue, party, course, axis, setting)),
        lost,
        max(end - axis.column // 2, axis.column // 2),
    )


def level(value: float) -> int:
    """How far down in a lane a stance in [-1, 1] stands; what is for the text is high."""
    return TOP + round((1 - value) / 2 * HEAT)


def shade(value: float) -> str:
    """The class of heat of a stance in [-1, 1]."""
    if abs(value) < 0.2:
        return "torn"
    strong = abs(value) > 0.7
    return ("for" if strong else "lean") if value > 0 else ("against" if strong else "doubt")


SHADES: Mapping[str, str] = {
    "for": "for the text", "lean": "for it, with doubts", "torn": "both for and against",
    "doubt": "rather against it", "against": "against the text",
}  # fmt: skip


def _heats(course: Course, axis: Axis, end: int) -> Iterator[Heat]:
    stretches = pairwise([*(axis.begins[each.turn] for each in course.stances), end])
    for each, (x, until) in zip(course.stances, stretches, strict=True):
        if each.value is not None and until > x:
            kind = shade(each.value)
            yield Heat(x, until - x, kind, f"declared {each.value:+.2f}: {SHADES[kind]}")


def _bars(issue: Issue, course: Course, axis: Axis, end: int) -> Iterator[Bar]:
    stretches = pairwise([*(axis.begins[each.turn] for each in course.grounds), end])
    for each, (x, until) in zip(course.grounds, stretches, strict=True):
        height = _HEIGHTS[each.worth]
        if until > x:
            text = named(issue, each.key.partition("/")[2])
            words = f"could live with {text}: {stances.WORTH[each.worth]} ({each.points:+d})"
            yield Bar(x, until - x, FLOOR - height, height, each.worth, words)


def _marks(
    issue: Issue, party: Party, course: Course, axis: Axis, setting: Setting
) -> Iterator[Mark]:
    by_turn: dict[str, list[Deed]] = {}
    for deed in course.deeds:
        by_turn.setdefault(deed.turn, []).append(deed)
    for turn, deeds in by_turn.items():
        vote = next((deed for deed in deeds if deed.vote), None)
        lines = tuple(told(issue, deed, setting) for deed in deeds)
        hidden = tuple(_hidden(deed, setting) for deed in deeds)
        crossed = dict.fromkeys(deed.crosses for deed in deeds if deed.crosses)
        yield Mark(
            axis.middle(turn),
            turn_anchor(turn),
            turn,
            tuple(f"{SIGNS[deed.kind]}{deed.option or ''}" for deed in deeds if not deed.vote),
            vote.vote if vote else None,
            level(vote.side) if vote else 0,
            _jump(vote) if vote else None,
            tuple(line for line in crossed if not _confidential(setting, line)),
            f"{turn}, {party.short} {'; '.join(lines)}",
            lines,
            hidden,
            any(hidden),
        )


def _jump(deed: Deed) -> Jump | None:
    gap = deed.gap
    if gap is None or gap.stance == gap.cast:
        return None
    return Jump(level(gap.stance), level(gap.cast), gap.flipped)
