"""Puts a question on the record: what was really sent to a seat, and what came back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness import events as e
from harness.events import Event
from harness.setting import sha
from harness.turn import Reply, Request


def already_sent(record: Sequence[Event]) -> set[str]:
    """The pieces of prompts that are on the record."""
    return {event.sha for event in record if isinstance(event, e.Text)}


def new_texts(request: Request, sent: set[str]) -> Iterator[e.Text]:
    """The pieces of a prompt that are not on the record yet, the schema among them.

    Adds them to `sent`. A piece is kept once for each seat that may read it.
    """
    if not request.messages:
        return
    texts = [part for message in request.messages for part in message.parts]
    for text in [*texts, _schema(request)]:
        fingerprint = piece(request.seat, text)
        if fingerprint not in sent:
            sent.add(fingerprint)
            yield e.Text(audience=(request.seat,), sha=fingerprint, text=text)


def piece(seat: str, text: str) -> str:
    """The fingerprint of a piece of a prompt; each seat has its own, for its own audience."""
    return sha(f"{seat}\n{text}")


def legible(reply: Reply) -> Reply:
    """The reply as a file can hold it: half a surrogate pair becomes a question mark."""
    if reply.text is None:
        return reply
    return replace(reply, text=reply.text.encode("utf-8", "replace").decode())


def call_event(request: Request, reply: Reply) -> e.ModelCall:
    """The call as it goes on the record."""
    return e.ModelCall(
        audience=(request.seat,),
        call=request.call,
        seat=request.seat,
        sent=tuple(
            e.Sent(
                role=message.role,
                parts=tuple(piece(request.seat, part) for part in message.parts),
            )
            for message in request.messages
        ),
        answer_schema=piece(request.seat, _schema(request)) if request.messages else None,
        request_sha=request.sha,
        parameters=reply.parameters,
        constrained=reply.constrained,
        model=reply.model,
        reply=reply.text,
        usage=reply.usage,
        finish=reply.finish,
        started=reply.started,
        latency=reply.latency,
        cost=reply.cost,
        retries=reply.retries,
        failure=reply.failure,
    )


def _schema(request: Request) -> str:
    return json.dumps(request.schema)
