"""How long the networks of cells take: measured of some, and from these told of all others."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pnas_search import LinearCosts
from pnas_searchspace import Cell, CellSpace

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH_SIZE = 1
_N_FITTED, _N_HELD_OUT = 12, 8
_N_ROUNDS, _N_WARM_UPS, _N_REPEATS = 8, 1, 3
_LEAST_ROUNDS, _MOST_SECONDS = 2, 60
_QUANTILE = 0.25
"""Of what a network takes: below the median, since whatever else a machine does makes it longer, never shorter."""


def measure_latency(
    space: CellSpace,
    n_blocks: int,
    make_network: Callable[[Cell], "nn.Module"],
    image: "Tensor",
    *,
    device: str,
    n_threads: int,
    seed: int,
) -> dict[str, Any]:
    """The seconds that networks take for an image, as a function of cells, as JSON can hold it.

    Networks are measured in evaluation mode, in float32 and in the layout that children are trained in. Some of every
    size are what a function is fitted to that is linear in `read_features` and falls in none of them; others of every
    size tell how wrong it is.

    Args:
        space: of the cells.
        n_blocks: of the largest cells.
        make_network: the network of a cell.
        image: as it sees them, `(1, C, H, W)`.
        device: that computes.
        n_threads: of the CPU.
        seed: of which cells are measured.

    Returns:
        `coefficients`, `(n_blocks, n_features)`, those of `LinearCosts`; `n_fitted` and `n_held_out` cells, and
        `median_relative_error` and `rank_correlation` (Spearman's) on the latter, None where there are too few; and
        how it was measured.
    """
    fitted, held_out = _measured_cells(space, n_blocks, seed)
    networks = [make_network(cell) for cell in fitted + held_out]
    with _threads(n_threads):
        seconds = np.array(_seconds(networks, image, device))
    costs = LinearCosts.fit(space, fitted, seconds[: len(fitted), None], solver=_non_negative)
    told = np.array([costs(space.to_array([cell]))[0, 0] for cell in held_out])
    return {
        "coefficients": costs.coefficients[:, 0].tolist(),
        "n_fitted": len(fitted),
        "n_held_out": len(held_out),
        **_quality(told, seconds[len(fitted) :]),
        "batch_size": BATCH_SIZE,
        "image": list(image.shape[1:]),
        "device": device,
        "n_threads": n_threads,
    }


def _measured_cells(space: CellSpace, n_blocks: int, seed: int) -> tuple[list[Cell], list[Cell]]:
    """Different cells of all sizes to fit to, from which costs follow, and to tell how good that is."""
    rng = np.random.default_rng(seed)
    fitted = dict.fromkeys(LinearCosts.spanning_cells(space, n_blocks))
    held_out: dict[Cell, None] = {}
    for size in range(1, n_blocks + 1):
        draws = space.to_cells(space.sample(size, _N_FITTED + _N_HELD_OUT, rng))
        fitted |= dict.fromkeys(draws[:_N_FITTED])
        held_out |= dict.fromkeys(draws[_N_FITTED:])
    return list(fitted), [cell for cell in held_out if cell not in fitted]


def _quality(told: NDArray[np.float64], measured: NDArray[np.float64]) -> dict[str, float | None]:
    from scipy.stats import spearmanr

    error, correlation = None, None
    if len(measured):
        error = float(np.median(np.abs(told - measured) / measured))
    if min(len(set(told)), len(set(measured))) > 2:
        correlation = float(spearmanr(told, measured).statistic)
    return {"median_relative_error": error, "rank_correlation": correlation}


def _seconds(networks: Sequence["nn.Module"], image: "Tensor", device: str) -> list[float]:
    """What each takes, measured in rounds over all, so that a load of some seconds falls on none of them alone."""
    import torch

    channels_last: Any = torch.channels_last
    ready = [network.eval().to(device).to(memory_format=channels_last) for network in networks]
    batch = image.expand(BATCH_SIZE, -1, -1, -1).to(device).to(memory_format=channels_last)
    times: list[list[float]] = [[] for _ in ready]
    end = perf_counter() + _MOST_SECONDS
    with torch.inference_mode():
        for n_done in range(_N_ROUNDS):
            if n_done >= _LEAST_ROUNDS and perf_counter() > end:
                break
            for network, of_network in zip(ready, times, strict=True):
                for _ in range(_N_WARM_UPS):
                    network(batch)
                of_network.extend(_timed(network, batch) for _ in range(_N_REPEATS))
    seconds: list[float] = np.quantile(times, _QUANTILE, axis=1).tolist()
    return seconds


def _timed(network: "nn.Module", batch: "Tensor") -> float:
    _wait_for(batch)
    begin = perf_counter()
    network(batch)
    _wait_for(batch)
    return perf_counter() - begin


def _wait_for(batch: "Tensor") -> None:
    """Wait until the device of a tensor has done all that it was given."""
    import torch

    if batch.is_cuda:
        torch.cuda.synchronize(batch.device)


@contextmanager
def _threads(n_threads: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _non_negative(X: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The solution without negative numbers whose relative errors are the smallest."""
    from scipy.optimize import nnls

    solution: NDArray[np.float64] = nnls(X / y[:, None], np.ones(len(y)))[0]
    return solution
