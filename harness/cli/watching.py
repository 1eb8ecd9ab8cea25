"""A sitting as its user watches it: as it happens, as JSON, or only its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness import events as e
    from harness.session import Sitting


class View:
    """Shows a sitting as it happens, in one of three ways."""

    def __init__(self, sitting: Sitting, *, as_json: bool, quiet: bool, private: bool) -> None:
        """Take the sitting and how to show it."""
        from harness.cli.progress import Progress
        from harness.cli.show import Shower, terminal
        from harness.models import registry

        self.sitting = sitting
        self.as_json = as_json
        self.quiet = quiet
        self.console = terminal()
        self.shower = Shower(self.console, sitting.card.setting, private=private)
        talking = any(registry.parse(s.model).family == "human" for s in sitting.card.seats)
        live = not (as_json or quiet or talking)
        self.progress = Progress(self.console, sitting, live=live)

    async def watch(self) -> bool:
        """Hold the debate and show it; whether a ceiling stopped it."""
        from contextlib import aclosing

        from harness import events as e
        from harness.transcript import dump

        stopped = False
        if not (self.as_json or self.quiet):
            self._introduce()
        with self.progress:
            async with aclosing(self.sitting.hold()) as happening:
                async for event in happening:
                    stopped = isinstance(event, e.BudgetStop)
                    if self.as_json:
                        self.console.out(dump(event), highlight=False)
                    elif not self.quiet:
                        self._show(event)
                    self.progress.note(event)
        return stopped

    def _show(self, event: e.Event) -> None:
        from harness import events as e

        ends_a_round = isinstance(event, e.RoundOpened | e.Tabled)
        if ends_a_round and self.progress.turn_since_table():
            item = self.progress.state.item
            if item is not None:
                self.shower.state_of_play(self.progress.state, item)
        self.shower.show(event)

    def _introduce(self) -> None:
        from harness.events import CHAIR, NOTICE

        card = self.sitting.card
        self.console.print(card.setting.title, style="bold")
        self.console.print(NOTICE, style="dim")
        for seat in card.seats:
            if seat.seat == CHAIR:
                voice = "in code" if seat.model == "reference" else f"worded by {seat.model}"
                self.console.print(f"  Chair: {voice}; {card.rules.decision}, seed {card.seed}")
                continue
            name = card.setting.party(seat.seat).short
            guard = ", guarded by its mandate" if seat.guard else ""
            why = f" ({seat.why})" if seat.why else ""
            self.console.print(
                f"  {name}: {seat.model}{why}, prompt {seat.prompt}, {seat.speech} speech{guard}"
            )

    def interrupted(self) -> None:
        """Say that the transcript is sound and how to go on."""
        from harness.cli.show import terminal

        self.end()
        path = self.sitting.path
        terminal(stderr=True).print(
            f"\nInterrupted. The transcript is valid as far as it goes: {path}\n"
            f"Go on with: tracktwo run --resume {path}"
        )

    def end(self) -> None:
        """Take the progress line off the screen."""
        self.progress.stop()

    def results(self) -> None:
        """Score the debate and show joint text, tables and path."""
        from harness.cli.scoring import show_json, show_results

        if self.as_json:
            show_json(self.console, self.sitting.path)
        else:
            show_results(self.console, self.sitting.path, brief=self.quiet)
