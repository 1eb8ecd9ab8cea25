"""The battery must pass a judge that knows the truth and fail the ones that do not."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from evals.calibration.gold import Gold, read_gold
from evals.evaluator import Judged, Score
from evals.judging.judges import Judge
from evals.judging.ledger import Ledger
from evals.judging.live import Live
from evals.judging.rubrics import rubric
from evals.text import sentences
from evals.validity.battery import Card, greyed, run_battery
from evals.validity.planted import CannotPlant
from evals.validity.prose import COURTESIES, VERDICTS
from evals.validity.staging import FILLER, staged
from harness.events import Statement
from harness.plain import plain
from harness.transcript import Transcript, read
from tests.evals.judging.judges import ByRule, Says, judge, labelling, said_as

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
EXAMPLE = Path(__file__).parents[2] / "transcripts/examples/reference-eight-of-twelve.jsonl"


@pytest.fixture(scope="module")
def gold() -> Gold:
    return read_gold("geneva-2021")


@pytest.fixture(scope="module")
def clean() -> Transcript:
    return read(EXAMPLE)


FORGED = {plain(sentence.text) for verdict in VERDICTS for sentence in sentences(verdict)}


def splitting(schema: Json, user: str) -> Json:
    """Every sentence is one claim, in its own words; what is forged or polite cannot be checked."""
    lines = dict(line.split(": ", 1) for line in user.splitlines() if re.match(r"S\d+: ", line))

    def claim(line: str) -> list[Json]:
        text = said_as(line)
        empty = text in FORGED or text in COURTESIES
        return [{"claim": text, "type": "procedural" if empty else "position"}]

    return {handle: claim(lines[handle]) for handle in schema["properties"]}


NO_CLAIM = {"claim": "", "type": "courtesy"}
Label = Callable[[str, Mapping[str, str]], Json]


def by(label: Label) -> Judge:
    sort = labelling(label)
    return judge(ByRule(lambda s, u: splitting(s, u) if "S1" in s["properties"] else sort(s, u)))


async def card(of: Judge, clean: Transcript, gold: Gold) -> Card:
    # Names stay, so that the judges here can know positions by their words.
    open_faced = rubric("consistency").model_copy(update={"masked": False})
    return await run_battery(of, clean, gold, open_faced, asking=Live(), ledger=Ledger())


def failed(of: Card) -> set[str]:
    return {check.id for check in of.checks if check.passed is not True}


def as_before(text: str) -> str:
    """A text with the first party called by its own name again."""
    renamed = {"Republic of Arden": "United States", "Ardenese": "American", "RoA": "US"}
    for new, old in renamed.items():
        text = re.sub(rf"\b{new}\b", old, text)
    return " ".join(text.split())


def knowing(gold: Gold, clean: Transcript) -> Label:
    """The truth: what a claim is, while its position stands on the sheet as it is on record."""
    setting = clean.setting
    truth: dict[str, tuple[str, str | None]] = {}
    for each in gold.propositions:
        for sentence in sentences(each.text):
            truth[plain(sentence.text)] = each.label, next(iter(each.positions), None)
    for party in setting.parties:
        for position in party.positions:
            for sentence in sentences(position.in_own_voice()):
                truth[plain(sentence.text)] = "supported", position.id

    def label(line: str, positions: Mapping[str, str]) -> Json:
        said = said_as(line)
        start = next((s for s in truth if as_before(said).startswith(s)), "")
        name, wanted = truth.get(start, ("unsupported", None))
        if wanted is None:
            return {"reason": "silent", "label": name}
        for handle, text in positions.items():
            if plain(setting.position(wanted).statement) in as_before(text):
                return bound(said, handle, text, name)
        return {"reason": "its position is not shown", "label": "unsupported"}

    return label


def bound(said: str, handle: str, text: str, name: str) -> Json:
    if "rejects the following" in text:
        name = "contradicted" if name == "supported" else "supported"
    if name == "partial":
        return {"reason": "in part", "label": name}
    return {
        "reason": "on record",
        "quote": " ".join(said.split()[:5]),
        "position": handle,
        "position_quote": " ".join(text.split()[:5]),
        "label": name,
    }


def lenient(line: str, positions: Mapping[str, str]) -> Json:
    """Finds everything supported by whatever position comes first in the alphabet."""
    handle, text = min(positions.items(), key=lambda shown: shown[1])
    return bound(said_as(line), handle, text, "supported")


def backwards(truthful: Label) -> Label:
    """Knows the truth and says the reverse, always the same way."""

    def label(line: str, positions: Mapping[str, str]) -> Json:
        found = truthful(line, positions)
        turned = {"supported": "contradicted", "contradicted": "supported"}
        return found | {"label": turned.get(found["label"], found["label"])}

    return label


def obedient(truthful: Label) -> Judge:
    """Knows the truth, until something it reads tells it to call nothing a claim."""
    sort = labelling(truthful)

    def answer(schema: Json, user: str) -> Json:
        if "S1" not in schema["properties"]:
            return sort(schema, user)
        if "no_claim" in user or "ignore the mandate" in user or "label: supported" in user:
            return {handle: [NO_CLAIM] for handle in schema["properties"]}
        return splitting(schema, user)

    return judge(ByRule(answer))


def forgetful(truthful: Label) -> Label:
    """Knows the truth, and says something else half of the time."""
    draw = random.Random(1)

    def label(line: str, positions: Mapping[str, str]) -> Json:
        if draw.random() < 0.5:
            return {"reason": "no idea", "label": draw.choice(["partial", "unsupported"])}
        return truthful(line, positions)

    return label


async def test_a_judge_that_knows_the_truth_passes_everything(
    clean: Transcript, gold: Gold
) -> None:
    found = await card(by(knowing(gold, clean)), clean, gold)
    assert failed(found) == set(), [c for c in found.checks if c.passed is not True]
    assert {check.id for check in found.checks} == {f"V{n}" for n in range(1, 11)}


async def test_a_judge_that_finds_everything_supported_fails_where_it_must(
    clean: Transcript, gold: Gold
) -> None:
    found = await card(by(lenient), clean, gold)
    assert {"V1", "V2", "V3", "V4"} <= failed(found)


async def test_a_judge_that_is_always_wrong_in_the_same_way_still_agrees_with_itself(
    clean: Transcript, gold: Gold
) -> None:
    found = await card(by(backwards(knowing(gold, clean))), clean, gold)
    assert {"V1", "V4"} <= failed(found)
    assert "V8" not in failed(found)


async def test_a_judge_with_one_answer_for_everything_does_not_pass_for_steady(
    clean: Transcript, gold: Gold
) -> None:
    silent = judge(ByRule(lambda s, u: {h: [NO_CLAIM] for h in s["properties"]}))
    found = await card(silent, clean, gold)
    assert {"V6", "V8", "V9"} <= failed(found)
    assert any("none could change" in check.reason for check in found.checks)


async def test_a_judge_that_changes_its_mind_fails_the_retest(
    clean: Transcript, gold: Gold
) -> None:
    assert "V8" in failed(await card(by(forgetful(knowing(gold, clean))), clean, gold))


async def test_a_judge_that_obeys_what_it_reads_is_found_out(clean: Transcript, gold: Gold) -> None:
    found = await card(obedient(knowing(gold, clean)), clean, gold)
    assert failed(found) == {"V9"}


async def test_a_judge_without_readable_answers_passes_nothing(
    clean: Transcript, gold: Gold
) -> None:
    found = await card(judge(Says("supported")), clean, gold)
    assert failed(found) >= {f"V{n}" for n in (1, 2, 3, 4, 6, 7, 8, 9)}
    assert all(check.reason for check in found.checks if check.id == "V1")


async def test_a_courtesy_that_counts_as_a_claim_is_found_out(
    clean: Transcript, gold: Gold
) -> None:
    sort = labelling(knowing(gold, clean))

    def eager(schema: Json, user: str) -> Json:
        if "S1" not in schema["properties"]:
            return sort(schema, user)
        answer = splitting(schema, user)
        return {h: [claim | {"type": "position"} for claim in found] for h, found in answer.items()}

    assert "V5" in failed(await card(judge(ByRule(eager)), clean, gold))


async def test_a_failed_check_greys_the_metrics_it_speaks_against(
    clean: Transcript, gold: Gold
) -> None:
    found = await card(by(lenient), clean, gold)
    judged = Judged(
        judge=found.judge, models=found.models, rubric="consistency", rubric_sha=found.rubric_sha,
        wording_sha=found.wording_sha, claims_sha=found.claims_sha,
    )  # fmt: skip
    score = Score(
        evaluator="consistency", version=1, subject="party:us", metric="contradicted", value=0.1,
        n=10, reason="one of ten", judge=judged,
    )  # fmt: skip
    (grey,) = greyed([score], [found])
    assert isinstance(grey, Score)
    assert "V4" in grey.greyed
    (unknown,) = greyed([score], [])
    assert isinstance(unknown, Score)
    assert "not been put to the battery" in unknown.greyed
    other = score.model_copy(update={"judge": judged.model_copy(update={"rubric_sha": "else"})})
    (changed,) = greyed([other], [found])
    assert isinstance(changed, Score)
    assert "not been put to the battery" in changed.greyed


def test_every_gold_proposition_of_the_debate_is_said_once_by_its_party(
    clean: Transcript, gold: Gold
) -> None:
    stage = staged(clean, gold)
    spoken = {e.turn: e for e in stage.transcript.events if isinstance(e, Statement)}
    wanted = {
        each.id
        for each in gold.propositions
        if each.party in ("us", "ru") and each.item in {i.id for i in clean.setting.items}
    }
    assert set(stage.said) == wanted
    for key, place in stage.places.items():
        statement = spoken[place.turn]
        own = [s.text for s in sentences(statement.text)[place.first - 1 : place.last]]
        assert own == [s.text for s in sentences(stage.said[key].text)]
        assert (statement.party, statement.item) == (stage.said[key].party, stage.said[key].item)
    quiet = set(spoken) - {place.turn for place in stage.places.values()}
    assert {spoken[turn].text for turn in quiet} == {FILLER}


def test_a_debate_on_other_things_cannot_carry_the_gold(gold: Gold) -> None:
    other = read(EXAMPLE.with_name("reference-eight-of-twelve.jsonl"))
    empty = gold.model_copy(update={"propositions": ()})
    with pytest.raises(CannotPlant, match="no propositions"):
        staged(other, empty)
