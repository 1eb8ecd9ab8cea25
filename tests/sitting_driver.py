"""A debate slow enough to be killed half-way, for processes of their own: see test_crash.py."""

from __future__ import annotations

import asyncio
from pathlib import Path

from harness.events import CHAIR
from harness.models.reference import Reference
from harness.setting import Rules, Setting
from harness.transcript import Transcript
from harness.turn import Reply, Request
from tests.rooms import Live, a_sitting, random_setting, sat


class Slow(Reference):
    """The reference negotiator, thinking."""

    metered = True
    reads_prompts = True  # so that prompts are on the record, as with a language model

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def answer(self, request: Request) -> Reply:
        await asyncio.sleep(self._seconds)
        return await super().answer(request)


def crashing_setting() -> Setting:
    return random_setting(2, 3, 2, 2, rules=Rules(rounds=2))


def sit(path: Path, seconds: float) -> tuple[Transcript, Live]:
    """Hold the debate, or go on with it, to its end."""
    seats = {seat: Slow(seconds) for seat in ("us", "us-east", "ru", CHAIR)}
    live = Live(seats)
    sitting = a_sitting(path, crashing_setting(), live, resume=path.exists(), speech="free")
    return sat(sitting), live
