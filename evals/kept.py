"""Measurements of judges on disk, as JSON files, found again by what they hold for.

Those that come with the program lie in a folder of evals; the user's own in the cache folder, or
where an environment variable says.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from evals.evaluator import Value
from harness.errors import UserError
from harness.places import cache_folder, draft_of
from harness.setting import sha


class Measurement(Value):
    """What every measurement of a judge says about itself."""

    judge: str
    """As named after `--judge`."""
    models: tuple[str, ...]
    """The model ids that answered: it holds for the model, whatever it was called by."""
    rubric: str
    rubric_sha: str
    wording_sha: str
    """Fingerprint of the wording around the rubric."""
    gold: str
    gold_sha: str
    calls: int
    tokens: int
    """Read and written."""
    seconds: float
    """Of the model's time."""

    @property
    def scope(self) -> tuple[str, ...]:
        """What else it holds for, besides model, rubric, wording and gold."""
        return ()

    @property
    def key(self) -> str:
        """Fingerprint of what the measurement holds for."""
        parts = (*self.models, self.rubric_sha, self.wording_sha, self.gold_sha, *self.scope)
        return sha("/".join(parts))


Kind = TypeVar("Kind", bound=Measurement)


@dataclass(frozen=True)
class Kept(Generic[Kind]):
    """A kind of measurement, and where it is kept."""

    kind: type[Kind]
    folder_name: str
    variable: str
    """The environment variable that names the user's own folder."""
    made_by: str
    """The command that makes one again."""

    @property
    def shipped(self) -> Path:
        """Where those that come with the program lie."""
        return Path(__file__).resolve().parent / self.folder_name

    def folder(self, env: Mapping[str, str] = os.environ) -> Path:
        """The user's own folder."""
        named = env.get(self.variable, "").strip()
        return Path(named) if named else cache_folder() / self.folder_name

    def save(self, found: Kind, where: Path | None = None) -> Path:
        """Write one, replacing an earlier one that holds for the same."""
        target = where or self.folder()
        target.mkdir(parents=True, exist_ok=True)
        path = target / f"{found.gold}-{found.rubric}-{found.key}.json"
        draft = draft_of(path)
        draft.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
        draft.replace(path)
        return path

    def known(self, folders: Iterable[Path] | None = None) -> tuple[Kind, ...]:
        """All there are, the user's own first, of these the newest first.

        Raises:
            UserError: a file cannot be read; the message names it.
        """
        places = (self.folder(), self.shipped) if folders is None else folders
        return tuple(self._read(path) for place in places for path in _newest_first(place))

    def _read(self, path: Path) -> Kind:
        try:
            return self.kind.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            first = str(error).splitlines()[0]
            raise UserError(
                f"{path}: not what `{self.made_by}` keeps ({first}); move it away and run that "
                "again."
            ) from None


def _newest_first(place: Path) -> list[Path]:
    """The files of a folder; of two measurements of the same, the one made last comes first."""
    found = place.glob("*.json")
    return sorted(found, key=lambda path: (-path.stat().st_mtime_ns, path.name))
