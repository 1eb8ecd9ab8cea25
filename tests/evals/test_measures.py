from __future__ import annotations

import builtins
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from evals.calibration.alpha import (
    Alpha,
    alpha,
    disputed,
    human_kappa,
    paired_gap,
    self_preference,
)
from evals.calibration.measures import (
    Confusion,
    Estimate,
    Measures,
    auc,
    confusion,
    flip_rate,
    kappa,
    measure,
    share,
)
from evals.intervals import wilson
from harness.errors import UserError

Pairs = Sequence[tuple[bool | None, bool | None]]


def labelled(table: dict[tuple[str, str | None], int]) -> tuple[list[str], list[str | None]]:
    """Two aligned sequences in which each pair of labels occurs as often as the table says."""
    pairs = [pair for pair, count in table.items() for _ in range(count)]
    return [human for human, _ in pairs], [judge for _, judge in pairs]


def noisy(truth: Sequence[str], errors: float, seed: int) -> list[str]:
    rng = Random(seed)
    return [rng.choice("abc") if rng.random() < errors else label for label in truth]


def paired(both: int, first: int, second: int, neither: int) -> Pairs:
    return (
        [(True, True)] * both + [(True, False)] * first
        + [(False, True)] * second + [(False, False)] * neither
    )  # fmt: skip


TRUTH = [label for label in "aaabbc" for _ in range(20)]


def test_an_unscored_claim_is_neither_right_nor_wrong() -> None:
    human, judge = labelled({("x", "x"): 6, ("x", "y"): 2, ("x", None): 4, ("y", "y"): 8})
    found = measure(human, judge)
    assert found.confusion.labels == ("x", "y")
    assert found.confusion.counts == ((6, 2), (0, 8))
    assert found.confusion.unscored == (4, 0)
    sensitivity = found.classes[0].sensitivity
    assert (sensitivity.hits, sensitivity.n, sensitivity.unscored) == (6, 8, 4)
    assert (found.agreement.value, found.agreement.n, found.agreement.unscored) == (14 / 16, 16, 4)
    assert found.unscored.value == 4 / 20


def test_each_class_is_measured_against_all_others() -> None:
    human, judge = labelled(
        {("c", "c"): 7, ("c", "p"): 3, ("p", "c"): 4, ("p", "p"): 6, ("s", "s"): 19, ("s", "c"): 1}
    )
    found = {each.label: each for each in measure(human, judge).classes}["c"]
    shares = [found.sensitivity, found.specificity, found.positive_value, found.negative_value]
    assert [(each.hits, each.n) for each in shares] == [(7, 10), (25, 30), (7, 12), (25, 28)]
    assert (found.specificity.low, found.specificity.high) == wilson(25, 30)


def test_a_judge_that_always_says_the_same_agrees_often_and_is_worth_nothing() -> None:
    found = measure(["none"] * 90 + ["contradicted"] * 10, ["none"] * 100)
    assert found.agreement.value == 0.9
    assert found.balanced_accuracy.value == 0.5
    assert found.kappa.value == 0
    rare = next(each for each in found.classes if each.label == "contradicted")
    assert rare.positive_value.value is None
    assert "nothing to count" in rare.positive_value.why


def test_the_interval_of_kappa_is_that_of_another_implementation() -> None:
    human = TRUTH
    judge = noisy(TRUTH, 0.4, seed=3)
    codes = np.array([[ord(label) for label in human], [ord(label) for label in judge]])

    def statistic(first: Any, second: Any) -> float:
        found = kappa(list(zip(map(str, first), map(str, second), strict=True)))
        assert found is not None
        return found

    other = stats.bootstrap(
        (codes[0], codes[1]), statistic, paired=True, vectorized=False, n_resamples=2000,
        method="percentile", rng=np.random.default_rng(5),
    ).confidence_interval  # fmt: skip
    ours = measure(human, judge).kappa
    assert (ours.low, ours.high) == pytest.approx((other.low, other.high), abs=0.012)
    assert ours.method == "bootstrap"


