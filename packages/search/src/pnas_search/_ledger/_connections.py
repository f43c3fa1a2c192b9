"""SQLite connections to the file of a ledger."""

import sqlite3
from contextlib import closing
from pathlib import Path

from pnas_search._errors import LedgerError


def connect(path: Path) -> sqlite3.Connection:
    """A connection for reading and writing, in write-ahead mode; the file is made where there is none.

    Raises:
        LedgerError: it cannot be written, or its file system cannot do write-ahead logging.
    """
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


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing on disk."""
    # Without a write-ahead log nobody is writing; reading as immutable then leaves no files of SQLite's beside it.
    immutable = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{immutable}", uri=True, isolation_level=None)


def copy_in_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A copy of a database that lives as long as its connection; the one that was copied is closed."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    with closing(connection):
        connection.backup(copy)
    return copy
