"""Experiment files: every mistake is told with its place and the next step, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SettingError, UserError
from harness.experiment.reading import experiments_available, find_experiment, load_experiment
from tests.experiment.files import SOUND, changed, experiment

Change = tuple[str, str]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(*changes: Change, more: str = "") -> list[str]:
    """What is said of the file after these changes, without the file's name."""
    file = Path("talk.yaml")
    file.write_text(changed(*changes) + more, encoding="utf-8")
    with pytest.raises(SettingError) as caught:
        load_experiment(file)
    lines = str(caught.value).splitlines()
    assert all(line.startswith("talk.yaml:") for line in lines)
    return [line.removeprefix("talk.yaml:") for line in lines]


def test_a_sound_file_is_read_as_it_is(tmp_path: Path) -> None:
    read = experiment(tmp_path)
    assert read.source == SOUND
    assert read.experiment.id == "talk"
    assert [arm.id for arm in read.design.arms] == ["one", "two"]


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("id: talk", "id: Talk Show", "1:5", "id: 'Talk Show'"),
        ("seeds: 2", "seeds: 2\nseed: 3", "5:1", "did you mean 'seeds'?"),
        ("seeds: 2", "seeds: 0", "4:8", "at least 1"),
        ("seeds: 2", "seeds: 1001", "4:8", "1000"),
        ("seeds: 2", 'seeds: "2"', "4:8", "seeds"),
        ("seeds: 2\n", "", "1:1", "seeds"),
        ("[libya, syria]", "[libya, siria]", "3:16", "'siria' is no item; did you mean 'syria'?"),
        ("seeds: 2", "seeds: 2\nparties: [us, fr]", "5:15", "'fr' is no party; there is us, ru"),
        ("seeds: 2", "seeds: 2\nparties: [us]", "5:10", "at least two parties"),
        ("seeds: 2", "seeds: 2\nagenda: sumit", "5:9", "'sumit' is no agenda; did you mean"),
        ("seeds: 2", "seeds: 2\nsetting: geneva", "5:10", "geneva-2021"),
        ("seeds: 2", "seeds: 2\nsettings: [geneva-2021, nowhere]", "5:25", "nowhere"),
        ("seeds: 2", "seeds: 2\ntreat: uss", "5:8", "'uss' is no party; did you mean 'us'?"),
        ("rounds: 1", "rounds: 51", "5:44", "at most 50"),
        ("rounds: 1", "decision: veto, vetoes: [fr]", "5:35", "A veto needs a seat: fr has none"),
        ("model: reference", "model: openia:gpt", "5:17", "openia"),
        ("model: reference", "model: auto", "5:17", "name the model that is meant"),
        ("model: reference", "model: human", "5:17", "not the same model every time"),
        ("model: reference", "model: reference, chair: nobody", "5:35", "nobody"),
        (
            "model: reference",
            "model: reference, rotate_models: [reference, local]",
            "5:43",
            "keep one of the two",
        ),
        ("model: reference", "model: reference, models: {uk: local}", "5:41", "'uk' is no party"),
        ("id: two, prompt: interests", "id: two, prompt: intrests", "8:23", "intrests"),
        ("id: two, prompt: interests", "id: two, prompt: mine.md.j2", "8:23", "mine.md.j2"),
        (
            "id: two, prompt: interests",
            "id: two, prompts: {uss: interests}",
            "8:30",
            "'uss' is no party at this table; did you mean 'us'?",
        ),
        ("id: two", "id: one", "7:3", "two arms are called 'one'"),
        ("  - {id: two, prompt: interests}\n", "", "7:3", "at least two arms"),
        ("id: two", "id: two, wording: gone.yaml", "8:24", "gone.yaml"),
        ("baseline: one", "baseline: ones", "9:11", "'ones' is no arm; did you mean 'one'?"),
        ("of: debate", "of: everybody", "10:49", "'everybody' is no party"),
        ("agreement/agreement_rate", "agreement", "10:19", "agreement"),
        ("smallest: 0.1", "smallest: 0", "10:67", "more than 0"),
        ("baseline: one", "baseline: one\nalpha: 0.5", "10:8", "less than 0.5"),
        ("baseline: one", "baseline: one\nprices: {openai:x: cheap}", "10:20", "no price"),
        ("baseline: one", "baseline: one\nbudget: {max_calls: -1}", "10:21", "0"),
        ("baseline: one", "baseline: one\nlimits: {at_once: 0}", "10:19", "1"),
        ("baseline: one", "baseline: one\nbeside: [luck]", "10:10", "no-talk"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_next_step(
    old: str, new: str, place: str, words: str
) -> None:
    problems = told((old, new))
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"{place}:"), problems
    assert words in problems[0]


def test_what_combinations_say_is_checked_where_it_stands() -> None:
    arms = "arms:\n  - {id: one, prompt: dossier}\n  - {id: two, prompt: interests}\n"
    cross = (
        "cross:\n"
        "  prompt: {d: dossier, i: intrests}\n"
        "  chair: {plain: reference, loud: shouting}\n"
        "  rules: {usual: {}, veto: {decision: veto, vetoes: [fr]}}\n"
    )
    problems = told((arms, cross), ("baseline: one", "baseline: d-plain-usual"))
    assert [problem.partition(": ")[0] for problem in problems] == ["7:27", "8:35", "9:28"]
    for word, line in zip(("intrests", "shouting", "fr has none"), problems, strict=True):
        assert word in line
    assert "cross.prompt.i" in problems[0]


