import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from tokenize import TokenError
from typing import Any, Self, get_args
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pnas_search._benchmark._interpolator import Interpolator
from pnas_search._benchmark._trees import Trees
from pnas_search._errors import SearchError
from pnas_search._evaluation import Status
from pnas_searchspace import Cell, CellSpace

SOURCES = ("uniform", "search", "ancestor")
"""Where cells of a benchmark come from: uniform samples, what a search asked for, and what samples were made from by
adding blocks.
"""

_FORMAT = 1
_ABOUT = ("images", "config", "n_train", "n_validation", "n_epochs", "held_out")
_BROKEN = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError),
    *(BadZipFile, TokenError, zlib.error),
)
_STATUSES = get_args(Status)
_NOT_REACHED = -1


@dataclass(frozen=True, kw_only=True)
class BenchmarkCell:
    """A cell of a benchmark, and what is the same however often it is trained.

    Attributes:
        cell: in canonical form.
        source: one of `SOURCES`, the first that holds.
        n_parameters: trainable numbers of its network.
        multiply_adds: of that, for one image.
    """

    cell: Cell
    source: str
    n_parameters: int
    multiply_adds: int


@dataclass(frozen=True, kw_only=True)
class BenchmarkRow:
    """One training of a cell.

    Attributes:
        cell: in canonical form, which `cell.to_json()` writes out; `cell.key` is its key, and `len(cell)` its size.
        seed: of the run; `child_seed(seed, cell)` is the training's.
        status: how it ended.
        n_correct: validation images classified right after every epoch that it reached.
        accuracies: the same as shares of all validation images, in [0, 1].
        seconds: of training.
    """

    cell: Cell
    seed: int
    status: Status
    n_correct: tuple[int, ...]
    accuracies: tuple[float, ...]
    seconds: float

    @property
    def accuracy(self) -> float | None:
        """After the last epoch; None of a training that did not finish."""
        return self.accuracies[-1] if self.status == "finished" else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Benchmark:
    """Really trained cells with their accuracies, and an interpolator for the others.

    Attributes:
        name: of the benchmark.
        about: as JSON can hold it: `images` in words, and their digest; `config`, how networks were trained; `plan`,
            how cells were chosen; `provenance`; `n_train`, `n_validation` and `n_epochs`; `held_out`, the
            interpolator's rank correlation on cells that it was not fitted to, by number of blocks.
        cells: sorted by size and key.
        rows: all trainings, sorted by cell as `cells` is, and seed.
        interpolator: fitted to them.
    """

    name: str
    about: Mapping[str, Any]
    cells: tuple[BenchmarkCell, ...] = field(repr=False)
    rows: tuple[BenchmarkRow, ...] = field(repr=False)
    interpolator: Interpolator = field(repr=False)

    def __post_init__(self) -> None:
        missing = [name for name in _ABOUT if name not in self.about]
        if missing or not self.cells or not self.rows:
            raise SearchError(
                f"a benchmark has cells, rows and, in about, {', '.join(_ABOUT)}, but {self.name} lacks "
                f"{missing[0] if missing else 'cells' if not self.cells else 'rows'}"
            )
        if self.interpolator.noise.shape != (self.n_blocks, self.n_epochs):
            raise SearchError(
                f"the noise of {self.name} must be of shape {(self.n_blocks, self.n_epochs)}, "
                f"not {self.interpolator.noise.shape}"
            )

    @property
    def n_blocks(self) -> int:
        """Of the largest cells."""
        return len(self.cells[-1].cell)

    @property
    def n_epochs(self) -> int:
        return int(self.about["n_epochs"])

    @cached_property
    def _rows_by_cell(self) -> dict[Cell, tuple[BenchmarkRow, ...]]:
        rows: dict[Cell, list[BenchmarkRow]] = {}
        for row in self.rows:
            rows.setdefault(row.cell, []).append(row)
        return {cell: tuple(of_cell) for cell, of_cell in rows.items()}

    @cached_property
    def _cells(self) -> dict[Cell, BenchmarkCell]:
        return {cell.cell: cell for cell in self.cells}

    def __contains__(self, cell: object) -> bool:
        return cell in self._rows_by_cell

    def trainings(self, cell: Cell) -> tuple[BenchmarkRow, ...]:
        """Every training of a cell, by seed.

        Raises:
            SearchError: nobody has trained it.
        """
        if cell not in self:
            raise SearchError(
                f"{self.name} has not trained {cell}: "
                f"ask for one of its {len(self.cells):,} cells, or let it interpolate"
            )
        return self._rows_by_cell[cell]

    def describe(self, cell: Cell) -> BenchmarkCell:
        """What is known of a cell that was trained."""
        self.trainings(cell)
        return self._cells[cell]

    def rows_per_size(self) -> dict[int, int]:
        """How many trainings there are by number of blocks."""
        sizes, counts = np.unique([len(row.cell) for row in self.rows], return_counts=True)
        return {int(size): int(count) for size, count in zip(sizes, counts, strict=True)}

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits that tell this benchmark from others, also of its name."""
        return hashlib.sha256(self.to_bytes()).hexdigest()[:12]

    def to_bytes(self) -> bytes:
        """A compressed `.npz` file; the same benchmark always gives the same bytes."""
        file = BytesIO()
        np.savez_compressed(file, **self._arrays())  # type: ignore[arg-type]  # numpy/numpy#23938
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, origin: str = "this") -> Self:
        """What `to_bytes` wrote.

        Args:
            data: the file.
            origin: what an error calls it.

        Raises:
            SearchError: it is damaged, or no benchmark.
        """
        try:
            with np.load(BytesIO(data), allow_pickle=False) as archive:
                return cls._from_arrays({name: archive[name] for name in archive.files})
        # What NumPy lets out for damaged archives, and what the numbers of another kind of file lead to.
        except _BROKEN as error:
            raise SearchError(
                f"{origin} must be a benchmark that `pnas-tools benchmark make` wrote, but: {error}"
            ) from error

    def _arrays(self) -> dict[str, NDArray[Any]]:
        space = self.interpolator.space
        head = {"format": _FORMAT, "name": self.name, "about": self.about, "operations": space.operations}
        index = {cell.cell: i for i, cell in enumerate(self.cells)}
        n_correct = np.full((len(self.rows), self.n_epochs), _NOT_REACHED, dtype=np.int32)
        for i, row in enumerate(self.rows):
            n_correct[i, : len(row.n_correct)] = row.n_correct
        trees = self.interpolator.trees
        return {
            "head": np.frombuffer(json.dumps(head, sort_keys=True).encode(), dtype=np.uint8),
            **{
                f"cells_{size}": space.to_array(cells).astype(np.int8)
                for size in range(1, self.n_blocks + 1)
                if (cells := [cell.cell for cell in self.cells if len(cell.cell) == size])
            },
            "cell_source": np.array([SOURCES.index(cell.source) for cell in self.cells], dtype=np.uint8),
            "cell_n_parameters": np.array([cell.n_parameters for cell in self.cells], dtype=np.int64),
            "cell_multiply_adds": np.array([cell.multiply_adds for cell in self.cells], dtype=np.int64),
            "row_cell": np.array([index[row.cell] for row in self.rows], dtype=np.uint32),
            "row_seed": np.array([row.seed for row in self.rows], dtype=np.uint32),
            "row_status": np.array([_STATUSES.index(row.status) for row in self.rows], dtype=np.uint8),
            "row_n_correct": n_correct,
            "row_seconds": np.array([row.seconds for row in self.rows], dtype=np.float32),
            "tree_features": trees.features,
            "tree_thresholds": trees.thresholds,
            "tree_values": trees.values,
            "tree_constants": trees.constants,
            "noise": self.interpolator.noise,
            "sizes": self.interpolator.sizes,
        }

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        head = json.loads(arrays["head"].tobytes())
        if head["format"] != _FORMAT:
            raise ValueError(f"it has layout {head['format']}, and this version reads {_FORMAT}")
        space = CellSpace(tuple(head["operations"]))
        cells = tuple(_cells(space, arrays))
        rows = tuple(_rows(cells, arrays, int(head["about"]["n_validation"])))
        trees = Trees(
            features=arrays["tree_features"],
            thresholds=arrays["tree_thresholds"],
            values=arrays["tree_values"],
            constants=arrays["tree_constants"],
        )
        interpolator = Interpolator(space=space, trees=trees, noise=arrays["noise"], sizes=arrays["sizes"])
        return cls(name=head["name"], about=head["about"], cells=cells, rows=rows, interpolator=interpolator)


def _cells(space: CellSpace, arrays: Mapping[str, NDArray[Any]]) -> list[BenchmarkCell]:
    sizes = sorted(int(name.removeprefix("cells_")) for name in arrays if name.startswith("cells_"))
    cells = [cell for size in sizes for cell in space.to_cells(arrays[f"cells_{size}"].astype(np.int64))]
    columns = (arrays[f"cell_{name}"].tolist() for name in ("source", "n_parameters", "multiply_adds"))
    return [
        BenchmarkCell(cell=cell, source=SOURCES[source], n_parameters=n_parameters, multiply_adds=multiply_adds)
        for cell, source, n_parameters, multiply_adds in zip(cells, *columns, strict=True)
    ]


def _rows(cells: Sequence[BenchmarkCell], arrays: Mapping[str, NDArray[Any]], n_validation: int) -> list[BenchmarkRow]:
    columns = (arrays[f"row_{name}"].tolist() for name in ("cell", "seed", "status", "n_correct", "seconds"))
    rows = []
    for cell, seed, status, n_correct, seconds in zip(*columns, strict=True):
        reached = tuple(count for count in n_correct if count != _NOT_REACHED)
        rows.append(
            BenchmarkRow(
                cell=cells[cell].cell,
                seed=seed,
                status=_STATUSES[status],
                n_correct=reached,
                accuracies=tuple(count / n_validation for count in reached),
                seconds=seconds,
            )
        )
    return rows
