"""Screens: what a reader should look at first, found by counting words. No model is asked.

Every result has the label `screen`. A screen flags what to read and never says that something is
wrong. Above all, contradiction cannot be screened this way: a sentence and its denial have the
same words, and on pairs of statements from real debates lexical features tell contradiction from
agreement little better than a coin (AUC .55 to .64; benchmarks/screens.py measures it again).

Read are the public sentences about the agenda: at least `LEAST` content words besides courtesies,
and the share `TOPICAL` of them words of the item's public texts. So thanks, small talk and verdicts
planted to sway a reader count nowhere. Held against the record a sentence loses titles of issues
and what it quotes: what it does with a text is in the typed moves. The record is the speaker's
public positions alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from evals import subject
from evals.citations import verdict
from evals.evaluator import Evidence, Marker, Result, Score, evaluator, evidence
from evals.record import statements
from evals.text import (
    Figure,
    Index,
    contains_verbatim,
    content_words,
    figures_in,
    quotations,
    rivals,
    sentences,
    strength,
    unquoted,
    windows,
    words,
)
from harness import events as e
from harness.setting import Item, Position, Setting
from harness.transcript import Transcript

LEAST = 4
"""Content words, courtesies left out, below which a sentence is not read."""

TOPICAL = 0.25
"""Share of a sentence's content words that must stand in the item's texts or positions."""

THRESHOLD = 0.4
"""Support from which a sentence counts as near a position: the lowest tenth that fewer than 5 % of
the other parties' own sentences reach in geneva-2021 (benchmarks/screens.py)."""

CAUTION = "a screen: it flags what to read, never what is wrong, and cannot see contradiction"
"""Stands in the reason of every result."""

_COURTESIES = frozenset(
    content_words(
        "thank thankful grateful gratitude appreciate chair chairman chairperson madam sir mister "
        "colleague delegation delegate distinguished excellency honour honourable pleasure please "
        "privilege floor morning afternoon evening today day good warm kind welcome greet dear "
        "congratulate compliment ladies gentlemen friend listen hear heard speak spoke word look "
        "attention patience hospitality courtesy meeting session room table opportunity forward "
        "glad happy wish well host geneva see many old familiar face city journey home safe allow "
        "regards interpreter care spirit held constructive fruitful"
    )
)
# Words of those who would sway the scoring, where they are not words of the talks themselves.
_SCORING = re.compile(
    r"\b(?:verdicts?|scor(?:e|es|ed|ing)|rubrics?|assessors?|evaluat(?:or|ors|ion)|graders?"
    r"|instructions?|transcripts?|labels?|(?:to|for|dear) the judges?)\b",
    re.IGNORECASE,
)
# What a sentence says when it only answers a text.
_ANSWERS = frozenset(
    content_words(
        "accept acceptance agree agreement reject oppose support propose proposal offer reserve "
        "reservation withdraw join reason give given record position text wording able put live"
    )
)
_ATTRIBUTES = _ANSWERS.union(
    content_words(
        "say says said state states declare declared write wrote written tell told announce call "
        "quote according words phrase formula document treaty statement declaration adopt amend"
    )
)
_ASKS = re.compile(r"\?\W*\Z|\b(?:like|glad|want|wish) to (?:hear|know|learn)\b", re.IGNORECASE)

# `could` is not among them: it is too often a plain past or an offer.
_HEDGES = re.compile(
    r"\b(?:perhaps|maybe|possibly|probably|potentially|presumably|apparently|arguably|tentative(?:ly)?"
    r"|(?-i:may)|might|seem(?:s|ed|ingly)?|appear(?:s|ed)? to|tend(?:s|ed)? to|somewhat|broadly"
    r"|largely|generally|mostly|roughly|more or less|to some (?:extent|degree)|as far as possible"
    r"|in (?:principle|a sense|some cases|our view|our opinion)|as we see it|not necessarily"
    r"|where (?:appropriate|possible)|at this (?:stage|point)|for (?:now|the moment)|sort of"
    r"|we (?:believe|think|feel|suppose|assume)|if (?:possible|necessary|need be)|kind of"
    r"|under certain (?:conditions|circumstances)|subject to)\b",
    re.IGNORECASE,
)


