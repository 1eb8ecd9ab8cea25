"""`tracktwo export` as a user types it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import get_args

import pytest
import typer
from typer.testing import CliRunner, Result

from evals.exporting.rows import TABLES
from harness.cli.export import ENDINGS, Format, Table, export
from harness.errors import UserError
from harness.events import NOTICE
from harness.transcript import read

ROOT = Path(__file__).parents[2]
FIRST = ROOT / "transcripts/examples/scripted-us-votes-against-its-own-text.jsonl"
SECOND = ROOT / "transcripts/examples/six-parties-on-nord-stream-2.jsonl"

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(export)


def tracktwo_export(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def done(*arguments: object) -> str:
    result = tracktwo_export(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def mended(*arguments: object) -> str:
    result = tracktwo_export(*arguments)
    assert isinstance(result.exception, UserError), (result.output, result.exception)
    return str(result.exception)


@pytest.fixture
def debates(tmp_path: Path) -> Path:
    """A folder of two debates."""
    folder = tmp_path / "debates"
    folder.mkdir()
    for path in (FIRST, SECOND):
        shutil.copy(path, folder)
    return folder


def test_markdown_goes_to_the_terminal_to_a_file_or_to_a_folder(
    tmp_path: Path, debates: Path
) -> None:
    told = done(FIRST, "--markdown")
    assert told.startswith("# The United States and Russia")
    assert '<a id="T12"></a>**[T12](#T12) RU**' in told

    assert "Written: " in done(FIRST, "-o", tmp_path / "one.md")
    assert (tmp_path / "one.md").read_text(encoding="utf-8") == told

    done(debates, "--markdown", "-o", tmp_path / "pages")
    assert {path.name for path in (tmp_path / "pages").iterdir()} == {
        f"{FIRST.stem}.md", f"{SECOND.stem}.md",
    }  # fmt: skip


def test_rows_go_to_the_terminal_to_a_file_or_all_tables_to_a_folder(
    tmp_path: Path, debates: Path
) -> None:
    rows = list(csv.DictReader(done(debates, "--csv").splitlines()))
    assert {row["file"].rpartition("/")[2] for row in rows} == {FIRST.name, SECOND.name}
    assert rows[0]["turn"] == "T1"

    done(debates, "--table", "moves", "-o", tmp_path / "moves.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "moves.jsonl").read_text().splitlines()]
    assert {line["move"] for line in lines} >= {"propose", "vote", "reject"}
    assert {line["notice"] for line in lines} == {NOTICE}

    done(debates, "--csv", "-o", tmp_path / "tables")
    assert {path.name for path in (tmp_path / "tables").iterdir()} == {
        "turns.csv", "moves.csv", "scores.csv",
    }  # fmt: skip
    done(debates, "--jsonl", "--table", "scores", "-o", tmp_path / "tables")
    assert (tmp_path / "tables/scores.jsonl").is_file()
    assert not (tmp_path / "tables/turns.jsonl").exists()


def test_inspect_logs_are_written_where_inspect_looks_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    output = done(FIRST, "--inspect")

    (log,) = (tmp_path / "logs").glob("*.eval")
    assert f"Written: {log.relative_to(tmp_path)}" in output
    assert "inspect view --log-dir logs" in output
    assert "is a file; logs go to a folder" in mended(FIRST, "--inspect", "-o", FIRST)


def test_what_is_private_stays_out_unless_it_is_asked_for() -> None:
    calls = {call.call for call in read(FIRST).calls}

    assert not [call for call in calls if call in done(FIRST, "--markdown")]
    assert [call for call in calls if call in done(FIRST, "--markdown", "--private")]
    assert done(FIRST, "--markdown", "--public") == done(FIRST, "--markdown")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Say what to write: --markdown, --csv, --jsonl or --inspect"),
        (("-o", "x.txt"), "Say what to write"),
        (("--csv", "--jsonl"), "--csv and --jsonl are two formats"),
        (("--markdown", "--table", "moves"), "name it with --csv or --jsonl, not --markdown"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_next_step(
    options: tuple[str, ...], words: str
) -> None:
    assert words in mended(FIRST, *options)


def test_no_export_takes_the_place_of_a_transcript_or_of_another_debate(
    tmp_path: Path, debates: Path
) -> None:
    before = (debates / FIRST.name).read_bytes()
    assert "is a transcript or its scores" in mended(
        debates / SECOND.name, "-o", debates / FIRST.name
    )
    assert (debates / FIRST.name).read_bytes() == before

    assert "2 debates are as many files" in mended(debates, "--markdown")
    again = shutil.copytree(debates, tmp_path / "again")
    assert f"Two of the debates are named {FIRST.stem}" in mended(
        debates / FIRST.name, again / FIRST.name, "--markdown", "-o", tmp_path / "pages"
    )
    assert not (tmp_path / "pages").exists()


def test_rows_never_lie_where_they_would_be_taken_for_transcripts(debates: Path) -> None:
    assert "is the folder of the transcripts" in mended(debates, "--jsonl", "-o", debates)
    done(debates, "--csv", "-o", debates)

    assert done(debates, "--csv")  # the folder still holds transcripts and nothing like them


def test_stale_scores_are_said_apart_from_the_rows(debates: Path) -> None:
    path = debates / FIRST.name
    (debates / f"{FIRST.stem}.scores.jsonl").write_text(
        '{"transcript": "x", "transcript_sha": "y", "evaluators": {}}\n'
    )
    result = tracktwo_export(path, "--jsonl", "--table", "scores")

    assert "is older than its transcript; its scores are made anew." in result.stderr
    assert [json.loads(line)["failed"] for line in result.stdout.splitlines()]


def test_the_names_of_options_are_those_of_formats_and_tables() -> None:
    assert tuple(each.value for each in Table) == TABLES
    for name in get_args(Format):
        assert f"--{name}" in tracktwo_export("--help").output
    assert set(ENDINGS.values()) <= set(get_args(Format))
