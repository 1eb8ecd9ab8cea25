"""`tracktwo backtest`, as a user types it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from evals.backtest import Report
from harness import cli
from harness.errors import UserError
from harness.transcript import Writer, read


def tracktwo(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments))


def backtest(*arguments: str) -> Result:
    return tracktwo("backtest", *arguments)


def told(result: Result) -> str:
    assert isinstance(result.exception, UserError), result.output
    return str(result.exception)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two debates of the reference negotiator, with their scores beside them."""
    folder = tmp_path_factory.mktemp("reference")
    for seed in ("1", "2"):
        out = folder / f"seed-{seed}.jsonl"
        done = tracktwo(
            "run", "geneva-2021", "--items", "human-rights,sanctions", "--model", "reference",
            "--seed", seed, "--quiet", "--out", str(out),
        )  # fmt: skip
        assert done.exit_code == 0
    return folder


@pytest.fixture
def other(tmp_path: Path, folder: Path) -> Path:
    """One of them as if another model had sat there."""
    record = read(folder / "seed-1.jsonl")
    seats = tuple(seat.model_copy(update={"model": "openai:some"}) for seat in record.card.seats)
    path = tmp_path / "other.jsonl"
    with Writer.create(
        path, record.header, record.card.model_copy(update={"seats": seats})
    ) as writer:
        for event in record.events[2:]:
            writer.append(event)
    return path


def test_a_folder_is_scored_and_said_to_be_simulated(folder: Path) -> None:
    result = backtest("geneva-2021", str(folder))

    assert result.exit_code == 0, result.output
    assert "reference" in result.output
    assert "2 (1 distinct)" in result.output
    assert "The words are no state's" in result.output
    assert "does not say that the system foresees" in result.output
    assert "right, right reason 2/2" in result.output  # Navalny: the bracket is Russia's


def test_json_is_the_whole_report(folder: Path, other: Path) -> None:
    result = backtest("geneva-2021", str(other), "--reference", str(folder), "--json")

    made = Report.model_validate_json(result.stdout)
    (system,) = made.systems
    assert system.system.label == "openai:some, dossier"
    assert system.issues == 4  # three of human rights, one of sanctions; the other repeats
    assert made.reference == "2 debates given with --reference"
    against = {each.base: each.paired.mean for each in system.against}
    assert against["reference"] == 0.0
    assert against["nothing"] is not None


def test_the_reference_negotiator_is_held_where_it_was_not_given(other: Path) -> None:
    result = backtest("geneva-2021", str(other), "--json")

    made = Report.model_validate_json(result.stdout)
    assert made.reference.startswith("3 debates held for this report")
    against = {each.base: each.paired for each in made.systems[0].against}
    assert against["reference"].n == 4
    assert against["reference"].mean == 0.0  # it is a copy of what the reference did


def test_reference_runs_among_those_given_are_the_base_rate(folder: Path, other: Path) -> None:
    made = Report.model_validate_json(
        backtest("geneva-2021", str(other), str(folder), "--json").stdout
    )
    assert made.reference == "2 debates of reference among those given"
    assert [row.runs for row in made.systems] == [1, 2]
    assert [each.base for each in made.systems[1].against] == ["nothing", "everything", "anything"]


