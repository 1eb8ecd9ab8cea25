"""Text as data: what a party, a file or a model wrote, made harmless."""

from __future__ import annotations

import unicodedata


def plain(text: object) -> str:
    """Text for a prompt: one line, no angle brackets, no control or format characters.

    The angle brackets become single guillemets, so that a statement cannot close the fence it
    stands in or open one of its own.
    """
    flat = " ".join(_visible(str(text), keep=_SPACES).split())
    return flat.replace("<", "\u2039").replace(">", "\u203a")


_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85"
"""Control characters that part words or lines; taken out only after the words are parted."""


def quoted(text: object) -> str:
    """What somebody said, between guillemets that it cannot close itself."""
    inner = plain(text).replace("\u00ab", "\u201c").replace("\u00bb", "\u201d")
    return f"\u00ab{inner}\u00bb"


def clean(text: str) -> str:
    """Text for a terminal: nothing that steers it or hides in it; line ends and tabs stay."""
    return _visible(text, keep="\n\t")


def _visible(text: str, keep: str) -> str:
    if text.isprintable():  # then nothing in it is of a category that begins with C
        return text
    return "".join(c for c in text if c in keep or not unicodedata.category(c).startswith("C"))
