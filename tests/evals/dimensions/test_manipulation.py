"""The manipulation check and persona discriminability: debates are the unit, and few are few."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean

import pytest

from evals import scores
from evals.dimensions.manipulation import (
    Judged,
    Manipulation,
    exchange_interval,
    manipulation_check,
    manipulation_from_scores,
    persona_discriminability,
    subset_interval,
)
from evals.dimensions.stance import stance
from evals.evaluator import evaluate
from evals.judging.rubrics import rubric
from harness.errors import UserError
from harness.transcript import dump
from tests.evals.dimensions.said import NOR, SUD, a_talk, joined, labelled, turns


def held(*labels: str | None, judge: str = "openai:judge") -> Judged:
    """A debate in which Norland takes these stances."""
    talk = a_talk(*(NOR,) * len(labels)).transcript
    return talk, labelled(talk, "stance", turns(*labels), judge=judge)


def checked(hawk: Sequence[Judged], dove: Sequence[Judged], margin: float = 0.33) -> Manipulation:
    (found,) = manipulation_check(hawk, dove, NOR, margin)
    return found


HAWKS = [held("-3"), held("-3", "-2"), held("-2"), held("-3", "-3", "-1")]
DOVES = [held("1"), held("2", "0"), held("0"), held("3", "1")]


def test_prompts_that_move_the_stance_have_an_effect() -> None:
    found = checked(HAWKS, DOVES)
    assert found.verdict == "has an effect"
    assert found.difference == pytest.approx(fmean(found.dove) - fmean(found.hawk))
    assert found.method == "exact"
    assert found.low is not None
    assert found.low > 0.33
    assert "at least the margin of 0.33" in found.reason


def test_the_same_prompt_twice_has_no_effect_shown() -> None:
    found = checked(HAWKS, HAWKS)
    assert (found.difference, found.verdict) == (0.0, "no effect shown")
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high


def test_a_sure_difference_below_the_margin_is_no_effect() -> None:
    hawk, dove = [held("-3", "-3", "-2")] * 5, [held("-3", "-2", "-2")] * 5
    found = checked(hawk, dove)
    assert found.low is not None
    assert found.low > 0
    assert found.verdict == "no effect shown"
    assert "less than the margin" in found.reason
    assert checked(hawk, dove, margin=0.1).verdict == "has an effect"


def test_a_large_difference_that_may_be_chance_is_no_effect() -> None:
    hawk = [held("-3"), held("-3"), held("-3"), held("3")]
    dove = [held("-3"), held("3"), held("3"), held("-1")]
    found = checked(hawk, dove)
    assert found.difference is not None
    assert found.difference > 0.33
    assert (found.verdict, "may be chance" in found.reason) == ("no effect shown", True)


def test_one_step_of_the_scale_reaches_a_margin_of_a_third() -> None:
    assert checked([held("0")] * 4, [held("1")] * 4, 1 / 3 - 1e-4).verdict == "has an effect"


def test_swapped_prompts_are_called_by_their_name() -> None:
    found = checked(DOVES, HAWKS)
    assert found.verdict == "no effect shown"
    assert "the reverse of what was meant" in found.reason


def test_three_against_three_is_too_few_however_far_apart() -> None:
    found = checked([held("-3")] * 3, [held("3")] * 3)
    assert (found.verdict, found.low, found.difference) == ("too few debates", None, 2.0)


def test_a_debate_without_a_stance_is_counted_and_is_not_zero() -> None:
    found = checked([*HAWKS, held(None), held("none")], DOVES)
    assert found.unscored == 2
    assert found.hawk == checked(HAWKS, DOVES).hawk
    assert checked([held(None)], DOVES).verdict == "too few debates"


def test_each_judge_has_a_result_of_its_own() -> None:
    def by_two(one: str, other: str) -> Judged:
        talk, said = held(one)
        return talk, joined(said, held(other, judge="openai:other")[1])

    found = manipulation_check([by_two("-3", "0")] * 4, [by_two("3", "0")] * 4, NOR)
    verdicts = {each.judge: each.verdict for each in found}
    assert verdicts == {"openai:judge": "has an effect", "openai:other": "no effect shown"}


def test_files_of_scores_tell_the_same(tmp_path: Path) -> None:
    def filed(number: int, debate: Judged) -> scores.ScoreFile:
        talk, said = debate
        path = tmp_path / f"{number}.jsonl"
        path.write_text("".join(f"{dump(event)}\n" for event in talk.events))
        chosen = [stance.on(said)]
        return scores.read(scores.write(path, chosen, evaluate(talk, chosen)))

    hawk = [filed(n, debate) for n, debate in enumerate(HAWKS)]
    dove = [filed(n, debate) for n, debate in enumerate(DOVES, 10)]
    assert manipulation_from_scores(hawk, dove, NOR) == manipulation_check(HAWKS, DOVES, NOR)


def test_debates_judged_by_different_rubrics_are_not_compared() -> None:
    talk, said = held("3")
    changed = rubric("stance").model_copy(update={"text": "Something else."})
    other = (talk, type(said)(said.claims, said.verdicts, {"stance": changed}, said.answered))
    with pytest.raises(UserError, match="given different rubrics"):
        manipulation_check(HAWKS, [*DOVES, other], NOR)


def test_what_was_not_judged_and_a_margin_of_nothing_are_refused() -> None:
    with pytest.raises(UserError, match="judge them with the rubric stance"):
        manipulation_from_scores([], [], NOR)
    for margin in (0.0, -1.0, float("nan")):
        with pytest.raises(UserError, match="above 0"):
            manipulation_check(HAWKS, DOVES, NOR, margin)


def permutation_p(hawk: Sequence[float], dove: Sequence[float]) -> float:
    """One-sided, by going through every way to divide the debates."""
    every, seen = (*hawk, *dove), fmean(dove) - fmean(hawk)
    drawn = []
    for chosen in combinations(range(len(every)), len(hawk)):
        one = [every[i] for i in chosen]
        other = [x for i, x in enumerate(every) if i not in chosen]
        drawn.append(fmean(other) - fmean(one) >= seen - 1e-12)
    return sum(drawn) / len(drawn)


def test_the_exact_interval_holds_just_what_the_permutation_test_does_not_reject() -> None:
    draw = random.Random(3)
    hawk = [draw.gauss(0, 1) for _ in range(4)]
    dove = [draw.gauss(1, 2) for _ in range(5)]
    ends = exchange_interval(hawk, dove)
    assert ends is not None

    def p(shift: float) -> float:
        return permutation_p(hawk, [value - shift for value in dove])

    assert p(ends[0] - 1e-6) <= 0.025 < p(ends[0] + 1e-6)
    upper = permutation_p([v - ends[1] - 1e-6 for v in dove], hawk)
    assert upper <= 0.025 < permutation_p([v - ends[1] + 1e-6 for v in dove], hawk)


def test_without_any_effect_it_is_seen_in_at_most_one_of_twenty_draws() -> None:
    draw, wrong, of = random.Random(1), 0, 1500
    for _ in range(of):
        ends = exchange_interval(
            [draw.choice((-1.0, 0.0, 0.3)) for _ in range(4)],
            [draw.choice((-1.0, 0.0, 0.3)) for _ in range(5)],
        )
        assert ends is not None
        wrong += not ends[0] <= 0 <= ends[1]
    assert wrong / of <= 0.05


def test_with_many_debates_welchs_interval_takes_over() -> None:
    found = checked(HAWKS * 3, DOVES * 3)
    assert (found.method, found.verdict) == ("t", "has an effect")
    # From scipy.stats: ttest_ind(dove, hawk, equal_var=False).df is 16.36; t.ppf(.975, 16) taken.
    assert found.low == pytest.approx(0.98364728, abs=1e-7)
    assert found.high == pytest.approx(1.32191106, abs=1e-7)


def told(*labels: str) -> Judged:
    """A debate of alternating speakers, each taken for one of these."""
    talk = a_talk(*(NOR, SUD) * (len(labels) // 2)).transcript
    return talk, labelled(talk, "attribution", turns(*labels))


def test_discriminability_over_debates_needs_six_for_an_interval() -> None:
    sure, half = told(NOR, SUD, NOR, SUD), told(NOR, SUD, NOR, NOR)
    (few,) = persona_discriminability([sure, half])
    assert (few.debates, few.mean, few.low) == ((1.0, 0.5), 0.75, None)
    assert few.confusion == {NOR: {NOR: 4, SUD: 0}, SUD: {NOR: 1, SUD: 3}}

    (enough,) = persona_discriminability([sure, half] * 3)
    assert (enough.low, enough.high) == (0.5, 1.0)


def test_a_debate_in_which_one_party_spoke_is_unscored() -> None:
    talk = a_talk(NOR).transcript
    alone = (talk, labelled(talk, "attribution", {"T1": NOR}))
    (found,) = persona_discriminability([alone, told(NOR, SUD)])
    assert (found.debates, found.unscored) == ((1.0,), 1)


def test_hartigans_interval_covers_the_centre() -> None:
    draw, hit, of = random.Random(2), 0, 400
    for _ in range(of):
        ends = subset_interval([draw.gauss(0.3, 1) for _ in range(7)])
        assert ends is not None
        hit += ends[0] <= 0.3 <= ends[1]
    assert 0.93 <= hit / of <= 0.985
    many = subset_interval([n / 40 for n in range(40)])
    assert many is not None
    assert many[0] < 39 / 80 < many[1]
