"""J1: shares of claims held against the record, the balance, and judges beside each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import pytest

from evals.dimensions.consistency import LABELS, consistency
from evals.evaluator import Failure, evaluate
from evals.judging.shapes import Judgements, Verdict
from evals.record import statements
from evals.text import sentences
from harness.transcript import Transcript
from tests.evals.dimensions.judgements import (
    ONE,
    TWO,
    Json,
    answering,
    claims,
    example,
    judged,
    judgements,
    one,
    said_in,
    scores,
    verdict,
    words_of,
)
from tests.evals.room import Room
from tests.evals.talks import two_party_setting
from tests.models.server import Answer, ChatServer, spoken


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        yield running


def spoken_room() -> Transcript:
    """Six check-worthy sentences of one party in three turns, one of the other."""
    room = Room(two_party_setting()).opens()
    room.says("us", "Thank you. All weapons are in. The pipes too.")
    room.says("ru", "Only yours are in.")
    room.says("us", "We meet never again. We meet in June.")
    room.says("us", "The sea is blue. It is a fine day.")
    return room.transcript


def labelled(transcript: Transcript, *labels: str | None, judge: str = ONE) -> list[Verdict]:
    """Verdicts on the American claims, in order."""
    found = [c for c in claims(transcript) if c.party == "us" and c.checkworthy]
    return [verdict(c, label, judge=judge) for c, label in zip(found, labels, strict=True)]


def the_vector(*labels: str | None) -> tuple[Transcript, Judgements]:
    transcript = spoken_room()
    found = labelled(transcript, *labels)
    return transcript, judgements(claims(transcript), found, "consistency")


def test_the_four_shares_are_of_claims_with_something_to_check_and_sum_to_one() -> None:
    results = scores(
        consistency,
        *the_vector("supported", "supported", "contradicted", "partial", "unsupported", "no_claim"),
    )
    shares = [one(results, "party:us", label) for label in LABELS]
    assert [share.value for share in shares] == [0.4, 0.2, 0.2, 0.2]
    assert {(share.n, share.unscored) for share in shares} == {(5, 0)}
    assert "1 no claim after all" in shares[0].reason
    balance = one(results, "party:us", "balance")
    assert balance.value == pytest.approx((1 + 1 - 1 + 0.5 + 0) / 5)
    assert "never read it alone" in balance.reason


def test_abstentions_and_what_has_no_label_are_unscored_and_no_share_counts_them() -> None:
    results = scores(
        consistency,
        *the_vector("supported", "abstain", None, "contradicted", "abstain", "supported"),
    )
    supported = one(results, "party:us", "supported")
    assert (supported.value, supported.n, supported.unscored) == (2 / 3, 3, 3)
    assert "2 abstained, 1 without a readable label" in supported.reason


def test_a_claim_the_judge_was_never_asked_about_is_unscored() -> None:
    results = scores(consistency, *the_vector(*["supported"] * 6))
    russian = one(results, "party:ru", "supported")
    assert (russian.value, russian.n, russian.unscored) == (None, 0, 1)
    assert one(results, "debate", "supported").unscored == 1


def test_a_sentence_that_could_not_be_taken_apart_is_unscored() -> None:
    transcript, found = the_vector(*["supported"] * 6)
    cut = Verdict(
        judge=ONE, rubric="claims", unit="T2.1", party="ru", item="arms", unscored="cut off"
    )
    results = scores(consistency, transcript, found.with_records([cut]))
    assert one(results, "party:ru", "supported").unscored == 2
    assert one(results, "party:us", "supported").unscored == 0


def test_subjects_are_party_party_on_item_and_debate() -> None:
    results = scores(consistency, *the_vector(*["supported"] * 6))
    subjects = {result.subject for result in results}
    assert subjects == {
        "debate", "party:us", "party:ru", "party:us/item:arms", "party:ru/item:arms",
    }  # fmt: skip
    assert one(results, "party:us/item:arms", "supported").n == 6


def test_every_contradiction_is_named_and_at_most_five_supported() -> None:
    transcript, found = the_vector(*["contradicted"] * 6)
    named = one(scores(consistency, transcript, found), "party:us", "contradicted").evidence
    assert named[0].quote == "contradicted: All weapons are in."
    assert len(named) == 6
    transcript, found = the_vector(*["supported"] * 6)
    results = scores(consistency, transcript, found)
    assert len(one(results, "party:us", "supported").evidence) == 5
    assert len(one(results, "party:us", "balance").evidence) == 5


def test_evidence_names_the_position_and_real_words_where_the_judge_saw_masked_ones() -> None:
    transcript = spoken_room()
    (claim, *_) = [c for c in claims(transcript) if c.party == "us" and c.checkworthy]
    masked = verdict(claim, "contradicted", position="us-1").model_copy(
        update={"masked": True, "quote": "All weapons of Party A are in."}
    )
    results = scores(
        consistency, transcript, judgements(claims(transcript), [masked], "consistency")
    )
    (note,) = one(results, "party:us", "contradicted").evidence
    assert note.quote == "contradicted (us-1): All weapons are in."
    assert said_in(transcript, note, "All weapons are in.")


def test_the_interval_of_the_balance_draws_turns_and_not_claims() -> None:
    # All claims of a turn alike: with claims drawn, the interval would be far narrower.
    room = Room(two_party_setting()).opens()
    for turn in range(6):
        room.says("us", " ".join(f"Sentence {turn} {n} stands." for n in range(10)))
    transcript = room.transcript
    found = [
        verdict(claim, "supported" if int(claim.turn[1:]) % 2 else "contradicted")
        for claim in claims(transcript)
    ]
    results = scores(consistency, transcript, judgements(claims(transcript), found, "consistency"))
    interval = one(results, "party:us", "balance").interval
    assert interval is not None
    assert interval.method == "bootstrap"
    assert interval.high - interval.low > 1


def test_courtesies_alone_give_no_value_for_any_subject() -> None:
    room = Room(two_party_setting()).opens()
    room.says("us", "Thank you, Chair.").says("ru", "Thanks to all.")
    found = judgements(claims(room.transcript), [], "consistency", judges=[ONE])
    results = scores(consistency, room.transcript, found)
    assert len(results) == 5 * 5
    assert {(r.value, r.n) for r in results if not isinstance(r, Failure)} == {(None, 0)}


@pytest.mark.anyio
async def test_courtesies_alone_ask_a_judge_nothing_and_still_give_its_scores(
    server: ChatServer,
) -> None:
    room = Room(two_party_setting()).opens()
    room.says("us", "Thank you, Chair.").says("ru", "Good morning, dear colleagues.")
    found = await judged(room.transcript, server, "consistency", judges=(ONE, TWO))
    assert server.bodies == []
    results = scores(consistency, room.transcript, found)
    for judge in (ONE, TWO):
        score = one(results, "party:us", "supported", judge)
        assert (score.value, score.n, score.unscored) == (None, 0, 0)


def test_without_a_judge_there_is_no_score() -> None:
    transcript = spoken_room()
    assert scores(consistency, transcript, judgements(claims(transcript), [], "consistency")) == []


def two_judges(*second: str | None) -> tuple[Transcript, Judgements]:
    transcript = spoken_room()
    first = ("supported", "contradicted", "supported", "unsupported", "supported", "contradicted")
    found = labelled(transcript, *first) + labelled(transcript, *second, judge=TWO)
    return transcript, judgements(claims(transcript), found, "consistency")


def test_each_judge_has_scores_of_its_own() -> None:
    results = scores(consistency, *two_judges(*["supported"] * 6))
    assert one(results, "party:us", "supported", ONE).value == 0.5
    assert one(results, "party:us", "supported", TWO).value == 1.0


def test_alpha_is_krippendorffs_and_the_disputed_claims_are_a_queue() -> None:
    results = scores(
        consistency,
        *two_judges(
            "supported", "contradicted", "contradicted", "unsupported", "abstain", "contradicted"
        ),
    )
    alpha = one(results, "debate", "alpha", f"{ONE} + {TWO}")
    # Five claims with two labels, one in dispute. By hand: labels given s3 c5 u2 of ten; observed
    # disagreement 2/10, expected (3*5 + 3*2 + 5*2)*2/(10*9) = 62/90.
    assert alpha.value == pytest.approx(1 - 0.2 / (62 / 90))
    assert (alpha.n, alpha.unscored, alpha.label) == (5, 2, "tentative")
    disputed = one(results, "debate", "disputed")
    assert (disputed.hits, disputed.n, disputed.unscored) == (1, 5, 2)
    (note,) = disputed.evidence
    assert note.quote == f"{ONE} says supported, {TWO} says contradicted: We meet never again."


def test_judges_that_agree_on_one_label_alone_have_no_alpha() -> None:
    transcript = spoken_room()
    found = [v for j in (ONE, TWO) for v in labelled(transcript, *["supported"] * 6, judge=j)]
    results = scores(consistency, transcript, judgements(claims(transcript), found, "consistency"))
    alpha = one(results, "debate", "alpha")
    assert alpha.value is None
    assert "every label is the same" in alpha.reason


REFUSES = re.compile(r"cannot accept|unable to|cannot have")


def strict(line: str, positions: Mapping[str, str]) -> Json:
    """Refusals are contradicted, everything else is unsupported."""
    words = words_of(line)
    if not REFUSES.search(words):
        return {"reason": "not on record", "label": "unsupported"}
    handle, text = next(iter(positions.items()))
    return {
        "reason": "it refuses", "quote": " ".join(words.split()[:4]), "position": handle,
        "position_quote": " ".join(text.split()[:4]), "label": "contradicted",
    }  # fmt: skip


@pytest.mark.anyio
async def test_a_reference_debate_is_judged_by_two_judges_over_http(server: ChatServer) -> None:
    transcript = example("reference-eight-of-twelve")
    answering(server, strict)
    found = await judged(transcript, server, "consistency", judges=(ONE, TWO))
    results = evaluate(transcript, [consistency.on(found)])
    for party in ("us", "ru"):
        said = [s for s in statements(transcript) if s.party == party]
        refusals = sum(bool(REFUSES.search(x.text)) for s in said for x in sentences(s.text))
        score = one(results, f"party:{party}", "contradicted", ONE)
        # A refusal that the judge put down to another state's position is unsupported.
        assert 0 < (score.hits or 0) <= refusals
        assert score.n == sum(c.party == party and c.checkworthy for c in found.claims)
        for note in score.evidence:
            assert said_in(transcript, note, note.quote.partition(": ")[2])
    shares = [one(results, "debate", label, TWO).value for label in LABELS]
    assert sum(float(share or 0) for share in shares) == pytest.approx(1)
    assert one(results, "debate", "alpha").value == pytest.approx(1)
    stamp = one(results, "debate", "contradicted", ONE).judge
    assert stamp is not None
    assert stamp.models == ("small-2026-01-01",)
    assert not stamp.calibrated


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["refused", "cut off", "invented", "garbage"])
async def test_what_a_judge_does_not_say_is_unscored_and_never_a_value(
    server: ChatServer, how: str
) -> None:
    transcript = example("scripted-us-votes-against-its-own-text")
    answering(server, strict)
    honest = server.ordinary
    invented = strict("[said as: We cannot accept what nobody said]", {"P1": "It was never said."})
    bad = {
        "refused": spoken(None, refusal="I will not."),
        "cut off": spoken('{"U1": {"reason": "it', finish="length"),
        "garbage": spoken("All of it is supported."),
    }

    def ordinary(body: Json) -> Answer:
        wanted = body["response_format"]["json_schema"]["schema"]["properties"]
        if "S1" in wanted:
            return honest(body)
        return bad.get(how) or spoken(json.dumps(dict.fromkeys(wanted, invented)))

    server.ordinary = ordinary
    found = await judged(transcript, server, "consistency")
    results = scores(consistency, transcript, found)
    checkworthy = sum(claim.checkworthy for claim in found.claims)
    assert checkworthy > 20
    for label in (*LABELS, "balance"):
        score = one(results, "debate", label)
        assert (score.value, score.n, score.unscored) == (None, 0, checkworthy)
