"""Two to four debates held against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evals.exporting.visible import public
from harness.transcript import Transcript
from harness.viewer.comparing.aligning import items_of, shared_items
from harness.viewer.comparing.cards import Cards, cards
from harness.viewer.comparing.kinship import Kin, kinship
from harness.viewer.comparing.naming import LETTERS, letters
from harness.viewer.comparing.outcomes import Differs, Row, outcomes
from harness.viewer.comparing.partings import Parting, parting
from harness.viewer.comparing.texts import Told, texts
from harness.viewer.comparing.turns import Item, aligned

AT_LEAST = 2
AT_MOST = len(LETTERS)


@dataclass(frozen=True)
class Comparison:
    """How debates compare; they are called by number, in the order in which they were given."""

    base: int
    """The one that the others are held against."""
    remarks: tuple[str, ...]
    """What cannot be aligned, in sentences."""
    kin: tuple[Kin, ...]
    parting: Parting
    """Where the first of them leaves the others."""
    decisive: Parting | None
    """The same of moves, votes and rulings alone; None where they part by one of these."""
    pairs: tuple[Parting, ...]
    """Where each of the others leaves the base; of two debates there is nothing more to say."""
    issues: tuple[Row, ...]
    cards: Cards
    items: tuple[Item, ...]
    texts: tuple[Told, ...]

    def differing(self, how: Differs) -> int:
        """How many issues differ in this way."""
        return sum(row.differs == how for row in self.issues)


def compare(transcripts: Sequence[Transcript], base: int = 0) -> Comparison:
    """Hold debates against each other, finished or not.

    Whatever is private in them is left out before anything is compared.

    Args:
        transcripts: Two to four debates.
        base: The number, from 0, of the one that texts are held against.

    Raises:
        ValueError: there are fewer or more debates, or there is no such base.
    """
    if not AT_LEAST <= len(transcripts) <= AT_MOST or not 0 <= base < len(transcripts):
        raise ValueError(f"{len(transcripts)} debates, base {base}")
    shown = tuple(map(public, transcripts))
    kin = kinship(shown)
    everyone = range(len(shown))
    others = [other for other in everyone if other != base and len(shown) > AT_LEAST]
    first = parting(shown, everyone, kin)
    return Comparison(
        base=base,
        remarks=tuple(_remarks(shown)),
        kin=kin,
        parting=first,
        decisive=parting(shown, everyone, kin, decisive=True) if first.prose else None,
        pairs=tuple(parting(shown, (base, other), kin) for other in others),
        issues=outcomes(shown),
        cards=cards(shown, kin),
        items=aligned(shown, base),
        texts=texts(shown, base),
    )


def _remarks(transcripts: Sequence[Transcript]) -> Iterator[str]:
    settings = list(dict.fromkeys(each.setting.id for each in transcripts))
    if len(settings) > 1:
        yield (
            f"The debates are of {len(settings)} different settings ({', '.join(settings)}): items "
            "and issues are put side by side where their ids are the same, which need not mean "
            "that they are the same question."
        )
    shared = shared_items(transcripts)
    alone: dict[tuple[str, ...], list[int]] = {}
    for number, each in enumerate(transcripts):
        titles = tuple(item.title for item in each.setting.items if item.id not in shared)
        alone.setdefault(titles, []).append(number)
    for titles, debates in alone.items():
        if titles and shared:
            yield f"Not on every agenda, but on that of {letters(debates)}: {'; '.join(titles)}."
    if not shared:
        yield f"{letters(range(len(transcripts)))} have no item in common; nothing can be aligned."
    elif len({items_of(each) for each in transcripts}) > 1:
        yield "The agendas are not the same: what they share is compared item by item."
    tables = {tuple(party.id for party in each.setting.parties) for each in transcripts}
    if len(tables) > 1:
        yield "Not the same parties are at the table: turns stand beside each other party by party."
    ended = [n for n, each in enumerate(transcripts) if not each.finished]
    if ended:
        yield f"Not finished, and compared as far as the record goes: {letters(ended)}."
