from collections.abc import Sequence
from typing import Any

Pair = tuple[int, int]


def pair(value: Any) -> Pair | None:
    """A setting of both dimensions; None for a form that is left to PyTorch to understand."""
    values = (value, value) if isinstance(value, int) else value
    if not isinstance(values, (tuple, list)) or len(values) != 2 or not all(isinstance(x, int) for x in values):
        return None
    return values[0], values[1]


def paddings(padding: int | Sequence[int] | str, kernel: Pair, strides: Pair, dilations: Pair) -> Pair | None:
    """On both sides of the rows and of the columns; None where it is not the same on both, or PyTorch refuses it."""
    if padding == "valid":
        return 0, 0
    if isinstance(padding, str):
        totals = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
        is_even = all(total % 2 == 0 for total in totals)
        return (totals[0] // 2, totals[1] // 2) if is_even and strides == (1, 1) else None
    return pair(padding)
