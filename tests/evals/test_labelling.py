"""What there is to label, in which order; what people gave survives; how far they agree."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.calibration.gold import read_gold
from evals.judging import files
from evals.judging.shapes import Claim, Judgements
from evals.labelling import cells
from evals.labelling.agreement import agreement, disagreements, labels_of
from evals.labelling.book import Books, Given, Row, Way, slug
from evals.labelling.queue import ORDERS, Entry, distinct, ordered, sampled, waiting
from evals.labels import LABELS, Label
from evals.red_lines import red_lines
from harness.errors import UserError
from harness.loading import load_setting
from harness.transcript import Transcript, dump, read
from tests.evals.dimensions.judgements import claims, verdict
from tests.evals.room import Room, a_party, a_position, a_red_line, a_setting, an_issue, an_item
from tests.evals.talks import half_agreed

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "transcripts/examples/reference-eight-of-twelve.jsonl"
BY_LOT = Way("random", 7)


def written(room: Room, path: Path) -> Path:
    path.write_text("".join(f"{dump(event)}\n" for event in room.events), encoding="utf-8")
    return path


@pytest.fixture
def debate(tmp_path: Path) -> Path:
    return Path(shutil.copy(EXAMPLE, tmp_path / "talks.jsonl"))


def judged(
    debate: Path, *rules: Callable[[int], str], by: Sequence[str] = ("one", "two", "three")
) -> list[Claim]:
    """The debate with a judge for each rule: the claim's number gives its label."""
    found = [c for c in claims(read(debate)) if c.checkworthy]
    verdicts = [
        verdict(claim, rule(number), judge=judge)
        for judge, rule in zip(by, rules, strict=False)
        for number, claim in enumerate(found)
    ]
    files.write(debate, Judgements(claims=tuple(found), verdicts=tuple(verdicts)))
    return found


# One format.

cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(st.lists(st.tuples(*[cell] * len(cells.NEEDED)), max_size=4))
def test_cells_come_back_as_they_were_and_no_spreadsheet_runs_them(rows: list[list[str]]) -> None:
    rows = [row for row in rows if any(each.strip() for each in row)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(cells.written(cells.NEEDED, rows).encode())
        raw = [
            each
            for row in list(csv.reader(StringIO(cells.text_of(path), newline="")))[1:]
            for each in row
        ]
        assert [tuple(line.cells.values()) for line in cells.lines_of(path)] == [*map(tuple, rows)]
    assert not any(each.startswith(("=", "+", "-", "@", "\t", "\r")) for each in raw)


@given(cell)
def test_making_a_cell_inert_can_be_undone_and_nothing_else_is(text: str) -> None:
    assert cells.restored(cells.inert(text)) == text


def test_a_formula_said_at_the_table_is_labelled_as_it_was_said(tmp_path: Path) -> None:
    room = half_agreed()
    text = "=HYPERLINK(1) weapons in every class shall be counted by all of us."
    room.says("us", text)
    path = written(room, tmp_path / "talks.jsonl")
    (claim,) = [c for c in claims(read(path)) if c.text == text]
    queue = files.write_queue(path, [(claim, "one: partial")])
    assert ",'=HYPERLINK(1) weapons" in queue.read_text()
    (line,) = cells.lines_of(queue)
    assert line.cells["text"] == text


# What there is to label.


def test_what_nobody_judged_is_cut_and_sorted_out_by_code(debate: Path) -> None:
    found = waiting(debate, "talks")
    texts = [entry.claim.text for entry in found.entries]
    assert len(texts) > 40
    assert not any(text.startswith("Thank you") for text in texts)
    said = {
        s.seq: s.text for s in read(debate).events if hasattr(s, "text") and s.kind == "statement"
    }
    for entry in found.entries:
        claim = entry.claim
        assert said[claim.seq][claim.start : claim.end] == claim.sentence
    assert len({entry.id for entry in found.entries}) == len(texts)


def test_a_judged_debate_gives_the_claims_and_labels_of_its_judges(debate: Path) -> None:
    known = judged(debate, lambda n: "partial", lambda n: "abstain")
    found = waiting(debate, "talks")
    assert [e.claim.id for e in found.entries] == [c.id for c in known if len(c.text) <= 400]
    assert found.too_long == sum(len(c.text) > 400 for c in known) > 0
    # Who says that it cannot be decided has not labelled.
    assert {tuple(e.said.items()) for e in found.entries} == {(("one", "partial"),)}
    debate.write_text(debate.read_text() + "{}")  # a torn line: no event, but another file
    late = waiting(debate, "talks")
    assert "older than its transcript" in late.remark
    assert not any(entry.said for entry in late.entries)


def test_nothing_private_is_put_to_people(tmp_path: Path) -> None:
    setting = a_setting(
        a_party(
            "us",
            a_position("us-1", 4, supports=("scope/a",), statement="It wants all weapons counted."),
            a_position("us-2", 5, statement="ZEBRA weapons stay uncounted.",
                       visibility="confidential", canary="ZEBRA"),
        ),
        a_party("ru", a_position("ru-1", statement="It wants weapons in space banned.")),
        items=(an_item(an_issue("scope", "All weapons in every class are counted.", "None.")),),
    )  # fmt: skip
    room = Room(setting).opens()
    room.says("us", "We want all weapons in every class counted, ZEBRA aside.", audience=("us",))
    room.says("ru", "We want weapons in every class and in space counted and banned.")
    path = written(room, tmp_path / "talks.jsonl")
    (entry,) = waiting(path, "talks").entries
    assert entry.claim.party == "ru"
    secret = [c for c in claims(Transcript(tuple(e.model_copy(update={"audience": None})
              for e in read(path).events))) if "ZEBRA" in c.text]  # fmt: skip
    assert len(secret) == 1
    # Not even where a judge was shown it by mistake.
    files.write(path, Judgements(claims=(*secret, entry.claim)))
    assert [e.claim.party for e in waiting(path, "talks").entries] == ["ru"]


def test_ids_hold_for_the_words_and_the_debate_wherever_the_file_lies(
    debate: Path, tmp_path: Path
) -> None:
    (tmp_path / "deep").mkdir()
    copy = Path(shutil.copy(debate, tmp_path / "deep/other.jsonl"))
    one, two = waiting(debate, "talks"), waiting(copy, "deep/other")
    assert [e.id for e in one.entries] == [e.id for e in two.entries]
    assert len(distinct([one, two])) == len(one.entries)
    here = files.Debate.of(read(debate))
    claim = one.entries[0].claim
    assert here.id_of(claim) != here.id_of(claim.model_copy(update={"text": "Else."}))
    assert here.id_of(claim) != here._replace(name="other").id_of(claim)
    odd = here.id_of(claim.model_copy(update={"id": "T1\u200b<script>"}))
    assert odd.startswith("claim-")
    assert odd.isascii()


# In which order.


def test_where_judges_disagree_most_comes_first(debate: Path) -> None:
    judged(
        debate,
        lambda n: "supported",
        lambda n: "partial" if n in (5, 9) else "supported",
        lambda n: "unsupported" if n == 9 else "supported",
    )
    entries = waiting(debate, "talks").entries
    by_id = {entry.id: number for number, entry in enumerate(c for c in entries)}
    found = ordered(entries, "disagreement")
    split = [len(set(entry.said.values())) for entry in found]
    assert split[:3] == [3, 2, 1]
    rest = [by_id[entry.id] for entry in found[2:]]
    assert rest == sorted(rest)


def test_what_crosses_a_red_line_comes_before_what_is_near_to_one(tmp_path: Path) -> None:
    line = a_red_line("us-1", "scope/b").model_copy(
        update={"statement": "It never lets inspectors count missiles in submarines."}
    )
    setting = a_setting(
        a_party("us", line, a_position("us-2", statement="It wants weapons on land counted.")),
        a_party("ru", a_position("ru-1", supports=("scope/b",))),
        items=(an_item(an_issue("scope", "Weapons on land are counted.", "All are counted.")),),
    )
    room = Room(setting).opens()
    far = "Weapons on land should be counted, we want that done."
    near = "Inspectors will never count missiles in submarines."
    room.says("us", far).says("us", near)
    of = room.of("us")
    crossing = "Weapons on land are counted and all the others too, so we want."
    room.says("us", crossing, of=of)
    room.move("us", "propose", "scope/b", of=of)
    path = written(room, tmp_path / "talks.jsonl")
    assert any(r.metric == "soft_crossing" for r in red_lines(read(path)) if hasattr(r, "metric"))
    entries = waiting(path, "talks").entries
    assert [e.claim.text for e in ordered(entries, "red_lines")] == [crossing, near, far]
    # A text let pass at the decision makes all the party said on the item worth reading.
    room.votes("scope/b", us="accept", ru="accept")
    entries = waiting(written(room, path), "talks").entries
    assert all(entry.crossing for entry in entries)


def test_the_largest_differences_come_first_between_judges_and_from_the_words(
    debate: Path,
) -> None:
    rules = (
        lambda n: "contradicted" if n == 3 else "supported",
        lambda n: "supported" if n == 3 else "partial" if n == 8 else "supported",
    )
    judged(debate, *rules)
    entries = waiting(debate, "talks").entries
    found = ordered(entries, "differences")
    assert set(found[0].said.values()) == {"contradicted", "supported"}
    gaps = [entry.difference for entry in found]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] == 2
    odd = found[1]
    assert odd.support is not None
    assert odd.difference == pytest.approx(
        max(abs(1 - odd.support), 0.5 if odd.said["two"] == "partial" else 0)
    )
    # A denial has the words of what it denies: words say nothing against `contradicted`.
    lone = odd._replace(said={"one": "contradicted"}, support=1.0)
    assert lone.difference == 0


