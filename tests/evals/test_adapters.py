"""Evaluators of other shapes: what they are asked, what becomes of their answers, how they load."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langsmith.evaluation import EvaluationResult

from evals.adapters import Question, from_callable, load, question
from evals.dimensions.registry import DIMENSIONS
from evals.evaluator import Evaluator, Failure, Result, Score, evaluate
from evals.registry import BUILT_IN
from harness.errors import UserError
from harness.transcript import Transcript
from tests.evals.room import Room, a_party, a_position, a_setting, an_issue, an_item
from tests.evals.talks import half_agreed, two_party_setting

README = (Path(__file__).parents[2] / "evals" / "README.md").read_text("utf-8")


def only(evaluator: Evaluator, transcript: Transcript) -> Result:
    (result,) = evaluate(transcript, (evaluator,))
    return result


def answering(answer: object) -> Result:
    """What becomes of a callable's answer."""
    return only(from_callable(lambda outputs: answer, name="mine"), half_agreed().transcript)


def two_items() -> Room:
    """Two items, of which the record ends before the second is opened."""
    us = a_party("us", a_position("us-1"), a_position("us-2", item="trade"))
    ru = a_party("ru", a_position("ru-1"))
    items = (an_item(an_issue("scope")), an_item(an_issue("wheat"), item_id="trade"))
    return Room(a_setting(us, ru, items=items)).opens().says("us", "Hello.").says("ru", "Hello.")


# --- what a callable is asked -------------------------------------------------------------------


def test_a_callable_in_the_shape_of_openevals_is_asked_about_prose_outcome_and_positions() -> None:
    def cites(
        *, inputs: Any = None, outputs: Any, reference_outputs: Any = None, **kwargs: Any
    ) -> dict[str, Any]:
        known = {p["id"] for party in reference_outputs.values() for p in party}
        speakers = [m for m in outputs["messages"] if m["role"] == "assistant"]
        citing = [m["id"] for m in speakers if any(k in m["content"] for k in known)]
        return {
            "key": "named",
            "score": len(citing) / len(speakers),
            "comment": f"{inputs['setting']['title']}: {outputs['outcome']['issues']['scope']}",
            "metadata": {"messages": citing},
        }

    score = only(from_callable(cites, name="cites", version=3), half_agreed().transcript)

    assert isinstance(score, Score)
    assert (score.evaluator, score.version, score.metric) == ("cites", 3, "named")
    assert score.subject == "debate"
    assert score.value == pytest.approx(1 / 3)
    assert (score.n, score.unscored) == (1, 0)
    assert "bracketed" in score.reason
    assert [(e.turn, e.quote) for e in score.evidence] == [("T1", "We want all weapons in [us-1].")]


def test_everything_it_is_asked_can_be_written_as_json() -> None:
    asked = question(half_agreed().transcript)

    assert json.loads(json.dumps(asked)) == asked
    assert asked["inputs"]["mandates"]["us"]["points"]["scope/a"] == 4
    assert asked["inputs"]["mandates"]["ru"]["red_lines"] == {"scope/a": "ru-1"}
    assert [m["name"] for m in asked["outputs"]["messages"]][:3] == ["chair", "chair", "us"]
    decided = asked["outputs"]["outcome"]["issues"]["talks"]
    assert decided is not None
    assert (decided["outcome"], decided["option"]) == ("adopted", "a")


def test_what_was_said_in_private_is_not_in_the_messages() -> None:
    room = half_agreed()
    room.says("us", "Between us: we would take less.", audience=("us", "ru"))

    said = [m["content"] for m in question(room.transcript)["outputs"]["messages"]]
    assert said
    assert not any("take less" in words for words in said)


def test_an_issue_that_was_not_decided_is_none_and_not_a_failed_agreement() -> None:
    outcome = question(two_items().transcript)["outputs"]["outcome"]
    assert outcome == {"issues": {"scope": None}, "lapsed": [], "finished": False}


def test_it_is_given_those_of_the_three_that_it_takes() -> None:
    given: list[set[str]] = []

    def one(reference_outputs: object) -> bool:
        given.append({"reference_outputs"})
        return True

    def with_a_default(outputs: object, strict: bool = True) -> bool:
        given.append({"outputs"} if strict else set())
        return True

    def all_of_them(**asked: object) -> bool:
        given.append(set(asked))
        return True

    for f in (one, with_a_default, all_of_them):
        only(from_callable(f, name="mine"), half_agreed().transcript)
    assert given == [{"reference_outputs"}, {"outputs"}, set(Question.__annotations__)]


def test_once_for_each_item_it_sees_that_item_alone() -> None:
    room = two_items().closes_item().opens("trade").says("us", "Wheat is dear.")
    seen: list[tuple[str, list[str], list[str]]] = []

    def f(inputs: Any, outputs: Any, reference_outputs: Any) -> bool:
        words = [m["content"] for m in outputs["messages"] if m["role"] == "assistant"]
        seen.append((inputs["item"]["id"], words, [p["id"] for p in reference_outputs["us"]]))
        return True

    results = evaluate(room.transcript, (from_callable(f, name="mine", each="item"),))

    assert [r.subject for r in results] == ["item:arms", "item:trade"]
    assert seen == [
        ("arms", ["Hello.", "Hello."], ["us-1"]),
        ("trade", ["Wheat is dear."], ["us-2"]),
    ]


