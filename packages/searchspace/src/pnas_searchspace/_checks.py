import operator
import reprlib
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_searchspace._errors import SearchSpaceError

LARGEST_INPUT = 10**9 - 1
"""How far back the inputs of a cell go at most."""

LARGEST_SAMPLE = 10**12
"""How many cells can be drawn at once, if there is memory for them."""

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 80


def as_integer(value: Any) -> int | None:
    """The integer that a value is, or None; a truth value is none, though it is one for Python and was for NumPy."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def checked_count(name: str, value: SupportsIndex, minimum: int, maximum: int | None = None) -> int:
    """The number as a plain integer, or a `SearchSpaceError` that names it."""
    number = as_integer(value)
    if number is None or number < minimum or (maximum is not None and number > maximum):
        expected = f"of {minimum} or more" if maximum is None else f"from {minimum} to {maximum}"
        raise SearchSpaceError(f"{name} must be an integer {expected}, not {short(value)}")
    return number


def checked_generator(rng: np.random.Generator | int | None) -> np.random.Generator:
    """What `numpy.random.default_rng` makes of `rng`, or a `SearchSpaceError`."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise SearchSpaceError(
            f"rng must be a numpy.random.Generator, a seed of 0 or more, or None, not {short(rng)}"
        ) from error


def short(value: object) -> str:
    """The value as it is written, on one line, without the middle where that is long."""
    try:
        return " ".join(_REPR.repr(value).split())
    except ValueError:  # Python does not write integers of thousands of digits
        return f"a very large {type(value).__name__}"


def checked_integers(what: str, array: ArrayLike, shape: Sequence[int | str]) -> NDArray[np.int64]:
    """The array as int64, or a `SearchSpaceError`; a number in `shape` must be that number, a text can be any."""
    try:
        given = np.asarray(array)
    except ValueError as error:  # lists of different lengths
        raise SearchSpaceError(f"{what} must be integers of shape ({', '.join(map(str, shape))}): {error}") from error
    fits = len(shape) == given.ndim and all(
        isinstance(want, str) or want == size for want, size in zip(shape, given.shape, strict=True)
    )
    if not fits or given.dtype.kind not in "iu":
        raise SearchSpaceError(
            f"{what} must be integers of shape ({', '.join(map(str, shape))}), not {given.dtype} of shape {given.shape}"
        )
    integers = given.astype(np.int64, copy=False)
    if given.dtype.kind == "u" and (integers < 0).any():
        raise SearchSpaceError(f"{what} must be integers that 64 bits with a sign hold, not {given.max()}")
    return integers


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
