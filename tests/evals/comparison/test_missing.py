"""Best and worst cases: whatever the missing values are, the truth lies between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.comparison.inference import arm_mean
from evals.comparison.missing import Scored, bounds, difference_bounds

WHOLE = {"a": {1: 0.4, 2: 0.6}, "b": {1: 0.2, 2: 0.8}}


def test_the_bounds_are_as_worked_out_by_hand() -> None:
    # a: (.4 and a failed debate): .2 to .7. b: .2 of a half scored: .1 to .6; .8.
    found = bounds(
        Scored({"a": {1: 0.4}, "b": {1: 0.2, 2: 0.8}}, {"a": {2: 1.0}, "b": {1: 0.5}}),
        low=0, high=1,
    )  # fmt: skip
    assert found is not None
    assert found.low == pytest.approx((0.2 + (0.1 + 0.8) / 2) / 2)
    assert found.high == pytest.approx((0.7 + (0.6 + 0.8) / 2) / 2)
    assert found.unscored == pytest.approx((0.5 + 0.25) / 2)


def test_up_to_a_fiftieth_missing_needs_no_bounds() -> None:
    assert bounds(Scored(WHOLE, {"a": {1: 0.08}}), low=0, high=1) is None
    assert bounds(Scored(WHOLE, {"a": {1: 0.09}}), low=0, high=1) is not None
    assert bounds(Scored({}, {}), low=0, high=1) is None


def test_the_range_is_the_metrics_own() -> None:
    arm = Scored(WHOLE, {"a": {3: 1.0}})
    narrow, wide = bounds(arm, low=0, high=1), bounds(arm, low=-1, high=1)
    assert narrow is not None
    assert wide is not None
    assert wide.low < narrow.low
    assert wide.high == narrow.high
    with pytest.raises(ValueError, match="expected within"):
        bounds(arm, low=0, high=0.7)
    with pytest.raises(ValueError, match="expected within"):
        bounds(Scored(WHOLE, {"a": {1: 1.5}}), low=0, high=1)


def test_a_difference_is_bounded_by_best_against_worst_where_both_were_planned() -> None:
    base = Scored({"a": {1: 0.5}, "z": {1: 0.9}}, {})
    arm = Scored({"a": {1: 0.5}}, {"a": {2: 1.0}})
    found = difference_bounds(base, arm, low=0, high=1)
    assert found is not None
    assert (found.low, found.high, found.unscored) == pytest.approx((-0.25, 0.25, 0.5))
    mirrored = difference_bounds(arm, base, low=0, high=1)
    assert mirrored is not None
    assert (mirrored.low, mirrored.high) == pytest.approx((-0.25, 0.25))
    assert difference_bounds(base, base, low=0, high=1) is None
    assert difference_bounds(base, Scored({"b": {1: 0.5}}, {"b": {2: 1}}), low=0, high=1) is None


CELLS = st.lists(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=4),
    min_size=1, max_size=4,
)  # fmt: skip


@given(CELLS)
def test_whatever_is_missing_the_whole_mean_lies_between(
    rows: list[list[tuple[float, bool]]],
) -> None:
    truth = {f"s{i}": {k: v for k, (v, _) in enumerate(row)} for i, row in enumerate(rows)}
    seen = {f"s{i}": {k: v for k, (v, x) in enumerate(row) if x} for i, row in enumerate(rows)}
    lost = {
        f"s{i}": {k: 1.0 for k, (_, x) in enumerate(row) if not x} for i, row in enumerate(rows)
    }
    found, whole = bounds(Scored(seen, lost), low=0, high=1), arm_mean(truth).value
    if found is None:
        assert not any(lost.values())
    else:
        assert whole is not None
        assert found.low - 1e-9 <= whole <= found.high + 1e-9
