"""The memory of a search: what is committed stays, and what is no ledger stays as it is."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_search import Candidate, DamagedLedgerError, Ledger, LedgerError, LedgerRow, Outcome, Request
from pnas_searchspace import CellSpace

N_KILLS = 30 if os.environ.get("PNAS_CHAOS") else 3

_seconds = st.floats(0, 1e9)
_measurements = st.dictionaries(st.text(max_size=10), st.floats(allow_nan=False), max_size=3)
_cost = {"n_examples": st.integers(0, 2**63 - 1), "seconds": _seconds, "measurements": _measurements}
_accuracies = st.lists(st.floats(0, 1), max_size=4).map(tuple)
_outcomes = st.builds(
    Outcome, status=st.just("finished"), accuracy=st.floats(0, 1), accuracies=_accuracies, **_cost
) | st.builds(
    Outcome, status=st.sampled_from(["diverged", "crashed"]), accuracy=st.none(), accuracies=_accuracies, **_cost
)


def begin(ledger: Ledger, requests: Sequence[Request]) -> None:
    """A first round of these requests."""
    ledger.add_round(0, [Candidate(cell=request.cell) for request in requests], requests)


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def in_another_process(code: str, *arguments: object) -> None:
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True)


# ---------------------------------------------------------------------------------------------------------- contents


@settings(max_examples=20, deadline=None)
@given(
    outcomes=st.lists(st.none() | _outcomes, min_size=14, max_size=14),
    predicted=st.lists(st.none() | st.floats(-10, 10), min_size=4, max_size=4),
)
def test_what_was_committed_is_read_back(
    outcomes: list[Outcome | None],
    predicted: list[float | None],
    space: CellSpace,
    requests: list[Request],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    beam = space.to_array([request.cell for request in requests])
    cells, parents = space.expand(beam)
    candidates = [Candidate(cell=request.cell) for request in requests] + [
        Candidate(cell=cell, parent=requests[parent].cell, predicted=score)
        for cell, parent, score in zip(space.to_cells(cells[::50]), parents[::50], predicted, strict=False)
    ]
    rows = [
        LedgerRow(
            round=int(candidate.parent is not None),
            position=number if candidate.parent is None else number - len(requests),
            candidate=candidate,
            seed=2**63 - 1 - number,
            outcome=outcome,
        )
        for number, (candidate, outcome) in enumerate(zip(candidates, outcomes, strict=False))
    ]
    assert {row.round for row in rows} == {0, 1}
    path = tmp_path_factory.mktemp("run") / "ledger.sqlite"
    with Ledger.create(path, config={}, provenance={}) as ledger:
        for index in (0, 1):
            round_ = [row for row in rows if row.round == index]
            ledger.add_round(index, [row.candidate for row in round_], [row.request for row in round_])
        for row in rows:
            if row.outcome is not None:
                ledger.record(row.request, row.outcome)
    with Ledger.read(path) as ledger:
        assert ledger.rows() == rows
        # Cells are equal when they are isomorphic, and the encoding is to stay as well.
        assert [str(row.request.cell) for row in ledger.rows()] == [str(row.request.cell) for row in rows]


def test_config_and_provenance_are_what_the_ledger_was_created_with(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    config = {"operations": ["a", "b"], "seed": 2**70, "rate": 0.1, "nothing": None, "name": "Zürich"}
    Ledger.create(path, config=config, provenance={"device": {"name": "cpu"}}).close()
    for reopen in (Ledger.read, Ledger.open):
        with reopen(path) as ledger:
            assert ledger.config() == config
            assert ledger.provenance() == {"device": {"name": "cpu"}}


def test_what_was_measured_once_stays(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.fact("latency") is None
    assert ledger.remember("latency", {"weights": [0.25, 1e-9]}) == {"weights": [0.25, 1e-9]}
    assert ledger.remember("latency", 7) == {"weights": [0.25, 1e-9]}
    assert ledger.remember("other", [1, None]) == [1, None]
    with Ledger.read(tmp_path / "ledger.sqlite") as reader:
        assert reader.fact("latency") == {"weights": [0.25, 1e-9]}


def test_rows_come_in_the_order_in_which_they_were_asked_for(
    ledger: Ledger, requests: list[Request], finished: Callable[[float], Outcome]
) -> None:
    asked = requests[::-1]
    for index, part in ((1, asked[4:]), (0, asked[:4])):
        ledger.add_round(index, [Candidate(cell=request.cell) for request in part], part)
    for request in requests:
        ledger.record(request, finished(0.5))
    assert [row.request for row in ledger.rows()] == asked
    assert [row.request for row in ledger.rows(round=1)] == asked[4:]
    assert ledger.rows(round=2) == []


def test_the_first_outcome_of_a_child_stays(
    ledger: Ledger, requests: list[Request], finished: Callable[[float], Outcome], failed: Outcome
) -> None:
    begin(ledger, requests[:1])
    for outcome in (finished(0.25), finished(0.25), finished(0.75), failed):
        ledger.record(requests[0], outcome)
    assert [row.outcome for row in ledger.rows()] == [finished(0.25)]


def test_an_outcome_needs_a_child_that_was_asked_for(
    ledger: Ledger, requests: list[Request], finished: Callable[[float], Outcome], tmp_path: Path
) -> None:
    begin(ledger, requests[:1])
    with pytest.raises(LedgerError, match=re.escape(str(tmp_path / "ledger.sqlite"))):
        ledger.record(requests[1], finished(0.5))
    ledger.record(requests[0], finished(0.5))
    assert [row.outcome for row in ledger.rows()] == [finished(0.5)]


@pytest.mark.parametrize("again", [0, 4], ids=["of an earlier round", "of the same round"])
def test_a_round_that_asks_for_a_cell_again_is_not_added_at_all(
    again: int, ledger: Ledger, requests: list[Request]
) -> None:
    begin(ledger, requests[:3])
    before = ledger.rows()
    candidates = [Candidate(cell=request.cell) for request in (*requests[3:6], requests[again])]
    with pytest.raises(LedgerError, match="what it holds is safe"):
        ledger.add_round(1, candidates, [*requests[3:6], requests[again]])
    assert ledger.rows() == before
    ledger.add_round(1, candidates[:3], requests[3:6])
    assert [row.request for row in ledger.rows(round=1)] == requests[3:6]


def test_a_round_needs_one_request_for_every_candidate(ledger: Ledger, requests: list[Request]) -> None:
    with pytest.raises(ValueError, match="shorter"):
        ledger.add_round(0, [Candidate(cell=request.cell) for request in requests], requests[1:])
    assert ledger.rows() == []


# ----------------------------------------------------------------------------------------------------------- readers


def test_a_reader_sees_what_is_committed_while_the_writer_goes_on(
    ledger: Ledger, requests: list[Request], finished: Callable[[float], Outcome], tmp_path: Path
) -> None:
    with Ledger.read(tmp_path / "ledger.sqlite") as reader:
        assert reader.rows() == []
        begin(ledger, requests)
        for n_finished, request in enumerate(requests):
            assert sum(row.outcome is not None for row in reader.rows()) == n_finished
            ledger.record(request, finished(0.5))
        assert reader.rows() == ledger.rows()


def test_a_reader_cannot_write(requests: list[Request], tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Ledger.create(path, config={}, provenance={}).close()
    with Ledger.read(path) as reader, pytest.raises(LedgerError, match=re.escape(f"{path} could not be written")):
        begin(reader, requests)


def test_a_path_may_hold_what_means_something_in_an_address(requests: list[Request], tmp_path: Path) -> None:
    folder = tmp_path / "a b?mode=rw#c%20d"
    folder.mkdir()
    path = folder / "größe?.sqlite"
    with Ledger.create(path, config={}, provenance={}) as ledger:
        begin(ledger, requests)
    with Ledger.read(path) as ledger:
        assert len(ledger.rows()) == len(requests)
    assert [path.name for path in folder.iterdir()] == ["größe?.sqlite"]


# ------------------------------------------------------------------------------------------- what is found at a path


def make_missing(path: Path) -> None:
    """Nothing is there."""


def make_empty(path: Path) -> None:
    path.touch()


def make_garbage(path: Path) -> None:
    path.write_bytes(b"accuracy,cell\n0.5,conv\n" * 1000)


def make_ledger(path: Path) -> None:
    space = CellSpace()
    requests = [Request(cell=cell, seed=1, parent=None) for cell in space.to_cells(space.one_block_cells())]
    with Ledger.create(path, config={}, provenance={}) as ledger:
        begin(ledger, requests)


def make_truncated(path: Path) -> None:
    make_ledger(path)
    path.write_bytes(path.read_bytes()[:-4096])


def make_foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE run (id INTEGER)")


def make_newer(path: Path) -> None:
    make_ledger(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")


def make_table_free(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


@pytest.mark.parametrize(
    ("make", "exists", "complaint"),
    [
        (make_missing, False, "there is no ledger at {path}"),
        (make_empty, False, "{path} is a database, but not a ledger"),
        (make_table_free, False, "{path} is a database, but not a ledger"),
        (make_garbage, True, "the ledger {path} is damaged (file is not a database)"),
        (make_truncated, True, "the ledger {path} is damaged (database disk image is malformed)"),
        (make_foreign, True, "{path} is a database, but not a ledger"),
        (make_newer, True, "the ledger {path} has layout 7 and this version reads 2"),
        (make_ledger, True, None),
    ],
)
def test_looking_says_what_is_there_and_changes_nothing(
    make: Callable[[Path], None], exists: bool, complaint: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.sqlite"
    make(path)
    before = bytes_in(tmp_path)
    assert Ledger.exists(path) == exists
    if complaint is None:
        with Ledger.read(path) as ledger:
            assert len(ledger.rows()) == 136
    else:
        for look in (Ledger.read, Ledger.open):
            with pytest.raises(LedgerError, match=re.escape(complaint.format(path=path))):
                look(path)
    assert bytes_in(tmp_path) == before


def test_a_ledger_that_lost_its_end_is_refused_wherever_it_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    make_ledger(path)
    whole = path.read_bytes()
    for length in range(500, len(whole), 997):
        path.write_bytes(whole[:length])
        assert Ledger.exists(path)
        with pytest.raises(LedgerError, match=re.escape(f"the ledger {path} is damaged")):
            Ledger.open(path)
        assert bytes_in(tmp_path) == {path.name: whole[:length]}


@pytest.mark.parametrize(
    "damage",
    [
        "key = 'conv'",
        "key = 'conv@5+conv@-1'",
        "key = CAST(x'ff' AS TEXT)",
        "predicted = 'high', parent = 1, key = 7",
    ],
)
def test_a_damaged_row_is_reported_as_such(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    make_ledger(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE child SET {damage} WHERE position = 100")
        connection.commit()
    with Ledger.read(path) as ledger, pytest.raises(LedgerError, match=re.escape(f"the ledger {path} is damaged")):
        ledger.rows()


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN])
def test_what_keeps_a_whole_ledger_from_being_read_is_not_called_damage(code: int, ledger: Ledger) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code

    class Hindered:
        def execute(self, *_: object) -> None:
            raise error

    whole, ledger._connection = ledger._connection, Hindered()  # type: ignore[assignment]
    with pytest.raises(LedgerError, match=r"cannot be read now .* what it holds is as it was") as caught:
        ledger.rows()
    assert not isinstance(caught.value, DamagedLedgerError)
    ledger._connection = whole
    assert ledger.rows() == []


# ---------------------------------------------------------------------------------------------------------- creation


@pytest.mark.parametrize("make", [make_garbage, make_foreign, make_ledger])
def test_a_ledger_is_not_created_where_something_else_is(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    make(path)
    before = bytes_in(tmp_path)
    with pytest.raises(LedgerError, match=re.escape(f"there is a file at {path} already")):
        Ledger.create(path, config={}, provenance={})
    assert bytes_in(tmp_path) == before


def make_cut_off(path: Path) -> None:
    """Killed after the tables were made and before they were committed."""
    in_another_process(
        """
