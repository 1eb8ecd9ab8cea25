from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.concessions import ledger
from evals.say_do import Talk
from harness import events as e
from harness.setting import Rules
from harness.transcript import Transcript
from harness.viewer.page import stances
from harness.viewer.page.board import Board, Row, board
from harness.viewer.page.lanes import Lane, level, shade
from harness.viewer.page.words import SIGNS
from tests.evals.dimensions.said import a_talk, joined, labelled, turns
from tests.evals.room import Room, a_party, a_red_line, a_setting, an_issue, an_item
from tests.evals.talks import half_agreed, two_party_setting
from tests.viewer.handmade import REFERENCE, SCRIPTED, SIX, a_drawn_reading, a_reading, example


def row(made: Board, issue: str) -> Row:
    (found,) = [row for g in made.groups for row in g.rows if row.issue.id == issue]
    return found


def lane(made: Board, issue: str, party: str) -> Lane:
    return next(each for each in row(made, issue).lanes if each.party.id == party)


def marks(made: Lane) -> list[tuple[str, str, str | None]]:
    return [(mark.turn, "".join(mark.signs), mark.vote) for mark in made.marks]


def test_the_board_of_a_small_debate_is_what_a_hand_count_says() -> None:
    made = board(a_reading(half_agreed().transcript))

    (group,) = made.groups
    said = [(column.turn, column.party) for column in group.columns]
    assert said == [
        ("T1", "US"), ("T2", "US"), ("T3", "RU"), ("T4", "RU"), ("T5", "RU"), ("T6", "US"),
        ("T7", "US"), ("T8", "US"), ("T9", "RU"),
    ]  # fmt: skip
    assert marks(lane(made, "scope", "us")) == [("T2", "+a", None), ("T8", "", "accept")]
    assert marks(lane(made, "scope", "ru")) == [
        ("T4", f"{SIGNS['reject']}a", None),
        ("T9", "", "reject"),
    ]
    assert marks(lane(made, "talks", "us")) == [("T7", "=a", None)]
    assert row(made, "scope").outcome == "bracketed"
    assert row(made, "talks").said == "agreed: (a) talks a"
    assert [(post.kind, post.x) for post in row(made, "talks").posts] == [("adopted", 7 * 44)]
    assert [(post.kind, post.x) for post in row(made, "scope").posts] == [
        ("put", 7 * 44), ("bracketed", 9 * 44),
    ]  # fmt: skip


def test_heat_runs_from_the_declaration_to_the_decision() -> None:
    made = board(a_reading(half_agreed().transcript))
    (mine,) = lane(made, "scope", "us").heats
    (theirs,) = lane(made, "scope", "ru").heats
    assert (mine.x, mine.width, mine.shade) == (44, 8 * 44, "for")
    assert (theirs.x, theirs.width, theirs.shade) == (3 * 44, 6 * 44, "against")
    (yes,) = lane(made, "talks", "us").heats
    assert (yes.x, yes.width) == (6 * 44, 44)


def test_a_vote_against_what_was_declared_jumps_to_the_other_side() -> None:
    made = board(example(SCRIPTED))
    against = lane(made, "whelan-reed", "us").marks[-1]
    assert (against.turn, against.vote) == ("T7", "reject")
    assert against.jump is not None
    assert (against.jump.y1, against.jump.y2, against.jump.flipped) == (level(1), level(-1), True)
    assert "a flip from +1.00 declared to -1.00" in against.words

    as_declared = lane(made, "whelan-reed", "ru").marks[-1]
    assert (as_declared.vote, as_declared.jump) == ("reserve", None)


def test_a_vote_on_a_text_the_party_never_spoke_of_has_no_jump() -> None:
    us = lane(board(example(SCRIPTED)), "legal-framework", "us")
    assert marks(us) == [("T1", "?", None), ("T7", "", "abstain")]
    assert us.marks[-1].jump is None
    assert us.heats == ()


def test_to_endorse_a_text_across_ones_own_red_line_raises_a_flag() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/a")
    room.moves("ru", "reserve", "scope/a").moves("ru", "propose", "talks/b")
    room.moves("us", "reject", "talks/b").votes("scope/a", us="accept", ru="abstain")
    made = board(a_reading(room.closes().transcript))
    flags = {m.turn: m.crosses for m in lane(made, "scope", "ru").marks}
    assert flags == {"T2": ("ru-1",), "T6": ("ru-1",)}
    assert [m.crosses for m in lane(made, "talks", "us").marks] == [()]
    assert "across its red line ru-1" in lane(made, "scope", "ru").marks[0].words


