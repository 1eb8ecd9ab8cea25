"""What of a transcript judges read: public statements and the chair's words, item by item.

Moves, votes and who sat where are left out: prose is judged as prose, and blind to the arm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from evals.citations import citations
from evals.record import of_kind, statements
from harness import events as e
from harness.masking import Mask
from harness.setting import Item, Setting
from harness.transcript import Transcript

_LONG = 4
"""Letters from which a name is looked for in any case."""
_ARTICLE = r"(?:\b(?:[Tt]he|[Aa]n?)\s+)?"
"""Goes with the name: `an` says that it begins with a vowel, `the` that it is a union of states."""


class Said(NamedTuple):
    """A public statement."""

    seq: int
    turn: str
    party: str
    item: str
    text: str
    citations: tuple[str, ...]


class ChairText(NamedTuple):
    """Words of the chair about an item."""

    seq: int
    item: str
    text: str


class _Blinding(NamedTuple):
    """What gives a party away by name."""

    names: re.Pattern[str]
    cited: re.Pattern[str]
    """Ids in brackets, with the brackets."""
    id: re.Pattern[str]

    def ids(self, text: str) -> str:
        """The text without ids of positions."""
        return self.id.sub("a position", self.cited.sub("", text))

    @classmethod
    def of(cls, setting: Setting) -> _Blinding:
        """From the words the setting lists for each party."""
        words = {
            form
            for party in setting.parties
            for word in (party.name, party.short, party.adjective, *party.aliases)
            for form in (word, word.rstrip("."))
        }
        ordered = sorted(words, key=lambda word: (-len(word), word))
        # Short ones are words of the language in another case: `us`.
        forms = "|".join(
            f"(?i:{re.escape(word)})" if len(word) >= _LONG else re.escape(word) for word in ordered
        )
        known = (p.id for party in setting.parties for p in party.positions)
        exact = "|".join(re.escape(key) for key in sorted(known, key=len, reverse=True))
        # Invented ones have a number: `us-ss-99` is an id, `de-escalation` is none.
        parties = "|".join(re.escape(party.id) for party in setting.parties)
        like = rf"(?:{parties})-(?:\w+-)*\w*\d\w*"
        one = rf"(?<![\w-])(?i:{exact + '|' if exact else ''}{like})(?![\w-])"
        return cls(
            re.compile(
                rf"{_ARTICLE}(?:(?<!\w)(?:{forms})s?(?!\w)|\bParty [A-Z]\b|\bparty-[a-z]\b)"
            ),
            re.compile(rf"\s*[\[(]\s*{one}(?:\s*(?:,|;|and|\s)\s*{one})*\s*[\])]"),
            re.compile(one),
        )


class Material:
    """Everything in a transcript that a judge may be shown."""

    def __init__(self, transcript: Transcript) -> None:
        """Sort what was said by item."""
        self.setting = transcript.setting
        self.seed = transcript.card.seed
        self.mask = Mask(transcript.setting)
        self.said: Mapping[str, tuple[Said, ...]] = _by_item(
            transcript,
            [
                Said(s.seq, s.turn, s.party, s.item, s.text, s.citations)
                for s in statements(transcript)
            ],
        )
        self.chair = _chair(transcript)
        self.voice: Mapping[str, tuple[ChairText, ...]] = _voice(transcript)
        """Item -> what a model said for the chair. The chair's own words say exactly what the
        mechanism did and are left out."""
        self.put: Mapping[str, str] = _put(transcript)
        """Issue -> the option that was put to decision last, adopted or not."""
        self.cited: Mapping[int, frozenset[str]] = _cited(transcript)
        """Statement -> the positions it validly cites, in its list or in its words."""

    @property
    def items(self) -> tuple[Item, ...]:
        """The items on which something was said, in the order of the debate."""
        return tuple(self.setting.item(item) for item in self.said)

    def heading(self, item: Item) -> str:
        """What the talks and the item are."""
        return f"Talks: {self.setting.title}.\nItem: {item.title}."

    def name(self, party: str) -> str:
        """A party as a sentence names it."""
        return self.setting.party(party).name

    def blind(self, text: str) -> str:
        """A text in which every party is called the same: for asking who speaks.

        Names, adjectives and aliases go in any case, short ones (`US`) as they are written; so do
        the ids of positions, those that do not exist too. What only one of them could have said
        stays: it is what is asked about.
        """
        return self._blinding.names.sub("one party", self._blinding.ids(text))

    @cached_property
    def _blinding(self) -> _Blinding:
        return _Blinding.of(self.setting)

    def spoken(self, said: Said) -> str:
        """A statement with its speaker."""
        return f"{said.turn}, {self.name(said.party)}: {said.text}"


def _by_item(transcript: Transcript, found: list[Said]) -> dict[str, tuple[Said, ...]]:
    items = dict.fromkeys(said.item for said in found)
    return {item: tuple(said for said in found if said.item == item) for item in items}


def _chair(transcript: Transcript) -> tuple[ChairText, ...]:
    """What the chair said on items: opening, tabling, deciding, closing and its own voice."""
    spoken = (e.ItemOpened, e.Tabled, e.Decided, e.ItemClosed)
    found = [
        ChairText(ev.seq, ev.item, ev.words) for ev in transcript.events if isinstance(ev, spoken)
    ]
    found += [
        ChairText(ev.seq, ev.item, ev.text)
        for ev in of_kind(transcript, e.ChairSpoke)
        if ev.item is not None
    ]
    return tuple(sorted((text for text in found if text.text.strip()), key=lambda t: t.seq))


def _voice(transcript: Transcript) -> dict[str, tuple[ChairText, ...]]:
    spoken = [
        ChairText(ev.seq, ev.item, ev.text)
        for ev in of_kind(transcript, e.ChairSpoke)
        if ev.item is not None and ev.text.strip()
    ]
    items = dict.fromkeys(text.item for text in spoken)
    return {item: tuple(text for text in spoken if text.item == item) for item in items}


def _put(transcript: Transcript) -> dict[str, str]:
    return {
        event.issue: event.option
        for event in transcript.events
        if isinstance(event, e.Tabled | e.Decided) and event.option is not None
    }


def _cited(transcript: Transcript) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for citation in citations(transcript):
        if citation.where in ("typed", "prose") and citation.verdict == "valid":
            found.setdefault(citation.evidence.seq, set()).add(citation.id)
    return {seq: frozenset(ids) for seq, ids in found.items()}


def own_positions(
    setting: Setting, party: str, item: str, *, confidential: bool = False
) -> dict[str, str]:
    """The party's public (or confidential) positions on the item, by id."""
    wanted = "confidential" if confidential else "public"
    return {
        position.id: position.statement
        for position in setting.mandate(party, item).positions
        if position.visibility == wanted
    }
