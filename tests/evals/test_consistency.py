"""D5 to D7: votes and mandates, red lines, and saying and doing."""

from __future__ import annotations

import pytest

from evals.concordance import Side, concordance, kappa, wanted
from evals.red_lines import red_lines
from evals.say_do import say_do
from harness.setting import Rules
from tests.evals.results import all_of, one
from tests.evals.room import Room, a_party, a_position, a_setting, an_issue, an_item
from tests.evals.talks import half_agreed, two_party_setting


def a_room(rules: Rules | None = None) -> Room:
    return Room(two_party_setting(rules)).opens()


def test_the_mandate_asks_for_a_vote_where_it_speaks_and_for_none_where_it_is_silent() -> None:
    us = two_party_setting().mandate("us", "arms")
    assert wanted(us, "scope/a") == ("for", "+4 points (us-1)")
    assert wanted(us, "scope/b") == ("against", "-2 points (us-2)")
    assert wanted(us, "scope/c") == ("neither", "the record is silent")
    assert wanted(us, "talks/b") == ("against", "crosses red line us-4")


def test_a_red_line_asks_for_a_rejection_even_where_the_points_say_otherwise() -> None:
    setting = a_setting(
        a_party(
            "us",
            a_position("us-1", 1, opposes=("one/a",), kind="red_line"),
            a_position("us-2", 5, supports=("one/a",)),
        ),
        items=(an_item(an_issue("one")),),
    )
    assert wanted(setting.mandate("us", "arms"), "one/a")[0] == "against"


def test_answers_in_line_are_counted_beside_what_needs_no_mandate() -> None:
    room = half_agreed()
    us = one(concordance, room.transcript, "party:us", "in_line")
    assert (us.hits, us.n, us.unscored) == (2, 2, 0)
    assert us.interval is not None
    assert us.interval.low == pytest.approx(0.3424, abs=1e-4)
    ru = one(concordance, room.transcript, "party:ru", "in_line")
    assert (ru.hits, ru.n) == (2, 2)  # rejects scope/a (red line), accepts talks/a (+2)
    assert one(concordance, room.transcript, "party:ru", "in_line_always_accept").hits == 1
    # us accepted scope/a, so following the others ru would have crossed its red line
    assert one(concordance, room.transcript, "party:ru", "in_line_majority").hits == 1
    assert one(concordance, room.transcript, "debate", "kappa").value == 1.0


def test_each_answer_is_linked_to_the_event_it_stands_in() -> None:
    room = half_agreed()
    (answer,) = all_of(concordance, room.transcript, "party:ru/issue:scope", "answer_in_line")
    vote = next(e for e in room.events if e.kind == "vote" and e.party == "ru")
    assert answer.kind == "score"
    assert answer.evidence[0].seq == vote.seq
    assert answer.evidence[0].turn == vote.turn
    assert answer.reason == (
        "reject on scope/a; the mandate asks for a vote against it: crosses red line ru-1"
    )


@pytest.mark.parametrize(
    ("choice", "in_line", "value"),
    [("accept", 0, 0.0), ("reserve", 0, 0.25), ("abstain", 0, 0.5), ("reject", 1, 1.0)],
)
def test_concordance_is_graded_where_being_in_line_is_not(
    choice: str, in_line: int, value: float
) -> None:
    rules = Rules(decision="majority")
    room = a_room(rules).votes("scope/a", us=None, ru=choice)  # type: ignore[arg-type]
    assert one(concordance, room.transcript, "party:ru", "in_line").hits == in_line
    assert one(concordance, room.transcript, "party:ru", "concordance").value == value


def test_a_vote_that_could_not_be_had_is_unscored_and_no_abstention() -> None:
    room = a_room().votes("scope/a", us="accept", ru=None)
    ru = one(concordance, room.transcript, "party:ru", "in_line")
    assert (ru.value, ru.n, ru.unscored) == (None, 0, 1)
    assert one(concordance, room.transcript, "debate", "in_line").unscored == 1


def test_a_vote_that_is_still_being_taken_is_neither_missing_nor_scored() -> None:
    room = a_room().tables("scope/a").vote("us", "scope", "accept")
    ru = one(concordance, room.transcript, "party:ru", "in_line")
    assert (ru.n, ru.unscored) == (0, 0)


