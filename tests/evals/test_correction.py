"""The corrected shares, against judges whose errors are known because they are made here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.calibration.correction import (
    Corrected,
    Tally,
    correct,
    label_shift,
    prediction_powered,
    rogan_gladen,
    tally,
    tuned_weight,
)
from evals.calibration.measures import Confusion, Estimate

Rows = Sequence[Sequence[float]]
RESAMPLES = 1000
FIVE = ("contradicted", "no claim", "partial", "supported", "unsupported")

POOR = ((0.15, 0.85), (0.03, 0.97))
FAIR = ((0.7, 0.3), (0.15, 0.85))
GOOD = ((0.97, 0.03), (0.02, 0.98))
CONFUSED = (
    (0.70, 0.02, 0.20, 0.03, 0.05),
    (0.01, 0.90, 0.02, 0.02, 0.05),
    (0.30, 0.02, 0.45, 0.18, 0.05),
    (0.02, 0.02, 0.16, 0.75, 0.05),
    (0.03, 0.10, 0.07, 0.05, 0.75),
)
"""It takes many a partly supported claim for a contradicted one, and hardly any other."""


class Sample(NamedTuple):
    judged: Tally
    gold: Confusion


def a_gold(rows: Sequence[Sequence[int]], unscored: int = 0) -> Confusion:
    labels = FIVE if len(rows) == len(FIVE) else ("yes", "no")
    counts = tuple(tuple(row) for row in rows)
    return Confusion(labels=labels, counts=counts, unscored=(unscored, *(0,) * (len(rows) - 1)))


def a_tally(labels: Sequence[str], counts: Sequence[int]) -> Tally:
    return Tally(counts=dict(zip(labels, counts, strict=True)))


def balanced(rows: Rows, mix: Sequence[float], per_label: int, judged: int) -> Iterator[Sample]:
    """Gold with as many claims of each label, judged claims in another mix; the same judge."""
    rng = np.random.default_rng(11)
    shares = np.array(mix) @ np.array(rows)
    for said in rng.multinomial(judged, shares, size=RESAMPLES).tolist():
        gold = a_gold([rng.multinomial(per_label, row).tolist() for row in rows])
        yield Sample(a_tally(gold.labels, said), gold)


def random(rows: Rows, mix: Sequence[float], gold: int, judged: int) -> Iterator[Sample]:
    """Gold and judged claims in the same mix, drawn at random."""
    rng = np.random.default_rng(12)
    cells = (np.array(mix)[:, None] * np.array(rows)).ravel()
    drawn = rng.multinomial(gold, cells, size=RESAMPLES).tolist()
    said = rng.multinomial(judged, np.array(mix) @ np.array(rows), size=RESAMPLES).tolist()
    for both, alone in zip(drawn, said, strict=True):
        known = a_gold(np.reshape(both, (len(mix), len(mix))).tolist())
        yield Sample(a_tally(known.labels, alone), known)


def covered(found: Sequence[Estimate], truth: float) -> float:
    """Share of the intervals that hold the truth; every estimate must have one."""
    hits = 0
    for each in found:
        assert each.low is not None
        assert each.high is not None
        hits += each.low <= truth <= each.high
    return hits / len(found)


def bias(found: Sequence[Estimate], truth: float) -> float:
    return float(np.mean([each.value for each in found if each.value is not None])) - truth


def width(found: Estimate) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def tuned(label: str) -> Callable[[Sample], Estimate]:
    return lambda sample: prediction_powered(label, *sample, weight=tuned_weight(label, *sample))


def test_the_plain_estimate_is_the_judges_share_plus_its_error_on_the_gold() -> None:
    gold = a_gold(((8, 12), (2, 78)))
    found = prediction_powered("yes", Tally(counts={"yes": 90, "no": 910}), gold)
    assert found.value == pytest.approx(0.09 + (12 - 2) / 100)
    assert found.n == 1100
    alone = prediction_powered("yes", Tally(counts={"yes": 90, "no": 910}), gold, weight=0)
    assert alone.value == pytest.approx(20 / 100)


def test_the_interval_is_the_normal_one_after_half_a_claim_went_into_each_cell() -> None:
    gold = a_gold(((6, 4), (1, 89)))
    found = prediction_powered("yes", Tally(counts={"yes": 90, "no": 910}), gold, weight=0.5)
    scores = np.repeat([0.5, 1.0, -0.5, 0.0], [13, 9, 3, 179])  # Twice the cells, plus one each.
    rate = 91 / 1002
    middle = 0.5 * rate + scores.mean()
    reach = 1.959964 * np.sqrt(0.25 * rate * (1 - rate) / 1002 + scores.var() / 102)
    assert (found.low, found.high) == pytest.approx((middle - reach, middle + reach), abs=1e-6)


@pytest.mark.parametrize("share", [0.05, 0.5])
@pytest.mark.parametrize("rows", [POOR, FAIR, GOOD], ids=["poor", "fair", "good"])
@pytest.mark.parametrize("size", [(20, 60), (100, 1000)], ids=["20 gold", "100 gold"])
def test_estimates_from_a_random_gold_are_unbiased_and_cover(
    rows: Rows, share: float, size: tuple[int, int]
) -> None:
    samples = list(random(rows, (share, 1 - share), *size))
    plain = [prediction_powered("yes", *sample) for sample in samples]
    assert covered(plain, share) >= 0.93
    assert abs(bias(plain, share)) < 0.015
    weighed = [tuned("yes")(sample) for sample in samples]
    assert covered(weighed, share) >= 0.93
    # The weight comes from the same gold: without a positive claim in it the judge is not believed.
    assert abs(bias(weighed, share)) < (0.025 if size[0] < 100 else 0.01)


def test_a_judge_right_on_all_of_a_small_gold_is_not_taken_to_be_infallible() -> None:
    found = prediction_powered("yes", a_tally(("yes", "no"), (50, 950)), a_gold(((1, 0), (0, 19))))
    assert width(found) > 0.15


def test_the_tuned_weight_follows_what_the_judge_is_worth() -> None:
    mix, weights = (0.3, 0.7), {}
    for name, rows in {"blind": ((0.4, 0.6), (0.4, 0.6)), "fair": FAIR, "good": GOOD}.items():
        samples = list(random(rows, mix, 100, 2000))
        weights[name] = float(np.mean([tuned_weight("yes", *sample) for sample in samples]))
        drawn = samples[:200]
        human = np.mean([width(prediction_powered("yes", *each, weight=0)) for each in drawn])
        plain = np.mean([width(prediction_powered("yes", *each)) for each in drawn])
        assert np.mean([width(tuned("yes")(each)) for each in drawn]) < 1.02 * min(human, plain)
    assert weights["blind"] < 0.06
    assert 0.4 < weights["fair"] < 0.65
    assert weights["good"] > 0.85
    assert tuned_weight("yes", Tally(counts={"no": 50}), a_gold(((0, 10), (0, 10)))) == 0


@pytest.mark.parametrize(
    ("rows", "mix", "per_label"),
    [
        (FAIR, (0.1, 0.9), 30), (FAIR, (0.8, 0.2), 100), (GOOD, (0.02, 0.98), 15),
        (POOR, (0.2, 0.8), 300), (CONFUSED, (0.05, 0.15, 0.4, 0.3, 0.1), 100),
        (CONFUSED, (0.0, 0.5, 0.1, 0.2, 0.2), 100),
    ],
    ids=["fair", "fair, frequent", "good, rare", "poor", "five labels", "five labels, one absent"],
)  # fmt: skip
def test_a_balanced_gold_covers_shares_that_are_not_its_own(
    rows: Rows, mix: Sequence[float], per_label: int
) -> None:
    samples = list(balanced(rows, mix, per_label, 600))
    found = [label_shift(sample.gold.labels[0], *sample) for sample in samples]
    assert covered(found, mix[0]) >= 0.93
    assert np.mean([each.value is not None for each in found]) > 0.9
    assert abs(bias(found, mix[0])) < 0.02


@pytest.mark.parametrize("rows", [POOR, FAIR], ids=["poor", "fair"])
def test_taking_a_balanced_gold_for_a_random_one_is_wrong_and_looks_sure(rows: Rows) -> None:
    samples = list(balanced(rows, (0.1, 0.9), 100, 1000))
    naive = [prediction_powered("yes", *sample) for sample in samples]
    right = [label_shift("yes", *sample) for sample in samples]
    assert covered(naive, 0.1) < 0.5
    assert bias(naive, 0.1) > 0.05
    assert covered(right, 0.1) >= 0.93


def test_one_label_against_the_rest_is_wrong_when_the_mix_of_the_rest_shifts() -> None:
    """Partial claims are taken for contradicted ones: many of them make the merged table wrong."""
    mix = (0.1, 0.05, 0.7, 0.1, 0.05)
    samples = list(balanced(CONFUSED, mix, 60, 1000))
    whole = [label_shift("contradicted", *sample) for sample in samples]
    merged = [rogan_gladen("contradicted", *sample) for sample in samples]
    assert covered(whole, 0.1) >= 0.93
    assert covered([each for each in merged if each.low is not None], 0.1) < 0.3


@given(
    st.lists(st.floats(0.01, 1), min_size=5, max_size=5),
    st.lists(st.lists(st.integers(0, 20), min_size=5, max_size=5), min_size=5, max_size=5),
)
def test_exact_counts_give_back_the_exact_mix(mix: list[float], errors: list[list[int]]) -> None:
    rows = [[e + 120 * (i == j) for j, e in enumerate(row)] for i, row in enumerate(errors)]
    shares = np.array(mix) / sum(mix)
    table = np.array(rows, dtype=float)
    exact = shares @ (table / table.sum(axis=1, keepdims=True))
    judged = a_tally(FIVE, np.rint(exact * 10**9).astype(int).tolist())
    found = [label_shift(label, judged, a_gold(rows)).value for label in FIVE]
    assert found == pytest.approx(shares.tolist(), abs=1e-6)


def test_for_two_labels_it_is_the_formula_of_rogan_and_gladen() -> None:
    judged, gold = Tally(counts={"yes": 240, "no": 760}), a_gold(((70, 30), (15, 85)))
    expected = (0.24 + 0.85 - 1) / (0.7 + 0.85 - 1)
    assert label_shift("yes", judged, gold).value == pytest.approx(expected)
    assert rogan_gladen("yes", judged, gold).value == pytest.approx(expected)


@pytest.mark.parametrize("said", [260, 400, 620])
def test_the_interval_is_all_shares_that_do_not_make_the_judges_share_surprising(said: int) -> None:
    """Fieller's interval against a search over every true share, for two labels."""
    judged, gold = a_tally(("yes", "no"), (said, 1000 - said)), a_gold(((30, 20), (15, 35)))
    found = label_shift("yes", judged, gold)
    t = np.linspace(-2, 3, 500_001)

    def error(yes: int, no: int) -> float:
        rate = (yes + 1) / (yes + no + 2)
        return rate * (1 - rate) / (yes + no + 2)

    spread = error(said, 1000 - said) + t**2 * error(30, 20) + (1 - t) ** 2 * error(15, 35)
    surprise = np.abs(said / 1000 - 0.6 * t - 0.3 * (1 - t)) / np.sqrt(spread)
    kept = t[surprise <= 1.959964]
    assert (found.low, found.high) == pytest.approx((kept.min(), kept.max()), abs=2e-5)


