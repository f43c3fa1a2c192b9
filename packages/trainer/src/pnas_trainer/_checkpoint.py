import os
import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from pnas_trainer._checks import check_not_negative
from pnas_trainer._errors import TrainerError
from pnas_trainer._processes import Processes
from pnas_trainer._training import Training

_FORMAT = "pnas-trainer checkpoint 1"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where a training keeps what it needs to go on after an interruption, and how often it writes that.

    Attributes:
        path: of the file. A training that finds it goes on from there, with the result that it would have had.
        seconds: between two writes, at least; each waits for the end of a step.
    """

    path: Path | str
    seconds: float = 300.0

    def __post_init__(self) -> None:
        if not isinstance(self.path, (str, Path)):
            raise TrainerError(f"path of a checkpoint must be that of a file, not {self.path!r}")
        check_not_negative(**{"seconds between checkpoints": self.seconds})


@dataclass
class CheckpointFile:
    """A `Checkpoint` of one training; `identity` says which one."""

    settings: Checkpoint
    identity: str
    processes: Processes
    _written: float = field(default_factory=time.monotonic)

    def load_into(self, training: Training) -> None:
        """Go on from the file, where there is one.

        Raises:
            TrainerError: it is no checkpoint, or that of another training.
        """
        path = Path(self.settings.path)
        if self.processes.index == 0:
            _write_part(path, {})  # what cannot be written is said before hours of training
        if not path.exists():
            return
        with _said_of(path):
            state = torch.load(path, map_location="cpu", weights_only=True)
            identity = state["identity"] if state["format"] == _FORMAT else None
        if identity != self.identity:
            raise TrainerError(
                f"{path} is the checkpoint of another training: expected {self.identity}, got {identity}; "
                f"give the settings that it began with, or another path"
            )
        with _said_of(path):
            training.load_state_dict(state["training"])

    def save_if_due(self, training: Training, *, now: bool = False) -> None:
        """Write the file, where the last time was long enough ago; it is either the old or the new one, whole."""
        due = now or time.monotonic() - self._written >= self.settings.seconds
        # Every process must write at the same step, so the first one's clock counts.
        if not self.processes.first(due):
            return
        state = {"format": _FORMAT, "identity": self.identity, "training": training.state_dict()}
        if self.processes.index == 0:
            path = Path(self.settings.path)
            _write_part(path, state).replace(path)
        self.processes.wait()
        self._written = time.monotonic()


@contextmanager
def _said_of(path: Path) -> Iterator[None]:
    """Whatever a damaged file brings about, as one sentence."""
    try:
        yield
    except TrainerError:
        raise
    except (
        OSError,
        RuntimeError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TrainerError(
            f"{path} must be a checkpoint of pnas-trainer, but: {reason}; remove it, or give another path"
        ) from error


def _write_part(path: Path, state: dict[str, Any]) -> Path:
    """Write a file beside the checkpoint that can take its place."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise TrainerError(
            f"the checkpoint {path} cannot be written ({error}): free the disk, or give another path"
        ) from error
    return part
