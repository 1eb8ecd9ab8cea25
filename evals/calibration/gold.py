"""Gold: propositions that people labelled against a setting's record; what judges are measured on.

A gold set is a file whose name begins with that of its setting: JSONL with one object a line, or
a CSV (evals/labelling/cells.py), such as people's labels from the app. Every line is checked
against the setting, and every problem is said with its place. Where several people labelled a
proposition all of their labels are kept, the most frequent is its label, and a proposition on
which the largest camps are of one size is left out and named. A row of a CSV without a label is a
question, and no label.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import AfterValidator, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from evals.evaluator import Value
from evals.labelling import cells
from evals.labels import LABELS, WITH_POSITIONS, Label
from harness.errors import UserError
from harness.loading import load, settings_available
from harness.setting import Setting, sha

Split: TypeAlias = Literal["dev", "test"]
"""`dev` to write rubrics and prompts with, `test` to measure with."""

SPLITS: tuple[Split, ...] = ("dev", "test")
LONGEST = 400
"""Most characters of a proposition: it is no speech."""

GOLD = Path(__file__).resolve().parent.parent / "gold"
"""Where the sets that come with the program lie."""


class Annotation(NamedTuple):
    """The label one person gave."""

    annotator: str
    label: Label


class Proposition(Value):
    """One thing a delegation might say, and what its party's record says of it."""

    id: str
    """Unique in the set."""
    split: Split
    party: str
    """Whose delegation says it, and against whose record it is labelled."""
    item: str
    """The agenda item it is said on."""
    text: str
    """One or two sentences in the delegation's own voice."""
    label: Label
    """The label most of the people who read it gave."""
    positions: tuple[str, ...] = ()
    """Ids of the party's positions the label rests on. The first is the one that supports alone or
    that is contradicted. Empty for unsupported and no_claim, and where nobody noted them."""
    rationale: str = ""
    """Why this label, in a line."""
    annotations: tuple[Annotation, ...] = ()
    """Every label it was given and by whom; one where one person labelled it."""


class Tied(NamedTuple):
    """A proposition without a majority: no label to use, but people's disagreement all the same."""

    split: Split
    annotations: tuple[Annotation, ...]


class Gold(Value):
    """A labelled set, checked against its setting."""

    name: str
    """The file's name without its ending."""
    setting: str
    """Id of the setting whose record it was labelled against."""
    propositions: tuple[Proposition, ...]
    """In the order of the file."""
    dropped: tuple[str, ...] = Field(default=())
    """Ids of those without a majority; they are in no other field."""
    tied: tuple[Tied, ...] = Field(default=())
    """What people gave on those: how far people agree cannot be told without them."""
    waiting: tuple[str, ...] = Field(default=())
    """Ids of those that nobody has given a label; they are in no other field."""

    @cached_property
    def sha(self) -> str:
        """Fingerprint of what is in it: with any text or label changed it is another set."""
        return sha(self.model_dump_json(exclude={"name", "tied", "waiting"}))

    def split(self, split: Split) -> tuple[Proposition, ...]:
        """The propositions of one split, in order."""
        return tuple(e for e in self.propositions if e.split == split)

    @property
    def annotators(self) -> tuple[str, ...]:
        """Everybody who labelled something that was kept, by name."""
        return tuple(sorted({a.annotator for e in self.propositions for a in e.annotations}))

    @property
    def notice(self) -> str:
        """How many propositions were left out, and why; empty where none was."""
        left = (("no majority label", self.dropped), ("no label yet", self.waiting))
        return " ".join(
            f"{len(ids)} {'proposition has' if len(ids) == 1 else 'propositions have'} {what} "
            f"and {'is' if len(ids) == 1 else 'are'} left out: {', '.join(ids)}."
            for what, ids in left
            if ids
        )


def _one_line(text: str) -> str:
    if len(text.splitlines()) > 1:
        raise ValueError("stands on one line")
    return text


_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
_Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST),
    AfterValidator(_one_line),
]


class _Row(Value):
    """One line of a file: a proposition as one person labelled it."""

    id: _Word
    split: Split
    party: _Word
    item: _Word
    text: _Text
    label: Label
    positions: tuple[_Word, ...] | None = None
    rationale: str = ""
    annotator: _Word = "author"


def _defects(path: Path, problems: Iterable[_Wrong]) -> UserError:
    return UserError("\n".join(f"{path}:{line}: {message}" for line, message in problems))


class _Placed(NamedTuple):
    line: int
    row: _Row


class _Wrong(NamedTuple):
    line: int
    message: str


