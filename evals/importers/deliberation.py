"""Scorable negotiation games in the folder layout of the LLM-Deliberation benchmark.

A game folder holds `config.txt` (one line a player: name, handle, role, and more that is not read),
`scores_files/HANDLE.txt` (one line of points an issue, options in order; the last line is the
threshold), and `initial_deal.txt` (`A1,B1,...`). Points there are free numbers per option, not
firmness points behind positions, so a game has issues and options of ours but no mandates.

Source of the layout and the rule of agreement: S. Abdelnabi et al., "Cooperation, Competition, and
Maliciousness: LLM-Stakeholders Interactive Negotiation", NeurIPS 2024 Datasets and Benchmarks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import ascii_lowercase

from harness.errors import Problem, SettingError
from harness.setting import Issue, Option

VETO_ROLES = ("p1", "p2")
"""Roles whose holders must be among those that agree."""

Deal = tuple[str, ...]
"""One option key per issue, in the order of the issues."""


@dataclass(frozen=True)
class Player:
    """A player of the game."""

    id: str
    """The handle its score sheet is named by."""
    name: str
    role: str
    """`player`, or `p1` or `p2` for the two that hold a veto."""
    points: Mapping[str, int]
    """Points of every option, by `issue/option`."""
    threshold: int
    """The least a deal must be worth for the player to accept it."""

    @property
    def veto(self) -> bool:
        """Whether no deal is made without it."""
        return self.role in VETO_ROLES

    def worth(self, deal: Deal) -> int:
        """The points of a deal."""
        return sum(self.points[key] for key in deal)


@dataclass(frozen=True)
class Game:
    """A game: issues with options of ours, and what each player makes of them."""

    issues: tuple[Issue, ...]
    players: tuple[Player, ...]
    initial: Deal
    """The deal the talks open with."""

    def deals(self) -> Iterator[Deal]:
        """Every possible deal."""
        return product(*(issue.keys for issue in self.issues))

    def accepting(self, deal: Deal) -> tuple[str, ...]:
        """The players for whom the deal is worth their threshold."""
        return tuple(p.id for p in self.players if meets(p.worth(deal), p.threshold))

    def agreed(self, deal: Deal, least: int) -> bool:
        """Whether at least so many players accept the deal, all veto-holders among them."""
        accepting = self.accepting(deal)
        return len(accepting) >= least and all(p.id in accepting for p in self.players if p.veto)


def meets(points: int, threshold: int) -> bool:
    """Whether a deal worth so many points is acceptable: exactly the threshold is.

    The one place where this is decided. The instructions of the game promise a player its least
    acceptable deal at the threshold itself; a strict comparison would leave out a third of the
    deals.
    """
    return points >= threshold


def load(folder: Path) -> Game:
    """Read a game folder.

    Raises:
        SettingError: a file is missing or does not fit the others; the message names file and line.
    """
    entries = [_fields(line) for line in _lines(folder / "config.txt")]
    sheets = [_sheet(folder / "scores_files" / f"{entry[1]}.txt") for entry in entries]
    sizes = [len(row) for row in sheets[0][:-1]] if sheets else []
    issues = tuple(
        _issue(letter, size) for letter, size in zip(ascii_lowercase, sizes, strict=False)
    )
    keys = [issue.keys for issue in issues]
    players = tuple(
        _player(folder / "scores_files" / f"{entry[1]}.txt", entry, sheet, keys)
        for entry, sheet in zip(entries, sheets, strict=True)
    )
    return Game(issues, players, _initial(folder / "initial_deal.txt", issues))


def _issue(letter: str, size: int) -> Issue:
    """Issue `a` with options `a1`, `a2`, ...; the figures say nothing of what they mean."""
    upper = letter.upper()
    return Issue(
        id=letter,
        title=f"Issue {upper}",
        question=f"Which option of issue {upper}?",
        options=tuple(
            Option(id=f"{letter}{n}", label=f"{upper}{n}", text=f"Option {upper}{n}.")
            for n in range(1, size + 1)
        ),
    )


def _player(
    path: Path, entry: list[str], sheet: list[list[int]], keys: list[tuple[str, ...]]
) -> Player:
    *rows, last = sheet
    if [len(row) for row in rows] != [len(names) for names in keys] or len(last) != 1:
        raise _error(path, 0, "has other issues or options than the first player's sheet")
    points = {
        key: value
        for names, row in zip(keys, rows, strict=True)
        for key, value in zip(names, row, strict=True)
    }
    return Player(entry[1], entry[0], entry[2], points, last[0])


def _sheet(path: Path) -> list[list[int]]:
    rows: list[list[int]] = []
    for number, line in enumerate(_lines(path), 1):
        try:
            rows.append([int(part) for part in _fields(line)])
        except ValueError as error:
            raise _error(path, number, f"not a row of whole numbers: {line.strip()!r}") from error
    if len(rows) < 2:
        raise _error(path, 0, "needs a row of points per issue and a last row with the threshold")
    return rows


def _initial(path: Path, issues: tuple[Issue, ...]) -> Deal:
    named = [part.lower() for part in _fields(" ".join(_lines(path)))]
    deal = tuple(f"{part[:1]}/{part}" for part in named)
    if len(deal) != len(issues) or any(
        key not in issue.keys for key, issue in zip(deal, issues, strict=True)
    ):
        raise _error(path, 1, f"names other options than the score sheets: {', '.join(named)}")
    return deal


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise _error(path, 0, f"cannot be read: {error.strerror}") from error
    return [line for line in text.splitlines() if line.strip()]


def _fields(line: str) -> list[str]:
    return [part.strip() for part in line.split(",")]


def _error(path: Path, line: int, message: str) -> SettingError:
    return SettingError((Problem(str(path), line, 1 if line else 0, message),))
