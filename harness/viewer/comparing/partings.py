"""Where debates part: the first event that is not the same in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from harness import events as e
from harness.events import Event
from harness.transcript import Transcript
from harness.viewer.comparing.aligning import items_of, shared_items
from harness.viewer.comparing.kinship import Kin, common
from harness.viewer.comparing.naming import Names, joined, letters
from harness.viewer.comparing.substance import (
    PROSE,
    Substance,
    item_of,
    place,
    said,
    substance,
)
from harness.viewer.page.words import places

EXCERPT = 320
"""Characters of a statement that are shown, from shortly before where it differs."""

BEFORE = 60
"""How many of them stand before that."""

Kind = Literal["differs", "same", "so far", "apart"]
"""differs  there is a first event that is not the same
same     both were held to their end, and every public event is the same
so far   a record ends before any event differs
apart    they have no item in common
"""


class Here(NamedTuple):
    """Where on a debate's page the event stands."""

    debate: int
    label: str
    """The turn's handle; empty for what the chair does."""
    to: str
    """The anchor."""


class Side(NamedTuple):
    """What happened at that moment in some of the debates."""

    debates: tuple[int, ...]
    where: str
    """In the talks: `round 2 of Sanctions`."""
    words: str
    excerpt: str
    """Of what was said, the words from shortly before where they differ; else empty."""
    here: tuple[Here, ...]


class Parting(NamedTuple):
    """Where some debates part."""

    debates: tuple[int, ...]
    kind: Kind
    prose: bool
    """Whether all that differs there is what is said, which decides nothing."""
    shared: int
    """How many public events before it are the same."""
    last: str
    """Handle of the last turn, in the first of them, that is the same in all; empty if none."""
    sides: tuple[Side, ...]
    words: str
    """In a sentence or two."""


class _Record(NamedTuple):
    """What of a debate is compared."""

    debate: int
    transcript: Transcript
    events: tuple[Event, ...]
    substances: tuple[Substance, ...]

    def at(self, index: int) -> Substance | None:
        """What the event comes to; None after the last."""
        return self.substances[index] if index < len(self.events) else None

    def event(self, index: int) -> Event | None:
        """The event; None after the last."""
        return self.events[index] if index < len(self.events) else None


def parting(
    transcripts: Sequence[Transcript],
    which: Sequence[int],
    kin: Sequence[Kin],
    *,
    decisive: bool = False,
) -> Parting:
    """Where some of the debates part.

    A debate whose record ends before the chair closed it is compared as far as it goes. Where
    agendas are not the same, the items that all share are gone through one by one, in the order of
    the first debate.

    Args:
        transcripts: All debates, as everybody may read them.
        which: The numbers of those that are meant.
        kin: Which were taken from which.
        decisive: Pass over what is said, and look at moves, votes and rulings alone.
    """
    chosen = [transcripts[each] for each in which]
    if not shared_items(chosen):
        why = f"{letters(which)} have no item in common: no event of theirs can be compared."
        return Parting(tuple(which), "apart", False, 0, "", (), why)
    records = _records(chosen, which, decisive)
    ended: list[int] = []
    for index in range(max(len(each.events) for each in records)):
        over = [x for x in records if x.at(index) is None and not x.transcript.finished]
        ended += [each.debate for each in over]
        records = [each for each in records if each not in over]
        if len({each.at(index) for each in records}) > 1:
            return _differing(records, index, ended, kin)
        if len(records) < 2:
            break
    return _alike(_records(chosen, which, decisive), ended, decisive)


def _records(chosen: Sequence[Transcript], which: Sequence[int], decisive: bool) -> list[_Record]:
    alike = len({items_of(each) for each in chosen}) == 1
    made = []
    for number, transcript in zip(which, chosen, strict=True):
        pairs = [(x, s) for x in transcript.debate if (s := substance(x)) is not None]
        if decisive:
            pairs = [pair for pair in pairs if not isinstance(pair[0], PROSE)]
        if not alike:
            pairs = [p for item in shared_items(chosen) for p in pairs if item_of(p[0]) == item]
        events, substances = tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)
        made.append(_Record(number, transcript, events, substances))
    return made


def _differing(
    records: Sequence[_Record], index: int, ended: Sequence[int], kin: Sequence[Kin]
) -> Parting:
    groups: dict[Substance | None, list[_Record]] = {}
    for record in records:
        groups.setdefault(record.at(index), []).append(record)
    texts = [_text(each.event(index)) for each in records]
    sides = tuple(_side(group, index, texts) for group in groups.values())
    turns = [event.turn for event in records[0].events[:index] if isinstance(event, e.TurnEvent)]
    words = _words(sides) + _ended(ended) + _by_birth(records, index, kin)
    debates = tuple(each.debate for each in records)
    prose = all(isinstance(each.event(index), PROSE) for each in records)
    last = turns[-1] if turns else ""
    return Parting(debates, "differs", prose, index, last, sides, words)


