"""Lines and moves written beforehand: a seat that says what a file tells it to.

A script is a YAML list. Each entry names where it belongs (`item`, and `round`: 0 for the opening
statement, 1, 2, ... for the rounds, or the words reply, caucus, decision) and what is done there:
`say`, `cite`, `moves` (`propose`, `accept`, ... by `issue/option`, with `because`) and `votes`.
Turns without an entry fall to the model named beside the script.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from harness.errors import UserError
from harness.events import MoveKind, VoteChoice
from harness.turn import Reply, Request, Seated


class Line(BaseModel):
    """What is said and done in one turn."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    item: str
    round: Annotated[int, Field(ge=0)] | Literal["reply", "caucus", "decision"]
    say: str | None = None
    """The statement, word for word; composed from the citations and moves where left out."""
    cite: tuple[str, ...] = ()
    moves: tuple[dict[str, str], ...] = ()
    """Each one move: `{propose: issue/option}`, `{ask: issue, to: party}`; `because` and
    `in_return_for` may stand beside it."""
    votes: dict[str, VoteChoice | dict[str, str]] = {}
    """Issue -> vote, or `{vote: reject, because: position}`."""


_LINES = TypeAdapter(tuple[Line, ...])
_KINDS: tuple[str, ...] = MoveKind.__args__  # type: ignore[attr-defined]  # Literal keeps them there


def read_script(path: Path) -> tuple[Line, ...]:
    """The lines of a script file.

    Raises:
        UserError: the file cannot be read or an entry is not of the form above.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    try:
        data = YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}.") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise UserError(f"{path}:{line}: {error.problem}.") from error
    try:
        lines = _LINES.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        line = _line_of(data, first["loc"])
        raise UserError(f"{path}:{line}: {where}: {first['msg']}.") from error
    for number, entry in enumerate(lines):
        for move in entry.moves:
            if sum(kind in move for kind in _KINDS) != 1:
                raise UserError(
                    f"{path}:{_line_of(data, (number,))}: a move names exactly one of "
                    f"{', '.join(_KINDS)}, not {dict(move)}."
                )
    return lines


def _line_of(data: Any, place: tuple[int | str, ...]) -> int:
    try:
        return int(data.lc.item(place[0])[0]) + 1
    except (AttributeError, IndexError, KeyError, TypeError):
        return 1


class Scripted:
    """A seat that follows a script, and lets another seat answer the rest."""

    def __init__(self, lines: tuple[Line, ...], otherwise: Seated) -> None:
        """Take the lines and what answers unscripted turns."""
        self._lines = lines
        self._otherwise = otherwise
        self.reads_prompts = otherwise.reads_prompts
        self.metered = False  # a scripted line costs nothing; the other seat counts its own calls

    async def answer(self, request: Request) -> Reply:
        """The scripted answer to this turn, or the other seat's.

        A line that no longer fits (its offer is gone, its option is unknown) is answered to the
        letter and then fails like any other unreadable reply; it is never bent into shape. Its
        repair is left to the other seat.
        """
        line = self._line(request)
        if line is None or request.attempt > 1:
            return await self._otherwise.answer(request)
        data = _data(line, request)
        return Reply(text=json.dumps(data), model="script", finish="stop", constrained=True)

    def _line(self, request: Request) -> Line | None:
        where = request.round if request.phase in ("opening", "round") else request.phase
        for line in self._lines:
            if line.item == request.item.id and line.round == where:
                return line
        return None


def _data(line: Line, request: Request) -> dict[str, Any]:
    data: dict[str, Any] = {}
    wanted = request.schema["properties"]
    if "citations" in wanted or line.cite:
        data["citations"] = list(line.cite)
    if "moves" in wanted or line.moves:
        data["moves"] = [_move(move, request) for move in line.moves]
    if "votes" in wanted:
        data["votes"] = {issue: _vote(line, request, issue) for issue in request.legal.votes}
    if "note" in wanted:
        data["note"] = ""
    if "statement" in wanted:
        data["statement"] = line.say or "We refer to our position on record."
    elif line.say is not None:
        data["say"] = line.say
    return data


def _move(move: dict[str, str], request: Request) -> dict[str, Any]:
    kind = next(k for k in _KINDS if k in move)
    because = {"because": move.get("because")} if request.legal.citable else {}
    if kind == "ask":
        return {"move": kind, "to": move.get("to"), "issue": move[kind], **because}
    if kind in ("propose", "concede"):
        data: dict[str, Any] = {"move": kind, "text": move[kind]}
        if kind == "concede":
            data["in_return_for"] = move.get("in_return_for")
        return data | because
    return {"move": kind, "offer": _offer(move[kind], kind, request), **because}


def _offer(named: str, kind: str, request: Request) -> str:
    """The handle of the open offer meant: a handle is taken as it is, a text is looked up."""
    issue = request.state.issues.get(named.partition("/")[0])
    if issue is None:
        return named
    mine = kind == "withdraw"
    for offer in reversed(issue.open_offers):
        if offer.key == named and (offer.party == request.seat) == mine:
            return offer.id
    return named


def _vote(line: Line, request: Request, issue: str) -> dict[str, Any]:
    given = line.votes.get(issue)
    vote = given.get("vote") if isinstance(given, dict) else given
    answer: dict[str, Any] = {"vote": vote}
    if request.legal.citable:
        answer["because"] = given.get("because") if isinstance(given, dict) else None
    return answer
