from __future__ import annotations

import pytest

from evals.repetition import cosine, repetition, self_overlap, tf_idf
from tests.evals.results import one
from tests.evals.room import Room
from tests.evals.talks import two_party_setting


def a_room() -> Room:
    return Room(two_party_setting()).opens()


def test_overlap_is_the_share_of_four_word_stretches_said_before() -> None:
    assert self_overlap("we want peace and bread", "we want peace and quiet") == 0.5
    assert self_overlap("anything", "We want peace and quiet.") == 0.0
    assert self_overlap("we want peace and quiet", "WE WANT PEACE AND QUIET") == 1.0
    assert self_overlap("anything", "too short") is None


def test_a_statement_too_short_to_compare_is_unscored() -> None:
    room = a_room().says("us", "We want peace and quiet.").says("us", "Indeed.")
    overlap = one(repetition, room.transcript, "party:us", "self_overlap")
    assert (overlap.value, overlap.n, overlap.unscored) == (None, 0, 1)


def test_a_party_that_repeats_itself_scores_1() -> None:
    room = a_room().says("us", "We want peace and quiet.").says("ru", "Never, never, never, no.")
    room.says("us", "We want peace and quiet.")
    assert one(repetition, room.transcript, "party:us", "self_overlap").value == 1.0
    assert one(repetition, room.transcript, "party:ru", "self_overlap").value is None


def test_cosine_of_word_weights_is_1_for_the_same_words_and_0_for_none_shared() -> None:
    same, again, other = tf_idf([["a", "b"], ["b", "a"], ["c"]])
    assert cosine(same, again) == pytest.approx(1.0)
    assert cosine(same, other) == 0.0
    assert cosine(same, {}) is None


def test_voices_that_grow_alike_converge() -> None:
    room = a_room().says("us", "bread butter cheese").says("ru", "trains planes ships")
    room.says("us", "common ground found").says("ru", "common ground found")
    assert one(repetition, room.transcript, "debate", "voice_convergence").value == 1.0
    alike = one(repetition, room.transcript, "parties:us+ru", "voice_similarity")
    assert isinstance(alike.value, float)
    assert 0 < alike.value < 1


def test_one_voice_alone_is_like_no_other() -> None:
    room = a_room().says("us", "bread butter cheese")
    alike = one(repetition, room.transcript, "debate", "voice_similarity")
    assert (alike.value, alike.n, alike.unscored) == (None, 0, 1)
