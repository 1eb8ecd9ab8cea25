from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from harness.cli import app
from harness.cli.new import new
from harness.errors import UserError
from harness.loading import load, load_setting, schemas
from harness.transcript import read


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    alone = typer.Typer()
    alone.command()(new)
    return CliRunner().invoke(alone, arguments)


def test_a_new_setting_is_sound_small_and_shows_what_there_is() -> None:
    assert run("my-talks").exit_code == 0
    setting = load_setting("my-talks")
    positions = [p for party in setting.parties for p in party.positions]
    assert setting.id == "my-talks"
    assert [len(issue.options) for item in setting.items for issue in item.issues] == [3, 3]
    assert len(setting.parties) == 2
    assert {p.kind for p in positions} == {"interest", "demand", "offer", "red_line", "principle"}
    assert all(p.canary for p in positions if p.visibility == "confidential")
    assert any(p.visibility == "confidential" for p in positions)
    assert all(p.source.url.startswith("https://example.org/") for p in positions)


def test_the_next_commands_are_said_and_stand_in_the_file(here: Path) -> None:
    commands = ["tracktwo check my-talks", "tracktwo run my-talks --model reference"]
    said = run("my-talks").stdout.splitlines()
    assert said == ["Wrote personas/my-talks. Next:", *(f"  {command}" for command in commands)]
    written = (here / "personas/my-talks/setting.yaml").read_text(encoding="utf-8")
    assert all(f"#   {command}\n" in written for command in commands)
    assert "SETTING_" not in written


def test_a_setting_elsewhere_is_called_by_its_folder() -> None:
    result = run("my-talks", "--folder", "some where")
    assert result.stdout.splitlines()[1] == "  tracktwo check 'some where/my-talks'"
    assert load(Path("some where/my-talks")).id == "my-talks"


def test_the_schemas_are_written_beside_it_where_they_are_missing(here: Path) -> None:
    (here / "personas").mkdir()
    (here / "personas/party.schema.json").write_text("{}", encoding="utf-8")
    run("my-talks")
    written = (here / "personas/setting.schema.json").read_text(encoding="utf-8")
    assert json.loads(written) == json.loads(schemas()["setting.schema.json"])
    assert (here / "personas/party.schema.json").read_text(encoding="utf-8") == "{}"
    for file in (here / "personas/my-talks").glob("*.yaml"):
        schema = file.read_text(encoding="utf-8").splitlines()[0].partition("$schema=")[2]
        assert (file.parent / schema).is_file()


def test_nothing_is_overwritten(here: Path) -> None:
    (here / "personas/my-talks").mkdir(parents=True)
    mine = here / "personas/my-talks/setting.yaml"
    mine.write_text("mine", encoding="utf-8")
    error = run("my-talks").exception
    assert isinstance(error, UserError)
    assert str(error) == "personas/my-talks exists already; nothing was overwritten."
    assert [path.name for path in mine.parent.iterdir()] == ["setting.yaml"]
    assert mine.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "My Talks",
            "'My Talks' is not an id: up to 60 lower-case letters, digits and single hyphens. "
            "Did you mean 'my-talks'?",
        ),
        (
            "../etc",
            "'../etc' is not an id: up to 60 lower-case letters, digits and single hyphens. "
            "Did you mean 'etc'?",
        ),
        (
            "...",
            "'...' is not an id: up to 60 lower-case letters, digits and single hyphens.",
        ),
        (
            "prompts",
            "A setting cannot be called 'prompts': that folder holds persona prompts.",
        ),
    ],
)
def test_a_name_that_is_no_id_is_refused(name: str, message: str, here: Path) -> None:
    assert str(run(name).exception) == message
    assert list(here.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_the_users_to_mend(here: Path) -> None:
    (here / "file").write_text("", encoding="utf-8")
    error = run("my-talks", "--folder", "file/inside").exception
    assert isinstance(error, UserError)
    assert str(error) == "file/inside/my-talks cannot be written: Not a directory."


def test_a_new_setting_can_be_debated_by_the_reference_negotiator(here: Path) -> None:
    run("my-talks")
    debated = CliRunner().invoke(app, ["run", "my-talks", "--model", "reference", "--quiet"])
    assert debated.exit_code == 0, debated.output
    (path,) = (p for p in here.glob("transcripts/*.jsonl") if ".scores" not in p.name)
    assert read(path).finished
