"""What tables need to know of a transcript beside its scores: what it was held with, and used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from evals.comparison.shapes import Use
from harness.events import CHAIR, TurnEvent, TurnFailed
from harness.transcript import Transcript

NONE = "none"
"""The outcome of an issue on which nothing was adopted."""


class Facts(NamedTuple):
    """What a debate was held with, and what came of it."""

    versions: Mapping[str, str]
    setting: str
    """Fingerprint of the setting."""
    prompts: Mapping[str, str]
    """Party -> fingerprint of its persona prompt; parties without one are left out."""
    seats: Mapping[str, str]
    """Party -> model, as asked for."""
    models: Mapping[str, tuple[str, ...]]
    """Party -> the model ids that answered."""
    outcomes: Mapping[str, str]
    """Issue -> id of the option adopted, or `none`."""


def facts(transcript: Transcript) -> Facts:
    """The facts of a transcript."""
    card = transcript.card
    seats = [seat for seat in card.seats if seat.seat != CHAIR]
    answered: dict[str, set[str]] = {seat.seat: set() for seat in seats}
    for call in transcript.calls:
        if call.model is not None and call.seat in answered:
            answered[call.seat].add(call.model)
    return Facts(
        versions=card.versions,
        setting=card.setting_sha,
        prompts={seat.seat: seat.prompt_sha for seat in seats if seat.prompt_sha is not None},
        seats={seat.seat: seat.model for seat in seats},
        models={party: tuple(sorted(found)) for party, found in answered.items()},
        outcomes={
            key: issue.decision.option or NONE
            if issue.decision is not None and issue.outcome == "adopted"
            else NONE
            for key, issue in transcript.state.issues.items()
        },
    )


def used(transcript: Transcript) -> Use:
    """What one debate took; the chair's calls count too."""
    calls = [call for call in transcript.calls if call.started is not None]
    turns = {e.turn for e in transcript.events if isinstance(e, TurnEvent)}
    lost = sum(isinstance(e, TurnFailed) for e in transcript.events)
    return Use(
        planned=0,
        finished=0,
        failed=0,
        calls=len(calls),
        input=sum(call.usage.input for call in calls),
        cached=sum(call.usage.cached for call in calls),
        output=sum(call.usage.output for call in calls),
        cost=sum(call.cost or 0.0 for call in calls),
        unpriced=sum(call.cost is None for call in calls),
        seconds=sum(call.latency for call in calls),
        turns=len(turns),
        failed_turns=lost,
    )


def together(uses: Iterable[Use]) -> Use:
    """What several debates took."""
    total: dict[str, float] = dict.fromkeys(Use.model_fields, 0)
    for use in uses:
        for name, value in use:
            total[name] += value
    return Use.model_validate(total)
