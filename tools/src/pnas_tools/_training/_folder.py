from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pnas_tools._errors import BadInput
from pnas_tools._files import read_object, write_json_atomically
from pnas_tools._run_folder import RunFolder
from pnas_tools._training._process_group import ProcessGroup
from pnas_tools._work_folder import LOCK_FILE, check_same_config, locked

NETWORK_FOLDER = "network"
"""Where the final training of a run lies in its folder."""

_NAMES_OF_CONFIG = {"network", "recipe", "n_epochs", "seed"}
_NAMES_OF_RESULT = {"accuracy", "accuracies", "config", "network", "n_parameters", "n_examples", "seconds"}


class TrainingFolder:
    """Where a final training lives: its config, its checkpoint, and in the end its network and its result."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.checkpoint = path / "checkpoint.pt"
        self.network = path / "network.safetensors"
        self.onnx = path / "network.onnx"
        self.result = path / "result.json"
        self.tracking = path / "mlflow.json"

    def holds_training(self) -> bool:
        """Whether a training has begun here, by its config; one that is damaged counts, and is told when it is read."""
        try:
            config = read_object(self.config)
        except ValueError:
            return True
        return config is not None and config.keys() >= _NAMES_OF_CONFIG

    def _is_run(self) -> bool:
        return RunFolder(self.path).holds_run()

    def read_result(self) -> dict[str, Any] | None:
        """What a finished training gave; None while it is not finished."""
        if not (self.result.exists() and self.network.is_file()):
            return None
        result = self._read(self.result)
        if not result.keys() >= _NAMES_OF_RESULT:
            raise BadInput(f"{self.result} is no result of a training: remove it, and the same command writes it again")
        return result

    def check(self, plan: dict[str, Any], flags: Mapping[str, str] = MappingProxyType({})) -> None:
        """Raise `BadInput` unless a training of this plan can begin or go on here; nothing is changed on disk.

        Args:
            plan: of the training.
            flags: the options by which people know the names in it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise BadInput(f"{self.path} is a file, and a folder is to be written: choose another one with --out")
        if self._is_run():
            raise BadInput(f"{self.path} holds a search: choose another folder with --out")
        if self.holds_training():
            there = self._read(self.config)
            # Before the first checkpoint a training's config binds nobody; somebody else's is left alone.
            if self.checkpoint.exists() or self.network.exists() or there.keys() != plan.keys():
                check_same_config(self.path, "training", there, plan, flags)
        elif self.path.is_dir():
            foreign = sorted(entry.name for entry in self.path.iterdir() if not entry.name.startswith("."))
            if foreign:
                raise BadInput(
                    f"{self.path} is not empty and holds no training, but {foreign[0]!r}: "
                    "choose another folder with --out"
                )

    @contextmanager
    def opened(self, plan: dict[str, Any], group: ProcessGroup) -> Iterator[None]:
        """The folder with the plan in it, locked against other trainings meanwhile.

        A new training that is given up with `BadInput` before its first checkpoint leaves nothing behind.
        """
        if not group.is_first:  # the first one has locked it for all
            yield
            return
        taken = f"another process is training in {self.path}: wait for it, or choose another folder with --out"
        with locked(self.path, taken):
            self.check(plan)  # again, now that nobody else can begin one
            is_new = not (self.checkpoint.exists() or self.network.exists())
            if is_new:
                write_json_atomically(self.config, plan)
            try:
                yield
            except BadInput:
                if is_new and not self.checkpoint.exists():
                    self._remove()
                raise

    def _remove(self) -> None:
        """Remove what a training puts here before its first checkpoint, and the folder if it is empty then."""
        half_written = [*self.path.glob("checkpoint.pt.part"), *self.path.glob(".config.json.*.tmp")]
        for path in (self.config, *half_written, self.path / LOCK_FILE):
            with suppress(OSError):  # Windows keeps the lock, which is open
                path.unlink()
        with suppress(OSError):  # there is something else in it
            self.path.rmdir()

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            return read_object(path) or {}
        except ValueError as error:
            raise BadInput(f"{path} is damaged ({error}): remove {self.path}, and train anew") from error


def trained_file(text: str) -> str:
    """The file of weights that a RUN or the FOLDER of a training stands for; other texts, such as a NAME, as they are.

    Raises:
        BadInput: nothing has been trained there, or not to the end.
    """
    from pnas_models import list_models

    path = Path(text)
    if text in list_models():
        return text
    if RunFolder(path).holds_run():
        folder = TrainingFolder(path / NETWORK_FOLDER)
        if not folder.holds_training():
            raise BadInput(f"no network has been trained from {path}: pnas-tools train {path} does")
    else:
        folder = TrainingFolder(path)
        if not folder.holds_training():
            _check_holds_something(path)
            return text
    if not folder.network.is_file():
        raise BadInput(f"the training in {folder.path} is not finished: the command that began it goes on with it")
    return str(folder.network)


def _check_holds_something(path: Path) -> None:
    if path.is_dir() and not any(path.glob("*.index")):
        raise BadInput(
            f"{path} holds no search, no training, and no checkpoint of TensorFlow: expected the folder of one of "
            "them, as --out named it"
        )
