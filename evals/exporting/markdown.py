"""A debate as one Markdown file: outcomes, joint text, conversation, tables, positions, sources.

Turns, items, issues and positions have anchors of their own (`T12`, `item-ID`, `issue-ID`,
`pos-ID`), written as empty HTML elements, which GitHub and other viewers keep. Everything that
comes from the transcript is escaped: it cannot start a heading, a table, a link or a tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from evals import tables
from evals.evaluator import Score
from evals.exporting.visible import Debate, Label, judged_by_turn
from harness import events as e
from harness.events import NOTICE, Event, Move, may_see
from harness.mechanism import Paragraph, joint_text
from harness.plain import clean
from harness.setting import Position, Setting

STATUS = {
    "adopted": "agreed", "bracketed": "in brackets", "open": "open", "undecided": "not decided",
}  # fmt: skip
DOES = {
    "propose": "proposes", "concede": "moves to", "accept": "accepts", "withdraw": "withdraws",
    "reserve": "accepts with reservation", "reject": "rejects",
}  # fmt: skip
PHASES = {
    "opening": "Opening statements", "reply": "Right of reply", "caucus": "Private meeting",
    "decision": "Decision",
}  # fmt: skip

_SPECIAL = re.compile(r"([\\`*_\[\]{}|~$])")
_LINE_START = re.compile(r"^(\s*)([#+\-=!]|\d+[.)])")
_ADDRESS = re.compile(r"https?://[^\s<>\"'`|\\]+")


def to_markdown(debate: Debate) -> str:
    """A debate as Markdown; what of it is private was decided when it was read."""
    parts = [*_head(debate), *_outcomes(debate), *_joint_text(debate), *_conversation(debate)]
    text = "\n".join([*parts, *_tables(debate), *_positions(debate)]) + "\n"
    return re.sub(r"\n{3,}", "\n\n", text)


def inert(text: object) -> str:
    """Text on one line that is nothing but text in Markdown, also in a heading or a table."""
    flat = " ".join(clean(str(text)).split())
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINE_START.sub(_unstarted, _SPECIAL.sub(r"\\\1", flat))


def quoted(text: str) -> list[str]:
    """Somebody's words as a block quote, paragraph by paragraph."""
    return [f"> {inert(line)}".rstrip() for line in clean(text).strip().splitlines()] or ["> "]


def anchor(kind: str, name: str) -> str:
    """An anchor's name; what is no letter, digit or hyphen is spelled as its code point."""
    safe = re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):x}_", name)
    return f"{kind}-{safe}" if kind else safe


def _unstarted(found: re.Match[str]) -> str:
    mark = found[2]
    return f"{found[1]}{mark[:-1]}\\{mark[-1]}"


def _here(name: str) -> str:
    return f'<a id="{name}"></a>'


def _link(text: str, name: str) -> str:
    return f"[{text}](#{name})"


def _head(debate: Debate) -> Iterator[str]:
    card, header = debate.transcript.card, debate.transcript.header
    yield f"# {inert(card.setting.title)}\n\n> **{NOTICE}**\n"
    yield f"{inert(header.debate)}, {inert(header.created)}. {inert(card.setting.summary)}\n"
    yield from _grid(
        ("seat", "model", "prompt", "guarded"),
        ((s.seat, s.model, s.prompt or "", "yes" if s.guard else "no") for s in card.seats),
    )
    if card.fork is not None:
        changes = "; ".join(card.fork.changes) or "nothing but the seed"
        yield f"\nTaken from {inert(card.fork.origin)}; changed: {inert(changes)}."
    if not debate.transcript.finished:
        yield "\n**The record ends before the talks were closed.**"
    if debate.transcript.torn:
        yield f"\n{debate.transcript.torn} bytes of a torn last line were left out."
    if debate.remark:
        yield f"\n{inert(debate.remark)}"


def _outcomes(debate: Debate) -> Iterator[str]:
    setting, state = debate.transcript.setting, debate.transcript.state
    yield "\n## Outcomes\n"
    if not state.issues:
        yield "No issue was before the parties."
        return
    yield "| item | issue | outcome | text |"
    yield "| --- | --- | --- | --- |"
    for paragraph in joint_text(state, setting):
        issue, item = setting.issue(paragraph.issue), setting.item(paragraph.item)
        lapsed = state.issues[issue.id].lapsed
        text = issue.option(paragraph.option).label if paragraph.option else ""
        cells = (
            _link(inert(item.title), anchor("item", item.id)),
            _link(inert(issue.heading), anchor("issue", issue.id)),
            "lapsed" if lapsed else STATUS[paragraph.status],
            inert(text),
        )
        yield f"| {' | '.join(cells)} |"


