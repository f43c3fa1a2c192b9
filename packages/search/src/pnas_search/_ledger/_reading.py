import json
import sqlite3
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from pnas_search._errors import DamagedLedgerError, LedgerError, SearchError
from pnas_search._ledger._connections import cannot_be_read
from pnas_search._ledger._rows import ROWS, LedgerRow, predictions_from, row_from, times_from
from pnas_search._strategies._base import Predictions
from pnas_searchspace import SearchSpaceError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class LevelCost:
    """What the children of one size and one fidelity have given and cost so far.

    Attributes:
        n_blocks: of their cells.
        fidelity: how many times as long as usual they are trained.
        n_asked: how many there are.
        n_done: how many of them have an outcome.
        n_failed: how many of these have no accuracy.
        best_accuracy: of those that finished; None where none has.
        n_examples: images that went through SGD.
        seconds: of training, added up over devices.
    """

    n_blocks: int
    fidelity: int
    n_asked: int
    n_done: int
    n_failed: int
    best_accuracy: float | None
    n_examples: int
    seconds: float


class LedgerReader:
    """What a ledger tells."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def config(self) -> dict[str, Any]:
        """What `create` was given as the search's config."""
        return self._of_run("config")

    def provenance(self) -> dict[str, Any]:
        """What `create` was given as its provenance."""
        return self._of_run("provenance")

    def rows(self, *, round: int | None = None, from_round: int = 0) -> list[LedgerRow]:
        """All children that were asked for, in the order in which they were.

        Args:
            round: those of this round alone.
            from_round: those of this round and later ones.

        Raises:
            DamagedLedgerError: a row is damaged.
        """
        where, index = ("=", round) if round is not None else (">=", from_round)
        query = f"{ROWS} WHERE child.round {where} ? ORDER BY child.round, child.position"
        return self._select(query, index, make=row_from)

    def times(self, *, from_round: int = 0) -> dict[tuple[int, int], tuple[datetime | None, datetime]]:
        """When the children that have an outcome were begun last, if anybody said so, and when that came.

        By round and position; those of this round and later ones.
        """
        query = (
            "SELECT child.round, child.position, "
            "(SELECT started_at FROM attempt WHERE attempt.child = child.id ORDER BY id DESC LIMIT 1), finished_at "
            "FROM child JOIN outcome ON outcome.child = child.id WHERE child.round >= ?"
        )
        return dict(self._select(query, from_round, make=times_from))

    def best_row(self) -> LedgerRow | None:
        """The most accurate child that finished, or else was stopped; of equals the one that was asked for first.

        Children that were trained longer go before others. None while there is none.
        """
        query = (
            f"{ROWS} WHERE accuracy IS NOT NULL "
            "ORDER BY child.fidelity DESC, status = 'finished' DESC, accuracy DESC, child.round, child.position LIMIT 1"
        )
        return next(iter(self._select(query, make=row_from)), None)

    def n_outcomes(self) -> dict[str, int]:
        """How many children ended in which status."""
        return dict(self._select("SELECT status, count(*) FROM outcome GROUP BY status", make=tuple))

    def n_rounds(self) -> int:
        """How many rounds were asked for."""
        (n_rounds,) = self._select("SELECT coalesce(max(round) + 1, 0) FROM child", make=lambda row: int(row[0]))
        return n_rounds

    def costs(self) -> list[LevelCost]:
        """What the search has given and cost so far, by the size of the cells."""
        query = (
            "SELECT n_blocks, fidelity, count(*), count(outcome.child), count(outcome.child) - count(accuracy), "
            "max(CASE WHEN status = 'finished' THEN accuracy END), total(n_examples), total(seconds) "
            "FROM child LEFT JOIN outcome ON outcome.child = child.id "
            "GROUP BY fidelity, n_blocks ORDER BY fidelity, n_blocks"
        )
        return self._select(query, make=_cost)

    def predictions(self, round: int) -> Predictions | None:
        """What a surrogate said of all that a round was chosen from; None where it said nothing.

        Raises:
            DamagedLedgerError: it is damaged.
        """
        query = "SELECT operations, n_blocks, cells, mean, std FROM prediction WHERE round = ?"
        return next(iter(self._select(query, round, make=predictions_from)), None)

    def fact(self, name: str) -> Any:
        """What was committed under a name; None where nothing was."""
        query = "SELECT value FROM fact WHERE name = ?"
        return next(iter(self._select(query, name, make=lambda row: json.loads(row[0]))), None)

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _of_run(self, column: str) -> dict[str, Any]:
        def made(row: tuple[str]) -> dict[str, Any]:
            try:
                return dict(json.loads(row[0]))
            except (ValueError, TypeError) as error:
                raise ValueError(f"{column}: {error}") from error

        (values,) = self._select(f"SELECT {column} FROM run", make=made)
        return values

    def _select(self, query: str, *values: Any, make: Callable[[Any], T]) -> list[T]:
        """What is made of the rows of a query."""
        try:
            return [make(row) for row in self._connection.execute(query, values)]
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        except (struct.error, zlib.error, ValueError, TypeError, SearchError, SearchSpaceError) as error:
            raise self._damaged(str(error)) from error

    def _unreadable(self, error: sqlite3.Error) -> LedgerError:
        """Damage, or else what keeps SQLite from reading what may well be whole, such as a full disk."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)  # without one, a text could not be decoded
        if code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return self._damaged(str(error))
        return cannot_be_read(self._path, error)

    def _damaged(self, damage: str) -> DamagedLedgerError:
        return DamagedLedgerError(
            f"the ledger {self._path} is damaged ({' '.join(damage.split())}): "
            "restore it from a copy, or start anew in another folder"
        )


def _cost(values: Any) -> LevelCost:
    n_blocks, fidelity, n_asked, n_done, n_failed, best_accuracy, n_examples, seconds = values
    return LevelCost(
        n_blocks=n_blocks,
        fidelity=fidelity,
        n_asked=n_asked,
        n_done=n_done,
        n_failed=n_failed,
        best_accuracy=best_accuracy,
        n_examples=int(n_examples),
        seconds=seconds,
    )
