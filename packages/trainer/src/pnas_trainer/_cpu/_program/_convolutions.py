import math

import numpy as np
import torch
from torch import Tensor

from pnas_trainer._cpu._arrays import kernels
from pnas_trainer._cpu._program._layout import Memory
from pnas_trainer._cpu._program._operation import Operation
from pnas_trainer._cpu._program._products import Array, added_product, product
from pnas_trainer._cpu._program._program import Program
from pnas_trainer._cpu._program._values import Value, Weights
from pnas_trainer._windows import NotRecordableError, Sight, windows


class Convolution(Operation):
    """Of all channels with all, as a product of matrices."""

    def __init__(self, x: Value, weights: Weights, rows: Sight, columns: Sight, y: Value) -> None:
        self._x, self.weights, self.y = x, (weights,), y
        self._windows = windows(rows, columns)
        n_taps = rows.n_taps * columns.n_taps
        self._is_product = n_taps == 1 and x.shape[2:] == y.shape[2:] and self._windows[4:8] == (0, 0, 1, 1)
        n_pixels = math.prod(y.shape) // y.channels
        self._columns = Memory(n_pixels, n_taps * x.channels, by_image=True)
        self._matrix, self._matrix_gradient = map(_matrix, (weights.parameter.detach(), weights.gradient))

    def forward(self, program: Program) -> None:
        program.add_by_image(product(), self._seen(program), self._matrix.T, self.y.pixels)

    def backward(self, program: Program) -> None:
        gradient = self.y.gradient
        assert gradient is not None  # the program asks for this where there is one
        spare = Memory(*self._matrix.shape)
        program.add_sum(added_product(), gradient.transposed, self._seen(program), self._matrix_gradient, spare)
        if self._x.needs_gradient:
            columns = Memory(*self._columns.shape, by_image=True)
            program.add_by_image(product(), gradient, self._matrix, columns)
            if not self._is_product:
                into = self._x.new_memory()
                program.add_by_image(kernels().fold, columns, self._x.rows(program, into), self._windows)
                columns = into
            self._x.add_gradient(program, columns)

    def _seen(self, program: Program) -> Memory:
        """What each output sees, side by side: `(M, KH * KW * C)`."""
        if self._is_product:
            return self._x.read(program)
        # Of images there are few channels, so little of what is seen side by side.
        is_small = not self._x.needs_gradient
        return program.derived(self, self._columns, lambda into: self._unfold(program, into), once=is_small)

    def _unfold(self, program: Program, into: Memory) -> None:
        x = self._x.rows(program, self._x.read(program))
        program.add_by_image(kernels().unfold, x, into, self._windows)


class Depthwise(Operation):
    """Of each channel with a kernel of its own."""

    def __init__(self, x: Value, weights: Weights, rows: Sight, columns: Sight, y: Value) -> None:
        self._x, self.y = x, y
        self.weights = (weights,) if weights.parameter.requires_grad else ()  # an average is one with fixed weights
        self._windows = windows(rows, columns)
        self._taps, self._taps_gradient = (
            numbers[:, 0].numpy() for numbers in (weights.parameter.detach(), weights.gradient)
        )

    def forward(self, program: Program) -> None:
        x, y = self._x.rows(program, self._x.read(program)), self.y.rows(program, self.y.pixels)
        program.add_by_image(kernels().depthwise, x, self._taps, y, self._windows)

    def backward(self, program: Program) -> None:
        assert self.y.gradient is not None
        x, gradient = self._x, self.y.rows(program, self.y.gradient)
        if self.weights:
            pixels = x.rows(program, x.read(program))
            program.add_sum(kernels().depthwise_weight_gradient, pixels, gradient, self._taps_gradient, self._windows)
        if x.needs_gradient:
            into = x.new_memory()
            program.add_by_image(
                kernels().depthwise_input_gradient, self._taps, gradient, x.rows(program, into), self._windows
            )
            x.add_gradient(program, into)


class Linear(Operation):
    """Vectors times a matrix, plus a vector."""

    def __init__(self, x: Value, weights: Weights, bias: Weights, y: Value) -> None:
        self._x, self.weights, self.y = x, (weights, bias), y

    def forward(self, program: Program) -> None:
        weight, bias = (weights.parameter.detach().numpy() for weights in self.weights)
        program.add(product(), self._x.read(program), weight.T, self.y.pixels)
        program.add(np.add, self.y.pixels, bias, self.y.pixels)

    def backward(self, program: Program) -> None:
        gradient, (weights, bias) = self.y.gradient, self.weights
        assert gradient is not None
        program.add(product(), gradient.transposed, self._x.read(program), weights.gradient.numpy())
        program.add(_sum_of_rows, gradient, bias.gradient.numpy())
        if self._x.needs_gradient:
            into = self._x.new_memory()
            program.add(product(), gradient, weights.parameter.detach().numpy(), into)
            self._x.add_gradient(program, into)


def _sum_of_rows(x: Array, total: Array) -> None:
    np.sum(x, axis=0, out=total)


def _matrix(weight: Tensor) -> Array:
    """`(C', C, KH, KW)` as `(C', KH * KW * C)`, of the same memory."""
    if not weight.is_contiguous(memory_format=torch.channels_last):
        raise NotRecordableError("weights in another layout than channels_last")
    return weight.permute(0, 2, 3, 1).reshape(len(weight), -1).numpy()
