"""The sections of the page, in order: what each is called and what it is made of.

A section NAME is a module with a function `NAME(reading)` that returns a frozen value, and in
sheets/ a template NAME.html.j2 with a macro `NAME(value)`; NAME.css and NAME.js stand beside it
where it needs them. The page puts each into `<section id="NAME">` below a heading.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from harness.viewer.page.board import board
from harness.viewer.page.calls import calls
from harness.viewer.page.conversation import conversation
from harness.viewer.page.dossier import dossier
from harness.viewer.page.joint import joint
from harness.viewer.page.scores import scores
from harness.viewer.page.standing import standing
from harness.viewer.page.summary import summary
from harness.viewer.reading import Reading


class Section(NamedTuple):
    """One section."""

    name: str
    title: str
    value: Callable[[Reading], object]
    private: bool = False
    """Whether all of it is private: a public page has none, others only show it when asked."""


SECTIONS: tuple[Section, ...] = (
    Section("summary", "In short", summary),
    Section("conversation", "The debate", conversation),
    Section("joint", "The joint text, and how it came to be", joint),
    Section("board", "Issue board", board),
    Section("standing", "Where the parties stand", standing),
    Section("dossier", "Positions on record", dossier),
    Section("scores", "Every score", scores),
    Section("calls", "Calls to models", calls, private=True),
)
