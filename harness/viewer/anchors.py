"""Anchors of a page: where a turn, an issue, a position or a score can be linked to."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["item", "issue", "party", "pos", "offer", "text"]

_SAFE = re.compile(r"[A-Za-z0-9-]+")


def anchor(kind: Kind, name: str) -> str:
    """The anchor of something that has a name of its own.

    Names come from files: whatever is neither a letter of the alphabet, a digit nor a hyphen is
    written as its code point, so that two names never share an anchor and none breaks out of it.
    """
    safe = "".join(each if _SAFE.fullmatch(each) else f"_{ord(each):x}_" for each in name)
    return f"{kind}-{safe}"


def turn(handle: str) -> str:
    """The anchor of a turn: its handle, `T12`."""
    return handle if re.fullmatch(r"T[0-9]+", handle) else anchor("text", handle)


def event(seq: int) -> str:
    """The anchor of an event that belongs to no turn."""
    return f"e{seq}"


def score(number: int) -> str:
    """The anchor of a result, by its place among the results."""
    return f"score-{number}"
