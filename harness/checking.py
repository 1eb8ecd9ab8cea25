"""What a sound setting still leaves unsaid: its size, and the gaps in what is on record.

Pure functions over a setting. A gap is no defect: states are silent on much, and a text without a
friend may be what the talks end on. Whether the files are sound is for harness/loading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.setting import Agenda, Id, OptionKey, Setting, Tier, Value


class PartyCount(Value):
    """How much of one party is on record."""

    party: Id
    positions: int
    tiers: dict[Tier, int]
    """Positions by how close their source is to the state itself; no tier without any."""


class AgendaCount(Value):
    """How large an agenda is."""

    agenda: Id
    title: str
    parties: tuple[Id, ...]
    items: int
    issues: int


class Size(Value):
    """How large a setting is."""

    items: int
    issues: int
    options: int
    positions: int
    parties: tuple[PartyCount, ...]
    agendas: tuple[AgendaCount, ...]
    default_agenda: Id


class Silence(Value):
    """An issue on which a party that debates it has no documented position."""

    party: Id
    issue: Id
    agendas: tuple[Id, ...]
    """The agendas in which the party debates the issue."""


class Closed(Value):
    """An option that crosses a party's red line."""

    option: OptionKey
    party: Id
    position: Id
    """The red line; the first where several are crossed."""


class Gaps(Value):
    """What the record of a setting leaves open, and what is closed from the start."""

    silences: tuple[Silence, ...]
    """Parties that debate an issue without a documented position on it."""
    unsupported: tuple[OptionKey, ...]
    """Options that no position speaks for."""
    closed: tuple[Closed, ...]
    """Options that cross a red line, once for each party."""
    idle: tuple[Id, ...]
    """Positions that bear on no option; they can be cited but move nothing."""
    blunt: tuple[Id, ...]
    """Red lines that oppose no option: they bind in words only."""
    unverified: tuple[Id, ...]
    """Positions to be checked before anybody relies on them."""


def size(setting: Setting) -> Size:
    """How large the setting is."""
    issues = [issue for item in setting.items for issue in item.issues]
    return Size(
        items=len(setting.items),
        issues=len(issues),
        options=sum(len(issue.options) for issue in issues),
        positions=sum(len(party.positions) for party in setting.parties),
        parties=tuple(
            PartyCount(
                party=party.id,
                positions=len(party.positions),
                tiers=dict(Counter(p.source.tier for p in party.positions).most_common()),
            )
            for party in setting.parties
        ),
        agendas=tuple(_agenda_count(setting, agenda) for agenda in setting.agendas),
        default_agenda=setting.default_agenda,
    )


def gaps(setting: Setting) -> Gaps:
    """What the record leaves open, and what is closed from the start."""
    everything = [p for party in setting.parties for p in party.positions]
    supported = {key for position in everything for key in position.supports}
    keys = (key for item in setting.items for issue in item.issues for key in issue.keys)
    return Gaps(
        silences=tuple(_silences(setting)),
        unsupported=tuple(key for key in keys if key not in supported),
        closed=tuple(_closed(setting)),
        idle=tuple(p.id for p in everything if not (p.supports or p.opposes)),
        blunt=tuple(p.id for p in everything if p.kind == "red_line" and not p.opposes),
        unverified=tuple(p.id for p in everything if p.verify),
    )


def _agenda_count(setting: Setting, agenda: Agenda) -> AgendaCount:
    return AgendaCount(
        agenda=agenda.id,
        title=agenda.title,
        parties=agenda.parties,
        items=len(agenda.items),
        issues=sum(len(setting.item(item).issues) for item in agenda.items),
    )


def _silences(setting: Setting) -> Iterator[Silence]:
    for party in setting.parties:
        for item in setting.items:
            agendas = tuple(
                agenda.id
                for agenda in setting.agendas
                if party.id in agenda.parties and item.id in agenda.items
            )
            mandate = setting.mandate(party.id, item.id)
            for issue in item.issues if agendas else ():
                if not mandate.bearing_on(issue.id):
                    yield Silence(party=party.id, issue=issue.id, agendas=agendas)


def _closed(setting: Setting) -> Iterator[Closed]:
    for item in setting.items:
        lines = [(party.id, setting.mandate(party.id, item.id)) for party in setting.parties]
        for issue in item.issues:
            for key in issue.keys:
                for party, mandate in lines:
                    if key in mandate.red_lines:
                        crossed = mandate.red_lines[key].id
                        yield Closed(option=key, party=party, position=crossed)
