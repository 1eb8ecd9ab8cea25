"""A rubric file alone is an evaluator; a broken one says where, in one sentence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from evals.dimensions.shares import shares
from evals.evaluator import Score, evaluate
from evals.judging.live import Live
from evals.judging.pipeline import Plan, judge_transcript
from evals.judging.rubrics import FOLDER, Reads, Rubric, Shows, read_rubric, rubric, shipped
from evals.judging.shapes import Judgements
from harness.errors import UserError
from tests.evals.dimensions.said import JUDGE, NOR, SUD, a_talk, a_verdict, score
from tests.evals.judging.judges import ByRule, judge, labelling

COURTESY = """---
name: courtesy
title: Courtesy
version: 1
reads: statements
scale:
  polite: thanks or greets somebody
  plain: neither
  unclear: cannot be told
values: {polite: 1, plain: 0, unclear: null}
needs_quote: [polite]
---
Say whether the statement thanks or greets somebody. "Good morning, Sudria" is polite.
"""


def courteous(line: str, _: object) -> dict[str, str]:
    if "Thank" in line:
        return {"reason": "thanks", "quote": "Thank you, Chair", "label": "polite"}
    if "greet" in line:
        return {"reason": "greets", "quote": "good morning to you", "label": "polite"}
    return {"reason": "no", "label": "unclear" if "?" in line else "plain"}


@pytest.mark.anyio
async def test_a_rubric_of_ones_own_gives_scores_without_any_python(tmp_path: Path) -> None:
    path = tmp_path / "courtesy.md"
    path.write_text(COURTESY)
    room = a_talk()
    room.says(NOR, "Thank you, Chair.").says(NOR, "No.").says(NOR, "What?").says(NOR, "No.")
    room.says(SUD, "We greet you.").says(SUD, "Thank you, Chair.")
    by = rubric(str(path))

    said = await judge_transcript(
        room.transcript, [judge(ByRule(labelling(courteous)))], Plan((by,)), asking=Live()
    )
    results = evaluate(room.transcript, [shares(by).on(said)])

    polite = score(results, f"party:{NOR}", "share_polite", "openai:rule")
    assert (polite.hits, polite.n, polite.unscored) == (1, 4, 0)
    assert polite.evidence[0].quote == "polite: Thank you, Chair"
    assert polite.judge is not None
    assert polite.judge.rubric_sha == by.sha
    # Nobody said "good morning to you": that label has no words behind it.
    missed = score(results, f"party:{SUD}", "share_polite", "openai:rule")
    assert (missed.hits, missed.n, missed.unscored) == (1, 1, 1)
    mean = score(results, f"party:{NOR}", "mean", "openai:rule")
    assert mean.value == pytest.approx(1 / 3)
    assert mean.n == 3
    assert score(results, "debate", "share_plain", "openai:rule").hits == 2


def test_without_values_there_is_no_mean_and_without_labels_no_share() -> None:
    by = rubric("pressure")
    talk = a_talk(NOR).transcript
    refused = a_verdict(by, "T1", NOR, None)
    said = Judgements(verdicts=(refused,), rubrics={by.name: by}, answered={JUDGE: ()})
    results = evaluate(talk, [shares(by).on(said)])

    assert {r.metric for r in results} == {f"share_{label}" for label in by.scale}
    for found in results:
        assert isinstance(found, Score)
        assert found.value is None
    assert score(results, f"party:{NOR}", "share_offer").unscored == 1


def test_quotes_beside_confidential_positions_stay_private() -> None:
    by = rubric("disclosure")
    talk = a_talk(NOR).transcript
    said = Judgements(
        verdicts=(a_verdict(by, "T1", NOR, "disclosed", position="nor-1"),),
        rubrics={by.name: by}, answered={JUDGE: ()},
    )  # fmt: skip
    results = evaluate(talk, [shares(by).on(said)])
    notes = [note for r in results if isinstance(r, Score) for note in r.evidence]
    assert len(notes) == 2
    assert all(note.private for note in notes)


def test_where_the_labels_are_parties_their_shares_are_counted() -> None:
    by = rubric("attribution")
    talk = a_talk(NOR, NOR).transcript
    said = Judgements(
        verdicts=(a_verdict(by, "T1", NOR, NOR), a_verdict(by, "T2", NOR, SUD)),
        rubrics={by.name: by}, answered={JUDGE: ()},
    )  # fmt: skip
    results = evaluate(talk, [shares(by).on(said)])
    assert score(results, f"party:{NOR}", f"share_{SUD}").value == 0.5


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("needs_quote: [polite]", "needs_quote: [rude]", 11, "needs_quote names 'rude', which"),
        ("plain: 0, unclear: null", "plain: 0", 10, "values must give a number, or null, for"),
        ("reads: statements", "reads: speeches", 5, "reads: Input should be"),
        ("version: 1", "version: one", 4, "version: Input should be a valid integer"),
        ("title: Courtesy\n", "", 1, "title: Field required"),
        ("title: Courtesy", "titel: Courtesy\ntitle: Courtesy", 3, "titel: Extra inputs"),
        ("scale:\n  polite", "scale: [\n  polite", 8, "not YAML"),
        ("name: courtesy", "name: Courtesy!", 2, "name: String should match"),
        ("---\nname", "name", 1, "a rubric begins with its front matter"),
        ("polite: 1, ", "polite: .nan, ", 10, "values.polite: Input should be a finite number"),
    ],
    ids=["label", "values", "reads", "version", "title", "field", "yaml", "name", "fence", "nan"],
)  # fmt: skip
def test_a_broken_rubric_says_where_and_what_in_one_sentence(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    path = tmp_path / "broken.md"
    path.write_text(COURTESY.replace(old, new, 1))
    with pytest.raises(UserError) as refused:
        read_rubric(path)
    told = str(refused.value)
    assert told.startswith(f"{path}:{line}: {says}"), told
    assert "\n" not in told
    assert "Value error" not in told


@pytest.mark.parametrize("reads", ["issues", "chair", "claims", "pairs"])
def test_a_rubric_without_a_scale_can_only_ask_who_makes_a_statement(
    tmp_path: Path, reads: str
) -> None:
    path = tmp_path / "who.md"
    path.write_text(f"---\nname: who\ntitle: Who\nversion: 1\nreads: {reads}\nmasked: true\n---\n")
    with pytest.raises(UserError, match="scale is missing"):
        read_rubric(path)


def test_a_rubrics_fingerprint_changes_with_all_that_a_judge_is_told(tmp_path: Path) -> None:
    def sha(text: str) -> str:
        path = tmp_path / "some.md"
        path.write_text(text)
        return read_rubric(path).sha

    whole = sha(COURTESY)
    assert sha(COURTESY.replace("thanks or greets somebody\n", "thanks somebody\n")) != whole
    assert sha(COURTESY.replace("Good morning", "Good evening")) != whole
    assert sha(COURTESY.replace("plain: 0", "plain: 0.5")) != whole
    colours = "palette: {polite: '#112233'}\n---\nSay"
    assert sha(COURTESY.replace("---\nSay", colours)) == whole


@pytest.mark.parametrize("name", shipped())
def test_the_shipped_rubrics_can_be_read_and_colour_their_whole_scale(name: str) -> None:
    by: Rubric = rubric(name)
    assert by.name == name
    assert by.text
    assert set(by.palette) == set(by.scale)


def test_the_scale_of_stance_has_seven_steps_of_a_third_and_a_place_for_none() -> None:
    values = rubric("stance").values
    assert list(values) == ["-3", "-2", "-1", "0", "1", "2", "3", "none"]
    steps = [v for v in values.values() if v is not None]
    assert steps == pytest.approx([n / 3 for n in range(-3, 4)], abs=1e-4)
    assert values["none"] is None


def test_the_example_of_the_readme_is_a_rubric_and_lists_all_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```markdown\n(.*?)```", readme, re.S)
    (tmp_path / "courtesy.md").write_text(example)
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.S)
    found: dict[str, object] = {}
    exec(code, found)
    assert getattr(found["dimension"], "name", None) == "courtesy"

    listed = re.findall(r"^\| ([a-z-]+) \| ", readme.partition("## The front matter")[0], re.M)
    assert set(listed) == {*shipped(), "rubric"}
    for field in Rubric.model_fields:
        assert f"| `{field}` |" in readme or field == "text", field
    for word in (*get_args(Reads), *get_args(Shows)):
        assert f"`{word}`" in readme, word
