"""The joint texts of several debates, paragraph by paragraph and word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from harness.mechanism import Paragraph, joint_text
from harness.transcript import Transcript
from harness.viewer import anchors
from harness.viewer.comparing.naming import Names
from harness.viewer.comparing.outcomes import issues_of

ALIKE = 0.3
"""Share of words in common below which a text counts as another one, not as the same amended."""

LONGEST = 2_000
"""Words of a paragraph up to which it is gone through word by word."""

_WORD = re.compile(r"\s*(?:\w+(?:[-'\u2019]\w+)*|[^\w\s])")

Op = Literal["same", "del", "ins"]


class Piece(NamedTuple):
    """Words that both texts have, only the base, or only the other."""

    op: Op
    text: str

    @property
    def words(self) -> str:
        """The text without the white space before it."""
        return self.text.lstrip()

    @property
    def gap(self) -> str:
        """The white space before it, which is neither inserted nor deleted."""
        return self.text[: len(self.text) - len(self.words)]


class Text(NamedTuple):
    """A paragraph of the joint text as one or more debates have it."""

    debates: tuple[int, ...]
    pieces: tuple[Piece, ...]
    """Against the base's text; for the base itself the whole text as it is."""
    silent: str
    """Why there is no text; empty where there is one."""


class Told(NamedTuple):
    """A paragraph of the joint text in all debates."""

    item: str
    """The item's title."""
    issue: str
    heading: str
    to: str
    """Anchor of the issue on a debate's page."""
    texts: tuple[Text, ...]
    """Each as often as it is not the same; the base's first, if it has the issue."""
    absent: tuple[int, ...]
    """Debates on whose agenda the issue is not."""

    @property
    def same(self) -> bool:
        """Whether all that have it have the same text."""
        return len(self.texts) == 1

    @property
    def alone(self) -> bool:
        """Whether only one debate has the issue, so that there is nothing to compare."""
        return sum(len(text.debates) for text in self.texts) == 1


def texts(transcripts: Sequence[Transcript], base: int) -> tuple[Told, ...]:
    """The paragraphs of the joint texts, each against the base's."""
    return tuple(_told(transcripts, base))


def _told(transcripts: Sequence[Transcript], base: int) -> Iterator[Told]:
    names = [Names(each.setting) for each in transcripts]
    written = [{p.issue: p for p in joint_text(x.state, x.setting)} for x in transcripts]
    order = [base, *(n for n in range(len(transcripts)) if n != base)]
    for item, issue, held in issues_of(transcripts):
        having = [n for n in order if held[n] is not None]
        plain = {n: _plain(written[n][issue], names[n]) for n in having}
        groups: dict[tuple[str, str], list[int]] = {}
        for n in having:
            groups.setdefault(plain[n], []).append(n)
        first = next(iter(groups))[0]
        yield Told(
            names[having[0]].item(item), issue, names[having[0]].issue(issue),
            anchors.anchor("issue", issue),
            tuple(
                Text(tuple(sorted(debates)), _pieces(first, text), silent)
                for (text, silent), debates in groups.items()
            ),
            tuple(n for n in range(len(held)) if held[n] is None),
        )  # fmt: skip


def _plain(paragraph: Paragraph, names: Names) -> tuple[str, str]:
    """The paragraph as text; and why there is none."""
    if paragraph.text is not None:
        reserved = names.all(each.party for each in paragraph.reservations)
        return paragraph.text + (f" Reservation of {reserved}." if reserved else ""), ""
    held = [
        f"[{names.all(holders) or 'nobody'}: {text}]" for _, text, holders in paragraph.brackets
    ]
    if paragraph.status == "undecided":
        return "", "not decided, as far as the record goes"
    return "\n".join(held), "" if held else paragraph.why


def _pieces(base: str, other: str) -> tuple[Piece, ...]:
    """What of two texts is the same; of the base against itself the whole of it."""
    if base == other:
        return (Piece("same", base),) if base else ()
    return tuple(diff(base, other))


def diff(base: str, other: str) -> Iterator[Piece]:
    """How one text becomes the other, word by word.

    Leaving out what is inserted gives the base, but for its white space at both ends; leaving out
    what is deleted gives the other.
    """
    one, two = _WORD.findall(base.strip()), _WORD.findall(other.strip())
    steps = SequenceMatcher(None, [w.strip() for w in one], [w.strip() for w in two])
    long = max(len(one), len(two)) > LONGEST
    if long or steps.ratio() < ALIKE:
        yield from _pair(base.strip(), other.strip())
        return
    for op, begin, end, start, stop in steps.get_opcodes():
        if op == "equal":
            # White space may differ where words do not: what parts it from what stood before stays.
            head = max(one[begin], two[start], key=len)
            yield Piece("same", "".join((head, *two[start + 1 : stop])))
        else:
            yield from _pair("".join(one[begin:end]), "".join(two[start:stop]))


def _pair(gone: str, come: str) -> Iterator[Piece]:
    if gone:
        yield Piece("del", gone)
    if come:
        yield Piece("ins", come)
