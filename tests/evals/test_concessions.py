from __future__ import annotations

import pytest

from evals.concessions import concessions, ledger, longest_streak, satisfaction
from tests.evals.results import all_of, one
from tests.evals.room import Room
from tests.evals.talks import half_agreed, two_party_setting


def a_room() -> Room:
    return Room(two_party_setting()).opens()


def steps(room: Room) -> list[tuple[str, str, str, int]]:
    return [(s.party, s.given_from, s.given_to, s.size) for s in ledger(room.transcript)]


def test_replacing_an_offer_by_one_worth_less_is_a_concession_of_the_difference() -> None:
    room = a_room().moves("us", "propose", "scope/a").concedes("us", "scope/c")
    assert steps(room) == [("us", "scope/a", "scope/c", 4)]
    (step,) = ledger(room.transcript)
    assert step.gains == {"ru": 6}  # from -5 to +1


def test_a_first_offer_however_modest_concedes_nothing() -> None:
    assert steps(a_room().moves("us", "propose", "scope/b")) == []


def test_accepting_less_than_one_asked_for_is_a_concession_and_so_is_voting_for_it() -> None:
    room = a_room().moves("us", "propose", "scope/a").moves("ru", "propose", "scope/c")
    room.moves("us", "accept", "scope/c")
    room.votes("scope/b", us="accept", ru="accept")
    assert steps(room) == [("us", "scope/a", "scope/c", 4), ("us", "scope/c", "scope/b", 2)]


def test_the_same_ground_is_given_only_once() -> None:
    room = a_room().moves("us", "propose", "scope/a").concedes("us", "scope/c")
    room.concedes("us", "scope/a").concedes("us", "scope/c")
    assert steps(room) == [("us", "scope/a", "scope/c", 4)]


def test_voting_against_or_abstaining_gives_nothing() -> None:
    room = a_room().moves("us", "propose", "scope/a")
    room.votes("scope/b", us="reject", ru="abstain")
    assert steps(room) == []


def test_given_received_and_asymmetry_are_in_a_partys_own_points() -> None:
    room = a_room().moves("us", "propose", "scope/a").concedes("us", "scope/c")
    given = one(concessions, room.transcript, "party:us", "given")
    received = one(concessions, room.transcript, "party:ru", "received")
    assert (given.value, given.n, received.value, received.n) == (4, 1, 6, 1)
    assert one(concessions, room.transcript, "party:us", "asymmetry").value == 1.0
    assert one(concessions, room.transcript, "party:ru", "asymmetry").value == -1.0
    assert one(concessions, room.transcript, "debate", "given_gini").value == 0.5


def test_where_nobody_gave_there_is_no_asymmetry_and_no_spread() -> None:
    transcript = a_room().transcript
    assert one(concessions, transcript, "party:us", "asymmetry").value is None
    assert one(concessions, transcript, "debate", "given_gini").value is None
    assert one(concessions, transcript, "party:us", "given").value == 0


@pytest.mark.parametrize(
    ("givers", "longest"), [("", 0), ("uur", 2), ("uruu", 2), ("uuruuu", 3), ("rr", 0)]
)
def test_the_longest_streak_ends_when_somebody_else_gives(givers: str, longest: int) -> None:
    assert longest_streak(list(givers), "u") == longest


def test_a_concession_made_in_return_for_something_tells_whether_it_was_had() -> None:
    room = a_room().moves("us", "propose", "scope/a")
    room.concedes("us", "scope/c", in_return_for="talks/a")
    open_ = one(concessions, room.transcript, "debate", "returned")
    assert (open_.value, open_.n, open_.unscored) == (None, 0, 1)
    room.votes("talks/a", us="accept", ru="accept")
    returned = one(concessions, room.transcript, "debate", "returned")
    assert (returned.hits, returned.n, returned.unscored) == (1, 1, 0)
    (entry,) = all_of(concessions, room.transcript, "party:us/issue:scope", "concession")
    assert entry.kind == "score"
    assert entry.reason.endswith("to the gain of ru +6; in return for talks/a, obtained")


def test_satisfaction_is_the_points_attained_of_those_attainable() -> None:
    room = half_agreed()  # talks/a only
    us = one(satisfaction, room.transcript, "party:us", "satisfaction")
    ru = one(satisfaction, room.transcript, "party:ru", "satisfaction")
    assert us.value == pytest.approx(1 / 5)  # scope/a 4 + talks/a 1
    assert ru.value == pytest.approx(2 / 8)  # scope/b 5 + talks/b 3
    assert (us.n, us.unscored) == (2, 0)
    assert one(satisfaction, room.transcript, "debate", "nash_product").value == 2


def test_the_nash_product_is_undefined_where_a_party_loses() -> None:
    room = a_room().votes("scope/b", us="accept", ru="accept")
    product = one(satisfaction, room.transcript, "debate", "nash_product")
    assert product.value is None
    assert product.unscored == 1
    assert one(satisfaction, room.transcript, "party:us", "attained").value == -2
