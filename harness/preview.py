"""What a delegation would be told at a moment of a debate, without asking a language model.

The debate is held as always, with the reference negotiator in every seat until the moment comes;
then one seat reads prompts, and what it is sent is kept. So what is shown is what a debate sends,
not a rendering of its own. Two such moments can be compared, section by section.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Literal, NamedTuple

import jinja2

from harness import events as e
from harness.briefing import PersonaPrompt, persona_prompt
from harness.debate import Room, debate
from harness.errors import UserError
from harness.loading import personas_root
from harness.models.budget import Budget
from harness.models.prices import PriceList
from harness.models.reference import Reference
from harness.seating import Means, Seating, Wishes, reads_prompts, run_card, seat_cards
from harness.setting import Agenda, Setting
from harness.turn import Reply, Request

Moment = Literal["opening", "round", "decision"]
"""Which of a delegation's turns on an item: its opening statement, its first in the rounds, its
first formal decision."""

SectionName = Literal["procedure", "identity", "item and mandate", "record", "this turn"]

CONTEXT = 1
"""Unchanged lines that are kept on either side of a change."""


class Section(NamedTuple):
    """A part of a message that answers one question: how it works, who I am, what I want ..."""

    role: Literal["system", "user"]
    name: SectionName
    text: str


@dataclass(frozen=True)
class Told:
    """Everything one delegation is sent for one turn."""

    seat: e.Seat
    request: Request
    """As it reaches what sits there: behind a masked prompt, with the names replaced."""

    @property
    def sections(self) -> tuple[Section, ...]:
        """The messages in their order, part by part; together they are the whole of what is sent.

        The record is one section, and is left out where nothing has been said yet.
        """
        system, user = self.request.messages
        procedure, identity = system.parts
        opened, *record, turn = user.parts
        sections = (
            Section("system", "procedure", procedure),
            Section("system", "identity", identity),
            Section("user", "item and mandate", opened),
            Section("user", "record", "".join(record)),
            Section("user", "this turn", turn),
        )
        return tuple(each for each in sections if each.text or each.name != "record")

    @property
    def schema(self) -> str:
        """The JSON Schema of the answer, to be read by people."""
        return json.dumps(self.request.schema, indent=2, ensure_ascii=False) + "\n"


class DiffLine(NamedTuple):
    """One line of a comparison."""

    mark: Literal["-", "+", " ", "…"]
    """Only before, only after, in both; `…` stands for lines in both that are left out."""
    text: str


async def told(
    setting: Setting,
    agenda: Agenda,
    party: str,
    wishes: Wishes,
    *,
    moment: Moment = "opening",
    env: Mapping[str, str] = os.environ,
) -> Told:
    """What the party's delegation is sent at this moment of the agenda's first item.

    Before that moment the reference negotiator speaks and moves for everybody, as in a debate where
    it sits in all the other seats; in the opening statements nobody has heard anything yet.

    Args:
        setting: the whole setting.
        agenda: what is debated, by whom, by which rules.
        party: whose delegation.
        wishes: model, persona prompt and speech of the seats, as for a debate.
        moment: which of its turns.
        env: where keys of providers are looked for, to tell what the model `auto` stands for.

    Raises:
        UserError: a party, model or prompt does not exist; the prompt has a mistake; nothing in the
            seat reads prompts; or the moment does not come.
    """
    name = wishes.prompts.get(party, wishes.prompt)
    prompt = _readable(name)
    try:
        return await _listened(setting, agenda, party, wishes, moment, env)
    except (UserError, jinja2.TemplateError, ArithmeticError, TypeError, ValueError) as error:
        misplaced = _in_template(error, prompt)
        if misplaced is None:
            raise
        raise misplaced from error


async def _listened(
    setting: Setting,
    agenda: Agenda,
    party: str,
    wishes: Wishes,
    moment: Moment,
    env: Mapping[str, str],
) -> Told:
    seats = seat_cards(setting.only(agenda), wishes, env)
    by_id = {each.seat: each for each in seats if each.seat != e.CHAIR}
    if party not in by_id:
        raise UserError(f"No seat named {party!r} at this table; the seats are {', '.join(by_id)}.")
    seat = by_id[party]
    if not reads_prompts(seat):
        raise UserError(
            f"{seat.model} reads no prompts: name a language model, for example --model local."
        )
    card = run_card(setting, agenda, tuple(_unasked(each, party) for each in seats), seed=0)
    room = Seating(card, Means(Budget(), PriceList({}), env)).room()
    listener = _Listener()
    request = await _overheard(_with(room, party, listener), card, moment, listener)
    return Told(seat, request)


def _unasked(seat: e.Seat, shown: str) -> e.Seat:
    """The seat without its model; the one that is shown keeps all else that decides its prompt."""
    speech = seat.speech if seat.seat == shown else "composed"
    return seat.model_copy(update={"model": "reference", "speech": speech})


def _with(room: Room, party: str, listener: _Listener) -> Room:
    """The room with the listener in the party's seat."""
    listening = replace(room.delegations[party], model=listener)
    return replace(room, delegations={**room.delegations, party: listening})


