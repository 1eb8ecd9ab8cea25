"""The turns of several debates side by side, by item, phase, round and party."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from harness import events as e
from harness.transcript import Transcript
from harness.viewer import anchors
from harness.viewer.comparing.aligning import items_of, merged
from harness.viewer.comparing.naming import Names
from harness.viewer.comparing.substance import Substance, done, phase_of, substance
from harness.viewer.comparing.texts import Piece, diff

SHOWN = 1200
"""Characters of a statement that are shown; the rest is one click away, on the debate's page."""

_Place: TypeAlias = tuple[str, str, int]
"""Item, phase and round."""

_Key: TypeAlias = tuple[str, int]
"""A party, and which of its own turns in that place it is, from 0."""

_Events: TypeAlias = tuple[e.TurnEvent, ...]
_Taken: TypeAlias = Mapping[_Place, Mapping[_Key, _Events]]


class Here(NamedTuple):
    """Where on a debate's page the turn stands."""

    debate: int
    handle: str
    to: str


class Version(NamedTuple):
    """A turn as it was taken in one debate, or alike in several."""

    here: tuple[Here, ...]
    pieces: tuple[Piece, ...]
    """What was said, as far as it is shown; `ins` is what the base does not say, where both say
    much the same."""
    more: int
    """How many more characters there are."""
    acts: tuple[str, ...]
    """What else was done, in words."""

    @property
    def debates(self) -> tuple[int, ...]:
        """In which debates."""
        return tuple(each.debate for each in self.here)

    @property
    def text(self) -> str:
        """What was said, as far as it is shown."""
        return "".join(piece.text for piece in self.pieces)


class Row(NamedTuple):
    """The turns that stand beside each other."""

    party: str
    """As the party is called."""
    versions: tuple[Version, ...]
    missing: tuple[int, ...]
    """Debates that have no such turn."""
    differs: tuple[str, ...]
    """What is not the same in those that have it, in words."""

    @property
    def same(self) -> bool:
        """Whether the turn is the same in all debates."""
        return len(self.versions) == 1 and not self.missing


class Stretch(NamedTuple):
    """A phase or a round of an item."""

    title: str
    rows: tuple[Row, ...]

    @property
    def different(self) -> int:
        """How many rows are not the same."""
        return sum(not row.same for row in self.rows)


class Item(NamedTuple):
    """An item of the agenda."""

    id: str
    title: str
    stretches: tuple[Stretch, ...]
    absent: tuple[int, ...]
    """Debates on whose agenda it is not; of an item that only one has, no turns are shown."""

    @property
    def turns(self) -> int:
        """How many rows it has."""
        return sum(len(each.rows) for each in self.stretches)

    @property
    def different(self) -> int:
        """How many of them are not the same."""
        return sum(each.different for each in self.stretches)


def aligned(transcripts: Sequence[Transcript], base: int) -> tuple[Item, ...]:
    """Everything said and done in turns that everybody may know of, item by item.

    Args:
        transcripts: The debates, as everybody may read them.
        base: The one against which others are marked where they say something else.
    """
    names = [Names(each.setting) for each in transcripts]
    taken = [_taken(each) for each in transcripts]
    agendas = [items_of(each) for each in transcripts]
    made = []
    for item in merged(agendas):
        absent = tuple(n for n, agenda in enumerate(agendas) if item not in agenda)
        known = next(n for n, agenda in enumerate(agendas) if item in agenda)
        alone = len(absent) == len(agendas) - 1
        stretches = () if alone else tuple(_stretches(item, taken, names, base))
        made.append(Item(item, names[known].item(item), stretches, absent))
    return tuple(made)


def _taken(transcript: Transcript) -> _Taken:
    turns: dict[str, list[e.TurnEvent]] = {}
    for event in transcript.events:
        if isinstance(event, e.TurnEvent):
            turns.setdefault(event.turn, []).append(event)
    found: dict[_Place, dict[_Key, _Events]] = {}
    for events in turns.values():
        first = events[0]
        here = found.setdefault((first.item, first.phase, first.round), {})
        earlier = sum(party == first.party for party, _ in here)
        here[first.party, earlier] = tuple(events)
    return found


def _stretches(
    item: str, taken: Sequence[_Taken], names: Sequence[Names], base: int
) -> Iterator[Stretch]:
    for where in merged([[each for each in own if each[0] == item] for own in taken]):
        beside = [own.get(where, {}) for own in taken]
        rows = tuple(
            _row(key[0], [own.get(key, ()) for own in beside], names, base)
            for key in merged([tuple(own) for own in beside])
        )
        yield Stretch(phase_of(where[1], where[2]), rows)


def _row(party: str, beside: Sequence[_Events], names: Sequence[Names], base: int) -> Row:
    groups: dict[tuple[Substance | None, ...], list[int]] = {}
    for number, events in enumerate(beside):
        if events:
            groups.setdefault(tuple(substance(each) for each in events), []).append(number)
    first = [group[0] for group in groups.values()]
    return Row(
        names[first[0]].party(party),
        tuple(_version(beside, group, names[group[0]], base) for group in groups.values()),
        tuple(number for number, events in enumerate(beside) if not events),
        _differs([beside[number] for number in first]),
    )


def _version(beside: Sequence[_Events], debates: Sequence[int], names: Names, base: int) -> Version:
    events = beside[debates[0]]
    said, cited, other = _said(events), _cited(events), _said(beside[base])
    acts = [done(each, names) for each in events if not isinstance(each, e.Statement)]
    if cited:
        acts.append(f"cites {', '.join(dict.fromkeys(cited))}")
    shown = _cut(said)
    pieces = (Piece("same", shown),) if base in debates else _marked(_cut(other), shown)
    handles = [beside[number][0].turn for number in debates]
    here = tuple(Here(n, t, anchors.turn(t)) for n, t in zip(debates, handles, strict=True))
    return Version(here, pieces, len(said) - len(shown), tuple(acts))


def _cut(said: str) -> str:
    return said if len(said) <= SHOWN else said[:SHOWN].rpartition(" ")[0] or said[:SHOWN]


def _marked(base: str, said: str) -> tuple[Piece, ...]:
    """What is said, with what of it the base does not say, where the two are much the same."""
    pieces = tuple(piece for piece in diff(base, said) if piece.op != "del") if base else ()
    alike = any(piece.op == "same" for piece in pieces)
    return pieces if alike else (Piece("same", said),)


def _said(events: _Events) -> str:
    return "\n".join(each.text for each in events if isinstance(each, e.Statement))


def _cited(events: _Events) -> tuple[str, ...]:
    return tuple(c for each in events if isinstance(each, e.Statement) for c in each.citations)


def _votes(events: _Events) -> tuple[object, ...]:
    return tuple(substance(each) for each in events if isinstance(each, e.VoteCast))


def _moves(events: _Events) -> tuple[object, ...]:
    kinds = e.MoveMade | e.RuledOut | e.TurnFailed
    return tuple(substance(each) for each in events if isinstance(each, kinds))


_PARTS: Mapping[str, Callable[[_Events], object]] = {
    "words": _said, "citations": _cited, "moves": _moves, "votes": _votes,
}  # fmt: skip


def _differs(versions: Sequence[_Events]) -> tuple[str, ...]:
    return tuple(
        what for what, part in _PARTS.items() if len({part(each) for each in versions}) > 1
    )
