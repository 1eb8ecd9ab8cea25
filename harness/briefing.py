"""What a delegation is told: mandate and state of play as messages, by personas/prompts.

The layout serves prompt caches: what never changes comes first, then the record, append-only, then
the short instruction for this turn. Nothing earlier is rewritten while a debate runs. Whatever a
party, a file or a model wrote enters through `plain`, so that it cannot close the fence around the
record or forge a turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import jinja2

from harness import events as e
from harness.errors import UserError
from harness.events import Event, may_see
from harness.plain import plain, quoted
from harness.setting import Item, Mandate, Party, Position, Rules, Setting, sha
from harness.state import State
from harness.turn import Legal, Message

BRIEF_LINE = 200
"""Characters of one line of the record that a very small model is shown."""

DECISIONS = {
    "consensus": "Texts are adopted by consensus: one rejection keeps a text in brackets.",
    "majority": "Texts are adopted by majority of those for and against.",
    "veto": "Texts are adopted by majority, unless a party with a veto rejects.",
}


@dataclass(frozen=True)
class PersonaPrompt:
    """One persona prompt: a template with an identity block and a mandate block."""

    name: str
    source: str
    cites: bool
    """Whether the delegation is shown positions and may cite them."""
    masked: bool
    """Whether names that give a party away are replaced."""
    sides: bool = False
    """Whether it is shown the mandates of all parties, confidential positions included: one mind
    that plays every side. A yardstick, and no delegation's prompt."""

    @property
    def sha(self) -> str:
        """Fingerprint of the template."""
        return sha(self.source)

    @cached_property
    def _template(self) -> jinja2.Template:
        return _environment().from_string(_front_matter(self.source)[1])

    def block(self, name: str, **variables: object) -> str:
        """One block of the template, rendered.

        Raises:
            UserError: the template uses a variable that does not exist, or has no such block.
        """
        template = self._template
        try:
            block = template.blocks[name]
            return "".join(block(template.new_context(dict(variables)))).lstrip("\n")
        except KeyError as error:
            raise UserError(f"Persona prompt {self.name!r} has no block {name!r}.") from error
        except jinja2.UndefinedError as error:
            raise UserError(f"Persona prompt {self.name!r}: {error.message}.") from error


def persona_prompt(name: str, folder: Path) -> PersonaPrompt:
    """The persona prompt of this name in the folder, or the file of this path.

    Raises:
        UserError: there is no such prompt, or its front matter or syntax is wrong.
    """
    path = Path(name) if name.endswith(".j2") else folder / f"{name}.md.j2"
    if not path.is_file():
        known = sorted(p.name.removesuffix(".md.j2") for p in folder.glob("*.md.j2"))
        raise UserError(f"There is no persona prompt {name!r}. Known: {', '.join(known)}.")
    return _read(name, path, path.read_text(encoding="utf-8"))


@lru_cache(maxsize=64)
def _read(name: str, path: Path, source: str) -> PersonaPrompt:
    """The prompt in the file; the same text is taken apart and compiled once for all debates."""
    settings, body = _front_matter(source)
    unknown = set(settings) - {"summary", "cites", "masked", "sides"}
    if unknown:
        raise UserError(f"{path}: unknown front matter {', '.join(sorted(unknown))}.")
    try:
        _environment().parse(body)
    except jinja2.TemplateSyntaxError as error:
        offset = source.count("\n") - body.count("\n")
        raise UserError(f"{path}:{error.lineno + offset}: {error.message}.") from error
    return PersonaPrompt(
        name=name,
        source=source,
        cites=bool(settings.get("cites", True)),
        masked=bool(settings.get("masked", False)),
        sides=bool(settings.get("sides", False)),
    )


def _front_matter(source: str) -> tuple[dict[str, Any], str]:
    if not source.startswith("---\n"):
        return {}, source
    head, _, body = source[4:].partition("\n---\n")
    from ruamel.yaml import YAML

    settings = YAML(typ="safe", pure=True).load(head)
    return (settings if isinstance(settings, dict) else {}), body