async def _overheard(room: Room, card: e.RunCard, moment: Moment, listener: _Listener) -> Request:
    item = room.setting.items[0].id
    async with aclosing(debate(room, card)) as happening:
        async for event in happening:
            if listener.heard is not None:
                return listener.heard
            if isinstance(event, e.RoundOpened):
                listener.reads_prompts = event.phase == moment
            if isinstance(event, e.ItemClosed):
                break
    raise UserError(
        f"On {item} there is no {moment} turn to show: the rules leave it out, or everything is "
        "agreed before it. Choose another --phase, or another item."
    )


class _Listener:
    """The reference negotiator, which at the right moment also reads its prompt."""

    metered = False

    def __init__(self) -> None:
        self.reads_prompts = False
        self.heard: Request | None = None
        self._negotiator = Reference()

    async def answer(self, request: Request) -> Reply:
        if self.reads_prompts:
            self.heard = request
        return await self._negotiator.answer(request)


def _readable(name: str) -> PersonaPrompt:
    """The persona prompt, with the place of what is wrong with its file.

    Raises:
        UserError: there is no such prompt, or its file cannot be read.
    """
    from ruamel.yaml.error import MarkedYAMLError

    folder = personas_root() / "prompts"
    path = _path(name)
    if name.endswith(".j2") and not path.is_file():
        raise UserError(f"There is no file {path}: give a persona prompt's path, or its name.")
    try:
        return persona_prompt(name, folder)
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: byte {error.start + 1} is not UTF-8; save it as UTF-8."
        ) from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1  # after the first `---`
        raise UserError(f"{path}:{line}: front matter: {error.problem}.") from error


def _path(name: str) -> Path:
    """Where the prompt's file is, as the user would name it."""
    return Path(name) if name.endswith(".j2") else personas_root() / "prompts" / f"{name}.md.j2"


def _in_template(error: Exception, prompt: PersonaPrompt) -> UserError | None:
    """The error with its place in the prompt's file; None if it is not the prompt's."""
    cause = error.__cause__ if isinstance(error, UserError) else error
    line = None if cause is None else _line_of(cause)
    if cause is None or line is None:
        return None
    body = prompt.source.partition("\n---\n")[2] if prompt.source.startswith("---\n") else ""
    above = prompt.source.count("\n") - body.count("\n") if body else 0
    said = str(cause).rstrip(".")
    return UserError(f"{_path(prompt.name)}:{line + above}: {said}.")


def _line_of(error: BaseException) -> int | None:
    """The line of the template in which it was raised, counted below the front matter."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.lineno
    found, frame = None, error.__traceback__
    while frame is not None:
        template = frame.tb_frame.f_globals.get("__jinja_template__")
        # The templates that all prompts share have no blocks: a mistake there is a defect of ours.
        if template is not None and template.blocks:
            found = template.get_corresponding_lineno(frame.tb_lineno)
        frame = frame.tb_next
    return found


def differences(before: str, after: str) -> tuple[DiffLine, ...]:
    """Two texts line by line; long runs of equal lines are folded. Empty where they are equal."""
    if before == after:
        return ()
    old, new = before.splitlines(), after.splitlines()
    lines: list[DiffLine] = []
    changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for index, (kind, i, j, k, m) in enumerate(changes):
        if kind == "equal":
            first, last = index == 0, index == len(changes) - 1
            lines += _folded(old[i:j], head=0 if first else CONTEXT, tail=0 if last else CONTEXT)
        else:
            lines += [DiffLine("-", line) for line in old[i:j]]
            lines += [DiffLine("+", line) for line in new[k:m]]
    return tuple(lines)


def _folded(lines: list[str], *, head: int, tail: int) -> list[DiffLine]:
    """Equal lines; all but the outer ones become a count, where that is shorter."""
    hidden = len(lines) - head - tail
    if hidden < 2:
        return [DiffLine(" ", line) for line in lines]
    return [
        *(DiffLine(" ", line) for line in lines[:head]),
        DiffLine("…", f"{hidden} lines alike"),
        *(DiffLine(" ", line) for line in lines[len(lines) - tail :]),
    ]
