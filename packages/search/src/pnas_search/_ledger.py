import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pnas_search._errors import LedgerError, SearchError
from pnas_search._evaluation import Outcome, Request
from pnas_search._ledger_schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION
from pnas_search._strategies._base import Candidate
from pnas_searchspace import Cell


@dataclass(frozen=True, kw_only=True)
class LedgerRow:
    """A child that was asked for, and its outcome once there is one; `round` and `position` count from 0."""

    round: int
    position: int
    candidate: Candidate
    request: Request
    outcome: Outcome | None


class Ledger:
    """The memory of a search: one SQLite file, in which every finished child is one committed row.

    The state of a search is what its ledger holds. Only the process that drives the search writes; others may read
    at the same time.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @classmethod
    def create(cls, path: Path, *, config: Mapping[str, Any], provenance: Mapping[str, Any]) -> Self:
        """A new ledger at `path`, where there is none, or one whose creation was cut off.

        Args:
            path: of the file.
            config: what decides the outcome of the search, as JSON can hold it.
            provenance: versions, device, git revision.

        Raises:
            LedgerError: something is there already, the file cannot be written, or its file system cannot do SQLite's
                write-ahead logging.
        """
        if cls.exists(path):
            raise LedgerError(f"there is a file at {path} already: open it if it is a ledger, or choose another folder")
        run = json.dumps(config, sort_keys=True), json.dumps(provenance, sort_keys=True)
        connection = _connect(path)
        try:
            connection.executescript(SCHEMA)
            connection.execute("INSERT INTO run VALUES (1, ?, ?)", run)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            connection.close()
            raise LedgerError(f"the ledger {path} cannot be written ({error}): choose another folder") from error
        return cls(connection, path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The ledger at `path`, for reading and writing; a file that is no ledger stays as it is.

        Raises:
            LedgerError: as `read`; or the file cannot be written.
        """
        cls.read(path).close()
        return cls(_connect(path), path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The ledger at `path`, for reading only; nothing is changed on disk.

        Raises:
            LedgerError: there is no such file, or it is damaged, no ledger, or one of another version.
        """
        if not path.is_file():
            raise LedgerError(f"there is no ledger at {path}")
        ledger = cls(_connect_read_only(path), path)
        try:
            ledger._check()
        except LedgerError:
            ledger.close()
            raise
        return ledger

    @staticmethod
    def exists(path: Path) -> bool:
        """Whether a run was begun at `path`: an empty database is what a creation leaves that was cut off."""
        if not path.is_file():
            return False
        with closing(_connect_read_only(path)) as connection:
            try:
                return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
            except sqlite3.Error:
                return True  # something is there, and `open` says what is wrong with it

    def config(self) -> dict[str, Any]:
        """What `create` was given as the search's config."""
        return self._of_run("config")

    def provenance(self) -> dict[str, Any]:
        """What `create` was given as its provenance."""
        return self._of_run("provenance")

    def add_round(self, index: int, candidates: Sequence[Candidate], requests: Sequence[Request]) -> None:
        """Commit what was asked for as the round of this index, all of it or nothing."""
        rows = [
            (
                candidate.cell.key,
                index,
                position,
                json.dumps(candidate.cell),
                int(request.seed),
                candidate.parent.key if candidate.parent is not None else None,
                float(candidate.predicted) if candidate.predicted is not None else None,
            )
            for position, (candidate, request) in enumerate(zip(candidates, requests, strict=True))
        ]
        with self._transaction() as connection:
            connection.executemany("INSERT INTO child VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def record(self, request: Request, outcome: Outcome) -> None:
        """Commit the outcome of a child that was asked for; the first one stays if it has one already."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
                (
                    request.cell.key,
                    outcome.status,
                    float(outcome.accuracy) if outcome.accuracy is not None else None,
                    json.dumps([float(accuracy) for accuracy in outcome.accuracies]),
                    int(outcome.n_examples),
                    float(outcome.seconds),
                    json.dumps({name: float(value) for name, value in outcome.measurements.items()}, sort_keys=True),
                    datetime.now(UTC).isoformat(),
                ),
            )

    def rows(self, *, round: int | None = None) -> list[LedgerRow]:
        """All children that were asked for, or those of one round, in the order in which they were.

        Raises:
            LedgerError: a row is damaged.
        """
        where = "" if round is None else "WHERE round = :round"
        query = (
            "SELECT round, position, cell, seed, (SELECT cell FROM child AS p WHERE p.key = child.parent) AS parent, "
            "predicted, status, accuracy, accuracies, n_examples, seconds, measurements "
            f"FROM child LEFT JOIN outcome USING (key) {where} ORDER BY round, position"
        )
        try:
            return [_row(values) for values in self._connection.execute(query, {"round": round})]
        except (sqlite3.Error, ValueError, TypeError, SearchError) as error:
            raise self._damaged(str(error)) from error

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
        try:
            values: dict[str, Any] = json.loads(self._connection.execute(f"SELECT {column} FROM run").fetchone()[0])
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise self._damaged(f"{column}: {error}") from error
        return values

    def _check(self) -> None:
        try:
            damage = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            application_id = self._connection.execute("PRAGMA application_id").fetchone()[0]
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.Error as error:
            damage = str(error)
        if damage != "ok":
            raise self._damaged(damage)
        if application_id != APPLICATION_ID:
            raise LedgerError(f"{self._path} is a database, but not a ledger of a search: choose another folder")
        if version != SCHEMA_VERSION:
            raise LedgerError(
                f"the ledger {self._path} has layout {version} and this version reads {SCHEMA_VERSION}: "
                "use the version of pnas-search that wrote it, or start anew in another folder"
            )

    def _damaged(self, damage: str) -> LedgerError:
        return LedgerError(
            f"the ledger {self._path} is damaged ({' '.join(damage.split())}): "
            "restore it from a copy, or start anew in another folder"
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException as error:
            self._connection.rollback()
            if isinstance(error, sqlite3.Error):
                raise LedgerError(
                    f"the ledger {self._path} could not be written ({error}); what it holds is safe"
                ) from error
            raise


def _connect(path: Path) -> sqlite3.Connection:
    connection = None
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise LedgerError(f"the ledger {path} cannot be written ({error}): choose another folder") from error
    if mode != "wal":
        connection.close()
        raise LedgerError(f"the file system of {path} cannot do SQLite's write-ahead logging: choose a local folder")
    return connection


def _connect_read_only(path: Path) -> sqlite3.Connection:
    # Without a write-ahead log nobody is writing; reading as immutable then leaves no files of SQLite's beside it.
    immutable = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{immutable}", uri=True, isolation_level=None)


def _row(values: Sequence[Any]) -> LedgerRow:
    index, position, cell_json, seed, parent_json, predicted, status, accuracy, *rest = values
    cell = Cell(json.loads(cell_json))
    parent = Cell(json.loads(parent_json)) if parent_json is not None else None
    outcome = None
    if status is not None:
        accuracies, n_examples, seconds, measurements = rest
        outcome = Outcome(
            status=status,
            accuracy=accuracy,
            accuracies=tuple(json.loads(accuracies)),
            n_examples=n_examples,
            seconds=seconds,
            measurements=json.loads(measurements),
        )
    return LedgerRow(
        round=index,
        position=position,
        candidate=Candidate(cell=cell, parent=parent, predicted=predicted),
        request=Request(cell=cell, seed=seed, parent=parent),
        outcome=outcome,
    )
