"""A person in the seat, at the terminal, with mandate, options and offers in view.

The person types one command a line and ends the turn with `done`. The answer goes through the same
schema, the same mechanism and the same record as any other seat's. Where a model stands in, `leave`
hands the seat over to it.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.events import CHAIR
from harness.plain import plain
from harness.turn import Reply, Request, Seated, Unreadable, read

HELP = """\
  say WORDS...                    what you say aloud
  propose ISSUE/OPTION            table an offer
  concede ISSUE/OPTION            replace your offer; add `for ISSUE/OPTION` to ask a return
  accept | reserve | reject O1    answer another party's offer
  withdraw O1                     take your own offer back
  ask PARTY ISSUE                 put a question
  vote ISSUE accept               or reserve, reject, abstain
  cite POSITION                   cite a position of yours
  because POSITION                the position behind the last move or vote
  show mandate | options | offers, undo, help, done\
"""

LEAVE = """
  leave                           let the model that stands in go on from here\
"""


class Human:
    """Asks a person; a mistyped command is said at once and changes nothing."""

    metered = False

    def __init__(
        self,
        ask: Callable[[str], str] = input,
        tell: Callable[[str], None] | None = None,
        stand_in: Seated | None = None,
    ) -> None:
        """Take what asks for a line, what shows one, and who goes on when the person leaves."""
        self._ask = ask
        self._tell = tell or _print
        self._stand_in = stand_in
        self._gone = False
        self.reads_prompts = stand_in is not None and stand_in.reads_prompts

    async def answer(self, request: Request) -> Reply:
        """What the person typed, as JSON. Closing the terminal interrupts the debate."""
        ask = self._voice if request.seat == CHAIR else self._turn
        text = None if self._gone else await asyncio.to_thread(ask, request)
        if text is not None:
            return Reply(text=text, model="human", finish="stop")
        self._gone = True
        assert self._stand_in is not None
        reply = await self._stand_in.answer(request)
        said = {"instead_of": "human", "because": "the person had left"}
        return replace(reply, parameters={**reply.parameters, **said})

    def _voice(self, request: Request) -> str | None:
        """The chair's words on what the chair has done; the fixed phrase stands without any."""
        for message in request.messages:
            self._tell(plain(message.text))
        self._tell("Type the chair's words, or nothing to let the fixed phrase stand.")
        line = self._line("chair> ")
        return None if self._leaves(line) else json.dumps({"statement": line})

    def _line(self, prompt: str) -> str:
        try:
            return self._ask(prompt).strip()
        except EOFError as error:
            raise KeyboardInterrupt from error

    def _leaves(self, line: str) -> bool:
        return line == "leave" and self._stand_in is not None

    def _turn(self, request: Request) -> str | None:
        """The answer that was typed; None where the person left and the stand-in goes on."""
        party = request.setting.party(request.seat)
        self._tell(f"\nYou are {party.name}. Item: {request.item.title}. {_moment(request)}")
        for line in (*_mandate(request), *_options(request), *_offers(request)):
            self._tell(line)
        self._tell(HELP + (LEAVE if self._stand_in is not None else ""))
        draft = Draft(request)
        while True:
            line = self._line(f"{party.short}> ")
            if self._leaves(line):
                return None
            if line == "done":
                text = json.dumps(draft.data)
                outcome = read(text, request, own_words=True)
                if not isinstance(outcome, Unreadable):
                    return text
                self._tell(f"  not yet: {outcome.why}")
            elif line:
                for said in _obey(line, draft, request):
                    self._tell(f"  {said}")


class Draft:
    """An answer as it is being typed."""

    def __init__(self, request: Request) -> None:
        """Start with an empty answer that has every part the schema wants."""
        wanted = request.schema["properties"]
        empty: dict[str, Any] = {
            "citations": [],
            "moves": [],
            "votes": {},
            "statement": "",
            "note": "",
        }
        self.data: dict[str, Any] = {key: empty[key] for key in wanted}
        self.speaks_as = "statement" if "statement" in wanted else "say"
        self.cites = bool(request.legal.citable)
        self.last: dict[str, Any] | None = None

    def add(self, move: dict[str, Any]) -> None:
        """Add a move; `because` may follow."""
        if self.cites:
            move["because"] = None
        self.data["moves"].append(move)
        self.last = move


