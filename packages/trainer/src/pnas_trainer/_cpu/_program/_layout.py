import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64


class Memory:
    """An array that a program uses from one of its steps to another, before which and after which others may.

    Attributes:
        by_image: whether its first axis goes along the images of a batch.
        held: how far along the first axis it has a place at a time.
    """

    def __init__(self, *shape: int, dtype: type[np.generic] = np.float32, by_image: bool = False) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.by_image = by_image
        self.held = shape[0]
        self.first: int | None = None
        self.last = 0
        self.array: NDArray[Any]

    @property
    def n_bytes(self) -> int:
        """That it has a place for."""
        return self.held * math.prod(self.shape[1:]) * self.dtype.itemsize

    def used_at(self, step: int) -> None:
        """In any order."""
        self.first = step if self.first is None else min(self.first, step)
        self.last = max(self.last, step)

    def shaped(self, *shape: int) -> "View":
        """The same numbers as an array of another shape."""
        return View(self, shape)

    @property
    def transposed(self) -> "View":
        """The same numbers, `(C, M)` of `(M, C)`."""
        return View(self, self.shape, is_transposed=True)

    def part(self, part: "Part") -> NDArray[Any]:
        """Of some images, where it is by image, and else all of it."""
        if not self.by_image:
            return self.array
        by_row = self.shape[0] // part.of
        begin = part.begin * by_row if self.held == self.shape[0] else 0
        array: NDArray[Any] = self.array[begin : begin + len(part) * by_row]
        return array


@dataclass(frozen=True)
class View:
    """How a step gets to see a memory."""

    memory: Memory
    shape: tuple[int, ...]
    is_transposed: bool = False


@dataclass(frozen=True)
class Part:
    """Some of a batch's images: rows `[begin, end)` of `of`, where a row is as many images as lie side by side."""

    begin: int
    end: int
    of: int

    def __len__(self) -> int:
        return self.end - self.begin

    def bound(self, argument: Any) -> Any:
        """What a function gets for an argument of a step."""
        if isinstance(argument, Memory):
            return argument.part(self)
        if not isinstance(argument, View):
            return argument
        rows = argument.shape[0] * len(self) // self.of if argument.memory.by_image else argument.shape[0]
        array = argument.memory.part(self).reshape(rows, *argument.shape[1:])
        return array.T if argument.is_transposed else array


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
        numbers = piece[offset + begin : offset + end].view(memory.dtype)
        memory.array = numbers.reshape(memory.held, *memory.shape[1:])
