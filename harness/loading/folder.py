"""From the files in a setting's folder to its value, or to everything that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.errors import Problem, SettingError
from harness.loading.coherence import Files, coherence_problems
from harness.loading.finding import SETTING_FILE, find_setting
from harness.loading.names import near
from harness.loading.placed import Document, Node, printable, read_document, shown
from harness.loading.shapes import AgendaFile, PartyFile, SettingFile, in_shape
from harness.setting import Agenda, Party, Setting

PARTY_FILE = "{}.yaml"

RESERVED = {
    "chair": "is the moderator's seat",
    "setting": "is the name of the setting's own file",
}
"""What a party cannot be called, and why."""

_HANDLE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Loaded(NamedTuple):
    """What came of a setting's files."""

    setting: Setting | None
    """None where there is any problem."""
    problems: tuple[Problem, ...]


def load_setting(name_or_path: str | Path) -> Setting:
    """Load a setting by its name, or from its folder.

    Raises:
        SettingError: its files have problems; carries all of them.
        UserError: there is no such setting.
    """
    return load(find_setting(name_or_path))


def load(folder: Path) -> Setting:
    """Load the setting in the folder.

    Raises:
        SettingError: its files have problems; carries all of them.
    """
    loaded = examine(folder)
    if loaded.setting is None:
        raise SettingError(loaded.problems)
    return loaded.setting


def examine(folder: Path) -> Loaded:
    """The setting in the folder, or everything that is wrong with it."""
    document = _read(folder / SETTING_FILE)
    parties = list(_parties(folder, document.root))
    files = Files(document, [(party, read) for party, read in parties if read is not None])
    problems = [*document.problems, *_folder_problems(folder, document, parties)]
    shape, found = in_shape(document, SettingFile)
    problems += _news(problems, found)
    shaped: dict[str, Party] = {}
    for party, read in files.parties:
        value, found = in_shape(read, PartyFile)
        problems += read.problems
        problems += _news(problems, found)
        if value is not None:
            shaped[party] = value
    problems += _news(problems, coherence_problems(files))
    if problems or shape is None:
        return Loaded(None, _in_order(problems, [document, *(read for _, read in files.parties)]))
    return Loaded(_setting(shape, shaped), ())


def _read(path: Path) -> Document:
    file = display(path)
    try:
        return read_document(path.read_bytes(), file)
    except OSError as error:
        why = f"cannot be read: {error.strerror or error}"
        return Document(file, None, (Problem(file, 0, 0, why),))


def display(path: Path) -> str:
    """A path as it is shown: relative to the current folder where it lies below, and printable."""
    try:
        path = path.resolve().relative_to(Path.cwd())
    except ValueError:
        path = path.absolute()
    return printable(path.as_posix())


def _parties(folder: Path, root: Node | None) -> Iterator[tuple[str, Document | None]]:
    """Each party of the setting with its file; None where there is no such file."""
    listed = (node.value for node in root.each("parties")) if root is not None else ()
    # Only what is a handle may become a file name: '../x' is none.
    for party in dict.fromkeys(p for p in listed if isinstance(p, str) and _HANDLE.fullmatch(p)):
        if party not in RESERVED:
            path = folder / PARTY_FILE.format(party)
            yield party, _read(path) if path.is_file() else None


def _folder_problems(
    folder: Path, document: Document, parties: list[tuple[str, Document | None]]
) -> Iterator[Problem]:
    """What does not fit between the names of folder, files and parties."""
    root = document.root
    if root is None:
        return
    name, own = root.text("id"), root.get("id")
    if own is not None and name is not None and name != folder.resolve().name:
        why = f"{shown(name)} is not the name of its folder, {shown(folder.resolve().name)}"
        yield document.problem(own, why)
    stray = _strays(folder, {party for party, _ in parties})
    files = dict(parties)
    for node in root.each("parties"):
        if node.value in RESERVED:
            why = f"{shown(node.value)} cannot be a party: it {RESERVED[str(node.value)]}"
            yield document.problem(node, why)
        elif node.value in files and files[str(node.value)] is None:
            hint = near(PARTY_FILE.format(node.value), stray) if stray else ""
            why = f"{shown(node.value)} has no file {PARTY_FILE.format(node.value)}{hint}"
            yield document.problem(node, why)
    for party, read in parties:
        found = read.root.get("id") if read is not None and read.root is not None else None
        named = found.value if found is not None else None
        if read is not None and found is not None and isinstance(named, str) and named != party:
            why = f"{shown(named)} is not the name of its file; it should be {party!r}"
            yield read.problem(found, why)
    if root.get("parties") is not None:
        for file in stray:
            why = f"belongs to no party in {document.file}; list it in parties or move it away"
            yield Problem(display(folder / file), 0, 0, why)


def _strays(folder: Path, parties: set[str]) -> list[str]:
    """Files that look like a party's but belong to none."""
    expected = {SETTING_FILE, *map(PARTY_FILE.format, parties)}
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.suffix in (".yaml", ".yml") and path.name not in expected
    )


def _news(said: Sequence[Problem], more: Iterable[Problem]) -> Iterator[Problem]:
    """The problems of values that have not been complained of: a bad id is also an unknown one."""
    spots = {_spot(problem) for problem in said}
    yield from (problem for problem in dict.fromkeys(more) if _spot(problem) not in spots)


def _spot(problem: Problem) -> tuple[str, int, int, str]:
    path, colon, _ = problem.message.partition(": ")
    return problem.file, problem.line, problem.column, path if colon else ""


def _in_order(problems: list[Problem], read: list[Document]) -> tuple[Problem, ...]:
    """Each problem once: file by file in the order they were read, from top to bottom."""
    files = {document.file: index for index, document in enumerate(read)}
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda p: (files.get(p.file, len(files)), p.line, p.column)))


def _setting(shape: SettingFile, parties: Mapping[str, Party]) -> Setting:
    return Setting(
        id=shape.id,
        title=shape.title,
        as_of=shape.as_of,
        summary=shape.summary,
        parties=tuple(parties[party] for party in shape.parties),
        items=shape.items,
        agendas=tuple(_agenda(shape, agenda) for agenda in shape.agendas),
        default_agenda=shape.default_agenda,
    )


def _agenda(shape: SettingFile, agenda: AgendaFile) -> Agenda:
    """The agenda with the setting's rules, overridden key by key."""
    changes = {key: getattr(agenda.rules, key) for key in agenda.rules.model_fields_set}
    return Agenda(
        id=agenda.id,
        title=agenda.title,
        parties=agenda.parties,
        items=agenda.items,
        rules=shape.rules.model_copy(update=changes),
    )
