"""`score --judge`, `calibrate` and `validate-judge` as a user types them, on a real server."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from evals.calibration.calibrating import CALIBRATIONS
from evals.validity.battery import CARDS
from harness import cli
from harness.errors import UserError
from tests.evals.judging.batches import BatchServer
from tests.evals.judging.test_batch import completion
from tests.evals.judging.test_pipeline import by_the_sheet
from tests.models.server import ChatServer, spoken

EXAMPLE = (
    Path(__file__).parents[2] / "transcripts/examples/scripted-us-votes-against-its-own-text.jsonl"
)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        running.ordinary = by_the_sheet
        yield running


@pytest.fixture
def transcript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRACKTWO_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setenv("TRACKTWO_CARDS", str(tmp_path / "cards"))
    return Path(shutil.copy(EXAMPLE, tmp_path / "debate.jsonl"))


def tracktwo(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, list(map(str, arguments)))


def score(transcript: Path, url: str, *more: str) -> Result:
    return tracktwo(
        "score", transcript, "--base-url", url, "--judge", "openai:one", "--rubric", "consistency",
        *more,
    )  # fmt: skip


def mended(result: Result) -> str:
    assert isinstance(result.exception, UserError), (result.output, result.exception)
    return str(result.exception)


def test_a_judged_share_is_never_shown_bare(transcript: Path, server: ChatServer) -> None:
    done = score(transcript, server.url)
    assert done.exit_code == 0, done.output
    (row,) = [line for line in done.output.splitlines() if "openai:one   us" in line]
    assert "raw 1.00 [0.8" in row
    assert "uncalibrated" in row
    assert "not been put to the battery" in row
    assert "would have taken 151 calls" in done.output


def test_what_is_written_beside_the_transcript(transcript: Path, server: ChatServer) -> None:
    score(transcript, server.url, "--judge", "openai:two")
    asked = len(server.bodies)
    folder = transcript.parent
    names = {path.name for path in folder.iterdir() if path.is_file()}
    assert names == {
        "debate.jsonl", "debate.scores.jsonl", "debate.judge-calls.jsonl",
        "debate.judgements.jsonl", "debate.queue.csv",
    }  # fmt: skip
    for line in (folder / "debate.scores.jsonl").read_text().splitlines()[1:]:
        found = json.loads(line)
        if found["evaluator"] == "consistency" and found["kind"] == "score":
            assert found["judge"]["rubric_sha"]
            assert found["judge"]["models"] == ["small-2026-01-01"]
    rows = list(csv.DictReader((folder / "debate.queue.csv").read_text().splitlines()))
    assert rows == []  # the two say the same
    done = tracktwo("score", folder, "--base-url", server.url, "--judge", "openai:one",
                    "--rubric", "consistency")  # fmt: skip
    assert done.exit_code == 0, done.output  # the files beside it are no transcripts
    assert len(server.bodies) == asked  # and nothing is asked again


def test_a_rubric_of_ones_own_is_enough(
    transcript: Path, server: ChatServer, tmp_path: Path
) -> None:
    rubric = tmp_path / "warmth.md"
    rubric.write_text(
        "---\nname: warmth\ntitle: Warmth\nversion: 1\nreads: statements\n"
        "scale: {partial: lukewarm, warm: kind}\n---\nHow warm is it?\n"
    )
    done = tracktwo("score", transcript, "--judge", "openai:one", "--base-url", server.url,
                    "--rubric", rubric)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "warmth/share_partial: us 8/8" in done.output


def test_a_calibrated_judge_says_so_and_shows_both(transcript: Path, server: ChatServer) -> None:
    done = tracktwo("calibrate", "--judge", "openai:one", "--base-url", server.url, "--split",
                    "dev", "--no-retest")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "Balanced accuracy 0.20" in done.output
    (kept,) = CALIBRATIONS.known([transcript.parent / "calibrations"])
    assert kept.measures.confusion.column("partial") == 115
    done = score(transcript, server.url)
    assert "calibrated on geneva-2021, kappa 0.00" in done.output
    assert "corrected none" in done.output  # it says one thing of everything: nothing to correct


def test_the_card_greys_what_failed(transcript: Path, server: ChatServer) -> None:
    done = tracktwo("validate-judge", "openai:one", "--base-url", server.url, "--items",
                    "sanctions,syria")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.output.count("FAILED") >= 6
    (card,) = CARDS.known([transcript.parent / "cards"])
    assert {check.id for check in card.checks} == {f"V{n}" for n in range(1, 11)}
    assert "the judge failed V4" in score(transcript, server.url).output


def test_a_ceiling_ends_with_its_own_code_and_keeps_what_was_paid(
    transcript: Path, server: ChatServer
) -> None:
    done = score(transcript, server.url, "--max-calls", "3")
    assert done.exit_code == 3
    assert "Stopped: 3 of 3 calls are made" in done.output
    calls = transcript.with_name("debate.judge-calls.jsonl").read_text()
    assert calls.count('"kind":"judge_call"') == 3


def test_batches_are_fetched_by_the_same_command(transcript: Path) -> None:
    with BatchServer(completion).running() as server:
        first = score(transcript, server.url, "--batch")
        assert "run the same command again" in mended(first)
        server.finish()
        assert "batch_2" in mended(score(transcript, server.url, "--batch"))
        server.finish()
        done = score(transcript, server.url, "--batch")
    assert done.exit_code == 0, done.output
    assert "raw 1.00" in done.output


def test_a_judge_that_refuses_leaves_no_number(transcript: Path, server: ChatServer) -> None:
    server.ordinary = lambda body: spoken(None, refusal="No.")
    done = score(transcript, server.url)
    assert done.exit_code == 0, done.output
    (row,) = [line for line in done.output.splitlines() if "openai:one   us" in line]
    assert row.split()[2:7] == ["0", "none", "none", "none", "none"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--rubric", "consistency"), "name one with --judge"),
        (("--batch",), "name one with --judge"),
        (("--judge", "reference"), "no language model"),
        (("--judge", "openai:x", "--rubric", "consistancy"), "Did you mean consistency?"),
        (("--judge", "openai:x", "--judge", "openai:x"), "named twice"),
        (("--judge", "openai:x", "--max-cost", "1"), "--price"),
        (("--judge", "local", "--batch", "--rubric", "stance"), "ask local without it"),
    ],
)
def test_what_the_user_can_mend_is_one_sentence(
    transcript: Path, arguments: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    said = mended(tracktwo("score", transcript, *arguments))
    assert sentence in said
    assert "\n" not in said
