"""Labelling: claims of the folder's debates, one after the other, for a person to decide on.

What people give lies in the folder `labels`, a file for each person and setting
(evals/labelling/book.py). By default nobody sees what judges or others said of a claim before
having labelled it, and whether somebody had is on record with the label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from anyio.to_thread import run_sync
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from evals.labelling.agreement import disagreements
from evals.labelling.book import DAY, Books, Given, Way
from evals.labelling.queue import Entry
from evals.labels import LABELS, WITH_POSITIONS, Label
from harness.errors import UserError
from harness.viewer.app.desk import Desk
from harness.viewer.app.frame import show
from harness.viewer.app.labelling_claims import Claims, Wish, chosen
from harness.viewer.app.labelling_pages import Place, agreement_page, claim_page, lobby

FOLDER = "labels"
"""Where labels lie, in the folder of debates."""


class Room:
    """The room's share of the desk."""

    def __init__(self, desk: Desk) -> None:
        """Take the desk; nothing is read before somebody asks."""
        self.desk = desk
        self.claims = Claims(desk)
        self.books = Books(desk.folder / FOLDER)

    def lobby(self, request: Request) -> Response:
        """Who labels, in which order; and where the labels lie."""
        page = lobby(self.claims.found(), self.books, request.query_params)
        return show("label", title="Label", page=page)

    def next(self, request: Request) -> Response:
        """On to the next claim in the order without a label, after the one just read."""
        wish = Wish.of(request.query_params)
        params = request.query_params
        return self._on(wish, params.get("after", ""), params.get("gave", ""))

    def claim(self, request: Request) -> Response:
        """One claim to label."""
        wish = Wish.of(request.query_params)
        entries = chosen(self.claims.found().entries, wish)
        if not entries:
            return self._nothing(wish)
        wanted = request.query_params.get("id", "")
        entry = next((each for each in entries if each.id == wanted), None)
        if entry is None:
            raise UserError(f"There is no claim {wanted!r} among these.")
        page = claim_page(self.desk, self.books, Place(entries, entry, wish), request.query_params)
        return show("label_claim", title=f"Label: {page.party} on {page.item}", page=page)

    def give(self, form: FormData) -> Response:
        """Write down what was given, and go on."""
        wish, entry = Wish.of(form), self._entry(form)
        before = self.books.rows(wish.who).get(entry.id)
        now = before.label if before is not None else None
        label = _label(form)
        if (now or "") not in (form.get("was", ""), label or ""):
            return _to("/label/claim", wish, id=entry.id, elsewhere="yes")
        given = Given(
            label=label,
            positions=self._positions(form, entry, label),
            note=str(form.get("note", "")),
            seconds=_seconds_since(str(form.get("opened", ""))),
            open=not wish.blind,
        )
        seed = wish.seed if wish.order == "random" else None
        self.books.give(wish.who, entry, given, Way(wish.order, seed))
        return self._on(wish, entry.id, entry.id)

    def undo(self, form: FormData) -> Response:
        """Take a label back, and return to its claim."""
        wish, entry = Wish.of(form), self._entry(form)
        self.books.take_back(wish.who, entry.id)
        return _to("/label/claim", wish, id=entry.id)

    def reveal(self, form: FormData) -> Response:
        """Show what others said of a claim that one has labelled; it is noted beside the label."""
        wish, entry = Wish.of(form), self._entry(form)
        self.books.show(wish.who, [entry.id])
        return _to("/label/claim", wish, id=entry.id)

    def agreement(self, request: Request) -> Response:
        """How far people agree."""
        page = agreement_page(self.claims.found(), self.books, request.query_params)
        return show("label_agreement", title="Agreement between people", page=page)

    def talk(self, form: FormData) -> Response:
        """Show a person the claims on which others differ; it is noted beside the labels."""
        wish = Wish.of(form)
        found = disagreements(self.books.everybody(), wish.who)
        self.books.show(wish.who, {each.id for each in found})
        return _to("/label/agreement", wish)

    def merge(self, form: FormData) -> Response:
        """Write everybody's labels on a setting into one file."""
        setting = str(form.get("setting", ""))
        if setting not in self.books.settings():
            raise UserError(f"There is no label on {setting!r} yet.")
        self.books.merge(setting)
        who = str(form.get("who", ""))
        return _to("/label/agreement", Wish(who) if who else None, wrote=setting)

    def _entry(self, form: FormData) -> Entry:
        wanted = str(form.get("id", ""))
        for entry in self.claims.found().entries:
            if entry.id == wanted:
                return entry
        raise UserError(f"There is no claim {wanted!r} in {self.desk.folder} any more.")

    def _positions(self, form: FormData, entry: Entry, label: Label | None) -> tuple[str, ...]:
        """The positions that were ticked; the party's own on the item, as whoever labels sees."""
        if label not in WITH_POSITIONS:
            return ()
        known = {each.id for each in self.claims.positions(entry)}
        ticked = dict.fromkeys(map(str, form.getlist("positions")))
        if strange := [name for name in ticked if name not in known]:
            raise UserError(
                f"{strange[0]!r} is no position of {entry.claim.party} on {entry.claim.item}."
            )
        return tuple(ticked)

    def _on(self, wish: Wish, after: str, gave: str) -> Response:
        """To the first claim without a row behind `after`, or else from the start."""
        entries = chosen(self.claims.found().entries, wish)
        rows = self.books.rows(wish.who)
        names = [entry.id for entry in entries]
        start = names.index(after) + 1 if after in names else 0
        ahead = [name for name in (*names[start:], *names[:start]) if name not in rows]
        if not ahead:
            return self._nothing(wish) if not names else _to("/label/agreement", wish, done="yes")
        return _to("/label/claim", wish, id=ahead[0], **({"gave": gave} if gave else {}))

    def _nothing(self, wish: Wish) -> Response:
        where = f" in {wish.debate}" if wish.debate else ""
        raise UserError(
            f"There is no claim to label{where} in this order. Choose another order or debate, or "
            "have the debates judged with `tracktwo score --judge`."
        )


