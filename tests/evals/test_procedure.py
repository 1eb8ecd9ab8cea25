from __future__ import annotations

import pytest

from evals.procedure import floor, procedure
from harness import events as e
from tests.evals.results import all_of, one
from tests.evals.room import Room
from tests.evals.talks import half_agreed, two_party_setting


def a_room() -> Room:
    return Room(two_party_setting()).opens()


def a_call(seat: str, name: str, finish: str = "stop") -> e.ModelCall:
    return e.ModelCall(
        audience=(seat,), call=name, seat=seat, sent=(), answer_schema=None, request_sha="0",
        reply="{}", finish=finish,
    )  # fmt: skip


def test_floor_shares_are_of_public_words() -> None:
    room = a_room().says("us", "one two three").says("ru", "one")
    room.says("ru", "a long private aside", audience=("us", "ru"))
    assert one(floor, room.transcript, "party:us", "floor_share").value == 0.75
    assert one(floor, room.transcript, "party:ru", "floor_share").value == 0.25
    assert one(floor, room.transcript, "debate", "floor_gini").value == 0.25


def test_nobody_has_a_share_of_a_silent_floor() -> None:
    assert one(floor, a_room().transcript, "party:us", "floor_share").value is None
    assert one(floor, a_room().transcript, "debate", "floor_gini").value is None


def test_the_first_offer_on_an_issue_is_followed_to_its_adoption() -> None:
    first = one(floor, half_agreed().transcript, "debate", "first_proposal_adopted")
    assert (first.hits, first.n) == (1, 1)
    assert "by lot it would be 0.50" in first.reason
    room = a_room().moves("us", "propose", "scope/a").votes("scope/c", us="accept", ru="accept")
    assert one(floor, room.transcript, "debate", "first_proposal_adopted").value == 0.0


def test_a_move_out_of_order_counts_among_those_attempted() -> None:
    room = a_room().moves("us", "propose", "scope/a")
    room.move("us", "propose", "scope/a")
    out = one(procedure, room.transcript, "party:us", "ruled_out")
    assert (out.hits, out.n) == (1, 2)
    assert out.evidence[0].quote == "'scope/a' is already this delegation's offer"


def test_an_unreadable_answer_is_an_error_that_is_counted_and_shown() -> None:
    """A peer scored unknown actions as 0; another turned them into a random or idle action."""
    room = a_room().says("us").says("ru").fails("ru").fails("ru", "refused")
    failed = one(procedure, room.transcript, "party:ru", "failed_turns")
    assert (failed.hits, failed.n) == (2, 3)
    assert failed.reason == "turns without an answer: 1 refused, 1 unreadable"
    assert one(procedure, room.transcript, "party:ru", "failed_refused").value == 1
    assert one(procedure, room.transcript, "party:us", "failed_turns").hits == 0
    assert all_of(procedure, room.transcript, "party:us", "failed_refused") == []


@pytest.mark.parametrize(("good", "label"), [(49, "held"), (48, "flagged")])
def test_the_gate_holds_at_two_in_a_hundred_and_not_above(good: int, label: str) -> None:
    room = a_room().fails("us")
    for _ in range(good):
        room.says("us")
    gate = one(procedure, room.transcript, "party:us", "gate")
    assert (gate.label, gate.n) == (label, good + 1)
    assert one(procedure, room.transcript, "party:ru", "gate").label == "not tested"


def test_repairs_are_joined_by_the_name_of_the_call_and_not_by_neighbourhood() -> None:
    room = a_room()
    for seat, name in [("us", "a/us#1"), ("ru", "a/ru#1"), ("us", "a/us#2"), ("us", "b/us#1")]:
        room.add(a_call(seat, name, "length" if name == "a/us#1" else "stop"))
    repairs = one(procedure, room.transcript, "party:us", "repairs")
    assert (repairs.hits, repairs.n) == (1, 2)
    assert one(procedure, room.transcript, "party:ru", "repairs").hits == 0
    cut = one(procedure, room.transcript, "party:us", "truncated")
    assert (cut.hits, cut.n) == (1, 3)


def test_what_the_chair_says_is_nobodys_failure() -> None:
    room = a_room().add(a_call("chair", "item/opens/chair#1", "length"))
    assert one(procedure, room.transcript, "debate", "truncated").n == 0
