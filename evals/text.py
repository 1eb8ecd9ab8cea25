"""Text tools without a model: sentences with offsets, words, quotes, idf-weighted support.

Knows nothing of transcripts. Everything here is exact and the same on every machine; none of it
understands what is said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import log
from typing import NamedTuple

AROUND = 5
"""Content words on either side of a figure that say what it counts."""

SHARED = 2
"""Of these, how many two figures must have in common to be about the same thing."""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


STOP_WORDS = _listed(
    "a an the i me my mine we us our ours you your yours he him his she her hers it its they them "
    "their theirs who whom whose which what that this these those there here one ones "
    "and or but nor so yet if then than as because while when where whether though although also "
    "not no only just even too very more most such same other another each every any all both some "
    "of in on at to from by for with without about into onto over under up down out off between "
    "among through against during before after since until upon within across per "
    "is are was were be been being am do does did doing done has have had having can could may "
    "might must shall should will would let s t d ll re ve m don"
)
"""Words that say little by themselves; `us` is one, so `US` and `U.S.` are too."""

# Never at the end of a sentence.
_TITLES = _listed("mr mrs ms dr prof gen col lt sgt capt adm sen rep gov amb hon rev messrs mt ft")
_JOINTS = _listed("e.g i.e cf vs viz approx ca")
# Abbreviations only before a number: `No. 5` is one, `No. We refuse.` is not.
_BEFORE_NUMBERS = _listed(
    "no nos art arts sec secs para paras p pp vol vols ch fig figs res doc jan feb mar apr jun jul "
    "aug sep sept oct nov dec"
)

# With closing quotes and brackets and with ids cited in brackets: `… agreed.” [us-ss-1]`.
_STOP = re.compile(
    r"""(?<![.!?…])[.!?…]++
        ["'”\u2019»)\]*_]*+(?:[ ]?\[[\w ,;-]{0,60}?\d[\w ,;-]{0,60}\])*
        (?=\s|\Z)
        |[。\uff01\uff1f]++["'”\u2019」』)]*""",
    re.VERBOSE,
)
_BREAK = re.compile(r"\n[^\S\n]*\n|\n(?=[^\S\n]*(?:[-*•\u2013]|\d{1,2}[.)])\s)")
# Before a word in lower case these end no sentence: `“Why?” he asked`, `etc. and`, `U.S. and`.
_MIDWAY = re.compile(r"…|\.\.|[\"'”\u2019»]\Z")
_SHORT = re.compile(r"(?i:\.\w+|\b(?:\w|etc|dept|govt|est|incl|inc|ltd|co|corp|jr|sr|al))\Z")
_LAST_WORD = re.compile(r"[^\W_]+(?:\.[^\W_]+)*\Z")
# U.S, or the F of John F. Kennedy; not the B of `option B.` and not the V of `Sputnik V.`
_INITIALS = re.compile(r"(?:(?:[^\W\d_]\.)+|\A|(?<!\w)[A-Z][\w.]*\s(?![IVX]))[A-Z]\Z")
_OPENERS = "\"'“\u2018«([*_"

_TERM = re.compile(r"(?:[^\W\d_]\.){2,}|\d+(?:[.,:/]\d+)*|[^\W_]+")

_TYPOGRAPHIC = str.maketrans(
    dict.fromkeys("“”„‟«»", '"')
    | dict.fromkeys("\u2018\u2019\u201a\u201b", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013—―\u2212", "-")
)

_SCALE = {
    3: r"shall|must|(?<!good )(?<!political )(?<!the )will|cannot|can't|won't"
    r"|(?:demand|insist|decid|requir|refus)\w*",
    2: r"should|ought|(?:request|urg|expect|ask|propos|want)(?:e|ed|es|ing|s)?"
    r"|call(?:s|ed|ing)? (?:on|for|upon)",
    1: r"(?-i:may)|could|might|(?:hop|invit|wish|suggest|consider)(?:e|ed|es|ing|s)?"
    r"|would (?:like|welcome)|(?:ready|willing|prepared|open) to",
}
_STRENGTHS = {
    strength: re.compile(rf"\b(?:{forms})\b", re.IGNORECASE) for strength, forms in _SCALE.items()
}

_QUOTED = re.compile(r'“([^“”]+)”|«([^«»]+)»|(?<!\w)"([^"]+)"(?!\w)')


class Sentence(NamedTuple):
    """A sentence and where it stands."""

    start: int
    end: int
    """One past its last character."""
    text: str
    """Exactly `whole[start:end]`; begins and ends with no white space, and is never empty."""


def sentences(text: str) -> tuple[Sentence, ...]:
    """The text's sentences in order; only white space lies between them.

    A full stop ends a sentence unless it belongs to an abbreviation, an initial or a number.
    Closing quotes and brackets, and ids cited in brackets, stay with the sentence they follow.
    Semicolons and colons do not split. A blank line does, and so does a line that begins with a
    bullet or a number; any other line break is white space.
    """
    return tuple(
        found for start, end in _paragraphs(text) for found in _in_paragraph(text, start, end)
    )


def windows(text: str, size: int = 3) -> tuple[str, ...]:
    """Every stretch of `size` sentences in a row; the whole text where it has no more than that.

    Raises:
        ValueError: `size` is below 1.
    """
    if size < 1:
        raise ValueError(f"a window has at least one sentence, not {size}")
    found = sentences(text)
    last = max(1, len(found) - size + 1) if found else 0
    return tuple(
        text[found[i].start : found[min(i + size, len(found)) - 1].end] for i in range(last)
    )


def words(text: str) -> tuple[str, ...]:
    """The text's words in lower case, without punctuation; all of them, numbers too."""
    return tuple(re.findall(r"\w+", text.casefold()))


def content_words(text: str) -> tuple[str, ...]:
    """The words that carry meaning, in order and as often as they stand: no stop words, stemmed.

    Numbers stay whole and lose their commas (`1,550` is `1550`), and dotted initials lose their
    dots.
    """
    terms = (_plain(term) for term in _TERM.findall(text.casefold()))
    return tuple(stem(term) for term in terms if term not in STOP_WORDS)


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """A word in lower case without its commonest endings, so that its forms meet.

    In this order: -ies and -ied become -y; a plural or third-person -s, or the -es after a hiss,
    goes; -ing or -ed goes, and a doubled consonant before it, other than l or s, is halved, or else
    -ly goes; -ion after s or t goes from words of eight letters or more; a last -e goes. At least
    four letters stay (three before -ing and -ed). Numbers and shorter words are left alone.
    Irregular forms do not meet, and some words meet that should not.
    """
    if len(word) < 4 or not word.isalpha():
        return word
    word = _singular(word)
    for ending, least in (("ing", 3), ("ed", 3), ("ly", 4)):
        if word.endswith(ending) and len(word) - len(ending) >= least:
            word = _undoubled(word[: -len(ending)]) if ending != "ly" else word[:-2]
            break
    if word.endswith(("sion", "tion")) and len(word) >= 8:
        word = word[:-3]
    return word[:-1] if word.endswith("e") and len(word) >= 5 else word


def runs(words: tuple[str, ...], length: int) -> set[tuple[str, ...]]:
    """All stretches of so many words in a row."""
    return {words[start : start + length] for start in range(len(words) - length + 1)}


def contains_verbatim(quote: str, text: str) -> bool:
    """Whether the quote stands in the text word for word.

    White space, and the shapes of quotation marks and dashes, do not count; case does. The quote
    must begin and end where words do, so that `able to accept` is not found in `unable to accept`.
    A quote of one word proves nothing and is not found, unless the text has no more than that.
    """
    sought, within = _normal(quote), _normal(text)
    if not sought or len(words(sought)) < min(2, len(words(within))):
        return False
    before = r"(?<!\w)" if sought[0].isalnum() else ""
    after = r"(?!\w)" if sought[-1].isalnum() else ""
    return re.search(before + re.escape(sought) + after, within) is not None


def quotations(text: str) -> tuple[str, ...]:
    """What stands in double quotation marks, without the marks and without punctuation at its end.

    Single marks are not read: most of them are apostrophes.
    """
    found = (next(filter(None, groups)) for groups in _QUOTED.findall(text))
    return tuple(quoted.strip().rstrip(".,;:!?") for quoted in found)


def unquoted(text: str) -> str:
    """The text without what stands in double quotation marks."""
    return _QUOTED.sub(" ", text)


def strength(text: str) -> float | None:
    """How strongly a text binds or presses, from 1 to 3; None where no marker stands in it.

    The mean over its markers. 3: shall, must, will, cannot, to decide, demand, insist, require,
    refuse. 2: should, ought, to request, urge, ask, expect, propose, want, call on or for. 1: may,
    could, might, to hope, invite, wish, suggest, consider, would like or welcome, ready, willing,
    prepared or open to. Negation changes nothing: `must not` binds like `must`.
    """
    line = " ".join(text.split())
    found = [value for value, forms in _STRENGTHS.items() for _ in forms.findall(line)]
    return sum(found) / len(found) if found else None


class Figure(NamedTuple):
    """A number or a day, and the content words it stands among."""

    value: str
    around: frozenset[str]

    @property
    def sort(self) -> str:
        """`day`, `year` or `number`; only figures of one sort can differ."""
        if " " in self.value:
            return "day"
        return "year" if re.fullmatch(r"(?:19|20)\d\d", self.value) else "number"


def figures_in(text: str) -> tuple[Figure, ...]:
    """The figures of a text: numbers, also in words from two to twelve, and days of months.

    0 and 1 are none: they are rarely what a sentence is about.
    """
    terms = content_words(text)
    found = ((place, _value(terms, place)) for place in range(len(terms)))
    return tuple(Figure(value, _around(terms, place)) for place, value in found if value)


def rivals(text: str, record: Iterable[str]) -> Iterator[tuple[Figure, Figure]]:
    """Figures of a text, each with one on record that differs and stands among the same words."""
    there = [figure for recorded in record for figure in figures_in(recorded)]
    for said in figures_in(text):
        alike = [f for f in there if f.sort == said.sort and len(f.around & said.around) >= SHARED]
        if alike and all(figure.value != said.value for figure in alike):
            yield said, max(alike, key=lambda f: (len(f.around & said.around), f.value))


class Index:
    """Documents by id, and how rare each word is among them.

    The weight of a word is its smoothed inverse document frequency ln((1 + N)/(1 + n)) + 1, N being
    the number of documents and n of those that have the word, as in repetition.py.
    """

    def __init__(self, documents: Mapping[str, str]) -> None:
        """Read every document once."""
        self._words = {key: frozenset(content_words(text)) for key, text in documents.items()}
        self._having = Counter(word for found in self._words.values() for word in found)

    def idf(self, word: str) -> float:
        """The weight of a word as `content_words` gives it; at least 1, most if no document has it.

        `ln(1 + N) + 1` is the highest there is.
        """
        return log((1 + len(self._words)) / (1 + self._having[word])) + 1

    def support(self, claim: str, document: str) -> float | None:
        """The idf-weighted share, in [0, 1], of the claim's content words that the document has.

        None where the claim has no content words. A high share says that both speak of the same
        things, never that the document says so: a denial has the words too.

        Args:
            claim: Any text.
            document: The id of an indexed document, or else any text.
        """
        indexed = self._words.get(document)
        has = frozenset(content_words(document)) if indexed is None else indexed
        return self._share(self._weights(claim), has)

    def nearest(
        self, claim: str, k: int, among: Collection[str] | None = None
    ) -> tuple[tuple[str, float], ...]:
        """The `k` documents with the most support for the claim, with it; best first, ties by id.

        Fewer where there are fewer documents, none where the claim has no content words. Documents
        with support 0 fill up the rest.

        Args:
            claim: Any text.
            k: How many are wanted.
            among: Ids to choose from; all documents where left out.

        Raises:
            KeyError: an id in `among` is of no indexed document.
        """
        weights = self._weights(claim)
        keys = self._words if among is None else dict.fromkeys(among)
        shares = ((key, self._share(weights, self._words[key])) for key in keys)
        found = [(key, share) for key, share in shares if share is not None]
        return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0]))[: max(0, k)])

    def _weights(self, claim: str) -> Mapping[str, float]:
        # Sorted, so that sums of floats come out the same whatever the order of the words.
        return {word: self.idf(word) for word in sorted(set(content_words(claim)))}

    @staticmethod
    def _share(weights: Mapping[str, float], has: Collection[str]) -> float | None:
        total = sum(weights.values())
        shared = sum(weight for word, weight in weights.items() if word in has)
        return shared / total if total else None


