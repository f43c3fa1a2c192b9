"""Pools of 3x3 at stride 1, padded by one pixel.

Arrays are rows `(N, H, W * P)`, where the `P` numbers of a pixel are its channels, of one image or of several.
"""

import numpy as np
from numpy.typing import NDArray

from pnas_trainer._cpu._kernels._compiled import Floats, compiled, offset


@compiled
def max_pool(x: Floats, y: Floats, taps: NDArray[np.uint8], pixel: int) -> None:
    """Maxima, and the tap (0 to 8) that each came from.

    As in PyTorch, the first of equal ones wins, and a NaN wins over all.
    """
    n_images, height, length = x.shape
    source, best, which = x.reshape(-1), y.reshape(-1), taps.reshape(-1)
    for r in range(n_images * height):
        best[r * length : (r + 1) * length] = -np.inf
        which[r * length : (r + 1) * length] = 4
        for i in range(max(0, 1 - r % height), min(3, height + 1 - r % height)):
            for j in range(3):  # a tap sees what lies j - 1 pixels further on
                _keep_larger(
                    offset(max(0, length - abs(j - 1) * pixel)),
                    source,
                    offset((r + i - 1) * length + max(0, j - 1) * pixel),
                    best,
                    which,
                    offset(r * length + max(0, 1 - j) * pixel),
                    np.uint8(3 * i + j),
                )


@compiled
def max_pool_gradient(gradient: Floats, taps: NDArray[np.uint8], x_gradient: Floats, pixel: int) -> None:
    """What the input of `max_pool` gets: every output's gradient goes where its maximum came from."""
    n_images, height, length = gradient.shape
    source, which, into = gradient.reshape(-1), taps.reshape(-1), x_gradient.reshape(-1)
    for r in range(n_images * height):
        into[r * length : (r + 1) * length] = 0
        for i in range(max(0, r % height + 2 - height), min(3, r % height + 2)):
            for j in range(3):
                _add_where(
                    offset(max(0, length - abs(j - 1) * pixel)),
                    source,
                    which,
                    offset((r + 1 - i) * length + max(0, 1 - j) * pixel),
                    into,
                    offset(r * length + max(0, j - 1) * pixel),
                    np.uint8(3 * i + j),
                )


@compiled
def average_pool(x: Floats, y: Floats, pixel: int, is_gradient: bool) -> None:
    """Means of the pixels that lie in the image; or the same the other way round, for gradients.

    What a pixel gives to a mean it gets back as a gradient, so only the division changes its side: it comes before the
    sums instead of after them.
    """
    n_images, height, length = x.shape
    shares = np.empty((height, length), np.float32)
    for h in range(height):
        for t in range(length):
            column = t // pixel
            n_rows = 3 - (h == 0) - (h == height - 1)
            n_columns = 3 - (column == 0) - (column == length // pixel - 1)
            shares[h, t] = np.float32(1) / np.float32(n_rows * n_columns)
    flat, into, line = x.reshape(-1), y.reshape(-1), offset(length)
    next_pixel, shorter = offset(pixel), offset(max(0, length - pixel))
    shared, sums = np.empty((height, length), np.float32), np.empty(length, np.float32)
    for n in range(n_images):
        for h in range(height):
            begin = offset((n * height + h) * length)
            for t in range(line):
                shared[h, t] = flat[begin + t] * shares[h, t] if is_gradient else flat[begin + t]
        for h in range(height):
            begin = offset((n * height + h) * length)
            above, below = max(0, h - 1), min(height - 1, h + 1)
            sums[:] = 0
            for row in range(above, below + 1):
                for t in range(line):
                    sums[t] += shared[row, t]
            for t in range(line):
                into[begin + t] = sums[t]
            for t in range(shorter):
                into[begin + next_pixel + t] += sums[t]
            for t in range(shorter):
                into[begin + t] += sums[next_pixel + t]
            if not is_gradient:
                for t in range(line):
                    into[begin + t] *= shares[h, t]


# Functions of their own: written where they are called, these loops do not become vectors.


@compiled
def _keep_larger(
    size: int, source: Floats, of: int, best: Floats, which: NDArray[np.uint8], at: int, tap: np.uint8
) -> None:
    for t in range(size):
        value, largest, before = source[of + t], best[at + t], which[at + t]
        wins = (value > largest) | (value != value)
        best[at + t] = value if wins else largest
        which[at + t] = tap if wins else before


@compiled
def _add_where(
    size: int, source: Floats, which: NDArray[np.uint8], of: int, into: Floats, at: int, tap: np.uint8
) -> None:
    for t in range(size):
        value = source[of + t]  # read whether or not it is wanted: what is read at times is no vector
        into[at + t] += value if which[of + t] == tap else np.float32(0)
