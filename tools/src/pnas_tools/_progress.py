import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from pnas_search import ChildFinished, Event, Outcome, RoundStarted
from pnas_tools._workload import Workload

_SECONDS_BETWEEN_LINES = 10.0


class SearchProgress:
    """Shows a search as it goes: level or round, children done of all, best accuracy so far, time left.

    One live line in a terminal; elsewhere, such as in a log, a line every ten seconds and at the end of every level.
    """

    def __init__(self, console: Console, workload: Workload, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._workload = workload
        self._clock = clock
        self._round = 0
        self._last_line = clock()
        self._best: float | None = None
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[best]}"),
            _TimeLeft(self._time_left),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("starting the workers", total=workload.n_children, best="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, event: Event) -> None:
        if isinstance(event, RoundStarted):
            self._start_round(event)
        elif isinstance(event, ChildFinished):
            self._finish_child(event)

    def _start_round(self, event: RoundStarted) -> None:
        before = [row.outcome for row in event.rows if row.outcome is not None]
        first = event.rows[0].candidate
        self._round = event.index + 1
        self._workload.start_round(
            len(first.cell), first.fidelity, n_children=len(event.rows), n_done=len(before), now=self._clock()
        )
        for outcome in before:
            self._see(outcome)
        self._update()
        if self._workload.level_is_done:
            self._print_line()

    def _finish_child(self, event: ChildFinished) -> None:
        self._workload.finish_child()
        self._see(event.outcome)
        self._update()
        is_due = not self._console.is_terminal and self._clock() - self._last_line >= _SECONDS_BETWEEN_LINES
        if self._workload.level_is_done or is_due:
            self._print_line()

    def _see(self, outcome: Outcome) -> None:
        if outcome.status == "finished" and outcome.accuracy is not None:
            self._best = outcome.accuracy if self._best is None else max(self._best, outcome.accuracy)

    def _update(self) -> None:
        self._bar.update(
            self._task,
            description=self._level_text(),
            completed=self._workload.n_done,
            total=self._workload.n_children,
            best=self._best_text(),
        )

    def _print_line(self) -> None:
        self._last_line = self._clock()
        left = self._time_left()
        parts = [
            self._level_text(),
            f"{self._workload.n_done} of {self._workload.n_children} children",
            self._best_text(),
            *([f"{left} left"] if left and self._workload.n_done < self._workload.n_children else []),
        ]
        self._console.print("  ".join(part for part in parts if part), highlight=False)

    def _level_text(self) -> str:
        if self._workload.n_levels == 1:
            return f"round {self._round}"
        return f"level {self._workload.level} of {self._workload.n_levels}"

    def _best_text(self) -> str:
        return "" if self._best is None else f"best {self._best:.4f}"

    def _time_left(self) -> str:
        seconds = self._workload.seconds_left(self._clock())
        if seconds is None:
            return ""
        minutes, seconds = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class _TimeLeft(ProgressColumn):
    def __init__(self, text: Callable[[], str]) -> None:
        super().__init__()
        self._text = text

    def render(self, task: Task) -> Text:
        left = self._text()
        return Text(f"{left} left" if left else "")
