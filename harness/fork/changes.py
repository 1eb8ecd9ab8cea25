"""What is to be otherwise: checked against the table, in words, and as seats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from harness import events as e
from harness.errors import UserError
from harness.events import CHAIR
from harness.fork.point import Point, Turn, turns
from harness.models import registry
from harness.parts import Cast, Said
from harness.plain import plain
from harness.seating import Wishes, reads_prompts, seat_cards
from harness.setting import Position, Setting
from harness.transcript import Transcript


@dataclass(frozen=True)
class Changes:
    """What is to be otherwise from some moment of a debate on."""

    prompts: Mapping[str, str] = field(default_factory=dict)
    """Party -> persona prompt."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Party -> model. Speech, guard and memory stay as they were in the seat."""
    say: Mapping[str, str] = field(default_factory=dict)
    """Party -> what it says, word for word, in the turn at the fork; its moves stay."""
    unheard: tuple[str, ...] = ()
    """Parties that do not hear the statement of the turn at the fork; its moves reach them."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """For the models named here, as in `Wishes`: temperature, max_reply, base_url, timeout."""

    @property
    def of_a_statement(self) -> bool:
        """Whether the turn at the fork stays, but for its statement."""
        return bool(self.say or self.unheard)


def check(point: Point, changes: Changes) -> None:
    """Whether the changes can be made there.

    Raises:
        UserError: they cannot; the message says what to write instead.
    """
    setting = point.origin.setting
    seated = [party.id for party in setting.parties]
    for party in (*changes.prompts, *changes.models, *changes.say, *changes.unheard):
        if party not in seated:
            near = get_close_matches(party, seated, 1)
            hint = f"did you mean {near[0]}?" if near else f"at the table are {', '.join(seated)}."
            raise UserError(f"{party!r} has no seat in {point.origin.path}: {hint}")
    if changes.options and not changes.models:
        raise UserError(
            f"{', '.join(changes.options)} is for models named in the fork, and none is: add "
            "--model PARTY=MODEL."
        )
    if changes.of_a_statement:
        _check_statement(point, changes)


def _check_statement(point: Point, changes: Changes) -> None:
    turn = point.turn
    path = point.origin.path
    if turn is None:
        raise UserError(f"{path}: no turn follows event {point.at}; name an earlier one.")
    if changes.say and changes.unheard:
        raise UserError(
            "--say and --unheard both change one statement, and what did what could not be told: "
            "fork twice."
        )
    if other := [party for party in changes.say if party != turn.party]:
        raise UserError(
            f"{turn.handle} is a turn of {turn.party}, not of {other[0]}: {_next(point, other[0])}."
        )
    if turn.party in changes.unheard:
        raise UserError(f"{turn.handle} is a turn of {turn.party}: it cannot but hear itself.")
    failed = any(isinstance(event, e.TurnFailed) for event in turn.events)
    if failed and (changes.unheard or turn.events[-1].phase == "decision"):  # type: ignore[union-attr]
        what = "statement" if changes.unheard else "vote, and none can be made up"
        raise UserError(f"{turn.handle} of {path} is a failed turn, without a {what}.")


def _next(point: Point, party: str) -> str:
    later = [t for t in turns(point.origin.debate) if t.start >= point.kept and t.party == party]
    return f"its next is {later[0].handle}" if later else "it has none from there on"


def check_seats(seats: Iterable[e.Seat]) -> None:
    """Whether whoever sits there can go on without the record.

    Raises:
        UserError: a recording sits in a seat, which knows no reply but its own.
    """
    for seat in seats:
        if registry.parse(seat.model).family == "replay":
            name = "the chair" if seat.seat == CHAIR else seat.seat
            raise UserError(
                f"In the seat of {name} sits a recording, {seat.model}, which cannot go on "
                f"otherwise: fork that file instead, or name --model {seat.seat}=MODEL."
            )


def seats_after(origin: Transcript, changes: Changes, env: Mapping[str, str]) -> tuple[e.Seat, ...]:
    """Who sits where from the fork on.

    Raises:
        UserError: there is no such prompt or model.
    """
    return tuple(_seat(seat, origin.setting, changes, env) for seat in origin.card.seats)


def _seat(seat: e.Seat, setting: Setting, changes: Changes, env: Mapping[str, str]) -> e.Seat:
    prompt = changes.prompts.get(seat.seat)
    model = changes.models.get(seat.seat)
    if prompt is None and model is None:
        return seat
    wishes = Wishes(
        model=model or "reference",
        prompts={seat.seat: prompt or seat.prompt or "dossier"},
        speech=seat.speech,
        guard=seat.guard,
        memory=seat.memory,
        masked=seat.masked,
        **changes.options,
    )
    alone = setting.model_copy(update={"parties": (setting.party(seat.seat),)})
    wished = seat_cards(alone, wishes, env)[0]
    if model is None:
        return seat.model_copy(update={"prompt": prompt, "prompt_sha": wished.prompt_sha})
    return wished


def in_words(point: Point, changes: Changes, seats: Sequence[e.Seat]) -> Iterator[str]:
    """Everything that is otherwise, a phrase each; what was named and is as before is left out."""
    for before, after in zip(point.origin.card.seats, seats, strict=True):
        if (before.prompt, before.prompt_sha) != (after.prompt, after.prompt_sha):
            yield f"{after.seat} with persona prompt {after.prompt} (was {before.prompt})"
        if (before.model, before.parameters) != (after.model, after.parameters):
            options = "".join(f", {name} {value}" for name, value in after.parameters.items())
            yield f"{after.seat} by {after.model}{options} (was {before.model})"
    turn = point.turn
    for party, text in changes.say.items():
        assert turn is not None
        yield f"{party} says in {turn.handle}: \u201c{plain(text)}\u201d"
    if changes.unheard:
        assert turn is not None
        who = " and ".join(changes.unheard)
        yield f"{who} does not hear what {turn.party} says in {turn.handle}"


def in_vain(changes: Changes, seats: Sequence[e.Seat]) -> Iterator[str]:
    """What cannot have an effect on who sits there, a sentence each."""
    for seat in seats:
        if seat.seat in changes.prompts and not reads_prompts(seat):
            yield f"{seat.seat} is {seat.model}, which reads no persona prompt."
    speakers = set(changes.say)
    hearers = changes.unheard or [s.seat for s in seats if s.seat not in {CHAIR, *speakers}]
    deaf = [s for s in seats if s.seat in hearers and not _listens(s)]
    if changes.of_a_statement and len(deaf) == len(hearers):
        who = " and ".join(f"{seat.seat} ({seat.model})" for seat in deaf)
        yield f"Statements mean nothing to {who}, who go by moves alone."


def _listens(seat: e.Seat) -> bool:
    return reads_prompts(seat) or registry.parse(seat.model).family == "human"


def said(turn: Turn, text: str) -> Said:
    """The turn with another statement; moves, votes and note are as they were."""
    moves = [x.move for x in turn.events if isinstance(x, e.MoveMade | e.RuledOut)]
    votes = [x for x in turn.events if isinstance(x, e.VoteCast)]
    notes = [x.text for x in turn.events if isinstance(x, e.Note)]
    calls = [x.call for x in turn.events if isinstance(x, e.ModelCall)]
    return Said(
        party=turn.party,
        call=calls[0],
        text=text,
        moves=tuple(moves),
        votes=tuple(Cast(issue=v.issue, vote=v.vote, because=v.because) for v in votes),
        note=notes[0] if notes else None,
    )


def unheard_in(turn: Turn, unheard: Sequence[str], parties: Sequence[str]) -> tuple[e.Event, ...]:
    """The turn's events, its statement kept from some parties."""
    changed: list[e.Event] = []
    for event in turn.events:
        if isinstance(event, e.Statement):
            present = event.audience or tuple(parties)
            kept_from = tuple(party for party in present if party not in unheard)
            event = event.model_copy(update={"audience": kept_from})
        changed.append(event)
    return tuple(changed)


