"""What seats were sent and answered: the private layer's largest part.

Pieces of prompts are kept once, as in the transcript, and joined in the browser when asked for. A
public reading has none of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from harness import events as e
from harness.viewer import anchors
from harness.viewer.page.words import Face, call_of, face, faces
from harness.viewer.reading import Reading


class Used(NamedTuple):
    """What one seat used."""

    seat: str
    face: Face | None
    """None for the chair."""
    model: str
    calls: int
    failed: int
    input: int
    cached: int
    output: int
    latency: float
    """Seconds, all calls together."""
    cost: float | None
    """US dollars; None where no price is known."""


class Calls(NamedTuple):
    """Every call."""

    used: tuple[Used, ...]
    data: str
    """JSON for the page's script: texts by fingerprint, calls by name. Nothing in it can end the
    element it stands in."""


def calls(reading: Reading) -> Calls:
    """The calls of a debate; none of a public reading."""
    made = () if reading.public else reading.transcript.calls
    known = faces(reading)
    seats = dict.fromkeys(call.seat for call in made)
    used = tuple(_used(seat, [c for c in made if c.seat == seat], known) for seat in seats)
    return Calls(used, _data(reading, made))


def _used(seat: str, made: list[e.ModelCall], known: Mapping[str, Face]) -> Used:
    prices = [call.cost for call in made if call.cost is not None]
    return Used(
        seat,
        face(known, seat) if seat in known else None,
        ", ".join(dict.fromkeys(call.model or "no answer" for call in made)),
        len(made),
        sum(call.failure is not None for call in made),
        sum(call.usage.input for call in made),
        sum(call.usage.cached for call in made),
        sum(call.usage.output for call in made),
        sum(call.latency for call in made),
        sum(prices) if prices else None,
    )


def _data(reading: Reading, made: tuple[e.ModelCall, ...]) -> str:
    texts = reading.transcript.texts if made else {}
    turns = {
        call_of(event.call): anchors.turn(event.turn)
        for event in reading.transcript.events
        if isinstance(event, e.TurnEvent)
    }
    told = {call.call: _call(call, turns.get(call_of(call.call), "")) for call in made}
    sent = {sha for call in made for message in call.sent for sha in message.parts}
    schemas = {call.answer_schema for call in made if call.answer_schema}
    kept = {sha: text for sha, text in texts.items() if sha in sent | schemas}
    data = json.dumps({"texts": kept, "calls": told}, ensure_ascii=False, separators=(",", ":"))
    return inert(data)


def _call(call: e.ModelCall, turn: str) -> Mapping[str, object]:
    used = call.usage
    failure = f"{call.failure.kind}: {call.failure.why}" if call.failure else ""
    return {
        "turn": turn,
        "seat": call.seat,
        "sent": [[message.role, *message.parts] for message in call.sent],
        "schema": call.answer_schema or "",
        "model": call.model or "",
        "reply": call.reply or "",
        "used": f"{used.input} tokens read, {used.cached} of them cached, {used.output} written",
        "latency": f"{call.latency:.2f} s",
        "parameters": json.dumps(call.parameters, ensure_ascii=False) if call.parameters else "",
        "finish": call.finish or "",
        "retries": call.retries,
        "failure": failure,
    }


def inert(data: str) -> str:
    """JSON that cannot end or open anything in HTML: its angle brackets and ampersands as codes."""
    return data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