_MONTHS = _listed(
    "january february march april june july august september october november december"
)


def _value(terms: Sequence[str], place: int) -> str | None:
    value = _NUMERALS.get(terms[place], terms[place])
    if not value[0].isdecimal() or value in ("0", "1"):
        return None
    # In `14 March two men` the month is taken.
    taken = place > 1 and terms[place - 2].isdecimal() and len(terms[place - 2]) < 3
    beside = (*terms[place + 1 : place + 2], *terms[max(0, place - 1) : 0 if taken else place])
    month = [word for word in beside if word in _MONTHS]
    return f"{value} {month[0]}" if month and len(value) < 3 else value


def _around(terms: Sequence[str], place: int) -> frozenset[str]:
    near = terms[max(0, place - AROUND) : place + AROUND + 1]
    return frozenset(w for w in near if not w[0].isdecimal() and w not in _NUMERALS)


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for found in _BREAK.finditer(text):
        yield start, found.start()
        start = found.end()
    yield start, len(text)


def _in_paragraph(text: str, start: int, end: int) -> Iterator[Sentence]:
    for found in _STOP.finditer(text, start, end):
        if _ends(text[start : found.start()], found.group(), text[found.end() : end][:200]):
            yield from _trimmed(text, start, found.end())
            start = found.end()
    yield from _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[Sentence]:
    piece = text[start:end].lstrip()
    if kept := piece.rstrip():
        yield Sentence(end - len(piece), end - len(piece) + len(kept), kept)


