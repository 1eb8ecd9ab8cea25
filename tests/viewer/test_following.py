"""A transcript is followed as it grows, whatever becomes of its file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import transcript as format_of
from harness.errors import TranscriptError
from harness.events import Event, Header, Resumed, RunCard
from harness.transcript import Transcript, Writer, read
from harness.viewer.following import Tail

EXAMPLE = (
    Path(__file__).parents[2] / "transcripts/examples/scripted-us-votes-against-its-own-text.jsonl"
)
WHOLE = EXAMPLE.read_bytes()
EVENTS = read(EXAMPLE).events


def all_of(tail: Tail) -> tuple[Event, ...]:
    """Everything there is to be had now."""

    def pieces() -> Iterator[Event]:
        while found := tail.more():
            yield from found

    return tuple(pieces())


@given(st.lists(st.integers(0, len(WHOLE)), max_size=12))
def test_however_the_bytes_arrive_the_events_are_those_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("growing") / "debate.jsonl"
    path.touch()
    tail, done = Tail(path), 0
    seen: list[Event] = []
    for end in [*sorted(cuts), len(WHOLE)]:
        with path.open("ab") as file:
            file.write(WHOLE[done:end])
        done = end
        seen += tail.more()
        assert tail.seq == len(seen) == WHOLE[:end].count(b"\n")
        assert tail.closed == (end == len(WHOLE))
    assert tuple(seen) == EVENTS
    assert tail.begun == 1
    assert tail.more() == ()


def test_a_torn_line_that_is_trimmed_on_resuming_is_neither_lost_nor_doubled(
    tmp_path: Path,
) -> None:
    path = tmp_path / "debate.jsonl"
    lines = WHOLE.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:20]) + lines[20][:30])
    tail = Tail(path)
    assert len(tail.more()) == 20

    with Writer.resume(read(path)) as writer:
        writer.append(Resumed(at="2026-01-01T00:00:00Z", trimmed=30))
        for event in EVENTS[20:23]:
            writer.append(event)

    added = tail.more()
    assert [event.kind for event in added] == ["resumed", *(e.kind for e in EVENTS[20:23])]
    assert [event.seq for event in added] == [20, 21, 22, 23]
    assert tail.begun == 1


@pytest.mark.parametrize("in_place", [True, False], ids=["rewritten", "another file"])
@pytest.mark.parametrize("longer", [True, False], ids=["longer", "shorter"])
def test_a_file_that_was_replaced_is_begun_anew(
    tmp_path: Path, in_place: bool, longer: bool
) -> None:
    path = tmp_path / "debate.jsonl"
    lines = WHOLE.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:40]))
    tail = Tail(path)
    tail.more()
    other = b"".join(lines[:50] if longer else lines[:10]).replace(b"scripted-us", b"scripted-gb")

    if in_place:
        path.write_bytes(other)
    else:
        (tmp_path / "other").write_bytes(other)
        (tmp_path / "other").replace(path)

    found = all_of(tail)
    assert tail.begun == 2
    assert isinstance(found[0], Header)
    assert found[0].debate.startswith("scripted-gb")
    assert len(found) == tail.seq == (50 if longer else 10)


def test_a_closed_debate_that_is_replaced_by_an_open_one_is_open(tmp_path: Path) -> None:
    path = tmp_path / "debate.jsonl"
    path.write_bytes(WHOLE)
    tail = Tail(path)
    tail.more()
    assert tail.closed

    path.write_bytes(b"".join(WHOLE.splitlines(keepends=True)[:5]))
    tail.more()

    assert not tail.closed


def test_sound_events_come_before_the_error_about_a_line_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "debate.jsonl"
    path.write_bytes(b"".join(WHOLE.splitlines(keepends=True)[:7]) + b'{"kind": "speech"}\n')
    tail = Tail(path)

    assert len(tail.more()) == 7
    for _ in range(2):  # and it does not go away by looking again
        with pytest.raises(TranscriptError, match=rf"{path}:8: not an event"):
            tail.more()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{}\n", ":1: not a transcript"),
        (b"hello\n", ":1: not a transcript"),
        (WHOLE.splitlines(keepends=True)[0] * 2, ":2: a transcript needs a run card"),
    ],
)
def test_what_is_no_transcript_is_said_to_be_none(
    tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "debate.jsonl"
    path.write_bytes(data)
    tail = Tail(path)

    with pytest.raises(TranscriptError, match=message):
        all_of(tail)


def test_a_file_that_is_not_there_or_has_gone_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "debate.jsonl"
    tail = Tail(path)
    with pytest.raises(TranscriptError, match="cannot be read: No such file"):
        tail.more()
    path.write_bytes(WHOLE)
    tail.more()
    path.unlink()
    with pytest.raises(TranscriptError, match="cannot be read: No such file"):
        tail.more()


def test_lines_of_an_older_format_are_upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "debate.jsonl"
    path.write_bytes(WHOLE)

    def upgrade(line: dict[str, Any]) -> dict[str, Any]:
        return line | {"words": "Newer words."} if line["kind"] == "debate_opened" else line

    monkeypatch.setattr(format_of, "SCHEMA", 2)
    monkeypatch.setitem(format_of.UPGRADES, 1, upgrade)

    assert Transcript(all_of(Tail(path))).events[2].model_dump()["words"] == "Newer words."


def test_a_record_that_is_followed_folds_to_the_same_state() -> None:
    followed = Transcript(all_of(Tail(EXAMPLE)))

    assert isinstance(followed.events[1], RunCard)
    assert followed.state == read(EXAMPLE).state
