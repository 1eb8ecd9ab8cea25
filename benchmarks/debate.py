"""What a debate costs apart from its models, as ratios in one run.

    uv run python benchmarks/debate.py [AGENDA]

Holds the agenda between reference negotiators several times in each of five ways, in turn, and
prints each way's median time over that of the bare loop. Ratios hold on a noisy machine, seconds
do not.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from evals.evaluator import evaluate
from evals.registry import BUILT_IN
from harness.debate import debate
from harness.loading import load_setting
from harness.models.budget import Budget
from harness.models.clock import SystemClock
from harness.models.prices import PriceList
from harness.seating import Means, Seating, Wishes, run_card, seat_cards
from harness.session import Sitting
from harness.transcript import read

RUNS = 7


def main(agenda_id: str) -> None:
    """Time each way in turn and print the ratios."""
    setting = load_setting("geneva-2021")
    agenda = setting.agenda(agenda_id)
    means = Means(Budget(), PriceList())
    wishes = Wishes(model="reference")
    card = run_card(setting, agenda, seat_cards(setting.only(agenda), wishes, means.env), seed=0)
    folder = Path(tempfile.mkdtemp())
    done = folder / "done.jsonl"

    async def bare() -> None:
        async for _ in debate(Seating(card, means).room(), card):
            pass

    async def written(path: Path) -> None:
        async for _ in Sitting(card, path, means, SystemClock()).hold():
            pass

    asyncio.run(written(done))
    names = iter(range(10_000))

    def once() -> None:
        asyncio.run(written(folder / f"{next(names)}.jsonl"))

    ways: dict[str, Callable[[], object]] = {
        "the bare loop": lambda: asyncio.run(bare()),
        "the loop, written to a file": lambda: asyncio.run(
            written(folder / f"{next(names)}.jsonl")
        ),
        "reading the file": lambda: read(done),
        "reading it and folding to the end": lambda: read(done).state,
        "scoring it with every evaluator": lambda: evaluate(read(done), BUILT_IN),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            taken[name].append(time.perf_counter() - begun)
    base = statistics.median(taken["the bare loop"])
    turns = read(done).state.turns
    print(f"{agenda_id}: {turns} turns, {len(read(done).events)} events, {RUNS} runs of each")
    for name, seconds in taken.items():
        low, high = min(seconds) / base, max(seconds) / base
        ratio = statistics.median(seconds) / base
        print(f"  {ratio:5.2f}  ({low:.2f} to {high:.2f})  {name}")
    print(f"  the bare loop: about {1000 * base / turns:.1f} ms a turn here")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "summit")