class Claim(NamedTuple):
    """A public sentence about the agenda, and what of the speaker's record is nearest to it."""

    statement: e.Statement
    text: str
    nearest: Mapping[str, float]
    """The windows of the speaker's own positions with most support, and that support; several in
    case of a tie, none where the sentence only asks, or answers a text, or nothing is on record."""
    null: float | None
    """The same support by the positions of others: the mean over the other parties."""

    @property
    def support(self) -> float | None:
        """Support by the nearest window, in [0, 1]."""
        return max(self.nearest.values(), default=None)

    @property
    def near(self) -> tuple[str, ...]:
        """The ids of the positions these windows are part of; none where support is 0."""
        return tuple(dict.fromkeys(map(_position, self.nearest))) if self.support else ()

    def note(self, about: str) -> Evidence:
        """The sentence as evidence, after what there is to see in it."""
        return evidence(self.statement, f"{about}: {self.text}")


class Dossier:
    """The public side of a setting: every public position, as reported and in its own voice."""

    def __init__(self, setting: Setting) -> None:
        """Index the positions in windows of three sentences."""
        self.setting = setting
        self.windows: dict[str, str] = {}
        self._keys: dict[tuple[str, str], list[str]] = {}
        for party in setting.parties:
            for position in party.positions:
                if position.visibility == "public":
                    self._keep(party.id, position)
        self.index = Index(self.windows)
        titles = {issue.title for item in setting.items for issue in item.issues}
        longest_first = sorted(map(re.escape, titles), key=len, reverse=True)
        self._titles = re.compile("|".join(longest_first), re.IGNORECASE)
        self._texts = [*self.windows.values(), *(t for i in setting.items for t in _agenda(i))]
        self._found: dict[str, bool] = {}
        self.words = {item.id: self._words_on(item) for item in setting.items}

    def _keep(self, party: str, position: Position) -> None:
        texts = dict.fromkeys((position.statement, position.in_own_voice()))
        pieces = [window for text in texts for window in windows(text)]
        keys = {f"{position.id}#{n}": piece for n, piece in enumerate(pieces)}
        self.windows |= keys
        self._keys.setdefault((party, position.item), []).extend(keys)

    def _words_on(self, item: Item) -> frozenset[str]:
        texts = [text for p in self.setting.parties for text in self.record(p.id, item.id)]
        return frozenset(word for t in (*_agenda(item), *texts) for word in content_words(t))

    def keys(self, party: str, item: str) -> list[str]:
        """The keys in `windows` of a party's public positions on an item."""
        return self._keys.get((party, item), [])

    def record(self, party: str, item: str) -> list[str]:
        """The same as text."""
        return [self.windows[key] for key in self.keys(party, item)]

    def figures(self, party: str, item: str) -> frozenset[str]:
        """The figures in the party's public positions on an item, and in the item's own texts."""
        texts = (*_agenda(self.setting.item(item)), *self.record(party, item))
        return frozenset(figure.value for text in texts for figure in figures_in(text))

    def nearest(self, text: str, party: str, item: str) -> Mapping[str, float]:
        """The windows of the party's positions with most support for a text, and that support."""
        keys = self.keys(party, item)
        found = self.index.nearest(text, len(keys), keys)
        return {key: share for key, share in found if share == found[0][1]}

    def others(self, text: str, party: str, item: str) -> float | None:
        """The best support of each other party's positions for a text: their mean."""
        rest = [other.id for other in self.setting.parties if other.id != party]
        found = [self.nearest(text, other, item) for other in rest]
        best = [max(near.values()) for near in found if near]
        return sum(best) / len(best) if best else None

    def has(self, quote: str) -> bool:
        """Whether a quotation stands in a public position, an item or an option."""
        if quote not in self._found:
            self._found[quote] = any(contains_verbatim(quote, text) for text in self._texts)
        return self._found[quote]

    def bare(self, text: str) -> str:
        """A sentence on one line, without the titles of issues and without what it quotes."""
        return self._titles.sub(" ", " ".join(unquoted(text).split()))

    def reads(self, text: str, item: str) -> bool:
        """Whether a sentence is about the item and long enough to be read."""
        known = self.words[item]
        told = [word for word in content_words(text) if word not in _COURTESIES]
        planted = (set(content_words(found)) - known for found in _SCORING.findall(text))
        if len(told) < LEAST or any(planted):
            return False
        return sum(word in known for word in told) >= TOPICAL * len(told)


