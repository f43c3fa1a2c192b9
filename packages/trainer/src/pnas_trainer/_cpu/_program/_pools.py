import numpy as np

from pnas_trainer._cpu._arrays import kernels
from pnas_trainer._cpu._program._layout import Memory, View
from pnas_trainer._cpu._program._operation import Operation
from pnas_trainer._cpu._program._program import Program
from pnas_trainer._cpu._program._values import Value
from pnas_trainer._windows import Sight, windows


class MaxPool3x3(Operation):
    """The maximum of each pixel and its eight neighbours."""

    def __init__(self, x: Value, y: Value) -> None:
        self._x, self.y = x, y
        self._taps = Memory(*x.pixels.shape, dtype=np.uint8, by_image=True)

    def forward(self, program: Program) -> None:
        x, y = self._x, self.y
        arrays = x.rows(program, x.read(program)), y.rows(program, y.pixels), x.rows(program, self._taps)
        program.add_by_image(kernels().max_pool, *arrays, x.channels * program.n_together)

    def backward(self, program: Program) -> None:
        assert self.y.gradient is not None
        x, into = self._x, self._x.new_memory()
        arrays = self.y.rows(program, self.y.gradient), x.rows(program, self._taps), x.rows(program, into)
        program.add_by_image(kernels().max_pool_gradient, *arrays, x.channels * program.n_together)
        x.add_gradient(program, into)


class AveragePool3x3(Operation):
    """The mean of each pixel and those of its eight neighbours that lie in the image."""

    def __init__(self, x: Value, y: Value) -> None:
        self._x, self.y = x, y

    def forward(self, program: Program) -> None:
        x, y = self._x, self.y
        arrays = x.rows(program, x.read(program)), y.rows(program, y.pixels)
        program.add_by_image(kernels().average_pool, *arrays, x.channels * program.n_together, False)

    def backward(self, program: Program) -> None:
        assert self.y.gradient is not None
        x, into = self._x, self._x.new_memory()
        arrays = self.y.rows(program, self.y.gradient), x.rows(program, into)
        program.add_by_image(kernels().average_pool, *arrays, x.channels * program.n_together, True)
        x.add_gradient(program, into)


class GlobalAveragePool(Operation):
    """Images to the mean of their pixels."""

    def __init__(self, x: Value, y: Value) -> None:
        self._x, self.y = x, y

    def forward(self, program: Program) -> None:
        program.add_by_image(kernels().image_means, *self._shaped(program, self._x.read(program), self.y.pixels))

    def backward(self, program: Program) -> None:
        assert self.y.gradient is not None
        into = self._x.new_memory()
        program.add_by_image(kernels().image_means_gradient, *reversed(self._shaped(program, into, self.y.gradient)))
        self._x.add_gradient(program, into)

    def _shaped(self, program: Program, images: Memory, means: Memory) -> tuple[View, View]:
        """As one image, with all that lies side by side as its channels."""
        n_images, channels, height, width = self._x.shape
        n, length = n_images // program.n_together, program.n_together * channels
        return images.shaped(n, height * width, length), means.shaped(n, length)


class Taken(Operation):
    """Some rows and columns of images."""

    def __init__(self, x: Value, rows: Sight, columns: Sight, y: Value) -> None:
        self._x, self.y = x, y
        self._windows = windows(rows, columns)

    def forward(self, program: Program) -> None:
        program.add_by_image(
            kernels().unfold, self._x.rows(program, self._x.read(program)), self.y.pixels, self._windows
        )

    def backward(self, program: Program) -> None:
        into = self._x.new_memory()
        program.add_by_image(kernels().fold, self.y.gradient, self._x.rows(program, into), self._windows)
        self._x.add_gradient(program, into)
