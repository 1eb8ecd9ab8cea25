"""A judge is asked about gold as about a transcript; the result belongs to that judge alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from evals.calibration.calibrating import CALIBRATIONS, Calibration, calibrate
from evals.calibration.gold import Annotation, Gold, Tied, read_gold
from evals.calibration.standing import calibrated
from evals.dimensions.consistency import consistency
from evals.evaluator import Judged, Score, evaluate
from evals.judging.form import FORM_SHA
from evals.judging.judges import Judge
from evals.judging.ledger import Ledger
from evals.judging.live import Live
from evals.judging.pipeline import Plan, judge_transcript
from evals.judging.rubrics import rubric
from evals.labels import Label
from harness.errors import UserError
from harness.loading import load_setting
from harness.plain import plain
from harness.prompt import Prompt, Reply
from harness.setting import Setting
from harness.transcript import read
from tests.evals.judging.judges import judge, said_as, shown_positions, units

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
EXAMPLE = Path(__file__).parents[2] / "transcripts/examples/reference-eight-of-twelve.jsonl"


@pytest.fixture(scope="module")
def gold() -> Gold:
    return read_gold("geneva-2021")


@pytest.fixture(scope="module")
def setting() -> Setting:
    return load_setting("geneva-2021")


class Blunt:
    """Knows every gold label, but calls each contradiction unsupported and cannot quote."""

    def __init__(self, gold: Gold, *, sees: bool = False) -> None:
        self.labels = {plain(each.text): each.label for each in gold.propositions}
        self.sees = sees

    async def ask(self, prompt: Prompt) -> Reply:
        user = prompt.messages[-1].text
        if "S1" in prompt.schema["properties"]:
            lines = dict(line.split(": ", 1) for line in user.splitlines() if line[:1] == "S")
            data: Json = {
                h: [{"claim": said_as(lines[h]), "type": "fact"}]
                for h in prompt.schema["properties"]
            }
            return Reply(text=json.dumps(data), model="blunt-1")
        positions = shown_positions(user)
        answers = {h: self._label(said_as(line), positions) for h, line in units(user).items()}
        return Reply(text=json.dumps(answers), model="blunt-1")

    def _label(self, said: str, positions: dict[str, str]) -> Json:
        label = self.labels.get(said, "unsupported")
        if label == "contradicted" and not self.sees:
            label = "unsupported"
        if label in ("supported", "contradicted"):
            handle, text = next(iter(positions.items()))
            return {
                "reason": "so it says", "quote": said[: said.rfind(" ")], "position": handle,
                "position_quote": text[: text.rfind(" ")], "label": label,
            }  # fmt: skip
        return {"reason": "so it says", "label": label}


async def measured(of: Judge, gold: Gold, setting: Setting) -> Calibration:
    # Names stay, so that the judge here can know claims by their words.
    by = rubric("consistency").model_copy(update={"masked": False})
    return await calibrate(of, gold, setting, by, asking=Live(), ledger=Ledger())


async def test_a_blind_spot_shows_as_sensitivity_zero(gold: Gold, setting: Setting) -> None:
    found = await measured(judge(Blunt(gold)), gold, setting)
    by_label = {each.label: each for each in found.measures.classes}
    assert by_label["contradicted"].sensitivity.value == 0
    assert by_label["no_claim"].sensitivity.value == 1
    assert by_label["partial"].sensitivity.value == 1
    assert found.split == "test"
    assert found.models == ("blunt-1",)
    assert found.measures.human_kappa is None  # one person labelled it


async def test_every_proposition_of_the_split_is_asked_about_once(
    gold: Gold, setting: Setting
) -> None:
    found = await measured(judge(Blunt(gold)), gold, setting)
    table = found.measures.confusion
    assert table.n + sum(table.unscored) == len(gold.split("test"))
    assert found.retest is not None
    assert found.retest.n + found.retest.unscored == len(gold.split("test"))


async def test_where_two_people_differ_their_agreement_is_not_perfect(
    gold: Gold, setting: Setting
) -> None:
    def both(label: Label, other: Label) -> tuple[Annotation, ...]:
        return (Annotation("anna", label), Annotation("bo", other))

    agreed = tuple(
        each.model_copy(update={"annotations": both(each.label, each.label)})
        for each in gold.propositions
    )
    # Two who differ leave no majority, so nothing of it is among the propositions.
    tied = (Tied("test", both("supported", "partial")),) * len(gold.split("test"))
    alike = gold.model_copy(update={"propositions": agreed})
    assert await ceiling(alike, setting) == 1
    assert await ceiling(alike.model_copy(update={"tied": tied}), setting) < 0.5


async def ceiling(gold: Gold, setting: Setting) -> float:
    """How well people agree, as a calibration on their labels has it."""
    human = (await measured(judge(Blunt(gold)), gold, setting)).measures.human_kappa
    assert human is not None
    assert human.value is not None
    return human.value


async def test_of_two_calibrations_on_a_gold_that_was_changed_the_last_one_holds(
    gold: Gold, setting: Setting, tmp_path: Path
) -> None:
    first = await measured(judge(Blunt(gold)), gold, setting)
    names = [f"{n:02}" for n in range(8)]
    for order, name in enumerate(names):
        made = first.model_copy(update={"gold_sha": name})
        path = CALIBRATIONS.save(made, tmp_path)
        os.utime(path, ns=(order, order))
    assert [each.gold_sha for each in CALIBRATIONS.known([tmp_path])] == names[::-1]


def mark(found: Calibration, **changes: Any) -> Judged:
    given: Json = {
        "judge": "openai:whatever", "models": found.models, "rubric": found.rubric,
        "rubric_sha": found.rubric_sha, "wording_sha": FORM_SHA,
    }  # fmt: skip
    return Judged.model_validate(given | changes)


async def test_a_calibration_holds_for_its_model_rubric_and_wording_alone(
    gold: Gold, setting: Setting, tmp_path: Path
) -> None:
    found = await measured(judge(Blunt(gold)), gold, setting)
    assert found.holds_for(mark(found))
    for change in ({"models": ("other-1",)}, {"rubric_sha": "x"}, {"wording_sha": "x"}):
        assert not found.holds_for(mark(found, **change))
    CALIBRATIONS.save(found, tmp_path)
    assert CALIBRATIONS.known([tmp_path]) == (found,)


def test_a_broken_calibration_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text('{"judge": 3}')
    with pytest.raises(UserError, match=r"odd.json: not what `tracktwo calibrate` keeps"):
        CALIBRATIONS.known([tmp_path])


async def test_scores_of_a_calibrated_judge_show_raw_and_corrected(
    gold: Gold, setting: Setting
) -> None:
    transcript = read(EXAMPLE)
    by = rubric("consistency").model_copy(update={"masked": False})
    seeing = judge(Blunt(gold, sees=True))
    calibration = await calibrate(seeing, gold, setting, by, asking=Live(), ledger=Ledger())
    found = await judge_transcript(transcript, (seeing,), Plan((by,)), asking=Live())
    results = evaluate(transcript, [consistency.on(found)])
    bare = {(r.subject, r.metric): r for r in results if isinstance(r, Score)}
    assert not any(score.judge.calibrated for score in bare.values() if score.judge)
    after = calibrated(results, found, [calibration])
    scores = {(r.subject, r.metric): r for r in after if isinstance(r, Score)}
    unsupported = scores["debate", "unsupported"]
    assert unsupported.judge is not None
    assert unsupported.judge.calibrated
    assert unsupported.corrected is not None
    # It finds nothing but `unsupported` in a debate it does not know, and errs on no label.
    assert unsupported.value == 1
    assert unsupported.corrected.interval is not None
    assert unsupported.corrected.interval.high == 1
    assert scores["debate", "balance"].corrected is None
    strangers = calibrated(results, found, [])
    assert strangers == results
