"""The thin bar over a debate: how it stands, what can be done with it, and the ways from it."""

from __future__ import annotations

from evals.pages import render
from harness.viewer.app.desk import Desk
from harness.viewer.app.frame import SHEETS
from harness.viewer.app.standing import Standing


def bar(desk: Desk, name: str, now: Standing) -> str:
    """The bar as HTML."""
    return render(
        SHEETS / "debate_bar.html.j2",
        name=name, now=now, seats=tuple(desk.people.get(name, ())), stem=name.rpartition("/")[2],
    )  # fmt: skip
