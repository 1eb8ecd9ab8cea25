"""What became of each issue in history, and how it is read for scoring.

The outcomes of a setting are a YAML file in evals/backtests, every row with its source. They are
read here and by nothing that holds debates: see law 8 in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from evals.evaluator import Value
from harness.errors import Problem, SettingError, UserError
from harness.loading import display
from harness.loading.names import near
from harness.loading.placed import Document, Node, read_document, shown
from harness.loading.shapes import in_shape
from harness.parts import Bracket
from harness.setting import Id, Issue, Setting, Source

NONE = "none"
"""The outcome of an issue on which no text stands; no option may be called so."""

Level = Literal["agreed", "partial", "not_agreed"]
Horizon = Literal["summit", "after"]
Basis = Literal["text", "account", "silence"]

FOLDER = Path(__file__).parent.parent / "backtests"


class Outcome(Value):
    """What became of one issue at one time, as a source has it."""

    item: Id
    """The agenda item of the issue."""
    issue: Id
    outcome_option: Id
    """The option that was agreed or that prevailed; `none` where no option fits."""
    level: Level
    """agreed; partial: an understanding that is not, or not wholly, in writing; not_agreed: no
    text was adopted, and an option names what prevailed without agreement."""
    horizon: Horizon
    """At the summit, which is scored, or later, which is only shown."""
    what: str = Field(min_length=1)
    """What happened, in our own words."""
    evidence: Basis
    """text: a published document; account: somebody's word; silence: nothing but that no text and
    no announcement mentions it."""
    brackets: tuple[Bracket, ...] = ()
    """Who stood for which text when it was not agreed, where the source says so."""
    repeats: Id | None = None
    """The issue that the same fact decides already; the row is shown and not scored."""
    why: str = ""
    """Why it was coded this way, where that is not plain."""
    source: Source


class OutcomeFile(Value):
    """A file of outcomes."""

    setting: Id
    outcomes: tuple[Outcome, ...] = Field(min_length=1)


class History(Value):
    """All outcomes on record for a setting."""

    setting: str
    outcomes: tuple[Outcome, ...]

    def at_summit(self, issue: str) -> Outcome | None:
        """The outcome that is scored; None where none is documented."""
        found = (o for o in self.outcomes if o.issue == issue and o.horizon == "summit")
        return next(found, None)

    def later(self, issue: str) -> tuple[Outcome, ...]:
        """What became of the issue afterwards, oldest source first."""
        found = (o for o in self.outcomes if o.issue == issue and o.horizon == "after")
        return tuple(sorted(found, key=lambda outcome: outcome.source.date))


class Reading(Value):
    """How the outcomes are read where they can be read in more than one way."""

    partial: Literal["agreed", "none", "out"] = "agreed"
    """Partial agreement on an option as agreement, as no agreement, or left out of the score."""
    silence: Literal["none", "either", "out"] = "none"
    """Silence as no agreement; as no agreement or the option that says the text is silent, which
    the record cannot tell apart; or left out of the score."""
    repeats: bool = False
    """Whether issues that the same fact decides a second time are scored too."""

    @property
    def words(self) -> str:
        """The reading in a few words."""
        said = {"none": "partial as none", "out": "partial left out"}.get(self.partial, "")
        silent = {"either": "silence as none or the silent option", "out": "silence left out"}
        parts = (said, silent.get(self.silence, ""), "repeats counted" if self.repeats else "")
        return ", ".join(part for part in parts if part) or "the default reading"


class Target(NamedTuple):
    """What a simulated outcome has to be to be right."""

    right: tuple[str, ...]
    """The outcomes that count as what happened; usually one."""
    brackets: tuple[Bracket, ...]
    """Who has to hold which bracket for the right reason; empty where no source says."""

    @property
    def agreed(self) -> bool:
        """Whether history agreed on a text."""
        return NONE not in self.right


class NotScored(NamedTuple):
    """Why an issue has no target."""

    why: str


def target(history: History, issue: str, reading: Reading) -> Target | NotScored:
    """What happened to the issue at the summit, under this reading."""
    outcome = history.at_summit(issue)
    if outcome is None:
        return NotScored("no outcome at the summit is documented")
    if outcome.repeats is not None and not reading.repeats:
        return NotScored(f"the same fact decides {outcome.repeats}, which is scored")
    if outcome.evidence == "silence" and reading.silence == "out":
        return NotScored("its evidence is silence")
    if outcome.level == "partial" and reading.partial == "out":
        return NotScored("it was agreed in part")
    return Target(_right(outcome, reading), outcome.brackets)


def _right(outcome: Outcome, reading: Reading) -> tuple[str, ...]:
    option = outcome.outcome_option
    if outcome.level == "agreed" or (outcome.level == "partial" and reading.partial == "agreed"):
        return (option,)
    if outcome.evidence == "silence" and reading.silence == "either" and option != NONE:
        return (NONE, option)
    return (NONE,)


def categories(issue: Issue) -> tuple[str, ...]:
    """Everything that can become of an issue: its options in order, then `none`."""
    return (*(option.id for option in issue.options), NONE)


def outcomes_file(setting: str) -> Path:
    """The outcomes that come with the program.

    Raises:
        UserError: there are none for this setting.
    """
    path = FOLDER / f"{setting}.yaml"
    if path.is_file():
        return path
    there = ", ".join(sorted(p.stem for p in FOLDER.glob("*.yaml")))
    raise UserError(
        f"No outcomes of {setting!r} are known, only of {there}. Write them as "
        "evals/backtests/README.md says and name the file with --outcomes."
    )


def load_history(path: Path, setting: Setting) -> History:
    """The outcomes in the file, checked against the setting they are about.

    Raises:
        SettingError: it cannot be read, or a row does not fit; carries every problem found.
    """
    document = _read(path)
    shape, problems = in_shape(document, OutcomeFile)
    found = [*document.problems, *problems]
    if not found and document.root is not None:
        found += _misfits(document, document.root, setting)
    if found or shape is None:
        raise SettingError(tuple(dict.fromkeys(found)))
    return History(setting=shape.setting, outcomes=shape.outcomes)


def _read(path: Path) -> Document:
    file = display(path)
    try:
        return read_document(path.read_bytes(), file)
    except OSError as error:
        problem = Problem(file, 0, 0, f"cannot be read: {error.strerror or error}")
        raise SettingError((problem,)) from error


def _misfits(document: Document, root: Node, setting: Setting) -> Iterator[Problem]:
    named = root.get("setting")
    if named is not None and named.value != setting.id:
        yield document.problem(named, f"{shown(named.value)} is not {setting.id!r}")
    rows = root.each("outcomes")
    seen: dict[str, Node] = {}
    scored = {row.text("issue") for row in rows if _scorable(row)}
    for row in rows:
        yield from _row_misfits(document, row, setting)
        issue = row.text("issue") or ""
        if row.text("horizon") == "summit":
            if issue in seen:
                first = document.place(seen[issue])
                yield document.problem(row, f"a second outcome of {issue} at the summit: {first}")
            seen.setdefault(issue, row)
        repeats = row.get("repeats")
        if repeats is not None and (repeats.value not in scored or repeats.value == issue):
            yield document.problem(repeats, f"{shown(repeats.value)} is not scored by another row")


def _scorable(row: Node) -> bool:
    return row.text("horizon") == "summit" and row.get("repeats") is None


def _row_misfits(document: Document, row: Node, setting: Setting) -> Iterator[Problem]:
    """What a row names that the setting does not have, or says against itself."""
    issues = {issue.id: (item.id, issue) for item in setting.items for issue in item.issues}
    node = row.get("issue")
    assert node is not None
    if node.value not in issues:
        hint = near(str(node.value), list(issues))
        yield document.problem(node, f"{shown(node.value)} is no issue of {setting.id}{hint}")
        return
    item, issue = issues[str(node.value)]
    held = row.get("item")
    if held is not None and held.value != item:
        yield document.problem(held, f"{issue.id} belongs to {item}")
    options = [option.id for option in issue.options]
    chosen = row.get("outcome_option")
    if chosen is not None and chosen.value not in (*options, NONE):
        hint = near(str(chosen.value), (*options, NONE))
        yield document.problem(chosen, f"{shown(chosen.value)} is no option of {issue.id}{hint}")
    if row.text("level") == "agreed" and row.text("outcome_option") == NONE:
        yield document.problem(row, "agreed on none says two things; name the option or not_agreed")
    if row.text("level") == "agreed" and row.text("evidence") == "silence":
        yield document.problem(row, "silence is no agreement; use not_agreed")
    yield from _bracket_misfits(document, row, options, setting)


def _bracket_misfits(
    document: Document, row: Node, options: list[str], setting: Setting
) -> Iterator[Problem]:
    parties = [party.id for party in setting.parties]
    for bracket in row.each("brackets"):
        option = bracket.get("option")
        if option is not None and option.value not in options:
            yield document.problem(option, f"{shown(option.value)} is no option of the issue")
        holders = bracket.each("holders")
        if not holders:
            yield document.problem(bracket, "a bracket needs a holder")
        for holder in holders:
            if holder.value not in parties:
                hint = near(str(holder.value), parties)
                yield document.problem(holder, f"{shown(holder.value)} is no party{hint}")
    if row.each("brackets") and row.text("level") != "not_agreed":
        yield document.problem(row, "only what was not agreed has brackets")
