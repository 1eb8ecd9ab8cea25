"""The chair is neutral: who sits where changes nothing but the names."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import events as e
from harness.setting import Rules, Setting, sha
from harness.turn import Reply, Request, Seated
from tests.rooms import (
    GARBAGE,
    Held,
    Says,
    a_party,
    a_room,
    a_setting,
    an_issue,
    an_item,
    held,
    insists,
    instance,
    outcomes,
    random_rules,
    random_setting,
    two_sides,
)


def exchanged(setting: Setting, first: str, second: str) -> Setting:
    """The setting with two parties in each other's seats: each holds the other's mandate."""
    parties = {party.id: party for party in setting.parties}
    other = {first: second, second: first}
    seats = []
    for party in setting.parties:
        mandate = parties[other.get(party.id, party.id)]
        seats.append(
            parties[party.id].model_copy(
                update={
                    "positions": tuple(
                        p.model_copy(update={"id": f"{party.id}-{p.id}"}) for p in mandate.positions
                    )
                }
            )
        )
    return a_setting(*seats, items=setting.items)


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A value with party names exchanged wherever they stand by themselves."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, frozenset):
        return frozenset(renamed(part, names) for part in value)
    if isinstance(value, tuple):
        return tuple(renamed(part, names) for part in value)
    return value


class Dice:
    """Answers by a lot drawn from the place at the table and the moment, not from the name."""

    metered = True
    reads_prompts = False

    def __init__(self, place: int) -> None:
        self._place = place

    async def answer(self, request: Request) -> Reply:
        where = request.call.partition("/" + request.seat + "#")[0]
        rng = random.Random(f"{self._place}/{where}")
        schema = _nameless(request.schema)
        return Reply(text=json.dumps(instance(schema, rng)), model="dice")


def _nameless(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without the parts that name parties or positions, so that lots fall alike."""
    shown = json.loads(json.dumps(schema))
    moves = shown["properties"].get("moves")
    if moves:
        moves["items"]["anyOf"] = [
            k for k in moves["items"]["anyOf"] if "to" not in k["properties"]
        ]
        for kind in moves["items"]["anyOf"]:
            if "because" in kind["properties"]:
                kind["properties"]["because"] = {"type": "null"}
    for vote in shown["properties"].get("votes", {}).get("properties", {}).values():
        if "because" in vote["properties"]:
            vote["properties"]["because"] = {"type": "null"}
    if "citations" in shown["properties"]:
        shown["properties"]["citations"]["maxItems"] = 0
    return shown  # type: ignore[no-any-return]


@given(
    seed=st.integers(0, 2**32),
    parties=st.integers(2, 5),
    dice=st.booleans(),
)
def test_two_parties_that_exchange_mandates_and_seats_exchange_the_result_exactly(
    seed: int, parties: int, dice: bool
) -> None:
    rng = random.Random(seed)
    setting = random_setting(seed, parties, 2, 2)
    rules = random_rules(seed, setting).model_copy(update={"vetoes": (), "caucuses": ()})
    first, second = rng.sample([party.id for party in setting.parties], k=2)
    names = {first: second, second: first}
    there = exchanged(setting, first, second)

    def hold(setting: Setting) -> Held:
        seats: dict[str, Seated] = (
            {party.id: Dice(n) for n, party in enumerate(setting.parties)} if dice else {}
        )
        return held(a_room(setting, seats, rules=rules, seed=seed))

    # In the second debate the one name sits in the other's place with the other's mandate.
    order = [names.get(party.id, party.id) for party in there.parties]
    moved = a_setting(*map(there.party, order), items=there.items)
    before, after = hold(setting), hold(moved)
    assert {i: renamed(o, names) for i, o in outcomes(before.state).items()} == outcomes(
        after.state
    )
    assert [
        (m.move.move, m.move.key, names.get(m.party, m.party)) for m in before.of(e.MoveMade)
    ] == [(m.move.move, m.move.key, m.party) for m in after.of(e.MoveMade)]
    assert [
        (t.issue, t.option, renamed(frozenset(t.acceptances), names)) for t in before.of(e.Tabled)
    ] == [(t.issue, t.option, frozenset(t.acceptances)) for t in after.of(e.Tabled)]


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), lot=st.integers(0, 3))
def test_the_compromise_depends_on_declared_acceptances_and_the_seed_alone(
    seed: int, lot: int
) -> None:
    setting = random_setting(seed, 4, 1, 3)
    past = held(a_room(setting, {p.id: Dice(n) for n, p in enumerate(setting.parties)}, seed=lot))
    stances: dict[tuple[str, str, str], str] = {}
    offers: dict[tuple[str, str], str] = {}
    for event in past.events:
        if isinstance(event, e.MoveMade) and event.move.option is not None:
            place = (event.move.issue, event.move.option, event.party)
            if event.move.move == "withdraw":
                offers.pop((event.move.issue, event.party), None)
                others = {o for (i, _), o in offers.items() if i == event.move.issue}
                for i, o, who in list(stances):
                    mine = (i, who) == (event.move.issue, event.party)
                    stale = o == event.move.option or o not in others
                    if mine and stale and stances[i, o, who] != "reject":
                        del stances[i, o, who]
            else:
                stance = {"propose": "accept", "concede": "accept"}.get(event.move.move)
                stances[place] = stance or event.move.move
                if stance:
                    offers[event.move.issue, event.party] = event.move.option
        if isinstance(event, e.Tabled):
            declared: dict[str, list[str]] = {}
            for (issue, option, _), stance in stances.items():
                if issue == event.issue:
                    declared.setdefault(option, []).append(stance)
            ranks = {
                option: (
                    -sum(s != "reject" for s in found),
                    option not in {o for (i, _), o in offers.items() if i == event.issue},
                    found.count("reject"),
                    found.count("reserve"),
                    sha(f"{lot}/{event.issue}/{option}"),
                )
                for option, found in declared.items()
                if set(found) != {"reject"}
            }
            assert event.option == min(ranks, key=lambda option: ranks[option])


