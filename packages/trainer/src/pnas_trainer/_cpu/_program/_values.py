import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pnas_trainer._cpu._program._layout import Memory, View
from pnas_trainer._cpu._program._program import Program


class Value:
    """What is computed on the way: images `(N, C, H, W)`, which lie in memory as `channels_last`, or vectors `(N, C)`.

    Some images may lie side by side, pixel by pixel: see `Program`.

    Attributes:
        pixels: a memory `(M, C)` for it.
        gradient: of the same shape; it is there once all who read the value have added to it.
        derive: adds the calls that write it into a memory, where that costs little.
        derive_rectified: the same for its ReLU, where that costs no more.
    """

    def __init__(self, shape: tuple[int, ...], *, needs_gradient: bool) -> None:
        self.shape = shape
        self.channels = shape[1]
        self.needs_gradient = needs_gradient
        self.pixels = self.new_memory()
        self.gradient: Memory | None = None
        self.derive: Callable[[Program, Memory], None] | None = None
        self.derive_rectified: Callable[[Program, Memory], None] | None = None

    def new_memory(self) -> Memory:
        """For as many numbers."""
        return Memory(math.prod(self.shape) // self.channels, self.channels, by_image=True)

    def read(self, program: Program) -> Memory:
        """Where its numbers are, for a call that is added next."""
        derive = self.derive
        return self.pixels if derive is None else program.derived(self, self.pixels, lambda into: derive(program, into))

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
        program.add_by_image(np.add, self.gradient, memory, total)
        self.gradient = total


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
