import os
import signal
from collections.abc import Callable, Iterator

import pytest

from pnas_tools._training._interruption import interruptible


@pytest.fixture(autouse=True)
def not_ignored() -> Iterator[None]:
    """Ctrl-C as programs in front of a shell have it, and not as a suite in the background does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    """As Ctrl-C does."""
    os.kill(os.getpid(), signal.SIGINT)


def happening(*events: Callable[[], None] | float) -> list[float]:
    """What is told after steps, while these things happen in between; what they raise is appended."""
    told: list[float] = []
    try:
        with interruptible(lambda done, _: told.append(done)) as on_step:
            for event in events:
                if isinstance(event, float):
                    on_step(event, [])
                else:
                    event()
    except KeyboardInterrupt:
        told.append(-1.0)
    return told


def test_ctrl_c_is_held_back_until_a_step_is_told() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert happening(1.0, press, lambda: None, 2.0, 3.0) == [1.0, 2.0, -1.0]
    assert signal.getsignal(signal.SIGINT) is before
    assert happening(1.0, 2.0) == [1.0, 2.0]
    assert signal.getsignal(signal.SIGINT) is before


def test_before_the_first_step_and_the_second_time_it_is_at_once() -> None:
    assert happening(press, 1.0) == [-1.0]
    assert happening(1.0, press, press, 2.0) == [1.0, -1.0]


def test_where_it_is_ignored_it_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert happening(1.0, press, 2.0, 3.0) == [1.0, 2.0, 3.0]
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
