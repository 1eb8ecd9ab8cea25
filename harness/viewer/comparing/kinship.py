"""Which of the debates was taken from which, and how much of the record they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness import events as e
from harness.parts import Fork
from harness.transcript import Transcript
from harness.viewer.comparing.naming import LETTERS, Names


class Kin(NamedTuple):
    """A debate that was taken from another, whether or not that one is among those compared."""

    debate: int
    of: int | None
    """The debate it was taken from; None where it is not among them."""
    origin: str
    """Name of the file it was taken from."""
    kept: int
    """How many events of the talks were taken over."""
    words: str
    """In a sentence."""


def kinship(transcripts: Sequence[Transcript]) -> tuple[Kin, ...]:
    """Every debate that is a fork."""
    return tuple(
        _kin(number, each, each.card.fork, transcripts)
        for number, each in enumerate(transcripts)
        if each.card.fork is not None
    )


def common(kin: Sequence[Kin], one: int, other: int) -> int | None:
    """How many events of the talks two debates have in common by birth; None if they are no kin."""
    by_debate = {each.debate: each for each in kin}
    first, second = by_debate.get(one), by_debate.get(other)
    if first is not None and first.of == other:
        return first.kept
    if second is not None and second.of == one:
        return second.kept
    if first is not None and second is not None and first.origin == second.origin:
        return min(first.kept, second.kept)
    return None


def _kin(number: int, fork_of: Transcript, fork: Fork, among: Sequence[Transcript]) -> Kin:
    files = [_file(each) for each in among]
    same = [n for n, file in enumerate(files) if n != number and file == fork.origin]
    of = same[0] if same else None
    source = LETTERS[of] if of is not None else fork.origin
    where = _where(fork_of, fork)
    words = f"{LETTERS[number]} was taken from {source}, {where}{_changed(fork_of, fork)}."
    return Kin(number, of, fork.origin, fork.kept, words)


def _file(transcript: Transcript) -> str:
    return transcript.path.name if transcript.path else f"{transcript.header.debate}.jsonl"


def _where(transcript: Transcript, fork: Fork) -> str:
    if fork.at is None:
        return "held again from its start"
    # The record begins with a header and a run card.
    kept = [x for x in transcript.events if isinstance(x, e.TurnEvent) and x.seq < fork.kept + 2]
    return f"its record taken over up to {kept[-1].turn}" if kept else "before its first turn"


def _changed(transcript: Transcript, fork: Fork) -> str:
    """What became of it otherwise, as far as everybody may know; seats are compared elsewhere."""
    if fork.said is not None:
        who = Names(transcript.setting).party(fork.said.party)
        return f", with other words of {who} in {fork.turn}"
    return " and changed" if fork.changes else ", with nothing changed but the seed"
