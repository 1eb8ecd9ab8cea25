"""What the conversation is made of: turns, what the chair said, phases, items taken up."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from harness.viewer.page.pieces import Judged, Opinion, Piece
from harness.viewer.page.words import Face


class Cited(NamedTuple):
    """A position that was named."""

    id: str
    to: str
    """Empty where the page has no such position."""
    private: bool
    """Whether only its own delegation may know it."""


class Chip(NamedTuple):
    """A move or a vote."""

    seq: int
    kind: str
    """The move, or `vote`; filters go by it."""
    sign: str
    does: str
    issue: str
    heading: str
    to_issue: str
    label: str
    """The text's gist; empty for a question."""
    to_text: str
    offer: str
    to_offer: str
    """Where the offer was tabled; empty where this move tables it."""
    here: str
    """Anchor of the offer that this move tables; else empty."""
    extra: str
    """Whom it asks, or what it asks for in return."""
    because: Cited | None
    crosses: Cited | None
    """The red line of the mover's own that the text crosses, where it speaks for it."""
    why: str = ""
    """Why it was ruled out; empty where it was in order."""
    private: bool = False
    """Whether not everybody may know of it, although the turn itself is public."""
    tells: bool = False
    """Whether `why` tells something private."""


class Failure(NamedTuple):
    """A turn without an answer."""

    kind: str
    why: str
    attempts: int
    private: bool
    """Whether not everybody may know of it."""
    tells: bool
    """Whether `why` tells something private."""


class Turn(NamedTuple):
    """One turn of a delegation."""

    seq: int
    to: str
    handle: str
    face: Face
    item: str
    phase: str
    round: str
    pieces: tuple[Piece, ...]
    judged: tuple[Judged, ...]
    opinions: tuple[Opinion, ...]
    cited: tuple[Cited, ...]
    speech: str
    chips: tuple[Chip, ...]
    notes: tuple[str, ...]
    failures: tuple[Failure, ...]
    attempts: int
    """How often the seat was asked, as far as the record shows."""
    unread: tuple[str, ...]
    calls: tuple[str, ...]
    """Names of the calls behind it, for the private layer."""
    aside: bool
    """Whether not everybody heard the statement, although the turn itself is public."""
    unheard: tuple[str, ...]
    """Who did not hear it, by name, where a fork took it from their ears."""
    private: bool
    among: str
    """Between whom it was said, where that was in private."""
    kind: Literal["turn"] = "turn"

    @property
    def issues(self) -> tuple[str, ...]:
        """The issues its moves and votes bear on."""
        return tuple(dict.fromkeys(chip.issue for chip in self.chips))

    @property
    def kinds(self) -> tuple[str, ...]:
        """What was done in it, for filters."""
        ruled = ["ruled_out"] if any(chip.why for chip in self.chips) else []
        failed = ["failure"] if self.failures else []
        done = [chip.kind for chip in self.chips if not chip.why]
        return tuple(dict.fromkeys((*done, *ruled, *failed)))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels its sentences got, for filters."""
        uncited = ["uncited"] if any(each.uncited for each in self.judged) else []
        return tuple(dict.fromkeys((*(j.label for j in self.judged if j.label), *uncited)))


class Said(NamedTuple):
    """Something the chair said or did, or something about the file."""

    seq: int
    to: str
    who: Literal["chair", "news", "file"]
    words: str
    item: str
    marked: str
    """The outcome's mark, where an issue was decided; else empty."""
    link: str
    """The issue it is about; else empty."""
    private: bool
    kind: Literal["said"] = "said"


class Stage(NamedTuple):
    """A phase of an item begins."""

    seq: int
    to: str
    title: str
    item: str
    private: bool = False
    kind: Literal["stage"] = "stage"


class Asked(NamedTuple):
    """An issue as the chair reads it out."""

    id: str
    to: str
    heading: str
    question: str
    outcome: str
    mark: str
    texts: tuple[tuple[str, str, str, str], ...]
    """Anchor, id, gist and text of each option."""


class Opened(NamedTuple):
    """An item is taken up; or, at the end, one that was not."""

    seq: int
    """-1 for an item that was not taken up."""
    to: str
    id: str
    title: str
    words: str
    context: str
    issues: tuple[Asked, ...]
    missing: str
    """That it was not taken up, in words; empty where it was."""
    private: bool = False
    kind: Literal["opened"] = "opened"

    @property
    def item(self) -> str:
        """The item, as all entries have it."""
        return self.id


Entry: TypeAlias = Turn | Said | Stage | Opened
