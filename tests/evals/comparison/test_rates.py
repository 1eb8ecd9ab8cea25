"""Shares over clusters, and events that hardly ever happen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evals.comparison.rates import (
    Cluster,
    clustered_share,
    exact,
    mcnemar,
    rare_events,
    rule_of_three,
)


def test_a_clustered_share_is_as_worked_out_by_hand() -> None:
    # Share .5; residuals of the clusters 2, -1, -1: SE² = 6 · 3/2 / 12².
    found = clustered_share([Cluster(4, 4), Cluster(1, 4), Cluster(1, 4)])
    assert found.value == 0.5
    assert found.se == pytest.approx((6 * 1.5 / 144) ** 0.5)
    assert found.se is not None
    assert (found.low, found.high) == (0.0, 1.0)  # t(.975, 2) = 4.3: cut off
    assert (found.hits, found.n, found.clusters, found.method) == (6, 12, 3, "clustered-t")
    wide = clustered_share([Cluster(4, 8), Cluster(5, 8), Cluster(3, 8)] * 3)
    assert wide.se is not None
    assert wide.high == pytest.approx(0.5 + stats.t.ppf(0.975, 8) * wide.se)


@given(st.lists(st.booleans(), min_size=3, max_size=40))
def test_with_one_claim_a_cluster_it_is_the_standard_error_of_a_mean(claims: list[bool]) -> None:
    found = clustered_share([Cluster(int(hit), 1) for hit in claims])
    if 0 < sum(claims) < len(claims):
        assert found.se == pytest.approx(stats.sem([float(hit) for hit in claims]))


def test_claims_that_hang_together_are_worth_no_more_than_their_debates() -> None:
    once = clustered_share([Cluster(1, 1), Cluster(0, 1), Cluster(1, 1), Cluster(0, 1)])
    many = clustered_share([Cluster(50, 50), Cluster(0, 50), Cluster(50, 50), Cluster(0, 50)])
    assert many.se == pytest.approx(once.se)
    assert many.n == 200


def test_none_or_all_is_no_certainty_however_many_claims() -> None:
    none = clustered_share([Cluster(0, 50)] * 6)
    assert (none.value, none.se, none.method) == (0.0, None, "exact-over-clusters")
    assert (none.low, none.high) == pytest.approx((0.0, 1 - 0.025 ** (1 / 6)))
    every = clustered_share([Cluster(50, 50)] * 6)
    assert (every.low, every.high) == pytest.approx((0.025 ** (1 / 6), 1.0))


def test_one_debate_has_a_share_and_no_interval_and_none_has_nothing() -> None:
    one = clustered_share([Cluster(2, 5), Cluster(0, 0)])
    assert (one.value, one.low, one.clusters) == (0.4, None, 1)
    assert one.why
    assert clustered_share([Cluster(0, 0)]).value is None
    with pytest.raises(ValueError, match="3 of 2"):
        clustered_share([Cluster(3, 2)])


def test_clustered_intervals_cover_where_pooled_ones_do_not() -> None:
    """Debates differ in how often a claim fails; 20 debates of 30 claims each."""
    rng, runs, truth = np.random.default_rng(4), 1500, 0.3
    shares = rng.beta(3, 7, size=(runs, 20))
    hits = rng.binomial(30, shares)
    covered = pooled = 0
    for row in hits.tolist():
        found = clustered_share([Cluster(h, 30) for h in row])
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
        low, high = exact(sum(row), 600)
        pooled += low <= truth <= high
    assert 0.93 <= covered / runs <= 0.97
    assert pooled / runs < 0.75


@pytest.mark.parametrize(("hits", "of"), [(0, 10), (1, 10), (5, 10), (10, 10), (2, 300)])
def test_the_exact_interval_is_clopper_and_pearsons(hits: int, of: int) -> None:
    theirs = stats.binomtest(hits, of).proportion_ci(method="exact")
    assert exact(hits, of) == pytest.approx((theirs.low, theirs.high))


def test_rare_events_have_both_intervals_and_three_over_n() -> None:
    none, two = rare_events(0, 60), rare_events(2, 60)
    assert none is not None
    assert two is not None
    theirs = stats.binomtest(2, 60).proportion_ci(method="wilson")
    assert two.wilson == pytest.approx((theirs.low, theirs.high))
    assert (none.at_most, two.at_most) == (0.05, None)
    assert two.share == pytest.approx(1 / 30)
    assert rare_events(0, 0) is None
    with pytest.raises(ValueError, match="3 of 2"):
        rare_events(3, 2)


@given(st.integers(20, 5000))
def test_the_rule_of_three_is_the_one_sided_exact_bound(of: int) -> None:
    assert rule_of_three(of) == pytest.approx(1 - 0.05 ** (1 / of), rel=0.08)
    assert rule_of_three(of) >= 1 - 0.05 ** (1 / of)


def test_few_cases_leave_everything_possible() -> None:
    assert rule_of_three(2) == 1.0
    with pytest.raises(ValueError, match="without cases"):
        rule_of_three(0)


def test_pairs_of_events_are_mcnemars_exact_test() -> None:
    base = {"a": dict.fromkeys(range(10), True), "b": {1: False, 2: True, 9: True}}
    arm = {"a": {seed: seed < 2 for seed in range(10)}, "b": {1: True, 2: True}, "c": {1: True}}
    found = mcnemar(base, arm)
    assert found is not None
    assert (found.both, found.baseline_only, found.arm_only, found.neither) == (3, 8, 1, 0)
    assert found.p == pytest.approx(stats.binomtest(1, 9, 0.5).pvalue)
    same = mcnemar(base, base)
    assert same is not None
    assert same.p == 1.0
    assert mcnemar(base, {"z": {1: True}}) is None