def test_the_reference_at_another_table_is_a_row_and_no_base_rate(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "three.jsonl"
    done = tracktwo(
        "run", "geneva-2021", "--items", "sanctions", "--parties", "us,ru,de", "--model",
        "reference", "--quiet", "--out", str(out),
    )  # fmt: skip
    assert done.exit_code == 0
    made = Report.model_validate_json(
        backtest("geneva-2021", str(out), str(folder), "--json").stdout
    )
    three, two = made.systems
    assert [row.runs for row in (three, two)] == [1, 2]
    assert two.system.label.endswith(": other parties]")
    assert made.reference == f"2 debates of {two.system.label} among those given"


def test_silence_and_partial_agreement_are_read_as_asked(folder: Path) -> None:
    def issues(*options: str) -> int:
        out = backtest("geneva-2021", str(folder), "--json", *options).stdout
        made = Report.model_validate_json(out)
        return made.systems[0].issues

    assert issues() == 4
    assert issues("--without-silence") == 3
    assert issues("--partial", "out") == 4  # neither item holds a partial agreement


def test_both_numbers_stand_side_by_side_whatever_was_asked_for(folder: Path) -> None:
    for options in ((), ("--without-silence",)):
        output = backtest("geneva-2021", str(folder), *options).output
        assert "silence left out" in output
        assert "the default reading" in output


def test_a_page_is_written_and_standard_output_stays_whole(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = backtest("geneva-2021", str(folder), "--json", "--page", str(page))

    assert json.loads(result.stdout)["kind"] == "backtest"
    assert str(page) in result.stderr
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert "Navalny" in html
    missing = tmp_path / "no" / "page.html"
    assert "cannot be written" in told(backtest("geneva-2021", str(folder), "--page", str(missing)))


def test_a_copy_of_a_run_is_counted_once(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "seed-1.jsonl", tmp_path / "copy.jsonl")
    result = backtest("geneva-2021", str(folder), str(tmp_path / "copy.jsonl"), "--json")

    assert Report.model_validate_json(result.stdout).systems[0].runs == 2
    assert "it counts once" in result.stderr


def test_an_interrupted_debate_is_scored_as_far_as_it_goes(folder: Path, tmp_path: Path) -> None:
    lines = (folder / "seed-1.jsonl").read_bytes().splitlines(keepends=True)
    cut = next(i for i, line in enumerate(lines) if b'"kind":"item_closed"' in line)
    path = tmp_path / "cut.jsonl"
    path.write_bytes(b"".join(lines[: cut + 1]))

    made = Report.model_validate_json(backtest("geneva-2021", str(path), "--json").stdout)
    (row,) = made.systems
    assert (row.unfinished, row.issues) == (1, 3)
    assert row.unscored == row.cells - 3
    relief = next(each for each in made.issues if each.issue == "sanctions-relief")
    assert relief.systems[0].shares == ()


def test_what_cannot_be_compared_is_said_in_one_sentence(
    folder: Path, other: Path, tmp_path: Path
) -> None:
    assert "is no debate between reference negotiators" in told(
        backtest("geneva-2021", str(other), "--reference", str(other))
    )
    (tmp_path / "empty").mkdir()
    assert "holds no transcripts" in told(backtest("geneva-2021", str(tmp_path / "empty")))
    assert "cannot be read" in told(backtest("geneva-2021", str(tmp_path / "missing.jsonl")))
    assert "There is no setting" in told(backtest("vienna-1961", str(folder)))


def test_a_debate_of_another_setting_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tracktwo("new", "my-talks").exit_code == 0
    out = tmp_path / "mine.jsonl"
    assert (
        tracktwo("run", "my-talks", "--model", "reference", "--quiet", "--out", str(out)).exit_code
        == 0
    )

    assert "debates 'my-talks', not 'geneva-2021'" in told(backtest("geneva-2021", str(out)))
    assert "No outcomes of 'my-talks' are known" in told(backtest("my-talks", str(out)))


def test_outcomes_of_ones_own_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert tracktwo("new", "my-talks").exit_code == 0
    out = tmp_path / "mine.jsonl"
    assert (
        tracktwo("run", "my-talks", "--model", "reference", "--quiet", "--out", str(out)).exit_code
        == 0
    )
    item = read(out).setting.items[0]
    outcomes = tmp_path / "outcomes.yaml"
    outcomes.write_text(
        f"setting: my-talks\noutcomes:\n  - item: {item.id}\n    issue: {item.issues[0].id}\n"
        "    outcome_option: none\n    level: not_agreed\n    horizon: summit\n"
        "    evidence: account\n    what: Nothing came of it.\n    source:\n"
        "      title: A report\n      publisher: A paper\n      date: '2024-06-01'\n"
        "      url: https://example.org/report\n      tier: press\n",
        encoding="utf-8",
    )
    result = backtest("my-talks", str(out), "--outcomes", str(outcomes), "--json")

    assert Report.model_validate_json(result.stdout).systems[0].issues == 1


def test_an_agenda_of_which_nothing_is_documented_is_no_zero(tmp_path: Path) -> None:
    out = tmp_path / "libya.jsonl"
    tracktwo("run", "--items", "libya", "--model", "reference", "--quiet", "--out", str(out))

    assert "None of the 1 transcripts has an issue" in told(backtest("geneva-2021", str(out)))


def test_a_transcript_cannot_steer_the_terminal(folder: Path, tmp_path: Path) -> None:
    record = read(folder / "seed-1.jsonl")
    hostile = "openai:\x1b[2J[bold]\u202e"
    seats = tuple(seat.model_copy(update={"model": hostile}) for seat in record.card.seats)
    path = tmp_path / "hostile.jsonl"
    with Writer.create(
        path, record.header, record.card.model_copy(update={"seats": seats})
    ) as writer:
        for event in record.events[2:]:
            writer.append(event)

    for options in ((), ("--markdown",)):
        output = backtest("geneva-2021", str(path), str(folder), *options).output
        assert "\x1b" not in output
        assert "\u202e" not in output
        assert "[bold]" in output
