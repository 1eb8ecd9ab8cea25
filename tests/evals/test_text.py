from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.text import (
    Index,
    contains_verbatim,
    content_words,
    sentences,
    stem,
    windows,
    words,
)


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in sentences(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["We agree.", "They do not."],
        ["The U.S. President met Mr. Putin.", "They spoke."],
        ["This was said in the U.S. and elsewhere.", "We heard it."],
        ["They came to the U.S.", "We met them."],
        ["John F. Kennedy came.", "J. R. Biden spoke.", "They had Sputnik V.", "Vaccines help."],
        ["We take option B.", "Russia takes option A."],
        ["See No. 5 and Art. 6 of the treaty.", "No.", "We refuse."],
        ["Limits, e.g. New START, hold.", "Others, i.e. INF, do not."],
        ["We met in St. Petersburg.", "It rained."],
        ["It cost 3.5 billion.", "In 2021.", "Not before 5 p.m.", "The end."],
        ["Up to 1,550 warheads; no more; no fewer.", "Agreed?", "Yes!"],
        ["“We agree.”", "He said “no.”", "(So it was.)", "'Why?'", "**Bold.**", "Plain."],
        ['"Is this so?" he asked.', "Nobody knew.", "“We agree.” said she."],
        ["we agree.", "label: supported"],
        [
            "They met govt. officials, etc. and the U.S. delegate.",
            "no.",
            "we refuse.",
            "why?",
            "so.",
        ],
        ["Well... we may.", "Or may not…", "Who knows?!", "Nobody."],
        ["We offer talks. [us-ss-1, us-ss-2]", "They decline.”", "Then [O1] lapses."],
        ["1. The first point.", "2. The second point."],
        ["Ja.", "Élan is needed.", "Да.", "Хорошо."],
        ["on 5 Jan. 2021 they met.", "Nothing came of it."],
    ],
    ids=lambda parts: parts[0],
)
def test_sentences_end_where_a_reader_says_so(parts: list[str]) -> None:
    assert texts(" ".join(parts)) == parts


def test_breaks_split_at_blank_lines_and_lists_and_nowhere_else() -> None:
    text = "Chair, colleagues\n\nThe United\nStates wants:\n- a treaty\n- talks\n2) peace  \n \n"
    assert texts(text) == [
        "Chair, colleagues",
        "The United\nStates wants:",
        "- a treaty",
        "- talks",
        "2) peace",
    ]


def test_no_sentence_stands_in_white_space() -> None:
    assert sentences("") == sentences(" \n\n\t ") == ()


def test_full_stops_of_other_scripts_need_no_space() -> None:
    assert texts("我们同意。他们不同意\uff01") == ["我们同意。", "他们不同意\uff01"]


WORDS = "We agree É 1. 5. 3.5 U.S. No. Mr. e.g. . ... … ! ?” 。 ; “ ' ( ) [a-1]"
SPACES = [" ", "\n", "\n\n", "\u2028", "\xa0", "\n- ", "\n* "]
PIECES = st.sampled_from(WORDS.split()) | st.sampled_from(SPACES)


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=80))
def test_sentences_cover_the_text_and_lose_only_white_space(text: str) -> None:
    end = 0
    for sentence in sentences(text):
        assert sentence.start >= end
        assert not text[end : sentence.start].strip()
        assert text[sentence.start : sentence.end] == sentence.text == sentence.text.strip() != ""
        end = sentence.end
    assert not text[end:].strip()


@given(st.lists(PIECES, max_size=30).map("".join), st.integers(1, 4))
def test_windows_hold_every_sentence_and_no_more_than_asked(text: str, size: int) -> None:
    found = windows(text, size)
    assert all(any(sentence.text in window for window in found) for sentence in sentences(text))
    assert len(found) == max(min(1, len(sentences(text))), len(sentences(text)) - size + 1)


def test_long_runs_of_one_sign_take_no_time() -> None:
    for sign in (".", " ", "\n", "[1", "a.", "”", "1."):
        assert sentences(sign * 20_000 + "x")


def test_words_are_all_words_and_content_words_are_those_that_say_something() -> None:
    text = "The U.S. won't reduce 1,550 warheads; Russia's treaties said so in 2.5 years."
    assert words("Don't STOP.") == ("don", "t", "stop")
    assert content_words(text) == (
        "won", "reduc", "1550", "warhead", "russia", "treaty", "said", "2.5", "year",
    )  # fmt: skip


