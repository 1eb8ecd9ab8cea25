"""What the pages for labelling show: values only, each made for its sheet."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

from evals.exporting.visible import public
from evals.judging import files
from evals.labelling.agreement import Agreement, Disagreement, agreement, disagreements, labels_of
from evals.labelling.book import Books, Row
from evals.labelling.queue import MEANING as OF_ORDERS
from evals.labelling.queue import RUBRIC, Entry, Order, sampled
from evals.labels import LABELS, Label
from evals.labels import MEANING as OF_LABELS
from evals.record import statements
from harness.setting import Position
from harness.transcript import Transcript, read
from harness.viewer.app.desk import Desk
from harness.viewer.app.labelling_claims import Found, Wish, chosen, on_record

LETTERS = "acdefghijklmopqrtvwyz"
"""Keys of positions, in order; the letters left out do something else."""
EARLIER = 8
"""Statements on the item that can be unfolded above the one in question."""
NEAR = 700
"""Characters of a statement that stand on either side of the sentence."""
NAMES: Mapping[Label, str] = {
    "supported": "Supported",
    "partial": "Partly supported",
    "contradicted": "Contradicted",
    "unsupported": "Unsupported",
    "no_claim": "No claim",
}
"""Labels as they read on a button."""


class Person(NamedTuple):
    """Somebody who has labelled."""

    who: str
    labels: int
    query: str
    """Of the address that goes on with this person's labels."""


class Lobby(NamedTuple):
    """Who labels, and what there is."""

    people: tuple[Person, ...]
    who: str
    """The name that stands in the form; empty if nobody was named."""
    orders: tuple[tuple[Order, str], ...]
    debates: tuple[str, ...]
    debate: str
    claims: int
    judged: int
    """Of these, claims that a judge has labelled."""
    too_long: int
    remarks: tuple[str, ...]


def lobby(found: Found, books: Books, given: Mapping[str, str]) -> Lobby:
    """What the first page shows."""
    return Lobby(
        people=tuple(_person(who, books.rows(who)) for who in books.people()),
        who=given.get("who", ""),
        orders=tuple(OF_ORDERS.items()),
        debates=found.debates,
        debate=given.get("debate", ""),
        claims=len(found.entries),
        judged=sum(bool(entry.said) for entry in found.entries),
        too_long=found.too_long,
        remarks=found.remarks,
    )


def _person(who: str, rows: Mapping[str, Row]) -> Person:
    last = max(rows.values(), key=lambda row: row.time, default=None)
    wish = Wish(who, last.queue, last.seed or 1) if last else Wish(who)
    return Person(who, sum(row.label is not None for row in rows.values()), wish.query())


class Place(NamedTuple):
    """A claim among those that somebody goes through."""

    entries: Sequence[Entry]
    entry: Entry
    wish: Wish


class Choice(NamedTuple):
    """A label to give."""

    label: Label
    name: str
    meaning: str
    key: str
    own: bool
    """Whether it is the one that was given."""


class OnRecord(NamedTuple):
    """A position the label may rest on."""

    position: Position
    key: str
    """The key that ticks it; empty where letters ran out."""
    ticked: bool
    address: str
    """Where its source can be read; empty where that is no address of the web."""


class Spoken(NamedTuple):
    """An earlier statement."""

    turn: str
    party: str
    text: str


class Heard(NamedTuple):
    """What somebody else said of the claim."""

    by: str
    judge: bool
    """Whether a model said it, and no person."""
    label: str
    why: str
    positions: tuple[str, ...]


class Words(NamedTuple):
    """A statement around the claim's sentence; its far ends are unfolded."""

    start: str
    before: str
    sentence: str
    after: str
    end: str


class ClaimPage(NamedTuple):
    """A claim to label, with everything to decide it by."""

    entry: Entry
    party: str
    item: str
    words: Words
    earlier: tuple[Spoken, ...]
    choices: tuple[Choice, ...]
    positions: tuple[OnRecord, ...]
    row: Row | None
    heard: tuple[Heard, ...] | None
    """What others said; None as long as it is not to be seen."""
    number: int
    """Its place in the order, from 1."""
    of: int
    labelled: int
    skipped: int
    sample: int
    """How many claims from the head of the lot all have labels; 0 in other orders."""
    previous: str
    """Query of the claim before; empty at the first."""
    following: str
    fields: Mapping[str, str]
    """What the forms carry along."""
    query: str
    gave: str
    """Id of the claim just labelled or passed over; empty if none was."""
    gave_name: str
    elsewhere: bool
    """Whether a label was given in another window meanwhile."""
    opened: str
    debate: str
    """Address of the debate's page at this turn; empty while verdicts there are not to be seen."""


def claim_page(desk: Desk, books: Books, place: Place, given: Mapping[str, str]) -> ClaimPage:
    """What the page of one claim shows.

    Raises:
        UserError: the transcript or a file of labels cannot be read.
    """
    entries, entry, wish = place
    transcript = public(read(desk.path_of(entry.debate)))
    rows = books.rows(wish.who)
    row = rows.get(entry.id)
    at = [each.id for each in entries].index(entry.id)
    open_ = not wish.blind or (row is not None and row.shown and row.label is not None)
    own = {name for name, each in rows.items() if each.label is not None}
    gave = given.get("gave", "")

    def beside(step: int) -> str:
        inside = 0 <= at + step < len(entries)
        return wish.query(id=entries[at + step].id) if inside else ""

    return ClaimPage(
        entry=entry,
        party=transcript.setting.party(entry.claim.party).name,
        item=transcript.setting.item(entry.claim.item).title,
        words=_words(transcript, entry),
        earlier=_earlier(transcript, entry),
        choices=_choices(row),
        positions=_on_record(transcript, entry, row),
        row=row,
        heard=_heard(desk, books, entry, wish.who) if open_ else None,
        number=at + 1,
        of=len(entries),
        labelled=sum(each.id in own for each in entries),
        skipped=sum(each.id in rows and each.id not in own for each in entries),
        sample=sampled(entries, own) if wish.order == "random" else 0,
        previous=beside(-1),
        following=beside(1),
        fields=wish.fields(),
        query=wish.query(),
        gave=gave if gave in rows else "",
        gave_name=_name(rows[gave]) if gave in rows else "",
        elsewhere=given.get("elsewhere") == "yes",
        opened=datetime.now(UTC).isoformat(timespec="milliseconds"),
        debate=f"/debates/{quote(entry.debate)}?at={quote(entry.claim.turn)}" if open_ else "",
    )


