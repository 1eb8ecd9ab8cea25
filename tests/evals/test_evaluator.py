from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from evals.evaluator import Failure, Marker, Result, Score, evaluate, evaluator
from evals.registry import BUILT_IN, named
from harness.transcript import Transcript
from tests.evals.talks import half_agreed


@evaluator("fine", version=3)
def fine(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    yield mark.score("debate", "events", len(transcript.events), "counted", n=1)


@evaluator("broken", version=1)
def broken(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    yield mark.score("debate", "first", 1, "made before it broke", n=1)
    raise ZeroDivisionError("division by zero")


def test_an_evaluator_that_breaks_is_a_failure_and_the_others_go_on() -> None:
    transcript = half_agreed().transcript
    found = evaluate(transcript, (broken, fine))
    assert [(r.evaluator, r.metric) for r in found] == [
        ("broken", "first"), ("broken", "*"), ("fine", "events"),
    ]  # fmt: skip
    assert found[1] == Failure(
        evaluator="broken",
        version=1,
        subject="debate",
        metric="*",
        why="the evaluator broke: ZeroDivisionError: division by zero",
    )


def test_a_failure_is_not_0_and_removes_nothing() -> None:
    """A peer turned a judge's failure into 0 and then deleted the episode."""
    transcript = half_agreed().transcript
    with_failure = evaluate(transcript, (broken, fine))
    alone = evaluate(transcript, (fine,))
    assert set(alone) <= set(with_failure)
    failure = next(r for r in with_failure if isinstance(r, Failure))
    assert not hasattr(failure, "value")


def test_results_are_joined_by_name_so_two_evaluators_may_not_share_one() -> None:
    with pytest.raises(ValueError, match="same name"):
        evaluate(half_agreed().transcript, (fine, fine))


def test_a_transcript_without_a_run_card_fails_every_evaluator_with_a_reason() -> None:
    header = half_agreed().transcript.events[:1]
    for events in ((), header):
        found = evaluate(Transcript(events), BUILT_IN)
        assert len(found) == len(BUILT_IN)
        assert all(isinstance(r, Failure) and "run card" in r.why for r in found)


def test_an_empty_denominator_has_no_value_and_says_so() -> None:
    mark = Marker("x", 1)
    rate = mark.rate("debate", "m", 0, 0, "things of things")
    assert (rate.value, rate.n, rate.interval) == (None, 0, None)
    assert rate.reason == "no value, there was nothing to count: things of things"
    assert mark.mean("debate", "m", [], "things").value is None


def test_every_result_of_every_evaluator_shows_its_denominator_reason_and_events() -> None:
    transcript = half_agreed().transcript
    seqs = {event.seq for event in transcript.events}
    for result in evaluate(transcript, BUILT_IN):
        assert isinstance(result, Score), result
        assert result.reason
        assert {note.seq for note in result.evidence} <= seqs
        # Only the statement that something never happened has no event to show.
        if result.value and result.label != "held":
            assert result.evidence, result
        if isinstance(result.value, float):
            assert result.n > 0, result


def test_a_score_cannot_be_infinite_or_not_a_number() -> None:
    with pytest.raises(ValidationError):
        Marker("x", 1).score("debate", "m", float("nan"), "why", n=1)


def test_built_in_evaluators_are_found_by_name() -> None:
    assert len({each.name for each in BUILT_IN}) == len(BUILT_IN)
    assert named("red_lines", "leaks") == tuple(
        each for each in BUILT_IN if each.name in ("red_lines", "leaks")
    )
    assert named() == BUILT_IN
    with pytest.raises(KeyError, match="there are outcomes, agreement"):
        named("charm")
