"""The page of an experiment: what was declared, its debates arm by arm, and its results."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from evals.scores import scores_path
from harness.experiment.folder import Broken, Folder
from harness.experiment.reading import load_experiment
from harness.sweep.running import run_experiment
from harness.viewer.app import debate, experiments, experiments_results
from harness.viewer.app.build import build
from harness.viewer.app.desk import Desk
from harness.viewer.app.experiments_plan import Shown, State, shown
from harness.viewer.app.experiments_results import Made, ResultsPages
from harness.viewer.app.index import Index
from tests.viewer.shelved import aged, put

HOME = "http://127.0.0.1"

SMALL = """
id: small
question: Do more rounds bring <more> agreement?
setting: geneva-2021
agenda: summit
items: [libya, syria, sanctions]
seeds: 2
common: {model: reference}
arms: [{id: usual}, {id: five, rules: {rounds: 5}}]
baseline: usual
beside: [no-talk]
primary: {metric: agreement/agreement_rate, of: debate, smallest: 0.125}
secondary: [{metric: concordance/in_line, of: debate}]
"""


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an experiment that was held to its end; to be copied."""
    folder = tmp_path_factory.mktemp("experiment")
    (folder / "small.yaml").write_text(SMALL)
    run_experiment(folder / "small.yaml", out=folder / "held")
    return folder / "held"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: Path) -> Path:
    """A folder with the experiment in it, as `sets/small one`."""
    monkeypatch.setenv("TRACKTWO_CACHE", str(tmp_path / "cache"))
    shutil.copytree(held, tmp_path / "f" / "sets" / "small one")
    for each in (tmp_path / "f").rglob("*.jsonl"):
        aged(each)
    return tmp_path / "f"


@pytest.fixture
def own(folder: Path) -> Path:
    """The experiment's folder."""
    return folder / "sets" / "small one"


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    app = build(Desk(folder), rooms=[experiments, debate])
    with TestClient(app, base_url=HOME) as client:
        yield client


ADDRESS = "/experiments/sets/small%20one"


def page(client: TestClient, address: str = ADDRESS) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def refused(client: TestClient, address: str) -> str:
    """What is said where there is nothing to be had."""
    answer = client.get(address)
    assert answer.status_code == 400
    return plain(answer.text.partition('role="alert"')[2])


def plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def links(shown: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'href="([^"]*)"', shown)]


def of(folder: Path, name: str = "sets/small one", *, held: tuple[str, ...] = ()) -> Shown:
    index = Index(folder)
    return shown(index, index.look(), name, held)


def states(found: Shown, arm: str) -> list[State]:
    (one,) = (each for each in found.arms if each.name == arm)
    return [each.state for scenario in one.scenarios for each in scenario.debates]


def a_debate(own: Path, arm: str, scenario: str, seed: int) -> Path:
    (path,) = (
        path
        for path in own.glob(f"{arm}.{scenario}.s{seed:02d}-*.jsonl")
        if not path.stem.endswith(".scores")
    )
    return path


def test_the_page_says_what_was_declared_and_leads_to_every_debate(
    client: TestClient, own: Path
) -> None:
    text = page(client)
    words, declared = plain(text), Folder(own).declared[-1]
    assert "Do more rounds bring <more> agreement?" in words
    assert "bring <more>" not in text
    assert "Primary metric agreement/agreement_rate, of the debate; higher is better" in words
    assert "Smallest difference that would matter 0.125" in words
    assert "Baseline usual" in words
    assert "concordance/in_line" in words
    assert declared.sha in words
    assert "before the first debate was finished" in words
    assert "18 finished" in words
    assert "rules rounds 5" in words
    debates = [each for each in links(text) if each.startswith("/debates/")]
    assert len(debates) == len(set(debates)) == 18
    for each in debates[:2]:
        answer = client.get(each.replace("/debates/", "/transcripts/"))
        assert answer.status_code == 200
    assert "/?experiment=sets%2Fsmall+one" in links(text)
    assert f"{ADDRESS}/results" in links(text)


