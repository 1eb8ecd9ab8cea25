"""Forks: a recorded debate goes on otherwise, and all that holds for transcripts holds for it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import events as e
from harness.errors import UserError
from harness.events import CHAIR, Event
from harness.fork import fork, without
from harness.fork.branches import Branch, Plan, plan_fork, plan_without
from harness.fork.changes import Changes, positions_meant, setting_without
from harness.fork.holding import Held, Terms, hold
from harness.fork.point import Point, point_of, turns
from harness.models.budget import Budget
from harness.models.prices import PriceList
from harness.seating import Means, Seating
from harness.session import Sitting
from harness.setting import Rules, Setting
from harness.transcript import Transcript, fingerprint, read
from harness.turn import Reply, Request, Seated
from tests.rooms import (
    Improviser,
    Live,
    Says,
    StoppedClock,
    a_sitting,
    insists,
    lines,
    random_rules,
    random_setting,
    sat,
    sent_text,
    two_sides,
)

EXAMPLES = Path(__file__).parents[1] / "transcripts" / "examples"
REFERENCE = EXAMPLES / "reference-eight-of-twelve.jsonl"

PROMPTS = ("dossier", "masked", "interests", "name-only")


def seats_of(setting: Setting, salt: int, bad: float = 0.1) -> Live:
    """Improvising delegations and chair; a salt of their own tells them from others."""
    names = [*(party.id for party in setting.parties), CHAIR]
    return Live({name: Improviser(salt + n, bad=bad) for n, name in enumerate(names)})


def an_origin(folder: Path, seed: int, parties: int = 3, speech: str = "free") -> Transcript:
    """A debate by rules of all kinds, the chair's voice, caucuses, lots and failures included."""
    rng = random.Random(seed)
    setting = random_setting(seed, parties, items=2, issues=2)
    rules = random_rules(seed, setting)
    agenda = setting.agendas[0].model_copy(update={"rules": rules})
    setting = setting.model_copy(update={"agendas": (agenda,)})
    prompts = {party.id: rng.choice(PROMPTS) for party in setting.parties}
    path = folder / f"origin-{seed}.jsonl"
    live = seats_of(setting, seed)
    return sat(a_sitting(path, setting, live, seed=seed, prompts=prompts, speech=speech))


def held(plan: Plan, folder: Path, live: Live | None = None, budget: Budget | None = None) -> Held:
    """Hold the plan; with `live`, those seats answer what is not on record."""
    terms = Terms(
        budget=budget or Budget(clock=StoppedClock()),
        prices=PriceList({}),
        at_once=1,
        clock=StoppedClock(),
        env={},
        seating=live or Seating,
    )
    return asyncio.run(hold(plan, folder, terms))


def replayed(debate: Transcript, path: Path) -> Transcript:
    """The debate again, from nothing but its own card and replies."""
    seats = tuple(
        seat
        if seat.seat == CHAIR and seat.model == "reference"
        else seat.model_copy(update={"model": f"replay:{debate.path}"})
        for seat in debate.card.seats
    )
    means = Means(Budget(clock=StoppedClock()), PriceList({}), {})
    card = debate.card.model_copy(update={"seats": seats})
    return sat(Sitting(card, path, means, StoppedClock()))


def a_turn(origin: Transcript, draw: int) -> str:
    known = list(turns(origin.debate))
    return known[draw % len(known)].handle


def of_turn(debate: Transcript, handle: str) -> dict[str, list[Event]]:
    """The events of a turn by kind."""
    found: dict[str, list[Event]] = {}
    for event in debate.events:
        if isinstance(event, e.TurnEvent) and event.turn == handle:
            found.setdefault(event.kind, []).append(event)
    return found


def unnumbered(events: tuple[Event, ...]) -> list[str]:
    return lines([event.model_copy(update={"seq": -1}) for event in events])


# --- what is taken over, and that forks are transcripts -------------------------------------------


