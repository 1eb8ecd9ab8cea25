"""The dossier: every position of every party with its source, and where it was named.

The mandate panel and the cards of citations are made from it in the browser, so that each position
stands in the file once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from harness import events as e
from harness.setting import Party, Position
from harness.viewer import anchors
from harness.viewer.page.words import Face, address, faces
from harness.viewer.reading import Reading

TIERS: Mapping[str, str] = {
    "primary": "the state's own text", "official_text_repost": "official text, reposted",
    "news_agency": "news agency", "press": "press",
}  # fmt: skip


class Bears(NamedTuple):
    """A text that a position speaks for or against."""

    label: str
    to: str


class Entry(NamedTuple):
    """One position."""

    position: Position
    to: str
    url: str
    """Where the source can be read; empty where it is no address a browser may open."""
    also: str
    tier: str
    supports: tuple[Bears, ...]
    opposes: tuple[Bears, ...]
    issues: tuple[str, ...]
    named: tuple[tuple[str, str], ...]
    """Turns that cite it or rest a move on it: handle and anchor."""

    @property
    def private(self) -> bool:
        """Whether only its own delegation may know it."""
        return self.position.visibility == "confidential"


class Held(NamedTuple):
    """A party's positions on one item, red lines first."""

    item: str
    title: str
    to: str
    entries: tuple[Entry, ...]


class File(NamedTuple):
    """A party's part of the dossier."""

    face: Face
    summary: str
    held: tuple[Held, ...]

    @property
    def size(self) -> int:
        """How many positions it has."""
        return sum(len(each.entries) for each in self.held)


class Dossier(NamedTuple):
    """Everything the parties are on record for."""

    files: tuple[File, ...]
    as_of: str


def dossier(reading: Reading) -> Dossier:
    """The dossier of a debate."""
    known, named = faces(reading), _named(reading)
    files = tuple(
        File(known[party.id], party.summary, _held(reading, party, named))
        for party in reading.setting.parties
    )
    return Dossier(files, reading.setting.as_of.isoformat())


def _held(reading: Reading, party: Party, named: Mapping[str, tuple[str, ...]]) -> tuple[Held, ...]:
    found: list[Held] = []
    for item in reading.setting.items:
        own = [p for p in party.positions if p.item == item.id]
        own.sort(key=lambda p: (p.kind != "red_line", -p.firmness))
        entries = tuple(_entry(reading, p, named.get(p.id, ())) for p in own)
        if entries:
            found.append(Held(item.id, item.title, anchors.anchor("item", item.id), entries))
    return tuple(found)


def _entry(reading: Reading, position: Position, named: tuple[str, ...]) -> Entry:
    keys = (*position.supports, *position.opposes)
    return Entry(
        position,
        anchors.anchor("pos", position.id),
        address(position.source.url),
        address(position.source.also),
        TIERS[position.source.tier],
        tuple(_bears(reading, key) for key in position.supports),
        tuple(_bears(reading, key) for key in position.opposes),
        tuple(dict.fromkeys(key.partition("/")[0] for key in keys)),
        tuple((turn, anchors.turn(turn)) for turn in named),
    )


def _bears(reading: Reading, key: str) -> Bears:
    try:
        return Bears(reading.setting.option(key).label, anchors.anchor("text", key))
    except KeyError:
        return Bears(key, "")


def _named(reading: Reading) -> Mapping[str, tuple[str, ...]]:
    """Position -> the public turns that name it, each once, in order.

    A turn in private names nothing here: whoever reads the list would know of it.
    """
    found: dict[str, dict[str, None]] = {}
    for event in reading.transcript.events:
        if not isinstance(event, e.TurnEvent) or event.audience is not None:
            continue
        match event:
            case e.Statement():
                named: tuple[str | None, ...] = event.citations
            case e.MoveMade() | e.RuledOut():
                named = (event.move.because,)
            case e.VoteCast():
                named = (event.because,)
            case _:
                continue
        for position in filter(None, named):
            found.setdefault(position, {})[event.turn] = None
    return {position: tuple(turns) for position, turns in found.items()}
