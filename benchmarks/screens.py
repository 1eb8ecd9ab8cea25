"""How well the offline screens do what they are for, beside what was measured before.

    uv run python benchmarks/screens.py

Reads labelled claims (WiCE, dev) and labelled pairs from debates (ProSeCCo) in ../shared/gold, our
own labelled claims, the setting geneva-2021 and the transcripts in transcripts/examples. Nothing
was fitted to the labels but the classifier of pairs, whose folds keep the statements of a speaker
together. Intervals are 95 %: Wilson's for shares; for AUC, 2.5 and 97.5 % of resamples of claims or
speakers.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from evals.evaluator import Score
from evals.intervals import wilson
from evals.screens import THRESHOLD, Dossier, screens
from evals.text import (
    Index,
    figures_in,
    rivals,
    sentences,
    strength,
    words,
)
from harness.loading import load_setting
from harness.setting import Position
from harness.transcript import read

if TYPE_CHECKING:
    import numpy as np

ROOT = Path(__file__).parents[1]
GOLD = ROOT.parent / "shared" / "gold"
WICE = GOLD / "wice" / "claim_dev.jsonl"
PROSECCO = GOLD / "prosecco" / "ProSeCCo_final_corpus" / "ProSeCCo_final.json"
OURS = ROOT / "evals" / "gold" / "geneva-2021.jsonl"
RESAMPLES = 1000
FOLDS = 5
FLAGGING = ("near_share_screen", "citation_screen", "numeric_mismatch", "quote_fidelity")
NEGATIONS = frozenset(
    ("not", "no", "never", "nothing", "nobody", "none", "nor", "neither", "cannot", "t")
)


class Claim(NamedTuple):
    """A claim of WiCE as the screens see it."""

    label: str
    support: float
    """Support by the best window of three evidence sentences."""
    rank: int | None
    """Place, from 1, of the first sentence that is part of the gold evidence; None without any."""


class Row(NamedTuple):
    """A line of the table."""

    what: str
    recorded: str
    ours: float
    low: float
    high: float
    n: int


def wice(path: Path = WICE) -> tuple[Claim, ...]:
    """Every claim of the file, weighed by how rare words are among all evidence sentences."""
    claims = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    evidence = {
        f"{number}/{place:04}": text
        for number, claim in enumerate(claims)
        for place, text in enumerate(claim["evidence"])
    }
    index = Index(evidence)
    return tuple(_claim(index, number, claim) for number, claim in enumerate(claims))


def _claim(index: Index, number: int, claim: Mapping[str, object]) -> Claim:
    said, texts, gold = claim["claim"], claim["evidence"], claim["supporting_sentences"]
    assert isinstance(said, str)
    assert isinstance(texts, list)
    assert isinstance(gold, list)
    stretches = [" ".join(texts[i : i + 3]) for i in range(max(1, len(texts) - 2))]
    best = max(index.support(said, stretch) or 0.0 for stretch in stretches)
    own = [f"{number}/{place:04}" for place in range(len(texts))]
    wanted = {f"{number}/{place:04}" for group in gold for place in group}
    found = index.nearest(said, len(own), own)
    ranks = [rank for rank, (key, _) in enumerate(found, start=1) if key in wanted]
    return Claim(str(claim["label"]), best, min(ranks, default=None))


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive scores above a negative, ties half: Mann and Whitney's U."""
    from scipy.stats import mannwhitneyu

    u = mannwhitneyu(positive, negative).statistic
    return float(u) / (len(positive) * len(negative))


def split(claims: Iterable[Claim], *labels: str) -> tuple[list[float], list[float]]:
    """The supports of the claims with these labels, and of the rest."""
    told = list(claims)
    return (
        [claim.support for claim in told if claim.label in labels],
        [claim.support for claim in told if claim.label not in labels],
    )


def hits(claims: Iterable[Claim], k: int) -> list[bool]:
    """Whether a gold sentence is among the first `k`; claims without one are misses."""
    return [claim.rank is not None and claim.rank <= k for claim in claims]


def _resampled(groups: Sequence[Sequence[int]], of: Callable[[list[int]], float]) -> list[float]:
    """The 2.5 and 97.5 % points of a value over resamples of whole groups of cases."""
    rng = random.Random(20210616)
    drawn = (
        [case for group in rng.choices(groups, k=len(groups)) for case in group]
        for _ in range(RESAMPLES)
    )
    values = sorted(of(cases) for cases in drawn)
    return [values[round(0.025 * RESAMPLES)], values[round(0.975 * RESAMPLES) - 1]]


def _auc_row(
    what: str,
    recorded: str,
    scores: Sequence[float],
    truth: Sequence[bool],
    groups: Sequence[Sequence[int]],
) -> Row:
    def of(cases: Iterable[int]) -> float:
        told = list(cases)
        positive = [scores[case] for case in told if truth[case]]
        return auc(positive, [scores[case] for case in told if not truth[case]])

    low, high = _resampled(groups, of)
    return Row(what, recorded, of(range(len(scores))), low, high, len(scores))


