from __future__ import annotations

import pytest

from evals.outcomes import agreement, brackets, breadth, outcomes
from harness.setting import Rules
from tests.evals.results import all_of, one
from tests.evals.room import Room, a_party, a_setting, an_issue, an_item
from tests.evals.talks import half_agreed, two_party_setting


def test_each_issue_has_its_outcome_and_the_event_that_decided_it() -> None:
    room = half_agreed()
    scope = one(outcomes, room.transcript, "issue:scope", "outcome")
    talks = one(outcomes, room.transcript, "issue:talks", "outcome")
    assert (scope.value, scope.label, scope.n) == (False, "bracketed", 1)
    assert (talks.value, talks.label) == (True, "adopted")
    decided = [event.seq for event in room.events if event.kind == "decision"]
    assert [talks.evidence[0].seq, scope.evidence[0].seq] == decided
    assert one(outcomes, room.transcript, "item:arms", "outcome").label == "partly adopted"


def test_an_issue_that_was_never_put_is_unscored_and_not_a_disagreement() -> None:
    room = Room(two_party_setting()).opens()
    room.moves("ru", "propose", "talks/a").moves("us", "accept", "talks/a").adopts_declared()
    scope = one(outcomes, room.transcript, "issue:scope", "outcome")
    assert (scope.value, scope.label, scope.n, scope.unscored) == (None, "undecided", 0, 1)
    rate = one(agreement, room.transcript, "debate", "agreement_rate")
    assert (rate.value, rate.hits, rate.n, rate.unscored) == (1.0, 1, 1, 1)


def test_agreement_is_counted_plain_and_by_weight() -> None:
    room = half_agreed()
    rate = one(agreement, room.transcript, "debate", "agreement_rate")
    assert (rate.value, rate.hits, rate.n, rate.interval) == (0.5, 1, 2, None)
    assert one(agreement, room.transcript, "item:arms", "agreement_rate").value == 0.5
    # scope weighs 3, talks 1
    assert one(agreement, room.transcript, "debate", "agreement_rate_weighted").value == 0.25


def test_no_agreement_rate_is_given_before_anything_was_decided() -> None:
    rate = one(agreement, Room(two_party_setting()).transcript, "debate", "agreement_rate")
    assert (rate.value, rate.n, rate.unscored) == (None, 0, 2)


def test_time_to_agreement_counts_the_turns_since_the_item_was_opened() -> None:
    room = half_agreed()
    # The room gives each statement and each move its own turn: 3 statements, 4 moves.
    time = one(agreement, room.transcript, "issue:talks", "turns_to_agreement")
    assert time.value == 7
    mean = one(agreement, room.transcript, "debate", "turns_to_agreement")
    assert (mean.value, mean.n, mean.unscored) == (7.0, 1, 1)
    assert all_of(agreement, room.transcript, "issue:scope", "turns_to_agreement") == []


def test_an_adopted_text_whose_package_failed_has_lapsed() -> None:
    room = half_agreed(rules=Rules(package="item"))
    talks = one(outcomes, room.transcript, "issue:talks", "outcome")
    assert (talks.value, talks.label) == (False, "lapsed")
    assert one(agreement, room.transcript, "debate", "agreement_rate").value == 0.0
    mean = one(agreement, room.transcript, "debate", "turns_to_agreement")
    assert (mean.value, mean.n) == (None, 0)


def test_a_text_lost_because_an_answer_could_not_be_had_is_counted_apart() -> None:
    """A vote that could not be read is no abstention: under consensus it blocks, and that shows."""
    room = Room(two_party_setting()).opens().votes("talks/a", us="accept", ru=None)
    lost = one(outcomes, room.transcript, "debate", "lost_to_failure")
    assert (lost.value, lost.n, lost.unscored) == (1, 1, 1)
    broad = one(breadth, room.transcript, "issue:talks", "breadth")
    assert (broad.hits, broad.n, broad.unscored) == (1, 1, 1)


def test_a_rejected_text_is_not_blamed_on_a_failure() -> None:
    assert one(outcomes, half_agreed().transcript, "debate", "lost_to_failure").value == 0


def four_party_room() -> Room:
    issues = tuple(an_issue(name) for name in ("one", "two", "three"))
    parties = (a_party(party) for party in ("us", "ru", "de", "cn"))
    rules = Rules(decision="majority")
    return Room(a_setting(*parties, items=(an_item(*issues),), rules=rules)).opens()


def test_breadth_counts_reservations_for_the_text_and_abstentions_as_heard() -> None:
    room = four_party_room().votes("one/a", us="accept", ru="reserve", de="abstain", cn="reject")
    broad = one(breadth, room.transcript, "issue:one", "breadth")
    assert (broad.hits, broad.n, broad.unscored) == (2, 4, 0)


def test_the_coalition_matrix_joins_votes_by_party_and_text_and_not_by_order() -> None:
    room = four_party_room()
    room.votes("one/a", us="accept", ru="reserve", de="abstain", cn="reject")
    room.votes("two/b", cn="reject", de="reject", ru="accept", us="reject")
    room.votes("three/a", us="accept", ru=None, de="accept", cn="reject")

    def alike(one_: str, other: str) -> tuple[int | None, int, int]:
        score = one(breadth, room.transcript, f"parties:{one_}+{other}", "voted_alike")
        return score.hits, score.n, score.unscored

    assert alike("us", "ru") == (1, 2, 1)  # ru's third vote could not be had
    assert alike("us", "de") == (2, 3, 0)
    assert alike("us", "cn") == (1, 3, 0)
    assert alike("de", "cn") == (1, 3, 0)


def test_adoption_by_declaration_is_broad_but_no_roll_call() -> None:
    room = Room(two_party_setting()).opens()
    room.moves("ru", "propose", "talks/a").moves("us", "accept", "talks/a").adopts_declared()
    assert one(breadth, room.transcript, "issue:talks", "breadth").value == 1.0
    assert one(breadth, room.transcript, "parties:us+ru", "voted_alike").value is None


def test_bracket_burden_is_the_share_of_words_in_brackets() -> None:
    burden = one(brackets, half_agreed().transcript, "debate", "bracket_burden")
    # scope/a "All weapons are in." in brackets, talks/a "They meet every year." adopted
    assert (burden.hits, burden.n, burden.value) == (4, 8, 0.5)
    narrowing = one(brackets, half_agreed().transcript, "debate", "narrowing")
    assert (narrowing.hits, narrowing.n) == (1, 2)


def test_a_debate_in_which_nothing_was_tabled_has_no_burden() -> None:
    room = Room(two_party_setting()).opens().closes()
    assert one(brackets, room.transcript, "debate", "bracket_burden").value is None
    assert one(brackets, room.transcript, "debate", "narrowing").value is None


@pytest.mark.parametrize("prefix", range(2, 30))
def test_adopting_more_never_lowers_the_number_adopted(prefix: int) -> None:
    events = half_agreed().transcript.events
    transcript = type(half_agreed().transcript)
    before = one(agreement, transcript(events[:prefix]), "debate", "agreement_rate").hits
    after = one(agreement, transcript(events[: prefix + 1]), "debate", "agreement_rate").hits
    assert (before or 0) <= (after or 0)
