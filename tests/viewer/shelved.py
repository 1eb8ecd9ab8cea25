"""Folders of debates for the tests of the shelf: the example transcripts under other names."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from evals import scores
from evals.evaluator import evaluate
from evals.registry import BUILT_IN
from harness import events as e
from harness.transcript import read

EXAMPLES = Path("transcripts/examples")
ALL_AGREED = "embedded-model-guarded"
SOME_AGREED = "reference-eight-of-twelve"
LITTLE_AGREED = "scripted-us-votes-against-its-own-text"
SIX = "six-parties-on-nord-stream-2"
HOUR = 3600.0


def put(
    folder: Path,
    name: str,
    like: str = SOME_AGREED,
    *,
    created: str = "",
    models: Mapping[str, str] | None = None,
    prompts: Mapping[str, str] | None = None,
    cut: int | None = None,
) -> Path:
    """An example under another name, held an hour ago, with changes to its first two lines.

    Args:
        folder: Where to.
        name: The file's path within it, without its ending.
        like: The example.
        created: When it was held.
        models: By seat.
        prompts: By seat.
        cut: How many lines are left; all where left out.
    """
    lines = (EXAMPLES / f"{like}.jsonl").read_bytes().split(b"\n")[:-1]
    header, card = json.loads(lines[0]), json.loads(lines[1])
    header |= {"debate": name.rpartition("/")[2]} | ({"created": created} if created else {})
    for seat in card["seats"]:
        seat["model"] = (models or {}).get(seat["seat"], seat["model"])
        seat["prompt"] = (prompts or {}).get(seat["seat"], seat.get("prompt"))
    lines[:2] = [json.dumps(header).encode(), json.dumps(card).encode()]
    path = folder / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(line + b"\n" for line in lines[:cut]))
    return aged(path)


def aged(path: Path, seconds: float = HOUR) -> Path:
    """The same file, as if it had been written so long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def score(path: Path) -> Path:
    """Score a transcript as `tracktwo score` does; the file of scores."""
    return scores.write(path, BUILT_IN, evaluate(read(path), BUILT_IN))


def last_turn(path: Path) -> int:
    """Number of the last turn, by a whole reading."""
    turns = (event.turn for event in read(path).events if isinstance(event, e.TurnEvent))
    return max((int(turn[1:]) for turn in turns), default=0)