import os, sys
from pathlib import Path
from pnas_search._ledger._connections import connect
from pnas_search._ledger._schema import SCHEMA

connect(Path(sys.argv[1])).executescript(SCHEMA)
os._exit(0)
""",
        path,
    )
    assert path.with_name(path.name + "-wal").exists()


@pytest.mark.parametrize("make", [make_empty, make_table_free, make_cut_off])
def test_a_creation_that_was_cut_off_is_done_again(
    make: Callable[[Path], None], requests: list[Request], tmp_path: Path
) -> None:
    path = tmp_path / "ledger.sqlite"
    make(path)
    assert not Ledger.exists(path)
    with Ledger.create(path, config={"seed": 1}, provenance={}) as ledger:
        begin(ledger, requests)
    assert Ledger.exists(path)
    with Ledger.open(path) as ledger:
        assert ledger.config() == {"seed": 1}
        assert len(ledger.rows()) == len(requests)


def test_a_config_that_json_cannot_hold_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="complex"):
        Ledger.create(tmp_path / "ledger.sqlite", config={"rate": 1j}, provenance={})
    assert bytes_in(tmp_path) == {}


def test_a_folder_that_does_not_exist_is_named_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none" / "ledger.sqlite"
    assert not Ledger.exists(path)
    for look in (Ledger.read, Ledger.open, lambda path: Ledger.create(path, config={}, provenance={})):
        with pytest.raises(LedgerError, match=re.escape(str(path))):
            look(path)
    assert not path.parent.exists()


def test_a_place_without_write_ahead_logging_is_refused() -> None:
    # A database in memory is such a place on every machine.
    with pytest.raises(LedgerError, match="the file system of :memory: cannot do SQLite's write-ahead logging"):
        Ledger.create(Path(":memory:"), config={}, provenance={})


# ------------------------------------------------------------------------------------------------------------ kills

_RECORD_ALL_THAT_IS_MISSING = """
import sys
from pathlib import Path
from pnas_search import Ledger, Outcome

