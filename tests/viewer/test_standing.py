from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.evaluator import Correction, Failure, Interval, Judged, Result, Score
from evals.tables import tables
from harness.viewer.page.board import board
from harness.viewer.page.history_beside import HistoryRow, beside
from harness.viewer.page.joint import joint
from harness.viewer.page.matrix import WORDS, Cell, MatrixPart
from harness.viewer.page.measures import COLUMNS, consistency, judged
from harness.viewer.page.standing import standing
from harness.viewer.reading import Reading
from tests.evals.room import Room, a_party, a_setting, an_item
from tests.evals.talks import half_agreed, two_party_setting
from tests.viewer.handmade import REFERENCE, SCRIPTED, SIX, a_drawn_reading, a_reading, example


def cells(parts: Iterable[MatrixPart], issue: str) -> list[tuple[str, str, str]]:
    return [(cell.party, cell.kind, cell.to) for cell in row_of(parts, issue)]


def row_of(parts: Iterable[MatrixPart], issue: str) -> tuple[Cell, ...]:
    (found,) = [row for part in parts for row in part.rows if row.issue.id == issue]
    return found.cells


def test_every_answer_leads_to_its_vote_or_to_the_decision() -> None:
    reading = a_reading(half_agreed().transcript)
    parts = standing(reading).parts
    assert cells(parts, "scope") == [("us", "accept", "T8"), ("ru", "reject", "T9")]
    adopted = next(row.seq for row in reading.tables.agreement if row.issue == "talks")
    assert cells(parts, "talks") == [
        ("us", "declared", f"e{adopted}"), ("ru", "declared", f"e{adopted}"),
    ]  # fmt: skip


def test_reservation_abstention_and_a_missing_answer_are_three_things() -> None:
    setting = two_party_setting()
    room = Room(setting).opens().moves("us", "propose", "talks/a").moves("ru", "propose", "scope/c")
    room.tables("talks/a").vote("us", "talks", "reserve", because="us-3")
    room.vote("ru", "talks", "abstain").decides("talks").votes("scope/c", us=None, ru="accept")
    parts = standing(a_reading(room.closes().transcript)).parts
    assert [kind for _, kind, _ in cells(parts, "talks")] == ["reserve", "abstain"]
    assert row_of(parts, "talks")[0].because == "us-3"
    assert [kind for _, kind, _ in cells(parts, "scope")] == ["no answer", "accept"]


def test_an_issue_never_put_and_one_never_reached_are_two_things() -> None:
    room = Room(two_party_setting()).opens().says("us")
    reached = standing(a_reading(room.transcript)).parts
    assert cells(reached, "scope") == [("us", "not decided", ""), ("ru", "not decided", "")]

    closed = standing(a_reading(room.closes().transcript)).parts
    assert [kind for _, kind, _ in cells(closed, "scope")] == ["not put", "not put"]
    assert all(to.startswith("e") for _, _, to in cells(closed, "scope"))


def test_a_red_line_let_pass_is_flagged_at_the_answer() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/a")
    room.votes("scope/a", us="accept", ru="accept").closes()
    made = standing(a_reading(room.transcript))
    assert [cell.crosses for cell in row_of(made.parts, "scope")] == [None, "ru-1"]
    held = example(SCRIPTED)
    assert {c.crosses for part in standing(held).parts for r in part.rows for c in r.cells} == {
        None
    }


def test_answers_in_an_open_ballot_are_shown_before_the_decision() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/a").tables("scope/a")
    made = standing(a_reading(room.vote("us", "scope", "accept").transcript)).parts
    assert cells(made, "scope") == [("us", "accept", "T2"), ("ru", "not decided", "")]


def test_consistency_has_every_column_of_the_tables_with_its_place() -> None:
    reading = example(REFERENCE)
    rows = {row.name: row for row in consistency(reading)}
    assert len(rows) == len(COLUMNS) == 12
    us, ru = rows["votes in line"].cells
    assert (us.figure, us.about) == ("10 of 10", "95% interval 0.72 to 1.00")
    assert us.drawing is not None
    assert (us.drawing.dot, us.drawing.low, us.drawing.high) == (100, 72.2, 100)
    found = reading.results[int(us.to.removeprefix("score-"))]
    assert (found.evaluator, found.metric, found.subject) == ("concordance", "in_line", "party:us")
    gap = rows["say-do gap"].cells[0]
    assert (gap.figure, gap.about) == ("0.00", "n=3, 2 unscored")
    given = rows["points given"].cells
    assert [(cell.figure, cell.drawing) for cell in given] == [("14", None), ("35", None)]
    assert (us.party, ru.party) == ("us", "ru")