def test_an_item_that_was_not_opened_is_unscored_and_not_asked_about() -> None:
    evaluator = from_callable(lambda outputs: 0.0, name="mine", each="item")
    _, unopened = evaluate(two_items().transcript, (evaluator,))

    assert isinstance(unopened, Score)
    assert (unopened.subject, unopened.value, unopened.unscored) == ("item:trade", None, 1)
    assert "before this item was opened" in unopened.reason


# --- what becomes of its answers ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "value", "label"),
    [
        (True, True, None),
        (False, False, None),
        (0, 0, None),
        (0.25, 0.25, None),
        (np.float32(0.5), 0.5, None),
        ("evasive", None, "evasive"),
        ({"score": False, "key": "mine"}, False, None),
        ({"key": "mine", "value": "evasive", "comment": "never answers"}, None, "evasive"),
        (EvaluationResult(key="mine", score=0.5, comment="so so"), 0.5, None),
        ({"results": [{"key": "mine", "score": 0.75}]}, 0.75, None),
    ],
)
def test_scores_keep_their_kind(answer: object, value: object, label: str | None) -> None:
    result = answering(answer)

    assert isinstance(result, Score), result
    assert (result.value, result.label, result.metric) == (value, label, "mine")
    assert type(result.value) is type(value)
    assert (result.n, result.unscored) == (1, 0)


def test_none_is_unscored_with_its_comment_and_never_a_zero() -> None:
    result = answering({"key": "tone", "score": None, "comment": "nobody spoke"})

    assert isinstance(result, Score)
    assert (result.value, result.n, result.unscored) == (None, 0, 1)
    assert (result.metric, result.reason) == ("tone", "nobody spoke")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "None was returned"),
        ([], "[] was returned"),
        ({"key": "tone"}, "has no score"),
        ({"key": "tone", "score": "high"}, "'high' is neither"),
        ({"key": "tone", "score": float("nan")}, "nan is neither"),
        ({"key": "tone", "score": float("inf")}, "inf is neither"),
        (float("nan"), "nan was returned"),
        ({"key": "tone", "score": 1, "metadata": {"messages": ["T99"]}}, "'T99'"),
    ],
)
def test_what_cannot_be_read_is_a_failure_that_shows_it(answer: object, words: str) -> None:
    result = answering(answer)

    assert isinstance(result, Failure)
    assert words in result.why


def test_several_results_keep_their_keys_and_a_second_of_one_key_is_refused() -> None:
    answer = [{"key": "a", "score": 1}, {"key": "b", "score": True}, {"key": "a", "score": 0}]
    evaluator = from_callable(lambda outputs: answer, name="mine")
    first, second, third = evaluate(half_agreed().transcript, (evaluator,))

    assert isinstance(first, Score)
    assert isinstance(second, Score)
    assert (first.metric, first.value, second.metric, second.value) == ("a", 1, "b", True)
    assert isinstance(third, Failure)
    assert "more than one 'a'" in third.why


def test_each_of_several_results_that_cannot_be_read_says_its_own_reason() -> None:
    evaluator = from_callable(lambda outputs: [None, {"key": "tone"}], name="mine")
    reasons = [
        result.why
        for result in evaluate(half_agreed().transcript, (evaluator,))
        if isinstance(result, Failure)
    ]
    assert [reason.partition(" was returned")[0] for reason in reasons] == [
        "None",
        "{'key': 'tone'}",
    ]


def test_what_breaks_on_one_item_costs_no_other_item() -> None:
    def breaks_on_arms(inputs: Any) -> float:
        if inputs["item"]["id"] == "arms":
            raise ZeroDivisionError("nothing to divide by")
        return 1.0

    room = two_items().closes_item().opens("trade").says("us", "Wheat is dear.")
    evaluator = from_callable(breaks_on_arms, name="mine", each="item")
    broken, fine = evaluate(room.transcript, (evaluator,))

    assert isinstance(broken, Failure)
    assert "ZeroDivisionError: nothing to divide by" in broken.why
    assert isinstance(fine, Score)
    assert fine.value == 1.0


async def slow(outputs: Any) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"key": "mine", "score": len(outputs["messages"]) > 0}


def test_a_coroutine_function_is_run_to_its_end() -> None:
    result = only(from_callable(slow, name="mine"), half_agreed().transcript)
    assert isinstance(result, Score)
    assert result.value is True


@pytest.mark.anyio
async def test_also_where_a_loop_is_running_already() -> None:
    result = only(from_callable(slow, name="mine"), half_agreed().transcript)
    assert isinstance(result, Score)
    assert result.value is True