with Ledger.open(Path(sys.argv[1])) as ledger:
    for row in [row for row in ledger.rows() if row.outcome is None]:
        ledger.record(
            row.request,
            Outcome(status="finished", accuracy=0.5, accuracies=(0.5,) * 20, n_examples=row.position, seconds=1.0),
        )
        print(row.position, flush=True)
"""


def record_and_be_killed_after(n_outcomes: int, path: Path) -> int:
    """The position of the last outcome that the process said to be committed when it was killed."""
    command = [sys.executable, "-c", _RECORD_ALL_THAT_IS_MISSING, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(n_outcomes)]
        process.send_signal(signal.SIGKILL)
        return int([*lines, *process.stdout][-1])


@pytest.mark.chaos
def test_a_process_killed_while_it_records_leaves_all_that_it_committed(tmp_path: Path) -> None:
    space = CellSpace()
    cells = space.to_cells(space.expand(space.one_block_cells()[:20])[0][:3000])
    path = tmp_path / "ledger.sqlite"
    with Ledger.create(path, config={}, provenance={}) as ledger:
        begin(ledger, [Request(cell=cell, seed=1, parent=None) for cell in cells])
    n_finished = 0
    for n_outcomes in range(5, 5 + N_KILLS):
        last = record_and_be_killed_after(n_outcomes, path)
        assert last >= n_finished
        before = bytes_in(tmp_path)
        assert Ledger.exists(path)
        with Ledger.read(path) as ledger:
            rows = ledger.rows()
        for kept in ("ledger.sqlite", "ledger.sqlite-wal"):
            assert bytes_in(tmp_path)[kept] == before[kept]
        assert len(rows) == len(cells)
        n_finished = sum(row.outcome is not None for row in rows)
        assert n_finished > last
        assert [row.outcome.n_examples for row in rows[:n_finished]] == list(range(n_finished))
        assert all(row.outcome is None for row in rows[n_finished:])
