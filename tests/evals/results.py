"""Finding one result among many."""

from __future__ import annotations

from evals.evaluator import Evaluator, Result, Score
from harness.transcript import Transcript


def all_of(evaluator: Evaluator, transcript: Transcript, subject: str, metric: str) -> list[Result]:
    return [r for r in evaluator(transcript) if (r.subject, r.metric) == (subject, metric)]


def one(evaluator: Evaluator, transcript: Transcript, subject: str, metric: str) -> Score:
    """The one score of this subject and metric."""
    (found,) = all_of(evaluator, transcript, subject, metric)
    assert isinstance(found, Score), found
    return found
