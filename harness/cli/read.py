"""`tracktwo read`: page a transcript in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from harness import events as e
    from harness.cli.show import Shower
    from harness.transcript import Transcript


def read(
    transcript: Annotated[Path, typer.Argument(help="The transcript.", show_default=False)],
    item: Annotated[str | None, typer.Option(help="Only this item.")] = None,
    party: Annotated[str | None, typer.Option(help="Only this party's turns.")] = None,
    turn: Annotated[str | None, typer.Option(help="Only this turn, for example T12.")] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Also what was not public: notes, caucuses, calls.")
    ] = False,
    sources: Annotated[
        bool, typer.Option("--sources/--no-sources", help="Resolve citations to source and date.")
    ] = True,
    pager: Annotated[bool, typer.Option("--pager/--no-pager", help="Page on a terminal.")] = True,
) -> None:
    """Read a transcript, with citations resolved to source and date.

    \b
    Examples:
      tracktwo read transcripts/examples/reference-eight-of-twelve.jsonl
      tracktwo read FILE --item diplomatic-relations --party us
      tracktwo read FILE --turn T12 --private
    """
    from harness.cli.scoring import show_joint_text
    from harness.cli.show import Shower, terminal
    from harness.mechanism import joint_text
    from harness.transcript import read as read_transcript

    record = read_transcript(transcript)
    _check(record, item, party, turn)
    console = terminal()
    shower = Shower(console, record.setting, private=private)
    whole = item is None and party is None and turn is None
    with console.pager(styles=True) if pager and console.is_terminal else nullcontext():
        _head(console, record)
        for event in _chosen(record, item, party, turn):
            shower.show(event)
            if private:
                _private(console, event)
            if sources:
                _sources(shower, record, event)
        if whole:
            show_joint_text(console, record, joint_text(record.state, record.setting))
        if record.torn:
            console.print(
                f"\n{record.torn} bytes of a torn last line were left out.", style="yellow"
            )
        if not record.finished:
            console.print("\nThe record ends before the talks were closed.", style="yellow")


def _check(record: Transcript, item: str | None, party: str | None, turn: str | None) -> None:
    """Say so where there is nothing of that name, rather than print nothing."""
    from harness.errors import UserError
    from harness.events import TurnEvent

    items = [each.id for each in record.setting.items]
    parties = [each.id for each in record.setting.parties]
    if item is not None and item not in items:
        raise UserError(f"{record.path} has no item {item!r}; it has {', '.join(items)}.")
    if party is not None and party not in parties:
        raise UserError(f"{record.path} has no party {party!r}; it has {', '.join(parties)}.")
    turns = {event.turn for event in record.events if isinstance(event, TurnEvent)}
    if turn is not None and turn not in turns:
        raise UserError(f"{record.path} has no turn {turn!r}; it has T1 to T{len(turns)}.")


def _chosen(
    record: Transcript, item: str | None, party: str | None, turn: str | None
) -> Iterator[e.Event]:
    from harness.events import Injected, TurnEvent

    for event in record.events[2:]:
        if party is not None or turn is not None:
            if not isinstance(event, TurnEvent):
                continue
            if (party and event.party != party) or (turn and event.turn != turn):
                continue
        under = event.inject.item if isinstance(event, Injected) else getattr(event, "item", None)
        if item is None or under == item:
            yield event


def _head(console: Console, record: Transcript) -> None:
    from harness.plain import clean

    card = record.card
    console.print(clean(card.setting.title), style="bold")
    console.print(record.header.notice, style="dim")
    seats = "; ".join(f"{s.seat}: {s.model}" + (", guarded" if s.guard else "") for s in card.seats)
    console.print(clean(f"{record.header.debate}, {record.header.created}; {seats}"), style="dim")


def _private(console: Console, event: e.Event) -> None:
    from harness.events import ModelCall, Unread
    from harness.plain import clean

    if isinstance(event, Unread):
        console.print(f"     could not be read: {clean(event.why)}", style="dim")
    elif isinstance(event, ModelCall):
        used = event.usage
        words = (
            f"     call {event.call}: {event.model or 'no answer'}, {used.input} in "
            f"({used.cached} cached), {used.output} out, {event.latency:.2f} s, {event.finish}"
        )
        console.print(clean(words), style="dim")
        console.print(f"     reply: {clean(event.reply or str(event.failure))}", style="dim")


def _sources(shower: Shower, record: Transcript, event: e.Event) -> None:
    """Each citation with its source; whose position it is decides nothing here."""
    from harness.events import Statement
    from harness.plain import clean

    if not isinstance(event, Statement) or (event.audience is not None and not shower.private):
        return
    for citation in event.citations:
        position = record.setting.position(citation)
        source = position.source
        shower.console.print(
            f"       {citation}: {clean(source.title)}. {clean(source.publisher)}, "
            f"{source.date}. {clean(source.url)}",
            style="dim",
            soft_wrap=True,
        )
