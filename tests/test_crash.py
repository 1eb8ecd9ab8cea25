"""A crash costs at most the turn in flight: debates in real processes, killed at random moments."""

from __future__ import annotations

import multiprocessing
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from harness.transcript import Transcript, read
from tests.rooms import lines, outcomes
from tests.sitting_driver import sit

KILLS = 20


def told(transcript: Transcript) -> list[str]:
    return [line.partition(",")[2] for line in lines(transcript.debate)]


def killed_at(path: Path, size: int) -> bool:
    """Sit in another process until the file has grown to this size, then die without warning.

    False where the debate was over before it could be killed.
    """
    # A fork server has the program loaded, so that each process begins at once.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.sitting_driver"])
    process = processes.Process(target=sit, args=(path, 0.004))
    process.start()
    while process.is_alive() and (not path.exists() or path.stat().st_size < size):
        time.sleep(0.0005)
    process.kill()
    process.join()
    code = process.exitcode
    process.close()
    assert code in (-signal.SIGKILL, 0)
    return code != 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_debate_killed_twenty_times_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    undisturbed, whole = sit(tmp_path / "whole.jsonl", 0)
    assert undisturbed.path is not None
    size = undisturbed.path.stat().st_size
    rng, kills = random.Random(11), 0
    path = tmp_path / "killed.jsonl"
    for number, share in enumerate(sorted(rng.random() for _ in range(KILLS))):
        before = told(read(path)) if path.exists() else []
        kills += killed_at(path, int(size * share))
        if not path.exists():
            continue
        after = read(path)  # it can always be read
        found = told(after)
        assert found[: len(before)] == before, number  # nothing is lost or rewritten
        assert found == told(undisturbed)[: len(found)], number
    assert kills == KILLS
    again, live = sit(path, 0)
    assert told(again) == told(undisturbed)
    assert outcomes(again.state) == outcomes(undisturbed.state)
    names = [call.call for call in again.calls]
    assert names == whole.asked  # nothing is on record twice
    assert set(live.asked) < set(names)
    assert [event.seq for event in again.events] == list(range(len(again.events)))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_writer_leaves_no_lock_behind(tmp_path: Path) -> None:
    path = tmp_path / "killed.jsonl"
    assert killed_at(path, 20_000)
    assert not read(path).finished
    again, _ = sit(path, 0)
    assert again.finished
