"""Experiment files for tests, and the debates they ask for."""

from __future__ import annotations

from pathlib import Path

from harness.experiment.design import Cell
from harness.experiment.reading import Read, load_experiment

SOUND = """\
id: talk
question: Which of two prompts brings more agreement?
items: [libya, syria]
seeds: 2
common: {model: reference, rules: {rounds: 1}}
arms:
  - {id: one, prompt: dossier}
  - {id: two, prompt: interests}
baseline: one
primary: {metric: agreement/agreement_rate, of: debate, smallest: 0.1}
"""


def changed(*changes: tuple[str, str], text: str = SOUND) -> str:
    """The file with texts in it replaced, each of which stands there once."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the file"
        text = text.replace(old, new)
    return text


def experiment(folder: Path, *changes: tuple[str, str], more: str = "") -> Read:
    """The sound experiment after these changes, from a file in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "talk.yaml"
    file.write_text(changed(*changes) + more, encoding="utf-8")
    return load_experiment(file)


def cells(folder: Path, *changes: tuple[str, str], more: str = "") -> list[Cell]:
    """All debates of it."""
    return list(experiment(folder, *changes, more=more).design.cells())
