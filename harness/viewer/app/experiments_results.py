"""The results of an experiment as a page of the app: the same page as in a file, with links home.

Made in a thread, and kept as long as the experiment's files stay as they are. Scores that are
missing beside a debate are made on the way, by code alone; no judge is asked here.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import shlex
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from evals.scores import scores_path
from harness.errors import UserError
from harness.viewer.app.index import OF_EXPERIMENTS, Entry, Index, by_experiment
from harness.viewer.app.shelf_rows import address_of
from harness.viewer.app.shelf_scores import Stamp, stamp_of

KEPT = 4
"""How many pages are kept, the last ones used."""

_META = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_TRANSCRIPT = re.compile(r'(<a href="/debates/[^"]*)\.jsonl"')

_Stamps: TypeAlias = tuple[tuple[str, Stamp | None, Stamp | None], ...]


class Made(NamedTuple):
    """A page and the content security policy it is to be read under."""

    html: str
    policy: str


class ResultsPages:
    """The results pages of a folder's experiments."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._made: OrderedDict[Path, tuple[_Stamps, asyncio.Task[Made]]] = OrderedDict()

    async def of(self, index: Index, name: str) -> Made:
        """The page of an experiment, see `made`; asked for twice at once, it is made once."""
        path = index.folder / name
        stamps = await asyncio.to_thread(_stamps, index, name)
        known = self._made.get(path)
        if known is None or known[0] != stamps:
            known = self._made[path] = (
                stamps,
                asyncio.create_task(asyncio.to_thread(made, path, name)),
            )
        self._made.move_to_end(path)
        while len(self._made) > KEPT:
            self._made.popitem(last=False)
        try:
            # Shielded: whoever goes away does not take it from the others who wait for it.
            return await asyncio.shield(known[1])
        except (UserError, OSError):
            # What stood in the way need not be one of the files.
            if self._made.get(path) is known:
                del self._made[path]
            raise


def made(path: Path, name: str) -> Made:
    """The results page of an experiment's folder.

    Args:
        path: The folder.
        name: What it is called in the app.

    Raises:
        UserError: a file cannot be read or scores cannot be written, a setting or metric is not
            there, or scipy is not installed.
    """
    from evals.comparison.page import page
    from evals.comparison.results import results_of

    try:
        results = results_of(path)
    except OSError as error:
        raise UserError(f"{error.filename or path}: {error.strerror}.") from error
    html = page(results, base=f"/debates/{name}".rstrip("/"))
    return _in_the_app(html, name, results.experiment.id)


def command(path: Path) -> str:
    """What shows the results at a terminal, with everything that can be asked for there."""
    return f"tracktwo results {shlex.quote(str(path))}"


def _in_the_app(html: str, name: str, experiment: str) -> Made:
    """With links to the app's pages, and the policy for the answer's header instead of a tag."""
    from markupsafe import Markup, escape

    # Of texts that an experiment brings nothing is a tag, so what is found is the page's own.
    html = _TRANSCRIPT.sub(r'\1"', html)
    html = _META.sub('<link rel="icon" href="data:,">', html, count=1)
    home = Markup(
        '<nav aria-label="tracktwo"><ul><li><a href="/">Debates</a></li>'
        '<li><a href="{}">Experiment <bdi>{}</bdi></a></li></ul></nav>'
    ).format(address_of(name, "experiments"), escape(experiment))
    html = html.replace("<body>", f"<body>{home}", 1)
    return Made(html, _policy(_STYLE.findall(html)))


def _policy(styles: Sequence[str]) -> str:
    """The page's own styles by their hashes, and nothing else."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'"
        for each in styles
    )
    return (
        f"default-src 'none'; style-src {hashes}; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


def _stamps(index: Index, name: str) -> _Stamps:
    """What changes when a file of the experiment does."""
    path = index.folder / name
    entries: Sequence[Entry] = by_experiment(index.look()).get(name, ())
    own = [(each, stamp_of(path / each), None) for each in OF_EXPERIMENTS]
    beside = [(e.name, e.stamp, stamp_of(scores_path(index.path_of(e)))) for e in entries]
    return (*own, *beside)
