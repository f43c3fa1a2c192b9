"""Ledgers of earlier layouts become ones of today's, step by step, with all that they hold."""

import json
import sqlite3

from pnas_search._ledger._rows import packed_curve
from pnas_search._ledger._schema import MARKS, SCHEMA_VERSION, TABLES


def can_be_migrated(version: int) -> bool:
    """Whether a layout is an earlier one that is known here."""
    return version in _STEPS


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a ledger to today's layout, all of it or nothing.

    Raises:
        sqlite3.Error: it cannot be written, or is damaged.
    """
    connection.create_function("packed", 1, lambda text: packed_curve(json.loads(text)))
    connection.execute("PRAGMA foreign_keys = OFF")  # has no effect inside of a transaction
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have done it since this one looked.
        while (version := connection.execute("PRAGMA user_version").fetchone()[0]) != SCHEMA_VERSION:
            for statement in _STEPS[version]:
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    connection.execute("PRAGMA foreign_keys = ON")


def _statements(script: str) -> list[str]:
    return [statement for statement in script.split(";") if statement.strip()]


_STEPS = {
    # Version 1 had cells and curves as JSON, told children by key, and knew neither fidelities, nor attempts, nor
    # messages, nor predictions of what was not trained.
    1: [
        "ALTER TABLE child RENAME TO child_1",
        "ALTER TABLE outcome RENAME TO outcome_1",
        "ALTER TABLE run RENAME TO run_1",
        *_statements(TABLES),
        "INSERT INTO run SELECT * FROM run_1",
        "INSERT INTO child SELECT NULL, key, 1, json_array_length(cell), round, position, seed, NULL, predicted, NULL "
        "FROM child_1 ORDER BY round, position",
        "UPDATE child SET parent = (SELECT parent.id FROM child_1 JOIN child AS parent ON parent.key = child_1.parent "
        "WHERE child_1.key = child.key)",
        "INSERT INTO outcome SELECT child.id, status, accuracy, packed(accuracies), n_examples, seconds, measurements, "
        "'', finished_at FROM outcome_1 JOIN child USING (key)",
        "DROP TABLE outcome_1",
        "DROP TABLE child_1",
        "DROP TABLE run_1",
        *_statements(MARKS),
    ],
}
