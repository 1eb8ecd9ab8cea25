"""The robustness card: whether what an arm brings survives when something else is changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from evals.comparison.card import survival
from evals.comparison.inference import Difference, Estimate, compare
from evals.comparison.results import results_of
from evals.comparison.shapes import CardLine, Results, Row
from evals.comparison.verdicts import verdict
from harness.experiment.design import Cell
from harness.experiment.shapes import Metric
from tests.evals.comparison.planted import NOISE, Planted, experiment, index, plant

PAIR = "[{id: a, prompt: dossier}, {id: b, prompt: interests}]"
MORE = """
variations:
  - {id: reversed, what: the seats in reverse order, reverse_seats: true}
  - {id: masked, what: names hidden, masked: true}
"""


def difference(effect: float, spread: float = 1.0, n: int = 8) -> Difference:
    arm = {f"s{at}": {1: effect + spread * NOISE[at]} for at in range(n)}
    base = {name: {1: 0.0} for name in arm}
    return compare(base, arm, smallest=0.1, better="higher")


def a_row(found: Difference) -> Row:
    return Row(
        name="b", kind="arm", metric=Metric(metric="concordance/in_line", better="higher"),
        estimate=Estimate(value=0.5), difference=found, p_adjusted=found.p,
        verdict=verdict(found, found.p),
    )  # fmt: skip


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize(
    ("here", "survives"),
    [
        (difference(0.3), "yes"),
        (difference(0.05), "yes"),  # smaller, and still there
        (difference(-0.3), "no"),  # reversed
        (difference(0.0), "no"),  # an effect of .1 is excluded
        (difference(0.1, spread=10), "unsettled"),
        (difference(0.3, n=1), "unsettled"),  # no interval
    ],
)
def test_an_effect_survives_if_it_goes_the_same_way_and_its_interval_excludes_0(
    here: Difference, survives: str, way: int
) -> None:
    turned = {s.scenario: {1: way * s.value} for s in here.scenarios}
    base = {name: {1: 0.0} for name in turned}
    varied = compare(base, turned, smallest=0.1, better="higher")
    assert survival(a_row(difference(way * 0.3)), varied).survives == survives


def test_where_nothing_was_shown_nothing_can_survive() -> None:
    assert survival(a_row(difference(0.0)), difference(0.3)).survives == "nothing to survive"


def test_a_small_effect_is_lost_where_the_interval_excludes_one_as_small() -> None:
    small = a_row(difference(0.05, spread=0.1))
    assert survival(small, difference(0.0, spread=0.1)).survives == "no"
    assert survival(small, difference(0.02, spread=2)).survives == "unsettled"


def held(tmp_path: Path, effects: dict[str | None, float]) -> Results:
    read = experiment(tmp_path, arms=PAIR, more=MORE)

    def value(cell: Cell) -> Planted:
        noise = NOISE[(index(cell) + cell.seed + 3 * (cell.arm == "b")) % 8]
        return Planted(in_line=0.5 + noise + effects[cell.variation] * (cell.arm == "b"))

    return results_of(plant(read, tmp_path / "held", value), read)


def lines(found: Results) -> Sequence[CardLine]:
    assert [line.variation for line in found.card] == [None, "reversed", "masked"]
    return found.card


def test_the_card_has_every_circumstance_with_its_change(tmp_path: Path) -> None:
    itself, reverse, masked = lines(held(tmp_path, {None: 0.3, "reversed": 0.3, "masked": -0.2}))
    assert itself.survives == "yes"
    assert itself.change is None
    assert (reverse.survives, masked.survives) == ("yes", "no")
    assert masked.what == "names hidden"
    assert reverse.change is not None
    assert masked.change is not None
    assert reverse.change.observed.value == pytest.approx(0)
    assert masked.change.observed.value == pytest.approx(-0.5)
    assert masked.difference.observed.value == pytest.approx(-0.2, abs=0.02)


def test_without_an_effect_the_card_says_that_there_is_nothing_to_survive(tmp_path: Path) -> None:
    found = held(tmp_path, {None: 0.0, "reversed": 0.3, "masked": 0.0})
    assert {line.survives for line in lines(found)} == {"nothing to survive"}
    # What a circumstance shows by itself is exploratory: no verdict, not in the family.
    varied = [row for row in found.rows if row.variation is not None]
    assert len(varied) == 4
    assert all(row.verdict is None and row.p_adjusted is None for row in varied)


def test_without_variations_there_is_no_card(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=PAIR, seeds=1)
    assert results_of(plant(read, tmp_path / "held", lambda _: Planted()), read).card == ()
