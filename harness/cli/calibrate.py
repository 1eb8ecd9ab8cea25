"""`tracktwo calibrate`: measure a judge against labels given by people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import BaseUrl, Batched, MaxCalls, MaxCost, Prices, Timeout

if TYPE_CHECKING:
    from rich.console import Console

    from evals.calibration.calibrating import Calibration
    from harness.cli.judging import JudgeOptions


def calibrate(
    judge: Annotated[
        list[str],
        typer.Option(
            metavar="MODEL",
            help="The judge; may be repeated. `tracktwo models` lists models.",
            show_default=False,
        ),
    ],
    gold: Annotated[
        str, typer.Option(help="A labelled set by name, or a file of one's own (.jsonl or .csv).")
    ] = "geneva-2021",
    split: Annotated[str, typer.Option(help="dev or test.")] = "test",
    retest: Annotated[
        bool, typer.Option(help="Ask everything twice, to see how often labels change.")
    ] = True,
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
        typer.Option(help="Folder for the result.  [default: the program's cache folder]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The calibration as JSON.")] = False,
) -> None:
    """Measure a judge against labels given by people.

    Sensitivity, specificity and predictive values per label, kappa, and how often the judge
    contradicts itself. Later scores by the same judge with the same rubric show a corrected value
    beside the raw one; until then they say `uncalibrated`.

    \b
    Examples:
      tracktwo calibrate --judge openai:MODEL --split dev
      tracktwo calibrate --judge openai:MODEL --gold geneva-2021 --no-retest
    """
    from harness.cli.judging import JudgeOptions
    from harness.cli.show import terminal

    options = JudgeOptions(
        names=tuple(judge), base_url=base_url, timeout=timeout, max_calls=max_calls,
        max_cost=max_cost, price=tuple(price or ()), batch=batch,
    )  # fmt: skip
    console = terminal()
    for calibration, path in _measured(options, gold, split, rubric, retest, out):
        if json:
            console.out(calibration.model_dump_json(), highlight=False)
        else:
            show(console, calibration)
            console.print(f"Kept in {path}", soft_wrap=True)


def _measured(
    options: JudgeOptions, gold: str, split: str, rubric: str, retest: bool, out: Path | None
) -> list[tuple[Calibration, Path]]:
    import asyncio

    from evals.calibration.calibrating import CALIBRATIONS
    from evals.calibration.calibrating import calibrate as measured
    from evals.calibration.gold import SPLITS, read_gold
    from evals.judging.ledger import Ledger
    from evals.judging.rubrics import rubric as rubric_of
    from harness.cli.judging import asking_of, budget_of, closed, judges_of, stopping
    from harness.errors import UserError
    from harness.loading import find_setting, load_setting

    wanted = next((each for each in SPLITS if each == split), None)
    if wanted is None:
        raise UserError(f"--split {split!r} is none of {', '.join(SPLITS)}.")
    labelled = read_gold(gold)
    setting = load_setting(find_setting(labelled.setting))
    by = rubric_of(rubric)
    kept = out or CALIBRATIONS.folder()
    # Answers are kept, so that an interrupted calibration goes on where it stopped.
    path = kept / f"{labelled.name}-{split}.judge-calls.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(path, labelled.name)
    judges = judges_of(options, budget_of(options))

    async def all_of_them() -> list[tuple[Calibration, Path]]:
        try:
            done = [
                await measured(
                    judge, labelled, setting, by,
                    asking=asking_of(options), ledger=ledger, split=wanted, retest=retest,
                )
                for judge in judges
            ]  # fmt: skip
        finally:
            await closed(judges)
        return [(each, CALIBRATIONS.save(each, kept)) for each in done]

    with stopping(path):
        return asyncio.run(all_of_them())


def show(console: Console, calibration: Calibration) -> None:
    """The calibration as a table, with what it means in a sentence."""
    from rich import box
    from rich.table import Table

    found = calibration.measures
    table = Table(
        title=f"JUDGE {calibration.judge} ON {calibration.gold}/{calibration.split}",
        title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
    )  # fmt: skip
    for column in ("label", "n", "sensitivity", "specificity", "right when said", "right when not"):
        table.add_column(column)
    for each in found.classes:
        table.add_row(
            each.label, str(each.sensitivity.n), each.sensitivity.shown(), each.specificity.shown(),
            each.positive_value.shown(), each.negative_value.shown(),
        )  # fmt: skip
    console.print(table)
    console.print(f"Balanced accuracy {found.balanced_accuracy.shown()} (chance 0.20).")
    ceiling = found.human_kappa.shown() if found.human_kappa else "not known: one person labelled"
    console.print(f"Kappa with people {found.kappa.shown()}; of people with each other: {ceiling}.")
    console.print(f"Unscored {found.unscored.shown()}.")
    if calibration.retest is not None:
        console.print(f"Labels that change when asked again {calibration.retest.shown()}.")
    console.print(
        f"Used: {calibration.calls} calls, {calibration.tokens:,} tokens, "
        f"{calibration.seconds:.0f} s of model time."
    )