def _label(form: FormData) -> Label | None:
    """The label that was given; None for a claim passed over."""
    wanted = str(form.get("do", ""))
    if wanted == "skip":
        return None
    for label in LABELS:
        if label == wanted:
            return label
    raise UserError(f"{wanted!r} is no label; there are {', '.join(LABELS)}.")


def _seconds_since(opened: str) -> float | None:
    """How long ago that was; None where it is unknown, or so long that nobody sat there reading."""
    try:
        found = (datetime.now(UTC) - datetime.fromisoformat(opened)).total_seconds()
    except (ValueError, TypeError):
        return None
    return found if 0 <= found <= DAY else None


def _to(address: str, wish: Wish | None, **more: str) -> Response:
    query = (wish or Wish("")).query(**more)
    return RedirectResponse(f"{address}?{query}", 303)


def routes(desk: Desk) -> Sequence[BaseRoute]:
    """What the room answers to."""
    room = Room(desk)

    def get(address: str, answer: Callable[[Request], Response]) -> Route:
        async def handler(request: Request) -> Response:
            return await run_sync(partial(answer, request))

        return Route(address, handler, methods=["GET"])

    def post(address: str, answer: Callable[[FormData], Response]) -> Route:
        async def handler(request: Request) -> Response:
            async with request.form() as form:
                return await run_sync(partial(answer, form))

        return Route(address, handler, methods=["POST"])

    return [
        get("/label", room.lobby),
        get("/label/next", room.next),
        get("/label/claim", room.claim),
        post("/label/give", room.give),
        post("/label/undo", room.undo),
        post("/label/reveal", room.reveal),
        get("/label/agreement", room.agreement),
        post("/label/talk", room.talk),
        post("/label/merge", room.merge),
    ]
