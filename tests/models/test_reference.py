"""The reference negotiator: what it holds to on any mandate."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import events as e
from harness.models.reference import Reference
from harness.setting import Kind, Position, Rules, Setting
from harness.turn import Reply, Request, Seated
from tests.rooms import (
    NAMES,
    Held,
    Improviser,
    Speech,
    a_party,
    a_position,
    a_room,
    a_setting,
    an_issue,
    an_item,
    held,
    lines,
    outcomes,
    random_rules,
    random_setting,
    two_sides,
)

SEEDS = st.integers(0, 2**32)


def mixed(seed: int, setting: Setting) -> dict[str, Seated]:
    """Reference negotiators in some seats and improvisers in the others."""
    rng = random.Random(seed)
    return {
        party.id: Improviser(seed, reads_prompts=False)
        for party in setting.parties[1:]
        if rng.random() < 0.5
    }


def check_conduct(past: Held, party: str) -> None:
    """No move or vote of the party goes against its own mandate."""
    setting = past.card.setting
    for event in past.events:
        if isinstance(event, e.MoveMade) and event.party == party:
            mandate, move = setting.mandate(party, event.item), event.move
            assert move.move not in ("ask", "withdraw")
            assert mandate.bearing_on(move.issue)
            if move.move in ("propose", "concede", "accept"):
                assert mandate.acceptable(move.key)
                assert mandate.points[move.key] > 0
            if move.move == "reserve":
                assert mandate.acceptable(move.key)
            if move.move == "reject":
                assert not mandate.acceptable(move.key)
        if isinstance(event, e.VoteCast) and event.party == party:
            mandate, key = setting.mandate(party, event.item), f"{event.issue}/{event.option}"
            if event.vote in ("accept", "reserve"):
                assert mandate.acceptable(key)
                assert key not in mandate.red_lines
            if event.vote == "abstain" and not past.card.rules.silence:
                assert not mandate.bearing_on(event.issue)
            if not mandate.bearing_on(event.issue):
                assert event.vote == "abstain"
    assert not [event for event in past.of(e.RuledOut) if event.party == party]
    assert not [event for event in past.of(e.TurnFailed) if event.party == party]


@given(seed=SEEDS, parties=st.integers(2, 6), issues=st.integers(1, 6))
def test_it_never_moves_or_votes_against_its_mandate_whoever_else_sits_there(
    seed: int, parties: int, issues: int
) -> None:
    setting = random_setting(seed, parties, 2, issues)
    seats = mixed(seed, setting)
    past = held(a_room(setting, seats, rules=random_rules(seed, setting), guard=seed % 2 == 0))
    for party in setting.parties:
        if party.id not in seats:
            check_conduct(past, party.id)


@given(seed=SEEDS, parties=st.integers(2, 6), rounds=st.integers(1, 6))
def test_its_own_offers_never_rise_in_its_own_points(seed: int, parties: int, rounds: int) -> None:
    setting = random_setting(seed, parties, 1, 3)
    past = held(a_room(setting, mixed(seed, setting), rules=Rules(rounds=rounds)))
    offers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in past.of(e.MoveMade):
        if event.move.move in ("propose", "concede"):
            mandate = setting.mandate(event.party, event.item)
            offers[event.party, event.move.issue].append(mandate.points[event.move.key])
    improvisers = set(mixed(seed, setting))
    for (party, _), points in offers.items():
        if party not in improvisers:
            assert points == sorted(points, reverse=True)


def one_agreement(rng: random.Random, parties: int, options: int) -> tuple[Setting, str]:
    """A setting in which exactly one option is supported by all and crosses nobody's red line."""
    issue = an_issue("one", options)
    agreed, *rest = rng.sample(issue.keys, k=options)
    members = []
    # Each other option lacks somebody's support, so that it is not agreed by all.
    lacking = {key: rng.randrange(parties) for key in rest}
    for number, name in enumerate(NAMES[:parties]):
        positions = [_for(f"{name}-p0", rng.randint(1, 3), [agreed])]
        for key in rest:
            handle = f"{name}-p{len(positions)}"
            fate = rng.choice(("for", "for", "against", "red line", "silent"))
            if lacking[key] == number and fate == "for":
                fate = "against"
            if fate == "for":
                positions.append(_for(handle, rng.randint(1, 5), [key]))
            elif fate != "silent":
                kind: Kind = "red_line" if fate == "red line" else "demand"
                firmness = rng.randint(1, 5)
                positions.append(a_position(handle, opposes=[key], kind=kind, firmness=firmness))
        rng.shuffle(positions)
        members.append(a_party(name, *positions))
    rng.shuffle(members)
    return a_setting(*members, items=(an_item(issue),)), agreed


def _for(handle: str, firmness: int, keys: Sequence[str]) -> Position:
    return a_position(handle, supports=keys, firmness=firmness)


