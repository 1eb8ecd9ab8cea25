"""Two people label in the app, blind to each other and to judges; a judge's calibration follows."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from evals import scores
from evals.calibration.calibrating import CALIBRATIONS, Calibration
from evals.evaluator import Score
from evals.judging import files
from evals.judging.shapes import Claim, Judgements
from evals.labelling.book import Books, Row
from evals.labels import Label
from harness import cli
from harness.transcript import read
from harness.viewer.app import labelling, shelf
from harness.viewer.app.build import build
from harness.viewer.app.desk import Desk
from tests.evals.dimensions.judgements import claims, verdict
from tests.evals.judging.judges import said_as, units
from tests.evals.room import Room, a_party, a_position, a_setting, an_issue, an_item
from tests.evals.test_labelling import EXAMPLE, written
from tests.models.server import Answer, ChatServer, Json, spoken

HOME = "http://127.0.0.1:8731"
ROOMS = [shelf, labelling]
SECRET = "for reasons that only this judge has"


class Annotator:
    """A person at a browser without scripts: opens pages, fills in forms, follows where they go."""

    def __init__(self, folder: Path, who: str, **wish: str) -> None:
        self.client = TestClient(build(Desk(folder), ROOMS), base_url=HOME)
        self.client.headers["origin"] = HOME
        self.who = who
        self.wish = {"who": who, "order": "random", "seed": "7", **wish}
        self.text = ""
        self.address = ""

    def opens(self, address: str, **query: str) -> Annotator:
        answer = self.client.get(address, params={**self.wish, **query})
        assert answer.status_code == 200, answer.text
        return self._at(str(answer.url), answer.text)

    def begins(self) -> Annotator:
        return self.opens("/label/next")

    def submits(self, to: str, **given: str | list[str]) -> Annotator:
        """Send the form that goes there as it stands on the page, with what is given."""
        (form,) = re.findall(rf'<form[^>]*action="{to}".*?</form>', self.text, re.DOTALL)[-1:]
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
        data: dict[str, str | list[str]] = {k: html.unescape(v) for k, v in hidden}
        answer = self.client.post(to, data=data | given)
        assert answer.status_code == 200, answer.text
        return self._at(str(answer.url), answer.text)

    def gives(self, label: str, **more: str | list[str]) -> Annotator:
        return self.submits("/label/give", do=label, **more)

    def _at(self, address: str, text: str) -> Annotator:
        self.address, self.text = address, text
        return self

    @property
    def claim(self) -> str:
        return parse_qs(urlsplit(self.address).query)["id"][0]

    @property
    def words(self) -> str:
        found = re.search(r'class="said">“(.*?)”</span>', self.text, re.DOTALL)
        assert found is not None, self.text
        return html.unescape(found[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "debates").mkdir()
    shutil.copy(EXAMPLE, tmp_path / "debates/talks.jsonl")
    return tmp_path / "debates"


def rows(folder: Path, who: str) -> Mapping[str, Row]:
    return Books(folder / "labels").rows(who)


def judged(folder: Path) -> list[Claim]:
    """The folder's debate with a judge that calls everything contradicted, and says why."""
    path = folder / "talks.jsonl"
    found = [claim for claim in claims(read(path)) if claim.checkworthy]
    said = [
        verdict(c, "contradicted", judge="sphinx").model_copy(update={"reason": SECRET})
        for c in found
    ]
    files.write(path, Judgements(claims=tuple(found), verdicts=tuple(said)))
    return found


# One person.


def test_a_person_labels_by_forms_alone_and_is_led_from_claim_to_claim(folder: Path) -> None:
    anna = Annotator(folder, "Anna Berg").begins()
    first, text = anna.claim, anna.words
    held = re.findall(r'name="positions" value="([^"]+)"', anna.text)
    anna.gives("supported", positions=held[:1], note="So it says.")
    assert "Supported: kept." in anna.text
    second = anna.claim
    anna.gives("skip").gives("no_claim", positions=held[:1])
    kept = rows(folder, "anna-berg")
    assert len(kept) == 3
    row = kept[first]
    assert (row.label, row.positions, row.note, row.text) == (
        "supported", tuple(held[:1]), "So it says.", text,
    )  # fmt: skip
    assert row.seconds is not None
    assert (row.mode, row.queue, row.seed) == ("blind", "random", 7)
    assert kept[second].label is None
    assert [r.positions for r in kept.values() if r.label == "no_claim"] == [()]
    assert re.search(r"2 of \d+ labelled, 1 passed over", anna.text)
    assert "The first 1 by lot have labels: a random sample." in anna.text


