"""D8: whether cited positions exist, are the speaker's own and bear on the item.

Citations are collected wherever a delegation names a position: typed citations, the `because` of
moves and votes, ids written into the statement, and the raw replies of calls that were rejected.
The schema of an answer makes wrong ids impossible where a provider enforces it, so what was tried
and rejected is often the only place where they show.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias, get_args

from evals import subject
from evals.evaluator import Evidence, Marker, Result, evaluator, evidence
from evals.record import debated, reaches_others
from harness import events as e
from harness.setting import Setting
from harness.transcript import Transcript

Where = Literal["typed", "because", "prose", "rejected"]
"""typed: the citations of a statement; because: behind a move or vote; prose: written in a
statement; rejected: in the raw reply of a call whose answer was not used."""

Verdict = Literal["valid", "nonexistent", "other_party", "confidential_in_public", "wrong_item"]
"""The first that applies, in the order: nonexistent, another party's, confidential, wrong item."""

_IN_BRACKETS = re.compile(r"\[\s*([A-Za-z0-9]+(?:-[A-Za-z0-9]+)+(?:\s*[,;]\s*[A-Za-z0-9-]+)*)\s*\]")
_WORD = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+")

_MASKED = re.compile(r"party-([a-z])-(.+)")

_Json: TypeAlias = "dict[str, _Json] | list[_Json] | str | int | float | bool | None"


class Citation(NamedTuple):
    """One naming of a position."""

    party: str
    item: str
    id: str
    where: Where
    verdict: Verdict
    evidence: Evidence


def verdict(setting: Setting, party: str, item: str, cited: str, *, public: bool) -> Verdict:
    """Whether the party may cite this id on this item; `public` if others hear it."""
    try:
        holder, position = setting.holder(cited), setting.position(cited)
    except KeyError:
        return "nonexistent"
    if holder != party:
        return "other_party"
    if public and position.visibility == "confidential":
        return "confidential_in_public"
    return "valid" if position.item == item else "wrong_item"


def citations(transcript: Transcript) -> tuple[Citation, ...]:
    """Every naming of a position in the record, in the order of events."""
    rejected = {call.call for call in rejected_calls(transcript)}
    return tuple(
        Citation(
            party,
            item,
            cited,
            where,
            verdict(transcript.setting, party, item, cited, public=reaches_others(event, party)),
            evidence(event, cited),
        )
        for event in transcript.events
        for party, item, cited, where in _named(transcript, event, rejected)
    )


_Named: TypeAlias = tuple[str, str, str, Where]


def _named(transcript: Transcript, event: e.EventBase, rejected: set[str]) -> Iterator[_Named]:
    match event:
        case e.Statement():
            for cited in event.citations:
                yield event.party, event.item, cited, "typed"
            for cited in _in_prose(event.text, transcript.setting):
                if cited not in event.citations:
                    yield event.party, event.item, cited, "prose"
        case e.MoveMade() | e.RuledOut():
            if event.move.because:
                yield event.party, event.item, event.move.because, "because"
        case e.VoteCast():
            if event.because:
                yield event.party, event.item, event.because, "because"
        case e.ModelCall() if event.call in rejected:
            for cited in dict.fromkeys(_in_json(_parsed(event.reply))):
                real = _unmasked(transcript.setting, cited)
                yield event.seat, _item_of(event), real, "rejected"
        case _:
            pass


def _in_prose(text: str, setting: Setting) -> Iterator[str]:
    """Ids in square brackets, existing or not, and existing ids anywhere; each once."""
    found = [cited for group in _IN_BRACKETS.findall(text) for cited in _WORD.findall(group)]
    for word in _WORD.findall(text):
        try:
            setting.holder(word)
        except KeyError:
            continue
        found.append(word)
    yield from dict.fromkeys(found)


def rejected_calls(transcript: Transcript) -> tuple[e.ModelCall, ...]:
    """The calls to delegations that brought a reply which could not be used."""
    unread = {event.call for event in transcript.events if isinstance(event, e.Unread)}
    return tuple(call for call in transcript.calls if call.reply and call.call in unread)


def _item_of(call: e.ModelCall) -> str:
    return call.call.partition("/")[0]


