"""What went wrong in other programs of this kind must not go wrong here.

Each test is named for what it prevents; the defects are described in the literature of negotiation
games between language models (fallbacks to earlier deals, published scratchpads, votes from noise).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import events as e
from harness.models.budget import Budget
from harness.setting import Rules
from harness.transcript import read
from harness.turn import Reply, Request, Seated
from tests.rooms import (
    Does,
    Improviser,
    Live,
    Says,
    StoppedClock,
    a_party,
    a_room,
    a_setting,
    a_sitting,
    an_issue,
    an_item,
    held,
    insists,
    lines,
    outcomes,
    random_setting,
    sat,
    sent_text,
    silent,
    two_sides,
)


@pytest.mark.parametrize("floor", ["round_robin", "rotating", "speakers_list"])
@pytest.mark.parametrize("rounds", [1, 2, 7])
def test_talks_between_two_parties_take_turns_and_end(floor: str, rounds: int) -> None:
    rules = Rules.model_validate({"floor": floor, "rounds": rounds})
    seats: dict[str, Seated] = {"us": insists("a"), "ru": insists("b")}
    past = held(a_room(two_sides(rules), seats))
    spoken: dict[tuple[str, int], list[str]] = {}
    for statement in past.of(e.Statement):
        spoken.setdefault((statement.phase, statement.round), []).append(statement.party)
    assert len(spoken) == rounds + 2
    assert all(sorted(who) == ["ru", "us"] for who in spoken.values())
    assert past.state.closed


def test_a_final_answer_that_cannot_be_read_does_not_fall_back_to_an_earlier_deal() -> None:
    """The last readable offer of a party is no vote for it."""

    def fades(request: Request) -> dict[str, Any] | str:
        if request.phase == "decision":
            return "As I said before, we accept the text."
        return insists("c").says(request)  # type: ignore[return-value]

    setting = a_setting(*map(a_party, ("us", "ru", "de")), items=(an_item(an_issue("one", 3)),))
    seats: dict[str, Seated] = {"us": Does(fades), "ru": insists("c"), "de": insists("b")}
    (decision,) = held(a_room(setting, seats)).of(e.Decided)
    assert (decision.option, decision.outcome, decision.missing) == ("c", "bracketed", ("us",))


def test_an_answer_without_its_tags_is_not_published_whole() -> None:
    """A reply that keeps its scratchpad to itself badly is not read out to the others."""
    scratch = "<scratchpad>Our bottom line is canary-4711.</scratchpad> We propose a."
    broken = json.dumps({"note": "Our bottom line is canary-4711."})
    for reply in (scratch, broken, f"```json\n{broken}\n```", f"{scratch}\n{broken}"):
        peer = insists("b")
        past = held(a_room(two_sides(), {"us": Says(reply), "ru": peer}, speech="free"))
        for watcher in ("ru", None):
            assert "canary-4711" not in "".join(lines(past.transcript.seen_by(watcher)))
        assert not [r for r in peer.asked if "canary-4711" in sent_text(r)]
        assert not [s for s in past.of(e.Statement) if s.party == "us"]


def test_four_garbage_outputs_do_not_add_up_to_an_acceptance() -> None:
    garbage = Says("accept", "ACCEPT!", '{"vote": "accept"}', "yes, we accept", "...")
    past = held(a_room(two_sides(Rules(rounds=2)), {"us": garbage, "ru": insists("b")}))
    assert len(garbage.asked) == 8
    assert not [m for m in past.of(e.MoveMade) if m.party == "us"]
    assert not [v for v in past.of(e.VoteCast) if v.party == "us"]
    assert past.state.issues["limits-0"].outcome == "bracketed"


def test_a_proposer_cannot_accept_its_own_offer_that_was_turned_down() -> None:
    def tries(request: Request) -> dict[str, Any]:
        data = insists("a").says(request)
        assert isinstance(data, dict)
        if request.phase == "round":
            data["moves"] = [{"move": "accept", "offer": "O1", "because": None}]
        return data

    past = held(
        a_room(two_sides(), {"us": Does(tries), "ru": insists("b", "reject")}, speech="free")
    )
    assert {f.phase for f in past.of(e.TurnFailed) if f.party == "us"} == {"round"}
    assert past.state.issues["limits-0"].outcome == "bracketed"


def test_us_does_not_see_what_is_for_russia_only() -> None:
    """Names are compared whole: `us` stands in `russia`, and in `us-east`."""
    setting = a_setting(*map(a_party, ("us", "russia", "us-east")), items=(an_item(),))
    rules = Rules.model_validate(
        {"caucuses": [{"item": "arms", "after_round": 0, "parties": ["russia", "us-east"]}]}
    )

    def whispers(request: Request) -> dict[str, Any]:
        text = "canary-entre-nous" if request.phase == "caucus" else "Hello."
        return {**silent(request), "statement": text}

    seat = Does(whispers)
    past = held(a_room(setting, seat, rules=rules, speech="free"))
    hearing = {r.seat for r in seat.asked if "canary-entre-nous" in sent_text(r)}
    assert hearing == {"russia", "us-east"}
    assert "canary-entre-nous" not in "".join(lines(past.transcript.seen_by("us")))


@pytest.mark.parametrize(
    "words",
    ["You have our answer.", "STOP", "[DONE]", "TERMINATE", "The debate is closed.", "<end>"],
)
def test_no_word_ends_the_talks(words: str) -> None:
    seat = Does(lambda request: {**silent(request), "statement": words})
    past = held(a_room(two_sides(Rules(rounds=3)), seat, speech="free"))
    assert len(past.of(e.Statement)) == 2 * 4
    assert kinds_of_end(past.events) == ["decision", "item_closed", "debate_closed"]


def kinds_of_end(events: list[e.Event]) -> list[str]:
    return [event.kind for event in events[-3:]]


def test_events_stand_in_the_order_in_which_they_happened_whatever_the_clock_says(
    tmp_path: Path,
) -> None:
    setting = random_setting(2, 3, 1, 2)
    seats: dict[str, Any] = {name: Improviser(2) for name in ("us", "us-east", "ru")}
    path = tmp_path / "x.jsonl"
    record = sat(a_sitting(path, setting, Live(seats), chair="reference"))
    again = sat(a_sitting(tmp_path / "y.jsonl", setting, Live(seats), chair="reference"))
    assert [event.seq for event in record.events] == list(range(len(record.events)))
    assert lines(record.debate) == lines(again.debate)
    turns = [x.turn for x in record.debate if isinstance(x, e.Statement)]
    assert turns == [f"T{n}" for n in range(1, len(turns) + 1)]


def test_a_move_that_does_not_exist_is_counted_as_an_error_and_shown() -> None:
    seat = Does(lambda request: {**silent(request), "moves": [{"move": "walk_out"}]})
    past = held(a_room(two_sides(), {"us": seat, "ru": insists("b")}, speech="free"))
    failed = [f for f in past.of(e.TurnFailed) if f.party == "us"]
    assert {f.failure for f in failed} == {"unreadable"}
    told = held_by(past.transcript.seen_by("us"))
    assert "$.moves" in told


def held_by(events: tuple[e.Event, ...]) -> str:
    return "".join(event.why for event in events if isinstance(event, e.Unread))


def test_every_turn_carries_its_speaker_whoever_fell_silent_before() -> None:
    """Speakers are not paired with utterances by position, so that one gap does not shift them."""

    def named(request: Request) -> dict[str, Any] | str:
        if request.seat == "us-east" and request.phase == "opening":
            return "?"
        return {**silent(request), "statement": f"This is {request.seat}."}

    past = held(a_room(random_setting(1, 4, 1, 1), Does(named), speech="free"))
    assert past.of(e.TurnFailed)
    for statement in past.of(e.Statement):
        assert statement.text == f"This is {statement.party}."
        call = next(c for c in past.of(e.ModelCall) if c.call == statement.call)
        assert call.seat == statement.party


def test_an_invalid_answer_is_neither_random_nor_an_abstention_nor_a_wait() -> None:
    for seed in range(5):
        seats: dict[str, Seated] = {"us": Says("{{{"), "ru": insists("b")}
        past = held(a_room(two_sides(), seats, seed=seed))
        (decision,) = past.of(e.Decided)
        assert (decision.missing, decision.abstain) == (("us",), ())
        assert {f.failure for f in past.of(e.TurnFailed)} == {"unreadable"}


def test_a_question_to_nobody_is_not_broadcast() -> None:
    def asks(request: Request) -> dict[str, Any]:
        data = silent(request)
        if "moves" in data:
            data["moves"] = [
                {"move": "ask", "to": "everyone", "issue": "limits-0", "because": None}
            ]
        return {**data, "statement": "canary-question"}

    peer = Does(silent)
    past = held(a_room(two_sides(), {"us": Does(asks), "ru": peer}, speech="free"))
    assert not past.of(e.MoveMade)
    assert not [r for r in peer.asked if "canary-question" in sent_text(r)]


def test_a_seed_changes_what_is_drawn_and_nothing_else() -> None:
    """The seed is used: it reaches every call, and the lots."""
    us = insists("a")
    seats: dict[str, Seated] = {"us": us, "ru": insists("b", "reject")}
    lots, seeds = set(), set()
    for seed in range(12):
        past = held(a_room(two_sides(Rules(rounds=1)), seats, seed=seed))
        lots.add(past.of(e.Tabled)[0].option)
        seeds.add(us.asked[-1].seed)
        assert {i.outcome for i in past.state.issues.values()} == {"bracketed"}
    assert (lots, len(seeds)) == ({"a", "b"}, 12)
    one, same = (held(a_room(two_sides(), seed=3)) for _ in range(2))
    assert lines(one.events) == lines(same.events)
    assert outcomes(one.state) == outcomes(held(a_room(two_sides(), seed=4)).state)


def test_an_exhausted_budget_is_no_empty_answer_and_no_first_option(tmp_path: Path) -> None:
    setting = two_sides(Rules(rounds=1))
    path = tmp_path / "x.jsonl"
    seats: dict[str, Any] = {"us": insists("a"), "ru": insists("b")}
    budget = Budget(max_calls=5, clock=StoppedClock())
    stopped = sat(a_sitting(path, setting, Live(seats), budget=budget, chair="reference"))
    assert read(path).events == stopped.events
    assert stopped.events[-1].kind == "budget_stop"
    (vote,) = [event for event in stopped.events if isinstance(event, e.VoteCast)]
    assert vote.party == "us"  # the sixth call would have been the Russian vote
    issue = stopped.state.issues["limits-0"]
    assert (issue.decision, issue.settled) == (None, False)
    assert not [event for event in stopped.events if isinstance(event, e.TurnFailed)]


def test_a_malformed_answer_is_asked_for_once_more_and_not_for_ever() -> None:
    seat = Says("{")
    past = held(a_room(two_sides(Rules(rounds=3)), {"us": seat}, voice=Says("{")))
    turns = [f for f in past.of(e.TurnFailed) if f.party == "us"]
    assert len(seat.asked) == 2 * len(turns)
    chair = [call for call in past.of(e.ModelCall) if call.seat == "chair"]
    assert len(chair) == len({call.call for call in chair})


def test_a_reply_that_refuses_is_not_read_as_consent() -> None:
    refusal = Reply(
        text="I'm sorry, I can't take part in this. I accept no request.", finish="stop"
    )
    past = held(a_room(two_sides(), {"us": Says(refusal), "ru": insists("b")}, speech="free"))
    assert not [
        x for x in past.events if isinstance(x, e.MoveMade | e.VoteCast) and x.party == "us"
    ]
    assert past.state.issues["limits-0"].outcome == "bracketed"