def _name(row: Row) -> str:
    return "Passed over" if row.label is None else NAMES[row.label]


def _words(transcript: Transcript, entry: Entry) -> Words:
    claim = entry.claim
    text = next((s.text for s in statements(transcript) if s.seq == claim.seq), "")
    if text[claim.start : claim.end] != claim.sentence:
        return Words("", "", claim.sentence, "", "")
    # At a blank, so that no word is cut in two; a text without any is cut where it has to be.
    start = text.rfind(" ", 0, max(0, claim.start - NEAR)) + 1
    end = text.find(" ", claim.end + NEAR)
    near, far = text[: claim.start], text[claim.end :]
    split = len(far) if end < 0 else end - claim.end
    return Words(near[:start], near[start:], claim.sentence, far[:split], far[split:])


def _earlier(transcript: Transcript, entry: Entry) -> tuple[Spoken, ...]:
    found = [
        Spoken(said.turn, transcript.setting.party(said.party).name, said.text)
        for said in statements(transcript)
        if said.item == entry.claim.item and said.seq < entry.claim.seq
    ]
    return tuple(found[-EARLIER:])


def _choices(row: Row | None) -> tuple[Choice, ...]:
    own = row.label if row is not None else None
    return tuple(
        Choice(label, NAMES[label], OF_LABELS[label], str(number), label == own)
        for number, label in enumerate(LABELS, 1)
    )


def _on_record(transcript: Transcript, entry: Entry, row: Row | None) -> tuple[OnRecord, ...]:
    ticked = row.positions if row is not None else ()
    held = on_record(transcript.setting, entry)
    keys = [*LETTERS, *("" for _ in held)]
    return tuple(
        OnRecord(each, key, each.id in ticked, _address(each.source.url))
        for each, key in zip(held, keys, strict=False)
    )


def _address(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else ""


def _heard(desk: Desk, books: Books, entry: Entry, who: str) -> tuple[Heard, ...]:
    """What judges and other people said of a claim."""
    people = [
        Heard(person, False, NAMES[row.label], row.note, row.positions)
        for person, rows in books.everybody().items()
        if person != who and (row := rows.get(entry.id)) is not None and row.label is not None
    ]
    beside = files.judgements_path(desk.path_of(entry.debate))
    if not entry.said or not beside.is_file():
        return tuple(people)
    _, judgements = files.read(beside)
    judges = [
        Heard(
            verdict.judge, True, verdict.label or f"none ({verdict.unscored})", verdict.reason,
            (verdict.position,) if verdict.position else (),
        )
        for verdict in judgements.of(RUBRIC)
        if verdict.unit == entry.claim.id
    ]  # fmt: skip
    return (*people, *judges)


class Talk(NamedTuple):
    """A claim on which people differ, as it is shown to one of them."""

    text: str
    query: str
    """Of the claim's page; empty where its debate is gone."""
    rows: tuple[Row, ...]


class AgreementPage(NamedTuple):
    """How far people agree."""

    independent: Agreement
    """On labels given before others' were shown."""
    now: Agreement | None
    """On the labels as they stand; None where these are the same."""
    who: str
    talks: tuple[Talk, ...]
    """Disagreements that this person has been shown."""
    unseen: int
    """Further ones this person may be shown."""
    settings: tuple[str, ...]
    wrote: str
    """Path of the file of everybody's labels that was just written, as a shell takes it; empty if
    none was."""
    done: bool
    """Whether this person has just come to the end of an order."""
    fields: Mapping[str, str]
    query: str
    names: Mapping[Label, str] = NAMES


def agreement_page(found: Found, books: Books, given: Mapping[str, str]) -> AgreementPage:
    """What the page on agreement shows.

    Raises:
        UserError: a file of labels cannot be read.
    """
    wish = Wish.of(given) if given.get("who") else Wish("")
    everybody = books.everybody()
    first, last = labels_of(everybody), labels_of(everybody, independent=False)
    differing = disagreements(everybody, wish.who)
    shown = [each for each in differing if each.rows[wish.who].shown]
    wrote = given.get("wrote", "")
    known = wrote in books.settings()
    return AgreementPage(
        independent=agreement(first),
        now=None if first == last else agreement(last),
        who=wish.who,
        talks=_talks(shown, found, wish),
        unseen=len(differing) - len(shown),
        settings=books.settings(),
        wrote=shlex.quote(str(books.folder / f"{wrote}.everybody.csv")) if known else "",
        done=given.get("done") == "yes",
        fields=wish.fields() if wish.who else {},
        query=wish.query() if wish.who else "",
    )


def _talks(shown: Sequence[Disagreement], found: Found, wish: Wish) -> tuple[Talk, ...]:
    there = {entry.id for entry in chosen(found.entries, wish._replace(order="random", debate=""))}
    return tuple(
        Talk(
            text=each.rows[wish.who].text,
            query=wish._replace(order="random", debate="").query(id=each.id)
            if each.id in there
            else "",
            rows=tuple(each.rows.values()),
        )
        for each in shown
    )
