"""What differs in what the debates were held with: setting, agenda, rules, seats, seed, program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from harness.events import CHAIR
from harness.parts import Seat
from harness.rules import Rules
from harness.setting import Position
from harness.transcript import Transcript
from harness.viewer.comparing.aligning import items_of, merged
from harness.viewer.comparing.kinship import Kin
from harness.viewer.comparing.naming import LETTERS, Names, joined

RULES: Mapping[str, str] = {
    "rounds": "rounds per item", "floor": "who speaks next", "decision": "what adopts a text",
    "vetoes": "holders of a veto", "ties": "an even split means", "silence": "silence procedure",
    "package": "nothing is agreed until everything is, over", "right_of_reply": "replies per round",
    "ballots": "texts put per issue", "opening_statements": "opening statements",
    "language": "language", "injects": "news announced", "caucuses": "private meetings",
}  # fmt: skip
"""The rules of procedure in words."""

SEAT: Mapping[str, str] = {
    "model": "model", "prompt": "persona prompt", "prompt_sha": "version of the prompt",
    "speech": "speech", "guard": "guarded", "memory": "memory", "masked": "masked",
    "parameters": "parameters",
}  # fmt: skip
"""What a seat was held with, in words."""


class Difference(NamedTuple):
    """Something that is not the same in all debates."""

    group: str
    """Talks, Rules, a seat, or Record."""
    about: str
    values: tuple[str, ...]
    """By debate; `none` where there is no such thing."""


class Cards(NamedTuple):
    """How the run cards compare."""

    differences: tuple[Difference, ...]
    same: tuple[str, ...]
    """What is the same in all of them, in words."""


NONE = "none"

LISTED = 3
"""Items that are named of those that not all have; the rest is counted."""


def cards(transcripts: Sequence[Transcript], kin: Sequence[Kin]) -> Cards:
    """What differs in what the debates were held with; of the dossiers what is public alone."""
    found = tuple(each for each in _all(transcripts, kin) if len(set(each.values)) > 1)
    groups = {"Talks": "setting and agenda", "Rules": "the rules of procedure"}
    differing = {each.group for each in found}
    same = [words for group, words in groups.items() if group not in differing]
    same += [] if differing - {*groups, "Record"} else ["who sat where, with which prompt"]
    same += [] if any(each.about == "seed" for each in found) else ["the seed"]
    return Cards(found, tuple(same))


def _all(transcripts: Sequence[Transcript], kin: Sequence[Kin]) -> Iterator[Difference]:
    yield from _talks(transcripts)
    for name in Rules.model_fields:
        values = tuple(_rule(name, each) for each in transcripts)
        yield Difference("Rules", RULES.get(name, name), values)
    yield from _seats(transcripts)
    yield Difference("Record", "seed", tuple(str(each.card.seed) for each in transcripts))
    yield Difference("Record", "taken from", _origins(transcripts, kin))
    versions = [each.card.versions for each in transcripts]
    for name in merged([tuple(each) for each in versions]):
        yield Difference("Record", name, tuple(each.get(name, NONE) for each in versions))


def _talks(transcripts: Sequence[Transcript]) -> Iterator[Difference]:
    def row(about: str, value: Callable[[Transcript], str]) -> Difference:
        return Difference("Talks", about, tuple(map(value, transcripts)))

    yield row("setting", lambda t: f"{t.setting.title} ({t.setting.id})")
    if len({each.setting.id for each in transcripts}) == 1:
        yield row("version of the setting", lambda t: t.card.setting_sha)
    yield Difference("Talks", "items", tuple(_agendas(transcripts)))
    yield row("at the table", lambda t: joined([party.name for party in t.setting.parties]))
    yield Difference("Talks", "positions on record", tuple(_positions(transcripts)))


def _agendas(transcripts: Sequence[Transcript]) -> Iterator[str]:
    """How many items each has, and which of them the others lack."""
    agendas = list(map(items_of, transcripts))
    shared = set(agendas[0]).intersection(*agendas)
    for transcript, agenda in zip(transcripts, agendas, strict=True):
        titles = [item.title for item in transcript.setting.items]
        own = [t for t, item in zip(titles, agenda, strict=True) if item not in shared]
        if len({frozenset(each) for each in agendas}) == 1:
            yield "; ".join(titles)  # if anything differs, it is the order
            continue
        more = f" and {len(own) - LISTED} more" if len(own) > LISTED else ""
        named = f", among them: {'; '.join(own[:LISTED])}{more}" if own else ""
        yield f"{len(agenda)} {'item' if len(agenda) == 1 else 'items'}{named}"


def _positions(transcripts: Sequence[Transcript]) -> Iterator[str]:
    """Of the positions on what several debates have in common, those that one has otherwise."""
    held = [_held(each) for each in transcripts]
    for own, transcript in zip(held, transcripts, strict=True):
        seats = {(party.id, item) for party in transcript.setting.parties
                 for item in items_of(transcript)}  # fmt: skip
        others = [known for other in held for known in other.items()]
        lacks = dict.fromkeys(n for n, (who, _) in others if n not in own and who in seats)
        other = dict.fromkeys(n for n, each in others if n in own and own[n] != each)
        parts = [f"without {joined(list(lacks))}"] if lacks else []
        # Who of two reads otherwise cannot be said: the first is what the others are held against.
        if other and own != held[0]:
            parts.append(f"{joined(list(other))} not as in {LETTERS[0]}")
        yield "; ".join(parts) or "as the others"


def _held(transcript: Transcript) -> Mapping[str, tuple[tuple[str, str], Position]]:
    return {
        each.id: ((party.id, each.item), each)
        for party in transcript.setting.parties
        for each in party.positions
        if each.visibility == "public"
    }


def _rule(name: str, transcript: Transcript) -> str:
    value = getattr(transcript.rules, name)
    if name == "caucuses":  # who met is known to those who did
        return joined([Names(transcript.setting).item(each.item) for each in value]) or "none"
    if name == "injects":
        return "; ".join(f"{each.text} (before round {each.round})" for each in value) or "none"
    if name == "vetoes":
        return Names(transcript.setting).all(value) or "none"
    return _word(value)


def _seats(transcripts: Sequence[Transcript]) -> Iterator[Difference]:
    seated = [{seat.seat: seat for seat in each.card.seats} for each in transcripts]
    for seat in merged([tuple(each) for each in seated]):
        having = [n for n, each in enumerate(seated) if seat in each]
        who = Names(transcripts[having[0]].setting).party(seat)
        group = "The chair" if seat == CHAIR else f"{who[0].upper()}{who[1:]}"
        for name, words in SEAT.items():
            values = tuple(_seat(name, each.get(seat)) for each in seated)
            if (
                name == "prompt_sha"
                and len({_seat("prompt", each.get(seat)) for each in seated}) > 1
            ):
                continue  # another prompt has another version anyway
            yield Difference(group, words, values)


def _seat(name: str, seat: Seat | None) -> str:
    if seat is None:
        return "no seat"
    value = getattr(seat, name)
    if name == "parameters":
        return ", ".join(f"{key} {value[key]}" for key in sorted(value)) or "none named"
    return _word(value)


def _origins(transcripts: Sequence[Transcript], kin: Sequence[Kin]) -> tuple[str, ...]:
    known = {each.debate: each for each in kin}

    def origin(number: int) -> str:
        each = known.get(number)
        if each is None:
            return "none, held from its start"
        return f"{LETTERS[each.of]} ({each.origin})" if each.of is not None else each.origin

    return tuple(origin(number) for number in range(len(transcripts)))


def _word(value: object) -> str:
    match value:
        case None | "":
            return NONE
        case True:
            return "yes"
        case False:
            return "no"
        case _:
            return str(value).replace("_", " ")
