import threading
from typing import TextIO


class End:
    """Whether the search has ended, and how: FINISHED, FAILED or KILLED, as MLflow says it."""

    def __init__(self) -> None:
        self.status = "KILLED"
        self._event = threading.Event()

    def listen(self, lines: TextIO) -> None:
        """Come when there is a line, which is the status, or no more of them, in a thread of its own."""
        threading.Thread(target=self._listen, args=(lines,), daemon=True).start()

    def come(self, status: str) -> None:
        self.status = status
        self._event.set()

    def has_come(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for it for so long; give whether it has come."""
        return self._event.wait(seconds)

    def _listen(self, lines: TextIO) -> None:
        self.come(lines.readline().strip() or "KILLED")
