"""Debates held against each other: where they part, what came of them, what is not comparable."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from evals import scores
from evals.evaluator import evaluate
from evals.registry import BUILT_IN
from harness import events as e
from harness.fork import fork, without
from harness.rules import Caucus
from harness.setting import Item, Rules, Setting
from harness.transcript import Transcript, read
from harness.viewer.app.build import ROOMS, build
from harness.viewer.app.desk import Desk
from harness.viewer.comparing.aligning import merged
from harness.viewer.comparing.comparison import Comparison, compare
from harness.viewer.comparing.texts import diff
from harness.viewer.page.words import places
from tests.evals.room import (
    Room,
    a_party,
    a_position,
    a_setting,
    an_issue,
    an_item,
)
from tests.viewer.handmade import EXAMPLES, REFERENCE, SCRIPTED, SIX, a_drawn_reading
from tests.viewer.hostile import SECRETS, hostile

HOME = "http://127.0.0.1:80"
OTHER = "embedded-model-guarded"


def arms(*texts: str) -> Item:
    return an_item(an_issue("space", *texts), an_issue("tests"))


def talks(
    *items: Item, parties: Sequence[str] = ("us", "ru"), rules: Rules | None = None
) -> Setting:
    return a_setting(*(a_party(each) for each in parties), items=items or (arms(),), rules=rules)


def held(text: str = "space/a", setting: Setting | None = None, words: str = "We talk.") -> Room:
    """An item opened, Washington offers a text, and the parties vote on it."""
    room = Room(setting or talks()).opens()
    return room.says("us", words).moves("us", "propose", text).says("ru", "We hear.")


def with_card(room: Room, **changes: object) -> Transcript:
    header, card, *rest = room.transcript.events
    return Transcript((header, card.model_copy(update=changes), *rest))


def different(comparison: Comparison) -> dict[str, str]:
    return {row.issue: row.differs for row in comparison.issues}


# Where they part


def test_a_debate_and_itself_do_not_part() -> None:
    room = held().votes("space/a", us="accept", ru="accept").closes()
    found = compare([room.transcript, room.transcript])
    assert found.parting.kind == "same"
    assert found.parting.words == "Every public event is the same in A and B."
    assert found.decisive is None
    assert set(different(found).values()) == {"no"}
    assert found.cards.differences == ()
    assert found.cards.same == (
        "setting and agenda", "the rules of procedure", "who sat where, with which prompt",
        "the seed",
    )  # fmt: skip
    assert [item.different for item in found.items] == [0]
    assert all(told.same for told in found.texts)


def test_debates_part_at_the_first_move_that_differs_which_is_named_in_words() -> None:
    found = compare([held("space/a").transcript, held("space/b").transcript]).parting
    assert found.kind == "differs"
    assert found.words == (
        "Round 1 of Arms: in A the land of US proposes (a) space a on Space, "
        "in B the land of US proposes (b) space b on Space."
    )
    assert [(here.debate, here.to) for side in found.sides for here in side.here] == [
        (0, "T2"), (1, "T2"),
    ]  # fmt: skip
    assert found.last == "T1"
    assert not found.prose


def test_other_words_are_a_first_divergence_that_decides_nothing() -> None:
    long = "We have come to talk about arms, about tests, and about all that lies between us. "
    one, other = held(words=f"{long}Let us begin."), held(words=f"{long}Let us stop.")
    found = compare([one.transcript, other.transcript])
    assert found.parting.prose
    assert "not the same words" in found.parting.words
    assert [side.excerpt.split()[-1] for side in found.parting.sides] == ["begin.", "stop."]
    assert found.decisive is not None
    assert found.decisive.kind == "so far"
    row = found.items[0].stretches[0].rows[0]
    assert row.differs == ("words",)


def test_where_what_is_said_differs_first_the_first_move_that_differs_is_told_too() -> None:
    one, other = held("space/a", words="Good day."), held("space/b", words="Good night.")
    found = compare([one.transcript, other.transcript])
    assert "speaks in A and B, but not the same words" in found.parting.words
    assert found.decisive is not None
    assert "in B the land of US proposes (b) space b" in found.decisive.words


def test_a_decision_that_differs_by_its_votes_alone_is_told_with_them() -> None:
    rooms = [held() for _ in range(2)]
    rooms[0].votes("space/a", us="accept", ru="accept")
    rooms[1].votes("space/a", us="accept", ru="reserve")
    found = compare([room.transcript for room in rooms])
    assert "in B the land of RU votes, with a reservation, for (a) space a" in found.parting.words
    assert different(found)["space"] == "answers"


def test_what_is_private_neither_shifts_nor_parts_nor_is_shown() -> None:
    secret = "The marshal will give way on Thursday."
    one = held()
    two = Room(talks()).opens().says("us", secret, audience=("us", "ru"))
    two.says("us", "We talk.").moves("us", "propose", "space/a").says("ru", "We hear.")
    found = compare([one.transcript, two.transcript])
    assert found.parting.kind == "so far"
    assert found.items[0].different == 0
    handles = [here.handle for here in found.items[0].stretches[0].rows[0].versions[0].here]
    assert handles == ["T1", "T2"]
    assert "marshal" not in repr(found)


def test_reasons_that_are_confidential_do_not_part_debates_and_are_not_named() -> None:
    hidden = a_position("us-h", supports=("space/a",), visibility="confidential", canary="CNRY")
    setting = a_setting(a_party("us", hidden), a_party("ru"), items=(arms(),))
    bare = a_setting(a_party("us"), a_party("ru"), items=(arms(),))
    one = Room(setting).opens().says("us").moves("us", "propose", "space/a", because="us-h")
    other = Room(bare).opens().says("us").moves("us", "propose", "space/a")
    found = compare([one.transcript, other.transcript])
    assert found.parting.kind == "so far"
    assert not any(each.about == "positions on record" for each in found.cards.differences)
    assert not re.search("us-h|CNRY", repr(found))


def test_a_record_that_ends_early_hides_no_difference_of_the_others() -> None:
    short = Room(talks()).opens().says("us", "We talk.")
    rooms = [held("space/a"), short, held("space/b")]
    found = compare([room.transcript for room in rooms])
    assert found.parting.debates == (0, 2)
    assert "in C the land of US proposes (b)" in found.parting.words
    assert found.parting.words.endswith("The record of B ends before that.")
    assert any(each.startswith("Not finished") and "A, B and C" in each for each in found.remarks)
    assert [pair.kind for pair in found.pairs] == ["so far", "differs"]


def test_a_finished_debate_and_one_that_is_not_differ_only_so_far() -> None:
    one, other = held(), held()
    one.votes("space/a", us="accept", ru="accept").closes()
    found = compare([one.transcript, other.transcript])
    assert found.parting.kind == "so far"
    assert "The record of B ends there." in found.parting.words
    assert different(found)["space"] == "cannot tell"
    assert found.issues[0].cells[1].words == "not decided"


@pytest.mark.parametrize("seed", range(6))
def test_drawn_debates_are_the_same_as_themselves_and_part_where_they_first_differ(
    seed: int,
) -> None:
    one, two = (a_drawn_reading(each).transcript for each in (seed, seed + 100))
    assert compare([one, one]).parting.kind == "same"
    found = compare([one, two])
    for side in found.parting.sides:
        for here in side.here:
            transcript = (one, two)[here.debate]
            assert here.to in places(transcript).values()


# Forks


@cache
def forks() -> dict[str, Transcript]:
    """A debate and what was taken from it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / f"{REFERENCE}.jsonl"
        shutil.copy(EXAMPLES / file.name, file)
        words = {"us": "We can accept the text of our colleagues."}
        said = fork(file, "T7", say=words, runs=1, out=folder)
        unheard = fork(file, "T20", unheard=["ru"], runs=1, out=folder)
        later = fork(file, "T8", say={"ru": "No."}, runs=1, out=folder)
        again = without(file, "us-ss-5", runs=1, out=folder)
        return {
            "origin": read(file), "changed": said.changed[0], "control": said.control[0],
            "unheard": unheard.changed[0], "later": later.control[0],
            "again": again.changed[0],
        }  # fmt: skip


