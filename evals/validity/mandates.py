"""Changes to what the parties are on record as wanting, under a record that stays as it is.

An evaluator that reads mandates must notice some of these and must not notice others: wording that
is spaced, ordered or named otherwise means the same. Ids, moves and votes stay what they were.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from evals.validity.coherence import recorded
from evals.validity.planted import CannotPlant, Mark, Planted
from harness import events as e
from harness.events import EVENT, Event
from harness.setting import Item, Party, Position, Setting, sha
from harness.transcript import Transcript


def with_positions(setting: Setting, change: Callable[[Party], Iterable[Position]]) -> Setting:
    """The setting with each party's positions as `change` gives them."""
    parties = (
        party.model_copy(update={"positions": tuple(change(party))}) for party in setting.parties
    )
    return _anew(setting, parties=tuple(parties))


def _anew(setting: Setting, **update: object) -> Setting:
    # Built anew, because a copy would carry over the cached look-ups of the old setting.
    return Setting(**{**dict(setting), **update})


def made_confidential(
    transcript: Transcript, position: str, canary: str | None = None
) -> Transcript:
    """The record under a setting in which the position is confidential and carries a canary.

    The canary is derived from the id where none is given and none is there.

    Raises:
        KeyError: there is no such position.
    """
    old = transcript.setting.position(position)
    marker = canary or old.canary or f"canary-{sha(position)[:8]}"
    secret = old.model_copy(update={"visibility": "confidential", "canary": marker})
    if secret == old:
        return transcript
    setting = with_positions(
        transcript.setting, lambda p: (secret if x.id == position else x for x in p.positions)
    )
    return recorded(transcript, transcript.events, setting)


def _changed(
    transcript: Transcript, setting: Setting, marks: Iterable[Mark], clean: Transcript | None = None
) -> Planted:
    changed = recorded(transcript, transcript.events, setting)
    return Planted(changed, tuple(marks), clean or transcript)


def swap_mandates(transcript: Transcript, one: str, other: str) -> Planted:
    """Each of two parties holds the other's positions; what they said and did stays.

    Citations stay too, so each now cites what belongs to the other.

    Raises:
        KeyError: one of the parties is not at the table.
    """
    held = {p: transcript.setting.party(p).positions for p in (one, other)}
    theirs = {one: held[other], other: held[one]}
    setting = with_positions(transcript.setting, lambda p: theirs.get(p.id, p.positions))
    marks = (Mark(plant="swap_mandates", party=party) for party in (one, other))
    return _changed(transcript, setting, marks)


def scramble_items(transcript: Transcript, seed: int = 0, party: str | None = None) -> Planted:
    """Each party's positions moved to another item, every item's to the same other one.

    Links are carried over by place: the first option of the first issue becomes the first option of
    the first issue there, and so on, round and round where there are fewer. The mandate asks for as
    much as before, and for nothing that was ever meant.

    Args:
        transcript: What was debated.
        seed: Which way the items are permuted; none keeps its place.
        party: Only this party's positions; everybody's where left out.

    Raises:
        CannotPlant: there is only one item.
    """
    items = transcript.setting.items
    if len(items) < 2:
        raise CannotPlant("With one item there is nowhere to move positions; debate two or more.")
    order = list(items)
    random.Random(seed).shuffle(order)
    to = dict(zip([i.id for i in order], [*order[1:], order[0]], strict=True))
    setting = with_positions(
        transcript.setting,
        lambda p: (
            _carried(transcript.setting, x, to) if party in (None, p.id) else x for x in p.positions
        ),
    )
    names = [p.id for p in setting.parties if party in (None, p.id)]
    return _changed(transcript, setting, (Mark(plant="scramble_items", party=p) for p in names))


def _carried(setting: Setting, position: Position, to: Mapping[str, Item]) -> Position:
    there = to[position.item]
    here = setting.item(position.item)

    def place(key: str) -> str:
        issue_id, _, option_id = key.partition("/")
        numbers = [issue.id for issue in here.issues]
        if issue_id not in numbers:
            return key
        issue = there.issues[numbers.index(issue_id) % len(there.issues)]
        options = [option.id for option in setting.issue(issue_id).options]
        return issue.keys[options.index(option_id) % len(issue.options)]

    return position.model_copy(
        update={
            "item": there.id,
            "supports": tuple(dict.fromkeys(map(place, position.supports))),
            "opposes": tuple(dict.fromkeys(map(place, position.opposes))),
        }
    )


def negate(transcript: Transcript, position: str, text: str) -> Planted:
    """The position says the opposite: `text`, and what it supported it opposes and the reverse.

    A red line so negated becomes an offer of what it ruled out.

    Raises:
        KeyError: there is no such position.
    """
    holder, old = transcript.setting.holder(position), transcript.setting.position(position)
    opposite = old.model_copy(
        update={
            "statement": text,
            "spoken": text if old.spoken else "",
            "supports": old.opposes,
            "opposes": old.supports,
            "kind": "offer" if old.kind == "red_line" else old.kind,
        }
    )
    setting = with_positions(
        transcript.setting, lambda p: (opposite if x.id == position else x for x in p.positions)
    )
    mark = Mark(plant="negate", party=holder, position=position, words=text)
    return _changed(transcript, setting, (mark,))