def test_what_could_not_be_scored_is_never_a_number() -> None:
    reading = a_reading(Room(two_party_setting()).opens().says("us").transcript)
    rows = {row.name: row.cells[0] for row in consistency(reading)}
    assert (rows["votes in line"].figure, rows["votes in line"].drawing) == ("none", None)

    lost: tuple[Result, ...] = (
        Failure(evaluator="say_do", version=1, subject="debate", metric="*", why="it broke"),
    )
    rows = {row.name: row.cells[0] for row in consistency(replace(reading, results=lost))}
    assert (rows["say-do gap"].figure, rows["say-do gap"].about) == ("failed", "it broke")
    assert rows["say-do gap"].to == "score-0"
    assert (rows["satisfaction"].figure, rows["satisfaction"].to) == ("not scored", "")


def a_judged(correction: Correction | None, **judge: object) -> Score:
    by = Judged.model_validate(
        {"judge": "openai:m", "rubric": "consistency", "rubric_sha": "a", "wording_sha": "b"}
        | judge
    )
    return Score(
        evaluator="consistency", version=1, subject="party:us", metric="share_contradicts",
        value=0.05, n=20, hits=1, reason="r", judge=by, corrected=correction,
        interval=Interval(low=0.01, high=0.24), unscored=2, greyed="failed V4",
    )  # fmt: skip


def test_judged_shares_name_judge_correction_and_what_is_against_it() -> None:
    reading = a_reading(half_agreed().transcript)
    fixed = Correction(
        value=0.21, interval=Interval(low=0.1, high=0.38, method="fieller"), gold=100, how="h"
    )
    score = a_judged(fixed, gold="g", gold_sha="s")
    own = replace(reading, results=(*reading.results, score))
    (row,) = judged(own)
    assert (row.judge, row.dimension, row.metric) == (
        "openai:m",
        "consistency",
        "share_contradicts",
    )
    us, ru = row.cells
    assert ru is None
    assert us is not None
    assert (us.raw, us.about) == ("1 of 20", "95% interval 0.01 to 0.24, 2 unscored")
    assert us.corrected == "corrected 0.21, 95% interval 0.10 to 0.38"
    assert (us.greyed, us.to) == ("failed V4", f"score-{len(reading.results)}")


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (a_judged(None), "uncalibrated"),
        (a_judged(None, gold="g"), "not corrected"),
        (
            a_judged(
                Correction(value=None, interval=None, gold=9, how="h", why="too weak"), gold="g"
            ),
            "cannot be corrected: too weak",
        ),
    ],
)
def test_a_judge_without_a_correction_says_why(score: Score, words: str) -> None:
    (row,) = judged(replace(a_reading(half_agreed().transcript), results=(score,)))
    assert row.cells[0] is not None
    assert row.cells[0].corrected == words


def test_the_ledger_runs_totals_and_names_who_gained() -> None:
    setting = two_party_setting()
    room = Room(setting).opens().moves("us", "propose", "scope/a").moves("ru", "propose", "scope/b")
    room.concedes("us", "scope/c", in_return_for="talks/a").moves("us", "accept", "scope/b")
    made = standing(a_reading(room.transcript))
    assert [
        (entry.turn, entry.short, entry.given_from[:3], entry.given_to[:3], entry.points)
        for entry in made.ledger
    ] == [("T3", "US", "(a)", "(c)", 4), ("T4", "US", "(c)", "(b)", 2)]
    first, second = made.ledger
    assert [(gain.short, gain.points) for gain in first.gains] == [("RU", 6)]
    assert first.in_return == "Talks, (a) talks a: not decided"
    assert [(t.party.id, t.given, t.received) for t in second.totals] == [
        ("us", 6, 0), ("ru", 0, 10),
    ]  # fmt: skip
    assert made.gave_most == "The land of US gave most: 6 points."


def test_what_was_asked_in_return_was_obtained_or_not() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/a")
    room.concedes("us", "scope/c", in_return_for="talks/a").moves("ru", "propose", "talks/a")
    room.moves("us", "accept", "talks/a").adopts_declared()
    (entry,) = standing(a_reading(room.transcript)).ledger
    assert entry.in_return == "Talks, (a) talks a: obtained"


def test_where_nobody_gave_ground_it_says_so() -> None:
    made = standing(a_reading(half_agreed().transcript))
    assert (made.ledger, made.gave_most) == ((), "Nobody gave ground.")


def test_the_outcome_stands_beside_what_luck_and_a_fool_would_have_got() -> None:
    rows = {row.name: row for row in standing(a_reading(half_agreed().transcript)).yardsticks}
    # talks/a is worth 1 to us and 2 to ru; scope/a, which was put, 4 and -5.
    assert (rows["This debate"].settled, rows["This debate"].points) == ("1 of 2", ("1", "2"))
    assert rows["Always accept"].points == ("5", "-3")
    assert (rows["Best joint outcome"].settled, rows["Best joint outcome"].total) == ("2 of 2", "6")
    assert rows["Random deal"].points == (f"{2 / 3 - 2:.1f}", f"{1 / 3 + 2.5:.1f}")


