import numpy as np
from numpy.typing import NDArray

from pnas_trainer._cpu._kernels._compiled import Floats, compiled


@compiled
def max_pool(x: Floats, y: Floats, taps: NDArray[np.uint8], channels: int) -> None:
    """3x3 maxima at stride 1, padded by one pixel, and the tap (0 to 8) that each came from.

    As in PyTorch, the first of equal ones wins, and a NaN wins over all.
    """
    n_images, height, width = x.shape
    for n in range(n_images):
        for h in range(height):
            y[n, h] = -np.inf
            taps[n, h] = 4
            for i in range(3):
                row = h + i - 1
                if row < 0 or row >= height:
                    continue
                source, best, which = x[n, row], y[n, h], taps[n, h]
                _keep_larger(source[: width - channels], best[channels:], which[channels:], np.uint8(3 * i))
                _keep_larger(source, best, which, np.uint8(3 * i + 1))
                _keep_larger(
                    source[channels:], best[: width - channels], which[: width - channels], np.uint8(3 * i + 2)
                )


@compiled
def max_pool_gradient(gradient: Floats, taps: NDArray[np.uint8], x_gradient: Floats, channels: int) -> None:
    """What the input of `max_pool` gets: every output's gradient goes where its maximum came from."""
    n_images, height, width = gradient.shape
    for n in range(n_images):
        for h in range(height):
            into = x_gradient[n, h]
            into[:] = 0
            for i in range(3):
                row = h + 1 - i
                if row < 0 or row >= height:
                    continue
                source, which = gradient[n, row], taps[n, row]
                _add_where(into[: width - channels], source[channels:], which[channels:], np.uint8(3 * i))
                _add_where(into, source, which, np.uint8(3 * i + 1))
                _add_where(into[channels:], source[: width - channels], which[: width - channels], np.uint8(3 * i + 2))


@compiled
def average_pool(x: Floats, y: Floats, channels: int, is_gradient: bool) -> None:
    """3x3 means at stride 1 of the pixels that lie in the image; or the same the other way round, for gradients.

    What a pixel gives to a mean it gets back as a gradient, so only the division changes its side: it comes before the
    sums instead of after them.
    """
    n_images, height, length = x.shape
    shares = np.empty((height, length), np.float32)
    for h in range(height):
        for t in range(length):
            column = t // channels
            n_rows = 3 - (h == 0) - (h == height - 1)
            n_columns = 3 - (column == 0) - (column == length // channels - 1)
            shares[h, t] = np.float32(1) / np.float32(n_rows * n_columns)
    shared = np.empty((height, length), np.float32)
    sums = np.empty(length, np.float32)
    for n in range(n_images):
        source = x[n]
        if is_gradient:
            for h in range(height):
                _multiply(shared[h], source[h], shares[h])
            source = shared
        for h in range(height):
            sums[:] = source[h]
            if h > 0:
                _add(sums, source[h - 1])
            if h + 1 < height:
                _add(sums, source[h + 1])
            y[n, h] = sums
            _add(y[n, h, channels:], sums[: length - channels])
            _add(y[n, h, : length - channels], sums[channels:])
            if not is_gradient:
                _multiply(y[n, h], y[n, h], shares[h])


@compiled
def _add(into: Floats, source: Floats) -> None:
    for t in range(into.shape[0]):
        into[t] += source[t]


@compiled
def _multiply(into: Floats, a: Floats, b: Floats) -> None:
    for t in range(into.shape[0]):
        into[t] = a[t] * b[t]


@compiled
def _keep_larger(source: Floats, best: Floats, which: NDArray[np.uint8], tap: int) -> None:
    for t in range(best.shape[0]):
        value = source[t]
        wins = (value > best[t]) | (value != value)
        best[t] = value if wins else best[t]
        which[t] = tap if wins else which[t]


@compiled
def _add_where(into: Floats, source: Floats, which: NDArray[np.uint8], tap: int) -> None:
    for t in range(into.shape[0]):
        into[t] += source[t] if which[t] == tap else np.float32(0)
