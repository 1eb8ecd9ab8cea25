"""What a view is: named columns with types and meanings, and how its rows come out of files."""

from __future__ import annotations

from typing import Literal, NamedTuple

Source = Literal["transcripts", "scores", "cells"]


class Column(NamedTuple):
    """One column of a view."""

    name: str
    type: str
    """As DuckDB calls it."""
    meaning: str


class Example(NamedTuple):
    """A question people ask, and how it is put."""

    question: str
    sql: str


class View(NamedTuple):
    """One table of the warehouse."""

    name: str
    meaning: str
    """What a row is."""
    columns: tuple[Column, ...]
    source: Source
    """What its rows are made of."""
    reads: dict[str, str]
    """The keys of a line of JSON that are needed, with their types; nothing else is parsed."""
    select: str
    """Rows of the view from the table `lines`: those keys, and what is known of the file."""
    examples: tuple[Example, ...]
    declared: bool = False
    """Whether what experiments declared has to be read for it."""

    @property
    def ddl(self) -> str:
        """The statement that makes the empty table, with the meanings as comments."""
        last = len(self.columns) - 1
        lines = [
            f"  {c.name} {c.type}{',' if n < last else ''} -- {c.meaning}"
            for n, c in enumerate(self.columns)
        ]
        return "\n".join([f"-- {self.meaning}", f"create table {self.name} (", *lines, ");"])


def columns(text: str) -> tuple[Column, ...]:
    """Columns from lines of `name TYPE: meaning`."""
    found = []
    for line in text.strip().splitlines():
        head, _, meaning = line.strip().partition(": ")
        name, _, kind = head.partition(" ")
        found.append(Column(name, kind, meaning))
    return tuple(found)


TURN = {
    "kind": "VARCHAR", "seq": "INTEGER", "audience": "VARCHAR[]", "turn": "VARCHAR",
    "party": "VARCHAR", "item": "VARCHAR", "phase": "VARCHAR", "round": "INTEGER",
}  # fmt: skip
"""Keys of a line of a turn."""
FILE = "file VARCHAR: the transcript; what views are joined by"
PLACE = """
    turn VARCHAR: handle of the turn, T12
    party VARCHAR: whose turn it was
    item VARCHAR: agenda item
    phase VARCHAR: opening, round, reply, caucus or decision
    round INTEGER: round of the item, 0 for opening statements
"""
"""Columns of everything that belongs to a turn."""
