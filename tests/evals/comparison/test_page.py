"""The page of an experiment: its numbers, places, links and colours, and what files say as text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.comparison import svg
from evals.comparison.families import benjamini_hochberg, holm
from evals.comparison.inference import Effect, arm_mean, compare
from evals.comparison.missing import Bounds
from evals.comparison.page import page
from evals.comparison.rates import rare_events
from evals.comparison.shapes import (
    CardLine,
    Declared,
    Observation,
    Results,
    Row,
    TalkPremium,
    Use,
)
from evals.comparison.verdicts import verdict
from evals.evaluator import Judged
from harness.events import NOTICE
from harness.experiment.folder import Broken
from harness.experiment.shapes import Experiment, Metric

PRIMARY = "concordance/in_line"
RATE = "agreement/agreement_rate"
ITEMS = (
    "strategic-stability", "cooperation-agenda", "diplomatic-relations", "ukraine",
    "detained-citizens", "sanctions", "nord-stream-2", "syria", "libya",
)  # fmt: skip
ARMS = ("dossier", "interests", "hawkish", "dovish", "terse")
SHIFTS = {"dossier": 0.0, "interests": 0.01, "hawkish": -0.16, "dovish": 0.12, "terse": 0.0}
HOSTILE = "<script>alert('x')</script>\"'&\u202e \u05e9\u05dc\u05d5\u05dd"

Held = dict[str, dict[str, dict[int, float]]]
"""Arm -> scenario -> seed -> value."""


def an_experiment(
    arms: Sequence[str] = ARMS,
    items: Sequence[str] = ITEMS,
    seeds: int = 5,
    **more: Any,
) -> Experiment:
    return Experiment.model_validate(
        {
            "id": "prompt-variants",
            "question": "Does it matter how a mandate is put?",
            "items": items,
            "seeds": seeds,
            "common": {"model": "local", "guard": False, "rules": {"rounds": 1}},
            "arms": [{"id": arm, "prompt": arm} for arm in arms],
            "baseline": arms[0],
            "beside": ["reference", "no-talk"],
            "primary": {"metric": PRIMARY, "of": "debate", "smallest": 0.1},
            "secondary": [{"metric": RATE, "of": "debate"}],
        }
        | more
    )


def drawn(shifts: Mapping[str, float], items: Sequence[str], seeds: int, *, salt: int = 1) -> Held:
    """Values in tenths around a scenario's own level; the arms' seeds are drawn apart."""
    random = Random(salt)
    levels = {item: random.uniform(0.35, 0.75) for item in items}

    def value(arm: str, item: str) -> float:
        tilt = shifts[arm] + random.gauss(0, 0.1)
        return min(1.0, max(0.0, round(levels[item] + tilt, 1)))

    return {
        arm: {item: {seed: value(arm, item) for seed in range(1, seeds + 1)} for item in items}
        for arm in shifts
    }


def rows_of(held: Held, metric: Metric, *, primary: bool) -> tuple[Row, ...]:
    """Rows as the statistics make them; yardsticks are those that have no shift."""
    names = [name for name in held if name in SHIFTS or name.startswith("arm")]
    smallest = 0.1 if primary else None
    pairs = {
        name: compare(
            held[names[0]], held[name], smallest=smallest, better=metric.better or "higher"
        )
        for name in list(held)[1:]
    }
    tested = [name for name in names if name in pairs]
    adjust = holm if primary else benjamini_hochberg
    ps = dict(zip(tested, adjust([pairs[name].p for name in tested]), strict=True))
    return tuple(
        Row(
            name=name,
            kind="baseline" if name == names[0] else "arm" if name in names else "yardstick",
            metric=metric,
            estimate=arm_mean(held[name]),
            difference=pairs.get(name),
            p_adjusted=ps.get(name),
            adjusted_by="none" if name not in ps else "holm" if primary else "benjamini-hochberg",
            verdict=verdict(pairs[name], ps[name]) if name in ps and metric.better else None,
            cases=sum(len(seeds) for seeds in held[name].values()) * 4,
        )
        for name in held
    )


def seen(held: Held, metric: Metric, variation: str | None = None) -> tuple[Observation, ...]:
    return tuple(
        Observation(
            arm=arm, variation=variation, scenario=scenario, seed=seed, metric=metric.metric,
            of=metric.of, value=value, n=4, debate=stem(arm, scenario, seed, variation),
        )
        for arm, scenarios in held.items()
        for scenario, seeds in scenarios.items()
        for seed, value in seeds.items()
    )  # fmt: skip


def stem(arm: str, scenario: str, seed: int, variation: str | None = None) -> str:
    held = f"{arm}.{variation}" if variation else arm
    return f"{held}.{scenario}.s{seed:02d}-0123abcd"


def results(
    shifts: Mapping[str, float] | None = None,
    items: Sequence[str] = ITEMS,
    seeds: int = 5,
    **more: Any,
) -> Results:
    """A result of planted values: the statistics are the real ones."""
    given = SHIFTS if shifts is None else shifts
    experiment = more.pop("experiment", None) or an_experiment(tuple(given), items, seeds)
    held = drawn(given, items, seeds) | drawn(
        {"reference": 0.2, "no-talk": -0.2}, items, seeds, salt=9
    )
    second = drawn(given, items, seeds, salt=2)
    rate = Metric(metric=RATE, of="debate")
    main = Metric(metric=PRIMARY, of="debate", better="higher")
    rows = (*rows_of(held, main, primary=True), *rows_of(second, rate, primary=False))
    made: dict[str, Any] = {
        "experiment": experiment,
        "sha": experiment.sha,
        "folder": "transcripts/experiments/prompt-variants",
        "made": "2027-03-01T10:00:00Z",
        "declared": (Declared(sha=experiment.sha, at="2027-02-01T08:00:00Z", finished=0),),
        "standing": "Declared before the first debate.",
        "rows": rows,
        "premium": premiums(held, given, main),
        "use": {
            arm: Use(
                planned=len(items) * seeds, finished=len(items) * seeds, failed=0, calls=450,
                input=1234567, cached=900000, output=45678, seconds=3601.4, turns=400,
            )
            for arm in held
        },
        "observations": (*seen(held, main), *seen(second, rate)),
        "versions": {"tracktwo": ("0.4.0",)},
        "agreement": {
            arm: {
                f"{item}/{issue}": {"a": 0.4, "b": 0.2, "none": 0.4}
                for item in items
                for issue in ("scope", "wording")
            }
            for arm in held
        },
        "sentence": "One prompt does worse than the baseline, one better; for the rest it is open.",
    }  # fmt: skip
    return Results(**(made | more))


def premiums(held: Held, arms: Iterable[str], metric: Metric) -> tuple[TalkPremium, ...]:
    effects = {
        arm: compare(held["no-talk"], held[arm], smallest=0.1, better="higher").observed
        for arm in arms
    }
    return tuple(
        TalkPremium(
            arm=arm, beside="no-talk", metric=metric, value=effect.value, low=effect.low,
            high=effect.high,
        )
        for arm, effect in effects.items()
    )  # fmt: skip


@cache
def planted() -> Results:
    """Five arms, nine scenarios, five seeds."""
    return results()


@cache
def full() -> Results:
    """Everything a result can hold: failures, a judge, circumstances, gaps, a later change."""
    plain = planted()
    experiment = an_experiment(
        variations=[{"id": "masked", "what": "Names are hidden", "masked": True}], judges=["local"]
    )
    main = plain.rows[0].metric
    masked = drawn(SHIFTS, ITEMS, 5, salt=5)
    gaps = [
        plain.observations[0].model_copy(update={"value": None, "why": "nobody was asked"}),
        plain.observations[1].model_copy(update={"value": None, "unscored": 2, "why": "unread"}),
    ]
    known = Judged(
        judge="openai:small", rubric="consistency", rubric_sha="r", wording_sha="w", gold="ours",
        kappa=0.61,
    )  # fmt: skip
    hawkish = compare(masked["dossier"], masked["hawkish"], smallest=0.1, better="higher")
    changes: dict[str, dict[str, Any]] = {
        "interests": {"judge": known, "greyed": "V4"},
        "hawkish": {
            "judge": known.model_copy(update={"gold": None, "kappa": None}),
            "unscored": 0.034,
            "bounds": Bounds(low=0.31, high=0.42, unscored=0.034),
            "difference_bounds": Bounds(low=-0.25, high=-0.11, unscored=0.034),
        },
        "dovish": {"rare": rare_events(0, 45), "empty": 3},
    }
    rows = (
        row.model_copy(update=changes.get(row.name, {})) if row.metric == main else row
        for row in plain.rows
    )
    return plain.model_copy(
        update={
            "experiment": experiment,
            "declared": (
                *plain.declared,
                Declared(
                    sha="f" * 64, at="2027-02-02T09:30:00Z", finished=120,
                    changes=("seeds 3 became 5", "an arm, terse, was added"),
                ),
            ),
            "standing": "Changed after 120 debates were finished.",
            "rows": tuple(rows),
            "card": (
                CardLine(
                    arm="hawkish", variation="masked", what="Names are hidden", difference=hawkish,
                    change=None, survives="yes", why="the same way, and 0 is excluded",
                ),
            ),
            "use": plain.use
            | {"hawkish.masked": Use(planned=45, finished=40, failed=2, calls=90, unpriced=90)},
            "broken": (
                Broken(debate="hawkish.masked.syria.s02-0123abcd", at="2027-02-02T09:00:00Z",
                       attempt=1, why="the server closed the line"),
            ),
            "observations": (*gaps, *plain.observations[2:], *seen(masked, main, "masked")),
            "cautions": ("Two debates were given up.", "The judge is uncalibrated in one arm."),
            "spend": "More scenarios would help, more seeds would not.",
        }
    )  # fmt: skip


class Node:
    """An element with what it holds."""

    def __init__(self, tag: str, attrs: Mapping[str, str]) -> None:
        self.tag = tag
        self.attrs = attrs
        self.holds: list[Node | str] = []

    def all(self, tag: str = "", **attrs: str) -> list[Node]:
        """The elements under it, in order."""
        found = []
        for each in self.holds:
            if isinstance(each, Node):
                fits = tag in ("", each.tag) and all(
                    value in each.attrs.get(key.rstrip("_"), "").split()
                    for key, value in attrs.items()
                )
                found += [each] * fits + each.all(tag, **attrs)
        return found

    def one(self, tag: str = "", **attrs: str) -> Node:
        (found,) = self.all(tag, **attrs)
        return found

    @property
    def text(self) -> str:
        """What it says, white space made single."""
        said = "".join(each if isinstance(each, str) else f" {each.text} " for each in self.holds)
        return " ".join(said.split())

    def number(self, name: str) -> float:
        return float(self.attrs[name])


class Reader(HTMLParser):
    """HTML as a tree; what is not closed in order is an error."""

    VOID = ("meta", "br", "hr", "img", "link", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> says {names}"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].holds.append(node)
        if tag not in self.VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].holds.append(data)


def read(html: str) -> Node:
    reader = Reader()
    reader.feed(html)
    reader.close()
    (root,) = reader.open
    return root


def table(root: Node, key: str) -> Node:
    """The table with the caption of this id."""
    (found,) = [t for t in root.all("table") if t.all("caption", id=key)]
    return found


def lines(root: Node, key: str) -> dict[str, list[Node]]:
    """Rows of a table by their names; a name comes once."""
    rows = [row for row in table(root, key).all("tr") if row.all("th", scope="row")]
    named = [(row.one("th", scope="row").one("bdi").text, row.all("td")) for row in rows]
    assert len(named) == len(dict(named))
    return dict(named)


def written(value: float, sign: str = "") -> str:
    said = f"{value:{sign}.2f}".replace("-", "\u2212")
    return said if float(f"{value:.2f}") else "0.00"


def places(drawing: Node) -> Callable[[float], float]:
    """From values to places, told from the axis as it is printed."""
    ticks = [
        t for t in drawing.all("text", class_="faint") if t.attrs.get("text-anchor") == "middle"
    ]
    values = [float(tick.text.replace("\u2212", "-")) for tick in ticks]
    first, last = ticks[0].number("x"), ticks[-1].number("x")
    unit = (last - first) / (values[-1] - values[0])
    return lambda value: first + (value - values[0]) * unit


def figure(root: Node, section: str, arm: str) -> Node:
    """An arm's drawing in the section that begins with this id."""
    body = root.one("main").holds
    start = next(
        i for i, n in enumerate(body) if isinstance(n, Node) and n.attrs.get("id") == section
    )
    for each in body[start + 1 :]:
        if isinstance(each, Node) and each.attrs.get("class") == "figures":
            (found,) = [f for f in each.all("figure") if f.one("h3").text == arm]
            return found.one("svg")
    raise AssertionError(section)


