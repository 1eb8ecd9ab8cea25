"""One question, its answer, and what is wrong with a question that has none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from evals.warehouse.opening import VIEWS, duckdb, empty, run
from harness.errors import UserError
from harness.plain import clean

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Cell: TypeAlias = object
"""A value as DuckDB hands it out: None, bool, number, text, date, time, list or dict."""

ASKS = ("SELECT", "EXPLAIN", "MULTI")
"""Statements that ask (`show`, `describe` and `from` are selects; `pivot` is several)."""

_AT_ONCE = 1000
_UNKNOWN_TABLE = re.compile(r"Table with name (\S+) does not exist")
_UNKNOWN_COLUMN = re.compile(r'(?:column|named) "([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """Columns and rows; the rows can be walked through once."""

    columns: tuple[tuple[str, str], ...]
    """Name and type of each; no name stands twice."""
    rows: Iterator[tuple[Cell, ...]]


def understood(sql: str) -> tuple[str, ...]:
    """The views that a question needs; nothing is read for it.

    Raises:
        UserError: it cannot be understood, is not one question, or does more than ask.
    """
    with empty() as con:
        try:
            if _one(con, sql) == "SELECT":
                con.sql(sql)
        except duckdb().Error as error:
            raise _placed(con, sql, error) from error
    words = set(re.findall(r"\w+", sql.casefold()))
    return tuple(name for name in VIEWS if name in words) or tuple(VIEWS)


def ask(con: DuckDBPyConnection, sql: str) -> Answer:
    """The answer to a question that was understood.

    Raises:
        UserError: DuckDB could not answer it.
    """
    try:
        run(con, sql)
    except duckdb().Error as error:
        raise misunderstood(error) from error
    described = con.description or []
    names = _distinct([str(column[0]) for column in described])
    kinds = [str(column[1]) for column in described]
    return Answer(tuple(zip(names, kinds, strict=True)), _rows(con))


def misunderstood(error: Exception) -> UserError:
    """What is wrong, in a sentence, with the place and the nearest name."""
    said = clean(str(error))
    first, _, rest = said.partition("\n")
    what = re.sub(r"^[\w ]+ Error: ", "", first).rstrip("!. ")
    place = re.search(r"^LINE \d+:.*\n.*\^.*$", rest, re.MULTILINE)
    sentence = f"{what}{_hint(said)}"
    lines = [sentence if sentence.endswith("?") else f"{sentence}."]
    lines += [place.group()] if place else []
    return UserError("\n".join([*lines, "`tracktwo query --views` lists every view and column."]))


def _placed(con: DuckDBPyConnection, sql: str, error: Exception) -> UserError:
    """The error, with the place in the question if DuckDB can be made to say it."""
    try:
        con.execute(sql)
    except duckdb().Error as same:
        error = same
    return misunderstood(error)


def _one(con: DuckDBPyConnection, sql: str) -> str:
    statements = con.extract_statements(sql)
    if len(statements) != 1:
        raise UserError(f"One question at a time, please: here are {len(statements)} statements.")
    kind = str(statements[0].type.name)
    if kind not in ASKS:
        raise UserError(
            f"{kind} does more than ask; `tracktwo query` only reads: begin with `select`. "
            "--out FILE keeps an answer, --export FOLDER every view."
        )
    return kind


def _rows(con: DuckDBPyConnection) -> Iterator[tuple[Cell, ...]]:
    try:
        while some := con.fetchmany(_AT_ONCE):
            yield from some
    except duckdb().Error as error:
        raise misunderstood(error) from error


def _hint(said: str) -> str:
    """The nearest view, or the nearest column and the views that have it."""
    from harness.loading.names import near, nearest

    table = _UNKNOWN_TABLE.search(said)
    if table is not None:
        return near(table.group(1), VIEWS)
    column = _UNKNOWN_COLUMN.search(said)
    if column is None:
        return ""
    homes: dict[str, list[str]] = {}
    for view in VIEWS.values():
        for each in view.columns:
            homes.setdefault(each.name, []).append(view.name)
    found = nearest(column.group(1), homes)
    return f"; {found} is a column of {', '.join(homes[found])}" if found is not None else ""


def _distinct(names: list[str]) -> list[str]:
    """The names, with a number where one stands twice."""
    found: list[str] = []
    for name in names:
        fresh, number = name, 0
        while fresh in found:
            number += 1
            fresh = f"{name}_{number}"
        found.append(fresh)
    return found