def _obey(line: str, draft: Draft, request: Request) -> list[str]:
    """Carry out one command, and what to say about it."""
    try:
        verb, *words = shlex.split(line) if not line.startswith("say ") else ["say", line[4:]]
    except ValueError as error:
        return [f"cannot read that: {error}"]
    match verb, words:
        case "say", [text]:
            draft.data[draft.speaks_as] = text
        case ("propose", [text]) | ("concede", [text]):
            extra = {"in_return_for": None} if verb == "concede" else {}
            return _move(draft, {"move": verb, "text": text, **extra}, request)
        case "concede", [text, "for", wanted]:
            return _move(draft, {"move": verb, "text": text, "in_return_for": wanted}, request)
        case (("accept" | "reserve" | "reject" | "withdraw"), [offer]):
            return _move(draft, {"move": verb, "offer": offer}, request)
        case "ask", [party, issue]:
            return _move(draft, {"move": "ask", "to": party, "issue": issue}, request)
        case "vote", [issue, vote] if issue in request.legal.votes:
            draft.last = {"vote": vote} | ({"because": None} if draft.cites else {})
            draft.data["votes"][issue] = draft.last
        case "cite", [position] if position in request.legal.citable:
            draft.data["citations"].append(position)
        case "because", [position] if position in request.legal.citable and draft.last:
            draft.last["because"] = position
        case "undo", [] if draft.data.get("moves"):
            draft.data["moves"].pop()
            draft.last = None
        case "show", ["mandate"]:
            return _mandate(request)
        case "show", ["options"]:
            return _options(request)
        case "show", ["offers"]:
            return _offers(request) or ["no open offers"]
        case "help", []:
            return HELP.splitlines()
        case _:
            return [f"{line!r} cannot be done here; `help` lists what can"]
    return ["noted"]


def _move(draft: Draft, move: dict[str, Any], request: Request) -> list[str]:
    if "moves" not in draft.data:
        return ["no moves are made in this phase"]
    draft.add(move)
    trial = {**draft.data, "moves": [move]}
    if draft.speaks_as == "statement":
        trial["statement"] = "trial"
    outcome = read(json.dumps(trial), request, own_words=True)
    if isinstance(outcome, Unreadable):
        draft.data["moves"].pop()
        draft.last = None
        return [f"not possible: {outcome.why}"]
    return ["noted"]


def _moment(request: Request) -> str:
    return {
        "opening": "Opening statements.",
        "round": f"Round {request.round} of {request.rules.rounds}.",
        "reply": "You were asked a question.",
        "caucus": "Private meeting: talk only.",
        "decision": "Decide on the tabled texts.",
    }[request.phase]


def _mandate(request: Request) -> list[str]:
    lines = ["Your positions:"]
    for p in request.mandate.positions:
        kind = p.kind.replace("_", " ")
        lines.append(
            f"  {p.id} ({kind}, firmness {p.firmness}, {p.visibility}) {plain(p.statement)}"
        )
    return lines if len(lines) > 1 else ["You have no documented position on this item."]


def _options(request: Request) -> list[str]:
    lines: list[str] = []
    for issue in request.item.issues:
        if request.state.issues[issue.id].settled:
            continue
        lines.append(f"{issue.question}")
        for option in issue.options:
            key = issue.key(option)
            mark = "x" if key in request.mandate.red_lines else " "
            lines.append(f"  {mark} {key} {plain(option.text)}")
    return [*lines, "  (x: would cross your red line)"]


def _offers(request: Request) -> list[str]:
    issues = [request.state.issues[issue] for issue in request.legal.issues]
    offers = [f"  {o.id} by {o.party}: {o.key}" for i in issues for o in i.open_offers]
    tabled = [f"  tabled: {i.issue}/{i.tabled.option}" for i in issues if i.tabled]
    return ["On the table:", *offers, *tabled] if offers or tabled else []


def _print(text: str) -> None:
    import sys

    sys.stdout.write(text + "\n")
    sys.stdout.flush()
