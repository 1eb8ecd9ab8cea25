"""`tracktwo run`: hold a debate, watch it, and score it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import BaseUrl, MaxCalls, MaxCost, MaxMinutes, MaxTokens, Prices, Timeout

if TYPE_CHECKING:
    from harness.seating import Means, Wishes
    from harness.session import Sitting
    from harness.setting import Agenda, Setting
    from harness.transcript import Transcript

STOPPED = 3
INTERRUPTED = 130


class Speech(Enum):
    """Who words the statements."""

    FREE = "free"
    COMPOSED = "composed"


class Guard(Enum):
    """What a delegation's schema leaves out."""

    MANDATE = "mandate"
    NONE = "none"


class Memory(Enum):
    """What prompts carry of the record."""

    DEBATE = "debate"
    ITEM = "item"


class Decision(Enum):
    """What adopts a text."""

    CONSENSUS = "consensus"
    MAJORITY = "majority"
    VETO = "veto"


def run(
    setting: Annotated[
        str | None,
        typer.Argument(help="A setting by name, or its folder.  [default: geneva-2021]"),
    ] = None,
    agenda: Annotated[str | None, typer.Option(help="A named agenda of the setting.")] = None,
    items: Annotated[
        str | None, typer.Option(help="Items by hand, comma-separated, instead of the agenda's.")
    ] = None,
    parties: Annotated[
        str | None, typer.Option(help="Parties by hand, comma-separated, in seat order.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[SEAT=]MODEL",
            help="Who sits in the seats: MODEL for all, or SEAT=MODEL; may be repeated. "
            "`tracktwo models` lists what can be used.  [default: auto]",
        ),
    ] = None,
    chair: Annotated[
        str, typer.Option(help="Who words the chair's announcements; the rules stay in code.")
    ] = "reference",
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[PARTY=]NAME",
            help="Persona prompt: NAME for all, or PARTY=NAME.  [default: dossier]",
        ),
    ] = None,
    speech: Annotated[
        Speech | None,
        typer.Option(help="free: the model writes; composed: from the dossier's wording."),
    ] = None,
    guard: Annotated[
        Guard | None,
        typer.Option(
            help="mandate: moves that cross a party's own red lines cannot be made; none."
        ),
    ] = None,
    memory: Annotated[
        Memory | None, typer.Option(help="What prompts carry of the record: debate or item.")
    ] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds per item.")] = None,
    decision: Annotated[Decision | None, typer.Option(help="What adopts a text.")] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Any other rule of procedure, NAME=VALUE: package=agenda, silence=true.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of lots and of models that take one.  [default: 0]")
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Sampling temperature.")] = None,
    base_url: BaseUrl = None,
    timeout: Timeout = None,
    max_reply: Annotated[int | None, typer.Option(min=1, help="Most tokens of one reply.")] = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    max_minutes: MaxMinutes = None,
    price: Prices = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The transcript, or a folder for it.  [default: ./transcripts]"),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with this interrupted transcript.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, for programs.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the result and the path.")] = False,
    private: Annotated[
        bool, typer.Option("--private", help="Also show notes and private meetings.")
    ] = False,
) -> None:
    """Hold a debate and score it.

    \b
    Examples:
      tracktwo run geneva-2021
      tracktwo run geneva-2021 --agenda summit --model reference
      tracktwo run geneva-2021 --items sanctions,syria --model us=human --model ru=reference
      tracktwo run --model replay:transcripts/examples/reference-eight-of-twelve.jsonl
      tracktwo run --resume transcripts/runs/FILE.jsonl
    """
    import asyncio
    import os

    from harness.errors import UserError
    from harness.models.budget import Budget
    from harness.models.clock import SystemClock
    from harness.models.prices import PriceList
    from harness.seating import Means, Wishes
    from harness.session import taken_up

    clock = SystemClock()
    budget = Budget(
        max_calls=max_calls, max_tokens=max_tokens, max_cost=max_cost, max_minutes=max_minutes,
        clock=clock,
    )  # fmt: skip
    means = Means(budget, PriceList.given(price or (), os.environ))
    models, prompts = _pairs(model, "auto"), _pairs(prompt, "dossier")
    wishes = Wishes(
        model=models.pop("*"),
        models=models,
        prompt=prompts.pop("*"),
        prompts=prompts,
        chair=chair,
        speech=speech.value if speech else None,
        guard=None if guard is None else guard.value == "mandate",
        memory=memory.value if memory else None,
        temperature=temperature,
        max_reply=max_reply,
        base_url=base_url,
        timeout=timeout,
    )
    changes = _rules(rule, rounds=rounds, decision=decision.value if decision else None)
    if resume is not None:
        sitting = taken_up(resume, means)
    elif (recorded := _recorded(wishes)) and not (setting or agenda or items or parties or changes):
        sitting = _held_again(recorded, wishes, seed, out, means)
    else:
        chosen = _agenda(setting or "geneva-2021", agenda, items, parties, changes)
        sitting = _opened(*chosen, wishes, seed or 0, out, means)
    _check_ceiling(sitting, max_cost)
    from harness.cli.watching import View

    view = View(sitting, as_json=json, quiet=quiet, private=private)
    try:
        stopped = asyncio.run(view.watch())
    except KeyboardInterrupt:
        view.interrupted()
        raise typer.Exit(INTERRUPTED) from None
    except UserError:
        view.end()
        raise
    view.results()
    if stopped:
        raise typer.Exit(STOPPED)


