"""`tracktwo query`, as a user types it."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import signal
import threading
from io import StringIO
from pathlib import Path

import duckdb
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from evals.warehouse import VIEWS
from evals.warehouse.asking import Answer, ask
from evals.warehouse.opening import connection
from harness.cli.query import _show, query
from harness.errors import UserError
from harness.events import NOTICE
from tests.evals.test_warehouse import a_room, put

EXAMPLES = Path(__file__).parents[2] / "transcripts" / "examples"
SIX = EXAMPLES / "six-parties-on-nord-stream-2.jsonl"
COUNTS = "select debate, issues, cost, parties, finished from debates order by debate"


def tracktwo_query(*arguments: str) -> Result:
    """Run the verb in this process."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(query)
    return CliRunner().invoke(app, list(arguments))


def said(result: Result) -> str:
    assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"
    return result.stdout


def refused(result: Result) -> str:
    assert isinstance(result.exception, UserError), f"{result.output}\n{result.exception!r}"
    return str(result.exception)


def answer(sql: str) -> Answer:
    return ask(connection(), sql)


def test_the_answer_is_a_table_that_says_the_words_are_simulated() -> None:
    lines = said(tracktwo_query(COUNTS, str(SIX))).splitlines()

    assert lines[1].split() == ["debate", "issues", "cost", "parties", "finished"]
    row = "six-parties-on-nord-stream-2 2 null us, ru, de, cn, ua, nato true"
    assert " ".join(lines[3].split()) == row
    assert lines[-2:] == ["1 row", NOTICE]


def test_without_paths_the_folder_transcripts_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "transcripts" / "runs").mkdir(parents=True)
    shutil.copy(SIX, tmp_path / "transcripts" / "runs")
    monkeypatch.chdir(tmp_path)

    found = json.loads(said(tracktwo_query("select file from debates", "--format", "json")))

    assert found["rows"] == [{"file": f"transcripts/runs/{SIX.name}"}]


def test_csv_has_a_column_with_the_notice() -> None:
    text = said(tracktwo_query(COUNTS, str(EXAMPLES), "--format", "csv"))

    found = list(csv.DictReader(StringIO(text)))
    assert len(found) == len(list(EXAMPLES.glob("*.jsonl")))
    last = found[-1]
    assert json.loads(last.pop("parties")) == ["us", "ru", "de", "cn", "ua", "nato"]
    assert last == {
        "debate": "six-parties-on-nord-stream-2",
        "issues": "2",
        "cost": "",
        "finished": "true",
        "notice": NOTICE,
    }


def test_json_says_what_the_columns_are() -> None:
    found = json.loads(said(tracktwo_query(COUNTS, str(SIX), "--format", "json")))

    assert found["notice"] == NOTICE
    assert found["columns"][1] == {"name": "issues", "type": "INTEGER"}
    assert found["rows"] == [
        {
            "debate": "six-parties-on-nord-stream-2",
            "issues": 2,
            "cost": None,
            "parties": ["us", "ru", "de", "cn", "ua", "nato"],
            "finished": True,
        }
    ]


def test_an_answer_without_rows_is_still_whole() -> None:
    none = "select debate from debates where false"

    assert json.loads(said(tracktwo_query(none, str(SIX), "--format", "json")))["rows"] == []
    assert "0 rows" in said(tracktwo_query(none, str(SIX)))


