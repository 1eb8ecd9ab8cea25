"""Words put into a party's mouth: one turn of a fork is said as somebody wrote it.

The statement alone is theirs. Moves, votes and the private note are those the party made in that
turn of the debate the fork was taken from, so that what follows follows from the words.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from harness.models.script import Line, Scripted
from harness.parts import Move, Said
from harness.turn import Reply, Request, Seated


class Saying:
    """A seat that says what was written for one of its turns, and answers the rest by itself."""

    metered = False  # what was written costs nothing; the other seat counts its own calls

    def __init__(self, said: Said, otherwise: Seated) -> None:
        """Take the words and what answers all other turns."""
        self._said = said
        self._otherwise = otherwise
        self.reads_prompts = otherwise.reads_prompts

    async def answer(self, request: Request) -> Reply:
        """The words, with the moves of that turn; another turn as the seat answers it."""
        if request.call != self._said.call:
            return await self._otherwise.answer(request)
        reply = await Scripted((self._line(request),), self._otherwise).answer(request)
        data: dict[str, Any] = json.loads(reply.text or "{}")
        if "note" in data:
            data["note"] = self._said.note or ""
        return replace(reply, text=json.dumps(data))

    def _line(self, request: Request) -> Line:
        phase = request.phase
        return Line(
            item=request.item.id,
            round=request.round if phase == "opening" or phase == "round" else phase,
            say=self._said.text,
            moves=tuple(map(_written, self._said.moves)),
            votes={cast.issue: _cast(cast.vote, cast.because) for cast in self._said.votes},
        )


def _written(move: Move) -> dict[str, str]:
    """A move as scripts write it; what an offer answers is named by its handle."""
    answers = move.move in ("accept", "reserve", "reject", "withdraw")
    rest = {"to": move.to, "in_return_for": move.in_return_for, "because": move.because}
    named = move.offer if answers and move.offer else move.key
    return {move.move: named} | {name: value for name, value in rest.items() if value}


def _cast(vote: str, because: str | None) -> dict[str, str]:
    return {"vote": vote} | ({"because": because} if because else {})
