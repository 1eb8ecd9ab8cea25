"""`tracktwo score`: score a transcript, or a folder of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.options import (
    BaseUrl,
    Batched,
    MaxCalls,
    MaxCost,
    MaxMinutes,
    MaxTokens,
    Prices,
    Timeout,
    transcripts_of,
)

if TYPE_CHECKING:
    from harness.cli.judging import JudgeOptions


def score(
    transcripts: Annotated[
        list[Path], typer.Argument(help="Transcripts, or folders of them.", show_default=False)
    ],
    judge: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help="A language model that judges what was said; may be repeated.  [default: none]",
        ),
    ] = None,
    rubric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="What it is asked: a rubric by name, or an .md file of one's own; "
            "may be repeated.  [default: all]",
        ),
    ] = None,
    evaluator: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE.py:NAME",
            help="An evaluator of one's own, FILE.py:NAME or MODULE:NAME; may be repeated.",
        ),
    ] = None,
    batch: Batched = False,
    base_url: BaseUrl = None,
    timeout: Timeout = None,
    at_once: Annotated[int, typer.Option(min=1, help="Calls to a hosted judge under way.")] = 8,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    max_minutes: MaxMinutes = None,
    price: Prices = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a transcript.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The tables as Markdown.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the result and the paths.")] = False,
) -> None:
    """Score transcripts: by code alone, and with --judge also what was said.

    The scores go to FILE.scores.jsonl beside each transcript; with --judge, every call to
    FILE.judge-calls.jsonl, what judges said to FILE.judgements.jsonl, and the claims on which they
    disagree to FILE.queue.csv. Nothing that was answered is asked again.

    \b
    Examples:
      tracktwo score transcripts/examples
      tracktwo score transcripts/examples/reference-eight-of-twelve.jsonl --markdown
      tracktwo score transcripts/examples --judge openai:MODEL --rubric consistency
    """
    from harness.cli.judging import JudgeOptions
    from harness.cli.scoring import Scoring, show_json, show_results
    from harness.cli.show import terminal

    options = JudgeOptions(
        names=tuple(judge or ()), base_url=base_url, timeout=timeout, at_once=at_once,
        max_calls=max_calls, max_tokens=max_tokens, max_cost=max_cost, max_minutes=max_minutes,
        price=tuple(price or ()), batch=batch, quiet=quiet or json,
    )  # fmt: skip
    _check(options, rubric)
    console = terminal()
    scoring = Scoring(options, tuple(rubric or ()), _own(evaluator or ()))
    for path in transcripts_of(transcripts):
        if json:
            show_json(console, path, scoring)
        elif markdown:
            from evals.tables import to_markdown

            console.out(to_markdown(scoring.of(path).tables), highlight=False)
        else:
            show_results(console, path, scoring, brief=quiet)


def _check(options: JudgeOptions, rubric: list[str] | None) -> None:
    from harness.errors import UserError

    if (rubric or options.batch) and not options.names:
        given = "--rubric" if rubric else "--batch"
        raise UserError(f"{given} says what a judge is asked: name one with --judge MODEL.")


def _own(specs: list[str] | tuple[str, ...]) -> tuple[Any, ...]:
    from evals.adapters import load

    return tuple(load(spec) for spec in specs)