def test_a_bar_tells_what_a_text_is_to_the_partys_own_record() -> None:
    setting = two_party_setting()
    room = Room(setting).opens().moves("us", "propose", "scope/a")
    room.concedes("us", "scope/c").concedes("us", "scope/b").concedes("us", "scope/a")
    bars = lane(board(a_reading(room.transcript)), "scope", "us").bars
    assert [(b.x, b.width, b.worth) for b in bars] == [
        (0, 44, "best"), (44, 44, "silent"), (88, 88, "against"),
    ]  # fmt: skip
    held = setting.mandate("us", "arms")
    assert [stances.worth(held, key) for key in ("talks/a", "talks/b")] == ["best", "red_line"]


def test_what_could_not_be_had_is_marked_and_is_no_vote() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/a")
    made = board(a_reading(room.votes("scope/a", us="accept", ru=None).closes().transcript))
    ru = lane(made, "scope", "ru")
    assert (ru.missing, ru.marks) == (True, ())
    assert not lane(made, "scope", "us").missing


def test_the_text_in_question_before_any_decision_is_the_one_the_chair_would_table() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/a")
    room.moves("ru", "propose", "scope/c").moves("us", "accept", "scope/c")
    made = row(board(a_reading(room.transcript)), "scope")
    assert (made.outcome, made.about) == ("undecided", "(c) scope c")
    assert [heat.x for lane in made.lanes for heat in lane.heats] == [88, 44]


def test_stances_taken_back_leave_no_heat() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/c")
    room.moves("us", "withdraw", "scope/c").moves("ru", "propose", "scope/c").says("us")
    (heat,) = lane(board(a_reading(room.transcript)), "scope", "us").heats
    assert (heat.x, heat.width) == (0, 44)


def test_judged_stances_stand_apart_with_judge_and_what_is_known_of_it() -> None:
    talk = a_talk("norland", "sudria", "norland").transcript
    labels = turns("-3", "1", None)
    found = labelled(talk, "stance", labels)
    values = {verdict.turn: verdict.value for verdict in found.verdicts}
    other = labelled(talk, "stance", turns("0"), judge="openai:other")
    (group,) = board(a_reading(talk, joined(found, other))).groups
    first, second = group.judged
    assert (first.judge, first.standing, second.judge) == (
        "openai:judge", "uncalibrated", "openai:other",
    )  # fmt: skip
    norland, sudria = first.lanes
    assert [(p.turn, p.value) for p in norland.points] == [("T1", values["T1"])]
    assert norland.unscored == 1
    assert [(p.turn, p.value) for p in sudria.points] == [("T2", values["T2"])]
    assert norland.points[0].y > sudria.points[0].y


def test_one_without_decisions_or_issues_has_an_empty_board() -> None:
    bare = Room(a_setting(a_party("us"), a_party("ru"), items=(an_item(),))).opens().says("us")
    (group,) = board(a_reading(bare.transcript)).groups
    assert (len(group.columns), group.rows, group.judged) == (1, (), ())

    unopened = Room(two_party_setting())
    (group,) = board(a_reading(unopened.transcript)).groups
    assert (group.columns, group.rows) == ((), ())


def test_a_long_name_is_cut_to_the_room_there_is() -> None:
    (group,) = board(a_reading(a_talk("norland", "sudria").transcript)).groups
    assert [(column.party, column.shown) for column in group.columns] == [
        ("NORLAND", "NORLA…"), ("SUDRIA", "SUDRIA"),
    ]  # fmt: skip


def test_private_turns_are_no_columns() -> None:
    room = Room(two_party_setting()).opens().says("us").enters("caucus")
    room.says("us", "Between us.", audience=("us", "ru")).enters("round", 2).says("ru")
    (group,) = board(a_reading(room.transcript)).groups
    assert [column.turn for column in group.columns] == ["T1", "T3"]


def test_six_parties_have_six_lanes_each() -> None:
    for each in (r for g in board(example(SIX)).groups for r in g.rows):
        assert [lane.party.short for lane in each.lanes] == ["US", "RU", "DE", "CN", "UA", "NATO"]
        assert len({lane.y for lane in each.lanes}) == 6


