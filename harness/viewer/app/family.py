"""Which debates of the folder were taken from which, and how they came out: the tree of forks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from evals.comparison.movement import Movement, movement
from harness.errors import TranscriptError, UserError
from harness.fork.point import turns
from harness.parts import Fork
from harness.transcript import Transcript, fingerprint, read
from harness.viewer.app.desk import Desk
from harness.viewer.app.standing import Going, standing

_FORK = b'"fork":{'  # within a JSON string the quotes would be escaped

_CHANGED = re.compile(
    r"^(?P<who>[^\s:]+(?: and [^\s:]+)*)"
    r"(?P<did> with persona prompt | by | says in | without "
    r"| does not hear what (?P<speaker>[^\s:]+) says in )"
)
"""How what was changed begins, as the record says it; never somebody's words, which come later."""


class Member(NamedTuple):
    """A transcript of the folder, and what it was taken from."""

    name: str
    path: Path
    fork: Fork | None


class Outcome(NamedTuple):
    """What one issue came to."""

    issue: str
    heading: str
    option: str
    """Id and gist of the text that was adopted; empty where none was."""


@dataclass(frozen=True)
class Branch:
    """A debate as the tree shows it, with the debates that were taken from it."""

    name: str
    title: str
    going: Going | None
    """None where its file cannot be read."""
    why: str
    """How it stands in a sentence, or why it cannot be read."""
    seed: int | None
    changes: tuple[str, ...]
    at: str
    """Where it was taken, in words; empty for one that was taken from none."""
    changed_since: bool
    """Whether the debate it was taken from has gone on since."""
    outcomes: tuple[Outcome, ...]
    differs: tuple[str, ...]
    """Headings of the issues that came out otherwise than in the debate it was taken from."""
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Group:
    """Debates that go on from the same moment under the same conditions."""

    at: str
    changes: tuple[str, ...]
    """Empty where nothing was changed."""
    branches: tuple[Branch, ...]
    moved: Movement | None
    """Against the unchanged ones; None where there is nothing to compare yet."""
    why_not: str = ""
    """Why nothing is compared; empty where it is, or where nothing was changed."""


@dataclass(frozen=True)
class Tree:
    """All that hangs together with one debate."""

    root: Branch
    missing: str
    """The file that the root was taken from, where it is not in the folder; else empty."""
    count: int
    running: int
    """How many of them are held here now."""
    waiting: int
    """How many more are to come."""


def tree(desk: Desk, name: str) -> Tree:
    """The tree in which a debate stands.

    Raises:
        UserError: there is no such debate, or its file is no transcript.
    """
    path = desk.path_of(name)
    # Before the folder is looked through, so that none is missed that gets its file meanwhile.
    without_file = [path for path in _under_way(desk) if not path.exists()]
    family = _Family(desk, members(desk))
    if (name := desk.name_of(path)) not in family.known:
        read(path)  # says what is wrong with it
        raise UserError(f"{name} lies in a hidden folder, where no tree is looked for: move it.")
    root = family.root_of(name)
    made = family.branch(root, None)
    missing = root.fork.origin if root.fork is not None else ""
    every = list(_all(made))
    running = sum(each.going == "here" for each in every)
    stems = tuple(f"{each.name.rpartition('/')[2]}." for each in every)
    waiting = sum(path.name.startswith(stems) for path in without_file)
    return Tree(made, missing, len(every), running, waiting)


def _under_way(desk: Desk) -> list[Path]:
    return [under_way.path for under_way in list(desk.under_way.values())]


def _all(branch: Branch) -> Iterator[Branch]:
    yield branch
    for group in branch.groups:
        for each in group.branches:
            yield from _all(each)


def members(desk: Desk) -> Mapping[str, Member]:
    """Every transcript of the folder by name; files that are none are left out."""
    found = {}
    for path in sorted(desk.folder.rglob("*.jsonl")):
        if not any(part.startswith(".") for part in path.relative_to(desk.folder).parts):
            member = _member(desk, path)
            if member is not None:
                found[member.name] = member
    return found