def test_labels_a_judge_cannot_tell_apart_get_no_value_until_they_are_merged() -> None:
    rows = [list(row) for row in CONFUSED]
    rows[2] = rows[3]
    samples = list(balanced(rows, (0.2,) * 5, 60, 500))
    lost = [label_shift("partial", *sample) for sample in samples]
    assert np.mean([each.value is None for each in lost]) > 0.97
    assert covered(lost, 0.2) >= 0.93
    without = next(each for each in lost if each.value is None)
    assert "'partial' and 'supported'" in without.why
    assert "merge the two" in without.why
    assert covered([label_shift("contradicted", *sample) for sample in samples], 0.2) >= 0.93
    for label, truth in (("contradicted", 0.2), ("supported", 0.4)):
        found = [label_shift(label, *merged(sample)) for sample in samples]
        assert np.mean([each.value is not None for each in found]) > 0.95
        assert covered(found, truth) >= 0.93


def merged(sample: Sample) -> Sample:
    """Partial claims called supported, by people and by the judge."""
    labels = tuple(label for label in FIVE if label != "partial")
    said = {"supported": sample.judged.counts["partial"]}
    one = {label: ("partial", label) if label == "supported" else (label,) for label in labels}
    counts = tuple(
        tuple(
            sum(sample.gold.count(h, f) for h in one[human] for f in one[judge]) for judge in labels
        )
        for human in labels
    )
    judged = {label: sample.judged.counts[label] + said.get(label, 0) for label in labels}
    return Sample(Tally(counts=judged), Confusion(labels=labels, counts=counts, unscored=(0,) * 4))