def test_the_lot_is_the_seed_s_alone_and_a_new_debate_does_not_shuffle_the_old(
    debate: Path,
) -> None:
    entries = waiting(debate, "talks").entries
    drawn = ordered(entries, "random", 7)
    assert drawn == ordered(tuple(reversed(entries)), "random", 7)
    assert drawn != ordered(entries, "random", 8)
    assert sorted(e.id for e in drawn) == sorted(e.id for e in entries)
    fewer = [e for e in drawn if e.claim.party == "us"]
    assert list(ordered(fewer, "random", 7)) == fewer


def test_every_order_but_the_list_has_every_wording_and_the_lot_has_every_time(
    debate: Path,
) -> None:
    entries = waiting(debate, "talks").entries
    again = tuple(e._replace(id=f"{e.id}x", debate="again") for e in entries[:10])
    words = {(e.claim.party, e.claim.item, e.claim.text) for e in entries}
    for order in ORDERS:
        found = ordered((*entries, *again), order)
        expected = (
            len(entries) + 10 if order == "random" else len(words) if order != "listed" else 0
        )
        assert len(found) == expected, order


def test_the_list_is_what_score_wrote_in_its_order_under_the_same_ids(debate: Path) -> None:
    known = judged(debate, lambda n: "partial", lambda n: "unsupported")
    picked = [known[9], known[2]]
    files.write_queue(debate, [(c, "one: partial; two: unsupported") for c in picked])
    entries = waiting(debate, "talks").entries
    found = ordered(entries, "listed")
    assert [e.claim.id for e in found] == [c.id for c in picked]
    assert files.queued(files.queue_path(debate)) == tuple(e.id for e in found)


def test_a_random_sample_ends_where_somebody_passed_over(debate: Path) -> None:
    drawn = ordered(waiting(debate, "talks").entries, "random", 7)
    names = {entry.id for entry in drawn}
    assert sampled(drawn, names) == len(drawn)
    assert sampled(drawn, names - {drawn[4].id}) == 4
    assert sampled(drawn, set()) == 0


# What people gave.


def labelled(
    books: Books, who: str, entries: Sequence[Entry], labels: Sequence[Label | None]
) -> None:
    for entry, label in zip(entries, labels, strict=False):
        books.give(who, entry, Given(label), BY_LOT)


def test_the_file_of_a_person_is_gold(debate: Path, tmp_path: Path) -> None:
    entries = waiting(debate, "talks").entries
    books = Books(tmp_path / "labels")
    own = load_setting("geneva-2021").mandate(entries[0].claim.party, entries[0].claim.item)
    held = own.positions[0].id
    books.give("anna", entries[0], Given("supported", (held,), "as it\nsays", 12.34), BY_LOT)
    labelled(books, "anna", entries[1:4], ["unsupported", None, "no_claim"])
    path = books.path("anna", "geneva-2021")
    gold = read_gold(path)
    assert [(e.id, e.label) for e in gold.split("test")] == [
        (entries[0].id, "supported"), (entries[1].id, "unsupported"), (entries[3].id, "no_claim"),
    ]  # fmt: skip
    first = gold.propositions[0]
    assert (first.text, first.positions, first.rationale) == (
        entries[0].claim.text, (held,), "as it says",
    )  # fmt: skip
    assert gold.waiting == (entries[2].id,)
    assert "1 proposition has no label yet and is left out" in gold.notice
    row = next(csv.DictReader(path.read_text().splitlines()))
    assert (row["seconds"], row["mode"], row["queue"], row["seed"], row["debate"]) == (
        "12.3", "blind", "random", "7", "talks",
    )  # fmt: skip
    assert row["time"].endswith("+00:00")