def _member(desk: Desk, path: Path) -> Member | None:
    try:
        about = path.stat()
        is_one, fork = _beginning(path, about.st_mtime_ns, about.st_size)
    except OSError:
        return None
    return Member(desk.name_of(path), path, fork) if is_one else None


@lru_cache(maxsize=20_000)
def _beginning(path: Path, changed: int, size: int) -> tuple[bool, Fork | None]:
    """Whether it is a transcript, and its fork, from two lines: folders hold thousands of files."""
    with path.open("rb") as file:
        header, card = file.readline(1 << 16), file.readline()
    is_one = b'"tracktwo transcript"' in header
    return is_one, _fork(card) if is_one else None


@lru_cache(maxsize=64)
def _whole(path: Path, changed: int, size: int) -> Transcript:
    return read(path)


def _fork(card: bytes) -> Fork | None:
    if _FORK not in card:
        return None
    try:
        return Fork.model_validate(json.loads(card)["fork"])
    except (ValueError, KeyError):
        return None  # whoever opens the file is told what is wrong with it


class _Family:
    """Reads each transcript of the tree once."""

    def __init__(self, desk: Desk, known: Mapping[str, Member]) -> None:
        self.desk, self.known = desk, known
        self.by_file: dict[str, list[Member]] = {}
        for member in known.values():
            self.by_file.setdefault(member.path.name, []).append(member)
        self.children: dict[str, list[Member]] = {}
        for member in known.values():
            if (parent := self.parent_of(member)) is not None:
                self.children.setdefault(parent.name, []).append(member)
        self._read: dict[str, Transcript | str] = {}
        self._stands: set[str] = set()
        """What stands in the tree already: files may claim to come from each other."""

    def parent_of(self, member: Member) -> Member | None:
        """The debate it was taken from, if it is in the folder."""
        if member.fork is None:
            return None
        same = [m for m in self.by_file.get(member.fork.origin, ()) if m.name != member.name]
        if len(same) > 1:
            exact = [m for m in same if fingerprint(m.path) == member.fork.origin_sha]
            same = exact or same
        return same[0] if same else None

    def root_of(self, name: str) -> Member:
        """The debate from which all others of the tree come."""
        member, seen = self.known[name], {name}
        while (parent := self.parent_of(member)) is not None and parent.name not in seen:
            member = parent
            seen.add(parent.name)
        return member

    def branch(self, member: Member, parent: Transcript | None) -> Branch:
        """The debate with everything that was taken from it."""
        self._stands.add(member.name)
        transcript = self.read(member)
        if isinstance(transcript, str):
            return Branch(
                member.name, member.path.stem, None, transcript, None, (), "", False, (), (), ()
            )
        now = standing(self.desk, member.name, member.path, transcript.events[-1])
        fork = member.fork
        return Branch(
            name=member.name,
            title=transcript.header.debate,
            going=now.going,
            why=now.words,
            seed=transcript.card.seed,
            changes=_by_name(fork.changes, transcript) if fork else (),
            at=_where(fork, parent),
            changed_since=self._changed_since(member),
            outcomes=tuple(_outcomes(transcript)),
            differs=tuple(_differs(transcript, parent)),
            groups=tuple(self._groups(member, transcript)),
        )

    def read(self, member: Member) -> Transcript | str:
        """The transcript, or why it cannot be read."""
        if member.name not in self._read:
            try:
                about = member.path.stat()
                self._read[member.name] = _whole(member.path, about.st_mtime_ns, about.st_size)
            except (TranscriptError, OSError) as error:
                self._read[member.name] = str(error)
        return self._read[member.name]

    def _changed_since(self, member: Member) -> bool:
        parent = self.parent_of(member)
        if parent is None or member.fork is None:
            return False
        return fingerprint(parent.path) != member.fork.origin_sha

    def _groups(self, member: Member, origin: Transcript) -> Iterator[Group]:
        found: dict[tuple[int | None, tuple[str, ...]], list[Member]] = {}
        for child in self.children.get(member.name, ()):
            if child.fork is None or child.name in self._stands:
                continue
            found.setdefault((_moment(child.fork, origin), child.fork.changes), []).append(child)
        for (moment, changes), children in sorted(found.items(), key=_by_moment):
            control = found.get((moment, ()), [])
            moved, why = self._moved(origin, control, children) if changes else (None, "")
            branches = tuple(self.branch(child, origin) for child in children)
            named = _by_name(changes, origin)
            yield Group(_where(children[0].fork, origin), named, branches, moved, why)

    def _moved(
        self, origin: Transcript, control: Sequence[Member], changed: Sequence[Member]
    ) -> tuple[Movement | None, str]:
        """How the changed ones moved against the unchanged; else why that cannot be said."""
        before, after = self._finished(control), self._finished(changed)
        if not before or not after:
            which = "unchanged" if not before else "changed"
            return None, f"No {which} debate has come to its end yet."
        try:
            return movement(origin, before, after), ""
        except UserError as error:
            return None, str(error)

    def _finished(self, members: Sequence[Member]) -> list[Transcript]:
        whole = [self.read(member) for member in members]
        return [each for each in whole if not isinstance(each, str) and each.finished]


