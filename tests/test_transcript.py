"""The file: one event a line, read back as it was written, and said where it cannot be."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import events as e
from harness.errors import TranscriptError
from harness.events import EVENT, NOTICE
from harness.transcript import Writer, dump, fingerprint, read
from tests.rooms import (
    Improviser,
    a_room,
    held,
    on_file,
    random_rules,
    random_setting,
    two_sides,
)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_every_event_of_a_debate_is_read_back_as_it_was_written(seed: int) -> None:
    setting = random_setting(seed, 3, 1, 2)
    past = held(
        a_room(setting, Improviser(seed, bad=0.2), rules=random_rules(seed, setting),
               speech="free", voice=Improviser(1))
    )  # fmt: skip
    for event in past.transcript.events:
        assert EVENT.validate_json(dump(event)) == event
        assert "\n" not in dump(event)


def test_every_transcript_says_that_its_words_are_simulated(tmp_path: Path) -> None:
    transcript = on_file(tmp_path / "x.jsonl", held(a_room(two_sides())))
    assert transcript.header.notice == NOTICE
    assert NOTICE in (tmp_path / "x.jsonl").read_text().splitlines()[0]


def test_lines_are_numbered_from_nought(tmp_path: Path) -> None:
    past = held(a_room(two_sides(), Improviser(1, bad=0.3)))
    on_file(tmp_path / "x.jsonl", past)
    written = (tmp_path / "x.jsonl").read_text().splitlines()
    assert [json.loads(line)["seq"] for line in written] == list(range(len(written)))


def broken(path: Path, change: Callable[[list[str]], None]) -> Path:
    """A transcript with its lines changed."""
    on_file(path, held(a_room(two_sides())))
    written = path.read_text().splitlines()
    change(written)
    path.write_text("".join(line + "\n" for line in written))
    return path


def at(line: int, text: str) -> Callable[[list[str]], None]:
    def change(written: list[str]) -> None:
        written[line] = text

    return change


def setting_header(**change: Any) -> Callable[[list[str]], None]:
    def apply(written: list[str]) -> None:
        written[0] = json.dumps({**json.loads(written[0]), **change})

    return apply


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (at(5, "{oh"), r"x\.jsonl:6: not an event of this format"),
        (at(5, '{"kind": "coup"}'), r"x\.jsonl:6: not an event of this format: "),
        (at(7, ""), r"x\.jsonl:8: not an event"),
        (at(0, "{}"), r"x\.jsonl:1: not a transcript: its first line has no schema_version"),
        (at(0, "[]"), r"x\.jsonl:1: not a transcript"),
        (
            at(1, '{"kind": "debate_opened", "words": ""}'),
            r"x\.jsonl:2: a transcript needs a run card",
        ),
        (setting_header(schema_version=99), r"x\.jsonl:1: format 99 is not known"),
        (setting_header(schema_version="1"), r"x\.jsonl:1: format '1' is not known"),
        (setting_header(schema_version=0), r"x\.jsonl:1: format 0 is not known"),
        (setting_header(surprise=1), r"x\.jsonl:1: not an event of this format: .*surprise"),
    ],
)
def test_what_cannot_be_read_is_named_by_file_and_line(
    tmp_path: Path, change: Callable[[list[str]], None], words: str
) -> None:
    with pytest.raises(TranscriptError, match=words):
        read(broken(tmp_path / "x.jsonl", change))


@pytest.mark.parametrize("content", ["", "\n", "hello", "hello\n", "{}\n", "\x00\xff\n", "1\n"])
def test_a_file_that_is_no_transcript_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(TranscriptError, match=r"x\.jsonl:1: not a transcript"):
        read(path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "first line is empty"),
        ("\n", "first line is empty"),
        ("garbage\n", "first line is no JSON. Name a file that `tracktwo run` wrote"),
        ('{"role": "user"}\n', "no schema_version. A chat log becomes one by `tracktwo import`"),
        ("[1]\n", "no schema_version"),
    ],
)
def test_what_a_file_is_instead_is_said(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(content)
    with pytest.raises(TranscriptError, match=re.escape(why)):
        read(path)


def test_a_file_that_is_not_there_is_said_not_to_be(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match=r"nowhere\.jsonl: cannot be read: No such file"):
        read(tmp_path / "nowhere.jsonl")
    with pytest.raises(TranscriptError, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_any_prefix_of_a_file_reads_or_says_that_it_is_none(tmp_path: Path) -> None:
    past = held(a_room(two_sides(), Improviser(1)))
    path = tmp_path / "x.jsonl"
    whole = on_file(path, past)
    data = path.read_bytes()
    rng = random.Random(3)
    for cut in [0, 1, *sorted(rng.randrange(len(data)) for _ in range(60)), len(data)]:
        path.write_bytes(data[:cut])
        if data[:cut].count(b"\n") < 2:
            with pytest.raises(TranscriptError):
                read(path)
            continue
        found = read(path)
        assert found.events == whole.events[: len(found.events)]
        assert found.torn == cut - data[:cut].rfind(b"\n") - 1
        assert found.size == cut


def test_a_line_that_is_whole_but_for_its_end_counts_as_torn(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    whole = on_file(path, held(a_room(two_sides())))
    path.write_bytes(path.read_bytes()[:-1])
    assert read(path).events == whole.events[:-1]
    assert not read(path).finished


def test_a_writer_gives_back_the_event_with_its_number(tmp_path: Path) -> None:
    past = held(a_room(two_sides()))
    header = e.Header(debate="x", created="now")
    with Writer.create(tmp_path / "x.jsonl", header, past.card) as writer:
        assert [writer.append(event).seq for event in past.events[:3]] == [2, 3, 4]


def test_the_fingerprint_of_a_file_changes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    on_file(path, held(a_room(two_sides())))
    before = fingerprint(path)
    path.write_bytes(path.read_bytes() + b"\n")
    assert len(before) == 64
    assert fingerprint(path) != before


def test_the_debate_is_what_happened_without_header_card_and_bookkeeping() -> None:
    past = held(a_room(two_sides()))
    events = past.transcript.events
    noted = e.Resumed(at="later"), e.BudgetStop(ceiling="calls", why="")
    longer = type(past.transcript)((*events[:9], *noted, *events[9:]))
    assert longer.debate == past.transcript.debate
    assert longer.state == past.transcript.state


EXAMPLES = Path(__file__).parents[1] / "transcripts" / "examples"


def renamed(event: Any, way: list[str | int]) -> bool:
    """Put a name that nothing has at the end of the way; False where the way leads nowhere."""
    *steps, last = way
    try:
        for step in steps:
            event = event[step]
        found = event[last] is not None
    except (KeyError, IndexError):
        return False
    if found:
        event[last] = "moonshine"
    return found


def example_with(path: Path, name: str, kind: str, way: list[str | int]) -> int:
    """An example in which one event of the kind names what is not there; the event's line."""
    lines = (EXAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        event = json.loads(line)
        if event["kind"] == kind and renamed(event, way):
            lines[number - 1] = json.dumps(event)
            path.write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
            return number
    raise AssertionError(f"no {kind} in {name} has {way}")


@pytest.mark.parametrize(
    ("kind", "way", "what"),
    [
        ("statement", ["party"], "party"),
        ("statement", ["item"], "item"),
        ("item_opened", ["item"], "item"),
        ("round_opened", ["item"], "item"),
        ("move", ["move", "issue"], "issue"),
        ("move", ["move", "option"], "option"),
        ("tabled", ["issue"], "issue"),
        ("tabled", ["option"], "option"),
        ("tabled", ["acceptances", 0], "party"),
        ("vote", ["party"], "party"),
        ("vote", ["issue"], "issue"),
        ("decision", ["issue"], "issue"),
        ("decision", ["option"], "option"),
        ("decision", ["accept", 0], "party"),
        ("decision", ["reject", 0], "party"),
        ("decision", ["brackets", 0, "option"], "option"),
        ("decision", ["brackets", 0, "holders", 0], "party"),
        ("item_closed", ["item"], "item"),
    ],
)
def test_an_event_that_names_what_the_setting_does_not_have_is_named_by_its_line(
    tmp_path: Path, kind: str, way: list[str | int], what: str
) -> None:
    path = tmp_path / "x.jsonl"
    line = example_with(path, "reference-eight-of-twelve", kind, way)
    with pytest.raises(TranscriptError, match=rf"x\.jsonl:{line}: the {what} '.*moonshine' is not"):
        read(path)


def test_a_move_that_was_ruled_out_may_name_what_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    line = example_with(path, "reference-eight-of-twelve", "move", ["move", "issue"])
    lines = path.read_text(encoding="utf-8").splitlines()
    made = json.loads(lines[line - 1])
    kept = {name: made[name] for name in made if name not in ("offer", "replaced")}
    lines[line - 1] = json.dumps({**kept, "kind": "ruled_out", "why": "no such issue"})
    path.write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
    assert isinstance(read(path).events[line - 1], e.RuledOut)
