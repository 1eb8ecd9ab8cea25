"""Stance: means, ends and series from known labels; courtesies and refusals move nothing."""

from __future__ import annotations

import pytest

from evals.dimensions.stance import stance
from evals.evaluator import evaluate
from evals.judging.rubrics import rubric
from evals.subject import party_item
from tests.evals.dimensions.said import JUDGE, NOR, SUD, a_talk, joined, labelled, score, turns


def test_the_mean_is_of_what_has_a_place_on_the_scale_and_the_series_is_its_evidence() -> None:
    talk = a_talk(NOR, SUD, NOR, SUD, NOR).transcript
    said = labelled(talk, "stance", turns("-3", "0", "none", "1", "3"))

    results = evaluate(talk, [stance.on(said)])

    mean = score(results, party_item(NOR, "arms"), "mean")
    assert (mean.value, mean.n, mean.unscored) == (0.0, 2, 0)
    assert mean.reason == "stance by turn: T1 -1.00, T5 +1.00"
    assert [note.turn for note in mean.evidence] == ["T1", "T5"]
    assert mean.judge is not None
    assert mean.judge.rubric_sha == rubric("stance").sha
    ends = [score(results, party_item(SUD, "arms"), metric).value for metric in ("first", "last")]
    assert ends == [0.0, 0.3333]


def test_courtesy_alone_is_no_stance() -> None:
    talk = a_talk(NOR, SUD).transcript
    results = evaluate(talk, [stance.on(labelled(talk, "stance", turns("none", "none")))])

    assert {r.value for r in results if r.kind == "score"} == {None}
    assert score(results, party_item(NOR, "arms"), "mean").unscored == 0


def test_a_refusal_is_unscored_and_no_other_turn_takes_its_place() -> None:
    talk = a_talk(NOR, SUD, NOR, SUD, NOR).transcript
    said = labelled(talk, "stance", turns(None, "0", "-2", "0", "-1"))

    results = evaluate(talk, [stance.on(said)])

    mean = score(results, party_item(NOR, "arms"), "mean")
    assert mean.value == pytest.approx(-0.5)
    assert (mean.n, mean.unscored) == (2, 1)
    first = score(results, party_item(NOR, "arms"), "first")
    assert (first.value, first.unscored) == (None, 1)
    assert "refused: it would not say" in first.reason
    assert score(results, party_item(NOR, "arms"), "last").value == -0.3333


def test_every_item_counts_the_same_in_a_partys_mean() -> None:
    from tests.evals.room import Room, a_party, a_setting, an_issue, an_item

    items = (an_item(an_issue("port"), item_id="arms"), an_item(an_issue("fish"), item_id="sea"))
    room = Room(a_setting(a_party(NOR), a_party(SUD), items=items))
    room.opens("arms").says(NOR).says(NOR).says(NOR).opens("sea").says(NOR)
    said = labelled(room.transcript, "stance", turns("-3", "-3", "-3", "3"))

    results = evaluate(room.transcript, [stance.on(said)])

    mean = score(results, f"party:{NOR}", "mean")
    assert (mean.value, mean.n) == (0.0, 2)
    assert score(results, f"party:{SUD}", "mean").value is None


def test_two_judges_are_never_averaged() -> None:
    talk = a_talk(NOR, SUD).transcript
    said = joined(
        labelled(talk, "stance", turns("-3", "-3")),
        labelled(talk, "stance", turns("3", "3"), judge="openai:other"),
    )
    results = evaluate(talk, [stance.on(said)])

    about = party_item(NOR, "arms")
    values = [score(results, about, "mean", judge).value for judge in (JUDGE, "openai:other")]
    assert values == [-1.0, 1.0]