@pytest.mark.parametrize(
    ("name", "begins"), [("a.csv", "debate,"), ("a.json", '{"notice"'), ("a.md", "| debate |")]
)
def test_the_ending_of_a_file_says_what_to_write(name: str, begins: str, tmp_path: Path) -> None:
    said(tracktwo_query(COUNTS, str(SIX), "--out", str(tmp_path / name)))

    text = (tmp_path / name).read_text(encoding="utf-8")
    assert text.startswith(begins)
    assert NOTICE in text
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_parquet_carries_types_and_the_notice(tmp_path: Path) -> None:
    path = tmp_path / "it's.parquet"

    said(tracktwo_query(f"{COUNTS}; -- so it is", str(SIX), "--out", str(path)))

    quoted = str(path).replace("'", "''")
    found = duckdb.connect().execute(f"select issues, parties, finished from '{quoted}'")
    assert found.fetchall() == [(2, ["us", "ru", "de", "cn", "ua", "nato"], True)]
    kept = duckdb.connect().execute(
        f"select decode(key), decode(value) from parquet_kv_metadata('{quoted}')"
    )
    assert ("notice", NOTICE) in kept.fetchall()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_every_view_is_exported_for_notebooks(tmp_path: Path) -> None:
    said(tracktwo_query("--export", str(tmp_path / "tables"), str(EXAMPLES)))

    con = duckdb.connect()
    for view in VIEWS.values():
        path = tmp_path / "tables" / f"{view.name}.parquet"
        names = con.execute(f"select column_name from (describe from '{path}')").fetchall()
        assert [name for (name,) in names] == [column.name for column in view.columns]
    votes = con.execute(f"select count(*) from '{tmp_path}/tables/votes.parquet'").fetchall()
    transcripts = [path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.jsonl")]
    assert votes == [(sum(text.count('"kind":"vote"') for text in transcripts),)]
    assert len(list((tmp_path / "tables").iterdir())) == len(VIEWS)


def test_markdown_and_terminal_show_what_others_wrote_as_text(tmp_path: Path) -> None:
    nasty = "a | b\n| c \x1b[31mred [bold]x[/] <script> \\"
    room = a_room().opens().says("us", nasty)
    path = put(room.closes().transcript, tmp_path / "talks.jsonl")

    markdown = said(tracktwo_query("select statement s from turns", str(path), "--format=markdown"))
    table = said(tracktwo_query("select statement s from turns", str(path)))

    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert rows[2:] == ["| a \\| b \\| c [31mred [bold]x[/] \u2039script\u203a \\\\ |"]
    assert "a | b | c [31mred [bold]x[/] \u2039script\u203a \\" in table
    assert "\x1b" not in markdown + table


def test_text_that_a_spreadsheet_would_run_is_made_inert_in_csv(tmp_path: Path) -> None:
    room = a_room().opens().says("us", "=HYPERLINK(1)").says("ru", "Plain, with a comma.")
    path = put(room.closes().transcript, tmp_path / "talks.jsonl")

    text = said(tracktwo_query("select statement, -1 n from turns", str(path), "--format", "csv"))

    found = [(row["statement"], row["n"]) for row in csv.DictReader(StringIO(text))]
    assert found == [("'=HYPERLINK(1)", "-1"), ("Plain, with a comma.", "-1")]


def test_a_table_keeps_to_the_width_of_the_terminal() -> None:
    narrow = Console(width=40, file=StringIO(), force_terminal=True, color_system=None)

    _show(narrow, answer("select repeat('long ', 40) a, 1234567 n, 7654321 m, repeat('x', 90) b"))

    assert isinstance(narrow.file, StringIO)
    lines = narrow.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 40
    assert any("1234567" in line and "7654321" in line for line in lines), "no number is cut"


@pytest.mark.parametrize(
    ("sql", "shown"),
    [("0.123456", "0.1235"), ("12345.678", "12345.7"), ("1e-7", "1e-07"), ("'nan'", "nan")],
)
def test_numbers_in_a_table_have_the_digits_that_count(sql: str, shown: str) -> None:
    console = Console(width=40, file=StringIO())

    _show(console, answer(f"select {sql}::double n"))

    assert isinstance(console.file, StringIO)
    assert console.file.getvalue().split()[2] == shown


def test_a_long_table_says_that_it_is_cut() -> None:
    console = Console(width=40, file=StringIO())

    _show(console, answer("select i from range(1001) t(i)"))

    assert isinstance(console.file, StringIO)
    assert "The first 1,000 rows; --format csv has" in console.file.getvalue()


def test_all_rows_are_in_the_other_formats(tmp_path: Path) -> None:
    sql = "select i, i as i, debate from debates, range(2500) t(i)"

    said(tracktwo_query(sql, str(SIX), "--out", str(tmp_path / "a.json")))

    rows = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["rows"]
    assert [row["i"] for row in rows] == list(range(2500))
    assert set(rows[0]) == {"i", "i_1", "debate"}


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("select 'nan'::double v", None),
        ("select 'inf'::double v", None),
        ("select date '2021-06-16' v", "2021-06-16"),
        ("select map(['us'], [[1.5]]) v", {"us": [1.5]}),
        ("select 170141183460469231731687303715884105727::hugeint v", 2**127 - 1),
        ("select 1.50::decimal(5, 2) v", 1.5),
    ],
)
def test_every_value_has_a_place_in_json(sql: str, value: object) -> None:
    found = json.loads(said(tracktwo_query(sql, str(SIX), "--format", "json")))

    assert found["rows"] == [{"v": value}]


