"""The claims of the folder, remembered as long as the files stay as they are."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias
from urllib.parse import urlencode

from evals.judging import files
from evals.labelling.book import slug
from evals.labelling.queue import ORDERS, Entry, Order, Waiting, distinct, ordered, trouble, waiting
from harness.errors import UserError
from harness.setting import Position, Setting
from harness.transcript import read
from harness.viewer.app.desk import Desk

_HEAD = b'"format":"tracktwo transcript"'
"""Stands in the first line of every transcript, and in none of the files beside it."""

_Stamp: TypeAlias = tuple[int, ...]

MOST_SEED = 2**31


class Wish(NamedTuple):
    """Who labels, and what: it goes from page to page in the address."""

    who: str
    order: Order = "disagreement"
    seed: int = 1
    blind: bool = True
    debate: str = ""
    """Name of the only debate; empty for all."""

    @classmethod
    def of(cls, given: Mapping[str, object]) -> Wish:
        """What an address or a form says.

        Raises:
            UserError: there is no name, or an order or seed that there is not.
        """
        order = str(given.get("order", "disagreement"))
        known = next((each for each in ORDERS if each == order), None)
        if known is None:
            raise UserError(f"There is no order {order!r}; there are {', '.join(ORDERS)}.")
        seed = str(given.get("seed", "1")).strip() or "1"
        if not (seed.isascii() and seed.isdecimal() and int(seed[:12]) < MOST_SEED):
            raise UserError(f"The seed {seed[:20]!r} is no whole number below {MOST_SEED}.")
        return cls(
            who=slug(str(given.get("who", ""))),
            order=known,
            seed=int(seed),
            blind=given.get("blind", "yes") != "no",
            debate=str(given.get("debate", "")),
        )

    def fields(self) -> dict[str, str]:
        """The same for an address or a form."""
        found = {
            "who": self.who,
            "order": self.order,
            "seed": str(self.seed),
            "blind": "yes" if self.blind else "no",
            "debate": self.debate,
        }
        return {name: value for name, value in found.items() if value}

    def query(self, **more: str) -> str:
        """The same as the query of an address."""
        return urlencode({**(self.fields() if self.who else {}), **more})


class Found(NamedTuple):
    """What the folder has to label."""

    entries: tuple[Entry, ...]
    debates: tuple[str, ...]
    """Names of the transcripts that have claims."""
    too_long: int
    """Claims longer than a proposition may be; left out."""
    remarks: tuple[str, ...]
    """What there is to say of files."""


def chosen(entries: Sequence[Entry], wish: Wish) -> tuple[Entry, ...]:
    """The claims of the debates that are wished for, in the order that is."""
    meant = (each for each in entries if wish.debate in ("", each.debate))
    return ordered(meant, wish.order, wish.seed)


class Claims:
    """Reads the folder's debates, each anew only when one of its files has changed."""

    def __init__(self, desk: Desk) -> None:
        """Take the desk; nothing is read yet."""
        self.desk = desk
        self._known: dict[Path, tuple[_Stamp, Waiting]] = {}
        self._gate = threading.Lock()

    def found(self) -> Found:
        """Everything there is to label now."""
        with self._gate:
            self._known = {path: self._fresh(path) for path in self._transcripts()}
            known = [each for _, each in self._known.values()]
        names = [self.desk.name_of(path) for path in self._known]
        pairs = list(zip(names, known, strict=True))
        return Found(
            entries=distinct(known),
            debates=tuple(name for name, each in pairs if each.entries),
            too_long=sum(each.too_long for each in known),
            remarks=tuple(f"{name}: {each.remark}" for name, each in pairs if each.remark),
        )

    def positions(self, entry: Entry) -> tuple[Position, ...]:
        """What the speaker is publicly on record for on the item, red lines first."""
        transcript = read(self.desk.path_of(entry.debate))
        return on_record(transcript.setting, entry)

    def _transcripts(self) -> Iterator[Path]:
        for path in sorted(self.desk.folder.rglob("*.jsonl")):
            known = path in self._known
            if path.is_file() and (known or _is_transcript(path)):
                yield path

    def _fresh(self, path: Path) -> tuple[_Stamp, Waiting]:
        stamp = _stamp(path)
        before = self._known.get(path)
        if before is not None and before[0] == stamp:
            return before
        try:
            return stamp, waiting(path, self.desk.name_of(path))
        except UserError as error:
            return stamp, trouble(error)


def on_record(setting: Setting, entry: Entry) -> tuple[Position, ...]:
    """The public positions of the speaker on the item: red lines first, then the firmest."""
    held = setting.mandate(entry.claim.party, entry.claim.item).positions
    public = (position for position in held if position.visibility == "public")
    return tuple(sorted(public, key=lambda p: (p.kind != "red_line", -p.firmness)))


def _is_transcript(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _HEAD in file.read(512)
    except OSError:
        return False


def _stamp(path: Path) -> _Stamp:
    """Size and time of a transcript and of what lies beside it."""
    found: list[int] = []
    for each in (path, files.judgements_path(path), files.queue_path(path)):
        try:
            state = each.stat()
        except OSError:
            found += (-1, -1)
        else:
            found += (state.st_size, state.st_mtime_ns)
    return tuple(found)
