"""What the verbs that ask judges share: opening them, telling how far it is, what it took."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from evals.judging.judges import Judge
    from evals.judging.live import Asking
    from harness.models.budget import Budget


class JudgeOptions(NamedTuple):
    """What the user said about judges on the command line."""

    names: tuple[str, ...]
    base_url: str | None = None
    timeout: float | None = None
    at_once: int = 8
    max_calls: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None
    max_minutes: float | None = None
    price: tuple[str, ...] = ()
    batch: bool = False
    quiet: bool = False


def budget_of(options: JudgeOptions) -> Budget:
    """The ceilings, shared by all judges."""
    from harness.errors import UserError
    from harness.models.budget import Budget

    if options.max_cost is not None and not _priced(options):
        raise UserError(
            "--max-cost needs the price of every hosted judge: add --price MODEL=IN/OUT, in US "
            "dollars per million tokens."
        )
    return Budget(
        max_calls=options.max_calls,
        max_tokens=options.max_tokens,
        max_cost=options.max_cost,
        max_minutes=options.max_minutes,
    )


def judges_of(options: JudgeOptions, budget: Budget) -> tuple[Judge, ...]:
    """The judges, opened; two of one name are a mistake.

    Raises:
        UserError: a judge cannot be used here; the message says what is missing.
    """
    from evals.judging.judges import open_judge
    from harness.errors import UserError
    from harness.models.prices import PriceList

    prices = PriceList.given(options.price, os.environ)
    opened = tuple(
        open_judge(
            name,
            budget=budget,
            prices=prices,
            base_url=options.base_url,
            timeout=options.timeout,
            at_once=options.at_once,
        )
        for name in options.names
    )
    names = [judge.name for judge in opened]
    if len(set(names)) < len(names):
        raise UserError(f"A judge is named twice: {', '.join(names)}.")
    return opened


def asking_of(options: JudgeOptions) -> Asking:
    """How questions reach the judges, with a line on stderr that says how far it is."""
    if options.batch:
        from evals.judging.batch import Batch

        return Batch()
    from evals.judging.live import Live

    return Live(None if options.quiet else _Counter())


class _Counter:
    """Counts answers on stderr: one line that is written over at a terminal, none elsewhere."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, question: str) -> None:
        self.count += 1
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{self.count} answers: {question}")
            sys.stderr.flush()


@contextmanager
def stopping(path: Path | None) -> Iterator[None]:
    """Says what is kept when a ceiling or Ctrl-C ends the asking early, with the exit code for it.

    Raises:
        typer.Exit: 3, a ceiling was reached.
    """
    import typer

    from harness.errors import BudgetExhausted

    kept = f" What was answered is kept in {path}." if path else ""
    try:
        yield
    except BudgetExhausted as stop:
        sys.stderr.write(
            f"Stopped: {stop.why}.{kept} The same command with a higher ceiling goes on there.\n"
        )
        raise typer.Exit(3) from None
    finally:
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")


async def closed(judges: Sequence[Judge]) -> None:
    """Let go of the judges' connections."""
    for judge in judges:
        await judge.close()


def _priced(options: JudgeOptions) -> bool:
    from harness.models.prices import PriceList
    from harness.models.registry import parse

    prices = PriceList.given(options.price, os.environ)
    hosted = [spec for name in options.names if (spec := parse(name)).family == "chat"]
    return all(prices.of(spec.rest) is not None for spec in hosted)
