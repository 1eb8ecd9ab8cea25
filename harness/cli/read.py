"""`tracktwo read`: page a transcript in the terminal, or follow one as it grows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from harness import events as e
    from harness.cli.beside import Judged
    from harness.cli.narrowing import Group, Wanted
    from harness.parts import Fork
    from harness.transcript import Transcript

WIDE = 120
"""Columns from which positions stand beside statements unless told otherwise."""
PLAIN = 160
"""Columns of the two side by side where the output is no terminal."""
GAP = 4
"""Columns between the two."""
EVERY = 0.2
"""Seconds between two looks at a growing file."""
INTERRUPTED = 130


def read(
    transcript: Annotated[Path, typer.Argument(help="The transcript.", show_default=False)],
    item: Annotated[str | None, typer.Option(help="Only this item.")] = None,
    issue: Annotated[
        str | None, typer.Option(help="Only what bears on this issue: turns, votes, outcome.")
    ] = None,
    party: Annotated[str | None, typer.Option(help="Only this party's turns.")] = None,
    turn: Annotated[str | None, typer.Option(help="Only this turn, for example T12.")] = None,
    find: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only turns with these words, in any case, and count."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on as the file grows, until the talks are closed.")
    ] = False,
    side: Annotated[
        bool | None,
        typer.Option(
            "--side/--no-side",
            help="Positions and red lines beside the statements.  [default: on 120 columns]",
            show_default=False,
        ),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Also what was not public: notes, caucuses, calls.")
    ] = False,
    sources: Annotated[
        bool, typer.Option("--sources/--no-sources", help="Resolve citations to source and date.")
    ] = True,
    pager: Annotated[bool, typer.Option("--pager/--no-pager", help="Page on a terminal.")] = True,
) -> None:
    """Read a transcript, with citations resolved to source and date.

    On a wide terminal the positions a turn cites, and its party's red lines, stand beside it. What
    judges said of a turn stands below it once `tracktwo score --judge` has been run.

    \b
    Examples:
      tracktwo read transcripts/examples/reference-eight-of-twelve.jsonl
      tracktwo read FILE --item diplomatic-relations --party us
      tracktwo read FILE --issue ambassadors-return --side
      tracktwo read FILE --find "treaty draft"
      tracktwo read FILE --turn T12 --private
    """
    from harness.cli.narrowing import Wanted
    from harness.cli.show import terminal

    console = terminal(width=PLAIN) if side else terminal()
    wide = side if side is not None else console.is_terminal and console.width >= WIDE
    wanted = Wanted(item, issue, party, turn, find)
    manner = Manner(console, wanted, private=private, sources=sources, side=wide)
    if follow:
        _follow(transcript, manner)
    else:
        with _paged(console) if pager and console.is_terminal else nullcontext():
            _whole(transcript, manner)


@contextmanager
def _paged(console: Console) -> Iterator[None]:
    """What is printed goes to the user's pager; `less` shows colours only when it is told to."""
    told = os.environ.get("LESS")
    os.environ["LESS"] = "-R" if told is None else f"-R {told}"
    try:
        with console.pager(styles=True):
            yield
    finally:
        if told is None:
            del os.environ["LESS"]
        else:
            os.environ["LESS"] = told


@dataclass(frozen=True)
class Manner:
    """How a record is shown, and which part of it."""

    console: Console
    wanted: Wanted
    private: bool
    sources: bool
    side: bool


def _whole(path: Path, manner: Manner) -> None:
    from harness.cli.beside import judged
    from harness.cli.narrowing import Grouping
    from harness.transcript import read as read_transcript

    record = read_transcript(path)
    manner.wanted.check(record)
    reader = Reader(manner, record, judged(path))
    grouping = Grouping()
    reader.head()
    reader.show((*grouping.take(record.events[2:]), *grouping.rest()))
    reader.end(record)


def _follow(path: Path, manner: Manner) -> None:
    """Show a growing record until the talks are closed; Ctrl-C leaves it where it is."""
    import time

    from harness.viewer.following import Tail

    tail, growing, idle = Tail(path), Growing(path, manner), 0
    try:
        while not tail.closed:
            begun, found = tail.begun, tail.more()
            if tail.begun != begun:
                growing = growing.anew()
            growing.take(found)
            idle = 0 if found else idle + 1
            if idle == 2:  # a turn is written within milliseconds: nothing more comes of it
                growing.pause()
            if idle:
                time.sleep(EVERY)
        growing.end()
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


