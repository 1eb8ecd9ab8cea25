"""J2: whether citations carry what they are cited for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from evals.dimensions.sources import sources
from evals.evaluator import Failure
from evals.judging.shapes import Judgements, Verdict
from evals.record import statements
from harness.transcript import Transcript
from tests.evals.dimensions.judgements import (
    ONE,
    Json,
    answering,
    claims,
    example,
    judged,
    judgements,
    one,
    scores,
    verdict,
    words_of,
)
from tests.evals.room import Room, a_party, a_position, a_setting, an_issue, an_item
from tests.evals.talks import two_party_setting
from tests.models.server import ChatServer


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        yield running


def citing() -> Transcript:
    """T1 cites two positions, T2 one that is another party's, T3 none."""
    room = Room(two_party_setting()).opens()
    room.says("us", "All weapons are in. Not only ours.", "us-1", "us-2")
    room.says("us", "They meet every year.", "ru-4")
    room.says("us", "The sea is blue.")
    return room.transcript


def read(
    transcript: Transcript, by_words: Mapping[str, tuple[str | None, str | None, str | None]]
) -> Judgements:
    """Claim -> label on what is cited, the position named, label on the whole record."""
    found = claims(transcript)
    verdicts: list[Verdict] = []
    for claim in found:
        label, position, whole = by_words[claim.text]
        if label != "not asked":
            verdicts.append(verdict(claim, label, by="citations", position=position))
        verdicts.append(verdict(claim, whole))
    return judgements(found, verdicts, "citations", "consistency", judges=[ONE])


KNOWN: Mapping[str, tuple[str | None, str | None, str | None]] = {
    "All weapons are in.": ("supported", "us-1", "supported"),
    "Not only ours.": ("unsupported", None, "supported"),
    "They meet every year.": ("not asked", None, "supported"),
    "The sea is blue.": ("not asked", None, "unsupported"),
}


def test_recall_is_of_check_worthy_sentences_and_uncited_ones_count() -> None:
    results = scores(sources, citing(), read(citing(), KNOWN))
    recall = one(results, "party:us", "recall")
    assert (recall.hits, recall.n, recall.unscored) == (1, 4, 0)
    uncited = one(results, "party:us", "uncited")
    assert (uncited.hits, uncited.n) == (1, 4)
    assert [note.quote for note in uncited.evidence] == [
        "not carried (nothing cited): The sea is blue."
    ]


def test_precision_is_of_all_citations_and_an_invalid_one_never_supports() -> None:
    results = scores(sources, citing(), read(citing(), KNOWN))
    precision = one(results, "party:us", "precision")
    assert (precision.hits, precision.n, precision.unscored) == (1, 3, 0)
    assert [note.quote for note in precision.evidence] == [
        "us-1: supports", "us-2: supports nothing said", "ru-4: other_party",
    ]  # fmt: skip
    f1 = one(results, "party:us", "f1")
    assert f1.value == pytest.approx(2 * (1 / 4) * (1 / 3) / (1 / 4 + 1 / 3))


def test_misattribution_is_of_claims_the_record_supports_in_statements_that_cite() -> None:
    results = scores(sources, citing(), read(citing(), KNOWN))
    wrong = one(results, "party:us", "misattributed")
    assert (wrong.hits, wrong.n, wrong.unscored) == (2, 3, 0)
    assert "Not only ours." in wrong.evidence[0].quote


def test_a_claim_without_a_label_leaves_sentence_and_citation_open() -> None:
    known = {**KNOWN, "Not only ours.": (None, None, "supported")}
    results = scores(sources, citing(), read(citing(), known))
    recall = one(results, "party:us", "recall")
    assert (recall.hits, recall.n, recall.unscored) == (1, 3, 1)
    # us-1 is known to carry the other sentence; what us-2 is for cannot be told.
    precision = one(results, "party:us", "precision")
    assert (precision.hits, precision.n, precision.unscored) == (1, 2, 1)
    wrong = one(results, "party:us", "misattributed")
    assert (wrong.hits, wrong.n, wrong.unscored) == (1, 2, 1)


def test_partial_support_makes_a_citation_good_but_does_not_carry_the_sentence() -> None:
    known = {**KNOWN, "Not only ours.": ("partial", "us-2", "supported")}
    results = scores(sources, citing(), read(citing(), known))
    recall = one(results, "party:us", "recall")
    assert (recall.hits, recall.n, recall.unscored) == (1, 4, 0)
    assert one(results, "party:us", "precision").hits == 2
    assert one(results, "party:us", "misattributed").hits == 2


def test_a_sentence_of_two_claims_needs_both_carried() -> None:
    transcript = citing()
    found = claims(transcript)
    second = found[0].model_copy(update={"id": "T1.1.2", "text": "None is left out."})
    (known, *rest) = read(transcript, KNOWN).of("citations")
    with_it = judgements(
        [*found, second],
        [known, *rest, verdict(second, "unsupported", by="citations")],
        "citations", "consistency", judges=[ONE],
    )  # fmt: skip
    recall = one(scores(sources, transcript, with_it), "party:us", "recall")
    assert (recall.hits, recall.n) == (0, 4)


def test_courtesies_with_citations_have_no_value() -> None:
    room = Room(two_party_setting()).opens().says("us", "Thank you, Chair.", "us-1")
    found = judgements(claims(room.transcript), [], "citations", "consistency", judges=[ONE])
    for metric in ("recall", "precision", "f1", "uncited", "misattributed"):
        assert one(scores(sources, room.transcript, found), "party:us", metric).value is None


