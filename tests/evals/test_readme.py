"""What evals/README.md shows must work, and every metric must stand in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from evals.evaluator import Score, evaluate
from evals.registry import BUILT_IN
from tests.evals.room import Room
from tests.evals.talks import half_agreed, two_party_setting

README = (Path(__file__).parents[2] / "evals" / "README.md").read_text("utf-8")


def test_the_example_evaluator_runs() -> None:
    code, *_ = re.findall(r"```python\n(.*?)```", README, re.S)
    names: dict[str, Any] = {}
    exec(code, names)
    room = Room(two_party_setting()).opens().says("us", "Thank you.").says("ru", "Well.")
    (result,) = evaluate(room.transcript, (names["courtesy"],))
    assert isinstance(result, Score)
    assert (result.evaluator, result.value, result.hits, result.n) == ("courtesy", 0.5, 1, 2)
    assert result.evidence[0].turn == "T1"


@pytest.mark.parametrize("name", [each.name for each in BUILT_IN])
def test_every_evaluator_is_described(name: str) -> None:
    assert f"| `{name}/" in README


def test_every_metric_is_described() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `")]
    described: set[tuple[str, str]] = set()
    for row in rows:
        cell = row.split("|")[1]
        first, *more = re.findall(r"`([^`]+)`", cell)
        evaluator, _, metric = first.partition("/")
        described |= {(evaluator, m) for m in (metric, *more)}
    per_case = {"answer_in_line", "hard_crossing", "soft_crossing"}
    for result in evaluate(half_agreed().transcript, BUILT_IN):
        metric = re.sub(r"^(error|failed)_(?!turns).*", r"\1_*", result.metric)
        assert metric in per_case or (result.evaluator, metric) in described, result.metric


def test_every_module_is_listed() -> None:
    modules = {path.name for path in (Path(__file__).parents[2] / "evals").glob("*.py")}
    for module in modules - {"__init__.py"}:
        assert module in README, module
