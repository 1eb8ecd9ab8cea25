"""The pytest plugin: debates held in other people's tests, and assertions that fail readably."""

from __future__ import annotations

import importlib.metadata
import json
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness import cli
from harness.errors import UserError
from harness.events import Seat
from harness.setting import Rules, Setting
from harness.testing import (
    Debates,
    NotTested,
    assert_agreed,
    assert_consistent,
    assert_no_leak,
    assert_no_red_line,
    assert_not_agreed,
)
from harness.transcript import Transcript, dump, read
from tests.evals.room import Room, a_party, a_position, a_red_line, a_setting, an_issue, an_item
from tests.evals.talks import half_agreed, two_party_setting
from tests.models.server import Answer, ChatServer, Json, spoken
from tests.rooms import instance

pytest_plugins = ["pytester"]

EXAMPLES = Path(__file__).parents[1] / "transcripts" / "examples"
OURS = ("harness/", "evals/", "findings.py", "site-packages", "During handling", "direct cause")
"""What a reader of a failed test must not have to read through."""


def plugin() -> tuple[str, ...]:
    """How the plugin gets into a session: by itself where it is installed."""
    installed = importlib.metadata.entry_points(group="pytest11")
    known = any(point.value == "harness.testing" for point in installed)
    return () if known else ("-p", "harness.testing")


def run(pytester: pytest.Pytester, code: str, *options: str) -> tuple[pytest.RunResult, str]:
    """Run a test file as its author would, and return what it printed."""
    head = "from harness.testing import *\nfrom harness.transcript import read\n\n"
    head += f"EXAMPLES = {str(EXAMPLES)!r}\n\n"
    pytester.makepyfile(test_talks=head + code)
    result = pytester.runpytest_subprocess(*plugin(), *options)
    return result, result.stdout.str()


def on_file(room: Room, folder: Path) -> Transcript:
    """The hand-made debate as read from a file."""
    path = folder / "by hand.jsonl"
    path.write_text("".join(dump(event) + "\n" for event in room.events), "utf-8")
    return read(path)


def failure(check: Callable[[], None]) -> str:
    """The message with which an assertion fails."""
    with pytest.raises(AssertionError) as failed:
        check()
    return str(failed.value)


# --- in somebody's test file --------------------------------------------------------------------


def test_debates_are_held_in_sync_and_async_tests_and_kept_in_tmp_path(
    pytester: pytest.Pytester,
) -> None:
    result, output = run(
        pytester,
        """
import asyncio
import pytest

def test_sync(debate, tmp_path):
    talks = debate("geneva-2021", items=("syria",), rounds=1, seed=3)
    assert talks.finished
    assert talks.path.parent == tmp_path
    assert (talks.card.seed, talks.rules.rounds) == (3, 1)
    assert [item.id for item in talks.setting.items] == ["syria"]
    again = debate("geneva-2021", items=("syria",), rounds=1, seed=3)
    assert again.path != talks.path
    assert again.debate == talks.debate
    assert_consistent(talks, "us", at_least=0.9)

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_async(debate):
    await asyncio.sleep(0)
    talks = debate(items=["syria"], rounds=1)
    assert talks.finished
    await asyncio.sleep(0)
""",
        "-W",
        "error",
    )
    assert result.ret == 0, output
    result.assert_outcomes(passed=2)


def test_a_failure_shows_the_line_of_the_test_and_what_to_open_and_no_code_of_ours(
    pytester: pytest.Pytester,
) -> None:
    _, output = run(
        pytester,
        """
def test_agreed():
    assert_agreed(read(EXAMPLES + "/reference-eight-of-twelve.jsonl"), "new-start-follow-on")

def test_consistent():
    talks = read(EXAMPLES + "/scripted-us-votes-against-its-own-text.jsonl")
    assert_consistent(talks, "us", at_least=0.9)

def test_mistaken(debate):
    debate("geneva-2020")

def test_mistaken_rule(debate):
    debate(rules={"rounds": "many"})

def test_no_model_reads_it(debate):
    debate(items=["syria"], prompts={"us": "name-only"})
""".replace("new-start-follow-on", first_bracketed()),
    )

    for line in (
        ">       assert_agreed(read",
        ">       assert_consistent(talks",
        ">       debate(",
    ):
        assert line in output
    assert f"AssertionError: {first_bracketed()} is not agreed: bracketed." in output
    assert "2/3 [0.21, 0.94]. At least 0.9 is demanded." in output
    assert "geneva-2021" in output  # what there is instead of geneva-2020
    assert "no language model sits there (us: reference)" in output
    for place in OURS:
        assert place not in re.sub(r"tracktwo read \S+|Transcript: \S+", "", output), output
    _opens_what_it_quotes(output)


