import dataclasses

import numpy as np
import pytest

from pnas_search import LinearCosts
from pnas_searchspace import CellSpace
from pnas_tools._cell_costs import CellCosts
from pnas_tools._config import PRESETS
from pnas_tools._errors import BadInput
from pnas_tools._limits import allowed, check_limits, limits_of

SPACE = CellSpace(("conv", "pool"))
CELLS = SPACE.one_block_cells()


@pytest.fixture
def costs() -> CellCosts:
    """A conv has 100 parameters and takes 1 ms, a pool has none and takes 2 ms; 50 parameters come on top."""
    coefficients = np.array([[[100, 0] * 3 + [0, 0, 50], [0.001, 0.002] * 3 + [0, 0, 0]]])
    return CellCosts(names=("params", "latency"), linear=LinearCosts(space=SPACE, coefficients=coefficients))


def test_limits_are_what_a_config_sets() -> None:
    assert limits_of(PRESETS["quick"]) == {}
    config = dataclasses.replace(PRESETS["quick"], params_below=6e5, multiply_adds_below=2e7, latency_below=0.005)
    assert limits_of(config) == {"params": 6e5, "multiply-adds": 2e7, "latency": 0.005}


def test_what_is_below_a_limit_is_allowed_and_what_is_at_it_is_not(costs: CellCosts) -> None:
    n_convs = (CELLS[:, 0, 1::2] == 0).sum(axis=1)
    np.testing.assert_array_equal(allowed({"params": 150}, costs)(CELLS), n_convs < 1)
    np.testing.assert_array_equal(allowed({"params": 150.5}, costs)(CELLS), n_convs < 2)
    np.testing.assert_array_equal(allowed({"latency": 0.0031}, costs)(CELLS), n_convs > 0)
    np.testing.assert_array_equal(allowed({"latency": 0.0031, "params": 151}, costs)(CELLS), n_convs == 1)


def test_without_limits_all_is_allowed(costs: CellCosts) -> None:
    assert allowed({}, costs)(CELLS).tolist() == [True] * len(CELLS)
    check_limits({}, costs, SPACE)


def test_counts_are_compared_as_the_whole_numbers_they_are(costs: CellCosts) -> None:
    slightly_less = dataclasses.replace(costs.linear, coefficients=costs.linear.coefficients * (1 - 1e-12))
    costs = dataclasses.replace(costs, linear=slightly_less)
    assert not allowed({"params": 50}, costs)(CELLS).any()


def test_limits_that_no_cell_keeps_are_refused_with_the_least_that_there_is(costs: CellCosts) -> None:
    check_limits({"params": 51, "latency": 0.0041}, costs, SPACE)
    with pytest.raises(
        BadInput, match=r"--params-below 50 leaves no cell, because the least .* costs is 50: pass more"
    ):
        check_limits({"params": 50, "latency": 0.0001}, costs, SPACE)
    with pytest.raises(
        BadInput, match=r"--latency-below 0.1ms leaves no cell, because the least .* costs is 2ms: pass"
    ):
        check_limits({"latency": 0.0001}, costs, SPACE)
    with pytest.raises(
        BadInput, match="no cell of one block keeps --params-below 51 and --latency-below 4ms at once: pass"
    ):
        check_limits({"params": 51, "latency": 0.004}, costs, SPACE)
