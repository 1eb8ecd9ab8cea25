"""Law 8, no hindsight: nothing of what history did is opened or told while a debate is held."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from evals.backtest.history import load_history, outcomes_file
from harness.loading import load_setting
from harness.models.budget import Budget
from harness.models.clock import SystemClock
from harness.models.prices import PriceList
from harness.seating import Means, Wishes, run_card, seat_cards
from harness.session import Sitting
from harness.transcript import read
from tests.rooms import Improviser, a_room, held, sent_text

ROOT = Path(__file__).parents[2]

WATCHED = """
import sys
from pathlib import Path
opened, early = [], []
record = Path(sys.argv[2])
def watch(event, told):
    if event != "open" or str(told[0]) == str(record):
        return
    opened.append(str(told[0]))
    if "backtests" in opened[-1]:
        over = record.exists() and '"debate_closed"' in record.read_text(encoding="utf-8")
        early.extend([] if over else [opened[-1]])
sys.addaudithook(watch)
from typer.testing import CliRunner
from harness import cli
if sys.argv[1] == "read":
    from evals.backtest import load_history, outcomes_file
    from harness.loading import load_setting
    load_history(outcomes_file("geneva-2021"), load_setting("geneva-2021"))
else:
    done = CliRunner().invoke(cli.app, sys.argv[3:])
    assert done.exit_code == 0, done.output
print(len(early), len(opened))
"""
"""Counts the files of the back-tests that are opened before the record says that it is over."""


def opened(what: str, record: Path, *arguments: str) -> tuple[int, int]:
    """How many files of the back-tests a process opens too early, and how many files at all."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, what, str(record), *arguments],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    early, every = done.stdout.split()
    return int(early), int(every)


def test_no_file_of_the_back_tests_is_opened_before_a_debate_is_over(tmp_path: Path) -> None:
    out = tmp_path / "debate.jsonl"
    early, every = opened("run", out, "run", "--items", "human-rights", "--model", "reference",
                          "--quiet", "--out", str(out))  # fmt: skip
    assert out.exists()
    assert early == 0
    assert every > 20
    assert opened("read", tmp_path / "none.jsonl")[0] > 0  # the watch would have seen it


def phrases() -> list[str]:
    """What the outcomes say happened, sentence by sentence."""
    history = load_history(outcomes_file("geneva-2021"), load_setting("geneva-2021"))
    told = [sentence for o in history.outcomes for sentence in (o.what, o.why, *o.what.split(". "))]
    return [sentence.rstrip(".") for sentence in told if len(sentence) > 25]


def test_no_prompt_on_the_whole_agenda_says_what_history_did() -> None:
    setting = load_setting("geneva-2021")
    seat = Improviser(5)
    past = held(
        a_room(setting.only(setting.agenda("summit")), seat, speech="free", memory="debate")
    )
    assert past.transcript.events
    said = "\n".join(sent_text(request) for request in seat.asked)
    assert len(seat.asked) > 50
    assert len(phrases()) > 57
    assert "Navalny" in said
    assert not [phrase for phrase in phrases() if phrase in said]


def test_no_record_of_a_debate_says_what_history_did(tmp_path: Path) -> None:
    setting = load_setting("geneva-2021")
    agenda = setting.agenda("regional")
    means = Means(Budget(), PriceList())
    seats = seat_cards(setting.only(agenda), Wishes(model="reference"), means.env)
    path = tmp_path / "debate.jsonl"

    async def hold() -> None:
        card = run_card(setting, agenda, seats, 0)
        async for _ in Sitting(card, path, means, SystemClock()).hold():
            pass

    asyncio.run(hold())
    assert read(path).finished
    record = path.read_text(encoding="utf-8")
    assert not [phrase for phrase in phrases() if phrase in record]
