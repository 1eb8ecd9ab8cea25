"""Statements that know what nobody could know on the day the setting stands for.

Three signs, none of which asks a model. A *date* after `as_of` that the sentence does not speak of
as something to come; dates that stand in the setting's own public texts (a treaty's expiry, a
target year) only where the sentence treats them as past. An *event* from the setting's list
(`hindsight/ID.yaml`) that was first known later. A *retelling*: seven words in a row shared with
what the outcome file (`backtests/ID.yaml`) says of later developments. Hints without a date, a name
or the file's own words are not found, so a clean record is no proof of a clean model.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from evals import subject
from evals.evaluator import Evidence, Marker, Result, evaluator, evidence
from evals.hindsight.dates import Dated, dates, tense
from evals.hindsight.later import Event, events, retellings, stretches
from evals.record import of_kind
from evals.text import sentences
from harness import events as e
from harness.setting import Setting
from harness.transcript import Transcript

Sign = Literal["date", "event", "retelling"]


class Reference(NamedTuple):
    """A sentence that refers to something later."""

    statement: e.Statement
    sign: Sign
    what: str
    """The date as it was said, the event's id, or the issue the retelling is of."""
    quote: str
    """The sentence."""

    @property
    def evidence(self) -> Evidence:
        """The statement, with the sentence."""
        return evidence(self.statement, self.quote)


class Knowledge(NamedTuple):
    """What the parties may know of the time after `as_of`."""

    setting: Setting
    known: frozenset[tuple[int, int | None, int | None]]
    """Dates in the setting's public texts, each also by month and by year."""
    later: tuple[Event, ...]
    """Listed events that were first known after `as_of`."""
    retold: Mapping[str, frozenset[tuple[str, ...]]]
    """By issue, the stretches of words that only the outcome file has."""


def knowledge(setting: Setting) -> Knowledge:
    """What stands in the setting's texts, confidential ones and sources left out."""
    texts = tuple(_texts(json.loads(setting.model_dump_json())))
    keys = {dated.key for text in texts for dated in dates(text)}
    wider = {(y, m, None) for y, m, _ in keys} | {(y, None, None) for y, _, _ in keys}
    later = tuple(event for event in events(setting.id) if event.date > setting.as_of)
    return Knowledge(setting, frozenset(keys | wider), later, _retold(setting, texts))


def _retold(setting: Setting, texts: tuple[str, ...]) -> Mapping[str, frozenset[tuple[str, ...]]]:
    told = {run for text in texts for run in stretches(text)}
    retold: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for row in retellings(setting.id):
        if row.date > setting.as_of:
            retold[row.issue] |= set(stretches(row.what)) - told
    return {issue: frozenset(runs) for issue, runs in retold.items()}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict) and value.get("visibility") != "confidential":
        for key, part in value.items():
            if key != "source":
                yield from _texts(part)


def references(transcript: Transcript) -> tuple[Reference, ...]:
    """Every reference to something later in what was said, private meetings included.

    Raises:
        UserError: a list of later events cannot be read.
    """
    known = knowledge(transcript.setting)
    return tuple(
        Reference(statement, sign, what, sentence.text)
        for statement in of_kind(transcript, e.Statement)
        for sentence in sentences(statement.text)
        for sign, what in signs(sentence.text, known)
    )


def signs(sentence: str, known: Knowledge) -> Iterator[tuple[Sign, str]]:
    """What in the sentence refers to something later, and how it shows; each thing once."""
    later = (dated for dated in dates(sentence) if _flagged(dated, sentence, known))
    yield from (("date", words) for words in dict.fromkeys(dated.words for dated in later))
    yield from (("event", event.id) for event in known.later if event.words_in(sentence))
    said = frozenset(stretches(sentence))
    issues = (issue for issue, runs in known.retold.items() if said & runs)
    yield from (("retelling", issue) for issue in issues)


def _flagged(dated: Dated, sentence: str, known: Knowledge) -> bool:
    if not _after(dated, known.setting):
        return False
    how = tense(sentence, dated.start, dated.end)
    return how == "past" or (how == "none" and dated.key not in known.known)


def _after(dated: Dated, setting: Setting) -> bool:
    """Whether all that the date can mean lies after `as_of`."""
    as_of, (year, month, day) = setting.as_of, dated.key
    if day is not None:
        return dated.first > as_of
    return (year, month or 0) > (as_of.year, as_of.month if month else 0)


@evaluator("hindsight", version=1)
def hindsight(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """References to what happened after `as_of`, per 100 statements, with a gate at none."""
    found = references(transcript)
    said = [s for s in of_kind(transcript, e.Statement) if s.text.strip()]
    listed = len(events(transcript.setting.id))
    for party in transcript.state.parties:
        own = [each for each in found if each.statement.party == party]
        of = sum(statement.party == party for statement in said)
        yield from _rates(mark, subject.party(party), own, of, transcript.setting, listed)
    yield from _rates(mark, subject.DEBATE, list(found), len(said), transcript.setting, listed)


def _rates(
    mark: Marker, about: str, found: list[Reference], said: int, setting: Setting, listed: int
) -> Iterator[Result]:
    if not said:
        why = "nothing was said"
        yield mark.score(about, "references", None, f"no value: {why}", n=0)
        yield mark.score(about, "gate", None, why, n=0, label="not tested")
        return
    # By statement and sign, so that a date and an event in one sentence are two things known.
    distinct = {(each.statement.seq, each.sign, each.what) for each in found}
    named = ", ".join(sorted({f"{each.what} ({each.sign})" for each in found})) or "none"
    against = f"dates and {listed} listed events" if listed else "dates alone, no list of events"
    why = f"{len(distinct)} references to what came after {setting.as_of} in {said} statements"
    notes = [each.evidence for each in found]
    yield mark.score(
        about, "references", 100 * len(distinct) / said,
        f"{why}, per 100: {named}; looked for {against}", n=said, evidence=notes,
    )  # fmt: skip
    yield mark.score(
        about, "gate", not found, why, n=said, label="broken" if found else "held",
        evidence=notes,
    )  # fmt: skip
