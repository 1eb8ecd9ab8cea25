"""Attribution: the confusion matrix, discriminability over chance, and what a judge may see."""

from __future__ import annotations

import re
from collections import Counter
from math import isclose
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.dimensions.attribution import attribution, discriminability
from evals.evaluator import evaluate
from evals.judging.form import ask_about
from evals.judging.material import Material
from evals.judging.pipeline import _mask
from evals.judging.rubrics import rubric
from evals.judging.sheets import sheets
from harness.transcript import read
from tests.evals.dimensions.said import NOR, SUD, a_port, a_talk, labelled, score, turns
from tests.evals.room import a_party, a_position

EXAMPLES = sorted(Path("transcripts/examples").glob("*.jsonl"))


def test_rows_of_the_confusion_matrix_lie_with_the_party_that_spoke() -> None:
    talk = a_talk(*(NOR,) * 4, *(SUD,) * 2).transcript
    labels = turns(NOR, NOR, NOR, SUD, SUD, None)

    results = evaluate(talk, [attribution.on(labelled(talk, "attribution", labels))])

    accuracy = score(results, "debate", "accuracy")
    assert (accuracy.hits, accuracy.n, accuracy.unscored) == (4, 5, 1)
    assert accuracy.interval is not None
    assert score(results, "debate", "chance").value == 0.5
    row = {o: score(results, f"party:{NOR}", f"taken_for:{o}") for o in (NOR, SUD)}
    assert [(each.hits, each.n) for each in row.values()] == [(3, 4), (1, 4)]
    assert [note.turn for note in row[SUD].evidence] == ["T4"]
    other = score(results, f"party:{SUD}", f"taken_for:{SUD}")
    assert (other.value, other.n, other.unscored) == (1.0, 1, 1)
    told = score(results, "debate", "discriminability")
    assert told.value == pytest.approx(2 * ((3 / 4 + 1) / 2) - 1)
    assert told.interval is not None
    assert told.interval.method == "bootstrap"
    assert told.interval.low < 0.75 <= told.interval.high


def test_a_judge_that_always_names_the_same_party_tells_nobody_apart() -> None:
    talk = a_talk(*(NOR,) * 9, SUD).transcript
    labels = {f"T{n}": NOR for n in range(1, 11)}

    results = evaluate(talk, [attribution.on(labelled(talk, "attribution", {**labels}))])

    assert score(results, "debate", "accuracy").value == 0.9
    assert score(results, "debate", "discriminability").value == 0.0


def test_without_a_spread_in_the_resamples_no_certainty_is_shown() -> None:
    talk = a_talk(NOR, SUD, NOR, SUD).transcript
    labels = {"T1": NOR, "T2": SUD, "T3": NOR, "T4": SUD}
    results = evaluate(talk, [attribution.on(labelled(talk, "attribution", {**labels}))])
    told = score(results, "debate", "discriminability")
    assert (told.value, told.interval) == (1.0, None)
    assert "no interval" in told.reason


def test_if_only_one_party_spoke_there_is_no_discriminability() -> None:
    talk = a_talk(NOR, NOR).transcript
    results = evaluate(
        talk, [attribution.on(labelled(talk, "attribution", {"T1": NOR, "T2": NOR}))]
    )
    assert score(results, "debate", "discriminability").value is None


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9), min_size=2), st.data())
def test_discriminability_is_one_when_never_wrong_and_zero_for_a_constant(
    spoken: dict[str, int], data: st.DataObject
) -> None:
    assert discriminability({(p, p): n for p, n in spoken.items()}) == pytest.approx(1)
    always = data.draw(st.sampled_from(sorted(spoken)))
    constant = discriminability({(p, always): n for p, n in spoken.items()})
    assert constant is not None
    assert isclose(constant, 0, abs_tol=1e-9)


def test_with_two_parties_it_is_youdens_index() -> None:
    cells = Counter({("a", "a"): 7, ("a", "b"): 3, ("b", "b"): 4, ("b", "a"): 1})
    assert discriminability(cells) == pytest.approx(7 / 10 + 4 / 5 - 1)


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_no_name_of_a_party_reaches_a_judge_who_is_asked_who_speaks(path: Path) -> None:
    material = Material(read(path))
    names = [
        word
        for party in material.setting.parties
        for word in (party.name, party.short, party.adjective, *party.aliases)
    ]
    by = rubric("attribution")
    questions = [
        ask_about(sheet, seed=1, mask=_mask(material, by)) for sheet in sheets(material, by, ())
    ]
    assert questions
    for question in questions:
        seen = question.prompt.messages[-1].text.partition("To be labelled:")[2]
        told = [w for w in names if re.search(rf"(?<!\w){re.escape(w)}(?!\w)", seen)]
        assert not told, f"{told} in {question.id}"
        assert not re.search(r"\b(?:[Aa]n|[Tt]he) one party", seen), "an article tells a name"


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("We refuse. [us-ss-2, us-ss-4]", "We refuse."),
        ("We refuse (US-SS-2).", "We refuse."),
        ("As ru-ss-x3 says, [ru-ss-99] no.", "As a position says, no."),
        ("RUSSIA and washington, the US, U.S and RU.", "one party and one party, one party, "
         "one party and one party."),
        ("An American base, a Russian base.", "one party base, one party base."),
        ("The Americans' and Russia's word.", "one party' and one party's word."),
        ("Party A met party-b.", "one party met one party."),
        ("Let us talk of de-escalation in US-Russian talks.",
         "Let us talk of de-escalation in one party-one party talks."),
    ],
    ids=["brackets", "upper case", "invented", "case", "article", "plural", "masked", "kept"],
)  # fmt: skip
def test_what_gives_a_party_away_is_taken_out(said: str, seen: str) -> None:
    material = Material(read("transcripts/examples/six-parties-on-nord-stream-2.jsonl"))
    assert material.blind(said) == seen


def test_ids_without_a_number_and_of_other_parties_go_too() -> None:
    setting = a_port(a_position("norland-crew"), others=(a_party("de"),))
    material = Material(a_talk(NOR, setting=setting).transcript)
    assert material.blind("Home first [norland-crew; sudria-2], then de-escalation.") == (
        "Home first, then de-escalation."
    )
