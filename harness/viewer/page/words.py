"""What all sections of the page share: parties' faces, marks of outcomes, links, places.

Everything here is made from a `Reading` alone, so that a public page cannot say more than it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from evals.evaluator import Score
from harness import events as e
from harness.setting import Position, Setting
from harness.transcript import Transcript
from harness.viewer import anchors
from harness.viewer.reading import Reading

Outcome = Literal["adopted", "bracketed", "lapsed", "open", "undecided"]

OUTCOMES: Mapping[str, str] = {
    "adopted": "agreed", "bracketed": "in brackets", "lapsed": "agreed, then lapsed",
    "open": "left open", "undecided": "not decided",
}  # fmt: skip
MARKS: Mapping[str, str] = {
    "adopted": "✓", "bracketed": "[ ]", "lapsed": "✗", "open": "○", "undecided": "…",
}  # fmt: skip
"""Marks that can be told apart without colour; the word always stands beside them or is read."""

DOES: Mapping[str, str] = {
    "propose": "proposes", "concede": "moves to", "accept": "accepts", "withdraw": "withdraws",
    "reserve": "accepts with reservation", "reject": "rejects", "ask": "asks",
}  # fmt: skip
SIGNS: Mapping[str, str] = {
    "propose": "+", "concede": "~", "accept": "=", "reserve": "≈", "reject": "x", "withdraw": "-",
    "ask": "?", "abstain": "○",
}  # fmt: skip
PHASES: Mapping[str, str] = {
    "opening": "Opening statements", "reply": "Right of reply", "caucus": "Private meeting",
    "decision": "Decision",
}  # fmt: skip
LOOKS = 8
"""How many seats look different; in a larger room the name alone tells some apart."""

_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)


class Face(NamedTuple):
    """How a party is shown: by name, by place and by a look that does without colour."""

    id: str
    name: str
    """`the United States`."""
    short: str
    seat: int
    """0, 1, ...: which of the looks."""
    to: str

    @property
    def title(self) -> str:
        """The name as a heading."""
        return self.name.removeprefix("the ")


def faces(reading: Reading) -> Mapping[str, Face]:
    """The faces of all parties, in seat order."""
    return {
        party.id: Face(
            party.id, party.name, party.short, seat % LOOKS, anchors.anchor("party", party.id)
        )
        for seat, party in enumerate(reading.setting.parties)
    }


def face(known: Mapping[str, Face], party: str) -> Face:
    """The face of a party; of one that has no seat, as it is called."""
    return known.get(party) or Face(party, party, party, LOOKS - 1, "")


def address(url: str | None) -> str:
    """The address where it can be a link, and nothing where it is anything but http or https."""
    return url if url and _ADDRESS.fullmatch(url) else ""


def position_of(reading: Reading, name: str) -> Position | None:
    """The position of this id; None where the page has none."""
    try:
        return reading.setting.position(name)
    except KeyError:
        return None


def in_shorts(why: str, setting: Setting) -> str:
    """The reason for a decision with the parties' short names in place of their ids.

    Only where the mechanism names parties: an id may be a word of the sentence besides, as `us`,
    `no` and `it` are.
    """
    shorts = {party.id: party.short for party in setting.parties}
    one = "|".join(sorted(map(re.escape, shorts), key=len, reverse=True))
    named = f"(?:{one})(?:, (?:{one}))*"
    after = f"(?<=broken by ){named}$|(?<=valid answer from ){named}$|(?<=veto-holder ){named}$"
    before = f"(?<=; ){named}(?= cannot accept the text$| used its veto$)"
    return re.sub(
        f"{after}|{before}",
        lambda found: ", ".join(shorts[party] for party in found[0].split(", ")),
        why,
    )


def call_of(call: str) -> str:
    """What the attempts of one turn have in common: the call's name without its number."""
    return call.rpartition("#")[0] or call


def attempt_of(call: str) -> int:
    """Which attempt a call was, from 1."""
    number = call.rpartition("#")[2]
    return int(number) if number.isdecimal() else 1


def places(transcript: Transcript) -> Mapping[int, str]:
    """Event -> the anchor where the page shows it; events that it does not show are missing."""
    return dict(_places(transcript))


def _places(transcript: Transcript) -> Iterator[tuple[int, str]]:
    by_call = {
        call_of(event.call): anchors.turn(event.turn)
        for event in transcript.events
        if isinstance(event, e.TurnEvent)
    }
    for event in transcript.events:
        match event:
            case e.Header() | e.RunCard():
                yield event.seq, "top"
            case e.ItemOpened():
                yield event.seq, anchors.anchor("item", event.item)
            case e.TurnEvent():
                yield event.seq, anchors.turn(event.turn)
            case e.ModelCall() | e.Unread():
                if call_of(event.call) in by_call:
                    yield event.seq, by_call[call_of(event.call)]
            case e.Text():
                pass
            case _:
                yield event.seq, anchors.event(event.seq)


class Found(NamedTuple):
    """A score with the place where the page shows it."""

    score: Score
    to: str


def scored(reading: Reading) -> Mapping[tuple[str, str, str], Found]:
    """The scores by evaluator, metric and subject; the first where there are several."""
    found: dict[tuple[str, str, str], Found] = {}
    for number, result in enumerate(reading.results):
        if isinstance(result, Score):
            key = (result.evaluator, result.metric, result.subject)
            found.setdefault(key, Found(result, anchors.score(number)))
    return found
