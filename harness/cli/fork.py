"""`tracktwo fork`: how else a debate could have gone on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import BaseUrl, MaxCalls, MaxCost, MaxMinutes, MaxTokens, Prices, Timeout

if TYPE_CHECKING:
    from harness.fork.branches import Plan
    from harness.fork.holding import Held, News, Terms
    from harness.models.budget import Budget
    from harness.transcript import Transcript

STOPPED = 3
INTERRUPTED = 130


def fork(
    transcript: Annotated[Path, typer.Argument(help="The transcript of a debate.")],
    at: Annotated[
        str | None,
        typer.Option(
            metavar="EVENT",
            help="The turn that is taken anew, T7, or the number of the first event that is not "
            "taken over. With --say and --unheard the turn stays, but for its statement.",
        ),
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option(metavar="PARTY=NAME", help="Another persona prompt; may be repeated."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="PARTY=MODEL", help="Another model; may be repeated."),
    ] = None,
    say: Annotated[
        str | None,
        typer.Option(
            metavar="PARTY=TEXT", help="What the party says in that turn; its moves there stay."
        ),
    ] = None,
    unheard: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PARTY",
            help="Does not hear what is said in that turn; moves reach it. May be repeated.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POSITION",
            help="Hold the debate again from its start without this position. A party's id stands "
            "for each of its positions in turn; may be repeated.",
        ),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Debates a side, each with a seed.")] = 5,
    seed: Annotated[
        int | None,
        typer.Option(help="Of the first; the others follow.  [default: the record's own + 1]"),
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Of the models named here.")] = None,
    base_url: BaseUrl = None,
    timeout: Timeout = None,
    at_once: Annotated[
        int | None,
        typer.Option(min=1, help="Debates under way at once.  [default: 8; 1 with local models]"),
    ] = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    max_minutes: MaxMinutes = None,
    price: Prices = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the debates.  [default: ./transcripts/forks]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only what moved.")] = False,
) -> None:
    """Let a debate go on otherwise, and as often with nothing changed, and say what moved.

    Run the same command again to go on with what was interrupted.

    \b
    Examples:
      tracktwo fork FILE --at T7 --model us=openai:MODEL --runs 3
      tracktwo fork FILE --at T7 --unheard ru
      tracktwo fork FILE --at T7 --say "us=We can accept the text of our colleagues."
      tracktwo fork FILE --without us-ss-5
    """
    import asyncio

    from harness.transcript import read

    origin = read(transcript)
    options = {"temperature": temperature, "base_url": base_url, "timeout": timeout}
    stated = {name: value for name, value in options.items() if value is not None}
    plans = _plans(origin, at, prompt, model, say, unheard, without, runs, seed, stated)
    budget = _budget(max_calls, max_tokens, max_cost, max_minutes)
    watch = _watcher(silent=json or quiet, brief=len(plans) > 1)
    terms = _terms(plans, budget, price, max_cost, at_once, watch)
    try:
        held = asyncio.run(_hold(plans, out, terms))
    except KeyboardInterrupt:
        _interrupted()
        raise typer.Exit(INTERRUPTED) from None
    from harness.cli.moving import show

    show(held, as_json=json, quiet=quiet)
    if any(each.stopped for each in held):
        raise typer.Exit(STOPPED)


def _plans(
    origin: Transcript,
    at: str | None,
    prompt: Sequence[str] | None,
    model: Sequence[str] | None,
    say: str | None,
    unheard: Sequence[str] | None,
    without: Sequence[str] | None,
    runs: int,
    seed: int | None,
    options: Mapping[str, object],
) -> list[Plan]:
    """One plan; with several positions to be taken out, one for each.

    Raises:
        UserError: the options do not fit together, or name what does not exist.
    """
    import os

    from harness.errors import UserError
    from harness.fork import Changes, plan_fork, plan_without, positions_meant, seeds_from

    seeds = seeds_from(origin, seed, runs)
    if without:
        if at is not None or prompt or model or say or unheard:
            raise UserError(
                "--without holds the debate again from its start, because a mandate does not "
                "change in mid-debate: leave out --at, --prompt, --model, --say and --unheard."
            )
        return [plan_without(origin, p.id, seeds) for p in positions_meant(origin, without)]
    if at is None:
        raise UserError("Name where the record is left, --at T7, or a position, --without ID.")
    changes = Changes(
        prompts=_pairs("--prompt", prompt or ()),
        models=_pairs("--model", model or ()),
        say=_pairs("--say", [say] if say else ()),
        unheard=tuple(dict.fromkeys(unheard or ())),
        options=options,
    )
    return [plan_fork(origin, at, changes, seeds, os.environ)]


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """`PARTY=VALUE` by party."""
    from harness.errors import UserError

    pairs: dict[str, str] = {}
    for text in given:
        party, equals, value = text.partition("=")
        if not equals or not party or not value.strip():
            raise UserError(f"{option} {text!r}: write PARTY=VALUE, such as us=...")
        if party in pairs:
            raise UserError(f"{option} names {party} twice; leave one out.")
        pairs[party] = value
    return pairs


def _budget(
    calls: int | None, tokens: int | None, cost: float | None, minutes: float | None
) -> Budget:
    from harness.models.budget import Budget

    return Budget(max_calls=calls, max_tokens=tokens, max_cost=cost, max_minutes=minutes)


def _terms(
    plans: Sequence[Plan],
    budget: Budget,
    price: Sequence[str] | None,
    max_cost: float | None,
    at_once: int | None,
    watch: Callable[[News], None],
) -> Terms:
    import os

    from harness.fork.holding import Terms
    from harness.models.prices import PriceList
    from harness.seating import behind

    prices = PriceList.given(price or (), os.environ)
    if max_cost is not None:
        models = {seat.model for plan in plans for b in plan.branches for seat in b.card.seats}
        specs = [behind(model) for model in sorted(models)]
        prices.require([str(spec) for spec in specs if spec.family == "chat"])
    return Terms(budget, prices, at_once, watch)


async def _hold(plans: Sequence[Plan], out: Path | None, terms: Terms) -> list[Held]:
    from harness.fork import hold, usual_folder

    return [await hold(plan, usual_folder(out), terms) for plan in plans]


def _watcher(*, silent: bool, brief: bool) -> Callable[[News], None]:
    """A line on the error stream for every debate that ends, so that the result stands alone.

    With `brief` only for those that did not end as they should.
    """
    from harness.cli.show import terminal
    from harness.plain import clean

    console = terminal(stderr=True)

    def watch(news: News) -> None:
        if silent or news.step in ("begins", "there") or (brief and news.step == "finished"):
            return
        why = f": {clean(news.why)}" if news.why else ""
        console.print(f"{news.step} {news.branch.name}{why}", style="dim", soft_wrap=True)

    return watch


def _interrupted() -> None:
    from harness.cli.show import terminal

    terminal(stderr=True).print("Interrupted. Run the same command again to go on.")
