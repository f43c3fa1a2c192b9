import dataclasses
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from types import NoneType
from typing import Any

from pnas_search import Ledger, LedgerError
from pnas_searchspace import Cell
from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._files import LEDGER_FILE, read_object, write_json_atomically
from pnas_tools._work_folder import LOCK_FILE, check_same_config, is_locked, locked

_DATA_FILE = ".data.npz"
_NOTHING = object()
_SECONDS_TO_LOCK = 0.2
"""What a search may take from making its folder to the first file in it, which is its lock."""


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
            result = read_object(self.result)
            if result is not None:
                _check_result(result)
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
        with locked(self.path, f"another process is running the search in {self.path}: wait for it, or stop it first"):
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
        for entry in sorted(ours, key=lambda entry: entry.name == LOCK_FILE):
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
        if not (self.holds_run() or self._is_about_to_begin() or self.holds_run()):  # it may have begun meanwhile
            raise BadInput(f"{self.path} holds no run: expected the folder that `pnas-tools search --out` was given")
        return Ledger.read(self.ledger) if self.holds_run() else None

    def _is_about_to_begin(self) -> bool:
        """Whether a search has made this folder, and was cut off, or has no ledger yet."""
        if self.path.is_dir() and not any(self.path.iterdir()):
            time.sleep(_SECONDS_TO_LOCK)
        there = list(self.path.iterdir()) if self.path.is_dir() else []
        return bool(there) and all(map(self._is_ours, there))

    def is_running(self) -> bool | None:
        """Whether a search is at work here at this moment; None where that cannot be known."""
        return is_locked(self.path)

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
        # A setting that came with a later version than the run had its default before.
        check_same_config(
            self.path, "run", {**SearchConfig.defaults(), **there}, config.as_json(), SearchConfig.flags()
        )

    def _is_ours(self, entry: Path) -> bool:
        """Whether a search that was cut off before its first round may have left this; nobody else's file is taken."""
        if entry.name == self.config.name:
            return _is_config(entry)
        names = {self.data.name, LOCK_FILE}
        names |= {f"{self.ledger.name}{suffix}" for suffix in ("", "-wal", "-shm", "-journal")}
        is_half_written = fnmatch(entry.name, f".{self.config.name}.*tmp")
        return (entry.name in names or is_half_written) and not entry.is_dir()  # it may be gone by now


def _check_result(result: dict[str, Any]) -> None:
    """Raise `ValueError` where something that others rely on is missing."""
    number = (int, float)
    _check_has(result, best_cell=list, best_accuracy=number, n_models=int, n_examples=int, levels=list, config=dict)
    Cell(result["best_cell"])
    for level in result["levels"]:
        if not isinstance(level, dict):
            raise ValueError("a level of it is no object")
        _check_has(level, n_blocks=int, n_models=int, best_accuracy=(*number, NoneType))
    if missing := sorted(SearchConfig.required() - result["config"].keys()):
        raise ValueError(f"its config has no {missing[0]}")


def _check_has(value: dict[str, Any], **types: type | tuple[type, ...]) -> None:
    for name, kind in types.items():
        if not isinstance(value.get(name, _NOTHING), kind):
            raise ValueError(f"it has no {name}, or a wrong one")


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
