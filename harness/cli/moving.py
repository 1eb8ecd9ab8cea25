"""What moved when a debate was forked, as a person or a program reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.cli.show import terminal
from harness.plain import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from evals.comparison.movement import IssueMovement, MeanMovement, Movement, Share
    from harness.fork.holding import Held


def show(held: Sequence[Held], *, as_json: bool, quiet: bool) -> None:
    """Say what became of the debates that were held, and what moved.

    Raises:
        UserError: nothing was held to its end that could be compared with.
    """
    from evals.comparison.movement import movement

    console = terminal()
    found = [
        movement(each.plan.origin, each.control, each.changed)
        if each.control or not each.stopped
        else None
        for each in held
    ]
    pairs = list(zip(held, found, strict=True))
    if as_json:
        console.out(_json(pairs), highlight=False)
        return
    for each, moved in pairs:
        if len(pairs) == 1 or _worth_a_look(each, moved):
            _show(console, each, moved, brief=quiet or len(pairs) > 1)
    if len(pairs) > 1:
        _summary(console, pairs)
    console.print(f"The debates lie in {held[0].folder}", style="dim", soft_wrap=True)


def _worth_a_look(held: Held, moved: Movement | None) -> bool:
    """Of several positions those whose absence does something, or that were not held as planned."""
    apart = moved is None or any(issue.word != "alike" for issue in moved.issues)
    return apart or bool(held.failed or held.stopped)


def _show(console: Console, held: Held, moved: Movement | None, *, brief: bool) -> None:
    plan = held.plan
    origin = plan.origin.header.debate
    console.print(clean(f"{origin}, {plan.what}"), style="bold")
    for change in plan.changes:
        console.print(clean(f"  changed: {change}"), soft_wrap=True)
    if moved is not None:
        if not brief:
            _held(console, moved)
            _tables(console, moved)
        for sentence in moved.sentences:
            console.print(clean(sentence), soft_wrap=True)
    for caution in (*plan.in_vain, *(moved.cautions if moved else ()), *_broken(held)):
        console.print(clean(f"Note: {caution}"), style="yellow", soft_wrap=True)
    console.print()


def _held(console: Console, moved: Movement) -> None:
    changed = f", {moved.changed} changed" if moved.changed else ""
    console.print(f"  held to their end: {moved.control} with nothing changed{changed}")
    if moved.settled:
        issues = ", ".join(moved.settled)
        console.print(f"  decided before, and cannot move: {issues}", soft_wrap=True)
    console.print()


def _broken(held: Held) -> Iterator[str]:
    for name, why in held.failed.items():
        yield f"{name} broke off twice and is in no number: {why}"
    if held.stopped:
        yield f"Stopped by a ceiling: {held.stopped}. {held.left} debates are left; run it again."


def _tables(console: Console, moved: Movement) -> None:
    unmoved = [issue for issue in moved.issues if _same_everywhere(issue)]
    rest = [issue for issue in moved.issues if issue not in unmoved]
    if rest:
        console.print(_issues(rest, compared=bool(moved.changed)))
    if unmoved:
        named = ", ".join(issue.issue for issue in unmoved)
        console.print(f"As in the original in every debate: {named}.", soft_wrap=True)
    console.print(_means(moved.means, compared=bool(moved.changed)))


def _same_everywhere(issue: IssueMovement) -> bool:
    return len(issue.outcomes) == 1 and issue.outcomes[0].outcome == issue.original


def _table(title: str, first: str, compared: bool) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    heads = [first, "original", "unchanged [95 %]"]
    for head in [*heads, *(["changed [95 %]", "difference [95 %]"] if compared else [])]:
        table.add_column(head, justify="left" if head == first else "right")
    if compared and title == "OUTCOMES":
        table.add_column("p", justify="right")
    return table


def _issues(issues: Sequence[IssueMovement], *, compared: bool) -> Table:
    table = _table("OUTCOMES", "issue and outcome", compared)
    for issue in issues:
        p = ["none drawn" if issue.certain else _number(issue.p_adjusted)] if compared else []
        table.add_row(clean(issue.heading), "", "", *(["", ""] if compared else []), *p)
        for each in issue.outcomes:
            mark = "x" if each.outcome == issue.original else ""
            option = "" if each.outcome == "none" else f"({each.outcome}) "
            cells = [f"  {option}{clean(each.label)}", mark, _share(each.control)]
            if compared:
                assert each.changed is not None
                cells += [_share(each.changed), _span(each.difference, each.low, each.high), ""]
            table.add_row(*cells)
    return table


def _means(means: Sequence[MeanMovement], *, compared: bool) -> Table:
    table = _table("MEANS", "a debate", compared)
    for mean in means:
        what = mean.metric if mean.party is None else f"{mean.metric} of {mean.party}"
        cells = [what, _number(mean.original), _number(mean.control)]
        if compared:
            cells += [_number(mean.changed), _span(mean.difference, mean.low, mean.high)]
        table.add_row(*cells)
    return table


def _share(share: Share) -> str:
    ends = "" if share.low is None else f" [{share.low:.2f}, {share.high:.2f}]"
    return f"{share.hits}/{share.of}{ends}"


def _span(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "-"
    ends = "" if low is None or high is None else f" [{low:+.2f}, {high:+.2f}]"
    return f"{value:+.2f}{ends}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if abs(value) < 0.1 else f"{value:.2f}"


def _summary(console: Console, pairs: Sequence[tuple[Held, Movement | None]]) -> None:
    """Each position in a line: what its absence moves."""
    from rich import box
    from rich.table import Table

    table = Table(title="WITHOUT", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for head in ("position", "moves", "agreement", "what it was"):
        table.add_column(head)
    for held, moved in pairs:
        position = held.plan.branches[-1].card.fork
        assert position is not None
        (name,) = position.without
        stated = held.plan.origin.setting.position(name)
        table.add_row(
            name,
            _what_moved(moved) if moved else "not held",
            _agreement(moved),
            f"{stated.kind}, firmness {stated.firmness}",
        )
    console.print(table)
    if any(i.word == "not shown" for _, moved in pairs if moved for i in moved.issues):
        console.print("?: apart, but by no more than chance can put them", style="dim")


def _what_moved(moved: Movement) -> str:
    said = [f"{i.issue}: {_way(i)}" for i in moved.issues if i.word == "moved"]
    said += [f"{i.issue}?" for i in moved.issues if i.word == "not shown"]
    return "; ".join(said) or "-"


def _way(issue: IssueMovement) -> str:
    """From what to what."""
    ranked = sorted(issue.outcomes, key=lambda each: each.difference or 0)
    return f"{ranked[0].outcome} to {ranked[-1].outcome}"


def _agreement(moved: Movement | None) -> str:
    mean = moved.means[0] if moved else None
    return _span(mean.difference, mean.low, mean.high) if mean else "-"


def _json(pairs: Sequence[tuple[Held, Movement | None]]) -> str:
    import json

    return json.dumps(
        {
            "kind": "fork",
            "origin": str(pairs[0][0].plan.origin.path),
            "folder": str(pairs[0][0].folder),
            "forks": [
                {
                    "what": held.plan.what,
                    "changes": held.plan.changes,
                    "in_vain": held.plan.in_vain,
                    "finished": {name: str(path) for name, path in held.finished.items()},
                    "failed": held.failed,
                    "stopped": held.stopped,
                    "left": held.left,
                    "movement": moved.model_dump(mode="json") if moved else None,
                }
                for held, moved in pairs
            ],
        },
        ensure_ascii=False,
    )
