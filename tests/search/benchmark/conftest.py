"""A small benchmark whose numbers are made up, and differ from row to row."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from pnas_search import Benchmark, BenchmarkCell, BenchmarkRow, Interpolator, Trees
from pnas_searchspace import Cell, CellSpace

N_VALIDATION = 50


def number(text: str, below: int) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % below


def make_row(cell: Cell, seed: int, status: str = "finished") -> BenchmarkRow:
    n_epochs = 3 if status == "finished" else 1
    n_correct = tuple(number(f"{cell.key} {seed} {epoch}", N_VALIDATION) for epoch in range(n_epochs))
    return BenchmarkRow(
        cell=cell,
        seed=seed,
        status=status,
        n_correct=n_correct,
        accuracies=tuple(n / N_VALIDATION for n in n_correct),
        seconds=float(np.float32(1.1 + seed)),
    )


def make_interpolator(space: CellSpace) -> Interpolator:
    """Predicts 0.25, 0.5 and 0.75 for cells of one block, and 0.125 more for larger ones; 2 and 4 seconds."""
    trees = Trees(
        features=np.zeros((4, 1, 1), dtype=np.uint8),  # the number of blocks
        thresholds=np.full((4, 1, 1), 1.5, dtype=np.float32),
        values=np.array([[[0, 0.125]]] * 3 + [[[0, np.log(2)]]], dtype=np.float32),
        constants=np.array([0.25, 0.5, 0.75, np.log(2)], dtype=np.float32),
    )
    sizes = np.zeros((2, 2, 3 * len(space.operations) + 3))
    sizes[:, 0, -1], sizes[:, 1, :] = 1000, 10
    return Interpolator(space=space, trees=trees, noise=np.array([[0.0] * 3, [0.01, 0.02, 0.03]]), sizes=sizes)


@pytest.fixture(scope="session")
def some_cells(space) -> list[Cell]:
    """All cells of one block, and every third of two."""
    return [
        *space.to_cells(space.one_block_cells()),
        *space.to_cells(np.concatenate(list(space.enumerate(2)))[::3]),
    ]


@pytest.fixture(scope="session")
def benchmark_of(space, some_cells) -> Callable[..., Benchmark]:
    def make(**changes) -> Benchmark:
        cells = sorted(some_cells, key=lambda cell: (len(cell), cell.key))
        rows = [
            make_row(cell, seed, "diverged" if i == 4 and seed == 1 else "finished")
            for i, cell in enumerate(cells)
            for seed in range(1 + i % 3)
        ]
        about = {"images": "noise", "config": {"n_filters": 4}, "held_out": {}}
        about |= {"n_train": 80, "n_validation": 50, "n_epochs": 3}
        values = {
            "name": "made-up",
            "about": about,
            "cells": tuple(
                BenchmarkCell(cell=cell, source="uniform", n_parameters=100 + i, multiply_adds=10_000_000_000 + i)
                for i, cell in enumerate(cells)
            ),
            "rows": tuple(rows),
            "interpolator": make_interpolator(space),
        }
        return Benchmark(**{**values, **changes})

    return make


@pytest.fixture(scope="session")
def table(benchmark_of) -> Benchmark:
    return benchmark_of()
