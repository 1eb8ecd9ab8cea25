"""Options that several verbs have, in the same words, and what their paths stand for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

BaseUrl = Annotated[str | None, typer.Option(help="An OpenAI-compatible server for hosted models.")]
Timeout = Annotated[
    float | None, typer.Option(help="Seconds after which a hosted call is given up.")
]
MaxCalls = Annotated[int | None, typer.Option(min=0, help="Stop after so many calls.")]
MaxTokens = Annotated[
    int | None, typer.Option(min=0, help="Stop after so many tokens, read and written.")
]
MaxCost = Annotated[
    float | None, typer.Option(min=0, help="Stop after so many US dollars; needs --price.")
]
MaxMinutes = Annotated[float | None, typer.Option(min=0, help="Stop after so many minutes.")]
Prices = Annotated[
    list[str] | None,
    typer.Option(
        "--price",
        metavar="MODEL=IN/OUT",
        help="In US dollars per million tokens; may be repeated.",
    ),
]
Batched = Annotated[
    bool, typer.Option("--batch", help="Through the provider's Batch API; run again to fetch.")
]

DERIVED = (".scores", ".judge-calls", ".judgements", ".cassette")
"""Endings of the stems of files that belong to a transcript and are none."""

OF_EXPERIMENTS = ("declared", "failures")
"""Stems of the files that an experiment's folder has beside its transcripts."""


def transcripts_of(given: Iterable[Path]) -> list[Path]:
    """The transcripts meant; a folder stands for those in it.

    Raises:
        UserError: a folder holds none.
    """
    from harness.errors import UserError

    files: list[Path] = []
    for path in given:
        if not path.is_dir():
            files.append(path)
            continue
        found = [
            file
            for file in sorted(path.glob("*.jsonl"))
            if not file.stem.endswith(DERIVED) and file.stem not in OF_EXPERIMENTS
        ]
        if not found:
            raise UserError(f"{path} holds no transcripts (*.jsonl).")
        files += found
    return files
