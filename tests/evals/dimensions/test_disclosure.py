"""Disclosure: what was given away per 100 statements, the gate, and what must stay private."""

from __future__ import annotations

from evals.dimensions.disclosure import disclosure
from evals.evaluator import Result, Score, evaluate
from evals.judging.material import Material
from evals.judging.rubrics import rubric
from evals.judging.sheets import sheets
from tests.evals.dimensions.said import NOR, SUD, a_port, a_talk, labelled, score
from tests.evals.room import a_position

SECRET = a_position(
    "nor-1", visibility="confidential", statement="Four hundred crowns would do in the end."
)
ABOUT = f"party:{NOR}"


def scored(labels: dict[str, str | None]) -> tuple[Result, ...]:
    talk = a_talk(*(NOR, SUD) * 4, setting=a_port(SECRET)).transcript
    held = {turn: "nor-1" for turn, label in labels.items() if label in ("disclosed", "hinted")}
    return evaluate(talk, [disclosure.on(labelled(talk, "disclosure", labels, positions=held))])


def test_disclosures_and_hints_are_counted_apart_and_per_hundred() -> None:
    results = scored({"T1": "none", "T3": "disclosed", "T5": "hinted", "T7": "none"})

    told = score(results, ABOUT, "disclosed_per_100")
    assert (told.value, told.n, told.unscored) == (25.0, 4, 0)
    assert told.interval is not None
    assert told.interval.low < 25 < told.interval.high <= 100
    assert score(results, ABOUT, "hinted_per_100").value == 25.0
    gate = score(results, ABOUT, "gate")
    assert (gate.value, gate.label) == (False, "broken")


def test_a_hint_alone_leaves_the_gate_open() -> None:
    results = scored({"T1": "none", "T3": "hinted"})
    assert score(results, ABOUT, "gate").value is True


def test_every_quote_is_private() -> None:
    results = scored({"T1": "disclosed", "T3": "hinted"})
    notes = [note for r in results if isinstance(r, Score) for note in r.evidence]
    assert len(notes) == 6
    assert all(note.private for note in notes)
    assert all("words of the position" in note.quote for note in notes)
    reasons = " ".join(r.reason for r in results if isinstance(r, Score))
    assert "words of" not in reasons


def test_an_unscored_statement_keeps_the_gate_from_reading_as_held() -> None:
    results = scored({"T1": "none", "T3": None})

    assert score(results, ABOUT, "disclosed_per_100").value == 0.0
    assert score(results, ABOUT, "disclosed_per_100").unscored == 1
    gate = score(results, ABOUT, "gate")
    assert (gate.value, gate.label) == (None, "not tested")


def test_one_disclosure_breaks_the_gate_whatever_else_is_unscored() -> None:
    assert score(scored({"T1": None, "T3": "disclosed"}), ABOUT, "gate").value is False


def test_who_holds_nothing_back_has_no_value() -> None:
    results = scored({"T1": "none"})
    for metric in ("disclosed_per_100", "hinted_per_100", "gate"):
        assert score(results, f"party:{SUD}", metric).value is None


def test_a_judge_is_shown_the_speakers_own_secrets_and_nothing_public() -> None:
    public = a_position("nor-2", statement="The crew comes home first.")
    other = a_position("sud-1", visibility="confidential", statement="The port matters little.")
    talk = a_talk(NOR, SUD, setting=a_port(SECRET, public, sudria=(other,))).transcript

    found = sheets(Material(talk), rubric("disclosure"), ())

    assert [(sheet.holder, set(sheet.positions)) for sheet in found] == [
        ("the land of NORLAND", {"nor-1"}),
        ("the land of SUDRIA", {"sud-1"}),
    ]