def test_arms_stand_in_order_with_what_became_of_each_planned_debate(
    folder: Path, own: Path
) -> None:
    """Every state there is, and what lies in the folder besides."""
    five = [a_debate(own, "five", "libya", 1), a_debate(own, "five", "libya", 2)]
    unfinished, broken, gone, held = (
        a_debate(own, "five", "syria", 1), a_debate(own, "five", "syria", 2),
        a_debate(own, "five", "sanctions", 1), a_debate(own, "five", "sanctions", 2),
    )  # fmt: skip
    for path in (unfinished, held):
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:20]))
        aged(path)
    broken.write_text("{oops\n")
    gone.unlink()
    (own / "broken").mkdir()
    five[1].rename(own / "broken" / five[1].name)
    for attempt in (1, 2):
        Folder(own).broke(
            Broken(debate=five[1].stem, at="2026-11-01T10:00:00Z", attempt=attempt, why="no answer")
        )
    put(own, "by-the-way")
    found = of(folder, held=(f"sets/small one/{held.stem}",))

    assert [arm.name for arm in found.arms] == ["usual", "five", "no-talk"]
    assert [arm.role for arm in found.arms] == ["baseline", "arm", "yardstick"]
    assert states(found, "usual") == ["finished"] * 6
    assert states(found, "five") == [
        "finished", "failed", "unfinished", "broken", "missing", "under-way",
    ]  # fmt: skip
    assert found.counts["finished"] == 13
    assert sum(found.counts.values()) == 18
    linked = [d.address for a in found.arms for s in a.scenarios for d in s.debates if d.address]
    assert len(linked) == 16
    (apart,) = found.apart
    assert (apart.name, apart.words) == ("by-the-way", "8 of 12 agreed")
    assert found.aside == 1
    assert [each.why for each in found.failures] == ["no answer"] * 2


def test_what_became_of_debates_is_said_in_words(client: TestClient, own: Path) -> None:
    name = a_debate(own, "five", "libya", 2)
    Folder(own).broke(
        Broken(debate=name.stem, at="2026-11-01T10:00:00Z", attempt=2, why="<b>no</b> answer")
    )
    name.unlink()
    a_debate(own, "five", "syria", 2).write_text("{oops\n")
    text = page(client)
    words = plain(text)
    assert "seed 2 given up: <b>no</b> answer" in words
    assert "<b>no" not in text
    assert "seed 2 broken file: five.syria.s02" in words
    assert "16 finished, 1 given up, 1 broken" in words
    assert re.search(r"five arm 6 4 1 1", words)


def test_a_declaration_that_was_changed_is_shown_with_all_before_it(
    client: TestClient, own: Path, tmp_path: Path
) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL.replace("seeds: 2", "seeds: 3"))
    read = load_experiment(file)
    Folder(own).declare(read.experiment, read.source, "2026-11-20T10:00:00Z", 18)
    words = plain(page(client))
    first, last = Folder(own).declared
    assert first.sha in words
    assert f"Fingerprint {last.sha}" in words
    assert "changed since after 18 debates" in words
    assert "seeds a scenario: 2 before, 3 now" in words
    assert "18 finished, 9 not held" in words
    assert "seed 3 not held yet" in words


def test_a_plan_that_cannot_be_made_is_said_and_the_debates_are_there_all_the_same(
    client: TestClient, own: Path
) -> None:
    line = (own / "declared.jsonl").read_text()
    (own / "declared.jsonl").write_text(line.replace("geneva-2021", "geneva-1999"))
    text = page(client)
    assert "geneva-1999" in plain(text.partition('role="alert"')[2])
    assert "Debates in the folder" in plain(text)
    assert len([each for each in links(text) if each.startswith("/debates/")]) == 18
    assert f"{ADDRESS}/results" not in links(text)
    assert "geneva-1999" in refused(client, f"{ADDRESS}/results")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (b"{oops\n", "declared.jsonl:1: cannot be read"),
        (b"", "declared.jsonl holds no declaration"),
        (b"\xff\n", "declared.jsonl is no text in UTF-8"),
    ],
)
def test_a_declaration_that_cannot_be_read_is_said_and_the_debates_are_there_all_the_same(
    client: TestClient, own: Path, declared: bytes, said: str
) -> None:
    (own / "declared.jsonl").write_bytes(declared)
    text = page(client)
    assert said in plain(text)
    assert len([each for each in links(text) if each.startswith("/debates/")]) == 18
    assert said in refused(client, f"{ADDRESS}/results")


def test_failures_that_cannot_be_read_are_said(client: TestClient, own: Path) -> None:
    for damage, said in ((b"{oops\n", "failures.jsonl:1"), (b"\xff\n", "cannot be read")):
        (own / "failures.jsonl").write_bytes(damage)
        assert said in plain(page(client))


def test_only_experiments_of_the_folder_have_pages(client: TestClient, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "f" / "sets", tmp_path / "outside")
    for name in ("", ".", "nothing", "sets", "results", "..%2foutside%2fsmall%20one", "%2fetc"):
        for end in ("", "/results"):
            assert "There is no experiment" in refused(client, f"/experiments/{name}{end}")


