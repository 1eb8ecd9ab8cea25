"""`tracktwo results` as a user types it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from evals.comparison import shown
from evals.comparison.markdown import to_markdown
from evals.comparison.presented import Grid
from evals.comparison.results import results_of
from evals.comparison.shapes import Results
from harness import cli
from harness.cli.results import GAP, MARGIN, fitting, needed
from harness.errors import UserError
from harness.events import NOTICE
from harness.experiment.design import Cell
from harness.experiment.reading import Read
from tests.evals.comparison.planted import (
    NOISE,
    Planted,
    broke,
    experiment,
    index,
    plant,
)
from tests.evals.judging.test_pipeline import by_the_sheet
from tests.models.server import ChatServer

MORE = """beside: [no-talk]
variations:
  - {id: reversed, what: the seats in reverse order, reverse_seats: true}
"""
SECTIONS = (
    "DECLARED", "FOUND", "PRIMARY: votes in line with the mandate", "WHAT IT STANDS ON",
    "WHERE TO SPEND", "SECONDARY: issues agreed", "SECONDARY: red lines crossed at the decision",
    "YARDSTICKS", "TALK PREMIUM: votes in line with the mandate", "TALK PREMIUM: issues agreed",
    "ROBUSTNESS: b", "ROBUSTNESS: c", "WHAT IT TOOK", "DEBATES THAT BROKE OFF", "CAUTIONS", "FILES",
)  # fmt: skip


def tracktwo(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, ["results", *map(str, arguments)])


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Read, Path]:
    """An experiment in which b is better than a, with a debate that was given up."""
    home = tmp_path_factory.mktemp("planted")
    read = experiment(home, more=MORE)
    lost = next(cell for cell in read.design.cells() if cell.arm == "c")

    def value(cell: Cell) -> Planted | None:
        if cell.name == lost.name:
            return None
        return Planted(in_line=0.5 + NOISE[index(cell)] * cell.seed + 0.3 * (cell.arm == "b"))

    folder = plant(read, home / "held", value)
    broke(folder, lost, why="a | <b>reply</b> \x1b[31mthat breaks tables")
    return read, folder


def test_declared_stands_before_found_and_everything_has_its_place(
    planted: tuple[Read, Path],
) -> None:
    shown = tracktwo(planted[1])
    assert shown.exit_code == 0, (shown.output, shown.exception)
    lines = shown.output.splitlines()
    places = [lines.index(section) for section in SECTIONS]
    assert places == sorted(places)
    text = shown.output
    assert NOTICE in text
    assert "Is b better than a?" in text
    assert planted[0].experiment.sha in text
    assert "before the first debate was finished" in text
    assert "b is better, +0.3" in text
    assert str(planted[1]) in lines[-1]
    assert "\x1b" not in text


def test_file_and_folder_name_the_same_experiment(planted: tuple[Read, Path]) -> None:
    by_folder = tracktwo(planted[1], "--json")
    by_file = tracktwo(planted[0].path, "--out", planted[1], "--json")
    one, other = (Results.model_validate_json(each.output) for each in (by_folder, by_file))
    assert one.rows == other.rows
    assert one.sentence == other.sentence
    assert one.rows == results_of(planted[1]).rows


def test_markdown_has_the_same_numbers_and_no_tag_or_cell_of_somebody_else(
    planted: tuple[Read, Path],
) -> None:
    found = results_of(planted[1])
    text = to_markdown(found)
    assert tracktwo(planted[1], "--markdown").output.strip() == text.strip()
    assert NOTICE in text
    assert found.sentence.split(";")[0] in text.replace("\\", "")
    tables = [line for line in text.splitlines() if line.startswith("|")]
    heads = [at for at, line in enumerate(tables) if set(line) <= set("|- ")]
    assert heads
    for at in heads:
        columns = tables[at].count("|")
        ends = [h - 1 for h in heads if h > at] or [len(tables)]
        for line in tables[at - 1 : ends[0]]:
            assert line.replace("\\|", "").count("|") == columns, line
    assert "<b>" not in text.replace("\\<b>", "")
    assert "a \\| \\<b>reply" in text


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_has_a_line_an_observation_and_one_a_row_and_says_that_it_is_simulated(
    planted: tuple[Read, Path], tmp_path: Path
) -> None:
    found = results_of(planted[1])
    done = tracktwo(planted[1], "--csv", tmp_path / "sub" / "out.csv")
    assert done.exit_code == 0, done.exception
    observed = lines_of(tmp_path / "sub" / "out.csv")
    rows = lines_of(tmp_path / "sub" / "out.rows.csv")
    assert len(observed) == len(found.observations)
    assert len(rows) == len(found.rows)
    assert {line["notice"] for line in (*observed, *rows)} == {NOTICE}
    first = next(line for line in rows if line["name"] == "b")
    assert float(first["mean"]) == pytest.approx(found.rows[1].estimate.value)
    assert first["verdict"] == "win"
    assert [line["value"] for line in observed].count("") == sum(
        o.value is None for o in found.observations
    )


def test_parquet_keeps_types_and_tells_nothing_from_an_empty_text(
    planted: tuple[Read, Path], tmp_path: Path
) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    done = tracktwo(planted[1], "--parquet", tmp_path / "it's.parquet")
    assert done.exit_code == 0, done.exception
    with duckdb.connect() as con:
        said = con.execute(
            "select count(*), count(value), count(why), typeof(any_value(seed)) "
            "from read_parquet(?)",
            [str(tmp_path / "it's.parquet")],
        ).fetchall()
        (best,) = con.execute(
            "select name from read_parquet(?) where verdict = 'win'",
            [str(tmp_path / "it's.rows.parquet")],
        ).fetchall()
    found = results_of(planted[1]).observations
    assert said == [(len(found), sum(o.value is not None for o in found), len(found), "BIGINT")]
    assert best == ("b",)


def test_the_page_leads_to_the_transcripts(planted: tuple[Read, Path], tmp_path: Path) -> None:
    pytest.importorskip("evals.comparison.page", reason="there is no page yet")
    target = planted[1].parent / "pages" / "page.html"
    done = tracktwo(planted[1], "--page", target)
    assert done.exit_code == 0, done.exception
    name = next(planted[1].glob("b.*.s01-????????.jsonl")).name
    assert f'href="../held/{name}"' in target.read_text(encoding="utf-8")


def test_what_the_user_can_mend_is_a_sentence(planted: tuple[Read, Path], tmp_path: Path) -> None:
    for arguments, says in (
        ((planted[1], "--out", tmp_path), "leave one of them out"),
        ((planted[0].path, "--out", tmp_path / "nowhere"), "hold the debates first"),
        (("no-such-experiment",), "There is no experiment 'no-such-experiment'"),
        ((tmp_path,), "has no declared.jsonl"),
    ):
        done = tracktwo(*arguments)
        assert isinstance(done.exception, UserError), (arguments, done.output, done.exception)
        assert says in str(done.exception)


CELLS = st.lists(st.text("abc ", max_size=12), min_size=1, max_size=3)


@given(
    st.integers(2, 7).flatmap(
        lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=4)
    ),
    st.integers(40, 120),
)
def test_a_table_that_is_too_wide_is_several_and_loses_no_column(
    rows: list[list[list[str]]], width: int
) -> None:
    head = tuple(f"column {at}" for at in range(len(rows[0])))
    cells = tuple(tuple(shown.Cell(c[0], tuple(c[1:])) for c in row) for row in rows)
    grid = Grid(head, cells)
    parts = fitting(grid, width)
    assert [name for part in parts for name in part.head[1:]] == list(head[1:])
    assert all(part.head[0] == head[0] for part in parts)
    assert all(len(row) == len(part.head) for part in parts for row in part.rows)
    for part in parts:
        widths = needed(part)
        assert len(widths) == 2 or sum(widths) + GAP * (len(widths) - 1) + MARGIN <= width


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        running.ordinary = by_the_sheet
        yield running


def test_judges_are_asked_once_and_never_again(
    tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CALIBRATIONS", "CARDS"):
        monkeypatch.setenv(f"TRACKTWO_{name}", str(tmp_path / name.lower()))
    more = (
        "  - {metric: consistency/supported, of: debate, better: higher}\n"
        "judges: [openai:one]\nrubrics: [consistency]"
    )
    read = experiment(tmp_path, items=["syria"], seeds=1, more=more)
    folder = plant(read, tmp_path / "held", lambda _: Planted())
    ask = ("--base-url", server.url, "--json")
    offline = Results.model_validate_json(tracktwo(folder, "--offline", "--json").output)
    assert len(server.bodies) == 0
    assert {r.unscored for r in offline.rows if r.metric.metric == "consistency/supported"} == {1.0}
    first = tracktwo(folder, *ask)
    assert first.exit_code == 0, first.exception
    asked = len(server.bodies)
    assert asked > 0
    again = tracktwo(folder, *ask)
    assert len(server.bodies) == asked
    one, other = (Results.model_validate_json(each.output) for each in (first, again))
    assert one.rows == other.rows
    (judged, *_) = (r for r in one.rows if r.metric.metric == "consistency/supported")
    assert judged.judge is not None
    assert not judged.judge.calibrated
    assert any("uncalibrated" in said for said in one.cautions)
