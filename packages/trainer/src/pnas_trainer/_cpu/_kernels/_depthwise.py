"""Depthwise convolutions of small images, whole rows at a time.

An image is padded once and taken apart into planes, one for each remainder of rows and columns by the stride, so that
what a tap sees of it are neighbours in memory: it is one multiplication along rows, with weights that are repeated for
every pixel. Arrays are rows `(N, H, W * C)` and weights `(C, KH, KW)`.
"""

import numpy as np

from pnas_trainer._cpu._kernels._compiled import Floats, compiled

_BLOCK = 256
"""Numbers that a tap is applied to at once: sums, weights and images of that length stay in the first-level cache."""


@compiled
def depthwise(x: Floats, weight: Floats, y: Floats, top: int, left: int, stride: int, dilation: int) -> None:
    """`y` is the convolution of each channel of `x`, after `top` and `left` pixels of zeros.

    How much is padded below and to the right follows from the shape of `y`.
    """
    channels, n_rows, n_columns = weight.shape
    height, width = x.shape[1], x.shape[2] // channels
    y_height, y_length = y.shape[1], y.shape[2]
    plane_height = y_height + (n_rows - 1) * dilation // stride + 1
    line = y_length + ((n_columns - 1) * dilation // stride) * channels
    planes = np.zeros((stride, stride, plane_height * line), np.float32)
    n_together = min(y_height, max(1, _BLOCK // line))
    sums = np.empty(n_together * line, np.float32)
    tiles = _tiles(weight, n_together * line)
    for n in range(len(x)):
        _take_apart(x[n], planes, line, top, left, stride, channels)
        for h in range(0, y_height, n_together):
            together = min(n_together, y_height - h)
            part = sums[: (together - 1) * line + y_length]
            part[:] = 0
            for i in range(n_rows):
                if not _sees(i * dilation - top + stride * h, stride, together, height):
                    continue
                for j in range(n_columns):
                    if not _sees(j * dilation - left, stride, y_length // channels, width):
                        continue
                    begin = (h + i * dilation // stride) * line + (j * dilation // stride) * channels
                    plane = planes[i * dilation % stride, j * dilation % stride]
                    add_products(part, tiles[i, j], plane[begin : begin + len(part)])
            for q in range(together):
                _copy(y[n, h + q], sums[q * line : q * line + y_length])


@compiled
def depthwise_gradients(
    x: Floats,
    weight: Floats,
    y_gradient: Floats,
    x_gradient: Floats,
    weight_gradient: Floats,
    top: int,
    left: int,
    stride: int,
    dilation: int,
) -> None:
    """What `x` gets through `depthwise`, and the weights."""
    channels, n_rows, n_columns = weight.shape
    height, width = x.shape[1], x.shape[2] // channels
    y_height, y_length = y_gradient.shape[1], y_gradient.shape[2]
    plane_height = y_height + (n_rows - 1) * dilation // stride + 1
    line = y_length + ((n_columns - 1) * dilation // stride) * channels
    planes = np.zeros((stride, stride, plane_height * line), np.float32)
    plane_gradients = np.empty_like(planes)
    n_together = min(y_height, max(1, _BLOCK // line))
    tiles = _tiles(weight, n_together * line)
    rows = np.zeros(n_together * line, np.float32)  # what lies between the rows stays zero
    sums = np.zeros((n_rows, n_columns, n_together * line), np.float32)
    for n in range(len(x)):
        _take_apart(x[n], planes, line, top, left, stride, channels)
        plane_gradients[:] = 0
        for h in range(0, y_height, n_together):
            together = min(n_together, y_height - h)
            for q in range(together):
                _copy(rows[q * line : q * line + y_length], y_gradient[n, h + q])
            part = rows[: (together - 1) * line + y_length]
            for i in range(n_rows):
                if not _sees(i * dilation - top + stride * h, stride, together, height):
                    continue
                for j in range(n_columns):
                    if not _sees(j * dilation - left, stride, y_length // channels, width):
                        continue
                    begin = (h + i * dilation // stride) * line + (j * dilation // stride) * channels
                    end = begin + len(part)
                    row, column = i * dilation % stride, j * dilation % stride
                    add_products(plane_gradients[row, column, begin:end], tiles[i, j], part)
                    add_products(sums[i, j, : len(part)], part, planes[row, column, begin:end])
        _put_together(plane_gradients, x_gradient[n], line, top, left, stride, channels)
    weight_gradient[:] = 0
    for i in range(n_rows):
        for j in range(n_columns):
            for pixel in range(0, n_together * line, channels):
                for c in range(channels):
                    weight_gradient[c, i, j] += sums[i, j, pixel + c]


@compiled
def _sees(first: int, stride: int, n: int, size: int) -> bool:
    """Whether one of the `n` pixels from `first` on, `stride` apart, lies in an image of that size."""
    return first < size and first + stride * (n - 1) >= 0


@compiled
def _tiles(weight: Floats, length: int) -> Floats:
    """Weights `(KH, KW, length)`, again and again for every pixel."""
    channels, n_rows, n_columns = weight.shape
    tiles = np.empty((n_rows, n_columns, length), np.float32)
    for i in range(n_rows):
        for j in range(n_columns):
            for pixel in range(0, length, channels):
                for c in range(channels):
                    tiles[i, j, pixel + c] = weight[c, i, j]
    return tiles


@compiled
def _take_apart(image: Floats, planes: Floats, line: int, top: int, left: int, stride: int, channels: int) -> None:
    """Write the pixels of an image to their places in the padded planes."""
    height, length = image.shape
    for h in range(height):
        row = (h + top) // stride * line
        if row + line > planes.shape[2]:
            break  # the stride leaves the last rows out
        if stride == 1:
            into = planes[0, 0, row + left * channels : row + min(line, left * channels + length)]
            _copy(into, image[h])
            continue
        for w in range(length // channels):
            begin = row + (w + left) // stride * channels
            if begin + channels > row + line:
                break
            plane = planes[(h + top) % stride, (w + left) % stride]
            for c in range(channels):
                plane[begin + c] = image[h, w * channels + c]


@compiled
def _put_together(planes: Floats, image: Floats, line: int, top: int, left: int, stride: int, channels: int) -> None:
    """Read an image from where `_take_apart` would have written it; zeros where it would not have."""
    height, length = image.shape
    image[:] = 0
    for h in range(height):
        row = (h + top) // stride * line
        if row + line > planes.shape[2]:
            break
        if stride == 1:
            _copy(image[h], planes[0, 0, row + left * channels : row + min(line, left * channels + length)])
            continue
        for w in range(length // channels):
            begin = row + (w + left) // stride * channels
            if begin + channels > row + line:
                break
            plane = planes[(h + top) % stride, (w + left) % stride]
            for c in range(channels):
                image[h, w * channels + c] = plane[begin + c]


@compiled
def add_products(sums: Floats, a: Floats, b: Floats) -> None:
    for t in range(sums.shape[0]):
        sums[t] += a[t] * b[t]


@compiled
def _copy(into: Floats, source: Floats) -> None:
    for t in range(min(into.shape[0], source.shape[0])):
        into[t] = source[t]