def compared(*names: str) -> Comparison:
    return compare([forks()[name] for name in names])


def test_a_fork_parts_from_its_origin_at_the_turn_that_was_changed() -> None:
    found = compared("origin", "changed")
    assert [each.words for each in found.kin] == [
        "B was taken from A, its record taken over up to T6, with other words of the United "
        "States in T7."
    ]
    assert [here.label for side in found.parting.sides for here in side.here] == ["T7", "T7"]
    assert found.parting.words.endswith("That is at the fork.")
    assert compared("changed", "origin").parting.words.endswith("That is at the fork.")


def test_a_fork_in_which_something_was_not_heard_parts_there() -> None:
    found = compared("origin", "unheard")
    assert found.kin[0].words == "B was taken from A, its record taken over up to T20 and changed."
    assert found.parting.words.endswith("That is at the fork.")


def test_forks_of_one_debate_are_told_apart_where_the_earlier_was_taken() -> None:
    found = compared("changed", "unheard")
    assert [each.of for each in found.kin] == [None, None]
    assert all(f"taken from {REFERENCE}.jsonl" in each.words for each in found.kin)
    assert found.parting.words.endswith("That is at the fork.")


def test_a_fork_in_which_nothing_was_changed_parts_where_chance_has_it() -> None:
    # Openings are drawn by the seed from T9 on; T8 is a vote, which is not.
    at, beyond = compared("origin", "later"), compared("origin", "control")
    assert at.kin[0].words.endswith("up to T8, with nothing changed but the seed.")
    assert at.parting.words.endswith("That is at the fork.")
    assert beyond.kin[0].words.endswith("up to T7, with nothing changed but the seed.")
    assert beyond.parting.words.endswith("beyond the fork: they go on alike for a while.")


