"""What the page of a comparison shows: the debates by letter, their headline scores, the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from urllib.parse import urlencode

from evals.scores import scores_path
from harness.errors import UserError
from harness.transcript import Transcript, read
from harness.viewer.app.index import Entry, Scored
from harness.viewer.app.shelf_glance import glance
from harness.viewer.app.shelf_rows import Row, address_of, row
from harness.viewer.app.shelf_scores import Headlines, headlines, stamp_of
from harness.viewer.app.standing import Standing
from harness.viewer.comparing.cards import Difference
from harness.viewer.comparing.comparison import Comparison, compare
from harness.viewer.comparing.naming import LETTERS
from harness.viewer.comparing.outcomes import Row as Issue


@dataclass(frozen=True)
class Read:
    """One of the debates, as its files were at one moment."""

    name: str
    path: Path
    transcript: Transcript
    row: Row
    """What the shelf says of it."""
    headlines: Headlines


@dataclass(frozen=True)
class Column:
    """A debate as the page shows it."""

    letter: str
    name: str
    """As the app calls it, letter by letter."""
    address: str
    row: Row
    turns: int
    adopted: int
    """Issues adopted so far."""
    issues: int
    agreed: str
    """The agreement rate, where it was scored."""
    unscored: str
    """Why there are no scores; empty if there are."""
    standing: Standing


@dataclass(frozen=True)
class Group:
    """What differs of one seat, of the rules and the like."""

    title: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Agenda:
    """The issues of one item."""

    title: str
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class Page:
    """What the sheet is filled with."""

    columns: tuple[Column, ...]
    comparison: Comparison
    agendas: tuple[Agenda, ...]
    groups: tuple[Group, ...]
    different: bool
    """Whether only issues are shown that came out otherwise."""

    def address(self, base: int) -> str:
        """Where the same is held against another base."""
        pairs = [("d", each.name) for each in self.columns]
        pairs += [("base", LETTERS[base])] if base else []
        pairs += [("show", "different")] if self.different else []
        return f"/compare?{urlencode(pairs)}"


def read_for(names: Sequence[str], paths: Sequence[Path]) -> tuple[Read, ...]:
    """The debates with their headline scores.

    Raises:
        TranscriptError: one of them cannot be read.
    """
    return tuple(_read(name, path) for name, path in zip(names, paths, strict=True))


def page(debates: Sequence[Read], now: Sequence[Standing], base: int, different: bool) -> Page:
    """The page.

    Args:
        debates: In the order in which they are called A, B, C and D.
        now: How each stands.
        base: The number of the one that texts are held against.
        different: Whether only issues are shown that came out otherwise.
    """
    comparison = compare([each.transcript for each in debates], base)
    return Page(
        columns=tuple(map(_column, LETTERS, debates, now)),
        comparison=comparison,
        agendas=tuple(_agendas(comparison)),
        groups=tuple(_groups(comparison)),
        different=different,
    )


def _read(name: str, path: Path) -> Read:
    transcript, stamp = read(path), stamp_of(path)
    if stamp is None:
        raise UserError(f"{path} was removed while it was being read.")
    found = headlines(path)
    scored = Scored(transcript=stamp, beside=stamp_of(scores_path(path)), headlines=found)
    entry = Entry(name=name, stamp=stamp, glance=glance(path), scored=scored)
    return Read(name, path, transcript, row(entry, {}), found)


def _column(letter: str, debate: Read, now: Standing) -> Column:
    state = debate.transcript.state
    share = debate.headlines.of("agreed")
    return Column(
        letter=letter,
        name=debate.name,
        address=address_of(debate.name),
        row=debate.row,
        turns=state.turns,
        adopted=sum(each.outcome == "adopted" for each in state.issues.values()),
        issues=len(state.issues),
        agreed=f"{share.value:.0%}" if share and share.value is not None else "",
        unscored=debate.row.unscored,
        standing=now,
    )


def _agendas(comparison: Comparison) -> Iterator[Agenda]:
    for title, issues in groupby(comparison.issues, key=lambda each: each.item):
        yield Agenda(title, tuple(issues))


def _groups(comparison: Comparison) -> Iterator[Group]:
    found = comparison.cards.differences
    for title in dict.fromkeys(each.group for each in found):
        yield Group(title, tuple(each for each in found if each.group == title))