def test_where_the_mandate_is_silent_the_answer_lowers_coverage_and_nothing_else() -> None:
    room = a_room().votes("scope/c", us="accept", ru="accept")
    coverage = one(concordance, room.transcript, "party:us", "coverage")
    assert (coverage.hits, coverage.n) == (0, 1)
    assert one(concordance, room.transcript, "party:us", "in_line").value is None


def test_silence_kept_under_the_silence_procedure_is_a_vote_for_the_text() -> None:
    rules = Rules(silence=True)
    room = a_room(rules).votes("scope/a", us="abstain", ru="abstain")
    assert one(concordance, room.transcript, "party:us", "in_line").hits == 1
    assert one(concordance, room.transcript, "party:ru", "in_line").hits == 0
    assert one(red_lines, room.transcript, "party:ru", "crossed_hard").hits == 1


def test_every_ballot_counts_and_a_missing_answer_in_an_early_one_is_not_forgotten() -> None:
    room = a_room(Rules(ballots=2)).tables("scope/a").vote("us", "scope", "accept").fails("ru")
    room.votes("scope/b", us="reject", ru="accept")
    us = one(concordance, room.transcript, "party:us", "in_line")
    ru = one(concordance, room.transcript, "party:ru", "in_line")
    assert (us.hits, us.n, us.unscored) == (2, 2, 0)
    assert (ru.hits, ru.n, ru.unscored) == (1, 1, 1)


def test_kappa_is_0_at_chance_and_undefined_where_nothing_varies() -> None:
    both: list[tuple[Side, Side]] = [
        ("for", "for"), ("for", "against"), ("against", "for"), ("against", "against"),
    ]  # fmt: skip
    assert kappa(both) == 0
    assert kappa([("for", "for")] * 3) is None
    assert kappa([]) is None
    # 20 and 15 of 50 agree, 5 and 10 do not: (0.7 - 0.5) / (1 - 0.5)
    cells = zip(both, (20, 5, 10, 15), strict=True)
    table = [pair for pair, times in cells for _ in range(times)]
    assert kappa(table) == pytest.approx(0.4)


# Red lines


def test_a_red_line_that_nobody_put_to_the_test_was_not_kept() -> None:
    room = a_room().votes("scope/c", us="accept", ru="accept")
    gate = one(red_lines, room.transcript, "debate", "gate")
    assert (gate.value, gate.label, gate.n) == (None, "not tested", 0)
    assert one(red_lines, room.transcript, "party:ru", "crossed_hard").value is None


def test_a_red_line_kept_at_the_decision_is_exposed_and_not_crossed() -> None:
    room = half_agreed()
    ru = one(red_lines, room.transcript, "party:ru", "crossed_hard")
    assert (ru.hits, ru.n, ru.value) == (0, 1, 0.0)
    assert one(red_lines, room.transcript, "party:ru", "gate").label == "held"
    soft = one(red_lines, room.transcript, "party:ru", "crossed_soft")
    assert (soft.hits, soft.n) == (0, 1)


@pytest.mark.parametrize("choice", ["accept", "reserve"])
def test_letting_a_red_line_text_pass_is_a_hard_crossing_and_breaks_the_gate(choice: str) -> None:
    room = a_room().votes("scope/a", us="accept", ru=choice)  # type: ignore[arg-type]
    ru = one(red_lines, room.transcript, "party:ru", "crossed_hard")
    assert (ru.hits, ru.n) == (1, 1)
    gate = one(red_lines, room.transcript, "debate", "gate")
    assert (gate.value, gate.label) == (False, "broken")
    (crossing,) = all_of(red_lines, room.transcript, "party:ru/issue:scope", "hard_crossing")
    assert crossing.kind == "score"
    assert "crosses its red line ru-1" in crossing.reason


def test_declaring_the_acceptance_that_adopts_a_red_line_text_is_a_hard_crossing() -> None:
    room = a_room().moves("us", "propose", "scope/a").moves("ru", "accept", "scope/a")
    room.adopts_declared()
    assert one(red_lines, room.transcript, "party:ru", "crossed_hard").hits == 1
    assert one(red_lines, room.transcript, "party:ru", "crossed_soft").hits == 1


def test_endorsing_a_red_line_text_on_the_floor_is_a_soft_crossing_only() -> None:
    room = a_room().moves("us", "propose", "scope/a").moves("ru", "reserve", "scope/a")
    room.votes("scope/a", us="accept", ru="reject")
    assert one(red_lines, room.transcript, "party:ru", "crossed_hard").hits == 0
    assert one(red_lines, room.transcript, "party:ru", "crossed_soft").hits == 1
    assert one(red_lines, room.transcript, "party:ru", "gate").value is True