def gold_path(name: str) -> Path:
    """The file of a set that comes with the program.

    Raises:
        UserError: there is none of this name; the message lists those there are.
    """
    shipped = {path.stem: path for path in sorted(GOLD.glob("*.jsonl"))}
    if name not in shipped:
        raise UserError(
            f"There is no gold set {name!r}; there is {', '.join(shipped) or 'none'}. "
            "A file of your own is named by its path, ending in .jsonl or .csv."
        )
    return shipped[name]


def read_gold(source: str | Path, setting: Setting | None = None) -> Gold:
    """Read a gold set, and check it against the setting it was labelled on.

    Args:
        source: A file, or the name of a set that comes with the program.
        setting: Whose record it was labelled against; left out, the setting whose name the file's
            begins with.

    Raises:
        UserError: it cannot be read, or does not fit the setting; every problem is a line of the
            message, with file and line.
    """
    path = _path(source)
    rows, unlabelled = _rows(path)
    setting = setting or _setting_of(path)
    problems = [*_misplaced(rows, setting), *_at_odds(rows)]
    if problems:
        raise _defects(path, sorted(problems))
    groups = _by_id(rows)
    merged = {name: _merged(group) for name, group in groups.items()}
    kept = tuple(filter(None, merged.values()))
    if not kept:
        raise UserError(f"{path}: no proposition has a majority label; there is nothing to use.")
    return Gold(
        name=path.stem,
        setting=setting.id,
        propositions=kept,
        dropped=tuple(name for name, each in merged.items() if each is None),
        tied=tuple(
            Tied(group[0].row.split, _annotations(group))
            for name, group in groups.items()
            if merged[name] is None
        ),
        waiting=tuple(name for name in unlabelled if name not in merged),
    )


def _path(source: str | Path) -> Path:
    path = Path(source)
    is_name = path.suffix == "" and path.name == str(source)
    return gold_path(path.name) if is_name and not path.is_file() else path


def _setting_of(path: Path) -> Setting:
    """The setting whose name the file's begins with; of several the longest."""
    folders = {folder.name: folder for folder in settings_available()}
    named = [name for name in folders if re.match(rf"{re.escape(name)}(?![^._-])", path.stem)]
    if not named:
        raise UserError(
            f"{path}: which setting is it about? Let the file's name begin with the setting's, as "
            f"in {min(folders, default='geneva-2021')}-mine{path.suffix or '.jsonl'}; there is "
            f"{', '.join(sorted(folders)) or 'no setting here'}."
        )
    return load(folders[max(named, key=len)])


def _by_id(rows: Iterable[_Placed]) -> dict[str, list[_Placed]]:
    groups: dict[str, list[_Placed]] = defaultdict(list)
    for row in rows:
        groups[row.row.id].append(row)
    return groups


def _misplaced(rows: Sequence[_Placed], setting: Setting) -> Iterator[_Wrong]:
    """What a row says that the setting does not bear out."""
    for line, row in rows:
        for message in (*_names(row, setting), *_evidence(row)):
            yield _Wrong(line, f"{row.id}: {message}")


def _names(row: _Row, setting: Setting) -> Iterator[str]:
    parties = {party.id for party in setting.parties}
    items = {item.id for item in setting.items}
    if row.party not in parties:
        yield f"{setting.id} has no party {row.party!r}; it has {', '.join(sorted(parties))}."
    if row.item not in items:
        yield f"{setting.id} has no item {row.item!r}; it has {', '.join(sorted(items))}."
    if row.party in parties and row.item in items:
        yield from _positions(row, setting)


def _positions(row: _Row, setting: Setting) -> Iterator[str]:
    for name in row.positions or ():
        try:
            holder, item = setting.holder(name), setting.position(name).item
        except KeyError:
            yield f"there is no position {name!r} in {setting.id}."
            continue
        if holder != row.party:
            yield f"position {name!r} is of {holder!r}, and the proposition of {row.party!r}."
        elif item != row.item:
            yield f"position {name!r} is on {item!r}, and the proposition on {row.item!r}."


def _evidence(row: _Row) -> Iterator[str]:
    """Whether there are positions where the label rests on some, and none where on none."""
    if row.positions is None:
        return
    if row.label in WITH_POSITIONS and not row.positions:
        yield f"{row.label} rests on a position; name its id, or leave `positions` out."
    if row.label not in WITH_POSITIONS and row.positions:
        yield f"{row.label} rests on no position; leave `positions` empty."


