"""What a reader asks of the shelf, as it stands in an address, and what is found.

Pure: from entries and a question to those that fit, in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, get_args
from urllib.parse import urlencode

from evals.evaluator import Value
from harness.errors import UserError
from harness.events import CHAIR
from harness.viewer.app.index import Entry
from harness.viewer.app.shelf_glance import Sitting
from harness.viewer.app.shelf_scores import Share

PAGE = 100
"""Debates on a page."""

Outcome = Literal["all", "some", "none", "under-way", "unfinished", "broken"]
"""all, some, none: of the issues of a closed debate; unfinished: nobody is holding it any more."""

Sort = Literal["date", "name", "agreed", "in-line", "crossed", "turns"]

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
SORTS: tuple[Sort, ...] = get_args(Sort)
RISING: tuple[Sort, ...] = ("name",)
"""What is sorted from small to large unless the reader says otherwise."""


class Query(Protocol):
    """The questions of an address; starlette's QueryParams is one."""

    def get(self, key: str, default: str) -> str:
        """The value of a name, or else the default."""
        ...

    def getlist(self, key: str) -> list[str]:
        """All values of a name."""
        ...


class Range(Value):
    """From one value to another, both included; None leaves the end open."""

    low: float | None = None
    high: float | None = None

    @property
    def asked(self) -> bool:
        """Whether anything is left out."""
        return self.low is not None or self.high is not None

    def holds(self, value: float | None) -> bool:
        """Whether the value lies in it; what has no value lies in none."""
        if value is None:
            return not self.asked
        # Shares are thirds and sevenths, and people write whole percent.
        return (self.low is None or value >= self.low - 0.005) and (
            self.high is None or value <= self.high + 0.005
        )


class Asked(Value):
    """What is looked for."""

    q: str = ""
    """Words that all have to occur."""
    party: str = ""
    """With model and prompt: what has to hold of one and the same seat."""
    model: str = ""
    prompt: str = ""
    outcome: Outcome | Literal[""] = ""
    experiment: str | None = None
    """Folder of an experiment; `-` for debates of none, None for all."""
    agreed: Range = Range()
    """Shares."""
    in_line: Range = Range()
    crossed: Range = Range()
    """A count."""
    sort: Sort = "date"
    falling: bool = True
    page: int = 1
    """From 1."""
    chosen: tuple[str, ...] = ()
    """Debates that were chosen to be compared."""

    @property
    def by_score(self) -> bool:
        """Whether scores of all debates are needed to answer."""
        return self.in_line.asked or self.crossed.asked or self.sort in ("in-line", "crossed")

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        ranges = (self.agreed, self.in_line, self.crossed)
        words = (self.q, self.party, self.model, self.prompt, self.outcome)
        return any(words) or self.experiment is not None or any(each.asked for each in ranges)

    def address(self, **changes: object) -> str:
        """The shelf's address for this, with changes; what is as usual is left out."""
        asked = self.model_copy(update=changes)
        pairs: list[tuple[str, str]] = [
            (name, str(getattr(asked, name)))
            for name in ("q", "party", "model", "prompt", "outcome")
            if getattr(asked, name)
        ]
        if asked.experiment is not None:
            pairs.append(("experiment", asked.experiment or "."))
        for name, scale in (("agreed", 100), ("in_line", 100), ("crossed", 1)):
            bounds: Range = getattr(asked, name)
            for end, value in (("from", bounds.low), ("to", bounds.high)):
                if value is not None:
                    pairs.append((f"{name}_{end}", f"{value * scale:g}"))
        if asked.sort != "date":
            pairs.append(("sort", asked.sort))
        if asked.falling == (asked.sort in RISING):
            pairs.append(("order", "falling" if asked.falling else "rising"))
        if asked.page > 1:
            pairs.append(("page", str(asked.page)))
        pairs += [("d", name) for name in asked.chosen]
        return f"/?{urlencode(pairs)}" if pairs else "/"


class Choice(NamedTuple):
    """A value one can filter by."""

    value: str
    label: str
    debates: int
    """How many in the whole folder have it."""


