import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

from pnas_search._errors import LedgerError
from pnas_search._evaluation import Outcome, Request
from pnas_search._ledger._connections import connect, connect_read_only, copy_in_memory
from pnas_search._ledger._migrations import can_be_migrated, migrate
from pnas_search._ledger._reading import LedgerReader
from pnas_search._ledger._rows import child_values, now, outcome_values, prediction_values
from pnas_search._ledger._schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION
from pnas_search._strategies._base import Candidate, Predictions


class Ledger(LedgerReader):
    """The memory of a search: one SQLite file, in which every finished child is one committed row.

    The state of a search is what its ledger holds. Only the process that drives the search writes; others may read
    at the same time.
    """

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
        connection = connect(path)
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

        One of an earlier layout is brought to today's.

        Raises:
            LedgerError: as `read`; or the file cannot be written.
        """
        cls.read(path).close()
        ledger = cls(connect(path), path)
        try:
            ledger._migrate()
        except LedgerError:
            ledger.close()
            raise
        return ledger

    @classmethod
    def read(cls, path: Path) -> Self:
        """The ledger at `path`, for reading only; nothing is changed on disk.

        One of an earlier layout is read from a copy in memory, as it was at that moment.

        Raises:
            LedgerError: there is no such file, or it is damaged, no ledger, or one of a later version.
        """
        if not path.is_file():
            raise LedgerError(f"there is no ledger at {path}")
        ledger = cls(connect_read_only(path), path)
        try:
            if ledger._checked_version() != SCHEMA_VERSION:
                ledger._connection = copy_in_memory(ledger._connection, path)
                ledger._migrate()
        except LedgerError:
            ledger.close()
            raise
        return ledger

    @staticmethod
    def exists(path: Path) -> bool:
        """Whether a run was begun at `path`: an empty database is what a creation leaves that was cut off."""
        if not path.is_file():
            return False
        with closing(connect_read_only(path)) as connection:
            try:
                return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
            except sqlite3.Error:
                return True  # something is there, and `open` says what is wrong with it

    def add_round(
        self,
        index: int,
        candidates: Sequence[Candidate],
        requests: Sequence[Request],
        predictions: Predictions | None = None,
    ) -> None:
        """Commit what was asked for as the round of this index, all of it or nothing.

        Args:
            index: of the round.
            candidates: what the strategy asked for.
            requests: what the evaluator is asked for, one for each candidate.
            predictions: what a surrogate said of all that they were chosen from.

        Raises:
            LedgerError: a cell was asked for before at the same fidelity, a parent was not, or the file cannot be
                written.
        """
        pairs = list(enumerate(zip(candidates, requests, strict=True)))
        with self._transaction() as connection:
            rows = [
                child_values(index, position, candidate, request.seed, self._parent_id(candidate))
                for position, (candidate, request) in pairs
            ]
            connection.executemany("INSERT INTO child VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            if predictions is not None:
                values = index, *prediction_values(predictions)
                connection.execute("INSERT INTO prediction VALUES (?, ?, ?, ?, ?, ?)", values)

    def remember(self, name: str, value: Any) -> Any:
        """Commit what was measured once for the whole search, as JSON can hold it; give what was committed first."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, json.dumps(value))
            )
        return self.fact(name)

    def start(self, request: Request, worker: str) -> None:
        """Commit that a worker begins to train a child."""
        with self._transaction() as connection:
            values = self._child_id(request), worker, now()
            connection.execute("INSERT INTO attempt VALUES (NULL, ?, ?, ?)", values)

    def record(self, request: Request, outcome: Outcome) -> None:
        """Commit the outcome of a child that was asked for; the first one stays if it has one already."""
        with self._transaction() as connection:
            values = self._child_id(request), *outcome_values(outcome)
            query = "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (child) DO NOTHING"
            connection.execute(query, values)

    def _child_id(self, request: Request) -> int:
        query = "SELECT id FROM child WHERE key = ? AND fidelity = ?"
        found = self._connection.execute(query, (request.cell.key, request.fidelity)).fetchone()
        if found is None:
            raise LedgerError(f"the ledger {self._path} holds what was asked for, and {request.cell} was not")
        return int(found[0])

    def _parent_id(self, candidate: Candidate) -> int | None:
        if candidate.parent is None:
            return None
        query = "SELECT id FROM child WHERE key = ? ORDER BY fidelity LIMIT 1"
        found = self._connection.execute(query, (candidate.parent.key,)).fetchone()
        if found is None:
            raise LedgerError(
                f"a parent must have been asked for before its child, and in the ledger {self._path} that of "
                f"{candidate.cell}, {candidate.parent}, was not"
            )
        return int(found[0])

    def _migrate(self) -> None:
        try:
            migrate(self._connection)
        except sqlite3.Error as error:
            raise LedgerError(
                f"the ledger {self._path} is of an earlier layout and cannot be brought to today's ({error}); "
                "what it holds is safe"
            ) from error

    def _checked_version(self) -> int:
        try:
            damage = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            application_id = self._connection.execute("PRAGMA application_id").fetchone()[0]
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        if damage != "ok":
            raise self._damaged(damage)
        if application_id != APPLICATION_ID:
            raise LedgerError(f"{self._path} is a database, but not a ledger of a search: choose another folder")
        if version != SCHEMA_VERSION and not can_be_migrated(version):
            raise LedgerError(
                f"the ledger {self._path} has layout {version} and this version reads {SCHEMA_VERSION}: "
                "use the version of pnas-search that wrote it, or start anew in another folder"
            )
        return int(version)

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
