"""A person who is waited for: time limits, leaving, handing over, and what is on record of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest

from harness import events as e
from harness.debate import debate
from harness.errors import UserError
from harness.models.reference import Reference
from harness.models.registry import ModelSpec, SeatDefaults, defaults_for, parse
from harness.models.waiting import Terms, Waiting
from harness.seating import Wishes, behind, name_of, reads_prompts, run_card, seat_cards
from harness.setting import Rules
from harness.turn import Reply, Request, Seated
from tests.models.virtual_time import LoopClock, in_virtual_time
from tests.rooms import (
    Does,
    Held,
    Says,
    Speech,
    a_room,
    insists,
    lines,
    replayed,
    silent,
    two_sides,
)

Person = Callable[[Waiting], Awaitable[None]]


def talks(
    person: Person,
    *,
    stand_in: Seated | None = None,
    rounds: int = 1,
    speech: Speech = "free",
    voice: bool = False,
) -> Held:
    """A debate with a person as Washington, or as the chair's voice; time costs nothing."""

    async def hold() -> Held:
        waiting = Waiting(stand_in, clock=LoopClock())
        seats: dict[str, Seated] = {"us": waiting, "ru": insists("b")}
        if voice:
            seats = {"us": insists("a"), "ru": insists("b")}
        setting = two_sides(Rules(rounds=rounds))
        room = a_room(setting, seats, speech=speech, voice=waiting if voice else None)
        behaving = asyncio.ensure_future(person(waiting))
        async with aclosing(debate(room.room, room.card)) as happening:
            events = [event async for event in happening]
        behaving.cancel()
        await asyncio.gather(behaving, return_exceptions=True)
        if behaving.done() and not behaving.cancelled() and behaving.exception():
            raise AssertionError from behaving.exception()
        return replace(room, events=events)

    return in_virtual_time(hold())


class Slow:
    """Takes five seconds over what another seat answers at once."""

    metered = False
    reads_prompts = False

    def __init__(self, seat: Seated) -> None:
        self._seat = seat
        self.thinking = False

    async def answer(self, request: Request) -> Reply:
        self.thinking = True
        await asyncio.sleep(5)
        self.thinking = False
        return await self._seat.answer(request)


async def until(so: Callable[[], bool]) -> None:
    while not so():  # noqa: ASYNC110  # what is waited for is what a page would look at
        await asyncio.sleep(0.1)


async def next_question(waiting: Waiting, after: str = "") -> Request:
    await until(lambda: waiting.asked is not None and waiting.asked.call != after)
    assert waiting.asked is not None
    return waiting.asked


def words(request: Request, said: str = "We are here.") -> str:
    key = "statement" if request.speech == "free" else "say"
    return json.dumps(silent(request) | {key: said})


async def answers_all(waiting: Waiting, terms: Terms | None = None, said: str = "Here.") -> None:
    """Sits down and answers everything at once."""
    waiting.arrive(terms or Terms())
    call = ""
    while True:
        request = await next_question(waiting, call)
        call = request.call
        assert waiting.hand_in(call, words(request, said)) is None


def by(past: Held, seat: str = "us") -> list[tuple[str, str | None]]:
    """Who answered each of a seat's calls."""
    return [(call.call, call.model) for call in past.of(e.ModelCall) if call.seat == seat]


def test_the_debate_waits_for_whoever_sits_down_late() -> None:
    async def late(waiting: Waiting) -> None:
        request = await next_question(waiting)
        await asyncio.sleep(10_000)
        assert waiting.asked is request
        assert waiting.left is None  # nobody has seen a clock yet
        await answers_all(waiting, Terms(limit=60))

    past = talks(late)
    assert past.of(e.TurnFailed) == []
    assert {model for _, model in by(past)} == {"human"}
    assert {call.started for call in past.of(e.ModelCall)} == {None}  # nothing was paid for
    assert past.of(e.ModelCall)[0].parameters == {"turn_limit": 60, "at_limit": "nothing"}


