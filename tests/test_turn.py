"""What a seat may do, the schema of its answer, and how a reply is read."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from harness import events as e
from harness.loading import load_setting
from harness.models.reference import Reference
from harness.setting import Rules
from harness.turn import Answer, Legal, Reply, Request, Unreadable, read, schema_for
from tests.rooms import (
    GARBAGE,
    Improviser,
    Speech,
    a_party,
    a_room,
    a_setting,
    an_issue,
    an_item,
    held,
    instance,
    random_rules,
    random_setting,
    silent,
    two_sides,
)

SEEDS = st.integers(0, 2**32)


def requests(
    seed: int,
    parties: int = 3,
    issues: int = 2,
    *,
    speech: Speech = "composed",
    guard: bool = False,
    brief: bool = False,
    rules: Rules | None = None,
) -> list[Request]:
    """What the seats of a random debate are asked."""
    setting = random_setting(seed, parties, 2, issues)
    seat = Improviser(seed, bad=0.1, reads_prompts=brief)
    held(a_room(setting, seat, rules=rules or random_rules(seed, setting), speech=speech,
                guard=guard))  # fmt: skip
    return seat.asked


def words(schema: Any) -> Iterator[str]:
    """Every word that a schema lets an answer say."""
    if isinstance(schema, dict):
        yield from schema.get("enum", [])
        for part in schema.values():
            yield from words(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from words(part)


# --- what may be named --------------------------------------------------------------------------


@settings(max_examples=12)
@given(
    seed=SEEDS,
    parties=st.integers(2, 5),
    guard=st.booleans(),
    brief=st.booleans(),
    speech=st.sampled_from(("free", "composed")),
)
def test_nothing_that_does_not_exist_or_is_not_ones_own_can_be_named(
    seed: int, parties: int, guard: bool, brief: bool, speech: Speech
) -> None:
    fixed = set(e.MoveKind.__args__) | set(e.VoteChoice.__args__)  # type: ignore[attr-defined]
    for request in requests(seed, parties, speech=speech, guard=guard, brief=brief):
        state, own = request.state, {p.id for p in request.mandate.positions
                                     if p.visibility == "public"}  # fmt: skip
        issues = {i.issue: i for i in state.in_item(request.item.id) if not i.settled}
        texts = {key for issue in issues for key in request.setting.issue(issue).keys}
        offers = {o.id for i in issues.values() for o in i.open_offers}
        others = set(state.parties) - {request.seat}
        allowed = fixed | own | texts | offers | others | set(issues)
        if brief and speech == "composed" and "moves" in request.schema["properties"]:
            assert len(request.schema["properties"]["moves"]["properties"]) == len(issues)
            for choices in request.legal.brief.values():
                allowed |= set(choices)
                for move in choices.values():
                    assert set(move.values()) <= fixed | texts | offers | {None}
        assert set(words(request.schema)) <= allowed


@settings(max_examples=12)
@given(seed=SEEDS, parties=st.integers(2, 5), brief=st.booleans())
def test_with_the_guard_nothing_that_crosses_ones_own_red_line_can_be_said(
    seed: int, parties: int, brief: bool
) -> None:
    rng = random.Random(seed)
    for request in requests(seed, parties, guard=True, brief=brief):
        red = set(request.mandate.red_lines)
        legal, state = request.legal, request.state
        assert not red & {*legal.propose, *legal.concede, *legal.trade}
        for stance in ("accept", "reserve"):
            answerable = [state.offer(offer) for offer in legal.answer.get(stance, ())]
            assert not red & {offer.key for offer in answerable if offer}
        for issue, choices in legal.votes.items():
            tabled = state.issues[issue].tabled
            assert tabled is not None
            assert (choices == ("reject",)) == (f"{issue}/{tabled.option}" in red)
        for _ in range(3):
            answer = read(json.dumps(instance(request.schema, rng)), request)
            assert isinstance(answer, Answer)
            for move in answer.moves:
                assert move.move in ("reject", "withdraw", "ask") or move.key not in red


def test_without_the_guard_a_red_line_can_be_crossed_and_is_seen() -> None:
    found = [
        key
        for seed in range(20)
        for request in requests(seed)
        for key in request.legal.propose
        if key in request.mandate.red_lines
    ]
    assert found


@settings(max_examples=12)
@given(seed=SEEDS, speech=st.sampled_from(("free", "composed")), brief=st.booleans())
def test_whatever_the_schema_allows_can_be_read_and_is_in_order_when_made_alone(
    seed: int, speech: Speech, brief: bool
) -> None:
    from harness.mechanism import TurnOf, play

    rng = random.Random(seed)
    for request in requests(seed, speech=speech, brief=brief):
        data = instance(request.schema, rng)
        Draft202012Validator(request.schema).validate(data)
        answer = read(json.dumps(data), request)
        assert isinstance(answer, Answer)
        of = TurnOf("T1", request.seat, request.item.id, request.phase, request.round, "c")
        for move in answer.moves:
            event = play(request.state, request.setting, of, move)
            if isinstance(event, e.RuledOut):  # the one thing a schema cannot say
                assert event.why == "a concession cannot be asked for on the same issue"


def test_a_move_binds_the_exact_text_its_maker_had_before_it() -> None:
    for request in requests(5, speech="composed"):
        for key in request.legal.propose[:1]:
            move = {"move": "propose", "text": key}
            if request.legal.citable:
                move["because"] = None  # type: ignore[assignment]
            data = {**silent(request), "moves": [move]}
            answer = read(json.dumps(data), request)
            assert isinstance(answer, Answer)
            assert answer.moves[0].sha == request.setting.text_sha(key)


# --- strict modes -------------------------------------------------------------------------------


def not_strict(schema: Mapping[str, Any], place: str = "$", depth: int = 0) -> Iterator[str]:
    """What OpenAI's strict mode would turn down in a schema, and where."""
    known = {"type", "properties", "required", "additionalProperties", "items", "maxItems",
             "enum", "anyOf", "description"}  # fmt: skip
    if set(schema) - known:
        yield f"{place}: {set(schema) - known}"
    if depth > 10:
        yield f"{place}: nested too deeply"
    if "anyOf" in schema:
        if place == "$" or not schema["anyOf"]:
            yield f"{place}: anyOf"
        for index, part in enumerate(schema["anyOf"]):
            yield from not_strict(part, f"{place}.anyOf[{index}]", depth)
        return
    if schema.get("type") not in ("object", "array", "string", "null"):
        yield f"{place}: type {schema.get('type')!r}"
    if "enum" in schema:
        listed = schema["enum"]
        if not listed or len(set(listed)) < len(listed) or not all(listed):
            yield f"{place}: enum {listed!r}"
    if schema.get("type") == "array":
        yield from not_strict(schema["items"], f"{place}[]", depth + 1)
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            yield f"{place}: additionalProperties"
        if schema.get("required") != list(schema["properties"]):
            yield f"{place}: required"
        for name, part in schema["properties"].items():
            yield from not_strict(part, f"{place}.{name}", depth + 1)


