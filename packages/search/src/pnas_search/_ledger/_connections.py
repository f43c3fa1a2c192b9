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
    """A connection that changes nothing on disk.

    Raises:
        LedgerError: the file cannot be opened.
    """
    # Without a write-ahead log nobody is writing; reading as immutable then leaves no files of SQLite's beside it.
    immutable = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"
    try:
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{immutable}", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise cannot_be_read(path, error) from error


def copy_in_memory(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """A copy of a ledger that lives as long as its connection; the one that was copied is closed.

    Raises:
        LedgerError: it cannot be read.
    """
    copy = sqlite3.connect(":memory:", isolation_level=None)
    try:
        with closing(connection):
            connection.backup(copy)
    except sqlite3.Error as error:
        copy.close()
        raise cannot_be_read(path, error) from error
    return copy


def cannot_be_read(path: Path, error: sqlite3.Error) -> LedgerError:
    """What to say of a file that SQLite cannot read for another reason than damage."""
    return LedgerError(
        f"the ledger {path} cannot be read now ({error}); what it holds is as it was: see whether the disk is full, "
        "and whether its folder may be read and written"
    )