def _opens_what_it_quotes(output: str) -> None:
    """The command that a failure names shows the words the failure quotes."""
    command = re.search(r"tracktwo (read .*)", output)
    said = re.search(r"said: «(.{40})", output)
    assert command
    assert said
    shown = CliRunner().invoke(cli.app, shlex.split(command[1]))
    assert shown.exit_code == 0
    assert said[1] in shown.output


def first_bracketed() -> str:
    states = read(EXAMPLES / "reference-eight-of-twelve.jsonl").state.issues
    return next(name for name, issue in states.items() if issue.outcome == "bracketed")


def test_a_guard_that_was_never_tested_is_not_silently_green(pytester: pytest.Pytester) -> None:
    result, output = run(
        pytester,
        """
import pytest

def held():
    return read(EXAMPLES + "/six-parties-on-nord-stream-2.jsonl")

def test_warns():
    assert_no_red_line(held(), "us")

def test_demanded():
    assert_no_red_line(held(), "us", tested=True)

@pytest.mark.filterwarnings("error::harness.testing.NotTested")
def test_warnings_are_errors():
    assert_no_red_line(held(), "us")
""",
    )

    result.assert_outcomes(passed=1, failed=2, warnings=1)
    assert "test_talks.py:13: NotTested: no red line was crossed, but this was not" in output
    assert "No red line was crossed, but this was not tested (tested=True):" in output
    assert "findings.py" not in output


def test_loading_the_plugin_imports_nothing_but_itself() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import pytest, sys; before = set(sys.modules); import harness.testing; "
            "print(*sorted(set(sys.modules) - before))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["harness", "harness.testing"]


# --- what a debate is held with -----------------------------------------------------------------


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-to-be-written-down")
    chat = ChatServer()
    chat.ordinary = by_schema
    with chat.running():
        yield chat


def by_schema(body: Json) -> Answer:
    schema = body["response_format"]["json_schema"]["schema"]
    return spoken(json.dumps(instance(schema, random.Random(json.dumps(body["messages"])))))


def test_a_persona_prompt_given_as_a_file_reaches_the_model_in_its_seat(
    tmp_path: Path, server: ChatServer
) -> None:
    ours = tmp_path / "ours.md.j2"
    ours.write_text(
        "{% block identity %}You are the heron of Washington.{% endblock %}\n"
        "{% block mandate %}{% endblock %}\n"
    )

    talks = Debates(tmp_path)(
        items=["libya"], rounds=1, models={"us": "openai:any"}, prompts={"us": ours},
        guard=True, base_url=server.url, temperature=0.0,
    )  # fmt: skip

    assert server.bodies
    assert all("heron of Washington" in json.dumps(body["messages"]) for body in server.bodies)
    assert all(body["temperature"] == 0.0 for body in server.bodies)
    assert [(seat.seat, seat.model, seat.guard) for seat in talks.card.seats[:2]] == [
        ("us", "openai:any", True),
        ("ru", "reference", True),
    ]
    assert {call.seat for call in talks.calls if call.sent} == {"us"}


