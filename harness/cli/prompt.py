"""`tracktwo prompt`: what a delegation would be told, and how two persona prompts differ."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from harness.models.tokens import Counter
    from harness.preview import DiffLine, Section, Told
    from harness.setting import Agenda, Setting

app = typer.Typer(
    help="Show what a delegation would be told, and compare persona prompts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Speech(Enum):
    """Who words the statements."""

    FREE = "free"
    COMPOSED = "composed"


class Phase(Enum):
    """Which turn of the delegation."""

    OPENING = "opening"
    ROUND = "round"
    DECISION = "decision"


SettingName = Annotated[str, typer.Option(help="A setting by name, or its folder.")]
PartyId = Annotated[
    str | None, typer.Option(help="Whose delegation.  [default: the agenda's first]")
]
ItemId = Annotated[
    str | None, typer.Option(help="The item under debate.  [default: the agenda's first]")
]
ModelName = Annotated[
    str, typer.Option(help="Who is to sit there; decides how it is briefed. Nobody is asked.")
]
SpeechKind = Annotated[
    Speech | None, typer.Option(help="free: the model writes; composed: it chooses moves only.")
]
PhaseName = Annotated[
    Phase,
    typer.Option(help="Which turn; before it the reference negotiator speaks for everybody."),
]
AgendaName = Annotated[str | None, typer.Option(help="A named agenda: its parties and rules.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")]


class Scene(NamedTuple):
    """Where and when a delegation is told something, as the user said."""

    setting: str
    agenda: str | None
    item: str | None
    party: str | None
    model: str
    speech: Speech | None
    phase: Phase


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="A persona prompt by name, or its file.", show_default=False)
    ],
    setting: SettingName = "geneva-2021",
    party: PartyId = None,
    item: ItemId = None,
    agenda: AgendaName = None,
    model: ModelName = "auto",
    speech: SpeechKind = None,
    phase: PhaseName = Phase.OPENING,
    json: AsJson = False,
) -> None:
    """Show what a delegation with this persona prompt is sent, with token counts.

    \b
    Examples:
      tracktwo prompt show hawkish
      tracktwo prompt show terse --party ru --item sanctions --model openai:MODEL
      tracktwo prompt show dossier --model local --phase decision --json
    """
    scene = Scene(setting, agenda, item, party, model, speech, phase)
    found, counter = _told(name, scene), _counter(scene)
    if json:
        _print_json({**_as_data(found, counter), "notice": _notice()})
    else:
        _show(found, counter)


@app.command()
def diff(
    a: Annotated[str, typer.Argument(help="A persona prompt by name, or its file.")],
    b: Annotated[str, typer.Argument(help="Another one.")],
    setting: SettingName = "geneva-2021",
    party: PartyId = None,
    item: ItemId = None,
    agenda: AgendaName = None,
    model: ModelName = "auto",
    speech: SpeechKind = None,
    phase: PhaseName = Phase.OPENING,
    json: AsJson = False,
) -> None:
    """Compare what a delegation is sent with one persona prompt and with another.

    \b
    Examples:
      tracktwo prompt diff hawkish dovish
      tracktwo prompt diff dossier terse --party ru --item sanctions --speech free
    """
    scene = Scene(setting, agenda, item, party, model, speech, phase)
    before, after = _told(a, scene), _told(b, scene)
    counter = _counter(scene)
    if json:
        _print_json(_comparison(before, after, counter))
    else:
        _show_diff(before, after, counter)


def _told(name: str, scene: Scene) -> Told:
    import asyncio

    from harness.preview import told
    from harness.seating import Wishes

    setting, agenda = _opened(scene)
    party = scene.party or agenda.parties[0]
    wishes = Wishes(
        model=scene.model,
        prompts={party: name},
        speech=scene.speech.value if scene.speech else None,
    )
    return asyncio.run(told(setting, agenda, party, wishes, moment=scene.phase.value))


def _opened(scene: Scene) -> tuple[Setting, Agenda]:
    """The setting, and its agenda with the one item that is shown."""
    from harness.agendas import agenda_by_hand
    from harness.loading import load_setting

    setting = load_setting(scene.setting)
    agenda = agenda_by_hand(setting, scene.agenda)
    item = scene.item or agenda.items[0]
    return setting, agenda_by_hand(setting, scene.agenda, items=[item])


def _counter(scene: Scene) -> Counter:
    """What counts tokens for the model that would sit in the seat."""
    import os

    from harness.models import registry
    from harness.models.tokens import counter_for

    spec = registry.parse(scene.model)
    if spec.family == "auto":
        spec = registry.parse(registry.choose_auto(os.environ).spec)
    return counter_for(spec)


def _show(found: Told, counter: Counter) -> None:
    seat = found.seat
    typer.secho(f"{_scene_words(found)}, prompt {_clean(seat.prompt)}", bold=True)
    typer.echo(_seat_words(found))
    total = counter.messages(found.request.messages)
    typer.echo(f"{_tokens(total, counter)}, {counter.how}")
    typer.secho(_notice(), dim=True)
    for section in found.sections:
        tokens = _tokens(counter.text(section.text), counter)
        typer.secho(f"\n== {section.role}, {section.name}: {tokens}", bold=True)
        typer.echo(_clean(section.text).strip("\n"))
    typer.secho("\n== answer", bold=True)
    typer.echo(_answer_words(found))


def _show_diff(before: Told, after: Told, counter: Counter) -> None:
    from harness.preview import differences

    typer.secho(_scene_words(before), bold=True)
    typer.echo(_seat_words(before))
    typer.echo(f"--- {_clean(before.seat.prompt)}\n+++ {_clean(after.seat.prompt)}")
    if _alike(before, after):
        total = _tokens(counter.messages(before.request.messages), counter)
        typer.echo(f"Both tell this delegation the same, word for word: {total}, {counter.how}.")
        return
    counts = [counter.messages(each.request.messages) for each in (before, after)]
    typer.echo(f"{_change(counts, counter)}, {counter.how}")
    for old, new in _pairs(before, after):
        counts = [counter.text(old.text), counter.text(new.text)]
        _show_section(f"{old.role}, {old.name}", differences(old.text, new.text), counts, counter)
    changed = differences(before.schema, after.schema)
    typer.secho(f"\n== answer: {'its JSON Schema differs' if changed else 'alike'}", bold=True)
    _show_lines(changed)


def _show_section(
    title: str, changed: tuple[DiffLine, ...], counts: list[int], counter: Counter
) -> None:
    words = _change(counts, counter) if changed else f"alike, {_tokens(counts[0], counter)}"
    typer.secho(f"\n== {title}: {words}", bold=True)
    _show_lines(changed)


def _show_lines(changed: tuple[DiffLine, ...]) -> None:
    colours = {"-": typer.colors.RED, "+": typer.colors.GREEN}
    for line in changed:
        typer.secho(f"{line.mark} {_clean(line.text)}", fg=colours.get(line.mark))


def _pairs(before: Told, after: Told) -> list[tuple[Section, Section]]:
    """The sections of both, side by side; the record is empty where one side has none."""
    old = {section.name: section for section in before.sections}
    new = {section.name: section for section in after.sections}
    return [
        (
            old.get(name) or section._replace(text=""),
            new.get(name) or section._replace(text=""),
        )
        for name, section in (old | new).items()
    ]


def _alike(before: Told, after: Told) -> bool:
    return (before.request.messages, before.schema) == (after.request.messages, after.schema)


def _scene_words(found: Told) -> str:
    request = found.request
    turn = {"opening": "opening statement", "round": "first round", "decision": "decision"}
    return f"{request.seat} on {request.item.id}, {turn[request.phase]}"


def _seat_words(found: Told) -> str:
    seat = found.seat
    model = f"{seat.model} ({seat.why})" if seat.why else seat.model
    guard = "guarded by its mandate" if seat.guard else "no guard"
    return _clean(f"model {model}; speech {seat.speech}; {guard}; memory of the {seat.memory}")


def _answer_words(found: Told) -> str:
    from harness.models import registry

    keys = ", ".join(found.request.schema["properties"]) or "nothing in it"
    size = len(_compact(found.request.schema))
    local = registry.parse(found.seat.model).family == "local"
    how = (
        "a grammar holds the model to it, which reads none of it"
        if local
        else "the provider gets it with the messages, and may count it; where it cannot hold a "
        "model to a schema, it stands at the end of the last message"
    )
    return f"One JSON object with {keys}. Its schema has {size:,} characters; {how}."


def _tokens(count: int, counter: Counter) -> str:
    return f"{count:,} tokens" if counter.exact else f"about {count:,} tokens"


def _change(counts: list[int], counter: Counter) -> str:
    old, new = counts
    return f"{old:,} to {_tokens(new, counter)} ({new - old:+,})"


def _clean(text: str | None) -> str:
    from harness.plain import clean

    return clean(text or "")


def _notice() -> str:
    from harness.events import NOTICE

    return NOTICE


def _as_data(found: Told, counter: Counter) -> dict[str, object]:
    seat, request = found.seat, found.request
    return {
        "prompt": seat.prompt,
        "prompt_sha": seat.prompt_sha,
        "party": request.seat,
        "item": request.item.id,
        "phase": request.phase,
        "model": seat.model,
        "why": seat.why,
        "speech": seat.speech,
        "guard": seat.guard,
        "memory": seat.memory,
        "tokens": _counted(counter.messages(request.messages), counter),
        "sections": [
            {**section._asdict(), "tokens": counter.text(section.text)}
            for section in found.sections
        ],
        "schema": request.schema,
    }


def _counted(total: int, counter: Counter) -> dict[str, object]:
    return {"total": total, "exact": counter.exact, "how": counter.how}


def _comparison(before: Told, after: Told, counter: Counter) -> dict[str, object]:
    from harness.preview import differences

    sections = [
        {
            "role": old.role,
            "name": old.name,
            "tokens": [counter.text(old.text), counter.text(new.text)],
            "diff": [list(line) for line in differences(old.text, new.text)],
        }
        for old, new in _pairs(before, after)
    ]
    return {
        "before": _as_data(before, counter),
        "after": _as_data(after, counter),
        "alike": _alike(before, after),
        "sections": sections,
        "schema": [list(line) for line in differences(before.schema, after.schema)],
        "notice": _notice(),
    }


def _compact(schema: object) -> str:
    import json

    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


def _print_json(data: dict[str, object]) -> None:
    import json

    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
