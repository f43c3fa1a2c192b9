import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pnas_tools._cell_costs
from pnas_models import cifar_network
from pnas_models import count_multiply_adds as published_count
from pnas_search import Ledger, Request, load_benchmark
from pnas_searchspace import Cell, CellSpace
from pnas_tools._cell_costs import cell_costs, count_multiply_adds, counted_costs
from pnas_tools._child import ChildTrainer
from pnas_tools._config import PRESETS
from pnas_tools._errors import BadInput
from pnas_tools._prepare import prepare

QUICK = PRESETS["quick"]
COUNTS = ("params", "multiply-adds")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.create(tmp_path / "ledger.sqlite", config={}, provenance={}) as ledger:
        yield ledger


@pytest.mark.parametrize(
    "changes",
    [{}, {"n_filters": 6, "n_repeats": 2, "shrink_to": 4, "upsample_to": 7, "crop_to": 6, "n_blocks": 2}],
)
def test_counts_are_those_of_the_children_that_are_trained(ledger: Ledger, tmp_path: Path, changes: dict) -> None:
    config = dataclasses.replace(QUICK, n_epochs=1, train_images=10, validation_images=10, **changes)
    space = CellSpace()
    costs = cell_costs(config, space, COUNTS, ledger)
    prepare(config, tmp_path / "images.npz")
    train_child = ChildTrainer(config=config, data=tmp_path / "images.npz")()
    for size in range(1, config.n_blocks + 1):
        cells = space.sample(size, 2, 7)
        children = [train_child(Request(cell=cell, seed=0, parent=None)) for cell in space.to_cells(cells)]
        trained = [[child.measurements["n_parameters"], child.measurements["multiply_adds"]] for child in children]
        assert costs(cells).tolist() == trained


def test_costs_come_in_the_order_in_which_they_are_named(ledger: Ledger) -> None:
    config, space = dataclasses.replace(QUICK, n_blocks=1), CellSpace(("identity", "sep_conv_3x3"))
    cells = space.one_block_cells()
    costs = cell_costs(config, space, COUNTS, ledger)
    swapped = cell_costs(config, space, COUNTS[::-1], ledger)
    np.testing.assert_array_equal(costs(cells)[:, ::-1], swapped(cells))
    np.testing.assert_array_equal(costs.of(["multiply-adds"])(cells), swapped(cells)[:, :1])
    assert swapped.of(("params",)).names == ("params",)


def test_nothing_is_read_where_no_cost_is_asked_for(ledger: Ledger) -> None:
    config = dataclasses.replace(QUICK, dataset="/nowhere")
    assert cell_costs(config, CellSpace(), (), ledger)(CellSpace().one_block_cells()).shape == (136, 0)


@pytest.mark.parametrize("n_operations", [8, 3])
def test_a_benchmark_tells_what_its_cells_cost(ledger: Ledger, n_operations: int) -> None:
    benchmark = load_benchmark("micro-digits")
    config = dataclasses.replace(QUICK, evaluator="benchmark:micro-digits", dataset="/nowhere")
    space = CellSpace(benchmark.interpolator.space.operations[::-1][:n_operations])
    costs = cell_costs(config, space, COUNTS, ledger)
    for size in (1, 2, 3):
        cells = space.sample(size, 50, 0)
        expected = benchmark.interpolator.counts(space.to_cells(cells))
        np.testing.assert_array_equal(costs(cells), expected)


def test_a_benchmark_that_does_not_know_a_size_says_so(ledger: Ledger, tmp_path: Path) -> None:
    benchmark = load_benchmark("micro-digits")
    sizes = benchmark.interpolator.sizes.copy()
    sizes[2] = np.nan
    interpolator = dataclasses.replace(benchmark.interpolator, sizes=sizes)
    (tmp_path / "b.npz").write_bytes(dataclasses.replace(benchmark, interpolator=interpolator).to_bytes())
    config = dataclasses.replace(QUICK, evaluator=f"benchmark:{tmp_path / 'b.npz'}", n_blocks=2)
    assert cell_costs(config, CellSpace(), COUNTS, ledger).names == COUNTS
    with pytest.raises(BadInput, match="has too few cells of 3 blocks to tell what others cost: search among smaller"):
        cell_costs(dataclasses.replace(config, n_blocks=3), CellSpace(), COUNTS, ledger)


def test_a_benchmark_has_no_latency(ledger: Ledger) -> None:
    config = dataclasses.replace(QUICK, evaluator="benchmark:micro-digits")
    with pytest.raises(BadInput, match="benchmark:micro-digits makes none: leave it out, or leave out --evaluator"):
        cell_costs(config, CellSpace(), ("latency",), ledger)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What latency was measured of; every cell takes a millisecond and a half for each of its blocks."""
    calls: list[dict[str, Any]] = []

    def measure(space: CellSpace, n_blocks: int, make: Callable[..., Any], image: torch.Tensor, **how: Any) -> dict:
        calls.append({"network": make(space.to_cells(space.one_block_cells())[0]), "image": image, **how})
        n_features = 3 * len(space.operations) + 3
        return {"coefficients": [[0.0] * (n_features - 1) + [0.0015 * size] for size in range(1, n_blocks + 1)]}

    monkeypatch.setattr(pnas_tools._cell_costs, "measure_latency", measure)
    return calls


def test_latency_is_measured_once_and_read_back_from_the_ledger(ledger: Ledger, measured: list[dict[str, Any]]) -> None:
    config = dataclasses.replace(QUICK, threads_per_child=3, seed=5, crop_to=6)
    space = CellSpace()
    for _ in range(2):
        costs = cell_costs(config, space, ("params", "latency"), ledger)
        assert costs(space.sample(2, 4, 0))[:, 1].tolist() == [0.003] * 4
    (call,) = measured
    assert {name: call[name] for name in ("device", "n_threads", "seed")} == {
        "device": "cpu",
        "n_threads": 3,
        "seed": 5,
    }
    assert call["image"].shape == (1, 1, 6, 6)
    assert (call["network"].config["n_filters"], call["network"].config["in_channels"]) == (8, 1)
    assert ledger.fact("latency")["coefficients"][1][-1] == 0.003


def test_counts_that_do_not_follow_from_what_is_read_are_refused() -> None:
    def depth(cell: Cell) -> list[int]:
        return [1 + max(block.input_1 for block in cell) ** 2]

    def applied(cell: Cell) -> Sequence[int]:
        return [sum(10**7 for block in cell for name in (block.operation_1, block.operation_2) if name == "a")]

    space = CellSpace(("a", "b"))
    assert counted_costs(space, 3, applied)(space.sample(3, 5, 0)).shape == (5, 1)
    with pytest.raises(
        BadInput, match=r"must follow from what they read, which gives \[\d\] for .*, and it costs \[\d\]: leave"
    ):
        counted_costs(space, 3, depth)


def test_multiply_adds_are_counted_as_the_zoos_are() -> None:
    (cell,) = CellSpace().to_cells(CellSpace().sample(5, 1, 0))
    network = cifar_network(cell, n_filters=4, n_repeats=2, in_channels=2)
    assert count_multiply_adds(network, torch.zeros(1, 2, 9, 7)) == published_count(network, (9, 7))
