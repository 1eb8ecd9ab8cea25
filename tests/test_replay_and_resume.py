"""The record is enough: debates replay byte for byte, and go on where they were cut off."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import events as e
from harness.errors import TranscriptError
from harness.events import BOOKKEEPING, CHAIR, Event
from harness.models.budget import Budget
from harness.models.reference import Reference
from harness.models.script import Line, Scripted
from harness.setting import Rules, Setting, sha
from harness.transcript import Transcript, Writer, read
from harness.turn import Seated
from tests.rooms import (
    PROMPTS,
    Held,
    Improviser,
    Live,
    Memory,
    Speech,
    StoppedClock,
    a_room,
    a_sitting,
    held,
    insists,
    lines,
    on_file,
    random_rules,
    random_setting,
    replayed,
    sat,
    two_sides,
)

KINDS = ("dossier", "masked", "interests", "name-only", "dossier-red-lines")


def a_random_debate(
    seed: int, parties: int, bad: float, speech: Speech = "free", memory: Memory = "item"
) -> tuple[Held, Improviser]:
    """A debate of improvising seats and an improvised voice of the chair, by rules of all kinds."""
    rng = random.Random(seed)
    setting = random_setting(seed, parties, items=2, issues=2)
    rules = random_rules(seed, setting)
    seat = Improviser(seed, bad=bad)
    prompts = {party.id: rng.choice(KINDS) for party in setting.parties}
    voice = Improviser(seed + 1, bad=bad) if seed % 2 else None
    room = a_room(
        setting, seat, rules=rules, seed=seed, speech=speech, memory=memory, prompts=prompts,
        voice=voice, guard=seed % 3 == 0,
    )  # fmt: skip
    return held(room), seat


# --- replay -------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32),
    parties=st.integers(2, 4),
    bad=st.sampled_from((0.0, 0.2)),
    speech=st.sampled_from(("free", "composed")),
    memory=st.sampled_from(("debate", "item")),
)
def test_a_recorded_debate_replays_byte_for_byte(
    seed: int, parties: int, bad: float, speech: Speech, memory: Memory
) -> None:
    past, _ = a_random_debate(seed, parties, bad, speech, memory)
    assert lines(replayed(past).events) == lines(past.events)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), parties=st.integers(2, 6))
def test_reference_debates_replay_byte_for_byte(seed: int, parties: int) -> None:
    setting = random_setting(seed, parties, 2, 3)
    past = held(a_room(setting, rules=random_rules(seed, setting), seed=seed))
    assert lines(replayed(past).events) == lines(past.events)


def test_a_scripted_debate_replays_byte_for_byte() -> None:
    script = (
        Line(item="arms", round=0, say="We begin.", moves=({"propose": "limits-0/a"},)),
        Line(item="arms", round=1, moves=({"concede": "limits-0/c"},), cite=("us-limits-0-2",)),
        Line(item="arms", round=2, moves=({"accept": "limits-0/zz"},)),
    )
    past = held(a_room(two_sides(), {"us": Scripted(script, Reference())}))
    assert next(s.text for s in past.of(e.Statement) if s.party == "us") == "We begin."
    assert lines(replayed(past).events) == lines(past.events)


def test_what_each_seat_was_sent_can_be_rebuilt_from_the_record() -> None:
    for seed in range(6):
        past, seat = a_random_debate(seed, 3, 0.2)
        record = past.transcript
        calls = [call for call in record.calls if call.seat != CHAIR]
        assert [call.call for call in calls] == [request.call for request in seat.asked]
        for call, request in zip(calls, seat.asked, strict=True):
            rebuilt = [
                (sent.role, "".join(record.texts[part] for part in sent.parts))
                for sent in call.sent
            ]
            assert rebuilt == [(message.role, message.text) for message in request.messages]
            schema = json.loads(record.texts[call.answer_schema or ""])
            assert schema == request.schema
            asked = [[role, text] for role, text in rebuilt]
            assert sha(json.dumps([asked, schema], sort_keys=True)) == call.request_sha
        pieces = [event.sha for event in record.events if isinstance(event, e.Text)]
        assert len(pieces) == len(set(pieces))


def test_every_call_of_a_debate_has_its_own_name() -> None:
    for seed in range(10):
        names = [call.call for call in a_random_debate(seed, 3, 0.3)[0].of(e.ModelCall)]
        assert len(names) == len(set(names))


def test_a_chair_with_a_voice_that_tables_two_texts_in_one_ballot_can_be_replayed() -> None:
    setting = two_sides(Rules(rounds=1), issues=3)
    past = held(a_room(setting, {"us": insists("a"), "ru": insists("b")}, voice=Improviser(1)))
    names = [call.call for call in past.of(e.ModelCall) if call.seat == CHAIR]
    assert len(names) == len(set(names)) == 5
    assert lines(replayed(past).events) == lines(past.events)


def test_a_changed_prompt_is_noticed_with_file_and_line(tmp_path: Path) -> None:
    past = held(a_room(two_sides(), Improviser(1)))
    folder = shutil.copytree(PROMPTS, tmp_path / "prompts")
    turn = folder / "parts" / "turn.md.j2"
    turn.write_text(turn.read_text() + "\nBe brief.")
    changed = a_room(two_sides(), Improviser(1), folder=folder)
    again = Held(changed.room, changed.card, past.events)
    with pytest.raises(
        TranscriptError, match=r"^test\.jsonl, line 11: arms/opening0/us#1 is asked"
    ):
        replayed(again)


def test_a_changed_setting_is_noticed_with_file_and_line() -> None:
    past = held(a_room(two_sides(), Improviser(1)))
    changed = two_sides().model_copy(update={"title": "Other talks"})
    room = a_room(changed, Improviser(1))
    with pytest.raises(
        TranscriptError, match=r"^test\.jsonl, line \d+: arms/opening0/us#1 is asked"
    ):
        replayed(Held(room.room, room.card, past.events))


def test_a_replay_that_runs_out_of_recorded_replies_says_so() -> None:
    past = held(a_room(two_sides(), {"us": insists("a"), "ru": insists("b")}))
    cut = next(n for n, x in enumerate(past.events) if isinstance(x, e.RoundOpened) and x.round)
    with pytest.raises(TranscriptError, match=r"^test\.jsonl holds no reply to arms/round1/"):
        replayed(Held(past.room, past.card, past.events[:cut]))


# --- resume -------------------------------------------------------------------------------------

SMALL = two_sides(Rules(rounds=1), issues=2)

EVENTFUL = {"move", "ruled_out", "vote", "note", "unread", "failure", "tabled", "chair_spoke"}
"""What a debate must hold for its prefixes to be worth resuming from."""


def improvisers() -> Live:
    return seats_of(eventful())


def seats_of(salt: int) -> Live:
    seats: dict[str, Seated] = {
        "us": Improviser(salt, bad=0.3),
        "ru": Improviser(salt + 1, bad=0.3),
        CHAIR: Improviser(salt + 2, bad=0.2),
    }
    return Live(seats)


@cache
def eventful() -> int:
    """The first salt whose debate holds every kind of event."""
    with TemporaryDirectory() as folder:
        for salt in range(500):
            path = Path(folder) / f"{salt}.jsonl"
            found = {event.kind for event in sat(a_sitting(path, SMALL, seats_of(salt))).events}
            if found >= EVENTFUL:
                return salt
    raise AssertionError("no such debate")


def told(transcript: Transcript) -> list[str]:
    """What happened in a debate: line numbers and book-keeping aside."""
    return [line.partition(",")[2] for line in lines(transcript.debate)]


def whole(path: Path) -> tuple[Transcript, list[str]]:
    """An undisturbed debate, and the names of its calls in order."""
    live = improvisers()
    return sat(a_sitting(path, SMALL, live)), live.asked


def check_resumed(path: Path, data: bytes, undisturbed: Transcript, asked: list[str]) -> None:
    """Resume a file with this content: it ends as undisturbed, and pays nothing twice."""
    path.write_bytes(data)
    torn = len(data) - (data.rfind(b"\n") + 1)
    paid = [call.call for call in read(path).calls]
    live = improvisers()
    again = sat(a_sitting(path, SMALL, live, resume=True))
    assert told(again) == told(undisturbed)
    assert live.asked == asked[len(paid) :]
    assert [event.seq for event in again.events] == list(range(len(again.events)))
    notes = [event for event in again.events if isinstance(event, e.Resumed)]
    assert [note.trimmed for note in notes] == ([] if read(path).finished and not notes else [torn])


def test_a_debate_resumes_from_every_line_at_which_it_can_break_off(tmp_path: Path) -> None:
    undisturbed, asked = whole(tmp_path / "whole.jsonl")
    parts = (tmp_path / "whole.jsonl").read_bytes().splitlines(keepends=True)
    assert len(parts) > 40
    for count in range(2, len(parts) + 1):
        check_resumed(tmp_path / "cut.jsonl", b"".join(parts[:count]), undisturbed, asked)


def test_a_debate_resumes_from_any_byte_at_which_it_can_break_off(tmp_path: Path) -> None:
    undisturbed, asked = whole(tmp_path / "whole.jsonl")
    data = (tmp_path / "whole.jsonl").read_bytes()
    start = data.index(b"\n", data.index(b"\n") + 1) + 1
    rng = random.Random(5)
    for at in sorted(rng.randrange(start, len(data)) for _ in range(60)):
        check_resumed(tmp_path / "cut.jsonl", data[:at], undisturbed, asked)


def test_a_debate_broken_off_again_and_again_still_ends_the_same(tmp_path: Path) -> None:
    undisturbed, asked = whole(tmp_path / "whole.jsonl")
    path = tmp_path / "cut.jsonl"
    live = improvisers()
    for calls in range(len(asked) + 1):
        budget = Budget(max_calls=calls, clock=StoppedClock())
        again = sat(a_sitting(path, SMALL, live, budget=budget, resume=path.exists()))
        if calls % 2:
            path.write_bytes(path.read_bytes() + b'{"kind":"text","sha":"ab')
    assert live.asked == asked
    assert told(again) == told(undisturbed)
    trimmed = [event.trimmed for event in again.events if isinstance(event, e.Resumed)]
    assert sorted(set(trimmed)) == [0, 24]


def test_a_torn_last_line_is_cut_off_and_said(tmp_path: Path) -> None:
    path = tmp_path / "torn.jsonl"
    whole(path)
    data = path.read_bytes()
    path.write_bytes(data[:-7])
    assert read(path).torn == len(data) - data.rfind(b"\n", 0, -1) - 1 - 7
    again = sat(a_sitting(path, SMALL, improvisers(), resume=True))
    *_, resumed, closed = again.events
    assert isinstance(resumed, e.Resumed)
    assert isinstance(closed, e.DebateClosed)
    assert resumed.trimmed == len(data) - data.rfind(b"\n", 0, -1) - 1 - 7


def test_a_finished_debate_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "whole.jsonl"
    whole(path)
    before = path.read_bytes()
    live = improvisers()
    sat(a_sitting(path, SMALL, live, resume=True))
    assert (path.read_bytes(), live.asked) == (before, [])


def test_a_ceiling_stops_the_debate_before_the_call_and_a_higher_one_goes_on(
    tmp_path: Path,
) -> None:
    undisturbed, asked = whole(tmp_path / "whole.jsonl")
    for calls in range(len(asked)):
        path = tmp_path / f"{calls}.jsonl"
        live = improvisers()
        stopped = sat(a_sitting(path, SMALL, live, budget=Budget(max_calls=calls)))
        assert stopped.events[-1].kind == "budget_stop"
        assert not stopped.finished
        assert told(stopped) == told(undisturbed)[: len(stopped.debate)]
        same = sat(a_sitting(path, SMALL, live, budget=Budget(max_calls=calls), resume=True))
        assert same.debate == stopped.debate  # what was spent before counts
        again = sat(a_sitting(path, SMALL, live, resume=True))
        assert told(again) == told(undisturbed)
        assert live.asked == asked


def test_a_debate_that_goes_another_way_than_its_record_is_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "whole.jsonl"
    undisturbed, _ = whole(path)
    data = path.read_bytes().splitlines(keepends=True)
    line = next(n for n, x in enumerate(undisturbed.events) if x.kind == "item_opened")
    forged = json.loads(data[line])
    forged["words"] = "We take up something else."
    data[line] = json.dumps(forged).encode() + b"\n"
    path.write_bytes(b"".join(data[:-5]))
    with pytest.raises(TranscriptError, match=rf"whole\.jsonl, line {line + 1}: the debate goes"):
        sat(a_sitting(path, SMALL, improvisers(), resume=True))


# --- the file -----------------------------------------------------------------------------------


def test_a_file_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("my thesis")
    with pytest.raises(TranscriptError, match="exists already; nothing was overwritten"):
        sat(a_sitting(path, SMALL, improvisers()))
    assert path.read_text() == "my thesis"
    assert [p.name for p in tmp_path.iterdir()] == ["mine.jsonl"]


def unfinished(tmp_path: Path) -> Path:
    path = tmp_path / "open.jsonl"
    sat(a_sitting(path, SMALL, improvisers(), budget=Budget(max_calls=3)))
    return path


def test_two_cannot_write_the_same_transcript(tmp_path: Path) -> None:
    path = unfinished(tmp_path)
    before = path.read_bytes()
    recording = read(path)
    with Writer.resume(recording):
        live = improvisers()
        with pytest.raises(TranscriptError, match="is being written by another process"):
            sat(a_sitting(path, SMALL, live, resume=True))
    assert (path.read_bytes(), live.asked) == (before, [])


def test_a_transcript_that_grew_since_it_was_read_is_not_appended_to(tmp_path: Path) -> None:
    path = unfinished(tmp_path)
    late = a_sitting(path, SMALL, improvisers(), resume=True)
    sat(a_sitting(path, SMALL, improvisers(), resume=True))
    finished = path.read_bytes()
    with pytest.raises(TranscriptError, match="has changed since it was read"):
        sat(late)
    assert path.read_bytes() == finished


def test_a_file_that_appears_has_header_and_run_card_in_it(tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    transcript = sat(a_sitting(path, SMALL, improvisers(), budget=Budget(max_calls=0)))
    kinds = [event.kind for event in transcript.events]
    assert kinds[:2] == ["header", "run_card"]
    assert kinds[-1] == "budget_stop"
    assert [p.name for p in tmp_path.iterdir()] == ["new.jsonl"]


@pytest.mark.parametrize("bad", [0.0, 0.3])
def test_reading_gives_back_what_was_written(tmp_path: Path, bad: float) -> None:
    past, _ = a_random_debate(11, 3, bad)
    transcript = on_file(tmp_path / "x.jsonl", past)
    assert transcript.debate == tuple(
        event.model_copy(update={"seq": n + 2}) for n, event in enumerate(past.events)
    )
    assert [event.seq for event in transcript.events] == list(range(len(transcript.events)))


def without_bookkeeping(transcript: Transcript) -> list[Event]:
    return [event for event in transcript.events if not isinstance(event, BOOKKEEPING)]


def reference(path: Path, setting: Setting) -> Transcript:
    return sat(a_sitting(path, setting, model="reference", chair="reference"))


@pytest.mark.parametrize("hold", [reference])
def test_the_same_debate_twice_gives_the_same_file_but_for_its_name(
    tmp_path: Path, hold: Callable[[Path, Setting], Transcript]
) -> None:
    setting = random_setting(3, 3, 2, 2)
    first, second = hold(tmp_path / "a.jsonl", setting), hold(tmp_path / "b.jsonl", setting)
    assert lines(without_bookkeeping(first)[1:]) == lines(without_bookkeeping(second)[1:])
