"""The tables of a ledger; `PRAGMA user_version` holds the version of their layout."""

APPLICATION_ID = 0x504E4153  # "PNAS"
SCHEMA_VERSION = 2

TABLES = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    config TEXT NOT NULL,
    provenance TEXT NOT NULL
);
CREATE TABLE fact (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE child (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    fidelity INTEGER NOT NULL,
    n_blocks INTEGER NOT NULL,
    round INTEGER NOT NULL,
    position INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    parent INTEGER REFERENCES child (id),
    predicted REAL,
    predicted_std REAL,
    UNIQUE (key, fidelity),
    UNIQUE (round, position)
);
CREATE TABLE prediction (
    round INTEGER PRIMARY KEY,
    operations TEXT NOT NULL,
    n_blocks INTEGER NOT NULL,
    cells BLOB NOT NULL,
    mean BLOB NOT NULL,
    std BLOB
);
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    child INTEGER NOT NULL REFERENCES child (id),
    worker TEXT NOT NULL,
    started_at TEXT NOT NULL
);
CREATE INDEX attempt_of_child ON attempt (child);
CREATE TABLE outcome (
    child INTEGER PRIMARY KEY REFERENCES child (id),
    status TEXT NOT NULL,
    accuracy REAL,
    accuracies BLOB NOT NULL,
    n_examples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    measurements TEXT NOT NULL,
    message TEXT NOT NULL,
    finished_at TEXT NOT NULL
);
"""

MARKS = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""

SCHEMA = f"BEGIN;{TABLES}{MARKS}"
"""A transaction that its caller commits."""
