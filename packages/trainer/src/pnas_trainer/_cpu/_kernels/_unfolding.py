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
    flat, into, size = x.reshape(-1), columns.reshape(-1), offset(channels)
    for n in range(n_images):
        for h in range(height):
            for w in range(width):
                at = ((n * height + h) * width + w) * n_together * seen
                for i in range(n_taps):
                    row = first_row + stride * h + dilation * i
                    for j in range(m_taps):
                        begin = (first_column + column_stride * w + column_dilation * j) * n_together * channels
                        is_inside = 0 <= row < n_rows and 0 <= begin < length
                        for g in range(n_together):
                            to = offset(at + (g * n_taps * m_taps + i * m_taps + j) * channels)
                            if is_inside:
                                source = offset((n * n_rows + row) * length + begin + g * channels)
                                for c in range(size):
                                    into[to + c] = flat[source + c]
                            else:
                                for c in range(size):
                                    into[to + c] = 0


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
