"""One debate as one HTML file: nothing from elsewhere, readable without its script.

Its policy forbids everything but its own style and script, which are named by their hashes, so
nothing in a transcript can run or load anything, whatever it looks like.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from evals.pages import HERE as SHARED
from evals.pages import render
from harness.events import NOTICE
from harness.viewer.anchors import anchor
from harness.viewer.page.conversation import Conversation
from harness.viewer.page.head import head
from harness.viewer.page.outline import outline
from harness.viewer.page.sections import SECTIONS, Section
from harness.viewer.reading import Reading

if TYPE_CHECKING:
    from markupsafe import Markup

SHEETS = Path(__file__).parent / "sheets"
SEPARATOR = "\x1e"
"""Between fragments. What is put into a page is cleaned of it, so no text can forge one."""


class Fragments(NamedTuple):
    """The parts of a page, each as the page has it, for whoever keeps one up to date."""

    sections: Mapping[str, str]
    """What is inside `[data-section=NAME]`, by name; `outline` and `head` inside these ids."""
    entries: tuple[tuple[int, str], ...]
    """The entries of `#entries` in order, each with its `data-seq`, the number of its first event:
    a turn that grew has the number it had, and an item that was not taken up has -1."""


def page(reading: Reading, *, extra_head: str = "", served: bool = False) -> str:
    """The page, complete; the same for equal readings.

    Args:
        reading: The debate.
        extra_head: HTML for the end of the head, such as a script of the app; trusted as it is.
        served: Whether an app serves it and sends the policy itself (see `policy`); a file carries
            its own.
    """
    from markupsafe import Markup

    return _rendered(
        "page",
        reading,
        shown=_bodies(_values(reading)),
        notice=NOTICE,
        style=Markup(style()),
        script=Markup(script()),
        extra_head=Markup(extra_head),
        policy="" if served else policy(),
    )


def fragments(reading: Reading) -> Fragments:
    """The parts of the page, made by the same templates."""
    values = _values(reading)
    shown = _bodies(values)
    told = values["conversation"]
    assert isinstance(told, Conversation)
    parts = _rendered("fragments", reading, shown=shown, conversation=told)
    outlined, headed, *entries = parts.split(SEPARATOR)
    bodies = {section.name: str(body) for section, body in shown}
    return Fragments(
        bodies | {"outline": outlined, "head": headed},
        tuple((each.seq, html) for each, html in zip(told.entries, entries, strict=True)),
    )


def policy(*, served: bool = False) -> str:
    """The content security policy: the page's own style and script, and nothing else.

    Args:
        served: Also the files and answers of the app that serves it.
    """
    own, connect = (" 'self'", "'self'") if served else ("", "'none'")
    return (
        f"default-src 'none'; style-src '{_sha(style())}'{own}; "
        f"script-src '{_sha(script())}'{own}; "
        f"img-src data:; connect-src {connect}; form-action {connect}; base-uri 'none'"
    )


@cache
def style() -> str:
    """The style of all sections, and the notice at the foot of every printed page."""
    printed = NOTICE.replace("\\", "\\\\").replace('"', '\\"')
    foot = f'@bottom-center {{ content: "{printed}"; font: 8pt sans-serif; }}'
    foot = f"@page {{ margin: 16mm 14mm 20mm; {foot} }}\n"
    return _joined(".css", (SHARED / "pages.css").read_text(encoding="utf-8") + foot)


@cache
def script() -> str:
    """The script of all sections."""
    return _joined(".js", "")


def _joined(ending: str, first: str) -> str:
    names = ("page", "outline", *(section.name for section in SECTIONS), "mandate")
    files = [SHEETS / f"{name}{ending}" for name in names]
    found = [file.read_text(encoding="utf-8") for file in files if file.is_file()]
    return "\n".join(filter(None, (first, *found)))


def _sha(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _values(reading: Reading) -> Mapping[str, object]:
    """The value of every section."""
    return {
        section.name: section.value(reading)
        for section in SECTIONS
        if not (section.private and reading.public)
    }


def _bodies(values: Mapping[str, object]) -> tuple[tuple[Section, Markup], ...]:
    """The sections that the reading has, each with what stands in it."""
    from markupsafe import Markup

    parts = _filled("bodies", values=values).split(SEPARATOR)
    shown = [section for section in SECTIONS if section.name in values]
    return tuple((each, Markup(part)) for each, part in zip(shown, parts, strict=True))


def _rendered(template: str, reading: Reading, **more: object) -> str:
    return _filled(template, head=head(reading), outline=outline(reading), **more)


def _filled(template: str, **values: object) -> str:
    from markupsafe import Markup

    separator = Markup(SEPARATOR)
    return render(SHEETS / f"{template}.html.j2", separator=separator, pos=_pos, **values)


def _pos(position: str) -> str:
    return anchor("pos", position)