def too_large(schema: Mapping[str, Any]) -> Iterator[str]:
    said = list(words(schema))
    if len(said) > 1000:
        yield f"{len(said)} words in enums"
    if sum(map(len, said)) > 100_000:
        yield "too many characters in enums"


@pytest.mark.parametrize("agenda", ["summit", "six-party"])
@pytest.mark.parametrize("speech", ["free", "composed"])
def test_every_schema_of_the_real_agendas_fits_strict_mode(agenda: str, speech: Speech) -> None:
    setting = load_setting("geneva-2021")
    chosen = setting.agenda(agenda)
    seen: list[Mapping[str, Any]] = []

    class Watched(Reference):
        async def answer(self, request: Request) -> Reply:
            seen.append(request.schema)
            seen.append(schema_for(request.legal, request.phase, request.speech, brief=True))
            return await super().answer(request)

    past = held(a_room(setting.only(chosen), Watched(), rules=chosen.rules, speech=speech))
    assert past.of(e.TurnFailed) == []
    assert [fault for schema in seen for fault in (*not_strict(schema), *too_large(schema))] == []
    for schema in seen:
        Draft202012Validator.check_schema(schema)


@settings(max_examples=12)
@given(seed=SEEDS, parties=st.integers(2, 6), guard=st.booleans(), brief=st.booleans())
def test_every_schema_of_any_debate_fits_strict_mode(
    seed: int, parties: int, guard: bool, brief: bool
) -> None:
    speech: Speech = "free" if seed % 2 else "composed"
    for request in requests(seed, parties, guard=guard, speech=speech, brief=brief):
        assert list(not_strict(request.schema)) == []