@settings(max_examples=8)
@given(
    seed=st.integers(0, 2**32),
    draw=st.integers(0, 200),
    speech=st.sampled_from(("free", "composed")),
)
def test_a_fork_takes_over_all_before_it_pays_nothing_twice_and_replays_byte_for_byte(
    seed: int, draw: int, speech: str
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        origin = an_origin(folder, seed, speech=speech)
        plan = plan_fork(origin, a_turn(origin, draw), Changes(), [seed + 7], {})
        live = seats_of(origin.setting, seed + 100)
        (went_on,) = held(plan, folder / "forks", live).control
        provenance = went_on.card.fork
        assert provenance is not None
        kept = provenance.kept
        assert unnumbered(went_on.debate[:kept]) == unnumbered(origin.debate[:kept])
        paid = {event.call for event in origin.debate[:kept] if isinstance(event, e.ModelCall)}
        assert not paid & set(live.asked)
        assert [c.call for c in went_on.calls] == [
            *(x.call for x in origin.debate[:kept] if isinstance(x, e.ModelCall)),
            *live.asked,
        ]
        assert went_on.finished
        again = replayed(went_on, folder / "again.jsonl")
        assert lines(again.events[2:]) == lines(went_on.events[2:])


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32), first=st.integers(0, 200), second=st.integers(0, 200))
def test_a_fork_of_a_fork_keeps_to_both_records_wherever_it_is_cut(
    seed: int, first: int, second: int
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        origin = an_origin(folder, seed)
        parties = [party.id for party in origin.setting.parties]
        point = point_of(origin, a_turn(origin, first)).turn
        assert point is not None
        others = tuple(p for p in parties if p != point.party)[:1]
        failed = any(isinstance(x, e.TurnFailed) for x in point.events)
        last = point.end == len(origin.debate) or point.handle == a_turn(origin, -1)
        changes = Changes() if failed or last else Changes(unheard=others)
        once = held(
            plan_fork(origin, point.handle, changes, [5], {}),
            folder / "one",
            seats_of(origin.setting, 1000),
        )
        middle = (once.changed or once.control)[0]
        twice = held(
            plan_fork(
                middle, a_turn(middle, second), Changes(prompts={parties[0]: "terse"}), [9], {}
            ),
            folder / "two",
            seats_of(origin.setting, 2000),
        )
        for last_one in (*twice.control, *twice.changed):
            assert last_one.card.fork is not None
            kept = last_one.card.fork.kept
            assert unnumbered(last_one.debate[:kept]) == unnumbered(middle.debate[:kept])
            assert last_one.card.fork.earlier == middle.card.fork
            again = replayed(last_one, folder / f"again-{last_one.path.stem}.jsonl")  # type: ignore[union-attr]
            assert lines(again.events[2:]) == lines(last_one.events[2:])


@cache
def a_small_one() -> tuple[TemporaryDirectory[str], Transcript]:
    folder = TemporaryDirectory()
    setting = two_sides(Rules(rounds=1), issues=2)
    path = Path(folder.name) / "origin.jsonl"
    return folder, sat(a_sitting(path, setting, seats_of(setting, 3, bad=0.0), speech="free"))


@pytest.fixture
def origin() -> Transcript:
    """A small debate of free speech that failed nowhere."""
    return a_small_one()[1]


@pytest.mark.parametrize("changes", [Changes(), Changes(say={"us": "We go home."})])
def test_a_fork_that_was_killed_at_any_line_goes_on_without_paying_twice(
    origin: Transcript, tmp_path: Path, changes: Changes
) -> None:
    handle = next(t.handle for t in turns(origin.debate) if t.party == "us" and t.start > 20)
    plan = plan_fork(origin, handle, changes, [11], {})
    whole = held(plan, tmp_path / "whole", seats_of(origin.setting, 50, bad=0.0))
    done = (whole.changed or whole.control)[0]
    assert done.path is not None
    assert done.card.fork is not None
    rows = done.path.read_bytes().splitlines(keepends=True)
    for count in range(2 + done.card.fork.kept, len(rows)):
        cut = tmp_path / "cut" / done.path.name
        cut.parent.mkdir(exist_ok=True)
        cut.write_bytes(b"".join(rows[:count]))
        paid = {call.call for call in read(cut).calls}
        live = seats_of(origin.setting, 50, bad=0.0)
        means = Means(Budget(clock=StoppedClock()), PriceList({}), {})
        card = read(cut).card
        again = sat(Sitting(card, cut, means, StoppedClock(), read(cut), live))
        assert unnumbered(again.debate) == unnumbered(done.debate)
        assert not paid & set(live.asked)
        resumed = [event for event in again.events if isinstance(event, e.Resumed)]
        assert len(resumed) == (count > 2 + done.card.fork.kept)


def test_what_was_paid_in_the_origin_does_not_count_against_the_ceiling_of_its_fork(
    origin: Transcript, tmp_path: Path
) -> None:
    last = list(turns(origin.debate))[-2].handle
    plan = plan_fork(origin, last, Changes(), [1], {})
    free = seats_of(origin.setting, 8, bad=0.0)
    held(plan, tmp_path / "free", free)
    needed = len(free.asked)
    assert needed < len(origin.calls)
    for allowed, finished in ((needed, 1), (needed - 1, 0)):
        budget = Budget(max_calls=allowed, clock=StoppedClock())
        done = held(plan, tmp_path / str(allowed), seats_of(origin.setting, 8, bad=0.0), budget)
        assert (len(done.control), not done.stopped) == (finished, bool(finished))


def test_the_run_card_says_where_a_fork_came_from(origin: Transcript, tmp_path: Path) -> None:
    plan = plan_fork(origin, "T3", Changes(prompts={"ru": "hawkish"}), [4], {})
    (changed,) = held(plan, tmp_path, seats_of(origin.setting, 60)).changed
    provenance = changed.card.fork
    assert provenance is not None
    assert origin.path is not None
    assert provenance.origin == "origin.jsonl"
    assert provenance.origin_sha == fingerprint(origin.path)
    first = next(x for x in origin.events if isinstance(x, e.TurnEvent) and x.turn == "T3")
    assert provenance.at is not None
    assert provenance.at <= first.seq
    assert provenance.changes == ("ru with persona prompt hawkish (was dossier)",)
    assert provenance.seats == origin.card.seats
    assert (changed.card.seed, provenance.seed) == (4, origin.card.seed)


def test_a_debate_that_is_no_fork_says_nothing_of_forks(origin: Transcript) -> None:
    assert origin.path is not None
    assert b'"fork"' not in origin.path.read_bytes().split(b"\n")[1]
    assert read(REFERENCE).card.fork is None


# --- changes --------------------------------------------------------------------------------------


def test_another_prompt_reaches_its_own_party_alone_and_only_after_the_fork(
    origin: Transcript, tmp_path: Path
) -> None:
    plan = plan_fork(origin, "T4", Changes(prompts={"us": "hawkish"}), [1], {})
    done = held(plan, tmp_path, seats_of(origin.setting, 70))
    usual = {call.seat: sent_in(origin, call)[0] for call in origin.calls if call.seat != CHAIR}
    seen: set[tuple[bool, bool]] = set()
    for debate in (*done.control, *done.changed):
        assert debate.card.fork is not None
        for call in (call for call in debate.calls if call.seat != CHAIR):
            after = call.seq >= 2 + debate.card.fork.kept
            expected = after and call.seat == "us" and bool(debate.card.fork.changes)
            assert (sent_in(debate, call)[0] != usual[call.seat]) == expected, call.call
            seen.add((after, expected))
    assert seen == {(False, False), (True, False), (True, True)}


def sent_in(debate: Transcript, call: e.ModelCall) -> list[str]:
    """The messages of a call, the system's first."""
    return ["".join(debate.texts[part] for part in sent.parts) for sent in call.sent]


def test_words_put_into_a_mouth_change_the_statement_and_nothing_else_of_the_turn(
    tmp_path: Path,
) -> None:
    setting = two_sides(Rules(rounds=2), issues=2)
    for seed, speech in ((0, "free"), (1, "composed"), (2, "free")):
        live = Live({"us": Improviser(seed), "ru": Improviser(seed + 9), CHAIR: Says("{}")})
        made = sat(a_sitting(tmp_path / f"{seed}.jsonl", setting, live, speech=speech))
        for turn in turns(made.debate):
            if turn.start == list(turns(made.debate))[-1].start:
                continue
            plan = plan_fork(
                made, turn.handle, Changes(say={turn.party: "Words of mine."}), [1], {}
            )
            listeners = seats_of(setting, 80, bad=0.0)
            done = held(plan, tmp_path / f"forks-{seed}", listeners)
            then, control = of_turn(made, turn.handle), of_turn(done.control[0], turn.handle)
            now = of_turn(done.changed[0], turn.handle)
            assert [x.text for x in now["statement"]] == ["Words of mine."]  # type: ignore[union-attr]
            for kind in ("move", "ruled_out", "vote", "note"):
                assert without_call(now.get(kind, [])) == without_call(then.get(kind, [])), kind
            assert lines(control.get("statement", []))[0:1] == lines(then.get("statement", []))[0:1]
            assert call_of(now["statement"][0]) not in listeners.asked


def without_call(events: list[Event]) -> list[dict[str, Any]]:
    """The events without what numbers them: a repaired turn is answered at once when said."""
    return [event.model_dump(exclude={"seq", "call"}) for event in events]


def call_of(event: Event) -> str:
    assert isinstance(event, e.Statement)
    return event.call


class Listening:
    """An improviser that notes what it is sent."""

    metered = True
    reads_prompts = True

    def __init__(self, salt: int) -> None:
        self._seat = Improviser(salt, prose=("We have nothing to add.",))
        self.sent: list[tuple[str, str]] = []

    async def answer(self, request: Request) -> Reply:
        self.sent.append((request.call, sent_text(request)))
        return await self._seat.answer(request)


def three_listening(salt: int) -> tuple[Live, Mapping[str, Listening]]:
    seats = {name: Listening(salt + n) for n, name in enumerate(("us", "us-east", "ru"))}
    return Live({**seats, CHAIR: Says("{}")}), seats


def test_who_does_not_hear_a_statement_sees_the_moves_and_the_others_notice_nothing(
    tmp_path: Path,
) -> None:
    setting = random_setting(4, 3, items=1, issues=2, rules=Rules(rounds=2))
    live, _ = three_listening(1)
    made = sat(a_sitting(tmp_path / "origin.jsonl", setting, live, speech="free"))
    rounds = [t for t in turns(made.debate) if t.events[-1].phase == "round"]  # type: ignore[union-attr]
    turn = next(t for t in rounds if t.party == "us")
    words = "The moon is made of basalt."
    amended = plan_fork(made, turn.handle, Changes(say={"us": words}), [1], {})
    said = held(amended, tmp_path / "said", three_listening(20)[0]).changed[0]
    plan = plan_fork(said, turn.handle, Changes(unheard=("ru",)), [2], {})
    live, seats = three_listening(40)
    done = held(plan, tmp_path / "deaf", live)
    control = [text for _, text in seats["ru"].sent if words in text]
    assert control, "the unchanged side hears it"
    (deaf,) = done.changed
    statement = of_turn(deaf, turn.handle)["statement"][0]
    assert statement.audience == ("us", "us-east")
    assert not any(words in text for text in texts_to(deaf, "ru"))
    heard = texts_to(deaf, "us-east")
    assert any(words in text for text in heard)
    assert not any("(in private)" in text for text in heard)
    moves = [x for x in of_turn(deaf, turn.handle).get("move", []) if isinstance(x, e.MoveMade)]
    assert all(move.audience is None for move in moves)
    assert not any(words in str(event) for event in deaf.seen_by("ru"))
    again = replayed(deaf, tmp_path / "again.jsonl")
    assert lines(again.events[2:]) == lines(deaf.events[2:])


def texts_to(debate: Transcript, seat: str) -> list[str]:
    """Everything a seat was sent after the fork."""
    kept = debate.card.fork.kept if debate.card.fork else 0
    calls = [c for c in debate.calls if c.seat == seat and c.seq >= 2 + kept]
    assert calls
    return ["".join(sent_in(debate, call)) for call in calls]


def test_another_model_takes_the_seat_over_as_it_was(tmp_path: Path) -> None:
    record = read(REFERENCE)
    plan = plan_fork(record, "T3", Changes(models={"us": "human"}, options={}), [1], {})
    before = record.card.seats[0]
    after = plan.branches[-1].card.seats[0]
    assert after == before.model_copy(update={"model": "human"})
    assert plan.changes == ("us by human (was reference)",)


@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True)])
def test_a_seat_that_reads_prompts_and_one_that_does_not_can_follow_each_other(
    tmp_path: Path, before: bool, after: bool
) -> None:
    setting = two_sides(Rules(rounds=2), issues=2)
    live = Live({"us": Improviser(1, reads_prompts=before), "ru": Improviser(2)})
    made = sat(a_sitting(tmp_path / "o.jsonl", setting, live, chair="reference", speech="free"))
    plan = plan_fork(made, "T4", Changes(models={"us": "openai:another"}), [1], {})
    then = Live({"us": Improviser(3, reads_prompts=after), "ru": Improviser(4)})
    (changed,) = held(plan, tmp_path / "forks", then).changed
    kept = changed.card.fork.kept if changed.card.fork else 0
    asked = {(call.seq >= 2 + kept, bool(call.sent)) for call in changed.calls if call.seat == "us"}
    assert asked == {(False, before), (True, after)}
    again = replayed(changed, tmp_path / "again.jsonl")
    assert lines(again.events[2:]) == lines(changed.events[2:])


