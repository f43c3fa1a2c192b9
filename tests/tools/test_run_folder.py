import dataclasses
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock

from pnas_search import Candidate, Ledger, Request
from pnas_searchspace import Cell
from pnas_tools._config import PRESETS
from pnas_tools._errors import BadInput
from pnas_tools._run_folder import RunFolder

QUICK = PRESETS["quick"]
CELL = Cell([[-2, "identity", -1, "identity"]])


def give_up(run: RunFolder, meanwhile: Callable[[], None] = lambda: None) -> None:
    with run.opened(QUICK, {}):
        meanwhile()
        raise BadInput("no such images")


def test_a_search_that_is_given_up_before_its_first_round_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such images"):
        give_up(RunFolder(tmp_path / "deep" / "run"))
    assert list(tmp_path.iterdir()) == []


def test_giving_up_leaves_a_folder_that_was_there_and_what_others_put_beside_the_run(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(BadInput):
        give_up(RunFolder(tmp_path / "mine"))
    assert list((tmp_path / "mine").iterdir()) == []

    run = RunFolder(tmp_path / "runs" / "one")
    with pytest.raises(BadInput):
        give_up(run, meanwhile=(tmp_path / "runs" / "another").mkdir)
    assert [entry.name for entry in (tmp_path / "runs").iterdir()] == ["another"]


@pytest.mark.parametrize("name", [".env", "config.json", "ledger.sqlite.bak", "result.json"])
def test_a_file_of_somebody_elses_keeps_a_search_out(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('{"theirs": 1}')
    with pytest.raises(BadInput, match=f"is not empty and holds no run, but '{name}'"):
        RunFolder(tmp_path).check(QUICK)


def test_a_config_that_an_older_version_left_before_its_first_round_is_ours(tmp_path: Path) -> None:
    older = {name: value for name, value in QUICK.as_json().items() if name != "arithmetic"}
    (tmp_path / "config.json").write_text(json.dumps(older))
    RunFolder(tmp_path).check(QUICK)
    with RunFolder(tmp_path).opened(QUICK, {}) as ledger:
        assert ledger.config() == QUICK.as_json()


def test_giving_up_keeps_what_was_asked_for(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with run.opened(QUICK, {}) as ledger:
        ledger.add_round(0, [Candidate(cell=CELL)], [Request(cell=CELL, seed=1, parent=None)])
    with pytest.raises(BadInput):
        give_up(run)
    with run.opened(QUICK, {}) as ledger:
        assert [row.request.cell for row in ledger.rows()] == [CELL]


def test_a_folder_is_one_searchs_at_a_time(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path).opened(QUICK, {}),
        pytest.raises(BadInput, match="another process"),
        RunFolder(tmp_path).opened(QUICK, {}),
    ):
        raise AssertionError("two searches at once")
    with RunFolder(tmp_path).opened(QUICK, {}) as ledger:
        assert ledger.config() == QUICK.as_json()


def test_a_setting_that_came_later_than_the_run_had_its_default_before(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    there = QUICK.as_json()
    del there["whitening"]
    Ledger.create(run.ledger, config=there, provenance={}).close()
    run.check(QUICK)
    with pytest.raises(BadInput, match="whitening is 'channel' there and 'image' here"):
        run.check(dataclasses.replace(QUICK, whitening="image"))


def test_the_lock_is_free_when_the_search_is_over(tmp_path: Path) -> None:
    with RunFolder(tmp_path).opened(QUICK, {}):
        pass
    with FileLock(tmp_path / ".lock").acquire(timeout=0):
        assert (tmp_path / ".lock").exists()


def test_a_run_that_another_search_began_meanwhile_is_not_taken_over(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.check(QUICK)
    with run.opened(PRESETS["paper"], {}):
        pass
    with pytest.raises(BadInput, match="another config"), run.opened(QUICK, {}):
        raise AssertionError("the search of another config was taken over")
    assert run.holds_run()


@pytest.mark.parametrize("column", ["config", "provenance"])
def test_a_run_whose_own_row_is_damaged_is_refused_in_a_sentence(column: str, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with run.opened(QUICK, {}):
        pass
    with closing(sqlite3.connect(run.ledger)) as connection:
        connection.execute(f"UPDATE run SET {column} = '{{'")
        connection.commit()
    with pytest.raises(BadInput, match=f"is damaged \\({column}"), run.opened(QUICK, {}):
        raise AssertionError("a damaged run was opened")
