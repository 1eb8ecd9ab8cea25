"""What is published about judges is what was measured, with the rubrics and the gold there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.calibration.calibrating import CALIBRATIONS, Calibration
from evals.calibration.gold import read_gold
from evals.judging.form import FORM_SHA
from evals.judging.pipeline import claims_sha
from evals.judging.rubrics import rubric
from evals.validity.battery import CARDS, PASS, Card
from harness.cli.validate_judge import to_markdown

README = (Path(__file__).parents[2] / "evals" / "README.md").read_text("utf-8")
SHIPPED_CARDS = CARDS.known([CARDS.shipped])
SHIPPED_CALIBRATIONS = CALIBRATIONS.known([CALIBRATIONS.shipped])


def test_cards_of_two_judges_are_published() -> None:
    assert len({card.models for card in SHIPPED_CARDS}) == 2
    assert SHIPPED_CALIBRATIONS


@pytest.mark.parametrize(
    "found", [*SHIPPED_CARDS, *SHIPPED_CALIBRATIONS], ids=lambda m: f"{type(m).__name__}-{m.judge}"
)
def test_it_holds_for_the_rubric_the_wording_and_the_gold_of_today(
    found: Card | Calibration,
) -> None:
    assert found.rubric_sha == rubric(found.rubric).sha
    assert found.wording_sha == FORM_SHA
    assert found.gold_sha == read_gold(found.gold).sha
    assert "/" not in found.judge  # a path of the machine that measured it


@pytest.mark.parametrize("card", SHIPPED_CARDS, ids=lambda card: card.judge)
def test_the_card_in_the_readme_is_the_card(card: Card) -> None:
    assert card.claims_sha == claims_sha()
    for row in to_markdown(card.checks).splitlines():
        assert row in README
    marks = set(PASS.values()) | {0.2}
    assert {check.pass_mark for check in card.checks} <= marks


@pytest.mark.parametrize("found", SHIPPED_CALIBRATIONS, ids=lambda found: found.judge)
def test_the_calibration_in_the_readme_is_the_calibration(found: Calibration) -> None:
    for each in found.measures.classes:
        assert (
            f"| {each.label} | {each.sensitivity.shown()} | {each.specificity.shown()} |" in README
        )
    assert f"kappa with people {found.measures.kappa.shown()}" in README