def long_talk(turns: int) -> Transcript:
    issues = [an_issue(f"q{n}") for n in range(31)]
    setting = a_setting(
        a_party("us", a_red_line("us-1", "q0/b")), a_party("ru"), items=(an_item(*issues),)
    )
    room = Room(setting).opens().moves("us", "propose", "q0/a")
    for turn in range(turns):
        room.says(("us", "ru")[turn % 2])
    return room.transcript


def test_what_is_drawn_grows_with_the_moves_and_not_with_issues_times_turns() -> None:
    short, long = (board(a_reading(long_talk(turns))) for turns in (4, 399))
    assert len(long.groups[0].columns) == 400
    assert len(long.groups[0].rows) == 31
    assert short.drawn == long.drawn == 3
    assert (short.groups[0].fits, long.groups[0].fits) == ("wide", "endless")


SHADES = [(1, "for"), (0.5, "lean"), (0, "torn"), (-1 / 3, "doubt"), (-1, "against")]


@pytest.mark.parametrize(("value", "expected"), SHADES)
def test_shades(value: float, expected: str) -> None:
    assert shade(value) == expected


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), parties=st.integers(2, 4), public=st.booleans())
def test_laws_of_a_board(seed: int, parties: int, public: bool) -> None:
    reading = a_drawn_reading(seed, parties, public=public)
    transcript = reading.transcript
    made = board(reading)

    done = [x for x in transcript.events if isinstance(x, e.MoveMade | e.VoteCast)]
    lines = [line for g in made.groups for r in g.rows for line in r.lines if line.who != "Chair"]
    assert Counter(line.where for line in lines) == Counter(x.turn for x in done)

    decided = [x for x in transcript.events if isinstance(x, e.Tabled | e.Decided)]
    posts = [post for g in made.groups for r in g.rows for post in r.posts]
    assert sorted(p.to for p in posts) == sorted(f"e{x.seq}" for x in decided)

    for g in made.groups:
        for r in g.rows:
            for each in r.lanes:
                ends = [(s.x, s.width) for s in each.heats] + [(s.x, s.width) for s in each.bars]
                assert all(0 <= x < x + width <= g.width for x, width in ends)
                for one, other in pairwise(each.heats):
                    assert one.x + one.width <= other.x
    law_of_the_grounds(transcript, stances.courses(transcript, reading.mandates))
    law_of_the_stances(transcript, stances.courses(transcript, reading.mandates))


def law_of_the_grounds(transcript: Transcript, courses: stances.Courses) -> None:
    """A party's ground falls by exactly what the ledger of concessions says it gave."""
    given: Counter[tuple[str, str]] = Counter()
    for step in ledger(transcript):
        given[step.party, step.issue] += step.size
    for place, course in courses.items():
        fell = course.grounds[0].points - course.grounds[-1].points if course.grounds else 0
        assert fell == given[place]


def law_of_the_stances(transcript: Transcript, courses: stances.Courses) -> None:
    talk = Talk()
    for event in transcript.events:
        if isinstance(event, e.MoveMade):
            talk.hear(event)
    for (party, issue), course in courses.items():
        option = stances.in_question(transcript)[issue]
        last = course.stances[-1].value if course.stances else None
        assert last == (None if option is None else talk.stance(party, f"{issue}/{option}"))


def test_the_reference_debate_is_a_hundred_odd_elements() -> None:
    made = board(example(REFERENCE))
    assert sum(len(r.lines) for g in made.groups for r in g.rows) == 53 + 10 + 5 + 12
    assert made.drawn < 200


def test_an_unfinished_debate_ends_where_the_record_does() -> None:
    whole = example(REFERENCE)
    cut = replace(whole.transcript, events=whole.transcript.events[:40])
    made = board(a_reading(cut))
    assert [bool(g.columns) for g in made.groups] == [True, False, False]
    assert {r.outcome for r in made.groups[0].rows} <= {"undecided", "adopted"}


def test_under_the_silence_procedure_an_abstention_passes_the_text() -> None:
    rules = Rules(silence=True)
    room = Room(two_party_setting(rules), rules).opens().moves("ru", "propose", "talks/b")
    room.votes("talks/b", us="abstain", ru="accept")
    us = lane(board(a_reading(room.closes().transcript)), "talks", "us")
    assert [(m.vote, m.y, m.crosses) for m in us.marks] == [("abstain", level(1), ("us-4",))]


def test_a_decision_on_the_board_names_parties_and_no_ids() -> None:
    posts = row(board(example(SCRIPTED)), "whelan-reed").posts
    assert posts[-1].words == (
        "In brackets: consensus: 1 for, 1 against; US cannot accept the text"
    )
