"""`tracktwo import` as a user types it, and what the other verbs make of the transcript."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from evals import scores
from evals.evaluator import Score
from harness import cli
from harness import events as e
from harness.cli.import_ import import_
from harness.errors import UserError
from harness.state import fold
from harness.transcript import read
from tests.cli.test_judging import score
from tests.evals.judging.test_pipeline import by_the_sheet
from tests.models.server import ChatServer

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(import_)

CHAT = [
    {"role": "system", "content": "You are diplomats.", "name": "Admin"},
    {"role": "user", "content": "Our sanctions stay in force.", "name": "US delegate",
     "models_usage": {"prompt_tokens": 9}},
    {"role": "user", "content": "Sanctions never work on Russia.", "name": "RU delegate"},
    {"role": "user", "content": "TERMINATE", "name": "Admin"},
]  # fmt: skip
SEATED = (
    "--setting", "geneva-2021", "--item", "sanctions", "--speaker", "US delegate=us",
    "--speaker", "RU delegate=ru", "--speaker", "Admin=-",
)  # fmt: skip


def tracktwo(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, list(map(str, arguments)))


def tracktwo_import(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def mended(result: Result) -> str:
    assert isinstance(result.exception, UserError), (result.output, result.exception)
    return str(result.exception)


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps(CHAT))
    return path


@pytest.fixture
def talks(chat: Path, tmp_path: Path) -> Path:
    """The chat as talks between two parties with mandates."""
    path = tmp_path / "talks.jsonl"
    done = tracktwo_import(chat, *SEATED, "-o", path)
    assert done.exit_code == 0, (done.output, done.exception)
    return path


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        running.ordinary = by_the_sheet
        yield running


def test_everything_that_was_taken_over_or_left_out_is_listed(chat: Path, tmp_path: Path) -> None:
    output = tracktwo_import(chat, *SEATED, "-o", tmp_path / "talks.jsonl").output

    assert f"Imported 2 messages from {chat} (openai): US delegate as us (1), RU delegate" in output
    assert "Left out, a system prompt: messages[0]." in output
    assert "Left out, said by Admin, who was left out: messages[3]." in output
    assert "Not taken over, fields of messages: models_usage (1)." in output
    assert "nothing was agreed" in output


def test_without_a_setting_the_speakers_are_the_parties_and_the_file_gets_a_name(
    chat: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = tracktwo_import(chat), tracktwo_import(chat)

    assert first.exit_code == second.exit_code == 0
    record = read("transcripts/imported-chat.jsonl")
    assert [party.id for party in record.setting.parties] == ["us-delegate", "ru-delegate", "admin"]
    assert read("transcripts/imported-chat-2.jsonl").events[2:] == record.events[2:]


def test_the_transcript_reads_folds_and_is_scored_without_failures(talks: Path) -> None:
    record = read(talks)
    assert fold(record.events) == record.state
    assert record.state.closed

    output = tracktwo("read", talks, "--side").output
    assert "US: Our sanctions stay in force." in output
    assert "Sanctions relief: not decided" in output

    scored = tracktwo("score", talks)
    assert scored.exit_code == 0, (scored.output, scored.exception)
    assert "Agreed: 0 of 2 issues." in scored.output
    results = scores.read(scores.scores_path(talks)).results
    assert not [result for result in results if result.kind == "failure"]


def test_judges_hold_what_was_said_against_documented_positions(
    talks: Path, server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKTWO_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setenv("TRACKTWO_CARDS", str(tmp_path / "cards"))

    assert score(talks, server.url).exit_code == 0

    found = [
        result
        for result in scores.read(scores.scores_path(talks)).results
        if isinstance(result, Score) and result.evaluator == "consistency"
    ]
    (partial,) = [x for x in found if x.subject == "party:us" and x.metric == "partial"]
    assert (partial.value, partial.n) == (1.0, 1)
    assert "stay in force until" in json.dumps(server.bodies)  # us-sa-3, on the judge's sheet


def test_an_import_is_not_gone_on_with_and_nothing_of_it_can_be_asked_again(talks: Path) -> None:
    assert mended(tracktwo("run", "--resume", talks)).endswith("there is nothing to resume.")
    told = mended(tracktwo("fork", talks, "--at", "T2"))
    assert "import" in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--item", "sanctions"), "--item sanctions is an item of a setting"),
        (("--setting", "geneva-2022"), "There is no setting 'geneva-2022'"),
        (("--setting", "geneva-2021", "--item", "sanctions"), "'US delegate' (1 message)"),
        (("--speaker", "US delegate"), "'US delegate' is not NAME=PARTY"),
        (("--speaker", "US delegate="), "is not NAME=PARTY"),
        (("--speaker", "US delegate=Big One"), "a party's id has lower-case letters"),
        (("--format", "plain"), "messages[1]"),
    ],
)
def test_what_is_wrong_is_said_with_the_next_step(
    chat: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    if options[0] == "--format":
        chat.write_text(json.dumps([{"name": "A", "text": "x"}, {"name": "A"}]))

    assert words in mended(tracktwo_import(chat, *options, "-o", tmp_path / "talks.jsonl"))
    assert not (tmp_path / "talks.jsonl").exists()


def test_a_name_with_an_equals_sign_can_be_given_a_seat(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([{"speaker": "x = y", "text": "Good day."}]))

    done = tracktwo_import(path, "--speaker", "x = y=ours", "-o", tmp_path / "talks.jsonl")

    assert done.exit_code == 0, done.exception
    (said,) = [x for x in read(tmp_path / "talks.jsonl").events if isinstance(x, e.Statement)]
    assert said.party == "ours"


def test_what_stands_in_a_log_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([{"speaker": "\x1b[2JAna", "text": "\x1b]0;mine\x07Good day."}]))

    done = tracktwo_import(path, "-o", tmp_path / "talks.jsonl")

    assert "\x1b" not in done.output + tracktwo("read", tmp_path / "talks.jsonl").output
