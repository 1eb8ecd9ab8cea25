"""From an experiment to its debates: who sits where, what each is held with, and its name."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from harness.experiment.design import Cell, Design
from harness.experiment.reading import load_experiment
from harness.experiment.shapes import Experiment
from harness.loading import find_setting
from tests.experiment.files import cells, changed, experiment

SIX = "parties: [us, ru, de, cn, ua, nato]"
MODELS = ("openai:a", "openai:b", "openai:c")


@cache
def _loaded() -> Design:
    """The setting, loaded once for all tests that count."""
    return load_experiment("prompt-variants").design


def designed(*, parties: int, seeds: int, items: int, **more: object) -> list[Cell]:
    """The debates of an experiment on the setting's items, made without a file."""
    setting = _loaded().setting("geneva-2021")
    data: dict[str, object] = {
        "id": "counted",
        "question": "Who sits where?",
        "agenda": "summit",
        "items": [item.id for item in setting.items][:items],
        "parties": ["us", "ru", "de", "cn", "ua", "nato"][:parties],
        "seeds": seeds,
        "common": {"model": "reference"},
        "arms": [{"id": "one", "prompt": "dossier"}, {"id": "two", "prompt": "interests"}],
        "baseline": "one",
        "primary": {"metric": "agreement/agreement_rate", "smallest": 0.1},
        **more,
    }
    design = Design(Experiment.model_validate(data), Path())
    design._settings["geneva-2021"] = setting
    return list(design.cells())


def names(found: Iterable[Cell]) -> list[str]:
    return [cell.name for cell in found]


def lacking(before: Iterable[Cell], after: Iterable[Cell]) -> set[tuple[str, str, int]]:
    """The debates of the first plan that the second does not have."""
    kept = set(names(after))
    return {(cell.arm, cell.scenario, cell.seed) for cell in before if cell.name not in kept}


def spread(counts: Counter[object], of: Sequence[object]) -> int:
    """How much more often the most frequent of them comes than the rarest."""
    numbers = [counts[each] for each in of]
    return max(numbers) - min(numbers)


def test_arms_scenarios_and_seeds_are_crossed_whole_scenarios_first(tmp_path: Path) -> None:
    found = cells(tmp_path)
    assert [(cell.scenario, cell.arm, cell.seed) for cell in found] == list(
        product(("libya", "syria"), ("one", "two"), (1, 2))
    )
    assert [cell.agenda.items for cell in found[:1]] == [("libya",)]
    assert all(cell.treated == ("us", "ru") for cell in found)


def test_the_baseline_comes_first_and_yardsticks_last(tmp_path: Path) -> None:
    more = ("baseline: one", "baseline: two\nbeside: [reference, no-talk, solo]")
    found = cells(tmp_path, more)
    arms = list(dict.fromkeys(cell.arm for cell in found))
    assert arms == ["two", "one", "reference", "no-talk", "solo"]


def test_combinations_are_called_by_their_handles(tmp_path: Path) -> None:
    arms = "arms:\n  - {id: one, prompt: dossier}\n  - {id: two, prompt: interests}\n"
    cross = (
        "cross:\n  prompt: {d: dossier, i: interests}\n  chair: {x: reference, y: local}\n"
        "  rules: {short: {rounds: 1}, long: {rounds: 3}}\n"
    )
    found = experiment(tmp_path, (arms, cross), ("baseline: one", "baseline: i-x-long")).design
    assert [arm.id for arm in found.arms] == [
        "i-x-long", "d-x-short", "d-x-long", "d-y-short", "d-y-long", "i-x-short", "i-y-short",
        "i-y-long",
    ]  # fmt: skip
    of = {cell.arm: cell for cell in found.cells()}
    assert of["d-y-long"].prompts == {"us": "dossier", "ru": "dossier"}
    assert of["d-y-long"].conditions.chair == "local"
    assert of["d-y-long"].agenda.rules.rounds == 3