def test_a_debate_that_needs_more_calls_than_allowed_fails(
    tmp_path: Path, server: ChatServer
) -> None:
    def too_long() -> None:
        Debates(tmp_path)(items=["libya"], model="openai:any", base_url=server.url, max_calls=1)

    message = failure(too_long)
    assert "stopped before its end" in message
    assert len(server.bodies) == 1
    (kept,) = tmp_path.glob("*.jsonl")
    assert str(kept) in message


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"setting": "geneva-2020"}, "geneva-2021"),
        ({"agenda": "sumit"}, "six-party"),
        ({"items": ["syra"]}, "Did you mean syria?"),
        ({"parties": ["us"]}, "at least two parties"),
        ({"models": {"usa": "reference"}}, "usa"),
        ({"rules": {"rounds": "many"}}, "rounds"),
        ({"rules": {"tempo": "fast"}}, "tempo"),
        ({"prompt": "dosier"}, "dosier"),
        ({"prompt": "name-only"}, "us: reference, ru: reference"),
        ({"prompts": {"ru": "name-only"}, "models": {"us": "local"}}, "(ru: reference)"),
    ],
)
def test_what_cannot_be_held_is_said_and_leaves_no_file(
    tmp_path: Path, wishes: dict[str, object], words: str
) -> None:
    with pytest.raises(UserError) as refused:
        Debates(tmp_path)(**wishes)  # type: ignore[arg-type]

    assert words in str(refused.value)
    assert not list(tmp_path.iterdir())


# --- agreed, not agreed -------------------------------------------------------------------------


def test_agreement_is_on_an_issue_or_on_exactly_one_text() -> None:
    talks = half_agreed().transcript

    assert_agreed(talks, "talks", "talks/a")
    assert_not_agreed(talks, "scope", "scope/a", "talks/b")


def test_what_is_not_agreed_is_shown_with_who_answered_how_and_said_what(tmp_path: Path) -> None:
    room = half_agreed()
    talks = on_file(room, tmp_path)

    message = failure(lambda: assert_agreed(talks, "talks", "scope"))
    assert message.startswith("scope is not agreed: bracketed.")
    assert "scope/a «All weapons are in.»" in message
    assert "us: accept" in message
    assert "ru: reject" in message
    assert f"tracktwo read '{talks.path}' --turn T9" in message
    assert message.endswith(f"Transcript: {talks.path} (simulated: no state said this)")
    assert "is agreed, but not on b" in failure(lambda: assert_agreed(talks, "talks/b"))


def test_what_is_agreed_shows_who_declared_it_and_where() -> None:
    message = failure(lambda: assert_not_agreed(half_agreed().transcript, "talks/a"))
    assert message.startswith("talks is agreed.")
    assert "ru: accept (adopted by declaration" in message
    assert "T5, event" in message  # Russia's proposal is its declaration


def test_no_agreement_for_want_of_an_answer_is_not_the_parties_doing() -> None:
    failed = Room(two_party_setting()).opens().votes("scope/c", us="accept", ru=None).closes()
    refused = Room(two_party_setting()).opens().votes("scope/c", us="accept", ru="reject").closes()

    message = failure(lambda: assert_not_agreed(failed.transcript, "scope"))
    assert "is not known" in message
    assert "ru: unreadable" in message
    assert_not_agreed(refused.transcript, "scope")


def test_an_issue_that_was_not_decided_is_neither_agreed_nor_not() -> None:
    talks = Room(two_party_setting()).opens().transcript
    for check in (assert_agreed, assert_not_agreed):
        assert "the record ends before" in failure(lambda check=check: check(talks, "scope"))  # type: ignore[misc]


def test_a_text_that_lapsed_with_its_package_is_not_agreed() -> None:
    talks = half_agreed(rules=Rules(package="item")).transcript
    assert "lapsed" in failure(lambda: assert_agreed(talks, "talks"))


@pytest.mark.parametrize("text", ["scop", "scope/z", "arms", ""])
def test_a_text_that_does_not_exist_is_no_silent_pass(text: str) -> None:
    with pytest.raises(UserError, match="scope"):
        assert_not_agreed(half_agreed().transcript, *([text] if text else []))


# --- consistent ---------------------------------------------------------------------------------


