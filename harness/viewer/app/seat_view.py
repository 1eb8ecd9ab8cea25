"""What a person in a seat may see, as values: the record as their party heard it, their mandate.

Nothing that is another party's gets here: the record is what the seat may know of it. While opening
statements are made and votes are cast, what others did in that round is held back until the person
has answered, as it is from every other seat.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from harness import events as e
from harness.events import CHAIR, Event
from harness.setting import Issue, Item, Mandate, Position, Setting
from harness.state import IssueState, State, fold
from harness.transcript import Transcript
from harness.turn import Request
from harness.viewer.app.seat_form import parts_of

SEALED = ("opening", "decision")
"""Phases in which nobody hears another's answer before giving their own."""

_VERBS = {
    "propose": "proposes", "concede": "moves to", "accept": "accepts", "withdraw": "withdraws",
    "reserve": "accepts with a reservation", "reject": "rejects", "abstain": "abstains on",
}  # fmt: skip


class Entry(NamedTuple):
    """Something that was said or done."""

    seq: int
    who: str
    """A party's short name, or `Chair`."""
    turn: str
    """The turn's handle; empty for the chair."""
    words: str
    moves: tuple[str, ...] = ()
    """What was done, in words."""
    cited: tuple[str, ...] = ()
    own: bool = False
    private: str = ""
    """Who else may know of it, where not everyone does."""
    failed: bool = False


class Part(NamedTuple):
    """A part of the record: an item."""

    title: str
    entries: tuple[Entry, ...]


class Text(NamedTuple):
    """An option, as the person's mandate sees it."""

    key: str
    label: str
    text: str
    points: int | None
    """Firmness points of the mandate; None for the chair."""
    crosses: str
    """The red line it crosses, by its position; empty where it crosses none."""


class Answerable(NamedTuple):
    """Another party's offer, and what may be said to it."""

    offer: str
    party: str
    text: Text
    stances: tuple[str, ...]


class Question(NamedTuple):
    """An issue: where it stands, and what the person may do about it now."""

    id: str
    heading: str
    question: str
    texts: tuple[Text, ...]
    offers: tuple[str, ...]
    """Open offers, in words."""
    outcome: str
    """How it was decided, in the chair's words; empty while it is open."""
    tabled: Text | None = None
    votes: tuple[str, ...] = ()
    own: str = ""
    """Their own open offer, in words."""
    withdraw: str = ""
    propose: tuple[Text, ...] = ()
    concede: tuple[Text, ...] = ()
    trade: tuple[tuple[str, str], ...] = ()
    """Texts on other issues that may be asked for in return: `issue/option`, and in words."""
    answers: tuple[Answerable, ...] = ()
    """Nothing of these where it is not their turn."""


class Composer(NamedTuple):
    """What an answer is put together from."""

    call: str
    moment: str
    parts: frozenset[str]
    needs_words: bool
    citable: tuple[Position, ...]
    ask: tuple[tuple[str, str], ...]
    """Parties that a question may be put to: id and name."""
    facts: str
    """What the chair has done and its voice is to word; empty for a party."""


class Sight(NamedTuple):
    """Everything on the page of a seat but who holds it."""

    item: Item
    mandate: Mandate | None
    red_lines: tuple[Position, ...]
    """Of the mandate, the firmest first."""
    parts: tuple[Part, ...]
    questions: tuple[Question, ...]
    composer: Composer | None
    closed: bool
    seen: int
    """How many events the seat may know of."""


def sight(transcript: Transcript, seat: str, asked: Request | None) -> Sight:
    """What the seat sees now; with a question, what may be answered to it."""
    heard = heard_by(transcript, seat)
    setting = asked.setting if asked else transcript.setting
    state = asked.state if asked else fold((transcript.card, *heard))
    item = asked.item if asked else _item(setting, heard)
    mandate = None if seat == CHAIR else setting.mandate(seat, item.id)
    lines = [p for p in (mandate.positions if mandate else ()) if p.kind == "red_line"]
    views = tuple(_question(setting, issue, state, mandate, seat, asked) for issue in item.issues)
    return Sight(
        item=item,
        mandate=mandate,
        red_lines=tuple(sorted(lines, key=lambda position: -position.firmness)),
        parts=tuple(_parts(transcript.setting, heard, seat)),
        questions=views,
        composer=_composer(asked, mandate) if asked else None,
        closed=transcript.finished,
        seen=len(heard),
    )


