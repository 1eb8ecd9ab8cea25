"""J3: taking back what was said, openly and otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from evals.dimensions.reversals import RUBRIC, pairs, reversals
from evals.judging.shapes import Claim, Judgements, Verdict
from evals.record import statements
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
    words_of,
)
from tests.evals.room import Room, an_issue, an_item
from tests.evals.talks import two_party_setting
from tests.models.server import ChatServer, spoken


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        yield running


def paired(first: Claim, later: Claim, label: str | None, judge: str = ONE) -> Verdict:
    return Verdict(
        judge=judge,
        rubric=RUBRIC,
        unit=f"{first.id}>{later.id}",
        party=later.party,
        item=later.item,
        seqs=(first.seq, later.seq),
        turn=later.turn,
        label=label,
        unscored=None if label else "refused",
    )


def turning() -> tuple[Transcript, dict[str, Claim]]:
    """The US says no in T1 and yes in T5, moving in between; ru says no, then yes, unmoved."""
    room = Room(two_party_setting()).opens()
    first = room.of("us")
    room.says("us", "Never without all weapons.", of=first)
    room.move("us", "propose", "scope/a", of=first)
    room.says("ru", "Never with them.")
    room.concedes("us", "scope/c")
    room.says("ru", "With them, if need be.")
    room.says("us", "Later will do.")
    transcript = room.transcript
    return transcript, {claim.sentence: claim for claim in claims(transcript)}


def both_turned(label: str | None = "reversed") -> tuple[Transcript, Judgements]:
    transcript, said = turning()
    verdicts = [
        paired(said["Never without all weapons."], said["Later will do."], label),
        paired(said["Never with them."], said["With them, if need be."], label),
    ]
    return transcript, judgements(said.values(), verdicts, RUBRIC)


def test_a_reversal_after_a_typed_concession_is_explained_and_one_without_is_not() -> None:
    results = scores(reversals, *both_turned())
    for party, unexplained, explained in (("us", 0.0, 1.0), ("ru", 1.0, 0.0)):
        assert one(results, f"party:{party}", "unexplained").value == unexplained
        assert one(results, f"party:{party}", "explained").value == explained
    debate = one(results, "debate", "unexplained")
    assert (debate.hits, debate.n) == (1, 2)


def test_evidence_has_both_turns_and_the_concession() -> None:
    results = scores(reversals, *both_turned())
    ours = one(results, "party:us", "explained").evidence
    assert [note.quote for note in ours] == [
        "first: Never without all weapons.", "later: Later will do.", "conceded scope/c",
    ]  # fmt: skip
    theirs = one(results, "party:ru", "unexplained").evidence
    assert [(note.turn, note.quote) for note in theirs] == [
        ("T2", "first: Never with them."), ("T4", "later: With them, if need be."),
    ]  # fmt: skip


def test_compatible_pairs_are_judged_and_unlabelled_ones_unscored() -> None:
    score = one(scores(reversals, *both_turned("compatible")), "debate", "unexplained")
    assert (score.value, score.n, score.unscored) == (0.0, 2, 0)
    for label in (None, "abstain"):
        score = one(scores(reversals, *both_turned(label)), "debate", "unexplained")
        assert (score.value, score.n, score.unscored) == (None, 0, 2)


@pytest.mark.parametrize(
    ("when", "explains"),
    [("with the first", False), ("before the later", True), ("with the later", True),
     ("after the later", False), ("by another", False), ("in private", False)],
)  # fmt: skip
def test_only_a_public_concession_of_the_party_after_the_first_claim_explains(
    when: str, explains: bool
) -> None:
    room = Room(two_party_setting()).opens()
    room.moves("us", "propose", "scope/a").moves("ru", "propose", "scope/b")
    first = room.of("us")
    room.says("us", "Never less.", of=first)
    if when == "with the first":
        room.move("us", "concede", "scope/c", of=first)
    if when in ("before the later", "in private"):
        room.concedes("us", "scope/c")
    if when == "by another":
        room.concedes("ru", "scope/c")
    later = room.of("us")
    room.says("us", "Less will do.", of=later)
    if when == "with the later":
        room.move("us", "concede", "scope/c", of=later)
    room.says("ru", "So be it.")
    if when == "after the later":
        room.concedes("us", "scope/c")
    if when == "in private":
        hidden = [
            e.model_copy(update={"audience": ("us",)}) if e.kind == "move" else e
            for e in room.events
        ]
        room.events = hidden
    said = {claim.sentence: claim for claim in claims(room.transcript)}
    verdicts = [paired(said["Never less."], said["Less will do."], "reversed")]
    (pair,) = pairs(room.transcript, judgements(said.values(), verdicts, RUBRIC), ONE)
    assert (pair.concession is not None) == explains


def test_a_concession_on_another_item_explains_nothing() -> None:
    setting = two_party_setting()
    other = an_item(an_issue("gas"), item_id="gas")
    setting = setting.model_copy(update={"items": (*setting.items, other)})
    room = Room(setting).opens("gas").moves("us", "propose", "gas/a").opens("arms")
    room.says("us", "Never less.").opens("gas")
    room.concedes("us", "gas/b").opens("arms").says("us", "Less will do.")
    said = {claim.sentence: claim for claim in claims(room.transcript)}
    verdicts = [paired(said["Never less."], said["Less will do."], "reversed")]
    (pair,) = pairs(room.transcript, judgements(said.values(), verdicts, RUBRIC), ONE)
    assert pair.concession is None


def test_no_judge_no_scores_and_two_judges_two_sets() -> None:
    transcript, said = turning()
    pair = said["Never with them."], said["With them, if need be."]
    assert scores(reversals, transcript, judgements(said.values(), (), RUBRIC)) == []
    found = judgements(
        said.values(), [paired(*pair, "reversed"), paired(*pair, "compatible", TWO)], RUBRIC
    )
    results = scores(reversals, transcript, found)
    assert one(results, "party:ru", "unexplained", ONE).value == 1.0
    assert one(results, "party:ru", "unexplained", TWO).value == 0.0


REFUSES = re.compile(r"cannot accept|unable to|cannot have")
TEXT = re.compile(r"first \((T\d+)\): (.*) -- later \((T\d+)\): (.*)  \[said as")


@pytest.mark.anyio
async def test_pairs_of_a_reference_debate_are_judged_over_http(server: ChatServer) -> None:
    transcript = example("reference-eight-of-twelve")
    shown: list[tuple[str, str, bool]] = []

    def rule(line: str, positions: Mapping[str, str]) -> Json:
        """Reversed where the first refuses a text and the later one does not."""
        found = TEXT.search(line)
        assert found, line
        turned = bool(REFUSES.search(found[2])) and not REFUSES.search(found[4])
        shown.append((found[1], found[3], turned))
        if turned:
            words = words_of(line).split(" -- ")[1].split()
            return {"reason": "it moved", "quote": " ".join(words[:4]), "label": "reversed"}
        return {"reason": "both stand", "label": "compatible"}

    answering(server, rule)
    found = await judged(transcript, server, RUBRIC)
    order = [s.turn for s in statements(transcript)]
    for first, later, _ in shown:
        assert order.index(first) < order.index(later)
    results = scores(reversals, transcript, found)
    unexplained, explained = (one(results, "debate", m) for m in ("unexplained", "explained"))
    assert unexplained.n == explained.n == len(shown) > 20
    hits = [score.hits for score in (unexplained, explained) if score.hits is not None]
    assert 0 < sum(hits) == sum(turned for _, _, turned in shown)
    assert sum(one(results, f"party:{p}", "explained").n for p in ("us", "ru")) == explained.n
    for note in unexplained.evidence:
        assert said_in(transcript, note, note.quote.partition(": ")[2])


@pytest.mark.anyio
async def test_a_reversal_quoted_in_words_nobody_said_is_unscored(server: ChatServer) -> None:
    transcript = example("scripted-us-votes-against-its-own-text")

    def rule(line: str, positions: Mapping[str, str]) -> Json:
        # The claim's own number stands on the sheet but was never said.
        return {"reason": "so", "quote": line.split(": ")[0][-10:], "label": "reversed"}

    answering(server, rule)
    score = one(
        scores(reversals, transcript, await judged(transcript, server, RUBRIC)),
        "debate", "unexplained",
    )  # fmt: skip
    assert score.value is None
    assert score.unscored > 5


@pytest.mark.anyio
async def test_a_refusal_is_unscored(server: ChatServer) -> None:
    transcript = example("scripted-us-votes-against-its-own-text")
    answering(server, lambda line, positions: {"reason": "x", "label": "compatible"})
    honest = server.ordinary
    server.ordinary = lambda body: (
        honest(body)
        if "S1" in body["response_format"]["json_schema"]["schema"]["properties"]
        else spoken(None, refusal="No.")
    )
    score = one(
        scores(reversals, transcript, await judged(transcript, server, RUBRIC)),
        "debate", "unexplained",
    )  # fmt: skip
    assert (score.value, score.n) == (None, 0)
    assert score.unscored > 5