def test_the_folder_itself_may_be_the_experiment(own: Path) -> None:
    with TestClient(build(Desk(own), rooms=[experiments, debate]), base_url=HOME) as client:
        for address in ("/experiments/", "/experiments/."):
            text = page(client, address)
            assert "18 finished" in plain(text)
            assert "/experiments/results" in links(text)
        results = page(client, "/experiments/results")
        debates = [each for each in links(results) if each.startswith("/debates/")]
        assert debates
        transcript = debates[0].replace("/debates/", "/transcripts/")
        assert client.get(transcript).status_code == 200


def test_an_experiment_may_be_called_results(client: TestClient, folder: Path, own: Path) -> None:
    shutil.copytree(own, folder / "results")
    assert "18 finished" in plain(page(client, "/experiments/results"))
    assert "simulated debates" in plain(page(client, "/experiments/results/results"))


def test_results_are_the_page_of_the_command_with_links_into_the_app(
    client: TestClient, own: Path
) -> None:
    answer = client.get(f"{ADDRESS}/results")
    assert answer.status_code == 200
    assert "Do more rounds bring &lt;more&gt; agreement?" in answer.text
    assert "18 of 18 debates held" in plain(answer.text)
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    sha = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{sha}'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    assert "http-equiv" not in answer.text
    assert "<script" not in answer.text
    assert "style=" not in answer.text

    leading = [each for each in links(answer.text) if not each.startswith(("#", "data:"))]
    assert leading[:2] == ["/", ADDRESS]
    debates = set(leading[2:])
    assert len(debates) == 18
    for each in debates:
        assert each.startswith("/debates/sets/small%20one/"), each
        assert not each.endswith(".jsonl")
        transcript = client.get(each.replace("/debates/", "/transcripts/"))
        assert transcript.status_code == 200


def test_results_write_nothing_but_scores(client: TestClient, own: Path) -> None:
    before = {path.name: path.read_bytes() for path in own.iterdir()}
    page(client, f"{ADDRESS}/results")
    after = {path.name: path.read_bytes() for path in own.iterdir()}
    assert {name: after[name] for name in before} == before
    new = after.keys() - before.keys()
    assert len(new) == 18
    assert all(name.endswith(".scores.jsonl") for name in new)


def test_results_that_cannot_be_made_say_why_and_what_to_type(
    client: TestClient, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "scipy", None)
        text = page(client)
        assert "run `pip install 'tracktwo[analysis]'`" in plain(text)
        assert f"{ADDRESS}/results" not in links(text)
        assert "tracktwo[analysis]" in refused(client, f"{ADDRESS}/results")
    page(client, f"{ADDRESS}/results")  # what stood in the way is not remembered

    in_the_way = scores_path(a_debate(own, "usual", "libya", 1))
    in_the_way.unlink()
    in_the_way.mkdir()
    said = refused(client, f"{ADDRESS}/results")
    assert in_the_way.name in said
    assert f"tracktwo results '{own}'" in said

    for path in own.glob("*.s0*.jsonl"):
        if path.is_file():
            path.unlink()
    text = page(client)
    assert "No debate of the experiment is finished yet" in plain(text)
    assert "tracktwo experiment FILE --out" in plain(text)
    assert "No debate of the experiment is finished" in refused(client, f"{ADDRESS}/results")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the experiments whose results were made, as they are."""
    names: list[str] = []

    def making(path: Path, name: str) -> Made:
        names.append(name)
        return original(path, name)

    original = experiments_results.made
    monkeypatch.setattr(experiments_results, "made", making)
    return names


def test_results_are_made_again_when_a_file_changes_and_only_then(
    client: TestClient, own: Path, made: list[str]
) -> None:
    page(client, f"{ADDRESS}/results")
    page(client, f"{ADDRESS}/results")  # scores have come to lie there, which may say more
    del made[:]
    page(client, f"{ADDRESS}/results")
    assert made == []
    a_debate(own, "five", "libya", 1).unlink()
    assert "17 of 18 debates held" in plain(page(client, f"{ADDRESS}/results"))
    assert made == ["sets/small one"]


@pytest.mark.anyio
async def test_results_asked_for_twice_at_once_are_made_once(
    folder: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    going = threading.Event()
    counting = experiments_results.made

    def slow(path: Path, name: str) -> Made:
        assert going.wait(30)
        return counting(path, name)

    monkeypatch.setattr(experiments_results, "made", slow)
    pages, index = ResultsPages(), Index(folder)
    asked = [asyncio.create_task(pages.of(index, "sets/small one")) for _ in range(3)]
    await asyncio.sleep(0.3)
    asked[0].cancel()  # whoever goes away does not take it from the others
    going.set()
    _, second, third = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(second, Made)
    assert second is third
    assert made == ["sets/small one"]
