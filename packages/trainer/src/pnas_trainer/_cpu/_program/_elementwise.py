from collections.abc import Callable, Sequence
from functools import partial

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
        y.derive = self._write

    def forward(self, program: Program) -> None:
        """Nothing: whoever reads it writes it."""

    def backward(self, program: Program) -> None:
        into = self._x.new_memory()
        program.add_by_image(kernels().rectify_gradient, self.y.gradient, self.y.read(program), into)
        self._x.add_gradient(program, into)

    def _write(self, program: Program, into: Memory) -> None:
        if self._x.derive_rectified is not None and not program.has_derived(self._x):
            self._x.derive_rectified(program, into)
        else:
            program.add_by_image(kernels().rectify, self._x.read(program), into)


class Sum(Operation):
    """Of two values of one shape."""

    def __init__(self, a: Value, b: Value, y: Value) -> None:
        self._terms, self.y = (a, b), y

    def forward(self, program: Program) -> None:
        program.add_by_image(np.add, *(term.read(program) for term in self._terms), self.y.pixels)

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
        self._multiply(program, self._x.read(program), self.y.pixels)

    def backward(self, program: Program) -> None:
        assert self.y.gradient is not None
        into = self._x.new_memory()
        self._multiply(program, self.y.gradient, into)
        self._x.add_gradient(program, into)

    def _multiply(self, program: Program, x: Memory, y: Memory) -> None:
        factors = np.repeat(self._factors, self._x.channels * program.n_together, axis=1)
        program.add_by_image(np.multiply, self._x.rows(program, x), factors, self.y.rows(program, y))


class Concatenation(Operation):
    """Channels side by side."""

    def __init__(self, parts: Sequence[Value], y: Value) -> None:
        self._parts, self.y = parts, y

    def forward(self, program: Program) -> None:
        first = 0
        for part in self._parts:
            program.add_by_image(kernels().put_channels, part.read(program), self.y.pixels, first)
            first += part.channels

    def backward(self, program: Program) -> None:
        first = 0
        for part in self._parts:
            if part.needs_gradient:
                into = part.new_memory()
                program.add_by_image(kernels().take_channels, self.y.gradient, into, first)
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
        self._statistics = [Memory(x.channels) for _ in range(3)]
        y.derive = partial(self._write, kernels().normalize)
        y.derive_rectified = partial(self._write, kernels().normalize_and_rectify)

    def forward(self, program: Program) -> None:
        moments = [Memory(self._x.channels, dtype=np.float64) for _ in range(2)]
        n_pixels = self._x.pixels.shape[0]
        program.add_sum(kernels().add_moments, self._x.read(program), *moments, Memory(1, dtype=np.int64))
        weight = self.weights[0].parameter.detach().numpy()
        program.add(
            kernels().batch_norm_statistics,
            *moments,
            n_pixels,
            weight,
            *self._running,
            self._momentum,
            self._eps,
            *self._statistics,
        )

    def backward(self, program: Program) -> None:
        gradient, x = self.y.gradient, self._x.read(program)
        mean, inverse_std, _ = self._statistics
        weights, bias = self.weights
        sums = [Memory(self._x.channels, dtype=np.float64) for _ in range(2)]
        coefficients, into = Memory(4, self._x.channels), self._x.new_memory()
        program.add_sum(kernels().add_batch_norm_sums, gradient, x, mean, *sums)
        program.add(
            kernels().batch_norm_coefficients,
            *sums,
            x.shape[0],
            weights.parameter.detach().numpy(),
            mean,
            inverse_std,
            coefficients,
            weights.gradient.numpy(),
            bias.gradient.numpy(),
        )
        if self._x.needs_gradient:
            x = self._x.read(program)
            program.add_by_image(kernels().batch_norm_input_gradient, gradient, x, coefficients, into)
            self._x.add_gradient(program, into)

    def _write(self, kernel: Callable[..., None], program: Program, into: Memory) -> None:
        mean, _, scale = self._statistics
        bias = self.weights[1].parameter.detach().numpy()
        program.add_by_image(kernel, self._x.read(program), mean, scale, bias, into)