class Growing:
    """Shows a record as far as it has grown."""

    def __init__(self, path: Path, manner: Manner) -> None:
        """Begin with nothing."""
        from harness.cli.narrowing import Grouping

        self._path, self._manner = path, manner
        self._events: list[e.Event] = []
        self._grouping = Grouping()
        self._reader: Reader | None = None

    def anew(self) -> Growing:
        """The same for a file that was replaced; what was shown of the other is past."""
        self._manner.console.print("\nThe file was replaced and is begun anew.\n", style="yellow")
        return Growing(self._path, self._manner)

    def take(self, events: Sequence[e.Event]) -> None:
        """Show what these further events complete."""
        self._events += events
        if self._reader is None:
            if len(self._events) < 2:
                return
            self._reader, events = self._begun(), self._events[2:]
        self._reader.show(self._grouping.take(events))

    def pause(self) -> None:
        """Show what is there; nothing more of it is to be expected."""
        if self._reader is not None:
            self._reader.show(self._grouping.rest())

    def end(self) -> None:
        """Show the end of a debate that was closed."""
        from harness.transcript import Transcript

        self.pause()
        if self._reader is not None:
            self._reader.end(Transcript(tuple(self._events), self._path))

    def _begun(self) -> Reader:
        from harness.cli.beside import Judged
        from harness.transcript import Transcript

        record = Transcript(tuple(self._events), self._path)
        self._manner.wanted.check(record, complete=False)
        reader = Reader(self._manner, record, Judged({}, ""))
        reader.head()
        return reader