def test_a_question_may_be_long() -> None:
    sql = f"select count(*) n from debates where debate not in ('{'x' * 5000}')"

    assert "1" in said(tracktwo_query(sql, str(SIX))).split()


def test_show_describe_and_pivot_are_questions_too() -> None:
    assert "decisions" in said(tracktwo_query("show tables", str(SIX)))
    assert "setting_sha" in said(tracktwo_query("describe debates", str(SIX)))
    pivoted = said(tracktwo_query("pivot decisions on outcome using count(*)", str(SIX)))
    assert "bracketed" in pivoted


def test_the_views_are_explained_with_a_question_each() -> None:
    text = said(tracktwo_query("--views"))

    for view in VIEWS.values():
        assert view.meaning in text
        assert view.examples[0].sql in text
        for column in view.columns:
            assert f"{column.name} " in text
            assert column.meaning in text


def test_the_schema_is_sql() -> None:
    con = duckdb.connect()

    con.execute(said(tracktwo_query("--schema")))

    made = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
    assert made == set(VIEWS)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    words = refused(tracktwo_query("--export", str(tmp_path / "file" / "tables"), str(SIX)))
    assert "cannot be written: Not a directory" in words
    (tmp_path / "a.csv").mkdir()
    (tmp_path / "a.parquet").mkdir()
    for name in ("a.csv", "a.parquet"):
        out = str(tmp_path / name)
        words = refused(tracktwo_query("from debates", str(SIX), "--out", out))
        assert f"{name} cannot be written: Is a directory" in words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.parquet", "file"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Ask something"),
        ((str(SIX),), "is a path; the question comes first"),
        (("from debates", "nowhere.jsonl"), "nowhere.jsonl does not exist"),
        (("from debates", str(SIX), "--format", "parquet"), "--out FILE.parquet"),
        (("from debates", str(SIX), "--out", "answer.txt"), "say what to write"),
        (("from debates", str(SIX), "--out", "nowhere/a.csv"), "the folder nowhere does not exist"),
        (("select * from debatez", str(SIX)), "did you mean 'debates'?\nLINE 1: "),
        (("select firmnes from debates", str(SIX)), "firmness is a column of positions"),
        (("copy debates to 'x.csv'", str(SIX)), "COPY does more than ask"),
        (("attach 'x.db'", str(SIX)), "ATTACH does more than ask"),
        (("select * from read_csv('/etc/passwd')", str(SIX)), "Cannot access file"),
        (("select * from read_text('/etc/passwd'), debates", str(SIX)), "Cannot access file"),
        (("select 1; drop table debates", str(SIX)), "One question at a time"),
        (("select chair::int from debates", str(SIX)), "Could not convert string 'reference'"),
        (("explain from debates", str(SIX), "--out", "x.parquet"), "requires a SELECT"),
    ],
)
def test_what_the_user_can_mend_is_one_sentence(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert words in refused(tracktwo_query(*arguments))
    assert not list(tmp_path.iterdir())


def test_a_transcript_is_never_written_over(tmp_path: Path) -> None:
    path = Path(shutil.copy(SIX, tmp_path / "talks.jsonl"))

    words = refused(tracktwo_query("from debates", str(path), "--format=json", "--out", str(path)))

    assert "is a transcript or its scores" in words
    assert path.read_bytes() == SIX.read_bytes()


def test_an_answer_that_breaks_off_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old", encoding="utf-8")
    late = "select case when i < 200000 then i else error('late') end v from range(300000) t(i)"

    assert "late" in refused(tracktwo_query(late, str(SIX), "--out", str(path)))

    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_question_that_takes_too_long_can_be_interrupted() -> None:
    long = "select count(*) from range(20_000_000_000) t(i) where i % 7 = 3"
    con = connection()
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        ask(con, long)


@pytest.mark.parametrize("language", ["sh", "python"])
def test_what_the_documentation_shows_runs(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (EXAMPLES.parents[1] / "docs" / "queries.md").read_text(encoding="utf-8")
    shutil.copytree(EXAMPLES, tmp_path / "transcripts" / "examples")
    monkeypatch.chdir(tmp_path)

    blocks = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)

    assert blocks
    for block in blocks:
        if language == "python":
            exec(compile(block, "queries.md", "exec"), {})
            continue
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            assert words[:2] == ["tracktwo", "query"]
            said(tracktwo_query(*words[2:]))


def test_no_bar_of_progress_is_drawn_into_an_answer() -> None:
    rows = ask(connection(), "select current_setting('enable_progress_bar')").rows

    assert list(rows) == [(False,)]
