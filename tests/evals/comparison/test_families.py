"""Many comparisons: adjusted as by hand and by another package's definition."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evals.comparison.families import benjamini_hochberg, holm

PS = st.lists(st.floats(0, 1), min_size=1, max_size=6)


def test_holm_is_as_worked_out_by_hand() -> None:
    # .01 x 4, .02 x 3, .03 x 2, .04 x 1; none below one that came before.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx((0.06, 0.04, 0.06, 0.06))
    assert holm([0.5, 0.9]) == (1.0, 1.0)
    assert holm([0.03]) == (0.03,)


@given(PS)
def test_holm_is_the_closed_test_of_all_bonferroni_tests(ps: list[float]) -> None:
    """By its definition: a hypothesis falls if every set of hypotheses it is in falls."""
    sets = [
        chosen
        for size in range(1, len(ps) + 1)
        for chosen in itertools.combinations(range(len(ps)), size)
    ]
    for at, adjusted in enumerate(holm(ps)):
        closed = max(min(1.0, len(s) * min(ps[i] for i in s)) for s in sets if at in s)
        assert adjusted == pytest.approx(closed)


@given(PS)
def test_q_values_are_the_step_up_procedure(ps: list[float]) -> None:
    found = benjamini_hochberg(ps)
    m = len(ps)
    for at, q in enumerate(found):
        best = min(m * p / sum(other <= p for other in ps) for p in ps if p >= ps[at])
        assert q == pytest.approx(min(1.0, best))


@given(PS)
def test_adjusting_never_helps_and_keeps_the_order(ps: list[float]) -> None:
    order = sorted(range(len(ps)), key=ps.__getitem__)
    for adjusted in (holm(ps), benjamini_hochberg(ps)):
        assert all(q is not None and q >= p - 1e-12 for p, q in zip(ps, adjusted, strict=True))
        placed = [adjusted[i] for i in order]
        assert placed == sorted(placed, key=lambda q: q or 0.0)


def test_what_was_not_tested_stays_without_p_and_does_not_count() -> None:
    assert holm([0.01, None, 0.04]) == (0.02, None, 0.04)
    assert benjamini_hochberg([None, 0.01, 0.04]) == pytest.approx((None, 0.02, 0.04))
    assert holm([None]) == (None,)
    assert benjamini_hochberg([]) == ()


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    for adjust in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="is no p"):
            adjust([0.5, wrong])


def test_q_values_are_those_of_scipy_in_the_order_given() -> None:
    ps = [0.2, 0.001, 0.04, 0.6, 0.012]
    assert benjamini_hochberg(ps) == pytest.approx(tuple(stats.false_discovery_control(ps)))
