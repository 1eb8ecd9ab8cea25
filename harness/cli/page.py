"""`tracktwo page`: one debate as one file for a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def page(
    transcript: Annotated[Path, typer.Argument(help="The transcript.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Where to write it.  [default: beside the transcript, ending in .html]",
        ),
    ] = None,
    public: Annotated[
        bool,
        typer.Option(
            "--public/--private",
            help="Leave notes, private meetings, confidential positions and calls out of the file;"
            " otherwise they are in it, behind a switch.",
        ),
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """Write a debate as one HTML file that can be mailed: nothing in it comes from elsewhere.

    Conversation, joint text, issue board, positions with their sources, every score with its
    evidence, and what judges said where there were any. Before you hand it on, make it with
    --public.

    \b
    Examples:
      tracktwo page transcripts/examples/reference-eight-of-twelve.jsonl --open
      tracktwo page transcripts/examples/reference-eight-of-twelve.jsonl --public -o talks.html
    """  # fmt: skip
    from evals.warehouse.export import write_text
    from harness.cli.show import terminal
    from harness.viewer.page.page import page as rendered
    from harness.viewer.reading import reading_of

    target = _target(transcript, out)
    reading = reading_of(transcript, public=public)
    for remark in reading.remarks:
        terminal(stderr=True).print(remark, style="yellow", soft_wrap=True)
    write_text(target, [rendered(reading)])
    terminal().print(f"Written: {target}", soft_wrap=True)
    if not public:
        terminal(stderr=True).print(
            "It holds what is private, behind a switch; --public leaves that out.", soft_wrap=True
        )
    if open_:
        _open(target)


def _target(transcript: Path, out: Path | None) -> Path:
    """Where the page goes; never over a record.

    Raises:
        UserError: the transcript is a folder, or the place is a record, a folder, or in a folder
            that cannot be made.
    """
    from evals.warehouse.files import is_record
    from harness.errors import UserError

    if transcript.is_dir():
        raise UserError(f"{transcript} is a folder; name a transcript in it.")
    target = out or transcript.with_suffix(".html")
    if target.is_dir():
        raise UserError(f"{target} is a folder; name a file after --out.")
    if target.suffix == ".jsonl" or is_record(target):
        raise UserError(f"{target} is a record or would be taken for one; end the name in .html.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{target.parent} cannot be made: {error.strerror}.") from error
    return target


def _open(target: Path) -> None:
    import webbrowser

    from harness.errors import UserError

    if not webbrowser.open(target.resolve().as_uri()):
        raise UserError(f"No browser could be started here; open {target} yourself.")