def test_an_answer_that_cannot_be_read_is_refused_and_the_question_waits_on() -> None:
    seen: list[str] = []

    async def clumsy(waiting: Waiting) -> None:
        waiting.arrive(Terms())
        request = await next_question(waiting)
        for text in ("{", words(request, " "), json.dumps(silent(request) | {"moves": [{}]})):
            flaw = waiting.hand_in(request.call, text)
            assert flaw is not None
            seen.append(flaw.why)
        assert waiting.asked is request
        await answers_all(waiting)

    past = talks(clumsy)
    assert [why.partition(":")[0] for why in seen] == [
        "the reply is not JSON", "$.statement", "$.moves[0]",
    ]  # fmt: skip
    assert past.of(e.Unread) == []
    assert [call for call, _ in by(past) if call.endswith("#2")] == []


def test_time_that_runs_out_without_a_stand_in_is_a_failure_and_never_a_vote() -> None:
    async def slow(waiting: Waiting) -> None:
        waiting.arrive(Terms(limit=30))
        request = await next_question(waiting)
        await asyncio.sleep(29.5)
        assert waiting.left == pytest.approx(0.4, abs=0.2)
        assert waiting.hand_in(request.call, words(request, "Just in time.")) is None
        await asyncio.sleep(1_000)

    past = talks(slow)
    assert [s.text for s in past.of(e.Statement) if s.party == "us"] == ["Just in time."]
    failed = past.of(e.TurnFailed)
    assert [(f.phase, f.failure, f.attempts) for f in failed] == [
        ("round", "timeout", 1), ("decision", "timeout", 1),
    ]  # fmt: skip
    assert [vote.party for vote in past.of(e.VoteCast)] == ["ru"]
    assert past.state.issues["limits-0"].decision is not None
    assert past.state.issues["limits-0"].decision.missing == ("us",)
    calls = [call for call in past.of(e.ModelCall) if call.failure]
    assert {(c.model, c.reply, c.failure.why) for c in calls if c.failure} == {
        ("human", None, "no answer within 30 seconds")
    }


@pytest.mark.parametrize(("at_limit", "expected"), [
    ("turn", ["reference", "human", "human"]),
    ("rest", ["reference", "reference", "reference"]),
])  # fmt: skip
def test_time_that_runs_out_hands_over_as_it_was_agreed(
    at_limit: str, expected: Sequence[str]
) -> None:
    async def slow_once(waiting: Waiting) -> None:
        terms = Terms(limit=30, at_limit="turn" if at_limit == "turn" else "rest")
        waiting.arrive(terms)
        request = await next_question(waiting)
        await asyncio.sleep(31)
        with pytest.raises(UserError, match="That turn is over"):
            waiting.hand_in(request.call, words(request))
        await answers_all(waiting, terms)

    past = talks(slow_once, stand_in=Reference(), speech="composed")
    assert [model for _, model in by(past)] == expected
    first = next(call for call in past.of(e.ModelCall) if call.seat == "us")
    assert first.parameters == {"instead_of": "human", "because": "the turn's time was up"}


def test_what_stood_in_is_named_with_its_parameters() -> None:
    async def hands_over(waiting: Waiting) -> None:
        waiting.arrive(Terms())
        await next_question(waiting)
        waiting.hand_over(turn=True)
        await answers_all(waiting)

    said = {"note": "", "citations": [], "moves": [], "statement": "I stand in."}
    stand_in = Says(Reply(json.dumps(said), model="gpt-x", parameters={"temperature": 0.3}))
    past = talks(hands_over, stand_in=stand_in)
    first, *others = [call for call in past.of(e.ModelCall) if call.seat == "us"]
    assert first.model == "gpt-x"
    assert first.parameters == {
        "temperature": 0.3, "instead_of": "human", "because": "the person handed over",
    }  # fmt: skip
    assert first.sent  # it was sent the messages a model needs
    assert {call.model for call in others} == {"human"}