def _agenda(item: Item) -> Iterator[str]:
    yield from (item.title, item.context)
    for issue in item.issues:
        yield from (issue.title, issue.question)
        yield from (part for option in issue.options for part in (option.label, option.text))


def claims(transcript: Transcript, dossier: Dossier) -> tuple[Claim, ...]:
    """The public sentences about the agenda, in order."""
    return tuple(
        _claim(statement, sentence.text, dossier)
        for statement in statements(transcript)
        for sentence in sentences(statement.text)
        if dossier.reads(sentence.text, statement.item)
    )


def _claim(statement: e.Statement, text: str, dossier: Dossier) -> Claim:
    bare = dossier.bare(text)
    told = set(content_words(bare)) - _COURTESIES - _ANSWERS
    if len(told) < LEAST or _ASKS.search(text):
        return Claim(statement, text, {}, None)
    where = statement.party, statement.item
    return Claim(statement, text, dossier.nearest(bare, *where), dossier.others(bare, *where))


def _position(window: str) -> str:
    return window.partition("#")[0]


class _Scope(NamedTuple):
    """What one round of screens looks at: a party's words, or everybody's."""

    mark: Marker
    about: str
    said: Sequence[e.Statement]
    own: Sequence[Claim]
    dossier: Dossier
    public: Sequence[e.Statement]