def test_the_order_of_claims_changes_nothing() -> None:
    judge = noisy(TRUTH, 0.3, seed=4)
    turned = measure(TRUTH[::-1], judge[::-1], resamples=200)
    assert turned == measure(TRUTH, judge, resamples=200)
    rng = Random(6)
    above, below = [[rng.gauss(mean, 1) for _ in range(30)] for mean in (1, 0)]
    ours = auc(above, below, resamples=200)
    assert auc(above[::-1], below[::-1], resamples=200) == ours


def test_perfect_agreement_gets_no_interval_of_width_0() -> None:
    found = measure(["a", "b"] * 5, ["a", "b"] * 5, resamples=200).kappa
    assert found.value == 1
    assert found.low is None
    assert "too alike" in found.why


def test_measures_survive_being_stored() -> None:
    judge: list[str | None] = [*noisy(TRUTH[:-1], 0.3, seed=4), None]
    found = measure(TRUTH, judge, human_kappa=share(1, 3), resamples=100)
    assert Measures.model_validate_json(found.model_dump_json()) == found


def test_what_cannot_be_counted_is_said() -> None:
    with pytest.raises(ValueError, match="shorter"):
        confusion(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="'maybe' is none of the labels a, b"):
        confusion(["a", "b"], ["a", "maybe"], ["a", "b"])
    with pytest.raises(ValidationError, match="2 rows and columns"):
        Confusion(labels=("a", "b"), counts=((1, 2),), unscored=(0, 0))
    with pytest.raises(ValidationError, match="twice"):
        Confusion(labels=("a", "a"), counts=((1, 2), (1, 2)), unscored=(0, 0))


def test_clipping_is_for_display_alone_and_is_said() -> None:
    found = Estimate(value=-0.04, low=-0.11, high=0.03)
    assert found.shown() == "0.00 [0.00, 0.03] (clipped from -0.04)"
    assert share(1, 4).shown() == "0.25 [0.05, 0.70]"
    assert share(0, 0).shown() == "none (there was nothing to count)"


def test_a_label_that_one_run_lacks_is_no_flip() -> None:
    found = flip_rate(["a", "a", "b", None, "b"], ["a", "b", "b", "b", None])
    assert (found.hits, found.n, found.unscored) == (1, 3, 2)
    assert (found.low, found.high) == wilson(1, 3)
    assert flip_rate([None], ["a"]).value is None


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=15),
    st.lists(st.integers(0, 4), min_size=1, max_size=15),
)
def test_auc_with_ties_is_the_rank_statistic(positives: list[int], negatives: list[int]) -> None:
    expected = stats.mannwhitneyu(positives, negatives).statistic / len(positives) / len(negatives)
    assert auc(positives, negatives, resamples=5).value == pytest.approx(expected)


def test_auc_comes_with_an_interval_and_needs_both_classes() -> None:
    rng = Random(2)
    found = auc([rng.gauss(1, 1) for _ in range(80)], [rng.gauss(0, 1) for _ in range(80)])
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    # Hanley and McNeil's standard error at this AUC and n is 0.037.
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 0.037, rel=0.2)
    assert auc([1.0, 2.0], []).value is None


def test_people_agree_pair_by_pair_over_the_claims_all_labelled() -> None:
    first, second = ["a", "a", "b", "b", "a", None], ["a", "b", "b", "b", "a", "a"]
    third = list("aabbab")
    two = human_kappa({"p": first, "q": second})
    assert two.value == pytest.approx(
        kappa([("a", "a"), ("a", "b"), *[("b", "b")] * 2, ("a", "a")])
    )
    assert (two.n, two.unscored) == (5, 1)
    three = human_kappa({"p": first, "q": second, "r": third})
    ones = [human_kappa({"p": a, "q": b}).value for a, b in [(first, second), (first, third)]]
    last = human_kappa({"p": second[:5], "q": third[:5]}).value
    assert three.value == pytest.approx(sum(filter(None, [*ones, last])) / 3)
    with pytest.raises(ValueError, match="two"):
        human_kappa({"p": first})


