import numpy as np

from pnas_trainer._cpu._arrays import kernels
from pnas_trainer._cpu._program._layout import Memory
from pnas_trainer._cpu._program._operation import Operation
from pnas_trainer._cpu._program._program import Program
from pnas_trainer._cpu._program._values import Sight, Value, windows


class MaxPool3x3(Operation):
    """The maximum of each pixel and its eight neighbours."""

    def __init__(self, x: Value, y: Value) -> None:
        self._x, self.y = x, y
        n_images, channels, height, width = x.shape
        self._taps = Memory(n_images, height, width * channels, dtype=np.uint8)

    def forward(self, program: Program) -> None:
        x, y = self._x, self.y
        program.add(kernels().max_pool, x.rows(x.pixels), y.rows(y.pixels), self._taps, x.channels)

    def backward(self, program: Program) -> None:
        assert self.y.gradient is not None
        into = self._x.new_memory()
        program.add(
            kernels().max_pool_gradient, self.y.rows(self.y.gradient), self._taps, self._x.rows(into), self._x.channels
        )
        self._x.add_gradient(program, into)


class AveragePool3x3(Operation):
    """The mean of each pixel and those of its eight neighbours that lie in the image."""

    def __init__(self, x: Value, y: Value) -> None:
        self._x, self.y = x, y

    def forward(self, program: Program) -> None:
        x, y = self._x, self.y
        program.add(kernels().average_pool, x.rows(x.pixels), y.rows(y.pixels), x.channels, False)

    def backward(self, program: Program) -> None:
        assert self.y.gradient is not None
        x, into = self._x, self._x.new_memory()
        program.add(kernels().average_pool, self.y.rows(self.y.gradient), x.rows(into), x.channels, True)
        x.add_gradient(program, into)


class GlobalAveragePool(Operation):
    """Images to the mean of their pixels."""

    def __init__(self, x: Value, y: Value) -> None:
        self._x, self.y = x, y
        n_images, channels, height, width = x.shape
        self._shape = n_images, height * width, channels

    def forward(self, program: Program) -> None:
        program.add(kernels().image_means, self._x.pixels.shaped(*self._shape), self.y.pixels)

    def backward(self, program: Program) -> None:
        into = self._x.new_memory()
        program.add(kernels().image_means_gradient, self.y.gradient, into.shaped(*self._shape))
        self._x.add_gradient(program, into)


class Taken(Operation):
    """Some rows and columns of images."""

    def __init__(self, x: Value, rows: Sight, columns: Sight, y: Value) -> None:
        self._x, self.y = x, y
        self._windows = windows(rows, columns)

    def forward(self, program: Program) -> None:
        program.add(kernels().unfold, self._x.rows(self._x.pixels), self.y.pixels, self._windows)

    def backward(self, program: Program) -> None:
        into = self._x.new_memory()
        program.add(kernels().fold, self.y.gradient, self._x.rows(into), self._windows)
        self._x.add_gradient(program, into)
