import numpy as np

from pnas_trainer._cpu._kernels._compiled import Floats, compiled
from pnas_trainer._cpu._kernels._depthwise import add_products


@compiled
def depthwise_weight_gradient(
    x: Floats,
    gradient: Floats,
    weight_gradient: Floats,
    first_row: int,
    first_column: int,
    row_stride: int,
    row_dilation: int,
    column_dilation: int,
) -> None:
    """Add to `weight_gradient` `(KH, KW, C)` what a depthwise convolution's weights get.

    Tap `(i, j)` has seen, for the output at row `h` and column `w`, the input's row
    `first_row + row_dilation * i + row_stride * h` and column `first_column + column_dilation * j + w`; what lies
    outside was padding. oneDNN's own form for kernels wider than 3 is that of grouped convolutions, which takes some
    16 times the operations.
    """
    n_rows, n_columns, channels = weight_gradient.shape
    n_images, height, width = gradient.shape
    sums = np.zeros((n_columns, width), np.float32)
    for i in range(n_rows):
        sums[:] = 0
        for n in range(n_images):
            for h in range(height):
                row = first_row + row_dilation * i + row_stride * h
                if row < 0 or row >= x.shape[1]:
                    continue
                for j in range(n_columns):
                    shift = (first_column + column_dilation * j) * channels
                    begin, end = max(0, -shift), min(width, x.shape[2] - shift)
                    if begin < end:
                        add_products(
                            sums[j, begin:end], gradient[n, h, begin:end], x[n, row, begin + shift : end + shift]
                        )
        for j in range(n_columns):
            for w in range(width // channels):
                for c in range(channels):
                    weight_gradient[i, j, c] += sums[j, w * channels + c]