def reorder_positions(transcript: Transcript, seed: int = 0) -> Planted:
    """Every party's positions in another order. Means the same."""
    rng = random.Random(seed)

    def shuffled(party: Party) -> Iterable[Position]:
        return rng.sample(party.positions, k=len(party.positions))

    setting = with_positions(transcript.setting, shuffled)
    marks = (Mark(plant="reorder_positions", party=p.id) for p in setting.parties)
    return _changed(transcript, setting, marks)


def rename_party(transcript: Transcript, party: str, name: str, adjective: str) -> Planted:
    """Another name for the party wherever people read one: setting, statements, the chair's words.

    Its name (with and without article), its short name and its adjective are replaced as whole
    words, in the texts that votes bind too, whose fingerprints follow. Ids and the other aliases
    stay: capitals, leaders and parts of names. Means the same.

    Args:
        transcript: What was debated.
        party: Its id.
        name: The new name as it reads in a sentence, such as `the Northern Republic`.
        adjective: The new adjective.

    Raises:
        KeyError: there is no such party.
    """
    old = transcript.setting.party(party)
    bare, new = old.name.removeprefix("the "), name.removeprefix("the ")
    short = new if old.short == bare else "".join(word[0] for word in new.split())
    words = {bare: new, old.short: short, old.adjective: adjective}
    found = re.compile(rf"\b({'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})\b")
    changed = _reworded(transcript, lambda text: found.sub(lambda m: words[m.group()], text), _READ)
    return Planted(changed, (Mark(plant="rename_party", party=party, words=name),), transcript)


def respace(transcript: Transcript) -> Planted:
    """Wider white space between words: in statements, positions and what the chair says.

    Texts that votes bind stay, because their fingerprints hold their spaces. Means the same.
    """
    gaps = itertools.cycle(("  ", "\n", " \t", "   "))

    def gap(found: re.Match[str]) -> str:
        # A line that begins with a dash or a number may be an entry of a list: that means more.
        following = found.string[found.end()]
        wide = next(gaps)
        return wide if following.isalpha() else wide.replace("\n", "  ")

    def spaced(text: str) -> str:
        return re.sub(r"(?<=\S) (?=\S)", gap, text)

    changed = _reworded(transcript, spaced, _SPACED)
    return Planted(changed, (Mark(plant="respace"),), transcript)


_SPACED = frozenset(("statement", "spoken", "summary", "context", "words"))
"""Fields of the setting and of events whose white space means nothing."""
_READ = _SPACED | {"title", "name", "short", "adjective", "aliases", "why", "question", "label"}
"""Fields that people read; sources keep the names they were published under."""

_Json: TypeAlias = "dict[str, _Json] | list[_Json] | str | int | float | bool | None"


def _reworded(
    transcript: Transcript, change: Callable[[str], str], fields: frozenset[str]
) -> Transcript:
    """The record with these fields as `change` gives them; what was sent to models stays."""
    old = transcript.setting
    within = fields | {"text"} if fields == _READ else fields
    new = Setting.model_validate(_walked(json.loads(old.model_dump_json()), change, within))
    shas = {
        old.text_sha(key): new.text_sha(key)
        for item in old.items
        for issue in item.issues
        for key in issue.keys
    }
    spoken = fields | {"text"}
    events = (_said_anew(event, change, spoken, shas) for event in transcript.events[2:])
    return recorded(transcript, events, new)


def _said_anew(
    event: Event, change: Callable[[str], str], fields: frozenset[str], shas: Mapping[str, str]
) -> Event:
    if isinstance(event, e.ModelCall | e.Text):
        return event
    data = _walked(json.loads(event.model_dump_json()), change, fields)
    return EVENT.validate_python(_bound(data, shas))


def _walked(value: _Json, change: Callable[[str], str], fields: frozenset[str]) -> _Json:
    """The value with `change` made to every string in a field of these names."""
    if isinstance(value, list):
        return [_walked(part, change, fields) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        key: part if key == "source"
        else _each(part, change) if key in fields
        else _walked(part, change, fields)
        for key, part in value.items()
    }  # fmt: skip


def _each(value: _Json, change: Callable[[str], str]) -> _Json:
    if isinstance(value, list):
        return [_each(part, change) for part in value]
    return change(value) if isinstance(value, str) else value


def _bound(value: _Json, shas: Mapping[str, str]) -> _Json:
    """The value with every fingerprint of a text replaced by that of its new wording."""
    if isinstance(value, list):
        return [_bound(part, shas) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        key: shas.get(part, part) if key == "sha" and isinstance(part, str) else _bound(part, shas)
        for key, part in value.items()
    }
