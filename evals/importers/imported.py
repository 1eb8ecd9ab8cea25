"""A transcript of a conversation held elsewhere: statements and nothing that would decide anything.

There was no chair, no mechanism and no mandate in the room, so there are no moves, votes or
decisions in the record, and no calls, because what a model was sent is not known. Seats say
`import:FORMAT`, which is nothing that could be asked again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from evals.importers.chat import Chat, Said
from harness import events as e
from harness.errors import UserError
from harness.events import CHAIR, Event, Header, RunCard, Seat
from harness.plain import plain
from harness.setting import Agenda, Item, Party, Rules, Setting
from harness.transcript import Writer

LEAVE_OUT = "-"
"""What a speaker is given in place of a seat who is not to be taken over."""

RULES = Rules(rounds=1, opening_statements=False, right_of_reply=0)
"""One round of talk; nothing is put, so the rule of decision is never applied."""

_HANDLE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST = 60


class Table(NamedTuple):
    """Who of the log sits where, and what was talked about."""

    setting: Setting
    """The part of the setting the conversation is about."""
    setting_sha: str
    """Fingerprint of the whole setting."""
    seats: Mapping[str, str]
    """Speaker -> party, `chair`, or `-` for those who are left out."""
    item: str


class Passed(NamedTuple):
    """What of a log is not in the transcript, and why."""

    why: str
    places: tuple[str, ...]


def table_in(
    chat: Chat, setting: Setting, item: str | None = None, given: Mapping[str, str] | None = None
) -> Table:
    """The speakers of a log at the table of a setting.

    A speaker who is called like a party (by id, name, short name or alias) sits there; who is not
    has to be given a seat.

    Args:
        chat: The log.
        setting: The setting whose documented positions they are held against.
        item: What they talked about; may be left out where the setting has one item.
        given: Speaker -> party, `chair`, or `-` to leave out what the speaker said.

    Raises:
        UserError: there is no such item, party or speaker, or a speaker has no seat.
    """
    given = given or {}
    _check_speakers(chat, given)
    about = _item(setting, item)
    parties = [party.id for party in setting.parties]
    for speaker, seat in given.items():
        if seat not in (*parties, CHAIR, LEAVE_OUT):
            raise UserError(
                f"{speaker!r} cannot sit as {seat!r}: {setting.id} has {', '.join(parties)}; "
                f"`{CHAIR}` is for the chair, `{LEAVE_OUT}` leaves a speaker out."
            )
    seats = {who: given.get(who) or _party_called(setting, who) for who in chat.speakers}
    _check_seated(chat, setting, seats)
    found = {who: seat for who, seat in seats.items() if seat is not None}
    only = setting.only(_agenda([p for p in parties if p in found.values()], about))
    return Table(only, setting.sha, found, about)


def table_of(chat: Chat, on: date, given: Mapping[str, str] | None = None) -> Table:
    """A table made from the speakers themselves: no mandates, no issues, one item.

    Args:
        chat: The log.
        on: The day that stands as the setting's date.
        given: Speaker -> a party's id, `chair`, or `-` to leave out what the speaker said.

    Raises:
        UserError: there is no such speaker, or an id is not one.
    """
    given = given or {}
    _check_speakers(chat, given)
    seats: dict[str, str] = {}
    for who in chat.speakers:
        seats[who] = (
            _checked(who, given[who]) if who in given else _fresh(who, seats.values(), given)
        )
    names = {seat: who for who, seat in reversed(seats.items())}
    parties = tuple(_party(seat, names[seat]) for seat in dict.fromkeys(seats.values())
                    if seat not in (CHAIR, LEAVE_OUT))  # fmt: skip
    item = Item(id="conversation", title="Imported conversation", issues=())
    agenda = _agenda([party.id for party in parties], item.id)
    setting = Setting(
        id="imported", title=f"Imported conversation: {plain(chat.path.name)}", as_of=on,
        summary="A conversation held elsewhere. Nothing is on record of what its parties want.",
        parties=parties, items=(item,), agendas=(agenda,), default_agenda=agenda.id,
    )  # fmt: skip
    return Table(setting, setting.sha, seats, item.id)


def passed(chat: Chat, table: Table) -> tuple[Passed, ...]:
    """Everything of the log that is not in the transcript, by reason, in the order of the log."""
    found: dict[str, list[str]] = {}
    for left in chat.left_out:
        found.setdefault(left.why, []).append(left.place)
    for said in chat.said:
        if table.seats[said.speaker] == LEAVE_OUT:
            found.setdefault(f"said by {said.speaker}, who was left out", []).append(said.place)
    return tuple(Passed(why, tuple(places)) for why, places in found.items())


def events(chat: Chat, table: Table) -> tuple[Event, ...]:
    """The conversation as events, from the opening to the end.

    Raises:
        UserError: nobody who speaks has a party's seat.
    """
    if not table.setting.parties:
        raise UserError(f"{chat.path}: no speaker sits as a party, so there is nothing to import.")
    item, name = table.item, plain(chat.path.name)
    taken = [said for said in chat.said if table.seats[said.speaker] != LEAVE_OUT]
    return (
        e.DebateOpened(words=_opening(chat, table, len(taken))),
        e.ItemOpened(item=item, words=f"What follows was said elsewhere and is taken from {name}."),
        e.RoundOpened(item=item, phase="round", round=1),
        *_spoken(table, taken),
        e.ItemClosed(item=item, reason="rounds_exhausted", words="The log ends here."),
        e.DebateClosed(adopted=0, bracketed=0, open=0, words="No text was put to a decision."),
    )


def write(chat: Chat, table: Table, path: Path, created: str) -> Path:
    """Write the transcript of an imported conversation.

    Args:
        chat: The log.
        table: Who sits where.
        path: Where it is to lie.
        created: UTC time, ISO 8601.

    Raises:
        UserError: nobody who speaks has a party's seat, or the file cannot be written.
        TranscriptInUse: the file exists already.
    """
    happened = events(chat, table)
    header = Header(debate=path.stem, created=created)
    try:
        with Writer.create(path, header, _card(chat, table)) as writer:
            for event in happened:
                writer.append(event)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def _card(chat: Chat, table: Table) -> RunCard:
    return RunCard(
        setting=table.setting,
        setting_sha=table.setting_sha,
        rules=RULES,
        seats=tuple(_seats(chat, table)),
        seed=0,
        versions={"tracktwo": version("tracktwo")},
    )


def _seats(chat: Chat, table: Table) -> Iterator[Seat]:
    for seat in (*(party.id for party in table.setting.parties), CHAIR):
        names = [who for who, sits in table.seats.items() if sits == seat]
        who = " and ".join(repr(plain(name)) for name in names) or "nobody"
        yield Seat(
            seat=seat, model=f"import:{chat.format}", speech="free",
            why=f"{who} in {plain(chat.path.name)}, SHA-256 {chat.sha[:16]}",
        )  # fmt: skip


def _spoken(table: Table, taken: Sequence[Said]) -> Iterator[Event]:
    turns = 0
    for said in taken:
        seat, call = table.seats[said.speaker], f"import/{said.place}"
        if seat == CHAIR:
            yield e.ChairSpoke(item=table.item, text=said.text, call=call)
            continue
        turns += 1
        yield _turn(said, f"T{turns}", seat, table.item, call)


def _turn(said: Said, turn: str, party: str, item: str, call: str) -> Event:
    if said.refused:
        return e.TurnFailed(
            turn=turn, party=party, item=item, phase="round", round=1, call=call,
            failure="refused", why=said.text, attempts=1,
        )  # fmt: skip
    return e.Statement(
        turn=turn, party=party, item=item, phase="round", round=1, call=call,
        text=said.text, speech="free",
    )  # fmt: skip


def _opening(chat: Chat, table: Table, taken: int) -> str:
    """Where the words come from and what is missing, so that it stands on the record itself."""
    left = "; ".join(f"{len(each.places)} x {plain(each.why)}" for each in passed(chat, table))
    return (
        f"This conversation was held elsewhere, without a mechanism, and was imported from "
        f"{plain(chat.path.name)} ({chat.format}, SHA-256 {chat.sha}): {taken} messages."
        + (f" Left out: {left}." if left else "")
    )


def _check_speakers(chat: Chat, given: Mapping[str, str]) -> None:
    for speaker in given:
        if speaker not in chat.speakers:
            raise UserError(
                f"{chat.path} has no speaker {speaker!r}; it has {_listed(chat, chat.speakers)}."
            )


def _check_seated(chat: Chat, setting: Setting, seats: Mapping[str, str | None]) -> None:
    missing = [who for who, seat in seats.items() if seat is None]
    if missing:
        first, parties = missing[0], [party.id for party in setting.parties]
        raise UserError(
            f"{chat.path}: nobody at the table of {setting.id} is called "
            f"{_listed(chat, missing)}; say who speaks for whom, for example "
            f'--speaker "{first}={parties[0]}" ({", ".join(parties)} or {CHAIR}), or leave one out '
            f'with --speaker "{first}={LEAVE_OUT}".'
        )


def _listed(chat: Chat, names: Sequence[str] | Mapping[str, int]) -> str:
    counts = chat.speakers
    return ", ".join(
        f"{name!r} ({counts[name]} message{'' if counts[name] == 1 else 's'})" for name in names
    )


def _item(setting: Setting, item: str | None) -> str:
    items = [each.id for each in setting.items]
    if item is None and len(items) == 1:
        return items[0]
    if item not in items:
        said = "say what was talked about with --item" if item is None else f"no item {item!r}"
        raise UserError(f"{setting.id}: {said}; there is {', '.join(items)}.")
    return item


def _party_called(setting: Setting, speaker: str) -> str | None:
    """The one party that is called like the speaker; None where there is none, or more."""
    name = _bare(speaker)
    found = {
        party.id
        for party in setting.parties
        if name in map(_bare, (party.id, party.name, party.short, *party.aliases))
    }
    return found.pop() if len(found) == 1 else None


def _bare(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split()).removeprefix(
        "the "
    )


def _agenda(parties: Sequence[str], item: str) -> Agenda:
    return Agenda(id="imported", title="Imported conversation", parties=tuple(parties),
                  items=(item,), rules=RULES)  # fmt: skip


def _party(party: str, name: str) -> Party:
    shown = plain(name) or party
    return Party(id=party, name=shown, short=shown, adjective=shown, summary="", positions=())


def _checked(speaker: str, seat: str) -> str:
    fits = _HANDLE.fullmatch(seat) and len(seat) <= _LONGEST
    if seat != LEAVE_OUT and not fits:
        raise UserError(
            f"{speaker!r} cannot sit as {seat!r}: a party's id has lower-case letters, digits and "
            f"single hyphens; `{LEAVE_OUT}` leaves a speaker out."
        )
    return seat


def _fresh(speaker: str, taken: Iterable[str], given: Mapping[str, str]) -> str:
    """An id for a speaker, made from the name; with a number where another has it already."""
    used = {*taken, *given.values(), CHAIR}
    plain_name = unicodedata.normalize("NFKD", speaker).encode("ascii", "ignore").decode().lower()
    handle = re.sub(r"[^a-z0-9]+", "-", plain_name)[:50].strip("-") or "speaker"
    number, found = 1, handle
    while found in used:
        number += 1
        found = f"{handle}-{number}"
    return found