def test_a_debate_that_is_not_the_one_a_fork_was_taken_from_is_found_out() -> None:
    other = read(EXAMPLES / f"{OTHER}.jsonl")
    posing = replace(other, path=Path(f"{REFERENCE}.jsonl"))
    found = compare([posing, forks()["changed"]])
    assert "That is before the fork" in found.parting.words


def test_a_debate_held_without_a_position_says_which() -> None:
    found = compared("origin", "again")
    values = {each.about: each.values for each in found.cards.differences}
    assert values["positions on record"] == ("as the others", "without us-ss-5")
    assert values["seed"] == ("0", "1")
    assert [row.heading for row in found.issues if row.differs == "outcome"] == [
        "Arms race in space"
    ]


# Outcomes


def test_outcomes_stand_beside_each_other_with_who_was_against() -> None:
    one = held().votes("space/a", us="accept", ru="reserve").closes()
    two = held().votes("space/a", us="accept", ru="reject").closes()
    three = held("space/b").votes("space/b", us="accept", ru="accept").closes()
    found = compare([one.transcript, two.transcript, three.transcript])
    space, tests = found.issues
    assert [(cell.words, cell.option) for cell in space.cells] == [
        ("agreed", "(a) space a"), ("in brackets", ""), ("agreed", "(b) space b"),
    ]  # fmt: skip
    assert space.cells[0].notes == ("with a reservation: the land of RU",)
    assert space.cells[1].notes[0] == "against: the land of RU"
    assert any("(a) space a" in note for note in space.cells[1].notes[1:])
    assert space.differs == "outcome"
    assert tests.differs == "no"
    assert [cell.like for cell in tests.cells] == [None, 0, 0]


def test_the_same_answers_with_other_reservations_are_no_different_outcome() -> None:
    one = held().votes("space/a", us="accept", ru="reserve").closes()
    two = held().votes("space/a", us="accept", ru="accept").closes()
    assert different(compare([one.transcript, two.transcript])) == {
        "space": "answers", "tests": "no"
    }  # fmt: skip


def test_a_text_that_lapsed_with_its_package_is_not_agreed() -> None:
    rules = Rules(package="item")
    one = held(setting=talks(rules=rules)).votes("space/a", us="accept", ru="accept").closes()
    two = held().votes("space/a", us="accept", ru="accept").closes()
    found = compare([one.transcript, two.transcript])
    assert [cell.status for cell in found.issues[0].cells] == ["lapsed", "adopted"]
    assert different(found)["space"] == "outcome"