def test_the_repair_of_a_stand_in_is_its_own_business() -> None:
    async def hands_over_once(waiting: Waiting) -> None:
        waiting.arrive(Terms())
        request = await next_question(waiting)
        waiting.hand_over(turn=True)
        again = await next_question(waiting, request.call)
        assert again.attempt == 1
        await answers_all(waiting)

    past = talks(hands_over_once, stand_in=Says("nonsense"))
    assert [model for _, model in by(past)][:3] == ["says", "says", "human"]
    assert [f.phase for f in past.of(e.TurnFailed)] == ["opening"]


def test_the_seat_can_be_handed_over_and_taken_back() -> None:
    async def hands_over(waiting: Waiting) -> None:
        waiting.arrive(Terms())
        request = await next_question(waiting)
        waiting.hand_in(request.call, words(request, "First."))
        await next_question(waiting, request.call)
        waiting.hand_over()
        await until(lambda: stood_in.thinking)
        assert waiting.asked is None
        assert waiting.handed_over
        waiting.take_back()
        await answers_all(waiting, said="Last.")

    stood_in = Slow(Does(silent, reads_prompts=False))
    past = talks(hands_over, stand_in=stood_in, rounds=2)
    assert [model for _, model in by(past)] == ["human", "does", "human", "human"]
    said = [s.text for s in past.of(e.Statement) if s.party == "us"]
    assert said == ["First.", "We listen.", "Last.", "Last."]


@pytest.mark.parametrize(("on_leaving", "expected"), [
    ("turn", ["reference", "human", "human"]),
    ("rest", ["reference", "reference", "reference"]),
    ("wait", ["human", "human", "human"]),
])  # fmt: skip
def test_leaving_hands_over_as_it_was_agreed(on_leaving: str, expected: Sequence[str]) -> None:
    async def leaves(waiting: Waiting) -> None:
        terms = Terms(on_leaving=on_leaving, away=20)  # type: ignore[arg-type]  # one of the three
        waiting.arrive(terms)
        request = await next_question(waiting)
        for _ in range(30):
            waiting.alive()
            await asyncio.sleep(5)
        assert waiting.asked is request  # they were there, for longer than 20 seconds
        await asyncio.sleep(16)  # the last sign was five seconds before
        assert (waiting.asked is request) == (on_leaving == "wait")
        waiting.alive()
        keeps_alive = asyncio.ensure_future(_alive(waiting))
        try:
            await answers_all(waiting, terms)
        finally:
            keeps_alive.cancel()

    past = talks(leaves, stand_in=Slow(Reference()), speech="composed")
    assert [model for _, model in by(past)] == expected
    stood = [c.parameters for c in past.of(e.ModelCall) if c.seat == "us" and c.model != "human"]
    assert all(each["because"] == "the person had left" for each in stood)


async def _alive(waiting: Waiting) -> None:
    while True:
        waiting.alive()
        await asyncio.sleep(1)


def test_who_never_gives_a_sign_of_life_is_not_taken_to_have_left() -> None:
    """A page without scripts gives none; its person may be typing."""

    async def types(waiting: Waiting) -> None:
        waiting.arrive(Terms(on_leaving="rest", away=5))
        await next_question(waiting)
        await asyncio.sleep(1_000)
        await answers_all(waiting, Terms(on_leaving="rest", away=5))

    past = talks(types, stand_in=Reference())
    assert {model for _, model in by(past)} == {"human"}


