import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

_SECONDS_BETWEEN_LINES = 10.0


class TrainingProgress:
    """Shows a training as it goes: epochs done, test accuracy after the last one, time left.

    One live line in a terminal; elsewhere, such as in a log, a line every ten seconds and one at the end.
    """

    def __init__(self, console: Console, n_epochs: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._n_epochs = n_epochs
        self._clock = clock
        self._begin: tuple[float, float] | None = None
        self._last_line = clock()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[accuracy]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("reading the images", total=n_epochs, accuracy="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, epochs_done: float, accuracies: Sequence[float]) -> None:
        now = self._clock()
        self._begin = self._begin or (now, epochs_done)
        epoch = f"epoch {min(int(epochs_done) + 1, self._n_epochs)} of {self._n_epochs}"
        accuracy = f"test accuracy {accuracies[-1]:.4f}" if accuracies else ""
        self._bar.update(self._task, description=epoch, completed=epochs_done, accuracy=accuracy)
        is_done = epochs_done == self._n_epochs
        if not self._console.is_terminal and (is_done or now - self._last_line >= _SECONDS_BETWEEN_LINES):
            self._last_line = now
            parts = [epoch, accuracy, "" if is_done else self._time_left(now, epochs_done)]
            self._console.print("  ".join(part for part in parts if part), highlight=False)

    def _time_left(self, now: float, epochs_done: float) -> str:
        """By the pace of this process so far."""
        assert self._begin is not None  # set by the caller
        begin, epochs_before = self._begin
        if epochs_done == epochs_before:
            return ""
        seconds = (now - begin) * (self._n_epochs - epochs_done) / (epochs_done - epochs_before)
        return f"{timedelta(seconds=round(seconds))} left"