def test_the_page_is_one_file_without_a_script_that_fetches_nothing() -> None:
    html = page(full(), base="../runs")
    root = read(html)
    tags = {node.tag for node in root.all()}
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base"} & tags
    assert not [name for node in root.all() for name in node.attrs if name.startswith("on")]
    assert not [n for n in root.all() if {"src", "srcset", "xlink:href"} & n.attrs.keys()]
    for fetched in ("url(", "@import", "http://", "https://"):
        assert fetched not in html
    policy = next(n for n in root.all("meta") if "http-equiv" in n.attrs)
    assert policy.attrs["http-equiv"] == "Content-Security-Policy"
    assert "default-src 'none'" in policy.attrs["content"]


def test_it_says_what_was_asked_and_found_before_the_numbers_and_that_words_are_nobodys() -> None:
    root = read(page(full()))
    assert root.one("h1").text == "Does it matter how a mandate is put?"
    assert root.one("p", class_="verdict").text == full().sentence
    assert [h.attrs["id"] for h in root.one("main").all("h2")] == [
        "declared", "primary", "scenarios", "seeds", "agreement", "yardsticks", "secondary",
        "robustness", "failures", "cautions", "reading",
    ]  # fmt: skip
    assert root.one("footer").one("p", class_="notice").text == NOTICE
    assert "simulated" in root.one("header").text