def test_with_two_labels_that_cannot_be_told_apart_nothing_is_known() -> None:
    found = label_shift("yes", a_tally(("yes", "no"), (20, 80)), a_gold(((10, 40), (10, 40))))
    assert (found.value, found.low, found.high) == (None, 0, 1)
    assert "label more" in found.why


def test_a_blind_judge_almost_never_gets_a_value() -> None:
    found = [label_shift("yes", *s) for s in balanced(((0.4, 0.6),) * 2, (0.1, 0.9), 100, 500)]
    assert np.mean([each.value is not None for each in found]) < 0.01


def test_shares_that_no_mix_could_produce_count_against_the_gold() -> None:
    found = label_shift("yes", a_tally(("yes", "no"), (5, 995)), a_gold(((80, 20), (30, 70))))
    assert found.value is None
    assert found.low is None
    assert "it does not judge these claims as it judges the gold" in found.why
    near = label_shift("yes", a_tally(("yes", "no"), (26, 74)), a_gold(((80, 20), (30, 70))))
    assert near.value is not None
    assert near.value < 0
    assert near.shown().startswith("0.00 [0.00, ")


def test_too_little_gold_gives_no_value_but_the_number_needed() -> None:
    judged = Tally(counts={"yes": 10, "no": 90})
    small = correct("yes", judged, a_gold(((4, 4), (0, 11))), design="random")
    assert small.best.value is None
    assert "19 claims labelled by people, 20 needed" in small.best.why
    assert small.human.value == pytest.approx(8 / 19)
    short = correct("yes", judged, a_gold(((4, 4), (0, 50))), design="balanced")
    assert "8 scored claims labelled 'yes', 15 needed" in short.best.why
    nobody = correct("yes", Tally(counts={}), a_gold(((20, 20), (0, 50))), design="balanced")
    assert nobody.best.value is None
    assert nobody.raw.value is None


