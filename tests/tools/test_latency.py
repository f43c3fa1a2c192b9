import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pnas_tools._latency
from pnas_search import LinearCosts
from pnas_searchspace import Cell, CellSpace
from pnas_tools._latency import _non_negative, measure_latency

SPACE = CellSpace(("slow", "fast"))
SECONDS = {"slow": 0.001, "fast": 0.0002}


class Clock:
    """Goes on only while a network computes."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Network(nn.Module):
    """Takes what its cell's operations take, twenty milliseconds more when called first, and so at every third call."""

    def __init__(self, cell: Cell, clock: Clock) -> None:
        super().__init__()
        self.cell = cell
        self.clock = clock
        self.calls: list[dict[str, Any]] = []

    def forward(self, images: Tensor) -> Tensor:
        names = [name for block in self.cell for name in (block.operation_1, block.operation_2)]
        self.clock.seconds += sum(SECONDS[name] for name in names) + 0.02 * (len(self.calls) % 3 == 0)
        how = {"shape": tuple(images.shape), "training": self.training, "threads": torch.get_num_threads()}
        self.calls.append(how | {"grad": torch.is_grad_enabled()})
        return images


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pnas_tools._latency, "perf_counter", clock)
    return clock


def measure(make: Any, n_blocks: int = 2, space: CellSpace = SPACE, n_threads: int = 2) -> dict[str, Any]:
    image = torch.zeros(1, 3, 4, 5)
    return measure_latency(space, n_blocks, make, image, device="cpu", n_threads=n_threads, seed=0)


def test_what_was_measured_tells_of_all_cells_though_the_machine_was_busy_at_times(clock: Clock) -> None:
    found = json.loads(json.dumps(measure(lambda cell: Network(cell, clock))))
    costs = LinearCosts(space=SPACE, coefficients=np.array(found["coefficients"])[:, None])
    cells = SPACE.sample(2, 30, 1)
    expected = np.where(cells[:, :, 1::2] == 0, SECONDS["slow"], SECONDS["fast"]).sum(axis=(1, 2))
    np.testing.assert_allclose(costs(cells)[:, 0], expected)
    assert found["n_fitted"] >= 11
    assert found["n_held_out"] > 2
    assert found["median_relative_error"] < 1e-9
    assert found["rank_correlation"] > 0.9  # equal ones are told apart by rounding
    assert (found["device"], found["n_threads"], found["batch_size"], found["image"]) == ("cpu", 2, 1, [3, 4, 5])


def test_how_wrong_it_is_shows_on_cells_that_it_was_not_fitted_to(clock: Clock) -> None:
    """Here a cell takes as long as its key says, which does not follow from what it reads."""

    class Arbitrary(Network):
        def forward(self, images: Tensor) -> Tensor:
            self.clock.seconds += 0.001 * (1 + sum(map(ord, self.cell.key)) % 7)
            return images

    found = measure(lambda cell: Arbitrary(cell, clock))
    assert found["median_relative_error"] > 0.05
    assert found["rank_correlation"] < 0.9


def test_networks_are_measured_as_they_are_used(clock: Clock) -> None:
    made: list[Network] = []

    def make(cell: Cell) -> Network:
        made.append(Network(cell, clock))
        return made[-1]

    before = torch.get_num_threads()
    measure(make, n_blocks=1, n_threads=before + 1)
    expected = {"shape": (1, 3, 4, 5), "training": False, "threads": before + 1, "grad": False}
    assert all(how == expected for network in made for how in network.calls)
    assert torch.get_num_threads() == before
    assert len({network.cell.key for network in made}) == len(made)


def test_networks_that_take_long_are_measured_less_often(clock: Clock) -> None:
    class Slow(Network):
        def forward(self, images: Tensor) -> Tensor:
            self.clock.seconds += 60
            return super().forward(images)

    n_calls = []
    for kind in (Network, Slow):
        made: list[Network] = []
        measure(lambda cell: made.append(kind(cell, clock)) or made[-1], n_blocks=1)  # noqa: B023  # called at once
        n_calls.append({len(network.calls) for network in made})
    assert n_calls == [{32}, {8}]


def test_no_cell_is_told_to_take_less_than_nothing() -> None:
    X, y = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([3.0, 1.0])  # solved by 3 and -2
    solution = _non_negative(X, y)
    assert solution[1] == 0
    assert 1 < solution[0] < 3


def test_errors_count_in_proportion_to_what_is_measured() -> None:
    """Of one number for two measurements, the best in proportion is nearer to the smaller one."""
    (number,) = _non_negative(np.ones((2, 1)), np.array([1.0, 3.0]))
    assert number == pytest.approx((1 + 1 / 3) / (1 + 1 / 9))


def test_where_every_cell_is_needed_none_is_left_to_tell_how_good_it_is(clock: Clock) -> None:
    found = measure(lambda cell: Network(cell, clock), n_blocks=1, space=CellSpace(("fast",)))
    assert found["n_held_out"] == 0
    assert found["median_relative_error"] is None
    assert found["rank_correlation"] is None
