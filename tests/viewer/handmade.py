"""Readings of debates made by hand or drawn from a seed."""

from __future__ import annotations

from pathlib import Path

from evals.evaluator import evaluate
from evals.exporting.visible import public as made_public
from evals.judging.shapes import Judgements
from evals.registry import BUILT_IN
from harness.transcript import Transcript
from harness.viewer.reading import Reading, reading_of
from tests.rooms import Improviser, a_room, held, random_rules, random_setting

EXAMPLES = Path(__file__).parents[2] / "transcripts" / "examples"
SCRIPTED = "scripted-us-votes-against-its-own-text"
REFERENCE = "reference-eight-of-twelve"
SIX = "six-parties-on-nord-stream-2"


def example(name: str) -> Reading:
    """One of the committed debates."""
    return reading_of(EXAMPLES / f"{name}.jsonl")


def a_reading(
    transcript: Transcript, judgements: Judgements | None = None, *, public: bool = False
) -> Reading:
    """A debate that no file holds."""
    shown = made_public(transcript) if public else transcript
    results = evaluate(transcript, BUILT_IN)
    return Reading("a test", shown, results, judgements or Judgements(), None, public)


def a_drawn_reading(seed: int, parties: int = 3, *, public: bool = False) -> Reading:
    """A debate of seats that answer at random, under rules drawn from a seed."""
    setting = random_setting(seed, parties, 2, 2)
    seat = Improviser(seed, bad=0.2, reads_prompts=False)
    past = held(a_room(setting, seat, rules=random_rules(seed, setting)))
    return a_reading(past.transcript, public=public)
