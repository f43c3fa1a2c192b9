import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64


class Memory:
    """An array that a program uses from one of its steps to another, before which and after which others may."""

    def __init__(self, *shape: int, dtype: type[np.generic] = np.float32) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.n_bytes = math.prod(shape) * self.dtype.itemsize
        self.first: int | None = None
        self.last = 0
        self.array: NDArray[Any]

    def used_at(self, step: int) -> None:
        """Steps come in order."""
        self.first = step if self.first is None else self.first
        self.last = max(self.last, step)

    def shaped(self, *shape: int) -> "View":
        """The same numbers as an array of another shape."""
        return View(self, shape)

    @property
    def transposed(self) -> "View":
        """The same numbers, `(C, M)` of `(M, C)`."""
        return View(self, self.shape, is_transposed=True)


@dataclass(frozen=True)
class View:
    """How a step gets to see a memory."""

    memory: Memory
    shape: tuple[int, ...]
    is_transposed: bool = False


def place(memories: Iterable[Memory]) -> None:
    """Give memories their arrays, out of one piece that is as small as first fit makes it."""
    ordered = sorted(memories, key=lambda memory: memory.first or 0)
    placed: list[tuple[int, int, Memory]] = []  # begin and end in bytes of those in use, by place
    begins, total = [], 0
    for memory in ordered:
        placed = [entry for entry in placed if entry[2].last >= (memory.first or 0)]
        n_bytes = -(-memory.n_bytes // _ALIGNMENT) * _ALIGNMENT
        begin, index = 0, 0
        for index, (other_begin, other_end, _) in enumerate(placed):  # noqa: B007
            if other_begin - begin >= n_bytes:
                break
            begin = other_end
        else:
            index = len(placed)
        placed.insert(index, (begin, begin + n_bytes, memory))
        begins.append(begin)
        total = max(total, begin + n_bytes)
    piece = np.empty(total + _ALIGNMENT, np.uint8)
    offset = -piece.ctypes.data % _ALIGNMENT
    for memory, begin in zip(ordered, begins, strict=True):
        end = begin + memory.n_bytes
        memory.array = piece[offset + begin : offset + end].view(memory.dtype).reshape(memory.shape)