def _by_name(changes: Sequence[str], transcript: Transcript) -> tuple[str, ...]:
    """What was changed, the parties by their short names; the record has their ids."""
    names = {party.id: party.short for party in transcript.setting.parties}
    return tuple(_CHANGED.sub(lambda found: _called(found, names), each) for each in changes)


def _called(found: re.Match[str], names: Mapping[str, str]) -> str:
    who = " and ".join(names.get(party, party) for party in found["who"].split(" and "))
    speaker = found["speaker"]
    if speaker is None:
        return who + found["did"]
    return f"{who} does not hear what {names.get(speaker, speaker)} says in "


def _by_moment(pair: tuple[tuple[int | None, tuple[str, ...]], object]) -> tuple[int, bool, str]:
    """In the order of the record; of one moment the unchanged ones first."""
    (moment, changes), _ = pair
    return (-1 if moment is None else moment, bool(changes), " ".join(changes))


def _moment(fork: Fork, origin: Transcript) -> int | None:
    """The event at which debates that belong together go their own ways.

    A changed statement is taken again, and the unchanged debates begin after it.
    """
    if fork.said is None or fork.turn is None:
        return fork.at
    turn = next((t for t in turns(origin.debate) if t.handle == fork.turn), None)
    if turn is None:
        return fork.at
    later = origin.debate[turn.end : turn.end + 1]
    return later[0].seq if later else origin.debate[-1].seq + 1


def _where(fork: Fork | None, origin: Transcript | None) -> str:
    if fork is None:
        return ""
    if fork.at is None:
        return "from the start"
    if origin is None:
        return f"from event {fork.at}"
    moment = _moment(fork, origin)
    after = [t for t in turns(origin.debate) if moment is None or t.events[0].seq < moment]
    return f"after {after[-1].handle}" if after else "before the first turn"


def _outcomes(transcript: Transcript) -> Iterator[Outcome]:
    for issue, state in transcript.state.issues.items():
        known = transcript.setting.issue(issue)
        label = ""
        if state.outcome == "adopted" and state.decision is not None and state.decision.option:
            option = known.option(state.decision.option)
            label = f"({option.id}) {option.label}"
        yield Outcome(issue, known.heading, label)


def _differs(transcript: Transcript, parent: Transcript | None) -> Iterator[str]:
    """Issues that came out otherwise; one that either has not decided yet is not compared."""
    if parent is None:
        return
    before = {each.issue: each for each in _outcomes(parent)}
    for each in _outcomes(transcript):
        settled = [t.state.issues.get(each.issue) for t in (transcript, parent)]
        if (
            all(state and state.settled for state in settled)
            and before[each.issue].option != each.option
        ):
            yield each.heading
