"""Transcripts and scores as tables: SQL says what the record says, and nothing else opens."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import duckdb
import numpy
import pytest
from duckdb import DuckDBPyConnection
from typer.testing import CliRunner

from evals import scores
from evals.evaluator import Evidence, Failure, Interval, Judged, Result, Score
from evals.outcomes import agreement
from evals.warehouse import VIEWS, open_warehouse
from evals.warehouse.asking import understood
from evals.warehouse.shape import View
from harness import cli
from harness import events as e
from harness.errors import UserError
from harness.setting import Rules
from harness.transcript import Transcript, dump, read
from tests.evals.room import Room, a_party, a_position, a_setting, an_issue, an_item

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "transcripts" / "examples").glob("*.jsonl"))
EMBEDDED = ROOT / "transcripts" / "examples" / "embedded-model-guarded.jsonl"
SIX = ROOT / "transcripts" / "examples" / "six-parties-on-nord-stream-2.jsonl"
QUESTIONS = re.findall(
    r"```sql\n(.*?)```", (ROOT / "docs" / "queries.md").read_text(encoding="utf-8"), re.DOTALL
)

EXPERIMENT = """
id: small
question: Does the rule for the chair matter?
setting: geneva-2021
agenda: summit
items: [sanctions, syria]
seeds: 2
common: {model: reference, rules: {rounds: 1}}
arms:
  - {id: dossier, prompt: dossier}
  - {id: longer, prompt: dossier, rules: {rounds: 2}}
variations:
  - {id: turned, what: seats reversed, reverse_seats: true}
baseline: dossier
beside: [no-talk]
primary: {metric: concordance/in_line, of: debate, smallest: 0.1}
"""


def tracktwo(*arguments: str) -> None:
    done = CliRunner().invoke(cli.app, list(arguments))
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"


def rows(con: DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return con.execute(sql).fetchall()


def dicts(con: DuckDBPyConnection, sql: str) -> list[dict[str, object]]:
    found = con.execute(sql)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def put(transcript: Transcript, path: Path) -> Path:
    path.write_text("".join(f"{dump(event)}\n" for event in transcript.events), encoding="utf-8")
    return path


def a_room(**rules: object) -> Room:
    item = an_item(an_issue("scope"), an_issue("depth"))
    parties = a_party("us", a_position("us-1")), a_party("ru", a_position("ru-1"))
    return Room(a_setting(*parties, items=(item,)), Rules.model_validate(rules))


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an experiment, held and scored; nobody may write to it."""
    base = tmp_path_factory.mktemp("experiments")
    (base / "small.yaml").write_text(EXPERIMENT, encoding="utf-8")
    tracktwo("experiment", str(base / "small.yaml"), "--out", str(base / "small"), "--quiet")
    debates = [p for p in sorted((base / "small").glob("*.jsonl")) if p.stem != "declared"]
    tracktwo("score", *map(str, debates), "--quiet")
    return base / "small"


@pytest.fixture(scope="session")
def everything(experiment: Path) -> DuckDBPyConnection:
    """All views of the experiment and of a debate that belongs to none; to be asked only."""
    return open_warehouse([experiment, EMBEDDED])


@pytest.fixture
def held(experiment: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(experiment, tmp_path / "small"))