def test_lots_drawn_before_the_fork_stand_and_those_after_it_are_drawn_anew(
    tmp_path: Path,
) -> None:
    setting = two_sides(Rules(rounds=1), issues=1)
    live = Live({"us": insists("a", "reject"), "ru": insists("b", "reject")})
    made = sat(a_sitting(tmp_path / "o.jsonl", setting, live, chair="reference"))
    (lot,) = [x for x in made.events if isinstance(x, e.Tabled)]
    assert "by lot" in lot.rule
    ballot = next(t for t in turns(made.debate) if t.events[0].seq > lot.seq).handle

    def drawn(at: str) -> set[str]:
        done = held(plan_fork(made, at, Changes(), range(1, 9), {}), tmp_path / at, live)
        assert len(done.control) == 8
        return {x.option for d in done.control for x in d.events if isinstance(x, e.Tabled)}

    assert drawn(ballot) == {lot.option}
    assert drawn("T1") == {"a", "b"}
    assert drawn(str(lot.seq)) == {"a", "b"}


def test_every_seed_has_an_unchanged_debate_beside_the_changed_one(origin: Transcript) -> None:
    plan = plan_fork(origin, "T4", Changes(unheard=("us",)) if turn_of(origin, "T4") == "ru" else
                     Changes(unheard=("ru",)), range(3), {})  # fmt: skip
    sides = [(b.side, b.card.seed) for b in plan.branches]
    assert sides == [(side, seed) for seed in range(3) for side in ("control", "changed")]
    names = [b.name for b in plan.branches]
    assert len(set(names)) == 6
    control, changed = plan.branches[:2]
    assert len(control.taken) == len(changed.taken)
    assert control.card.fork is not None
    assert control.card.fork.changes == ()