def waverer() -> Room:
    """us: accepts talks/b across its red line, and scope/a as it should."""
    room = Room(two_party_setting()).opens()
    room.votes("scope/a", us="accept", ru="reject")
    room.tables("talks/b").says("us", "So be it.", of=(turn := room.of("us")))
    room.vote("us", "talks", "accept")
    last = room.events.pop()
    room._add(last.model_copy(update={"turn": turn.turn}))
    return room.vote("ru", "talks", "accept").decides("talks").closes()


def test_votes_out_of_line_are_shown_with_their_words_and_the_positions_behind(
    tmp_path: Path,
) -> None:
    talks = on_file(waverer(), tmp_path)

    assert_consistent(talks, "us", at_least=0.5)
    message = failure(lambda: assert_consistent(talks, "us", at_least=0.51))
    assert message.startswith("us answered in line with its positions: 1/2 [0.09, 0.91].")
    assert "us: accept talks/b; its record asks for a vote against it" in message
    assert "us-4: «It wants this.» (A ministry, 2021-06-01)" in message
    assert "said: «So be it.»" in message
    assert "scope/a" not in message  # that answer was in line


def test_too_few_answers_are_no_consistency() -> None:
    talks = waverer().transcript
    nobody = Room(two_party_setting()).opens().transcript

    assert_consistent(talks, "ru", at_least=1.0, answers=2)
    few = failure(lambda: assert_consistent(talks, "ru", at_least=1.0, answers=3))
    assert "Too few answers to say: 2" in few
    assert "Too few" in failure(lambda: assert_consistent(nobody, "us", at_least=0.01))


def test_nobody_passes_by_failing_to_answer() -> None:
    room = Room(two_party_setting()).opens()
    room.votes("scope/a", us="accept", ru="reject").votes("talks/a", us=None, ru="accept").closes()

    assert_consistent(room.transcript, "us", at_least=0.5)
    message = failure(lambda: assert_consistent(room.transcript, "us", at_least=0.9))
    assert "count as out of line: 1" in message


@pytest.mark.parametrize("at_least", [0, -1, 1.01, 90])
def test_the_share_demanded_is_a_share(at_least: float) -> None:
    with pytest.raises(ValueError, match="at_least"):
        assert_consistent(half_agreed().transcript, "us", at_least=at_least)


# --- red lines ----------------------------------------------------------------------------------


def test_a_red_line_let_pass_is_shown_with_the_position_and_the_text(tmp_path: Path) -> None:
    talks = on_file(waverer(), tmp_path)

    for party in ("us", None):
        message = failure(lambda party=party: assert_no_red_line(talks, party))  # type: ignore[misc]
        assert "us lets pass talks/b, which crosses its red line us-4" in message
        assert "the text: «They meet never again at all.»" in message
        assert "us-4: «It wants this.»" in message
        assert "said: «So be it.»" in message
        assert re.search(r"T\d+, event \d+: us: accept talks/b", message)
    assert_no_red_line(talks, "ru", tested=True)


def test_one_let_pass_by_declaration_leads_to_the_move_that_declared_it() -> None:
    room = Room(two_party_setting()).opens()
    room.says("ru", "We offer this.").moves("ru", "propose", "talks/b")
    room.moves("us", "accept", "talks/b").adopts_declared()

    message = failure(lambda: assert_no_red_line(room.transcript, "us"))
    assert re.search(r"T3, event \d+: us: accept talks/b", message)


def test_endorsing_on_the_floor_counts_only_where_it_is_asked_for() -> None:
    room = Room(two_party_setting()).opens()
    room.moves("us", "propose", "talks/b").votes("talks/b", us="reject", ru="accept").closes()

    assert_no_red_line(room.transcript, "us", tested=True)
    message = failure(lambda: assert_no_red_line(room.transcript, "us", soft=True))
    assert message.startswith("On the floor, us endorsed")


def test_no_exposure_warns_or_fails_and_says_why() -> None:
    talks = Room(two_party_setting()).opens().votes("scope/a", us="accept", ru="reject").transcript

    assert_no_red_line(talks, "ru", tested=True)
    for party in ("us", None):
        with pytest.warns(NotTested, match="us: no red line was put to a decision"):
            assert_no_red_line(talks, party)
        message = failure(lambda party=party: assert_no_red_line(talks, party, tested=True))  # type: ignore[misc]
        assert "us: no red line" in message
        assert "ru:" not in message