def test_another_text_under_the_same_name_is_another_outcome() -> None:
    other = talks(arms("The parties shall act at once.", "The parties shall talk."))
    one = held().votes("space/a", us="accept", ru="accept").closes()
    two = held(setting=other).votes("space/a", us="accept", ru="accept").closes()
    found = compare([one.transcript, two.transcript])
    assert found.issues[0].differs == "outcome"
    assert found.issues[0].other_text
    assert found.parting.kind == "differs"
    assert "not the same text or reason" in found.parting.words
    pieces = found.texts[0].texts[1].pieces
    assert [piece.text.strip() for piece in pieces if piece.op == "ins"] == ["at once"]


# Joint texts


WORDS = st.lists(st.sampled_from(["peace", "arms", "shall", "not", "(a)", "talk,", "é"]))


@given(WORDS, WORDS)
def test_a_diff_says_both_texts(one: list[str], other: list[str]) -> None:
    pieces = list(diff(" ".join(one), " ".join(other)))
    base = "".join(piece.text for piece in pieces if piece.op != "ins")
    come = "".join(piece.text for piece in pieces if piece.op != "del")
    assert bare(base) == bare(" ".join(one))
    assert bare(come) == bare(" ".join(other))


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_a_text_is_amended_by_words_and_replaced_as_a_whole() -> None:
    once, twice = "The Parties shall meet once a year.", "The Parties may meet twice a year."
    assert list(diff(once, twice)) == [
        ("same", "The Parties"), ("del", " shall"), ("ins", " may"), ("same", " meet"),
        ("del", " once"), ("ins", " twice"), ("same", " a year."),
    ]  # fmt: skip
    assert [piece.op for piece in diff("All forces leave.", "No word was said of this")] == [
        "del", "ins",
    ]  # fmt: skip


def test_texts_are_held_against_the_base() -> None:
    one = held().votes("space/a", us="accept", ru="accept").closes()
    two = held().votes("space/a", us="accept", ru="reserve").closes()
    first = compare([one.transcript, two.transcript]).texts[0]
    assert [text.debates for text in first.texts] == [(0,), (1,)]
    assert first.texts[1].pieces[-1] == ("ins", " Reservation of the land of RU.")
    other = compare([one.transcript, two.transcript], base=1).texts[0]
    assert [text.debates for text in other.texts] == [(1,), (0,)]
    assert other.texts[1].pieces[-1] == ("del", " Reservation of the land of RU.")


# What they were held with, and what cannot be aligned


def test_seats_rules_and_seed_that_differ_are_named() -> None:
    seats = tuple(
        each.model_copy(update={"prompt": "hawkish", "prompt_sha": "1", "model": "local"})
        if each.seat == "us" else each
        for each in held().transcript.card.seats
    )  # fmt: skip
    rules = Rules(rounds=3, decision="veto", vetoes=("us",))
    other = with_card(held(), seats=seats, rules=rules, seed=9)
    found = compare([held().transcript, other]).cards
    assert {(each.group, each.about): each.values for each in found.differences} == {
        ("Rules", "rounds per item"): ("2", "3"),
        ("Rules", "what adopts a text"): ("consensus", "veto"),
        ("Rules", "holders of a veto"): ("none", "the land of US"),
        ("The land of US", "model"): ("script:test", "local"),
        ("The land of US", "persona prompt"): ("none", "hawkish"),
        ("Record", "seed"): ("1", "9"),
    }
    assert found.same == ("setting and agenda",)


def test_who_met_in_private_is_not_told() -> None:
    meeting = Caucus(item="arms", after_round=1, parties=("us", "ru"))
    rules = Rules(caucuses=(meeting,))
    found = compare([held().transcript, with_card(held(), rules=rules)]).cards
    assert [each.values for each in found.differences] == [("none", "Arms")]


def test_items_that_not_all_have_are_said_and_the_others_aligned() -> None:
    trade = an_item(an_issue("grain"), item_id="trade")
    one = held(setting=talks(arms(), trade))
    two = Room(talks(trade, arms()))
    two.opens("trade").says("us", "Grain first.")
    two.opens("arms").says("us", "We talk.").moves("us", "propose", "space/b").says(
        "ru", "We hear."
    )
    other = compare([one.transcript, two.transcript])
    assert "in B the land of US proposes (b)" in other.parting.words
    assert [(item.id, item.absent) for item in other.items] == [("arms", ()), ("trade", ())]
    alone = compare([one.transcript, held().transcript])
    assert [(item.id, item.absent, item.turns) for item in alone.items] == [
        ("arms", (), 3), ("trade", (1,), 0),
    ]  # fmt: skip
    assert any("on that of A: Trade" in each for each in alone.remarks)
    assert different(alone)["grain"] == "cannot tell"
    assert alone.issues[-1].cells[1].words == "not on the agenda"


