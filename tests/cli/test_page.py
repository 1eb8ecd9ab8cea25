"""`tracktwo page` as a user types it."""

from __future__ import annotations

import shutil
import webbrowser
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from harness.cli.page import page
from harness.errors import UserError
from harness.events import NOTICE
from tests.viewer.hostile import EXAMPLES, SECRETS, hostile

FIRST = EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl"

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(page)


def tracktwo_page(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def done(*arguments: object) -> str:
    result = tracktwo_page(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def mended(*arguments: object) -> str:
    result = tracktwo_page(*arguments)
    assert isinstance(result.exception, UserError), (result.output, result.exception)
    return str(result.exception)


def test_a_page_lies_beside_its_transcript_unless_told_otherwise(tmp_path: Path) -> None:
    transcript = tmp_path / "talks.jsonl"
    shutil.copy(FIRST, transcript)
    before = transcript.read_bytes()
    assert f"Written: {tmp_path / 'talks.html'}" in done(transcript)
    html = (tmp_path / "talks.html").read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert NOTICE in html
    elsewhere = tmp_path / "new" / "mailed.html"
    done(transcript, "-o", elsewhere)
    assert elsewhere.read_text(encoding="utf-8") == html
    assert transcript.read_bytes() == before


def test_whoever_makes_a_page_is_told_that_private_things_are_in_it(tmp_path: Path) -> None:
    transcript = hostile(tmp_path)
    assert "--public leaves that out" in done(transcript)
    whole = (tmp_path / "hostile.html").read_text(encoding="utf-8")
    assert all(secret in whole for secret in SECRETS)
    assert "--public" not in done(transcript, "--public")
    public = (tmp_path / "hostile.html").read_text(encoding="utf-8")
    assert [secret for secret in SECRETS if secret in public] == []


def test_scores_that_are_out_of_date_are_said_to_be(tmp_path: Path) -> None:
    transcript = tmp_path / "talks.jsonl"
    shutil.copy(FIRST, transcript)
    first = (
        '{"kind":"scores_header","transcript":"talks.jsonl","transcript_sha":"0","evaluators":{}}'
    )
    (tmp_path / "talks.scores.jsonl").write_text(f"{first}\n", encoding="utf-8")
    assert "older than its transcript" in done(transcript)
    assert "older than its transcript" in (tmp_path / "talks.html").read_text(encoding="utf-8")


def test_a_page_never_takes_the_place_of_a_record(tmp_path: Path) -> None:
    transcript = tmp_path / "talks.jsonl"
    shutil.copy(FIRST, transcript)
    before = transcript.read_bytes()
    assert "is a record" in mended(transcript, "-o", transcript)
    renamed = tmp_path / "talks"
    shutil.copy(FIRST, renamed)
    assert "is a record" in mended(transcript, "-o", renamed)
    assert "is a folder" in mended(transcript, "-o", tmp_path)
    assert transcript.read_bytes() == renamed.read_bytes() == before


def test_a_folder_is_no_transcript(tmp_path: Path) -> None:
    assert mended(tmp_path) == f"{tmp_path} is a folder; name a transcript in it."


def test_a_file_that_is_no_transcript_is_one_sentence(tmp_path: Path) -> None:
    assert "cannot be read" in mended(tmp_path / "none.jsonl")
    other = tmp_path / "other.jsonl"
    other.write_text("{}\n", encoding="utf-8")
    assert f"{other}:1: not a transcript" in mended(other)
    assert not (tmp_path / "other.html").exists()


def test_it_opens_in_the_users_browser_and_says_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def opened(url: str) -> bool:
        asked.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", opened)
    target = tmp_path / "talks.html"
    done(FIRST, "-o", target, "--open")
    assert asked == [target.as_uri()]
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    assert f"open {target} yourself" in mended(FIRST, "-o", target, "--open")