def heard_by(transcript: Transcript, seat: str) -> tuple[Event, ...]:
    """What the seat may know of, without what is sealed until its own answer is given."""
    events = transcript.seen_by(seat)
    rounds = [n for n, event in enumerate(events) if isinstance(event, e.RoundOpened)]
    if seat == CHAIR or not rounds:
        return events
    opened, since = events[rounds[-1]], events[rounds[-1] + 1 :]
    assert isinstance(opened, e.RoundOpened)
    if opened.phase not in SEALED or any(_unseals(event, seat) for event in since):
        return events
    return events[: rounds[-1] + 1]


def _unseals(event: Event, seat: str) -> bool:
    answered = isinstance(event, e.Statement | e.TurnFailed) and event.party == seat
    return answered or isinstance(event, e.ItemClosed)


def _item(setting: Setting, heard: Iterable[Event]) -> Item:
    """The item under discussion; between items the last one, before all the first."""
    opened = [event.item for event in heard if isinstance(event, e.ItemOpened)]
    return setting.item(opened[-1]) if opened else setting.items[0]


def _text(issue: Issue, option_id: str, mandate: Mandate | None) -> Text:
    option = issue.option(option_id)
    key = issue.key(option)
    if mandate is None:
        return Text(key, option.label, option.text, None, "")
    line = mandate.red_lines.get(key)
    return Text(key, option.label, option.text, mandate.points[key], line.id if line else "")


def _question(
    setting: Setting,
    issue: Issue,
    state: State,
    mandate: Mandate | None,
    seat: str,
    asked: Request | None,
) -> Question:
    now = state.issues[issue.id]
    seen = Question(
        id=issue.id,
        heading=issue.heading,
        question=issue.question,
        texts=tuple(_text(issue, option.id, mandate) for option in issue.options),
        offers=tuple(
            f"{offer.id}, {setting.party(offer.party).name}: {issue.option(offer.option).label}"
            for offer in now.open_offers
        ),
        outcome=(now.decision.words or now.decision.why) if now.decision else "",
        tabled=_text(issue, now.tabled.option, mandate) if now.tabled else None,
    )
    if asked is None or seat == CHAIR:
        return seen
    return _with_choices(seen, issue, now, mandate, seat, asked)


def _with_choices(
    seen: Question,
    issue: Issue,
    now: IssueState,
    mandate: Mandate | None,
    seat: str,
    asked: Request,
) -> Question:
    legal = asked.legal
    own = now.own_offer(seat)

    def texts(keys: tuple[str, ...]) -> tuple[Text, ...]:
        ours = (key for key in keys if key in issue.keys)
        return tuple(_text(issue, key.partition("/")[2], mandate) for key in ours)

    def stances(offer: str) -> tuple[str, ...]:
        return tuple(stance for stance, offers in legal.answer.items() if offer in offers)

    return seen._replace(
        votes=tuple(legal.votes.get(issue.id, ())),
        own=f"{own.id}: {issue.option(own.option).label}" if own else "",
        withdraw=own.id if own is not None and own.id in legal.withdraw else "",
        propose=texts(legal.propose),
        concede=texts(legal.concede),
        trade=tuple(_in_words(asked.setting, key) for key in legal.trade if key not in issue.keys),
        answers=tuple(
            Answerable(
                offer.id, asked.setting.party(offer.party).name,
                _text(issue, offer.option, mandate), stances(offer.id),
            )
            for offer in now.open_offers
            if stances(offer.id)
        ),
    )  # fmt: skip


def _in_words(setting: Setting, key: str) -> tuple[str, str]:
    return key, f"{setting.issue(key.partition('/')[0]).heading}: {setting.option(key).label}"


def _composer(asked: Request, mandate: Mandate | None) -> Composer:
    positions = mandate.positions if mandate else ()
    return Composer(
        call=asked.call,
        moment=_moment(asked),
        parts=parts_of(asked),
        needs_words=mandate is not None and asked.speech == "free" and asked.phase != "decision",
        citable=tuple(p for p in positions if p.id in asked.legal.citable),
        ask=tuple((party, asked.setting.party(party).name) for party in asked.legal.ask),
        facts=_facts("".join(message.text for message in asked.messages)) if not mandate else "",
    )


