"""Experiments whose debates are real and whose scores are written by hand.

The transcripts are those of the reference negotiator, one an item, under the names that the plan
gives them; what stands in them is nobody's business but the facts'. Beside each lies a file of
scores as the program would have written it.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from evals import scores
from evals.comparison.shapes import Results, Row
from evals.evaluator import Evidence, Judged, Result, Score
from evals.registry import BUILT_IN
from harness import transcript
from harness.events import CHAIR
from harness.experiment.design import Cell
from harness.experiment.folder import Broken, Folder
from harness.experiment.reading import Read, load_experiment
from harness.sweep.running import run_experiment

ITEMS = (
    "cooperation-agenda", "detained-citizens", "sanctions", "nord-stream-2", "syria", "libya",
    "human-rights", "diplomatic-relations",
)  # fmt: skip
"""Eight items of few issues."""

NOISE = (0.03, -0.02, 0.01, -0.04, 0.02, 0.0, -0.01, 0.04)
"""Small differences, one a scenario, whose mean is near 0."""

FILE = """\
id: planted
question: Is b better than a?
agenda: summit
items: [{items}]
seeds: {seeds}
common: {{model: reference, rules: {{rounds: 1}}}}
arms: {arms}
baseline: a
primary: {{metric: concordance/in_line, of: debate, better: higher, smallest: 0.1}}
secondary:
  - {{metric: agreement/agreement_rate, of: debate}}
  - {{metric: red_lines/crossed_hard, of: debate, better: lower}}
{more}
"""

ARMS = "[{id: a, prompt: dossier}, {id: b, prompt: interests}, {id: c, prompt: name-only}]"


class Planted(NamedTuple):
    """What the scores of one debate say."""

    in_line: float | None = 0.5
    """None where nobody voted."""
    agreed: float = 0.5
    crossed: float | None = 0.0
    n: int = 10
    unscored: int = 0
    more: tuple[Result, ...] = ()


Planting = Callable[[Cell], Planted | None]
"""What a debate came to; None where it has not been held."""


def experiment(
    folder: Path, *, arms: str = ARMS, seeds: int = 2, items: Iterable[str] = ITEMS, more: str = ""
) -> Read:
    """An experiment file in the folder, as read."""
    path = folder / "planted.yaml"
    text = FILE.format(items=", ".join(items), seeds=seeds, arms=arms, more=more)
    path.write_text(text, encoding="utf-8")
    return load_experiment(path)


def plant(read: Read, folder: Path, value: Planting, *, declare: bool = True) -> Path:
    """Fill a folder as if the debates had been held and scored."""
    folder.mkdir(parents=True, exist_ok=True)
    if declare:
        Folder(folder).declare(read.experiment, read.source, "2026-01-01T08:00:00+00:00", 0)
    for cell in read.design.cells():
        if (planted := value(cell)) is not None:
            path = Folder(folder).transcript(cell)
            shutil.copy(_debate(cell.agenda.items[0], cell.agenda.parties), path)
            write_scores(path, planted)
    return folder


def write_scores(path: Path, planted: Planted) -> None:
    """The file of scores beside a transcript."""
    made = [
        share("concordance", "in_line", planted.in_line, planted.n, planted.unscored),
        share("agreement", "agreement_rate", planted.agreed, 4),
        share("red_lines", "crossed_hard", planted.crossed, 2),
        *planted.more,
    ]
    scores.write(path, BUILT_IN, made)


def share(
    evaluator: str,
    metric: str,
    value: float | None,
    n: int = 10,
    unscored: int = 0,
    *,
    subject: str = "debate",
    judge: Judged | None = None,
) -> Score:
    """A share of cases, as an evaluator gives it."""
    return Score(
        evaluator=evaluator, version=1, subject=subject, metric=metric, value=value,
        n=0 if value is None else n, hits=None if value is None else round(value * n),
        unscored=unscored, reason="planted", evidence=(Evidence(seq=0),), judge=judge,
    )  # fmt: skip


def broke(folder: Path, cell: Cell, *, attempts: int = 2, why: str = "the wire was cut") -> None:
    """Put on file that a debate broke off."""
    for attempt in range(1, attempts + 1):
        event = Broken(debate=cell.name, at="2026-01-01T09:00:00+00:00", attempt=attempt, why=why)
        Folder(folder).broke(event)


def rewritten(path: Path, line: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a line of a transcript, and let the scores beside it hold for it still."""
    lines = path.read_text(encoding="utf-8").splitlines()
    data = json.loads(lines[line])
    change(data)
    lines[line] = json.dumps(data)
    kept = scores.read(scores.scores_path(path)).results
    path.write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
    scores.write(path, BUILT_IN, kept)


def row(results: Results, name: str, metric: str = "concordance/in_line") -> Row:
    """The row of an arm or yardstick in the comparison itself."""
    (found,) = [
        r for r in results.rows
        if r.name == name and r.metric.metric == metric and r.variation is None
    ]  # fmt: skip
    return found


def index(cell: Cell) -> int:
    """Number of the cell's scenario."""
    return ITEMS.index(cell.scenario)


@cache
def _debate(item: str, seats: tuple[str, ...]) -> Path:
    """A finished debate of the reference negotiator on an item, in this seat order."""
    held = _held(item)
    (path,) = (p for p in held.glob("a.*.s0?-*.jsonl") if _seats(p) == seats)
    return path


@cache
def _held(item: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="planted-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    read = experiment(folder, items=[item], arms="[{id: a}, {id: b, prompt: terse}]")
    return run_experiment(read.path, out=folder / "held").folder.path


def _seats(path: Path) -> tuple[str, ...]:
    return tuple(seat.seat for seat in transcript.read(path).card.seats if seat.seat != CHAIR)
