"""`tracktwo run`, as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness import cli
from harness.errors import UserError
from harness.transcript import read


def tracktwo(*arguments: str) -> Result:
    """Run the command in this process; what the user must mend comes back as an exception."""
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def reference(*more: str) -> Result:
    return tracktwo("run", "geneva-2021", "--model", "reference", *more)


def the_transcript() -> Path:
    (path,) = [p for p in Path("transcripts").glob("*.jsonl") if ".scores" not in p.name]
    return path


def test_a_debate_ends_with_joint_text_both_tables_and_the_path_of_its_transcript() -> None:
    result = reference("--items", "diplomatic-relations")

    assert result.exit_code == 0
    for part in ("JOINT TEXT", "AGREEMENT", "CONSISTENCY", "Simulated debate", "Reservation of"):
        assert part in result.output
    assert str(the_transcript()) in result.output
    assert read(the_transcript()).finished


def test_every_line_of_output_for_programs_is_json_and_the_last_names_the_files() -> None:
    result = reference("--items", "syria", "--json")

    lines = [json.loads(line) for line in result.output.splitlines()]
    assert lines[0]["kind"] == "debate_opened"
    assert lines[-1]["kind"] == "result"
    assert Path(lines[-1]["transcript"]).is_file()
    assert Path(lines[-1]["scores"]).is_file()
    assert [row["issue"] for row in lines[-1]["tables"]["agreement"]] == [
        "cross-border-access",
        "political-track",
    ]


def test_quiet_says_the_result_and_the_paths_only() -> None:
    result = reference("--items", "syria", "--quiet")

    assert len(result.output.strip().splitlines()) == 3
    assert "Agreed:" in result.output


@pytest.mark.parametrize("agenda", ["summit", "six-party"])
def test_the_large_agendas_agree_on_some_issues_and_not_on_others(agenda: str) -> None:
    result = reference("--agenda", agenda, "--quiet")

    assert result.exit_code == 0
    outcomes = {issue.outcome for issue in read(the_transcript()).state.issues.values()}
    assert {"adopted", "bracketed"} <= outcomes


def test_prompts_and_models_are_chosen_by_seat_and_stand_on_the_run_card() -> None:
    result = tracktwo(
        "run", "--items", "libya", "--model", "reference", "--prompt", "us=name-only",
        "--guard", "mandate", "--rounds", "1", "--seed", "7", "--rule", "package=item", "--quiet",
    )  # fmt: skip

    assert result.exit_code == 0
    card = read(the_transcript()).card
    assert [(s.seat, s.prompt, s.guard) for s in card.seats[:2]] == [
        ("us", "name-only", True),
        ("ru", "dossier", True),
    ]
    assert (card.seed, card.rules.rounds, card.rules.package) == (7, 1, "item")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "geneva-2020"), "geneva-2021"),
        (("run", "--agenda", "sumit"), "six-party"),
        (("run", "--items", "syra"), "Did you mean syria?"),
        (("run", "--parties", "us"), "at least two parties"),
        (("run", "--model", "usa=reference"), "usa"),
        (("run", "--model", "reference", "--prompt", "dosier"), "dossier"),
        (("run", "--model", "refrence"), "reference"),
        (("run", "--model", "script:nowhere.yaml"), "nowhere.yaml"),
        (("run", "--model", "replay:nowhere.jsonl"), "nowhere.jsonl"),
        (("run", "--model", "local:nowhere.gguf"), "nowhere.gguf"),
        (("run", "--model", "reference", "--rule", "rounds=many"), "rounds"),
        (("run", "--model", "reference", "--rule", "tempo=fast"), "NAME=VALUE"),
        (("run", "--model", "reference", "--rule", "vetoes=de"), "de"),
        (("run", "--model", "openai:m", "--base-url", "http://127.0.0.1:9/v1", "--max-cost", "1"),
         "--price"),
        (("run", "--resume", "nowhere.jsonl"), "nowhere.jsonl"),
        (("score", "nowhere.jsonl"), "nowhere.jsonl"),
        (("score", "."), "holds no transcripts"),
        (("read", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)  # fmt: skip
def test_what_the_user_can_mend_is_one_sentence_that_names_it(
    arguments: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    result = tracktwo(*arguments)

    assert isinstance(result.exception, UserError)
    assert words in str(result.exception)
    assert "Traceback" not in str(result.exception)
    # A debate that cannot begin leaves no file.
    assert not list(Path.cwd().glob("transcripts/*.jsonl"))


def test_a_mistake_of_the_users_ends_with_exit_code_2_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "run", "geneva-2020"], capture_output=True, text=True
    )

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_an_interrupted_debate_leaves_a_valid_transcript_and_says_how_to_go_on() -> None:
    # A person's seat waits for input, so the interrupt always falls inside a turn.
    running = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", "--items", "syria", "--model", "reference",
         "--model", "ru=human"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert running.stdout is not None
    for line in running.stdout:
        if "done" in line:
            break
    time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    running.stdin and running.stdin.close()
    code, errors = running.wait(timeout=30), running.stderr.read() if running.stderr else ""
    running.stdout.close()
    running.stderr and running.stderr.close()

    assert code == 130
    assert "--resume" in errors
    path = the_transcript()
    assert not read(path).finished
    # The person comes back and leaves again at once: still nothing is lost.
    before = read(path).debate
    again = subprocess.run(
        [sys.executable, "-m", "harness", "run", "--resume", str(path)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert again.returncode == 130
    assert read(path).debate[: len(before)] == before


def test_a_ceiling_stops_with_exit_code_3_and_a_transcript_that_can_be_resumed() -> None:
    stopped = tracktwo("run", "--items", "syria", "--model", "local", "--max-calls", "0", "--quiet")

    assert stopped.exit_code == 3
    transcript = read(the_transcript())
    assert transcript.events[-1].kind == "budget_stop"
    assert not transcript.finished


def test_a_debate_replayed_by_name_is_the_same_from_the_third_line_on() -> None:
    reference("--items", "syria", "--quiet", "--out", "first.jsonl")
    replayed = ("--model", "replay:first.jsonl", "--quiet", "--out", "again.jsonl")
    tracktwo("run", "--items", "syria", *replayed)

    first, again = (Path(f"{name}.jsonl").read_bytes() for name in ("first", "again"))
    assert first.split(b"\n")[2:] == again.split(b"\n")[2:]


def test_nothing_is_overwritten() -> None:
    reference("--items", "syria", "--quiet", "--out", "here.jsonl")
    before = Path("here.jsonl").read_bytes()
    result = reference("--items", "libya", "--quiet", "--out", "here.jsonl")

    assert isinstance(result.exception, UserError)
    assert Path("here.jsonl").read_bytes() == before
