"""The head of the page: what was debated, when, who sat with what, and what to know first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.events import CHAIR, BudgetStop, Resumed, Seat
from harness.viewer.page.words import Face, face, faces
from harness.viewer.reading import Reading


class Seated(NamedTuple):
    """Who or what sat in a seat."""

    face: Face | None
    """None for the chair."""
    name: str
    seat: Seat


class Origin(NamedTuple):
    """Something about the debate that it was taken from."""

    words: str
    private: bool
    """Whether it may quote what is not for everyone."""


class Head(NamedTuple):
    """What stands at the top."""

    title: str
    agenda: str
    debate: str
    created: str
    """Day and time in UTC."""
    as_of: str
    summary: str
    rules: str
    seats: tuple[Seated, ...]
    seed: int
    remarks: tuple[str, ...]
    fork: tuple[Origin, ...]
    """Where it was taken from, in sentences; empty where it was not."""
    versions: tuple[tuple[str, str], ...]
    file: str
    public: bool


def head(reading: Reading) -> Head:
    """The head of a debate's page."""
    card, header, known = reading.transcript.card, reading.transcript.header, faces(reading)
    agendas = [each.title for each in card.setting.agendas]
    return Head(
        title=card.setting.title,
        agenda=", ".join(agendas),
        debate=header.debate,
        created=header.created[:16].replace("T", " "),
        as_of=card.setting.as_of.isoformat(),
        summary=card.setting.summary,
        rules=_rules(reading),
        seats=tuple(_seated(seat, face(known, seat.seat)) for seat in card.seats),
        seed=card.seed,
        remarks=tuple(_remarks(reading)),
        fork=tuple(_fork(reading)),
        versions=tuple(card.versions.items()),
        file=reading.file,
        public=reading.public,
    )


def _seated(seat: Seat, shown: Face) -> Seated:
    if seat.seat == CHAIR:
        return Seated(None, "the chair", seat)
    return Seated(shown, shown.name, seat)


def _rules(reading: Reading) -> str:
    rules = reading.transcript.rules
    package = {
        "none": "", "item": "; nothing in an item is agreed until all of it is",
        "agenda": "; nothing is agreed until everything is",
    }.get(str(rules.package), "")  # fmt: skip
    return f"{rules.rounds} rounds an item, decision by {rules.decision}{package}"


def _remarks(reading: Reading) -> Iterator[str]:
    """What a reader has to know before believing the rest."""
    transcript = reading.transcript
    stops = [event for event in transcript.events if isinstance(event, BudgetStop)]
    resumed = [event for event in transcript.events if isinstance(event, Resumed)]
    if not transcript.finished:
        yield "The record ends before the talks were closed: what follows is as far as it goes."
        if stops and transcript.events[-1] is stops[-1]:
            yield f"It was stopped by the ceiling on {stops[-1].ceiling}: {stops[-1].why}."
    if transcript.torn:
        yield f"{transcript.torn} bytes of a torn last line were left out."
    if resumed:
        count = "once" if len(resumed) == 1 else f"{len(resumed)} times"
        yield f"The debate was interrupted and taken up again {count}."
    if not transcript.state.issues:
        yield "No issue was before the parties, so nothing could be agreed or scored for agreement."
    yield from reading.remarks


def _fork(reading: Reading) -> Iterator[Origin]:
    """What was changed may quote a prompt, a note or a confidential position."""
    fork = reading.transcript.card.fork
    if fork is None:
        return
    kept = f"; its first {fork.kept} events were taken over" if fork.kept else ""
    what = ", with changes" if fork.changes else ", with no change but the seed"
    yield Origin(f"Taken from the debate {fork.origin}{kept}{what}.", private=False)
    if fork.changes:
        yield Origin(f"Changed: {'; '.join(fork.changes)}.", private=not reading.public)