def _facts(prompt: str) -> str:
    """What the chair has done, out of what a model with its voice would be sent."""
    _, fence, rest = prompt.partition("<record>")
    return rest.partition("</record>")[0] if fence else prompt


def _moment(asked: Request) -> str:
    if asked.seat == CHAIR:
        return "Word what the chair has done"
    return {
        "opening": "Opening statements: nobody has heard another's",
        "round": f"Round {asked.round} of {asked.rules.rounds}",
        "reply": "You were asked a question: your right of reply",
        "caucus": "Private meeting: talk only, no moves",
        "decision": "Decide on the tabled texts: votes are sealed until all are cast",
    }[asked.phase]


def _parts(setting: Setting, heard: Iterable[Event], seat: str) -> Iterator[Part]:
    title, entries = "Opening of the talks", list[Entry]()
    for event in heard:
        if isinstance(event, e.ItemOpened):
            if entries:
                yield Part(title, tuple(entries))
            title, entries = setting.item(event.item).title, []
        _enter(entries, event, setting, seat)
    if entries:
        yield Part(title, tuple(entries))


def _enter(entries: list[Entry], event: Event, setting: Setting, seat: str) -> None:
    """Put an event on the record that is shown; a move goes with the words of its turn."""
    match event:
        case e.MoveMade() | e.RuledOut() | e.VoteCast() if entries and entries[-1].turn:
            done = (*entries[-1].moves, _done(event, setting))
            entries[-1] = entries[-1]._replace(moves=done)
        case e.Statement():
            entries.append(_said(event, event.text, setting, seat, cited=event.citations))
        case e.TurnFailed():
            entries.append(_said(event, f"No answer: {event.why}.", setting, seat, failed=True))
        case e.Note():
            note = _said(event, event.text, setting, seat)
            entries.append(note._replace(private="your own note", turn=""))
        case e.Injected():
            entries.append(Entry(event.seq, "Chair", "", event.inject.text))
        case e.ChairSpoke():
            entries.append(Entry(event.seq, "Chair", "", event.text))
        case e.CaucusOpened():
            among = ", ".join(setting.party(party).short for party in event.parties)
            entries.append(Entry(event.seq, "Chair", "", f"A private meeting of {among}."))
        case e.DebateOpened() | e.ItemOpened() | e.Tabled() | e.Decided() | e.ItemClosed():
            entries.append(Entry(event.seq, "Chair", "", event.words))
        case e.PackageRuled():
            entries.append(Entry(event.seq, "Chair", "", event.why))
        case e.DebateClosed():
            entries.append(Entry(event.seq, "Chair", "", event.words))
        case _:
            pass


def _said(
    event: e.Statement | e.TurnFailed | e.Note,
    words: str,
    setting: Setting,
    seat: str,
    *,
    cited: tuple[str, ...] = (),
    failed: bool = False,
) -> Entry:
    heard = () if event.audience is None else event.audience
    among = ", ".join(setting.party(party).short for party in heard if party != event.party)
    return Entry(
        seq=event.seq,
        who=setting.party(event.party).short,
        turn=event.turn,
        words=words,
        cited=cited,
        own=event.party == seat,
        private=f"in private with {among}" if among and event.phase == "caucus" else "",
        failed=failed,
    )


def _done(event: e.MoveMade | e.RuledOut | e.VoteCast, setting: Setting) -> str:
    if isinstance(event, e.VoteCast):
        label = setting.option(f"{event.issue}/{event.option}").label
        return f"votes {event.vote}: {setting.issue(event.issue).title}, “{label}”"
    move = event.move
    title = setting.issue(move.issue).title
    if move.move == "ask":
        done = f"asks {setting.party(move.to or '').name} about {title}"
    else:
        handle = event.offer if isinstance(event, e.MoveMade) and event.offer else move.offer
        label = setting.option(move.key).label
        done = f"{_VERBS[move.move]} {handle or 'an offer'}: {title}, “{label}”"
    return f"out of order, {event.why}: {done}" if isinstance(event, e.RuledOut) else done