# --- what is in the tables is what is on record ---


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_debate_in_a_row_is_the_debate_on_record(path: Path) -> None:
    transcript = read(path)
    outcomes = Counter(issue.outcome for issue in transcript.state.issues.values())
    asked = [call for call in transcript.calls if call.started is not None]

    (row,) = dicts(open_warehouse([path], ["debates"]), "from debates")

    assert row["debate"] == transcript.header.debate
    assert row["items"] == [item.id for item in transcript.setting.items]
    assert row["parties"] == [party.id for party in transcript.setting.parties]
    seats = {seat.seat: seat for seat in transcript.card.seats}
    assert row["models"] == {p.id: seats[p.id].model for p in transcript.setting.parties}
    assert row["prompts"] == {p.id: seats[p.id].prompt for p in transcript.setting.parties}
    assert row["chair"] == seats["chair"].model
    assert row["finished"] is True
    assert row["adopted"] == outcomes["adopted"]
    assert row["bracketed"] == outcomes["bracketed"]
    assert row["open"] == outcomes["open"]
    assert row["undecided"] == 0
    assert row["issues"] == len(transcript.state.issues)
    turns = {event.turn for event in transcript.events if isinstance(event, e.TurnEvent)}
    assert row["turns"] == len(turns)
    assert row["calls"] == len(asked)
    assert row["tokens_read"] == sum(call.usage.input for call in asked)
    assert row["tokens_written"] == sum(call.usage.output for call in asked)
    assert row["seconds"] == pytest.approx(sum(call.latency for call in asked))
    assert row["notice"] == e.NOTICE
    assert row["arm"] is None


def test_turns_and_calls_are_those_on_record() -> None:
    transcript = read(EMBEDDED)
    con = open_warehouse([EMBEDDED], ["turns", "calls"])
    said = {s.turn: s for s in transcript.events if isinstance(s, e.Statement)}
    asked = {call.call: call for call in transcript.calls}

    turns = dicts(con, "from turns")
    calls = dicts(con, "from calls")

    assert {str(turn["turn"]) for turn in turns} >= said.keys()
    for turn in turns:
        statement = said.get(str(turn["turn"]))
        assert turn["statement"] == (statement and statement.text)
        if statement is not None:
            words = (turn["party"], turn["item"], turn["phase"], turn["round"], turn["call"])
            expected = (statement.party, statement.item, statement.phase, statement.round)
            assert words == (*expected, statement.call)
            assert turn["citations"] == list(statement.citations)
            assert turn["words"] == len(statement.text.split())
    assert len(calls) == len(asked)
    for row in calls:
        call = asked[str(row["call"])]
        usage = (row["tokens_read"], row["tokens_cached"], row["tokens_written"])
        assert usage == (call.usage.input, call.usage.cached, call.usage.output)
        assert (row["model"], row["reply"], row["finish"]) == (call.model, call.reply, call.finish)
        assert (row["seconds"], row["by_model"]) == (call.latency, call.started is not None)
        assert (row["seat"], row["attempt"]) == (call.seat, int(call.call.rpartition("#")[2]))
        assert row["item"] == call.call.partition("/")[0]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_moves_votes_and_decisions_are_those_on_record(path: Path) -> None:
    transcript = read(path)
    con = open_warehouse([path], ["moves", "votes", "decisions"])
    moves = [m for m in transcript.events if isinstance(m, e.MoveMade | e.RuledOut)]
    votes = [v for v in transcript.events if isinstance(v, e.VoteCast)]
    decided = [d for d in transcript.events if isinstance(d, e.Decided)]

    assert rows(
        con,
        "select seq, turn, party, move, issue, option, offer, because, in_return_for, in_order "
        "from moves order by seq",
    ) == [
        (
            m.seq, m.turn, m.party, m.move.move, m.move.issue, m.move.option, m.move.offer,
            m.move.because, m.move.in_return_for, isinstance(m, e.MoveMade),
        )
        for m in moves
    ]  # fmt: skip
    assert rows(
        con, "select seq, party, item, issue, option, vote, because from votes order by seq"
    ) == [(v.seq, v.party, v.item, v.issue, v.option, v.vote, v.because) for v in votes]
    assert rows(
        con,
        "select seq, issue, outcome, decided_by, option, accept, reserve, reject, abstain, missing,"
        " brackets from decisions order by seq",
    ) == [
        (
            d.seq, d.issue, d.outcome, d.by, d.option, list(d.accept), [r.party for r in d.reserve],
            list(d.reject), list(d.abstain), list(d.missing),
            [{"option": b.option, "holders": list(b.holders)} for b in d.brackets],
        )
        for d in decided
    ]  # fmt: skip


