"""The tables of a ledger; `PRAGMA user_version` holds the version of their layout."""

APPLICATION_ID = 0x504E4153  # "PNAS"
SCHEMA_VERSION = 1

SCHEMA = f"""
BEGIN;
CREATE TABLE run (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    config TEXT NOT NULL,
    provenance TEXT NOT NULL
);
CREATE TABLE child (
    key TEXT PRIMARY KEY,
    round INTEGER NOT NULL,
    position INTEGER NOT NULL,
    cell TEXT NOT NULL,
    seed INTEGER NOT NULL,
    parent TEXT REFERENCES child (key),
    predicted REAL,
    UNIQUE (round, position)
);
CREATE TABLE outcome (
    key TEXT PRIMARY KEY REFERENCES child (key),
    status TEXT NOT NULL,
    accuracy REAL,
    accuracies TEXT NOT NULL,
    n_examples INTEGER NOT NULL,
    seconds REAL NOT NULL,
    measurements TEXT NOT NULL,
    finished_at TEXT NOT NULL
);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""
