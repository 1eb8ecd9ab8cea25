from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.events import VoteChoice
from harness.mechanism import Paragraph, joint_text
from harness.setting import Rules
from harness.state import fold
from harness.viewer.page.joint import Joint, Told, joint
from harness.viewer.page.paragraph import Answer, Fact, Holder, Standing, Text
from tests.evals.room import Room, a_party, a_setting, an_issue, an_item
from tests.evals.talks import half_agreed, two_party_setting
from tests.viewer.handmade import SCRIPTED, SIX, a_drawn_reading, a_reading, example


def told(made: Joint, issue: str) -> Told:
    (found,) = [each for each in made.paragraphs if each.issue.id == issue]
    return found


def holders(facts: tuple[Fact, ...]) -> list[tuple[str, str, str, str]]:
    return [(f.option, f.party, f.how, f.turn) for f in facts if isinstance(f, Holder)]


def answers(facts: tuple[Fact, ...]) -> list[tuple[str, str, str]]:
    return [(f.party, f.choice, f.turn) for f in facts if isinstance(f, Answer)]


def status(facts: tuple[Fact, ...]) -> str:
    (standing,) = [f for f in facts if isinstance(f, Standing)]
    return standing.status


def places(facts: tuple[Fact, ...]) -> dict[str, str]:
    return {f.option: f.place for f in facts if isinstance(f, Text)}


def test_every_step_of_a_small_debate_reads_as_a_hand_count_says() -> None:
    made = joint(a_reading(half_agreed().transcript))
    assert [(step.where, step.words) for step in made.steps] == [
        ("T2", "Scope: US proposes (a) scope a"),
        ("T4", "Scope: RU rejects (a) scope a"),
        ("T5", "Talks: RU proposes (a) talks a"),
        ("T7", "Talks: US accepts (a) talks a"),
        ("chair", "Talks: agreed, (a) talks a"),
        ("chair", "Scope: the chair puts (a) scope a"),
        ("T8", "Scope: US votes for (a) scope a"),
        ("T9", "Scope: RU votes against (a) scope a"),
        ("chair", "Scope: in brackets, (a) scope a"),
    ]
    scope, talks = told(made, "scope"), told(made, "talks")

    assert (status(scope.at(0)), places(scope.at(0))) == ("blank", {})
    assert (status(scope.at(1)), holders(scope.at(1))) == ("talked", [("a", "us", "offers", "T2")])
    assert holders(scope.at(2))[1:] == [("a", "ru", "rejects", "T4")]
    assert scope.at(3) == scope.at(2)

    assert holders(talks.at(4)) == [("a", "ru", "offers", "T5"), ("a", "us", "accepts", "T7")]
    assert (status(talks.at(5)), places(talks.at(5))) == ("adopted", {"a": "adopted"})
    assert sorted(answers(talks.at(5))) == [
        ("ru", "by declaration", "T5"), ("us", "by declaration", "T7"),
    ]  # fmt: skip

    assert (status(scope.at(6)), places(scope.at(6))) == ("put", {"a": "put"})
    assert answers(scope.at(8)) == [("us", "accept", "T8"), ("ru", "reject", "T9")]
    assert (status(scope.at(9)), places(scope.at(9))) == ("bracketed", {"a": "bracket"})
    assert holders(scope.at(9)) == [("a", "us", "holds", "T2")]


def test_a_bracket_is_held_since_the_party_first_stood_for_the_text() -> None:
    scope = told(joint(example(SCRIPTED)), "whelan-reed")
    assert holders(scope.at(28)) == [("b", "ru", "holds", "T2"), ("c", "ru", "holds", "T6")]


def test_one_that_voted_for_what_it_had_rejected_holds_it_since_its_vote() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/a")
    room.moves("ru", "reject", "scope/a").votes("scope/a", us="reject", ru="accept").closes()
    made = joint(a_reading(room.transcript))
    assert holders(told(made, "scope").at(made.last)) == [("a", "ru", "holds", "T4")]


def test_a_text_withdrawn_and_offered_again_stands_there_twice() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/c")
    room.moves("us", "withdraw", "scope/c").moves("ru", "propose", "scope/c")
    scope = told(joint(a_reading(room.transcript)), "scope")
    assert [stay.span for stay in scope.stays("c")] == ["1-2", "3-"]
    assert scope.brought == {"c": "T1"}
    assert holders(scope.at(3)) == [("c", "ru", "offers", "T3")]


def test_a_text_keeps_its_stay_while_its_place_changes() -> None:
    talks = told(joint(a_reading(half_agreed().transcript)), "talks")
    assert [stay.span for stay in talks.stays("a")] == ["3-"]
    assert [place.span for place in talks.places("a")] == ["3-5", "5-"]