def test_alpha_gives_the_published_value_with_missing_labels() -> None:
    """K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C."""
    observers = {"A": "123321412***", "B": "1233224125*3", "C": "*3332342251*", "D": "12332441251*"}
    found = alpha({
        name: [None if label == "*" else label for label in row]
        for name, row in observers.items()
    }).alpha  # fmt: skip
    assert found.value == pytest.approx(0.743, abs=5e-4)
    assert (found.n, found.unscored) == (11, 1)


def test_alpha_reads_by_its_levels_and_gives_an_interval() -> None:
    truth = TRUTH * 2
    readings = {}
    for errors in (0.05, 0.15, 0.6):
        judges = {str(seed): noisy(truth, errors, seed) for seed in range(3)}
        found = alpha(judges, resamples=200)
        assert found.alpha.value is not None
        assert found.alpha.low is not None
        assert found.alpha.high is not None
        assert found.alpha.low < found.alpha.value < found.alpha.high
        readings[errors] = found.reading
    assert readings == {0.05: "reliable", 0.15: "tentative", 0.6: "unreliable"}
    assert Alpha.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("judges", "why"),
    [
        ({"p": ["a", "a"], "q": ["a", "a"]}, "every label is the same"),
        ({"p": ["a", None], "q": [None, "b"]}, "two judges"),
        ({"p": ["a", "b"]}, "two judges"),
    ],
)
def test_alpha_has_no_value_where_nothing_can_be_told(
    judges: dict[str, list[str | None]], why: str
) -> None:
    found = alpha(judges)
    assert found.alpha.value is None
    assert why in found.alpha.why
    assert found.reading == "unknown"


def test_without_the_package_the_user_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "krippendorff":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UserError, match=r'pip install "tracktwo\[analysis\]"'):
        alpha({"p": ["a", "b"], "q": ["a", "b"]})


def test_the_claims_judges_disagree_on_most_come_first() -> None:
    queue = disputed(
        {
            "p": ["a", "a", "a", "a", None],
            "q": ["a", "b", "b", None, "a"],
            "r": ["a", "a", "c", "a", None],
        }
    )
    assert [dispute.claim for dispute in queue] == [2, 1]
    assert queue[0].labels == {"p": "a", "q": "b", "r": "c"}
    assert queue[0].entropy == pytest.approx(np.log2(3))


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [((36, 12, 2, 0), 0.0569, 0.3404), ((1, 1, 7, 12), -0.507, -0.026)],
    ids=["Newcombe 1998", "Fagerland et al 2014"],
)
def test_the_paired_interval_is_the_published_one(
    cells: tuple[int, int, int, int], low: float, high: float
) -> None:
    found = paired_gap(paired(*cells))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-4)


def test_two_judges_that_always_agree_still_have_an_interval() -> None:
    found = paired_gap([*paired(3, 0, 0, 3), (None, True)])
    assert (found.value, found.n, found.unscored) == (0, 6, 1)
    assert found.low is not None
    assert found.low < -0.1


def test_a_lenient_judge_is_not_taken_for_one_that_prefers_its_own() -> None:
    lenient = self_preference(paired(40, 20, 2, 38), paired(40, 20, 2, 38))
    assert lenient.own_seats.value == pytest.approx(0.18)
    assert lenient.own_seats.low is not None
    assert lenient.own_seats.low > 0
    assert lenient.net.value == 0
    partial = self_preference(paired(40, 20, 2, 38), paired(45, 4, 4, 47))
    assert partial.net.low is not None
    assert partial.net.low > 0
    assert self_preference(paired(1, 1, 1, 1), []).net.value is None


def test_the_self_preference_interval_covers() -> None:
    """True gaps .2 and .1, correlated judges, 60 claims each."""
    rng = np.random.default_rng(0)
    hits = 0
    home = rng.multinomial(60, [0.5, 0.25, 0.05, 0.2], size=1000).tolist()
    away = rng.multinomial(60, [0.5, 0.15, 0.05, 0.3], size=1000).tolist()
    for own, other in zip(home, away, strict=True):
        net = self_preference(paired(*own), paired(*other)).net
        assert net.low is not None
        assert net.high is not None
        hits += net.low <= 0.1 <= net.high
    assert 0.93 <= hits / 1000 <= 0.985
