"""What stands beside what: items, stretches and parties of several debates in one order."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from harness.transcript import Transcript

_Key = TypeVar("_Key", bound=Hashable)


def merged(sequences: Iterable[Sequence[_Key]]) -> tuple[_Key, ...]:
    """One order for several: that of the first, what others have besides put where they have it."""
    found: list[_Key] = []
    for sequence in sequences:
        place = 0
        for each in sequence:
            if each in found:
                place = found.index(each) + 1
            else:
                found.insert(place, each)
                place += 1
    return tuple(found)


def items_of(transcript: Transcript) -> tuple[str, ...]:
    """The items on a debate's agenda, in order."""
    return tuple(item.id for item in transcript.setting.items)


def shared_items(transcripts: Sequence[Transcript]) -> tuple[str, ...]:
    """The items that are on the agenda of all, in the order of the first."""
    others = [set(items_of(each)) for each in transcripts[1:]]
    return tuple(i for i in items_of(transcripts[0]) if all(i in other for other in others))