def test_who_has_moved_on_from_a_text_offered_it_and_is_not_said_to_accept_it() -> None:
    made = joint(example(SCRIPTED))
    relief = told(made, "sanctions-relief")
    (offers,) = [
        step.number
        for step in made.steps
        if step.where == "T10" and step.issues == ("sanctions-relief",)
    ]
    assert ("a", "us", "offers", "T10") in holders(relief.at(offers))
    late = relief.at(26)
    assert ("a", "us", "offered", "T10") in holders(late)
    (words,) = {f.words for f in late if isinstance(f, Holder) and f.how == "offered"}
    assert words == "offered it"


def test_who_accepted_a_text_before_offering_it_goes_on_accepting_it() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/a")
    room.moves("ru", "accept", "scope/a").moves("ru", "propose", "scope/a")
    room.moves("ru", "concede", "scope/b").moves("us", "concede", "scope/c")
    scope = told(joint(a_reading(room.transcript)), "scope")
    assert sorted(holders(scope.at(5))) == [
        ("a", "ru", "accepts", "T2"), ("a", "us", "offered", "T1"),
        ("b", "ru", "offers", "T4"), ("c", "us", "offers", "T5"),
    ]  # fmt: skip


def whys(made: Joint) -> list[str]:
    stood = [s.fact for p in made.paragraphs for s in p.standings]
    return [fact.why for fact in stood if isinstance(fact, Standing) and fact.why]


def test_reasons_name_the_parties_as_the_page_does() -> None:
    assert "consensus: 1 for, 1 against; RU cannot accept the text" in whys(
        joint(example(SCRIPTED))
    )


NAMED = ("no", "it", "us", "a-b")
"""Ids that are words of the mechanism's sentences."""


def of_named_parties(rules: Rules, **votes: VoteChoice | None) -> str:
    parties = [a_party(name) for name in NAMED]
    room = Room(a_setting(*parties, items=(an_item(an_issue("q")),), rules=rules), rules).opens()
    given = {name.replace("_", "-"): vote for name, vote in votes.items()}
    room.moves("us", "propose", "q/a").votes("q/a", **given)
    (why,) = whys(joint(a_reading(room.transcript)))
    return why


def test_only_parties_are_renamed_where_an_id_is_a_word_of_the_sentence() -> None:
    consensus, silence = Rules(), Rules(silence=True)
    told = [
        of_named_parties(consensus, no="reject", it="accept", us="reject", a_b="reject"),
        of_named_parties(consensus, no=None, it=None, us="accept", a_b="accept"),
        of_named_parties(consensus, no="abstain", it="abstain", us="accept", a_b="abstain"),
        of_named_parties(consensus, no="accept", it="accept", us="accept", a_b="accept"),
        of_named_parties(silence, no="accept", it="reject", us="accept", a_b="accept"),
        of_named_parties(silence, no=None, it="accept", us="accept", a_b="accept"),
    ]
    assert told == [
        "consensus: 1 for, 3 against; NO, US, A-B cannot accept the text",
        "consensus: 2 for, 0 against; no valid answer from NO, IT",
        "consensus: 1 for, 0 against; it takes at least two delegations to agree",
        "consensus: 4 for, 0 against, no objection",
        "silence procedure: broken by IT",
        "silence procedure: no valid answer from NO",
    ]


def test_a_veto_is_told_by_name() -> None:
    rules = Rules(decision="veto", vetoes=("us", "it"))
    assert of_named_parties(rules, no="accept", it="accept", us="reject", a_b="accept") == (
        "veto: 3 for, 1 against; US used its veto"
    )
    assert of_named_parties(rules, no="accept", it=None, us="accept", a_b="accept") == (
        "veto: 3 for, 0 against; no valid answer from veto-holder IT"
    )


def test_reservations_carry_the_position_behind_them() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "talks/a").tables("talks/a")
    room.vote("us", "talks", "accept").vote("ru", "talks", "reserve", because="ru-4")
    room.decides("talks")
    made = joint(a_reading(room.transcript))
    given = [f for f in told(made, "talks").at(made.last) if isinstance(f, Answer)]
    assert [(f.party, f.choice, f.because, f.behind) for f in given] == [
        ("us", "accept", None, ""), ("ru", "reserve", "ru-4", "pos-ru-4"),
    ]  # fmt: skip


def test_no_answer_is_said_and_is_no_vote() -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "talks/a")
    made = joint(a_reading(room.votes("talks/a", us="accept", ru=None).transcript))
    assert answers(told(made, "talks").at(made.last)) == [
        ("us", "accept", "T2"), ("ru", "no answer", ""),
    ]  # fmt: skip


