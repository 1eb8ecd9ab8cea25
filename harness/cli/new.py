"""`tracktwo new`: write a small setting to start from."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

TEMPLATE = Path(__file__).parent / "new_setting"
"""The setting that is written: two made-up states, one river."""

_HANDLE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST = 60


def new(
    setting: Annotated[
        str, typer.Argument(help="Its id, also the name of its folder.", show_default=False)
    ],
    folder: Annotated[Path, typer.Option(help="Where settings are kept.")] = Path("personas"),
) -> None:
    """Write a small setting to start from: two made-up states, one river.

    \b
    Examples:
      tracktwo new my-talks
      tracktwo new my-talks --folder ./elsewhere
    """
    from harness.loading import display

    target = write_setting(setting, folder)
    called = named(target, folder)
    typer.echo(f"Wrote {display(target)}. Next:")
    typer.echo(f"  tracktwo check {called}")
    typer.echo(f"  tracktwo run {called} --model reference")


def write_setting(setting: str, folder: Path) -> Path:
    """Write the template under this id and return its folder; overwrite nothing.

    Raises:
        UserError: the id is none, the folder exists already, or it cannot be written.
    """
    from harness.errors import UserError
    from harness.loading import display, schemas

    _check_id(setting)
    target = folder / setting
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target.mkdir()
        for source in sorted(TEMPLATE.glob("*.yaml")):
            text = source.read_text(encoding="utf-8").replace("SETTING_ID", setting)
            text = text.replace("SETTING_PATH", named(target, folder))
            (target / source.name).write_text(text, encoding="utf-8")
        for name, schema in schemas().items():
            if not (folder / name).exists():
                (folder / name).write_text(schema, encoding="utf-8")
    except FileExistsError as error:
        where = display(Path(str(error.filename)))
        raise UserError(f"{where} exists already; nothing was overwritten.") from None
    except OSError as error:
        raise UserError(f"{display(target)} cannot be written: {error.strerror}.") from None
    return target


def named(target: Path, folder: Path) -> str:
    """How the setting is called on the command line: by name where it is found by name."""
    from harness.loading import display

    local = folder.resolve() == Path("personas").resolve()
    return target.name if local else shlex.quote(display(target))


def _check_id(setting: str) -> None:
    from harness.errors import UserError

    if setting == "prompts":
        raise UserError("A setting cannot be called 'prompts': that folder holds persona prompts.")
    if _HANDLE.fullmatch(setting) and len(setting) <= _LONGEST:
        return
    slug = re.sub(r"[^a-z0-9]+", "-", setting.casefold()).strip("-")[:_LONGEST].strip("-")
    hint = f" Did you mean {slug!r}?" if slug else ""
    raise UserError(
        f"{setting!r} is not an id: up to {_LONGEST} lower-case letters, digits and single "
        f"hyphens.{hint}"
    )
