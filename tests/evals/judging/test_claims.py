"""Sentences become claims: grounded in their sentence, or unscored with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.judging.claims import claims, taken_apart
from evals.judging.courtesy import only_courtesy
from evals.judging.material import Material
from evals.judging.rubrics import rubric
from evals.judging.shapes import Claim, Verdict
from harness.prompt import Reply
from harness.transcript import Transcript, read

EXAMPLE = Path(__file__).parents[3] / "transcripts/examples/reference-eight-of-twelve.jsonl"


@pytest.fixture(scope="module")
def transcript() -> Transcript:
    return read(EXAMPLE)


def first_part(transcript: Transcript, answer: Any) -> list[Claim | Verdict]:
    """What becomes of the first call when the judge answers this about every sentence."""
    part = taken_apart(Material(transcript), rubric("claims")).parts[0]
    data = {
        handle: answer(place.sentence.text) if callable(answer) else answer
        for handle, place in part.places.items()
    }
    return list(claims(part, Reply(text=json.dumps(data)), "openai:x", "claims"))


def test_every_sentence_is_asked_about_or_settled_exactly_once(transcript: Transcript) -> None:
    material = Material(transcript)
    taken = taken_apart(material, rubric("claims"))
    places = [place for part in taken.parts for place in part.places.values()]
    covered: dict[int, list[tuple[int, int]]] = {}
    for place in places:
        covered.setdefault(place.said.seq, []).append(place.sentence[:2])
    for claim in taken.courtesies:
        covered.setdefault(claim.seq, []).append((claim.start, claim.end))
    for statements in material.said.values():
        for said in statements:
            spans = sorted(covered[said.seq])
            assert len(set(spans)) == len(spans)
            missed, at = "", 0
            for start, end in spans:
                missed, at = missed + said.text[at:start], end
            assert not (missed + said.text[at:]).strip()


def test_a_claim_leads_back_to_the_exact_words(transcript: Transcript) -> None:
    found = first_part(transcript, lambda text: [{"claim": text, "type": "position"}])
    texts = {event.seq: event.text for event in transcript.events if hasattr(event, "text")}
    assert found
    for claim in found:
        assert isinstance(claim, Claim)
        assert texts[claim.seq][claim.start : claim.end] == claim.sentence
        assert claim.checkworthy


def test_a_claim_that_was_never_said_is_unscored(transcript: Transcript) -> None:
    invented = [{"claim": "The moon landing was filmed in Ohio.", "type": "fact"}]
    found = first_part(transcript, invented)
    assert found
    for verdict in found:
        assert isinstance(verdict, Verdict)
        assert verdict.label is None
        assert "moon landing" in (verdict.unscored or "")


def test_a_true_start_does_not_carry_an_invented_rest(transcript: Transcript) -> None:
    def half(text: str) -> list[dict[str, str]]:
        rest = "pineapple orchards flourish beneath glaciers owned by seventeen violinists in Quito"
        return [{"claim": f"{text.split()[-1]} {rest}", "type": "fact"}]

    assert all(isinstance(found, Verdict) for found in first_part(transcript, half))


def test_the_same_claim_twice_counts_once(transcript: Transcript) -> None:
    found = first_part(transcript, lambda text: [{"claim": text, "type": "fact"}] * 3)
    places = [(claim.seq, claim.start) for claim in found if isinstance(claim, Claim)]
    assert len(places) > 5
    assert len(set(places)) == len(places)


def test_a_reply_that_cannot_be_read_leaves_every_sentence_unscored(transcript: Transcript) -> None:
    part = taken_apart(Material(transcript), rubric("claims")).parts[0]
    found = list(claims(part, Reply(text="I would rather not."), "openai:x", "claims"))
    assert len(found) == len(part.places)
    assert all(isinstance(v, Verdict) and v.label is None and v.unscored for v in found)


@pytest.mark.parametrize(
    "sentence",
    [
        "Thank you, Chair.",
        "Chair, colleagues.",
        "The American delegation is grateful for the floor.",
        "I would add this.",
        "We thank our hosts for their warm welcome and kind hospitality.",
        "It is an honour to speak today.",
    ],
)
def test_courtesies_are_settled_without_a_judge(sentence: str) -> None:
    assert only_courtesy(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Moscow has no forbidden topics.",
        "We accept the Chair's text on sanctions relief.",
        "Ukraine opposes Nord Stream 2.",
        "Thank you, Chair: we withdraw from the treaty tomorrow.",
        "We will not accept inspections.",
        "We refuse.",
        "Chair, we object.",
    ],
)
def test_substance_is_not_taken_for_a_courtesy(sentence: str) -> None:
    assert not only_courtesy(sentence)
