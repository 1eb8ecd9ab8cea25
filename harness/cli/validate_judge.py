"""`tracktwo validate-judge`: put a judge, or the evaluators without one, to the battery."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import BaseUrl, Batched, MaxCalls, MaxCost, Prices, Timeout

if TYPE_CHECKING:
    from rich.console import Console

    from evals.validity.battery import Card
    from evals.validity.offline import CheckResult
    from harness.cli.judging import JudgeOptions
    from harness.transcript import Transcript

NO_MODEL = "none"
"""In place of a judge: the evaluators that ask no model."""


def validate_judge(
    judge: Annotated[
        str,
        typer.Argument(
            help="The judge, as after --judge; `none` for the evaluators that ask no model.",
            show_default=False,
        ),
    ],
    items: Annotated[
        str | None,
        typer.Option(help="Items to debate, comma-separated, instead of the agenda's."),
    ] = None,
    agenda: Annotated[
        str | None, typer.Option(help="A named agenda; more items make the card say more.")
    ] = None,
    setting: Annotated[str, typer.Option(help="The setting of the gold.")] = "geneva-2021",
    gold: Annotated[str, typer.Option(help="A labelled set by name, or a file.")] = "geneva-2021",
    rubric: Annotated[
        str, typer.Option(help="The rubric that labels claims, by name or file.")
    ] = "consistency",
    base_url: BaseUrl = None,
    timeout: Timeout = None,
    max_calls: MaxCalls = None,
    max_cost: MaxCost = None,
    price: Prices = None,
    batch: Batched = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the card.  [default: the program's cache folder]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The card as JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The card as Markdown.")] = False,
) -> None:
    """Put a judge to the validity battery and print its card.

    Gold sentences whose labels are known are said in a debate of the reference negotiator; then
    mandates are swapped, scrambled and negated, and speech is replaced by courtesies and forged
    verdicts. Later scores by this judge are greyed out where a check failed.

    \b
    Examples:
      tracktwo validate-judge none --items sanctions,syria
      tracktwo validate-judge openai:MODEL --items strategic-stability,sanctions
    """
    from harness.cli.judging import JudgeOptions
    from harness.cli.show import terminal

    console = terminal()
    debate = _debate(setting, agenda, items)
    if judge == NO_MODEL:
        from evals.validity.offline import run_offline

        checks = run_offline([debate])
        title = "EVALUATORS WITHOUT A MODEL"
    else:
        options = JudgeOptions(
            names=(judge,), base_url=base_url, timeout=timeout, max_calls=max_calls,
            max_cost=max_cost, price=tuple(price or ()), batch=batch,
        )  # fmt: skip
        card, path = _card(options, debate, gold, rubric, out)
        if json:
            console.out(card.model_dump_json(), highlight=False)
            return
        checks, title = card.checks, f"JUDGE {card.judge} ({', '.join(card.models)})"
    if json:
        for check in checks:
            console.out(check.model_dump_json(), highlight=False)
        return
    if markdown:
        console.out(to_markdown(checks), highlight=False)
    else:
        show(console, title, checks)
    if judge != NO_MODEL:
        console.print(
            f"Used: {card.calls} calls, {card.tokens:,} tokens, {card.seconds:.0f} s of model "
            f"time.\nKept in {path}",
            soft_wrap=True,
        )


def _debate(setting: str, named: str | None, items: str | None) -> Transcript:
    """A debate of the reference negotiator: real turns for the gold to be said in."""
    import os
    import tempfile

    from harness.agendas import agenda_by_hand
    from harness.loading import load_setting
    from harness.models.budget import Budget
    from harness.models.clock import SystemClock
    from harness.models.prices import PriceList
    from harness.seating import Means, Wishes, run_card, seat_cards
    from harness.session import Sitting, held

    loaded = load_setting(setting)
    picked = [name.strip() for name in (items or "").split(",") if name.strip()]
    agenda = agenda_by_hand(loaded, named, items=picked)
    means = Means(Budget(), PriceList())
    seats = seat_cards(loaded.only(agenda), Wishes(model="reference"), os.environ)
    card = run_card(loaded, agenda, seats, 0)
    with tempfile.TemporaryDirectory() as folder:
        return held(Sitting(card, Path(folder) / "stage.jsonl", means, SystemClock()))


def _card(
    options: JudgeOptions, debate: Transcript, gold: str, rubric: str, out: Path | None
) -> tuple[Card, Path]:
    import asyncio

    from evals.calibration.gold import read_gold
    from evals.judging.ledger import Ledger
    from evals.judging.rubrics import rubric as rubric_of
    from evals.validity.battery import CARDS, run_battery
    from harness.cli.judging import asking_of, budget_of, closed, judges_of, stopping

    labelled, by = read_gold(gold), rubric_of(rubric)
    kept = out or CARDS.folder()
    kept.mkdir(parents=True, exist_ok=True)
    # Answers are kept, so that an interrupted battery goes on where it stopped.
    path = kept / f"battery-{labelled.name}.judge-calls.jsonl"
    judges = judges_of(options, budget_of(options))

    async def checked() -> Card:
        try:
            return await run_battery(
                judges[0], debate, labelled, by,
                asking=asking_of(options), ledger=Ledger(path, labelled.name),
            )  # fmt: skip
        finally:
            await closed(judges)

    with stopping(path):
        card = asyncio.run(checked())
    return card, CARDS.save(card, kept)


def show(console: Console, title: str, checks: Sequence[CheckResult]) -> None:
    """The card as a table, and how many checks passed."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in ("check", "what", "found", "value", "pass mark", "n", "verdict"):
        table.add_column(column, overflow="fold")
    for check in checks:
        table.add_row(*_cells(check))
    console.print(table)
    failed = sum(check.passed is False for check in checks)
    undecided = sum(check.passed is None for check in checks)
    passed = len(checks) - failed - undecided
    console.print(f"{passed} passed, {failed} failed, {undecided} could not be made.")


def to_markdown(checks: Sequence[CheckResult]) -> str:
    """The card as a Markdown table."""
    rows = [
        "| check | what | found | value | pass mark | n | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    rows += ["| " + " | ".join(_cells(check)) + " |" for check in checks]
    return "\n".join(rows)


def _cells(check: CheckResult) -> tuple[str, ...]:
    verdict = {True: "passed", False: "FAILED", None: "not made"}[check.passed]
    found = f"{check.result}; {check.reason}" if check.reason else check.result
    return (
        check.id,
        check.name,
        found,
        "-" if check.value is None else f"{check.value:.2f}",
        "-" if check.pass_mark is None else f"{check.pass_mark:.2f}",
        str(check.n),
        verdict,
    )
