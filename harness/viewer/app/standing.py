"""Whether a debate goes on: held here, held by another program, or by nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from harness import events as e
from harness.transcript import closed
from harness.viewer.app.desk import Desk

Going = Literal["here", "elsewhere", "finished", "unfinished"]
"""here        this program holds it
elsewhere   another program writes its file
finished    the chair has closed it
unfinished  nobody holds it, and it can be gone on with
"""


class Standing(NamedTuple):
    """How a debate stands."""

    going: Going
    words: str
    """In a sentence."""

    @property
    def goes_on(self) -> bool:
        """Whether more is to come."""
        return self.going in ("here", "elsewhere")


def standing(desk: Desk, name: str, path: Path, last: e.Event | None = None) -> Standing:
    """How the debate stands.

    Args:
        desk: What is held here.
        name: The debate.
        path: Its transcript.
        last: The last event on record, where it is known; it may say why the debate stands still.
    """
    if isinstance(last, e.DebateClosed) or (last is None and closed(path)):
        return Standing("finished", "The debate is over.")
    if name in desk.under_way:
        return Standing("here", "The debate is under way.")
    if _written(path):
        return Standing("elsewhere", "The debate is under way, held by another program.")
    return Standing("unfinished", _why(desk, name, last))


def public_only(desk: Desk, name: str) -> bool:
    """Whether the page shows only what everybody may know: while a person sits at the table.

    Whoever plays a seat in the next window is not to read another's mandate by accident.
    """
    return bool(desk.people.get(name))


def _why(desk: Desk, name: str, last: e.Event | None) -> str:
    if name in desk.broken:
        return f"The debate broke off: {desk.broken[name]}"
    if isinstance(last, e.BudgetStop):
        return f"A ceiling stopped the debate: {last.why}. It can be gone on with."
    return "The debate was stopped before its end. It can be gone on with."


def _written(path: Path) -> bool:
    """Whether another program has the transcript open for writing."""
    try:
        import fcntl
    except ImportError:  # no advisory locks on this system: nobody can be told to write it
        return False
    with path.open("rb") as file:
        try:
            # Let go again at once: a writer that begins just then is told to try once more.
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
