"""What an experiment will take, in words and a table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.cli.show import terminal
from harness.plain import clean

if TYPE_CHECKING:
    from harness.experiment.reading import Read
    from harness.sweep.amounts import Amount
    from harness.sweep.pricing import Line, Plan


def show_plan(read: Read, plan: Plan, *, as_json: bool) -> None:
    """The plan for a person, or as one JSON object."""
    if as_json:
        _as_json(read, plan)
        return
    from rich import box
    from rich.table import Table

    console = terminal()
    experiment, design = read.experiment, read.design
    console.print(clean(experiment.question), style="bold")
    arms = len(design.arms) + len(design.yardsticks)
    times = f" under {len(experiment.variations) + 1} circumstances" * bool(experiment.variations)
    console.print(
        f"{arms} arms x {len(design.scenarios)} scenarios x {experiment.seeds} seeds{times}: "
        f"{plan.planned} debates, {plan.finished} are there, {plan.missing} to be held."
    )
    if not plan.missing:
        return
    if not plan.lines:
        console.print("No language model takes part: it costs nothing but a little time.")
        return
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("arm", "model", "debates", "calls", "tokens read", "written", "US dollars"):
        table.add_column(column, overflow="fold", justify="left" if column < "b" else "right")
    for line in plan.lines:
        table.add_row(*_cells(line))
    console.print(table)
    console.print(_in_all(plan))
    for source in dict.fromkeys(line.source for line in plan.lines):
        console.print(f"Told from {source}.", style="dim")
    if any(line.calls.low is None for line in plan.lines):
        console.print(
            "A guess without an interval: hold a pilot (--pilot 1) for a better one.", style="dim"
        )
    else:
        console.print("Between: 95 % prediction intervals.", style="dim")
    if plan.unpriced:
        named = ", ".join(plan.unpriced)
        console.print(f"No price is known for {named}: --price MODEL=IN/OUT says it.")


def _cells(line: Line) -> tuple[str, ...]:
    cost = "?" if line.cost is None else _amount(line.cost, ".2f")
    counts = (_amount(each, ",.0f") for each in (line.calls, line.input, line.output))
    return (line.arm, line.model, str(line.missing), *counts, cost)


def _amount(amount: Amount, form: str) -> str:
    value = format(amount.value, form)
    if amount.low is None or amount.high is None or amount.low == amount.high:
        return value
    return f"{value} ({format(amount.low, form)} to {format(amount.high, form)})"


def _in_all(plan: Plan) -> str:
    calls, read, written = (plan.total(what) for what in ("calls", "input", "output"))
    cost = "" if plan.cost is None else f", US dollars {_amount(plan.cost, ',.2f')}"
    return (
        f"In all: calls {_amount(calls, ',.0f')}, tokens read {_amount(read, ',.0f')}, "
        f"written {_amount(written, ',.0f')}{cost}."
    )


def _as_json(read: Read, plan: Plan) -> None:
    import json

    data: dict[str, Any] = {
        "kind": "plan",
        "experiment": read.experiment.id,
        "sha": read.experiment.sha,
        "planned": plan.planned,
        "finished": plan.finished,
        "missing": plan.missing,
        "calls": plan.total("calls")._asdict(),
        "input": plan.total("input")._asdict(),
        "output": plan.total("output")._asdict(),
        "cost": plan.cost._asdict() if plan.cost is not None else None,
        "lines": [_plain(line) for line in plan.lines],
    }
    terminal().out(json.dumps(data, ensure_ascii=False), highlight=False)


def _plain(line: Line) -> dict[str, Any]:
    data = asdict(line)
    for name in ("calls", "input", "output", "seconds", "cost"):
        amount = getattr(line, name)
        data[name] = amount._asdict() if amount is not None else None
    return data
