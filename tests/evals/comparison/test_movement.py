"""What is said of a movement: counts, tests and words, against hand counts and scipy."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evals.comparison.movement import Movement, movement, outcome, satisfaction
from evals.comparison.two_sides import enough, exact_p, t_interval
from evals.concessions import satisfaction as scored
from evals.evaluator import Score, evaluate
from harness import events as e
from harness.errors import UserError
from harness.fork import without
from harness.parts import Fork
from harness.setting import Rules, Setting
from harness.transcript import Transcript, read
from tests.rooms import a_room, held, insists, two_sides

EXAMPLES = Path(__file__).parents[3] / "transcripts" / "examples"
REFERENCE = EXAMPLES / "reference-eight-of-twelve.jsonl"

SETTING = two_sides(Rules(rounds=1), issues=2)


def a_debate(first: str, second: str, setting: Setting = SETTING) -> Transcript:
    """A debate in which both sides table these options and take nothing else."""
    seats = {"us": insists(first, "accept"), "ru": insists(second, "accept")}
    return held(a_room(setting, seats)).transcript


def adopted(option: str) -> Transcript:
    """Every issue ends with this option."""
    return a_debate(option, option)


def open_debate() -> Transcript:
    """Nothing is ever adopted: one side rejects."""
    seats = {"us": insists("a", "reject"), "ru": insists("b", "reject")}
    return held(a_room(SETTING, seats)).transcript


def only(moved: Movement, issue: str) -> dict[str, tuple[int, int]]:
    """Outcome -> debates of the control and of the changed side."""
    (found,) = [each for each in moved.issues if each.issue == issue]
    return {
        each.outcome: (each.control.hits, each.changed.hits if each.changed else -1)
        for each in found.outcomes
    }


def test_every_debate_is_counted_with_what_became_of_each_issue() -> None:
    control = [adopted("a"), adopted("a"), adopted("c"), open_debate()]
    changed = [adopted("c"), adopted("c"), adopted("c"), open_debate()]
    moved = movement(adopted("b"), control, changed)
    assert only(moved, "limits-0") == {"a": (2, 0), "c": (1, 3), "none": (1, 1)}
    assert (moved.control, moved.changed) == (4, 4)
    issue = moved.issues[0]
    assert issue.original == "b"
    (from_a,) = [each for each in issue.outcomes if each.outcome == "a"]
    assert from_a.difference == pytest.approx(-0.5)
    assert from_a.low is not None
    assert from_a.high is not None
    assert from_a.low < -0.5 < from_a.high
    agreement = moved.means[0]
    assert agreement.metric == "agreement"
    assert (agreement.original, agreement.control, agreement.changed) == (1.0, 0.75, 0.75)


def test_an_issue_that_lapsed_with_its_package_counts_as_not_agreed() -> None:
    rules = Rules(rounds=1, package="agenda")
    seats = {"us": insists("a"), "ru": insists("a")}
    past = held(a_room(two_sides(rules), seats))
    lapsed = e.PackageRuled(scope="agenda", item=None, stands=False, issues=("limits-0",), why="-")
    kept = [x for x in past.events if x.kind != "package"]
    state = past.transcript.state
    assert outcome(state, "limits-0") == "a"
    past.events = [*kept[:-1], lapsed, kept[-1]]
    assert outcome(past.transcript.state, "limits-0") == "none"


def test_what_was_settled_before_the_fork_cannot_move_and_is_in_no_test() -> None:
    one = adopted("a")
    settled = next(n for n, x in enumerate(one.debate) if isinstance(x, e.Decided)) + 1
    fork = Fork(origin="o.jsonl", origin_sha="0", kept=settled)
    card = one.card.model_copy(update={"fork": fork})
    forked = Transcript((one.events[0], card, *one.events[2:]))
    moved = movement(one, [forked], [forked])
    assert moved.settled == ("limits-0",)
    assert [issue.issue for issue in moved.issues] == ["limits-1"]


@given(
    st.lists(st.integers(0, 8), min_size=2, max_size=2),
    st.lists(st.integers(0, 8), min_size=2, max_size=2),
)
def test_with_two_outcomes_the_exact_test_is_fishers(one: list[int], two: list[int]) -> None:
    if not sum(one) or not sum(two):
        return
    ours = exact_p(dict(zip("ab", one, strict=True)), dict(zip("ab", two, strict=True)))
    assert ours == pytest.approx(stats.fisher_exact([one, two]).pvalue, abs=1e-9)


def test_with_more_outcomes_it_counts_every_way_to_deal_the_debates() -> None:
    for seed in range(12):
        rng = random.Random(seed)
        debates = [rng.choice("abcd") for _ in range(8)]
        likely: Counter[tuple[tuple[str, int], ...]] = Counter()
        for chosen in itertools.combinations(range(8), 4):
            likely[tuple(sorted(Counter(debates[n] for n in chosen).items()))] += 1
        seen = likely[tuple(sorted(Counter(debates[:4]).items()))]
        expected = sum(ways for ways in likely.values() if ways <= seen) / sum(likely.values())
        assert exact_p(Counter(debates[:4]), Counter(debates[4:])) == pytest.approx(expected)


def test_where_nothing_moved_a_movement_is_found_no_more_often_than_promised() -> None:
    rng = random.Random(7)
    found = 0
    for _ in range(600):
        draw = [rng.choices("abc", (5, 3, 2), k=8) for _ in range(2)]
        found += exact_p(Counter(draw[0]), Counter(draw[1])) <= 0.05
    assert found / 600 <= 0.05


def test_so_many_debates_are_enough_and_one_less_is_not() -> None:
    assert [enough(issues) for issues in (1, 3, 12, 31)] == [4, 5, 6, 7]
    for issues in (1, 3, 12, 31):
        n = enough(issues)
        assert issues * exact_p({"a": n}, {"b": n}) <= 0.05
        assert issues * exact_p({"a": n - 1}, {"b": n - 1}) > 0.05


def test_the_interval_of_a_mean_is_students() -> None:
    before, after = [0.1, 0.3, 0.2, 0.6], [0.5, 0.4, 0.9]
    low, high, why = t_interval(before, after)
    theirs = stats.ttest_ind(after, before).confidence_interval(0.95)
    assert low == pytest.approx(theirs.low)
    assert high == pytest.approx(theirs.high)
    assert why == ""
    assert t_interval([0.5], [0.6])[0] is None
    assert t_interval([0.5, 0.5], [0.6, 0.6]) == (None, None, "all debates of a side are alike")


def test_satisfaction_is_the_one_that_transcripts_are_scored_by() -> None:
    for path in EXAMPLES.glob("*.jsonl"):
        record = read(path)
        results = evaluate(record, [scored])
        for party in record.setting.parties:
            (score,) = [
                r
                for r in results
                if isinstance(r, Score)
                and (r.metric, r.subject) == ("satisfaction", f"party:{party.id}")
            ]
            ours = satisfaction(record.setting, party.id, record.state)
            assert ours == (None if score.value is None else pytest.approx(score.value))


def test_a_position_that_was_taken_out_still_counts_in_what_its_party_is_said_to_have_got(
    tmp_path: Path,
) -> None:
    done = without(REFERENCE, "us-ss-5", runs=1, out=tmp_path)
    moved = movement(done.plan.origin, done.control, done.changed)
    (mean,) = [each for each in moved.means if each.party == "us"]
    whole = read(REFERENCE).setting
    (changed,) = done.changed
    assert mean.changed == satisfaction(whole, "us", changed.state)
    assert mean.changed != satisfaction(changed.setting, "us", changed.state)


def test_where_nothing_is_drawn_a_difference_needs_no_test(tmp_path: Path) -> None:
    done = without(REFERENCE, "us-ss-5", runs=1, out=tmp_path)
    moved = movement(done.plan.origin, done.control, done.changed)
    by_issue = {issue.issue: issue for issue in moved.issues}
    space = by_issue["space-weapons"]
    assert (space.certain, space.word, space.p) == (True, "moved", None)
    assert space.outcomes[0].control.low is None
    assert "every seed gives the same" in moved.sentences[0]
    lots = {x.item for x in done.control[0].events if isinstance(x, e.Tabled) and "lot" in x.rule}
    assert lots
    drawn = {issue.issue for issue in moved.issues if not issue.certain}
    assert drawn == {i.id for item in lots for i in read(REFERENCE).setting.item(item).issues}


@pytest.mark.parametrize(
    ("control", "changed", "word", "said"),
    [
        ("aaaaaa", "cccccc", "moved", "more than chance"),
        ("aaaaac", "aacacc", "not shown", "no more than chance"),
        ("aaac", "aaac", "alike", "nothing moved"),
    ],
)
def test_a_movement_is_called_one_only_where_it_is_more_than_chance(
    control: Sequence[str], changed: Sequence[str], word: str, said: str
) -> None:
    debates = {option: adopted(option) for option in "ac"}
    moved = movement(debates["a"], [debates[x] for x in control], [debates[x] for x in changed])
    assert {issue.word for issue in moved.issues} == {word}
    assert any(said in sentence for sentence in moved.sentences)


def test_each_issue_pays_for_the_others_it_is_tested_beside() -> None:
    debates = {option: adopted(option) for option in "ac"}
    moved = movement(debates["a"], [debates[x] for x in "aaaaaa"], [debates[x] for x in "cccccc"])
    alone = exact_p({"a": 6}, {"c": 6})
    assert [issue.p for issue in moved.issues] == [pytest.approx(alone)] * 2
    assert [issue.p_adjusted for issue in moved.issues] == [pytest.approx(2 * alone)] * 2


def test_too_few_debates_and_failing_turns_are_said() -> None:
    failing = held(a_room(SETTING, {"us": insists("a")})).transcript
    moved = movement(adopted("a"), [adopted("a")], [adopted("c")])
    assert any("it takes 5 a side" in caution for caution in moved.cautions)
    assert not any("failed" in caution for caution in moved.cautions)
    first = next(x for x in failing.events if isinstance(x, e.Statement))
    gone = e.TurnFailed(
        seq=first.seq, turn=first.turn, party=first.party, item=first.item, phase=first.phase,
        round=first.round, call=first.call, failure="timeout", why="-", attempts=1,
    )  # fmt: skip
    lame = Transcript(tuple(gone if x is first else x for x in failing.events))
    moved = movement(adopted("a"), [adopted("a")], [lame])
    assert any(caution.startswith("Changed: 1 of") for caution in moved.cautions)


def test_without_a_change_only_the_unchanged_debates_are_described() -> None:
    moved = movement(adopted("a"), [adopted("a"), adopted("c")], [])
    assert all(issue.word is None and issue.p is None for issue in moved.issues)
    assert moved.means[0].changed is None
    assert moved.means[0].control == fmean((1.0, 1.0))


def test_without_an_unchanged_debate_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(UserError, match="nothing to compare with"):
        movement(adopted("a"), [], [adopted("a")])


def test_a_debate_that_stopped_midway_is_no_outcome() -> None:
    one = adopted("a")
    with pytest.raises(ValueError, match="not finished"):
        movement(one, [Transcript(one.events[:-1])], [])
