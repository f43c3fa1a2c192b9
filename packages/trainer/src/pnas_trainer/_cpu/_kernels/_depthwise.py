"""Depthwise convolutions as products along whole rows, on which a tap sees what lies a few pixels further on.

Arrays are rows `(N, H, W * P)`, where the `P` numbers of a pixel are its channels, of one image or of several side by
side, and weights are `(C, KH, KW)`. With a stride, rows are taken apart first, so that the pixels that a tap sees of
one are neighbours again.
"""

import math

import numpy as np
from numpy.typing import NDArray

from pnas_trainer._cpu._kernels._compiled import Floats, compiled, offset
from pnas_trainer._cpu._kernels._unfolding import Windows

Place = tuple[int, int]
"""Where the first of some stretches of a vector begins, and how much further on the next one."""
_ROWS = 4
"""Of outputs that are computed side by side where they lie in the middle of an image."""


@compiled
def depthwise(x: Floats, weight: Floats, y: Floats, windows: Windows) -> None:
    """`y` is the convolution of each channel of `x`, with zeros around it."""
    n_taps, m_taps, height, width, first_row, _, stride, column_stride, dilation, _ = windows
    n_images, n_rows, length = x.shape
    pixel = y.shape[2] // width
    tiles = _tiles(weight, width * pixel)
    row = _row(length, pixel, column_stride)
    columns = _columns(windows, length // pixel, pixel, row)
    source, into = _apart(x, row, column_stride), y.reshape(-1)
    for n in range(n_images):
        start = _taken_apart(x, n, source, row, pixel, column_stride)
        h = 0
        while h < height:
            top = first_row + stride * h
            i, i_end = _within(top, dilation, n_taps, n_rows)
            n_together = 1
            if stride == dilation == 1 and i_end - i == n_taps and top + _ROWS - 1 + n_taps <= n_rows:
                n_together = min(_ROWS, height - h)
            y[n, h : h + n_together] = 0
            for j in range(m_taps):
                w, n_columns, begin = columns[j]
                if n_columns > 0 and i < i_end:
                    _add_products(
                        n_together,
                        n_columns,
                        into,
                        ((n * height + h) * width * pixel + w, width * pixel),
                        tiles,
                        ((i * m_taps + j) * width * pixel, m_taps * width * pixel),
                        source,
                        (start + (top + dilation * i) * row + begin, dilation * row),
                        i_end - i,
                    )
            h += n_together


@compiled
def depthwise_weight_gradient(
    is_first: bool, x: Floats, y_gradient: Floats, weight_gradient: Floats, windows: Windows
) -> None:
    """What the weights of `depthwise` get, written or, where these images are not the first, added."""
    n_taps, m_taps, height, width, first_row, _, stride, column_stride, dilation, _ = windows
    n_images, n_rows, length = x.shape
    pixel = y_gradient.shape[2] // width
    row = _row(length, pixel, column_stride)
    columns = _columns(windows, length // pixel, pixel, row)
    source, gradient = _apart(x, row, column_stride), y_gradient.reshape(-1)
    sums = np.zeros(n_taps * m_taps * width * pixel, np.float32)  # a row of outputs for each tap
    for n in range(n_images):
        start = _taken_apart(x, n, source, row, pixel, column_stride)
        i, n_together = 0, 0
        while i + n_together < n_taps:
            i += n_together
            top = first_row + dilation * i
            n_pairs = _pairs(top, height, n_rows) if stride == dilation == 1 and i + 1 < n_taps else 0
            n_together = 2 if n_pairs > 0 else 1
            for j in range(m_taps):
                w, n_columns, begin = columns[j]
                if n_columns <= 0:
                    continue
                into, next_tap = (i * m_taps + j) * width * pixel + w, m_taps * width * pixel
                if n_pairs > 0:
                    first = max(0, -top)
                    at = (n * height + first) * width * pixel + w
                    of_gradient, of_source = (at, width * pixel), (start + (top + first) * row + begin, row)
                    if top < 0:
                        above = (at - width * pixel, width * pixel)
                        _add_products_to_pair(
                            n_columns, sums, into + next_tap, into, source, of_source, gradient, above, n_pairs
                        )
                    else:
                        _add_products_to_pair(
                            n_columns, sums, into, into + next_tap, gradient, of_gradient, source, of_source, n_pairs
                        )
                for q in range(n_together):
                    h, h_end = _within(top + q, stride, height, n_rows)
                    h += n_pairs
                    if h < h_end:
                        _add_products(
                            1,
                            n_columns,
                            sums,
                            (into + q * next_tap, 0),
                            gradient,
                            ((n * height + h) * width * pixel + w, width * pixel),
                            source,
                            (start + (top + q + stride * h) * row + begin, stride * row),
                            h_end - h,
                        )
    channels = len(weight_gradient)
    by_tap = sums.reshape(n_taps, m_taps, -1, channels)
    for i in range(n_taps):
        for j in range(m_taps):
            for c in range(channels):
                if is_first:
                    weight_gradient[c, i, j] = 0
            for q in range(by_tap.shape[2]):
                for c in range(channels):
                    weight_gradient[c, i, j] += by_tap[i, j, q, c]


@compiled
def depthwise_input_gradient(weight: Floats, y_gradient: Floats, x_gradient: Floats, windows: Windows) -> None:
    """What `x` gets through `depthwise`."""
    n_taps, m_taps, height, width, first_row, _, stride, column_stride, dilation, _ = windows
    n_images, n_rows, length = x_gradient.shape
    pixel = y_gradient.shape[2] // width
    tiles = _tiles(weight[:, ::-1], width * pixel)  # from below, so that all steps go forward in memory
    row = _row(length, pixel, column_stride)
    columns = _columns(windows, length // pixel, pixel, row)
    into, gradient = _apart(x_gradient, row, column_stride), y_gradient.reshape(-1)
    # A row of x is seen by every so many taps, each of an output that is so many rows further up than the last.
    step = stride // math.gcd(stride, dilation)
    up = dilation * step // stride
    for n in range(n_images):
        start = n * n_rows * row if column_stride == 1 else 0
        r, n_together = 0, 0
        while r + n_together < n_rows:
            r += n_together
            n_together = 1
            i = 0
            while i < min(step, n_taps) and (r - first_row - dilation * i) % stride != 0:
                i += 1
            if i >= min(step, n_taps):
                into[start + r * row : start + (r + 1) * row] = 0
                continue
            h = (r - first_row - dilation * i) // stride
            q, q_end = _within(height - 1 - h, up, (n_taps - 1 - i) // step + 1, height)
            last = i + step * (q_end - 1)
            if stride == dilation == 1 and q_end - q == n_taps and h + _ROWS <= height:
                n_together = min(_ROWS, n_rows - r)
            into[start + r * row : start + (r + n_together) * row] = 0
            for j in range(m_taps):
                w, n_columns, begin = columns[j]
                if n_columns > 0 and q < q_end:
                    _add_products(
                        n_together,
                        n_columns,
                        into,
                        (start + r * row + begin, row),
                        tiles,
                        (((n_taps - 1 - last) * m_taps + j) * width * pixel, step * m_taps * width * pixel),
                        gradient,
                        ((n * height + h - up * (q_end - 1)) * width * pixel + w, up * width * pixel),
                        q_end - q,
                    )
        if column_stride > 1:
            _put_together(into, x_gradient, n, row, pixel, column_stride)


@compiled
def _add_products(
    n_rows: int, length: int, sums: Floats, place: Place, a: Floats, a_place: Place, b: Floats, b_place: Place, n: int
) -> None:
    """Add `n` products, number by number, of stretches of `a` and `b`, to a stretch of `sums`.

    All three are vectors. The same goes for `n_rows` stretches of sums, 1 to `_ROWS` of them, where the next one adds
    up products with the next stretch of `b`.
    """
    (at, step), (b_at, b_step) = place, b_place
    if n_rows == _ROWS:
        _add_products_to_rows(length, sums, at, step, a, a_place, b, b_place, n)
        return
    for r in range(n_rows):
        _add_products_to_row(length, sums, at + r * step, a, a_place, b, (b_at + r * b_step, b_step), n)


@compiled
def _add_products_to_row(
    length: int, sums: Floats, at: int, a: Floats, a_place: Place, b: Floats, b_place: Place, n: int
) -> None:
    """Four products at a time, because sums that wait in a register are neither read nor written."""
    size, t0 = offset(length), offset(at)
    a0, a1, b0, b1 = offset(a_place[0]), offset(a_place[1]), offset(b_place[0]), offset(b_place[1])
    a2, a3, b2, b3 = a1 + a1, a1 + a1 + a1, b1 + b1, b1 + b1 + b1
    while n >= 4:
        for t in range(size):
            some = a[a0 + t] * b[b0 + t] + a[a0 + a1 + t] * b[b0 + b1 + t]
            others = a[a0 + a2 + t] * b[b0 + b2 + t] + a[a0 + a3 + t] * b[b0 + b3 + t]
            sums[t0 + t] += some + others
        n, a0, b0 = n - 4, a0 + a2 + a2, b0 + b2 + b2
    if n == 3:
        for t in range(size):
            some = a[a0 + t] * b[b0 + t] + a[a0 + a1 + t] * b[b0 + b1 + t]
            sums[t0 + t] += some + a[a0 + a2 + t] * b[b0 + b2 + t]
    elif n == 2:
        for t in range(size):
            sums[t0 + t] += a[a0 + t] * b[b0 + t] + a[a0 + a1 + t] * b[b0 + b1 + t]
    elif n == 1:
        for t in range(size):
            sums[t0 + t] += a[a0 + t] * b[b0 + t]


@compiled
def _add_products_to_rows(
    length: int,
    sums: Floats,
    at: int,
    step: int,
    a: Floats,
    a_place: Place,
    b: Floats,
    b_place: Place,
    n: int,
) -> None:
    """The same sums as of `_add_products_to_row`, in the same order, for four rows at a time: what they read of `a` and
    of `b` is read once for all of them.
    """
    size, r0, s = offset(length), offset(at), offset(step)
    r1, r2, r3 = r0 + s, r0 + s + s, r0 + s + s + s
    a0, a1, b0, b1 = offset(a_place[0]), offset(a_place[1]), offset(b_place[0]), offset(b_place[1])
    a2, a3, b2, b3 = a1 + a1, a1 + a1 + a1, b1 + b1, b1 + b1 + b1
    b4, b5, b6 = b2 + b2, b2 + b3, b3 + b3
    while n >= 4:
        for t in range(size):
            f0, f1, f2, f3 = a[a0 + t], a[a0 + a1 + t], a[a0 + a2 + t], a[a0 + a3 + t]
            x0, x1, x2, x3 = b[b0 + t], b[b0 + b1 + t], b[b0 + b2 + t], b[b0 + b3 + t]
            x4, x5, x6 = b[b0 + b4 + t], b[b0 + b5 + t], b[b0 + b6 + t]
            sums[r0 + t] += (f0 * x0 + f1 * x1) + (f2 * x2 + f3 * x3)
            sums[r1 + t] += (f0 * x1 + f1 * x2) + (f2 * x3 + f3 * x4)
            sums[r2 + t] += (f0 * x2 + f1 * x3) + (f2 * x4 + f3 * x5)
            sums[r3 + t] += (f0 * x3 + f1 * x4) + (f2 * x5 + f3 * x6)
        n, a0, b0 = n - 4, a0 + a2 + a2, b0 + b2 + b2
    if n == 3:
        for t in range(size):
            f0, f1, f2 = a[a0 + t], a[a0 + a1 + t], a[a0 + a2 + t]
            x0, x1, x2 = b[b0 + t], b[b0 + b1 + t], b[b0 + b2 + t]
            x3, x4, x5 = b[b0 + b3 + t], b[b0 + b4 + t], b[b0 + b5 + t]
            sums[r0 + t] += (f0 * x0 + f1 * x1) + f2 * x2
            sums[r1 + t] += (f0 * x1 + f1 * x2) + f2 * x3
            sums[r2 + t] += (f0 * x2 + f1 * x3) + f2 * x4
            sums[r3 + t] += (f0 * x3 + f1 * x4) + f2 * x5
    elif n == 2:
        for t in range(size):
            f0, f1 = a[a0 + t], a[a0 + a1 + t]
            x0, x1, x2 = b[b0 + t], b[b0 + b1 + t], b[b0 + b2 + t]
            x3, x4 = b[b0 + b3 + t], b[b0 + b4 + t]
            sums[r0 + t] += f0 * x0 + f1 * x1
            sums[r1 + t] += f0 * x1 + f1 * x2
            sums[r2 + t] += f0 * x2 + f1 * x3
            sums[r3 + t] += f0 * x3 + f1 * x4
    elif n == 1:
        for t in range(size):
            f0 = a[a0 + t]
            sums[r0 + t] += f0 * b[b0 + t]
            sums[r1 + t] += f0 * b[b0 + b1 + t]
            sums[r2 + t] += f0 * b[b0 + b2 + t]
            sums[r3 + t] += f0 * b[b0 + b3 + t]


@compiled
def _add_products_to_pair(
    length: int,
    sums: Floats,
    at: int,
    next_at: int,
    a: Floats,
    a_place: Place,
    b: Floats,
    b_place: Place,
    n: int,
) -> None:
    """Add `n` products, a multiple of four, to two stretches of sums, the second one's with the next stretch of `b`.

    They are in the order of `_add_products_to_row`; what is read of `a` and of `b` is read once for both.
    """
    size, r0, r1 = offset(length), offset(at), offset(next_at)
    a0, a1, b0, b1 = offset(a_place[0]), offset(a_place[1]), offset(b_place[0]), offset(b_place[1])
    a2, a3, b2, b3 = a1 + a1, a1 + a1 + a1, b1 + b1, b1 + b1 + b1
    b4 = b2 + b2
    while n >= 4:
        for t in range(size):
            f0, f1, f2, f3 = a[a0 + t], a[a0 + a1 + t], a[a0 + a2 + t], a[a0 + a3 + t]
            x0, x1, x2, x3, x4 = b[b0 + t], b[b0 + b1 + t], b[b0 + b2 + t], b[b0 + b3 + t], b[b0 + b4 + t]
            sums[r0 + t] += (f0 * x0 + f1 * x1) + (f2 * x2 + f3 * x3)
            sums[r1 + t] += (f0 * x1 + f1 * x2) + (f2 * x3 + f3 * x4)
        n, a0, b0 = n - 4, a0 + a2 + a2, b0 + b2 + b2


@compiled
def _pairs(top: int, height: int, n_rows: int) -> int:
    """How many products, a multiple of four, a tap and the one below it may add up side by side: both begin with the
    first row of what they see, or of the outputs.
    """
    h, h_end = _within(top, 1, height, n_rows)
    below, below_end = _within(top + 1, 1, height, n_rows)
    n: int = max(0, min(h_end - h, below_end - below)) // 4 * 4
    return n


@compiled
def _within(first: int, step: int, n: int, size: int) -> tuple[int, int]:
    """Which of the `n` places from `first` on, `step` apart, lie in an image of that size: from one to another."""
    return max(0, -(first // step)), min(n, -((first - size) // step))


@compiled
def _columns(windows: Windows, size: int, pixel: int, row: int) -> NDArray[np.int64]:
    """For each tap of a row: where its first output within the image lies, how many numbers, and where what it sees."""
    m_taps, width, first, stride, dilation = windows[1], windows[3], windows[5], windows[7], windows[9]
    columns = np.zeros((m_taps, 3), np.int64)
    for j in range(m_taps):
        w, end = _within(first + dilation * j, stride, width, size)
        if w < end:
            columns[j] = w * pixel, (end - w) * pixel, _place(first + dilation * j + stride * w, row, pixel, stride)
    return columns


@compiled
def _tiles(weight: Floats, length: int) -> Floats:
    """Weights `(KH, KW, length)` as a vector, again and again for every pixel."""
    channels, n_rows, n_columns = weight.shape
    tiles = np.empty((n_rows, n_columns, length // channels, channels), np.float32)
    flat, size = tiles.reshape(-1), offset(channels)
    for i in range(n_rows):
        for j in range(n_columns):
            begin = offset((i * n_columns + j) * length)
            for c in range(channels):
                tiles[i, j, 0, c] = weight[c, i, j]
            for q in range(1, tiles.shape[2]):  # from the first one, whose numbers are neighbours
                to = begin + offset(q) * size
                for t in range(size):
                    flat[to + t] = flat[begin + t]
    return flat


@compiled
def _row(length: int, pixel: int, stride: int) -> int:
    """How long a row is once it is taken apart: as many pixels for each remainder by the stride."""
    return -(-length // (pixel * stride)) * stride * pixel


@compiled
def _place(column: int, row: int, pixel: int, stride: int) -> int:
    """Where a pixel lies in a row that is taken apart."""
    return column % stride * (row // stride) + column // stride * pixel


@compiled
def _apart(x: Floats, row: int, stride: int) -> Floats:
    """A vector for an image that is taken apart; all of `x` where the stride leaves images as they are."""
    return x.reshape(-1) if stride == 1 else np.empty(x.shape[1] * row, np.float32)


@compiled
def _taken_apart(x: Floats, n: int, into: Floats, row: int, pixel: int, stride: int) -> int:
    """Where an image begins in the vector of `_apart`."""
    n_rows: int = x.shape[1]
    if stride == 1:
        return n * n_rows * row
    length = x.shape[2]
    size, flat = offset(pixel), x.reshape(-1)
    for h in range(n_rows):
        for w in range(length // pixel):
            begin, end = offset((n * n_rows + h) * length + w * pixel), offset(h * row + _place(w, row, pixel, stride))
            for t in range(size):
                into[end + t] = flat[begin + t]
    return 0


@compiled
def _put_together(source: Floats, x: Floats, n: int, row: int, pixel: int, stride: int) -> None:
    """The other way round."""
    n_rows, length = x.shape[1:]
    size, flat = offset(pixel), x.reshape(-1)
    for h in range(n_rows):
        for w in range(length // pixel):
            begin, end = offset(h * row + _place(w, row, pixel, stride)), offset((n * n_rows + h) * length + w * pixel)
            for t in range(size):
                flat[end + t] = source[begin + t]