def test_the_chairs_voice_words_or_keeps_silent_and_decides_nothing() -> None:
    async def voices(waiting: Waiting) -> None:
        waiting.arrive(Terms(limit=60))
        request = await next_question(waiting)
        assert "We take up" in request.messages[0].text
        assert waiting.hand_in(request.call, '{"statement": 1}') is not None
        assert waiting.hand_in(request.call, '{"statement": "x", "moves": []}') is not None
        assert waiting.hand_in(request.call, '{"statement": "Welcome."}') is None
        request = await next_question(waiting, request.call)
        assert waiting.hand_in(request.call, '{"statement": ""}') is None
        await asyncio.sleep(1_000)

    past = talks(voices, voice=True)
    without = talks(answers_all, voice=False)
    assert [spoke.text for spoke in past.of(e.ChairSpoke)] == ["Welcome."]
    assert len(by(past, "chair")) > 2
    assert past.state.closed
    assert without.of(e.ChairSpoke) == []


def test_terms_that_cannot_be_kept_are_refused() -> None:
    alone, accompanied = Waiting(), Waiting(Reference())
    for terms in (Terms(limit=9, at_limit="turn"), Terms(on_leaving="rest")):
        with pytest.raises(UserError, match="Nothing can stand in for you"):
            alone.arrive(terms)
        accompanied.arrive(terms)
    assert not alone.arrived
    for terms in (Terms(limit=0), Terms(limit=-1), Terms(away=0)):
        with pytest.raises(UserError, match="above 0"):
            accompanied.arrive(terms)
    with pytest.raises(UserError, match="no stand-in"):
        alone.hand_over()
    with pytest.raises(UserError, match="That turn is over"):
        alone.hand_in("item/round1/us#1", "{}")


def test_a_debate_with_people_and_stand_ins_replays_byte_for_byte() -> None:
    async def comes_and_goes(waiting: Waiting) -> None:
        waiting.arrive(Terms(limit=30, at_limit="turn"))
        request = await next_question(waiting)
        waiting.hand_in(request.call, words(request))
        await next_question(waiting, request.call)
        await asyncio.sleep(31)
        await answers_all(waiting, Terms(limit=30, at_limit="nothing"))

    past = talks(comes_and_goes, stand_in=insists("a"), rounds=2)
    assert {model for _, model in by(past)} == {"human", "does"}
    assert lines(replayed(past).events) == lines(past.events)


def test_a_stand_in_is_named_behind_the_person() -> None:
    assert parse("human+reference") == ModelSpec("human", "reference")
    assert parse("human+openai:gpt-x") == ModelSpec("human", "openai:gpt-x")
    assert str(parse("human+openai:gpt-x")) == "human+openai:gpt-x"
    assert defaults_for(parse("human+reference")) == SeatDefaults(
        "composed", guard=False, memory="item"
    )
    assert behind("human+script:f.yaml+openai:gpt-x") == ModelSpec("chat", "openai:gpt-x")


@pytest.mark.parametrize("spec", [
    "human+", "human+human", "human+auto", "human+replay:x.jsonl", "human+nothing", "human+openai:",
])  # fmt: skip
def test_what_cannot_stand_in_is_refused(spec: str) -> None:
    with pytest.raises(UserError):
        parse(spec)


def test_the_run_card_names_the_stand_in() -> None:
    setting = two_sides()
    wishes = Wishes(model="human+openai:gpt-x", temperature=0.5)
    card = run_card(setting, setting.agendas[0], seat_cards(setting, wishes, {}), 0)
    seat = card.seats[0]
    assert (seat.model, seat.speech, seat.memory) == ("human+openai:gpt-x", "free", "debate")
    assert seat.parameters == {"temperature": 0.5}  # the stand-in is asked with it
    assert reads_prompts(seat)
    assert "human" in name_of(card, "stamp")


def test_a_person_who_falls_silent_after_the_question_was_put_is_noticed() -> None:
    async def falls_silent(waiting: Waiting) -> None:
        waiting.arrive(Terms(on_leaving="rest", away=20))
        await next_question(waiting)
        await asyncio.sleep(100)
        waiting.alive()  # the first sign ever, while the debate is waiting already
        await asyncio.sleep(1_000)
        assert waiting.handed_over

    past = talks(falls_silent, stand_in=Reference(), speech="composed")
    assert {model for _, model in by(past)} == {"reference"}
