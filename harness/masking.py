"""Hides who is who from a delegation: every word that gives a party away is replaced.

Masks what is sent and unmasks what comes back, so that the record of a masked debate reads like any
other. Places, treaties and events stay: a mask hides names, not what the talks are about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from harness.setting import Setting
from harness.turn import Message, Request, Unreadable, parsed


@dataclass(frozen=True)
class Mask:
    """`us` becomes `party-a` and Washington `Party A`, in seat order."""

    setting: Setting
    language: str = ""
    """The language that delegations are told to speak, as the rules have it."""

    def called(self, party_id: str) -> str:
        """The masked handle of a party."""
        index = [party.id for party in self.setting.parties].index(party_id)
        return f"party-{chr(ord('a') + index)}"

    def hide(self, request: Request) -> Request:
        """The request as the masked delegation sees it."""
        return replace(
            request,
            messages=tuple(
                Message(message.role, tuple(self.masked(part) for part in message.parts))
                for message in request.messages
            ),
            schema=_mapped(request.schema, self._handles, self.masked),
        )

    def masked(self, text: str) -> str:
        """A text with names and position handles replaced."""
        text = self._names_pattern.sub(lambda match: self._names[match.group()], text)
        return self._ids_pattern.sub(lambda match: self._handles[match.group()], text)

    def shown(self, reply: str, request: Request) -> str:
        """A reply with handles and names put back; what is not JSON is left alone."""
        data = parsed(reply)
        if isinstance(data, Unreadable):
            return reply
        back = {self.masked(word): word for word in _words(request.schema)}
        back |= {masked: real for real, masked in self._handles.items()}
        return json.dumps(_mapped(data, back, self._unmasked_prose))

    def _unmasked_prose(self, text: str) -> str:
        for party in self.setting.parties:
            label = _label(self.called(party.id))
            text = text.replace(f"{label} delegation", f"{party.adjective} delegation")
            named = re.compile(rf"(^|[.!?:]\s+)?\b(?:[Tt]he )?{label}\b")
            text = named.sub(partial(_named, party.name), text)
        return text

    @cached_property
    def _names(self) -> Mapping[str, str]:
        # The language to speak is often called like a party's people, and gives nobody away.
        spoken = f"Speak {self.language}"
        names: dict[str, str] = {spoken: spoken} if self.language else {}
        for party in self.setting.parties:
            label = _label(self.called(party.id))
            for word in (party.name, party.adjective, *party.aliases):
                names.setdefault(word, label)
                names.setdefault(word[0].upper() + word[1:], label)
        return names

    @cached_property
    def _handles(self) -> Mapping[str, str]:
        handles = {party.id: self.called(party.id) for party in self.setting.parties}
        for party in self.setting.parties:
            for position in party.positions:
                bare = position.id.removeprefix(f"{party.id}-")
                handles[position.id] = f"{self.called(party.id)}-{bare}"
        return handles

    @cached_property
    def _names_pattern(self) -> re.Pattern[str]:
        return _any_of(self._names, r"\w")

    @cached_property
    def _ids_pattern(self) -> re.Pattern[str]:
        # Party handles alone are words of the language (`us`), so only positions' are looked for;
        # the briefing writes parties by their masked handle itself.
        parties = {party.id for party in self.setting.parties}
        return _any_of({handle for handle in self._handles if handle not in parties}, r"\w-")


def _any_of(words: Mapping[str, str] | set[str], inside: str) -> re.Pattern[str]:
    """A pattern for the words as wholes; `inside` are the characters a whole may not border on."""
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    either = "|".join(map(re.escape, longest_first)) or "(?!)"
    return re.compile(rf"(?<![{inside}])(?:{either})(?![{inside}])")


def _named(name: str, match: re.Match[str]) -> str:
    """A party's name, with a capital where it begins a sentence."""
    start = match.group(1)
    return name if start is None else f"{start}{name[0].upper()}{name[1:]}"


def _label(handle: str) -> str:
    return handle.replace("-", " ").title()


def _words(schema: Any) -> Iterator[str]:
    """Every word an answer may choose."""
    if isinstance(schema, dict):
        yield from schema.get("enum", ())
    parts = schema.values() if isinstance(schema, dict) else schema
    if isinstance(schema, dict | list):
        for part in parts:
            yield from _words(part)


def _mapped(data: Any, names: Mapping[str, str], prose: Any = None) -> Any:
    """JSON with every string that is a name replaced, and the other strings passed to `prose`."""
    if isinstance(data, str):
        return names.get(data, prose(data) if prose else data)
    if isinstance(data, list):
        return [_mapped(part, names, prose) for part in data]
    if isinstance(data, dict):
        return {key: _mapped(part, names, prose) for key, part in data.items()}
    return data