def test_listed_arms_and_combinations_go_together(tmp_path: Path) -> None:
    found = experiment(tmp_path, more="cross: {prompt: {x: terse}}\n").design
    assert [arm.id for arm in found.arms] == ["one", "two", "x"]


def test_an_arm_says_what_differs_from_what_is_common(tmp_path: Path) -> None:
    common = (
        "common: {model: reference, rules: {rounds: 1}}",
        "common: {model: local, models: {ru: reference}, prompt: terse, "
        "prompts: {us: hawkish}, temperature: 0.5, rules: {rounds: 1, ballots: 2}}",
    )
    one, two = "{id: one, prompt: dossier}", "{id: two, prompt: interests}"
    found = {
        cell.arm: cell
        for cell in cells(
            tmp_path,
            common,
            (one, "{id: one}"),
            (two, "{id: two, model: reference, prompts: {ru: dovish}, rules: {ballots: 3}}"),
            ("baseline: one", "baseline: one\nbeside: [reference, no-talk, solo]"),
        )
    }
    assert found["one"].models == {"us": "local", "ru": "reference"}
    assert found["one"].prompts == {"us": "hawkish", "ru": "terse"}
    assert (found["one"].agenda.rules.rounds, found["one"].agenda.rules.ballots) == (1, 2)
    # A model for all takes the place of every model that was common; a prompt for one is added.
    assert found["two"].models == {"us": "reference", "ru": "reference"}
    assert found["two"].prompts == {"us": "hawkish", "ru": "dovish"}
    assert (found["two"].agenda.rules.rounds, found["two"].agenda.rules.ballots) == (1, 3)
    assert {cell.conditions.temperature for cell in found.values()} == {0.5}
    assert set(found["reference"].models.values()) == {"reference"}
    assert found["no-talk"].agenda.rules.rounds == 0
    assert found["no-talk"].models == found["one"].models
    assert set(found["solo"].prompts.values()) == {"all-sides"}


def test_a_prompt_for_all_takes_the_place_of_every_common_prompt(tmp_path: Path) -> None:
    common = ("model: reference,", "model: reference, prompts: {us: hawkish},")
    found = {cell.arm: cell for cell in cells(tmp_path, common)}
    assert found["two"].prompts == {"us": "interests", "ru": "interests"}


def test_a_variation_changes_one_circumstance_for_every_arm(tmp_path: Path) -> None:
    variations = (
        "variations:\n  - {id: cold, what: x, temperature: 0}\n"
        "  - {id: turned, what: y, reverse_seats: true}\n"
        "  - {id: swapped, what: z, model: local}\n"
    )
    found = cells(tmp_path, ("baseline: one", "baseline: one\nbeside: [no-talk]"), more=variations)
    of = {(c.variation, c.arm, c.scenario, c.seed): c for c in found}
    assert len(of) == 2 * 2 * 3 + 3 * 2 * 2 * 2  # yardsticks are held once
    for arm, scenario, seed in product(("one", "two"), ("libya", "syria"), (1, 2)):
        plain = of[None, arm, scenario, seed]
        cold, turned, swapped = (
            of[name, arm, scenario, seed] for name in ("cold", "turned", "swapped")
        )
        assert (plain.conditions.temperature, cold.conditions.temperature) == (None, 0)
        assert cold.prompts == turned.prompts == swapped.prompts == plain.prompts
        assert turned.agenda.parties == plain.agenda.parties[::-1]
        assert set(swapped.models.values()) == {"local"}
        assert cold.agenda == plain.agenda
    assert len(set(names(found))) == len(found)


