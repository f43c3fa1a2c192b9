import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pnas_search import Ledger, LedgerError
from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._files import LEDGER_FILE, write_json_atomically

_DATA_FILE = ".data.npz"
_LOCK_FILE = ".lock"


class RunFolder:
    """Where a search lives: its config, its ledger and its results.

    The ledger alone is what the search remembers; everything else in the folder is written from it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ledger = path / LEDGER_FILE
        self.config = path / "config.json"
        self.result = path / "result.json"
        self.drawing = path / "best_cell.svg"
        self.report = path / "report.html"
        self.tracking = path / "mlflow.json"
        self.data = path / _DATA_FILE
        self.weights = path / "weights"

    def holds_run(self) -> bool:
        return Ledger.exists(self.ledger)

    def read_result(self) -> dict[str, Any] | None:
        """What a finished search found; None while it is not finished."""
        try:
            result = json.loads(self.result.read_text(encoding="utf-8"))
            if not (isinstance(result, dict) and {"best_cell", "best_accuracy", "levels", "config"} <= result.keys()):
                raise ValueError("it is no result of a search")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            raise BadInput(
                f"{self.result} is damaged ({error}): remove it, and the same search writes it again"
            ) from error
        return result

    def check(self, config: SearchConfig) -> None:
        """Raise `BadInput` unless a search of this config can begin or go on here; nothing is changed on disk."""
        if self.holds_run():
            self._check_ledger(config)
            folder = self.path
        elif self.path.is_dir():
            foreign = sorted(entry.name for entry in self.path.iterdir() if not self._is_ours(entry))
            if foreign:
                raise BadInput(
                    f"{self.path} is not empty and holds no run, but {foreign[0]!r}: choose another folder with --out"
                )
            folder = self.path
        else:
            folder = _nearest_existing(self.path)
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise BadInput(f"{folder} is no folder that can be written to: choose another one with --out")

    @contextmanager
    def opened(self, config: SearchConfig, provenance: dict[str, Any]) -> Iterator[Ledger]:
        """The ledger, begun where there is none, with the folder locked against other searches meanwhile.

        A new search that is given up with `BadInput` before its first round leaves nothing behind.
        """
        missing = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        with self._locked():
            is_new = not self.holds_run()
            try:
                with self._ledger(config, provenance) as ledger:
                    yield ledger
            except BadInput:
                if is_new:
                    self._remove_unless_begun(missing)
                raise
            finally:
                self.data.unlink(missing_ok=True)

    def _remove_unless_begun(self, folders: list[Path]) -> None:
        """Remove what a search puts here before its first round, and those of `folders` that are empty then."""
        if self.holds_run():
            with Ledger.read(self.ledger) as ledger:
                if ledger.n_rounds():
                    return
        ours = [entry for entry in self.path.iterdir() if self._is_ours(entry)]
        # The lock goes last: as soon as it is gone, another search may begin.
        for entry in sorted(ours, key=lambda entry: entry.name == _LOCK_FILE):
            with suppress(OSError):  # Windows keeps the lock, which is open
                entry.unlink()
        for folder in folders:
            with suppress(OSError):  # there is something else in it
                folder.rmdir()

    def open_for_reading(self) -> Ledger | None:
        """The ledger, to look at; None when a search was begun here that has none yet.

        Raises:
            BadInput: there is no run here.
            LedgerError: the ledger cannot be read.
        """
        if not self.path.is_dir() or (
            not self.holds_run() and not all(self._is_ours(entry) for entry in self.path.iterdir())
        ):
            raise BadInput(f"{self.path} holds no run: expected the folder that `pnas-tools search --out` was given")
        return Ledger.read(self.ledger) if self.holds_run() else None

    def is_running(self) -> bool:
        """Whether a search is at work here at this moment."""
        try:
            with FileLock(self.path / _LOCK_FILE).acquire(timeout=0):
                return False
        except Timeout:
            return True

    def _locked(self) -> AbstractContextManager[object]:
        """The lock, acquired until the end of the context; the folder is made for it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            return FileLock(self.path / _LOCK_FILE).acquire(timeout=0)
        except Timeout as error:
            raise BadInput(
                f"another process is running the search in {self.path}: wait for it, or stop it first"
            ) from error
        except OSError as error:
            raise BadInput(
                f"{self.path} cannot be written to ({error.strerror}): choose another folder with --out"
            ) from error

    def _ledger(self, config: SearchConfig, provenance: dict[str, Any]) -> Ledger:
        try:
            if self.holds_run():
                self._check_ledger(config)  # again, now that nobody else can begin one
                ledger = Ledger.open(self.ledger)
            else:
                ledger = Ledger.create(self.ledger, config=config.as_json(), provenance=provenance)
        except LedgerError as error:
            raise BadInput(str(error)) from error
        write_json_atomically(self.config, ledger.config())
        return ledger

    def _check_ledger(self, config: SearchConfig) -> None:
        try:
            with Ledger.read(self.ledger) as ledger:
                there = ledger.config()
                ledger.provenance()  # what the search itself will need can be read
        except LedgerError as error:
            raise BadInput(str(error)) from error
        self._check_config(there, config.as_json())

    def _check_config(self, there: dict[str, Any], here: dict[str, Any]) -> None:
        # A setting that came with a later version than the run had its default before.
        there = {**SearchConfig.defaults(), **there}
        for name in sorted({*there, *here}):
            if there.get(name) != here.get(name):
                raise BadInput(
                    f"{self.path} holds a run of another config, {name} is {there.get(name)!r} there and "
                    f"{here.get(name)!r} here: choose another folder with --out, or give the same options"
                )

    def _is_ours(self, entry: Path) -> bool:
        """Whether a search that was cut off before its first round may have left this; nobody else's file is taken."""
        if entry.name == self.config.name:
            return _is_config(entry)
        names = {self.data.name, _LOCK_FILE, f".{self.config.name}.tmp"}
        names |= {f"{self.ledger.name}{suffix}" for suffix in ("", "-wal", "-shm", "-journal")}
        return entry.name in names and entry.is_file()


def _is_config(path: Path) -> bool:
    if not path.is_file():
        return False
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        # An older version of ours may have had fewer settings.
        return not text or {"dataset"} <= set(json.loads(text)) <= {
            field.name for field in dataclasses.fields(SearchConfig)
        }
    except (ValueError, TypeError):
        return False


def _nearest_existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.absolute().parents) if parent.exists())