def _share_row(what: str, recorded: str, cases: Sequence[bool]) -> Row:
    low, high = wilson(sum(cases), len(cases))
    return Row(what, recorded, sum(cases) / len(cases), low, high, len(cases))


def _wice_rows() -> Iterable[Row]:
    claims = wice()
    scores = [claim.support for claim in claims]
    groups = [[case] for case in range(len(claims))]
    for what, recorded, wanted in (
        ("WiCE supported against rest, AUC", ".704", ("supported",)),
        ("WiCE (partly) against not, AUC", ".855", ("supported", "partially_supported")),
    ):
        yield _auc_row(what, recorded, scores, [c.label in wanted for c in claims], groups)
    for k, recorded in ((1, ".76"), (3, ".87"), (5, ".89")):
        yield _share_row(f"WiCE evidence, hit@{k}, all claims", recorded, hits(claims, k))
        found = [claim for claim in claims if claim.rank is not None]
        yield _share_row(f"WiCE evidence, hit@{k}, where there is any", "", hits(found, k))
    for label in ("supported", "partially_supported", "not_supported"):
        near = [claim.support >= THRESHOLD for claim in claims if claim.label == label]
        yield _share_row(f"WiCE {label}, at or above {THRESHOLD}", "", near)


def features(one: str, other: str, index: Index) -> list[float]:
    """What words can say of two statements: shared words, denial, figures, strength, length."""
    left, right = set(words(one)), set(words(other))
    shared = (index.support(one, other) or 0.0, index.support(other, one) or 0.0)
    denied = bool(left & NEGATIONS) != bool(right & NEGATIONS)
    figures = {f.value for f in figures_in(one)} ^ {f.value for f in figures_in(other)}
    return [
        *shared,
        len(left & right) / max(1, len(left | right)),
        float(denied),
        denied * min(shared),
        float(bool(figures)),
        (strength(one) or 0.0) - (strength(other) or 0.0),
        float(len(left) + len(right)),
        abs(len(left) - len(right)) / max(1, len(left) + len(right)),
    ]


def _logistic(x: np.ndarray, y: np.ndarray, ridge: float = 1.0) -> np.ndarray:
    """Weights of a logistic regression with a small ridge, the constant left free; Newton steps."""
    import numpy as np

    weights = np.zeros(x.shape[1])
    penalty = ridge * np.eye(x.shape[1])
    penalty[0, 0] = 0.0
    for _ in range(25):
        p = 1 / (1 + np.exp(-x @ weights))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + penalty
        weights -= np.linalg.solve(hessian, x.T @ (p - y) + penalty @ weights)
    return weights


def _out_of_fold(x: np.ndarray, y: np.ndarray, folds: np.ndarray) -> list[float]:
    """Each case's score by a classifier that saw none of its speaker's cases."""
    import numpy as np

    scores = np.zeros(len(y))
    for fold in range(FOLDS):
        train, held = folds != fold, folds == fold
        mean, spread = x[train].mean(0), x[train].std(0) + 1e-9
        scaled = np.hstack([np.ones((len(x), 1)), (x - mean) / spread])
        # Ranks within the fold, so that folds with different constants can be pooled.
        raw = scaled[held] @ _logistic(scaled[train], y[train])
        scores[held] = raw.argsort().argsort() / max(1, held.sum() - 1)
    return [float(score) for score in scores]


def _pair_rows() -> Iterable[Row]:
    import numpy as np

    pairs = [json.loads(line) for line in PROSECCO.read_text("utf-8").splitlines()]
    truth = [pair["label"] == "self-contradiction" for pair in pairs]
    by_speaker: dict[str, list[int]] = {}
    for case, pair in enumerate(pairs):
        by_speaker.setdefault(pair["speaker_id"], []).append(case)
    folds, sizes = np.zeros(len(pairs), dtype=int), [0] * FOLDS
    for cases in sorted(by_speaker.values(), key=lambda cases: (-len(cases), cases[0])):
        smallest = sizes.index(min(sizes))
        folds[cases], sizes[smallest] = smallest, sizes[smallest] + len(cases)
    for field, name, recorded in (
        ("locution", "utterances", ".545"),
        ("proposition", "propositions", ".612"),
    ):
        texts = [(str(pair[f"{field}_1"]), str(pair[f"{field}_2"])) for pair in pairs]
        index = Index(
            {f"{n}/{side}": t for n, both in enumerate(texts) for side, t in enumerate(both)}
        )
        x = np.array([features(one, other, index) for one, other in texts])
        scores = _out_of_fold(x, np.array(truth, dtype=float), folds)
        what = f"ProSeCCo contradiction, {name}, AUC"
        yield _auc_row(what, recorded, scores, truth, list(by_speaker.values()))


