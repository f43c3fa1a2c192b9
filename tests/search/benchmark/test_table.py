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


def other_layout(data: bytes) -> bytes:
    """The same with another number of its format."""
    import io

    with np.load(io.BytesIO(data)) as archive:
        arrays = dict(archive)
    head = arrays["head"].tobytes().replace(b'"format": 1', b'"format": 9')
    file = io.BytesIO()
    np.savez_compressed(file, **{**arrays, "head": np.frombuffer(head, dtype=np.uint8)})
    return file.getvalue()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: b"", "No data left in file"),
        (lambda _: b"some text", ""),
        (lambda data: data[: len(data) // 2], ""),
        (other_layout, "it has layout 9, and this version reads 1"),
    ],
)
def test_a_damaged_file_is_one_sentence(table, damage, reason):
    with pytest.raises(SearchError) as refused:
        Benchmark.from_bytes(damage(table.to_bytes()), origin="some.npz")
    message = str(refused.value)
    assert message.startswith("some.npz must be a benchmark that `pnas-tools benchmark make` wrote, but: ")
    assert reason in message
    assert "\n" not in message
