"""What the pool's processes run in the tests; they import it by this name."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from pnas_search import Outcome, Request


def make_good() -> Callable[[Request], Outcome]:
    return finished


def die_at_once() -> Callable[[Request], Outcome]:
    os._exit(3)


def finished(request: Request) -> Outcome:
    """An outcome that tells its request and its process."""
    return Outcome(
        status="finished",
        accuracy=1 / (1 + request.seed),
        accuracies=(),
        n_examples=request.seed,
        seconds=0.0,
        measurements={"pid": os.getpid()},
    )


@dataclass(frozen=True)
class Unreliable:
    """A training in which the children of some seeds do something else first.

    Attributes:
        folder: where every attempt leaves a file.
        n_deaths: by seed, how often a child takes its process down.
        errors: by seed, what its training raises.
        interrupted: seeds of children during whose training Ctrl-C is pressed.
        slow: seeds of children that wait until the file `go` is in the folder.
    """

    folder: Path
    n_deaths: dict[int, int] = field(default_factory=dict)
    errors: dict[int, Exception] = field(default_factory=dict)
    interrupted: frozenset[int] = frozenset()
    slow: frozenset[int] = frozenset()

    def __call__(self) -> Callable[[Request], Outcome]:
        return self.train

    def train(self, request: Request) -> Outcome:
        n_earlier = len(list(self.folder.glob(f"{request.seed}-*")))
        (self.folder / f"{request.seed}-{os.getpid()}").touch()
        if n_earlier < self.n_deaths.get(request.seed, 0):
            os._exit(1)
        if request.seed in self.errors:
            raise self.errors[request.seed]
        if request.seed in self.interrupted:
            os.kill(os.getpid(), signal.SIGINT)
        while request.seed in self.slow and not (self.folder / "go").exists():
            time.sleep(0.01)
        return finished(request)


def make_nothing() -> NoReturn:
    raise RuntimeError("no device to train on")
