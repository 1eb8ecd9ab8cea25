"""A sound setting with one thing spoilt, and what loading says about it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from harness.cli.new import write_setting
from harness.loading import examine


class Spoilt(NamedTuple):
    """One change to the setting that `tracktwo new` writes, and the problems it must raise."""

    what: str
    file: str
    old: str
    new: str
    problems: tuple[str, ...]
    """In full, without the folder; those of the file that was changed without its name too."""


def spoilt(what: str, file: str, old: str, new: str, *problems: str) -> Spoilt:
    return Spoilt(what, file, old, new, problems)


def problems_after(folder: Path, *changes: tuple[str, str, str]) -> list[str]:
    """What is wrong with the setting `talks`, written to the folder, after the changes."""
    talks = write_setting("talks", folder)
    for file, old, new in changes:
        path = talks / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")
    return [str(problem) for problem in examine(talks).problems]


def check_spoilt(folder: Path, case: Spoilt) -> None:
    """Assert place and wording of every problem; the folder must be the current one."""
    found = problems_after(folder, (case.file, case.old, case.new))
    assert [p.removeprefix("talks/").removeprefix(f"{case.file}:") for p in found] == list(
        case.problems
    )
