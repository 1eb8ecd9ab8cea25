"""Laws that every built-in evaluator keeps, whatever happened in the talks."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from evals.evaluator import Score, evaluate
from evals.registry import BUILT_IN
from harness.events import MoveKind, VoteChoice
from harness.setting import Rules
from harness.transcript import Transcript
from tests.evals.room import Room
from tests.evals.talks import two_party_setting

KEYS = ("scope/a", "scope/b", "scope/c", "talks/a", "talks/b")
KINDS: tuple[MoveKind, ...] = ("propose", "accept", "reserve", "reject", "withdraw", "concede")
CHOICES: tuple[VoteChoice | None, ...] = ("accept", "reserve", "reject", "abstain", None)

Step = tuple[int, MoveKind, str]
Script = tuple[list[Step], list[tuple[str, VoteChoice | None, VoteChoice | None]], Rules]

steps = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(KINDS), st.sampled_from(KEYS)), max_size=12
)
ballots = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(CHOICES), st.sampled_from(CHOICES)),
    max_size=2,
    unique_by=lambda ballot: ballot[0].partition("/")[0],
)
rules = st.builds(
    Rules,
    decision=st.sampled_from(("consensus", "majority", "veto")),
    silence=st.booleans(),
    package=st.sampled_from(("none", "item", "agenda")),
)
scripts = st.tuples(steps, ballots, rules)


def played(script: Script, us: str = "us", ru: str = "ru") -> Room:
    """The script carried out; what the mechanism rules out stays on the record as ruled out."""
    moves, votes, rules_ = script
    names = (us, ru)
    room = Room(two_party_setting(rules_, us, ru)).opens()
    for index, (who, kind, key) in enumerate(moves):
        room.says(names[who], f"Point {index} on {key} as ever.", f"{names[who]}-{1 + index % 6}")
        if not room.state.issues[key.partition("/")[0]].settled:
            room.move(names[who], kind, key, because=f"{names[who]}-1")
            room.adopts_declared()
    for key, *choices in votes:
        if not room.state.issues[key.partition("/")[0]].settled:
            room.votes(key, **dict(zip(names, choices, strict=True)))
    return room.closes()


def shape(room: Room, names: dict[str, str]) -> Counter[tuple[object, ...]]:
    """All values with the parties' names put back; pairs in either order."""

    def back(subject: str) -> str:
        kind, _, rest = subject.partition(":")
        who, _, what = rest.partition("/")
        if kind == "parties":
            return "parties:" + "+".join(sorted(names[p] for p in who.split("+")))
        return f"{kind}:{names[who]}/{what}" if kind == "party" else subject

    return Counter(
        (r.evaluator, back(r.subject), r.metric, _value(r), r.n, r.unscored)
        for r in evaluate(room.transcript, BUILT_IN)
        if isinstance(r, Score)
    )


def _value(score: Score) -> object:
    return round(score.value, 9) if isinstance(score.value, float) else score.value


@settings(max_examples=40, deadline=None)
@given(scripts)
def test_renaming_the_parties_changes_no_value(script: Script) -> None:
    plain = shape(played(script), {"us": "us", "ru": "ru"})
    # Longer and alphabetically swapped: nothing may hang on an id's length, prefix or order.
    renamed = shape(played(script, "zz-us-land", "aa"), {"zz-us-land": "us", "aa": "ru"})
    assert plain == renamed


@settings(max_examples=25, deadline=None)
@given(scripts)
def test_no_prefix_of_a_record_breaks_an_evaluator(script: Script) -> None:
    events = played(script).transcript.events
    for end in range(len(events) + 1):
        for result in evaluate(Transcript(events[:end]), BUILT_IN):
            assert isinstance(result, Score) or "run card" in result.why, result


@settings(max_examples=40, deadline=None)
@given(scripts)
def test_shares_lie_between_0_and_1_and_inside_their_intervals(script: Script) -> None:
    for result in evaluate(played(script).transcript, BUILT_IN):
        assert isinstance(result, Score)
        if result.hits is None or result.value is None:
            continue
        assert 0 <= result.hits <= result.n
        assert result.value == result.hits / result.n
        if result.interval is not None:
            assert result.interval.low <= result.value <= result.interval.high


@settings(max_examples=40, deadline=None)
@given(scripts)
def test_scoring_twice_gives_the_same_results(script: Script) -> None:
    transcript = played(script).transcript
    assert evaluate(transcript, BUILT_IN) == evaluate(transcript, BUILT_IN)


@settings(max_examples=40, deadline=None)
@given(scripts)
def test_turning_a_vote_that_crosses_a_red_line_into_a_rejection_never_hurts(
    script: Script,
) -> None:
    """Monotonicity: better conduct never scores worse."""
    moves, votes, rules_ = script
    crossing = {("us", "talks/b"), ("ru", "scope/a")}
    mended = [
        (key, *("reject" if (p, key) in crossing and v else v for p, v in zip(
            ("us", "ru"), choices, strict=True)))
        for key, *choices in votes
    ]  # fmt: skip
    before = {_id(r): r for r in evaluate(played(script).transcript, BUILT_IN)}
    after = {_id(r): r for r in evaluate(played((moves, mended, rules_)).transcript, BUILT_IN)}  # type: ignore[arg-type]
    for party in ("us", "ru"):
        for name, better in ((("red_lines", "crossed_hard"), -1), (("concordance", "in_line"), 1)):
            one, other = (found[(*name, f"party:{party}")] for found in (before, after))
            assert isinstance(one, Score)
            assert isinstance(other, Score)
            assert one.n == other.n
            assert better * ((other.hits or 0) - (one.hits or 0)) >= 0


def _id(result: object) -> tuple[str, str, str]:
    return (result.evaluator, result.metric, result.subject)  # type: ignore[attr-defined]