def _own_gold_rows() -> Iterable[Row]:
    dossier = Dossier(load_setting("geneva-2021"))
    told = [json.loads(line) for line in OURS.read_text("utf-8").splitlines()]
    for half in ("dev", "test"):
        cases = [case for case in told if case["split"] == half]
        yield from _half_rows(half, cases, dossier)


def _half_rows(half: str, cases: Sequence[Mapping[str, str]], dossier: Dossier) -> Iterable[Row]:
    near = [dossier.nearest(case["text"], case["party"], case["item"]) for case in cases]
    shares = [max(found.values(), default=0.0) for found in near]
    labels = [case["label"] for case in cases]
    for one, other in (("supported", "unsupported"), ("contradicted", "supported")):
        chosen = [n for n, label in enumerate(labels) if label in (one, other)]
        yield _auc_row(
            f"own gold, {half}: {one} above {other}, AUC", "",
            [shares[n] for n in chosen], [labels[n] == one for n in chosen],
            [[place] for place in range(len(chosen))],
        )  # fmt: skip
    for label in dict.fromkeys(sorted(labels)):
        held = [
            share >= THRESHOLD for share, told in zip(shares, labels, strict=True) if told == label
        ]
        yield _share_row(f"own gold, {half}: {label}, at or above {THRESHOLD}", "", held)
    first = [
        any(key.partition("#")[0] in case["positions"] for key in found)
        for case, found in zip(cases, near, strict=True)
        if case["positions"]
    ]
    yield _share_row(f"own gold, {half}: the position meant is the nearest", "", first)


def _setting_rows() -> Iterable[Row]:
    setting = load_setting("geneva-2021")
    dossier = Dossier(setting)
    held = [(party.id, position) for party in setting.parties for position in party.positions]
    told = [
        (party, position.item, sentence.text)
        for party, position in held
        for sentence in sentences(position.in_own_voice())
        if dossier.reads(sentence.text, position.item)
    ]
    chance = [
        max(found.values()) >= THRESHOLD
        for party, item, text in told
        for other in setting.parties
        if other.id != party and (found := dossier.nearest(text, other.id, item))
    ]
    yield _share_row("geneva-2021 false alarms: near another party's position", "", chance)
    planted = [found for party, p in held for found in _planted(dossier, party, p)]
    yield _share_row("geneva-2021 figures changed, found", "", planted)
    foreign = [
        bool(_flagged(dossier, other.id, item, text))
        for party, item, text in told
        for other in setting.parties
        if other.id != party and figures_in(text) and dossier.keys(other.id, item)
    ]
    yield _share_row("geneva-2021 figures of others, flagged", "", foreign)


def _planted(dossier: Dossier, party: str, position: Position) -> Iterable[bool]:
    """Whether each figure of a position is flagged once it is changed by a tenth, or by a year."""
    text = position.in_own_voice()
    for found in re.finditer(r"\d[\d,]*\d", text):
        number = int(found.group().replace(",", ""))
        other = str(number + (1 if 1900 <= number < 2100 else max(1, number // 10)))
        changed = text[: found.start()] + other + text[found.end() :]
        yield other in _flagged(dossier, party, position.item, changed)


def _flagged(dossier: Dossier, party: str, item: str, text: str) -> set[str]:
    known = dossier.figures(party, item)
    pairs = rivals(text, dossier.record(party, item))
    values = {said.value for said, _ in pairs if said.value not in known}
    return {part for value in values for part in (value, value.split()[0])}


def _table(rows: Iterable[Row]) -> None:
    print(f"{'what':58} {'recorded':>8} {'ours':>6}  95 % interval     n")
    for row in rows:
        interval = f"[{row.low:.3f}, {row.high:.3f}]"
        print(f"{row.what:58} {row.recorded:>8} {row.ours:6.3f}  {interval} {row.n:6}")


def _examples() -> None:
    for path in sorted((ROOT / "transcripts" / "examples").glob("*.jsonl")):
        if path.name.endswith(".scores.jsonl"):
            continue
        scores = {(s.subject, s.metric): s for s in screens(read(path)) if isinstance(s, Score)}
        print(f"\n{path.name}")
        for (about, metric), score in scores.items():
            if about == "debate":
                value = "none" if score.value is None else f"{score.value:.3f}"
                print(f"  {metric:22} {value:>6}  n {score.n}, unscored {score.unscored}")
        for metric in (
            "near_share_screen",
            "citation_screen",
            "numeric_mismatch",
            "quote_fidelity",
        ):
            for note in scores["debate", metric].evidence:
                print(f"  {metric} {note.turn} {note.quote}")


def main() -> None:
    """Print the tables."""
    if GOLD.exists():
        _table([*_wice_rows(), *_pair_rows()])
        print("Recorded: WiCE on 707 claims, 349 of them here; ProSeCCo with other features.\n")
    else:
        print(f"no labelled data at {GOLD}: the first table is left out\n")
    if OURS.exists():
        _table(_own_gold_rows())
        print()
    _table(_setting_rows())
    _examples()


if __name__ == "__main__":
    main()