def test_what_turns_out_to_be_no_claim_leaves_every_count() -> None:
    known = {**KNOWN, "Not only ours.": ("no_claim", None, "supported"),
             "The sea is blue.": ("not asked", None, "no_claim")}  # fmt: skip
    results = scores(sources, citing(), read(citing(), known))
    assert one(results, "party:us", "recall").n == 2
    assert one(results, "party:us", "uncited").n == 2


def test_without_verdicts_on_the_whole_record_misattribution_is_a_failure() -> None:
    transcript = citing()
    found = claims(transcript)
    alone = judgements(
        found, [verdict(found[0], "supported", by="citations", position="us-1")], "citations"
    )
    results = scores(sources, transcript, alone)
    assert one(results, "party:us", "recall").n > 0
    assert {r.metric for r in results if isinstance(r, Failure)} == {"misattributed"}


def test_without_a_judge_there_is_no_score() -> None:
    assert scores(sources, citing(), judgements((), (), "citations", "consistency")) == []


def two_positions() -> Transcript:
    """T1 and T3 cite the same, T2 something else and an id nobody has, T4 nothing."""
    setting = a_setting(
        a_party(
            "us",
            a_position("us-1", statement="Norland opens the port after the crew is home."),
            a_position("us-2", statement="Norland asks for damages of two million."),
        ),
        a_party("ru"),
        items=(an_item(an_issue("port")),),
    )
    room = Room(setting).opens()
    room.says("us", "First the crew comes home.", "us-1")
    room.says("us", "Two million it is [us-9].", "us-2")
    room.says("us", "The crew, then the port.", "us-1")
    room.says("us", "We have a harbour with blue water.")
    return room.transcript


@pytest.mark.anyio
async def test_a_judge_sees_what_is_cited_and_nothing_else_of_the_record(
    server: ChatServer,
) -> None:
    seen: dict[str, set[str]] = {}

    def rule(line: str, positions: Mapping[str, str]) -> Json:
        seen[words_of(line)] = set(positions.values())
        return {"reason": "no", "label": "unsupported"}

    answering(server, rule)
    found = await judged(two_positions(), server, "citations")
    assert {words: [text[:12] for text in texts] for words, texts in seen.items()} == {
        "First the crew comes home.": ["Norland open"],
        "The crew, then the port.": ["Norland open"],
        "Two million it is [us-9].": ["Norland asks"],
    }
    # Two statements that cite the same are one call; one that cites nothing is none.
    assert len({v.question for v in found.of("citations", ONE)}) == 2


@pytest.mark.anyio
async def test_a_reference_debate_is_judged_over_http(server: ChatServer) -> None:
    transcript = example("reference-eight-of-twelve")

    def rule(line: str, positions: Mapping[str, str]) -> Json:
        """Supported by the first position shown, if it is a fifth the same words."""
        words = words_of(line)
        for handle, text in positions.items():
            shared = set(words.lower().split()) & set(text.lower().split())
            if 5 * len(shared) >= len(text.split()):
                return {
                    "reason": "alike", "quote": " ".join(words.split()[:3]), "position": handle,
                    "position_quote": " ".join(text.split()[:3]), "label": "supported",
                }  # fmt: skip
        return {"reason": "not alike", "label": "unsupported"}

    answering(server, rule)
    found = await judged(transcript, server, "citations", "consistency")
    results = scores(sources, transcript, found)
    recall, precision = (one(results, "debate", m) for m in ("recall", "precision"))
    said = {s.seq: s for s in statements(transcript)}
    assert precision.n + precision.unscored == sum(len(s.citations) for s in said.values())
    assert 0 < float(recall.value or 0) < 1
    assert 0 < float(precision.value or 0) < 1
    for note in precision.evidence:
        assert note.quote.partition(": ")[0] in said[note.seq].citations
    # A sheet for each set of citations, no more.
    calls = {v.question for v in found.of("citations", ONE)}
    assert len(calls) <= sum(bool(s.citations) for s in said.values())


@pytest.mark.anyio
async def test_a_quote_that_is_not_in_the_cited_position_supports_nothing(
    server: ChatServer,
) -> None:
    def rule(line: str, positions: Mapping[str, str]) -> Json:
        return {
            "reason": "so it says", "quote": words_of(line), "position": "P1",
            "position_quote": "Norland opens the port first.", "label": "supported",
        }  # fmt: skip

    answering(server, rule)
    transcript = two_positions()
    found = await judged(transcript, server, "citations", "consistency")
    results = scores(sources, transcript, found)
    recall, precision = (one(results, "party:us", m) for m in ("recall", "precision"))
    # Only what needs no judge is known: the sentence without a citation, the id that is nobody's.
    assert (recall.hits, recall.n, recall.unscored) == (0, 1, 3)
    assert (precision.hits, precision.n, precision.unscored) == (0, 1, 3)


def test_the_same_sentence_said_twice_is_two_sentences() -> None:
    room = Room(two_party_setting()).opens().says("us", "We meet. We meet.", "us-1")
    found = claims(room.transcript)
    verdicts = [verdict(c, "supported", by="citations", position="us-1") for c in found]
    results = scores(
        sources, room.transcript, judgements(found, verdicts, "citations", "consistency")
    )
    assert one(results, "party:us", "recall").n == 2
