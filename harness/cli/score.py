"""`tracktwo score`: score a transcript, or a folder of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def score(
    transcripts: Annotated[
        list[Path], typer.Argument(help="Transcripts, or folders of them.", show_default=False)
    ],
    json: Annotated[bool, typer.Option("--json", help="One JSON object a transcript.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The tables as Markdown.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the result and the paths.")] = False,
) -> None:
    """Score transcripts with the evaluators that need no model.

    The scores go to FILE.scores.jsonl beside each transcript.

    \b
    Examples:
      tracktwo score transcripts/examples
      tracktwo score transcripts/examples/reference-eight-of-twelve.jsonl --markdown
    """
    from harness.cli.results import scored, show_json, show_results
    from harness.cli.show import terminal

    console = terminal()
    for path in _files(transcripts):
        if json:
            show_json(console, path)
        elif markdown:
            from evals.tables import to_markdown

            console.out(to_markdown(scored(path)[1]), highlight=False)
        else:
            show_results(console, path, brief=quiet)


def _files(given: list[Path]) -> list[Path]:
    """The transcripts meant; a folder stands for those in it."""
    from harness.errors import UserError

    files: list[Path] = []
    for path in given:
        if path.is_dir():
            found = [
                p for p in sorted(path.glob("*.jsonl")) if not p.name.endswith(".scores.jsonl")
            ]
            if not found:
                raise UserError(f"{path} holds no transcripts (*.jsonl).")
            files += found
        else:
            files.append(path)
    return files
