"""`tracktwo check`: whether settings are sound, and what their record leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from harness.checking import Gaps, Size
    from harness.loading import Loaded
    from harness.setting import Setting

INVALID = 2


def check(
    setting: Annotated[
        str | None,
        typer.Argument(
            help="A setting by name, or its folder.  [default: every setting found]",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Check a setting's files, and report what its record leaves open.

    \b
    Examples:
      tracktwo check
      tracktwo check geneva-2021
      tracktwo check ./personas/my-talks --json
    """
    from harness.loading import examine

    results = [(folder, examine(folder)) for folder in _folders(setting)]
    if json:
        _show_json(results)
    else:
        _show(results)
    if any(loaded.problems for _, loaded in results):
        raise typer.Exit(INVALID)


def _folders(setting: str | None) -> tuple[Path, ...]:
    from harness.errors import UserError
    from harness.loading import find_setting, settings_available

    if setting is not None:
        return (find_setting(setting),)
    folders = settings_available()
    if not folders:
        raise UserError("There is no setting here; `tracktwo new NAME` writes one.")
    return folders


def _show_json(results: Sequence[tuple[Path, Loaded]]) -> None:
    from json import dumps

    report = {
        "valid": not any(loaded.problems for _, loaded in results),
        "settings": [_as_json(folder, loaded) for folder, loaded in results],
    }
    typer.echo(dumps(report, indent=2))


def _as_json(folder: Path, loaded: Loaded) -> dict[str, Any]:
    from harness.checking import gaps, size
    from harness.loading import display

    report: dict[str, Any] = {
        "folder": display(folder),
        "setting": None,
        "problems": [problem._asdict() for problem in loaded.problems],
    }
    if loaded.setting is not None:
        report["setting"] = loaded.setting.id
        report["size"] = size(loaded.setting).model_dump(mode="json")
        report["gaps"] = gaps(loaded.setting).model_dump(mode="json")
    return report


def _show(results: Sequence[tuple[Path, Loaded]]) -> None:
    from harness.cli.show import terminal
    from harness.plain import clean

    out, err = terminal(), terminal(stderr=True)
    problems = [problem for _, loaded in results for problem in loaded.problems]
    first = True
    for _, loaded in results:
        if loaded.setting is not None:
            if not first:
                out.print()
            first = False
            for line in report(loaded.setting):
                # Headings stand at the margin; the text of files is printed as text, not as markup.
                out.print(clean(line), style="" if line.startswith(" ") else "bold")
    for problem in problems:
        err.print(clean(str(problem)))
    if problems:
        files = len({problem.file for problem in problems})
        err.print(f"{_count(len(problems), 'problem')} in {_count(files, 'file')}.", style="bold")


def report(setting: Setting) -> Iterator[str]:
    """What there is to say about a sound setting, line by line."""
    from harness.checking import gaps, size

    yield f"{setting.id}: {setting.title}"
    yield from _size(setting, size(setting))
    yield from _gaps(gaps(setting))


def _size(setting: Setting, size: Size) -> Iterator[str]:
    yield (
        f"  Sound, as of {setting.as_of}: {_count(size.items, 'item')}, "
        f"{_count(size.issues, 'issue')}, {_count(size.options, 'option')}, "
        f"{_count(size.positions, 'position')}"
    )
    yield "Parties"
    for party in size.parties:
        tiers = ", ".join(f"{count} {tier}" for tier, count in party.tiers.items())
        counted = _count(party.positions, "position")
        yield f"  {party.party}: {counted}{f' ({tiers})' if tiers else ''}"
    yield "Agendas"
    for agenda in size.agendas:
        default = ", the default" if agenda.agenda == size.default_agenda else ""
        yield (
            f"  {agenda.agenda}{default}: {_count(agenda.items, 'item')}, "
            f"{_count(agenda.issues, 'issue')}, {' '.join(agenda.parties)}"
        )


def _gaps(gaps: Gaps) -> Iterator[str]:
    yield from _silences(gaps)
    yield from _listed("Options that no position supports", gaps.unsupported)
    if gaps.closed:
        options = len({closed.option for closed in gaps.closed})
        yield f"Options closed by a red line: {options}"
        for closed in gaps.closed:
            yield f"  {closed.option}: {closed.party} ({closed.position})"
    yield from _listed("Positions that bear on no option", gaps.idle)
    yield from _listed("Red lines that oppose no option", gaps.blunt)
    yield from _listed("Positions to verify before relying on them", gaps.unverified)


def _silences(gaps: Gaps) -> Iterator[str]:
    """One line for each party and the agendas in which it is silent."""
    if not gaps.silences:
        return
    yield f"Issues debated by a party with no documented position: {len(gaps.silences)}"
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for silence in gaps.silences:
        grouped.setdefault((silence.party, silence.agendas), []).append(silence.issue)
    for (party, agendas), issues in grouped.items():
        yield f"  {party} ({', '.join(agendas)}): {', '.join(issues)}"


def _listed(heading: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{heading}: {len(names)}"
        yield from (f"  {name}" for name in names)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
