"""An experiment from Python: its terms, its folder, and replies on a cassette."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.experiment.folder import Folder
from harness.experiment.reading import load_experiment
from harness.models.cassette import Cassette
from harness.sweep.running import (
    HOSTED_AT_ONCE,
    Terms,
    hosted,
    run_experiment,
    tell_of_trouble,
    usual_at_once,
    usual_folder,
)
from harness.sweep.sweep import News
from harness.transcript import Transcript, dump, read
from tests.experiment.files import experiment
from tests.sweep.holds import Provider, Run

ROOT = Path(__file__).parents[2]


def debates(folder: Folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.debates}


def said(transcript: Transcript) -> list[str]:
    """The debate itself, wherever it was interrupted."""
    return [dump(event.model_copy(update={"seq": -1})) for event in transcript.debate]


def test_an_experiment_runs_from_its_file_to_its_folder(tmp_path: Path) -> None:
    news: list[News] = []
    held = run_experiment(experiment(tmp_path).path, out=tmp_path / "out", watch=news.append)
    assert held.tally.complete
    assert held.folder.path == tmp_path / "out"
    assert len(held.folder.debates) == 8 == sum(each.step == "finished" for each in news)
    (declared,) = held.folder.declared
    assert declared.experiment == held.read.experiment
    assert declared.finished == 0


@pytest.mark.anyio
async def test_it_runs_where_a_loop_is_running_already(tmp_path: Path) -> None:
    assert run_experiment(experiment(tmp_path).path, out=tmp_path / "out").tally.held == 8


def test_debates_lie_in_a_folder_called_like_the_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = experiment(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert usual_folder(found) == Path("transcripts/experiments/talk")
    monkeypatch.chdir(ROOT)  # where what is not to be committed has a place
    assert usual_folder(found) == Path("transcripts/runs/experiments/talk")


def test_what_the_call_says_goes_before_what_the_file_says(tmp_path: Path) -> None:
    terms = (
        "budget: {max_calls: 5, max_tokens: 6, max_cost: 7, max_minutes: 8}\n"
        "prices: {'openai:small': 1/2}\n"
    )
    found = experiment(tmp_path, ("model: reference", "model: 'openai:small'"), more=terms)
    file, call = Terms.of(found), Terms.of(found, max_calls=1, prices=("openai:small=3/4",))
    for name, value in (("max_calls", 5), ("max_tokens", 6), ("max_cost", 7), ("max_minutes", 8)):
        assert getattr(file.budget, f"_{name}") == value
        assert getattr(call.budget, f"_{name}") == (1 if name == "max_calls" else value)
    assert file.prices.of("openai:small") == (1, 2, None)
    assert call.prices.of("openai:small") == (3, 4, None)


def test_a_ceiling_on_cost_needs_the_price_of_every_model_that_speaks(tmp_path: Path) -> None:
    models = ("model: reference", "model: 'openai:seat', chair: 'openai:chair'")
    found = experiment(tmp_path, models)
    assert hosted(found) == ["openai:seat", "openai:chair"]
    with pytest.raises(UserError, match="--max-cost needs the price of openai:chair: give"):
        Terms.of(found, max_cost=1, prices=("openai:seat=1/2",))
    Terms.of(found, max_cost=1, prices=("openai:seat=1/2", "openai:chair=1/2"))
    assert hosted(experiment(tmp_path / "free")) == []


@pytest.mark.parametrize(
    ("held_with", "at_once"),
    [
        ("model: 'openai:small'", HOSTED_AT_ONCE),
        ("model: 'openai:small', models: {ru: reference}", HOSTED_AT_ONCE),
        ("model: reference", HOSTED_AT_ONCE),
        ("model: local", 1),
        ("model: 'openai:small', models: {ru: local}", 1),
        ("model: 'openai:small', chair: local", 1),
        ("model: 'script:lines.yaml+local'", 1),
    ],
)
def test_one_debate_at_a_time_where_a_model_computes_in_this_process(
    held_with: str, at_once: int, tmp_path: Path
) -> None:
    found = experiment(tmp_path, ("model: reference", held_with))
    assert usual_at_once(list(found.design.cells())) == at_once


def test_the_yardsticks_of_a_hosted_experiment_do_not_slow_it_down(tmp_path: Path) -> None:
    found = experiment(
        tmp_path,
        ("model: reference", "model: 'openai:small'"),
        ("baseline: one", "baseline: one\nbeside: [reference, no-talk]"),
    )
    assert usual_at_once(list(found.design.cells())) == HOSTED_AT_ONCE


def test_a_provider_is_asked_no_faster_than_the_file_says(server: Provider, tmp_path: Path) -> None:
    server.seconds = 0.01
    run = Run.of(tmp_path, server, seeds=1, more="limits: {at_once: 2}\n")
    assert run_experiment(run.file, out=run.folder.path, at_once=4).tally.complete
    assert server.most == 2


def test_a_recorded_experiment_is_held_again_byte_for_byte_with_nobody_there(
    keys: None, tmp_path: Path
) -> None:
    provider, tape = Provider(), tmp_path / "tape.jsonl"
    with provider.running():
        run = Run.of(tmp_path, provider)
        with Cassette(tape, "record") as cassette:
            recorded = run_experiment(
                run.file, out=run.folder.path, at_once=3, cassette=cassette,
                prices=("openai:small=1/2",),
            )  # fmt: skip
        assert recorded.tally.complete
    asked = len(provider.bodies)
    with Cassette(tape, "strict") as cassette:  # the server is gone
        again = run_experiment(
            run.file, out=tmp_path / "again", at_once=2, cassette=cassette,
            prices=("openai:small=1/2",),
        )  # fmt: skip
    assert again.tally.complete
    assert debates(again.folder) == debates(run.folder)
    assert len(debates(run.folder)) == 8
    assert len(provider.bodies) == asked


def test_a_recording_in_several_goes_is_a_recording(server: Provider, tmp_path: Path) -> None:
    run, tape = Run.of(tmp_path, server), tmp_path / "tape.jsonl"
    for ceiling in (7, 19, None):
        with Cassette(tape, "record") as cassette:
            tally = run_experiment(
                run.file, out=run.folder.path, max_calls=ceiling, at_once=2, cassette=cassette
            ).tally
    assert tally.complete
    with Cassette(tape, "strict") as cassette:
        again = run_experiment(run.file, out=tmp_path / "again", cassette=cassette)
    assert run.paid_twice() == 0
    for path in run.folder.debates:
        assert said(read(again.folder.path / path.name)) == said(read(path))
    created = [read(path).header.created for path in run.folder.debates]
    assert [read(path).header.created for path in again.folder.debates] == created


def test_a_reply_that_is_not_on_the_cassette_ends_a_strict_replay(
    server: Provider, tmp_path: Path
) -> None:
    run, tape = Run.of(tmp_path, server, seeds=1), tmp_path / "tape.jsonl"
    with Cassette(tape, "record") as cassette:
        run_experiment(run.file, out=run.folder.path, cassette=cassette)
    asked = len(server.bodies)
    more = Run.of(tmp_path, server, seeds=2)
    with (
        Cassette(tape, "strict") as cassette,
        pytest.raises(UserError, match=r"tape\.jsonl holds no debate named .*: record it"),
    ):
        run_experiment(more.file, out=tmp_path / "again", cassette=cassette)
    assert len(server.bodies) == asked
    assert Folder(tmp_path / "again").broken == ()
    with Cassette(tape, "replay") as cassette:  # asks for what is missing, and keeps it
        assert run_experiment(more.file, out=tmp_path / "again", cassette=cassette).tally.complete
    assert len(server.bodies) > asked
    assert set(server.asked.values()) == {1}
    with Cassette(tape, "strict") as cassette:
        third = run_experiment(more.file, out=tmp_path / "third", cassette=cassette)
    assert third.tally.complete


def test_a_debate_is_gone_on_with_from_another_folder(
    server: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.of(tmp_path, server)
    own = tmp_path / "mine.md.j2"
    shutil.copy(ROOT / "personas/prompts/interests.md.j2", own)
    text = run.file.read_text(encoding="utf-8")
    run.file.write_text(text.replace("prompt: interests", "prompt: mine.md.j2"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    stopped = run_experiment(run.file.name, out=run.folder.path, max_calls=20, at_once=8).tally
    assert stopped.left == 8
    monkeypatch.chdir(ROOT)
    assert run_experiment(run.file, out=run.folder.path).tally.complete
    assert not run.folder.broken
    assert run.paid_twice() == 0


def test_the_chairs_rules_are_compared_to_the_end(tmp_path: Path) -> None:
    held = run_experiment("chair-rules", out=tmp_path / "out")
    assert held.tally.complete
    assert held.tally.planned == 7 * 13 * 2
    assert not held.folder.broken
    for cell in load_experiment("chair-rules").design.cells():
        transcript = read(held.folder.transcript(cell))
        assert transcript.finished
        assert transcript.rules == cell.agenda.rules


class Wavering:
    """Goes down and comes back."""

    def __init__(self) -> None:
        self.trouble: tuple[str, ...] = ()


@pytest.mark.anyio
async def test_it_is_said_once_that_a_provider_is_down_and_once_that_it_is_back() -> None:
    provider, said = Wavering(), list[str]()
    telling = asyncio.create_task(tell_of_trouble(provider, said.append, every=0.01))
    for trouble in ((), ("openai answers no call.",), ()):
        provider.trouble = trouble
        await asyncio.sleep(0.1)
    telling.cancel()
    assert said == ["openai answers no call.", "Every provider answers again."]
