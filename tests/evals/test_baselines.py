from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals import baselines
from evals.baselines import (
    always_accept,
    best,
    best_nash,
    best_total,
    deal,
    nash,
    pareto,
    random_deal,
    zopa,
)
from harness.setting import Kind, Rules, Setting
from tests.evals.room import Room, a_party, a_position, a_setting, an_issue, an_item
from tests.evals.talks import half_agreed, two_party_setting

ITEMS = (
    an_item(an_issue("one", "A.", "B.", "C."), an_issue("two")),
    an_item(an_issue("three"), item_id="cyber"),
)
KEYS = tuple(key for item in ITEMS for issue in item.issues for key in issue.keys)
ISSUE_KEYS = tuple(issue.keys for item in ITEMS for issue in item.issues)


@st.composite
def drawn_settings(draw: st.DrawFn) -> Setting:
    """Three parties with a few random positions each on three issues of two items."""
    parties = []
    for party in ("us", "ru", "de"):
        positions = []
        for number in range(draw(st.integers(0, 4))):
            kind: Kind = draw(st.sampled_from(("demand", "red_line")))
            key = draw(st.sampled_from(KEYS))
            support = kind == "demand" and draw(st.booleans())
            positions.append(
                a_position(
                    f"{party}-{number}",
                    draw(st.integers(1, 5)),
                    supports=(key,) if support else (),
                    opposes=() if support else (key,),
                    kind=kind,
                    item="cyber" if key.startswith("three") else "arms",
                )
            )
        parties.append(a_party(party, *positions))
    return a_setting(*parties, items=ITEMS)


drawn_rules = st.builds(Rules, package=st.sampled_from(("none", "item", "agenda")))


def every_deal(setting: Setting, rules: Rules) -> Iterator[baselines.Deal]:
    """The oracle: every deal that crosses no red line, packages whole or not at all."""
    issues = [issue for item in setting.items for issue in item.issues]
    open_ = {i.id: (*zopa(setting, i).uncrossed, None) for i in issues}
    groups = {
        "none": [[i.id] for i in issues],
        "item": [[i.id for i in item.issues] for item in setting.items],
        "agenda": [[i.id for i in issues]],
    }[rules.package]
    for chosen in product(*open_.values()):
        options = dict(zip(open_, chosen, strict=True))
        if all(len({options[i] is None for i in group}) == 1 for group in groups):
            yield deal(setting, options)


@settings(max_examples=60, deadline=None)
@given(drawn_settings(), drawn_rules)
def test_the_best_deals_are_those_a_search_of_all_deals_finds(
    setting: Setting, rules: Rules
) -> None:
    deals = list(every_deal(setting, rules))
    most = max(found.adopted for found in deals)
    top = best(setting, rules)
    assert top.adopted == most
    assert top.total == max(found.total for found in deals if found.adopted == most)
    assert best_total(setting, rules).total == max(found.total for found in deals)
    products = [found.nash for found in deals if found.nash is not None]
    reached = best_nash(setting, rules)
    assert reached is not None
    assert reached.nash == max(products)


@settings(max_examples=60, deadline=None)
@given(drawn_settings())
def test_the_random_deal_is_the_mean_over_every_deal(setting: Setting) -> None:
    deals = [dict(zip(("one", "two", "three"), keys, strict=True)) for keys in product(*ISSUE_KEYS)]
    acceptable = {
        key
        for item in setting.items
        for issue in item.issues
        for key in zopa(setting, issue).acceptable
    }
    expected = random_deal(setting)
    for party, utility in expected.utilities.items():
        drawn = [deal(setting, options).utilities[party] for options in deals]
        assert utility == pytest.approx(sum(drawn) / len(drawn))
    shares = [sum(key in acceptable for key in d.values()) / 3 for d in deals]
    assert expected.agreement == pytest.approx(sum(shares) / len(shares))
    assert expected.everything == pytest.approx(shares.count(1.0) / len(shares))


def test_the_zone_of_agreement_leaves_out_red_lines_and_what_is_worse_than_nothing() -> None:
    setting = two_party_setting()
    scope = zopa(setting, setting.issue("scope"))
    assert scope.uncrossed == ("scope/b", "scope/c")  # scope/a crosses ru's red line
    # scope/b is worth -2 to us, and on scope/c us has said nothing, but made a firm demand
    assert (scope.acceptable, scope.random) == ((), 0)
    talks = zopa(setting, setting.issue("talks"))
    assert (talks.acceptable, talks.random) == (("talks/a",), 0.5)


def test_the_best_joint_outcome_takes_a_loss_only_to_settle_more() -> None:
    setting = two_party_setting()
    top = best(setting, Rules())
    assert top.options == {"scope": "scope/b", "talks": "talks/a"}  # -2 + 5 beats 0 + 1
    assert top.utilities == {"us": -1, "ru": 7}
    assert top.nash is None
    fair = best_nash(setting, Rules())
    assert fair is not None
    assert fair.options == {"scope": "scope/c", "talks": "talks/a"}
    assert fair.nash == 1 * 3


def test_a_package_with_an_issue_nobody_can_settle_is_left_open_as_a_whole() -> None:
    blocked = a_setting(
        a_party("us", a_position("us-1", 5, opposes=("one/a", "one/b"), kind="red_line")),
        a_party("ru", a_position("ru-1", 3, supports=("two/a",))),
        items=(an_item(an_issue("one"), an_issue("two")),),
    )
    assert best(blocked, Rules()).options == {"one": None, "two": "two/a"}
    assert best(blocked, Rules(package="item")).options == {"one": None, "two": None}


def test_always_accept_adopts_every_text_that_was_put() -> None:
    taken = always_accept(half_agreed().transcript)
    assert taken.options == {"scope": "scope/a", "talks": "talks/a"}
    assert taken.utilities == {"us": 5, "ru": -3}
    silent = Room(two_party_setting()).opens().closes()
    assert always_accept(silent.transcript).adopted == 0


def test_the_nash_product_is_undefined_for_a_loss_and_not_a_product_of_two_losses() -> None:
    assert nash([2, 3]) == 6
    assert nash([0, 3]) == 0
    assert nash([-2, -3]) is None


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=1))
def test_the_front_keeps_exactly_what_nothing_dominates(vectors: list[tuple[int, int]]) -> None:
    front = pareto(dict.fromkeys(vectors, ()))
    for vector in vectors:
        better = any(
            other != vector and all(a >= b for a, b in zip(other, vector, strict=True))
            for other in vectors
        )
        assert (vector in front) is not better


@pytest.mark.parametrize("limit", ["FRONT_LIMIT", "SEARCH_LIMIT"])
def test_where_there_are_too_many_deals_there_is_no_answer_and_no_guess(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(baselines, limit, 1)
    setting = two_party_setting()
    if limit == "FRONT_LIMIT":
        assert best_nash(setting, Rules(package="item")) is None
    else:
        assert best_nash(setting, Rules()) is None


def test_merging_packages_or_searching_them_gives_the_same_best_deal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    merged = best_nash(two_party_setting(), Rules())
    monkeypatch.setattr(baselines, "FRONT_LIMIT", 3)
    assert best_nash(two_party_setting(), Rules()) == merged