@cache
def _environment() -> jinja2.Environment:
    """Templates in which every value is data and a missing variable is an error."""
    return jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # prompts are not HTML; _finalize flattens every value
    )


def _finalize(value: object) -> object:
    # An undefined value must reach Jinja as it is, or StrictUndefined could not complain of it.
    return value if isinstance(value, jinja2.Undefined) else plain(value)


@dataclass(frozen=True)
class Briefer:
    """Writes the messages of one seat."""

    setting: Setting
    rules: Rules
    party: Party
    prompt: PersonaPrompt
    speech: str
    memory: str
    parts: Path
    """Folder with the templates all prompts share."""
    brief: bool = False
    """Core positions and the options' gists only, for a very small model."""
    called: Callable[[str], str] = str
    """How a party's handle is written; the handle itself unless the prompt is masked."""

    @cached_property
    def system(self) -> Message:
        """What never changes: procedure and identity."""
        procedure = self.part(
            "procedure",
            title=self.setting.title,
            as_of=self.setting.as_of,
            parties=[(self.called(party.id), party.name) for party in self.setting.parties],
            silence=self.rules.silence,
            decision=DECISIONS[self.rules.decision],
            free=self.speech == "free",
            language=self.rules.language,
        )
        return Message("system", (procedure, self.prompt.block("identity", party=self.party)))

    def messages(
        self,
        record: Sequence[Event],
        state: State,
        mandate: Mandate,
        legal: Legal,
        now: str,
        task: str,
        repair: str | None = None,
    ) -> tuple[Message, ...]:
        """The messages of one turn, from what the party may see of the record."""
        parts: list[str] = []
        for event in record:
            if isinstance(event, e.DebateOpened):
                continue
            if isinstance(event, e.ItemOpened):
                if self.memory == "item":
                    parts.clear()
                parts.append(("</record>\n" if parts else "") + self._opened(event.item))
                continue
            if may_see(event, self.party.id) and (line := self.line(event)):
                parts.append(_shortened(line) if self.brief else line)
        parts.append(self._turn(state, mandate.item, legal, now, task))
        if repair is not None:
            parts.append(self.part("repair", error=repair))
        if self.brief:
            parts = [_in_numbers(part, self.setting) for part in parts]
        return (self.system, Message("user", tuple(parts)))

    def _opened(self, item: str) -> str:
        """What an item opens with; the same at every turn."""
        if item not in self._items:
            self._items[item] = _item_text(self, item)
        return self._items[item]

    @cached_property
    def _items(self) -> dict[str, str]:
        return {}

    def part(self, name: str, **variables: object) -> str:
        """One of the shared templates, rendered."""
        return shared_part(self.parts, name, **variables)

    def _turn(self, state: State, item: Item, legal: Legal, now: str, task: str) -> str:
        issues = [state.issues[issue.id] for issue in item.issues]
        return self.part(
            "turn",
            now=now,
            task=task,
            offers=[
                (o.id, self.called(o.party), o.key)
                for issue in issues
                if not issue.settled
                for o in issue.open_offers
            ],
            tabled=[f"{i.issue}/{i.tabled.option}" for i in issues if i.tabled and not i.settled],
            settled=[i.issue for i in issues if i.settled],
        )

    def line(self, event: Event) -> str | None:
        """How an event reads in the record; None for what is not part of it."""
        return _line(event, self.party.id, self.called)


def _shortened(line: str) -> str:
    """A line of the record, cut for a very small model; what is cut is prose, never a move."""
    return line if len(line) <= BRIEF_LINE else line[: BRIEF_LINE - 3] + "\u2026\u00bb\n"


def _in_numbers(text: str, setting: Setting) -> str:
    """The text with `issue/option` as `2b`: number of the issue in its item, and the option."""
    numbers = {issue.id: str(n) for item in setting.items for n, issue in enumerate(item.issues, 1)}

    def shortened(found: re.Match[str]) -> str:
        return numbers[found[1]] + found[2] if found[1] in numbers else found[0]

    return _KEY.sub(shortened, text)