def turn_of(origin: Transcript, handle: str) -> str:
    turn = point_of(origin, handle).turn
    assert turn is not None
    return turn.party


def test_at_other_seeds_the_debate_takes_other_ways(origin: Transcript, tmp_path: Path) -> None:
    plan = plan_fork(origin, "T3", Changes(), range(1, 6), {})
    done = held(plan, tmp_path, seats_of(origin.setting, 3, bad=0.0))
    ways = {tuple(unnumbered(debate.debate)) for debate in done.control}
    assert len(ways) == 5


# --- without a position ---------------------------------------------------------------------------


def test_a_red_line_that_is_not_there_ends_the_deadlock_it_made(tmp_path: Path) -> None:
    done = without(REFERENCE, "us-ss-5", runs=1, out=tmp_path)
    (control,), (changed,) = done.control, done.changed
    assert control.state.issues["space-weapons"].outcome == "bracketed"
    assert changed.state.issues["space-weapons"].outcome == "adopted"
    others = set(control.state.issues) - {"space-weapons"}
    for issue in others:
        assert control.state.issues[issue].outcome == changed.state.issues[issue].outcome
    assert changed.card.fork is not None
    assert changed.card.fork.without == ("us-ss-5",)
    assert changed.card.setting_sha == read(REFERENCE).card.setting_sha
    again = replayed(changed, tmp_path / "again.jsonl")
    assert lines(again.events[2:]) == lines(changed.events[2:])