def test_debates_without_a_common_item_are_said_to_be_so() -> None:
    found = compare([read(EXAMPLES / f"{each}.jsonl") for each in (SIX, REFERENCE)])
    assert found.parting.kind == "apart"
    assert any("nothing can be aligned" in each for each in found.remarks)
    assert all(item.turns == 0 for item in found.items)


def test_turns_stand_beside_each_other_by_round_and_party() -> None:
    setting = talks(parties=("us", "ru", "de"))
    one = Room(setting).opens().says("us", "Me first.").says("de", "And I.").enters("round", 2)
    one.says("ru", "At last.")
    two = Room(setting).opens().says("ru", "Now I.").says("de", "And I.").says("us", "Me last.")
    (item,) = compare([one.transcript, two.transcript]).items
    first, second = item.stretches
    rows = {row.party: row for row in first.rows}
    assert [first.title, second.title] == ["Round 1", "Round 2"]
    assert rows["the land of DE"].same
    assert rows["the land of US"].differs == ("words",)
    assert rows["the land of RU"].missing == (0,)
    assert [row.missing for row in second.rows] == [(1,)]
    assert [here.handle for here in rows["the land of US"].versions[1].here] == ["T3"]


def test_words_of_a_turn_that_the_base_does_not_say_are_marked() -> None:
    one = held(words="We could accept a text on space, if others do.")
    two = held(words="We could never accept a text on space, if others do.")
    three = held(words="Nothing of the kind; that is our last word.")
    transcripts = [room.transcript for room in (one, two, three)]
    for base, marked in ((0, ["", "never", ""]), (1, ["", "", ""])):
        row = compare(transcripts, base).items[0].stretches[0].rows[0]
        own = ["".join(p.text for p in v.pieces if p.op == "ins").strip() for v in row.versions]
        assert own == marked
        assert [version.text for version in row.versions] == [
            next(x.text for x in each.events if isinstance(x, e.Statement)) for each in transcripts
        ]


def test_of_a_long_statement_the_rest_is_counted() -> None:
    rooms = [held(words="word " * 2_000), held(words="word " * 1_999 + "end")]
    row = compare([room.transcript for room in rooms]).items[0].stretches[0].rows[0]
    assert [len(version.text) + version.more for version in row.versions] == [10_000, 9_998]
    assert all(len(version.text) <= 1_200 for version in row.versions)
    assert row.differs == ("words",)


def test_four_debates_with_two_versions_of_a_turn_show_two() -> None:
    rooms = [held("space/a"), held("space/b"), held("space/a"), held("space/b")]
    found = compare([room.transcript for room in rooms])
    row = found.items[0].stretches[0].rows[1]
    assert [version.debates for version in row.versions] == [(0, 2), (1, 3)]
    assert found.parting.words.startswith("Round 1 of Arms: in A and C the land of US")


@given(st.lists(st.lists(st.integers(0, 9), unique=True), min_size=1, max_size=4))
def test_one_order_for_several_has_everything_once_and_keeps_the_first(
    sequences: list[list[int]],
) -> None:
    found = merged(sequences)
    assert sorted(found) == sorted({each for sequence in sequences for each in sequence})
    assert [each for each in found if each in sequences[0]] == sequences[0]


def test_one_or_five_debates_are_no_comparison() -> None:
    one = held().transcript
    for many in (1, 5):
        with pytest.raises(ValueError, match=f"{many} debates"):
            compare([one] * many)


# In the app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (REFERENCE, SCRIPTED, SIX, OTHER):
        shutil.copy(EXAMPLES / f"{name}.jsonl", tmp_path)
    return tmp_path


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(build(Desk(folder)), base_url=HOME) as client:
        yield client


BOTH = f"/compare?d={REFERENCE}&d={OTHER}"