def test_positions_seats_and_options_are_those_of_the_run_cards() -> None:
    setting = read(SIX).setting
    con = open_warehouse([SIX, EMBEDDED], ["positions", "seats", "options", "debates"])

    found = rows(
        con,
        "select party, position, kind, firmness, confidential, statement, supports, opposes, "
        f"published::varchar, url from positions where item = '{setting.items[0].id}'",
    )
    texts = rows(
        con,
        "select o.issue, option, label, text from options o join debates d using (setting_sha) "
        f"where file like '%six%' and o.item = '{setting.items[0].id}'",
    )

    assert sorted(found, key=str) == sorted(
        (
            (
                party.id, p.id, p.kind, p.firmness, p.visibility == "confidential", p.statement,
                list(p.supports), list(p.opposes), str(p.source.date), p.source.url,
            )
            for party in setting.parties
            for p in party.positions
        ),
        key=str,
    )  # fmt: skip
    assert sorted(texts, key=str) == sorted(
        (
            (issue.id, option.id, option.label, option.text)
            for item in setting.items
            for issue in item.issues
            for option in issue.options
        ),
        key=str,
    )
    seats = rows(con, "select seat, guard from seats where file like '%embedded%' order by seat")
    assert seats == sorted((seat.seat, seat.guard) for seat in read(EMBEDDED).card.seats)


def test_a_position_that_many_debates_share_is_there_once(tmp_path: Path) -> None:
    for number in range(3):
        shutil.copy(SIX, tmp_path / f"copy-{number}.jsonl")

    con = open_warehouse([tmp_path], ["positions", "debates"])

    positions = sum(len(party.positions) for party in read(SIX).setting.parties)
    assert rows(con, "select count(*) from positions") == [(positions,)]
    assert rows(con, "select count(distinct file) from debates") == [(3,)]


def test_what_lapsed_with_its_package_is_not_agreed(tmp_path: Path) -> None:
    room = a_room(package="agenda", decision="consensus").opens()
    room.votes("scope/a", us="accept", ru="accept").votes("depth/a", us="accept", ru="reject")
    path = put(room.closes().transcript, tmp_path / "talks.jsonl")
    assert room.state.issues["scope"].lapsed

    con = open_warehouse([path], ["debates", "decisions"])

    assert rows(con, "select adopted, bracketed, open from debates") == [(0, 2, 0)]
    assert rows(con, "select issue, outcome, lapsed from decisions order by seq") == [
        ("scope", "adopted", True),
        ("depth", "bracketed", False),
    ]


def test_a_turn_without_an_answer_is_a_failure_and_no_vote(tmp_path: Path) -> None:
    room = a_room().opens().says("us", "Hear me.").fails("ru", "timeout")
    room.votes("scope/a", us="accept", ru=None)
    path = put(room.closes().transcript, tmp_path / "talks.jsonl")

    con = open_warehouse([path], ["turns", "votes", "debates", "decisions"])

    failed = rows(con, "select party, failure, statement, votes from turns where failure notnull")
    assert failed == [("ru", "timeout", None, 0), ("ru", "unreadable", None, 0)]
    assert rows(con, "select party, vote from votes") == [("us", "accept")]
    assert rows(con, "select failed_turns from debates") == [(2,)]
    assert rows(con, "select missing from decisions where issue = 'scope'") == [(["ru"],)]


def test_what_was_not_for_everyone_is_marked(tmp_path: Path) -> None:
    room = a_room().opens().says("us", "For all.")
    room.enters("caucus").says("us", "Between us.", audience=("us", "ru"))
    place = room.of("ru")
    room.says("ru", "Aloud.", of=place)
    room.add(e.Note(**place.__dict__, audience=("ru",), text="To myself."))
    path = put(room.closes().transcript, tmp_path / "talks.jsonl")

    con = open_warehouse([path], ["turns", "events"])

    assert rows(con, "select statement, private, note from turns order by seq") == [
        ("For all.", False, None),
        ("Between us.", True, None),
        ("Aloud.", False, "To myself."),
    ]
    assert rows(con, "select words from events where private order by seq") == [
        ("Between us.",),
        ("To myself.",),
    ]


