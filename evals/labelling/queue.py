"""What there is to label: the claims of debates, in an order that the person who labels chooses.

Judged debates give the judges' claims; of others, sentences are cut and screened by code. Only what
everybody may read is taken up. An order that puts something first goes on with all the rest, so
where a claim stands in it says little to whoever labels blind. A party that says the same on the
same item word for word, as composed speech does in one debate after another, is labelled once,
except where the claims are drawn by lot: there each time counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from evals.calibration.alpha import disputed
from evals.calibration.gold import LONGEST
from evals.evaluator import Score, evaluate
from evals.exporting.visible import public
from evals.judging import files
from evals.judging.courtesy import only_courtesy
from evals.judging.shapes import Claim, Judgements
from evals.labels import LABELS
from evals.record import statements
from evals.red_lines import red_lines
from evals.screens import Dossier
from evals.text import sentences
from harness.errors import UserError
from harness.setting import Setting, sha
from harness.transcript import Transcript, fingerprint, read

Order = Literal["disagreement", "red_lines", "differences", "random", "listed"]
ORDERS: tuple[Order, ...] = get_args(Order)

MEANING: Mapping[Order, str] = {
    "disagreement": "claims on which judges disagree first, the most divided before the others",
    "red_lines": "what was said where a red line was crossed first, then what is near to one",
    "differences": "first where judges are furthest apart, or a judge from what words alone show",
    "random": "drawn by lot: as far as you get, a random sample of all the claims",
    "listed": "only the claims in the queue files that tracktwo score wrote",
}
"""What comes first, in a line."""

POINTS: Mapping[str, float] = {
    "supported": 1.0, "partial": 0.5, "unsupported": 0.0, "contradicted": -1.0,
}  # fmt: skip
"""How far a label is from another; those it lacks have no place among these."""

RUBRIC = "consistency"


class Entry(NamedTuple):
    """A claim that waits for a label, and what is known of it."""

    id: str
    """Unique among all debates."""
    debate: str
    """Name of the transcript it is from."""
    setting: str
    claim: Claim
    """`text` is on one line."""
    said: Mapping[str, str]
    """Judge -> its label, where it gave one."""
    crossing: bool
    """Whether the speaker crossed a red line of its own in the same turn, or at the decision on the
    item."""
    near_red: float
    """Support by the nearest red line of the speaker on the item, in [0, 1]."""
    support: float | None
    """Support by the nearest position of the speaker on the item, in [0, 1]; None if unknown."""
    listed: int | None
    """Its place in the debate's queue file; None where it stands in none."""

    @property
    def difference(self) -> float:
        """How far judges are apart, or a judge from the support by words; 0 where nothing is known.

        Contradictions are left out of the second: a denial has the words of what it denies.
        """
        points = [POINTS[label] for label in self.said.values() if label in POINTS]
        apart = max(points) - min(points) if points else 0.0
        if self.support is None:
            return apart
        return max([apart, *(abs(p - self.support) for p in points if p >= 0)])


class Waiting(NamedTuple):
    """What one debate has to label."""

    entries: tuple[Entry, ...]
    """In the order they were said."""
    too_long: int
    """Claims longer than a proposition may be; they are left out."""
    remark: str
    """What there is to say, such as that the judgements are out of date; empty if nothing."""


def waiting(path: Path, name: str) -> Waiting:
    """The claims of a debate.

    Args:
        path: The transcript.
        name: What the debate is called.

    Raises:
        TranscriptError: the transcript or its judgements cannot be read.
        UserError: its queue file cannot be read.
    """
    transcript = read(path)
    judgements, remark = _judgements(path, transcript)
    shown = public(transcript)
    seqs = {statement.seq for statement in statements(shown)}
    found = [c for c in judgements.claims if c.checkworthy and c.seq in seqs]
    dossier = _dossier(shown.setting.model_dump_json())
    claims = found if judgements.claims else list(cut(shown, dossier))
    fits = [c for c in claims if 0 < len(files.one_line(c.text)) <= LONGEST]
    about = _About(
        name=name,
        transcript=transcript,
        dossier=dossier,
        said=_said(judgements),
        crossed=_crossed(transcript, judgements),
        listed=_listed(path),
    )
    ordered = sorted(fits, key=lambda claim: (claim.seq, claim.start))
    return Waiting(tuple(map(about.entry, ordered)), len(claims) - len(fits), remark)


def _judgements(path: Path, transcript: Transcript) -> tuple[Judgements, str]:
    beside = files.judgements_path(path)
    if not beside.is_file():
        return Judgements(), ""
    header, found = files.read(beside)
    if header.transcript_sha != fingerprint(path):
        return Judgements(), f"{beside.name} is older than its transcript and left out"
    return found, ""


def cut(transcript: Transcript, dossier: Dossier) -> Iterator[Claim]:
    """The public sentences about the agenda that are no courtesies, as claims, told by code."""
    for said in statements(transcript):
        for number, sentence in enumerate(sentences(said.text), 1):
            if dossier.reads(sentence.text, said.item) and not only_courtesy(sentence.text):
                yield Claim(
                    id=f"{said.turn}.{number}.1",
                    seq=said.seq,
                    turn=said.turn,
                    party=said.party,
                    item=said.item,
                    start=sentence.start,
                    end=sentence.end,
                    sentence=sentence.text,
                    text=sentence.text,
                    type="position",
                )


