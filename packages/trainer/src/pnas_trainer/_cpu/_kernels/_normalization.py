"""Batch normalization of pixels `(M, C)`, in float32; what is summed over all of them is summed in float64 at last.

Loops run along lines of several pixels, so that short ones of few channels do not stand in the way of vectors.
"""

import numpy as np
from numpy.typing import NDArray

from pnas_trainer._cpu._kernels._compiled import Floats, compiled, offset

_LINE = 512
_LINES = 32
"""Lines whose sums are held in float32."""

Vector = NDArray[np.float32]
Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]


@compiled
def add_moments(is_first: bool, x: Floats, means: Doubles, squares: Doubles, count: Counts) -> None:
    """Add pixels to means and sums of squared distances from them, of so many pixels; the first ones begin anew.

    A stretch is read twice while it is in the cache, and stretches are joined as by Chan et al. (1979), so that a mean
    much larger than the deviation costs no digits.
    """
    if is_first:
        means[:] = 0
        squares[:] = 0
        count[0] = 0
    flat, line, channels = x.reshape(-1), _line(x), len(means)
    some_mean, some_squares = np.empty(channels), np.empty(channels)
    sums = np.empty(line, np.float32)
    for begin in range(0, len(flat), _LINES * line):
        end = min(len(flat), begin + _LINES * line)
        some = (end - begin) // channels
        sums[:] = 0
        for start in range(begin, end, line):
            s = offset(start)
            for t in range(offset(min(line, end - start))):
                sums[t] += flat[s + t]
        some_mean[:] = 0
        _fold(sums, some_mean)
        some_mean /= some
        center = _tiled(some_mean, line)
        sums[:] = 0
        for start in range(begin, end, line):
            s = offset(start)
            for t in range(offset(min(line, end - start))):
                distance = flat[s + t] - center[t]
                sums[t] += distance * distance
        some_squares[:] = 0
        _fold(sums, some_squares)
        n_before = count[0]
        for c in range(channels):
            shift = some_mean[c] - means[c]
            means[c] += shift * some / (n_before + some)
            squares[c] += some_squares[c] + shift * shift * n_before * some / (n_before + some)
        count[0] += some


@compiled
def batch_norm_statistics(
    means: Doubles,
    squares: Doubles,
    n_pixels: int,
    weight: Vector,
    running_mean: Vector,
    running_var: Vector,
    momentum: float,
    eps: float,
    mean: Vector,
    inverse_std: Vector,
    scale: Vector,
) -> None:
    """From the moments of all pixels, what `normalize` needs. Running statistics move (empty: there are none)."""
    for c in range(len(means)):
        mean[c] = means[c]
        inverse_std[c] = 1 / np.sqrt(squares[c] / n_pixels + eps)
        scale[c] = weight[c] * inverse_std[c]
        if len(running_mean) > 0:
            running_mean[c] += momentum * (means[c] - running_mean[c])
            running_var[c] += momentum * (squares[c] / (n_pixels - 1) - running_var[c])


@compiled
def normalize(x: Floats, mean: Vector, scale: Vector, bias: Vector, y: Floats) -> None:
    """Write `x`, normalized, into `y`."""
    line = _line(x)
    centers, scales, shifts = _tiled(mean, line), _tiled(scale, line), _tiled(bias, line)
    source, into = x.reshape(-1), y.reshape(-1)
    for start in range(0, len(source), line):
        s = offset(start)
        for t in range(offset(min(line, len(source) - start))):
            into[s + t] = (source[s + t] - centers[t]) * scales[t] + shifts[t]


@compiled
def normalize_and_rectify(x: Floats, mean: Vector, scale: Vector, bias: Vector, y: Floats) -> None:
    """The same, and `y` is the ReLU of it; what is not a number stays so."""
    line = _line(x)
    centers, scales, shifts = _tiled(mean, line), _tiled(scale, line), _tiled(bias, line)
    source, into = x.reshape(-1), y.reshape(-1)
    for start in range(0, len(source), line):
        s = offset(start)
        for t in range(offset(min(line, len(source) - start))):
            normalized = (source[s + t] - centers[t]) * scales[t] + shifts[t]
            into[s + t] = np.float32(0) if normalized <= 0 else normalized


@compiled
def add_batch_norm_sums(
    is_first: bool, gradient: Floats, x: Floats, mean: Vector, sums: Doubles, products: Doubles
) -> None:
    """Add those of the gradient, and of its products with the distances from the mean; the first pixels begin anew."""
    if is_first:
        sums[:] = 0
        products[:] = 0
    line = _line(x)
    centers = _tiled(mean, line)
    flat, source = gradient.reshape(-1), x.reshape(-1)
    some_sums, some_products = np.empty(line, np.float32), np.empty(line, np.float32)
    for begin in range(0, len(flat), _LINES * line):
        some_sums[:] = 0
        some_products[:] = 0
        for start in range(begin, min(len(flat), begin + _LINES * line), line):
            s = offset(start)
            for t in range(offset(min(line, len(flat) - start))):
                some_sums[t] += flat[s + t]
                some_products[t] += flat[s + t] * (source[s + t] - centers[t])
        _fold(some_sums, sums)
        _fold(some_products, products)


@compiled
def batch_norm_coefficients(
    sums: Doubles,
    products: Doubles,
    n_pixels: int,
    weight: Vector,
    mean: Vector,
    inverse_std: Vector,
    coefficients: Floats,
    weight_gradient: Vector,
    bias_gradient: Vector,
) -> None:
    """What the parameters get, and the `coefficients` `(4, C)` with which `batch_norm_input_gradient` goes on."""
    for c in range(len(sums)):
        weight_gradient[c] = products[c] * inverse_std[c]
        bias_gradient[c] = sums[c]
        scale = weight[c] * inverse_std[c]
        coefficients[0, c] = mean[c]
        coefficients[1, c] = scale
        coefficients[2, c] = -scale * inverse_std[c] * inverse_std[c] * products[c] / n_pixels
        coefficients[3, c] = -scale * sums[c] / n_pixels


@compiled
def batch_norm_input_gradient(gradient: Floats, x: Floats, coefficients: Floats, x_gradient: Floats) -> None:
    """What some of the pixels `x` get."""
    line = _line(x)
    centers, scales = _tiled(coefficients[0], line), _tiled(coefficients[1], line)
    x_scales, shifts = _tiled(coefficients[2], line), _tiled(coefficients[3], line)
    flat, source, into = gradient.reshape(-1), x.reshape(-1), x_gradient.reshape(-1)
    for start in range(0, len(flat), line):
        s = offset(start)
        for t in range(offset(min(line, len(flat) - start))):
            of_x = (source[s + t] - centers[t]) * x_scales[t]
            into[s + t] = flat[s + t] * scales[t] + of_x + shifts[t]


@compiled
def _line(x: Floats) -> int:
    """How many numbers of several pixels a loop goes along."""
    n_pixels, channels = x.shape
    length: int = min(n_pixels, max(1, _LINE // channels)) * channels
    return length


@compiled
def _tiled(values: Floats, length: int) -> Floats:
    channels = len(values)
    tiles = np.empty((length // channels, channels), np.float32)
    for pixel in range(len(tiles)):
        for c in range(channels):
            tiles[pixel, c] = values[c]
    return tiles.reshape(-1)


@compiled
def _fold(sums: Floats, into: Doubles) -> None:
    pixels = sums.reshape(-1, len(into))
    for pixel in range(len(pixels)):
        for c in range(len(into)):
            into[c] += pixels[pixel, c]
