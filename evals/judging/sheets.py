"""Sheets: what is handed to a judge in one call, gathered by item.

Calls grow with the length of the transcript, not with sentences times positions: all claims of a
party on an item go onto one sheet with the positions nearest to any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from evals.judging.material import Material, Said, own_positions
from evals.judging.rubrics import Rubric
from evals.judging.shapes import Claim, Sheet, Unit
from evals.text import Index
from harness.events import CHAIR
from harness.setting import Issue, Setting

UNITS = 10
"""The most units on a sheet."""
NEAREST = 5
"""Own positions fetched for each claim (the nearest by words; hit@5 is .89 on WiCE dev)."""
DISTRACTORS = 2
"""Positions of other parties on each sheet."""
EARLIER = 5
"""Earlier claims a claim is compared with."""
CONTEXT_WORDS = 1500
"""Words of the debate on the item that are shown beside what is judged."""

_Any = TypeVar("_Any")
_Key = TypeVar("_Key")


def sheets(material: Material, rubric: Rubric, claims: Sequence[Claim]) -> tuple[Sheet, ...]:
    """Every sheet of one dimension; none where there is nothing to read."""
    match rubric.reads:
        case "claims" if rubric.shows == "cited":
            found = _cited(material, rubric, claims)
        case "claims":
            found = _claims(material, rubric, claims)
        case "pairs":
            found = _pairs(material, rubric, claims)
        case "statements":
            found = _statements(material, rubric)
        case "issues":
            found = _issues(material, rubric)
        case "chair":
            found = _chair(material, rubric)
        case "sentences":
            found = iter(())
    return tuple(found)


def claim_sheets(
    setting: Setting, rubric: Rubric, claims: Iterable[Claim], heading: Mapping[str, str]
) -> Iterator[Sheet]:
    """Claims of one party on one item beside the positions nearest to them and two distractors.

    Args:
        setting: whose positions they are.
        rubric: of the dimension.
        claims: of any parties and items, in order.
        heading: item -> what the talks and the item are.
    """
    index = Index({p.id: p.statement for party in setting.parties for p in party.positions})
    for (party, item), group in _grouped(claims, lambda claim: (claim.party, claim.item)).items():
        own = own_positions(setting, party, item)
        for number, chunk in enumerate(_chunks(group), 1):
            chosen = _retrieved(index, chunk, own)
            others = _others(index, setting, chunk, party)
            yield Sheet(
                id=f"{rubric.name}/{item}/{party}/{number}",
                rubric=rubric,
                item=item,
                heading=heading[item],
                units=tuple(_claim_unit(claim, setting) for claim in chunk),
                positions=chosen | others,
                holder=setting.party(party).name,
                own=frozenset(own),
                foreign="unsupported" if "unsupported" in rubric.scale else None,
            )


def _claims(material: Material, rubric: Rubric, claims: Sequence[Claim]) -> Iterator[Sheet]:
    headings = {item.id: material.heading(item) for item in material.items}
    checkworthy = [claim for claim in claims if claim.checkworthy]
    yield from claim_sheets(material.setting, rubric, checkworthy, headings)


def _cited(material: Material, rubric: Rubric, claims: Sequence[Claim]) -> Iterator[Sheet]:
    """Claims beside exactly what their statement cites; statements that cite alike share sheets.

    A citation that does not exist, is another party's, is confidential or belongs to another item
    is not shown: it supports nothing, whatever it says.
    """
    citing = [claim for claim in claims if claim.checkworthy and claim.seq in material.cited]
    groups = _grouped(citing, lambda c: (c.party, c.item, material.cited[c.seq]))
    for number, ((party, item, chosen), group) in enumerate(groups.items(), 1):
        own = own_positions(material.setting, party, item)
        for part, chunk in enumerate(_chunks(group), 1):
            yield Sheet(
                id=f"{rubric.name}/{item}/{party}/{number}.{part}",
                rubric=rubric,
                item=item,
                heading=material.heading(material.setting.item(item)),
                units=tuple(_claim_unit(claim, material.setting) for claim in chunk),
                positions={key: own[key] for key in own if key in chosen},
                holder=material.name(party),
                own=chosen,
            )


def _claim_unit(claim: Claim, setting: Setting) -> Unit:
    return Unit(
        id=claim.id,
        text=claim.text,
        by=setting.party(claim.party).name,
        party=claim.party,
        turn=claim.turn,
        seqs=(claim.seq,),
        said_as=claim.sentence,
    )


def _retrieved(index: Index, claims: Iterable[Claim], own: Mapping[str, str]) -> dict[str, str]:
    """The own positions nearest to any of the claims, in the order of the mandate."""
    near = {
        key for claim in claims for key, _ in index.nearest(claim.text, NEAREST, among=list(own))
    }
    return {key: text for key, text in own.items() if key in near or len(own) <= NEAREST}


def _others(index: Index, setting: Setting, claims: Sequence[Claim], party: str) -> dict[str, str]:
    """The public positions of other parties, on any item, that are nearest to the claims."""
    texts = {
        p.id: p.statement
        for other in setting.parties
        if other.id != party
        for p in other.positions
        if p.visibility == "public"
    }
    whole = " ".join(claim.text for claim in claims)
    found = index.nearest(whole, DISTRACTORS, among=list(texts))
    return {key: texts[key] for key, _ in found}


def _pairs(material: Material, rubric: Rubric, claims: Sequence[Claim]) -> Iterator[Sheet]:
    """A claim beside the most similar earlier ones of the same party on the same item."""
    checkworthy = [claim for claim in claims if claim.checkworthy]
    groups = _grouped(checkworthy, lambda claim: (claim.party, claim.item))
    for (party, item), group in groups.items():
        pairs = list(_similar(group))
        for number, chunk in enumerate(_chunks(pairs), 1):
            yield Sheet(
                id=f"{rubric.name}/{item}/{party}/{number}",
                rubric=rubric,
                item=item,
                heading=material.heading(material.setting.item(item)),
                units=tuple(_pair_unit(one, other, material) for one, other in chunk),
            )


def _similar(group: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    index = Index({claim.id: claim.text for claim in group})
    by_id = {claim.id: claim for claim in group}
    for number, claim in enumerate(group):
        earlier = [other.id for other in group[:number] if other.turn != claim.turn]
        # A claim that shares no word with an earlier one is not about the same thing.
        near = [key for key, share in index.nearest(claim.text, EARLIER, among=earlier) if share]
        yield from ((by_id[key], claim) for key in near)


def _pair_unit(one: Claim, other: Claim, material: Material) -> Unit:
    return Unit(
        id=f"{one.id}>{other.id}",
        text=f"first ({one.turn}): {one.text} -- later ({other.turn}): {other.text}",
        by=material.name(other.party),
        party=other.party,
        turn=other.turn,
        seqs=(one.seq, other.seq),
        said_as=f"{one.sentence} -- {other.sentence}",
    )


def _statements(material: Material, rubric: Rubric) -> Iterator[Sheet]:
    # A judge may not go by what it knows of the world, so it is told what each party wants.
    parties = {p.id: f"{p.name}. {p.summary}" for p in material.setting.parties}
    labels = {} if rubric.scale else parties
    for item, said in material.said.items():
        groups = _grouped(said, lambda s: s.party) if rubric.shows != "nothing" else {"": said}
        for party, group in groups.items():
            shown = _shown(material.setting, party, item, rubric) if party else {}
            if party and not shown:
                continue
            for number, chunk in enumerate(_chunks(group), 1):
                yield Sheet(
                    id="/".join(filter(None, (rubric.name, item, party, str(number)))),
                    rubric=rubric,
                    item=item,
                    heading=material.heading(material.setting.item(item)),
                    units=tuple(_statement_unit(s, material, rubric) for s in chunk),
                    positions=shown,
                    holder=material.name(party) if party else "",
                    own=frozenset(shown),
                    said=_before(material, said, chunk) if rubric.scale else (),
                    labels=labels,
                )


def _statement_unit(said: Said, material: Material, rubric: Rubric) -> Unit:
    # Who spoke is what attribution asks.
    by = material.name(said.party) if rubric.scale else ""
    return Unit(said.turn, said.text, by, said.party, said.turn, (said.seq,))


def _shown(setting: Setting, party: str, item: str, rubric: Rubric) -> dict[str, str]:
    if rubric.shows == "confidential":
        return own_positions(setting, party, item, confidential=True)
    own = own_positions(setting, party, item)
    if rubric.shows == "red_lines":
        return {key: text for key, text in own.items() if setting.position(key).kind == "red_line"}
    return own


def _before(material: Material, said: Sequence[Said], chunk: Sequence[Said]) -> tuple[str, ...]:
    """What was said on the item up to the end of the chunk and is not on the sheet itself."""
    seqs = {s.seq for s in chunk}
    earlier = [s for s in said if s.seq < max(seqs) and s.seq not in seqs]
    return _latest([material.spoken(s) for s in earlier])


def _latest(texts: Sequence[str]) -> tuple[str, ...]:
    """As many of the last texts as `CONTEXT_WORDS` allow."""
    kept: list[str] = []
    left = CONTEXT_WORDS
    for text in reversed(texts):
        left -= len(text.split())
        if left < 0:
            break
        kept.insert(0, text)
    return tuple(kept)


def _issues(material: Material, rubric: Rubric) -> Iterator[Sheet]:
    """Every party that spoke, on every issue, from all that was said; no moves, no outcome."""
    for item, said in material.said.items():
        speakers = [p for p in material.setting.parties if any(s.party == p.id for s in said)]
        units = [
            Unit(
                id=f"issue:{issue.id}/{party.id}",
                text=f"Where {party.name} stands {_matter(issue, material.put)}",
                party=party.id,
                seqs=tuple(s.seq for s in said if s.party == party.id),
                source="\n".join(s.text for s in said if s.party == party.id),
            )
            for issue in material.setting.item(item).issues
            for party in speakers
        ]
        spoken = [material.spoken(s) for s in said]
        yield from _issue_sheets(material, rubric, item, units, spoken)
        yield from _voiced(material, rubric, item)


def _voiced(material: Material, rubric: Rubric, item: str) -> Iterator[Sheet]:
    """What a model says for the chair on every issue, on sheets of its own."""
    texts = material.voice.get(item, ())
    units = [
        Unit(
            id=f"issue:{issue.id}/{CHAIR}",
            text=f"Where the talks stand, by the chair, {_matter(issue, material.put)}",
            seqs=tuple(text.seq for text in texts),
            source="\n".join(text.text for text in texts),
        )
        for issue in material.setting.item(item).issues
        if texts
    ]
    spoken = [f"the chair: {text.text}" for text in texts]
    yield from _issue_sheets(material, rubric, item, units, spoken, CHAIR)


def _issue_sheets(
    material: Material,
    rubric: Rubric,
    item: str,
    units: Sequence[Unit],
    spoken: Sequence[str],
    *where: str,
) -> Iterator[Sheet]:
    for number, chunk in enumerate(_chunks(units), 1):
        yield Sheet(
            id="/".join((rubric.name, item, *where, str(number))),
            rubric=rubric,
            item=item,
            heading=material.heading(material.setting.item(item)),
            units=tuple(chunk),
            said=_latest(spoken),
        )


def _matter(issue: Issue, put: Mapping[str, str]) -> str:
    """The text put to decision, so that a stand is one on what was answered; or all there are."""
    texts = {option.id: f"“{option.label}”: {option.text}" for option in issue.options}
    chosen = texts.pop(put.get(issue.id, ""), None)
    others = " / ".join(texts.values())
    if chosen is None:
        return f"on the matter: {issue.question} No text was put to decision. The texts: {others}"
    return (
        f"on this text, put to decision on the matter: {issue.question} The text: {chosen} "
        f"(Other texts that were possible: {others or 'none'})"
    )


def _chair(material: Material, rubric: Rubric) -> Iterator[Sheet]:
    by_item = _grouped(material.chair, lambda text: text.item)
    for item, texts in by_item.items():
        units = [
            Unit(
                id=f"chair:{text.seq}/{party.id}",
                text=f"{text.text} (towards {party.name})",
                party=party.id,
                seqs=(text.seq,),
                source=text.text,
            )
            for text in texts
            for party in material.setting.parties
        ]
        for number, chunk in enumerate(_chunks(units), 1):
            yield Sheet(
                id=f"{rubric.name}/{item}/{number}",
                rubric=rubric,
                item=item,
                heading=material.heading(material.setting.item(item)),
                units=tuple(chunk),
            )


def _grouped(things: Iterable[_Any], key: Callable[[_Any], _Key]) -> dict[_Key, list[_Any]]:
    groups: dict[_Key, list[_Any]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return groups


def _chunks(things: Sequence[_Any]) -> Iterator[Sequence[_Any]]:
    return (things[start : start + UNITS] for start in range(0, len(things), UNITS))
