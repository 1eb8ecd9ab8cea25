"""What the page of a long debate costs: to make, to open, to scroll.

    uv run python benchmarks/page.py [TURNS]

Lets reference negotiators of six parties debate the whole agenda until there are TURNS turns (400),
makes the page, and opens it in headless Chromium three times, in turn with a page that holds one
paragraph. Prints, for both: the time from the request to the first paint of content, to the end of
loading, and how the frames came while the page was scrolled like by a fast wheel and dragged from
top to bottom, the issue board being scrolled sideways all the while. Jank is a frame that took more
than 50 ms, three frames' time.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

from harness.agendas import agenda_by_hand
from harness.events import Statement
from harness.loading import load_setting
from harness.models.budget import Budget
from harness.models.clock import SystemClock
from harness.models.prices import PriceList
from harness.seating import Means, Wishes, run_card, seat_cards
from harness.session import Sitting
from harness.transcript import Transcript, read
from harness.viewer.page.page import page
from harness.viewer.reading import reading_of

RUNS = 3
JANK = 50.0  # ms
EMPTY = "<!doctype html><html lang=en><title>empty</title><p>One paragraph.</p>"

TIMES = """() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const loading = performance.getEntriesByType("navigation")[0];
  return [paint ? paint.startTime : NaN, loading.loadEventEnd];
}"""

# Six stretches of the page, a hundred frames each, at 100 px a frame: 6,000 px a second at 60 Hz,
# a fast wheel. Jumping: the whole page in 200 steps, as when the scroll bar is dragged.
SCROLL = """async (jumping) => {
  const frames = [];
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const height = document.documentElement.scrollHeight;
  const board = document.querySelector("[data-scrolls]");
  const places = [];
  if (jumping) for (let step = 1; step <= 200; step += 1) places.push(height * step / 200);
  else for (let part = 0; part < 6; part += 1)
    for (let step = 0; step < 100; step += 1) places.push(height * part / 6 + 100 * step);
  let last = await frame();
  for (const [step, place] of places.entries()) {
    const jumped = !jumping && step % 100 === 0;
    scrollTo(0, place);
    if (board) board.scrollLeft = board.scrollWidth * step / places.length;
    const now = await frame();
    if (!jumped) frames.push(now - last);
    last = now;
  }
  return frames;
}"""


class Opened(NamedTuple):
    """One visit to a page; milliseconds."""

    paint: float
    loaded: float
    scrolled: list[float]
    """Frames of a steady scroll at 100 px a frame."""
    jumped: list[float]
    """Frames while the scroll bar was dragged through the whole page."""


def main(turns: int) -> None:
    """Make the debate and its page, and open it."""
    folder = Path(tempfile.mkdtemp())
    transcript = long_debate(folder / "long.jsonl", turns)
    cost = making(transcript)
    reading = reading_of(transcript)
    (folder / "page.html").write_text(page(reading), encoding="utf-8")
    (folder / "empty.html").write_text(EMPTY, encoding="utf-8")
    size = (folder / "page.html").stat().st_size
    print(f"{turns_of(reading.transcript)} turns, {len(reading.transcript.events)} events")
    print(f"page: {size / 1e6:.2f} MB, {size / transcript.stat().st_size:.1f} x the transcript")
    print(f"making it takes {cost:.1f} x as long as reading and scoring the transcript")
    found: dict[str, list[Opened]] = {"empty.html": [], "page.html": []}
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(RUNS):
            for name, visits in found.items():
                visits.append(visit(browser, folder / name))
        browser.close()
    for name, visits in found.items():
        print(f"{name:<11} {described(visits)}")
    base, ours = (statistics.median(v.paint for v in found[name]) for name in found)
    print(f"first paint: {ours / base:.1f} x that of an empty page")


def long_debate(path: Path, turns: int) -> Path:
    """A debate of at least so many turns, cut after the last of them."""
    setting = load_setting("geneva-2021")
    parties = [party.id for party in setting.parties]
    rounds = max(1, turns // (len(parties) * len(setting.items)) - 1)
    agenda = agenda_by_hand(setting, "summit", parties=parties, rules={"rounds": rounds})
    means = Means(Budget(), PriceList())
    seats = seat_cards(setting.only(agenda), Wishes(model="reference"), means.env)
    card = run_card(setting, agenda, seats, seed=0)

    async def held() -> None:
        seen = 0
        async for event in Sitting(card, path, means, SystemClock()).hold():
            seen += isinstance(event, Statement)
            if seen > turns:
                break

    asyncio.run(held())
    return path


def turns_of(transcript: Transcript) -> int:
    """How many statements were made."""
    return sum(isinstance(event, Statement) for event in transcript.events)


def making(path: Path) -> float:
    """Time to make the page over the time to read and score the transcript."""
    times: list[tuple[float, float]] = []
    for _ in range(RUNS):
        start = time.perf_counter()
        reading = reading_of(path)
        read(path)
        between = time.perf_counter()
        page(replace(reading))
        times.append((between - start, time.perf_counter() - between))
    return statistics.median(made / scored for scored, made in times)


def visit(browser: Browser, file: Path) -> Opened:
    """Open a page and scroll it."""
    view = browser.new_page(viewport={"width": 1280, "height": 900})
    view.goto(file.as_uri())
    view.wait_for_timeout(500)
    paint, loaded = view.evaluate(TIMES)
    scrolled = view.evaluate(SCROLL, False)
    jumped = view.evaluate(SCROLL, True)
    view.close()
    return Opened(paint, loaded, scrolled, jumped)


def described(visits: list[Opened]) -> str:
    """The median visit."""
    paint = statistics.median(each.paint for each in visits)
    loaded = statistics.median(each.loaded for each in visits)
    lines = [f"first paint {paint:.0f} ms, loaded {loaded:.0f} ms"]
    lines.append(f"scrolled: {_frames([frame for each in visits for frame in each.scrolled])}")
    lines.append(f"dragged:  {_frames([frame for each in visits for frame in each.jumped])}")
    return "\n            ".join(lines)


def _frames(frames: list[float]) -> str:
    frames = sorted(frames)
    slow = sum(frame > JANK for frame in frames)
    return (
        f"median {statistics.median(frames):.0f} ms a frame, 95th percentile "
        f"{frames[int(len(frames) * 0.95)]:.0f} ms, longest {frames[-1]:.0f} ms, "
        f"{slow} of {len(frames)} over {JANK:.0f} ms"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