def _text(event: Event | None) -> str:
    return event.text if isinstance(event, PROSE) else ""


def _side(group: Sequence[_Record], index: int, texts: Sequence[str]) -> Side:
    debates = tuple(each.debate for each in group)
    event = group[0].event(index)
    if event is None:
        return Side(debates, "", "nothing more is on record", "", ())
    names = Names(group[0].transcript.setting)
    here = tuple(_here(each, index) for each in group)
    words, excerpt = said(event, names), ""
    if len(set(texts)) > 1:
        excerpt = _excerpt(_text(event), texts)
    elif isinstance(event, e.Statement):
        words = f"{names.party(event.party)} cites {joined(event.citations) or 'nothing'}"
    return Side(debates, place(event, names), words, excerpt, here)


def _here(record: _Record, index: int) -> Here:
    event = record.events[index]
    label = event.turn if isinstance(event, e.TurnEvent) else ""
    return Here(record.debate, label, places(record.transcript).get(event.seq, "top"))


def _excerpt(text: str, texts: Sequence[str]) -> str:
    """The words from shortly before where they are no longer those of all the others."""
    if not text:
        return ""
    begin = _same_start([each for each in texts if each])
    near = max(0, begin - BEFORE)
    start = text.rfind(" ", 0, near) + 1 or near
    cut = text[start : start + EXCERPT]
    if start + EXCERPT < len(text):
        cut = f"{cut.rpartition(' ')[0] or cut} …"
    return f"… {cut}" if start else cut


def _same_start(texts: Sequence[str]) -> int:
    """How many characters all begin with."""
    length = min(map(len, texts))
    return next((n for n in range(length) if len({each[n] for each in texts}) > 1), length)


def _words(sides: Sequence[Side]) -> str:
    told = [f"in {letters(side.debates)} {side.words}" for side in sides]
    where = {side.where for side in sides if side.where}
    if len(where) > 1:
        return f"{'; '.join(map(_with_place, told, sides))}.".replace("in ", "In ", 1)
    head = f"{''.join(where)}: "
    if len({side.words for side in sides}) == 1:
        what = "not the same words" if sides[0].excerpt else "not the same text or reason"
        among = letters(sorted(debate for side in sides for debate in side.debates))
        return f"{head[0].upper()}{head[1:]}{sides[0].words} in {among}, but {what}."
    return f"{head[0].upper()}{head[1:]}{', '.join(told)}."


def _with_place(told: str, side: Side) -> str:
    return f"{told} ({side.where})" if side.where else told


def _ended(ended: Sequence[int]) -> str:
    """Which records cannot say whether theirs is the same."""
    return f" {_records_of(ended)} before that." if ended else ""


def _records_of(debates: Sequence[int]) -> str:
    if len(debates) == 1:
        return f"The record of {letters(debates)} ends"
    return f"The records of {letters(debates)} end"


def _by_birth(records: Sequence[_Record], index: int, kin: Sequence[Kin]) -> str:
    """Of two debates that are kin: whether they part where one was taken from the other."""
    if len(records) != 2:
        return ""
    fork, other = sorted(records, key=lambda each: all(k.debate != each.debate for k in kin))
    kept = common(kin, fork.debate, other.debate)
    if not kept:
        return ""
    changed = fork.transcript.card.fork and fork.transcript.card.fork.turn
    if changed and any(getattr(x.event(index), "turn", "") == changed for x in records):
        return " That is at the fork."
    # A record begins with a header and a run card, and what was taken over follows at once.
    beyond = [event.seq >= kept + 2 for event in fork.events[: index + 1]]
    if not beyond[-1]:
        return " That is before the fork: the record that was taken over is not the other's."
    turns = {
        event.turn
        for event, new in zip(fork.events[:index], beyond, strict=False)
        if new and isinstance(event, e.TurnEvent)
    }
    if turns:
        return " That is beyond the fork: they go on alike for a while."
    return " That is at the fork."


def _alike(records: Sequence[_Record], ended: Sequence[int], decisive: bool) -> Parting:
    which = tuple(each.debate for each in records)
    shared = min(len(each.events) for each in records)
    over = ended or [x.debate for x in records if not x.transcript.finished]
    if not over:
        what = "move, vote and ruling" if decisive else "public event"
        words = f"Every {what} is the same in {letters(which)}."
        return Parting(which, "same", False, shared, "", (), words)
    what = "No move, vote or ruling" if decisive else "Nothing"
    words = f"{what} differs as far as the records go. {_records_of(over)} there."
    return Parting(which, "so far", False, shared, "", (), words)
