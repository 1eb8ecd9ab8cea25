"""`tracktwo fork`, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from harness import cli
from harness.errors import UserError
from harness.transcript import read

EXAMPLES = Path(__file__).parents[2] / "transcripts" / "examples"
REFERENCE = str(EXAMPLES / "reference-eight-of-twelve.jsonl")
EMBEDDED = str(EXAMPLES / "embedded-model-guarded.jsonl")


def tracktwo(*arguments: str) -> Result:
    """Run the command in this process; what the user must mend comes back as an exception."""
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def forks() -> list[Path]:
    return sorted(Path("transcripts/forks").glob("*.jsonl"))


def as_json(*arguments: str) -> dict[str, Any]:
    result = tracktwo("fork", *arguments, "--json")
    assert result.exit_code == 0, result.exception
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def test_the_interest_behind_a_deadlock_is_named_with_what_its_absence_moves() -> None:
    result = tracktwo("fork", REFERENCE, "--without", "us-ss-5", "--runs", "2")

    assert result.exit_code == 0, result.exception
    for part in (
        "us without us-ss-5: The United States will weigh",
        "held to their end: 2 with nothing changed, 2 changed",
        "Arms race in space moved (nothing is drawn there, so every seed gives the same)",
        "no agreement came out in 2 of 2 and now in 0 of 2",
        "satisfaction of ru",
    ):
        assert part in result.stdout
    assert len(forks()) == 4
    assert "finished reference-eight-of-twelve.again.control.s01" in result.stderr


def test_a_partys_positions_are_taken_out_in_turn_and_stand_in_one_table() -> None:
    positions = ("--without", "us-ss-5", "--without", "ru-ss-4")
    result = tracktwo("fork", REFERENCE, *positions, "--runs", "1")

    assert result.exit_code == 0, result.exception
    rows = {line.split()[0]: line for line in result.stdout.splitlines() if "firmness" in line}
    assert "space-weapons: none to c" in rows["us-ss-5"]
    assert "intermediate-range-missiles: none to a" in rows["ru-ss-4"]
    assert "red_line, firmness 4" in rows["us-ss-5"]
    assert len(forks()) == 3  # the unchanged debate is held once


def test_for_programs_it_says_where_every_debate_lies_and_all_that_was_counted() -> None:
    data = as_json(REFERENCE, "--at", "T3", "--say", "ru=We have nothing to add.", "--runs", "2")

    (found,) = data["forks"]
    assert found["changes"] == ["ru says in T3: \u201cWe have nothing to add.\u201d"]
    assert found["in_vain"] == ["Statements mean nothing to us (reference), who go by moves alone."]
    assert {Path(path) for path in found["finished"].values()} == set(forks())
    assert found["movement"]["control"] == found["movement"]["changed"] == 2
    assert {each["word"] for each in found["movement"]["issues"]} == {"alike"}


def test_the_same_command_again_holds_nothing_twice() -> None:
    tracktwo("fork", REFERENCE, "--at", "T20", "--runs", "2")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in forks()}
    result = tracktwo("fork", REFERENCE, "--at", "T20", "--runs", "3")

    assert result.exit_code == 0, result.exception
    assert len(forks()) == 3
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before}
    assert after == before


def test_a_fork_can_be_read_scored_replayed_and_forked_again() -> None:
    tracktwo("fork", REFERENCE, "--at", "T3", "--unheard", "us", "--runs", "1")
    (changed,) = [path for path in forks() if ".changed." in path.name]
    assert tracktwo("read", str(changed)).exit_code == 0
    assert tracktwo("score", str(changed)).exit_code == 0
    assert "T3 RU:" not in tracktwo("read", str(changed), "--turn", "T3").stdout
    assert "T3 RU:" in tracktwo("read", str(changed), "--turn", "T3", "--private").stdout

    done = tracktwo("run", "--model", f"replay:{changed}", "--out", "again.jsonl", "--quiet")
    assert done.exit_code == 0, done.exception
    again = Path("again.jsonl").read_bytes().split(b"\n")[2:]
    assert again == changed.read_bytes().split(b"\n")[2:]

    twice = tracktwo("fork", str(changed), "--at", "T5", "--runs", "1", "--out", "more")
    assert twice.exit_code == 0, twice.exception
    (second,) = Path("more").glob("*.jsonl")
    fork = read(second).card.fork
    assert fork is not None
    assert fork.earlier == read(changed).card.fork


def test_a_fork_that_broke_off_is_resumed_like_any_transcript() -> None:
    tracktwo("fork", REFERENCE, "--at", "T3", "--runs", "1")
    (path,) = forks()
    whole = read(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:60]) + lines[60][:20])
    done = tracktwo("run", "--resume", str(path), "--quiet")

    assert done.exit_code == 0, done.exception
    resumed = read(path)
    assert [x.model_dump(exclude={"seq"}) for x in resumed.debate] == [
        x.model_dump(exclude={"seq"}) for x in whole.debate
    ]


def test_a_ceiling_stops_before_anything_is_paid_and_the_exit_code_says_so() -> None:
    result = tracktwo("fork", EMBEDDED, "--at", "T11", "--runs", "2", "--max-calls", "0")

    assert result.exit_code == 3
    assert "2 debates are left" in result.stdout
    (begun,) = forks()
    fork = read(begun).card.fork
    assert fork is not None
    assert fork.at is not None
    taken = [call.call for call in read(EMBEDDED).calls if call.seq < fork.at]
    assert [call.call for call in read(begun).calls] == taken


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name where the record is left"),
        (["--at", "T3", "--without", "us-ss-5"], "--without holds the debate again from its start"),
        (["--without", "us-ss-55"], "the nearest is us-ss-5"),
        (["--at", "T3", "--say", "ru"], "--say 'ru': write PARTY=VALUE"),
        (["--at", "T3", "--prompt", "us=terse", "--prompt", "us=dossier"], "names us twice"),
        (["--at", "T3", "--prompt", "fr=terse"], "'fr' has no seat"),
        (["--at", "1"], "event 1 is before the debate"),
        (["--at", "T3", "--temperature", "1"], "temperature is for models named"),
    ],
)  # fmt: skip
def test_what_the_user_can_mend_is_one_sentence(arguments: list[str], said: str) -> None:
    result = tracktwo("fork", REFERENCE, *arguments)

    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not forks()


@pytest.mark.parametrize("change", [["--at", "T3"], ["--without", "us-dc-1"]])
def test_a_script_that_is_not_found_from_here_is_told_before_any_debate_has_a_file(
    change: list[str],
) -> None:
    scripted = str(EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl")
    result = tracktwo("fork", scripted, *change, "--runs", "1")

    assert isinstance(result.exception, UserError)
    said = str(result.exception)
    assert "In the seat of US sits script:transcripts/examples/scripts/" in said
    assert f"is not found from {Path.cwd()}" in said
    assert "start tracktwo in the folder where that path holds" in said
    assert not forks()


def test_a_script_named_in_the_fork_that_is_not_found_is_told_before_any_debate_has_a_file() -> (
    None
):
    result = tracktwo("fork", REFERENCE, "--at", "T3", "--model", "us=script:my.yaml+reference")

    assert isinstance(result.exception, UserError)
    assert "my.yaml is not found from" in str(result.exception)
    assert "name another model for that seat, or start tracktwo in" in str(result.exception)
    assert not forks()
