"""What stands against an assertion, in lines that a reader of a failed test can act on.

Every function returns nothing where the assertion holds. A line names the turn, the event, what was
said, the position behind it and the command that opens the place.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from evals import subject
from evals.concordance import concordance, judged
from evals.evaluator import Evaluator, Score
from evals.leaks import leaked
from evals.leaks import leaks as leaks_in
from evals.record import Answer, answers, decisions, mandates
from evals.red_lines import red_lines
from evals.tables import show
from harness import events as e
from harness.errors import UserError
from harness.plain import quoted
from harness.transcript import Transcript

QUOTED = 300
"""At most so many characters of a statement or position are quoted."""

_ENDORSES = ("propose", "concede", "accept")


def not_agreed(transcript: Transcript, texts: Sequence[str]) -> list[str]:
    """Those of the texts, `issue` or `issue/option`, that were not adopted."""
    found: list[str] = []
    for issue, option in _texts(transcript, texts):
        decision, outcome = _outcome(transcript, issue)
        if outcome != "adopted":
            found += [f"{issue} is not agreed: {outcome}.", *_answered(transcript, decision)]
        elif decision is not None and option not in (None, decision.option):
            found += [f"{issue} is agreed, but not on {option}.", *_answered(transcript, decision)]
    return found


def agreed(transcript: Transcript, texts: Sequence[str]) -> list[str]:
    """Those of the texts that were adopted, or of which failed turns leave it open."""
    found: list[str] = []
    for issue, option in _texts(transcript, texts):
        decision, outcome = _outcome(transcript, issue)
        if outcome != "adopted":
            lost = _lost(transcript, decision)
            found += [f"Whether {issue} could not be agreed is not known: {lost}."] if lost else []
        elif decision is not None and option in (None, decision.option):
            found += [f"{issue} is agreed.", *_answered(transcript, decision)]
    return found


def inconsistent(transcript: Transcript, party: str, at_least: float, least: int) -> list[str]:
    """Why the party's answers are not in line with its positions as often as demanded."""
    _parties(transcript, party)
    score = _score(transcript, concordance, subject.party(party), "in_line")
    share = f"{party} answered in line with its positions: {show(score)}"
    if score.n < least:
        found = [f"{share}. Too few answers to say: {score.n}, and answers={least} is demanded."]
    elif (score.hits or 0) < at_least * (score.n + score.unscored):
        found = [f"{share}. At least {at_least:g} is demanded."]
    else:
        return []
    if score.unscored:
        found.append(f"Answers that could not be had count as out of line: {score.unscored}.")
    return [*found, *_out_of_line(transcript, party)]


def crossings(transcript: Transcript, party: str | None, *, soft: bool) -> list[str]:
    """Red lines that were crossed: at the decision, and if `soft` on the floor."""
    parties = _parties(transcript, party)
    found: list[str] = []
    for score in red_lines(transcript):
        if not isinstance(score, Score) or score.label is None:
            continue
        whose = score.subject.removeprefix("party:").partition("/")[0]
        if whose in parties and score.metric == "hard_crossing":
            found += _crossing(transcript, whose, score, "At the decision")
        elif whose in parties and score.metric == "soft_crossing" and soft:
            found += _crossing(transcript, whose, score, "On the floor")
    return found


def not_exposed(transcript: Transcript, party: str | None) -> list[str]:
    """Each party whose red lines were not put to the test, and why."""
    held = {who for (who, _), mandate in mandates(transcript.setting).items() if mandate.red_lines}
    asked = _parties(transcript, party)
    if party is None and held:
        asked = tuple(each for each in asked if each in held)
    guarded = {seat.seat for seat in transcript.card.seats if seat.guard}
    found: list[str] = []
    for each in asked:
        gate = _score(transcript, red_lines, subject.party(each), "gate")
        lost = f"; answers on one that could not be had: {gate.unscored}" if gate.unscored else ""
        if each not in held:
            found.append(f"{each}: it holds no red line on these items")
        elif gate.value is None or gate.unscored:
            found.append(f"{each}: {gate.reason}{lost}")
        elif each in guarded:
            found.append(f"{each}: its seat is guarded and could not have crossed one")
    return found


def leaks(transcript: Transcript, party: str | None) -> list[str]:
    """Confidential positions that reached other ears; the words themselves are left out."""
    parties = _parties(transcript, party)
    found: list[str] = []
    for leak in leaks_in(transcript):
        if leak.holder in parties:
            found.append(f"{leak.holder} gave away {leak.position} ({leak.sign}).")
            what = "the words are confidential and left out here"
            found += _place(transcript, leak.statement, what, said=False)
    return found


def no_secrets(transcript: Transcript, party: str | None) -> list[str]:
    """Why nothing could have leaked, if so."""
    _parties(transcript, party)
    about = subject.DEBATE if party is None else subject.party(party)
    gate = _score(transcript, leaked, about, "gate")
    return [f"{party or 'everyone'}: {gate.reason}"] if gate.value is None else []


def _parties(transcript: Transcript, party: str | None) -> tuple[str, ...]:
    known = tuple(each.id for each in transcript.setting.parties)
    if party is not None and party not in known:
        raise UserError(f"There is no party {party!r} at this table; there are {', '.join(known)}.")
    return known if party is None else (party,)


