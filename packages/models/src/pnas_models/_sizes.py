from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import torch

from pnas_models._checks import checked_positive
from pnas_models._cifar import cifar_network
from pnas_models._counting import count_parameters

_DIVISOR = 4


def cifar_sizes(
    cell: Sequence[Sequence[object]],
    n_parameters: int = 3_000_000,
    n_repeats: Sequence[int] = (2, 3, 4, 5, 6),
    **settings: Any,
) -> dict[int, int]:
    """Sizes of the paper's CIFAR network of a cell that come nearest to a number of parameters (section 5.4).

    Args:
        cell: as `cifar_network` takes it.
        n_parameters: to come near to, an auxiliary head apart.
        n_repeats: values of N, the cells in a stage.
        **settings: of `cifar_network`, such as num_classes.

    Returns:
        For every N, the number of filters F, a multiple of 4.

    Raises:
        ModelError: as `cifar_network`, or a number is not positive.
    """
    checked_positive(n_parameters=n_parameters)
    return {n: _n_filters(cell, n_parameters, n, settings) for n in n_repeats}


def _n_filters(cell: Sequence[Sequence[object]], n_parameters: int, n_repeats: int, settings: dict[str, Any]) -> int:
    def size(quarter: int) -> int:
        with torch.device("meta"):
            return count_parameters(cifar_network(cell, _DIVISOR * quarter, n_repeats, **settings))

    # A convolution of F channels to F has F squared of them at least, so this is enough.
    above = bisect_left(range(1, n_parameters + 2), n_parameters, key=size, hi=max(2, int(n_parameters**0.5))) + 1
    return _DIVISOR * min(
        (q for q in (above - 1, above) if q > 0), key=lambda quarter: abs(size(quarter) - n_parameters)
    )
