import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

OnStep = Callable[[float, Sequence[float]], None]


@contextmanager
def interruptible(on_step: OnStep) -> Iterator[OnStep]:
    """What to tell a training in place of `on_step`, so that Ctrl-C ends it after a step, where it can be kept.

    Before the first step, and the second time, Ctrl-C is at once what it is elsewhere; where it is ignored, as in the
    background of a shell's script, it stays so.
    """
    before = signal.getsignal(signal.SIGINT)
    can_be_held_back = callable(before) and threading.current_thread() is threading.main_thread()
    is_held_back = is_asked = False

    def ask(number: int, _: FrameType | None) -> None:
        nonlocal is_asked
        is_asked = True
        signal.signal(number, before)

    def told(epochs_done: float, accuracies: Sequence[float]) -> None:
        nonlocal is_held_back
        if can_be_held_back and not is_held_back:
            is_held_back = True
            signal.signal(signal.SIGINT, ask)
        on_step(epochs_done, accuracies)
        if is_asked:
            raise KeyboardInterrupt

    try:
        yield told
    finally:
        if is_held_back:
            signal.signal(signal.SIGINT, before)
