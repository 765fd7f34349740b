"""How a batch goes, on stderr: one line for all of it, and one for each run that is at work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from grader.cli.console import err
from grader.engine.batch import Done, Entry
from grader.engine.grade import Watcher
from grader.engine.ordering import Forecast
from grader.model.result import CheckResult
from grader.render.text import visible
from grader.render.words import seconds as in_words

T = TypeVar("T")


class BatchProgress:
    """Shows a batch.

    Args:
        bar: Where it is drawn.
        places: Of all entries.
        checks: Number of checks of the exercise.
        forecast: Knows how long the rest will take.
    """

    def __init__(self, bar: Progress, places: list[str], checks: int, forecast: Forecast) -> None:
        """Nothing is at work yet."""
        self._bar = bar
        self._open = dict.fromkeys(places)
        self._checks = checks
        self._forecast = forecast
        self._counts: Counter[str] = Counter()
        self._lines: dict[str, TaskID] = {}
        self._said: dict[str, str] = {}
        self._all = bar.add_task("all", total=len(places), step="") if len(places) > 1 else None

    def watch(self, entry: Entry) -> Watcher:
        """Give an entry a line of its own, the same one when it is tried again."""
        name = visible(entry.label, 40)
        if entry.place not in self._lines:
            self._lines[entry.place] = self._bar.add_task(name, total=self._checks, step="")
        line = self._lines[entry.place]

        def check(name: str, result: CheckResult | None) -> None:
            self._bar.update(line, advance=0 if result is None else 1, step=f"check {name}")

        def step(text: str) -> None:
            self._bar.update(line, step=text)
            if self._said.get(entry.place) != text:  # who waits for another process asks every second
                self._said[entry.place] = text
                self._say(f"{name}: {text}")

        return Watcher(step=step, check=check)

    def done(self, done: Done[T], status: str, seconds: float) -> None:
        """Count an entry that has ended, and take its line away."""
        entry = done.entry
        self._open.pop(entry.place, None)
        self._said.pop(entry.place, None)
        line = self._lines.pop(entry.place, None)
        if line is not None and self._all is not None:
            self._bar.remove_task(line)
        self._counts[status] += 1
        if done.reused:
            self._say(f"{visible(entry.label, 40)}: {status} before")
        else:
            self._forecast.done(seconds)
        if self._all is not None:
            self._bar.update(self._all, advance=1, step=self._words())

    def _words(self) -> str:
        parts = [f"{count} {status}" for status, count in self._counts.most_common()]
        left = self._forecast.left(list(self._open)) if self._open else None
        return ", ".join(parts) + (f"; about {in_words(left)} left" if left else "")

    def _say(self, text: str) -> None:
        if not self._bar.console.is_terminal:  # a log has no moving bar; it gets a line for each step
            self._bar.console.print(Text(text), soft_wrap=True)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Progress on stderr: one line per submission at work."""
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[step]}", style="dim", markup=False),
    )
    console = err()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield bar
