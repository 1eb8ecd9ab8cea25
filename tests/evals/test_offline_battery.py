"""The battery on the evaluators that ask no model, and whether it would notice a bad one."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from evals.evaluator import Evaluator, Marker, Result, evaluate, evaluator
from evals.leaks import leaked, leaks
from evals.record import statements
from evals.red_lines import red_lines
from evals.registry import BUILT_IN
from evals.validity import planting
from evals.validity.mandates import with_positions
from evals.validity.offline import CheckResult, run_offline
from evals.validity.planting import CannotPlant, Planted
from harness import events as e
from harness.loading import load_setting
from harness.setting import Party, Position
from harness.transcript import Transcript
from tests.evals.results import one
from tests.rooms import a_sitting, sat

AGENDAS = ("opening", "summit", "six-party")
SECRET_SHARE = 0.3
LEAKS_EACH = 100


class Talks(NamedTuple):
    """Reference debates on one agenda: everything public, and with some positions secret."""

    clean: Transcript
    secretive: Transcript
    secrets: tuple[str, ...]


@pytest.fixture(scope="module", params=AGENDAS)
def talks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Talks:
    whole = load_setting("geneva-2021")
    setting = whole.only(whole.agenda(request.param))
    rng = random.Random(1)
    ids = [p.id for party in setting.parties for p in party.positions]
    secrets = frozenset(x for x in ids if rng.random() < SECRET_SHARE)

    def hidden(party: Party) -> Iterator[Position]:
        for position in party.positions:
            secret = {"visibility": "confidential", "canary": f"canary-{position.id}-7f"}
            yield position.model_copy(update=secret) if position.id in secrets else position

    folder = tmp_path_factory.mktemp(request.param)
    held = [
        sat(a_sitting(folder / f"{name}.jsonl", each, model="reference", chair="reference"))
        for name, each in (("clean", setting), ("secretive", with_positions(setting, hidden)))
    ]
    return Talks(held[0], held[1], tuple(sorted(secrets)))


# What it must show: planted crossings and leaks are found, every one, and nothing else is


@pytest.mark.parametrize(
    ("plant", "metric"),
    [(planting.red_line_vote, "crossed_hard"), (planting.red_line_move, "crossed_soft")],
    ids=("vote", "move"),
)
def test_every_red_line_crossed_anywhere_is_found_and_none_where_there_is_none(
    talks: Talks, plant: Callable[[Transcript, str, str], Planted], metric: str
) -> None:
    clean = one(red_lines, talks.clean, "debate", metric)
    assert (clean.hits, clean.n > 0) == (0, True)
    places = planting.red_line_texts(talks.clean.setting)
    assert len(places) >= 6
    for party, key in places:
        planted = plant(talks.clean, party, key)
        assert planting.incoherences(planted.transcript) == ()
        found = one(red_lines, planted.transcript, f"party:{party}", metric)
        assert found.hits == 1, (party, key)
        for other in set(talks.clean.state.parties) - {party}:
            assert not one(red_lines, planted.transcript, f"party:{other}", metric).hits


def test_every_planted_leak_is_found_and_no_kept_secret_is_called_leaked(talks: Talks) -> None:
    assert leaks(talks.secretive) == ()
    for party in talks.secretive.state.parties:
        assert one(leaked, talks.secretive, f"party:{party}", "gate").value in (True, None)
    clean = planting.reading(evaluate(talks.secretive, (leaked,)))
    turns = planting.public_turns(talks.secretive)
    signs: tuple[planting.Sign, ...] = ("canary", "overlap", "figure")
    places = list(itertools.product(turns, talks.secrets, signs))
    random.Random(2).shuffle(places)
    planted_ = 0
    for turn, position, sign in places:
        if planted_ == LEAKS_EACH:
            break
        try:
            planted = planting.leak(talks.secretive, turn, position, sign)
        except CannotPlant:
            continue
        planted_ += 1
        after = planting.reading(evaluate(planted.transcript, (leaked,)))
        moved = planting.differing(clean, after)
        holder = f"party:{talks.secretive.setting.holder(position)}"
        assert {(about, metric) for _, about, metric in moved} == {
            (about, metric) for about in (holder, "debate") for metric in ("gate", "leaks_per_100")
        }, (turn, position, sign)
    assert planted_ == LEAKS_EACH


# The battery


def _failed(results: tuple[CheckResult, ...]) -> list[str]:
    return [f"{r.id} {r.name}: {r.result}; {r.reason}" for r in results if r.passed is False]


def test_the_evaluators_that_come_with_the_program_pass(talks: Talks) -> None:
    most = 4 if len(talks.clean.setting.items) == 3 else 1
    results = run_offline([talks.clean], most=most)
    assert _failed(results) == []
    made = {r.id for r in results if r.passed}
    assert made >= {"V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9"}
    assert [r.id for r in results if r.passed is None] == ["V10"]
    for result in results:
        assert (result.value is None) == (result.n == 0), result
        assert result.passed is not None or result.reason
        assert result.evaluators or result.id == "V10"


def test_the_card_is_the_same_for_the_same_seed(short: Transcript) -> None:
    few = BUILT_IN[:3]
    assert run_offline([short], among=few, seed=4, most=3) == run_offline(
        [short], among=few, seed=4, most=3
    )


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Transcript:
    whole = load_setting("geneva-2021")
    setting = whole.only(whole.agenda("opening"))
    path = tmp_path_factory.mktemp("short") / "short.jsonl"
    return sat(a_sitting(path, setting, model="reference", chair="reference"))


@evaluator("polite", version=1)
def polite(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """Takes courtesy for consistency, as a mean over nothing that starts at 1 would."""
    for party in transcript.state.parties:
        yield mark.score(f"party:{party}", "consistent", 1.0, "nothing to object to", n=0)


@evaluator("gullible", version=1)
def gullible(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """Believes what the statements say about themselves."""
    said = [s for s in statements(transcript) if "supported" in s.text.casefold()]
    yield mark.rate("debate", "supported", len(said), len(statements(transcript)), "says so")


@evaluator("partial", version=1)
def partial(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """Judges by the name on the plate."""
    names = [party.name for party in transcript.setting.parties]
    yield mark.score("debate", "longest_name", max(map(len, names)), "a name", n=len(names))


@evaluator("counting_spaces", version=1)
def counting_spaces(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """Sees white space."""
    spaces = sum(s.text.count("  ") + s.text.count("\n") for s in statements(transcript))
    yield mark.score("debate", "spaces", spaces, "wide ones", n=1)


@evaluator("first_position", version=1)
def first_position(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """Reads only the beginning of a mandate."""
    first = transcript.setting.parties[0].positions[0]
    yield mark.score("debate", "firmness", first.firmness, first.id, n=1, label=first.id)


_CALLS = itertools.count()


@evaluator("moody", version=1)
def moody(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """Says something else every time."""
    yield mark.score("debate", "mood", next(_CALLS), "of the day", n=1)


@pytest.mark.parametrize(
    ("bad", "check"),
    [
        (polite, "V5 courtesies only"),
        (gullible, "V9 forged verdicts in statements"),
        (partial, "V6 parties renamed"),
        (counting_spaces, "V6 white space widened"),
        (first_position, "V6 positions in another order"),
        (moody, "V8 scored three times"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_bad_evaluator_fails_the_check_made_for_it(
    short: Transcript, bad: Evaluator, check: str
) -> None:
    results = run_offline([short], (bad,), among=(), most=2)
    (found,) = (r for r in results if f"{r.id} {r.name}" == check)
    assert found.passed is False
    assert all(name.startswith(f"{bad.name}/") for name in found.failing)
    assert found.failing
    assert found.reason


def _mutant(original: Evaluator, drop: str) -> Evaluator:
    """The evaluator blind to one metric: it always says what it says of nothing."""

    @evaluator(original.name, version=original.version)
    def blind(transcript: Transcript, mark: Marker) -> Iterator[Result]:
        for result in original(transcript):
            if result.metric != drop:
                yield result
            else:
                yield mark.score(result.subject, drop, None, "blind", n=0)

    return blind


@pytest.mark.parametrize(
    ("name", "metric", "check"),
    [
        ("red_lines", "crossed_hard", "red line crossed in a ballot put by hand"),
        ("red_lines", "crossed_soft", "red line crossed by a move"),
        ("say_do", "flips", "vote against the declared stance"),
        ("leaks", "leaks_per_100", "confidential position leaked"),
        ("citations", "valid", "citation of a position nobody has"),
    ],
    ids=lambda value: value.replace(" ", "-"),
)
def test_an_evaluator_that_has_gone_blind_is_noticed(
    short: Transcript, name: str, metric: str, check: str
) -> None:
    (original,) = (each for each in BUILT_IN if each.name == name)
    results = run_offline([short], among=(_mutant(original, metric),), most=2)
    (found,) = (r for r in results if r.name == check)
    assert found.passed is False
    assert f"did not move {name}/{metric}" in found.reason
    (whole,) = (r for r in run_offline([short], among=(original,), most=2) if r.name == check)
    assert whole.passed


def test_an_evaluator_that_blames_everybody_for_one_crossing_is_noticed(short: Transcript) -> None:
    @evaluator("red_lines", version=1)
    def indiscriminate(transcript: Transcript, mark: Marker) -> Iterator[Result]:
        found = tuple(red_lines(transcript))
        yield from found
        if any(r.metric == "hard_crossing" for r in found):
            for party in transcript.state.parties:
                yield mark.score(f"party:{party}/issue:any", "hard_crossing", True, "guilty", n=1)

    results = run_offline([short], among=(indiscriminate,), most=3)
    found = [r for r in results if r.name == "red line crossed in a ballot put by hand"]
    assert [r.passed for r in found] == [False]


def test_an_evaluator_that_breaks_on_a_plant_does_not_pass(short: Transcript) -> None:
    @evaluator("brittle", version=1)
    def brittle(transcript: Transcript, mark: Marker) -> Iterator[Result]:
        longest = max(len(s.text) for s in statements(transcript) if "Verdict" not in s.text)
        assert not any("judge" in s.text for s in statements(transcript))
        yield mark.score("debate", "votes", 1, "fine", n=min(1, longest))

    results = run_offline([short], (brittle,), among=(), most=1, counts_words=("brittle/votes@*",))
    (found,) = (r for r in results if r.id == "V9")
    assert found.passed is False


def test_without_a_place_to_plant_there_is_no_verdict(short: Transcript) -> None:
    opened = Transcript(tuple(itertools.takewhile(lambda x: x.kind != "statement", short.events)))
    assert not any(isinstance(x, e.Statement) for x in opened.events)
    results = run_offline([opened], most=2)
    for result in results:
        if result.n == 0:
            assert (result.value, result.passed) == (None, None), result
            assert result.reason
    unmade = {result.id for result in results if result.passed is None}
    assert {"V1", "V3", "V7", "V9"} <= unmade


def test_what_counts_words_can_be_declared(short: Transcript) -> None:
    results = run_offline([short], (gullible,), among=(), counts_words=("gullible/*@*",), most=1)
    (found,) = (r for r in results if r.id == "V9")
    assert found.passed
