"""Whether the rules of procedure in a setting's files can be carried out.

News and private meetings must come before the talks end, and whoever they name must have a seat.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from harness.errors import Problem
from harness.loading.names import known, repeated, unknown
from harness.loading.placed import Document, Node, shown
from harness.setting import Rules

_WHEN = {"injects": "round", "caucuses": "after_round"}


def workability_problems(document: Document, root: Node) -> Iterator[Problem]:
    """Everything in the rules, of the setting or of an agenda, that cannot be carried out."""
    base, agendas = root.get("rules"), root.each("agendas")
    yield from _names(document, root, base)
    for agenda in agendas:
        yield from _names(document, root, agenda.get("rules"))
        yield from _agenda(document, agenda, base, known(root, "parties") or ())
    debated = {item.value for agenda in agendas for item in agenda.each("items")}
    # `--items` can put on the table what no agenda does.
    rounds = _rounds(base)
    for event, key in _events(base):
        if event.text("item") not in debated:
            yield from _too_late(document, event, key, rounds, "the setting")


def _names(document: Document, root: Node, rules: Node | None) -> Iterator[Problem]:
    if rules is None:
        return
    parties, items = known(root, "parties"), known(root, "items")
    vetoes = rules.each("vetoes")
    yield from unknown(document, vetoes, parties, "party of this setting")
    yield from repeated([(document, node) for node in vetoes], "party")
    for event in (*rules.each("injects"), *rules.each("caucuses")):
        item, meeting = event.get("item"), event.each("parties")
        yield from unknown(document, [item] if item else [], items, "item of this setting")
        yield from unknown(document, meeting, parties, "party of this setting")
        yield from repeated([(document, node) for node in meeting], "party")


def _agenda(
    document: Document, agenda: Node, base: Node | None, parties: Collection[str]
) -> Iterator[Problem]:
    """What an agenda cannot do with its rules: the setting's, changed key by key."""
    own, name = agenda.get("rules"), f"agenda {agenda.text('id')!r}"
    seated = [node.value for node in agenda.each("parties")]
    items = [node.value for node in agenda.each("items")]
    rounds = _rounds(own, base)
    for event, key in _events(own, base):
        item = event.get("item")
        if item is not None and item.value in items:
            yield from _too_late(document, event, key, rounds, name)
            for party in event.each("parties"):
                if party.value in parties and party.value not in seated:
                    yield document.problem(party, f"{shown(party.value)} has no seat in {name}")
        elif item is not None and own is not None and event in own.each(key):
            yield document.problem(item, f"{shown(item.value)} is not debated in {name}")
    decision = _rule("decision", own, base)
    if decision is not None and decision.value == "veto":
        vetoes = _rule("vetoes", own, base)
        holders = vetoes.value if vetoes is not None and isinstance(vetoes.value, list) else []
        if not any(node.value in seated for node in holders):
            why = f"{name} decides by veto, but none of its parties is in vetoes"
            yield document.problem(decision, why)


def _too_late(
    document: Document, event: Node, key: str, rounds: int, where: str
) -> Iterator[Problem]:
    when = event.get(_WHEN[key])
    if when is not None and isinstance(when.value, int) and when.value > rounds:
        why = f"round {when.value} never comes: {where} ends with round {rounds}"
        yield document.problem(when, why)


def _rule(key: str, *rules: Node | None) -> Node | None:
    """The rule in force: of the first rules that have it."""
    found = (node.get(key) for node in rules if node is not None)
    return next((node for node in found if node is not None), None)


def _rounds(*rules: Node | None) -> int:
    found = _rule("rounds", *rules)
    return found.value if found is not None and isinstance(found.value, int) else Rules().rounds


def _events(*rules: Node | None) -> Iterator[tuple[Node, str]]:
    """The news and private meetings in force, each with the key of the list it is in."""
    for key in _WHEN:
        found = _rule(key, *rules)
        if found is not None and isinstance(found.value, list):
            for event in found.value:
                yield event, key