def test_what_was_declared_stands_beside_what_was_found() -> None:
    made = full()
    root = read(page(made))
    declared, found = root.one("div", class_="beside").all("section")
    first, second = table(declared, "declarations").one("tbody").all("tr")
    assert [cell.text for cell in first.all("td")] == [
        "2027-02-01 08:00", made.declared[0].sha, "0", "first declaration",
    ]  # fmt: skip
    assert second.all("td")[2].text == "120"
    assert second.all("td")[3].text == "seeds 3 became 5; an arm, terse, was added"
    assert second.one("code").attrs["title"] == "f" * 64
    for said in (made.standing, "concordance/in_line, of the debate; higher is better",
                 "hawkish: prompt hawkish", "model local; guard off; rules rounds 1"):  # fmt: skip
        assert said in declared.text
    assert "was never declared" in declared.text
    verdicts = {each.one("bdi").text: each for each in found.all("li")}
    assert verdicts.keys() == set(ARMS[1:])
    assert verdicts["hawkish"].one("span", class_="word").attrs["class"] == "word loss"
    assert "loss" in verdicts["hawkish"].text
    assert "355 of 360 debates held, 2 given up after breaking off, 3 not held yet" in found.text


def test_the_file_that_was_declared_is_not_called_undeclared() -> None:
    assert "never declared" not in page(planted())
    assert (
        "No declaration is on file."
        in read(page(planted().model_copy(update={"declared": ()}))).text
    )