@pytest.mark.parametrize("parties", [2, 6])
@pytest.mark.parametrize("seeds", [1, 2, 3, 5, 6])
def test_nobody_is_tied_to_speaking_first_by_being_treated(parties: int, seeds: int) -> None:
    found = designed(parties=parties, seeds=seeds, items=12, treat="in-turn")
    treated = [cell for cell in found if cell.arm == "two"]
    places = Counter[object](
        cell.agenda.parties.index(party) for cell in treated for party in cell.treated
    )
    states = Counter[object](party for cell in treated for party in cell.treated)
    first = Counter[object](cell.agenda.parties[0] for cell in treated)
    seated = sorted(treated[0].agenda.parties)
    assert {len(cell.treated) for cell in treated} == {1}
    # As even as whole numbers allow, give or take one round of scenarios that does not come out.
    assert spread(places, range(parties)) <= parties // 2
    assert spread(states, seated) <= seeds * 12 % parties**2
    assert spread(first, seated) <= 1


@pytest.mark.parametrize(("parties", "seeds"), [(2, 4), (6, 36)])
def test_in_each_scenario_every_state_is_treated_at_every_place_as_often(
    parties: int, seeds: int
) -> None:
    found = designed(parties=parties, seeds=seeds, items=2, treat="in-turn")
    for scenario in {cell.scenario for cell in found}:
        here = [cell for cell in found if cell.arm == "two" and cell.scenario == scenario]
        together = Counter((cell.treated[0], cell.agenda.parties[0]) for cell in here)
        assert len(together) == parties**2
        assert set(together.values()) == {1}


@pytest.mark.parametrize("parties", [2, 6])
@pytest.mark.parametrize("models", [2, 3])
@pytest.mark.parametrize("seeds", [2, 5, 6])
def test_no_model_is_tied_to_a_state_or_to_speaking_first(
    parties: int, models: int, seeds: int
) -> None:
    several = MODELS[:models]
    found = designed(parties=parties, seeds=seeds, items=12, common={"rotate_models": several})
    one = [cell for cell in found if cell.arm == "one"]
    first = Counter[object](cell.models[cell.agenda.parties[0]] for cell in one)
    held = Counter[object](pair for cell in one for pair in cell.models.items())
    assert spread(first, several) <= 0.25 * len(one) / models
    assert spread(held, list(product(one[0].agenda.parties, several))) <= 0.25 * len(one) / models
    # At a table that has a seat for every model, every model has one.
    for cell in one:
        assert len(set(cell.models.values())) == min(parties, models)


def test_models_rotate_with_all_arms_alike() -> None:
    found = designed(parties=2, seeds=4, items=3, common={"rotate_models": MODELS})
    seats: dict[tuple[str, int], set[tuple[tuple[str, str], ...]]] = {}
    for cell in found:
        seats.setdefault((cell.scenario, cell.seed), set()).add(tuple(cell.models.items()))
    assert all(len(alike) == 1 for alike in seats.values())


def test_seats_that_do_not_rotate_stay_as_they_are_listed() -> None:
    found = designed(parties=6, seeds=3, items=4, rotate_seats=False)
    assert {cell.agenda.parties for cell in found} == {("us", "ru", "de", "cn", "ua", "nato")}


def test_the_others_have_the_baselines_prompt_and_model_where_one_is_treated() -> None:
    found = designed(
        parties=6, seeds=2, items=2, treat="de",
        arms=[{"id": "one"}, {"id": "two", "prompt": "hawkish", "model": "local"}],
        beside=["reference", "no-talk", "solo"],
    )  # fmt: skip
    for cell in found:
        assert cell.treated == ("de",)
        others = {party for party in cell.prompts if party != "de"}
        match cell.arm:
            case "two":
                assert (cell.prompts["de"], cell.models["de"]) == ("hawkish", "local")
                assert {cell.prompts[party] for party in others} == {"dossier"}
                assert {cell.models[party] for party in others} == {"reference"}
            case "solo":  # one mind plays all sides, or it would be no yardstick
                assert set(cell.prompts.values()) == {"all-sides"}


