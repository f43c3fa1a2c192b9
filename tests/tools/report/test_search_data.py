import shutil
from pathlib import Path

import pytest

from pnas_search import Ledger
from pnas_tools._errors import BadInput
from pnas_tools._report._child import WAITING
from pnas_tools._report._search_data import SearchData, ranked
from pnas_tools._run_folder import RunFolder


def test_it_has_what_the_ledger_and_the_result_have(run: Path) -> None:
    search = SearchData.read(RunFolder(run))
    with Ledger.read(run / "ledger.sqlite") as ledger:
        rows = ledger.rows()
        assert search.config == ledger.config()
    result = RunFolder(run).read_result()
    assert result is not None
    assert search.is_finished
    assert search.best is not None
    assert (search.best.cell, search.best.accuracy) == (rows[search.best.index].candidate.cell, result["best_accuracy"])
    assert [child.accuracy for child in search.children] == [row.outcome.accuracy for row in rows if row.outcome]
    assert search.benchmark == "micro-digits"
    assert search.command is not None
    assert search.command.startswith("pnas-tools search --beam 30 --evaluator benchmark:micro-digits@")


def test_a_parent_is_the_child_that_was_asked_for_before(run: Path) -> None:
    search = SearchData.read(RunFolder(run))
    with Ledger.read(run / "ledger.sqlite") as ledger:
        parents = [row.candidate.parent for row in ledger.rows()]
    assert any(parents)
    for child, parent in zip(search.children, parents, strict=True):
        assert (search.children[child.parent].cell if child.parent is not None else None) == parent
        assert child.parent is None or child.parent < child.index


def test_without_a_result_the_best_so_far_is_the_best(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "killed")
    (tmp_path / "killed" / "result.json").unlink()
    search = SearchData.read(RunFolder(tmp_path / "killed"))
    assert not search.is_finished
    assert search.best is not None
    assert search.best.accuracy == max(child.accuracy or 0 for child in search.children)


def test_a_search_that_has_asked_for_nothing_is_refused(tmp_path: Path) -> None:
    Ledger.create(tmp_path / "ledger.sqlite", config={}, provenance={}).close()
    with pytest.raises(BadInput, match="no child yet"):
        SearchData.read(RunFolder(tmp_path))


def test_levels_are_ascending_and_hold_every_child_once(make_child, make_search) -> None:  # type: ignore[no-untyped-def]
    children = [make_child(0, 2), make_child(1), make_child(2, 2, fidelity=15)]
    levels = make_search(*children).levels
    assert list(levels) == [(1, 1), (1, 2), (15, 2)]
    assert sorted(child.index for level in levels.values() for child in level) == [0, 1, 2]


def test_finished_children_rank_before_stopped_ones_and_others_do_not(make_child) -> None:  # type: ignore[no-untyped-def]
    stopped = make_child(0, status="stopped", accuracy=0.9)
    waiting = make_child(1, status=WAITING, accuracy=None)
    low, high = make_child(2, accuracy=0.3), make_child(3, accuracy=0.4)
    assert ranked([stopped, waiting, low, high]) == [high, low, stopped]
