"""The gold set holds together, is balanced, and cannot be solved by looking at its words alone."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

from evals.calibration.gold import SPLITS, Gold, Proposition, gold_path, read_gold
from evals.labels import LABELS, WITH_POSITIONS
from evals.text import Index, content_words, runs, words
from harness.errors import UserError
from harness.loading import find_setting, load_setting
from harness.setting import Setting

Matrix: TypeAlias = NDArray[np.float64]
Classes: TypeAlias = NDArray[np.int_]
Measured: TypeAlias = dict[str, list[list[float]]]
Features: TypeAlias = Callable[
    [Sequence[Proposition], Sequence[Proposition]], tuple[Matrix, Matrix]
]

README = gold_path("geneva-2021").with_name("README.md")
CEILING = 0.65
STRENGTHS = (0.3, 3.0)
"""Penalties of the logistic regressions; the better result counts."""


@pytest.fixture(scope="module")
def setting() -> Setting:
    return load_setting(find_setting("geneva-2021"))


@pytest.fixture(scope="module")
def gold() -> Gold:
    return read_gold("geneva-2021")


# The set itself. Reading it has checked its references; the rest is up to its author.


def test_what_a_label_rests_on_is_named(gold: Gold) -> None:
    assert len(gold.propositions) >= 165
    for each in gold.propositions:
        assert bool(each.positions) == (each.label in WITH_POSITIONS), each.id
        assert 10 <= len(each.text.split()) <= 40, each.id
        assert each.rationale, each.id
        assert re.fullmatch(rf"g-{each.party}-[a-z]{{2}}-\d\d", each.id), each.id
    assert not gold.dropped


def test_labels_are_balanced_in_each_split_and_over_parties(gold: Gold) -> None:
    for split in SPLITS:
        labels = Counter(each.label for each in gold.split(split))
        equal = len(gold.split(split)) / len(LABELS)
        assert all(0.8 * equal <= labels[label] <= 1.2 * equal for label in LABELS)
    by_party = Counter((each.party, each.label) for each in gold.propositions)
    sizes = Counter(each.party for each in gold.propositions)
    assert min(sizes["us"], sizes["ru"]) >= 40
    for party, label in product(sizes, LABELS):
        assert 0.8 <= by_party[party, label] * len(LABELS) / sizes[party] <= 1.2


def test_each_split_covers_every_item_and_party(gold: Gold, setting: Setting) -> None:
    items = Counter(each.item for each in gold.propositions)
    assert all(items[item.id] >= 6 for item in setting.items)
    for split in SPLITS:
        assert {each.item for each in gold.split(split)} == {item.id for item in setting.items}
        assert {each.party for each in gold.split(split)} == {p.id for p in setting.parties}


def test_splits_share_no_position_and_no_wording(gold: Gold) -> None:
    dev, test = gold.split("dev"), gold.split("test")
    assert not {p for e in dev for p in e.positions} & {p for e in test for p in e.positions}
    for one, other in product(dev, test):
        a, b = set(content_words(one.text)), set(content_words(other.text))
        assert len(a & b) <= 0.5 * min(len(a), len(b)), (one.id, other.id)
        assert not runs(words(one.text), 8) & runs(words(other.text), 8), (one.id, other.id)


def test_nothing_is_copied_from_the_record(gold: Gold, setting: Setting) -> None:
    for each in gold.propositions:
        for own in setting.party(each.party).positions:
            recorded = runs(words(own.statement), 8) | runs(words(own.spoken), 8)
            assert not recorded & runs(words(each.text), 8), (each.id, own.id)


def test_nobody_speaks_of_what_came_later(gold: Gold, setting: Setting) -> None:
    later = re.compile(
        r"invasion|invaded|full-scale|Feb\w* 2022|Griner|Wagner|AUKUS|Taliban takeover|sabotage"
        r"|martial law|mobilisation|annexation of (?:Donetsk|Kherson)|grain deal|Makiivka|Bucha",
        re.IGNORECASE,
    )
    known = set(re.findall(r"\b20\d\d\b", setting.model_dump_json()))
    for each in gold.propositions:
        assert not later.search(each.text), each.id
        years = set(re.findall(r"\b20\d\d\b", each.text))
        assert all(int(year) <= setting.as_of.year or year in known for year in years), each.id


# Whether the wording gives the label away: classifiers that know words and shapes, not meaning.


def classified(x: Matrix, y: Classes, unseen: Matrix, penalty: float) -> Classes:
    """Multinomial logistic regression with an L2 penalty, classes weighted to count alike."""
    rows, columns = x.shape
    classes = int(y.max()) + 1
    truth = np.eye(classes)[y]
    # Sparse, and solved by CG: threads of dense algebra wait for each other on a busy machine.
    seen, turned = csr_array(x), csr_array(x.T)
    weight = (rows / (classes * truth.sum(0)))[y]

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        slopes, base = np.split(flat.reshape(columns + 1, classes), [columns])
        score = seen @ slopes + base
        score -= score.max(1, keepdims=True)
        log_p = score - np.log(np.exp(score).sum(1, keepdims=True))
        error = (np.exp(log_p) - truth) * weight[:, None]
        value = penalty / 2 * (slopes**2).sum() - (weight * log_p[np.arange(rows), y]).sum()
        return float(value), np.vstack([turned @ error + penalty * slopes, error.sum(0)]).ravel()

    start = np.zeros((columns + 1) * classes)
    found = minimize(loss, start, jac=True, method="CG", options={"maxiter": 300})
    slopes, base = np.split(found.x.reshape(columns + 1, classes), [columns])
    answer: Classes = (unseen @ slopes + base).argmax(1)
    return answer


def grams(text: str) -> set[str]:
    tokens = re.findall(r"[a-z0-9]+(?:'[a-z]+)?|[^\w\s]", text.lower())
    return {*tokens, *(f"{a} {b}" for a, b in pairwise(tokens))}


def words_used(
    train: Sequence[Proposition], unseen: Sequence[Proposition]
) -> tuple[Matrix, Matrix]:
    """Words, marks and pairs of them, weighted by idf; only what at least two sentences have."""
    count = Counter(gram for each in train for gram in grams(each.text))
    place = {g: i for i, g in enumerate(sorted(g for g, n in count.items() if n > 1))}
    idf = {g: float(np.log((1 + len(train)) / (1 + count[g])) + 1) for g in place}

    def rows(propositions: Sequence[Proposition]) -> Matrix:
        x = np.zeros((len(propositions), len(place)))
        for row, each in enumerate(propositions):
            for gram in grams(each.text) & place.keys():
                x[row, place[gram]] = idf[gram]
        return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9))

    return rows(train), rows(unseen)


NEGATIONS = r"\b(?:no|not|never|nobody|nothing|none|neither|nor|without|cannot|\w+n't|refus\w+)\b"
MODALS = ("will", "shall", "must", "should", "ought", "would", "could", "may", "might", "can")


def shape_of(each: Proposition, setting: Setting, index: Index) -> list[float]:
    """Length, negations, modals, figures, marks, and how near an own position on the item is."""
    text = each.text
    own = setting.mandate(each.party, each.item).positions
    lower = text.lower().split()
    return [
        len(text),
        len(lower),
        len(re.findall(NEGATIONS, text, re.IGNORECASE)),
        *(sum(word.strip(".,;:") == modal for word in lower) for modal in MODALS),
        len(re.findall(r"\d+", text)),
        *(text.count(mark) for mark in ",;:.?!"),
        max(index.support(text, p.id) or 0.0 for p in own),
        max(index.support(p.statement, text) or 0.0 for p in own),
    ]


def shapes(setting: Setting) -> Features:
    index = Index({p.id: p.statement for party in setting.parties for p in party.positions})
    shape = cache(lambda each: shape_of(each, setting, index))

    def featured(
        train: Sequence[Proposition], unseen: Sequence[Proposition]
    ) -> tuple[Matrix, Matrix]:
        seen, new = (np.array([shape(each) for each in part], float) for part in (train, unseen))
        middle, spread = seen.mean(0), seen.std(0) + 1e-9
        return (seen - middle) / spread, (new - middle) / spread

    return featured


def halves_and_folds(propositions: Sequence[Proposition]) -> list[list[tuple[Classes, Classes]]]:
    """Dev to test, test to dev, and five folds; what a party says on an item stays together."""
    split = np.array([each.split for each in propositions])
    places = [(each.party, each.item, each.split) for each in propositions]
    order = np.random.default_rng(0).permutation(len(set(places)))
    fold_of = {place: order[i] % 5 for i, place in enumerate(sorted(set(places)))}
    fold = np.array([fold_of[place] for place in places])
    dev, test = (np.flatnonzero(split == name) for name in SPLITS)
    folds = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(5)]
    return [[(dev, test)], [(test, dev)], folds]


def balanced_accuracy(
    propositions: Sequence[Proposition], features: Features, label: str | None = None
) -> list[float]:
    """With the better penalty, for each way to part the set; of all labels, or one and the rest."""
    labels = [LABELS.index(e.label) if label is None else e.label == label for e in propositions]
    y = np.array(labels, int)
    best = []
    for parts in halves_and_folds(propositions):
        said = {penalty: np.full(len(y), -1) for penalty in STRENGTHS}
        for train, unseen in parts:
            x, new = features([propositions[i] for i in train], [propositions[i] for i in unseen])
            for penalty in STRENGTHS:
                said[penalty][unseen] = classified(x, y[train], new, penalty)
        best.append(max(recalls(y, answers) for answers in said.values()))
    return best


def recalls(y: Classes, said: Classes) -> float:
    """The mean over classes of the share found, among what was asked."""
    asked = said >= 0
    return float(np.mean([(said[asked & (y == c)] == c).mean() for c in range(y.max() + 1)]))


@pytest.fixture(scope="module")
def measured(gold: Gold, setting: Setting) -> Measured:
    """The six figures of each row of the table in the README: three by words, three by shape."""
    return {
        label or "all five": [
            balanced_accuracy(gold.propositions, features, label)
            for features in (words_used, shapes(setting))
        ]
        for label in (None, *LABELS)
    }


@pytest.mark.parametrize("row", ["all five", "supported", "contradicted", "partial"])
def test_wording_does_not_give_the_label_away(measured: Measured, row: str) -> None:
    assert max(figure for figures in measured[row] for figure in figures) < CEILING


def test_the_readme_states_what_was_measured(measured: Measured) -> None:
    stated = re.findall(r"^\| (all five|\w+) \|((?: \.\d\d \|){6})$", README.read_text(), re.M)
    assert [name for name, _ in stated] == list(measured)
    for name, figures in stated:
        there = [float(f) for f in re.findall(r"\.\d\d", figures)]
        # Another build of the linear algebra may settle a borderline sentence the other way.
        assert there == pytest.approx([f for part in measured[name] for f in part], abs=0.02)


def changed(gold: Gold, text: Callable[[Proposition], str], *labels: str) -> list[Proposition]:
    return [
        each.model_copy(update={"text": text(each)}) if each.label in labels else each
        for each in gold.propositions
    ]


def test_the_classifiers_find_what_is_planted(gold: Gold, setting: Setting) -> None:
    words = dict(zip(LABELS, ("frankly", "indeed", "plainly", "surely", "kindly"), strict=True))
    marked = changed(gold, lambda each: f"{each.text} {words[each.label]}", *LABELS)
    assert min(balanced_accuracy(marked, words_used)) > 0.9
    denied = changed(gold, lambda e: f"No, not at all, never: {e.text}", "contradicted")
    assert min(balanced_accuracy(denied, shapes(setting), "contradicted")) > 0.9
    assert min(balanced_accuracy(denied, words_used, "contradicted")) > 0.9
    copied = changed(gold, lambda e: setting.position(e.positions[0]).statement, "supported")
    assert min(balanced_accuracy(copied, shapes(setting), "supported")) > 0.9


# Files of one's own.

LINE: dict[str, object] = {
    "id": "a-1",
    "split": "dev",
    "party": "us",
    "item": "libya",
    "text": "Foreign forces have to leave Libya without delay.",
    "label": "supported",
    "positions": ["us-ly-1"],
    "rationale": "Said in the Council.",
}


def written(folder: Path, *lines: dict[str, object] | str) -> Path:
    path = folder / "geneva-2021-mine.jsonl"
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": "true"}, r"label 'true' is unknown; it is one of supported, partial"),
        ({"split": "train"}, r"split 'train' is unknown; it is one of dev, test"),
        ({"party": "fr"}, r"no party 'fr'; it has cn, de"),
        ({"item": "moon"}, r"no item 'moon'"),
        ({"positions": ["us-ly-9"]}, r"no position 'us-ly-9'"),
        ({"positions": ["ru-ly-1"]}, r"position 'ru-ly-1' is of 'ru'"),
        ({"positions": ["us-sy-1"]}, r"position 'us-sy-1' is on 'syria'"),
        ({"positions": []}, r"supported rests on a position"),
        ({"label": "no_claim"}, r"no_claim rests on no position"),
        ({"text": "So " * 200}, r"text has 600 characters; 400 at most"),
        ({"text": " "}, r"text is empty"),
        ({"text": "One.\nTwo."}, r"text: stands on one line"),
        ({"lable": "partial"}, r"'lable' is no field; there are id"),
        ({"text": 7}, r"text: "),
        ({"id": "a-0"}, r"a-0: already labelled by 'author' in line 1"),
        ({"id": "a-0", "annotator": "b", "text": "Else."}, r"its text is not that of line 1"),
    ],
    ids=lambda value: re.sub(r"\W+", "-", value) if isinstance(value, str) else "line",
)
def test_a_wrong_line_is_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = written(tmp_path, {**LINE, "id": "a-0"}, "", {**LINE, **change})
    with pytest.raises(UserError, match=rf"^{re.escape(str(path))}:3: .*{said}"):
        read_gold(path)


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "{", "[1]", {**LINE, "label": "?", "split": "?"}, {"id": "a-2"})
    with pytest.raises(UserError) as caught:
        read_gold(path)
    said = str(caught.value).splitlines()
    assert [line.removeprefix(f"{path}:")[0] for line in said] == list("123344444")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("geneva-2021.jsonl", b"", "holds no proposition"),
        ("geneva-2021.jsonl", b"\xff", "not UTF-8"),
        ("geneva-2021.csv", b"id,label\n", "lacks target, split"),
        ("elsewhere.jsonl", json.dumps(LINE).encode(), "Let the file's name begin with"),
    ],
    ids=["empty", "bytes", "heading", "setting"],
)
def test_a_file_that_cannot_be_used_is_explained(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        read_gold(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_gold(tmp_path / "missing.jsonl")
    with pytest.raises(UserError, match="there is geneva-2021"):
        read_gold("nowhere")


def table(folder: Path, *rows: tuple[str, str, str]) -> Path:
    """A CSV in which people gave labels: id, annotator, label."""
    path = folder / "geneva-2021.people.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        file.write("id,target,split,annotator,party,item,text,positions\r\n")
        for name, who, label in rows:
            cited = "us-ly-1; us-ly-2" if label == "supported" else ""
            out.writerow([name, label, "test", who, "us", "libya", f'Of {name}, "all" go.', cited])
    return path


def test_people_who_differ_are_kept_and_the_majority_counts(tmp_path: Path) -> None:
    votes = {"x": "partial supported supported", "y": "partial unsupported", "z": "no_claim"}
    rows = [(i, f"p{n}", la) for i, v in votes.items() for n, la in enumerate(v.split())]
    read = read_gold(table(tmp_path, *rows))
    assert [(e.id, e.label) for e in read.propositions] == [("x", "supported"), ("z", "no_claim")]
    first = read.propositions[0]
    assert [a.label for a in first.annotations] == ["partial", "supported", "supported"]
    assert (first.text, first.positions) == ('Of x, "all" go.', ("us-ly-1", "us-ly-2"))
    assert read.annotators == ("p0", "p1", "p2")
    assert read.dropped == ("y",)
    assert "1 proposition has no majority label" in read.notice
    with pytest.raises(UserError, match="nothing to use"):
        read_gold(table(tmp_path, *rows[3:5]))


def test_a_cell_too_many_is_named_with_its_line(tmp_path: Path) -> None:
    path = table(tmp_path, ("x", "a", "partial"))
    path.write_text(path.read_text("utf-8") + "y,partial,dev,a,us,libya,One, two,\n", "utf-8")
    with pytest.raises(UserError, match=r":3: has 9 cells for 8 columns"):
        read_gold(path)


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path, gold: Gold) -> None:
    copy = tmp_path / "geneva-2021-copy.jsonl"
    copy.write_bytes(gold_path("geneva-2021").read_bytes())
    assert read_gold(copy).sha == gold.sha
    for field, value in {"text": "Other words.", "label": "partial", "split": "test"}.items():
        one, other = (
            read_gold(written(tmp_path, LINE | change)) for change in ({}, {field: value})
        )
        assert one.sha != other.sha
