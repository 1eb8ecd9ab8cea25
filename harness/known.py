"""Whether an event names only what its setting has.

A record that was changed by hand, or by another program, may parse line by line and still decide an
issue that nobody had on the agenda; everything that reads it would fall over that, each in its way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness import events as e
from harness.setting import Setting


def names_of(setting: Setting) -> Mapping[str, frozenset[str]]:
    """The ids a setting has: of its parties, items, issues, and options with their issue."""
    issues = [issue for item in setting.items for issue in item.issues]
    return {
        "party": frozenset(party.id for party in setting.parties),
        "item": frozenset(item.id for item in setting.items),
        "issue": frozenset(issue.id for issue in issues),
        "option": frozenset(f"{i.id}/{option.id}" for i in issues for option in i.options),
    }


def unknown(event: e.Event, names: Mapping[str, frozenset[str]]) -> str | None:
    """What an event names that is not among the names, in words; None where all is well.

    Rulings are not looked at: a move may be out of order for this very reason.
    """
    for what, name in _named(event):
        if name is not None and name not in names[what]:
            return f"the {what} {name!r}"
    return None


def _named(event: e.Event) -> Iterator[tuple[str, str | None]]:
    """Everything that is named, as (party, item, issue or option, id); options with their issue."""
    if isinstance(event, e.TurnEvent):
        yield "party", event.party
        yield "item", event.item
    match event:
        case e.ItemOpened() | e.RoundOpened() | e.ItemClosed() | e.ChairSpoke():
            yield "item", event.item
        case e.CaucusOpened():
            yield "item", event.item
            yield from (("party", each) for each in event.parties)
        case e.MoveMade():
            yield from _on_issue(event.move.issue, event.move.option)
            yield "party", event.move.to
        case e.Tabled():
            yield "item", event.item
            yield from _on_issue(event.issue, event.option)
            yield from (("party", each) for each in event.acceptances)
        case e.VoteCast():
            yield from _on_issue(event.issue, event.option)
        case e.Decided():
            yield from _decided(event)
        case e.PackageRuled():
            yield "item", event.item
            yield from (("issue", each) for each in event.issues)


def _decided(event: e.Decided) -> Iterator[tuple[str, str | None]]:
    yield "item", event.item
    yield from _on_issue(event.issue, event.option)
    answers = (event.accept, event.reject, event.abstain, event.missing)
    yield from (("party", each) for listed in answers for each in listed)
    yield from (("party", each.party) for each in event.reserve)
    for bracket in event.brackets:
        yield from _on_issue(event.issue, bracket.option)
        yield from (("party", each) for each in bracket.holders)


def _on_issue(issue: str, option: str | None) -> Iterator[tuple[str, str | None]]:
    yield "issue", issue
    yield "option", None if option is None else f"{issue}/{option}"
