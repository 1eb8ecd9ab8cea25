"""What can be compared, for whoever came without saying what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from harness.viewer.app.index import Entry, index_of
from harness.viewer.app.shelf_rows import Row, row
from harness.viewer.app.shelf_under_way import under_way

SMALL = 100
"""Debates up to which all are offered in a list; beyond, the shelf finds them."""


@dataclass(frozen=True)
class Talks:
    """The debates of one setting and agenda, latest first: these compare best."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Choice:
    """What is offered."""

    chosen: tuple[str, ...]
    """The debate that was named, if there was one."""
    debates: int
    """How many of the folder can be compared."""
    talks: tuple[Talks, ...]
    """Empty where there are too many to list."""
    shelf: str
    """Address of the shelf, with what was chosen."""


def choice(folder: Path, chosen: Sequence[str], held: Sequence[str]) -> Choice:
    """What of a folder can be compared; `held` are the debates that this program holds."""
    entries = [each for each in index_of(folder).look().entries if each.glance is not None]
    going_on = under_way(entries, held)
    shelf = f"/?{urlencode([('d', name) for name in chosen])}" if chosen else "/"
    listed = len(entries) <= SMALL
    talks = tuple(_talks(entries, going_on, chosen)) if listed else ()
    return Choice(tuple(chosen), len(entries), talks, shelf)


def _talks(
    entries: Sequence[Entry], going_on: Mapping[str, bool], chosen: Sequence[str]
) -> list[Talks]:
    groups: dict[tuple[str, tuple[str, ...]], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_about(entry), []).append(entry)
    # What has the agenda of the one that was named stands first.
    order = sorted(groups.items(), key=lambda pair: not any(e.name in chosen for e in pair[1]))
    return [
        Talks(_title(each), tuple(row(e, going_on) for e in sorted(each, key=_held, reverse=True)))
        for _, each in order
    ]


def _about(entry: Entry) -> tuple[str, tuple[str, ...]]:
    assert entry.glance is not None, "broken files are not offered"
    return entry.glance.setting.id, tuple(item.id for item in entry.glance.items)


def _held(entry: Entry) -> str:
    return entry.glance.created if entry.glance else ""


def _title(entries: Sequence[Entry]) -> str:
    seen = entries[0].glance
    assert seen is not None, "broken files are not offered"
    items = [item.name for item in seen.items]
    more = f" and {len(items) - 1} more items" if len(items) > 1 else ""
    return f"{seen.setting.name}: {items[0] if items else 'no item'}{more}"
