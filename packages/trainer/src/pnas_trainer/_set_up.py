import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Stopwatch:
    """Seconds in which at least one of several things ran, over all threads of this process."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._n_running = 0
        self._started = 0.0
        self._lock = Lock()

    @property
    def seconds(self) -> float:
        """So far, with what is running."""
        with self._lock:
            return self._seconds + (time.perf_counter() - self._started if self._n_running else 0.0)

    def start(self) -> None:
        with self._lock:
            if self._n_running == 0:
                self._started = time.perf_counter()
            self._n_running += 1

    def stop(self) -> None:
        with self._lock:
            self._n_running -= 1
            if self._n_running == 0:
                self._seconds += time.perf_counter() - self._started

    @contextmanager
    def running(self) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            self.stop()


set_up = Stopwatch()
"""What this process has spent on importing Numba and Triton, and on compiling, choosing or reading kernels from disk.

That is no training, though the first step that needs a kernel waits for it.
"""
