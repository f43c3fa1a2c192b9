import dataclasses
import io
from collections.abc import Callable

import numpy as np
import pytest

from pnas_search import Benchmark, SearchError
from pnas_searchspace import Cell


def test_everything_survives_the_file(table):
    again = Benchmark.from_bytes(table.to_bytes())
    assert (again.name, again.about) == (table.name, table.about)
    assert again.cells == table.cells
    assert again.rows == table.rows
    assert [str(cell.cell) for cell in again.cells] == [str(cell.cell) for cell in table.cells]
    assert again.interpolator.space == table.interpolator.space
    for name in ("noise", "sizes"):
        np.testing.assert_array_equal(getattr(again.interpolator, name), getattr(table.interpolator, name))
    for name in ("features", "thresholds", "values", "constants"):
        here, there = (getattr(one.interpolator.trees, name) for one in (table, again))
        np.testing.assert_array_equal(here, there)
        assert here.dtype == there.dtype


def test_the_same_benchmark_gives_the_same_bytes(table):
    assert Benchmark.from_bytes(table.to_bytes()).to_bytes() == table.to_bytes()


def test_the_trainings_of_a_cell_come_by_seed_however_it_is_written(table, space):
    cell = table.cells[2].cell
    swapped = Cell([(b.input_2, b.operation_2, b.input_1, b.operation_1) for b in cell])
    assert swapped in table
    assert [row.seed for row in table.trainings(swapped)] == [0, 1, 2]
    assert table.describe(swapped) == table.cells[2]


def test_a_cell_that_nobody_has_trained_is_refused(table, space):
    known = {cell.cell for cell in table.cells}
    unknown = next(cell for cell in space.to_cells(np.concatenate(list(space.enumerate(2)))) if cell not in known)
    assert unknown not in table
    with pytest.raises(SearchError, match=r"^made-up has not trained .*: ask for one of its \d+ cells"):
        table.trainings(unknown)
    with pytest.raises(SearchError, match="made-up has not trained"):
        table.describe(unknown)


def test_trainings_are_counted_by_size(table):
    sizes = [len(row.cell) for row in table.rows]
    assert table.rows_per_size() == {1: sizes.count(1), 2: sizes.count(2)}
    assert table.n_blocks == 2


def test_a_training_that_did_not_finish_has_a_curve_and_no_accuracy(table):
    [row] = [row for row in table.rows if row.status == "diverged"]
    assert (len(row.accuracies), row.accuracy) == (1, None)


def test_another_content_has_another_digest(table, benchmark_of):
    assert table.digest == benchmark_of().digest
    assert len(table.digest) == 12
    assert benchmark_of(name="other").digest != table.digest


def test_counts_of_any_size_survive_the_file(benchmark_of, table):
    """Accuracies of more validation images than two bytes can count."""
    about = {**table.about, "n_validation": 100_000}
    rows = [dataclasses.replace(row, n_correct=(65_535,), accuracies=(0.65535,)) for row in table.rows]
    again = Benchmark.from_bytes(benchmark_of(about=about, rows=tuple(rows)).to_bytes())
    assert all((row.n_correct, row.accuracies) == ((65_535,), (0.65535,)) for row in again.rows)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": ()}, "made-up lacks rows"),
        ({"cells": ()}, "made-up lacks cells"),
        ({"about": {}}, "made-up lacks images"),
    ],
)
def test_what_is_no_benchmark_cannot_be_made(benchmark_of, changes, message):
    with pytest.raises(SearchError, match=message):
        benchmark_of(**changes)


def test_noise_must_be_known_for_every_size(benchmark_of, table):
    interpolator = dataclasses.replace(table.interpolator, noise=np.zeros((1, 3)))
    with pytest.raises(SearchError, match=r"the noise of made-up must be of shape \(2, 3\), not \(1, 3\)"):
        benchmark_of(interpolator=interpolator)


def with_array(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[bytes], bytes]:
    """The same file with another array in it."""

    def damaged(data: bytes) -> bytes:
        with np.load(io.BytesIO(data)) as archive:
            arrays = dict(archive)
        arrays[name] = change(arrays[name])
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)
        return file.getvalue()

    return damaged


def edited(array: np.ndarray, old: bytes, new: bytes) -> np.ndarray:
    return np.frombuffer(array.tobytes().replace(old, new), dtype=np.uint8)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: b"", "No data left in file"),
        (lambda _: b"some text", ""),
        (lambda data: data[: len(data) // 2], ""),
        (with_array("row_cell", lambda array: array + 10_000), "tuple index out of range"),
        (with_array("row_status", lambda array: array + 100), "tuple index out of range"),
        (with_array("row_seed", lambda array: array[1:]), "zip() argument"),
        (with_array("noise", lambda array: array[:1]), "the noise of made-up must be of shape"),
        (with_array("head", lambda array: edited(array, b'"format": 1', b'"format": 9')), "it has layout 9"),
        (
            with_array("head", lambda array: edited(array, b'"n_validation": 50', b'"n_validation": 0')),
            "division by zero",
        ),
    ],
)
def test_a_damaged_file_is_one_sentence(table, damage, reason):
    with pytest.raises(SearchError) as refused:
        Benchmark.from_bytes(damage(table.to_bytes()), origin="some.npz")
    message = str(refused.value)
    assert message.startswith(("some.npz must be a benchmark that `pnas-tools benchmark make` wrote, but: ", reason))
    assert reason in message
    assert "\n" not in message