class Found(NamedTuple):
    """What a question came to."""

    shown: tuple[Entry, ...]
    """Those on the page asked for."""
    matched: int
    total: int
    pages: int
    page: int
    unscored: int
    """Debates that fit otherwise but have no score to tell by."""


def asked_of(query: Query) -> Asked:
    """What an address asks for.

    Raises:
        UserError: it asks for a number, an outcome or an order that is none.
    """
    sort = _one_of(query.get("sort", ""), SORTS, "sort", "date")
    usual = "rising" if sort in RISING else "falling"
    order = _one_of(query.get("order", ""), ("falling", "rising"), "order", usual)
    experiment = query.get("experiment", "")
    return Asked.model_validate(
        {
            "q": query.get("q", "").strip(),
            **{name: query.get(name, "") for name in ("party", "model", "prompt")},
            "outcome": _one_of(query.get("outcome", ""), OUTCOMES, "outcome", ""),
            "experiment": ("" if experiment == "." else experiment) if experiment else None,
            "agreed": _range(query, "agreed", 100),
            "in_line": _range(query, "in_line", 100),
            "crossed": _range(query, "crossed", 1),
            "sort": sort,
            "falling": order == "falling",
            "page": max(1, int(_number(query.get("page", ""), "page") or 1)),
            "chosen": tuple(dict.fromkeys(name for name in query.getlist("d") if name)),
        }
    )


def outcome_of(entry: Entry, under_way: Container[str]) -> Outcome:
    """What became of a debate; `under_way` are the names of those somebody holds."""
    seen = entry.glance
    if seen is None:
        return "broken"
    if not seen.closed:
        return "under-way" if entry.name in under_way else "unfinished"
    if not seen.adopted:
        return "none"
    return "all" if seen.adopted == seen.issues else "some"


def agreed(entry: Entry) -> float | None:
    """The share of issues that were agreed; None for a debate that was not closed."""
    seen = entry.glance
    return seen.adopted / seen.issues if seen and seen.closed and seen.issues else None


def fitting(
    entries: Iterable[Entry],
    asked: Asked,
    under_way: Container[str] = (),
    experiments: Iterable[str] = (),
) -> tuple[Entry, ...]:
    """Those that fit as far as can be told without scores, which have to be read one by one.

    Args:
        entries: What lies in the folder.
        asked: What is looked for.
        under_way: Names of the debates that somebody holds.
        experiments: The folders of experiments.
    """
    known = frozenset(experiments)
    return tuple(each for each in entries if _fits(each, asked, under_way, known))