def test_undo_takes_the_last_label_back_and_returns_to_its_claim(folder: Path) -> None:
    anna = Annotator(folder, "anna").begins()
    first = anna.claim
    anna.gives("partial").submits("/label/undo")
    assert anna.claim == first
    assert rows(folder, "anna") == {}
    anna.gives("unsupported")
    assert [r.label for r in rows(folder, "anna").values()] == ["unsupported"]


def test_red_lines_stand_first_each_with_source_and_address(folder: Path) -> None:
    anna = Annotator(folder, "anna", order="red_lines").begins()
    kinds = re.findall(r'<li class="(red|plain)">', anna.text)
    assert "red" in kinds
    assert kinds == sorted(kinds, key=lambda kind: kind != "red")
    assert anna.text.count('rel="noreferrer"') == len(kinds)
    assert re.search(r"<mark>.+</mark>", anna.text)


def test_at_the_end_of_an_order_one_is_told(folder: Path) -> None:
    known = judged(folder)
    files.write_queue(folder / "talks.jsonl", [(known[3], "a: b")])
    anna = Annotator(folder, "anna", order="listed").begins()
    assert anna.words == known[3].text
    anna.gives("partial")
    assert "You have been through all claims of this order." in anna.text


def test_two_windows_of_one_person_neither_lose_nor_double_nor_overrule(folder: Path) -> None:
    one, two = Annotator(folder, "anna").begins(), Annotator(folder, "anna").begins()
    both = one.claim
    assert two.claim == both
    one.gives("partial")
    two.gives("unsupported")
    assert "In another window you labelled this claim partial" in two.text
    assert rows(folder, "anna")[both].label == "partial"
    two.gives("unsupported")  # now it is meant
    assert rows(folder, "anna")[both].label == "unsupported"
    one.gives("partial")
    two.begins()
    assert len(rows(folder, "anna")) == 2
    assert two.claim not in rows(folder, "anna")


def test_the_same_answer_sent_twice_counts_once(folder: Path) -> None:
    one, two = Annotator(folder, "anna").begins(), Annotator(folder, "anna").begins()
    one.gives("partial")
    two.gives("partial")
    assert "In another window" not in two.text
    assert len(rows(folder, "anna")) == 1


# Blind.


def test_nothing_of_judges_or_others_is_on_the_page_before_ones_own_label(folder: Path) -> None:
    judged(folder)
    bo = Annotator(folder, "bo").begins()
    bo.gives("unsupported", note="Bo sees nothing there.")
    anna = Annotator(folder, "anna").begins()
    first = anna.claim
    for hidden in ("sphinx", SECRET, "Bo sees nothing", "/debates/"):
        assert hidden not in anna.text
    refused = anna.client.post("/label/reveal", data={**anna.wish, "id": first})
    assert SECRET not in refused.text
    anna.gives("partial").opens("/label/claim", id=first)
    assert SECRET not in anna.text  # not even then, before one asks
    anna.submits("/label/reveal")
    for shown in ("sphinx", SECRET, "Bo sees nothing there.", "/debates/talks?at=T"):
        assert shown in anna.text
    anna.gives("contradicted")
    row = rows(folder, "anna")[first]
    assert (row.label, row.independent, row.mode) == ("contradicted", "partial", "open")


def test_whoever_labels_with_the_others_in_view_gives_no_independent_label(folder: Path) -> None:
    judged(folder)
    anna = Annotator(folder, "anna", blind="no").begins()
    assert SECRET in anna.text
    anna.gives("partial")
    (row,) = rows(folder, "anna").values()
    assert (row.mode, row.independent) == ("open", None)


def test_disagreements_are_shown_to_those_who_labelled_and_once_shown_it_is_on_record(
    folder: Path,
) -> None:
    anna = Annotator(folder, "anna").begins()
    first = anna.words
    anna.gives("partial", note="Half of it.").gives("supported").gives("no_claim")
    bo = Annotator(folder, "bo").begins()
    bo.gives("unsupported", note="None of it.").gives("supported")
    cy = Annotator(folder, "cy").begins()
    for who in (cy, Annotator(folder, "nobody")):
        who.opens("/label/agreement")
        assert "None of it." not in who.text
        assert "Nobody differs" in who.text
    bo.opens("/label/agreement")
    assert "Half of it." not in bo.text
    bo.submits("/label/talk")
    assert "Half of it." in bo.text
    assert html.escape(first, quote=False).split("'")[0] in bo.text
    assert [r.shown for r in rows(folder, "bo").values()] == [True, False]
    assert not any(r.shown for r in rows(folder, "anna").values())
    assert "2 claims have labels of two people or more." in bo.text
    assert "the same label on 1 of them" in " ".join(bo.text.split())


