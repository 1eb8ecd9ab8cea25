"""What the documentation says is so: its commands run, its excerpt is real."""

from __future__ import annotations

import ast
import contextlib
import re
import shlex
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness import cli
from harness.events import EVENT
from tests.models.server import ChatServer
from tests.test_hosted_debate import by_schema

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FORMAT = (ROOT / "transcripts" / "README.md").read_text(encoding="utf-8")
EXAMPLE = "transcripts/examples/reference-eight-of-twelve.jsonl"
MY_EXPERIMENT = """
id: my-experiment
question: Does another round bring more agreement?
items: [sanctions, syria]
seeds: 2
common: {model: reference}
arms: [{id: one-round, rules: {rounds: 1}}, {id: two-rounds}]
baseline: one-round
primary: {metric: agreement/agreement_rate, of: debate, smallest: 0.1}
"""
SLOW = ("tracktwo run geneva-2021", "tracktwo run --model local")
"""The first command of the README has a test of its own, on the embedded model."""
SERVES = "tracktwo view"
"""Goes on until it is stopped; tests/viewer and tests/browser start it."""


def blocks(text: str, language: str) -> Iterator[str]:
    yield from re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def verbs_with_callbacks() -> list[Callable[..., object]]:
    """What stands behind every verb, those of a group of verbs included."""
    registered = [*cli.app.registered_commands]
    for group in cli.app.registered_groups:
        assert group.typer_instance is not None
        registered += group.typer_instance.registered_commands
    return [verb.callback for verb in registered if verb.callback is not None]


def commands() -> list[str]:
    """Every `tracktwo` command of the README and of the help texts, comments and line ends off."""
    shown = [
        line for block in blocks(README, "sh") for line in block.replace("\\\n", " ").split("\n")
    ]
    for verb in verbs_with_callbacks():
        assert verb.__doc__ is not None
        shown += verb.__doc__.split("\n")
    plain = [re.sub(r"\s+#.*", "", line).strip() for line in shown]
    ours = {line for line in plain if line.startswith("tracktwo ") and line not in SLOW}
    return sorted(line for line in ours if not line.startswith(SERVES))


@pytest.fixture(scope="session")
def what_commands_name(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands name: examples, a setting, experiments, one to resume."""
    folder = tmp_path_factory.mktemp("checkout")
    with contextlib.chdir(folder):
        shutil.copytree(ROOT / "transcripts" / "examples", "transcripts/examples")
        run("tracktwo new my-talks")
        Path("chat.json").write_text('[{"speaker": "Envoy", "text": "Sanctions stay."}]')
        run("tracktwo run --items syria --model reference --quiet --out FILE.jsonl")
        run("tracktwo run --items syria,libya --model reference --quiet --out whole.jsonl")
        whole = Path("whole.jsonl").read_bytes().split(b"\n")
        Path("my-experiment.yaml").write_text(MY_EXPERIMENT)
        run("tracktwo experiment my-experiment.yaml --quiet")
        run("tracktwo experiment chair-rules --quiet")
        Path("transcripts/runs").mkdir()
        Path("transcripts/runs/FILE.jsonl").write_bytes(b"\n".join(whole[:40]) + b"\n")
    return folder


@pytest.fixture
def a_checkout(what_commands_name: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same for one command to work in."""
    shutil.copytree(what_commands_name, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str, typed: str = "") -> None:
    done = CliRunner().invoke(cli.app, shlex.split(command)[1:], input=typed)
    assert done.exit_code == 0, f"{command}\n{done.output}\n{done.exception!r}"


A_PERSONS_TURN = (
    "say We hold to our position.\n"
    "vote sanctions-relief abstain\nvote diplomatic-presence abstain\n"
    "vote cross-border-access abstain\nvote political-track abstain\ndone\n"
)


@pytest.mark.local_model
@pytest.mark.parametrize("command", commands())
def test_every_command_of_readme_and_help_runs(
    command: str, a_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setattr(webbrowser, "open", lambda url: url.startswith("file://"))
    server = ChatServer()
    server.ordinary = by_schema
    with server.running():
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        command = command.replace("http://127.0.0.1:8000/v1", server.url)
        command = command.replace("openai:MODEL", "openai:any")
        command = re.sub(r"(read|fork) FILE\b", rf"\1 {EXAMPLE}", command)
        command = command.replace("--resume FILE", "--resume transcripts/runs/FILE.jsonl")
        command = command.replace("tracktwo new my-talks", "tracktwo new other-talks")
        run(command, A_PERSONS_TURN * 20)


def test_readme_and_help_show_commands_for_every_verb() -> None:
    names = (verb.callback.__name__ for verb in cli.app.registered_commands if verb.callback)
    verbs = {name.strip("_").replace("_", "-") for name in names}
    assert verbs == {
        "run", "score", "read", "experiment", "results", "power", "query", "fork", "backtest",
        "calibrate", "validate-judge", "check", "models", "new",
        "view", "page", "export", "import",
    }  # fmt: skip
    for verb in verbs:
        assert f"tracktwo {verb}" in README, verb


def test_the_first_two_commands_are_whole() -> None:
    first, second = next(blocks(README, "sh")).strip().split("\n")
    assert first.startswith("pip install uv && uv run tracktwo run geneva-2021")
    assert second.startswith("pip install uv && uv run pytest")


def test_the_excerpt_stands_in_the_example_it_names() -> None:
    shown = CliRunner().invoke(cli.app, ["read", str(ROOT / EXAMPLE), "--no-sources"]).output
    excerpt = re.search(r"<!-- excerpt -->\n```\n(.*?)```", README, flags=re.DOTALL)
    assert excerpt is not None
    lines = excerpt[1].strip().split("\n")
    assert len(lines) == 10
    for line in lines:
        for part in line.split("…"):
            assert part.strip() in shown, part


def test_every_kind_of_event_is_in_the_description_of_the_format() -> None:
    kinds = {
        choice["properties"]["kind"]["const"]
        for choice in EVENT.json_schema()["$defs"].values()
        if "kind" in choice.get("properties", {}) and "const" in choice["properties"]["kind"]
    }
    assert len(kinds) > 20
    assert {kind for kind in kinds if f"`{kind}`" not in FORMAT} == set()


def test_the_programs_in_the_description_of_the_format_run() -> None:
    for program in blocks(FORMAT, "python"):
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True)


def test_every_file_of_the_tree_in_the_readme_exists() -> None:
    tree = README.partition("## What lies where\n\n```\n")[2].partition("```")[0]
    assert tree
    folder = ""
    for line in tree.split("\n"):
        name = line.split()[0] if line.strip() else ""
        if not line.startswith(" "):
            folder = name if name.endswith("/") else ""
        if name:
            assert (ROOT / (folder if line.startswith(" ") else "") / name).exists(), line


def test_every_module_is_in_the_readme_of_its_folder_and_short_enough() -> None:
    listed = (ROOT / "harness" / "README.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "harness").glob("*.py")):
        if not path.name.startswith("__"):
            assert path.name in listed, path.name
    for path in [*(ROOT / "harness").rglob("*.py"), *(ROOT / "evals").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 400, path
        assert ast.get_docstring(ast.parse(text)), path


def test_the_command_line_starts_without_what_is_slow() -> None:
    heavy = ["langchain", "langchain_core", "openai", "pydantic", "rich", "jinja2", "xllamacpp"]
    script = f"import sys, harness.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
