"""Convolutions as products of matrices: what each output sees, side by side."""

from pnas_trainer._cpu._kernels._compiled import Floats, compiled

Windows = tuple[int, int, int, int, int, int, int, int, int, int]
"""Taps, outputs, the first pixel, the stride and the dilation; each of rows and of columns."""


@compiled
def unfold(x: Floats, columns: Floats, windows: Windows) -> None:
    """Write `(N * H' * W', KH * KW * C)`: what each output sees of the rows `x` `(N, H, W * C)`; zeros outside."""
    n_taps, m_taps, height, width, first_row, first_column, stride, column_stride, dilation, column_dilation = windows
    n_images, n_rows, length = x.shape
    channels = columns.shape[1] // (n_taps * m_taps)
    for n in range(n_images):
        for h in range(height):
            for w in range(width):
                into = columns[(n * height + h) * width + w]
                for i in range(n_taps):
                    row = first_row + stride * h + dilation * i
                    for j in range(m_taps):
                        begin = (first_column + column_stride * w + column_dilation * j) * channels
                        at = (i * m_taps + j) * channels
                        if 0 <= row < n_rows and 0 <= begin < length:
                            for c in range(channels):
                                into[at + c] = x[n, row, begin + c]
                        else:
                            for c in range(channels):
                                into[at + c] = 0


@compiled
def fold(columns: Floats, x: Floats, windows: Windows) -> None:
    """Write into the rows `x` the sums of all that `unfold` would have read there."""
    n_taps, m_taps, height, width, first_row, first_column, stride, column_stride, dilation, column_dilation = windows
    n_images, n_rows, length = x.shape
    channels = columns.shape[1] // (n_taps * m_taps)
    for n in range(n_images):
        x[n] = 0
        for h in range(height):
            for w in range(width):
                source = columns[(n * height + h) * width + w]
                for i in range(n_taps):
                    row = first_row + stride * h + dilation * i
                    if row < 0 or row >= n_rows:
                        continue
                    for j in range(m_taps):
                        begin = (first_column + column_stride * w + column_dilation * j) * channels
                        at = (i * m_taps + j) * channels
                        if 0 <= begin < length:
                            for c in range(channels):
                                x[n, row, begin + c] += source[at + c]
