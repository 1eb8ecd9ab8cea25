"""What a delegation is told: the layout, the fences, and nothing rewritten."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from harness import events as e
from harness.briefing import persona_prompt
from harness.errors import UserError
from harness.setting import Rules
from harness.turn import Request
from tests.rooms import (
    PROMPTS,
    Improviser,
    Memory,
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
    sent_text,
    two_sides,
)


def by_seat(seat: Improviser) -> dict[str, list[Request]]:
    """First attempts of each party's turns, in order."""
    found: dict[str, list[Request]] = {}
    for request in seat.asked:
        if request.attempt == 1:
            found.setdefault(request.seat, []).append(request)
    return found


@pytest.mark.parametrize("memory", ["debate", "item"])
def test_nothing_earlier_in_the_messages_is_ever_rewritten(memory: Memory) -> None:
    """Prompt caches of providers and of llama.cpp live from equal beginnings."""
    for seed in range(6):
        setting = random_setting(seed, 3, 2, 2)
        seat = Improviser(seed, bad=0.2)
        rules = random_rules(seed, setting)
        held(a_room(setting, seat, rules=rules, speech="free", memory=memory))
        for requests in by_seat(seat).values():
            for before, after in pairwise(requests):
                assert after.messages[0] == before.messages[0]
                if memory == "item" and after.item != before.item:
                    continue
                kept = before.messages[1].parts[:-1]  # all but this turn's instruction
                assert after.messages[1].parts[: len(kept)] == kept


def test_a_repair_says_what_was_wrong_behind_the_same_messages() -> None:
    seat = Improviser(3, bad=0.5)
    held(a_room(random_setting(3, 3, 1, 2), seat, speech="free"))
    repairs = [(a, b) for a, b in pairwise(seat.asked) if b.attempt == 2]
    assert repairs
    for first, second in repairs:
        assert (second.seat, second.schema) == (first.seat, first.schema)
        assert second.messages[1].parts[:-1] == first.messages[1].parts
        assert "Your last reply could not be read: " in second.messages[1].parts[-1]
        assert second.seed != first.seed


def test_with_the_memory_of_an_item_only_the_item_under_discussion_is_told() -> None:
    for memory, first_item in (("item", False), ("debate", True)):
        seat = Improviser(2)
        held(a_room(random_setting(2, 2, 2, 1), seat, speech="free", memory=memory))  # type: ignore[arg-type]
        late = [request for request in seat.asked if request.item.id == "item-1"]
        assert late
        for request in late:
            assert ("# Item: Item item-0" in sent_text(request)) is first_item


def test_the_procedure_names_the_table_and_the_answers() -> None:
    seat = Improviser(1)
    held(a_room(two_sides(), seat))
    system = seat.asked[0].messages[0].text
    assert (
        "At the table: us (the State of US), ru (the State of RU). The chair is neutral." in system
    )
    assert "each party decides: accept, reserve, reject or abstain." in system


def test_under_the_silence_procedure_nobody_is_told_to_abstain() -> None:
    seat = Improviser(1)
    held(a_room(two_sides(), seat, rules=Rules(silence=True)))
    system = seat.asked[0].messages[0].text
    assert "each party decides: accept, reserve, reject." in system


def test_the_turn_names_open_offers_tabled_texts_and_decided_issues() -> None:
    setting = two_sides(Rules(rounds=1), issues=2)
    us, ru = insists("a"), insists("b")
    held(a_room(setting, {"us": us, "ru": ru}, speech="free"))
    opening, round_, decision = us.asked
    assert "Open offers" not in sent_text(opening)
    assert (
        "Open offers: O1 by us: limits-0/a; O3 by ru: limits-0/b; O2 by us: limits-1/a; "
        "O4 by ru: limits-1/b.\n"
    ) in sent_text(round_)
    assert "Tabled for decision: limits-0/" in sent_text(decision)


def test_a_ballot_is_answered_before_one_hears_how_the_others_did() -> None:
    setting = two_sides(Rules(rounds=1, ballots=2))
    seats = {"us": insists("a"), "ru": insists("b", "reject")}
    held(a_room(setting, seats, speech="free"))
    first = [r for r in (*seats["us"].asked, *seats["ru"].asked) if r.phase == "decision"]
    assert {r.round for r in first} == {1, 2}
    for request in first:
        votes = [line for line in sent_text(request).splitlines() if " votes " in line]
        assert len(votes) == (0 if request.round == 1 else 2)


def test_the_record_tells_what_the_party_may_know_and_no_more() -> None:
    setting = random_setting(6, 3, 1, 1)
    names = [party.id for party in setting.parties]
    rules = Rules.model_validate(
        {"floor": "round_robin", "caucuses": [e_caucus("item-0", 0, names[:2])]}
    )
    seat = Improviser(6, prose=("We were here.",))
    past = held(a_room(setting, seat, rules=rules, speech="free"))
    last = {request.seat: sent_text(request) for request in seat.asked}
    aside = [s for s in past.of(e.Statement) if s.phase == "caucus"]
    assert len(aside) == 2
    for name in names:
        told = f"private meeting of {', '.join(names[:2])}" in last[name]
        assert told is (name in names[:2])
        assert ("(in private)" in last[name]) is (name in names[:2])


def test_confidential_positions_are_marked_in_ones_own_mandate() -> None:
    party = a_party(
        "us",
        a_position("us-1", supports=["limits/a"]),
        a_position("us-2", supports=["limits/b"], confidential=True, statement="We could go to b."),
    )
    seat = Improviser(1)
    held(a_room(a_setting(party, a_party("ru"), items=(an_item(an_issue()),)), seat))
    mine = next(sent_text(r) for r in seat.asked if r.seat == "us")
    assert "- us-2 (demand, 3, confidential): We could go to b. For: limits/b.\n" in mine
    theirs = [sent_text(r) for r in seat.asked if r.seat == "ru"]
    assert not any("We could go to b." in text for text in theirs)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "{% block identity %}{{ party.nme }}{% endblock %}{% block mandate %}{% endblock %}",
            "nme",
        ),
        ("{% block identity %}{% endblock %}", "has no block 'mandate'"),
        ("---\ncolour: blue\n---\n", "unknown front matter colour"),
        ("---\nsummary: x\n---\nline\n{% block identity %}", r"bad\.md\.j2:5: "),
    ],
)
def test_a_persona_prompt_with_a_mistake_is_refused_by_name(
    tmp_path: Path, source: str, words: str
) -> None:
    folder = shutil.copytree(PROMPTS, tmp_path / "prompts")
    (folder / "bad.md.j2").write_text(source)
    with pytest.raises(UserError, match=words):
        held(a_room(two_sides(), Improviser(1), prompt="bad", folder=folder))


def test_a_persona_prompt_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(UserError, match=r"no persona prompt 'dosier'\. Known: .*\bdossier, "):
        persona_prompt("dosier", PROMPTS)


def test_the_fingerprint_of_a_prompt_is_that_of_its_whole_file() -> None:
    first = persona_prompt("dossier", PROMPTS)
    assert first.sha == persona_prompt(str(PROMPTS / "dossier.md.j2"), PROMPTS).sha
    assert first.sha != persona_prompt("masked", PROMPTS).sha
