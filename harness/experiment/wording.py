"""The same dossier in other words: a file of statements that stand in for a setting's own."""

from __future__ import annotations

from pathlib import Path

from harness.errors import Problem, SettingError, UserError
from harness.experiment.shapes import Wording
from harness.loading import display
from harness.loading.names import near
from harness.loading.placed import read_document
from harness.loading.shapes import in_shape
from harness.setting import Position, Setting


def read_wording(path: Path) -> Wording:
    """A file of other statements.

    Raises:
        SettingError: it cannot be read, or has another shape.
    """
    file = display(path)
    try:
        document = read_document(path.read_bytes(), file)
    except OSError as error:
        problem = Problem(file, 0, 0, f"cannot be read: {error.strerror or error}")
        raise SettingError((problem,)) from error
    wording, problems = in_shape(document, Wording)
    if wording is None or document.problems:
        raise SettingError((*document.problems, *problems))
    return wording


def reworded(setting: Setting, wording: Wording) -> Setting:
    """The setting with other statements; everything else of the positions stays.

    Raises:
        UserError: the file is for another setting, or has a statement for a position that the
            setting does not have.
    """
    if wording.setting != setting.id:
        raise UserError(f"The statements are for {wording.setting!r}, not for {setting.id!r}.")
    known = [position.id for party in setting.parties for position in party.positions]
    for name in wording.statements:
        if name not in known:
            raise UserError(f"There is no position {name!r} in {setting.id}{near(name, known)}")
    parties = tuple(
        party.model_copy(update={"positions": tuple(_said(p, wording) for p in party.positions)})
        for party in setting.parties
    )
    # Built anew, because a copy would carry over the cached look-ups of the first.
    return Setting.model_validate({**setting.__dict__, "parties": parties})


def _said(position: Position, wording: Wording) -> Position:
    statement = wording.statements.get(position.id, position.statement)
    return position.model_copy(update={"statement": statement})