def test_taking_a_position_out_leaves_everything_else_and_the_setting_it_was_taken_from() -> None:
    setting = read(REFERENCE).setting
    before = setting.model_dump_json()
    assert setting.position("us-ss-5").kind == "red_line"  # what was looked up is not carried over
    less = setting_without(setting, "us-ss-5")
    assert setting.model_dump_json() == before
    with pytest.raises(KeyError):
        less.position("us-ss-5")
    assert {p.id for x in less.parties for p in x.positions} == {
        p.id for x in setting.parties for p in x.positions
    } - {"us-ss-5"}
    whole = setting.mandate("us", "strategic-stability")
    assert set(whole.red_lines) > set(less.mandate("us", "strategic-stability").red_lines)


def test_a_party_without_its_last_position_still_sits_at_the_table(tmp_path: Path) -> None:
    setting = two_sides(Rules(rounds=1))
    one = setting.parties[0].model_copy(update={"positions": setting.parties[0].positions[:1]})
    bare = setting.model_copy(update={"parties": (one, setting.parties[1])})
    made = sat(a_sitting(tmp_path / "o.jsonl", bare, model="reference", chair="reference"))
    plan = plan_without(made, one.positions[0].id, [1])
    done = held(plan, tmp_path / "forks")
    assert not done.failed
    assert done.changed[0].finished


