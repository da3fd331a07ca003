"""Telling a person how far the demo is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from api.language import Language
from deploy.demo.words import WORDS


class Step:
    """One step in progress: how much of it is done, and what to say beside it."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self.note = ""

    def progress(self, share: float, note: str = "") -> None:
        """Show that a share of the step, 0…1, is done."""
        self.note = note or self.note
        self._progress.update(self._task, total=1.0, completed=share, note=self.note)


class Steps:
    """Shows a bar for the step in progress, and one line for each that is done."""

    def __init__(self, console: Console, language: Language = "zh") -> None:
        self.words = WORDS[language]
        self._console = console
        self._begun = time.monotonic()

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Show a step for the length of the block."""
        begun = time.monotonic()
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            # A file or a pipe gets the finished lines alone.
            disable=not self._console.is_terminal,
        )
        with bar:
            # Of a step that has said nothing yet, the bar shows that it is at work.
            step = Step(bar, bar.add_task(name, total=None, note=""))
            yield step
        took, whole = time.monotonic() - begun, time.monotonic() - self._begun
        note = f", {step.note}" if step.note else ""
        self._console.print(f"✓ {name}{note}: {took:.1f} s ({whole:.0f} s)", highlight=False)