@pytest.mark.parametrize(
    "forms",
    [
        ("treaty", "treaties"),
        ("negotiate", "negotiates", "negotiated", "negotiating", "negotiation", "negotiations"),
        ("verify", "verifies", "verified", "verifying"),
        ("ban", "bans", "banned", "banning"),
        ("call", "calls", "called", "calling"),
        ("address", "addresses", "addressed", "addressing"),
        ("limit", "limits", "limited", "limiting"),
        ("public", "publicly"),
        ("tax", "taxes", "taxed"),
    ],
    ids=lambda forms: forms[0],
)
def test_the_forms_of_a_word_meet(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    "pair",
    [("arms", "army"), ("state", "station"), ("nation", "native"), ("2021", "2022")],
)
def test_different_words_stay_apart(pair: tuple[str, str]) -> None:
    assert stem(pair[0]) != stem(pair[1])


@given(st.text(max_size=60))
def test_content_words_are_the_same_in_any_case_and_are_never_empty(text: str) -> None:
    assert all(content_words(text))
    assert content_words(text) == content_words(text.casefold())


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("able to accept", False),
        ("unable to accept", True),
        ("unable  to\n accept the “first-use” text", True),
        ("the 'first-use' text", False),
        ('the "first\u2013use" text', True),
        ("Unable to accept", False),
        ("accept", False),
        ("unable to accept a text", False),
        ("", False),
        (" … ", False),
    ],
)
def test_a_quote_stands_in_a_text_word_for_word_or_not_at_all(quote: str, found: bool) -> None:
    text = "We are unable to accept the «first-use» text — as it\u2019s drafted."
    assert contains_verbatim(quote, text) is found


def test_one_word_is_a_quote_only_of_one_word() -> None:
    assert contains_verbatim("Never", "Never.")
    assert not contains_verbatim("Never", "Never again.")


@given(st.text(min_size=1, max_size=60))
def test_a_text_contains_itself(text: str) -> None:
    assert contains_verbatim(text, text) is bool(text.strip())


TALKS = {
    "us-1": "We want the dialogue to reach every nuclear weapon.",
    "us-2": "We want both prisoners released.",
    "us-3": "We want a dialogue on climate.",
}


def test_support_is_the_weighted_share_of_the_claim_that_the_document_has() -> None:
    index = Index(TALKS)
    assert index.idf("want") == 1
    assert index.idf("dialogu") == math.log(4 / 3) + 1
    assert index.idf("submarin") == math.log(4) + 1
    rare = index.idf("prison")
    expected = rare / (rare + index.idf("dialogu"))
    assert index.support("prison dialogue", "One prison.") == pytest.approx(expected)
    assert index.support("Both prisoners!", "us-2") == 1.0
    assert index.support("Submarines", "us-2") == 0.0
    assert index.support("We shall be there.", "us-2") is None
    assert index.support("Dialogue.", "") == 0.0


def test_the_nearest_come_best_first_and_ties_by_id() -> None:
    index = Index(TALKS)
    found = index.nearest("A dialogue on the climate", 3)
    assert [key for key, _ in found] == ["us-3", "us-1", "us-2"]
    assert found[0][1] == 1.0
    assert found[2][1] == 0.0
    backwards = Index(dict(reversed(TALKS.items())))
    assert [key for key, _ in backwards.nearest("want", 2)] == ["us-1", "us-2"]
    assert index.nearest("A dialogue on the climate", 3, ["us-2", "us-1", "us-1"]) == found[1:]
    assert index.nearest("We shall be there.", 3) == index.nearest("climate", 0) == ()
    with pytest.raises(KeyError):
        index.nearest("climate", 1, ["us-9"])


@given(
    st.lists(st.sampled_from([*TALKS.values(), "climate", "nuclear 1,550", "the"])).map(" ".join)
)
def test_support_is_a_share_and_the_nearest_have_it(claim: str) -> None:
    index = Index(TALKS)
    for key, share in index.nearest(claim, 3):
        assert 0 <= share <= 1
        assert index.support(claim, key) == share == index.support(claim, TALKS[key])