def test_confidential_positions_are_marked(tmp_path: Path) -> None:
    party = a_party("us", a_position("us-1"), a_position("us-x", visibility="confidential"))
    setting = a_setting(party, a_party("ru"), items=(an_item(an_issue("scope")),))
    path = put(Room(setting).opens().transcript, tmp_path / "talks.jsonl")

    con = open_warehouse([path], ["positions"])

    marked = rows(con, "select position, confidential from positions order by 1")
    assert marked == [("us-1", False), ("us-x", True)]


# --- files as they are found ---


def test_a_debate_under_way_is_read_as_far_as_its_whole_lines_go(tmp_path: Path) -> None:
    data = SIX.read_bytes()
    lines = data.splitlines(keepends=True)
    torn = tmp_path / "torn.jsonl"
    torn.write_bytes(b"".join(lines[:60]) + lines[60][:40])
    unended = tmp_path / "unended.jsonl"
    unended.write_bytes(b"".join(lines[:60]) + lines[60].rstrip(b"\n"))
    shutil.copy(SIX, tmp_path / "whole.jsonl")

    con = open_warehouse([tmp_path], ["events", "debates"])

    for path in (torn, unended):
        kept = len(read(path).events)
        found = rows(con, f"select count(*) from events where file like '%{path.name}'")
        assert found == [(kept,)]
        assert kept == 60
    states = rows(con, "select debate, finished, undecided > 0 from debates order by file")
    assert [(finished, left) for _, finished, left in states] == [
        (False, True),
        (False, True),
        (True, False),
    ]
    assert torn.read_bytes().endswith(lines[60][:40]), "the file itself is left alone"


def test_a_torn_end_after_the_close_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_bytes(SIX.read_bytes() + b'{"seq":9999,"kind":"resu')

    con = open_warehouse([path], ["events"])

    assert rows(con, "select count(*) from events") == [(len(read(path).events),)]


def test_a_line_that_cannot_be_read_is_named_and_not_left_out(tmp_path: Path) -> None:
    lines = SIX.read_bytes().splitlines(keepends=True)
    path = tmp_path / "talks.jsonl"
    path.write_bytes(b"".join([*lines[:20], b'{"seq":20,"kind":"vo\n', *lines[21:]]))

    with pytest.raises(UserError, match=r"talks\.jsonl:21: .*Move the file away"):
        open_warehouse([tmp_path], ["events"])


