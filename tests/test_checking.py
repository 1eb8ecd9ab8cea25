"""What a sound setting leaves unsaid."""

from __future__ import annotations

from datetime import date

from harness.checking import AgendaCount, Closed, PartyCount, Silence, gaps, size
from harness.setting import (
    Agenda,
    Issue,
    Item,
    Kind,
    Option,
    Party,
    Position,
    Setting,
    Source,
    Tier,
)


def an_issue(name: str, *letters: str) -> Issue:
    options = tuple(Option(id=x, label=f"Label {x}", text=f"Text {x}.") for x in letters)
    return Issue(id=name, title=name, question=f"What of {name}?", options=options)


def a_position(
    name: str,
    kind: Kind = "demand",
    supports: tuple[str, ...] = (),
    opposes: tuple[str, ...] = (),
    tier: Tier = "press",
    verify: bool = False,
    item: str = "river",
) -> Position:
    day = date(2024, 1, 1)
    return Position(
        id=name,
        item=item,
        statement="A statement.",
        kind=kind,
        firmness=3,
        supports=supports,
        opposes=opposes,
        source=Source(title="T", publisher="P", date=day, url="https://example.org", tier=tier),
        verify=verify,
    )


def a_party(name: str, *positions: Position) -> Party:
    return Party(id=name, name=name, short=name, adjective=name, summary=name, positions=positions)


def an_agenda(name: str, parties: tuple[str, ...], items: tuple[str, ...]) -> Agenda:
    return Agenda(id=name, title=f"Agenda {name}", parties=parties, items=items)


def a_setting(*parties: Party, agendas: tuple[Agenda, ...] | None = None) -> Setting:
    names = tuple(party.id for party in parties)
    return Setting(
        id="talks",
        title="Talks",
        as_of=date(2024, 5, 1),
        summary="Talks.",
        parties=parties,
        items=(
            Item(
                id="river",
                title="R",
                issues=(an_issue("flow", "a", "b"), an_issue("fish", "a", "b")),
            ),
            Item(id="road", title="R", issues=(an_issue("toll", "a", "b", "c"),)),
        ),
        agendas=agendas or (an_agenda("all", names, ("river", "road")),),
        default_agenda=agendas[0].id if agendas else "all",
    )


def test_the_size_counts_items_issues_options_positions_tiers_and_agendas() -> None:
    setting = a_setting(
        a_party("up", a_position("up-1"), a_position("up-2", tier="primary"), a_position("up-3")),
        a_party("low"),
        agendas=(
            an_agenda("short", ("low", "up"), ("road",)),
            an_agenda("long", ("up", "low"), ("road", "river")),
        ),
    )
    counted = size(setting)
    assert (counted.items, counted.issues, counted.options, counted.positions) == (2, 3, 7, 3)
    assert counted.parties == (
        PartyCount(party="up", positions=3, tiers={"press": 2, "primary": 1}),
        PartyCount(party="low", positions=0, tiers={}),
    )
    assert counted.agendas == (
        AgendaCount(agenda="short", title="Agenda short", parties=("low", "up"), items=1, issues=1),
        AgendaCount(agenda="long", title="Agenda long", parties=("up", "low"), items=2, issues=3),
    )
    assert counted.default_agenda == "short"


def test_a_party_is_silent_only_on_issues_that_it_debates() -> None:
    setting = a_setting(
        a_party("up", a_position("up-1", supports=("flow/a",), opposes=("flow/b",))),
        a_party("low", a_position("low-1", opposes=("fish/b",))),
        agendas=(
            an_agenda("river-only", ("up", "low"), ("river",)),
            an_agenda("river-again", ("low", "up"), ("river",)),
        ),
    )
    assert gaps(setting).silences == (
        Silence(party="up", issue="fish", agendas=("river-only", "river-again")),
        Silence(party="low", issue="flow", agendas=("river-only", "river-again")),
    )


def test_options_nobody_supports_are_listed_in_the_order_of_the_setting() -> None:
    setting = a_setting(
        a_party("up", a_position("up-1", supports=("fish/a", "flow/b"))),
        a_party("low", a_position("low-1", supports=("toll/b",), item="road")),
    )
    assert gaps(setting).unsupported == ("flow/a", "fish/b", "toll/a", "toll/c")


def test_an_option_is_closed_by_each_party_whose_red_line_it_crosses_but_by_no_mere_demand() -> (
    None
):
    setting = a_setting(
        a_party("up", a_position("up-1", "red_line", opposes=("flow/a", "fish/b"))),
        a_party(
            "low",
            a_position("low-1", "demand", opposes=("flow/b",)),
            a_position("low-2", "red_line", opposes=("flow/a",)),
            a_position("low-3", "red_line", opposes=("flow/a",)),
        ),
    )
    assert gaps(setting).closed == (
        Closed(option="flow/a", party="up", position="up-1"),
        Closed(option="flow/a", party="low", position="low-2"),
        Closed(option="fish/b", party="up", position="up-1"),
    )


def test_positions_that_move_nothing_red_lines_without_options_and_doubtful_ones_are_listed() -> (
    None
):
    setting = a_setting(
        a_party("up", a_position("up-1"), a_position("up-2", supports=("flow/a",), verify=True)),
        a_party("low", a_position("low-1", "red_line", supports=("flow/b",))),
    )
    found = gaps(setting)
    assert (found.idle, found.blunt, found.unverified) == (("up-1",), ("low-1",), ("up-2",))


def test_a_setting_on_which_everybody_has_spoken_has_no_gaps() -> None:
    everything = tuple(
        a_position(f"{party}-{number}", supports=keys, item=item)
        for party in ("up", "low")
        for number, (item, keys) in enumerate(
            {
                "river": ("flow/a", "flow/b", "fish/a", "fish/b"),
                "road": ("toll/a", "toll/b", "toll/c"),
            }.items()
        )
    )
    found = gaps(a_setting(a_party("up", *everything[:2]), a_party("low", *everything[2:])))
    assert set(found.model_dump().values()) == {()}