def setting_without(setting: Setting, position: str) -> Setting:
    """The setting as if the party had never said it; nothing else changes.

    Raises:
        KeyError: there is no such position.
    """
    holder = setting.holder(position)
    parties = tuple(
        party.model_copy(
            update={"positions": tuple(p for p in party.positions if p.id != position)}
        )
        if party.id == holder
        else party
        for party in setting.parties
    )
    # Built anew, because a copy would carry over the cached look-ups of the whole setting.
    values = {name: getattr(setting, name) for name in Setting.model_fields}
    return Setting(**(values | {"parties": parties}))


def position_of(origin: Transcript, name: str) -> Position:
    """A position of somebody at the table, on a debated item.

    Raises:
        UserError: there is none of this id; the message names the nearest.
    """
    known = [position.id for party in origin.setting.parties for position in party.positions]
    if name in known:
        return origin.setting.position(name)
    near = get_close_matches(name, known, 1)
    hint = f"the nearest is {near[0]}" if near else f"they are {', '.join(known)}"
    raise UserError(
        f"{name!r} is no position of anybody at this table on what {origin.path} debates; {hint}."
    )


def positions_meant(origin: Transcript, named: Sequence[str]) -> tuple[Position, ...]:
    """Positions by id; the id of a party stands for each of its own on the debated items.

    Raises:
        UserError: a name is neither.
    """
    found: list[str] = []
    for name in named:
        party = next((p for p in origin.setting.parties if p.id == name), None)
        found += [name] if party is None else [position.id for position in party.positions]
    return tuple(position_of(origin, name) for name in dict.fromkeys(found))