def _unmasked(setting: Setting, cited: str) -> str:
    """The id behind a masked one (`party-a-x` for what the first party calls `us-x`); else itself.

    Raw replies of a masked delegation name positions as it saw them.
    """
    match = _MASKED.fullmatch(cited)
    index = ord(match.group(1)) - ord("a") if match else len(setting.parties)
    if match is None or index >= len(setting.parties):
        return cited
    party = setting.parties[index]
    own = {position.id for position in party.positions}
    behind = (f"{party.id}-{match.group(2)}", match.group(2))
    return next((handle for handle in behind if handle in own), cited)


def _parsed(reply: str | None) -> _Json:
    """The JSON of a raw reply, also inside a fence; None where there is none."""
    text = (reply or "").strip()
    if text.startswith("```") and text.endswith("```"):
        text = text[3:-3].removeprefix("json")
    try:
        parsed: _Json = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed


def _in_json(value: _Json) -> Iterator[str]:
    """Ids under `citations` and `because`, wherever they stand."""
    if isinstance(value, list):
        for part in value:
            yield from _in_json(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key in ("citations", "because"):
                parts = part if isinstance(part, list) else [part]
                yield from (cited for cited in parts if isinstance(cited, str) and cited)
            else:
                yield from _in_json(part)


@evaluator("citations", version=1)
def validity(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D8: valid citations of all, by party and error class, and the core positions that were cited.

    Citations in answers that were not used are kept apart (`tried_valid`): they never reached the
    record, but show what the model would have cited.
    """
    found = citations(transcript)
    unread = [c.seat for c in rejected_calls(transcript) if _parsed(c.reply) is None]
    for party in transcript.state.parties:
        own = [citation for citation in found if citation.party == party]
        yield from _rates(mark, subject.party(party), own, unread.count(party))
        yield _coverage(transcript, mark, party, own)
    yield from _rates(mark, subject.DEBATE, found, len(unread))


def _rates(mark: Marker, about: str, found: Iterable[Citation], unread: int) -> Iterator[Result]:
    listed = tuple(found)
    record = [c for c in listed if c.where != "rejected"]
    tried = [c for c in listed if c.where == "rejected"]
    yield mark.rate(
        about, "valid", sum(c.verdict == "valid" for c in record), len(record),
        _classes(record), evidence=[c.evidence for c in record],
    )  # fmt: skip
    yield mark.rate(
        about, "tried_valid", sum(c.verdict == "valid" for c in tried), len(tried),
        f"in answers that were not used: {_classes(tried)}",
        unscored=unread, evidence=[c.evidence for c in tried],
    )  # fmt: skip
    for kind in get_args(Verdict)[1:]:
        wrong = [c for c in listed if c.verdict == kind]
        if wrong:
            yield mark.score(
                about, f"error_{kind}", len(wrong), f"citations: {_ids(wrong)}",
                n=len(listed), evidence=[c.evidence for c in wrong],
            )  # fmt: skip


def _classes(found: list[Citation]) -> str:
    counts = Counter(citation.verdict for citation in found)
    return "citations: " + (", ".join(f"{n} {kind}" for kind, n in counts.items()) or "none")


def _ids(found: list[Citation]) -> str:
    return ", ".join(f"{c.id} by {c.party} ({c.where})" for c in found)


def _coverage(transcript: Transcript, mark: Marker, party: str, own: list[Citation]) -> Result:
    """Share of the party's public core positions on the debated items that it cited."""
    items = {item.id for item in debated(transcript)}
    core = [
        position.id
        for position in transcript.setting.party(party).positions
        if position.item in items
        and position.priority == "core"
        and position.visibility == "public"
    ]
    aloud = {c.id: c for c in own if c.where != "rejected" and c.verdict in ("valid", "wrong_item")}
    cited = [position for position in core if position in aloud]
    missed = [position for position in core if position not in aloud]
    return mark.rate(
        subject.party(party), "coverage", len(cited), len(core),
        f"core positions cited at least once; never cited: {', '.join(missed) or 'none'}",
        evidence=[aloud[position].evidence for position in cited], interval=False,
    )  # fmt: skip