def test_labels_of_several_people_are_one_gold_and_the_majority_counts(
    debate: Path, tmp_path: Path
) -> None:
    entries = waiting(debate, "talks").entries
    books = Books(tmp_path / "labels")
    labelled(books, "anna", entries, ["partial", "partial", "no_claim"])
    labelled(books, "bo", entries, ["partial", "unsupported", None, "unsupported"])
    labelled(books, "cy", entries, ["no_claim"])
    gold = read_gold(books.merge("geneva-2021"))
    assert {e.id: e.label for e in gold.propositions} == {
        entries[0].id: "partial", entries[2].id: "no_claim", entries[3].id: "unsupported",
    }  # fmt: skip
    assert gold.dropped == (entries[1].id,)
    # Left out as a label, kept as a disagreement.
    (tied,) = gold.tied
    assert (tied.split, [(a.annotator, a.label) for a in tied.annotations]) == (
        "test", [("anna", "partial"), ("bo", "unsupported")],
    )  # fmt: skip
    assert gold.annotators == ("anna", "bo", "cy")
    assert books.people() == ("anna", "bo", "cy")  # the merged file is nobody's
    with pytest.raises(UserError, match="no label on talks"):
        books.merge("talks")


def test_a_label_given_again_replaces_the_first_and_one_taken_back_is_gone(
    debate: Path, tmp_path: Path
) -> None:
    entry = waiting(debate, "talks").entries[0]
    books = Books(tmp_path / "labels")
    labelled(books, "anna", [entry, entry], ["partial", "no_claim"])
    (row,) = books.rows("anna").values()
    assert (row.label, row.independent) == ("no_claim", "no_claim")
    books.take_back("anna", entry.id)
    assert books.rows("anna") == {}


def test_a_label_changed_after_seeing_others_is_no_independent_one(
    debate: Path, tmp_path: Path
) -> None:
    one, two = waiting(debate, "talks").entries[:2]
    books = Books(tmp_path / "labels")
    labelled(books, "anna", [one, two], ["partial", "partial"])
    books.show("anna", [one.id])
    labelled(books, "anna", [one, two], ["unsupported", "unsupported"])
    rows = books.rows("anna")
    assert (rows[one.id].label, rows[one.id].independent, rows[one.id].mode) == (
        "unsupported", "partial", "open",
    )  # fmt: skip
    assert (rows[two.id].independent, rows[two.id].mode) == ("unsupported", "blind")
    # Taking it back does not make one forget what one has seen.
    books.take_back("anna", one.id)
    labelled(books, "anna", [one], ["no_claim"])
    again = books.rows("anna")[one.id]
    assert (again.mode, again.independent) == ("open", "partial")
    books.give("bo", one, Given("partial", open=True), Way("disagreement"))
    assert books.rows("bo")[one.id].independent is None


_WRITES = """
import sys
from pathlib import Path
from evals.labelling.book import Books, Given, Way
from evals.labelling.queue import waiting
folder, start, stop = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
entries = waiting(folder / "talks.jsonl", "talks").entries
for entry in entries[start:stop]:
    Books(folder / "labels").give("anna", entry, Given("partial"), Way("random", 7))
    print(entry.id, flush=True)
"""


def writing(folder: Path, start: int, stop: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITES, str(folder), str(start), str(stop)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_two_programs_that_write_at_once_lose_nothing_and_double_nothing(debate: Path) -> None:
    folder = debate.parent
    both = [writing(folder, 0, 30), writing(folder, 15, 50)]
    told = [set(each.communicate()[0].split()) for each in both]
    assert [each.returncode for each in both] == [0, 0]
    rows = Books(folder / "labels").rows("anna")
    assert rows.keys() == told[0] | told[1]
    assert len(rows) == 50


def test_a_program_that_is_killed_leaves_every_label_it_had_said_it_kept(debate: Path) -> None:
    process = writing(debate.parent, 0, 60)
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(5)]
    process.kill()
    process.communicate()
    rows = Books(debate.parent / "labels").rows("anna")
    assert rows.keys() >= set(told)
    gold = read_gold(Books(debate.parent / "labels").path("anna", "geneva-2021"))
    assert {each.id for each in gold.propositions} == rows.keys()


def test_a_file_that_was_spoiled_is_named_and_left_as_it_is(debate: Path, tmp_path: Path) -> None:
    entries = waiting(debate, "talks").entries
    books = Books(tmp_path / "labels")
    labelled(books, "anna", entries, ["partial", "partial"])
    path = books.path("anna", "geneva-2021")
    spoils: list[tuple[Callable[[str], str], str]] = [
        (lambda text: text.replace("partial", "partly"), r":2: label 'partly'"),
        (lambda text: text + text.splitlines()[1] + "\n", r":4: .* stands twice"),
        (lambda text: text.replace("id,target", "id,label"), r":1: the heading lacks target"),
        (lambda text: text.splitlines()[0] + "\nx\n", r":2: has 1 cells"),
    ]
    for spoil, said in spoils:
        sound = path.read_text()
        path.write_text(spoil(sound))
        with pytest.raises(UserError, match=said):
            labelled(books, "anna", entries[2:], ["partial"])
        assert path.read_text() == spoil(sound)
        path.write_text(sound)


