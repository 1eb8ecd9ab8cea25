"""Settings as frozen values: who sits where, what is debated, what each state is on record for.

Knows nothing of files (see loading/), debates or models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, TypeVar

from pydantic import Field

# Rules are part of a setting: whoever takes the one from here finds the other here too.
from harness.rules import Agenda as Agenda
from harness.rules import Caucus as Caucus
from harness.rules import Id as Id
from harness.rules import Inject as Inject
from harness.rules import Rules as Rules
from harness.rules import Value as Value

OptionKey = Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")]
"""One option of one issue, written `issue/option`."""

Kind = Literal["interest", "demand", "offer", "red_line", "principle"]
Tier = Literal["primary", "official_text_repost", "news_agency", "press"]


FLEXIBLE = 3
"""Firmness up to which a delegation may take a text its record is silent on."""


class Source(Value):
    """Where a position is on record."""

    title: str
    """Title of the document or article; in square brackets where only a description is known."""
    publisher: str
    """Who published it, and through whom it was read."""
    date: date
    """Day of publication; never after the setting's `as_of`."""
    url: str
    """Where it can be read."""
    tier: Tier
    """How close the source is to the state itself."""
    date_basis: str = "page"
    """What the date rests on: page, url, text or event."""
    also: str | None = None
    """A second address that carries part of the claim."""
    language: str | None = None
    """Language of the source where it is not English, as an ISO 639 code."""
    caution: str | None = None
    """What a careful reader should know before relying on it."""


class Position(Value):
    """One thing a party has said on the record, with where it said it."""

    id: Id
    """The handle a delegation may cite, for example `us-ss-1`."""
    item: Id
    """The agenda item it bears on."""
    statement: str
    """The position in our own words, as an observer would report it."""
    spoken: str = ""
    """The same in the delegation's own voice, for composed speech; the statement where left out."""
    kind: Kind
    """Interest, demand, offer, red line or principle."""
    firmness: int = Field(ge=1, le=5)
    """1 flexible ... 5 repeatedly stated as non-negotiable."""
    supports: tuple[OptionKey, ...] = ()
    """Options this position speaks for."""
    opposes: tuple[OptionKey, ...] = ()
    """Options this position speaks against; for a red line, the options that would cross it."""
    source: Source
    """A position without a source does not load."""
    why: str = ""
    """Why it was read this way: kind, firmness and the links to options."""
    visibility: Literal["public", "confidential"] = "public"
    """Confidential positions reach their own delegation only."""
    canary: str | None = None
    """A marker in a confidential position: if it turns up in public, the position leaked."""
    priority: Literal["core", "supplementary"] = "core"
    """Core positions carry the mandate; supplementary ones add depth."""
    verify: bool = False
    """Check before relying on it."""
    collective: bool = False
    """A joint statement with other states."""

    def in_own_voice(self) -> str:
        """The wording a delegation uses at the table."""
        return self.spoken or self.statement


class Party(Value):
    """A state or organisation with a seat."""

    id: Id
    """Short handle, for example `us`."""
    name: str
    """As it reads in a sentence: `the United States`."""
    short: str
    """Column head: `US`."""
    adjective: str
    """`American`, as in `the American delegation`."""
    aliases: tuple[str, ...] = ()
    """Every word that gives the party away, such as names, capitals and leaders; the `masked`
    prompt replaces them."""
    summary: str
    """What it wants in these talks, in a few sentences; the `interests` prompt shows only this."""
    positions: tuple[Position, ...]
    """Everything it is on record as wanting."""


class Option(Value):
    """One text that could be adopted on an issue."""

    id: Id
    """Short handle within the issue, usually a letter."""
    label: str
    """Its gist in a few words."""
    text: str
    """The text itself; adoption and votes bind exactly this."""