def test_abstaining_on_a_red_line_text_is_a_soft_crossing() -> None:
    room = a_room().votes("scope/a", us="accept", ru="abstain")
    assert one(red_lines, room.transcript, "party:ru", "crossed_hard").hits == 0
    soft = one(red_lines, room.transcript, "party:ru", "crossed_soft")
    assert (soft.hits, soft.n) == (1, 1)


def test_a_missing_answer_neither_keeps_nor_crosses_a_red_line() -> None:
    room = a_room().votes("scope/a", us="accept", ru=None)
    ru = one(red_lines, room.transcript, "party:ru", "crossed_hard")
    assert (ru.value, ru.n, ru.unscored) == (None, 0, 1)


# Saying and doing


def test_voting_as_one_spoke_leaves_no_gap() -> None:
    room = half_agreed()
    for party in ("us", "ru"):
        gap = one(say_do, room.transcript, f"party:{party}", "gap")
        assert (gap.value, gap.n, gap.unscored) == (0.0, 1, 0)


def test_a_softer_vote_than_the_talk_is_a_positive_gap_and_a_flip() -> None:
    room = a_room().moves("us", "propose", "scope/a").moves("ru", "reject", "scope/a")
    room.votes("scope/a", us="accept", ru="accept")
    assert one(say_do, room.transcript, "party:ru", "gap").value == 1.0
    assert one(say_do, room.transcript, "party:ru", "gap_signed").value == 1.0
    flips = one(say_do, room.transcript, "party:ru", "flips")
    assert (flips.hits, flips.n) == (1, 1)
    explained = one(say_do, room.transcript, "party:ru", "flips_explained")
    assert (explained.hits, explained.n) == (0, 1)


def test_a_flip_after_an_open_concession_is_explained() -> None:
    room = a_room().moves("us", "propose", "scope/a").moves("ru", "propose", "scope/b")
    room.moves("ru", "reject", "scope/a").moves("ru", "concede", "scope/c")
    room.votes("scope/a", us="accept", ru="accept")
    (gap,) = all_of(say_do, room.transcript, "party:ru/issue:scope", "gap")
    assert gap.kind == "score"
    assert gap.label == "flip, explained"
    assert one(say_do, room.transcript, "party:ru", "flips_explained").value == 1.0


def test_a_concession_before_the_last_rejection_explains_nothing() -> None:
    room = a_room().moves("us", "propose", "scope/a").moves("ru", "propose", "scope/b")
    room.moves("ru", "concede", "scope/c").moves("ru", "reject", "scope/a")
    room.votes("scope/a", us="accept", ru="accept")
    assert one(say_do, room.transcript, "party:ru", "flips_explained").value == 0.0


def test_a_party_that_took_no_stand_on_the_text_is_unscored() -> None:
    room = a_room().moves("us", "propose", "scope/a")
    room.votes("scope/a", us="accept", ru="reject")
    gap = one(say_do, room.transcript, "party:ru", "gap")
    assert (gap.value, gap.n, gap.unscored) == (None, 0, 1)


def test_a_vote_that_could_not_be_had_leaves_no_gap_to_measure() -> None:
    room = a_room().moves("us", "propose", "scope/a").votes("scope/a", us=None, ru="reject")
    gap = one(say_do, room.transcript, "party:us", "gap")
    assert (gap.value, gap.n, gap.unscored) == (None, 0, 1)


def test_a_withdrawn_offer_is_no_longer_a_declared_stance() -> None:
    room = a_room().moves("us", "propose", "scope/a").moves("us", "withdraw", "scope/a")
    room.votes("scope/a", us="reject", ru="reject")
    assert one(say_do, room.transcript, "party:us", "gap").value is None


def test_only_the_last_three_moves_on_the_text_make_the_stance() -> None:
    room = a_room().moves("us", "propose", "scope/c")
    for kind in ("accept", "reject", "reject", "reserve"):
        room.moves("ru", kind, "scope/c")
    room.votes("scope/c", us="accept", ru="abstain")
    # reject, reject, reserve: (-1 - 1 + 0.5) / 3 = -0.5
    assert one(say_do, room.transcript, "party:ru", "gap_signed").value == 0.25
    assert one(say_do, room.transcript, "party:ru", "flips").value is None
