"""What the shelf costs over thousands of transcripts, as ratios in one run.

    uv run python benchmarks/shelf.py [TRANSCRIPTS]

Copies the example transcripts, every fifth with its scores, until there are TRANSCRIPTS (5,000),
and times in turn: reading all of them whole (a sample of 200, scaled up); the first look ever at
the folder; the first look of a program that is started later; a look where nothing has changed,
and one where a file has; the page with its hundred rows; and sorting by a score when none was read
yet. Prints each as a share of reading them whole. Takes about 0.7 GB in the temporary folder.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from evals import scores
from evals.evaluator import evaluate
from evals.registry import BUILT_IN
from harness.transcript import read
from harness.viewer.app.index import Index
from harness.viewer.app.shelf import shelf_of
from harness.viewer.app.shelf_search import Asked

EXAMPLES = Path(__file__).parent.parent / "transcripts" / "examples"
WHOLE = "reading all of them whole"
RUNS = 3
SAMPLE = 200
SCORED = 5


def main(count: int) -> None:
    """Time each way in turn and print the ratios."""
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as base:
        transcripts = copies(Path(base) / "debates", count)
        size = sum(path.stat().st_size for path in transcripts)
        for run in range(RUNS):
            kept = Path(base) / f"index-{run}.json"
            for name, seconds in timed(transcripts, kept):
                taken.setdefault(name, []).append(seconds)
        each = kept.stat().st_size / count
    print(f"{count:,} transcripts, {size / 1e6:,.0f} MB, {RUNS} runs of each")
    report(taken)
    whole = statistics.median(taken[WHOLE]) / count
    print(f"  reading one whole: about {1000 * whole:.0f} ms here")
    print(f"  the index keeps {each / 1000:.1f} kB a transcript")


def copies(folder: Path, count: int) -> list[Path]:
    """So many transcripts, every fifth one scored; equal bytes have equal scores."""
    examples = sorted(EXAMPLES.glob("*.jsonl"))
    folder.mkdir()
    first: dict[Path, Path] = {}
    made = []
    for number in range(count):
        example = examples[number % len(examples)]
        path = folder / f"{example.stem}-{number:05}.jsonl"
        shutil.copyfile(example, path)
        made.append(path)
        if number // len(examples) % SCORED == 0:
            if example not in first:
                first[example] = scores.write(path, BUILT_IN, evaluate(read(path), BUILT_IN))
            else:
                shutil.copyfile(first[example], scores.scores_path(path))
    return made


def timed(transcripts: list[Path], kept: Path) -> list[tuple[str, float]]:
    """One run of every way, in seconds; each finds what the one before it left."""
    folder, count = transcripts[0].parent, len(transcripts)
    sample = transcripts[:: max(1, count // SAMPLE)]
    first, later = Index(folder, kept), Index(folder, kept)
    last = transcripts[-1]
    found = [
        (WHOLE, seconds(lambda: [read(path) for path in sample]) * count / len(sample)),
        ("the first look ever", seconds(first.look)),
        ("the first look of a later program", seconds(later.look)),
        ("a look where nothing has changed", seconds(later.look)),
    ]
    shutil.copyfile(transcripts[0], last)
    found += [
        ("a look where one file has", seconds(later.look)),
        ("the page, its rows' scores read", seconds(lambda: shelf_of(later, Asked()))),
        ("the page again", seconds(lambda: shelf_of(later, Asked()))),
        (
            "sorting by a score, none read yet",
            seconds(lambda: shelf_of(first, Asked(sort="in-line"))),
        ),
        ("sorting by a score again", seconds(lambda: shelf_of(first, Asked(sort="in-line")))),
    ]
    return found


def seconds(way: Callable[[], object]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    way()
    return time.perf_counter() - begun


def report(taken: dict[str, list[float]]) -> None:
    """Every way beside reading them whole, with the least and most of all runs."""
    base = statistics.median(taken[WHOLE])
    for name, times in taken.items():
        low, middle, high = (100 * f(times) / base for f in (min, statistics.median, max))
        print(f"  {middle:7.2f} %  ({low:.2f} to {high:.2f})  {name}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