def _pairs(given: Sequence[str] | None, default: str) -> dict[str, str]:
    """`SEAT=VALUE` by seat; a value alone is for every seat and stands under `*`."""
    pairs = {"*": default}
    for text in given or ():
        seat, equals, value = text.partition("=")
        # openai:gpt=... is no seat: a seat's id has neither colon, slash nor dot.
        if equals and seat.replace("-", "").isalnum():
            pairs[seat] = value
        else:
            pairs["*"] = text
    return pairs


def _rules(given: Sequence[str] | None, **named: object) -> dict[str, object]:
    """The rules the user changed, as they were written."""
    from harness.errors import UserError
    from harness.setting import Rules

    changes = {name: value for name, value in named.items() if value is not None}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or name not in Rules.model_fields:
            known = ", ".join(Rules.model_fields)
            raise UserError(f"--rule {text!r} is not NAME=VALUE with NAME one of {known}.")
        changes[name] = value.split(",") if name == "vetoes" else value
    return changes


def _agenda(
    name: str,
    agenda: str | None,
    items: str | None,
    parties: str | None,
    changes: dict[str, object],
) -> tuple[Setting, Agenda]:
    """The setting, and its agenda with what the user changed."""
    from harness.agendas import agenda_by_hand
    from harness.loading import load_setting

    setting = load_setting(name)
    return setting, agenda_by_hand(
        setting, agenda, items=_listed(items), parties=_listed(parties), rules=changes
    )


def _listed(text: str | None) -> list[str]:
    """The names in a comma-separated list."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _opened(
    setting: Setting, agenda: Agenda, wishes: Wishes, seed: int, out: Path | None, means: Means
) -> Sitting:
    from harness.session import opened

    return opened(setting, agenda, wishes, seed, means, lambda name: _path(out, name))


def _recorded(wishes: Wishes) -> Transcript | None:
    """The recording that sits in all seats, if one does."""
    from harness.models import registry
    from harness.transcript import read

    spec = registry.parse(wishes.model)
    return read(spec.rest) if spec.family == "replay" and not wishes.models else None


def _held_again(
    recorded: Transcript, wishes: Wishes, seed: int | None, out: Path | None, means: Means
) -> Sitting:
    """A whole debate again: setting, rules and seed are those of the recording."""
    from harness.models.clock import SystemClock
    from harness.seating import name_of, seat_cards
    from harness.session import Sitting, stamp

    seats = seat_cards(recorded.setting, wishes, means.env)
    changes = {"seats": seats} if seed is None else {"seats": seats, "seed": seed}
    card = recorded.card.model_copy(update=changes)
    clock = SystemClock()
    return Sitting(card, _path(out, name_of(card, stamp(clock))), means, clock)


def _path(out: Path | None, name: str) -> Path:
    """Where the transcript goes; a second debate in the same second gets a number."""
    if out is not None and out.suffix == ".jsonl":
        return out
    from harness.places import in_checkout
    from harness.session import unused

    folder = out or (Path("transcripts/runs") if in_checkout() else Path("transcripts"))
    return unused(folder, name)


def _check_ceiling(sitting: Sitting, max_cost: float | None) -> None:
    if max_cost is None:
        return
    from harness.session import require_prices

    require_prices(sitting)