_KEY = re.compile(r"(?<![\w-])([a-z0-9]+(?:-[a-z0-9]+)*)/([a-z0-9-]+)")


def shared_part(folder: Path, name: str, **variables: object) -> str:
    """One of the templates all prompts share, rendered."""
    return _part(folder / f"{name}.md.j2").render(**variables)


@cache
def _part(path: Path) -> jinja2.Template:
    return _environment().from_string(path.read_text(encoding="utf-8"))


def _item_text(briefer: Briefer, item_id: str) -> str:
    item = briefer.setting.item(item_id)
    parties = briefer.setting.parties if briefer.prompt.sides else ()
    mandate = briefer.prompt.block(
        "mandate",
        party=briefer.party,
        item=item,
        positions=_positions(briefer, briefer.party, item_id),
        sides=[(party, _positions(briefer, party, item_id)) for party in parties],
    )
    return briefer.part("item", item=item, brief=briefer.brief) + mandate + "\n<record>\n"


def _positions(briefer: Briefer, party: Party, item_id: str) -> tuple[Position, ...]:
    """A party's positions on the item; for a very small model those that decide something."""
    mandate = briefer.setting.mandate(party.id, item_id)
    return mandate.core if briefer.brief else mandate.positions


def _line(event: Event, seat: str, called: Callable[[str], str]) -> str | None:
    match event:
        case e.Statement():
            whom = "you" if event.party == seat else called(event.party)
            cites = f" [cites {', '.join(event.citations)}]" if event.citations else ""
            aside = " (in private)" if event.phase == "caucus" else ""
            return f"[{event.turn}] {whom}{aside}: {quoted(event.text)}{cites}\n"
        case e.MoveMade():
            words = move_words(event.move, event.offer, called)
            return f"[{event.turn}] {called(event.party)} moves: {words}\n"
        case e.RuledOut():
            return f"[{event.turn}] ruled out of order: {called(event.party)}: {plain(event.why)}\n"
        case e.TurnFailed():
            return f"[{event.turn}] {called(event.party)} gave no answer\n"
        case e.VoteCast():
            text = f"{event.issue}/{event.option}"
            return f"[{event.turn}] {called(event.party)} votes {event.vote} on {text}\n"
        case e.Note():
            return f"[{event.turn}] your private note: {quoted(event.text)}\n"
        case e.Injected():
            return f"chair announces: {quoted(event.inject.text)}\n"
        case e.CaucusOpened():
            return f"private meeting of {', '.join(map(called, event.parties))}\n"
        case e.Tabled():
            return f"chair tables {event.issue}/{event.option}\n"
        case e.Decided():
            text = f" {event.issue}/{event.option}" if event.option else f" {event.issue}"
            return f"decided:{text}: {event.outcome} ({plain(_count(event, called))})\n"
        case e.PackageRuled():
            return f"chair: {plain(event.why)}\n"
        case e.ItemClosed():
            return f"chair: {plain(event.words)}\n"
        case _:
            return None


def _count(decision: e.Decided, called: Callable[[str], str]) -> str:
    """How an issue was decided; parties by the handle the reader knows them by."""
    if decision.by != "vote":
        return decision.why
    favour = len(decision.accept) + len(decision.reserve)
    words = f"{favour} for, {len(decision.reject)} against"
    if decision.reject:
        words += f": {', '.join(map(called, decision.reject))}"
    if decision.missing:
        words += f"; no answer from {', '.join(map(called, decision.missing))}"
    return words


def move_words(move: e.Move, offer: str | None, called: Callable[[str], str] = str) -> str:
    """A move in a few words, with the handle of the offer it made or answers."""
    if move.move == "ask":
        return f"ask {called(move.to or '')} about {move.issue}"
    handle = offer or move.offer
    words = f"{move.move} {handle}: {move.key}" if handle else f"{move.move} {move.key}"
    return words + (f" in return for {move.in_return_for}" if move.in_return_for else "")