def test_the_primary_table_has_the_numbers_of_the_result() -> None:
    made = planted()
    shown = lines(read(page(made)), "primary-table")
    assert [*shown] == [*ARMS, "reference", "no-talk"]
    for row in made.rows[:7]:
        cells, e, d = shown[row.name], row.estimate, row.difference
        assert e.value is not None
        assert e.low is not None
        assert e.high is not None
        assert cells[0].text == f"{written(e.value)} [{written(e.low)}, {written(e.high)}]"
        if d is None:
            assert [cell.text for cell in cells[1:6]] == [
                "",
                "baseline",
                "\u2013",
                "\u2013",
                "\u2013",
            ]
            continue
        best = d.best
        assert best.value is not None
        assert best.low is not None
        assert best.high is not None
        assert best.mde is not None
        between = f"[{written(best.low, '+')}, {written(best.high, '+')}]"
        assert cells[2].text == f"{written(best.value, '+')} {between}"
        p = row.p_adjusted if row.p_adjusted is not None else d.p
        assert p is not None
        assert cells[3].text.startswith("<0.001" if p < 0.001 else f"{p:.3f}")
        assert ("not adjusted" in cells[3].text) == (row.kind == "yardstick")
        assert cells[4].text == f"{d.p_flip:.3f}"
        assert cells[5].text == written(best.mde)
        assert [cell.text for cell in cells[6:9]] == ["9", "5", "180"]
    assert [cell.text for cell in shown["dossier"][9:]] == [
        "0 %", "none", "1,280,245 900,000 cached", "$0.00", "3,601",
    ]  # fmt: skip


def test_an_interval_is_drawn_where_the_axis_says() -> None:
    made = planted()
    root = read(page(made))
    axis = places(table(root, "primary-table").one("thead").one("svg"))
    for row in made.rows[1:7]:
        assert row.difference is not None
        best = row.difference.best
        drawing = lines(root, "primary-table")[row.name][1].one("svg")
        middle = re.match(r"M([\d.]+) ", drawing.one("path", class_="mean").attrs["d"])
        assert middle is not None
        assert best.value is not None
        assert float(middle[1]) == pytest.approx(axis(best.value), abs=0.2)
        reach = drawing.all("line", class_="reach")[0]
        assert reach.number("x1") == pytest.approx(axis(best.low or 0), abs=0.2)
        assert reach.number("x2") == pytest.approx(axis(best.high or 0), abs=0.2)
        assert drawing.one("line", class_="zero").number("x1") == pytest.approx(axis(0), abs=0.2)
        bounds = [line.number("x1") for line in drawing.all("line", class_="bound")]
        assert bounds == pytest.approx([axis(-0.1), axis(0.1)], abs=0.2)
        assert f"[{written(best.low or 0, '+')}, " in drawing.one("desc").text


