from __future__ import annotations

import json

from evals.citations import citations, validity
from harness import events as e
from harness.setting import Setting
from tests.evals.results import all_of, one
from tests.evals.room import Room, a_party, a_position, a_setting, an_issue, an_item


def a_citing_setting() -> Setting:
    return a_setting(
        a_party(
            "us",
            a_position("us-ss-1", 4, supports=("scope/a",)),
            a_position("us-ss-2", 2, priority="supplementary"),
            a_position("us-cy-1", 3, item="cyber"),
            a_position("us-ss-9", 3, visibility="confidential", statement="Between us only."),
        ),
        a_party("ru", a_position("ru-ss-1", 4, supports=("scope/b",))),
        items=(an_item(an_issue("scope")), an_item(an_issue("hacks"), item_id="cyber")),
    )


def a_room() -> Room:
    return Room(a_citing_setting()).opens()


def verdicts(room: Room) -> list[tuple[str, str, str]]:
    return [(c.id, c.where, c.verdict) for c in citations(room.transcript)]


def call(room: Room, seat: str, name: str, reply: str | None) -> Room:
    return room.add(
        e.ModelCall(
            audience=(seat,),
            call=name,
            seat=seat,
            sent=(),
            answer_schema=None,
            request_sha="0",
            reply=reply,
        )
    )


def unread(room: Room, seat: str, name: str) -> Room:
    return room.add(e.Unread(audience=(seat,), call=name, why="not one of the ids"))


def test_each_way_of_citing_wrongly_has_its_class() -> None:
    room = a_room().says("us", "So we said.", "us-ss-1", "us-ss-7", "ru-ss-1", "us-cy-1", "us-ss-9")
    assert verdicts(room) == [
        ("us-ss-1", "typed", "valid"),
        ("us-ss-7", "typed", "nonexistent"),
        ("ru-ss-1", "typed", "other_party"),
        ("us-cy-1", "typed", "wrong_item"),
        ("us-ss-9", "typed", "confidential_in_public"),
    ]
    rate = one(validity, room.transcript, "party:us", "valid")
    assert (rate.hits, rate.n) == (1, 5)
    (wrong,) = all_of(validity, room.transcript, "party:us", "error_other_party")
    assert wrong.kind == "score"
    assert (wrong.value, wrong.n) == (1, 5)


def test_a_confidential_position_may_be_cited_at_home_and_not_in_a_private_meeting() -> None:
    room = a_room().says("us", "Note.", "us-ss-9", audience=("us",))
    room.says("us", "Between us.", "us-ss-9", audience=("us", "ru"))
    assert [verdict for *_, verdict in verdicts(room)] == ["valid", "confidential_in_public"]


def test_reasons_of_moves_and_votes_are_citations_even_if_the_move_was_ruled_out() -> None:
    room = a_room()
    room.move("us", "propose", "scope/a", because="us-ss-1")
    room.move("us", "propose", "scope/a", because="us-ss-8")  # out of order: already its offer
    room.tables("scope/a").vote("ru", "scope", "reject", because="us-ss-1")
    assert verdicts(room) == [
        ("us-ss-1", "because", "valid"),
        ("us-ss-8", "because", "nonexistent"),
        ("us-ss-1", "because", "other_party"),
    ]


def test_ids_in_prose_count_once_and_only_if_they_are_ids() -> None:
    text = "As [us-ss-1] and [us-ss-1; us-ss-77] say, ru-ss-1 aside; a follow-up [sic] to-day."
    room = a_room().says("us", text, "us-ss-1")
    assert verdicts(room) == [
        ("us-ss-1", "typed", "valid"),
        ("us-ss-77", "prose", "nonexistent"),
        ("ru-ss-1", "prose", "other_party"),
    ]


def test_what_was_tried_in_a_rejected_answer_is_counted_apart() -> None:
    room = a_room()
    tried = {
        "citations": ["us-ss-1", "us-ss-42"],
        "moves": [{"move": "propose", "because": "ru-ss-1"}],
        "votes": {"scope": {"vote": "accept", "because": None}},
    }
    call(room, "us", "arms/round1/us#1", "```json\n" + json.dumps(tried) + "\n```")
    unread(room, "us", "arms/round1/us#1")
    call(room, "us", "arms/round1/us#2", json.dumps({"citations": ["us-ss-1"]}))
    room.says("us", "Well then.", "us-ss-1")
    assert verdicts(room) == [
        ("us-ss-1", "rejected", "valid"),
        ("us-ss-42", "rejected", "nonexistent"),
        ("ru-ss-1", "rejected", "other_party"),
        ("us-ss-1", "typed", "valid"),
    ]
    on_record = one(validity, room.transcript, "party:us", "valid")
    tried_score = one(validity, room.transcript, "party:us", "tried_valid")
    assert (on_record.hits, on_record.n) == (1, 1)
    assert (tried_score.hits, tried_score.n) == (1, 3)
    assert all(note.private for note in tried_score.evidence)


def test_an_answer_that_is_no_json_is_unscored_and_not_an_answer_without_citations() -> None:
    room = call(a_room(), "us", "arms/round1/us#1", "I cite us-ss-1, and")
    unread(room, "us", "arms/round1/us#1").fails("us")
    tried = one(validity, room.transcript, "party:us", "tried_valid")
    assert (tried.value, tried.n, tried.unscored) == (None, 0, 1)


def test_a_call_whose_turn_is_still_in_flight_was_not_rejected() -> None:
    room = call(a_room(), "us", "arms/round1/us#1", json.dumps({"citations": ["us-ss-42"]}))
    assert verdicts(room) == []


def test_ids_a_masked_delegation_saw_are_read_as_its_own() -> None:
    reply = json.dumps({"citations": ["party-a-ss-1", "party-b-ss-1", "party-z-ss-1"]})
    room = unread(call(a_room(), "us", "arms/round1/us#1", reply), "us", "arms/round1/us#1")
    assert verdicts(room) == [
        ("us-ss-1", "rejected", "valid"),
        ("ru-ss-1", "rejected", "other_party"),
        ("party-z-ss-1", "rejected", "nonexistent"),
    ]


def test_coverage_is_over_the_public_core_positions_on_the_items_debated() -> None:
    room = a_room().says("us", "So we said.", "us-ss-1")
    us = one(validity, room.transcript, "party:us", "coverage")
    ru = one(validity, room.transcript, "party:ru", "coverage")
    assert (us.hits, us.n) == (1, 1)  # not the supplementary, the confidential, the other item's
    assert (ru.hits, ru.n) == (0, 1)
    assert "never cited: ru-ss-1" in ru.reason


def test_another_partys_citation_of_my_position_does_not_cover_it() -> None:
    room = a_room().says("ru", "You said so.", "us-ss-1")
    assert one(validity, room.transcript, "party:us", "coverage").hits == 0


def test_a_party_that_cites_nothing_has_no_validity() -> None:
    rate = one(validity, a_room().says("us").transcript, "party:us", "valid")
    assert (rate.value, rate.n) == (None, 0)
