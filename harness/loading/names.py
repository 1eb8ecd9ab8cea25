"""Names in a setting's documents: which there are, which lead nowhere, which stand twice."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator

from harness.errors import Problem
from harness.loading.placed import Document, Node, shown


def near(value: str, names: Collection[str]) -> str:
    """The end of a message about a value that is not known: the nearest that is, or all of them."""
    found = nearest(value, names)
    if found is not None:
        return f"; did you mean {found!r}?"
    if not names:
        return ""
    return f"; there is {', '.join(list(names)[:12])}{', ...' if len(names) > 12 else ''}"


def nearest(value: str, names: Collection[str]) -> str | None:
    """The name that is most like the value; None where none is close."""
    plain = {_plain(name): name for name in reversed(list(names))}
    found = difflib.get_close_matches(_plain(value), plain, 1)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return name.casefold().replace("_", "-")


def known(root: Node, key: str) -> tuple[str, ...] | None:
    """The ids of the setting's parties, items or agendas; None where they cannot be told."""
    found = root.get(key)
    if found is None or not isinstance(found.value, list):
        return None
    ids = (node.value if key == "parties" else node.text("id") for node in found.value)
    return tuple(name for name in ids if isinstance(name, str))


def unknown(
    document: Document, nodes: Iterable[Node], names: Collection[str] | None, what: str
) -> Iterator[Problem]:
    """A problem for each text that is not among the names."""
    for node in nodes if names is not None else ():
        if isinstance(node.value, str) and node.value not in (names or ()):
            hint = near(node.value, names or ())
            yield document.problem(node, f"{shown(node.value)} is no {what}{hint}")


def repeated(
    spots: Iterable[tuple[Document, Node | None]], what: str, same: Callable[[str], str] = str
) -> Iterator[Problem]:
    """A problem for each text that has stood there before."""
    first: dict[str, str] = {}
    for document, node in spots:
        if node is None or not isinstance(node.value, str):
            continue
        name = same(node.value)
        if name in first:
            yield document.problem(node, f"{shown(node.value)} repeats the {what} at {first[name]}")
        else:
            first[name] = document.place(node)


def folded(text: str) -> str:
    """A text without the differences that do not count: case and spacing."""
    return " ".join(text.casefold().split())
