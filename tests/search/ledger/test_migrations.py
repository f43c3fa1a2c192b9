"""A ledger of an earlier layout holds after a migration what it held before."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pnas_search import Candidate, Ledger, LedgerError, LedgerRow, Outcome, child_seed
from pnas_search._ledger._schema import SCHEMA_VERSION
from pnas_searchspace import Cell, CellSpace

LAYOUT_1 = """
CREATE TABLE run (id INTEGER PRIMARY KEY CHECK (id = 1), config TEXT NOT NULL, provenance TEXT NOT NULL);
CREATE TABLE child (
    key TEXT PRIMARY KEY, round INTEGER NOT NULL, position INTEGER NOT NULL, cell TEXT NOT NULL, seed INTEGER NOT NULL,
    parent TEXT REFERENCES child (key), predicted REAL, UNIQUE (round, position)
);
CREATE TABLE outcome (
    key TEXT PRIMARY KEY REFERENCES child (key), status TEXT NOT NULL, accuracy REAL, accuracies TEXT NOT NULL,
    n_examples INTEGER NOT NULL, seconds REAL NOT NULL, measurements TEXT NOT NULL, finished_at TEXT NOT NULL
);
PRAGMA application_id = 1347305811;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
"""
"""As version 0.1 made it first."""


@pytest.fixture
def rows(space: CellSpace) -> list[LedgerRow]:
    """Two rounds, of which the second has a child that is missing."""
    first = space.to_cells(space.one_block_cells())
    children, parents = space.expand(space.to_array(first))
    finished = Outcome(
        status="finished",
        accuracy=0.25,
        accuracies=(0.125, 0.25),
        n_examples=7,
        seconds=1.5,
        measurements={"n_parameters": 12.0},
    )
    diverged = Outcome(status="diverged", accuracy=None, accuracies=(), n_examples=3, seconds=0.5)
    candidates = [Candidate(cell=cell) for cell in first]
    candidates += [
        Candidate(cell=cell, parent=first[parent], predicted=0.5)
        for cell, parent in zip(space.to_cells(children[::40]), parents[::40], strict=True)
    ]
    outcomes = [finished] * 9 + [diverged] + [finished] * (len(candidates) - 11) + [None]
    return [
        LedgerRow(
            round=int(len(candidate.cell) - 1),
            position=number % len(first),
            candidate=candidate,
            seed=child_seed(0, candidate.cell),
            outcome=outcome,
        )
        for number, (candidate, outcome) in enumerate(zip(candidates, outcomes, strict=True))
    ]


@pytest.fixture
def old(rows: list[LedgerRow], tmp_path: Path) -> Path:
    """A ledger of the first layout, with these rows."""
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(LAYOUT_1)
        connection.execute("INSERT INTO run VALUES (1, ?, ?)", ('{"seed": 0}', '{"device": "cpu"}'))
        for row in reversed(rows):  # in no particular order
            cell, parent = row.candidate.cell, row.candidate.parent
            key = parent.key if parent is not None else None
            child = cell.key, row.round, row.position, json.dumps(cell), row.seed, key, row.candidate.predicted
            connection.execute("INSERT INTO child VALUES (?, ?, ?, ?, ?, ?, ?)", child)
            if row.outcome is not None:
                connection.execute("INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?)", outcome_1(cell, row.outcome))
        connection.commit()
    return path


def outcome_1(cell: Cell, outcome: Outcome) -> tuple[object, ...]:
    accuracies, measurements = json.dumps(outcome.accuracies), json.dumps(dict(outcome.measurements))
    cost = outcome.n_examples, outcome.seconds
    return cell.key, outcome.status, outcome.accuracy, accuracies, *cost, measurements, "2026-01-01T00:00:00+00:00"


def layout(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_opening_an_old_ledger_brings_it_to_todays_layout_with_all_that_it_holds(
    old: Path, rows: list[LedgerRow]
) -> None:
    for _ in range(2):
        with Ledger.open(old) as ledger:
            assert ledger.rows() == rows
            assert (ledger.config(), ledger.provenance()) == ({"seed": 0}, {"device": "cpu"})
        assert layout(old) == SCHEMA_VERSION
    with closing(sqlite3.connect(old)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables == {"run", "fact", "child", "prediction", "attempt", "outcome"}
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_search_goes_on_with_what_was_migrated(old: Path, rows: list[LedgerRow]) -> None:
    missing = rows[-1].request
    with Ledger.open(old) as ledger:
        ledger.record(missing, rows[0].outcome)
        assert ledger.rows()[-1].outcome == rows[0].outcome
        with pytest.raises(LedgerError, match="what it holds is safe"):
            ledger.add_round(2, [rows[0].candidate], [rows[0].request])


def test_looking_at_an_old_ledger_leaves_it_as_it_is(old: Path, rows: list[LedgerRow]) -> None:
    before = {path.name: path.read_bytes() for path in old.parent.iterdir()}
    with Ledger.read(old) as ledger:
        assert ledger.rows() == rows
        assert ledger.n_outcomes() == {"finished": len(rows) - 2, "diverged": 1}
    assert {path.name: path.read_bytes() for path in old.parent.iterdir()} == before


_MIGRATE_AND_DIE = """
import os, sqlite3, sys
from pathlib import Path
from pnas_search._ledger import _migrations
from pnas_search._ledger._connections import connect

_migrations._STEPS[1] = [*_migrations._STEPS[1][:int(sys.argv[2])], "SELECT die()"]
connection = connect(Path(sys.argv[1]))
connection.create_function("die", 0, lambda: os._exit(9))
_migrations.migrate(connection)
"""


@pytest.mark.parametrize("n_statements", [4, 9, 14])
def test_a_migration_that_is_cut_off_has_not_happened(n_statements: int, old: Path, rows: list[LedgerRow]) -> None:
    command = [sys.executable, "-c", _MIGRATE_AND_DIE, str(old), str(n_statements)]
    assert subprocess.run(command, check=False).returncode == 9
    assert layout(old) == 1
    with Ledger.open(old) as ledger:
        assert ledger.rows() == rows


def test_an_old_ledger_that_cannot_be_brought_over_is_named_and_stays(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE child SET cell = '[['")
        connection.commit()
    before = old.read_bytes()
    for look in (Ledger.read, Ledger.open):
        with pytest.raises(LedgerError, match="of an earlier layout and cannot be brought to today's"):
            look(old)
    assert old.read_bytes() == before
