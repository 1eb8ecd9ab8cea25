"""`tracktwo experiment`, as a user types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness import cli
from harness.errors import UserError
from harness.experiment.folder import Folder
from harness.transcript import closed
from tests.experiment.files import changed
from tests.sweep.holds import Provider

ROOT = Path(__file__).parents[2]
HOSTED = ("model: reference", "model: 'openai:small'")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def experiment(*arguments: str, text: str | None = None) -> Result:
    """Run the verb on the sound experiment, or on another, in this process."""
    Path("talk.yaml").write_text(text or changed(), encoding="utf-8")
    return CliRunner().invoke(cli.app, ["experiment", "talk.yaml", *arguments])


def told(result: Result) -> str:
    """What the user is told to mend."""
    assert isinstance(result.exception, UserError), result.output
    return str(result.exception)


def the_folder() -> Folder:
    return Folder(Path("transcripts/experiments/talk"))


def test_an_experiment_is_held_and_held_once() -> None:
    result = experiment()
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "Which of two prompts brings more agreement?"
    assert re.fullmatch(r"talk [0-9a-f]{16}: 8 debates in transcripts/experiments/talk", lines[1])
    done = [f"finished {path.stem}" for path in the_folder().debates]
    assert sorted(lines[2:-2]) == done
    assert lines[-2:] == [
        "8 of 8 debates are there: 0 were, 8 were held now.",
        "Read it with: tracktwo results transcripts/experiments/talk",
    ]
    assert len(done) == 8
    again = experiment()
    assert again.exit_code == 0
    assert again.output.splitlines()[2] == "8 of 8 debates are there: 8 were, 0 were held now."


def test_a_folder_may_be_named() -> None:
    assert experiment("--out", "here/it/is").exit_code == 0
    assert len(Folder(Path("here/it/is")).debates) == 8


def test_words_of_a_file_are_text_and_nothing_steers_a_terminal_where_there_is_none() -> None:
    result = experiment(text=changed(("Which of two", "Which [bold]of two")))
    assert result.output.startswith("Which [bold]of two prompts")
    assert "\x1b" not in result.output
    assert "under way" not in result.output


def test_a_dry_run_says_what_it_would_take_and_holds_nothing() -> None:
    result = experiment("--dry-run", "--price", "openai:small=1/2", text=changed(HOSTED))
    assert result.exit_code == 0  # without a key
    assert not Path("transcripts").exists()
    for words in (
        "2 arms x 2 scenarios x 2 seeds: 8 debates, 0 are there, 8 to be held.",
        "Told from a rehearsal without a model.",
        "A guess without an interval: hold a pilot (--pilot 1) for a better one.",
    ):
        assert words in result.output
    (row,) = [line.split() for line in result.output.splitlines() if line.split()[:1] == ["two"]]
    arm, model, debates, calls, read, written, dollars = row
    assert (arm, model, debates) == ("two", "openai:small", "4")
    assert int(calls) >= 16
    tokens = int(read.replace(",", "")), int(written.replace(",", ""))
    assert float(dollars) == pytest.approx((tokens[0] + 2 * tokens[1]) / 1e6, abs=0.006)
    assert "In all: calls " in result.output


def test_a_price_that_is_not_known_is_asked_for() -> None:
    result = experiment("--dry-run", text=changed(HOSTED))
    assert "No price is known for openai:small: --price MODEL=IN/OUT says it." in result.output


def test_a_dry_run_of_what_asks_no_model_says_so() -> None:
    result = experiment("--dry-run")
    assert "No language model takes part: it costs nothing but a little time." in result.output
    assert not Path("transcripts").exists()


def test_a_dry_run_for_programs_is_one_object() -> None:
    result = experiment("--dry-run", "--json", text=changed(HOSTED))
    (line,) = result.output.splitlines()
    plan = json.loads(line)
    assert (plan["kind"], plan["experiment"]) == ("plan", "talk")
    assert (plan["planned"], plan["finished"], plan["missing"]) == (8, 0, 8)
    assert plan["calls"]["value"] == sum(each["calls"]["value"] for each in plan["lines"])
    assert plan["calls"]["low"] is None
    assert plan["cost"] is None


def test_a_pilot_holds_the_first_seeds_and_tells_of_the_rest() -> None:
    result = experiment("--pilot", "1")
    assert result.exit_code == 0
    assert "4 of 4 debates are there: 0 were, 4 were held now." in result.output
    assert "8 debates, 4 are there, 4 to be held." in result.output
    assert all(".s01-" in path.stem for path in the_folder().debates)
    assert "tracktwo results" not in result.output  # there is more to come
    whole = experiment()
    assert "8 of 8 debates are there: 4 were, 4 were held now." in whole.output


def test_every_line_for_programs_is_json_and_the_last_is_the_tally() -> None:
    lines = [json.loads(line) for line in experiment("--json").output.splitlines()]
    assert [line["step"] for line in lines[:-1]] == ["finished"] * 8
    assert {line["debate"] for line in lines[:-1]} == {p.stem for p in the_folder().debates}
    assert lines[-1] == {
        "kind": "tally", "planned": 8, "there": 0, "held": 8, "failed": [], "left": 0,
        "stopped": "", "folder": "transcripts/experiments/talk",
    }  # fmt: skip
    again = [json.loads(line) for line in experiment("--json").output.splitlines()]
    assert [line["step"] for line in again[:-1]] == ["there"] * 8
    assert again[-1]["there"] == 8


def test_quiet_says_only_what_came_of_it() -> None:
    assert experiment("--quiet").output.splitlines() == [
        "8 of 8 debates are there: 0 were, 8 were held now.",
        "Read it with: tracktwo results transcripts/experiments/talk",
    ]


def test_a_ceiling_is_exit_code_3_and_says_what_is_left() -> None:
    result = experiment("--max-calls", "0", text=changed(HOSTED, ("seeds: 2", "seeds: 1")))
    assert told(result).startswith("openai:small needs a key")
    local = experiment("--max-calls", "0", text=changed(("model: reference", "model: local")))
    assert local.exit_code == 3
    assert "Stopped: 0 of 0 calls are made. 8 debates are left." in local.output
    assert "0 of 8 debates are there: 0 were, 0 were held now." in local.output


def test_debates_that_broke_off_twice_are_exit_code_1_and_named() -> None:
    experiment()
    tape = next(path for path in the_folder().debates if "libya" in path.stem)
    replayed = changed(("{model: reference,", f"{{model: 'replay:{tape}',"))
    result = experiment("--out", "other", "--at-once", "1", text=replayed)
    assert result.exit_code == 1
    failed = [line for line in result.output.splitlines() if line.startswith("failed: ")]
    held = [path for path in Folder(Path("other")).debates if closed(path)]
    assert {path.stem.split(".")[1] for path in held} == {"libya"}
    assert len(failed) == 8 - len(held)
    assert sum("syria" in line for line in failed) == 4
    assert all(line.endswith("; see other/failures.jsonl") for line in failed)
    assert f"{len(held)} of 8 debates are there: 0 were, {len(held)} were held" in result.output
    broken = Folder(Path("other")).broken
    assert [each.attempt for each in broken] == [1, 2] * len(failed)
    assert all("holds no reply to" in each.why or "differently" in each.why for each in broken)
    lines = experiment("--out", "other", "--json", text=replayed).output.splitlines()
    assert len(json.loads(lines[-1])["failed"]) == len(failed)


def test_mistakes_of_the_file_are_told_all_at_once() -> None:
    words = told(
        experiment(text=changed(("libya, syria", "libia"), ("baseline: one", "baseline: x")))
    )
    assert [line[: len("talk.yaml:9:11")] for line in words.splitlines()] == [
        "talk.yaml:3:9:", "talk.yaml:9:11",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--record", "--replay", "any"), "choose one"),
        (("--cassette", "tape.jsonl"), "add one of them"),
        (("--replay", "strict"), "There is no cassette"),
        (("--max-cost", "1"), "--max-cost needs the price of openai:small"),
        (("--price", "openai:small"), "is no price"),
    ],
)
def test_options_that_do_not_go_together_are_told(options: tuple[str, ...], words: str) -> None:
    assert words in told(experiment(*options, text=changed(HOSTED)))


def test_an_experiment_that_does_not_exist_is_told_with_those_that_do() -> None:
    result = CliRunner().invoke(cli.app, ["experiment", "chair-rule"])
    assert "did you mean 'chair-rules'" in told(result)


def command(*arguments: str, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
    """The command in a process of its own."""
    Path("talk.yaml").write_text(changed(), encoding="utf-8")
    env = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
    program = [sys.executable, "-m", "harness", "experiment", "talk.yaml", *arguments]
    return subprocess.Popen(program, env=env, stdout=stdout, stderr=stderr)


def test_what_is_to_be_mended_is_one_sentence_and_exit_code_2() -> None:
    with command("--replay", "strict", stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        output, errors = process.communicate()
    assert process.returncode == 2
    assert output == b""
    assert len(errors.splitlines()) == 1
    assert b"There is no cassette" in errors


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal_a_table_shows_where_each_arm_stands() -> None:
    ours, theirs = os.openpty()
    with command(stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end was closed
                break
            if not part:
                break
            shown += part
    os.close(ours)
    assert process.returncode == 0
    text = shown.decode()
    assert "under way" in text
    assert re.search(r"one +4/4", text)
    assert re.search(r"two +4/4", text)
    assert "finished one." not in text
    assert len([path for path in the_folder().debates if closed(path)]) == 8


def test_what_was_recorded_is_held_again_offline_byte_by_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-for-the-test")
    server = Provider()
    with server.running():
        hosted = changed(("model: reference", f"model: 'openai:small', base_url: '{server.url}'"))
        assert experiment("--record", text=hosted).exit_code == 0
    asked = len(server.bodies)
    monkeypatch.delenv("OPENAI_API_KEY")

    again = experiment("--replay", "strict", "--out", "again", text=hosted)

    assert again.exit_code == 0, again.output
    assert len(server.bodies) == asked > 0
    first = {path.name: path.read_bytes() for path in the_folder().debates}
    assert {path.name: path.read_bytes() for path in Folder(Path("again")).debates} == first
    assert (
        b"sk-for-the-test" not in Path("transcripts/experiments/talk.cassette.jsonl").read_bytes()
    )
