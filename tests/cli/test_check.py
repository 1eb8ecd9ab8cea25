from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from harness.cli.check import check
from harness.cli.new import write_setting
from harness.errors import UserError
from harness.loading import personas_root

SOUND = """\
talks: Upland and Lowland on the waters of the Heron
  Sound, as of 2024-05-01: 1 item, 2 issues, 6 options, 8 positions
Parties
  upland: 4 positions (3 primary, 1 press)
  lowland: 4 positions (3 primary, 1 news_agency)
Agendas
  river-talks, the default: 1 item, 2 issues, upland lowland
Options that no position supports: 1
  flood-warning/a
Options closed by a red line: 2
  summer-flow/a: upland (upland-2)
  summer-flow/c: lowland (lowland-2)
"""


@pytest.fixture(autouse=True)
def personas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "personas"


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(check)
    return CliRunner().invoke(app, arguments)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_sound_setting_is_summed_up_and_its_gaps_are_reported(personas: Path) -> None:
    write_setting("talks", personas)
    result = run("talks")
    assert (result.exit_code, result.stdout, result.stderr) == (0, SOUND, "")


def test_silences_idle_positions_and_doubtful_ones_are_reported(personas: Path) -> None:
    folder = write_setting("talks", personas)
    change(folder / "upland.yaml", "    supports: [flood-warning/b, flood-warning/c]\n", "")
    change(
        folder / "upland.yaml", "    kind: principle\n", "    kind: principle\n    verify: true\n"
    )
    lines = run("talks").stdout.splitlines()
    assert lines[7:9] == [
        "Issues debated by a party with no documented position: 1",
        "  upland (river-talks): flood-warning",
    ]
    assert lines[-4:] == [
        "Positions that bear on no option: 1",
        "  upland-3",
        "Positions to verify before relying on them: 1",
        "  upland-1",
    ]


def test_an_unsound_setting_is_told_problem_by_problem_with_a_count_and_exit_code_2(
    personas: Path,
) -> None:
    folder = write_setting("talks", personas)
    change(folder / "upland.yaml", "kind: red_line", "kind: red-line")
    change(folder / "lowland.yaml", "firmness: 4", "firmness: 9")
    result = run("talks")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        "personas/talks/upland.yaml:32:11: positions[1].kind: 'red-line' is not one of interest, "
        "demand, offer, red_line, principle; did you mean 'red_line'?",
        "personas/talks/lowland.yaml:16:15: positions[0].firmness: must be at most 5, not 9",
        "2 problems in 2 files.",
    ]


def test_text_of_the_files_is_never_taken_for_markup_or_terminal_commands(personas: Path) -> None:
    folder = write_setting("talks", personas)
    title = "[bold red]Talks[/bold red] [link=https://example.org]here[/link] :smile: \u202eback"
    change(
        folder / "setting.yaml",
        "title: Upland and Lowland on the waters of the Heron",
        f'title: "{title}"',
    )
    first = run("talks").stdout.splitlines()[0]
    assert first == f"talks: {title}".replace("\u202e", "")


def test_without_a_name_every_setting_is_checked_and_one_bad_one_is_enough(personas: Path) -> None:
    write_setting("one", personas)
    two = write_setting("two", personas)
    change(two / "upland.yaml", "short: Upland", "short: ''")
    result = run()
    assert result.exit_code == 2
    titles = [line for line in result.stdout.splitlines() if line.endswith(("Heron", "2021"))]
    assert [title.partition(":")[0] for title in titles] == ["one", "geneva-2021"]
    assert result.stderr.splitlines()[-1] == "1 problem in 1 file."


def test_json_holds_the_same_for_programs(personas: Path) -> None:
    write_setting("talks", personas)
    result = run("talks", "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    (only,) = report["settings"]
    assert report["valid"] is True
    assert (only["setting"], only["folder"], only["problems"]) == ("talks", "personas/talks", [])
    assert only["size"]["positions"] == 8
    assert only["gaps"]["unsupported"] == ["flood-warning/a"]
    assert only["gaps"]["closed"][0] == {
        "option": "summer-flow/a",
        "party": "upland",
        "position": "upland-2",
    }


def test_json_holds_the_problems_with_their_places(personas: Path) -> None:
    folder = write_setting("talks", personas)
    change(folder / "lowland.yaml", "firmness: 4", "firmness: 9")
    result = run("talks", "--json")
    assert (result.exit_code, result.stderr) == (2, "")
    assert json.loads(result.stdout) == {
        "valid": False,
        "settings": [
            {
                "folder": "personas/talks",
                "setting": None,
                "problems": [
                    {
                        "file": "personas/talks/lowland.yaml",
                        "line": 16,
                        "column": 15,
                        "message": "positions[0].firmness: must be at most 5, not 9",
                    }
                ],
            }
        ],
    }


def test_an_unknown_setting_is_the_users_to_mend(personas: Path) -> None:
    result = run("geneva")
    assert isinstance(result.exception, UserError)
    assert str(result.exception).startswith(
        "There is no setting 'geneva'. Did you mean 'geneva-2021'?"
    )


def test_the_settings_that_come_with_the_program_are_sound() -> None:
    assert run(str(personas_root() / "geneva-2021")).exit_code == 0
