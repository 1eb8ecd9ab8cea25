"""Loading a whole setting: what is found where, what comes out, and what must never come in."""

from __future__ import annotations

import ast
import json
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from harness.cli.new import write_setting
from harness.errors import SettingError, UserError
from harness.loading import (
    examine,
    find_setting,
    load,
    load_setting,
    personas_root,
    settings_available,
)
from harness.setting import (
    Agenda,
    Caucus,
    Inject,
    Issue,
    Item,
    Option,
    Party,
    Position,
    Rules,
    Setting,
    Source,
)

ROOT = Path(__file__).parent.parent
GENEVA = ROOT / "personas" / "geneva-2021"


# What loads.


def test_the_geneva_setting_loads_without_a_problem() -> None:
    loaded = examine(GENEVA)
    assert loaded.problems == ()
    assert loaded.setting is not None
    issues = [issue for item in loaded.setting.items for issue in item.issues]
    positions = [p for party in loaded.setting.parties for p in party.positions]
    assert (len(loaded.setting.items), len(issues), len(positions)) == (13, 38, 158)
    assert [p.id for p in loaded.setting.parties] == ["us", "ru", "de", "cn", "ua", "nato"]


def test_an_agenda_has_the_rules_of_the_setting_where_it_changes_nothing(tmp_path: Path) -> None:
    folder = write_setting("talks", tmp_path)
    path = folder / "setting.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(
            "    items: [river]\n", "    items: [river]\n    rules: {decision: majority}\n"
        ),
        encoding="utf-8",
    )
    assert load(folder).agenda("river-talks").rules == Rules(rounds=3, decision="majority")


WORDS = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1, max_size=20
).map(lambda text: f"x {text}")
"""Texts that are not blank, with anything YAML could stumble over."""

TRICKY = st.sampled_from(["no", "null", "~", "0o7", "1e3", "- a", "a: b", "#", "2021-01-01", "\n|"])


@st.composite
def settings(draw: st.DrawFn) -> Setting:
    """Sound settings of two parties: one item, free texts, positions, rules and agendas."""
    word = WORDS | TRICKY.map(lambda text: text + "." * draw(st.integers(0, 2)))
    today = draw(st.dates(date(1945, 10, 24), date(2100, 1, 1)))
    issues = tuple(
        Issue(
            id=f"issue-{number}",
            title=draw(word),
            question=draw(word),
            options=tuple(
                Option(id=letter, label=f"{draw(word)} {letter}", text=f"{draw(word)} {letter}")
                for letter in "abc"[: draw(st.integers(2, 3))]
            ),
            weight=draw(st.floats(0.001, 1e6)),
        )
        for number in range(draw(st.integers(1, 3)))
    )
    item = Item(id="item", title=draw(word), context=draw(st.just("") | word), issues=issues)
    keys = [key for issue in issues for key in issue.keys]

    def position(party: str, number: int) -> Position:
        linked = draw(st.lists(st.sampled_from(keys), unique=True, max_size=4))
        cut = draw(st.integers(0, len(linked)))
        secret = draw(st.booleans())
        canary = f"Canary of {party} {number}" if secret and draw(st.booleans()) else None
        return Position(
            id=f"{party}-{number}",
            item="item",
            statement=f"{draw(word)} {canary or ''}",
            spoken=draw(st.just("") | word),
            kind=draw(st.sampled_from(["interest", "demand", "offer", "principle"])),
            firmness=draw(st.integers(1, 5)),
            supports=tuple(linked[:cut]),
            opposes=tuple(linked[cut:]),
            source=Source(
                title=draw(word),
                publisher=draw(word),
                date=today - timedelta(days=draw(st.integers(0, 900))),
                url="https://example.org/a",
                tier=draw(st.sampled_from(["primary", "news_agency", "press"])),
                caution=draw(st.none() | word),
            ),
            visibility="confidential" if secret else "public",
            canary=canary,
            verify=draw(st.booleans()),
        )

    parties = tuple(
        Party(
            id=party,
            name=f"{draw(word)} {party}",
            short=party.upper(),
            adjective=draw(word),
            aliases=tuple(draw(st.lists(word, max_size=2))),
            summary=draw(word),
            positions=tuple(position(party, n) for n in range(draw(st.integers(0, 3)))),
        )
        for party in ("us", "ru")
    )

    def agenda(name: str) -> Agenda:
        rounds = draw(st.integers(1, 50))
        rules = Rules(
            rounds=rounds,
            floor=draw(st.sampled_from(["round_robin", "rotating", "speakers_list"])),
            silence=draw(st.booleans()),
            injects=(Inject(item="item", round=draw(st.integers(1, rounds)), text=draw(word)),),
            caucuses=(
                Caucus(item="item", after_round=draw(st.integers(0, rounds)), parties=("us", "ru")),
            ),
        )
        return Agenda(id=name, title=draw(word), parties=("ru", "us"), items=("item",), rules=rules)

    return Setting(
        id="talks",
        title=draw(word),
        as_of=today,
        summary=draw(word),
        parties=parties,
        items=(item,),
        agendas=(agenda("first"), agenda("second")),
        default_agenda="second",
    )


def write(setting: Setting, folder: Path) -> Path:
    """The setting as files, the way anybody's YAML library writes them."""
    yaml = YAML(typ="safe")
    yaml.allow_unicode = True
    target = folder / setting.id
    target.mkdir()
    data: dict[str, Any] = json.loads(setting.model_dump_json())
    for party in data["parties"]:
        yaml.dump(party, target / f"{party['id']}.yaml")
    yaml.dump({**data, "parties": [p["id"] for p in data["parties"]]}, target / "setting.yaml")
    return target