@settings(max_examples=100)
@given(
    seed=SEEDS,
    parties=st.integers(2, 6),
    options=st.integers(2, 8),
    rounds=st.integers(1, 5),
    floor=st.sampled_from(("round_robin", "rotating", "speakers_list")),
    opening=st.booleans(),
)
def test_a_text_that_all_support_and_nobody_excludes_is_agreed_in_any_seat_order(
    seed: int, parties: int, options: int, rounds: int, floor: str, opening: bool
) -> None:
    rng = random.Random(seed)
    setting, agreed = one_agreement(rng, parties, options)
    assert [
        key
        for key in setting.items[0].issues[0].keys
        if all(setting.mandate(p.id, "arms").points[key] > 0 for p in setting.parties)
    ] == [agreed]
    rules = Rules.model_validate({"rounds": rounds, "floor": floor, "opening_statements": opening})
    past = held(a_room(setting, rules=rules))
    decision = past.state.issues["one"].decision
    assert decision is not None
    assert (decision.outcome, f"one/{decision.option}") == ("adopted", agreed)


def test_without_a_documented_position_it_makes_no_move_and_abstains() -> None:
    item = an_item(an_issue("one", 3))
    setting = a_setting(
        a_party("us"),
        a_party("ru", a_position("ru-1", supports=["one/a"])),
        a_party("de", a_position("de-1", supports=["one/b"])),
        items=(item,),
    )
    past = held(a_room(setting))
    assert [m for m in past.of(e.MoveMade) if m.party == "us"] == []
    assert [v.vote for v in past.of(e.VoteCast) if v.party == "us"] == ["abstain"]


@given(seed=SEEDS, parties=st.integers(2, 4))
def test_the_same_mandates_always_give_the_same_debate(seed: int, parties: int) -> None:
    setting = random_setting(seed, parties, 1, 3)
    assert lines(held(a_room(setting)).events) == lines(held(a_room(setting)).events)


@given(seed=SEEDS, other=SEEDS)
def test_the_seed_of_a_debate_changes_its_words_and_lots_and_nothing_else(
    seed: int, other: int
) -> None:
    setting = random_setting(seed, 3, 1, 3)
    first, second = held(a_room(setting, seed=0)), held(a_room(setting, seed=other))
    moves = [[m.move for m in past.of(e.MoveMade)] for past in (first, second)]
    assert moves[0] == moves[1]
    if not any("lot" in t.rule for t in (*first.of(e.Tabled), *second.of(e.Tabled))):
        assert outcomes(first.state) == outcomes(second.state)


def test_it_opens_with_its_best_and_ends_with_everything_it_can_accept() -> None:
    past = held(a_room(two_sides(Rules(rounds=2))))
    moves = [(m.party, m.round, m.move.move, m.move.key) for m in past.of(e.MoveMade)]
    assert moves[:2] == [
        ("us", 0, "propose", "limits-0/a"),
        ("ru", 0, "propose", "limits-0/b"),
    ]
    assert past.state.issues["limits-0"].outcome == "adopted"
    assert {key for _, round_, kind, key in moves if kind in ("concede", "accept")} == {
        "limits-0/c"
    }


def test_it_declares_every_text_it_can_accept_however_many_there_are() -> None:
    keys = [f"one/{letter}" for letter in "abcdef"]
    us = a_party("us", *(a_position(f"us-{n}", supports=[key], firmness=5 - n // 2)
                         for n, key in enumerate(keys)))  # fmt: skip
    ru = a_party("ru", a_position("ru-1", supports=keys[-1:], firmness=1))
    setting = a_setting(us, ru, items=(an_item(an_issue("one", 6)),))
    past = held(a_room(setting, rules=Rules(rounds=1, floor="round_robin")))
    assert past.of(e.TurnFailed) == []
    declared = {m.move.key for m in past.of(e.MoveMade) if m.party == "us"}
    assert (past.state.issues["one"].outcome, keys[-1] in declared) == ("adopted", True)


def test_it_gives_the_positions_behind_its_moves_and_only_its_own() -> None:
    for seed in range(20):
        setting = random_setting(seed, 3, 1, 3)
        past = held(a_room(setting))
        for event in past.of(e.MoveMade):
            if event.move.because is not None:
                position = setting.position(event.move.because)
                assert setting.holder(position.id) == event.party
                assert position.visibility == "public"
                if event.move.move in ("propose", "concede", "accept"):
                    assert event.move.key in position.supports
        for vote in past.of(e.VoteCast):
            if vote.because is not None:
                assert setting.holder(vote.because) == vote.party


@pytest.mark.parametrize("speech", ["free", "composed"])
def test_its_answers_fit_the_schema_it_was_given(speech: Speech) -> None:
    from jsonschema import Draft202012Validator

    class Watched(Reference):
        async def answer(self, request: Request) -> Reply:
            reply = await super().answer(request)
            Draft202012Validator(request.schema).validate(json.loads(reply.text or ""))
            seen.append(request.call)
            return reply

    seen: list[str] = []
    setting = random_setting(5, 3, 2, 3)
    held(a_room(setting, Watched(), rules=random_rules(5, setting), speech=speech))
    assert len(seen) > 10


@given(seed=SEEDS, parties=st.integers(2, 4), rounds=st.integers(1, 4))
def test_with_the_silence_procedure_it_breaks_silence_only_where_it_could_not_accept(
    seed: int, parties: int, rounds: int
) -> None:
    setting = random_setting(seed, parties, 1, 3)
    past = held(a_room(setting, rules=Rules(rounds=rounds, silence=True)))
    for vote in past.of(e.VoteCast):
        mandate = setting.mandate(vote.party, vote.item)
        fits = mandate.acceptable(f"{vote.issue}/{vote.option}")
        if mandate.bearing_on(vote.issue):
            assert vote.vote == ("abstain" if fits else "reject")
