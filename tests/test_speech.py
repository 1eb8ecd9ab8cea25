"""Composed speech: what a delegation says is put together from its own record."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import events as e
from harness.events import Event
from harness.loading import load_setting
from harness.setting import Rules, Setting
from tests.rooms import (
    Held,
    Improviser,
    a_party,
    a_position,
    a_room,
    a_setting,
    an_issue,
    an_item,
    e_caucus,
    held,
    insists,
    random_rules,
    random_setting,
    two_sides,
)

REAL = load_setting("geneva-2021")
AGENDAS = [agenda.id for agenda in REAL.agendas]


def a_real_debate(agenda: str, seed: int = 0) -> Held:
    chosen = REAL.agenda(agenda)
    return held(a_room(REAL.only(chosen), rules=chosen.rules, seed=seed))


def statements(past: Held) -> Iterator[tuple[e.Statement, list[Event]]]:
    """Every statement, and what happened in its item before it."""
    before: list[Event] = []
    for event in past.events:
        if isinstance(event, e.ItemOpened):
            before = []
        if isinstance(event, e.Statement):
            yield event, list(before)
        before.append(event)


def check_text(text: str) -> None:
    """No statement is empty or reads like a broken template."""
    assert text == text.strip()
    assert len(text) > 10
    assert text[0].isupper()
    assert text[-1] in ".?!”"
    assert not re.search(r"  |\.\.|,,| ,| \.|;;|: *\.|“”|\bNone\b|[{}]|: [A-Z]\w* we ", text), text


@pytest.mark.parametrize("agenda", AGENDAS)
def test_statements_of_the_real_setting_are_whole_sentences(agenda: str) -> None:
    for seed in range(3):
        for statement, _ in statements(a_real_debate(agenda, seed)):
            check_text(statement.text)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), parties=st.integers(2, 5))
def test_statements_of_any_composed_seat_are_whole_sentences(seed: int, parties: int) -> None:
    setting = random_setting(seed, parties, 2, 2)
    past = held(a_room(setting, Improviser(seed), rules=random_rules(seed, setting)))
    for statement, _ in statements(past):
        check_text(statement.text)


def spelled_out(setting: Setting, statement: e.Statement) -> list[str]:
    """The positions whose words stand in the statement."""
    return [
        p.id
        for p in setting.party(statement.party).positions
        if p.item == statement.item and p.in_own_voice() in statement.text
    ]


@pytest.mark.parametrize("agenda", AGENDAS)
def test_no_position_is_read_out_twice_within_an_item(agenda: str) -> None:
    for seed in range(3):
        past = a_real_debate(agenda, seed)
        said: dict[tuple[str, str], list[str]] = defaultdict(list)
        for statement, _ in statements(past):
            said[statement.party, statement.item] += spelled_out(past.card.setting, statement)
        for ids in said.values():
            assert len(ids) == len(set(ids))


@pytest.mark.parametrize("agenda", AGENDAS)
def test_what_is_read_out_is_cited_and_is_ones_own_and_public(agenda: str) -> None:
    past = a_real_debate(agenda)
    setting = past.card.setting
    for statement, _ in statements(past):
        assert set(spelled_out(setting, statement)) <= set(statement.citations)
        for position in statement.citations:
            assert setting.holder(position) == statement.party
            assert setting.position(position).visibility == "public"


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), parties=st.integers(2, 4))
def test_no_composed_seat_repeats_itself_or_tells_a_secret(seed: int, parties: int) -> None:
    setting = random_setting(seed, parties, 1, 3)
    names = [party.id for party in setting.parties]
    rules = Rules.model_validate(
        {**random_rules(seed, setting).model_dump(), "caucuses": [e_caucus("item-0", 1, names)]}
    )
    past = held(a_room(setting, Improviser(seed, reads_prompts=False), rules=rules))
    said: dict[str, list[str]] = defaultdict(list)
    for statement in past.of(e.Statement):
        if statement.audience is None:
            said[statement.party] += spelled_out(setting, statement)
        for position in setting.party(statement.party).positions:
            if position.visibility == "confidential":
                assert position.statement not in statement.text
    for ids in said.values():
        assert len(ids) == len(set(ids))


def test_what_was_said_in_private_can_still_be_said_to_everyone() -> None:
    us = a_party("us", a_position("us-1", supports=["limits/a"], opposes=["limits/b"]))
    ru = a_party("ru", a_position("ru-1", supports=["limits/b"], opposes=["limits/a"]))
    setting = a_setting(us, ru, items=(an_item(an_issue()),))
    rules = Rules.model_validate(
        {"opening_statements": False, "caucuses": [e_caucus("arms", 0, ["us", "ru"])]}
    )
    past = held(a_room(setting, rules=rules))
    mine = [s for s in past.of(e.Statement) if s.party == "us" and "us-1" in s.citations]
    assert [s.phase for s in mine][:2] == ["caucus", "round"]


@pytest.mark.parametrize("agenda", AGENDAS)
def test_an_answer_names_whose_text_it_answers_and_the_text(agenda: str) -> None:
    past = a_real_debate(agenda)
    setting, state = past.card.setting, past.state
    answers = [m for m in past.of(e.MoveMade) if m.move.move in ("accept", "reserve", "reject")]
    spoken = {s.turn: s.text for s in past.of(e.Statement)}
    assert answers
    for answer in answers:
        offer = state.offer(answer.move.offer or "")
        assert offer is not None
        issue = setting.issue(offer.issue)
        text = spoken[answer.turn]
        assert f"the {setting.party(offer.party).adjective} text" in text
        assert f"{issue.title}, “{issue.option(offer.option).label}”" in text


@pytest.mark.parametrize("agenda", AGENDAS)
def test_every_own_offer_is_named_in_the_statement_that_makes_it(agenda: str) -> None:
    past = a_real_debate(agenda)
    spoken = {s.turn: s.text for s in past.of(e.Statement)}
    for move in past.of(e.MoveMade):
        if move.move.move in ("propose", "concede", "withdraw"):
            issue = past.card.setting.issue(move.move.issue)
            assert f"“{issue.option(move.move.option or '').label}”" in spoken[move.turn]
            assert issue.title in spoken[move.turn]


def test_without_an_answer_of_ones_own_the_last_speakers_text_is_taken_up() -> None:
    past = held(a_room(two_sides(Rules(rounds=2))))
    for statement, before in statements(past):
        offers = [m for m in before if isinstance(m, e.MoveMade) and m.party != statement.party
                  and m.offer]  # fmt: skip
        if statement.phase == "round" and offers:
            assert f"the {(statement.party == 'us' and 'Ru') or 'Us'}ish text" in statement.text


def test_the_same_turn_has_the_same_words_and_another_seed_has_others() -> None:
    first, again, other = (
        [s.text for s in a_real_debate("opening", seed).of(e.Statement)] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_party_without_a_position_says_so_in_its_opening() -> None:
    setting = a_setting(a_party("us"), a_party("ru"), items=(an_item(an_issue()),))
    opening = held(a_room(setting)).of(e.Statement)[:2]
    for statement in opening:
        assert "We have no position on record on this item" in statement.text


def test_formal_answers_of_one_kind_are_given_in_one_sentence() -> None:
    setting = two_sides(Rules(rounds=1), issues=3)
    seats = {"us": insists("a"), "ru": insists("b", "abstain")}
    past = held(a_room(setting, seats))
    spoken = {s.party: s.text for s in past.of(e.Statement) if s.phase == "decision"}
    titles = "the matter of limits-0; the matter of limits-1; and the matter of limits-2"
    assert spoken == {
        "us": f"We accept the Chair's texts on {titles}.",
        "ru": f"We abstain on the Chair's texts on {titles}.",
    }


def test_whoever_keeps_silence_under_the_silence_procedure_does_not_say_that_it_abstains() -> None:
    rules = Rules(rounds=1, silence=True)
    seats = {"us": insists("a", "abstain"), "ru": insists("b", "reject")}
    past = held(a_room(two_sides(rules), seats))
    spoken = {s.party: s.text for s in past.of(e.Statement) if s.phase == "decision"}
    assert spoken == {
        "us": "We do not break the silence on the Chair's text on the matter of limits-0.",
        "ru": "We cannot accept the Chair's text on the matter of limits-0.",
    }


def test_a_rejection_gives_its_reason_once() -> None:
    us = a_party("us", a_position("us-1", opposes=["one/a", "two/a"], kind="red_line", firmness=5))
    ru = a_party("ru", a_position("ru-1", supports=["one/a", "two/a"]))
    item = an_item(an_issue("one"), an_issue("two"))
    rules = Rules(rounds=1, opening_statements=False)
    past = held(a_room(a_setting(us, ru, items=(item,)), rules=rules))
    spoken = [s for s in past.of(e.Statement) if s.party == "us"]
    reason = "The record holds us-1."
    assert sum(s.text.count(reason) for s in spoken) == 1
    assert spoken[-1].text == (
        "We cannot accept the Chair's texts on the matter of one; and the matter of two, "
        "for the reasons we have given."
    )