def test_without_talk_there_is_no_private_meeting_either() -> None:
    caucus = {"item": "strategic-stability", "after_round": 0, "parties": ["us", "ru"]}
    found = designed(
        parties=2, seeds=1, items=1, beside=["no-talk"],
        common={"model": "reference", "rules": {"rounds": 2, "caucuses": [caucus]}},
    )  # fmt: skip
    rules = {cell.arm: cell.agenda.rules for cell in found}
    assert len(rules["one"].caucuses) == 1
    assert (rules["no-talk"].rounds, rules["no-talk"].caucuses) == (0, ())


def test_a_yardstick_named_twice_is_held_once() -> None:
    found = designed(parties=2, seeds=1, items=1, beside=["no-talk", "no-talk"])
    assert names(found) == list(dict.fromkeys(names(found)))


def test_more_arms_seeds_yardsticks_and_variations_leave_the_other_debates_as_they_are(
    tmp_path: Path,
) -> None:
    before = cells(tmp_path)
    for change in (
        ("baseline: one", "baseline: one\nbeside: [no-talk, solo]"),
        ("seeds: 2", "seeds: 7"),
        ("arms:\n", "arms:\n  - {id: zero, prompt: terse}\n"),
        ("baseline: one", "baseline: one\nvariations: [{id: cold, what: x, temperature: 0}]"),
        ("[libya, syria]", "[libya, syria, sanctions]"),
        ("baseline: one", "baseline: two"),
        ("Which of two", "Whether any of two"),
        ("smallest: 0.1", "smallest: 0.2"),
    ):
        assert lacking(before, cells(tmp_path, change)) == set(), change


def test_what_it_may_cost_and_how_fast_it_goes_changes_no_debate_and_no_declaration(
    tmp_path: Path,
) -> None:
    terms = "budget: {max_calls: 3}\nlimits: {at_once: 2}\nprices: {openai:x: 1/2}\n"
    before, after = experiment(tmp_path), experiment(tmp_path, more=terms)
    assert names(before.design.cells()) == names(after.design.cells())
    assert before.experiment.sha == after.experiment.sha
    assert before.experiment.sha != experiment(tmp_path, ("seeds: 2", "seeds: 3")).experiment.sha


EVERYTHING = {(arm, item, seed) for arm in ("one", "two") for item in ("libya", "syria")
              for seed in (1, 2)}  # fmt: skip
SECOND = {each for each in EVERYTHING if each[0] == "two"}


@pytest.mark.parametrize(
    ("change", "affected"),
    [
        (("rounds: 1", "rounds: 2"), EVERYTHING),
        (("model: reference", "model: local"), EVERYTHING),
        (("model: reference", "model: reference, chair: local"), EVERYTHING),
        (("id: two", "id: two, temperature: 0"), SECOND),
        (("id: two", "id: two, guard: true"), SECOND),
        (("id: two", "id: two, masked: true"), SECOND),
        (("id: two", "id: two, seed_shift: 1"), SECOND),
        (("id: two", "id: two, model: local"), SECOND),
        (("id: two", "id: two, rules: {ballots: 2}"), SECOND),
        (("prompt: interests", "prompt: terse"), SECOND),
        (("prompt: interests", "prompts: {us: interests}"), SECOND),
        (("baseline: one", "baseline: one\nrotate_seats: false"), None),
        (("baseline: one", "baseline: one\nparties: [us, ru]"), set()),
        (("baseline: one", "baseline: one\nparties: [us, de]"), EVERYTHING),
    ],
)
def test_a_change_renames_the_debates_that_it_changes_and_no_others(
    change: tuple[str, str], affected: set[tuple[str, str, int]] | None, tmp_path: Path
) -> None:
    before, after = cells(tmp_path), cells(tmp_path, change)
    moved = {(c.arm, c.scenario, c.seed) for c in before if c.agenda.parties != ("us", "ru")}
    assert lacking(before, after) == (moved if affected is None else affected)
    if affected is None:
        assert moved


