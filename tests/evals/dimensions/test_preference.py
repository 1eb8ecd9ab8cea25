"""Self-preference shows where there is any, and leniency towards everybody is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evals.dimensions.preference import preference
from evals.evaluator import Score
from evals.judging.shapes import Claim, Judgements
from harness.transcript import Transcript
from tests.evals.dimensions.judgements import claims, example, judgements, verdict

OWN, OTHER = "openai:gpt-judge", "anthropic:claude-judge"


@pytest.fixture
def transcript() -> Transcript:
    """A debate in which a `gpt` model speaks for Washington and another for Moscow."""
    found = example("reference-eight-of-twelve")
    models = {"us": "openai:gpt-5.4-mini", "ru": "anthropic:claude-x"}
    seats = tuple(
        seat.model_copy(update={"model": models.get(seat.seat, seat.model)})
        for seat in found.card.seats
    )
    card = found.card.model_copy(update={"seats": seats})
    return Transcript((found.events[0], card, *found.events[2:]))


def judged(
    transcript: Transcript, kind: Callable[[str, Claim], bool]
) -> dict[tuple[str, str], Score]:
    said = [claim for claim in claims(transcript) if claim.checkworthy]
    given = [
        verdict(claim, "supported" if kind(judge, claim) else "unsupported", judge=judge)
        for judge in (OWN, OTHER)
        for claim in said
    ]
    found: Judgements = judgements(said, given, "consistency")
    results = preference.on(found)(transcript)
    return {(r.judge.judge, r.metric): r for r in results if isinstance(r, Score) and r.judge}


def test_a_judge_that_favours_its_own_family_is_found_out(transcript: Transcript) -> None:
    found = judged(transcript, lambda judge, claim: judge == OWN and claim.party == "us")
    own = found[OWN, "net"]
    assert own.value == 1
    assert own.interval is not None
    assert own.interval.low > 0
    assert found[OWN, "other_seats"].value == 0


def test_leniency_towards_everybody_is_no_preference(transcript: Transcript) -> None:
    found = judged(transcript, lambda judge, claim: judge == OWN)
    assert found[OWN, "own_seats"].value == 1
    assert found[OWN, "net"].value == 0


def test_without_seats_of_both_kinds_nothing_is_said() -> None:
    assert judged(example("reference-eight-of-twelve"), lambda judge, claim: True) == {}
