"""The state is a fold over the record, and nothing else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness import events as e
from harness.events import Event
from harness.setting import Rules
from harness.state import State, advance, fold
from tests.rooms import (
    Improviser,
    a_party,
    a_room,
    a_setting,
    an_issue,
    an_item,
    e_caucus,
    held,
    random_rules,
    random_setting,
    two_sides,
)


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32), parties=st.integers(2, 6), bad=st.sampled_from((0.0, 0.3)))
def test_folding_any_prefix_of_a_debate_gives_the_state_it_was_in(
    seed: int, parties: int, bad: float
) -> None:
    setting = random_setting(seed, parties, 2, 2)
    seat = Improviser(seed, bad=bad, reads_prompts=False)
    past = held(a_room(setting, seat, rules=random_rules(seed, setting)))
    events = past.transcript.events
    state = State()
    for index, event in enumerate(events):
        state = advance(state, event)
        if index % 7 == 0:
            assert state == fold(events[: index + 1])
    assert fold(events[20:], fold(events[:20])) == state
    assert state.closed


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32), parties=st.integers(2, 5))
def test_the_record_without_prompts_calls_and_notes_gives_the_same_state(
    seed: int, parties: int
) -> None:
    setting = random_setting(seed, parties, 1, 2)
    past = held(a_room(setting, Improviser(seed, bad=0.2), speech="free"))
    private = (e.Text, e.ModelCall, e.Note, e.Unread, e.ChairSpoke)
    public = [event for event in past.events if not isinstance(event, private)]
    assert fold([past.card, *public]) == past.state


def test_a_state_before_the_run_card_is_empty() -> None:
    assert fold([]) == State()
    assert fold([e.Header(debate="x", created="")]) == State()


def test_turns_are_numbered_one_by_one_failed_and_private_ones_included() -> None:
    setting = random_setting(3, 4, 2, 2)
    names = [party.id for party in setting.parties]
    rules = Rules.model_validate({"caucuses": [e_caucus("item-0", 0, names[:2])]})
    past = held(a_room(setting, Improviser(3, bad=0.4), rules=rules))
    turns = [x.turn for x in past.events if isinstance(x, e.Statement | e.TurnFailed)]
    assert turns == [f"T{number}" for number in range(1, len(turns) + 1)]
    assert any(isinstance(x, e.TurnFailed) for x in past.events)


def test_only_what_was_cited_in_public_counts_as_cited() -> None:
    place = {"item": "arms", "phase": "caucus", "round": 0, "call": "c", "speech": "free"}
    card = held(a_room(two_sides())).card
    aside = e.Statement.model_validate(
        {**place, "turn": "T1", "party": "us", "text": "x", "citations": ["us-limits-0-1"],
         "audience": ["us", "ru"]}
    )  # fmt: skip
    aloud = aside.model_copy(update={"audience": None, "citations": ("us-limits-0-2",) * 2})
    assert fold([card, aside, aloud]).cited == {"us": ("us-limits-0-2",)}


def test_a_question_waits_until_it_is_answered_or_the_next_round_begins() -> None:
    items = (an_item(an_issue("one")), an_item(an_issue("two"), item_id="later"))
    setting = a_setting(*map(a_party, ("us", "ru", "de")), items=items)
    card = held(a_room(setting)).card

    def move(asker: str, asked: str) -> e.MoveMade:
        ask = e.Move(move="ask", issue="one", to=asked)
        return e.MoveMade(
            turn="T1", party=asker, item="arms", phase="round", round=1, call="c", move=ask
        )

    def says(party: str) -> e.Statement:
        return e.Statement(
            turn="T2", party=party, item="arms", phase="round", round=1, call="c", text="x",
            speech="free",
        )  # fmt: skip

    asked: list[Event] = [
        card,
        e.ItemOpened(item="arms", words=""),
        e.RoundOpened(item="arms", phase="round", round=1),
        move("us", "ru"),
        move("us", "de"),
    ]
    reply = e.RoundOpened(item="arms", phase="reply", round=1)
    second = e.RoundOpened(item="arms", phase="round", round=2)
    both = (("us", "ru", "one"), ("us", "de", "one"))
    assert fold([*asked, reply]).questions == both
    assert fold([*asked, says("ru")]).questions == both[1:]
    assert fold([*asked, second]).questions == ()
    assert fold([*asked, e.ItemOpened(item="later", words="")]).questions == ()