class Issue(Value):
    """One question inside an item; its options exclude each other."""

    id: Id
    """Short handle, unique in the setting."""
    title: str
    """A short noun phrase as it reads after `on`: `the scope of arms control`."""
    question: str
    """What has to be decided."""
    options: tuple[Option, ...]
    """Two or more."""
    weight: float = Field(default=1.0, gt=0)
    """How much the issue counts in the weighted agreement rate."""

    def option(self, option_id: str) -> Option:
        """The option of this id; KeyError if there is none."""
        for option in self.options:
            if option.id == option_id:
                return option
        raise KeyError(f"{self.id}/{option_id}")

    @property
    def heading(self) -> str:
        """The title as a heading, with a capital and without its article."""
        bare = self.title.removeprefix("the ").removeprefix("a ")
        return bare[0].upper() + bare[1:]

    def key(self, option: Option) -> str:
        """The option's key, `issue/option`."""
        return f"{self.id}/{option.id}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all its options, in the order of the setting."""
        return tuple(self.key(option) for option in self.options)


class Item(Value):
    """One item of the agenda: what is debated in one go."""

    id: Id
    """Short handle."""
    title: str
    """As the chair announces it."""
    context: str = ""
    """Neutral background as of the setting's date."""
    issues: tuple[Issue, ...]
    """One or more questions to decide."""


class Mandate:
    """All positions of a party that bear on one item: what it may accept and what it may not.

    Utilities are firmness-weighted: each position adds its firmness to the options it supports and
    takes it from those it opposes. Leaving an issue without agreement is worth 0, so an option
    below 0 is worse for the party than no agreement.
    """

    def __init__(self, party: str, item: Item, positions: Iterable[Position]) -> None:
        """Gather the party's positions on the item."""
        self.party = party
        self.item = item
        self.positions = tuple(positions)

    @cached_property
    def points(self) -> Mapping[str, int]:
        """Firmness points of every option of the item, by key; 0 where the record is silent."""
        points = {key: 0 for issue in self.item.issues for key in issue.keys}
        for position in self.positions:
            for key in position.supports:
                if key in points:
                    points[key] += position.firmness
            for key in position.opposes:
                if key in points:
                    points[key] -= position.firmness
        return points

    @cached_property
    def red_lines(self) -> Mapping[str, Position]:
        """The options that cross a red line of the party, with the first position each crosses."""
        crossed: dict[str, Position] = {}
        for position in self.positions:
            if position.kind == "red_line":
                for key in position.opposes:
                    crossed.setdefault(key, position)
        return crossed

    @cached_property
    def numbers(self) -> Mapping[str, str]:
        """The issues of the item numbered from 1, for very small models."""
        return {issue.id: str(number) for number, issue in enumerate(self.item.issues, 1)}

    @cached_property
    def core(self) -> tuple[Position, ...]:
        """The core positions; all of them where none is marked so."""
        return tuple(p for p in self.positions if p.priority == "core") or self.positions

    def bearing_on(self, issue: str) -> tuple[Position, ...]:
        """The positions that support or oppose an option of the issue."""
        prefix = f"{issue}/"
        return tuple(
            position
            for position in self.positions
            if any(key.startswith(prefix) for key in position.supports + position.opposes)
        )

    def backing(self, key: str) -> tuple[Position, ...]:
        """The positions that support the option, firmest first."""
        backing = [position for position in self.positions if key in position.supports]
        return tuple(sorted(backing, key=lambda position: (-position.firmness, position.id)))

    def against(self, key: str) -> tuple[Position, ...]:
        """The positions that oppose the option: red lines first, then firmest first."""
        against = [position for position in self.positions if key in position.opposes]
        return tuple(sorted(against, key=lambda p: (p.kind != "red_line", -p.firmness, p.id)))

    def acceptable(self, key: str) -> bool:
        """Whether the party could accept the option: no red line crossed, and worth the agreement.

        An option the record supports on balance is. One on which the record is silent is only where
        nothing firmer than `FLEXIBLE` is on record on the issue: a firm demand is not given up for
        a text the state never spoke of.
        """
        if key in self.red_lines or self.points[key] < 0:
            return False
        return self.points[key] > 0 or self.firmness(key.partition("/")[0]) <= FLEXIBLE

    def firmness(self, issue: str) -> int:
        """The firmest position on the issue, 1-5; 0 where there is none."""
        return max((position.firmness for position in self.bearing_on(issue)), default=0)

    def best(self, issue: Issue) -> str | None:
        """The best-backed acceptable option of the issue; None where none is supported."""
        backed = [key for key in issue.keys if self.acceptable(key) and self.points[key] > 0]
        return max(backed, key=lambda key: self.points[key], default=None)


