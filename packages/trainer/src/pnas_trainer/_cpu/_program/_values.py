import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from pnas_trainer._cpu._program._layout import Memory, View
from pnas_trainer._cpu._program._program import Program


class NotRecordableError(Exception):
    """A model does something that no program is written for; PyTorch computes it then."""


class Value:
    """What is computed on the way: images `(N, C, H, W)`, which lie in memory as `channels_last`, or vectors `(N, C)`.

    Some images may lie side by side, pixel by pixel: see `Program`. `pixels` is the memory `(M, C)`; `gradient`, of the
    same shape, is there once all who read the value have added to it.
    """

    def __init__(self, shape: tuple[int, ...], *, needs_gradient: bool) -> None:
        self.shape = shape
        self.channels = shape[1]
        self.needs_gradient = needs_gradient
        self.pixels = self.new_memory()
        self.gradient: Memory | None = None

    def new_memory(self) -> Memory:
        """For as many numbers."""
        return Memory(math.prod(self.shape) // self.channels, self.channels)

    def rows(self, program: Program, memory: Memory) -> View:
        """A memory of the value's size as rows `(N / G, H, W * G * C)`, with the program's `G` images side by side."""
        n_images, channels, height, width = self.shape
        together = program.n_together
        return memory.shaped(n_images // together, height, width * together * channels)

    def add_gradient(self, program: Program, memory: Memory) -> None:
        """One more contribution, which nobody may change after this: it may be the gradient of other values, too."""
        if self.gradient is None:
            self.gradient = memory
            return
        total = self.new_memory()
        program.add(np.add, self.gradient, memory, total)
        self.gradient = total


@dataclass(frozen=True)
class Axis:
    """Rows or columns that are taken out of those of some images: `first`, `first + step`, and so on, `size` of them.

    Those outside `[low, high)` are padding.
    """

    first: int
    step: int
    size: int
    low: int
    high: int

    @classmethod
    def whole(cls, size: int) -> Self:
        return cls(0, 1, size, 0, size)

    def padded(self, before: int, after: int) -> Self:
        low, high = self._seen()
        return type(self)(self.first - before * self.step, self.step, self.size + before + after, low, high)

    def sliced(self, taken: slice) -> Self:
        start, stop, step = taken.indices(self.size)
        low, high = self._seen()
        return type(self)(self.first + start * self.step, self.step * step, len(range(start, stop, step)), low, high)

    def sight(self, length: int, n_taps: int, stride: int, dilation: int) -> "Sight":
        """What taps see, of images that are `length` along this axis.

        Raises:
            NotRecordableError: nothing, or padding within the images.
        """
        n_outputs = (self.size - dilation * (n_taps - 1) - 1) // stride + 1
        sight = Sight(n_taps, n_outputs, self.first, stride * self.step, dilation * self.step)
        seen = {sight.first + sight.stride * h + sight.dilation * i for h in range(n_outputs) for i in range(n_taps)}
        if n_outputs < 1 or any(0 <= place < length and not self.low <= place < self.high for place in seen):
            raise NotRecordableError("padding within an image")
        return sight

    def _seen(self) -> tuple[int, int]:
        """From where to where the images are seen through it."""
        return max(self.low, self.first), min(self.high, self.first + self.step * (self.size - 1) + 1)


@dataclass(frozen=True)
class Sight:
    """Which pixels of an axis the taps of a window see: output `h` and tap `i` see `first + stride * h + dilation * i`.

    What lies outside the images was padding.
    """

    n_taps: int
    n_outputs: int
    first: int
    stride: int
    dilation: int


@dataclass(frozen=True)
class Window:
    """A part of images with padding around it or none, that is not copied before somebody reads it."""

    of: Value
    rows: Axis
    columns: Axis
    padding: float | None = None

    @classmethod
    def whole(cls, value: Value) -> Self:
        return cls(value, Axis.whole(value.shape[2]), Axis.whole(value.shape[3]))

    def padded(self, rows: tuple[int, int], columns: tuple[int, int], number: float) -> Self:
        """With that number around it.

        Raises:
            NotRecordableError: there is another one already.
        """
        if not any((*rows, *columns)):
            return self
        if self.padding not in (None, number):
            raise NotRecordableError("padding with two numbers")
        return type(self)(self.of, self.rows.padded(*rows), self.columns.padded(*columns), number)

    def sliced(self, rows: slice, columns: slice) -> Self:
        return type(self)(self.of, self.rows.sliced(rows), self.columns.sliced(columns), self.padding)

    def sights(
        self,
        kernel: tuple[int, int],
        strides: tuple[int, int],
        padding: tuple[int, int],
        dilations: tuple[int, int],
        number: float,
    ) -> tuple[Sight, Sight]:
        """What the taps of a convolution or a pool see along rows and columns, which itself pads with `number`.

        Raises:
            NotRecordableError: they see padding within the images, or other padding.
        """
        padded = self.padded((padding[0], padding[0]), (padding[1], padding[1]), number)
        if padded.padding not in (None, number):
            raise NotRecordableError("padding with another number")
        height, width = self.of.shape[2:]
        return (
            padded.rows.sight(height, kernel[0], strides[0], dilations[0]),
            padded.columns.sight(width, kernel[1], strides[1], dilations[1]),
        )


def windows(rows: Sight, columns: Sight) -> tuple[int, ...]:
    """As the kernels take them."""
    pairs = zip(vars(rows).values(), vars(columns).values(), strict=True)
    return tuple(number for pair in pairs for number in pair)


class Weights:
    """A parameter, and where the program leaves its gradient."""

    def __init__(self, parameter: Tensor, gradient: Tensor) -> None:
        self.parameter = parameter
        self.gradient = gradient


class Gradients:
    """Of the parameters of a model that are trained and of float32, side by side in one vector; each has its part."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self._parameters = [x for x in parameters if x.requires_grad and x.dtype == torch.float32]
        sizes = [parameter.numel() for parameter in self._parameters]
        self._vector = torch.zeros(sum(sizes), dtype=torch.float32)  # whatever the default is
        self._parts = [
            part.as_strided(parameter.shape, torch.empty_like(parameter, device="meta").stride())
            for part, parameter in zip(self._vector.split(sizes), self._parameters, strict=True)
        ]
        self._by_id = dict(zip(map(id, self._parameters), self._parts, strict=True))

    def of(self, tensor: Any) -> Tensor | None:
        """A parameter's part."""
        return self._by_id.get(id(tensor))

    def of_all(self, parameters: Sequence[Tensor]) -> Tensor | None:
        """The vector, where it has the gradients of just these parameters, and each is its part."""
        are_these = len(parameters) == len(self._parts) and all(map(operator.is_, parameters, self._parameters))
        are_there = all(x.grad is part for x, part in zip(self._parameters, self._parts, strict=True))
        return self._vector if are_these and are_there else None
