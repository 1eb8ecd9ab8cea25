"""From the scores of a debate to an observation: a value, nothing to count, or missing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from evals import scores
from evals.comparison.debates import Debate, State
from evals.comparison.missing import Scored
from evals.comparison.observations import (
    by_code,
    not_held,
    observed,
    scored,
    still_holding,
    unscored_share,
)
from evals.evaluator import Failure, Judged, Result, Score
from evals.registry import BUILT_IN
from harness.experiment.shapes import Metric
from harness.transcript import read
from tests.evals.comparison.planted import share

EXAMPLE = Path(__file__).parents[3] / "transcripts/examples/reference-eight-of-twelve.jsonl"
VERSIONS = {each.name: each.version for each in BUILT_IN}

IN_LINE = "concordance/in_line"


def a_debate(state: State = "finished", why: str = "", seed: int = 1) -> Debate:
    return Debate(
        arm="b", variation=None, scenario="syria", seed=seed, treated=("ru",),
        path=Path("b.syria.s01-00000000.jsonl"), state=state, why=why,
    )  # fmt: skip


def in_line(value: float | None, about: str = "debate", **more: Any) -> Score:
    return share("concordance", "in_line", value, subject=about, **more)


def lost(metric: str = "in_line", about: str = "debate") -> Failure:
    return Failure(evaluator="concordance", version=1, subject=about, metric=metric, why="it broke")


def of(who: str) -> Metric:
    return Metric(metric=IN_LINE, of=who)


PARTIES: tuple[Result, ...] = (
    in_line(0.2, "party:us", n=5),
    in_line(0.8, "party:ru", n=10, unscored=2),
    in_line(None, "party:de"),
    in_line(0.9, "party:us/item:syria"),
    in_line(0.5, n=15, unscored=2),
)


@pytest.mark.parametrize(
    ("who", "value", "n", "unscored"),
    [
        ("debate", 0.5, 15, 2),
        ("parties", 0.5, 15, 2),  # the mean of .2 and .8; Germany had nothing to count
        ("treated", 0.8, 10, 2),
        ("us", 0.2, 5, 0),
    ],
)
def test_a_value_is_of_whom_the_file_says(who: str, value: float, n: int, unscored: int) -> None:
    seen = observed(a_debate(), of(who), PARTIES)
    assert seen.kind == "value"
    assert seen.observation.value == pytest.approx(value)
    assert (seen.observation.n, seen.observation.unscored) == (n, unscored)


def test_nothing_to_count_is_empty_and_says_why() -> None:
    seen = observed(a_debate(), of("de"), PARTIES)
    assert (seen.kind, seen.observation.value, seen.observation.why) == ("empty", None, "planted")


@pytest.mark.parametrize(
    ("results", "why"),
    [
        ((in_line(None, unscored=3),), "planted"),
        ((lost(),), "it broke"),
        ((lost("*"),), "it broke"),
        ((), "no evaluator gave this metric"),
        ((in_line(0.5, "party:us"),), "no evaluator gave this metric"),
    ],
)
def test_what_could_not_be_scored_is_missing_and_no_number(
    results: tuple[Result, ...], why: str
) -> None:
    seen = observed(a_debate(), of("debate"), results)
    assert (seen.kind, seen.observation.value, seen.observation.why) == ("missing", None, why)
    assert seen.observation.unscored >= 1


def test_another_evaluator_that_broke_costs_this_metric_nothing() -> None:
    other = Failure(evaluator="red_lines", version=1, subject="debate", metric="*", why="it broke")
    assert observed(a_debate(), of("debate"), (other, in_line(0.5))).observation.unscored == 0


@pytest.mark.parametrize(
    ("state", "kind"), [("failed", "missing"), ("unfinished", "unheld"), ("missing", "unheld")]
)
def test_a_debate_that_is_not_there_is_missing_only_if_it_was_given_up(
    state: State, kind: str
) -> None:
    seen = not_held(a_debate(state, "the wire was cut"), of("debate"))
    assert seen.kind == kind
    assert seen.observation.value is None
    assert ("the wire was cut" in seen.observation.why) == (state == "failed")


def test_of_two_judges_the_one_declared_first_speaks() -> None:
    def judged(name: str, value: float) -> Score:
        judge = Judged(judge=name, rubric="consistency", rubric_sha="1", wording_sha="2")
        return in_line(value, judge=judge)

    results = (judged("anne", 0.1), judged("bert", 0.9))
    seen = observed(a_debate(), of("debate"), results, ("bert", "anne"))
    assert seen.observation.value == 0.9
    assert seen.judge is not None
    assert seen.judge.judge == "bert"


def test_values_and_what_is_missing_of_them_are_kept_apart() -> None:
    def at(seed: int, *results: Result) -> Any:
        return observed(a_debate(seed=seed), of("debate"), results)

    found = scored(
        [
            at(1, in_line(0.5, n=8, unscored=2)),
            at(2, in_line(None)),
            at(3, lost()),
            at(4, in_line(0.7)),
            not_held(a_debate("missing", seed=5), of("debate")),
            not_held(a_debate("failed", seed=6), of("debate")),
        ]
    )
    assert found.values == {"syria": {1: 0.5, 4: 0.7}}
    assert found.unscored == {"syria": {1: 0.2, 3: 1.0, 6: 1.0}}
    assert unscored_share(found) == pytest.approx((0.2 + 0 + 1 + 1) / 4)


def test_the_share_missing_weighs_scenarios_alike() -> None:
    many = Scored({"a": dict.fromkeys(range(9), 0.5)}, {"a": {9: 1.0}, "b": {1: 1.0}})
    assert unscored_share(many) == pytest.approx((0.1 + 1) / 2)
    assert unscored_share(Scored({}, {})) == 0


@pytest.fixture
def debate(tmp_path: Path) -> Path:
    return Path(shutil.copy(EXAMPLE, tmp_path / "debate.jsonl"))


def test_scores_that_are_missing_are_made_and_written(debate: Path) -> None:
    made = by_code(debate, read(debate))
    assert {r.evaluator for r in made} >= {"concordance", "agreement", "red_lines"}
    assert scores.read(scores.scores_path(debate)).results == made


def test_scores_that_hold_are_taken_as_they_are(debate: Path) -> None:
    planted = (in_line(0.123),)
    scores.write(debate, BUILT_IN, planted)
    assert by_code(debate, read(debate)) == planted


def test_scores_of_another_text_are_made_again(debate: Path) -> None:
    scores.write(debate, BUILT_IN, (in_line(0.123),))
    with debate.open("a", encoding="utf-8") as file:
        file.write('{"torn')
    made = by_code(debate, read(debate))
    assert in_line(0.123) not in made
    assert not scores.read(scores.scores_path(debate)).stale(debate)


def test_scores_of_an_older_evaluator_are_made_again_and_judges_words_kept(debate: Path) -> None:
    judge = Judged(judge="one", rubric="consistency", rubric_sha="1", wording_sha="2")
    said = share("consistency", "supported", 0.5, judge=judge)
    scores.write(debate, BUILT_IN, (in_line(0.123), said))
    path = scores.scores_path(debate)
    older = path.read_text(encoding="utf-8").replace('"concordance":1', '"concordance":0', 1)
    path.write_text(older.replace('"evaluators":{', '"evaluators":{"consistency":1,', 1))
    made = by_code(debate, read(debate))
    assert in_line(0.123) not in made
    assert said in made
    kept = scores.read(path)
    assert said in kept.results
    assert kept.header.evaluators["consistency"] == 1
    assert kept.header.evaluators["concordance"] == VERSIONS["concordance"]


def test_a_file_of_scores_that_cannot_be_read_is_made_again(debate: Path) -> None:
    scores.scores_path(debate).write_text("not a score\n", encoding="utf-8")
    assert by_code(debate, read(debate))


def test_scores_hold_for_a_judge_only_where_it_spoke(debate: Path) -> None:
    judge = Judged(judge="one", rubric="consistency", rubric_sha="1", wording_sha="2")
    scores.write(debate, BUILT_IN, (share("consistency", "supported", 0.5, judge=judge),))
    assert still_holding(debate, VERSIONS, ["one"]) is not None
    assert still_holding(debate, VERSIONS, ["one", "two"]) is None
    assert still_holding(debate, {**VERSIONS, "consistency": 1}, ["one"]) is None
