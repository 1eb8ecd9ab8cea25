"""What an experiment's folder comes to: planted differences found, planted traps avoided."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evals.calibration.calibrating import CALIBRATIONS
from evals.calibration.measures import measure
from evals.comparison.families import benjamini_hochberg, holm
from evals.comparison.inference import Difference, compare
from evals.comparison.power import mde
from evals.comparison.results import results_of
from evals.comparison.sentences import pooled
from evals.comparison.shapes import Results
from evals.evaluator import Judged
from evals.labels import LABELS
from evals.scores import scores_path
from harness.errors import UserError
from harness.experiment.design import Cell
from harness.experiment.folder import Folder
from harness.experiment.reading import Read, load_experiment
from harness.sweep.running import run_experiment
from tests.evals.comparison.planted import (
    ITEMS,
    NOISE,
    Planted,
    broke,
    experiment,
    index,
    plant,
    rewritten,
    row,
    share,
)

TWINS = "[{id: a, prompt: dossier}, {id: b, prompt: dossier}]"
PAIR = "[{id: a, prompt: dossier}, {id: b, prompt: interests}]"


def noisy(effect: float) -> Callable[[Cell], Planted]:
    """The arm b with this effect; every scenario has a level and every debate some noise."""

    def value(cell: Cell) -> Planted:
        level = 0.4 + 0.03 * index(cell)
        noise = NOISE[(index(cell) * 3 + cell.seed * 5 + len(cell.arm) + ord(cell.arm[0])) % 8]
        return Planted(in_line=level + noise + (effect if cell.arm == "b" else 0))

    return value


def read_back(read: Read, folder: Path) -> Results:
    """By the file and by the folder alone: the same but for the time."""
    by_file, by_folder = results_of(folder, read), results_of(folder)
    assert by_file.model_copy(update={"made": ""}) == by_folder.model_copy(update={"made": ""})
    return by_file


def test_a_planted_difference_is_found_and_is_as_large_as_planted(tmp_path: Path) -> None:
    read = experiment(tmp_path)
    found = read_back(read, plant(read, tmp_path / "held", noisy(0.25)))
    b, c = row(found, "b"), row(found, "c")
    assert b.difference is not None
    assert c.verdict is not None
    assert b.verdict is not None
    assert b.verdict.word == "win"
    assert b.difference.observed.low is not None
    assert b.difference.observed.high is not None
    assert b.difference.observed.low < 0.25 < b.difference.observed.high
    assert len(b.difference.scenarios) == len(ITEMS)
    assert b.difference.seeds == (2, 2)
    assert c.verdict.word in ("equivalent", "inconclusive")
    assert "b is better" in found.sentence
    assert Results.model_validate_json(found.model_dump_json()) == found


def test_the_same_prompt_under_two_names_on_real_debates_is_no_difference(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=TWINS, items=ITEMS[:6], more="beside: [no-talk]")
    held = run_experiment(read.path, out=tmp_path / "held")
    found = read_back(read, held.folder.path)
    b = row(found, "b")
    assert b.verdict is not None
    assert b.verdict.word in ("equivalent", "inconclusive")
    assert b.difference is not None
    assert b.difference.observed.value == 0
    assert any("b is held exactly as a is" in said for said in found.cautions)
    assert any("b: every debate came out as that of a did" in said for said in found.cautions)
    # Nobody hears anybody, and the tables say what talking brought beside that.
    assert row(found, "no-talk").verdict is None
    assert row(found, "no-talk").adjusted_by == "none"
    assert {each.beside for each in found.premium} >= {"no-talk", "random deal"}
    assert all(
        scores_path(path).is_file() for path in (tmp_path / "held").glob("a.*.s??-????????.jsonl")
    )


def test_a_planted_null_is_not_called_a_win(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=TWINS)
    b = row(results_of(plant(read, tmp_path / "held", noisy(0.0)), read), "b")
    assert b.verdict is not None
    assert b.verdict.word in ("equivalent", "inconclusive")


def test_an_arm_held_on_the_easy_scenarios_alone_does_not_win_by_it(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=PAIR, seeds=1)

    def value(cell: Cell) -> Planted | None:
        if cell.arm == "b" and index(cell) < 2:
            return None  # the two on which everybody does badly
        return Planted(
            in_line=(0.1 if index(cell) < 2 else 0.8) + NOISE[index(cell)] * (cell.arm == "b")
        )

    found = results_of(plant(read, tmp_path / "held", value), read)
    a, b = row(found, "a"), row(found, "b")
    assert a.estimate.value is not None
    assert b.estimate.value is not None
    assert b.estimate.value > a.estimate.value + 0.1, "the trap is set"
    assert b.difference is not None
    assert b.difference.observed.value == pytest.approx(sum(NOISE[2:]) / 6)
    assert b.verdict is not None
    assert b.verdict.word != "win"
    assert b.difference.dropped.scenarios == tuple(sorted(ITEMS[:2]))
    assert any("interim" in said for said in found.cautions)


def _other_program(card: dict[str, Any]) -> None:
    card["versions"]["tracktwo"] = "9.9.9"


def test_what_another_version_of_the_program_did_is_not_the_arm_s(tmp_path: Path) -> None:
    read = experiment(tmp_path)
    folder = plant(read, tmp_path / "held", noisy(0.25))
    for path in folder.glob("b.*.s??-????????.jsonl"):
        rewritten(path, 1, _other_program)
    found = results_of(folder, read)
    b, c = row(found, "b"), row(found, "c")
    assert b.verdict is not None
    assert b.verdict.word == "inconclusive"
    assert "9.9.9" in b.verdict.why
    assert "100%" in b.verdict.why
    assert c.verdict is not None
    assert "9.9.9" not in c.verdict.why
    assert len(found.versions["tracktwo"]) == 2
    assert any("several versions of tracktwo" in said for said in found.cautions)
    assert "b is inconclusive: no verdict on the arm" in found.sentence


def test_a_few_debates_of_another_version_are_said_and_leave_the_verdict(tmp_path: Path) -> None:
    read = experiment(tmp_path)
    folder = plant(read, tmp_path / "held", noisy(0.25))
    for path in sorted(folder.glob("b.*.s01-????????.jsonl"))[:3]:
        rewritten(path, 1, _other_program)
    found = results_of(folder, read)
    b = row(found, "b")
    assert b.verdict is not None
    assert b.verdict.word == "win"
    assert any("another version of tracktwo" in said and "19%" in said for said in found.cautions)


def test_lower_is_better_where_the_file_says_so_and_nothing_is_won_where_it_does_not(
    tmp_path: Path,
) -> None:
    read = experiment(tmp_path)

    def value(cell: Cell) -> Planted:
        more = 0.3 + NOISE[index(cell)] if cell.arm == "b" else 0.0
        return Planted(agreed=0.5 + more, crossed=0.2 + more)

    found = results_of(plant(read, tmp_path / "held", value), read)
    agreed, crossed = (
        row(found, "b", m) for m in ("agreement/agreement_rate", "red_lines/crossed_hard")
    )
    assert agreed.verdict is None
    assert agreed.p_adjusted is not None
    assert agreed.p_adjusted < 0.05
    assert crossed.verdict is not None
    assert crossed.verdict.word == "loss"


def test_p_is_adjusted_over_the_arms_first_and_over_the_grid_of_all_others(tmp_path: Path) -> None:
    read = experiment(tmp_path, more="beside: [no-talk]")

    def value(cell: Cell) -> Planted:
        at = NOISE[(index(cell) + ord(cell.arm[0])) % 8] + 0.02 * (cell.arm == "b")
        return Planted(in_line=0.5 + at, agreed=0.5 + 2 * at, crossed=0.3 - at)

    found = results_of(plant(read, tmp_path / "held", value), read)
    arms = ("b", "c")
    first = [row(found, arm) for arm in arms]
    grid = [
        row(found, arm, m)
        for m in ("agreement/agreement_rate", "red_lines/crossed_hard")
        for arm in arms
    ]
    assert [r.p_adjusted for r in first] == list(
        holm([r.difference.p for r in first if r.difference])
    )
    assert [r.p_adjusted for r in grid] == list(
        benjamini_hochberg([r.difference.p for r in grid if r.difference])
    )
    assert {r.adjusted_by for r in first} == {"holm"}
    assert {r.adjusted_by for r in grid} == {"benjamini-hochberg"}
    assert row(found, "no-talk").p_adjusted is None


def test_a_debate_that_was_given_up_counts_as_unscored_and_bounds_the_mean(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=PAIR)
    lost = [c for c in read.design.cells() if c.arm == "b" and c.scenario == ITEMS[0]]
    folder = plant(read, tmp_path / "held", lambda c: None if c in lost else noisy(0.25)(c))
    for cell in lost:
        broke(folder, cell)
    once = next(c for c in read.design.cells() if c.arm == "a")
    broke(folder, once, attempts=1)
    found = results_of(folder, read)
    b = row(found, "b")
    assert found.use["b"].failed == 2
    assert found.use["a"].failed == 0
    assert b.unscored == pytest.approx(1 / 8)
    assert b.bounds is not None
    assert b.estimate.value is not None
    assert b.bounds.low == pytest.approx(b.estimate.value * 7 / 8)
    assert b.bounds.high == pytest.approx(b.estimate.value * 7 / 8 + 1 / 8)
    assert b.difference_bounds is not None
    gone = [o for o in found.observations if o.debate == lost[0].name]
    assert gone
    assert all(o.value is None and "the wire was cut" in o.why for o in gone)
    assert any(
        "2 debates broke off twice and counted as unscored" in said and lost[0].name in said
        for said in found.cautions
    )


def test_what_is_not_held_yet_is_said_and_is_neither_0_nor_unscored(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=PAIR)
    folder = plant(read, tmp_path / "held", lambda c: None if c.seed == 2 else noisy(0.25)(c))
    torn = Folder(folder).transcript(next(c for c in read.design.cells() if c.seed == 1))
    text = torn.read_text(encoding="utf-8")
    torn.write_text(text[: len(text) // 2], encoding="utf-8")
    found = results_of(folder, read)
    assert found.use["a"].finished == 7
    assert found.use["a"].planned == 16
    assert row(found, "a").unscored == 0
    assert row(found, "a").bounds is None
    (said,) = [said for said in found.cautions if "interim" in said]
    assert "15 of 32" in said
    assert "1 begun, 16 not begun" in said
    why = {o.why for o in found.observations if o.debate == torn.stem}
    assert why == {"the debate is not finished"}


def test_five_scenarios_are_too_few_for_a_test_however_large_the_difference(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=PAIR, items=ITEMS[:5], seeds=6)
    found = results_of(plant(read, tmp_path / "held", noisy(0.4)), read)
    b = row(found, "b")
    assert b.p_adjusted is None
    assert b.verdict is not None
    assert b.verdict.word == "inconclusive"
    assert any("fewer than 6 scenarios" in said for said in found.cautions)
    assert "add scenarios, not seeds" in found.spend


def test_nothing_to_count_is_not_missing(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=PAIR)
    found = results_of(
        plant(read, tmp_path / "held", lambda c: Planted(in_line=None if c.seed == 1 else 0.5)),
        read,
    )
    a = row(found, "a")
    assert (a.empty, a.unscored, a.bounds) == (8, 0, None)
    assert a.estimate.n == 8


def test_votes_that_could_not_be_scored_widen_what_is_possible(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=PAIR)
    folder = plant(read, tmp_path / "held", lambda _: Planted(in_line=0.5, n=9, unscored=1))
    found = results_of(folder, read)
    a = row(found, "a")
    assert a.unscored == pytest.approx(0.1)
    assert a.bounds is not None
    assert (a.bounds.low, a.bounds.high) == pytest.approx((0.45, 0.55))
    assert any(
        said.startswith("a, unscored: votes in line with the mandate (10%)")
        for said in found.cautions
    )


def test_seeds_that_repeat_each_other_are_said_to_count_for_nothing(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=PAIR)

    def value(cell: Cell) -> Planted:
        seed = 0.1 * cell.seed if cell.arm == "a" else 0.0
        return Planted(in_line=0.3 + NOISE[index(cell)] + seed)

    found = results_of(plant(read, tmp_path / "held", value), read)
    (said,) = [said for said in found.cautions if "all seeds of a scenario" in said]
    assert said.startswith("b:")


def test_rare_events_are_told_by_debate_with_an_exact_interval(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=PAIR)

    def value(cell: Cell) -> Planted:
        hit = cell.arm == "b" and index(cell) == 0 and cell.seed == 1
        return Planted(in_line=0.5 + 0.01 * cell.seed, crossed=0.5 if hit else 0.0)

    found = results_of(plant(read, tmp_path / "held", value), read)
    a, b = (row(found, arm, "red_lines/crossed_hard") for arm in ("a", "b"))
    assert a.rare is not None
    assert b.rare is not None
    assert (a.rare.hits, a.rare.of) == (0, 16)
    assert a.rare.at_most == pytest.approx(3 / 16)
    assert (b.rare.hits, b.rare.of) == (1, 16)
    assert row(found, "a").rare is None


def test_what_was_changed_after_debates_had_been_held_is_said_in_words(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=PAIR)
    folder = plant(read, tmp_path / "held", noisy(0.25))
    text = read.path.read_text(encoding="utf-8").replace("smallest: 0.1", "smallest: 0.01")
    read.path.write_text(text.replace("id: b,", "id: b, temperature: 0.7,"), encoding="utf-8")
    changed = load_experiment(read.path)
    Folder(folder).declare(changed.experiment, changed.source, "2026-01-02T08:00:00+00:00", 32)
    found = results_of(folder, changed)
    assert "changed since after 32 debates" in found.standing
    (said,) = [said for said in found.cautions if said.startswith("changed after 32")]
    assert "the primary metric, smallest: 0.1 before, 0.01 now" in said
    assert "the arm b, temperature: nothing before, 0.7 now" in said
    # What came of the first declaration can be had from its file, and is said to be another.
    earlier = results_of(folder, read)
    assert "never declared" in earlier.standing


def test_an_arm_that_differs_in_more_than_its_prompt_is_pointed_out(tmp_path: Path) -> None:
    arms = "[{id: a, prompt: dossier}, {id: b, prompt: interests, speech: free}]"
    read = experiment(tmp_path, arms=arms)
    found = results_of(plant(read, tmp_path / "held", noisy(0.25)), read)
    (said,) = [said for said in found.cautions if said.startswith("b differs from a in")]
    assert "prompt and who words the statements" in said


def test_a_prompt_file_that_is_gone_costs_nothing_but_a_note(tmp_path: Path) -> None:
    prompts = Path("personas/prompts")
    shutil.copy(prompts / "terse.md.j2", tmp_path / "ours.md.j2")
    arms = "[{id: a, prompt: dossier}, {id: b, prompt: ours.md.j2}]"
    read = experiment(tmp_path, arms=arms)
    folder = plant(read, tmp_path / "elsewhere", noisy(0.25))
    before = results_of(folder, read)
    (tmp_path / "ours.md.j2").unlink()
    after = results_of(folder)
    assert row(after, "b") == row(before, "b")
    assert any("ours.md.j2 cannot be read here" in said for said in after.cautions)


def test_a_prompt_that_was_edited_since_is_told_by_its_name_and_never_mixed(tmp_path: Path) -> None:
    ours = tmp_path / "ours.md.j2"
    shutil.copy(Path("personas/prompts") / "terse.md.j2", ours)
    arms = "[{id: a, prompt: dossier}, {id: b, prompt: ours.md.j2}]"
    read = experiment(tmp_path, arms=arms)
    folder = plant(read, tmp_path / "held", noisy(0.25))
    for path in folder.glob("b.*.s??-????????.jsonl"):
        rewritten(path, 1, _by_our_prompt)
    ours.write_text(ours.read_text(encoding="utf-8") + "\n{# another ending #}\n", encoding="utf-8")
    edited = load_experiment(read.path)
    found = results_of(folder, edited)
    assert found.use["b"].finished == 16
    assert any("16 debates of b were held with another wording" in said for said in found.cautions)
    # As soon as one debate is held with the new wording, the old ones are another arm's.
    plant(
        edited,
        folder,
        lambda c: noisy(0.25)(c) if (c.arm, c.seed, index(c)) == ("b", 1, 0) else None,
    )
    mixed = results_of(folder, edited)
    assert mixed.use["b"].finished == 1
    assert any("16 debates in the folder are left out" in said for said in mixed.cautions)


def _by_our_prompt(card: dict[str, Any]) -> None:
    for seat in card["seats"]:
        if seat["seat"] != "chair":
            seat["prompt"] = "/somewhere/else/ours.md.j2"


def test_debates_of_an_arm_that_was_taken_out_are_left_out_and_counted(tmp_path: Path) -> None:
    read = experiment(tmp_path)
    folder = plant(read, tmp_path / "held", noisy(0.25))
    fewer = experiment(tmp_path, arms=PAIR)
    found = results_of(folder, fewer)
    assert set(found.use) == {"a", "b"}
    assert any("16 debates in the folder are left out" in said for said in found.cautions)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("  - {metric: concordance/in_lime, of: debate}", "did you mean 'concordance/in_line'"),
        ("  - {metric: agreement/agreement_rate, of: parties}", "write `of: debate`"),
        ("  - {metric: consistency/supported, of: debate}", "declares none: add `judges:`"),
    ],
)
def test_a_metric_that_does_not_exist_is_said_to_the_user(
    tmp_path: Path, more: str, says: str
) -> None:
    read = experiment(tmp_path, arms=PAIR, more=more)
    with pytest.raises(UserError, match=says):
        results_of(plant(read, tmp_path / "held", noisy(0.0)), read)


def test_a_folder_that_says_of_no_experiment_asks_for_the_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="tracktwo results FILE --out"):
        results_of(tmp_path)


def test_before_the_first_debate_there_is_a_result_that_says_so(tmp_path: Path) -> None:
    read = experiment(tmp_path)
    found = results_of(plant(read, tmp_path / "held", lambda _: None), read)
    assert found.sentence.startswith("Nothing can be said yet")
    assert found.observations == ()
    assert found.use["a"].planned == 16


def test_what_became_of_the_issues_adds_up(tmp_path: Path) -> None:
    read = experiment(tmp_path, arms=PAIR)
    found = results_of(plant(read, tmp_path / "held", noisy(0.0)), read)
    assert found.agreement["a"]
    for outcomes in found.agreement["a"].values():
        assert sum(outcomes.values()) == pytest.approx(1)


JUDGES = """judges: [openai:one]
variations: []
"""


def judged_by(name: str, value: float) -> Planted:
    known = CALIBRATIONS.known([CALIBRATIONS.shipped])[0]
    judge = Judged(
        judge=name, models=known.models, rubric=known.rubric, rubric_sha=known.rubric_sha,
        wording_sha=known.wording_sha,
    )  # fmt: skip
    return Planted(more=(share("consistency", "contradicted", value, judge=judge),))


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Read, Path]:
    """The arm b contradicts its mandate a tenth more often, says a judge."""
    monkeypatch.setenv("TRACKTWO_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setenv("TRACKTWO_CARDS", str(tmp_path / "cards"))
    more = "  - {metric: consistency/contradicted, of: debate, better: lower}\njudges: [openai:one]"
    read = experiment(tmp_path, arms=PAIR, more=more)

    def value(cell: Cell) -> Planted:
        return judged_by("one", 0.2 + (0.1 + NOISE[index(cell)]) * (cell.arm == "b"))

    return read, plant(read, tmp_path / "held", value)


def test_a_judge_nobody_measured_is_said_to_be_uncalibrated(
    judged: tuple[Read, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(type(CALIBRATIONS), "shipped", tmp_path / "none")
    found = results_of(judged[1], judged[0])
    b = row(found, "b", "consistency/contradicted")
    assert b.judge is not None
    assert not b.judge.calibrated
    assert b.difference is not None
    assert b.difference.corrected is None
    assert any("one is uncalibrated" in said for said in found.cautions)


def test_a_judge_that_sees_two_contradictions_in_three_has_its_difference_corrected(
    judged: tuple[Read, Path],
) -> None:
    known = CALIBRATIONS.known([CALIBRATIONS.shipped])[0]
    human = ["contradicted"] * 60 + ["supported"] * 60
    said = ["contradicted"] * 40 + ["unsupported"] * 20 + ["supported"] * 60
    measures = measure(human, said, LABELS, resamples=10)
    CALIBRATIONS.save(known.model_copy(update={"measures": measures}))
    found = results_of(judged[1], judged[0])
    b = row(found, "b", "consistency/contradicted")
    assert b.judge is not None
    assert b.judge.gold == known.gold
    assert b.difference is not None
    assert b.difference.corrected is not None
    assert b.difference.observed.value is not None
    assert b.difference.corrected.value == pytest.approx(b.difference.observed.value * 3 / 2)
    assert not any("uncalibrated" in said for said in found.cautions)


def test_the_advice_agrees_with_the_standard_errors_of_the_table() -> None:
    """Seeds that even each other out must not make the experiment look blind."""

    def compared(noise: tuple[float, ...]) -> Difference:
        arm = {f"s{at}": dict(enumerate((d + n for n in noise), 1)) for at, d in enumerate(NOISE)}
        base = {name: dict.fromkeys(seeds, 0.0) for name, seeds in arm.items()}
        return compare(base, arm, smallest=0.1, better="higher")

    balanced = compared((0.3, -0.3))
    assert balanced.components is not None
    assert balanced.components.truncated, "the trap is set"
    for found in (balanced, compared((0.001, -0.001))):
        spread = pooled([found])
        promised = mde(spread.between, spread.within, 8, 2)
        assert promised == pytest.approx(found.observed.mde, rel=1e-6)