def test_every_scenario_has_a_dot_that_leads_to_its_debates() -> None:
    made = planted()
    root = read(page(made))
    for row in made.rows[1:5]:
        assert row.difference is not None
        drawing = figure(root, "scenarios", row.name)
        axis, links = places(drawing), drawing.all("a")
        assert len(links) == len(row.difference.scenarios) == len(ITEMS)
        values = {each.scenario: each.value for each in row.difference.scenarios}
        for item, link in zip(ITEMS, links, strict=True):
            dot = link.one("circle", class_="dot")
            assert dot.number("cx") == pytest.approx(axis(values[item]), abs=0.2)
            assert link.one("title").text.startswith(f"{item}: {written(values[item], '+')}")
            place = root.one("td", id=link.attrs["href"].removeprefix("#"))
            assert [unquote(a.attrs["href"]) for a in place.all("a")] == [
                f"{stem(row.name, item, seed)}.jsonl" for seed in range(1, 6)
            ]
            beside = next(r for r in root.all("tr") if place in r.all("td"))
            assert beside.one("th").text == item
            assert f"{stem('dossier', item, 1)}.jsonl" in [a.attrs["href"] for a in beside.all("a")]


def test_every_debate_has_a_dot_that_opens_it() -> None:
    made = planted()
    root = read(page(made, base="../runs"))
    for arm in (*ARMS, "reference"):
        drawing = figure(root, "seeds", arm)
        axis = places(drawing)
        dots = {a.attrs["href"]: a.one("circle", class_="dot") for a in drawing.all("a")}
        held = [o for o in made.observations if (o.arm, o.metric) == (arm, PRIMARY)]
        assert len(dots) == len(held) == 45
        for each in held:
            dot = dots[f"../runs/{each.debate}.jsonl"]
            assert dot.number("cx") == pytest.approx(axis(each.value or 0), abs=0.2)
        assert len({(d.attrs["cx"], d.attrs["cy"]) for d in dots.values()}) == 45, (
            "one hides another"
        )


def test_links_lead_from_the_page_to_the_transcripts(tmp_path: Path) -> None:
    odd = "a b.%41.what?.#1.\u05e9\u05dc\u05d5\u05dd"
    made = planted()
    first = made.observations[0].model_copy(update={"debate": odd})
    made = made.model_copy(update={"observations": (first, *made.observations[1:])})
    runs = tmp_path / "my runs" / "x"
    runs.mkdir(parents=True)
    for each in made.observations:
        (runs / f"{each.debate}.jsonl").touch()
    place = tmp_path / "pages" / "results.html"
    root = read(page(made, base="../my runs/x"))
    links = {a.attrs["href"] for a in root.all("a") if not a.attrs["href"].startswith("#")}
    opened = {(place.parent / unquote(urlsplit(link).path)).resolve() for link in links}
    assert opened == set(runs.iterdir())
    assert not [link for link in links if urlsplit(link).query or urlsplit(link).fragment]


@pytest.mark.parametrize(
    "name", ["javascript:alert(1)//", "//host/x", "../../x", "data:text/html,"]
)
def test_no_name_of_a_debate_leads_elsewhere(name: str) -> None:
    made = planted()
    first = made.observations[0].model_copy(update={"debate": name})
    made = made.model_copy(update={"observations": (first, *made.observations[1:])})
    for base in ("", "runs/"):
        links = [a.attrs["href"] for a in read(page(made, base=base)).all("a")]
        (link,) = {link for link in links if unquote(link) == f"{base}{name}.jsonl"}
        target = urlsplit(link)
        assert (target.scheme, target.netloc) == ("", "")
        assert "/" not in link.removeprefix(base)


def test_all_debates_are_listed_those_of_other_circumstances_too() -> None:
    made = full()
    root = read(page(made))
    listed = [a for box in root.all("ul", class_="seeds") for a in box.all("a")]
    assert Counter(unquote(a.attrs["href"]) for a in listed) == Counter(
        {f"{o.debate}.jsonl": 1 for o in made.observations}
    )
    said = {a.attrs["href"]: a for a in listed}
    for each in made.observations:
        if each.metric == PRIMARY and each.value is not None:
            assert said[f"{each.debate}.jsonl"].text == written(each.value)


def test_a_debate_without_a_value_is_named_and_never_a_dot() -> None:
    root = read(page(full()))
    drawing = figure(root, "seeds", "dossier")
    assert len(drawing.all("a")) == 43
    assert "2 missing" in drawing.text
    said = {a.attrs["href"]: a for b in root.all("ul", class_="seeds") for a in b.all("a")}
    none, unread = (said[f"{stem('dossier', ITEMS[0], seed)}.jsonl"] for seed in (1, 2))
    assert (none.text, unread.text) == ("none", "unscored")
    assert "nobody was asked" in none.attrs["title"]


