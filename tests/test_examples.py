"""The committed examples: what the program did once, it does again."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness import cli
from harness.events import NOTICE
from harness.transcript import read

FOLDER = Path(__file__).parents[1] / "transcripts" / "examples"
EXAMPLES = sorted(FOLDER.glob("*.jsonl"))


def test_there_are_examples_of_model_script_and_reference() -> None:
    models = {seat.model.partition(":")[0] for path in EXAMPLES for seat in read(path).card.seats}
    assert {"reference", "local", "script"} <= models
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_replays_byte_for_byte(path: Path, tmp_path: Path) -> None:
    """Fails when events, words, prompts or rules change: hold the examples again with make.sh."""
    again = tmp_path / "again.jsonl"
    done = CliRunner().invoke(
        cli.app, ["run", "--model", f"replay:{path}", "--out", str(again), "--quiet"]
    )

    assert done.exit_code == 0, done.exception
    assert again.read_bytes().split(b"\n")[2:] == path.read_bytes().split(b"\n")[2:]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_small_listed_and_says_that_it_is_simulated(path: Path) -> None:
    assert path.stat().st_size < 250_000
    assert path.name in (FOLDER / "README.md").read_text(encoding="utf-8")
    assert read(path).header.notice == NOTICE