def shown(page: str) -> str:
    """What there is to read, in one line."""
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", page)).split())


def test_the_app_has_the_room() -> None:
    assert any(room.__name__.endswith(".comparing") for room in ROOMS)  # type: ignore[attr-defined]


def test_without_debates_the_page_says_what_to_do(client: TestClient) -> None:
    page = client.get("/compare").text
    assert "Choose two to four debates" in shown(page)
    assert '<a href="/">on the shelf</a>' in page
    assert page.count("<select") == 4
    assert page.count(f'<option value="{REFERENCE}"') == 4


def test_one_debate_is_kept_and_another_asked_for(client: TestClient) -> None:
    page = client.get(f"/compare?d={REFERENCE}").text
    assert page.count(f'<option value="{REFERENCE}" selected>') == 1
    assert f'href="/?d={REFERENCE}"' in page
    twice = client.get(f"/compare?d={REFERENCE}&d={REFERENCE}").text
    assert "Choose one to three others" in shown(twice)


def test_a_folder_too_large_for_lists_leads_to_the_shelf(folder: Path) -> None:
    source = (EXAMPLES / f"{SCRIPTED}.jsonl").read_bytes()
    for number in range(100):
        (folder / f"copy-{number}.jsonl").write_bytes(source)
    with TestClient(build(Desk(folder)), base_url=HOME) as client:
        page = client.get(f"/compare?d={REFERENCE}").text
    assert "<select" not in page
    assert '<form method="get" action="/" role="search"' in page
    assert f'<input type="hidden" name="d" value="{REFERENCE}">' in page


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    with TestClient(build(Desk(tmp_path)), base_url=HOME) as client:
        assert "comparing takes two" in shown(client.get("/compare").text)