class _About(NamedTuple):
    """What is known of a debate, for its entries."""

    name: str
    transcript: Transcript
    dossier: Dossier
    said: Mapping[str, Mapping[str, str]]
    crossed: _Crossed
    listed: Mapping[str, int]

    def entry(self, claim: Claim) -> Entry:
        debate = files.Debate.of(self.transcript)
        name = debate.id_of(claim)
        near = _near(self.dossier, claim)
        return Entry(
            id=name,
            debate=self.name,
            setting=self.transcript.setting.id,
            claim=claim.model_copy(update={"text": files.one_line(claim.text)}),
            said=self.said.get(claim.id, {}),
            crossing=self.crossed.by(claim),
            near_red=near.red,
            support=near.any,
            listed=self.listed.get(name, self.listed.get(claim.id)),
        )


@lru_cache(maxsize=8)
def _dossier(setting: str) -> Dossier:
    """The public record of a setting, from its JSON: a folder's debates mostly share one."""
    return Dossier(Setting.model_validate_json(setting))


class _Near(NamedTuple):
    """Support of a claim by the positions nearest to it."""

    any: float | None
    red: float


def _near(dossier: Dossier, claim: Claim) -> _Near:
    held = dossier.setting.mandate(claim.party, claim.item).positions
    red = {position.id for position in held if position.kind == "red_line"}
    keys = dossier.keys(claim.party, claim.item)
    found = dossier.index.nearest(claim.text, len(keys), keys)
    of_red = (share for key, share in found if key.partition("#")[0] in red)
    return _Near(found[0][1] if found else None, max(of_red, default=0.0))


def _said(judgements: Judgements) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for verdict in judgements.of(RUBRIC):
        if verdict.label in LABELS:
            found.setdefault(verdict.unit, {})[verdict.judge] = verdict.label
    return found


class _Crossed(NamedTuple):
    """Where a party crossed a red line of its own, as far as everybody may know."""

    turns: frozenset[str]
    """In these turns, by word or by move."""
    decisions: frozenset[tuple[str, str]]
    """At the decision: the party and the item, on which all it said is worth reading."""

    def by(self, claim: Claim) -> bool:
        """Whether a claim belongs to a crossing."""
        return claim.turn in self.turns or (claim.party, claim.item) in self.decisions


def _crossed(transcript: Transcript, judgements: Judgements) -> _Crossed:
    open_to_all = {event.seq for event in public(transcript).events}
    turns = {
        verdict.turn
        for verdict in judgements.of("crossings")
        if verdict.label in ("crossed", "softened") and verdict.turn is not None
    }
    decisions: set[tuple[str, str]] = set()
    for result in evaluate(transcript, (red_lines,)):
        if not isinstance(result, Score) or not result.metric.endswith("_crossing"):
            continue
        shown = [each for each in result.evidence if each.seq in open_to_all]
        turns |= {each.turn for each in shown if each.turn is not None}
        if result.metric == "hard_crossing" and shown:
            party, _, issue = result.subject.removeprefix("party:").partition("/issue:")
            decisions.add((party, transcript.setting.item_of(issue).id))
    return _Crossed(frozenset(turns), frozenset(decisions))


def _listed(path: Path) -> Mapping[str, int]:
    queue = files.queue_path(path)
    if not queue.is_file():
        return {}
    return {name: place for place, name in enumerate(files.queued(queue))}


def ordered(entries: Iterable[Entry], order: Order, seed: int = 0) -> tuple[Entry, ...]:
    """The claims in an order; ties stand as they were said.

    Drawn by lot, a claim's place depends on the seed and on the claim alone: claims that are added
    later do not change the order of the others.
    """
    found = tuple(entries) if order in ("random", "listed") else _once(entries)
    match order:
        case "disagreement":
            worst = _entropies(found)
            return tuple(sorted(found, key=lambda entry: -worst.get(entry.id, 0.0)))
        case "red_lines":
            return tuple(sorted(found, key=lambda entry: (not entry.crossing, -entry.near_red)))
        case "differences":
            return tuple(sorted(found, key=lambda entry: -entry.difference))
        case "random":
            return tuple(sorted(found, key=lambda entry: sha(f"{seed}/{entry.id}")))
        case "listed":
            listed = ((e.debate, e.listed, e) for e in found if e.listed is not None)
            return tuple(e for *_, e in sorted(listed, key=lambda each: each[:2]))


def _once(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Of claims with the same words on the same record, the first that most judges labelled."""
    kept: dict[tuple[str, ...], Entry] = {}
    for entry in entries:
        claim = entry.claim
        words = (entry.setting, claim.party, claim.item, claim.text)
        if words not in kept or len(kept[words].said) < len(entry.said):
            kept[words] = entry
    return tuple(kept.values())


def _entropies(entries: Sequence[Entry]) -> Mapping[str, float]:
    judges = dict.fromkeys(judge for entry in entries for judge in entry.said)
    labels = {judge: [entry.said.get(judge) for entry in entries] for judge in judges}
    return {entries[each.claim].id: each.entropy for each in disputed(labels)} if labels else {}


def sampled(drawn: Sequence[Entry], labelled: Collection[str]) -> int:
    """How many claims at the head of an order by lot all have a label: a random sample.

    A claim that was passed over ends it: people pass over what is hard, and that is no lot.
    """
    gaps = (at for at, entry in enumerate(drawn) if entry.id not in labelled)
    return next(gaps, len(drawn))


def distinct(found: Iterable[Waiting]) -> tuple[Entry, ...]:
    """The claims of several debates; copies of one file have theirs once."""
    entries: dict[str, Entry] = {}
    for each in found:
        for entry in each.entries:
            entries.setdefault(entry.id, entry)
    return tuple(entries.values())


def trouble(error: UserError) -> Waiting:
    """What a file that cannot be read has to label: nothing, and why."""
    return Waiting((), 0, str(error))