def test_a_partys_id_stands_for_each_of_its_positions() -> None:
    record = read(REFERENCE)
    meant = [p.id for p in positions_meant(record, ["ru-ss-1", "us"])]
    own = [p.id for p in record.setting.party("us").positions]
    assert meant == ["ru-ss-1", *own]


def test_the_unchanged_debates_are_the_same_files_for_every_position() -> None:
    record = read(REFERENCE)
    names = [
        {b.name for b in plan_without(record, name, [1, 2]).branches if b.side == "control"}
        for name in ("us-ss-5", "ru-ss-4")
    ]
    assert names[0] == names[1]


# --- holding --------------------------------------------------------------------------------------


class Breaks:
    """Breaks off so many times, after its first so many answers."""

    metered = True
    reads_prompts = True

    def __init__(self, times: int, after: int = 0) -> None:
        self._left, self._after = times, after
        self._seat = Improviser(1)

    async def answer(self, request: Request) -> Reply:
        if self._left and len(self._seat.asked) >= self._after:
            self._left -= 1
            raise RuntimeError("the line went dead")
        return await self._seat.answer(request)


def broken(times: int) -> Live:
    seats: dict[str, Seated] = {"us": Breaks(times), "ru": Breaks(0), CHAIR: Says("{}")}
    return Live(seats)


def test_a_debate_that_breaks_off_is_tried_again_and_then_reported(
    origin: Transcript, tmp_path: Path
) -> None:
    plan = plan_fork(origin, "T3", Changes(), [1, 2, 3], {})
    once = held(plan, tmp_path / "once", broken(1))
    assert (len(once.control), once.failed) == (3, {})
    twice = held(plan, tmp_path / "twice", broken(2))
    assert len(twice.control) == 2
    assert list(twice.failed.values()) == ["RuntimeError: the line went dead"]


def test_a_second_attempt_does_not_count_what_the_first_one_spent_again(
    origin: Transcript, tmp_path: Path
) -> None:
    plan = plan_fork(origin, "T3", Changes(), [1], {})
    whole = Live({"us": Breaks(0), "ru": Breaks(0), CHAIR: Says("{}")})
    held(plan, tmp_path / "whole", whole)
    again = Live({"us": Breaks(1, after=2), "ru": Breaks(0), CHAIR: Says("{}")})
    # One call more, because the one that broke off was made.
    budget = Budget(max_calls=len(whole.asked) + 1, clock=StoppedClock())
    done = held(plan, tmp_path / "again", again, budget)
    assert len(again.asked) == len(whole.asked) + 1
    assert (done.stopped, len(done.control)) == ("", 1)


