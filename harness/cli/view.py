"""`tracktwo view`: debates in the browser, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def view(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where the debates lie.  [default: ./transcripts]", show_default=False),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")
    ] = 7210,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
    ] = True,
) -> None:
    """Browse, follow, hold, compare and label debates in the browser.

    The app answers on this machine only. Ctrl-C stops it, and with it the debates it holds; each
    can be resumed.

    \b
    Examples:
      tracktwo view
      tracktwo view transcripts/examples --port 0 --no-browser
    """
    from harness.errors import UserError
    from harness.viewer.app import serving

    where = folder or Path("transcripts")
    if not where.is_dir():
        raise UserError(f"There is no folder {where}; name the one that holds your transcripts.")
    serving.serve(where, port, browser=browser)