# --- what is refused ----------------------------------------------------------------------------


def of_our_own_shape(transcript: object, mark: object) -> None:
    """An evaluator whose decorator was forgotten."""


def by_position(outputs: object, /) -> bool:
    return bool(outputs)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (of_our_own_shape, "@evaluator"),
        (lambda run, example: 1, "'run'"),
        (lambda: 1, "takes none of them"),
        (by_position, "outputs"),
        (lambda outputs, threshold: 1, "threshold"),
    ],
)
def test_a_callable_that_cannot_be_asked_is_refused_at_once(
    f: Callable[..., object], words: str
) -> None:
    with pytest.raises(UserError, match="Evaluator 'mine'") as refused:
        from_callable(f, name="mine")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "name", [*(each.name for each in BUILT_IN), *(each.name for each in DIMENSIONS)]
)
def test_the_names_of_the_programs_own_evaluators_are_taken(name: str) -> None:
    with pytest.raises(UserError, match="comes with the program"):
        from_callable(lambda outputs: 1, name=name)


# --- loading ------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder; modules imported from it are forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_readmes_evaluator_loads_from_its_file(here: Path) -> None:
    (code,) = re.findall(r"```python\n(from collections.*?)```", README, re.S)
    (here / "courtesy.py").write_text(code, "utf-8")
    room = Room(two_party_setting()).opens().says("us", "Thank you.").says("ru", "Well.")

    score = only(load("courtesy.py:courtesy"), room.transcript)

    assert isinstance(score, Score)
    assert (score.evaluator, score.value, score.n) == ("courtesy", 0.5, 2)


def test_a_plain_callable_loads_from_a_file_that_imports_its_neighbour(here: Path) -> None:
    (here / "words.py").write_text("POLITE = 'thank'\n")
    (here / "tone.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "import words\n\n"
        "@dataclass\n"
        "class Tone:\n"
        "    polite: bool\n\n"
        "def tone(*, outputs, **kwargs):\n"
        "    said = ' '.join(m['content'] for m in outputs['messages']).lower()\n"
        "    return {'key': 'polite', 'score': Tone(words.POLITE in said).polite}\n"
    )
    path = list(sys.path)

    score = only(load(str(here / "tone.py") + ":tone"), half_agreed().transcript)

    assert isinstance(score, Score)
    assert (score.evaluator, score.metric, score.value) == ("tone", "polite", False)
    assert sys.path == path


def test_a_name_in_a_package_loads_from_the_current_folder(here: Path) -> None:
    package = here / "ourevals"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "tone.py").write_text("def tone(outputs): return 0.5\n")

    score = only(load("ourevals.tone:tone"), half_agreed().transcript)

    assert isinstance(score, Score)
    assert score.value == 0.5


def test_two_files_of_one_name_do_not_get_into_each_others_way(here: Path) -> None:
    for folder, kind in (("one", "int"), ("two", "str")):
        (here / folder).mkdir()
        (here / folder / "tone.py").write_text(
            "from __future__ import annotations\n"
            "from typing import get_type_hints\n"
            f"Kind = {kind}\n"
            "class Tone:\n"
            "    kind: Kind\n"
            "def tone(outputs): return get_type_hints(Tone)['kind'].__name__\n"
        )
    loaded = [load(f"{folder}/tone.py:tone") for folder in ("one", "two")]

    results = [only(each, half_agreed().transcript) for each in loaded]
    assert [isinstance(each, Score) and each.label for each in results] == ["int", "str"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("tone.py", "write FILE.py:NAME"),
        (":tone", "write FILE.py:NAME"),
        ("nowhere.py:tone", "There is no file nowhere.py."),
        ("nowhere.at_all:tone", "There is no module nowhere.at_all"),
        ("tone.py:tune", "Did you mean tone?"),
        ("tone.py:WORDS", "not an evaluator"),
        ("tone.py:Tone", "not an evaluator"),
        ("tone.py:leaks", "comes with the program"),
        ("tone.py:floor_like", "comes with the program"),
        ("tone.py:undecorated", "@evaluator"),
        ("broken.py:tone", "broken.py:2"),
        ("crooked.py:tone", "crooked.py, line 1"),
        ("lacking.py:tone", "No module named 'not_installed'"),
    ],
)
def test_what_cannot_be_loaded_is_said_in_one_sentence(here: Path, spec: str, words: str) -> None:
    (here / "tone.py").write_text(
        "from evals.evaluator import evaluator\n"
        "WORDS = ['thank']\n"
        "class Tone:\n    pass\n"
        "def tone(outputs): return 1\n"
        "def leaks(outputs): return 1\n"
        "def undecorated(transcript, mark): yield\n"
        "floor_like = evaluator('floor', version=1)(undecorated)\n"
    )
    (here / "broken.py").write_text("ready = True\n1 / 0\n")
    (here / "crooked.py").write_text("def tone(:\n")
    (here / "lacking.py").write_text("import not_installed\n")

    with pytest.raises(UserError) as refused:
        load(spec)

    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