# What comes from files or from outside.


def test_nothing_confidential_reaches_the_page(tmp_path: Path) -> None:
    setting = a_setting(
        a_party(
            "us",
            a_position("us-1", statement="It wants all weapons counted in every class."),
            a_position("us-2", statement="ZEBRA.", visibility="confidential", canary="ZEBRA"),
        ),
        a_party("ru", a_position("ru-1")),
        items=(an_item(an_issue("scope", "All weapons in every class are counted.", "None.")),),
    )
    room = Room(setting).opens()
    room.says("us", "ZEBRA is what we want in every class of weapons.", audience=("us",))
    room.says("us", "We want weapons in every class counted, all of them.")
    written(room, tmp_path / "talks.jsonl")
    anna = Annotator(tmp_path, "anna").begins()
    assert "us-1" in anna.text
    assert "ZEBRA" not in anna.text
    assert "us-2" not in anna.text
    answer = anna.client.post(
        "/label/give", data={**anna.wish, "id": anna.claim, "do": "partial", "positions": "us-2"}
    )
    assert answer.status_code == 400
    assert rows(tmp_path, "anna") == {}


def test_what_was_said_is_text_on_the_page_and_no_more(tmp_path: Path) -> None:
    held = a_position("us-1", statement="<b>Weapons</b> in every class shall be counted.")
    setting = a_setting(a_party("us", held), a_party("ru"), items=(an_item(an_issue("scope")),))
    said = "Weapons in <script>alert(1)</script> every class shall be \u202ecounted."
    room = Room(setting).opens().says("us", said)
    written(room, tmp_path / "talks.jsonl")
    anna = Annotator(tmp_path, "anna").begins()
    assert "<script>alert" not in anna.text
    assert "<b>Weapons" not in anna.text
    assert "\u202e" not in anna.text
    anna.gives("unsupported", note="=1+1").opens("/label/claim", id=anna_only(tmp_path))
    assert ">=1+1</textarea>" in anna.text
    assert ",'=1+1," in next((tmp_path / "labels").glob("*.csv")).read_text()


