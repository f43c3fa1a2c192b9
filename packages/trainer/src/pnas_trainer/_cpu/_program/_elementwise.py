from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pnas_trainer._cpu._arrays import kernels
from pnas_trainer._cpu._program._layout import Memory
from pnas_trainer._cpu._program._operation import Operation
from pnas_trainer._cpu._program._program import Program
from pnas_trainer._cpu._program._values import Value, Weights


class Rectify(Operation):
    """ReLU."""

    def __init__(self, x: Value, y: Value) -> None:
        self._x, self.y = x, y

    def forward(self, program: Program) -> None:
        program.add(kernels().rectify, self._x.pixels, self.y.pixels)

    def backward(self, program: Program) -> None:
        into = self._x.new_memory()
        program.add(kernels().rectify_gradient, self.y.gradient, self.y.pixels, into)
        self._x.add_gradient(program, into)


class Sum(Operation):
    """Of two values of one shape."""

    def __init__(self, a: Value, b: Value, y: Value) -> None:
        self._terms, self.y = (a, b), y

    def forward(self, program: Program) -> None:
        program.add(np.add, *(term.pixels for term in self._terms), self.y.pixels)

    def backward(self, program: Program) -> None:
        assert self.y.gradient is not None
        for term in self._terms:
            if term.needs_gradient:
                term.add_gradient(program, self.y.gradient)


class Scale(Operation):
    """Images times numbers that do not change, `(H, W)`, the same for all channels."""

    def __init__(self, x: Value, factors: NDArray[np.float32], y: Value) -> None:
        self._x, self.y = x, y
        self._factors = np.broadcast_to(factors, x.shape[2:])

    def forward(self, program: Program) -> None:
        self._multiply(program, self._x.pixels, self.y.pixels)

    def backward(self, program: Program) -> None:
        assert self.y.gradient is not None
        into = self._x.new_memory()
        self._multiply(program, self.y.gradient, into)
        self._x.add_gradient(program, into)

    def _multiply(self, program: Program, x: Memory, y: Memory) -> None:
        factors = np.repeat(self._factors, self._x.channels * program.n_together, axis=1)
        program.add(np.multiply, self._x.rows(program, x), factors, self.y.rows(program, y))


class Concatenation(Operation):
    """Channels side by side."""

    def __init__(self, parts: Sequence[Value], y: Value) -> None:
        self._parts, self.y = parts, y

    def forward(self, program: Program) -> None:
        first = 0
        for part in self._parts:
            program.add(kernels().put_channels, part.pixels, self.y.pixels, first)
            first += part.channels

    def backward(self, program: Program) -> None:
        first = 0
        for part in self._parts:
            if part.needs_gradient:
                into = part.new_memory()
                program.add(kernels().take_channels, self.y.gradient, into, first)
                part.add_gradient(program, into)
            first += part.channels


class BatchNorm(Operation):
    """Batch normalization in training mode."""

    def __init__(
        self,
        x: Value,
        weights: Weights,
        bias: Weights,
        running: Sequence[NDArray[np.float32]],
        momentum: float,
        eps: float,
        y: Value,
    ) -> None:
        self._x, self.weights, self.y = x, (weights, bias), y
        self._running, self._momentum, self._eps = running, momentum, eps
        self._statistics = Memory(x.channels), Memory(x.channels)

    def forward(self, program: Program) -> None:
        vectors = (weights.parameter.detach().numpy() for weights in self.weights)
        program.add(
            kernels().batch_norm,
            self._x.pixels,
            *vectors,
            *self._running,
            self._momentum,
            self._eps,
            self.y.pixels,
            *self._statistics,
        )

    def backward(self, program: Program) -> None:
        coefficients, into = Memory(4, self._x.channels), self._x.new_memory()
        weights, bias = self.weights
        program.add(
            kernels().batch_norm_gradients,
            self.y.gradient,
            self._x.pixels,
            weights.parameter.detach().numpy(),
            *self._statistics,
            coefficients,
            weights.gradient.numpy(),
            bias.gradient.numpy(),
        )
        if self._x.needs_gradient:
            program.add(kernels().batch_norm_input_gradient, self.y.gradient, self._x.pixels, coefficients, into)
            self._x.add_gradient(program, into)
