"""Who speaks next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import events as e
from harness.floor import Rotating, RoundRobin, SpeakersList, floor_for
from harness.setting import Rules
from harness.state import State
from tests.rooms import Does, a_party, a_room, a_setting, an_item, held, silent

THREE = State(parties=("us", "ru", "de"))


def test_round_robin_is_seat_order_in_every_round() -> None:
    assert [list(RoundRobin().speakers(THREE, item, 2)) for item in (0, 1)] == [
        ["us", "ru", "de"],
        ["us", "ru", "de"],
    ]


def test_rotating_begins_one_seat_later_each_round_and_each_item() -> None:
    assert [list(Rotating().speakers(THREE, 0, round_)) for round_ in range(4)] == [
        ["us", "ru", "de"],
        ["ru", "de", "us"],
        ["de", "us", "ru"],
        ["us", "ru", "de"],
    ]
    assert list(Rotating().speakers(THREE, 1, 0)) == ["ru", "de", "us"]


def test_the_speakers_list_puts_those_who_were_asked_first_then_those_who_spoke_least() -> None:
    state = replace(THREE, spoken={"us": 1, "ru": 2}, questions=(("us", "ru", "one"),))
    assert list(SpeakersList().speakers(state, 0, 2)) == ["ru", "de", "us"]


@pytest.mark.parametrize("name", ["round_robin", "rotating", "speakers_list"])
@given(
    parties=st.integers(1, 6),
    item=st.integers(0, 20),
    round_=st.integers(0, 50),
    spoken=st.lists(st.integers(0, 9), min_size=6, max_size=6),
)
def test_everybody_speaks_exactly_once_in_a_round(
    name: str, parties: int, item: int, round_: int, spoken: list[int]
) -> None:
    names = tuple(f"p{n}" for n in range(parties))
    state = State(parties=names, spoken=dict(zip(names, spoken, strict=False)))
    floor = floor_for(Rules.model_validate({"floor": name}))
    assert sorted(floor.speakers(state, item, round_)) == sorted(names)


def test_with_a_rotating_floor_everybody_opens_a_round_once() -> None:
    setting = a_setting(*map(a_party, ("us", "ru", "de")), items=(an_item(),))
    seat = Does(silent, reads_prompts=False)
    past = held(a_room(setting, seat, rules=Rules(rounds=2, floor="rotating")))
    first: dict[tuple[str, int], str] = {}
    for event in past.of(e.Statement):
        first.setdefault((event.phase, event.round), event.party)
    assert first == {("opening", 0): "us", ("round", 1): "ru", ("round", 2): "de"}