def test_a_combination_with_too_long_a_name_is_told_and_one_that_just_fits_is_not(
    tmp_path: Path,
) -> None:
    arms = "arms:\n  - {id: one, prompt: dossier}\n  - {id: two, prompt: interests}\n"
    long, fits = "d" * 56, "d" * 55
    cross = "cross:\n  prompt: {%s: dossier}\n  model: {flat: reference, many: reference}\n"
    (problem,) = told((arms, cross % long))
    assert problem.startswith("7:3: cross: an arm would be called ")
    assert "give shorter handles" in problem
    read = experiment(tmp_path, (arms, cross % fits), ("baseline: one", f"baseline: {fits}-flat"))
    assert [len(arm.id) for arm in read.design.arms] == [60, 60]


def test_yardsticks_and_variations_have_names_of_their_own() -> None:
    problems = told(
        ("id: two", "id: no-talk"),
        ("baseline: one", "baseline: one\nbeside: [no-talk]"),
        more="variations:\n  - {id: cold, what: x, temperature: 0}\n"
        "  - {id: cold, what: y, masked: true}\n",
    )
    assert problems == [
        "13:3: variations: two variations are called 'cold'",
        "7:3: arms: 'no-talk' is the name of a yardstick; rename the arm",
    ]


def test_a_variation_that_makes_the_arms_the_same_says_nothing_of_their_difference() -> None:
    (problem,) = told(more="variations:\n  - {id: swap, what: another prompt, prompt: terse}\n")
    assert problem.startswith("12:5: variations[0]: under it the arm two is the baseline")


def test_the_same_prompt_under_two_names_is_a_comparison_too(tmp_path: Path) -> None:
    read = experiment(
        tmp_path,
        ("prompt: interests", "prompt: dossier, seed_shift: 9"),
        more="variations:\n  - {id: cold, what: x, temperature: 0}\n",
    )
    assert len(list(read.design.cells())) == 16


def test_two_settings_of_one_name_and_two_ways_of_naming_settings_are_told() -> None:
    problems = told(
        ("seeds: 2", "seeds: 2\nsetting: geneva-2021\nsettings: [geneva-2021, geneva-2021]")
    )
    assert problems == [
        "5:10: setting: the file has `settings` as well; keep one of the two",
        "6:25: settings[1]: two settings are called 'geneva-2021'",
    ]


def test_several_mistakes_are_told_at_once_in_the_order_they_are_found() -> None:
    problems = told(
        ("libya, syria", "libia, syria"),
        ("id: two, prompt: interests", "id: two, prompt: intrests"),
        ("baseline: one", "baseline: three"),
    )
    assert [problem.partition(": ")[0] for problem in problems] == ["3:9", "9:11", "8:23"]


def test_seats_may_all_have_models_of_their_own(tmp_path: Path) -> None:
    read = experiment(tmp_path, ("model: reference", "models: {us: reference, ru: reference}"))
    assert {cell.models["ru"] for cell in read.design.cells()} == {"reference"}
    (first, second) = told(("model: reference", "models: {us: reference}"))
    assert "the arm one has no model" in first
    assert "the arm two has no model" in second


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("just words", "mapping"),
        ("id: a\nid: b\n", "id"),
        ("id: [", "talk.yaml:"),
    ],
)
def test_a_file_that_is_no_experiment_at_all_is_told_so(text: str, words: str) -> None:
    Path("talk.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingError, match=r"^talk\.yaml") as caught:
        load_experiment("talk.yaml")
    assert words in str(caught.value)


def test_a_setting_with_problems_tells_its_own() -> None:
    Path("broken").mkdir()
    Path("broken/setting.yaml").write_text("id: broken\n", encoding="utf-8")
    Path("talk.yaml").write_text(changed(("seeds: 2", "seeds: 2\nsetting: broken")), "utf-8")
    with pytest.raises(SettingError) as caught:
        load_experiment("talk.yaml")
    assert all("setting.yaml" in str(problem) for problem in caught.value.problems)


def test_what_is_wrong_with_a_file_of_other_words_is_told_where_it_is_named() -> None:
    words = "setting: geneva-2021\nstatements: {us-nowhere-1: Nothing of the kind.}\n"
    Path("words.yaml").write_text(words, encoding="utf-8")
    (problem,) = told(("id: two", "id: two, wording: words.yaml"))
    assert problem.startswith("8:24: arms[1].wording: There is no position 'us-nowhere-1'")


def test_an_experiment_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'chair-rules'"):
        find_experiment("chair-rule")
    with pytest.raises(UserError, match=r"there is .*prompt-variants"):
        find_experiment("zzz")


def test_a_file_of_the_folder_comes_before_one_of_the_program() -> None:
    Path("chair-rules").write_text(SOUND, encoding="utf-8")
    assert load_experiment("chair-rules").experiment.id == "talk"


def test_the_experiments_that_come_with_the_program_load_and_are_called_like_their_files() -> None:
    names = experiments_available()
    assert {"prompt-variants", "chair-rules", "no-persona", "hawk-against-dove"} <= set(names)
    for name in names:
        read = load_experiment(name)
        assert read.experiment.id == name
        found = list(read.design.cells())
        assert len({cell.name for cell in found}) == len(found)
    variants = load_experiment("prompt-variants")
    assert len(variants.design.arms) >= 5
    assert len(variants.design.scenarios) >= 9
    assert len(variants.design.seeds) >= 5