def anna_only(folder: Path) -> str:
    (name,) = rows(folder, "anna")
    return name


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"who": "…"}, "letter from a to z"),
        ({"order": "best"}, "no order &#39;best&#39;"),
        ({"seed": "-1"}, "The seed"),
        ({"seed": "9" * 5000}, "The seed"),
        ({"id": "T9.9.9-00000000"}, "There is no claim"),
        ({"do": "true"}, "no label"),
        ({"do": "partial", "positions": "us-zz-1"}, "no position of"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_changes_nothing(
    folder: Path, given: dict[str, str], said: str
) -> None:
    anna = Annotator(folder, "anna").begins()
    answer = anna.client.post(
        "/label/give", data={**anna.wish, "id": anna.claim, "do": "partial", **given}
    )
    assert answer.status_code == 400
    assert said in answer.text
    assert not (folder / "labels").exists()


def test_other_sites_cannot_label(folder: Path) -> None:
    anna = Annotator(folder, "anna").begins()
    answer = anna.client.post(
        "/label/give", data={**anna.wish, "id": anna.claim, "do": "partial"},
        headers={"origin": "http://elsewhere.example"},
    )  # fmt: skip
    assert answer.status_code == 403
    assert not (folder / "labels").exists()


def test_a_broken_file_is_named_and_the_others_go_on(folder: Path) -> None:
    text = (folder / "talks.jsonl").read_text().splitlines(keepends=True)
    (folder / "broken.jsonl").write_text("".join([*text[:2], '{"kind": "what"}\n']))
    (folder / "ledger.jsonl").write_text('{"kind": "other"}\n')
    anna = Annotator(folder, "anna").opens("/label")
    assert re.search(r"broken: .*broken.jsonl:3: not an event", anna.text)
    assert "ledger" not in anna.text
    assert " claims in 1 debates" in anna.text
    anna.begins()


def test_a_debate_that_was_judged_meanwhile_is_read_anew(folder: Path) -> None:
    anna = Annotator(folder, "anna").opens("/label")
    assert "labelled by a judge" not in anna.text
    judged(folder)
    anna.opens("/label")
    assert "labelled by a judge" in anna.text


# What it is for.


def planted(body: Json) -> Answer:
    """A judge that calls a claim partial where it has an `and` in it, and else unsupported."""
    schema = body["response_format"]["json_schema"]["schema"]
    user = body["messages"][-1]["content"]
    if "S1" in schema["properties"]:
        lines = dict(line.split(": ", 1) for line in user.splitlines() if line[:1] == "S")
        whole = {
            handle: [{"claim": said_as(lines[handle]), "type": "position"}]
            for handle in schema["properties"]
        }
        return spoken(json.dumps(whole))
    given = {
        handle: {"reason": "so", "label": "partial" if has_and(said_as(line)) else "unsupported"}
        for handle, line in units(user).items()
    }
    return spoken(json.dumps(given))


def has_and(text: str) -> bool:
    return " and " in text


def sees(text: str) -> Label:
    """What a person says who agrees with that judge but where there is a `the` near the end."""
    partial = has_and(text) != (" the " in text[-30:])
    return "partial" if partial else "unsupported"


def sterner(text: str) -> Label:
    """Another person: the same, but sees nothing in short claims."""
    return "unsupported" if len(text) < 100 else sees(text)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        running.ordinary = planted
        yield running


def tracktwo(*arguments: object) -> Result:
    # In a thread of its own: a test with a browser has an event loop going in this one.
    with ThreadPoolExecutor(1) as aside:
        done = aside.submit(CliRunner().invoke, cli.app, list(map(str, arguments))).result()
    assert done.exit_code == 0, (done.output, done.exception)
    return done


def scored(path: Path, server: ChatServer) -> Score:
    """The judge's share of partial claims over the debate, with what is known of the judge."""
    tracktwo("score", path, "--judge", "openai:one", "--base-url", server.url,
             "--rubric", "consistency", "--quiet")  # fmt: skip
    (found,) = [
        each
        for each in scores.read(scores.scores_path(path)).results
        if isinstance(each, Score)
        and (each.evaluator, each.subject, each.metric) == ("consistency", "debate", "partial")
    ]
    return found


class Calibrated:
    """A judge measured on labels, and the debate scored by it, in a place of its own."""

    def __init__(self, path: Path, gold: Path, kept: Path, server: ChatServer) -> None:
        tracktwo("calibrate", "--judge", "openai:one", "--base-url", server.url, "--gold", gold,
                 "--no-retest")  # fmt: skip
        (self.calibration,) = CALIBRATIONS.known([kept])
        self.score = scored(path, server)

    @property
    def kappa(self) -> float:
        found: Calibration = self.calibration
        assert found.measures.kappa.value is not None
        assert self.score.judge is not None
        assert self.score.judge.kappa == found.measures.kappa.value
        return found.measures.kappa.value

    @property
    def corrected(self) -> float:
        assert self.score.corrected is not None
        assert self.score.corrected.value is not None, self.score.corrected.why
        return self.score.corrected.value


Measured = Callable[[str], Calibrated]


def calibrated_anew(folder: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> Measured:
    """Each measurement keeps its own, so that none is taken for another."""

    def measured(gold: str) -> Calibrated:
        kept = folder.parent / f"calibrations-{len(list(folder.parent.glob('calibrations-*')))}"
        monkeypatch.setenv("TRACKTWO_CALIBRATIONS", str(kept))
        return Calibrated(folder / "talks.jsonl", folder / "labels" / gold, kept, server)

    return measured


def test_two_people_s_labels_change_the_judge_s_calibration_and_so_does_one_that_is_changed(
    folder: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKTWO_CALIBRATIONS", str(folder.parent / "none"))
    before = scored(folder / "talks.jsonl", server)
    assert before.judge is not None
    assert not before.judge.calibrated
    assert before.corrected is None

    anna, bo = Annotator(folder, "anna").begins(), Annotator(folder, "bo").begins()
    for _ in range(60):
        anna.gives(sees(anna.words))
        bo.gives(sterner(bo.words))
    measured = calibrated_anew(folder, server, monkeypatch)
    alone = measured("geneva-2021.by-anna.csv")
    assert alone.score.judge is not None
    assert alone.score.judge.gold == "geneva-2021.by-anna"
    assert alone.calibration.measures.human_kappa is None
    assert alone.corrected != before.value

    anna.opens("/label/agreement").submits("/label/merge", setting="geneva-2021")
    assert "--gold" in anna.text
    both = measured("geneva-2021.everybody.csv")
    assert both.kappa != alone.kappa
    assert both.corrected != alone.corrected
    assert both.calibration.measures.human_kappa is not None

    changed = 0
    for name, row in rows(folder, "bo").items():
        if row.label != sees(row.text) and changed < 5:
            bo.opens("/label/claim", id=name).gives(sees(row.text))
            changed += 1
    assert changed == 5
    anna.opens("/label/agreement").submits("/label/merge", setting="geneva-2021")
    after = measured("geneva-2021.everybody.csv")
    assert after.kappa != both.kappa
    assert after.corrected != both.corrected
    assert after.calibration.gold_sha != both.calibration.gold_sha
