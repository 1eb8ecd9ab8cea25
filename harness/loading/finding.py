"""Where settings are: the folder that was named, `./personas`, or what comes with the program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.errors import UserError
from harness.loading.names import nearest
from harness.loading.placed import shown

SETTING_FILE = "setting.yaml"

_HANDLE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def find_setting(name_or_path: str | Path) -> Path:
    """The folder of a setting.

    Raises:
        UserError: there is no such setting; the message names the nearest and all there are.
    """
    path, name = Path(name_or_path), str(name_or_path)
    if path.name == SETTING_FILE and path.is_file():
        return path.parent
    # A folder that happens to be called like a setting is one only if it holds a setting.
    if is_setting(path) or (path.is_dir() and not _HANDLE.fullmatch(name)):
        return path
    available = {folder.name: folder for folder in settings_available()}
    if name in available:
        return available[name]
    near = nearest(name, available)
    advice = f" Did you mean {near!r}?" if near is not None else ""
    every = f"There is {', '.join(available)}" if available else "There is none here"
    raise UserError(
        f"There is no setting {shown(name)}.{advice} {every}; `tracktwo new` writes another."
    )


def settings_available() -> tuple[Path, ...]:
    """The folders of all settings found; of two with one name, the one found first."""
    found: dict[str, Path] = {}
    for root in _roots():
        for folder in sorted(root.iterdir()):
            if is_setting(folder):
                found.setdefault(folder.name, folder)
    return tuple(found.values())


def personas_root() -> Path:
    """The `personas` folder that comes with the program: of the checkout, else of the wheel."""
    package = Path(__file__).resolve().parent.parent
    # The wheel's first: what lies beside an installed package may be anybody's.
    bundled = package / "_bundled" / "personas"
    return bundled if bundled.is_dir() else package.parent / "personas"


def is_setting(folder: Path) -> bool:
    """Whether the folder holds a setting, sound or not."""
    return (folder / SETTING_FILE).is_file()


def _roots() -> Iterator[Path]:
    """Where settings are looked for by name, in order."""
    local, own = Path("personas"), personas_root()
    if local.is_dir():
        yield local
    if own.is_dir() and not (local.is_dir() and own.samefile(local)):
        yield own