def _at_odds(rows: Sequence[_Placed]) -> Iterator[_Wrong]:
    """Rows of one id that are not one proposition labelled by different people."""
    first: dict[str, _Placed] = {}
    seen: dict[tuple[str, str], int] = {}
    for line, row in rows:
        known = first.setdefault(row.id, _Placed(line, row))
        before = seen.setdefault((row.id, row.annotator), line)
        if before != line:
            who = f" by {row.annotator!r}"
            message = f"{row.id}: already labelled{who} in line {before}; one label a person."
            yield _Wrong(line, message)
        for field in ("split", "party", "item", "text"):
            if getattr(row, field) != getattr(known.row, field):
                yield _Wrong(line, f"{row.id}: its {field} is not that of line {known.line}.")


def _merged(group: Sequence[_Placed]) -> Proposition | None:
    """One proposition from everybody's rows; None where no label has most of them."""
    rows = [placed.row for placed in group]
    ranked = Counter(row.label for row in rows).most_common(2)
    if len(ranked) == 2 and ranked[0][1] == ranked[1][1]:
        return None
    label = ranked[0][0]
    agreeing = [row for row in rows if row.label == label]
    noted = next((row.positions for row in agreeing if row.positions), ())
    return Proposition(
        id=rows[0].id,
        split=rows[0].split,
        party=rows[0].party,
        item=rows[0].item,
        text=rows[0].text,
        label=label,
        positions=noted,
        rationale=next((row.rationale for row in agreeing if row.rationale), ""),
        annotations=_annotations(group),
    )


def _annotations(group: Sequence[_Placed]) -> tuple[Annotation, ...]:
    return tuple(Annotation(placed.row.annotator, placed.row.label) for placed in group)


def _rows(path: Path) -> tuple[tuple[_Placed, ...], tuple[str, ...]]:
    """Every line with a label, and the ids on those of a CSV without: a queue, or passed over.

    Raises: UserError: it cannot be read at all, or lines cannot; the message has each of them.
    """
    lines = _csv_lines(path) if path.suffix == ".csv" else _json_lines(path)
    rows: list[_Placed] = []
    unlabelled: dict[str, None] = {}
    problems: list[_Wrong] = []
    for line, given in lines:
        if isinstance(given, str):
            problems.append(_Wrong(line, given))
        elif path.suffix == ".csv" and isinstance(given, dict) and not given["label"]:
            unlabelled[str(given["id"])] = None
        else:
            _take(line, given, rows, problems)
    if problems:
        raise _defects(path, problems)
    if not rows:
        raise UserError(
            f"{path}: holds no proposition that has a label; see evals/gold/README.md for the "
            "format."
        )
    return tuple(rows), tuple(unlabelled)


def _take(line: int, given: object, rows: list[_Placed], problems: list[_Wrong]) -> None:
    try:
        rows.append(_Placed(line, _Row.model_validate(given)))
    except ValidationError as error:
        problems += [_Wrong(line, _plainly(each)) for each in error.errors(include_url=False)]


def _json_lines(path: Path) -> Iterator[tuple[int, object]]:
    """Each line that is not blank, as its object or as a sentence saying what is wrong with it."""
    for number, line in enumerate(cells.text_of(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            yield number, f"is not JSON ({error}); one object a line is expected."
            continue
        yield number, value if isinstance(value, dict) else "is JSON, but no object in braces."


def _csv_lines(path: Path) -> Iterator[tuple[int, object]]:
    """Each row as a row of the set, or as a sentence saying what is wrong with it."""
    for number, given, wrong in cells.lines_of(path):
        yield number, wrong or _row_of(given)


def _row_of(given: Mapping[str, str]) -> dict[str, object]:
    """The cells by the names a row has; an empty cell of positions says nothing about them."""
    row: dict[str, object] = {k: given[k] for k in _Row.model_fields if k in given}
    row["label"] = given["target"].strip()
    return row | {"positions": cells.ids(given.get("positions", "")) or None}


def _plainly(error: ErrorDetails) -> str:
    """What is wrong with a field, in a sentence."""
    field = str(error["loc"][0])
    value = error["input"]
    match error["type"]:
        case "missing":
            return f"{field} is missing."
        case "extra_forbidden":
            return f"{field!r} is no field; there are {', '.join(_Row.model_fields)}."
        case "literal_error":
            allowed = LABELS if field == "label" else SPLITS
            return f"{field} {value!r} is unknown; it is one of {', '.join(allowed)}."
        case "string_too_short":
            return f"{field} is empty."
        case "string_too_long":
            return f"{field} has {len(value)} characters; {error['ctx']['max_length']} at most."
    return f"{field}: {error['msg'].removeprefix('Value error, ')}."