def row(reading: Reading, issue: str) -> HistoryRow:
    made = beside(reading)
    assert made is not None
    (found,) = [each for each in made.rows if each.issue.id == issue]
    return found


def test_history_stands_beside_the_outcome_with_source_and_what_came_later() -> None:
    reading = example(REFERENCE)
    scope = row(reading, "scope-of-arms-control")
    assert scope.summit is not None
    assert (scope.here_value, scope.right, scope.verdict) == ("b", ("b",), "same")
    assert scope.here == "(b) Integrated dialogue, no fixed list"
    assert scope.summit.source.url.startswith("https://")
    assert [past.source.date for past in scope.later] == sorted(p.source.date for p in scope.later)
    assert all(past.horizon == "after" for past in scope.later)
    assert [choice.value for choice in scope.choices][-1] == "none"

    arctic = row(reading, "arctic-military-dialogue").summit
    assert arctic is not None
    assert arctic.became == "agreed in part, on no text"

    missiles = row(reading, "intermediate-range-missiles")
    assert (missiles.here_value, missiles.right, missiles.verdict) == ("none", ("none",), "same")


def test_the_comparison_counts_only_what_can_be_compared() -> None:
    reading = example(REFERENCE)
    made = beside(reading)
    assert made is not None
    assert (made.same, len(made.scored), len(made.rows)) == (6, 11, 12)
    (left,) = [each for each in made.rows if each.verdict == "not scored"]
    assert left.why
    cut = replace(
        reading, transcript=replace(reading.transcript, events=reading.transcript.events[:30])
    )
    unreached = row(cut, "iran-jcpoa")
    assert (unreached.here_value, unreached.verdict) == ("", "not scored")
    assert unreached.here == "no outcome: the debate stopped before it was put"


def test_other_texts_under_the_same_names_are_not_compared() -> None:
    reading = example(SCRIPTED)
    card = reading.transcript.card
    told = card.setting.model_dump()
    told["items"][0]["issues"][0]["options"][0]["text"] = "Something else."
    other = card.model_copy(update={"setting": type(card.setting).model_validate(told)})
    events = (reading.transcript.events[0], other, *reading.transcript.events[2:])
    made = beside(replace(reading, transcript=replace(reading.transcript, events=events)))
    assert made is not None
    assert made.rows == ()
    assert "are not those of geneva-2021" in made.remark


def test_without_a_documented_outcome_there_is_no_history() -> None:
    assert standing(a_reading(half_agreed().transcript)).beside is None


def test_one_without_issues_still_stands_somewhere() -> None:
    bare = Room(a_setting(a_party("us"), a_party("ru"), items=(an_item(),))).opens().says("us")
    made = standing(a_reading(bare.transcript))
    assert (made.parts, made.ledger, made.yardsticks) == ((), (), ())
    assert len(made.consistency) == 12


def test_six_parties_have_a_column_each() -> None:
    made = standing(example(SIX))
    assert [len(r.cells) for part in made.parts for r in part.rows] == [6, 6]
    assert made.gave_most == "Ukraine gave most: 4 points."


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), parties=st.integers(2, 4))
def test_the_matrix_has_the_answers_of_the_decisions(seed: int, parties: int) -> None:
    reading = a_drawn_reading(seed, parties)
    made = standing(reading)
    for issue, state in reading.transcript.state.issues.items():
        decision = state.decision
        assert decision is not None
        found = row_of(made.parts, issue)
        said = {kind: [c.party for c in found if c.kind == kind] for kind in WORDS}
        by_vote = decision.by == "vote"
        assert said["accept"] == (list(decision.accept) if by_vote else [])
        assert said["declared"] == ([] if by_vote else list(decision.accept))
        assert said["reserve"] == [r.party for r in decision.reserve]
        assert said["reject"] == list(decision.reject)
        assert said["abstain"] == list(decision.abstain)
        assert said["no answer"] == list(decision.missing)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_ledger_ends_on_the_points_of_the_table(seed: int) -> None:
    reading = a_drawn_reading(seed)
    made = standing(reading)
    rows = tables(reading.transcript, reading.results).consistency
    for number, party in enumerate(rows):
        assert isinstance(party.given, Score)
        assert isinstance(party.received, Score)
        total = made.ledger[-1].totals[number] if made.ledger else None
        assert (total.given if total else 0) == party.given.value
        assert (total.received if total else 0) == party.received.value


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_public_page_names_no_confidential_position(seed: int) -> None:
    hidden = [
        position.id
        for party in a_drawn_reading(seed).setting.parties
        for position in party.positions
        if position.visibility == "confidential"
    ]
    reading = a_drawn_reading(seed, public=True)
    made = repr((standing(reading), board(reading), joint(reading)))
    assert not [name for name in hidden if f"{name!r}" in made]