def test_the_checker_of_strict_mode_finds_what_is_wrong() -> None:
    wrong = {
        "type": "object",
        "properties": {"a": {"enum": ["x"]}, "b": {"type": "string", "enum": []}},
        "required": ["a"],
        "additionalProperties": True,
    }
    assert list(not_strict(wrong)) == [
        "$: additionalProperties",
        "$: required",
        "$.a: type None",
        "$.b: enum []",
    ]


# --- reading ------------------------------------------------------------------------------------


def a_free_request(seed: int = 0) -> Request:
    return next(r for r in requests(seed, speech="free") if r.phase == "round" and r.legal.moves)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_unreadable_and_nothing_else(garbage: str) -> None:
    for speech in ("free", "composed"):
        for request in requests(3, speech=speech):
            outcome = read(garbage, request)
            if garbage == "{}" and not request.schema["properties"]:
                continue
            assert isinstance(outcome, Unreadable), request.phase


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"adopt": True}, "'adopt' was unexpected"),
        ({"citations": ["nobody-1"]}, "'nobody-1' is not one of"),
        ({"moves": [{"move": "adopt"}]}, "$.moves[0]"),
        ({"statement": ["We agree."]}, "$.statement"),
        ({"statement": "  \n "}, "$.statement: nothing was said"),
        ({"votes": {"q0-0": {"vote": "accept"}}}, "'votes' was unexpected"),
    ],
)
def test_what_does_not_fit_the_schema_is_unreadable_and_says_where(
    change: dict[str, Any], why: str
) -> None:
    request = a_free_request()
    outcome = read(json.dumps({**silent(request), **change}), request)
    assert isinstance(outcome, Unreadable)
    assert why in outcome.why


def test_a_missing_key_is_not_filled_in() -> None:
    request = a_free_request()
    for key in request.schema["required"]:
        data = silent(request)
        del data[key]
        outcome = read(json.dumps(data), request)
        assert isinstance(outcome, Unreadable)
        assert f"'{key}' is a required property" in outcome.why


@pytest.mark.parametrize(
    "text",
    ["{}", "```json\n{}\n```", "```\n{}\n```", "\n  {}  \n", "```json {} ```"],
)
def test_a_fence_around_the_json_is_taken_off(text: str) -> None:
    request = a_free_request()
    assert isinstance(read(text.replace("{}", json.dumps(silent(request))), request), Answer)


def test_prose_around_the_json_is_not_taken_off() -> None:
    request = a_free_request()
    text = f"Here is my answer: {json.dumps(silent(request))}"
    assert isinstance(read(text, request), Unreadable)


def test_an_object_that_says_a_thing_twice_says_nothing() -> None:
    request = a_free_request()
    data = json.dumps(silent(request))
    twice = data[:-1] + ', "statement": "We withdraw."}'
    assert read(twice, request) == Unreadable(
        "the reply is not JSON: 'statement' stands there twice"
    )


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 6000])
def test_numbers_that_json_does_not_know_are_unreadable(number: str) -> None:
    request = a_free_request()
    data = json.dumps(silent(request))[:-1] + f', "x": {number}}}'
    assert isinstance(read(data, request), Unreadable)