def test_what_is_no_transcript_is_passed_over_in_a_folder(held: Path) -> None:
    debates = len([p for p in held.glob("*.jsonl") if ".scores" not in p.name]) - 1
    (held / "calls.judge-calls.jsonl").write_text('{"kind":"asked"}\n', encoding="utf-8")
    (held / "empty.jsonl").touch()
    (held / "broken").mkdir()
    shutil.copy(SIX, held / "broken" / "set-aside.jsonl")
    (held / ".hidden").mkdir()
    shutil.copy(SIX, held / ".hidden" / "six.jsonl")

    con = open_warehouse([held.parent], ["debates"])

    assert rows(con, "select count(*) from debates") == [(debates,)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("other.jsonl", '{"kind":"asked"}\n', "neither a transcript nor a file of scores"),
        (
            "newer.jsonl",
            '{"kind":"header","format":"tracktwo transcript","schema_version":9}\n',
            "format 9 is not known",
        ),
        ("missing.jsonl", None, "does not exist"),
    ],
)
def test_a_file_that_cannot_be_asked_is_said_to_be_so(
    name: str, content: str | None, words: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")

    with pytest.raises(UserError, match=words):
        open_warehouse([tmp_path / name])


def test_a_folder_without_transcripts_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no transcript in"):
        open_warehouse([tmp_path])


def test_names_of_files_are_names_and_no_patterns(tmp_path: Path) -> None:
    shutil.copy(SIX, tmp_path / "talks [1]*.jsonl")
    shutil.copy(EMBEDDED, tmp_path / "talks 1x.jsonl")

    con = open_warehouse([tmp_path / "talks [1]*.jsonl"], ["debates"])

    assert rows(con, "select file like '%talks [1]*.jsonl', debate from debates") == [
        (True, "six-parties-on-nord-stream-2")
    ]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = Path(shutil.copy(SIX, tmp_path / "talks.jsonl"))

    con = open_warehouse([tmp_path, path], ["debates"])

    assert rows(con, "select count(*) from debates") == [(1,)]


# --- scores ---


def scored(path: Path, *results: Result) -> None:
    scores.write(path, [agreement], results)


def a_score(metric: str, value: float | bool | None, **more: object) -> Score:
    fields = {"evaluator": "trial", "version": 1, "subject": "debate", "metric": metric, "n": 3}
    return Score.model_validate({**fields, "value": value, "reason": "so it is", **more})


def test_scores_are_those_of_the_file_and_no_value_is_null(tmp_path: Path) -> None:
    path = Path(shutil.copy(SIX, tmp_path / "talks.jsonl"))
    judge = Judged(judge="local", rubric="tone", rubric_sha="x", wording_sha="y")
    evidence = (
        Evidence(seq=4, turn="T1", quote="aloud"),
        Evidence(seq=5, quote="aside", private=True),
    )
    scored(
        path,
        a_score("gate", True, evidence=evidence),
        a_score("none", None, n=0, unscored=2),
        a_score("share", 0.25, hits=1, interval=Interval(low=0.1, high=0.6), judge=judge),
        a_score("of", 2, subject="party:us/issue:gas"),
        Failure(evaluator="trial", version=1, subject="party:ru", metric="*", why="it broke"),
    )

    con = open_warehouse([path], ["scores", "failures", "evidence"])

    assert rows(
        con,
        "select metric, value, n, hits, unscored, low, high, judge, calibrated, party, issue, stale"
        " from scores order by metric",
    ) == [
        ("gate", 1.0, 3, None, 0, None, None, None, None, None, None, False),
        ("none", None, 0, None, 2, None, None, None, None, None, None, False),
        ("of", 2.0, 3, None, 0, None, None, None, None, "us", "gas", False),
        ("share", 0.25, 3, 1, 0, 0.1, 0.6, "local", False, None, None, False),
    ]
    assert rows(con, "select metric, party, why from failures") == [("*", "ru", "it broke")]
    assert rows(con, "select metric, seq, turn, quote, private from evidence order by seq") == [
        ("gate", 4, "T1", "aloud", False),
        ("gate", 5, None, "aside", True),
    ]


def test_real_scores_come_out_as_they_were_written(experiment: Path) -> None:
    con = open_warehouse([experiment], ["scores", "failures", "evidence"])
    files = [scores.read(path) for path in experiment.glob("*.scores.jsonl")]
    written = [r for file in files for r in file.results if isinstance(r, Score)]

    found = rows(con, "select evaluator, metric, subject, value, n, reason from scores")

    assert Counter(found) == Counter(
        (
            s.evaluator,
            s.metric,
            s.subject,
            None if s.value is None else float(s.value),
            s.n,
            s.reason,
        )
        for s in written
    )
    assert rows(con, "select count(*) from evidence") == [(sum(len(s.evidence) for s in written),)]


def test_scores_of_a_transcript_that_went_on_are_stale(tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    lines = SIX.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    scored(path, a_score("share", 0.5))
    before = rows(open_warehouse([path], ["scores"]), "select stale from scores")

    path.write_bytes(b"".join(lines))

    assert before == [(False,)]
    assert rows(open_warehouse([path], ["scores"]), "select stale from scores") == [(True,)]
    path.rename(tmp_path / "elsewhere")
    assert rows(open_warehouse([tmp_path], ["scores"]), "select stale from scores") == [(None,)]


# --- experiments ---


def test_every_debate_of_an_experiment_has_its_arm_scenario_and_seed(experiment: Path) -> None:
    con = open_warehouse([experiment], ["debates", "cells"])

    found = dicts(con, "from debates")
    cells = dicts(con, "from cells")

    assert len(found) == len(cells) == 2 * 2 * 2 * 2 + 2 * 2
    for row in found:
        arm = f"{row['arm']}.{row['variation']}" if row["variation"] else row["arm"]
        assert str(row["debate"]).startswith(f"{arm}.{row['scenario']}.s{row['seed']:02d}-")
        assert row["items"] == [row["scenario"]]
        assert row["experiment"] == "small"
        assert row["standing"] is True
    assert {(row["arm"], row["role"]) for row in cells} == {
        ("dossier", "baseline"),
        ("longer", "arm"),
        ("no-talk", "yardstick"),
    }
    assert all(row["finished"] and row["broke"] == 0 for row in cells)
    assert {row["file"] for row in cells} == {row["file"] for row in found}


def test_what_is_missing_or_broke_off_is_in_the_plan(held: Path) -> None:
    (gone,) = held.glob("longer.syria.s02-????????.jsonl")
    gone.unlink()
    broken = {"debate": gone.stem, "at": "now", "attempt": 2, "why": "the server is gone"}
    (held / "failures.jsonl").write_text(json.dumps(broken) + "\n", encoding="utf-8")

    con = open_warehouse([held], ["cells"])

    missing = (
        "select arm, variation, scenario, seed, file, broke, why from cells where not finished"
    )
    assert rows(con, missing) == [
        ("longer", None, "syria", 2, None, 1, "the server is gone"),
    ]


def test_a_debate_that_is_no_longer_asked_for_as_it_was_held_is_marked(held: Path) -> None:
    (path,) = held.glob("longer.syria.s02-????????.jsonl")
    path.rename(held / "longer.syria.s02-0123abcd.jsonl")

    con = open_warehouse([held], ["debates", "cells"])

    assert rows(con, "select arm, scenario, seed from debates where not standing") == [
        ("longer", "syria", 2)
    ]
    assert rows(con, "select arm, scenario, seed from cells where not finished") == [
        ("longer", "syria", 2)
    ]


def test_arms_that_were_declared_once_keep_their_debates(held: Path) -> None:
    declared = json.loads((held / "declared.jsonl").read_text(encoding="utf-8"))
    arms = [{"id": "dossier", "prompt": "dossier"}, {"id": "terse", "prompt": "terse"}]
    later = declared["experiment"] | {"arms": arms}
    with (held / "declared.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(declared | {"sha": "later", "experiment": later}) + "\n")

    con = open_warehouse([held], ["debates", "cells"])

    assert rows(con, "select distinct arm, standing from debates order by 1") == [
        ("dossier", True),
        ("longer", False),
        ("no-talk", True),
    ]
    assert rows(con, "select distinct arm from cells where not finished") == [("terse",)]


def test_where_prompts_are_not_at_hand_the_arm_is_known_and_standing_is_not(held: Path) -> None:
    declared = json.loads((held / "declared.jsonl").read_text(encoding="utf-8"))
    declared["experiment"]["arms"][1]["prompt"] = "prompts/of-somebody-else.md.j2"
    (held / "declared.jsonl").write_text(json.dumps(declared) + "\n", encoding="utf-8")

    con = open_warehouse([held], ["debates", "cells"])

    assert rows(con, "select distinct arm, standing from debates order by 1") == [
        ("dossier", None),
        ("longer", None),
        ("no-talk", None),
    ]
    assert rows(con, "select count(*) from cells where finished") == [(20,)]


@pytest.mark.parametrize("spoilt", ["{", '{"sha": "x"}'])
def test_a_folder_that_is_no_experiment_any_more_claims_nothing(held: Path, spoilt: str) -> None:
    (held / "declared.jsonl").write_text(spoilt + "\n", encoding="utf-8")

    con = open_warehouse([held], ["debates", "cells"])

    assert rows(con, "select distinct experiment, arm, standing from debates") == [
        (None, None, None)
    ]
    assert rows(con, "select count(*) from cells") == [(0,)]


# --- nothing else opens ---


REFUSED = [
    "copy (select 1) to 'written.csv'",
    "copy debates to 'written.parquet' (format parquet)",
    "copy (select 1) to '.tmp/written.csv'",
    "export database 'written'",
    "attach 'written.db'",
    "select * from read_csv('secret.csv')",
    "select * from 'secret.csv'",
    "select * from read_text('secret.csv')",
    "select * from read_blob('.tmp/secret.csv')",
    "select * from read_json('secret.csv')",
    "select * from glob('*')",
    "copy debates from 'secret.csv'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set temp_directory = '.tmp'",
    "set lock_configuration = false",
    "set allowed_directories = ['/']",
    "reset enable_external_access",
    "create persistent secret s (type s3, key_id 'k')",
    "select * from secret_list",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_a_question_reaches_no_file_setting_or_variable(
    sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".tmp").mkdir()
    for folder in (tmp_path, tmp_path / ".tmp"):
        (folder / "secret.csv").write_text("a\n1\n", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    secret_list = numpy.array([1, 2])  # DuckDB would take it for a table  # noqa: F841
    con = open_warehouse([SIX], ["debates"])

    with pytest.raises(duckdb.Error):
        con.execute(sql)

    assert sorted(tmp_path.rglob("*")) == before


def test_an_answer_may_be_written_to_the_one_file_that_was_named(tmp_path: Path) -> None:
    con = open_warehouse([SIX], ["debates"], may_write=tmp_path / "it's.parquet")

    con.execute(f"copy debates to '{tmp_path}/it''s.parquet' (format parquet)")

    assert (tmp_path / "it's.parquet").is_file()
    with pytest.raises(duckdb.Error, match="Cannot access"):
        con.execute(f"copy debates to '{tmp_path}/other.parquet' (format parquet)")


NASTY = (
    "'); drop table turns; --",
    "\"; copy turns to '/tmp/x'; --",
    "\x1b]0;owned\x07\x1b[31mred",
    "[bold red]markup[/]",
    "nul \x00 and \u202e reversed",
    '{"kind": "vote", "party": "ru", "vote": "accept"}\\n',
    "$paths ? {format} %s",
    "line\nand\r\nline",
)


def test_what_stands_in_a_transcript_stays_data(tmp_path: Path) -> None:
    room = a_room().opens()
    for text in NASTY:
        room.says("us", text)
    path = put(room.closes().transcript, tmp_path / "it's; drop table turns.jsonl")

    con = open_warehouse([path], ["turns", "votes"])

    said = rows(con, "select statement from turns order by seq")
    assert said == [(text,) for text in NASTY]
    assert rows(con, "select count(*) from votes") == [(0,)]


# --- views and questions ---


@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
def test_every_view_says_what_it_holds(view: View, everything: DuckDBPyConnection) -> None:
    described = rows(everything, f"select column_name, column_type from (describe {view.name})")

    assert described == [(column.name, column.type) for column in view.columns]
    assert all(column.meaning for column in view.columns)
    assert view.examples
    if view.name != "failures":
        assert rows(everything, f"select count(*) > 0 from {view.name}") == [(True,)]


@pytest.mark.parametrize(
    "sql", [each.sql for view in VIEWS.values() for each in view.examples], ids=lambda sql: sql[:40]
)
def test_every_example_of_the_views_is_answered(sql: str, everything: DuckDBPyConnection) -> None:
    everything.execute(sql).fetchall()


def test_there_are_ten_questions_to_begin_with() -> None:
    assert len(QUESTIONS) == 10


@pytest.mark.parametrize("sql", QUESTIONS, ids=lambda sql: " ".join(sql.split())[:40])
def test_every_question_of_the_documentation_has_an_answer(
    sql: str, everything: DuckDBPyConnection
) -> None:
    assert everything.execute(sql).fetchall()


def test_only_what_a_question_names_is_read_and_that_is_enough(experiment: Path) -> None:
    con = open_warehouse([experiment], understood(QUESTIONS[0]))

    assert con.execute(QUESTIONS[0]).fetchall()
    with pytest.raises(duckdb.CatalogException):
        con.execute("from votes")


def test_the_documentation_lists_every_view() -> None:
    listed = re.findall(
        r"^\| `(\w+)` \|", (ROOT / "docs" / "queries.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert listed == list(VIEWS)


def test_the_mean_of_an_arm_is_that_of_its_scores(
    experiment: Path, everything: DuckDBPyConnection
) -> None:
    """The second question, worked out without SQL."""
    by_scenario: dict[tuple[str, str], list[float]] = {}
    for path in experiment.glob("*.scores.jsonl"):
        arm, scenario = path.name.split(".")[0], path.name.split(".")[-4]
        for s in scores.read(path).results:
            name = (s.evaluator, s.metric, s.subject)
            wanted = name == ("concordance", "in_line", "debate")
            if isinstance(s, Score) and wanted and s.value is not None:
                by_scenario.setdefault((arm, scenario), []).append(float(s.value))
    means: dict[str, list[float]] = {}
    for (arm, _), values in by_scenario.items():
        means.setdefault(arm, []).append(sum(values) / len(values))

    found = {str(row[0]): row[1] for row in rows(everything, QUESTIONS[1])}

    assert means
    assert {arm: value for arm, value in found.items() if value is not None} == {
        arm: pytest.approx(sum(values) / len(values)) for arm, values in means.items()
    }


@pytest.mark.parametrize(
    ("sql", "views"),
    [
        ("select * from Debates", ("debates",)),
        ("select 1 from turns t join votes using (file)", ("turns", "votes")),
        ("show tables", tuple(VIEWS)),
    ],
)
def test_only_the_views_that_are_named_are_read(sql: str, views: tuple[str, ...]) -> None:
    assert understood(sql) == views


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select * form debates", ["syntax error", "LINE 1: select * form debates\n", "^"]),
        ("select * from debatez", ["did you mean 'debates'?", "LINE 1: select * from debatez\n"]),
        ("select filez\nfrom debates", ["file is a column of debates", "LINE 1: select filez\n"]),
        ("select firmnes from turns", ["firmness is a column of positions"]),
        ("select d.armm from debates d", ["arm is a column of debates, cells"]),
        ("select 1; select 2", ["One question at a time", "2 statements"]),
        ("", ["0 statements"]),
        ("copy (select 1) to 'x'", ["COPY does more than ask"]),
        ("drop table debates", ["DROP does more than ask"]),
        ("select * from read_csv('/etc/passwd')", ["Cannot access file"]),
    ],
)
def test_what_is_wrong_with_a_question_is_said_with_its_place(sql: str, words: list[str]) -> None:
    with pytest.raises(UserError) as raised:
        understood(sql)

    for each in words:
        assert each in str(raised.value)


def test_a_view_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'votes'"):
        open_warehouse([SIX], ["vote"])


def test_without_the_package_the_user_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)

    with pytest.raises(UserError, match=r"pip install 'tracktwo\[analysis\]'"):
        open_warehouse([SIX])