def _joint_text(debate: Debate) -> Iterator[str]:
    transcript = debate.transcript
    paragraphs = joint_text(transcript.state, transcript.setting)
    if not paragraphs:
        return
    yield f"\n## Joint text\n\n*{NOTICE}*"
    item = None
    for paragraph in paragraphs:
        if paragraph.item != item:
            item = paragraph.item
            yield f"\n### {inert(transcript.setting.item(item).title)}"
        yield from _paragraph(transcript.setting, paragraph)


def _paragraph(setting: Setting, paragraph: Paragraph) -> Iterator[str]:
    heading = inert(setting.issue(paragraph.issue).heading)
    yield f"\n{_here(anchor('issue', paragraph.issue))}**{heading}**: {STATUS[paragraph.status]}\n"
    if paragraph.text is not None:
        yield from quoted(paragraph.text)
        for reservation in paragraph.reservations:
            name = inert(setting.party(reservation.party).name)
            yield f"\nReservation of {name}{_because(setting, reservation.because)}."
    for option, text, holders in paragraph.brackets:
        names = ", ".join(inert(setting.party(holder).short) for holder in holders)
        yield f"\n\\[{names} ({inert(option)}): {inert(text)}\\]"
    if paragraph.text is None and not paragraph.brackets:
        yield f"*{inert(paragraph.why)}*"


def _conversation(debate: Debate) -> Iterator[str]:
    yield "\n## Conversation"
    labels = judged_by_turn(debate.results)
    shown: set[str] = set()
    for event in debate.transcript.events[2:]:
        if isinstance(event, e.TurnEvent) and event.turn not in shown:
            shown.add(event.turn)
            yield from _speaker(debate.transcript.setting, event)
            yield from _labels(labels.get(event.turn, ()))
        yield from _event(debate, event)


def _speaker(setting: Setting, event: e.TurnEvent) -> Iterator[str]:
    name, short = anchor("", event.turn), inert(setting.party(event.party).short)
    hidden = "" if may_see(event, None) else " (private)"
    yield f"\n{_here(name)}**{_link(inert(event.turn), name)} {short}**{hidden}\n"


def _labels(labels: Sequence[Label]) -> Iterator[str]:
    for label in labels:
        yield f"- *{inert(label.dimension)}, read by {inert(label.standing)}:* {inert(label.quote)}"
    if labels:
        yield ""


def _event(debate: Debate, event: Event) -> Iterator[str]:
    setting = debate.transcript.setting
    match event:
        case e.ItemOpened():
            title = inert(setting.item(event.item).title)
            yield f"\n### {_here(anchor('item', event.item))}{title}"
            yield from _chair(event.words)
        case e.RoundOpened():
            yield f"\n#### {PHASES.get(event.phase, f'Round {event.round}')}"
        case e.Statement():
            yield from quoted(event.text)
            if event.citations:
                cited = ", ".join(_cited(setting, each) for each in event.citations)
                yield f">\n> Cites {cited}"
            yield ""
        case e.TurnFailed():
            why = f"no answer: {event.why} ({event.failure}, asked {event.attempts} times)"
            yield f"- {inert(why)}"
        case e.MoveMade():
            yield f"- {_moved(setting, event.move, event.offer)}"
        case e.RuledOut():
            yield f"- *ruled out of order:* {_moved(setting, event.move, None)}: {inert(event.why)}"
        case e.VoteCast():
            heading = inert(setting.issue(event.issue).heading)
            yield f"- **votes {event.vote}** on {heading}{_because(setting, event.because)}"
        case e.Note():
            yield f"- *note to self:* {inert(event.text)}"
        case _:
            yield from _procedure(setting, event)


