"""The issue board: issues against turns, each party's declared stance as heat, votes as shapes.

Every item has a board of its own, because a move falls in the item of its issue. What is drawn
grows with the moves and votes, not with issues times turns. Lengths are in pixels of the drawing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from harness import events as e
from harness.setting import Issue, Item
from harness.transcript import Transcript
from harness.viewer.anchors import anchor
from harness.viewer.anchors import event as event_anchor
from harness.viewer.anchors import turn as turn_anchor
from harness.viewer.page import stances
from harness.viewer.page.judged import Judged, judged_stances
from harness.viewer.page.lanes import COLUMN, HEAD, LANE, WIDE, Axis, Lane, lane, named
from harness.viewer.page.words import MARKS, OUTCOMES, Outcome, in_shorts
from harness.viewer.reading import Reading

FEW = 18
"""Up to how many turns of an item get wide columns."""
_SHEET = 20
"""How many narrow columns a sheet of paper has room for."""
_LETTER = 7
"""Width of a letter in the head of a column."""


class Post(NamedTuple):
    """Something the chair did on an issue, between two turns."""

    x: int
    to: str
    kind: Literal["put", "adopted", "bracketed", "lapsed", "open"]
    words: str

    @property
    def sign(self) -> str:
        """What stands on the board."""
        return MARKS.get(self.kind, self.kind)


class Line(NamedTuple):
    """One line of the board as a table."""

    x: int
    to: str
    where: str
    who: str
    words: str
    hidden: str = ""
    """What it has to do with confidential positions; empty where nothing."""


class Row(NamedTuple):
    """One issue."""

    issue: Issue
    to: str
    """Anchor of the issue."""
    outcome: Outcome
    said: str
    """The outcome in words."""
    about: str
    """The text that the stances are about, in words; empty where there is none."""
    lanes: tuple[Lane, ...]
    posts: tuple[Post, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """All that was done on the issue, in order, for whoever reads it as a table."""
        done = [
            Line(mark.x, mark.to, mark.turn, lane.party.short, words, hidden)
            for lane in self.lanes
            for mark in lane.marks
            for words, hidden in zip(mark.lines, mark.hidden, strict=True)
        ]
        chair = [Line(post.x, post.to, "chair", "Chair", post.words) for post in self.posts]
        return tuple(sorted((*done, *chair), key=lambda line: line.x))


class Column(NamedTuple):
    """One turn."""

    turn: str
    to: str
    party: str
    x: int
    width: int

    @property
    def shown(self) -> str:
        """The party's name as far as there is room for it."""
        room = self.width // _LETTER
        return self.party if len(self.party) <= room else f"{self.party[: room - 1]}…"


class Group(NamedTuple):
    """The board of one item."""

    item: Item
    columns: tuple[Column, ...]
    column: int
    """Width of a turn."""
    rows: tuple[Row, ...]
    judged: tuple[Judged, ...]

    @property
    def width(self) -> int:
        """Of the drawings."""
        return max(len(self.columns), 1) * self.column

    @property
    def fits(self) -> Literal["wide", "plain", "long", "endless"]:
        """How much of a sheet of paper it takes: an endless board is printed as its table."""
        if self.column == WIDE:
            return "wide"
        turns = len(self.columns)
        return "plain" if turns <= _SHEET else "long" if turns <= 2 * _SHEET else "endless"

    @property
    def lane(self) -> int:
        """Height of a lane."""
        return LANE

    @property
    def head(self) -> int:
        """Height of the band above the lanes."""
        return HEAD

    @property
    def height(self) -> int:
        """Of an issue's drawing."""
        return HEAD + (len(self.rows[0].lanes) if self.rows else 0) * LANE


class Board(NamedTuple):
    """The boards of all items, in the order of the agenda."""

    groups: tuple[Group, ...]
    counts_hidden: bool = False
    """Whether confidential positions count in what a text is to a party's record."""

    @property
    def drawn(self) -> int:
        """How many elements the drawings are made of: it grows with what was done."""
        lanes = [lane for g in self.groups for row in g.rows for lane in row.lanes]
        posts = sum(len(row.posts) for g in self.groups for row in g.rows)
        return posts + sum(len(one.heats) + len(one.bars) + len(one.marks) for one in lanes)


def board(reading: Reading) -> Board:
    """The boards of a debate, finished or not."""
    return Board(tuple(_Drawing(reading).groups()), reading.has_confidential)


class _Drawing:
    """Puts what the parties did where it stands on the board."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.transcript = reading, reading.transcript
        self.courses = stances.courses(self.transcript, reading.mandates)
        self.about = stances.in_question(self.transcript)
        self.rows = {row.issue: row for row in reading.tables.agreement}
        self.last = _last_turns(self.transcript)

    def groups(self) -> Iterator[Group]:
        for item in self.transcript.setting.items:
            taken = dict(stances.turns(self.transcript, item.id))
            column = WIDE if len(taken) <= FEW else COLUMN
            axis = Axis({turn: number * column for number, turn in enumerate(taken)}, column)
            columns = tuple(
                Column(turn, turn_anchor(turn), self._short(party), axis.begins[turn], column)
                for turn, party in taken.items()
            )
            rows = tuple(self._row(issue, axis) for issue in item.issues) if columns else ()
            yield Group(item, columns, column, rows, judged_stances(self.reading, item.id, axis))

    def _short(self, party: str) -> str:
        return self.transcript.setting.party(party).short

    def _row(self, issue: Issue, axis: Axis) -> Row:
        row, option = self.rows[issue.id], self.about[issue.id]
        posts = tuple(self._posts(issue, axis))
        decided = [post.x for post in posts if post.kind != "put"]
        end = decided[-1] if decided else axis.end
        lanes = tuple(
            lane(
                issue,
                party,
                self.courses[party.id, issue.id],
                axis,
                self.transcript.setting,
                number=number,
                end=end,
                lost=party.id in row.missing,
            )
            for number, party in enumerate(self.transcript.setting.parties)
        )
        said = OUTCOMES[row.outcome] + (f": {named(issue, row.option)}" if row.option else "")
        return Row(
            issue,
            anchor("issue", issue.id),
            row.outcome,
            said,
            named(issue, option) if option else "",
            lanes,
            posts,
        )

    def _posts(self, issue: Issue, axis: Axis) -> Iterator[Post]:
        """What the chair did stands at the edge after the last turn before it."""
        lapsed = self.transcript.state.issues[issue.id].lapsed
        for event in self.transcript.events:
            if not isinstance(event, e.Tabled | e.Decided) or event.issue != issue.id:
                continue
            turn = self.last[event.seq]
            x = axis.begins[turn] + axis.column if turn is not None else 0
            if isinstance(event, e.Tabled):
                words = f"The chair puts {named(issue, event.option)}: {event.rule}"
                yield Post(x, event_anchor(event.seq), "put", words)
            else:
                kind = "lapsed" if lapsed else event.outcome
                why = in_shorts(event.why, self.transcript.setting)
                words = f"{OUTCOMES[kind].capitalize()}: {why}"
                yield Post(x, event_anchor(event.seq), kind, words)


def _last_turns(transcript: Transcript) -> Mapping[int, str | None]:
    """The last turn before each event of the chair."""
    found: dict[int, str | None] = {}
    turn: str | None = None
    for event in transcript.events:
        if isinstance(event, e.TurnEvent) and event.audience is None:
            turn = event.turn
        elif isinstance(event, e.ItemOpened):
            turn = None
        elif isinstance(event, e.Tabled | e.Decided):
            found[event.seq] = turn
    return found
