import hashlib
import importlib.resources
from collections import Counter

import numpy as np
import pytest

from pnas_search import BENCHMARKS, Benchmark, SearchError, load_benchmark
from pnas_search._benchmark import _load
from pnas_searchspace import CellSpace

FOLDER = importlib.resources.files("pnas_search") / "_benchmark" / "data"


def test_what_ships_is_what_is_named_and_small():
    assert sorted(file.name for file in FOLDER.iterdir()) == sorted(f"{name}.npz" for name in BENCHMARKS)
    assert sum(len(file.read_bytes()) for file in FOLDER.iterdir()) < 3_000_000


@pytest.fixture(scope="module", params=BENCHMARKS)
def shipped(request) -> Benchmark:
    return load_benchmark(request.param)


def test_a_file_is_the_one_that_was_shipped(shipped):
    data = (FOLDER / f"{shipped.name}.npz").read_bytes()
    assert hashlib.sha256(data).hexdigest() == _load._SHA256[shipped.name]
    assert shipped.to_bytes() == data


def test_a_file_that_was_changed_is_refused(shipped, monkeypatch):
    monkeypatch.setitem(_load._SHA256, shipped.name, "0" * 64)
    _load._shipped.cache_clear()
    with pytest.raises(SearchError, match="is not the file that was shipped: install pnas-search anew"):
        load_benchmark(shipped.name)


def test_there_are_enough_cells_of_every_size_with_one_seed_and_with_three(shipped):
    cells = Counter(len(cell.cell) for cell in shipped.cells)
    seeds = Counter(len(cell.cell) for cell in shipped.cells if len(shipped.trainings(cell.cell)) >= 3)
    assert (cells[1], seeds[1]) == (136, 136)
    assert all(cells[size] >= 250 and seeds[size] >= 200 for size in range(2, 6))
    assert set(cells) == set(range(1, 6))


def test_every_cell_has_a_parent_in_the_table(shipped):
    space = CellSpace()
    of_size = {size: [c.cell for c in shipped.cells if len(c.cell) == size] for size in range(1, 6)}
    for size in range(2, 6):
        assert set(of_size[size]) <= set(space.to_cells(space.expand(of_size[size - 1])[0]))


def test_rows_hold_what_trainings_give(shipped):
    assert all(str(cell.cell) == cell.cell.key for cell in shipped.cells)
    assert len({(row.cell, row.seed) for row in shipped.rows}) == len(shipped.rows)
    for row in shipped.rows:
        assert row.status != "finished" or len(row.accuracies) == shipped.n_epochs
        assert all(0 <= accuracy <= 1 for accuracy in row.accuracies)
        assert row.seconds > 0


def test_parameters_and_multiply_adds_of_its_cells_are_what_the_interpolator_gives(shipped):
    counts = [[cell.n_parameters, cell.multiply_adds] for cell in shipped.cells]
    np.testing.assert_array_equal(shipped.interpolator.counts([cell.cell for cell in shipped.cells]), counts)


def test_a_benchmark_made_by_oneself_loads_by_its_path(table, tmp_path):
    (tmp_path / "own.npz").write_bytes(table.to_bytes())
    assert load_benchmark(str(tmp_path / "own.npz")).digest == table.digest
    assert load_benchmark(tmp_path / "own.npz").digest == table.digest


def test_a_benchmark_shows_itself_in_a_few_lines(shipped):
    assert shipped.name in repr(shipped)
    assert len(repr(shipped)) < 5000


@pytest.mark.parametrize("name", ["none", "none.npz", ""])
def test_a_benchmark_that_there_is_not_is_one_sentence(name):
    with pytest.raises(SearchError, match=r"the path"):
        load_benchmark(name)


def test_a_misspelt_name_has_a_suggestion():
    with pytest.raises(SearchError, match="did you mean 'micro-digits'"):
        load_benchmark("micro-digit")
