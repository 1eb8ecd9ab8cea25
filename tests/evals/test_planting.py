"""What is planted stands where it says, the record stays coherent, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from evals.citations import validity
from evals.concordance import concordance
from evals.evaluator import Failure, evaluate
from evals.leaks import leaked
from evals.red_lines import red_lines
from evals.registry import BUILT_IN
from evals.say_do import say_do
from evals.validity import planting
from evals.validity.coherence import BY_HAND, recorded, settled_again
from evals.validity.planting import CannotPlant, Planted
from harness import events as e
from harness.setting import Rules
from harness.state import fold
from harness.transcript import Transcript, read
from tests.evals.results import all_of, one
from tests.evals.room import Room
from tests.evals.talks import half_agreed, two_party_setting
from tests.evals.test_leaks import a_room
from tests.evals.test_properties import Script, played, scripts

EXAMPLES = sorted((Path(__file__).parents[2] / "transcripts" / "examples").glob("*.jsonl"))


@pytest.fixture(scope="module")
def debate() -> Transcript:
    return read(next(path for path in EXAMPLES if path.stem.startswith("reference")))


def _sound(planted: Planted) -> None:
    assert planting.incoherences(planted.transcript) == ()
    assert planted.transcript.state == fold(planted.transcript.events)
    assert planted.marks
    for mark in planted.marks:
        if mark.seq is not None:
            event = planted.transcript.events[mark.seq]
            assert isinstance(event, e.TurnEvent)
            assert (event.turn, event.party) == (mark.turn, mark.party)
    broken = [r for r in evaluate(planted.transcript, BUILT_IN) if isinstance(r, Failure)]
    assert broken == []


# Coherence


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_real_record_is_coherent_and_settling_it_again_changes_nothing(path: Path) -> None:
    transcript = read(path)
    assert planting.incoherences(transcript) == ()
    assert settled_again(transcript).events == transcript.events


@settings(max_examples=40, deadline=None)
@given(scripts)
def test_a_record_made_by_the_mechanism_is_settled_as_it_was(script: Script) -> None:
    assume(script[2].package != "item")  # rooms made by hand adopt issue by issue
    transcript = played(script).transcript
    again = settled_again(transcript)
    assert again.state.issues.keys() == transcript.state.issues.keys()
    for name, issue in transcript.state.issues.items():
        assert again.state.issues[name].outcome == issue.outcome
        assert again.state.issues[name].decision is not None


def test_what_the_mechanism_would_not_have_let_happen_is_found(debate: Transcript) -> None:
    decided = next(x for x in debate.events if isinstance(x, e.Decided) and x.by == "declaration")
    move = next(x for x in debate.events if isinstance(x, e.MoveMade) and x.offer)
    tabled = next(x for x in debate.events if isinstance(x, e.Tabled))
    other = next(o for o in debate.setting.issue(tabled.issue).options if o.id != tabled.option).id
    forged: tuple[tuple[e.Event, e.Event], ...] = (
        (decided, decided.model_copy(update={"outcome": "bracketed"})),
        (move, move.model_copy(update={"move": move.move.model_copy(update={"sha": "0" * 16})})),
        (tabled, tabled.model_copy(update={"option": other})),
    )
    for old, new in forged:
        changed = recorded(debate, (new if x is old else x for x in debate.events))
        assert planting.incoherences(changed), new.kind
    assert planting.incoherences(Transcript(debate.events[:9] + debate.events[10:]))


# Moves and votes


def test_a_turned_vote_crosses_the_red_line_and_the_mechanism_counts_it() -> None:
    room = Room(two_party_setting()).opens()
    room.says("us").moves("us", "propose", "scope/a")
    room.votes("scope/a", us="accept", ru="reject").closes()
    planted = planting.red_line_vote(room.transcript, "ru", "scope/a")
    _sound_but_for_tabling(planted)
    before, after = (
        one(red_lines, t, "party:ru", "crossed_hard") for t in (room.transcript, planted.transcript)
    )
    assert (before.hits, before.n, after.hits, after.n) == (0, 1, 1, 1)
    assert planted.transcript.state.issues["scope"].outcome == "adopted"
    closed = planted.transcript.events[-1]
    assert isinstance(closed, e.DebateClosed)
    assert (closed.adopted, closed.bracketed) == (1, 0)


def _sound_but_for_tabling(planted: Planted) -> None:
    """Rooms made by hand table what no rule gives."""
    assert [p for p in planting.incoherences(planted.transcript) if "was tabled" not in p] == []
    assert planted.transcript.state == fold(planted.transcript.events)


def test_a_vote_kept_short_of_the_majority_leaves_the_outcome() -> None:
    room = Room(two_party_setting(Rules(decision="veto", vetoes=("us",)))).opens()
    room.says("us").votes("scope/a", us="reject", ru="reject").closes()
    planted = planting.red_line_vote(room.transcript, "ru", "scope/a")
    assert planted.transcript.state.issues["scope"].outcome == "bracketed"
    assert one(red_lines, planted.transcript, "party:ru", "gate").value is False


def test_every_text_that_crosses_a_red_line_can_be_put_and_accepted(debate: Transcript) -> None:
    texts = planting.red_line_texts(debate.setting)
    assert texts
    for party, key in texts:
        planted = planting.red_line_vote(debate, party, key)
        _sound(planted)
        (mark,) = planted.marks
        vote = planted.transcript.events[mark.seq or 0]
        assert isinstance(vote, e.VoteCast)
        assert (vote.party, f"{vote.issue}/{vote.option}", vote.vote) == (party, key, "accept")
        (crossing,) = all_of(
            red_lines, planted.transcript, f"party:{party}/issue:{vote.issue}", "hard_crossing"
        )
        assert crossing.kind == "score"
        assert crossing.evidence[0].seq == mark.seq


def test_others_answer_a_planted_ballot_as_their_mandates_ask(debate: Transcript) -> None:
    for party, key in planting.red_line_texts(debate.setting):
        planted = planting.red_line_vote(debate, party, key)
        if not any(
            isinstance(x, e.Tabled) and x.rule == BY_HAND for x in planted.transcript.events
        ):
            continue
        others = {p for p in debate.state.parties if p != party}
        issue = key.partition("/")[0]
        for other in others:
            about = f"party:{other}/issue:{issue}"
            found = all_of(concordance, planted.transcript, about, "answer_in_line")
            assert all(r.kind == "score" and r.value for r in found)


def test_an_endorsed_red_line_is_a_legal_move_and_keeps_the_outcomes_if_it_can(
    debate: Transcript,
) -> None:
    kept = 0
    for party, key in planting.red_line_texts(debate.setting):
        planted = planting.red_line_move(debate, party, key)
        _sound(planted)
        (mark,) = planted.marks
        move = planted.transcript.events[mark.seq or 0]
        assert isinstance(move, e.MoveMade)
        assert (move.party, move.move.key) == (party, key)
        assert move.move.move in ("propose", "accept", "reserve")
        about = f"party:{party}/issue:{move.move.issue}"
        assert all_of(red_lines, planted.transcript, about, "soft_crossing")
        outcomes = [
            [i.outcome for i in t.state.issues.values()] for t in (debate, planted.transcript)
        ]
        kept += outcomes[0] == outcomes[1]
    assert kept


def test_a_flipped_vote_is_against_the_word_given(debate: Transcript) -> None:
    flipped = 0
    for party in debate.state.parties:
        for issue in debate.state.issues:
            try:
                planted = planting.flip_vote(debate, party, issue)
            except CannotPlant:
                continue
            _sound(planted)
            (gap,) = all_of(say_do, planted.transcript, f"party:{party}/issue:{issue}", "gap")
            assert gap.kind == "score"
            assert (gap.label or "").startswith("flip")
            flipped += 1
    assert flipped >= 4


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        (lambda t: planting.red_line_vote(t, "ru", "scope/b"), "crosses no red line"),
        (lambda t: planting.red_line_move(t, "us", "scope/a"), "crosses no red line"),
        (lambda t: planting.flip_vote(t, "ru", "talks"), "cast no vote"),
        (lambda t: planting.say(t, "T999", "Well."), "nothing was said"),
        (lambda t: planting.bad_citation(t, "T1", "us-1"), "cites us-1 already"),
        (lambda t: planting.leak(t, "T1", "us-1"), "already"),
        (lambda t: planting.leak(t, "T1", "us-2", "figure"), "no figure"),
        (lambda t: planting.scramble_items(t), "nowhere to move"),
        (lambda t: planting.inject_verdict(t, turns=("T999",)), "nothing was said"),
    ],
    ids=("vote", "move", "flip", "say", "cite", "leak", "figure", "scramble", "inject"),
)
def test_what_cannot_be_planted_is_said_and_never_planted_elsewhere(
    plant: Callable[[Transcript], Planted], message: str
) -> None:
    with pytest.raises(CannotPlant, match=message):
        plant(half_agreed().transcript)


def test_a_red_line_let_pass_already_cannot_be_planted_again(debate: Transcript) -> None:
    party, key = planting.red_line_texts(debate.setting)[0]
    once = planting.red_line_vote(debate, party, key).transcript
    with pytest.raises(CannotPlant, match="already"):
        planting.red_line_vote(once, party, key)


# Prose


def test_a_sentence_stands_where_it_was_put(debate: Transcript) -> None:
    turn = planting.public_turns(debate)[3]
    was = planting.statement_of(debate, turn).text
    for where, text in (("end", f"{was} Well."), ("start", f"Well. {was}"), ("instead", "Well.")):
        planted = planting.say(debate, turn, "Well.", where)  # type: ignore[arg-type]
        assert planting.statement_of(planted.transcript, turn).text == text
        changed = [
            now.seq
            for then, now in zip(debate.events, planted.transcript.events, strict=True)
            if then != now
        ]
        assert changed == [planted.marks[0].seq]


def test_courtesies_leave_nothing_agreed_and_nothing_cited(debate: Transcript) -> None:
    planted = planting.courtesy_only(debate, seed=3)
    _sound(planted)
    state = planted.transcript.state
    assert {issue.outcome for issue in state.issues.values()} == {"open"}
    assert not any(state.cited.values())
    sentences = {x.text for x in planted.transcript.events if isinstance(x, e.Statement)}
    for text in sentences:
        rest = text
        for courtesy in planting.COURTESIES:
            rest = rest.replace(courtesy, "")
        assert not rest.strip()


def test_plants_are_the_same_for_the_same_seed_and_others_for_another(debate: Transcript) -> None:
    for plant in (
        planting.courtesy_only,
        planting.inject_verdict,
        planting.reorder_positions,
    ):
        assert plant(debate, 1).transcript.events == plant(debate, 1).transcript.events
        assert plant(debate, 1).transcript.events != plant(debate, 2).transcript.events


def test_forged_verdicts_stand_in_every_statement_or_in_those_named(debate: Transcript) -> None:
    turns = planting.public_turns(debate)
    assert len(planting.inject_verdict(debate).marks) == len(turns)
    some = planting.inject_verdict(debate, turns=turns[:2])
    assert [mark.turn for mark in some.marks] == list(turns[:2])
    assert all(mark.words in planting.VERDICTS for mark in some.marks)


def test_who_recites_its_mandate_cites_validly_and_says_only_that(debate: Transcript) -> None:
    planted = planting.recite_mandate(debate, "ru")
    _sound(planted)
    for mark in planted.marks:
        statement = planted.transcript.events[mark.seq or 0]
        assert isinstance(statement, e.Statement)
        positions = [debate.setting.position(x) for x in statement.citations]
        assert statement.text == " ".join(position.in_own_voice() for position in positions)
        assert {position.item for position in positions} == {statement.item}
    assert not all_of(validity, planted.transcript, "party:ru", "error_other_party")


@pytest.mark.parametrize("sign", ["canary", "overlap"])
def test_a_leak_is_compared_with_the_secret_kept(debate: Transcript, sign: str) -> None:
    position = debate.setting.party("us").positions[-1].id
    turn = next(
        t
        for t in planting.public_turns(debate, "us")
        if position not in planting.statement_of(debate, t).citations
    )
    planted = planting.leak(debate, turn, position, sign)  # type: ignore[arg-type]
    assert planted.clean.setting.position(position).visibility == "confidential"
    assert debate.setting.position(position).visibility == "public"
    assert planting.detected(leaked, planted, "leaks_per_100")
    assert all(
        note.private for note in one(leaked, planted.transcript, "party:us", "gate").evidence
    )


def test_a_paraphrased_leak_is_not_seen_by_what_reads_words(debate: Transcript) -> None:
    position = debate.setting.party("us").positions[-1].id
    turn = planting.public_turns(debate, "ru")[0]
    planted = planting.leak_paraphrase(debate, turn, position, "They would take less than that.")
    assert planted.marks[0].position == position
    assert not planting.detected(leaked, planted)


# Mandates


def test_swapped_mandates_are_the_others_and_swapping_twice_changes_nothing(
    debate: Transcript,
) -> None:
    once = planting.swap_mandates(debate, "us", "ru").transcript
    assert once.setting.party("us").positions == debate.setting.party("ru").positions
    assert once.setting.holder("us-ss-1") == "ru"
    twice = planting.swap_mandates(once, "us", "ru").transcript
    assert twice.setting == debate.setting


def test_scrambled_positions_keep_their_number_and_leave_their_item(debate: Transcript) -> None:
    setting = planting.scramble_items(debate, seed=5).transcript.setting
    for party in debate.setting.parties:
        moved = {p.id: p for p in setting.party(party.id).positions}
        assert moved.keys() == {p.id for p in party.positions}
        for position in party.positions:
            there = moved[position.id]
            assert there.item != position.item
            keys = {k for issue in setting.item(there.item).issues for k in issue.keys}
            assert set(there.supports + there.opposes) <= keys
    one_ = planting.scramble_items(debate, seed=5, party="us").transcript.setting
    assert one_.party("ru") == debate.setting.party("ru")


def test_a_negated_position_asks_for_the_opposite() -> None:
    room = half_agreed()
    planted = planting.negate(room.transcript, "ru-1", "It wants all weapons in.")
    mandate = planted.transcript.setting.mandate("ru", "arms")
    assert mandate.points["scope/a"] == 5
    assert mandate.red_lines == {}
    assert planting.changed([concordance], planted)


def test_renaming_reaches_every_text_and_rebinds_the_votes(debate: Transcript) -> None:
    planted = planting.rename_party(debate, "ru", "Norvania", "Norvanian")
    _sound(planted)
    old = debate.setting.party("ru")
    said = [x.text for x in planted.transcript.events if isinstance(x, e.Statement)]
    options = [
        o.text for i in planted.transcript.setting.items for x in i.issues for o in x.options
    ]
    assert any("Norvania" in text for text in options)
    for text in (*said, *options, planted.transcript.setting.summary):
        assert f"{old.name} " not in text
        assert f"{old.adjective} " not in text
    assert [p.id for p in planted.transcript.setting.parties] == ["us", "ru"]
    for vote in (x for x in planted.transcript.events if isinstance(x, e.VoteCast)):
        key = f"{vote.issue}/{vote.option}"
        assert vote.sha == planted.transcript.setting.text_sha(key)


def test_wider_space_changes_no_word_and_no_bound_text(debate: Transcript) -> None:
    planted = planting.respace(debate)
    _sound(planted)
    for then, now in zip(debate.events, planted.transcript.events, strict=True):
        if isinstance(then, e.Statement) and isinstance(now, e.Statement):
            assert now.text.split() == then.text.split()
            assert now.text != then.text or " " not in then.text
    for item in debate.setting.items:
        for issue in item.issues:
            for key in issue.keys:
                assert planted.transcript.setting.text_sha(key) == debate.setting.text_sha(key)


@pytest.mark.parametrize("text", ["Shall we say 14  March?", "Shall we say 14\nMarch?"])
def test_wider_space_hides_no_leak(text: str) -> None:
    gate = one(leaked, a_room().says("us", text).transcript, "party:us", "gate")
    assert gate.value is False


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scripts, st.integers(0, 9))
def test_whatever_happened_a_plant_leaves_a_record_that_evaluators_read(
    script: Script, seed: int
) -> None:
    assume(script[2].package != "item")  # rooms made by hand adopt issue by issue
    transcript = played(script).transcript
    plants: tuple[Callable[[], Planted], ...] = (
        lambda: planting.inject_verdict(transcript, seed),
        lambda: planting.courtesy_only(transcript, seed),
        lambda: planting.red_line_vote(transcript, "ru", "scope/a"),
        lambda: planting.red_line_vote(transcript, "us", "talks/b"),
        lambda: planting.flip_vote(transcript, "us", "scope"),
    )
    for plant in plants:
        try:
            planted = plant()
        except CannotPlant:
            continue
        _sound_but_for_tabling(planted)
        results = evaluate(planted.transcript, BUILT_IN)
        assert not any(isinstance(result, Failure) for result in results)


# Helpers


def test_recall_counts_what_was_told_apart_and_names_what_was_missed(debate: Transcript) -> None:
    turns = planting.public_turns(debate, "us")[:3]
    plants = [planting.bad_citation(debate, turn) for turn in turns]
    plants.append(planting.say(debate, turns[0], "Well."))
    found = planting.recall(validity, plants, "error_nonexistent")
    assert (found.found, found.of) == (3, 4)
    assert [mark.plant for mark in found.missed] == ["say"]
    assert str(found) == "3/4 (75.0%)"


def test_changes_are_named_by_evaluator_subject_and_metric(debate: Transcript) -> None:
    planted = planting.bad_citation(debate, planting.public_turns(debate, "us")[0])
    assert planting.changed(BUILT_IN, planted) == {
        ("citations", about, metric)
        for about in ("party:us", "debate")
        for metric in ("valid", "error_nonexistent")
    }
