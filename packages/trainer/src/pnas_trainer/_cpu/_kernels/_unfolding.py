"""Convolutions as products of matrices: what each output sees, side by side."""

from pnas_trainer._cpu._kernels._compiled import Floats, compiled, offset

Windows = tuple[int, int, int, int, int, int, int, int, int, int]
"""Taps, outputs, the first pixel, the stride and the dilation; each of rows and of columns."""


@compiled
def unfold(x: Floats, columns: Floats, windows: Windows) -> None:
    """Write `(N * H' * W' * G, KH * KW * C)`: what each output sees of `x` `(N, H, W * G * C)`; zeros outside."""
    n_taps, m_taps, height, width, first_row, first_column, stride, column_stride, dilation, column_dilation = windows
    n_images, n_rows, length = x.shape
    seen = columns.shape[1]
    channels = seen // (n_taps * m_taps)
    n_together = len(columns) // (n_images * height * width)
    if n_together == column_dilation == 1:
        _unfold_runs(x, columns, windows)
        return
    flat, into, size = x.reshape(-1), columns.reshape(-1), offset(channels)
    together, apart = offset(n_together), offset(seen)
    for n in range(n_images):
        for h in range(height):
            for w in range(width):
                at = ((n * height + h) * width + w) * n_together * seen
                for i in range(n_taps):
                    row = first_row + stride * h + dilation * i
                    for j in range(m_taps):
                        begin = (first_column + column_stride * w + column_dilation * j) * n_together * channels
                        to = offset(at + (i * m_taps + j) * channels)
                        if row < 0 or row >= n_rows or begin < 0 or begin >= length:
                            for _ in range(together):
                                for c in range(size):
                                    into[to + c] = 0
                                to += apart
                            continue
                        source = offset((n * n_rows + row) * length + begin)
                        if channels == 1:  # a loop of one number costs more than the number
                            for g in range(together):
                                into[to] = flat[source + g]
                                to += apart
                            continue
                        for _ in range(together):
                            for c in range(size):
                                into[to + c] = flat[source + c]
                            to, source = to + apart, source + size


@compiled
def fold(columns: Floats, x: Floats, windows: Windows) -> None:
    """Write into `x` the sums of all that `unfold` would have read there."""
    n_taps, m_taps, height, width, first_row, first_column, stride, column_stride, dilation, column_dilation = windows
    n_images, n_rows, length = x.shape
    seen = columns.shape[1]
    channels = seen // (n_taps * m_taps)
    n_together = len(columns) // (n_images * height * width)
    flat, source, size = x.reshape(-1), columns.reshape(-1), offset(channels)
    flat[:] = 0
    if n_together == column_dilation == 1:
        _fold_runs(columns, x, windows)
        return
    for n in range(n_images):
        for h in range(height):
            for w in range(width):
                at = ((n * height + h) * width + w) * n_together * seen
                for i in range(n_taps):
                    row = first_row + stride * h + dilation * i
                    if row < 0 or row >= n_rows:
                        continue
                    for j in range(m_taps):
                        begin = (first_column + column_stride * w + column_dilation * j) * n_together * channels
                        if begin < 0 or begin >= length:
                            continue
                        for g in range(n_together):
                            of = offset(at + (g * n_taps * m_taps + i * m_taps + j) * channels)
                            to = offset((n * n_rows + row) * length + begin + g * channels)
                            for c in range(size):
                                flat[to + c] += source[of + c]


@compiled
def _unfold_runs(x: Floats, columns: Floats, windows: Windows) -> None:
    """`unfold` where the taps of a row see neighbours in memory."""
    n_taps, m_taps, height, width, first_row, first_column, stride, column_stride, dilation, _ = windows
    n_images, n_rows, length = x.shape
    channels = columns.shape[1] // (n_taps * m_taps)
    flat, into, taps = x.reshape(-1), columns.reshape(-1), offset(m_taps * channels)
    to = offset(0)
    for n in range(n_images):
        for h in range(height):
            for w in range(width):
                column = (first_column + column_stride * w) * channels
                before, after = _outside(column, m_taps * channels, length)
                for i in range(n_taps):
                    row = first_row + stride * h + dilation * i
                    if row < 0 or row >= n_rows:
                        into[to : to + taps] = 0
                    else:
                        source = offset((n * n_rows + row) * length + column + before)
                        into[to : to + offset(before)] = 0
                        for c in range(offset(m_taps * channels - before - after)):
                            into[to + offset(before) + c] = flat[source + c]
                        into[to + taps - offset(after) : to + taps] = 0
                    to += taps


@compiled
def _fold_runs(columns: Floats, x: Floats, windows: Windows) -> None:
    """`fold` where the taps of a row see neighbours in memory; adds to what is there."""
    n_taps, m_taps, height, width, first_row, first_column, stride, column_stride, dilation, _ = windows
    n_images, n_rows, length = x.shape
    channels = columns.shape[1] // (n_taps * m_taps)
    flat, source, taps = x.reshape(-1), columns.reshape(-1), offset(m_taps * channels)
    of = offset(0)
    for n in range(n_images):
        for h in range(height):
            for w in range(width):
                column = (first_column + column_stride * w) * channels
                before, after = _outside(column, m_taps * channels, length)
                for i in range(n_taps):
                    row = first_row + stride * h + dilation * i
                    if 0 <= row < n_rows:
                        to = offset((n * n_rows + row) * length + column + before)
                        for c in range(offset(m_taps * channels - before - after)):
                            flat[to + c] += source[of + offset(before) + c]
                    of += taps


@compiled
def _outside(first: int, n: int, length: int) -> tuple[int, int]:
    """Of `n` places from `first` on, how many lie before a row of that length, and how many behind it."""
    before = min(n, max(0, -first))
    return before, min(n - before, max(0, first + n - length))
