"""Cards of the battery on disk, found again by the judge, rubric and wordings they hold for.

Those that come with the program lie in evals/cards; those of the user in the cache folder, or where
TRACKTWO_CARDS says.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from evals.validity.battery import Card
from harness.errors import UserError
from harness.places import cache_folder

SHIPPED = Path(__file__).resolve().parent.parent / "cards"
"""Where the cards that come with the program lie."""

VARIABLE = "TRACKTWO_CARDS"
"""The environment variable that names the user's own folder."""


def folder(env: Mapping[str, str] = os.environ) -> Path:
    """The user's own folder."""
    named = env.get(VARIABLE, "").strip()
    return Path(named) if named else cache_folder() / "cards"


def save(card: Card, where: Path | None = None) -> Path:
    """Write a card, replacing an earlier one of the same key."""
    target = where or folder()
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"{card.gold}-{card.rubric}-{card.key}.json"
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def known(folders: Iterable[Path] | None = None) -> tuple[Card, ...]:
    """Every card there is, the user's own first.

    Raises:
        UserError: a file cannot be read; the message names it.
    """
    places = (folder(), SHIPPED) if folders is None else folders
    return tuple(_read(path) for place in places for path in sorted(place.glob("*.json")))


def _read(path: Path) -> Card:
    try:
        return Card.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise UserError(
            f"{path}: not a card of the battery ({first}); move it away and run "
            "`tracktwo validate-judge` again."
        ) from None
