"""The checks of the offline battery: what is planted, what it should move and what else it may.

What a change may move is declared as patterns `evaluator/metric@subject`, with `*` for anything and
{party}, {issue} and {item} for where the plant is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from evals.validity import planting
from evals.validity.planted import CannotPlant, Cell, Planted
from harness import events as e
from harness.transcript import Transcript

Patterns: TypeAlias = tuple[str, ...]

WORDS: Patterns = ("floor/floor_share@*", "floor/floor_gini@*", "repetition/*@*")
"""What counts words, whatever they say: further sentences may move it, and should."""

_OUTCOME: Patterns = (
    "outcomes/outcome@issue:{issue}", "outcomes/outcome@item:{item}",
    "outcomes/lost_to_failure@debate", "agreement/*@item:{item}", "agreement/*@debate",
    "agreement/turns_to_agreement@issue:{issue}", "breadth/breadth@issue:{issue}",
    "brackets/*@debate", "floor/first_proposal_adopted@debate", "concessions/*@*",
    "satisfaction/*@*",
)  # fmt: skip
"""What hangs on the outcome of one issue."""
_TURNED: Patterns = (
    *_OUTCOME, "breadth/voted_alike@parties:{party}+*",
    "breadth/voted_alike@parties:*+{party}", "concordance/*@party:{party}",
    "concordance/*@party:{party}/issue:{issue}", "concordance/*@debate",
    "concordance/in_line_majority@party:*", "red_lines/*@party:{party}",
    "red_lines/*@party:{party}/issue:{issue}", "red_lines/*@debate", "say_do/*@party:{party}",
    "say_do/*@party:{party}/issue:{issue}", "say_do/*@debate",
)  # fmt: skip
"""What hangs on one vote: of the others, only what the majority around them did."""
_BALLOT: Patterns = (
    *_OUTCOME, "breadth/voted_alike@*", "concordance/*@party:*", "concordance/*@debate",
    "red_lines/crossed_*@*", "red_lines/gate@*", "red_lines/*@party:{party}/issue:{issue}",
    "say_do/*@*", "procedure/failed_turns@*", "procedure/gate@*", "procedure/ruled_out@*",
    "citations/valid@*", "citations/coverage@*",
)  # fmt: skip
"""What hangs on a ballot, or on an issue settled sooner: everybody answers, and moves that then do
not take place take the positions they named with them."""

_NAMES: Patterns = ("repetition/voice_*@*", "screens/support*@*")
"""What weighs words by how rare they are: a new name has no word in common with other phrases."""

_SAID: Patterns = ("screens/*@*",)
"""What reads every sentence about the item: a position told or recited is one."""
FORM: Patterns = (
    *WORDS, "procedure/*@*", "leaks/*@*", "hindsight/*@*",
    "citations/tried_valid@*",
)  # fmt: skip
"""What is counted over words, turns, statements and calls, so that courtesies have a value too."""
NOTHING_DONE: Patterns = (
    "outcomes/*@*", "agreement/agreement_rate*@*", "satisfaction/*@*", "concessions/given@*",
    "concessions/received@*", "concessions/longest_streak@*", "citations/coverage@*",
)  # fmt: skip
"""What is 0 where nobody names a text: nothing agreed, given, taken home or voiced. Never more."""


Plants: TypeAlias = Callable[[Transcript, random.Random], Iterator[Planted]]


@dataclass(frozen=True)
class Check:
    """A plant, what it should move, and what else it may."""

    id: str
    name: str
    plants: Plants
    should: Patterns = ()
    """Each must be matched by a result that changed."""
    may: Patterns = ()
    """Anything else that changes must match one of these."""
    about: tuple[str, ...] = ()
    """Names of the evaluators that are meant; all where left out."""
    unscored: bool = False
    """Whether more or fewer cases may be left unscored: what is planted may be found to say nothing
    that could be scored, and to say so is right."""


def checks_for(words: Patterns = WORDS) -> tuple[Check, ...]:
    """The checks that compare a planted record with the clean one; `words` as in `WORDS`."""
    vote = ("red_lines/crossed_hard@party:{party}", "red_lines/hard_crossing@party:{party}/*")
    red, leaks = ("red_lines",), ("leaks/leaks_per_100@party:{party}", "leaks/leaks_per_100@debate")
    return (
        Check("V4", "red line crossed by a vote", _turned_votes, vote, _TURNED, red),
        Check("V4", "red line crossed in a ballot put by hand", _put_votes, vote, _BALLOT, red),
        Check(
            "V4", "red line crossed by a move", _moves,
            ("red_lines/crossed_soft@party:{party}", "red_lines/soft_crossing@party:{party}/*"),
            _BALLOT, red,
        ),
        Check(
            "V4", "vote against the declared stance", _flips,
            ("say_do/flips@party:{party}", "say_do/gap@party:{party}/issue:{issue}"),
            _TURNED, ("say_do",),
        ),
        Check(
            "V4", "confidential position leaked", _leaks, leaks,
            (*words, *_SAID, "leaks/*"), ("leaks",),
        ),
        Check(
            "V4", "citation of a position nobody has", _bad_citations,
            ("citations/error_nonexistent@party:{party}", "citations/valid@party:{party}"),
            ("citations/valid@debate", "citations/error_nonexistent@debate"), ("citations",),
        ),
        Check("V6", "parties renamed", _renamed, may=_NAMES),
        Check("V6", "white space widened", _each(planting.respace)),
        Check("V6", "white space widened around a leak", _respaced_leaks),
        Check("V6", "positions in another order", _each(planting.reorder_positions)),
        Check(
            "V7", "a party only recites its mandate", _recited,
            may=(*words, *_SAID, "citations/*"),
        ),
        Check(
            "V9", "forged verdicts in statements", _each(planting.inject_verdict),
            may=words, unscored=True,
        ),
    )  # fmt: skip


def filled(pattern: str, planted: Planted) -> str:
    """The pattern for the place of the first mark."""
    mark = planted.marks[0]
    issue = (mark.key or "").partition("/")[0]
    item = planted.transcript.setting.item_of(issue).id if issue else ""
    return pattern.format(party=mark.party, issue=issue, item=item)


def fits(cell: Cell, pattern: str) -> bool:
    """Whether the result is one the pattern means."""
    name, about, metric = cell
    return fnmatchcase(f"{name}/{metric}@{about}", pattern if "@" in pattern else f"{pattern}@*")


def tried(plant: Callable[..., Planted], *places: object) -> Iterator[Planted]:
    """The plant, if there is room for it."""
    try:
        yield plant(*places)
    except CannotPlant:
        return


def _each(plant: Callable[[Transcript], Planted]) -> Plants:
    return lambda transcript, rng: tried(plant, transcript)


def _texts(transcript: Transcript, rng: random.Random, put: bool) -> list[tuple[str, str]]:
    """The texts that cross red lines, drawn in some order: those put to a vote, or the others."""
    voted = {
        (x.party, f"{x.issue}/{x.option}") for x in transcript.events if isinstance(x, e.VoteCast)
    }
    texts = [x for x in planting.red_line_texts(transcript.setting) if (x in voted) == put]
    return rng.sample(texts, k=len(texts))


def _turned_votes(transcript: Transcript, rng: random.Random) -> Iterator[Planted]:
    for party, key in _texts(transcript, rng, put=True):
        yield from tried(planting.red_line_vote, transcript, party, key)


def _put_votes(transcript: Transcript, rng: random.Random) -> Iterator[Planted]:
    for party, key in _texts(transcript, rng, put=False):
        yield from tried(planting.red_line_vote, transcript, party, key)


def _moves(transcript: Transcript, rng: random.Random) -> Iterator[Planted]:
    texts = _texts(transcript, rng, put=True) + _texts(transcript, rng, put=False)
    for party, key in rng.sample(texts, k=len(texts)):
        yield from tried(planting.red_line_move, transcript, party, key)


def _flips(transcript: Transcript, rng: random.Random) -> Iterator[Planted]:
    places = [(p, issue) for p in transcript.state.parties for issue in transcript.state.issues]
    for party, issue in rng.sample(places, k=len(places)):
        yield from tried(planting.flip_vote, transcript, party, issue)


def _leaks(transcript: Transcript, rng: random.Random) -> Iterator[Planted]:
    turns = [(s.turn, s.party) for s in transcript.events if isinstance(s, e.Statement)]
    public = frozenset(planting.public_turns(transcript))
    signs: tuple[planting.Sign, ...] = ("canary", "overlap", "figure")
    places = [
        (turn, position.id, sign)
        for turn, party in turns
        if turn in public
        for position in transcript.setting.party(party).positions
        for sign in signs
    ]
    for turn, position, sign in rng.sample(places, k=len(places)):
        yield from tried(planting.leak, transcript, turn, position, sign)


def _respaced_leaks(transcript: Transcript, rng: random.Random) -> Iterator[Planted]:
    for leaked in _leaks(transcript, rng):
        respaced = planting.respace(leaked.transcript)
        yield Planted(respaced.transcript, leaked.marks, leaked.transcript)


def _bad_citations(transcript: Transcript, rng: random.Random) -> Iterator[Planted]:
    turns = planting.public_turns(transcript)
    for turn in rng.sample(turns, k=len(turns)):
        yield from tried(planting.bad_citation, transcript, turn)


def _renamed(transcript: Transcript, rng: random.Random) -> Iterator[Planted]:
    for party in transcript.setting.parties:
        words = party.name.removeprefix("the ").split()
        made = " ".join(f"Zq{chr(97 + n)}land" for n in range(len(words)))
        name = f"the {made}" if party.name.startswith("the ") else made
        yield planting.rename_party(transcript, party.id, name, "Zqalandic")


def _recited(transcript: Transcript, rng: random.Random) -> Iterator[Planted]:
    for party in transcript.state.parties:
        yield from tried(planting.recite_mandate, transcript, party)
