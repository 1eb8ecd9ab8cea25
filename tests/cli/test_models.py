import json

import pytest
import typer
from typer.testing import CliRunner

from harness.cli.models import models

KEY = "sk-never-to-be-seen"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    for name in ("TRACKTWO_MODEL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    app = typer.Typer()
    app.command()(models)
    return app


def test_the_list_says_what_auto_means_what_is_ready_and_what_is_missing(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 0
    first, _, ready, *rest = result.output.splitlines()
    assert first == "--model auto means openai:gpt-5.4-mini here: OPENAI_API_KEY is set."
    assert ready == "Ready"
    missing = rest.index("Not ready")
    assert any(line.split()[0] == "reference" for line in rest[: missing - 1])
    assert any("pip install langchain-xai and set XAI_API_KEY" in line for line in rest[missing:])


def test_no_key_is_ever_printed(app: typer.Typer) -> None:
    for arguments in ([], ["--json"]):
        assert KEY not in CliRunner().invoke(app, arguments).output


def test_the_list_is_plain_text_where_there_is_no_terminal(app: typer.Typer) -> None:
    assert "\x1b" not in CliRunner().invoke(app, []).output


def test_the_same_can_be_had_as_json(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["--json"])
    data = json.loads(result.output)
    assert data["auto"] == {"model": "openai:gpt-5.4-mini", "why": "OPENAI_API_KEY is set"}
    by_name = {entry["name"]: entry for entry in data["models"]}
    assert by_name["human"]["ready"] is True
    assert by_name["xai:MODEL"]["ready"] is False


def test_a_model_named_in_the_environment_is_what_auto_means(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKTWO_MODEL", "reference")
    assert "means reference here" in CliRunner().invoke(app, []).output
