import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live

from pnas_search import ChildFinished, Event, RoundStarted
from pnas_tools._display._tree import tree_of
from pnas_tools._display._words import line_of
from pnas_tools._display._workload import Workload

_SECONDS_BETWEEN_LINES = 10.0


class SearchProgress:
    """Shows a search as it goes.

    In a terminal a tree of its levels is kept up to date, and stays as it was last; elsewhere, such as in a log, there
    is a line every ten seconds and at the end of every level.
    """

    def __init__(
        self, console: Console, title: str, workload: Workload, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._title = title
        self._workload = workload
        self._clock = clock
        self._round = 0
        self._last_line = clock()
        self._live = Live(get_renderable=self._tree, console=console)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        if isinstance(event, RoundStarted):
            self._start_round(event)
        elif isinstance(event, ChildFinished):
            self._workload.count(event.request, event.outcome, was_there=False, now=self._clock())
            if self._workload.level_is_done or self._clock() - self._last_line >= _SECONDS_BETWEEN_LINES:
                self._print_line()

    def _start_round(self, event: RoundStarted) -> None:
        self._round = event.index + 1
        there = [(row.request, row.outcome) for row in event.rows if row.outcome is not None]
        self._workload.start_round(event.rows[0].request, len(event.rows))
        for request, outcome in there:
            self._workload.count(request, outcome, was_there=True, now=self._clock())
        if self._workload.level_is_done:
            self._print_line()

    def _tree(self) -> RenderableType:
        return tree_of(self._title, self._workload.snapshot(self._clock()))

    def _print_line(self) -> None:
        if self._console.is_terminal:
            return
        self._last_line = self._clock()
        self._console.print(line_of(self._place(), self._workload.snapshot(self._clock())), highlight=False)

    def _place(self) -> str:
        n_levels = self._workload.n_levels
        return f"round {self._round}" if n_levels == 1 else f"level {self._workload.level} of {n_levels}"