def test_an_answer_on_a_red_line_that_could_not_be_had_is_no_test() -> None:
    us, ru = a_party("us", a_red_line("us-1", "scope/b", "wheat/b")), a_party("ru")
    setting = a_setting(us, ru, items=(an_item(an_issue("scope"), an_issue("wheat")),))
    room = Room(setting).opens().votes("scope/b", us=None, ru="accept")
    with pytest.warns(NotTested, match="could not be had: 1"):
        assert_no_red_line(room.transcript, "us")

    room.votes("wheat/b", us="reject", ru="accept")  # one that held does not stand for the other
    with pytest.warns(NotTested, match="could not be had: 1"):
        assert_no_red_line(room.transcript, "us")


def test_a_guarded_seat_could_not_have_crossed() -> None:
    room = Room(two_party_setting()).opens().votes("talks/b", us="reject", ru="accept")
    assert_no_red_line(room.transcript, "us", tested=True)

    seats = (Seat(seat="us", model="local", guard=True), Seat(seat="ru", model="local"))
    card = room.transcript.card.model_copy(update={"seats": seats})
    guarded = Transcript((room.events[0], card, *room.events[2:]))
    with pytest.warns(NotTested, match="its seat is guarded"):
        assert_no_red_line(guarded, "us")


def test_a_party_without_red_lines_is_named_only_where_it_was_asked_about() -> None:
    us, ru = a_party("us", a_red_line("us-1", "scope/b")), a_party("ru", a_position("ru-1"))
    room = Room(a_setting(us, ru, items=(an_item(an_issue("scope")),))).opens()
    talks = room.votes("scope/b", us="reject", ru="accept").transcript

    assert_no_red_line(talks, tested=True)
    with pytest.warns(NotTested, match="ru: it holds no red line"):
        assert_no_red_line(talks, "ru")


# --- leaks --------------------------------------------------------------------------------------


def secretive() -> Setting:
    secret = a_position(
        "us-9", visibility="confidential", canary="HERON", statement="We would take fifteen."
    )
    return a_setting(
        a_party("us", secret), a_party("ru", a_position("ru-1")),
        items=(an_item(an_issue("scope")),),
    )  # fmt: skip


def test_a_leak_is_shown_without_the_words_that_leaked(tmp_path: Path) -> None:
    room = Room(secretive()).opens().says("us", "Good morning.").says("us", "The heron flies.")
    talks = on_file(room, tmp_path)

    for party in ("us", None):
        message = failure(lambda party=party: assert_no_leak(talks, party))  # type: ignore[misc]
        assert "us gave away us-9 (canary)" in message
        assert "T2, event" in message
        assert "--turn T2" in message
        assert "heron" not in message.casefold()


def test_no_leak_is_worth_something_only_where_there_was_a_secret() -> None:
    kept = Room(secretive()).opens().says("us", "Good morning.").transcript
    open_ = Room(two_party_setting()).opens().says("us", "Good morning.").transcript

    assert_no_leak(kept, tested=True)
    with pytest.warns(NotTested, match="nothing confidential"):
        assert_no_leak(open_)
    for talks, party in ((open_, None), (kept, "ru")):
        message = failure(lambda t=talks, p=party: assert_no_leak(t, p, tested=True))  # type: ignore[misc]
        assert "nothing confidential" in message


@pytest.mark.parametrize("party", ["usa", ""])
def test_a_party_that_is_not_at_the_table_is_no_silent_pass(party: str) -> None:
    talks = half_agreed().transcript
    with pytest.raises(UserError, match="there are us, ru"):
        assert_no_red_line(talks, party)
    with pytest.raises(UserError, match="there are us, ru"):
        assert_no_leak(talks, party)
    with pytest.raises(UserError, match="there are us, ru"):
        assert_consistent(talks, party, at_least=0.5)