def _texts(transcript: Transcript, texts: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Issue and option of each text; the option is None where only an issue is named."""
    issues = [issue for item in transcript.setting.items for issue in item.issues]
    known = [name for issue in issues for name in (issue.id, *issue.keys)]
    for text in texts or ("",):
        if text not in known:
            near = get_close_matches(text, known, 1) or [issue.id for issue in issues]
            raise UserError(f"There is no issue or text {text!r} here; write {' or '.join(near)}.")
        issue_id, _, option = text.partition("/")
        yield issue_id, option or None


def _outcome(transcript: Transcript, issue: str) -> tuple[e.Decided | None, str]:
    """The decision on an issue, and what became of it."""
    decision = decisions(transcript).get(issue)
    if decision is None:
        return None, "the record ends before its decision"
    if transcript.state.issues[issue].lapsed:
        return decision, "adopted, but lapsed with the package it belonged to"
    return decision, decision.outcome


def _lost(transcript: Transcript, decision: e.Decided | None) -> str:
    """Why it may not have been the parties who withheld agreement; empty where it was."""
    if decision is None:
        return "the record ends before its decision"
    if decision.reject or (decision.by == "vote" and not decision.missing):
        return ""
    failed = [
        f"{event.turn} ({event.party}: {event.failure})"
        for event in transcript.events
        if isinstance(event, e.TurnFailed) and event.item == decision.item
    ]
    return f"nobody rejected a text, and turns failed: {', '.join(failed)}" if failed else ""


def _answered(transcript: Transcript, decision: e.Decided | None) -> Iterator[str]:
    """How it was decided, and who answered how."""
    if decision is None:
        return
    key = f"{decision.issue}/{decision.option}"
    text = f"{key} {_quoted(transcript.setting.option(key).text)}" if decision.option else "no text"
    yield f"  event {decision.seq}: {decision.outcome}: {text} ({decision.why})"
    for answer in answers(transcript):
        if answer.key == key:
            because = f" because {answer.because}" if answer.because else ""
            yield from _answer(transcript, answer, f"{answer.party}: {answer.choice}{because}")


def _out_of_line(transcript: Transcript, party: str) -> Iterator[str]:
    setting = transcript.setting
    for each in judged(transcript):
        answer = each.answer
        if answer.party != party or each.wanted == "neither" or each.in_line:
            continue
        mandate = setting.mandate(party, setting.item_of(answer.issue).id)
        behind = mandate.backing if each.wanted == "for" else mandate.against
        what = f"{party}: {answer.choice} {answer.key}; its record asks for a vote {each.wanted} it"
        yield from _answer(transcript, answer, what)
        yield f"    the text: {_quoted(setting.option(answer.key).text)}"
        yield from (_position(transcript, position.id) for position in behind(answer.key))


def _crossing(transcript: Transcript, party: str, score: Score, where: str) -> Iterator[str]:
    setting, key = transcript.setting, str(score.label)
    red_line = setting.mandate(party, setting.item_of(key.partition("/")[0]).id).red_lines[key]
    yield f"{where}, {score.reason}."
    yield f"    the text: {_quoted(setting.option(key).text)}"
    yield _position(transcript, red_line.id)
    for note in score.evidence:
        event = transcript.events[note.seq]
        place = _declared(transcript, event, party) if isinstance(event, e.Decided) else event
        yield from _place(transcript, place, note.quote)


def _answer(transcript: Transcript, answer: Answer, what: str) -> list[str]:
    """Where a formal answer stands; for one by declaration, the move that declared it."""
    if not isinstance(answer.event, e.Decided):
        return _place(transcript, answer.event, what)
    declared = _declared(transcript, answer.event, answer.party)
    return _place(
        transcript, declared, f"{what} (adopted by declaration, event {answer.event.seq})"
    )


def _declared(transcript: Transcript, decision: e.Decided, party: str) -> e.EventBase:
    """The party's last move for the text that was adopted by declaration."""
    text = f"{decision.issue}/{decision.option}"
    moves = (
        event
        for event in reversed(transcript.events[: decision.seq])
        if isinstance(event, e.MoveMade) and event.party == party
        if event.move.key == text and event.move.move in _ENDORSES
    )
    return next(moves, decision)


def _score(transcript: Transcript, evaluator: Evaluator, about: str, metric: str) -> Score:
    scores = (each for each in evaluator(transcript) if isinstance(each, Score))
    return next(each for each in scores if (each.subject, each.metric) == (about, metric))


def _position(transcript: Transcript, position_id: str) -> str:
    position = transcript.setting.position(position_id)
    if position.visibility == "confidential":
        return f"    {position_id}: confidential"
    source = position.source
    return f"    {position_id}: {_quoted(position.statement)} ({source.publisher}, {source.date})"


def _place(
    transcript: Transcript, event: e.EventBase, what: str, *, said: bool = True
) -> list[str]:
    """Where an event stands, what was said in its turn for all to hear, and how to open it."""
    if not isinstance(event, e.TurnEvent):
        return [f"  event {event.seq}: {what}"]
    lines = [f"  {event.turn}, event {event.seq}: {what}"]
    for other in transcript.events:
        if said and isinstance(other, e.Statement) and other.turn == event.turn:
            lines += [f"    said: {_quoted(other.text)}"] if other.audience is None else []
    if transcript.path is not None:
        private = " --private" if event.audience is not None else ""
        file = shlex.quote(str(transcript.path))
        lines.append(f"    tracktwo read {file} --turn {event.turn}{private}")
    return lines


def _quoted(text: str) -> str:
    return quoted(text if len(text) <= QUOTED else f"{text[: QUOTED - 1]}…")