def test_the_design_decides_which_estimates_exist() -> None:
    judged, gold = Tally(counts={"yes": 240, "no": 760}), a_gold(((70, 30), (15, 85)))
    drawn = correct("yes", judged, gold, design="random")
    chosen = correct("yes", judged, gold, design="balanced")
    assert drawn.best == drawn.tuned
    assert drawn.label_shift.value is None
    assert chosen.best == chosen.label_shift
    for absent in (chosen.prediction_powered, chosen.tuned, chosen.human, chosen.rogan_gladen):
        assert absent.value is None
        assert "chosen by label" in absent.why
    assert drawn.raw == chosen.raw
    assert Corrected.model_validate_json(drawn.model_dump_json()) == drawn


def test_rogan_gladen_stands_beside_only_where_the_judge_is_good_enough() -> None:
    judged = Tally(counts={"yes": 240, "no": 760})
    weak = correct("yes", judged, a_gold(((40, 60), (5, 95))), design="random").rogan_gladen
    assert weak.value is None
    assert "is 0.35, below 0.4" in weak.why
    sided = correct("yes", judged, a_gold(((40, 0), (0, 0))), design="random").rogan_gladen
    assert "one side" in sided.why


def test_unscored_claims_are_counted_apart_and_move_nothing() -> None:
    heard = tally(["yes"] * 30 + ["no"] * 70 + [None] * 40)
    assert (heard.n, heard.unscored) == (100, 40)
    gold, holed = a_gold(((40, 10), (5, 45))), a_gold(((40, 10), (5, 45)), unscored=9)
    for design in ("random", "balanced"):
        whole = correct("yes", tally(["yes"] * 30 + ["no"] * 70), gold, design=design).best
        found = correct("yes", heard, holed, design=design).best
        assert (found.value, found.low, found.high) == (whole.value, whole.low, whole.high)
        assert found.unscored == 40


def test_a_label_the_gold_does_not_know_is_an_error() -> None:
    gold = a_gold(((40, 10), (5, 45)))
    with pytest.raises(ValueError, match="'maybe' is none of the gold's labels yes, no"):
        correct("yes", Tally(counts={"maybe": 3}), gold, design="random")
    with pytest.raises(ValueError, match="'maybe'"):
        correct("maybe", Tally(counts={"yes": 3}), gold, design="balanced")
