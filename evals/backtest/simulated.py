"""What became of each issue in a debate, and which debates are runs of the same system.

An issue that was not reached, or that was lost because an answer could not be had, is not scored:
that is nobody's refusal to agree.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple

from evals.backtest.history import NONE, NotScored
from evals.evaluator import Value
from harness import events as e
from harness.errors import UserError
from harness.mechanism import joint_text
from harness.parts import Bracket, Seat
from harness.setting import Setting
from harness.transcript import Transcript


class Simulated(NamedTuple):
    """What became of an issue in one debate."""

    outcome: str
    """The option whose text stands at the end, or `none`."""
    brackets: tuple[Bracket, ...] = ()
    """Who stands for which text where none was adopted."""


class SeatCard(Value):
    """What sat in a party's seat."""

    party: str
    model: str
    """As it was asked for; of a file only its name."""
    prompt: str
    prompt_sha: str
    """Fingerprint of the prompt's template."""
    speech: str
    guard: bool
    """Whether moves across its own red lines were out of its reach."""
    memory: str


class System(Value):
    """Everything that decides how a delegation behaves: runs of one system are repetitions."""

    id: str
    """Short handle, from a fingerprint of all that is below and the models' parameters."""
    label: str
    """Models and prompts in a few words; unique within a report."""
    seats: tuple[SeatCard, ...]
    rules_sha: str
    """Fingerprint of the rules of procedure."""
    setting_sha: str
    """Fingerprint of the setting."""
    reference: bool
    """Whether reference negotiators sat in all seats."""


class Run(NamedTuple):
    """One debate of one system, reduced to what became of its issues."""

    system: System
    name: str
    """The file's name."""
    seed: int
    finished: bool
    issues: Mapping[str, Simulated | NotScored]


def run_of(transcript: Transcript, setting: Setting) -> Run:
    """The debate as a run of its system.

    Raises:
        UserError: it debates another setting, or other texts under the same names.
    """
    _check(transcript, setting)
    paragraphs = {p.issue: p for p in joint_text(transcript.state, transcript.setting)}
    issues: dict[str, Simulated | NotScored] = {}
    for issue, paragraph in paragraphs.items():
        missing = _not_scored(transcript, issue)
        if missing is not None:
            issues[issue] = missing
        elif paragraph.status == "adopted" and paragraph.option is not None:
            issues[issue] = Simulated(paragraph.option)
        else:
            held = tuple(Bracket(option=b[0], holders=b[2]) for b in paragraph.brackets)
            issues[issue] = Simulated(NONE, held)
    name = transcript.path.name if transcript.path else transcript.header.debate
    return Run(_system(transcript), name, transcript.card.seed, transcript.finished, issues)


def _check(transcript: Transcript, setting: Setting) -> None:
    where = transcript.path or transcript.header.debate
    own = transcript.setting
    if own.id != setting.id:
        raise UserError(
            f"{where}: debates {own.id!r}, not {setting.id!r}; leave it out or name its setting."
        )
    known = {issue.id: issue for item in setting.items for issue in item.issues}
    for item in own.items:
        for issue in item.issues:
            texts = {option.id: option.text for option in issue.options}
            now = known.get(issue.id)
            if now is None or {o.id: o.text for o in now.options} != texts:
                raise UserError(
                    f"{where}: the options of {issue.id} are not those of {setting.id} as it is "
                    "now, so what was agreed cannot be compared; hold the debate again."
                )


def _not_scored(transcript: Transcript, issue: str) -> NotScored | None:
    """Why the issue has no outcome in this debate; None where it has one."""
    state = transcript.state.issues[issue]
    decision = state.decision
    if decision is None:
        return NotScored("the debate stopped before it was put")
    if state.outcome == "adopted":
        return _package(transcript, state.item)
    if decision.outcome == "bracketed" and decision.missing and not decision.reject:
        return NotScored("nobody rejected the text, but an answer could not be had")
    silenced = _silenced(transcript, state.item)
    if silenced:
        return NotScored(f"{', '.join(silenced)} gave no answer that could be read on the item")
    return None