class Reader:
    """Shows a record, turn by turn."""

    def __init__(self, manner: Manner, record: Transcript, judged: Judged) -> None:
        """Take the record; of one that grows only setting, seats and provenance are needed."""
        from harness.cli.show import Shower

        self._manner, self._record, self._judged = manner, record, judged
        self._console, self._setting = manner.console, record.setting
        self._shower = Shower(self._console, record.setting, private=manner.private)
        self._shown = 0
        self._hits = 0

    def head(self) -> None:
        """What the talks are, who sits where, and where the record comes from."""
        from harness.plain import clean

        card, header = self._record.card, self._record.header
        self._console.print(clean(card.setting.title), style="bold")
        self._console.print(header.notice, style="dim")
        seats = "; ".join(
            f"{s.seat}: {s.model}" + (", guarded" if s.guard else "") for s in card.seats
        )
        self._console.print(clean(f"{header.debate}, {header.created}; {seats}"), style="dim")
        for line in _provenance(card.fork):
            self._console.print(clean(line), style="dim")
        if self._judged.remark:
            self._console.print(clean(self._judged.remark), style="yellow")

    def show(self, groups: Iterable[Group]) -> None:
        """Show what is wanted of these turns and acts of the chair."""
        for group in groups:
            wanted = self._manner.wanted.of(group, self._setting, self._words)
            if wanted is not None:
                self._show(wanted)

    def end(self, record: Transcript) -> None:
        """The joint text, or how much was found; and whether the record is whole."""
        from harness.cli.scoring import show_joint_text
        from harness.mechanism import joint_text

        paragraphs = joint_text(record.state, record.setting)
        if self._manner.wanted.everything and paragraphs:
            show_joint_text(self._console, record, paragraphs)
        self._count()
        if record.torn:
            words = f"\n{record.torn} bytes of a torn last line were left out."
            self._console.print(words, style="yellow")
        if not record.finished:
            self._console.print("\nThe record ends before the talks were closed.", style="yellow")

    def _count(self) -> None:
        from harness.plain import clean

        wanted = self._manner.wanted
        if wanted.find is not None:
            times = "once" if self._hits == 1 else f"{self._hits} times"
            places = "1 place" if self._shown == 1 else f"{self._shown} places"
            found = f"{times} in {places}" if self._hits else "not found"
            self._console.print(clean(f"\n\u201c{wanted.find}\u201d: {found}."), style="bold")
        elif not self._shown and not wanted.everything:
            self._console.print("\nNothing in the record fits.", style="bold")
        if not self._shown and not wanted.everything and not self._manner.private:
            self._console.print("What is private was left out; --private has it.", style="dim")

    def _show(self, group: Group) -> None:
        lines = [line for event in group.events for line in self._lines(event)]
        lines += self._labels(group)
        if not lines:
            return
        self._shown += 1
        self._hits += sum(self._marked(line) for line in lines)
        if self._manner.side and group.turn is not None:
            self._side_by_side(lines, group)
        else:
            for line in lines:
                self._console.print(self._hung(line, self._console.width))
            for words in self._sources(group):
                self._console.print(words, style="dim", soft_wrap=True)

    def _side_by_side(self, lines: Sequence[Text], group: Group) -> None:
        from rich.table import Table
        from rich.text import Text

        from harness.cli.beside import column, positions

        found = positions(self._setting, group, private=self._manner.private)
        left = (self._console.width - GAP) * 3 // 5
        table = Table.grid(padding=(0, GAP, 0, 0))
        table.add_column(width=left)
        table.add_column(width=self._console.width - GAP - left, overflow="fold")
        said = Text("\n").join(self._hung(line, left) for line in lines)
        table.add_row(said, column(found, sources=self._manner.sources))
        self._console.print(table)
        self._console.print()

    def _hung(self, line: Text, width: int) -> Text:
        """A line broken at the width, what follows indented further than any move begins."""
        from rich.text import Text

        from harness.cli.show import HANG

        lines = [
            part.wrap(self._console, max(width - HANG, HANG)) if part.cell_len > width else [part]
            for part in line.split("\n", allow_blank=True)
        ]
        return Text("\n").join(Text("\n" + " " * HANG).join(broken) for broken in lines)

    def _lines(self, event: e.Event) -> Iterator[Text]:
        from rich.text import Text

        yield from self._shower.lines(event)
        if self._manner.private:
            yield from (Text(words, style="dim") for words in _machinery(event))

    def _words(self, event: e.Event) -> str:
        """An event as it is shown, for looking words up."""
        return "\n".join(line.plain for line in self._lines(event))

    def _marked(self, line: Text) -> int:
        """Mark the words that were looked for; how often they stand there."""
        pattern = self._manner.wanted.pattern
        return line.highlight_regex(pattern, style="reverse") if pattern is not None else 0

    def _labels(self, group: Group) -> Iterator[Text]:
        from rich.text import Text

        from harness.cli.beside import label_lines
        from harness.plain import clean

        if group.turn is not None:
            labels = self._judged.labels.get(group.turn.turn, ())
            for words in label_lines(labels, private=self._manner.private):
                yield Text(clean(words), style="dim")

    def _sources(self, group: Group) -> Iterator[str]:
        """Each citation with its source; whose position it is decides nothing here."""
        from harness.cli.beside import resolved
        from harness.events import Statement, may_see

        for event in group.events:
            if not self._manner.sources or not isinstance(event, Statement):
                continue
            if self._manner.private or may_see(event, None):
                for citation in event.citations:
                    yield resolved(self._setting, citation, private=self._manner.private)


def _provenance(fork: Fork | None) -> Iterator[str]:
    """Which debate it was taken from, and where that was taken from in turn."""
    while fork is not None:
        start = f"at event #{fork.at}" if fork.at is not None else "held again from its start"
        changed = "; ".join(fork.changes) or "nothing but the seed"
        yield f"Fork of {fork.origin}, {start}, {fork.kept} events kept; changed: {changed}"
        fork = fork.earlier


def _machinery(event: e.Event) -> Iterator[str]:
    """What a seat was asked, and what it answered."""
    from harness.events import ModelCall, Unread
    from harness.plain import clean

    if isinstance(event, Unread):
        yield f"     could not be read: {clean(event.why)}"
    elif isinstance(event, ModelCall):
        used = event.usage
        words = (
            f"     call {event.call}: {event.model or 'no answer'}, {used.input} in "
            f"({used.cached} cached), {used.output} out, {event.latency:.2f} s, {event.finish}"
        )
        yield clean(words)
        yield f"     reply: {clean(event.reply or str(event.failure))}"