@given(settings())
def test_a_setting_that_was_written_loads_as_it_was(setting: Setting) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert load(write(setting, Path(folder))) == setting


# What does not load.


def test_every_problem_of_every_file_is_told_at_once_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_setting("talks", Path())
    for name, old, new in [
        ("lowland.yaml", "kind: red_line", "kind: redline"),
        ("lowland.yaml", "summer-flow/a", "summer-flow/x"),
        ("upland.yaml", "short: Upland", "short: [Upland"),
        ("setting.yaml", "default_agenda: river-talks", "default_agenda: lake-talks"),
    ]:
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SettingError) as error:
        load(folder)
    assert [str(problem).partition(": ")[0] for problem in error.value.problems] == [
        "talks/setting.yaml:19:17",
        "talks/upland.yaml:5:1",
        "talks/lowland.yaml:17:16",
        "talks/lowland.yaml:29:11",
    ]
    assert str(error.value).count("\n") == 3


def test_a_folder_without_setting_file_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingError, match=r"^empty/setting\.yaml: cannot be read: No such file"):
        load(tmp_path / "empty")


def test_a_file_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "\x1b[31mred"
    folder.mkdir()
    with pytest.raises(SettingError) as error:
        load(folder)
    assert "\x1b" not in str(error.value)


@given(changes=st.lists(st.tuples(st.integers(0, 4000), st.text(max_size=3)), max_size=6))
def test_a_damaged_file_never_breaks_the_loader(changes: list[tuple[int, str]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder = write_setting("talks", Path(root))
        for name in ("setting.yaml", "upland.yaml"):
            text = (folder / name).read_text(encoding="utf-8")
            for place, new in changes:
                text = text[:place] + new + text[place + 1 :]
            (folder / name).write_text(text, encoding="utf-8", errors="replace")
        loaded = examine(folder)
        assert (loaded.setting is None) == bool(loaded.problems)


# Law 8: no hindsight.


def test_a_position_dated_after_the_settings_day_does_not_load(tmp_path: Path) -> None:
    folder = write_setting("talks", tmp_path)
    path = folder / "lowland.yaml"
    text = path.read_text(encoding="utf-8").replace('"2024-04-29"', '"2024-05-02"')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingError, match="'2024-05-02' is after the setting's as_of, 2024-05-01"):
        load(folder)


def test_only_the_verb_that_scores_them_names_the_back_tests_in_the_harness() -> None:
    sources = [p for p in (ROOT / "harness").rglob("*") if p.is_file() and p.suffix != ".pyc"]
    assert len(sources) > 20
    naming = {
        source.relative_to(ROOT).as_posix()
        for source in sources
        if b"backtest" in source.read_bytes().lower()
    }
    # The command line joins harness and evals, and the reader shows scores; nothing that holds a
    # debate may import either.
    naming = {name for name in naming if not name.startswith("harness/viewer/")}
    assert naming <= {"harness/cli/__init__.py", "harness/cli/backtest.py"}
    assert "harness/cli/backtest.py" in naming


def imported(module: str) -> set[str]:
    """Every module a module of ours names in an import, also inside its functions."""
    path = ROOT / Path(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.is_file():  # a name that is no module
        return set()
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_holding_a_debate_reaches_neither_the_command_line_nor_the_evals() -> None:
    reached, todo = set[str](), ["harness.session"]
    while todo:
        module = todo.pop()
        if module not in reached and module.partition(".")[0] in ("harness", "evals"):
            reached.add(module)
            todo += imported(module)
    # The watch sees what briefs and asks the delegations, imports inside functions included.
    assert {"harness.briefing", "harness.loading.folder", "harness.models.reference"} <= reached
    assert not [module for module in reached if module.partition(".")[0] == "evals"]
    assert not [module for module in reached if f"{module}.".startswith("harness.cli.")]


def test_no_setting_and_no_prompt_names_the_back_tests() -> None:
    files = [p for p in (ROOT / "personas").rglob("*") if p.is_file()]
    prompts = [p for p in files if p.suffix in (".yaml", ".j2")]
    assert prompts
    assert not [p for p in prompts if b"backtest" in p.read_bytes().lower()]


# Where settings are found.


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_setting_is_found_by_folder_by_file_and_by_name(elsewhere: Path) -> None:
    folder = write_setting("talks", Path("personas"))
    assert load_setting("talks") == load_setting(folder) == load_setting("personas/talks/")
    assert load_setting(folder / "setting.yaml") == load(folder)
    assert find_setting("talks") == Path("personas/talks")


def test_the_current_folders_personas_come_before_the_programs_own(elsewhere: Path) -> None:
    write_setting("geneva-2021", Path("personas"))
    assert load_setting("geneva-2021").parties[0].id == "upland"
    assert settings_available()[0] == Path("personas/geneva-2021")


def test_the_programs_own_settings_are_found_from_anywhere(elsewhere: Path) -> None:
    assert personas_root() / "geneva-2021" in settings_available()
    assert (personas_root() / "prompts").is_dir()


def test_a_folder_that_only_happens_to_have_the_name_is_not_taken(elsewhere: Path) -> None:
    (elsewhere / "geneva-2021").mkdir()
    assert find_setting("geneva-2021") == personas_root() / "geneva-2021"


def test_an_unknown_name_is_told_with_the_nearest_and_all_there_are(elsewhere: Path) -> None:
    write_setting("river-talks", Path("personas"))
    with pytest.raises(UserError) as error:
        load_setting("geneva-2012")
    assert str(error.value) == (
        "There is no setting 'geneva-2012'. Did you mean 'geneva-2021'? "
        "There is river-talks, geneva-2021; `tracktwo new` writes another."
    )
