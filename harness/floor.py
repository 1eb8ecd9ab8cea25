"""Who speaks next.

A floor knows names and order. It does not know what was said, which model speaks, or how a turn is
recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from harness.setting import Rules
from harness.state import State


class Floor(Protocol):
    """An order of speakers for one round; each party with a seat speaks exactly once in it."""

    def speakers(self, state: State, item_index: int, round_number: int) -> Iterator[str]:
        """The parties in the order in which they take the floor."""
        ...


@dataclass(frozen=True)
class RoundRobin:
    """Always in seat order."""

    def speakers(self, state: State, item_index: int, round_number: int) -> Iterator[str]:
        """Seat order."""
        yield from state.parties


@dataclass(frozen=True)
class Rotating:
    """Seat order, begun one seat later each round and each item, so that nobody always opens."""

    def speakers(self, state: State, item_index: int, round_number: int) -> Iterator[str]:
        """Seat order from a moving start."""
        start = (item_index + round_number) % len(state.parties)
        yield from state.parties[start:] + state.parties[:start]


@dataclass(frozen=True)
class SpeakersList:
    """Who was asked a question first, then who spoke least in this item, then seat order."""

    def speakers(self, state: State, item_index: int, round_number: int) -> Iterator[str]:
        """The list as it stands when the round opens."""
        asked = {question[1] for question in state.questions}
        yield from sorted(state.parties, key=lambda p: (p not in asked, state.spoken.get(p, 0)))


def floor_for(rules: Rules) -> Floor:
    """The floor the rules name."""
    floors: dict[str, Floor] = {
        "round_robin": RoundRobin(),
        "rotating": Rotating(),
        "speakers_list": SpeakersList(),
    }
    return floors[rules.floor]
