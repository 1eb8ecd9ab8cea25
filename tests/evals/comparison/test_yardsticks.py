"""What talk is held against: worked out by hand on a small setting, and on held debates."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.baselines import baselines
from evals.comparison.results import results_of
from evals.comparison.yardsticks import ACCEPT, BEST, COMPUTED, RANDOM, premiums, yard
from harness.experiment.shapes import Metric
from harness.transcript import read
from tests.evals.comparison.planted import NOISE, Planted, experiment, index, plant, row
from tests.evals.room import Room, a_party, a_position, a_red_line, a_setting, an_issue, an_item

RATE = Metric(metric="agreement/agreement_rate", of="debate")
WEIGHTED = Metric(metric="agreement/agreement_rate_weighted", of="debate")


def satisfaction(of: str) -> Metric:
    return Metric(metric="satisfaction/satisfaction", of=of)


@pytest.fixture
def room() -> Room:
    """Two issues. On `guns` A wants a and B could never take it; on `ships` both want b."""
    setting = a_setting(
        a_party(
            "aa",
            a_position("aa-1", 4, supports=("guns/a",)),
            a_position("aa-2", 2, supports=("ships/b",)),
        ),
        a_party("bb", a_red_line("bb-1", "guns/a"), a_position("bb-2", 3, supports=("ships/b",))),
        items=(an_item(an_issue("guns"), an_issue("ships", weight=3.0)),),
    )
    return Room(setting)


def test_every_yardstick_is_what_one_finds_by_hand(room: Room) -> None:
    found = yard(room.transcript)
    zones = baselines(room.transcript).zopa
    chance = {key: zone.random for key, zone in zones.items()}
    # Nothing was tabled, so accepting everything settles nothing.
    assert found.value(ACCEPT, RATE, ()) == 0
    assert found.value(ACCEPT, satisfaction("parties"), ()) == 0
    # guns/b crosses nobody, ships/b is worth most: both issues can be settled.
    assert found.value(BEST, RATE, ()) == 1
    assert found.value(RANDOM, RATE, ()) == pytest.approx((chance["guns"] + chance["ships"]) / 2)
    by_weight = (chance["guns"] + 3 * chance["ships"]) / 4
    assert found.value(RANDOM, WEIGHTED, ()) == pytest.approx(by_weight)
    assert by_weight != pytest.approx((chance["guns"] + chance["ships"]) / 2), "weights count"
    # A could attain 4 + 2 points and takes 2 home; B could attain 3 and takes 3.
    assert found.value(BEST, satisfaction("aa"), ()) == pytest.approx(2 / 6)
    assert found.value(BEST, satisfaction("bb"), ()) == pytest.approx(1)
    assert found.value(BEST, satisfaction("parties"), ()) == pytest.approx((2 / 6 + 1) / 2)
    assert found.value(BEST, satisfaction("treated"), ("bb",)) == pytest.approx(1)


def test_accepting_everything_takes_what_was_tabled(room: Room) -> None:
    room.opens().enters("decision").tables("guns/a")
    found = yard(room.transcript)
    assert found.value(ACCEPT, RATE, ()) == pytest.approx(0.5)
    assert found.value(ACCEPT, WEIGHTED, ()) == pytest.approx(0.25)
    assert found.value(ACCEPT, satisfaction("aa"), ()) == pytest.approx(4 / 6)


@pytest.mark.parametrize("name", COMPUTED)
def test_where_a_yardstick_is_not_defined_there_is_none(room: Room, name: str) -> None:
    other = Metric(metric="red_lines/crossed_hard", of="debate")
    assert yard(room.transcript).value(name, other, ()) is None
    assert yard(room.transcript).value(name, RATE.model_copy(update={"of": "parties"}), ()) is None


def values(*means: float) -> dict[str, dict[int, float]]:
    return {f"s{at}": {1: mean} for at, mean in enumerate(means)}


FLAT = values(*[0.5] * 8)


@pytest.mark.parametrize(
    ("arm", "why"),
    [
        (values(*(0.8 + n for n in NOISE)), "more"),
        (values(*(0.2 + n for n in NOISE)), "less"),
        (values(*(0.5 + n for n in NOISE)), "as good, to within 0.1"),
        (values(*(0.5 + 10 * n for n in NOISE)), "not told apart"),
        (values(*[0.7] * 8), "alike in every scenario"),
        (values(*(0.8 + n for n in NOISE[:5])), "no test"),
        ({}, "the arms have no scenario in common"),
    ],
)
def test_the_talk_premium_says_in_words_what_its_interval_says(
    arm: dict[str, dict[int, float]], why: str
) -> None:
    (found,) = premiums(RATE, {"b": arm}, {"no-talk": FLAT}, 0.1)
    assert (found.arm, found.beside, found.why) == ("b", "no-talk", why)


def test_without_a_smallest_difference_nothing_is_as_good() -> None:
    (found,) = premiums(RATE, {"b": values(*(0.5 + n for n in NOISE))}, {"solo": FLAT}, None)
    assert found.why == "not told apart"


def test_rows_and_premiums_of_an_experiment_stand_on_the_baseline_s_debates(tmp_path: Path) -> None:
    read_ = experiment(tmp_path, seeds=1, more="beside: [no-talk]")
    folder = plant(read_, tmp_path / "held", lambda c: Planted(agreed=0.5 + NOISE[index(c)]))
    found = results_of(folder, read_)
    luck = row(found, RANDOM, "agreement/agreement_rate")
    dealt = [
        baselines(read(path)).random.agreement for path in folder.glob("a.*.s01-????????.jsonl")
    ]
    expected = [each for each in dealt if each is not None]
    assert len(expected) == len(dealt)
    assert luck.kind == "computed"
    assert luck.estimate.value is not None
    assert luck.estimate.value == pytest.approx(sum(expected) / len(expected))
    (less,) = [
        p for p in found.premium
        if (p.arm, p.beside, p.metric.metric) == ("b", RANDOM, "agreement/agreement_rate")
    ]  # fmt: skip
    assert less.value == pytest.approx(0.5 + sum(NOISE) / 8 - luck.estimate.value)
    # No random deal has votes, so none is in line.
    assert not any(
        p.beside == RANDOM and p.metric.metric == "concordance/in_line" for p in found.premium
    )
