"""A masked delegation is not told who is who, and its answers read like any other's."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from harness import events as e
from harness.loading import load_setting
from harness.masking import Mask
from harness.setting import Rules, Setting
from harness.turn import Request
from tests.rooms import (
    Does,
    Improviser,
    Says,
    Speech,
    a_room,
    held,
    instance,
    random_rules,
    random_setting,
    replayed,
    sent_text,
    silent,
    two_sides,
)
from tests.rooms import lines as as_lines

REAL = load_setting("geneva-2021")


def given_away(setting: Setting, text: str) -> set[str]:
    """Names, aliases and position handles of parties that stand in a text as whole words."""
    words = {
        word
        for party in setting.parties
        for word in (party.name, party.adjective, *party.aliases, *(p.id for p in party.positions))
    }
    words |= {word[0].upper() + word[1:] for word in words}
    found = {word for word in words if word in text}
    return {word for word in found if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)}


@pytest.mark.parametrize("agenda", ["opening", "six-party"])
@pytest.mark.parametrize("speech", ["free", "composed"])
def test_no_name_and_no_position_handle_reaches_a_masked_seat_on_the_real_setting(
    agenda: str, speech: Speech
) -> None:
    chosen = REAL.agenda(agenda)
    setting = REAL.only(chosen)
    seat = Improviser(3, bad=0.1)
    held(a_room(setting, seat, rules=chosen.rules, prompt="masked", speech=speech))
    assert len(seat.asked) > 20
    for request in seat.asked:
        assert given_away(setting, sent_text(request)) == set(), request.call


def test_no_party_handle_reaches_a_masked_seat() -> None:
    for seed in range(6):
        setting = random_setting(seed, 4, 2, 1)
        rules = random_rules(seed, setting)
        seat = Improviser(seed, bad=0.3, prose=("We hear you.",))
        room = a_room(setting, seat, rules=rules, prompt="masked", speech="free", memory="debate")
        held(room)
        for request in seat.asked:
            handles = re.findall(r"(?<![\w-])(?:us|us-east|ru|de)(?![\w-])", sent_text(request))
            assert handles == [], request.call
            assert given_away(setting, sent_text(request)) == set()


def test_what_a_masked_seat_got_wrong_is_quoted_in_the_words_it_was_sent() -> None:
    setting = random_setting(1, 3, 1, 1)

    def asks_nobody(request: Request) -> dict[str, Any]:
        data = silent(request)
        if "moves" in data:
            because = {"because": None} if request.legal.citable else {}
            data["moves"] = [{"move": "ask", "to": "zz", "issue": "q0-0", **because}]
        return data

    seat = Does(asks_nobody)
    past = held(a_room(setting, {"us": seat}, prompt="masked", speech="free"))
    repair = next(request for request in seat.asked if request.attempt == 2)
    assert "could not be read" in sent_text(repair)
    assert given_away(setting, sent_text(repair)) == set()
    assert not re.search(r"'(ru|us-east|us)'", sent_text(repair))
    assert past.of(e.Unread)


def test_a_masked_seats_answer_is_on_record_in_everybodys_words() -> None:
    setting = two_sides()

    def speaks(request: Request) -> dict[str, Any]:
        data = {**silent(request), "citations": ["party-a-limits-0-1"]}
        data["statement"] = "The Party B delegation errs. Party A stands by its word."
        if "moves" in data and request.legal.propose:
            because = {"because": "party-a-limits-0-1"}
            data["moves"] = [
                {"move": "propose", "text": "limits-0/a", **because},
                {"move": "ask", "to": "party-b", "issue": "limits-0", "because": None},
            ]
        return data

    past = held(a_room(setting, {"us": Does(speaks)}, prompts={"us": "masked"}, speech="free"))
    first = next(s for s in past.of(e.Statement) if s.party == "us")
    assert first.citations == ("us-limits-0-1",)
    assert first.text == "The Ruish delegation errs. The State of US stands by its word."
    moves = [m.move for m in past.of(e.MoveMade) if m.party == "us"]
    assert (moves[0].because, moves[1].to) == ("us-limits-0-1", "ru")


def test_citations_of_masked_seats_are_always_their_own_positions() -> None:
    for seed in range(6):
        setting = random_setting(seed, 3, 1, 2)
        past = held(a_room(setting, Improviser(seed), prompt="masked", speech="free"))
        for statement in past.of(e.Statement):
            for position in statement.citations:
                assert setting.holder(position) == statement.party


def test_a_masked_seat_cannot_name_a_party_by_its_real_handle() -> None:
    def unmasks(request: Request) -> dict[str, Any]:
        data = silent(request)
        data["citations"] = ["us-limits-0-1"]
        return data

    past = held(a_room(two_sides(), {"us": Does(unmasks)}, prompt="masked", speech="free"))
    assert {f.party for f in past.of(e.TurnFailed)} == {"us"}


def test_a_fenced_answer_of_a_masked_seat_is_read() -> None:
    def fenced(request: Request) -> str:
        data = {**silent(request), "citations": ["party-a-limits-0-1"]}
        return f"```json\n{json.dumps(data)}\n```"

    past = held(a_room(two_sides(), {"us": Does(fenced)}, prompt="masked", speech="free"))
    assert past.of(e.TurnFailed) == []


@pytest.mark.parametrize("broken", ["[" * 5000, "9" * 6000, '{"a": "\\ud800"}', "no"])
def test_garbage_of_a_masked_seat_is_a_failed_turn(broken: str) -> None:
    seat = Says(broken)
    past = held(a_room(two_sides(), {"us": seat}, prompt="masked", speech="free"))
    assert {f.party for f in past.of(e.TurnFailed)} == {"us"}
    assert past.state.closed


def test_the_reference_negotiator_plays_the_same_game_behind_a_mask() -> None:
    for seed in range(5):
        setting = random_setting(seed, 3, 1, 3)
        bare, masked = held(a_room(setting)), held(a_room(setting, prompt="masked"))
        assert [m.move for m in bare.of(e.MoveMade)] == [m.move for m in masked.of(e.MoveMade)]
        assert bare.of(e.Decided) == masked.of(e.Decided)


def test_masked_debates_replay_byte_for_byte() -> None:
    setting = random_setting(2, 3, 1, 2)
    past = held(a_room(setting, Improviser(2, bad=0.2), prompt="masked", speech="free",
                       rules=Rules(rounds=1)))  # fmt: skip
    assert as_lines(replayed(past).events) == as_lines(past.events)


def test_a_mask_is_undone_by_itself() -> None:
    import random

    setting = random_setting(4, 4, 2, 2)
    mask = Mask(setting)
    seat = Improviser(4, prose=("We agree.",))
    held(a_room(setting, seat, speech="free"))
    for request in seat.asked:
        hidden = mask.hide(request)
        data = instance(hidden.schema, random.Random(request.seed), ("We agree.",))
        again = json.loads(mask.shown(json.dumps(data), request))
        assert again == instance(request.schema, random.Random(request.seed), ("We agree.",))
