"""`tracktwo read` as a user types it: narrowed, searched, side by side, followed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness import cli
from harness import events as e
from harness.errors import UserError
from harness.events import Fork
from harness.transcript import Writer, read
from tests.cli.test_judging import score
from tests.evals.judging.test_pipeline import by_the_sheet
from tests.evals.room import Room, a_party, a_position, a_red_line, a_setting, an_issue, an_item
from tests.models.server import ChatServer

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "transcripts/examples/scripted-us-votes-against-its-own-text.jsonl"
LINES = EXAMPLE.read_bytes().splitlines(keepends=True)


def tracktwo(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, list(map(str, arguments)))


def shown(*arguments: object) -> str:
    done = tracktwo("read", *arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def turns(output: str) -> list[str]:
    return re.findall(r"^ *(T\d+) ", output, flags=re.MULTILINE)


def written(room: Room, path: Path, fork: Fork | None = None) -> Path:
    header, card, *rest = room.events
    assert isinstance(header, e.Header)
    assert isinstance(card, e.RunCard)
    with Writer.create(path, header, card.model_copy(update={"fork": fork})) as writer:
        for event in rest:
            writer.append(event)
    return path


def a_room() -> Room:
    """Two issues; one party has two red lines, one of them confidential."""
    hidden = a_red_line("us-4", "tests/b").model_copy(
        update={"visibility": "confidential", "statement": "our secret floor"}
    )
    us = a_party(
        "us", a_position("us-1", supports=("tests/a",), statement="It wants tests."),
        a_red_line("us-2", "tests/b"), a_red_line("us-3", "bans/b"), hidden,
    )  # fmt: skip
    ru = a_party("ru", a_position("ru-1", supports=("bans/a",)), a_red_line("ru-2", "tests/a"))
    return Room(a_setting(us, ru, items=(an_item(an_issue("tests"), an_issue("bans")),))).opens()


def test_an_issue_is_read_by_its_turns_moves_votes_and_outcome() -> None:
    output = shown(EXAMPLE, "--issue", "whelan-reed", "--no-sources")

    assert "Detained citizens and prisoner exchange" in output
    assert "votes reject on Whelan and Reed" in output
    assert "Whelan and Reed: the text “Confidential channel, no outcome fixed”" in output
    assert "Sanctions relief" not in output
    assert not re.search(r"^ +[+=x~?] .*Standing legal arrangement", output, flags=re.MULTILINE)
    assert turns(output) == [f"T{n}" for n in range(1, 9)]
    assert "JOINT TEXT" not in output


def test_a_turn_that_only_cites_a_position_on_the_issue_belongs_to_it(tmp_path: Path) -> None:
    room = a_room().says("us", "About tests.", "us-1").says("ru", "About bans.", "ru-1").closes()
    output = shown(written(room, tmp_path / "debate.jsonl"), "--issue", "tests")

    assert turns(output) == ["T1"]


def test_words_are_found_in_any_case_and_counted() -> None:
    output = shown(EXAMPLE, "--find", "CONFIDENTIAL  channel")

    places = {"T4", "T6"}
    assert set(turns(output)) == places
    found = len(re.findall("confidential channel", output.partition("\n“")[0], flags=re.I))
    assert f"“CONFIDENTIAL  channel”: {found} times in 4 places." in output


def test_what_is_not_found_is_said_and_is_no_error() -> None:
    output = shown(EXAMPLE, "--find", "xylophone")

    assert "“xylophone”: not found." in output
    assert turns(output) == []


def test_what_is_private_is_not_found_until_it_is_asked_for(tmp_path: Path) -> None:
    room = a_room()
    of = room.of("us")
    room.says("us", "Good day.", of=of)
    room.add(e.Note(**of.__dict__, audience=("us",), text="the floor is at three"))
    path = written(room.closes(), tmp_path / "debate.jsonl")

    public, private = shown(path, "--find", "floor"), shown(path, "--find", "floor", "--private")

    assert "not found" in public
    assert "--private has it" in public
    assert "once in 1 place" in private
    assert turns(private) == ["T1"]


def test_matches_stand_out_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")

    output = shown(EXAMPLE, "--find", "yaroshenko", "--no-pager")

    assert "\x1b[7mYaroshenko\x1b[0m" in output  # and what was said is not in the name's colour
    assert "\x1b[1;31m  T2 RU: \x1b[0m" in output


def test_options_add_up_and_nothing_that_fits_is_said() -> None:
    both = shown(EXAMPLE, "--party", "ru", "--issue", "sanctions-relief", "--find", "captive")
    none = shown(EXAMPLE, "--party", "ru", "--turn", "T1")

    assert turns(both) == ["T12"]
    assert "Nothing in the record fits." in none


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--issue", "sanctions"), "has no issue 'sanctions'; it has whelan-reed, legal"),
        (("--find", "  "), "--find needs words"),
    ],
)
def test_a_wish_that_cannot_be_met_is_said(option: tuple[str, str], words: str) -> None:
    result = tracktwo("read", EXAMPLE, *option)

    assert isinstance(result.exception, UserError)
    assert words in str(result.exception)


def test_the_calls_of_a_turn_are_shown_with_it() -> None:
    output = shown(EXAMPLE, "--turn", "T4", "--private")

    assert "call detained-citizens/round1/us#1" in output
    assert output.index("call detained") < output.index("  T4 US:")
    assert output.count("     call ") == 1


def beside(output: str) -> str:
    """The right-hand column."""
    return "\n".join(line[96:].strip() for line in output.splitlines() if len(line) > 96)


def test_side_by_side_has_what_was_cited_and_the_partys_own_red_lines_on_the_issue(
    tmp_path: Path,
) -> None:
    room = a_room()
    of = room.of("us")
    room.says("us", "We want tests. " * 20, "us-1", of=of)
    room.move("us", "propose", "tests/a", because="us-1", of=of)
    path = written(room.closes(), tmp_path / "debate.jsonl")

    public, private = shown(path, "--side"), shown(path, "--side", "--private")

    assert "us-1 cited, behind a move, firmness 3 of 5\nIt wants tests." in beside(public)
    assert "A communiqué. A ministry, 2021-06-01" in beside(public)
    assert "us-2 red line, firmness 5 of 5" in beside(public)
    assert "us-3" not in public  # on another issue
    assert "ru-2" not in public  # of another party
    assert "us-4" not in public
    assert "our secret floor" not in public
    assert "our secret floor" in beside(private)
    assert "https://" not in public  # the lines below the statement gave way to the column
    assert "2021-06-01" not in shown(path, "--side", "--no-sources")


def test_positions_stand_beside_the_statements_on_a_wide_terminal_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    for columns, expected in (("160", True), ("119", False)):
        monkeypatch.setenv("COLUMNS", columns)
        output = shown(EXAMPLE, "--turn", "T1", "--no-pager")
        assert ("firmness 4 of 5" in output) is expected
    monkeypatch.setenv("COLUMNS", "160")
    assert "firmness" not in shown(EXAMPLE, "--turn", "T1", "--no-pager", "--no-side")


def test_a_citation_that_is_on_nobodys_record_is_said_to_be_none(tmp_path: Path) -> None:
    room = a_room().says("us", "As is known.", "us-9").says("us", "Secretly.", "us-4").closes()
    path = written(room, tmp_path / "debate.jsonl")

    for output in (shown(path), shown(path, "--side")):
        assert "us-9" in output
        assert "not on public record here" in output
        assert "our secret floor" not in output


@pytest.mark.parametrize("columns", [None, "80"])
def test_no_words_make_a_line_that_looks_like_a_move_a_name_or_the_chair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: str | None
) -> None:
    forged = ("= accepts O1 everything", "Chair: adopted.", "T9 RU: We agree.")
    room = a_room().says("us", "We talk.\n" + "\n".join(forged))
    for words in forged:  # at each of many widths, so that one of them begins a broken line
        for length in range(30):
            room.says("us", "x" * 20 + " " + "y" * (20 + length) + " " + words)
    path = written(room.closes(), tmp_path / "debate.jsonl")
    if columns is not None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", columns)

    output = re.sub("\x1b\\[[0-9;]*m", "", shown(path, "--no-pager"))

    begun = [line for line in output.splitlines() if line.strip().startswith(forged)]
    assert len(begun) >= (6 if columns else 3)
    assert {len(line) - len(line.lstrip()) for line in begun} == {9}


def test_the_head_says_which_debates_a_fork_came_from(tmp_path: Path) -> None:
    earlier = Fork(origin="first.jsonl", origin_sha="a", at=7, kept=4)
    fork = Fork(origin="second.jsonl", origin_sha="b", at=30, kept=28, earlier=earlier,
                changes=("us: openai:other", "unheard by ru"))  # fmt: skip

    output = shown(written(a_room().closes(), tmp_path / "debate.jsonl", fork))

    assert (
        "Fork of second.jsonl, at event #30, 28 events kept; changed: us: openai:other; "
        "unheard by ru\nFork of first.jsonl, at event #7, 4 events kept; changed: nothing but"
    ) in output
    assert "Fork of" not in shown(EXAMPLE)


def test_what_a_judge_said_of_a_turn_stands_below_it_until_the_record_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKTWO_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setenv("TRACKTWO_CARDS", str(tmp_path / "cards"))
    path = Path(shutil.copy(EXAMPLE, tmp_path / "debate.jsonl"))
    with ChatServer().running() as server:
        server.ordinary = by_the_sheet
        assert score(path, server.url).exit_code == 0

    assert "consistency, read by openai:one, uncalibrated" in shown(path, "--turn", "T1")
    with path.open("a") as file:
        file.write(e.Resumed(at="2026-01-01T00:00:00Z").model_dump_json() + "\n")
    stale = shown(path, "--turn", "T1")
    assert "read by openai:one" not in stale
    assert "debate.scores.jsonl is older than the transcript" in stale
    (tmp_path / "debate.scores.jsonl").write_text("{}\n")
    assert "Scores are not shown: " in shown(path, "--turn", "T1")


def grow(path: Path, stop: int = len(LINES)) -> threading.Thread:
    """Write the example a few lines at a time, some of them torn."""

    def write() -> None:
        for start in range(10, stop, 7):
            data = b"".join(LINES[start : min(start + 7, stop)])
            for piece in (data[:50], data[50:]):
                with path.open("ab") as file:
                    file.write(piece)
                time.sleep(0.02)

    path.write_bytes(b"".join(LINES[:10]))
    thread = threading.Thread(target=write)
    thread.start()
    return thread


@pytest.mark.parametrize("options", [(), ("--issue", "whelan-reed"), ("--find", "exchange")])
def test_a_debate_that_was_followed_reads_as_one_that_was_read(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    path = tmp_path / EXAMPLE.name
    thread = grow(path)
    followed = shown(path, "--follow", *options)
    thread.join()

    assert path.read_bytes() == EXAMPLE.read_bytes()
    assert followed == shown(path, *options)


def test_a_file_that_is_replaced_while_it_is_followed_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "debate.jsonl"
    path.write_bytes(b"".join(LINES[:20]))

    def replace() -> None:
        time.sleep(0.6)
        Path(shutil.copy(EXAMPLE, tmp_path / "other")).replace(path)

    thread = threading.Thread(target=replace)
    thread.start()
    output = shown(path, "--follow")
    thread.join()

    before, _, after = output.partition("The file was replaced and is begun anew.")
    assert "  T1 US:" in before
    assert "  T1 US:" in after
    assert "JOINT TEXT" in after
    assert after.count("  T1 US:") == 1


def test_following_shows_what_there_is_at_once_and_ctrl_c_leaves_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "debate.jsonl"
    path.write_bytes(b"".join(LINES[:11]))
    command = [sys.executable, "-m", "harness", "read", str(path), "--follow"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as reader:  # fmt: skip
        assert reader.stdout is not None
        assert reader.stderr is not None
        for line in reader.stdout:
            if "proposes O1" in line:  # the last turn there is, though nothing came after it
                break
        reader.send_signal(signal.SIGINT)
        rest, errors = reader.stdout.read(), reader.stderr.read()
        assert reader.wait(10) == 130
    assert "Traceback" not in errors + rest


def test_following_what_is_not_there_is_said() -> None:
    result = tracktwo("read", "nowhere.jsonl", "--follow")

    assert isinstance(result.exception, UserError)
    assert "nowhere.jsonl: cannot be read" in str(result.exception)


def test_every_event_of_an_example_is_in_exactly_one_group() -> None:
    from harness.cli.narrowing import Grouping

    record, grouping = read(EXAMPLE), Grouping()
    groups = [*grouping.take(record.events[2:]), *grouping.rest()]

    grouped = [event.seq for group in groups for event in group.events]
    assert sorted(grouped) == [x.seq for x in record.events[2:] if not isinstance(x, e.Text)]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of its own")
@pytest.mark.parametrize("told", [None, "-FX"])
def test_the_pager_is_told_to_show_colours(tmp_path: Path, told: str | None) -> None:
    """Without it `less` shows the codes themselves, and a page cannot be read."""
    import pty

    paged = tmp_path / "paged"
    pager = tmp_path / "pager"
    pager.write_text(f'#!/bin/sh\necho "$LESS" > {paged}\ncat >> {paged}\n')
    pager.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name not in ("LESS", "NO_COLOR")}
    env = {**kept, "PAGER": str(pager), "TERM": "xterm", **({"LESS": told} if told else {})}
    command = [sys.executable, "-m", "harness", "read", str(EXAMPLE), "--turn", "T1"]
    screen, keyboard = pty.openpty()
    try:
        subprocess.run(command, env=env, stdin=keyboard, stdout=keyboard, check=True, timeout=60)
    finally:
        os.close(screen)
        os.close(keyboard)
    options, _, text = paged.read_text(encoding="utf-8").partition("\n")
    assert options == ("-R" if told is None else f"-R {told}")
    assert "\x1b[" in text
    assert "T1 US" in re.sub("\x1b\\[[0-9;]*m", "", text)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
def test_whoever_has_read_enough_of_a_pipe_is_no_error() -> None:
    command = [sys.executable, "-m", "harness", "read", str(EXAMPLE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading:
        assert reading.stdout is not None
        assert reading.stderr is not None
        reading.stdout.close()
        said = reading.stderr.read()
        assert reading.wait(timeout=60) == 0, said
    assert said == b""