def test_an_edited_prompt_file_renames_the_debates_that_use_it(tmp_path: Path) -> None:
    shipped = Path("personas/prompts/interests.md.j2").read_text(encoding="utf-8")
    own = tmp_path / "mine.md.j2"
    own.write_text(shipped, encoding="utf-8")
    change = ("prompt: interests", "prompt: mine.md.j2")
    before = cells(tmp_path, change)
    own.write_text(shipped + "\n", encoding="utf-8")
    assert lacking(before, cells(tmp_path, change)) == SECOND


def edited_setting(folder: Path, edit: Callable[[str], str]) -> None:
    """A copy of the setting beside the experiment file, with the Russian file edited."""
    shutil.copytree(find_setting("geneva-2021"), folder / "talks", dirs_exist_ok=True)
    file = folder / "talks" / "ru.yaml"
    text = edit(file.read_text(encoding="utf-8"))
    file.write_text(text, encoding="utf-8")
    rest = folder / "talks" / "setting.yaml"
    rest.write_text(
        changed(("id: geneva-2021", "id: talks"), text=rest.read_text("utf-8")), "utf-8"
    )


def test_an_edited_setting_renames_every_debate(tmp_path: Path) -> None:
    setting = ("seeds: 2", "seeds: 2\nsetting: talks")
    edited_setting(tmp_path, lambda text: text)
    before = cells(tmp_path, setting)
    file = tmp_path / "talks" / "ru.yaml"
    text = file.read_text(encoding="utf-8")
    statement = next(line for line in text.splitlines() if "firmness: 4" in line)
    file.write_text(text.replace(statement, statement.replace("4", "5"), 1), encoding="utf-8")
    assert lacking(before, cells(tmp_path, setting)) == EVERYTHING


def test_files_are_meant_beside_the_experiment_file_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = Path("personas/prompts/interests.md.j2").read_text(encoding="utf-8")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.md.j2").write_text(shipped, encoding="utf-8")
    words = "setting: talks\nstatements: {}\n"
    (tmp_path / "there" / "words.yaml").write_text(words, encoding="utf-8")
    edited_setting(tmp_path / "there", lambda text: text)
    changes = (
        ("seeds: 2", "seeds: 2\nsetting: talks"),
        ("prompt: interests", "prompt: mine.md.j2, wording: words.yaml"),
    )
    far = cells(tmp_path / "there", *changes)
    monkeypatch.chdir(tmp_path / "there")
    near = list(load_experiment("talk.yaml").design.cells())
    assert names(near) == names(far)
    prompt = far[-1].prompts["us"]
    assert Path(prompt).name == "mine.md.j2"
    assert Path(prompt).is_absolute() or prompt == "mine.md.j2"


def test_settings_are_scenarios_where_there_are_several(tmp_path: Path) -> None:
    edited_setting(tmp_path, lambda text: text)
    several = ("seeds: 2", "seeds: 1\nsettings: [geneva-2021, talks]")
    whole = experiment(tmp_path, several).design
    assert [scenario.id for scenario in whole.scenarios] == ["geneva-2021", "talks"]
    assert {cell.agenda.items for cell in whole.cells()} == {("libya", "syria")}
    items = experiment(tmp_path, several, ("baseline: one", "baseline: one\nunit: item")).design
    assert [scenario.id for scenario in items.scenarios] == [
        "geneva-2021.libya", "geneva-2021.syria", "talks.libya", "talks.syria",
    ]  # fmt: skip
    found = names([*whole.cells(), *items.cells()])
    assert len(set(found)) == len(found)


def test_all_names_of_a_large_plan_differ_and_can_be_names_of_files() -> None:
    found = designed(
        parties=6, seeds=12, items=13, treat="in-turn", beside=["no-talk", "solo", "reference"],
        variations=[{"id": "cold", "what": "x", "temperature": 0}],
    )  # fmt: skip
    assert len(set(names(found))) == len(found) == 13 * 12 * (2 + 3 + 2)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-") for name in names(found))
