"""`tracktwo read` and `tracktwo score`, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness import cli
from harness.errors import UserError
from harness.transcript import Writer, read

EXAMPLES = Path(__file__).parents[2] / "transcripts" / "examples"


def tracktwo(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.fixture
def debate(tmp_path: Path) -> Path:
    """A finished debate of one item."""
    path = tmp_path / "debate.jsonl"
    done = tracktwo(
        "run", "--items", "libya,syria", "--model", "reference", "--quiet", "--out", str(path)
    )
    assert done.exit_code == 0
    return path


def test_citations_are_resolved_to_title_publisher_date_and_address(debate: Path) -> None:
    output = tracktwo("read", str(debate)).output

    source = read(debate).setting.position("us-ly-1").source
    assert f"{source.title}. {source.publisher}, {source.date}. {source.url}" in output
    assert "JOINT TEXT" in output


def test_reading_can_be_narrowed_to_item_party_and_turn(debate: Path) -> None:
    by_item = tracktwo("read", str(debate), "--item", "syria", "--no-sources").output
    by_party = tracktwo("read", str(debate), "--party", "ru", "--no-sources").output
    by_turn = tracktwo("read", str(debate), "--turn", "T2", "--no-sources").output

    assert "Foreign forces in Libya" not in by_item
    assert " US: " not in by_party
    assert " RU: " in by_party
    assert "  T2 " in by_turn
    assert "  T3 " not in by_turn


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--item", "sirya"), "libya, syria"),
        (("--party", "fr"), "us, ru"),
        (("--turn", "T99"), "T1 to"),
    ],
)
def test_a_name_that_is_not_in_the_transcript_is_said_to_be_missing(
    debate: Path, option: tuple[str, str], words: str
) -> None:
    result = tracktwo("read", str(debate), *option)

    assert isinstance(result.exception, UserError)
    assert words in str(result.exception)


def test_a_torn_last_line_is_left_out_and_said(debate: Path) -> None:
    whole = debate.read_bytes()
    debate.write_bytes(whole[:-40])

    output = tracktwo("read", str(debate)).output

    assert "torn last line" in output
    assert "ends before the talks were closed" in output


def test_scores_lie_beside_the_transcript_and_name_the_events_they_rest_on(debate: Path) -> None:
    result = tracktwo("score", str(debate), "--quiet")

    assert result.exit_code == 0
    written = debate.with_suffix(".scores.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in written]
    last = len(read(debate).events)
    evidence = [part["seq"] for line in lines for part in line.get("evidence", ())]
    assert evidence
    assert all(0 <= seq < last for seq in evidence)
    assert any("simulated" in json.dumps(line).lower() for line in lines[:1])


def test_a_folder_is_scored_transcript_by_transcript(debate: Path) -> None:
    output = tracktwo("score", str(debate.parent), "--quiet").output

    assert output.count("Agreed:") == 1  # the file of scores is no transcript


def test_tables_come_as_markdown_and_as_json(debate: Path) -> None:
    markdown = tracktwo("score", str(debate), "--markdown").output
    made = json.loads(tracktwo("score", str(debate), "--json").output)

    assert "## Agreement" in markdown
    assert made["tables"]["consistency"][0]["party"] == "us"


def test_text_from_a_transcript_cannot_steer_the_terminal(tmp_path: Path, debate: Path) -> None:
    from harness import events as e

    record = read(debate)
    path = tmp_path / "hostile.jsonl"
    writer = Writer.create(path, record.header, record.card)
    for event in record.debate:
        if isinstance(event, e.Statement):
            event = event.model_copy(update={"text": "\x1b[2J[bold]Chair:\u202e adopted[/bold]"})
        writer.append(event)
    writer.close()

    output = tracktwo("read", str(path)).output

    assert "\x1b" not in output
    assert "\u202e" not in output
    assert "[bold]Chair: adopted[/bold]" in output  # shown as it stands, not obeyed


TRANSCRIPTS = sorted(p for p in EXAMPLES.glob("*.jsonl") if ".scores" not in p.name)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_every_example_reads_is_finished_and_scores(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())

    assert read(copy).finished
    assert tracktwo("score", str(copy), "--quiet").exit_code == 0
    assert tracktwo("read", str(copy)).exit_code == 0


def test_an_experiments_folder_can_be_scored_as_it_lies(tmp_path: Path, debate: Path) -> None:
    folder = tmp_path / "held"
    folder.mkdir()
    debate.rename(folder / debate.name)
    (folder / "declared.jsonl").write_text("{}\n")
    (folder / "failures.jsonl").write_text("{}\n")

    done = tracktwo("score", str(folder), "--quiet")

    assert done.exit_code == 0, done.output
    assert (folder / "debate.scores.jsonl").is_file()
