"""A sweep as one watches it: a live table of the arms, a line a debate where nobody watches."""

from __future__ import annotations

from collections import Counter
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

from harness.cli.show import terminal
from harness.plain import clean

if TYPE_CHECKING:
    from rich.table import Table

    from harness.experiment.design import Cell
    from harness.experiment.folder import Folder
    from harness.experiment.reading import Read
    from harness.sweep.sweep import News, Tally

SHOWN = ("there", "finished", "broke", "failed", "elsewhere", "stopped")


class Board:
    """Hears the news of a sweep and shows where it stands."""

    def __init__(
        self, read: Read, cells: list[Cell], folder: Folder, *, as_json: bool, quiet: bool
    ) -> None:
        """Nothing is shown before the board is entered."""
        from rich.live import Live

        self._read, self._folder = read, folder
        self._json, self._quiet = as_json, quiet
        self._console = terminal()
        self._planned = Counter(_row(cell) for cell in cells)
        self._counts: dict[str, Counter[str]] = {row: Counter() for row in self._planned}
        self._under_way: set[str] = set()
        self._elsewhere: set[str] = set()
        self._calls = self._tokens = 0
        self._cost: float | None = None
        self._begun = monotonic()
        watched = self._console.is_terminal and not as_json and not quiet
        self._live = Live(console=self._console, get_renderable=self._table) if watched else None

    def __enter__(self) -> Board:
        """Say what is asked, and start the table."""
        if not self._json and not self._quiet:
            experiment = self._read.experiment
            self._console.print(clean(experiment.question), style="bold")
            self._console.print(
                f"{experiment.id} {experiment.sha}: {sum(self._planned.values())} debates in "
                f"{self._folder.path}",
                soft_wrap=True,
            )
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the table as it stands."""
        if self._live is not None:
            self._live.stop()

    def hear(self, news: News) -> None:
        """Take note of something that happened."""
        row = self._counts[_row(news.cell)]
        row[news.step] += 1
        if news.step == "begins":
            row["under way"] += 1
            self._under_way.add(news.cell.name)
        elif news.step in SHOWN and news.cell.name in self._under_way:
            row["under way"] -= 1
            self._under_way.discard(news.cell.name)
        call = news.event
        if call is not None and call.kind == "model_call" and call.started is not None:
            self._calls += 1
            self._tokens += call.usage.input + call.usage.output
            if call.cost is not None:
                self._cost = (self._cost or 0.0) + call.cost
        if news.step == "elsewhere" and news.cell.name in self._elsewhere:
            return  # it was looked whether the other process is done with it, and it is not
        self._elsewhere |= {news.cell.name} if news.step == "elsewhere" else set()
        if self._json:
            self._say_json(news)
        elif self._live is None and not self._quiet and news.step in SHOWN[1:]:
            why = f": {clean(news.why)}" if news.why else ""
            self._console.print(f"{news.step} {news.cell.name}{why}", soft_wrap=True)

    def say(self, words: str) -> None:
        """Show a sentence about what holds the debates."""
        if not self._json and not self._quiet:
            self._console.print(clean(words), style="dim", soft_wrap=True)

    def interrupted(self) -> None:
        """Say that nothing is lost."""
        console = terminal(stderr=True) if self._json else self._console
        console.print("Interrupted. Run the same command again to go on.")

    def end(self, tally: Tally, *, hint: bool = True) -> None:
        """What came of the sweep; with `hint`, how to read it."""
        if self._json:
            self._end_json(tally)
            return
        done = tally.there + tally.held
        self._console.print(
            f"{done} of {tally.planned} debates are there: {tally.there} were, "
            f"{tally.held} were held now."
        )
        for cell in tally.failed:
            self._console.print(f"failed: {cell.name}; see {self._folder.path}/failures.jsonl")
        if tally.stopped:
            self._console.print(f"Stopped: {tally.stopped}. {tally.left} debates are left.")
        if hint:
            path = self._folder.path
            self._console.print(f"Read it with: tracktwo results {path}", soft_wrap=True)

    def _end_json(self, tally: Tally) -> None:
        import json

        said = {
            "kind": "tally",
            "planned": tally.planned,
            "there": tally.there,
            "held": tally.held,
            "failed": [cell.name for cell in tally.failed],
            "left": tally.left,
            "stopped": tally.stopped,
            "folder": str(self._folder.path),
        }
        self._console.out(json.dumps(said, ensure_ascii=False), highlight=False)

    def _say_json(self, news: News) -> None:
        import json

        said = {"kind": "sweep", "step": news.step, "debate": news.cell.name, "why": news.why}
        if news.step in SHOWN:
            self._console.out(json.dumps(said, ensure_ascii=False), highlight=False)

    def _table(self) -> Table:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD)
        for column in ("arm", "done", "under way", "failed"):
            table.add_column(column, justify="left" if column == "arm" else "right")
        for name, planned in self._planned.items():
            row = self._counts[name]
            done = row["there"] + row["finished"]
            table.add_row(
                name, f"{done}/{planned}", str(row["under way"] or "-"), str(row["failed"] or "-")
            )
        table.caption = self._used()
        return table

    def _used(self) -> str:
        """What was used by now, and how long it will go on at this rate."""
        parts = [f"{self._calls:,} calls", f"{self._tokens:,} tokens"]
        if self._cost:
            parts.append(f"${self._cost:.2f}")
        minutes = (monotonic() - self._begun) / 60
        parts.append(f"{minutes:.0f} min" if minutes >= 1 else f"{minutes * 60:.0f} s")
        held = sum(row["finished"] for row in self._counts.values())
        there = sum(row["there"] for row in self._counts.values())
        left = sum(self._planned.values()) - held - there
        if held and left:
            parts.append(f"about {max(1, round(minutes / held * left))} min left")
        return ", ".join(parts)


def _row(cell: Cell) -> str:
    return f"{cell.arm}.{cell.variation}" if cell.variation else cell.arm
