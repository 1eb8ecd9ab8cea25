"""Whether a setting's files fit together: names lead somewhere, nothing contradicts itself.

Works on documents rather than values, so that one defect does not hide the others. What the files
look like one by one is not decided here (see shapes.py), nor is whether they say enough
(see checking.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from harness.errors import Problem
from harness.loading.names import folded, known, near, repeated, unknown
from harness.loading.placed import Document, Node, shown
from harness.loading.shapes import is_date
from harness.loading.workability import workability_problems

SHORTEST_CANARY = 8
"""Characters; a shorter marker would turn up by chance."""

Spot = tuple[Document, Node]


class Files(NamedTuple):
    """A setting's documents; a party's is None where it could not be read."""

    setting: Document
    parties: Sequence[tuple[str, Document]]


class Issues(NamedTuple):
    """The issues of one item, with the option ids of each."""

    options: dict[str, tuple[str, ...]]
    whole: bool
    """False where some of it could not be read, so that a missing name proves nothing."""


class Talks(NamedTuple):
    """What positions can refer to."""

    as_of: str | None
    names: tuple[str, ...] | None
    """The ids of the items; None where they cannot be told."""
    items: Mapping[str, Issues]


def coherence_problems(files: Files) -> Iterator[Problem]:
    """Everything about the files that does not fit together."""
    if files.setting.root is not None:
        yield from _setting_names(files.setting, files.setting.root)
        yield from _agendas(files.setting, files.setting.root)
        yield from workability_problems(files.setting, files.setting.root)
    read = [(document, document.root) for _, document in files.parties if document.root is not None]
    for key in ("name", "short"):
        yield from repeated([(doc, root.get(key)) for doc, root in read], key)
    everyone = [(doc, position) for doc, root in read for position in root.each("positions")]
    yield from repeated(_ids(everyone), "position id")
    yield from repeated([(doc, node.get("canary")) for doc, node in everyone], "canary")
    talks = _talks(files.setting.root)
    for document, position in everyone:
        yield from _position(document, position, talks)
    yield from _canaries_in_public(files, everyone)
    if len(read) == len(files.parties):
        yield from _unadoptable(files, read)


def _setting_names(document: Document, root: Node) -> Iterator[Problem]:
    items = root.each("items")
    issues = [issue for item in items for issue in item.each("issues")]
    yield from repeated(_ids((document, item) for item in items), "item id")
    yield from repeated(_ids((document, agenda) for agenda in root.each("agendas")), "agenda id")
    yield from repeated(_ids((document, issue) for issue in issues), "issue id")
    for issue in issues:
        options = [(document, option) for option in issue.each("options")]
        yield from repeated(_ids(options), "option id of this issue")
        for key, what in (("label", "label"), ("text", "text")):
            held = [(document, option.get(key)) for _, option in options]
            yield from repeated(held, f"{what} of this issue", folded)
    yield from repeated([(document, party) for party in root.each("parties")], "party")


def _agendas(document: Document, root: Node) -> Iterator[Problem]:
    agendas, parties, items = root.each("agendas"), known(root, "parties"), known(root, "items")
    for agenda in agendas:
        for key, names, what in (("parties", parties, "party"), ("items", items, "item")):
            yield from repeated([(document, node) for node in agenda.each(key)], what)
            yield from unknown(document, agenda.each(key), names, f"{what} of this setting")
    default = root.get("default_agenda")
    if default is not None and agendas:
        yield from unknown(document, [default], known(root, "agendas"), "agenda of this setting")


def _position(document: Document, position: Node, talks: Talks | None) -> Iterator[Problem]:
    supports, opposes = position.each("supports"), position.each("opposes")
    for keys in (supports, opposes):
        yield from repeated([(document, key) for key in keys], "option")
    supported = {key.value: key for key in supports if isinstance(key.value, str)}
    for key in opposes:
        if isinstance(key.value, str) and key.value in supported:
            there = document.place(supported[key.value])
            yield document.problem(key, f"{shown(key.value)} is also supported, at {there}")
    yield from _canary(document, position)
    if talks is not None:
        yield from _dated(document, position, talks.as_of)
        yield from _links(document, position, talks, [*supports, *opposes])


def _dated(document: Document, position: Node, as_of: str | None) -> Iterator[Problem]:
    source = position.get("source")
    dated = source.get("date") if source is not None else None
    if dated is None or not is_date(dated.value) or not is_date(as_of):
        return  # has been complained of
    if str(dated.value) > str(as_of):  # ISO dates compare as text
        why = f"{shown(dated.value)} is after the setting's as_of, {as_of}: no hindsight"
        yield document.problem(dated, why)


def _links(
    document: Document, position: Node, talks: Talks, keys: Sequence[Node]
) -> Iterator[Problem]:
    item = position.get("item")
    if talks.names is None or item is None or not isinstance(item.value, str):
        return
    yield from unknown(document, [item], talks.names, "item of this setting")
    for key in keys:
        if isinstance(key.value, str) and key.value.count("/") == 1:
            check = _not_there if item.value in talks.items else _nowhere
            why = check(key.value, item.value, talks.items)
            if why:
                yield document.problem(key, why)


def _talks(root: Node | None) -> Talks | None:
    if root is None:
        return None
    items = {item.text("id") or "": _issues(item) for item in root.each("items")}
    return Talks(root.text("as_of"), known(root, "items"), items)


def _issues(item: Node) -> Issues:
    options: dict[str, tuple[str, ...]] = {}
    whole = bool(item.each("issues"))
    for issue in item.each("issues"):
        name, choices = issue.text("id"), issue.each("options")
        ids = tuple(filter(None, (option.text("id") for option in choices)))
        whole = whole and name is not None and name not in options
        whole = whole and len(set(ids)) == len(choices) > 1
        if name is not None:
            options[name] = ids
    return Issues(options, whole)


def _nowhere(key: str, _: str, items: Mapping[str, Issues]) -> str | None:
    """What is wrong with an option where the position's item is not known."""
    every = [each for there in items.values() for each in _keys(there)]
    if key in every or not all(there.whole for there in items.values()):
        return None
    return f"{shown(key)} is no option of this setting{near(key, every)}"


