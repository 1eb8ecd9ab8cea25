"""What the calibration says of judges whose labels others stored, beside people's.

ProSeCCo: pairs of statements by one speaker in British and American debates, contradictory or not,
with the stored labels of four models (CC BY-SA 4.0). WiCE: claims with the degree to which a web
page supports them (its licence beside it). Neither is part of this project.
"""

from __future__ import annotations

import json
from functools import cache

import pytest

from benchmarks.judges import (
    NO,
    PROSECCO,
    YES,
    Coverage,
    StoredJudge,
    coverage,
    over,
    plain,
    random_samples,
    shifted_samples,
    stored_judges,
    tuned,
    unmixed,
    verdict,
)
from evals.calibration.alpha import alpha
from evals.calibration.correction import label_shift, rogan_gladen
from evals.calibration.measures import Confusion, confusion, flip_rate, measure

WICE = PROSECCO.parent / "wice" / "claim_dev.jsonl"
NAMES = [
    f"{model}, {unit}"
    for model in ("gpt-4", "gpt-3.5", "gpt-3.5 (1)", "bart-mnli", "roberta-mnli")
    for unit in ("utterances", "propositions")
]
RESAMPLES = 1000

prosecco = pytest.mark.skipif(not PROSECCO.exists(), reason="needs ../shared/gold/prosecco")
wice = pytest.mark.skipif(not WICE.exists(), reason="needs ../shared/gold/wice")


@cache
def judges() -> dict[str, StoredJudge]:
    return {judge.name: judge for judge in stored_judges()}


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("non-contradiction", NO),
        ("The pair is classified as **Self-contradiction**.", YES),
        ("These are 'non-contradiction': there is no direct contradiction.", NO),
        ("Contradiction.", YES),
        ("I can explain self-contradiction and non-contradiction.", None),
        ("The statements concern different years.", None),
    ],
)
def test_a_reply_in_prose_is_read_only_where_it_names_one_verdict(
    reply: str, label: str | None
) -> None:
    assert verdict(reply) == label


@prosecco
def test_every_stored_judge_is_read() -> None:
    found = judges()
    assert list(found) == NAMES
    sizes = {name: len(judge.human) for name, judge in found.items()}
    assert sizes["gpt-4, utterances"] == 1323
    assert sizes["bart-mnli, utterances"] == 1325
    unscored = {name: judge.runs[0].count(None) for name, judge in found.items()}
    assert max(unscored.values()) == unscored["gpt-4, propositions"] == 10


@prosecco
@pytest.mark.parametrize("unit", ["utterances", "propositions"])
def test_the_strong_judge_agrees_with_itself_and_misses_most(unit: str) -> None:
    judge = judges()[f"gpt-4, {unit}"]
    itself = alpha({str(run): labels for run, labels in enumerate(judge.runs)}, resamples=200)
    assert itself.reading == "reliable"
    assert itself.alpha.value is not None
    assert 0.825 <= itself.alpha.value <= 0.865
    for run in judge.runs:
        found = measure(judge.human, run, (YES, NO), resamples=200)
        sensitivity, specificity = found.classes[0].sensitivity, found.classes[0].specificity
        assert sensitivity.value is not None
        assert specificity.value is not None
        assert found.kappa.value is not None
        assert 0.11 <= sensitivity.value <= 0.225
        assert 0.96 <= specificity.value <= 0.985
        assert 0.095 <= found.kappa.value <= 0.195
    assert flip_rate(judge.runs[0], judge.runs[1]).value == pytest.approx(0.03, abs=0.01)


@prosecco
@pytest.mark.parametrize("name", NAMES)
def test_prediction_powered_intervals_hold_the_true_share(name: str) -> None:
    table = judges()[name].table()
    truth = table.row(YES) / table.n
    for estimator in (plain, tuned):
        found = over(random_samples(table, 100, RESAMPLES), estimator, truth)
        assert found.valued == 1
        assert found.covered >= 0.93
        assert found.bias is not None
        assert abs(found.bias) < 0.006


@prosecco
@pytest.mark.parametrize("name", NAMES)
def test_a_gold_balanced_by_label_holds_another_share_and_the_naive_way_does_not(name: str) -> None:
    table = judges()[name].table()
    for share in (0.15, 0.75):
        samples = list(shifted_samples(table, 200, 1000, (share, 1 - share), RESAMPLES))
        right = over(iter(samples), unmixed, share)
        naive = over(iter(samples), plain, share)
        assert right.covered >= 0.93
        assert naive.covered < 0.05
        assert naive.bias is not None
        assert abs(naive.bias) > 0.2


@prosecco
def test_a_value_comes_only_from_a_judge_that_is_not_blind() -> None:
    def shifted(name: str, per_label: int) -> Coverage:
        table = judges()[name].table()
        return over(shifted_samples(table, per_label, 1000, (0.15, 0.85), RESAMPLES), unmixed, 0.15)

    blind = shifted("gpt-3.5 (1), propositions", 200)
    assert blind.valued < 0.02
    assert blind.width > 0.9
    strong = shifted("gpt-4, propositions", 200)
    assert strong.valued > 0.95
    assert strong.bias is not None
    assert abs(strong.bias) < 0.02


@prosecco
def test_no_stored_judge_is_good_enough_for_rogan_gladen_on_a_random_gold() -> None:
    for judge in judges().values():
        judged, gold = next(random_samples(judge.table(), 300, 1))
        assert "below 0.4" in rogan_gladen(YES, judged, gold).why


@wice
def test_three_real_labels_hold_their_shares_under_another_mix() -> None:
    """A screen by shared words plays the judge; no model's labels are stored for WiCE."""
    table = screened()
    mix = (0.1, 0.3, 0.6)
    samples = list(shifted_samples(table, 100, 1000, mix, RESAMPLES))
    for label, share in zip(table.labels, mix, strict=True):
        found = coverage([label_shift(label, *sample) for sample in samples], share)
        assert found.covered >= 0.93


@cache
def screened() -> Confusion:
    claims = [json.loads(line) for line in WICE.read_text("utf-8").splitlines()]
    overlaps = [shared_words(claim["claim"], claim["evidence"]) for claim in claims]
    low, high = sorted(overlaps)[len(overlaps) // 4], sorted(overlaps)[len(overlaps) // 2]
    return confusion(
        [claim["label"] for claim in claims],
        [
            "not_supported"
            if overlap < low
            else "partially_supported"
            if overlap < high
            else "supported"
            for overlap in overlaps
        ],
        ("not_supported", "partially_supported", "supported"),
    )


def shared_words(claim: str, evidence: list[str]) -> float:
    words = set(claim.lower().split())
    return max(
        len(words & set(" ".join(three).lower().split())) / len(words)
        for three in windows(evidence)
    )


def windows(sentences: list[str]) -> list[list[str]]:
    return [sentences[at : at + 3] for at in range(max(1, len(sentences) - 2))]
