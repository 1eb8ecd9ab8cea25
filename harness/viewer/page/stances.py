"""What each party declared on each issue, turn by turn, beside what it is on record as wanting.

A declared stance is what the say-do gap is measured from (evals/say_do.py): the mean of the
party's last moves on the text in question. A party's ground is the least good text it has said it
could live with (evals/concessions.py). Prose has no part in either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from evals.record import joins, of_kind
from evals.say_do import Gap, Talk, gaps, side
from harness import events as e
from harness.mechanism import compromise
from harness.setting import Mandate
from harness.transcript import Transcript

Worth = Literal["best", "backed", "silent", "against", "red_line"]
"""What a text is to a party's own record."""

WORTH: Mapping[Worth, str] = {
    "best": "the best its record backs",
    "backed": "backed by its record",
    "silent": "its record is silent",
    "against": "against its record",
    "red_line": "across its red line",
}

_DECLARES = ("propose", "concede", "accept", "reserve")


class Deed(NamedTuple):
    """One move or vote of a party on an issue."""

    seq: int
    turn: str
    kind: e.MoveKind | Literal["vote"]
    option: str | None
    """The text it is about, by id; None for a question."""
    vote: e.VoteChoice | None
    worth: Worth | None
    """What that text is to the party's own record; None for a question."""
    crosses: str | None
    """The red line of its own that the party goes across by it, by id of the position."""
    side: float
    """For a vote: which side it takes, in [-1, 1]; 0 for a move."""
    gap: Gap | None
    """For a vote: what the party had declared about the text before; None where nothing."""
    to: str | None = None
    """For a question: the party asked."""


class Declared(NamedTuple):
    """A party's declared stance on the text in question, from a turn on."""

    turn: str
    value: float | None
    """In [-1, 1]; None once everything it declared was taken back."""


class Ground(NamedTuple):
    """The least good text a party has said it could live with, from a turn on."""

    turn: str
    key: str
    points: int
    """Firmness points of its own mandate."""
    worth: Worth


class Course(NamedTuple):
    """All that a party did on one issue; each list holds the changes only."""

    party: str
    issue: str
    deeds: tuple[Deed, ...]
    stances: tuple[Declared, ...]
    grounds: tuple[Ground, ...]


Courses: TypeAlias = Mapping[tuple[str, str], Course]
"""By (party, issue)."""


def worth(mandate: Mandate, key: str) -> Worth:
    """What a text is to the record of a party, red lines before points.

    A confidential red line counts as its points do; that there is one is told elsewhere.
    """
    line = mandate.red_lines.get(key)
    if line is not None:
        return "red_line" if line.visibility == "public" else "against"
    points = mandate.points[key]
    if points <= 0:
        return "against" if points else "silent"
    best = mandate.best(next(i for i in mandate.item.issues if key in i.keys))
    return "best" if best is not None and points >= mandate.points[best] else "backed"


def in_question(transcript: Transcript) -> Mapping[str, str | None]:
    """The text of each issue that stances are about, by option id.

    The one that was decided on or tabled last; before that the one the chair would table now; None
    where nobody declared anything.
    """
    found: dict[str, str | None] = {}
    for issue in transcript.state.issues.values():
        option = issue.decision.option if issue.decision else None
        if option is None and issue.tabled is not None:
            option = issue.tabled.option
        if option is None:
            near = compromise(transcript.state, issue, transcript.card.seed)
            option = near.option if near else None
        found[issue.issue] = option
    return found


def courses(transcript: Transcript, held: Mapping[tuple[str, str], Mandate]) -> Courses:
    """What every party did on every issue, by (party, issue).

    Args:
        transcript: The debate, finished or not.
        held: The mandate of every party on every item, by (party, item).
    """
    return _Telling(transcript, held).told()


class _Telling:
    """Goes through a record once and notes what changes."""

    def __init__(self, transcript: Transcript, held: Mapping[tuple[str, str], Mandate]) -> None:
        self.transcript, self.held = transcript, held
        self.about = in_question(transcript)
        self.gaps = {gap.vote.seq: gap for gap in gaps(transcript)[0]}
        self.talk = Talk()
        self.deeds: dict[tuple[str, str], list[Deed]] = {}
        self.stances: dict[tuple[str, str], list[Declared]] = {}
        self.grounds: dict[tuple[str, str], list[Ground]] = {}

    def told(self) -> Courses:
        for event in of_kind(self.transcript, e.MoveMade, e.VoteCast):
            if isinstance(event, e.MoveMade):
                self._moved(event)
            elif isinstance(event, e.VoteCast):
                self._voted(event)
        return {
            (party, issue): Course(
                party,
                issue,
                tuple(self.deeds.get((party, issue), ())),
                tuple(self.stances.get((party, issue), ())),
                tuple(self.grounds.get((party, issue), ())),
            )
            for issue in self.transcript.state.issues
            for party in self.transcript.state.parties
        }

    def _moved(self, event: e.MoveMade) -> None:
        move, place = event.move, (event.party, event.move.issue)
        self.talk.hear(event)
        endorses = move.move in _DECLARES
        key = None if move.option is None else move.key
        deed = Deed(
            event.seq, event.turn, move.move, move.option, None,
            self._worth(event, key), self._crossed(event, key) if endorses else None,
            0, None, move.to,
        )  # fmt: skip
        self.deeds.setdefault(place, []).append(deed)
        self._note_stance(event, move.issue)
        if endorses and key is not None:
            self._note_ground(event, key)

    def _voted(self, event: e.VoteCast) -> None:
        key = f"{event.issue}/{event.option}"
        silence = self.transcript.rules.silence
        joined = joins(event.vote, silence)
        # To abstain lets a text pass that the party's red line forbids, though it does not join it.
        lets_pass = joined or event.vote == "abstain"
        deed = Deed(
            event.seq, event.turn, "vote", event.option, event.vote, self._worth(event, key),
            self._crossed(event, key) if lets_pass else None, side(event.vote, silence),
            self.gaps.get(event.seq),
        )  # fmt: skip
        self.deeds.setdefault((event.party, event.issue), []).append(deed)
        if joined:
            self._note_ground(event, key)

    def _note_stance(self, event: e.MoveMade, issue: str) -> None:
        option = self.about[issue]
        if option is None:
            return
        value = self.talk.stance(event.party, f"{issue}/{option}")
        noted = self.stances.setdefault((event.party, issue), [])
        if value != (noted[-1].value if noted else None):
            noted.append(Declared(event.turn, value))

    def _note_ground(self, event: e.TurnEvent, key: str) -> None:
        mandate = self.held[event.party, event.item]
        noted = self.grounds.setdefault((event.party, key.partition("/")[0]), [])
        if not noted or mandate.points[key] < noted[-1].points:
            noted.append(Ground(event.turn, key, mandate.points[key], worth(mandate, key)))

    def _worth(self, event: e.TurnEvent, key: str | None) -> Worth | None:
        return None if key is None else worth(self.held[event.party, event.item], key)

    def _crossed(self, event: e.TurnEvent, key: str | None) -> str | None:
        position = self.held[event.party, event.item].red_lines.get(key or "")
        return position.id if position else None


def turns(transcript: Transcript, item: str) -> Iterator[tuple[str, str]]:
    """The turns of an item that everybody may know of, as (handle, party), in order."""
    seen: set[str] = set()
    for event in transcript.events:
        if not isinstance(event, e.TurnEvent) or event.item != item or event.audience is not None:
            continue
        if event.turn not in seen:
            seen.add(event.turn)
            yield event.turn, event.party
