"""`tracktwo models`: what can be written after `--model`, and what is ready here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Annotated

import typer

from harness.models.registry import Availability, available, choose_auto


def models(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object instead of a list.")
    ] = False,
) -> None:
    """List the models that can sit in a seat, and what each still needs.

    Looks at what is installed and which keys are set; asks no provider.
    """
    chosen = choose_auto(os.environ)
    listed = available(os.environ)
    if as_json:
        auto = {"model": chosen.spec, "why": chosen.why}
        data = {"auto": auto, "models": [entry._asdict() for entry in listed]}
        typer.echo(json.dumps(data, indent=2))
        return
    typer.echo(f"--model auto means {chosen.spec} here: {chosen.why}.")
    _print("Ready", (entry for entry in listed if entry.ready))
    _print("Not ready", (entry for entry in listed if not entry.ready))


def _print(title: str, entries: Iterable[Availability]) -> None:
    rows = [(entry.name, entry.why) for entry in entries]
    if not rows:
        return
    width = max(len(name) for name, _ in rows)
    typer.echo(f"\n{title}")
    for name, why in rows:
        typer.echo(f"  {name:<{width}}  {why}")