def search(fit: Sequence[Entry], asked: Asked, total: int) -> Found:
    """Of those that fit, see `fitting`, the ones whose scores do too, in order, page by page.

    Args:
        fit: With their scores where the question is `by_score`.
        asked: What is looked for.
        total: How many there are in the whole folder.
    """
    within = [each for each in fit if _in_ranges(each, asked)]
    unscored = sum(_unscored(each, asked) for each in fit)
    ordered = _sorted(within, asked)
    pages = max(1, -(-len(ordered) // PAGE))
    page = min(asked.page, pages)
    shown = tuple(ordered[(page - 1) * PAGE : page * PAGE])
    return Found(shown, len(ordered), total, pages, page, unscored)


def choices(entries: Iterable[Entry]) -> Mapping[str, tuple[Choice, ...]]:
    """The parties, models and prompts there are, those in most debates first."""
    labels: dict[tuple[str, str], str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        counts.update({key for seat in _parties(entry) for key in _keys(seat, labels)})
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return {
        kind: tuple(
            Choice(value, labels[which, value], count)
            for (which, value), count in ordered
            if which == kind
        )
        for kind in ("party", "model", "prompt")
    }


def _keys(seat: Sitting, labels: dict[tuple[str, str], str]) -> list[tuple[str, str]]:
    same = seat.name.casefold() == seat.seat.casefold()
    labels.setdefault(("party", seat.seat), seat.name if same else f"{seat.name} ({seat.seat})")
    keys = [("party", seat.seat)]
    for kind, value in (("model", seat.model), ("prompt", seat.prompt)):
        if value:
            labels[kind, value] = value
            keys.append((kind, value))
    return keys


def share(entry: Entry, which: Literal["in_line", "crossed"], party: str = "") -> Share | None:
    """A headline score of the debate, or of a party where one is asked for."""
    return entry.headlines.of(which, party) if entry.headlines else None


def _fits(
    entry: Entry, asked: Asked, under_way: Container[str], experiments: frozenset[str]
) -> bool:
    if asked.experiment is not None and not _in_experiment(entry, asked.experiment, experiments):
        return False
    if asked.outcome and outcome_of(entry, under_way) != asked.outcome:
        return False
    if not asked.agreed.holds(agreed(entry)):
        return False
    if not all(word in entry.words for word in asked.q.casefold().split()):
        return False
    return _seated(entry, asked)


def _in_experiment(entry: Entry, experiment: str, experiments: frozenset[str]) -> bool:
    if experiment == "-":
        return entry.folder not in experiments
    return entry.folder == experiment and experiment in experiments


def _seated(entry: Entry, asked: Asked) -> bool:
    """Whether one and the same seat has what is asked for."""
    if not (asked.party or asked.model or asked.prompt):
        return True
    return any(
        asked.party in ("", seat.seat)
        and asked.model in ("", seat.model)
        and asked.prompt in ("", seat.prompt)
        for seat in _parties(entry)
    )


def _parties(entry: Entry) -> Sequence[Sitting]:
    """Who debates: the chair, whose voice decides nothing, is left to the words."""
    seats = entry.glance.seats if entry.glance else ()
    return [seat for seat in seats if seat.seat != CHAIR]


def _in_ranges(entry: Entry, asked: Asked) -> bool:
    crossed = share(entry, "crossed", asked.party)
    in_line = share(entry, "in_line", asked.party)
    return asked.in_line.holds(in_line.value if in_line else None) and asked.crossed.holds(
        crossed.hits if crossed else None
    )


def _unscored(entry: Entry, asked: Asked) -> bool:
    crossed = share(entry, "crossed", asked.party)
    in_line = share(entry, "in_line", asked.party)
    return (asked.in_line.asked and (in_line is None or in_line.value is None)) or (
        asked.crossed.asked and crossed is None
    )


def _sorted(entries: Sequence[Entry], asked: Asked) -> list[Entry]:
    """In order, those without a value last whichever way it goes; equals by name."""
    by_name = sorted(entries, key=lambda each: each.name)
    keyed = [(_key(each, asked), each) for each in by_name]
    valued = [(key, each) for key, each in keyed if key is not None]
    valued.sort(key=lambda each: each[0], reverse=asked.falling)
    return [*(each for _, each in valued), *(each for key, each in keyed if key is None)]


def _key(entry: Entry, asked: Asked) -> tuple[float, str] | None:
    """What an entry is sorted by: a number or a text."""
    number: float | None = None
    match asked.sort:
        case "date":
            return (0.0, entry.glance.created) if entry.glance else None
        case "name":
            return (0.0, entry.name)
        case "agreed":
            number = agreed(entry)
        case "turns":
            number = entry.glance.turns if entry.glance else None
        case "in-line":
            found = share(entry, "in_line", asked.party)
            number = found.value if found else None
        case "crossed":
            found = share(entry, "crossed", asked.party)
            number = found.hits if found else None
    return None if number is None else (number, "")


def _range(query: Query, name: str, scale: float) -> Range:
    low, high = (_number(query.get(f"{name}_{end}", ""), name) for end in ("from", "to"))
    return Range(
        low=None if low is None else low / scale, high=None if high is None else high / scale
    )


def _number(text: str, name: str) -> float | None:
    if not text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 <= number < 1e9:
        raise UserError(f"The address asks for {name} {text!r}: write a number from 0 on.")
    return number


def _one_of(text: str, known: Sequence[str], name: str, usual: str) -> str:
    if text and text not in known:
        raise UserError(f"The address asks for {name} {text!r}: write one of {', '.join(known)}.")
    return text or usual
