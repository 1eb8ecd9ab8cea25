"""The frame that every page of the app stands in."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import HTMLResponse

from evals.pages import render
from harness.events import NOTICE

SHEETS = Path(__file__).parent / "sheets"
STATIC = Path(__file__).parent / "static"


def show(sheet: str, /, *, status: int = 200, **values: object) -> HTMLResponse:
    """A page of the app: a sheet, `NAME.html.j2`, that extends frame.html.j2.

    A sheet sets `title`, fills the block `main`, and names its own files in the blocks `styles`
    and `scripts` (`<link rel="stylesheet" href="/static/NAME.css">`).
    """
    page = render(SHEETS / f"{sheet}.html.j2", notice=NOTICE, **values)
    return HTMLResponse(page, status)