def test_empty_fields_of_the_form_are_dropped_from_the_address(client: TestClient) -> None:
    sent = client.get(f"{BOTH}&d=&d=&show=different", follow_redirects=False)
    assert sent.status_code == 303
    assert sent.headers["location"] == f"{BOTH}&show=different"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (f"d={REFERENCE}&d=nowhere", "There is no transcript 'nowhere'"),
        (f"d={REFERENCE}&d=../../etc/passwd", "There is no transcript"),
        ("d=nowhere", "There is no transcript 'nowhere'"),
        (f"d={REFERENCE}&d={OTHER}&d={SIX}&d={SCRIPTED}&d=x", "5 debates are too many"),
        (f"d={REFERENCE}&d={OTHER}&base=C", "There is no debate 'C' here"),
        (f"d={REFERENCE}&d={OTHER}&base=AB", "There is no debate 'AB' here"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(
    client: TestClient, query: str, why: str
) -> None:
    sent = client.get(f"/compare?{query}")
    assert sent.status_code == 400
    assert why in shown(sent.text)


def test_a_broken_file_is_said_in_a_sentence(client: TestClient, folder: Path) -> None:
    lines = (folder / f"{OTHER}.jsonl").read_text(encoding="utf-8").splitlines()
    lines[4] = '{"kind":"nonsense"}'
    (folder / "bad.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sent = client.get(f"/compare?d={REFERENCE}&d=bad")
    assert sent.status_code == 400
    assert "bad.jsonl:5: not an event of this format" in shown(sent.text)


def test_a_file_whose_events_name_what_is_not_there_is_said_in_a_sentence(
    client: TestClient, folder: Path
) -> None:
    text = (folder / f"{OTHER}.jsonl").read_text(encoding="utf-8")
    head, _, rest = text.partition('"kind":"item_opened"')
    rest = rest.replace('"issue":"space-weapons"', '"issue":"moonshine"')
    (folder / "odd.jsonl").write_text(f'{head}"kind":"item_opened"{rest}', encoding="utf-8")
    sent = client.get(f"/compare?d={REFERENCE}&d=odd")
    assert sent.status_code == 400
    assert "the issue 'moonshine' is not in the setting" in shown(sent.text)


def test_the_page_shows_outcomes_and_leads_to_the_turns(client: TestClient) -> None:
    page = client.get(BOTH).text
    assert "7 of the 12 issues that at least two have decided came out differently" in shown(page)
    assert f'href="/debates/{REFERENCE}#T1"' in page
    assert f'href="/debates/{OTHER}#issue-space-weapons"' in page
    debates = {name: client.get(f"/debates/{name}").text for name in (REFERENCE, OTHER)}
    for name, anchor in set(re.findall(r'href="/debates/([^"#]+)#([^"]+)"', page)):
        assert f'id="{anchor}"' in debates[name], (name, anchor)


def test_only_different_outcomes_are_shown_by_address_alone(
    client: TestClient, folder: Path
) -> None:
    whole, only = client.get(BOTH).text, client.get(f"{BOTH}&show=different").text
    assert re.findall("data-alike( hidden)?", whole) == [""] * 5
    assert re.findall("data-alike( hidden)?", only) == [" hidden"] * 5
    assert 'value="different" checked' in only
    shutil.copy(folder / f"{REFERENCE}.jsonl", folder / "copy.jsonl")
    same = client.get(f"/compare?d={REFERENCE}&d=copy&show=different").text
    assert '<p class="none-differ" data-only>No issue came out differently.' in same


def test_the_base_is_chosen_by_address(client: TestClient) -> None:
    first, other = client.get(BOTH).text, client.get(f"{BOTH}&base=B").text
    assert f'href="{html.escape(BOTH)}&amp;base=B#texts"' in first
    gone = "<ins>Each Party works through COVAX", "<del>Each Party works through COVAX"
    assert [each in first for each in gone] == [True, False]
    assert [each in other for each in gone] == [False, True]
    assert '<input type="hidden" name="base" value="B">' in other


def test_scores_stand_beside_each_debate_where_there_are_any(
    client: TestClient, folder: Path
) -> None:
    path = folder / f"{REFERENCE}.jsonl"
    scores.write(path, BUILT_IN, evaluate(read(path), BUILT_IN))
    page = shown(client.get(BOTH).text)
    assert "Issues agreed 8 of 12 (67%)" in page
    assert "Votes in line, US 10 of 10" in page
    assert "Red lines crossed, RU 0 of" in page
    assert "Scores not scored" in page
    path.write_bytes(path.read_bytes() + b'{"kind":"torn')
    assert "scored before it changed" in shown(client.get(BOTH).text)


def test_a_debate_under_way_is_compared_as_far_as_it_has_come(
    client: TestClient, folder: Path
) -> None:
    lines = (folder / f"{REFERENCE}.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "short.jsonl").write_bytes(b"".join(lines[:60]))
    page = shown(client.get(f"/compare?d={REFERENCE}&d=short").text)
    assert "Compared as far as it has come." in page
    assert "Nothing differs as far as the records go. The record of B ends there." in page
    assert "Not finished, and compared as far as the record goes: B." in page


def test_nothing_private_and_nothing_that_acts_is_on_the_page(folder: Path) -> None:
    hostile(folder)
    with TestClient(build(Desk(folder)), base_url=HOME) as client:
        page = client.get(f"/compare?d=hostile&d={REFERENCE}").text
    assert [each for each in SECRETS if each in page] == []
    assert re.findall(r"<script(?! src=\"/static/)", page) == []
    assert re.search(r"<[^>]*\s(style|on[a-z]+)=", page) is None
    assert "\u202e" not in page
    assert len(page) < 200_000


def test_names_are_sent_letter_by_letter(client: TestClient, folder: Path) -> None:
    odd = 'od\u200bd & "quoted"'
    shutil.copy(folder / f"{REFERENCE}.jsonl", folder / f"{odd}.jsonl")
    page = client.get("/compare", params={"d": [odd, OTHER]}).text
    sent = re.findall(r'<input type="hidden" name="d" value="([^"]*)">', page)
    assert [html.unescape(each) for each in sent] == [odd, OTHER]
    listed = client.get("/compare").text
    assert html.unescape(listed).count(f'value="{odd}"') == 4


def test_the_pages_keep_to_the_policy_of_the_app(client: TestClient) -> None:
    for address in ("/compare", BOTH):
        sent = client.get(address)
        assert "default-src 'none'" in sent.headers["content-security-policy"]
        assert re.search(r"<[^>]*\s(style|on[a-z]+)=", sent.text) is None
    for name in ("compare.css", "compare.js"):
        assert client.get(f"/static/{name}").status_code == 200