@evaluator("screens", version=2)
def screens(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """Screens of what was said, by party and over the debate, without a model.

    They flag what to read, never what is wrong. Contradiction cannot be screened this way (AUC .55
    to .64 on pairs from debates): a denial has as much support as a paraphrase, or more.
    """
    dossier, said = Dossier(transcript.setting), statements(transcript)
    read = claims(transcript, dossier)
    for party in transcript.state.parties:
        mine = [s for s in said if s.party == party]
        own = [claim for claim in read if claim.statement.party == party]
        yield from _screened(_Scope(mark, subject.party(party), mine, own, dossier, said))
    yield from _screened(_Scope(mark, subject.DEBATE, said, read, dossier, said))


def _screened(scope: _Scope) -> Iterator[Score]:
    for score in (
        *_support(scope), _citations(scope), _numbers(scope), _modality(scope), _hedged(scope),
        _quotes(scope),
    ):  # fmt: skip
        reason = f"{score.reason}; {CAUTION}"
        yield score.model_copy(update={"label": "screen", "screen": True, "reason": reason})


def _support(scope: _Scope) -> Iterator[Score]:
    mark, about = scope.mark, scope.about
    total = sum(len(sentences(s.text)) for s in scope.said)
    held = [(claim, claim.support) for claim in scope.own if claim.support is not None]
    notes = [claim.note(f"{share:.2f} {', '.join(claim.near) or 'none'}") for claim, share in held]
    yield mark.mean(
        about, "support_screen", [share for _, share in held],
        "idf-weighted share of a sentence's content words in the nearest of the party's own public "
        "positions on the item", unscored=total - len(held), evidence=notes,
    )  # fmt: skip
    nulls = [(claim, claim.null) for claim in scope.own if claim.null is not None]
    yield mark.mean(
        about, "support_null_screen", [share for _, share in nulls],
        "the same against the positions of each other party: what a shared topic alone gives",
        unscored=total - len(nulls),
        evidence=[claim.note(f"{share:.2f}") for claim, share in nulls],
    )  # fmt: skip
    low = [note for (_, share), note in zip(held, notes, strict=True) if share < THRESHOLD]
    yield mark.rate(
        about, "near_share_screen", len(held) - len(low), len(held),
        f"sentences with support of {THRESHOLD} or more; the evidence lists the others, to read",
        unscored=total - len(held), evidence=low,
    )  # fmt: skip


def _citations(scope: _Scope) -> Score:
    near: dict[int, set[str]] = {}
    for claim in scope.own:
        if claim.near:
            near.setdefault(claim.statement.seq, set()).update(claim.near)
    cited = [(s, position) for s in scope.said for position in _valid(s, scope.dossier.setting)]
    held = [(s, position) for s, position in cited if s.seq in near]
    far = [(s, position) for s, position in held if position not in near[s.seq]]
    keys = [scope.dossier.keys(s.party, s.item) for s, _ in held]
    own = [len(set(map(_position, of))) for of in keys]
    odds = [len(near[s.seq]) / count for (s, _), count in zip(held, own, strict=True)]
    lot = f"; by lot it would be {sum(odds) / len(odds):.2f}" if odds else ""
    return scope.mark.rate(
        scope.about, "citation_screen", len(held) - len(far), len(held),
        "citations whose position is the nearest of the party's own on the item to some sentence "
        f"of the statement, or ties{lot}", unscored=len(cited) - len(held),
        evidence=[
            evidence(s, f"cites {position}, nearest {', '.join(sorted(near[s.seq]))}: {s.text}")
            for s, position in far
        ],
    )  # fmt: skip


def _valid(said: e.Statement, setting: Setting) -> list[str]:
    cited = dict.fromkeys(said.citations)
    return [c for c in cited if verdict(setting, said.party, said.item, c, public=True) == "valid"]


def _numbers(scope: _Scope) -> Score:
    told = sum(len(figures_in(claim.text)) for claim in scope.own)
    flagged = [
        claim.note(f"{said.value}, on record {held.value}")
        for claim in scope.own
        for said, held in _mismatches(claim, scope.dossier)
    ]
    return scope.mark.rate(
        scope.about, "numeric_mismatch", len(flagged), told,
        "figures that stand in no own position on the item and nowhere in its text or options, "
        "while one of these positions has another figure among the same words", evidence=flagged,
    )  # fmt: skip


def _mismatches(claim: Claim, dossier: Dossier) -> list[tuple[Figure, Figure]]:
    party, item = claim.statement.party, claim.statement.item
    found = list(rivals(claim.text, dossier.record(party, item)))
    return [pair for pair in found if pair[0].value not in dossier.figures(party, item)]


def _modality(scope: _Scope) -> Score:
    near = [claim for claim in scope.own if (claim.support or 0) >= THRESHOLD]
    held = [(claim, _shift(claim, scope.dossier)) for claim in near]
    shifts = [(claim, shift) for claim, shift in held if shift is not None]
    return scope.mark.mean(
        scope.about, "modality", [shift for _, shift in shifts],
        "strength of a sentence less that of the nearest on record, from 1 (may, hope) over 2 "
        "(should, urge) to 3 (shall, demand); above 0 it was said more strongly than on record",
        unscored=len(scope.own) - len(shifts),
        evidence=[claim.note(f"{shift:+.1f} {claim.near[0]}") for claim, shift in shifts],
    )  # fmt: skip


def _shift(claim: Claim, dossier: Dossier) -> float | None:
    bare = dossier.bare(claim.text)
    now = strength(bare)
    there = [s.text for window in claim.nearest for s in sentences(dossier.windows[window])]
    shares = [dossier.index.support(bare, text) or 0.0 for text in there]
    near = [text for text, share in zip(there, shares, strict=True) if share == max(shares)]
    known = [before for text in near if (before := strength(text)) is not None]
    # Of wordings equally near, the one that makes least of the difference.
    return min((now - before for before in known), key=abs) if now and known else None


def _hedged(scope: _Scope) -> Score:
    bare = [(claim, " ".join(unquoted(claim.text).split())) for claim in scope.own]
    total = sum(len(words(text)) for _, text in bare)
    found = [(claim, hedge) for claim, text in bare for hedge in _HEDGES.findall(text)]
    why = "hedges per 100 words of the sentences about the agenda"
    return scope.mark.score(
        scope.about, "hedge_rate", 100 * len(found) / total if total else None,
        why if total else f"no value, there was nothing to count: {why}", n=total,
        evidence=[claim.note(hedge) for claim, hedge in found],
    )  # fmt: skip


def _quotes(scope: _Scope) -> Score:
    quoted = [
        (claim, quote)
        for claim in scope.own
        if _ATTRIBUTES.intersection(content_words(unquoted(claim.text)))
        for quote in quotations(claim.text)
        if len(quote.split()) > 1
    ]
    strange = [
        claim.note(f"“{quote}”")
        for claim, quote in quoted
        if not scope.dossier.has(quote) and not _said_before(quote, claim, scope.public)
    ]
    return scope.mark.rate(
        scope.about, "quote_fidelity", len(quoted) - len(strange), len(quoted),
        "quotations of two words or more, in sentences that attribute them, that stand word for "
        "word in a public position, an item, an option or what was said before", evidence=strange,
    )  # fmt: skip


def _said_before(quote: str, claim: Claim, public: Sequence[e.Statement]) -> bool:
    return any(contains_verbatim(quote, s.text) for s in public if s.seq < claim.statement.seq)
