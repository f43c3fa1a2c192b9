"""ReLU, depthwise convolution and 1x1 convolution, forward and backward, with what normalizations need of them."""

import triton
import triton.language as tl


@triton.jit
def rectified(x):
    """What is not a number stays so: a maximum would make it 0."""
    return tl.where(x <= 0.0, 0.0, x)


@triton.jit
def forward(
    x,
    affine,
    taps,
    matrix,
    z,
    y,
    moments,
    n_pixels,
    n_tiles,
    height,
    width,
    out_height,
    out_width,
    first_row,
    first_column,
    row_stride,
    column_stride,
    row_dilation,
    column_dilation,
    IS_NORMALIZED: tl.constexpr,
    N_ROWS: tl.constexpr,
    N_COLUMNS: tl.constexpr,
    CHANNELS: tl.constexpr,
    OUT_CHANNELS: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_C: tl.constexpr,
    BLOCK_O: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """`z`, the depthwise convolution of ReLU(x); `y`, its product with the matrix; and the moments of y.

    x `(N * height * width, groups * channels)`; affine, where x is normalized first, scale and shift `(2, groups *
    channels)`; taps `(groups * channels, N_ROWS * N_COLUMNS)`; matrix `(groups * out_channels, channels)`; moments
    `(programs, 3, groups * out_channels)`: how many pixels a program has seen, their mean, and the squares around it.
    """
    program, group, n_groups = tl.program_id(0), tl.program_id(1), tl.num_programs(1)
    within, out = tl.arange(0, BLOCK_C), tl.arange(0, BLOCK_O)
    is_channel, is_out = within < CHANNELS, out < OUT_CHANNELS
    channel, out_channel = group * CHANNELS + within, group * OUT_CHANNELS + out
    n_channels, n_out_channels = n_groups * CHANNELS, n_groups * OUT_CHANNELS
    scale, shift = tl.zeros((1, BLOCK_C), tl.float32), tl.zeros((1, BLOCK_C), tl.float32)
    if IS_NORMALIZED:
        scale = tl.load(affine + channel, is_channel, 0.0)[None, :]
        shift = tl.load(affine + n_channels + channel, is_channel, 0.0)[None, :]
    factors = tl.load(
        matrix + out_channel[None, :] * CHANNELS + within[:, None], is_channel[:, None] & is_out[None, :], 0.0
    ).to(z.dtype.element_ty)
    count = 0.0
    mean, squares = tl.zeros((BLOCK_O,), tl.float32), tl.zeros((BLOCK_O,), tl.float32)
    for tile in range(program, n_tiles, tl.num_programs(0)):
        pixel = tile * BLOCK_P + tl.arange(0, BLOCK_P)
        is_pixel = pixel < n_pixels
        column = (pixel % out_width) * column_stride + first_column
        row = (pixel // out_width % out_height) * row_stride + first_row
        image = pixel // (out_width * out_height)
        total = tl.zeros((BLOCK_P, BLOCK_C), tl.float32)
        for i in range(N_ROWS):
            seen_row = row + i * row_dilation
            is_row = is_pixel & (seen_row >= 0) & (seen_row < height)
            for j in tl.static_range(N_COLUMNS):
                seen_column = column + j * column_dilation
                is_seen = is_row & (seen_column >= 0) & (seen_column < width)
                place = (image * height + seen_row) * width + seen_column
                seen = tl.load(
                    x + place[:, None] * n_channels + channel[None, :], is_seen[:, None] & is_channel[None, :], 0.0
                ).to(tl.float32)
                if IS_NORMALIZED:
                    seen = tl.where(is_seen[:, None], seen * scale + shift, 0.0)
                tap = tl.load(taps + channel * (N_ROWS * N_COLUMNS) + i * N_COLUMNS + j, is_channel, 0.0)
                total += rectified(seen) * tap[None, :]
        rounded = total.to(z.dtype.element_ty)
        tl.store(z + pixel[:, None] * n_channels + channel[None, :], rounded, is_pixel[:, None] & is_channel[None, :])
        product = tl.dot(rounded, factors, input_precision=PRECISION).to(y.dtype.element_ty)
        tl.store(
            y + pixel[:, None] * n_out_channels + out_channel[None, :], product, is_pixel[:, None] & is_out[None, :]
        )
        # Rounded, as whoever reads it sees it; pixels beyond the last one are 0.
        product = product.to(tl.float32)
        some = tl.minimum(n_pixels - tile * BLOCK_P, BLOCK_P).to(tl.float32)
        some_mean = tl.sum(product, 0) / some
        around = tl.where(is_pixel[:, None], product - some_mean[None, :], 0.0)
        off = some_mean - mean
        squares += tl.sum(around * around, 0) + off * off * (count * some / (count + some))
        mean += off * (some / (count + some))
        count += some
    moment = moments + program * 3 * n_out_channels + out_channel
    tl.store(moment, tl.zeros((BLOCK_O,), tl.float32) + count, is_out)
    tl.store(moment + n_out_channels, mean, is_out)
    tl.store(moment + 2 * n_out_channels, squares, is_out)


@triton.jit
def product_gradients(
    gradient,
    y,
    mean_and_inverse,
    coefficients,
    matrix,
    z,
    z_gradient,
    matrix_gradients,
    n_pixels,
    n_tiles,
    CHANNELS: tl.constexpr,
    OUT_CHANNELS: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_C: tl.constexpr,
    BLOCK_O: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Back through normalization and product: the gradient of z, and what each program's tiles contribute to that of
    the matrix, `(programs, groups * out_channels, channels)`.
    """
    program, group, n_groups = tl.program_id(0), tl.program_id(1), tl.num_programs(1)
    within, out = tl.arange(0, BLOCK_C), tl.arange(0, BLOCK_O)
    is_channel, is_out = within < CHANNELS, out < OUT_CHANNELS
    channel, out_channel = group * CHANNELS + within, group * OUT_CHANNELS + out
    n_channels, n_out_channels = n_groups * CHANNELS, n_groups * OUT_CHANNELS
    mean = tl.load(mean_and_inverse + out_channel, is_out, 0.0)[None, :]
    a = tl.load(coefficients + out_channel, is_out, 0.0)[None, :]
    b = tl.load(coefficients + n_out_channels + out_channel, is_out, 0.0)[None, :]
    c = tl.load(coefficients + 2 * n_out_channels + out_channel, is_out, 0.0)[None, :]
    is_factor = is_out[:, None] & is_channel[None, :]
    place = out_channel[:, None] * CHANNELS + within[None, :]
    factors = tl.load(matrix + place, is_factor, 0.0).to(z.dtype.element_ty)
    total = tl.zeros((BLOCK_O, BLOCK_C), tl.float32)
    for tile in range(program, n_tiles, tl.num_programs(0)):
        pixel = tile * BLOCK_P + tl.arange(0, BLOCK_P)
        is_pixel = pixel < n_pixels
        mask = is_pixel[:, None] & is_out[None, :]
        at_out = pixel[:, None] * n_out_channels + out_channel[None, :]
        got = tl.load(gradient + at_out, mask, 0.0).to(tl.float32)
        around = tl.load(y + at_out, mask, 0.0).to(tl.float32) - mean
        got = tl.where(mask, a * got - b - c * around, 0.0).to(z.dtype.element_ty)
        at = pixel[:, None] * n_channels + channel[None, :]
        mask = is_pixel[:, None] & is_channel[None, :]
        passed = tl.dot(got, factors, input_precision=PRECISION)
        tl.store(z_gradient + at, passed.to(z_gradient.dtype.element_ty), mask)
        seen = tl.load(z + at, mask, 0.0)
        total += tl.dot(tl.trans(got), seen, input_precision=PRECISION)
    tl.store(matrix_gradients + program * n_out_channels * CHANNELS + place, total, is_factor)


@triton.jit
def depthwise_input_gradient(
    z_gradient,
    x,
    affine,
    mean_and_inverse,
    taps,
    x_gradient,
    sums,
    n_pixels,
    n_tiles,
    height,
    width,
    out_height,
    out_width,
    first_row,
    first_column,
    row_stride,
    column_stride,
    row_dilation,
    column_dilation,
    IS_NORMALIZED: tl.constexpr,
    N_ROWS: tl.constexpr,
    N_COLUMNS: tl.constexpr,
    CHANNELS: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """Back through depthwise convolution and ReLU: the gradient of what the ReLU was of.

    Where x was normalized first, its sums for that normalization's gradient, too, as of `normalization_sums`.
    """
    program, group, n_groups = tl.program_id(0), tl.program_id(1), tl.num_programs(1)
    within = tl.arange(0, BLOCK_C)
    is_channel = within < CHANNELS
    channel = group * CHANNELS + within
    n_channels = n_groups * CHANNELS
    scale, shift = tl.zeros((1, BLOCK_C), tl.float32), tl.zeros((1, BLOCK_C), tl.float32)
    mean = tl.zeros((1, BLOCK_C), tl.float32)
    if IS_NORMALIZED:
        scale = tl.load(affine + channel, is_channel, 0.0)[None, :]
        shift = tl.load(affine + n_channels + channel, is_channel, 0.0)[None, :]
        mean = tl.load(mean_and_inverse + channel, is_channel, 0.0)[None, :]
    sum_, product = tl.zeros((BLOCK_C,), tl.float32), tl.zeros((BLOCK_C,), tl.float32)
    for tile in range(program, n_tiles, tl.num_programs(0)):
        pixel = tile * BLOCK_P + tl.arange(0, BLOCK_P)
        is_pixel = pixel < n_pixels
        column = pixel % width - first_column
        row = pixel // width % height - first_row
        image = pixel // (width * height)
        total = tl.zeros((BLOCK_P, BLOCK_C), tl.float32)
        for i in range(N_ROWS):
            rows = row - i * row_dilation
            is_row = is_pixel & (rows >= 0) & (rows % row_stride == 0) & (rows // row_stride < out_height)
            for j in tl.static_range(N_COLUMNS):
                columns = column - j * column_dilation
                is_seen = is_row & (columns >= 0) & (columns % column_stride == 0)
                is_seen = is_seen & (columns // column_stride < out_width)
                place = (image * out_height + rows // row_stride) * out_width + columns // column_stride
                got = tl.load(
                    z_gradient + place[:, None] * n_channels + channel[None, :],
                    is_seen[:, None] & is_channel[None, :],
                    0.0,
                ).to(tl.float32)
                tap = tl.load(taps + channel * (N_ROWS * N_COLUMNS) + i * N_COLUMNS + j, is_channel, 0.0)
                total += got * tap[None, :]
        mask = is_pixel[:, None] & is_channel[None, :]
        at = pixel[:, None] * n_channels + channel[None, :]
        before = tl.load(x + at, mask, 0.0).to(tl.float32)
        read = before
        if IS_NORMALIZED:
            read = before * scale + shift
        passed = tl.where(mask & ~(read <= 0.0), total, 0.0).to(x_gradient.dtype.element_ty)
        tl.store(x_gradient + at, passed, mask)
        if IS_NORMALIZED:
            rounded = passed.to(tl.float32)  # as whoever reads it sees it
            sum_ += tl.sum(rounded, 0)
            product += tl.sum(rounded * (before - mean), 0)
    if IS_NORMALIZED:
        inverse = tl.load(mean_and_inverse + n_channels + channel, is_channel, 0.0)
        store = sums + program * 2 * n_channels + channel
        tl.store(store, sum_, is_channel)
        tl.store(store + n_channels, product * inverse, is_channel)


@triton.jit
def taps_gradient(
    z_gradient,
    x,
    affine,
    parts,
    n_pixels,
    n_tiles,
    height,
    width,
    out_height,
    out_width,
    first_row,
    first_column,
    row_stride,
    column_stride,
    row_dilation,
    column_dilation,
    IS_NORMALIZED: tl.constexpr,
    N_ROWS: tl.constexpr,
    N_COLUMNS: tl.constexpr,
    CHANNELS: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_C: tl.constexpr,
    BLOCK_J: tl.constexpr,
):
    """What a program's pixels of z contribute to the gradient of one row of taps.

    Parts are `(programs, N_ROWS * N_COLUMNS, groups * channels)`; BLOCK_J is a power of two that N_COLUMNS fits into.
    """
    program, group, i = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    within = tl.arange(0, BLOCK_C)
    is_channel = within < CHANNELS
    channel = group * CHANNELS + within
    n_channels = tl.num_programs(1) * CHANNELS
    scale, shift = tl.zeros((1, 1, BLOCK_C), tl.float32), tl.zeros((1, 1, BLOCK_C), tl.float32)
    if IS_NORMALIZED:
        scale = tl.load(affine + channel, is_channel, 0.0)[None, None, :]
        shift = tl.load(affine + n_channels + channel, is_channel, 0.0)[None, None, :]
    j = tl.arange(0, BLOCK_J)
    total = tl.zeros((BLOCK_J, BLOCK_P, BLOCK_C), tl.float32)
    for tile in range(program, n_tiles, tl.num_programs(0)):
        pixel = tile * BLOCK_P + tl.arange(0, BLOCK_P)
        is_pixel = pixel < n_pixels
        row = (pixel // out_width % out_height) * row_stride + first_row + i * row_dilation
        column = ((pixel % out_width) * column_stride + first_column)[None, :] + (j * column_dilation)[:, None]
        is_seen = (is_pixel & (row >= 0) & (row < height))[None, :] & (column >= 0) & (column < width)
        is_seen = is_seen & (j < N_COLUMNS)[:, None]
        place = ((pixel // (out_width * out_height) * height + row) * width)[None, :] + column
        seen = tl.load(
            x + place[:, :, None] * n_channels + channel[None, None, :],
            is_seen[:, :, None] & is_channel[None, None, :],
            0.0,
        ).to(tl.float32)
        if IS_NORMALIZED:
            seen = tl.where(is_seen[:, :, None], seen * scale + shift, 0.0)
        got = tl.load(
            z_gradient + pixel[:, None] * n_channels + channel[None, :], is_pixel[:, None] & is_channel[None, :], 0.0
        ).to(tl.float32)
        total += rectified(seen) * got[None, :, :]
    store = parts + ((program * N_ROWS + i) * N_COLUMNS + j)[:, None] * n_channels + channel[None, :]
    tl.store(store, tl.sum(total, 1), (j < N_COLUMNS)[:, None] & is_channel[None, :])
