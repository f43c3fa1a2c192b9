"""What the executors' workers run in the tests; they import it by this name."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from pnas_search import Outcome, Request


def make_training() -> Callable[[Request], Outcome]:
    return train


def make_nothing() -> NoReturn:
    raise RuntimeError("no device to train on")


def die_at_once() -> NoReturn:
    os._exit(3)


@dataclass(frozen=True)
class SlowToBegin:
    seconds: float

    def __call__(self) -> Callable[[Request], Outcome]:
        time.sleep(self.seconds)
        return train


@dataclass(frozen=True)
class DyingAtStart:
    """Every worker leaves a file, and those of some numbers die."""

    folder: Path
    starts: tuple[int, ...]

    def __call__(self) -> Callable[[Request], Outcome]:
        n_earlier = len(list(self.folder.glob("begun*")))
        (self.folder / f"begun{n_earlier}").touch()
        if n_earlier in self.starts:
            os._exit(3)
        return train


class Remembering:
    """Outcomes tell what environment variables were at the beginning."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __call__(self) -> Callable[[Request], Outcome]:
        remembered = tuple(os.environ.get(name) for name in self.names)
        return lambda request: replace(train(request), attachments={"remembered": remembered})


@dataclass(frozen=True)
class Reading:
    """Outcomes tell what a file is called, and what is in it."""

    file: os.PathLike[str]

    def __call__(self) -> Callable[[Request], Outcome]:
        path = os.fspath(self.file)
        attachments = {"path": path, "content": Path(path).read_bytes()}
        return lambda request: replace(train(request), attachments=attachments)


def train(request: Request) -> object:
    """Do what is attached for this attempt.

    A request may carry a folder, where every attempt leaves a file, and names of what its first, second, … attempt
    does, the last one for all that follow.
    """
    if "folder" not in request.attachments:
        return finished(request)
    folder, does = Path(request.attachments["folder"]), request.attachments["does"]
    n_earlier = len(list(folder.glob(f"{request.seed}-*")))
    (folder / f"{request.seed}-{os.getpid()}").touch()
    return ACTIONS[does[min(n_earlier, len(does) - 1)]](request)


def finished(request: Request) -> Outcome:
    """An outcome that tells its request and its process."""
    return Outcome(
        status="finished",
        accuracy=1 / (1 + request.seed),
        accuracies=(0.5,) * (request.seed % 3),
        n_examples=request.seed,
        seconds=0.0,
        measurements={"pid": os.getpid()},
    )


def exit_(request: Request) -> NoReturn:
    os._exit(3)


def kill(request: Request) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang(request: Request) -> None:
    time.sleep(600)


def wait(request: Request) -> Outcome:
    """Until the file `go` is there, or that of the child, `go0` for seed 0."""
    folder = Path(request.attachments["folder"])
    while not ((folder / "go").exists() or (folder / f"go{request.seed}").exists()):
        time.sleep(0.01)
    return finished(request)


def run_out_of_memory(request: Request) -> NoReturn:
    raise MemoryError("Unable to allocate 3.00 TiB")


def raise_(request: Request) -> NoReturn:
    raise ValueError("no such shape")


def raise_what_ends_messages(request: Request) -> NoReturn:
    raise EOFError("truncated images")  # also what a worker sees when its pool is gone


def raise_unpicklable(request: Request) -> NoReturn:
    class LocalError(Exception):
        def __reduce__(self) -> NoReturn:
            raise TypeError("never leaves")

    raise LocalError("of no module")


def raise_enormous(request: Request) -> NoReturn:
    raise ValueError("x" * 10_000_000 + " and the end")


def give_nothing(request: Request) -> None:
    return None


def give_unpicklable(request: Request) -> Outcome:
    attachments = {"lock": threading.Lock()}
    return Outcome(status="diverged", accuracy=None, accuracies=(), n_examples=0, seconds=0.0, attachments=attachments)


def press_ctrl_c(request: Request) -> Outcome:
    os.kill(os.getpid(), signal.SIGINT)
    return finished(request)


ACTIONS = {
    "finish": finished,
    "exit": exit_,
    "kill": kill,
    "hang": hang,
    "wait": wait,
    "run out of memory": run_out_of_memory,
    "raise": raise_,
    "raise EOFError": raise_what_ends_messages,
    "raise unpicklable": raise_unpicklable,
    "raise enormous": raise_enormous,
    "give nothing": give_nothing,
    "give unpicklable": give_unpicklable,
    "press Ctrl-C": press_ctrl_c,
}
