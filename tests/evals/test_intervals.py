from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.intervals import gini, wilson


def test_wilson_gives_the_published_values() -> None:
    """Values of Newcombe (1998), Statistics in Medicine 17, table I, method 3."""
    for hits, of, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)]:
        assert wilson(hits, of) == pytest.approx((low, high), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_mirrors_its_complement(case: tuple[int, int]) -> None:
    hits, of = case
    low, high = wilson(hits, of)
    assert 0 <= low <= hits / of <= high <= 1
    assert wilson(of - hits, of) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize(("hits", "of", "level"), [(0, 0, 0.95), (3, 2, 0.95), (1, 2, 1.0)])
def test_no_interval_is_made_up_where_there_is_none(hits: int, of: int, level: float) -> None:
    with pytest.raises(ValueError, match="no interval"):
        wilson(hits, of, level)


def test_gini_is_0_for_equal_shares_and_undefined_for_nothing() -> None:
    assert gini([2.0, 2.0, 2.0]) == 0
    assert gini([0.0, 0.0, 4.0]) == pytest.approx(2 / 3)
    assert gini([1.0, 3.0]) == pytest.approx(0.25)
    assert gini([0.0, 0.0]) is None
    with pytest.raises(ValueError, match="not negative"):
        gini([-1.0, 2.0])
