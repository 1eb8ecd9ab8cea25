"""J4: leaving the record as the talks go on, within a debate, over debates, and towards what."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.dimensions.drift import (
    Moment,
    default_pull,
    default_pulls,
    drift,
    drift_over,
    late_less_early,
    moments,
    slope,
)
from evals.judging.shapes import Judgements, Verdict
from evals.record import statements
from harness.errors import UserError
from harness.transcript import Transcript
from tests.evals.dimensions.judgements import (
    ONE,
    TWO,
    answering,
    claims,
    example,
    judged,
    judgements,
    one,
    scores,
    verdict,
)
from tests.evals.room import Room
from tests.evals.talks import two_party_setting
from tests.models.server import ChatServer


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        yield running


def eight_turns() -> Transcript:
    room = Room(two_party_setting()).opens()
    for turn in range(8):
        room.says("us" if turn % 2 else "ru", f"One of {turn}. Two of {turn}.")
    return room.transcript


def leaving(transcript: Transcript, since: int, judge: str = ONE) -> Judgements:
    """Everything from a turn on is off the record, half of it contradicted."""

    def label(turn: str, first: bool) -> str:
        if int(turn[1:]) < since:
            return "supported" if first else "partial"
        return "contradicted" if first else "unsupported"

    found = claims(transcript)
    verdicts = [verdict(c, label(c.turn, ".1.1" in c.id), judge=judge) for c in found]
    return judgements(found, verdicts, "consistency")


def test_drift_is_the_last_quarter_less_the_first_in_percentage_points() -> None:
    transcript = eight_turns()
    results = scores(drift, transcript, leaving(transcript, 5))
    score = one(results, "debate", "drift")
    assert (score.value, score.n, score.unscored) == (100.0, 16, 0)
    assert len(score.evidence) == 8
    assert "nothing about others" in score.reason
    none = one(scores(drift, transcript, leaving(transcript, 9)), "debate", "drift")
    assert none.value == 0.0
    assert none.evidence == ()
    assert one(scores(drift, transcript, leaving(transcript, 1)), "debate", "drift").value == 0.0


def test_the_slope_is_least_squares_over_the_whole_debate() -> None:
    transcript = eight_turns()
    found = moments(transcript, leaving(transcript, 5), ONE)
    # By hand: places 1/8..8/8, the last four off. Sxy/Sxx = 4/21 a turn, times 8 turns.
    assert slope(Counter(found)) == pytest.approx(100 * 8 * 4 / 21)
    results = scores(drift, transcript, leaving(transcript, 5))
    assert one(results, "debate", "slope").value == pytest.approx(100 * 32 / 21)


def test_a_party_is_placed_by_the_turns_of_the_whole_debate() -> None:
    transcript = eight_turns()
    found = moments(transcript, leaving(transcript, 5), ONE, "us")
    assert [moment.at for moment in found] == [0.25, 0.5, 0.75, 1.0]
    results = scores(drift, transcript, leaving(transcript, 7))
    assert one(results, "party:us", "drift").value == 100.0


def test_what_has_no_label_is_unscored_and_an_empty_quarter_leaves_no_value() -> None:
    transcript = eight_turns()
    found = claims(transcript)
    verdicts = [
        verdict(c, None if int(c.turn[1:]) > 6 else "supported") for c in found if c.turn != "T3"
    ]
    results = scores(drift, transcript, judgements(found, verdicts, "consistency"))
    score = one(results, "debate", "drift")
    assert (score.value, score.n, score.unscored, score.interval) == (None, 10, 6, None)
    assert score.reason.startswith("no value")
    assert one(results, "debate", "slope").value == 0.0


def test_the_interval_draws_turns() -> None:
    room = Room(two_party_setting()).opens()
    for turn in range(40):
        room.says("us", " ".join(f"Claim {turn} {n}." for n in range(6)))
    rng = random.Random(1)
    off = {f"T{n}": rng.random() < 0.5 for n in range(1, 41)}
    found = claims(room.transcript)
    verdicts = [verdict(c, "unsupported" if off[c.turn] else "supported") for c in found]
    results = scores(drift, room.transcript, judgements(found, verdicts, "consistency"))
    interval = one(results, "debate", "drift").interval
    assert interval is not None
    # Ten turns of .5 in each quarter: the standard error is 22 points; of sixty claims, 9.
    assert interval.high - interval.low > 60


def test_no_judge_no_scores_and_two_judges_two_sets() -> None:
    transcript = eight_turns()
    assert scores(drift, transcript, judgements(claims(transcript), (), "consistency")) == []
    both = leaving(transcript, 5).with_records(leaving(transcript, 9, TWO).verdicts)
    results = scores(drift, transcript, both)
    assert one(results, "debate", "drift", ONE).value == 100.0
    assert one(results, "debate", "drift", TWO).value == 0.0


def debate(level: float, rise: float, rng: random.Random, turns: int = 40) -> list[Moment]:
    """A debate whose share off the record starts at a level and rises."""
    places = [turn / turns for turn in range(1, turns + 1)]
    return [Moment(at, sum(rng.random() < level + rise * at for _ in range(4)), 4) for at in places]


def test_over_debates_each_has_a_level_of_its_own() -> None:
    # Long debates that start high and short ones that start low, none of them with any drift:
    # pooled, the line through all claims would rise.
    flat = {
        "low": [Moment(at / 10, 0, 1) for at in range(1, 6)],
        "high": [Moment(at / 10, 1, 1) for at in range(6, 11)],
    }
    assert drift_over(flat).slope.value == pytest.approx(0)
    assert slope(Counter([*flat["low"], *flat["high"]])) > 100  # type: ignore[operator]
    assert drift_over(flat).left_out == ("low", "high")
    assert drift_over(flat).late_less_early.value is None


def test_over_debates_the_planted_drift_is_found_and_clusters_count() -> None:
    rng = random.Random(7)
    debates = {
        f"s{scenario}-{seed}": debate(0.1 + 0.02 * scenario, 0.3, rng)
        for scenario in range(10)
        for seed in range(4)
    }
    clusters = {name: name.partition("-")[0] for name in debates}
    found = drift_over(debates, clusters)
    assert (found.debates, found.clusters, found.claims) == (40, 10, 40 * 160)
    for estimate, truth in ((found.slope, 30.0), (found.late_less_early, 0.3 * 75)):
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < truth < estimate.high
        assert estimate.high - estimate.low < 15


def test_one_scenario_with_many_debates_has_no_interval() -> None:
    rng = random.Random(7)
    debates = {f"d{n}": debate(0.2, 0.3, rng) for n in range(5)}
    found = drift_over(debates, dict.fromkeys(debates, "one"))
    assert found.slope.value is not None
    assert found.slope.low is None
    assert found.late_less_early.low is None
    assert drift_over(debates).slope.low is not None
    assert drift_over({}).slope.value is None


def test_intervals_over_scenarios_cover_what_was_planted() -> None:
    rng = random.Random(3)
    covered = {"slope": 0, "late_less_early": 0}
    runs = 200
    for _ in range(runs):
        debates, clusters = {}, {}
        for scenario in range(8):
            own = rng.gauss(0.2, 0.1)  # scenarios differ in their drift
            for seed in range(3):
                debates[f"{scenario}/{seed}"] = debate(0.3, own, rng, turns=12)
                clusters[f"{scenario}/{seed}"] = str(scenario)
        found = drift_over(debates, clusters)
        for name, truth in (("slope", 20.0), ("late_less_early", 0.2 * 75)):
            got = getattr(found, name)
            covered[name] += got.low <= truth <= got.high
    assert covered["slope"] / runs > 0.9
    assert covered["late_less_early"] / runs > 0.9


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 3)), max_size=20))
def test_drift_stays_in_its_range_or_has_no_value(found: list[tuple[int, int]]) -> None:
    drawn = Counter(Moment(at / 20, off, 3) for at, off in found)
    value = late_less_early(drawn)
    quarters = {at <= 5 for at, _ in found} | {at > 15 for at, _ in found}
    assert value is None or (-100 <= value <= 100 and True in quarters)


def test_the_pull_is_the_share_of_the_way_to_the_default() -> None:
    assert default_pull(-0.8, -0.3, 0.2) == pytest.approx(0.5)
    assert default_pull(-0.8, -0.8, 0.2) == 0
    assert default_pull(-0.5, -0.7, 0.5) == pytest.approx(-0.2)
    assert default_pull(0.1, 0.9, 0.25) is None
    assert default_pull(0.1, 0.3, 0.3) == pytest.approx(1)


def stances(transcript: Transcript, *values: float | None, judge: str = ONE) -> Judgements:
    said = [s for s in statements(transcript) if s.party == "us"]
    found = [
        Verdict(
            judge=judge, rubric="stance", unit=s.turn, party="us", item=s.item, seqs=(s.seq,),
            turn=s.turn, label=None if value is None else "some", value=value,
            unscored="refused" if value is None else None,
        )
        for s, value in zip(said, values, strict=True)
    ]  # fmt: skip
    return judgements((), found, "stance")


def test_the_pull_of_a_debate_is_towards_the_control() -> None:
    transcript = eight_turns()
    control = stances(transcript, 0.2, 0.4, None, 0.6)
    (ours, theirs) = default_pulls(
        transcript, stances(transcript, -0.8, -0.6, 0.0, -0.2), transcript, control
    )
    assert ours.value == pytest.approx((-0.2 + 0.8) / (0.4 + 0.8))
    assert (ours.subject, ours.n) == ("party:us", 1)
    assert [note.turn for note in ours.evidence] == ["T2", "T8"]
    assert (theirs.subject, theirs.value) == ("party:ru", None)


def test_the_pull_is_undefined_where_start_and_default_are_close() -> None:
    transcript = eight_turns()
    near = stances(transcript, -0.3, -0.3, -0.3, -0.3)
    (ours, _) = default_pulls(
        transcript, stances(transcript, -0.4, -0.3, -0.3, 1.0), transcript, near
    )
    assert ours.value is None
    assert "too close" in ours.reason


def test_the_pull_needs_the_same_rubric_and_judge_on_both() -> None:
    transcript = eight_turns()
    ours = stances(transcript, -0.8, -0.6, 0.0, -0.2)
    with pytest.raises(UserError, match="has not judged the control"):
        list(
            default_pulls(transcript, ours, transcript, stances(transcript, 0, 0, 0, 0, judge=TWO))
        )
    with pytest.raises(UserError, match="same rubric"):
        list(default_pulls(transcript, ours, transcript, leaving(transcript, 5)))


@pytest.mark.anyio
@pytest.mark.parametrize("early", ["partial", "unsupported", "unreadable"])
async def test_drift_planted_in_a_reference_debate_is_found_over_http(
    server: ChatServer, early: str
) -> None:
    """The last item is off the record; what is said of the others is as the case says."""
    transcript = example("reference-eight-of-twelve")
    last = transcript.setting.item([s.item for s in statements(transcript)][-1])
    answering(server, lambda line, positions: {"reason": "so", "label": "unsupported"})
    off = server.ordinary
    answering(server, lambda line, positions: {"reason": "so", "label": early})
    before = server.ordinary
    server.ordinary = lambda body: (
        off(body) if f"Item: {last.title}." in body["messages"][-1]["content"] else before(body)
    )
    results = scores(drift, transcript, await judged(transcript, server, "consistency"))
    score = one(results, "debate", "drift")
    assert score.value == {"partial": 100.0, "unsupported": 0.0, "unreadable": None}[early]
    # Where nothing said early could be read there is no value, and no difference from nothing.
    assert (score.unscored > 20) == (early == "unreadable")
    assert score.n > 20