def test_a_scenario_that_one_side_lacks_is_shown_as_without_a_pair() -> None:
    made = planted()
    short = {arm: {**of} for arm, of in drawn(SHIFTS, ITEMS, 5).items()}
    del short["hawkish"]["syria"]
    row = made.rows[2].model_copy(
        update={
            "difference": compare(short["dossier"], short["hawkish"], smallest=0.1, better="higher")
        }
    )
    root = read(page(made.model_copy(update={"rows": (*made.rows[:2], row, *made.rows[3:])})))
    drawing = figure(root, "scenarios", "hawkish")
    assert len(drawing.all("a")) == len(ITEMS) - 1
    assert drawing.text.count("no pair") == 1
    assert "without a pair: syria" in root.one("main").text


def test_an_interval_that_goes_on_is_drawn_with_an_arrow_and_leaves_room_for_the_rest() -> None:
    wide = Effect(value=0.05, se=0.2, low=-2.5, high=2.6)
    narrow = Effect(value=-0.04, se=0.01, low=-0.06, high=-0.02)
    on = svg.difference_scale([wide, narrow], [0.1], [], 0, 100)
    cut, whole = svg.bar(wide, on), svg.bar(narrow, on)
    assert cut is not None
    assert whole is not None
    assert (cut.cut_low, cut.cut_high) == (True, True)
    assert (whole.cut_low, whole.cut_high) == (False, False)
    assert whole.low is not None
    assert whole.high is not None
    assert whole.high - whole.low > 5
    base, arm = results(items=ITEMS[:2]).rows[:2]
    assert arm.difference is not None
    row = arm.model_copy(
        update={"difference": arm.difference.model_copy(update={"observed": wide})}
    )
    made = results(items=ITEMS[:2]).model_copy(update={"rows": (base, row)})
    drawing = lines(read(page(made)), "primary-table")["interests"][1].one("svg")
    assert len(drawing.all("path", class_="reach")) == 2


def test_the_matrix_has_shares_as_numbers_and_as_lengths() -> None:
    made = planted().model_copy(
        update={
            "agreement": {
                "dossier": {"scope": {"a": 0.2, "b": 0.4, "none": 0.4}, "wording": {"none": 1.0}},
                "hawkish": {"scope": {"b": 0.999, "none": 0.001}},
            }
        }
    )
    root = read(page(made))
    assert [th.text for th in table(root, "matrix").one("thead").all("th")] == [
        "Issue", "dossier", "hawkish",
    ]  # fmt: skip
    rows = lines(root, "matrix")
    first, second = rows["scope"]
    assert first.text.startswith("60 % b")
    bars = [(r.attrs["class"], r.number("width")) for r in first.all("rect")[:-1]]
    assert bars == [("most", 40.0), ("other", 20.0), ("open", 40.0)]
    assert first.one("title").text == "b 40 %; a 20 %; nothing agreed 40 %"
    assert second.text.startswith("99.9 % b")
    none, missing = rows["wording"]
    assert none.text.startswith("0 %")
    assert missing.text == "\u2013"


def test_yardsticks_and_the_talk_premium_are_numbers() -> None:
    made = planted()
    root = read(page(made))
    rows = lines(root, "yardstick-table")
    assert [*rows] == ["reference", "no-talk"]
    talk = made.rows[6]
    assert talk.estimate.value is not None
    assert talk.difference is not None
    assert talk.difference.best.value is not None
    assert rows["no-talk"][0].text.startswith(written(talk.estimate.value))
    assert f"less baseline {written(talk.difference.best.value, '+')} [" in rows["no-talk"][0].text
    assert rows["no-talk"][1].text == "\u2013"
    premium = lines(root, "premium-0")
    assert premium.keys() == set(ARMS)
    for each in made.premium:
        assert each.value is not None
        assert premium[each.arm][0].text.startswith(f"{written(each.value, '+')} [")


def test_other_metrics_have_a_grid_of_their_own() -> None:
    made = planted()
    rows = lines(read(page(made)), "secondary-table")
    assert [*rows] == [*ARMS]
    for row in made.rows[8:]:
        assert row.p_adjusted is not None
        said = "<0.001" if row.p_adjusted < 0.001 else f"{row.p_adjusted:.3f}"
        assert rows[row.name][3].text == said
        assert row.name == rows_named(rows, row.name)


def rows_named(rows: Mapping[str, list[Node]], name: str) -> str:
    """The name, if there is no verdict where neither way is better."""
    assert not [node for cell in rows[name] for node in cell.all("span", class_="word")]
    return name


