"""docs/experiments.md and the example beside it say what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from evals.comparison.results import results_of
from harness.cli import app
from harness.experiment.reading import load_experiment
from harness.experiment.shapes import (
    Arm,
    Ceilings,
    Conditions,
    Cross,
    Experiment,
    LimitsFile,
    Primary,
    Variation,
)
from harness.sweep.running import run_experiment

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "docs" / "prompt_comparison.py"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_key_of_an_experiment_has_its_line() -> None:
    first = " ".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", first)) == {
        *Experiment.model_fields,
        *Conditions.model_fields,
    }
    for shape in (Arm, Variation, Cross, Primary, Ceilings, LimitsFile):
        for key in shape.model_fields:
            assert f"`{key}`" in PAGE, (shape.__name__, key)


def test_the_experiment_on_the_page_loads_and_has_as_many_debates_as_it_says(
    tmp_path: Path,
) -> None:
    (text,) = blocks("yaml")
    file = tmp_path / "our-prompt.yaml"
    file.write_text(text, encoding="utf-8")
    found = load_experiment(file)
    assert f": {len(list(found.design.cells()))} debates." in PAGE
    assert f"{len(found.design.arms)} arms x {len(found.design.scenarios)} scenarios" in PAGE


def test_every_command_on_the_page_exists_with_its_options() -> None:
    verbs = get_command(app).commands  # type: ignore[attr-defined]
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(lines) > 8
    for line in lines:
        program, verb, *rest = line.partition("#")[0].split()
        assert program == "tracktwo"
        known = {option for each in verbs[verb].params for option in each.opts}
        assert {word for word in rest if word.startswith("--")} <= known, line


def test_the_lines_of_python_on_the_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = blocks("python")
    monkeypatch.chdir(tmp_path)
    # Another experiment of the program would take minutes to score; the lines are the same.
    small = tmp_path / "small.yaml"
    text = load_experiment("chair-rules").source.replace("id: chair-rules", "id: small")
    small.write_text(text.replace("agenda: summit", "items: [libya, syria]"), encoding="utf-8")
    assert code.count('"chair-rules", out') == 1
    names: dict[str, object] = {}
    exec(code.replace('"chair-rules", out', '"small.yaml", out'), names)
    assert "as-usual" in str(names["verdict"])


def test_the_example_prints_its_verdict(tmp_path: Path) -> None:
    source = EXAMPLE.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 40
    assert f"in {len(source.splitlines())} lines" in PAGE
    command = [sys.executable, str(EXAMPLE), str(tmp_path / "two")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("On votes in line with the mandate, against summary: ")
    # What reads no prompt cannot be told apart by prompts; the words say that, and no more.
    assert "positions is equivalent" in done.stdout
    held = run_experiment(tmp_path / "two" / "two-prompts.yaml", out=tmp_path / "two" / "debates")
    assert (held.tally.there, held.tally.held) == (12, 0)
    assert results_of(held.folder.path).sentence in done.stdout