def _package(transcript: Transcript, item: str) -> NotScored | None:
    """An adopted text does not stand before its package is ruled on."""
    scope = transcript.rules.package
    if scope == "none":
        return None
    ruled = any(
        isinstance(event, e.PackageRuled) and (scope == "agenda" or event.item == item)
        for event in transcript.events
    )
    return None if ruled else NotScored("the debate stopped before its package was ruled on")


def _silenced(transcript: Transcript, item: str) -> tuple[str, ...]:
    """The parties of which every turn on the item failed."""
    turns = [event for event in transcript.events if isinstance(event, e.TurnEvent)]
    failed = {t.party for t in turns if t.item == item and isinstance(t, e.TurnFailed)}
    heard = {t.party for t in turns if t.item == item and not isinstance(t, e.TurnFailed)}
    return tuple(party for party in transcript.state.parties if party in failed - heard)


def _system(transcript: Transcript) -> System:
    card = transcript.card
    seats = tuple(seat for seat in card.seats if seat.seat != e.CHAIR)
    rules = _fingerprint(card.rules.model_dump(mode="json"))
    told = [seat.model_dump(mode="json", exclude={"why"}) for seat in seats]
    for seat in told:
        seat["model"] = _model(seat["model"])
    return System(
        id=_fingerprint([told, rules, card.setting_sha]),
        label=_label(transcript, seats),
        seats=tuple(_card(seat) for seat in seats),
        rules_sha=rules,
        setting_sha=card.setting_sha,
        reference=all(seat.model == "reference" for seat in seats),
    )


def _fingerprint(data: object) -> str:
    text = json.dumps(data, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _card(seat: Seat) -> SeatCard:
    return SeatCard(
        party=seat.seat,
        model=_model(seat.model),
        prompt=seat.prompt or "",
        prompt_sha=seat.prompt_sha or "",
        speech=seat.speech,
        guard=seat.guard,
        memory=seat.memory,
    )


def _model(spec: str) -> str:
    """The model without the folders of a file, which are nobody else's business."""
    family, colon, rest = spec.partition(":")
    of_a_file = colon and family in ("local", "script", "replay")
    return f"{family}:{PurePath(rest).name}" if of_a_file else spec


def _label(transcript: Transcript, seats: Sequence[Seat]) -> str:
    words = [_words(seat) for seat in seats]
    if len(set(words)) == 1:
        return words[0]
    shorts = (transcript.setting.party(seat.seat).short for seat in seats)
    return "; ".join(f"{short} {said}" for short, said in zip(shorts, words, strict=True))


def _words(seat: Seat) -> str:
    # The reference negotiator reads its mandate, never a prompt.
    parts = [] if seat.model == "reference" else [seat.prompt or "no prompt"]
    parts += ["guarded"] if seat.guard else []
    return ", ".join([_model(seat.model), *parts])


def told_apart(runs: Iterable[Run]) -> tuple[Run, ...]:
    """The runs with labels that are unique: what differs besides the words is named."""
    every = tuple(runs)
    systems = {run.system.id: run.system for run in every}
    labels: dict[str, str] = {}
    for system in systems.values():
        same = [other for other in systems.values() if other.label == system.label]
        labels[system.id] = f"{system.label}{_difference(system, same)}"
    return tuple(
        run._replace(system=run.system.model_copy(update={"label": labels[run.system.id]}))
        for run in every
    )


def _difference(system: System, same: Sequence[System]) -> str:
    """What sets the system apart from the first of its name."""
    if len(same) == 1:
        return ""
    first = same[0]
    if system is first:
        return f" [{system.id[:4]}]"
    if _held(system, "party") != _held(first, "party"):
        return f" [{system.id[:4]}: other parties]"
    what = [words for words, field in _FIELDS if _held(system, field) != _held(first, field)]
    return f" [{system.id[:4]}: other {', '.join(what) or 'parameters'}]"


_FIELDS = (
    ("rules", "rules_sha"),
    ("setting", "setting_sha"),
    ("prompt text", "prompt_sha"),
    ("speech", "speech"),
    ("memory", "memory"),
)


def _held(system: System, field: str) -> object:
    if field in System.model_fields:
        return getattr(system, field)
    return [getattr(seat, field) for seat in system.seats]