def test_what_lapses_with_its_package_goes_back_into_brackets() -> None:
    rules = Rules(package="item")
    room = Room(two_party_setting(rules), rules).opens().moves("us", "propose", "talks/a")
    room.votes("talks/a", us="accept", ru="accept").votes("scope/a", us="accept", ru="reject")
    made = joint(a_reading(room.closes().transcript))
    assert made.steps[-1].words == "The package fails: what was adopted in it lapses"
    talks = told(made, "talks")
    assert status(talks.at(made.last - 1)) == "adopted"
    assert (status(talks.at(made.last)), places(talks.at(made.last))) == (
        "lapsed",
        {"a": "bracket"},
    )


def test_without_issues_or_moves_there_are_no_steps() -> None:
    bare = Room(a_setting(a_party("us"), a_party("ru"), items=(an_item(),))).opens().says("us")
    assert joint(a_reading(bare.transcript)) == Joint((), (), {"us": "US", "ru": "RU"})

    silent = joint(a_reading(Room(two_party_setting()).opens().says("us").transcript))
    assert (silent.steps, [status(p.at(0)) for p in silent.paragraphs]) == ((), ["blank", "blank"])


def test_six_parties_hold_brackets() -> None:
    made = joint(example(SIX))
    transit = told(made, "ukraine-transit").at(made.last)
    assert {(h[0], h[1]) for h in holders(transit)} >= {("b", "us"), ("b", "de"), ("b", "ua")}


def read_back(facts: tuple[Fact, ...]) -> tuple[str, str | None, Mapping[str, set[str]]]:
    """Status, adopted text and brackets with their holders, as the facts have them."""
    held: dict[str, set[str]] = {f.option: set() for f in facts
                                 if isinstance(f, Text) and f.place == "bracket"}  # fmt: skip
    for f in facts:
        if isinstance(f, Holder) and f.how == "holds":
            held[f.option].add(f.party)
    adopted = [f.option for f in facts if isinstance(f, Text) and f.place == "adopted"]
    return status(facts), adopted[0] if adopted else None, held


def agree(facts: tuple[Fact, ...], paragraph: Paragraph, lapsed: bool) -> None:
    """The facts say what the mechanism says."""
    standing, adopted, held = read_back(facts)
    brackets = {option: set(holders) for option, _, holders in paragraph.brackets}
    if paragraph.status == "undecided":
        assert standing in ("blank", "talked", "put")
        offers = {(f.option, f.party) for f in facts if isinstance(f, Holder) and f.how == "offers"}
        assert offers == {(option, who) for option, _, own in paragraph.brackets for who in own}
        return
    assert standing == ("lapsed" if lapsed else paragraph.status)
    assert held == brackets
    assert adopted == (paragraph.option if paragraph.text is not None else None)
    reserving = {f.party for f in facts if isinstance(f, Answer) and f.choice == "reserve"}
    assert reserving >= {r.party for r in paragraph.reservations}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), parties=st.integers(2, 4), public=st.booleans())
def test_every_step_is_what_the_mechanism_says_of_that_state(
    seed: int, parties: int, public: bool
) -> None:
    reading = a_drawn_reading(seed, parties, public=public)
    events, setting = reading.transcript.events, reading.setting
    made = joint(reading)
    moments = [(step.number, [x for x in events if x.seq <= step.seq]) for step in made.steps]
    for number, past in (*moments[::3], (made.last, list(events))):
        state = fold(past)
        for paragraph in joint_text(state, setting):
            lapsed = state.issues[paragraph.issue].lapsed
            agree(told(made, paragraph.issue).at(number), paragraph, lapsed)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_step_changes_the_issues_it_names_and_no_other(seed: int) -> None:
    made = joint(a_drawn_reading(seed))
    for step in made.steps:
        changed = {p.issue.id for p in made.paragraphs
                   if set(p.at(step.number)) != set(p.at(step.number - 1))}  # fmt: skip
        assert changed == set(step.issues)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), share=st.floats(0.1, 0.9))
def test_a_record_cut_short_has_the_first_steps_of_the_whole(seed: int, share: float) -> None:
    reading = a_drawn_reading(seed)
    events = reading.transcript.events
    cut = replace(reading.transcript, events=events[: max(2, int(share * len(events)))])
    early, whole = joint(a_reading(cut)), joint(reading)
    assert early.steps == whole.steps[: early.last]
    for one, other in zip(early.paragraphs, whole.paragraphs, strict=True):
        assert set(one.at(early.last)) == set(other.at(early.last))