@pytest.mark.parametrize("depth", [50, 500, 900, 5_000, 100_000])
def test_deep_nesting_is_unreadable_and_no_crash(depth: int) -> None:
    request = a_free_request()
    for key in ("moves", "statement", "x"):
        deep = "[" * depth + "]" * depth
        data = {**silent(request), key: "@"}
        outcome = read(json.dumps(data).replace('"@"', deep), request)
        assert isinstance(outcome, Unreadable)
        assert len(outcome.why) < 600


def test_half_a_surrogate_pair_is_unreadable_because_no_file_can_hold_it() -> None:
    request = a_free_request()
    data = json.dumps(silent(request)).replace("We listen.", "\\ud83d")
    assert isinstance(read(data, request), Unreadable)


def test_an_emoji_written_as_a_pair_is_read() -> None:
    request = a_free_request()
    answer = read(json.dumps(silent(request)).replace("We listen.", "\\ud83d\\ude00"), request)
    assert isinstance(answer, Answer)
    assert answer.statement == "\U0001f600"


@given(st.text(max_size=300))
def test_any_text_at_all_is_read_or_unreadable_and_never_a_crash(text: str) -> None:
    request = _REQUEST
    assert isinstance(read(text, request), Answer | Unreadable)
    assert isinstance(read(json.dumps({"statement": text}), request), Unreadable)


_REQUEST = a_free_request()


def test_own_words_are_for_scripts_and_people_alone() -> None:
    request = requests(0, rules=Rules())[0]
    text = json.dumps({**silent(request), "say": "We are here."})
    assert isinstance(read(text, request), Unreadable)
    answer = read(text, request, own_words=True)
    assert isinstance(answer, Answer)
    assert answer.statement == "We are here."


def test_where_nothing_can_be_done_nothing_is_asked() -> None:
    assert schema_for(Legal(), "round", "composed") == {
        "type": "object", "properties": {}, "required": [], "additionalProperties": False,
    }  # fmt: skip
    assert list(schema_for(Legal(), "round", "free")["properties"]) == ["note", "statement"]


def test_a_delegation_may_table_every_text_of_an_issue_in_one_turn() -> None:
    item = an_item(an_issue("limits", 6))
    seat = Improviser(1, reads_prompts=False)
    held(a_room(a_setting(a_party("us"), a_party("ru"), items=(item,)), seat))
    opening = seat.asked[0]
    assert len(opening.legal.propose) == 6
    assert opening.schema["properties"]["moves"]["maxItems"] >= 6


def test_two_offers_of_one_text_leave_nothing_to_turn_down() -> None:
    for seed in range(30):
        for request in requests(seed):
            for stance in ("reserve", "reject"):
                for handle in request.legal.answer.get(stance, ()):
                    offer = request.state.offer(handle)
                    own = offer and request.state.issues[offer.issue].own_offer(request.seat)
                    assert offer is not None
                    assert not own or own.option != offer.option


def test_the_fingerprint_of_a_request_changes_with_messages_and_schema() -> None:
    request = a_free_request()
    other = replace(request, schema={**request.schema, "required": []})
    assert request.sha != other.sha
    assert request.sha == replace(request, seed=1).sha


@pytest.mark.parametrize(
    ("move", "said"),
    [
        ({"move": "propose", "text": "limits-0/z"}, "$.moves[0].text: 'limits-0/z' is not one of"),
        (
            {"move": "propose", "text": "limits-0/a", "because": "ru-limits-0-1"},
            "$.moves[0].because",
        ),
        ({"move": "propose"}, "$.moves[0]: 'text' is a required property"),
    ],
    ids=["unknown text", "another party's position", "no text"],
)
def test_what_is_wrong_with_a_move_is_said_of_the_kind_that_was_meant(
    move: dict[str, Any], said: str
) -> None:
    asked: list[Request] = []

    class Watched(Reference):
        async def answer(self, request: Request) -> Reply:
            asked.append(request)
            return await super().answer(request)

    held(a_room(two_sides(), Watched()))
    request = next(r for r in asked if r.seat == "us" and r.phase == "opening")
    move = {"because": None, **move}

    found = read(json.dumps({"citations": [], "moves": [move]}), request)

    assert isinstance(found, Unreadable)
    assert found.why.startswith(said)
