"""Neutrality: leaning per party and the spread between them; courtesy is 0."""

from __future__ import annotations

from evals.dimensions.neutrality import neutrality
from evals.evaluator import Result, evaluate
from evals.judging.material import Material
from evals.judging.rubrics import rubric
from evals.judging.shapes import Judgements
from evals.judging.sheets import sheets
from tests.evals.dimensions.said import JUDGE, NOR, SUD, a_talk, a_verdict, score


def scored(norland: tuple[str | None, ...], sudria: tuple[str | None, ...]) -> tuple[Result, ...]:
    by, talk = rubric("neutrality"), a_talk(NOR, SUD).transcript
    found = tuple(
        a_verdict(by, f"chair:{seq}/{party}", party, label, seqs=(seq,))
        for party, labels in ((NOR, norland), (SUD, sudria))
        for seq, label in enumerate(labels, 3)
    )
    said = Judgements(verdicts=found, rubrics={by.name: by}, answered={JUDGE: ("m-1",)})
    return evaluate(talk, [neutrality.on(said)])


def test_a_courteous_chair_is_neutral_towards_everybody() -> None:
    results = scored(("neutral", "neutral"), ("neutral", "neutral"))

    leaning = score(results, f"party:{NOR}", "leaning")
    assert (leaning.value, leaning.n, leaning.evidence) == (0.0, 2, ())
    spread = score(results, "debate", "spread")
    assert (spread.value, spread.n) == (0.0, 4)
    assert spread.reason == "the same leaning towards each party (+0.00)"


def test_favour_to_one_and_blame_of_the_other_make_the_spread() -> None:
    results = scored(("for", "neutral"), ("strongly_against", "neutral"))

    assert score(results, f"party:{NOR}", "leaning").value == 0.25
    assert score(results, f"party:{SUD}", "leaning").value == -0.5
    spread = score(results, "debate", "spread")
    assert spread.value == 0.75
    assert "most towards norland (+0.25), least towards sudria (-0.50)" in spread.reason
    assert [note.quote.partition(":")[0] for note in spread.evidence] == [
        "for",
        "strongly_against",
    ]


def test_leanings_that_cancel_out_are_still_counted() -> None:
    results = scored(("for", "against", "neutral"), ("neutral",))
    assert score(results, f"party:{NOR}", "leaning").value == 0.0
    leans = score(results, f"party:{NOR}", "leans")
    assert (leans.hits, leans.n) == (2, 3)


def test_a_party_that_could_not_be_judged_leaves_no_spread() -> None:
    results = scored(("for",), (None,))

    assert score(results, f"party:{SUD}", "leaning").value is None
    spread = score(results, "debate", "spread")
    assert (spread.value, spread.unscored) == (None, 1)


def test_the_words_that_name_the_party_on_the_sheet_are_not_the_chairs() -> None:
    talk = a_talk(NOR, SUD).transcript
    (sheet,) = sheets(Material(talk), rubric("neutrality"), ())
    unit = sheet.units[0]
    assert unit.text == "We open the item. (towards the land of NORLAND)"
    assert unit.quotable == "We open the item."