class Setting(Value):
    """One negotiation: parties with their positions, items, agendas and rules."""

    id: Id
    """Short handle and folder name."""
    title: str
    """What the talks are."""
    as_of: date
    """No position is dated after this day."""
    summary: str
    """Neutral background as of that day."""
    parties: tuple[Party, ...]
    """In seat order."""
    items: tuple[Item, ...]
    """Everything that can be debated."""
    agendas: tuple[Agenda, ...]
    """Named selections."""
    default_agenda: Id
    """The agenda of a bare `tracktwo run`."""

    def party(self, party_id: str) -> Party:
        """The party of this id; KeyError if there is none."""
        return _by_id(self.parties, party_id)

    def item(self, item_id: str) -> Item:
        """The item of this id; KeyError if there is none."""
        return _by_id(self.items, item_id)

    def agenda(self, agenda_id: str) -> Agenda:
        """The agenda of this id; KeyError if there is none."""
        return _by_id(self.agendas, agenda_id)

    def issue(self, issue_id: str) -> Issue:
        """The issue of this id; KeyError if there is none."""
        return self._issues[issue_id]

    def item_of(self, issue_id: str) -> Item:
        """The item that holds the issue; KeyError if there is none."""
        for item in self.items:
            if any(issue.id == issue_id for issue in item.issues):
                return item
        raise KeyError(issue_id)

    def option(self, key: str) -> Option:
        """The option of this key, `issue/option`; KeyError if there is none."""
        issue_id, _, option_id = key.partition("/")
        return self.issue(issue_id).option(option_id)

    def text_sha(self, key: str) -> str:
        """The fingerprint of an option's exact text: what votes and acceptances bind."""
        return text_sha(key, self.option(key).text)

    def position(self, position_id: str) -> Position:
        """The position of this id; KeyError if there is none."""
        return self._positions[position_id][1]

    def holder(self, position_id: str) -> str:
        """The party that holds the position; KeyError if there is no such position."""
        return self._positions[position_id][0]

    def mandate(self, party_id: str, item_id: str) -> Mandate:
        """All positions of the party that bear on the item."""
        positions = (p for p in self.party(party_id).positions if p.item == item_id)
        return Mandate(party_id, self.item(item_id), positions)

    def only(self, agenda: Agenda) -> Setting:
        """The part of the setting an agenda needs: its parties, items and their positions."""
        kept = set(agenda.items)
        parties = tuple(map(self.party, agenda.parties))
        # Built anew, because a copy would carry over the cached look-ups of the whole setting.
        return Setting(
            id=self.id,
            title=self.title,
            as_of=self.as_of,
            summary=self.summary,
            parties=tuple(
                party.model_copy(
                    update={"positions": tuple(p for p in party.positions if p.item in kept)}
                )
                for party in parties
            ),
            items=tuple(map(self.item, agenda.items)),
            agendas=(agenda,),
            default_agenda=agenda.id,
        )

    @property
    def sha(self) -> str:
        """Fingerprint of the whole setting."""
        return sha(self.model_dump_json())

    @cached_property
    def _issues(self) -> Mapping[str, Issue]:
        return {issue.id: issue for item in self.items for issue in item.issues}

    @cached_property
    def _positions(self) -> Mapping[str, tuple[str, Position]]:
        return {p.id: (party.id, p) for party in self.parties for p in party.positions}


def sha(text: str) -> str:
    """The first 16 hexadecimal digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def text_sha(key: str, text: str) -> str:
    """The fingerprint of an option's exact text."""
    return sha(f"{key}\n{text}")


_Named = TypeVar("_Named", Party, Item, Agenda)


def _by_id(values: tuple[_Named, ...], wanted: str) -> _Named:
    for value in values:
        if value.id == wanted:
            return value
    raise KeyError(wanted)