def test_a_judge_gaps_and_rare_events_are_said_where_they_bear_on_a_number() -> None:
    root = read(page(full()))
    rows = lines(root, "primary-table")
    assert rows["interests"][10].text == "openai:small calibrated on ours, kappa 0.61 failed V4"
    assert rows["hawkish"][10].text == "openai:small uncalibrated"
    assert "0.31 to 0.42 if the unscored were worst or best" in rows["hawkish"][0].text
    assert "\u22120.25 to \u22120.11 if the unscored" in rows["hawkish"][2].text
    assert rows["hawkish"][9].text == "3.4 %"
    assert "3 debates with none" in rows["dovish"][8].text
    greyed = table(root, "primary-table").all("tr", class_="greyed")
    assert [row.one("th").one("bdi").text for row in greyed] == ["interests"]
    assert "in 0 of 45 debates, exact 95 % interval 0 % to 7.9 %" in root.text
    assert "at most 6.7 % by the rule of three" in root.text


def test_robustness_failures_and_cautions_are_shown() -> None:
    made = full()
    root = read(page(made))
    (cells,) = [row.all("td") for row in table(root, "card").one("tbody").all("tr")]
    assert cells[0].text == "Names are hidden (masked)"
    assert cells[-1].text == "yes: the same way, and 0 is excluded"
    use = lines(root, "use")["hawkish.masked"]
    assert [cell.text for cell in use[:3]] == ["45", "40", "2"]
    assert use[7].text == "not known 90 calls without a price"
    (broken,) = table(root, "broken").one("tbody").all("tr")
    assert broken.text.endswith("2027-02-02 09:00 1 the server closed the line")
    assert [li.text for li in root.one("ul", class_="measure").all("li")] == [*made.cautions]
    assert "2 cautions" in root.one("header").text
    assert made.spend in root.text


def test_a_result_without_debates_is_a_page_that_says_so() -> None:
    empty: dict[str, Any] = {
        "rows": (),
        "premium": (),
        "observations": (),
        "use": {},
        "agreement": {},
    }
    nothing = planted().model_copy(update={**empty, "versions": {}, "declared": ()})
    root = read(page(nothing))
    for said in ("0 of 0 debates held", "No arm has been held against the baseline.",
                 "No debate has a value yet.", "No debate has an outcome yet.",
                 "No arm has a scenario in common with the baseline."):  # fmt: skip
        assert said in root.text


def test_dots_lead_somewhere_even_where_only_other_circumstances_have_debates() -> None:
    made = full()
    varied = tuple(o for o in made.observations if o.variation is not None)
    root = whole(page(made.model_copy(update={"observations": varied})))
    assert len(figure(root, "scenarios", "hawkish").all("a")) == len(ITEMS)


@pytest.mark.parametrize(
    ("items", "seeds", "shifts"),
    [
        (ITEMS[:1], 1, SHIFTS),
        (ITEMS[:2], 1, {"dossier": 0.0, "hawkish": 0.3}),
        (ITEMS, 5, {"dossier": 0.0}),
        (tuple(f"an-agenda-item-with-a-long-name-{n}" for n in range(40)), 2, SHIFTS),
    ],
    ids=["one scenario", "one seed", "no arm", "many scenarios"],
)
def test_few_and_many_scenarios_make_a_page_with_every_reference_whole(
    items: Sequence[str], seeds: int, shifts: Mapping[str, float]
) -> None:
    whole(page(results(shifts, items, seeds)))


def whole(html: str) -> Node:
    """The tree, if ids are there once, references lead somewhere, and no number is missing."""
    root = read(html)
    ids = [node.attrs["id"] for node in root.all() if "id" in node.attrs]
    assert len(ids) == len(set(ids)), [key for key, n in Counter(ids).items() if n > 1]
    for node in root.all():
        assert set(node.attrs.get("aria-labelledby", "").split()) <= set(ids)
        if node.attrs.get("href", "").startswith("#"):
            assert node.attrs["href"][1:] in ids, node.attrs
    for cell in (*root.all("td"), *root.all("text"), *root.all("desc")):
        assert not re.search(r"\b(None|nan|inf|Undefined)\b", cell.text)
    for box in root.all("svg"):
        for node in box.all():
            for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"):
                assert abs(float(node.attrs.get(name, 0))) < 2000, (node.tag, node.attrs)
    return root