def test_the_chairs_words_are_the_same_whoever_is_favoured() -> None:
    seats = {"us": insists("a"), "ru": insists("b", "reject")}
    mirrored = {"ru": insists("a"), "us": insists("b", "reject")}
    one = held(a_room(two_sides(Rules(rounds=1)), seats))
    two = held(a_room(two_sides(Rules(rounds=1)), mirrored))
    swap = {"the State of US": "@", "the State of RU": "the State of US"}

    def told(past: Held) -> list[str]:
        return [str(getattr(x, "words", "")) for x in past.events if getattr(x, "words", "")]

    def swapped(text: str) -> str:
        for name, other in swap.items():
            text = text.replace(name, other)
        return text.replace("@", "the State of RU")

    assert [swapped(words) for words in told(one)][1:] == told(two)[1:]


# --- its voice ----------------------------------------------------------------------------------


def test_the_voice_words_what_was_decided_and_is_told_nothing_else() -> None:
    voice = Says(json.dumps({"statement": " Let us begin. "}))
    past = held(a_room(two_sides(), voice=voice))
    assert {s.text for s in past.of(e.ChairSpoke)} == {"Let us begin."}
    for request in voice.asked:
        assert [len(request.messages), request.mandate.positions, request.legal.votes] == [
            1,
            (),
            {},
        ]
        for position in ("us-limits-0-1", "ru-limits-0-1"):
            assert position not in request.messages[0].text


@pytest.mark.parametrize("garbage", [*GARBAGE, '{"statement": 7}', '{"statement": "  "}'])
def test_a_voice_that_fails_is_silent_and_the_fixed_phrase_stands(garbage: str) -> None:
    past = held(a_room(two_sides(), voice=Says(garbage)))
    spoken = [s.text for s in past.of(e.ChairSpoke)]
    assert spoken == []
    assert past.of(e.DebateClosed)[0].words.startswith("The talks are closed.")


def test_the_voice_is_heard_by_no_delegation() -> None:
    voice = Says(json.dumps({"statement": "canary-of-the-chair"}))
    seats = {"us": insists("a"), "ru": insists("b")}
    held(a_room(two_sides(issues=2), seats, voice=voice, speech="free"))
    for seat in seats.values():
        for request in seat.asked:
            assert "canary-of-the-chair" not in "".join(m.text for m in request.messages)


# --- its words ----------------------------------------------------------------------------------


def test_the_chair_names_parties_items_and_questions() -> None:
    items = (an_item(an_issue("one"), an_issue("two")), an_item(an_issue("three"), item_id="last"))
    setting = a_setting(*map(a_party, ("us", "ru", "de")), items=items)
    past = held(a_room(setting))
    assert past.of(e.DebateOpened)[0].words == (
        "I welcome the delegations of the State of US, the State of RU and the State of DE. "
        "Our agenda: Item arms; Item last. Only moves and votes bind; what is said here is not "
        "an agreement."
    )
    assert [opened.words for opened in past.of(e.ItemOpened)] == [
        "We take up: Item arms. 2 questions are before us. What about one? What about two?",
        "We take up: Item last. One question is before us. What about three?",
    ]
    assert past.of(e.DebateClosed)[0].words == (
        "The talks are closed. Issues agreed: 0 of 3; in brackets: 0; open: 3."
    )


def test_the_chair_counts_lapsed_texts_as_bracketed() -> None:
    setting = two_sides(Rules(package="agenda"), issues=2)

    class Half:
        metered = True
        reads_prompts = False

        async def answer(self, request: Request) -> Reply:
            data = insists("a" if request.seat == "us" else "b", "reject").says(request)
            assert not isinstance(data, str)
            moves = data.get("moves", [])
            for move in moves:
                if move.get("text", "").startswith("limits-0/"):
                    move["text"] = "limits-0/c"
            return Reply(text=json.dumps(data), model="half")

    past = held(a_room(setting, Half()))
    closed = past.of(e.DebateClosed)[0]
    assert [d.outcome for d in past.of(e.Decided)] == ["adopted", "bracketed"]
    assert (closed.adopted, closed.bracketed, closed.open) == (0, 2, 0)