def _not_there(key: str, item: str, items: Mapping[str, Issues]) -> str | None:
    """What is wrong with an option of a position on an item."""
    there, (issue, _, option) = items[item], key.partition("/")
    if option in there.options.get(issue, ()) or not there.whole:
        return None
    for other, found in items.items():
        if option in found.options.get(issue, ()):
            return f"{shown(key)} is an option of item {other!r}, but the position is on {item!r}"
    if issue in there.options:
        hint = near(option, there.options[issue])
        return f"{shown(key)} is no option: issue {issue!r} has none called {shown(option)}{hint}"
    return f"{shown(key)} is no option of item {item!r}{near(key, _keys(there))}"


def _keys(there: Issues) -> list[str]:
    return [f"{issue}/{option}" for issue, options in there.options.items() for option in options]


def _canary(document: Document, position: Node) -> Iterator[Problem]:
    canary = position.get("canary")
    if canary is None or not isinstance(canary.value, str):
        return
    if not _secret(position):
        yield document.problem(canary, "only a confidential position may carry a canary")
    if len(canary.value.strip()) < SHORTEST_CANARY:
        why = f"{shown(canary.value)} is shorter than {SHORTEST_CANARY} characters"
        yield document.problem(canary, why)
    said = (position.text("statement") or "") + "\n" + (position.text("spoken") or "")
    if folded(canary.value) not in folded(said):
        why = f"{shown(canary.value)} is not in the position's statement, so it could never leak"
        yield document.problem(canary, why)


def _canaries_in_public(files: Files, everyone: Sequence[Spot]) -> Iterator[Problem]:
    """A marker that public text holds too would raise a false alarm."""
    secret = [(doc, position.get("canary")) for doc, position in everyone if _secret(position)]
    planted = [
        (f"{shown(canary.value)}, the canary at {document.place(canary)}, is public", canary.value)
        for document, canary in secret
        if canary is not None and isinstance(canary.value, str)
        if len(canary.value.strip()) >= SHORTEST_CANARY
    ]
    documents = (files.setting, *(document for _, document in files.parties))
    for document in documents if planted else ():
        for node in _public(document.root):
            said = folded(node.value) if isinstance(node.value, str) else ""
            for why, canary in planted:
                if folded(canary) in said:
                    yield document.problem(node, why)


def _secret(position: Node) -> bool:
    return position.text("visibility") == "confidential"


def _public(root: Node | None) -> Iterator[Node]:
    """All values of a file but those of confidential positions."""
    for key, held in root.value.items() if root and isinstance(root.value, dict) else ():
        if key != "positions" or not isinstance(held.value, list):
            yield from held.walk()
            continue
        for position in held.value:
            if not _secret(position):
                yield from position.walk()


def _unadoptable(files: Files, read: Sequence[tuple[Document, Node]]) -> Iterator[Problem]:
    """Options that cross a red line of everybody who is on record on their issue, two or more.

    One party's red line against another's wish is what a negotiation is about, and parties that the
    record does not bind could take anything; but a text that all who have spoken refuse outright is
    a mistake in the links. Without red lines, opposition may still be traded away.
    """
    root = files.setting.root
    issues = [issue for item in root.each("items") for issue in item.each("issues")] if root else []
    for issue in issues:
        name = f"{issue.text('id')}/"
        on_record = {doc.file: _crossed(party, name) for doc, party in read if _speaks(party, name)}
        for option in issue.each("options"):
            key = f"{name}{option.text('id')}"
            lines = [crossed[key] for crossed in on_record.values() if key in crossed]
            if len(lines) == len(on_record) >= 2:
                why = (
                    f"{shown(key)} crosses a red line of every party on record on its issue "
                    f"({', '.join(lines)}), so nobody could adopt it"
                )
                yield files.setting.problem(option, why)


def _speaks(party: Node, issue: str) -> bool:
    """Whether a party is on record on an issue, given with its slash."""
    return any(
        isinstance(key.value, str) and key.value.startswith(issue)
        for position in party.each("positions")
        for key in (*position.each("supports"), *position.each("opposes"))
    )


def _crossed(party: Node, issue: str) -> dict[str, str]:
    """The options of the issue that cross a red line of the party, each with its position."""
    return {
        key.value: position.text("id") or "?"
        for position in party.each("positions")
        if position.text("kind") == "red_line"
        for key in position.each("opposes")
        if isinstance(key.value, str) and key.value.startswith(issue)
    }


def _ids(spots: Iterable[Spot]) -> list[tuple[Document, Node | None]]:
    return [(document, node.get("id")) for document, node in spots]