def test_what_everyone_needs_to_read_it_is_there() -> None:
    root = whole(page(full()))
    assert root.one("html").attrs["lang"] == "en"
    levels = [int(n.tag[1]) for n in root.all() if re.fullmatch("h[1-6]", n.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for each in root.all("table"):
        assert each.all("caption")[0].text
        assert all(th.attrs.get("scope") in ("col", "row", "rowgroup") for th in each.all("th"))
    for each in root.all("svg"):
        assert each.attrs.get("aria-hidden") == "true" or each.all("title")[0].text
        # An image has no links for those who do not see it.
        assert each.attrs.get("role") != "img" or not each.all("a")
    for box in root.all("div", class_="wide"):
        assert (box.attrs["tabindex"], box.attrs["role"]) == ("0", "region")
    for word in root.all("span", class_="word"):
        assert word.text.split()[-1] in ("win", "loss", "equivalent", "inconclusive")


def test_what_files_say_is_text() -> None:
    made = full()
    row = made.rows[2].model_copy(update={"name": HOSTILE})
    first = made.observations[0]
    assert made.rows[2].verdict is not None
    hostile = made.model_copy(
        update={
            "experiment": made.experiment.model_copy(update={"question": HOSTILE}),
            "rows": (made.rows[0], row, *made.rows[3:]),
            "observations": (
                first.model_copy(update={"scenario": HOSTILE, "why": HOSTILE, "debate": HOSTILE}),
                *made.observations[1:],
            ),
            "agreement": {HOSTILE: {HOSTILE: {HOSTILE: 1.0}}},
            "broken": (made.broken[0].model_copy(update={"why": HOSTILE, "debate": HOSTILE}),),
            "premium": (made.premium[0].model_copy(update={"arm": HOSTILE, "why": HOSTILE}),),
            "use": made.use | {HOSTILE: Use(planned=1, finished=1, failed=0)},
            "versions": {HOSTILE: (HOSTILE,)},
            **dict.fromkeys(("sentence", "standing", "spend", "folder", "made"), HOSTILE),
            "cautions": (HOSTILE,),
        }
    )
    html = page(hostile)
    root = whole(html)
    assert "<script" not in html
    assert "\u202e" not in html
    assert root.one("h1").text == HOSTILE.replace("\u202e", "")
    assert "\u05e9\u05dc\u05d5\u05dd" in root.text
    clean = whole(page(made))
    assert {n.tag for n in root.all()} == {n.tag for n in clean.all()}
    names = {name for n in root.all() for name in n.attrs}
    assert names <= {name for n in clean.all() for name in n.attrs} | {"title"}


def test_equal_results_make_equal_pages(tmp_path: Path) -> None:
    made = full()
    file = tmp_path / "results.json"
    # What an experiment file left out stays left out, as in the folder of an experiment.
    file.write_text(made.model_dump_json(exclude_unset=True), encoding="utf-8")
    code = (
        "import sys; from evals.comparison.page import page; "
        "from evals.comparison.shapes import Results; "
        "made = Results.model_validate_json(open(sys.argv[1], encoding='utf-8').read()); "
        "sys.stdout.buffer.write(page(made).encode())"
    )
    made_elsewhere = subprocess.run(
        [sys.executable, "-c", code, str(file)],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    ).stdout
    assert made_elsewhere == page(made).encode()


def colours(html: str, *, dark: bool) -> dict[str, str]:
    """The colours by name, as they are in the light or in the dark."""
    style = read(html).one("style").text
    scheme = r"@media \(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}\s*\}"
    night = " ".join(re.findall(scheme, style))
    day = " ".join(re.findall(r":root \{(.*?)\}", re.sub(scheme, "", style)))
    found = re.compile(r"--([a-z]+): (#[0-9a-f]{6})")
    names = dict(found.findall(day))
    assert dict(found.findall(night)).keys() == names.keys()
    return names | dict(found.findall(night)) if dark else names


def luminance(colour: str) -> float:
    """Relative luminance; WCAG 2.2, definitions."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, 1.4.3."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_and_marks_can_be_told_from_what_is_behind_them(dark: bool) -> None:
    named = colours(page(planted()), dark=dark)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for text in ("ink", "dim", "good", "bad", "mark", "warn"):
        for behind in ("page", "tint", "band"):
            assert contrast(named[text], named[behind]) >= 4.5, (text, behind)
    for mark in ("edge", "mark", "ink"):
        for behind in ("page", "band"):
            assert contrast(named[mark], named[behind]) >= 3, (mark, behind)
    assert (luminance(named["page"]) < 0.05) == dark
    assert contrast(named["mark"], named["soft"]) >= 2.5


@given(st.lists(st.floats(-1e4, 1e4), max_size=6))
def test_an_axis_holds_its_values_and_its_numbers_are_where_they_stand(values: list[float]) -> None:
    on = svg.scale(values, 20, 160)
    assert all(20 <= on.x(value) <= 160 for value in values)
    assert 1 <= len(on.ticks) <= 5
    assert len({tick.said for tick in on.ticks}) == len(on.ticks)
    for tick in on.ticks:
        assert tick.x == pytest.approx(on.x(float(tick.said.replace("\u2212", "-"))), abs=0.1)
        assert 20 <= tick.x <= 160
