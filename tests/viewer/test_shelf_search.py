"""What is asked of the shelf, and what is found: entries made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from harness.errors import UserError
from harness.viewer.app.index import Entry
from harness.viewer.app.shelf_glance import Glance, Named, Sitting
from harness.viewer.app.shelf_scores import Headlines, Share, Stamp
from harness.viewer.app.shelf_search import (
    OUTCOMES,
    PAGE,
    SORTS,
    Asked,
    Found,
    Range,
    asked_of,
    choices,
    fitting,
    outcome_of,
    search,
)

HAWK = Sitting(seat="us", name="US", model="openai:large", prompt="hawk")
DOVE = Sitting(seat="ru", name="RU", model="ollama:small", prompt="dove")
BOTH = (HAWK, DOVE)
SHARES = (
    Share(about="", hits=3, n=4),
    Share(about="us", hits=1, n=3),
    Share(about="ru", hits=0, n=0),
)


def an_entry(
    name: str,
    *,
    counts: tuple[int, int, int] | None = (2, 1, 0),
    turns: int = 9,
    created: str = "2026-10-01",
    seats: Sequence[Sitting] = BOTH,
    in_line: Sequence[Share] = (),
    crossed: Sequence[Share] = (),
    broken: str = "",
) -> Entry:
    """An entry made by hand; `counts` are adopted, bracketed, open; None for an open debate."""
    stamp = Stamp(1, 1, 1)
    if broken:
        return Entry(name=name, stamp=stamp, broken=broken)
    adopted, bracketed, open_ = counts or (0, 0, 0)
    seen = Glance(
        debate=name.rpartition("/")[2], created=created, turns=turns, seats=tuple(seats),
        setting=Named(id="geneva-2021", name="Geneva, June 2021"),
        items=(Named(id="libya", name="Libya: foreign forces"),),
        closed=counts is not None, adopted=adopted, bracketed=bracketed, open=open_,
    )  # fmt: skip
    found = Headlines(standing="scored", in_line=tuple(in_line), crossed=tuple(crossed))
    scored = {"transcript": stamp, "beside": stamp, "headlines": found}
    return Entry.model_validate(
        {"name": name, "stamp": stamp, "glance": seen, "scored": scored if in_line else None}
    )


def find(entries: Sequence[Entry], asked: Asked, *, under_way: Sequence[str] = ()) -> Found:
    return search(fitting(entries, asked, under_way, ["exp"]), asked, len(entries))


def names(found: Found) -> list[str]:
    return [entry.name for entry in found.shown]


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        ("third", ["third"]),
        ("SECOND", ["sub/second"]),
        ("  libya   forces ", ["first", "sub/second"]),
        ("geneva-2021", ["first", "sub/second"]),
        ("sub/", ["sub/second"]),
        ("hawk", ["first"]),
        ("large us", ["first"]),
        ("ollama:small", ["first", "sub/second"]),
        ("second third", []),
        ("first_line", ["third"]),
        ("", ["first", "sub/second", "third"]),
    ],
)
def test_every_word_has_to_occur_somewhere(words: str, fits: list[str]) -> None:
    entries = [
        an_entry("first"),
        an_entry("sub/second", seats=(DOVE,)),
        an_entry("third", broken="its first_line has no schema_version"),
    ]
    found = find(entries, Asked(q=words, sort="name", falling=False))
    assert names(found) == fits
    assert (found.matched, found.total) == (len(fits), 3)


def test_party_model_and_prompt_have_to_be_those_of_one_seat() -> None:
    entries = [an_entry("both"), an_entry("dove", seats=(DOVE,)), an_entry("x", broken="no")]
    assert names(find(entries, Asked(party="us"))) == ["both"]
    assert names(find(entries, Asked(model="ollama:small"))) == ["both", "dove"]
    assert names(find(entries, Asked(prompt="dove"))) == ["both", "dove"]
    assert names(find(entries, Asked(party="us", model="openai:large", prompt="hawk"))) == ["both"]
    assert names(find(entries, Asked(party="us", model="ollama:small"))) == []
    assert names(find(entries, Asked(party="u"))) == []


def test_outcomes_are_told_apart() -> None:
    entries = {
        "all": an_entry("all", counts=(3, 0, 0)),
        "some": an_entry("some", counts=(1, 1, 1)),
        "none": an_entry("none", counts=(0, 2, 1)),
        "under-way": an_entry("under-way", counts=None),
        "unfinished": an_entry("unfinished", counts=None),
        "broken": an_entry("broken", broken="no transcript"),
    }
    for outcome in OUTCOMES:
        found = find([*entries.values()], Asked(outcome=outcome), under_way=["under-way", "all"])
        assert names(found) == [outcome]
    assert outcome_of(an_entry("empty", counts=(0, 0, 0)), ()) == "none"


def test_debates_of_an_experiment_or_of_none_can_be_asked_for() -> None:
    entries = [an_entry("a"), an_entry("exp/b"), an_entry("exp/deeper/c"), an_entry("other/d")]
    assert names(find(entries, Asked(experiment="exp"))) == ["exp/b"]
    assert names(find(entries, Asked(experiment="-"))) == ["a", "exp/deeper/c", "other/d"]
    assert names(find(entries, Asked(experiment="other"))) == []
    assert names(find(entries, Asked(experiment=""))) == []
    root = fitting(entries, Asked(experiment=""), (), [""])
    assert [entry.name for entry in root] == ["a"]


SCORED = [
    an_entry("two-thirds", counts=(2, 1, 0), in_line=SHARES, crossed=SHARES),
    an_entry("all", counts=(3, 0, 0), in_line=(Share(about="", hits=0, n=5),)),
    an_entry("unscored", counts=(0, 3, 0)),
    an_entry("open", counts=None),
]


@pytest.mark.parametrize(
    ("asked", "fits", "unscored"),
    [
        (Asked(agreed=Range(low=0.67)), ["all", "two-thirds"], 0),
        (Asked(agreed=Range(high=0.66)), ["unscored"], 0),
        (Asked(agreed=Range(high=0.67)), ["two-thirds", "unscored"], 0),
        (Asked(agreed=Range(low=0.0)), ["all", "two-thirds", "unscored"], 0),
        (Asked(in_line=Range(low=0.75, high=0.75)), ["two-thirds"], 2),
        (Asked(in_line=Range(low=0.0)), ["all", "two-thirds"], 2),
        (Asked(in_line=Range(high=0.0)), ["all"], 2),
        (Asked(party="us", in_line=Range(low=0.33, high=0.34)), ["two-thirds"], 3),
        (Asked(party="ru", in_line=Range(low=0.0)), [], 4),
        (Asked(crossed=Range(low=3)), ["two-thirds"], 3),
        (Asked(crossed=Range(low=4)), [], 3),
        (Asked(party="us", crossed=Range(high=1)), ["two-thirds"], 3),
        (Asked(agreed=Range(low=0.5), crossed=Range(low=0)), ["two-thirds"], 1),
        (Asked(in_line=Range(low=0.9, high=0.1)), [], 2),
    ],
)
def test_ranges_hold_both_their_ends_and_nothing_that_has_no_score(
    asked: Asked, fits: list[str], unscored: int
) -> None:
    found = find(SCORED, asked.model_copy(update={"sort": "name", "falling": False}))
    assert names(found) == fits
    assert found.unscored == unscored


def test_a_broken_debate_has_no_score_to_fit() -> None:
    entries = [an_entry("x", broken="no transcript")]
    for asked in (Asked(agreed=Range(low=0)), Asked(in_line=Range(low=0)), Asked(party="us")):
        assert names(find(entries, asked)) == []


SORTED: dict[str, list[str]] = {  # from small to large; those without a value stand last
    "name": ["a", "b", "c", "d", "e"],
    "date": ["c", "a", "b", "d", "e"],
    "agreed": ["b", "a", "c", "d", "e"],
    "in-line": ["b", "a", "c", "d", "e"],
    "crossed": ["b", "a", "c", "d", "e"],
    "turns": ["a", "c", "b", "d", "e"],
}


@pytest.mark.parametrize("sort", SORTS)
def test_sorting_goes_both_ways_and_what_has_no_value_stands_last(sort: str) -> None:
    zero, three = (Share(about="", hits=0, n=4),), (Share(about="", hits=3, n=4),)
    entries = [
        an_entry("e", broken="no transcript"),
        an_entry("a", turns=2, created="2026-10-02", in_line=three, crossed=three),
        an_entry(
            "c", turns=9, created="2026-10-01", in_line=three, crossed=three, counts=(3, 0, 0)
        ),
        an_entry("b", turns=11, created="2026-10-03", in_line=zero, crossed=zero, counts=(0, 3, 0)),
        an_entry("d", turns=12, created="2026-10-04", counts=None),
    ]
    rising = find(entries, Asked.model_validate({"sort": sort, "falling": False}))
    assert names(rising) == SORTED[sort]
    falling = names(find(entries, Asked.model_validate({"sort": sort})))
    valued = {"name": 5, "date": 4, "turns": 4}.get(sort, 3)
    ties = sort in ("in-line", "crossed")
    expected = ["a", "c", "b"] if ties else SORTED[sort][:valued][::-1]
    assert falling == [*expected, *SORTED[sort][valued:]]


def test_pages_hold_a_hundred_and_the_last_stands_for_those_after_it() -> None:
    entries = [an_entry(f"{number:03}") for number in range(2 * PAGE + 50)]
    pages = [find(entries, Asked(sort="name", falling=False, page=n)) for n in (1, 2, 3, 4, 9**9)]
    assert [len(found.shown) for found in pages] == [PAGE, PAGE, 50, 50, 50]
    assert [found.page for found in pages] == [1, 2, 3, 3, 3]
    assert {(f.pages, f.matched, f.total) for f in pages} == {(3, 250, 250)}
    assert [name for f in pages[:3] for name in names(f)] == [e.name for e in entries]
    none = find(entries, Asked(q="nothing", page=3))
    assert (none.page, none.pages, none.shown) == (1, 1, ())


def test_what_can_be_filtered_by_is_counted_in_debates() -> None:
    twin = Sitting(seat="us-east", name="US", model="openai:large")
    chair = Sitting(seat="chair", name="chair", model="reference")
    offered = choices(
        [an_entry("a", seats=(HAWK, twin, chair)), an_entry("b"), an_entry("c", broken="x")]
    )
    assert [(c.value, c.label, c.debates) for c in offered["party"]] == [
        ("us", "US", 2), ("ru", "RU", 1), ("us-east", "US (us-east)", 1),
    ]  # fmt: skip
    assert [(c.value, c.debates) for c in offered["model"]] == [
        ("openai:large", 2), ("ollama:small", 1),
    ]  # fmt: skip
    assert [(c.value, c.debates) for c in offered["prompt"]] == [("hawk", 2), ("dove", 1)]


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
PERCENT = st.none() | st.integers(0, 1000).map(lambda n: n / 10)
ASKED = st.builds(
    Asked,
    q=TEXT.map(str.strip),
    party=TEXT,
    model=TEXT,
    prompt=TEXT,
    outcome=st.sampled_from(("", *OUTCOMES)),
    experiment=st.none() | TEXT.filter(lambda text: text != "."),
    agreed=st.builds(Range, low=PERCENT.map(lambda n: n if n is None else n / 100), high=st.none()),
    in_line=st.builds(
        Range, low=st.none(), high=PERCENT.map(lambda n: n if n is None else n / 100)
    ),
    crossed=st.builds(Range, low=st.none() | st.integers(0, 99), high=st.none()),
    sort=st.sampled_from(SORTS),
    falling=st.booleans(),
    page=st.integers(1, 999),
    chosen=st.lists(TEXT.filter(bool), unique=True, max_size=4).map(tuple),
)


@given(ASKED)
def test_an_address_asks_for_what_it_was_made_of(asked: Asked) -> None:
    assert asked_of(QueryParams(urlsplit(asked.address()).query)) == asked


@pytest.mark.parametrize(
    "query",
    [
        "agreed_from=many", "agreed_to=-1", "in_line_from=nan", "crossed_to=inf", "page=two",
        "page=-1", "sort=shoe-size", "order=sideways", "outcome=peace", "crossed_from=1e99",
    ],
)  # fmt: skip
def test_an_address_that_asks_for_nonsense_is_told_so(query: str) -> None:
    with pytest.raises(UserError, match=r"The address asks for .*: write "):
        asked_of(QueryParams(query))
