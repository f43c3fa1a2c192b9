import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_searchspace._errors import SearchSpaceError


def as_integer(value: Any) -> int | None:
    """The integer that a value is, or None; a truth value is none, though it is one for Python and was for NumPy."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def checked_count(name: str, value: SupportsIndex, minimum: int) -> int:
    """The number as a plain integer, or a `SearchSpaceError` that names it."""
    number = as_integer(value)
    if number is None or number < minimum:
        raise SearchSpaceError(f"{name} must be an integer of {minimum} or more, not {value!r}")
    return number


def checked_integers(what: str, array: ArrayLike, shape: Sequence[int | str]) -> NDArray[np.int64]:
    """The array as int64, or a `SearchSpaceError`; a number in `shape` must be that number, a text can be any."""
    given = np.asarray(array)
    fits = len(shape) == given.ndim and all(
        isinstance(want, str) or want == size for want, size in zip(shape, given.shape, strict=True)
    )
    if not fits or not np.issubdtype(given.dtype, np.integer):
        raise SearchSpaceError(
            f"{what} must be integers of shape ({', '.join(map(str, shape))}), not {given.dtype} of shape {given.shape}"
        )
    return given.astype(np.int64, copy=False)


def check_cells(cells: NDArray[np.int64], n_cell_inputs: int, n_operations: int, what: str = "cell") -> None:
    """Refuse an array `(N, n_blocks, 4)` that holds something else than cells, with a sentence that names the block."""
    if cells.shape[1] == 0:
        raise SearchSpaceError("a cell needs at least one block, and these have none")
    earlier = np.arange(cells.shape[1])[:, None]
    inputs, operations = cells[:, :, 0::2], cells[:, :, 1::2]
    valid = (inputs >= -n_cell_inputs) & (inputs < earlier) & (operations >= 0) & (operations < n_operations)
    if not valid.all():
        row, block, _ = np.argwhere(~valid)[0]
        raise SearchSpaceError(
            f"{what} {row}, block {block} is {cells[row, block].tolist()}; expected inputs from {-n_cell_inputs} "
            f"to {block - 1} and operations from 0 to {n_operations - 1}"
        )