def _procedure(setting: Setting, event: Event) -> Iterator[str]:
    match event:
        case e.DebateOpened() | e.Tabled() | e.Decided() | e.ItemClosed() | e.DebateClosed():
            yield from _chair(event.words)
        case e.Injected():
            yield from _chair(f"News: {event.inject.text}")
        case e.ChairSpoke():
            yield from _chair(event.text)
        case e.PackageRuled():
            yield from _chair(event.why)
        case e.CaucusOpened():
            names = ", ".join(inert(setting.party(party).short) for party in event.parties)
            yield f"\n*Private meeting of {names}.*"
        case e.BudgetStop():
            yield f"\n*Stopped by the ceiling on {inert(event.ceiling)}: {inert(event.why)}.*"
        case e.Unread():
            yield f"- *could not be read:* {inert(event.why)}"
        case e.ModelCall():
            used = event.usage
            yield (
                f"\n*Call {inert(event.call)}: {inert(event.model or 'no answer')}, {used.input} "
                f"tokens in ({used.cached} cached), {used.output} out, {event.latency:.2f} s.*"
            )


def _chair(words: str) -> Iterator[str]:
    if words.strip():
        yield f"\n**Chair:** {inert(words)}"


def _moved(setting: Setting, move: Move, offer: str | None) -> str:
    heading = inert(setting.issue(move.issue).heading)
    if move.move == "ask":
        asked = inert(setting.party(move.to).short) if move.to else "the others"
        return f"**asks** {asked}: {heading}"
    handle = offer or move.offer
    words = f"**{DOES[move.move]}** {inert(handle) + ' ' if handle else ''}{heading}"
    words += f": {inert(setting.option(move.key).label)}"
    if move.in_return_for:
        words += f", for {inert(setting.option(move.in_return_for).label)}"
    return words + _because(setting, move.because)


def _because(setting: Setting, position: str | None) -> str:
    return f" ({_cited(setting, position)})" if position else ""


def _cited(setting: Setting, position: str) -> str:
    """A citation as a link to the position; what is not on record here leads nowhere."""
    try:
        setting.position(position)
    except KeyError:
        return f"{inert(position)} (not among the positions shown)"
    return _link(inert(position), anchor("pos", position))


def _tables(debate: Debate) -> Iterator[str]:
    """The two tables as `tracktwo score --markdown` has them, below their own headings."""
    if not debate.transcript.state.issues:
        return
    made = tables.to_markdown(tables.tables(debate.transcript, debate.results))
    # Not every viewer takes a backslash before an angle bracket for an escape.
    yield made[made.index("\n## Agreement\n") :].rstrip().replace("\\<", "&lt;")
    judged = [each for each in debate.results if isinstance(each, Score) and each.judge]
    if judged:
        yield "\n## Read by judges\n"
        yield from _grid(
            ("metric", "about", "judge", "value", "reason"), (_judged_cells(s) for s in judged)
        )


def _judged_cells(score: Score) -> tuple[str, ...]:
    assert score.judge is not None
    known = "" if score.judge.calibrated else " (uncalibrated)"
    greyed = f" ({score.greyed})" if score.greyed else ""
    return (
        f"{score.evaluator}/{score.metric}", score.subject, f"{score.judge.judge}{known}{greyed}",
        tables.show(score), score.reason,
    )  # fmt: skip


def _positions(debate: Debate) -> Iterator[str]:
    """Every position that was cited or stands behind a move, with its source."""
    setting = debate.transcript.setting
    used = _used(debate.transcript.events)
    yield "\n## Positions cited\n"
    found = [
        (party.short, position)
        for party in setting.parties
        for position in party.positions
        if position.id in used
    ]
    for short, position in found:
        yield from _position(short, position)
    if not found:
        yield "None."


def _position(short: str, position: Position) -> Iterator[str]:
    source, kind = position.source, position.kind.replace("_", " ")
    hidden = ", confidential" if position.visibility == "confidential" else ""
    yield (
        f"- {_here(anchor('pos', position.id))}**{inert(position.id)}** ({inert(short)}, {kind}, "
        f"firmness {position.firmness} of 5{hidden}): {inert(position.statement)} "
        f"*{inert(source.title)}*. {inert(source.publisher)}, {source.date}. {_address(source.url)}"
    )


def _used(events: Iterable[Event]) -> set[str]:
    used: set[str] = set()
    for event in events:
        match event:
            case e.Statement():
                used.update(event.citations)
            case e.MoveMade() | e.RuledOut() if event.move.because:
                used.add(event.move.because)
            case e.VoteCast() if event.because:
                used.add(event.because)
    return used


def _address(url: str) -> str:
    return f"<{url}>" if _ADDRESS.fullmatch(url) else inert(url)


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    lines: list[Sequence[str]] = [head, ["---"] * len(head)]
    yield from ("| " + " | ".join(line) + " |" for line in lines)
    yield from ("| " + " | ".join(map(inert, row)) + " |" for row in rows)
