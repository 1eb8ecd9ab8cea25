"""Explicit dates in a sentence, and whether it speaks of them as what was or as what may come.

Knows nothing of settings. The reading of tense is by cue words nearest to the date: crude, exact,
and blind to irony.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Literal, NamedTuple

Tense = Literal["past", "future", "none"]

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_SHORT = {month[:3]: n for n, month in enumerate(_MONTHS, 1)} | {"Sept": 9}
_NUMBER = {month: n for n, month in enumerate(_MONTHS, 1)} | _SHORT
_MONTH = rf"(?:{'|'.join(_MONTHS)}|(?:{'|'.join(_SHORT)})\.?(?=\s))"
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:20\d\d)"

_DATE = re.compile(
    rf"""
    \b(?P<y1>{_YEAR})-(?P<m1>0[1-9]|1[0-2])-(?P<d1>0[1-9]|[12]\d|3[01])\b
    | \b(?P<d2>{_DAY})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m2>{_MONTH}),?\s+(?P<y2>{_YEAR})\b
    | \b(?P<m3>{_MONTH})\s+(?P<d3>{_DAY})(?:st|nd|rd|th)?,?\s+(?P<y3>{_YEAR})\b
    | \b(?P<d4>{_DAY})\.(?P<m4>0?[1-9]|1[0-2])\.(?P<y4>{_YEAR})\b
    | \b(?P<m5>{_MONTH}),?\s+(?:of\s+)?(?P<y5>{_YEAR})\b
    | \b(?P<s6>[Ss]pring|[Ss]ummer|[Aa]utumn|[Ff]all|[Ww]inter)\s+(?:of\s+)?(?P<y6>{_YEAR})\b
    | \b(?P<e7>late|(?:the\s+)?end\s+of)\s+(?P<y7>{_YEAR})\b
    | (?<![\d.,/$€£-])\b(?P<y8>{_YEAR})\b(?![\d/]|[.,]\d|-\d)
    """,
    re.VERBOSE,
)
# A number that is no year: a resolution, a document, a count of things, the name of a programme.
_NO_YEAR_BEFORE = re.compile(
    r"(?:\b(?:[Rr]esolutions?|[Nn]o\.?|[Aa]rticle|[Aa]nnex|[Dd]ocument|[Pp]aragraph|Agenda|Vision"
    r"|Horizon|NATO|Strategy|article|number|about|some|nearly|over|exactly|than)\s+)$"
)
_NO_YEAR_AFTER = re.compile(
    r"^\s+(?:warheads?|missiles?|launchers?|troops|soldiers|diplomats?|people|persons|kilomet\w+|km"
    r"|miles?|tonnes?|tons?|million|billion|percent|per\s+cent|dollars?|euros?|employees?|Agenda"
    r"|Strategy|members?|cases?|sites?|metres?|MW|megawatts?)\b"
)

_FUTURE_BEFORE = re.compile(
    r"\b(?:until|till|by|through|to|before|beyond|towards?|no\s+later\s+than|up\s+to|into)"
    r"(?:\s+(?:the\s+)?(?:end|start|beginning|middle|summer|spring|autumn|close)(?:\s+of)?"
    r"|\s+(?:early|late|mid-?)|\s+the\s+year|\s+at\s+least)?\s*$",
    re.IGNORECASE,
)
_PAST_BEFORE = re.compile(
    r"\b(?:since|ever\s+since|back\s+in|as\s+early\s+as)(?:\s+(?:early|late|mid-?|the))?\s*$",
    re.IGNORECASE,
)
# "the invasion of February 2022": what is named like this is taken to have happened.
_DEFINITE_BEFORE = re.compile(r"\bthe\s+(?:[\w-]+\s+){1,3}of\s+(?:early\s+|late\s+)?$", re.I)
_HAPPENED = (
    "invasions?|attacks?|sabotage|mutiny|war|wars|coup|explosions?|annexations?|exchange|swap|"
    "strikes?|massacre|offensive|mobili[sz]ation|withdrawal|collapse|referend\\w+|expulsions?|"
    "ruling|verdict|crisis|ceasefire|incursion|escalation|suspension|events"
)
_HAPPENED_AFTER = re.compile(rf"^\s+(?:[\w-]+\s+){{0,2}}(?:{_HAPPENED})\b", re.IGNORECASE)
_SCHEDULED = (
    "elections?|conferences?|summits?|reviews?|sessions?|Olympics|games|budgets?|assembly|"
    "presidency|chairmanship|expiry|expiration|deadline|target|targets|term|season|round|meeting"
)
_SCHEDULED_BESIDE = re.compile(rf"^\s+(?:[\w-]+\s+){{0,2}}(?:{_SCHEDULED})\b", re.IGNORECASE)
_SCHEDULED_BEFORE = re.compile(
    rf"\b(?:{_SCHEDULED})\s+(?:[\w-]+\s+){{0,3}}(?:in|of|for|on)\s+(?:early\s+|late\s+)?$"
    rf"|\b(?:{_SCHEDULED})\s+$",
    re.I,
)

_VERBS = (
    "be|hold|meet|begin|start|report|review|conclude|complete|sign|agree|reach|extend|expire|"
    "resume|launch|discuss|withdraw|end|reduce|cut|achieve|come|continue|finish|convene|take|open|"
    "close|lift|return|keep|work|decide|settle|verify|renew|consult|limit|see"
)
_FUTURE = (
    r"\b(?:will|shall|would|should|could|may|might|must|can|cannot|['\u2019]ll)\b"
    r"(?:\s+(?:not|never|also|still|then|only|be|have|been|again|\w+ly)\b){0,4}(?:\s+\w+)?"
    rf"|\bto\s+(?:be\s+\w+|(?:{_VERBS})\w*)"
    r"|\b(?:going\s+to|about\s+to|due|forthcoming|coming|upcoming|next|future|roadmap|timetable"
    r"|calendar|unless|if|once|ready|prepared|no\s+later|latest|let\s+us|call(?:s|ing)?\s+for"
    r"|look(?:s|ing)?\s+(?:ahead|forward|to))\b"
    r"|\b(?:propos|plan|expect|intend|intention|hop(?=e|es|ing)|schedul|expir(?!ed)|target|goal|aim"
    r"|deadline|suggest|offer|invit|seek|ask|want|promis|pledg|commit|undertak|prefer|envisag"
    r"|foresee|foreseen|anticipat|warn|fear|risk|threat|prevent|avoid|avert|oppos(?!ed)|reject(?!ed)|rule\s+out)\w*"
    r"|\bany\b"
)
_IRREGULAR = (
    "was|were|had|did|became|began|begun|broke|broken|brought|built|came|chose|drove|fell|fallen|"
    "fought|found|froze|frozen|gave|got|grew|held|kept|knew|left|led|lost|made|met|paid|ran|rose|"
    "said|sank|sunk|saw|sent|shot|shown|sold|spent|spoke|stood|struck|swore|taken|taught|thought|"
    "threw|told|took|torn|went|withdrew|withdrawn|won|wrote|blew|blown|flew|fled|died"
)
_PAST = (
    rf"\b(?:{_IRREGULAR})\b"
    r"|\b(?!(?:united|armed|indeed|need|speed|proceed|exceed|succeed|feed|seed|unprecedented"
    r"|limited|detailed|related|concerned|allied|agreed|renewed|continued|shared|red|bed|fed)\b)"
    r"[a-z]{3,}ed\b"
)
# "began in May 2022 must": what joins the date to the verb before it is no distance.
_JOINT = re.compile(r"\b(?:in|on|of|during|after|at|around)\s+(?:(?:early|late|mid|the)\s+)*$")
_CUES = re.compile(rf"(?P<future>{_FUTURE})|(?P<past>{_PAST})", re.IGNORECASE)


class Dated(NamedTuple):
    """A date as it stands in a text."""

    start: int
    end: int
    words: str
    first: date
    """The first day it can mean."""
    key: tuple[int, int | None, int | None]
    """Year, month and day, as far as they are named."""


def dates(text: str) -> Iterator[Dated]:
    """Every explicit date from 2000 to 2099: a day, a month, a season or a year."""
    for match in _DATE.finditer(text):
        found = _dated(match)
        bare = match["y8"] is not None
        if found and not (bare and _no_year(text, match)):
            yield found


def _dated(match: re.Match[str]) -> Dated | None:
    named = {k[0]: v for k, v in match.groupdict().items() if v is not None}
    year = int(named["y"])
    month = _month(named)
    day = int(named["d"]) if "d" in named else None
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    return Dated(match.start(), match.end(), match.group(), first, (year, month, day))


def _month(named: dict[str, str]) -> int | None:
    if "s" in named:
        return _SEASONS[named["s"].casefold()]
    if "e" in named:
        return 10
    word = named.get("m")
    if word is None:
        return None
    return int(word) if word.isdigit() else _NUMBER[word.rstrip(".")]


def _no_year(text: str, match: re.Match[str]) -> bool:
    before, after = text[: match.start()], text[match.end() :]
    return bool(_NO_YEAR_BEFORE.search(before) or _NO_YEAR_AFTER.search(after))


def tense(sentence: str, start: int, end: int) -> Tense:
    """Whether the sentence speaks of what stands there as past or as what may come.

    Words before and after a date decide first (`since`, `until`, `the ... of`, `elections`); else
    the nearest cue; the past where two are equally near.
    """
    before, after = sentence[:start], sentence[end:]
    if _PAST_BEFORE.search(before):
        return "past"
    if _FUTURE_BEFORE.search(before):
        return "past" if re.search(r"\bhad\b", after) else "future"
    if _HAPPENED_AFTER.search(after):
        return "past"
    if _SCHEDULED_BESIDE.search(after) or _SCHEDULED_BEFORE.search(before):
        return "past" if nearest(sentence, start, end) == "past" else "future"
    if _DEFINITE_BEFORE.search(before):
        return "past"
    return nearest(sentence, start, end)


def nearest(sentence: str, start: int, end: int) -> Tense:
    """The tense of the cue nearest to the stretch; `none` where there is no cue outside it."""
    joint = _JOINT.search(sentence, 0, start)
    start = joint.start() if joint else start
    best: tuple[int, int, Tense] | None = None
    for match in _CUES.finditer(sentence):
        if match.start() < end and match.end() > start:
            continue
        far = start - match.end() if match.end() <= start else match.start() - end
        kind: Tense = "past" if match["past"] else "future"
        found = (far, 0 if kind == "past" else 1, kind)
        best = min(best, found) if best else found
    return best[2] if best else "none"
