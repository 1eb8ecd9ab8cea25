"""`tracktwo import`: a chat log of another program as a transcript."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from evals.importers.chat import Chat
    from evals.importers.imported import Table


class Format(Enum):
    """Whose notation a log is in."""

    AUTO = "auto"
    AUTOGEN = "autogen"
    OPENAI = "openai"
    PLAIN = "plain"


def import_(
    log: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The chat log, JSON or JSON lines.", show_default=False
        ),
    ],
    format: Annotated[Format, typer.Option(help="Whose notation it is in.")] = Format.AUTO,
    setting: Annotated[
        str | None,
        typer.Option(help="A setting whose documented positions the speakers are held against."),
    ] = None,
    item: Annotated[
        str | None, typer.Option(help="With --setting: the agenda item they talked about.")
    ] = None,
    speaker: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PARTY",
            help="Who speaks for whom; `chair` for the chair, `-` to leave a speaker out; may be "
            "repeated.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="The transcript, or a folder for it.  [default: ./transcripts]"
        ),
    ] = None,
) -> None:
    """Make a transcript of a conversation held elsewhere, so that it can be read and judged.

    Reads AutoGen's chat histories, task results and saved teams, messages as OpenAI's API has them,
    and plain lists of speaker and text. Only words are taken over: nobody moved or voted, so
    nothing was agreed. Everything that is left out is listed.

    \b
    Examples:
      tracktwo import chat.json
      tracktwo import chat.json --setting geneva-2021 --item sanctions --speaker "Envoy=us"
    """
    from evals.importers.chat import read_chat
    from evals.importers.imported import write
    from harness.models.clock import SystemClock

    given = _given(speaker or ())
    chat = read_chat(log, None if format is Format.AUTO else format.value)
    created = SystemClock().now()
    table = _table(chat, setting, item, given, created)
    _report(chat, table, write(chat, table, _path(out, log), created))


def _given(pairs: list[str] | tuple[str, ...]) -> Mapping[str, str]:
    from harness.errors import UserError

    found: dict[str, str] = {}
    for text in pairs:
        name, equals, seat = text.rpartition("=")  # a name may have an equals sign, an id has none
        if not equals or not name.strip() or not seat.strip():
            raise UserError(f'--speaker {text!r} is not NAME=PARTY, such as "US delegate=us".')
        found[" ".join(name.split())] = seat.strip()
    return found


def _table(
    chat: Chat, setting: str | None, item: str | None, given: Mapping[str, str], created: str
) -> Table:
    from datetime import date

    from evals.importers.imported import table_in, table_of
    from harness.errors import UserError
    from harness.loading import load_setting

    if setting is not None:
        return table_in(chat, load_setting(setting), item, given)
    if item is not None:
        raise UserError(f"--item {item} is an item of a setting: name one with --setting.")
    return table_of(chat, date.fromisoformat(created[:10]), given)


def _path(out: Path | None, log: Path) -> Path:
    from harness.places import in_checkout
    from harness.session import unused

    if out is not None and out.suffix == ".jsonl":
        return out
    folder = out or (Path("transcripts/runs") if in_checkout() else Path("transcripts"))
    return unused(folder, f"imported-{log.stem}")


def _report(chat: Chat, table: Table, path: Path) -> None:
    """What was taken over, what was not, and what can be done with it."""
    from evals.importers.imported import LEAVE_OUT, passed
    from harness.cli.show import terminal
    from harness.plain import clean

    console, speakers = terminal(), chat.speakers
    taken = {who: count for who, count in speakers.items() if table.seats[who] != LEAVE_OUT}
    seats = ", ".join(f"{who} as {table.seats[who]} ({count})" for who, count in taken.items())
    lines = [
        f"Imported {sum(taken.values())} messages from {chat.path} ({chat.format}): {seats}.",
        *(f"Left out, {each.why}: {', '.join(each.places)}." for each in passed(chat, table)),
    ]
    if chat.unused:
        fields = ", ".join(f"{name} ({count})" for name, count in chat.unused.items())
        lines.append(f"Not taken over, fields of messages: {fields}.")
    lines += [
        "Nobody moved or voted in it, so nothing was agreed; judges can read what was said.",
        f"Transcript: {path}",
        f"Read it:    tracktwo read {path}",
        f"Judge it:   tracktwo score {path} --judge MODEL",
    ]
    for line in lines:
        console.print(clean(line), soft_wrap=True)