def test_after_a_ceiling_the_same_plan_goes_on_with_what_is_missing(
    origin: Transcript, tmp_path: Path
) -> None:
    plan = plan_fork(origin, "T3", Changes(), [1, 2], {})
    whole = seats_of(origin.setting, 90)
    held(plan, tmp_path / "whole", whole)
    live = seats_of(origin.setting, 90)
    calls = 0
    done = held(plan, tmp_path / "cut", live, Budget(max_calls=3, clock=StoppedClock()))
    assert done.stopped
    assert done.left == 2
    while done.stopped:
        calls += 5
        done = held(plan, tmp_path / "cut", live, Budget(max_calls=calls, clock=StoppedClock()))
    assert done.left == 0
    assert live.asked == whole.asked


def test_from_python_inside_a_running_loop(tmp_path: Path) -> None:
    async def notebook() -> Held:
        return fork(REFERENCE, "T20", runs=1, out=tmp_path)

    done = asyncio.run(notebook())
    assert len(done.control) == 1
    assert done.control[0].finished


# --- where ----------------------------------------------------------------------------------------


def test_an_event_inside_a_turn_stands_for_the_moment_before_it(origin: Transcript) -> None:
    debate = origin.debate
    for turn in turns(debate):
        for event in turn.events:
            assert point_of(origin, event.seq) == Point(origin, turn.start)
        assert point_of(origin, turn.handle.lower()) == Point(origin, turn.start)
    inside = {x.seq for t in turns(debate) for x in t.events}
    alone = [x.seq for x in debate if x.seq not in inside and x.kind in ("item_opened", "tabled")]
    assert alone
    for seq in alone:
        assert debate[point_of(origin, str(seq)).kept].seq == seq


def test_turns_are_found_whole_and_in_order() -> None:
    for path in EXAMPLES.glob("*.jsonl"):
        record = read(path)
        found = list(turns(record.debate))
        assert [t.handle for t in found] == [f"T{n + 1}" for n in range(record.state.turns)]
        spoken = [x for t in found for x in t.events]
        calls = [x for x in record.debate if isinstance(x, e.ModelCall | e.Text | e.TurnEvent)]
        assert {x.seq for x in calls} <= {x.seq for x in spoken}


@pytest.mark.parametrize(
    ("at", "changes", "said"),
    [
        ("1", Changes(), r"event 1 is before the debate, whose events are 2 to 149"),
        ("900", Changes(), r"event 900 is not on record, whose events are 2 to 149"),
        ("T99", Changes(), r"has no turn 'T99': its turns are T1 to T24"),
        ("149", Changes(), r"nobody takes the floor after that"),
        ("T24", Changes(say={"us": "Yes."}), r"nobody takes the floor|T24 is a turn of"),
        ("T3", Changes(prompts={"uss": "terse"}), r"'uss' has no seat in .*: did you mean us\?"),
        ("T3", Changes(models={"fr": "human"}), r"'fr' has no seat in .*: at the table are us, ru"),
        ("T3", Changes(say={"us": "Yes."}), r"T3 is a turn of ru, not of us: its next is T4"),
        ("T3", Changes(unheard=("ru",)), r"T3 is a turn of ru: it cannot but hear itself"),
        ("T3", Changes(say={"ru": "Yes."}, unheard=("us",)), r"--say and --unheard both change"),
        ("T3", Changes(prompts={"us": "nosuch"}), r"There is no persona prompt 'nosuch'"),
        ("T3", Changes(models={"us": "opnai:x"}), r"Did you mean openai\?"),
        ("T3", Changes(models={"us": f"replay:{REFERENCE}"}), r"sits a recording"),
        ("T3", Changes(options={"temperature": 1.0}), r"temperature is for models named"),
    ],
)  # fmt: skip
def test_what_cannot_be_forked_is_said_in_a_sentence(at: str, changes: Changes, said: str) -> None:
    with pytest.raises(UserError, match=said) as raised:
        plan_fork(read(REFERENCE), at, changes, [1], {})
    assert "\n" not in str(raised.value)


def test_an_unknown_position_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"'us-ss-51' is no position .* the nearest is us-ss-5"):
        plan_without(read(REFERENCE), "us-ss-51", [1])