@pytest.mark.parametrize(
    ("name", "file"), [("Anna Berg", "anna-berg"), (" Éva/../x ", "eva-x"), ("A" * 90, "a" * 40)]
)
def test_a_name_is_made_fit_for_a_file(name: str, file: str) -> None:
    assert slug(name) == file


def test_a_name_of_which_nothing_is_left_is_refused() -> None:
    with pytest.raises(UserError, match="letter from a to z"):
        slug("…/ ")


# How far people agree.


def row(name: str, who: str, label: Label | None, **more: object) -> Row:
    given = {
        "id": name, "label": label, "who": who, "party": "us", "item": "arms", "text": "So.",
        "queue": "random", "independent": label,
    }  # fmt: skip
    return Row.model_validate(given | more)


def book(who: str, *labels: Label | None) -> dict[str, Row]:
    return {f"c{n}": row(f"c{n}", who, label) for n, label in enumerate(labels)}


YES: Label = "supported"
NO: Label = "unsupported"


def test_agreement_between_two_is_kappa_by_hand() -> None:
    # 10 claims: both yes 4, both no 3, only anna yes 1, only bo yes 2, so p_o = .7 and
    # p_e = .5 * .6 + .5 * .4 = .5.
    anna = book("anna", *[YES] * 4, *[NO] * 3, YES, NO, NO, YES)
    bo = book("bo", *[YES] * 4, *[NO] * 3, NO, YES, YES, None)
    found = agreement(labels_of({"anna": anna, "bo": bo}))
    (pair,) = found.pairs
    assert pair.kappa.value == pytest.approx(0.4)
    assert pair.kappa.low is not None
    assert (pair.same.hits, pair.same.n, found.doubly) == (7, 10, 10)
    assert pair.table.labels == LABELS
    assert pair.table.count(YES, NO) == 1
    assert pair.table.count(NO, YES) == 2
    assert found.alpha is not None
    # Nominal alpha: 1 - D_o/D_e with D_o = 3/10 and D_e = 2*11*9/(20*19).
    assert found.alpha.alpha.value == pytest.approx(1 - 0.3 / (2 * 11 * 9 / (20 * 19)))


def test_labels_changed_after_seeing_others_do_not_raise_the_agreement() -> None:
    books = {"anna": book("anna", YES, NO, YES, NO), "bo": book("bo", YES, NO, NO, YES)}
    before = agreement(labels_of(books)).pairs[0].same
    for name in ("c2", "c3"):
        other = books["anna"][name].label
        books["bo"][name] = books["bo"][name].model_copy(update={"label": other, "shown": True})
    assert agreement(labels_of(books)).pairs[0].same == before
    assert agreement(labels_of(books, independent=False)).pairs[0].same.value == 1


def test_without_the_package_the_rest_is_there_and_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "krippendorff", None)
    found = agreement(labels_of({"anna": book("anna", YES, NO), "bo": book("bo", YES, YES)}))
    assert found.alpha is None
    assert 'pip install "tracktwo[analysis]"' in found.missing
    assert found.pairs[0].same.hits == 1


def test_nobody_and_one_alone_agree_with_nobody() -> None:
    assert agreement({}) == agreement(labels_of({"anna": book("anna", None)}))
    alone = agreement(labels_of({"anna": book("anna", YES)}))
    assert (alone.people, alone.doubly, alone.alpha, alone.pairs) == (("anna",), 0, None, ())


def test_disagreements_are_told_to_those_who_labelled_the_claim() -> None:
    books = {
        "anna": book("anna", YES, NO, YES, None),
        "bo": book("bo", NO, NO, None, YES),
        "cy": book("cy", NO, None, None, NO),
    }
    # Of the claim that she passed over and on which the other two differ she is told nothing.
    assert [each.id for each in disagreements(books, "anna")] == ["c0"]
    told, other = disagreements(books, "bo")
    assert other.rows.keys() == {"bo", "cy"}
    assert {who: r.label for who, r in told.rows.items()} == {"anna": YES, "bo": NO, "cy": NO}
    assert disagreements({"anna": books["anna"], "bo": books["bo"]}, "cy") == ()
    assert disagreements(books, "nobody") == ()