def _ends(before: str, mark: str, rest: str) -> bool:
    """Whether a stop after these words and before the rest of the paragraph ends the sentence."""
    before, following = before.lstrip().lstrip(_OPENERS), rest.lstrip().lstrip(_OPENERS)
    if not following:
        return True
    if following[0].islower() and (_MIDWAY.search(mark) or _SHORT.search(before)):
        return False
    return mark[0] != "." or mark.startswith("..") or not _abbreviated(before, following)


def _abbreviated(before: str, following: str) -> bool:
    # `1. The first point`: the number of a list, not a sentence.
    if before.isdecimal():
        return True
    found = _LAST_WORD.search(before[-40:])
    word = found.group().casefold() if found else ""
    if word in _TITLES or word in _JOINTS:
        return True
    if word in _BEFORE_NUMBERS:
        return following[0].isdecimal()
    # `St. Petersburg` and `U.S. President`, but `in the U.S. We agree`.
    if word == "st" or _INITIALS.search(before[-40:]):
        return following[0].isalpha() and words(following)[0] not in STOP_WORDS
    return False


def _plain(term: str) -> str:
    return term.replace(",", "") if term[0].isdecimal() else term.replace(".", "")


def _singular(word: str) -> str:
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")) and len(word) > 4:
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _undoubled(word: str) -> str:
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls"
    return word[:-1] if doubled else word


def _normal(text: str) -> str:
    return " ".join(text.translate(_TYPOGRAPHIC).split())


_COUNTED = "two three four five six seven eight nine ten eleven twelve"
_NUMERALS = {word: str(number) for number, word in enumerate(content_words(_COUNTED), start=2)}