def test_a_vote_cannot_be_made_up_for_a_turn_that_failed(tmp_path: Path) -> None:
    setting = two_sides(Rules(rounds=1))
    live = Live({"us": insists("a"), "ru": Says("no"), CHAIR: Says("{}")})
    made = sat(a_sitting(tmp_path / "o.jsonl", setting, live, speech="free"))
    ballot = next(
        t for t in turns(made.debate)
        if isinstance(t.events[-1], e.TurnFailed) and t.events[-1].phase == "decision"
    )  # fmt: skip
    with pytest.raises(UserError, match="failed turn, without a vote, and none can be made up"):
        plan_fork(made, ballot.handle, Changes(say={"ru": "Yes."}), [1], {})
    opening = next(t for t in turns(made.debate) if t.party == "ru")
    done = held(
        plan_fork(made, opening.handle, Changes(say={"ru": "At last."}), [1], {}),
        tmp_path / "forks",
        Live({"us": insists("a"), "ru": Says("no"), CHAIR: Says("{}")}),
    )
    said = of_turn(done.changed[0], opening.handle)
    assert list(said) == ["statement"]


def test_a_record_that_no_longer_goes_its_way_is_not_continued(
    origin: Transcript, tmp_path: Path
) -> None:
    plan = plan_fork(origin, "T4", Changes(), [1], {})
    (branch,) = plan.branches
    assert branch.card.fork is not None
    seats = tuple(s.model_copy(update={"prompt_sha": "0"}) for s in branch.card.fork.seats)
    fork_ = branch.card.fork.model_copy(update={"seats": seats})
    spoilt: Branch = replace(branch, card=branch.card.model_copy(update={"fork": fork_}))
    with pytest.raises(UserError, match="has changed since this debate began"):
        held(replace(plan, branches=(spoilt,)), tmp_path, seats_of(origin.setting, 1))


# --- files that seats name ------------------------------------------------------------------------

SCRIPTED = EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl"
SCRIPT = "transcripts/examples/scripts/us-on-detained-citizens.yaml"


def test_a_kept_seat_whose_script_is_not_found_from_here_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin, out = read(SCRIPTED), tmp_path / "forks"
    plan = plan_fork(origin, "T3", Changes(), [1], {})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as raised:
        held(plan, out)
    said = str(raised.value)
    for part in ("In the seat of US sits script:", f"{SCRIPT} is not found from {tmp_path}",
                 "start tracktwo in the folder where that path holds"):  # fmt: skip
        assert part in said
    assert "another model" not in said  # the unchanged debate would need it all the same
    assert not out.exists()
    monkeypatch.chdir(EXAMPLES.parents[1])
    assert len(held(plan, out).finished) == 1
    monkeypatch.chdir(tmp_path)
    assert len(held(plan, out).finished) == 1  # what is held already asks for no script


@pytest.mark.parametrize(
    ("seat", "model", "name"),
    [
        ("ru", "script:no-such.yaml+reference", "RU"),
        ("ru", "script:no-such.yaml", "RU"),
        ("us", "human+script:no-such.yaml+reference", "US"),
        ("us", "local:no-such.yaml.gguf", "US"),
        (CHAIR, "script:no-such.yaml+reference", "the chair"),
    ],
)
def test_every_seat_and_what_stands_behind_it_is_looked_at(
    origin: Transcript, tmp_path: Path, seat: str, model: str, name: str
) -> None:
    plan = plan_fork(origin, "T3", Changes(), [1], {})
    (control,) = plan.branches
    cards = control.card.seats
    seats = tuple(s.model_copy(update={"model": model}) if s.seat == seat else s for s in cards)
    card = control.card.model_copy(update={"seats": seats})
    plan = replace(plan, branches=(replace(control, card=card, side="changed"),))
    with pytest.raises(UserError) as raised:
        held(plan, tmp_path / "forks")
    said = str(raised.value)
    assert said.startswith(f"In the seat of {name} sits {model}, and no-such.yaml")
    assert "name another model for that seat, or start tracktwo in" in said
    assert not (tmp_path / "forks").exists()
