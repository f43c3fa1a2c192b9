"""Layers of ReLU, depthwise convolution, 1x1 convolution and batch normalization, with little memory traffic.

That is what limits them on a GPU, so what can be computed as a map is read is not written: the ReLU, and the
normalization before it. Statistics are those of the tile that is being written. Nothing is added up by atomics: the
same inputs give the same bits.

Maps are `(pixels, groups * channels)`, as `channels_last` lies in memory. A program computes BLOCK_P pixels of all
channels of one group, in blocks that are padded to a power of two. Output row `h` and tap `i` of a convolution see row
`first_row + row_stride * h + row_dilation * i`, and the same for columns. Sums are float32.
"""

import triton
import triton.language as tl


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
    """`z`, the depthwise convolution of ReLU(x); `y`, its product with the matrix; and the moments of y's tile.

    x `(N * height * width, groups * channels)`; affine, where it is normalized first, its scale and shift `(2, groups *
    channels)`; taps `(groups * channels, N_ROWS * N_COLUMNS)`; matrix `(groups * out_channels, channels)`; moments
    `(tiles, 2, groups * out_channels)`: the mean, and the sum of squares around it.
    """
    tile, group, n_groups = tl.program_id(0), tl.program_id(1), tl.num_programs(1)
    pixel = tile * BLOCK_P + tl.arange(0, BLOCK_P)
    is_pixel = pixel < n_pixels
    column = (pixel % out_width) * column_stride + first_column
    row = (pixel // out_width % out_height) * row_stride + first_row
    image = pixel // (out_width * out_height)
    within = tl.arange(0, BLOCK_C)
    is_channel = within < CHANNELS
    channel = group * CHANNELS + within
    n_channels = n_groups * CHANNELS
    total = tl.zeros((BLOCK_P, BLOCK_C), tl.float32)
    if IS_NORMALIZED:
        scale = tl.load(affine + channel, is_channel, 0.0)[None, :]
        shift = tl.load(affine + n_channels + channel, is_channel, 0.0)[None, :]
    for i in range(N_ROWS):
        seen_row = row + i * row_dilation
        is_row = is_pixel & (seen_row >= 0) & (seen_row < height)
        for j in tl.static_range(N_COLUMNS):
            seen_column = column + j * column_dilation
            is_seen = is_row & (seen_column >= 0) & (seen_column < width)
            mask = is_seen[:, None] & is_channel[None, :]
            place = (image * height + seen_row) * width + seen_column
            seen = tl.load(x + place[:, None] * n_channels + channel[None, :], mask, 0.0)
            if IS_NORMALIZED:
                positive = tl.where(is_seen[:, None], tl.maximum(seen.to(tl.float32) * scale + shift, 0.0), 0.0)
            else:
                positive = tl.maximum(seen, 0.0).to(tl.float32)
            tap = tl.load(taps + channel * (N_ROWS * N_COLUMNS) + i * N_COLUMNS + j, is_channel, 0.0)
            total += positive * tap[None, :]
    rounded = total.to(z.dtype.element_ty)
    tl.store(z + pixel[:, None] * n_channels + channel[None, :], rounded, is_pixel[:, None] & is_channel[None, :])

    out = tl.arange(0, BLOCK_O)
    is_out = out < OUT_CHANNELS
    out_channel = group * OUT_CHANNELS + out
    n_out_channels = n_groups * OUT_CHANNELS
    factors = tl.load(
        matrix + out_channel[None, :] * CHANNELS + within[:, None], is_channel[:, None] & is_out[None, :], 0.0
    )
    product = tl.dot(rounded, factors.to(rounded.dtype), input_precision=PRECISION).to(y.dtype.element_ty)
    tl.store(y + pixel[:, None] * n_out_channels + out_channel[None, :], product, is_pixel[:, None] & is_out[None, :])

    product = product.to(tl.float32)  # rounded, as whoever reads it sees it; pixels beyond the last one are 0
    mean = tl.sum(product, 0) / tl.minimum(n_pixels - tile * BLOCK_P, BLOCK_P)
    around = tl.where(is_pixel[:, None], product - mean[None, :], 0.0)
    moment = moments + tile * 2 * n_out_channels + out_channel
    tl.store(moment, mean, is_out)
    tl.store(moment + n_out_channels, tl.sum(around * around, 0), is_out)


@triton.jit
def statistics(
    moments,
    weight,
    bias,
    running_mean,
    running_var,
    counter,
    mean_and_scale,
    affine,
    n_tiles,
    n_pixels,
    n_channels,
    n_counters,
    momentum,
    epsilon,
    TILE: tl.constexpr,
    BLOCK_T: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """From the moments of tiles of TILE pixels: mean and inverse standard deviation `(2, channels)`, and the scale and
    shift `(2, channels)` that normalize; running statistics and counters move.
    """
    channel = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    is_channel = channel < n_channels
    total = tl.zeros((BLOCK_C,), tl.float32)
    for begin in range(0, n_tiles, BLOCK_T):
        tile = begin + tl.arange(0, BLOCK_T)
        mask = (tile < n_tiles)[:, None] & is_channel[None, :]
        means = tl.load(moments + tile[:, None] * 2 * n_channels + channel[None, :], mask, 0.0)
        count = tl.minimum(n_pixels - tile * TILE, TILE).to(tl.float32)
        total += tl.sum(means * count[:, None], 0)
    mean = total / n_pixels
    squares = tl.zeros((BLOCK_C,), tl.float32)
    for begin in range(0, n_tiles, BLOCK_T):
        tile = begin + tl.arange(0, BLOCK_T)
        mask = (tile < n_tiles)[:, None] & is_channel[None, :]
        place = moments + tile[:, None] * 2 * n_channels + channel[None, :]
        means, around = tl.load(place, mask, 0.0), tl.load(place + n_channels, mask, 0.0)
        count = tl.minimum(n_pixels - tile * TILE, TILE).to(tl.float32)
        off = means - mean[None, :]
        squares += tl.sum(tl.where(mask, around + off * off * count[:, None], 0.0), 0)
    variance = squares / n_pixels
    inverse = 1.0 / tl.sqrt(variance + epsilon)
    tl.store(mean_and_scale + channel, mean, is_channel)
    tl.store(mean_and_scale + n_channels + channel, inverse, is_channel)
    scale = tl.load(weight + channel, is_channel, 0.0) * inverse
    tl.store(affine + channel, scale, is_channel)
    tl.store(affine + n_channels + channel, tl.load(bias + channel, is_channel, 0.0) - mean * scale, is_channel)
    old_mean = tl.load(running_mean + channel, is_channel, 0.0)
    old_var = tl.load(running_var + channel, is_channel, 0.0)
    unbiased = squares / (n_pixels - 1)
    tl.store(running_mean + channel, old_mean + momentum * (mean - old_mean), is_channel)
    tl.store(running_var + channel, old_var + momentum * (unbiased - old_var), is_channel)
    is_counter = channel < n_counters
    tl.store(counter + channel, tl.load(counter + channel, is_counter, 0) + 1, is_counter)


@triton.jit
def normalize(y, affine, out, n_pixels, CHANNELS: tl.constexpr, BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr):
    """`out = y * scale + shift`."""
    group, n_channels = tl.program_id(1), tl.num_programs(1) * CHANNELS
    pixel = tl.program_id(0) * BLOCK_P + tl.arange(0, BLOCK_P)
    within = tl.arange(0, BLOCK_C)
    is_channel = within < CHANNELS
    channel = group * CHANNELS + within
    mask = (pixel < n_pixels)[:, None] & is_channel[None, :]
    place = pixel[:, None] * n_channels + channel[None, :]
    scale = tl.load(affine + channel, is_channel, 0.0)
    shift = tl.load(affine + n_channels + channel, is_channel, 0.0)
    normalized = tl.load(y + place, mask, 0.0).to(tl.float32) * scale[None, :] + shift[None, :]
    tl.store(out + place, normalized.to(out.dtype.element_ty), mask)


@triton.jit
def normalization_sums(
    gradient,
    y,
    mean_and_scale,
    sums,
    n_pixels,
    CHANNELS: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """Over a tile's pixels, those of the gradient and of its product with the normalized y: `(tiles, 2, channels)`."""
    tile, group, n_channels = tl.program_id(0), tl.program_id(1), tl.num_programs(1) * CHANNELS
    pixel = tile * BLOCK_P + tl.arange(0, BLOCK_P)
    within = tl.arange(0, BLOCK_C)
    is_channel = within < CHANNELS
    channel = group * CHANNELS + within
    mask = (pixel < n_pixels)[:, None] & is_channel[None, :]
    place = pixel[:, None] * n_channels + channel[None, :]
    mean = tl.load(mean_and_scale + channel, is_channel, 0.0)
    inverse = tl.load(mean_and_scale + n_channels + channel, is_channel, 0.0)
    got = tl.load(gradient + place, mask, 0.0).to(tl.float32)
    normalized = (tl.load(y + place, mask, 0.0).to(tl.float32) - mean[None, :]) * inverse[None, :]
    store = sums + tile * 2 * n_channels + channel
    tl.store(store, tl.sum(got, 0), is_channel)
    tl.store(store + n_channels, tl.sum(got * normalized, 0), is_channel)


@triton.jit
def normalization_gradients(
    sums,
    weight,
    mean_and_scale,
    weight_gradient,
    bias_gradient,
    coefficients,
    n_tiles,
    n_pixels,
    n_channels,
    BLOCK_T: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """From the sums of all tiles: the gradients of weight and bias, and the coefficients `(3, channels)` with which
    the gradient of y is `a * gradient - b - c * (y - mean)`.
    """
    channel = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    is_channel = channel < n_channels
    total, product = tl.zeros((BLOCK_C,), tl.float32), tl.zeros((BLOCK_C,), tl.float32)
    for begin in range(0, n_tiles, BLOCK_T):
        tile = begin + tl.arange(0, BLOCK_T)
        mask = (tile < n_tiles)[:, None] & is_channel[None, :]
        place = sums + tile[:, None] * 2 * n_channels + channel[None, :]
        total += tl.sum(tl.load(place, mask, 0.0), 0)
        product += tl.sum(tl.load(place + n_channels, mask, 0.0), 0)
    tl.store(weight_gradient + channel, product, is_channel)
    tl.store(bias_gradient + channel, total, is_channel)
    inverse = tl.load(mean_and_scale + n_channels + channel, is_channel, 0.0)
    scale = tl.load(weight + channel, is_channel, 0.0) * inverse
    tl.store(coefficients + channel, scale, is_channel)
    tl.store(coefficients + n_channels + channel, scale * total / n_pixels, is_channel)
    tl.store(coefficients + 2 * n_channels + channel, scale * inverse * product / n_pixels, is_channel)


@triton.jit
def product_gradients(
    gradient,
    y,
    mean_and_scale,
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
    mean = tl.load(mean_and_scale + out_channel, is_out, 0.0)[None, :]
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
def depthwise_gradients(
    z_gradient,
    x,
    affine,
    mean_and_scale,
    taps,
    x_gradient,
    taps_gradients,
    sums,
    n_pixels,
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
    """Back through depthwise convolution and ReLU: the gradient of what the ReLU was of, and what each tile of x
    contributes to that of the taps, `(tiles, N_ROWS * N_COLUMNS, groups * channels)`.

    Where x was normalized first, the tiles' sums for that normalization's gradient, too, as of `normalization_sums`.
    """
    tile, group, n_groups = tl.program_id(0), tl.program_id(1), tl.num_programs(1)
    pixel = tile * BLOCK_P + tl.arange(0, BLOCK_P)
    is_pixel = pixel < n_pixels
    column = pixel % width - first_column
    row = pixel // width % height - first_row
    image = pixel // (width * height)
    within = tl.arange(0, BLOCK_C)
    is_channel = within < CHANNELS
    channel = group * CHANNELS + within
    n_channels = n_groups * CHANNELS
    mask = is_pixel[:, None] & is_channel[None, :]
    at = pixel[:, None] * n_channels + channel[None, :]
    before = tl.load(x + at, mask, 0.0).to(tl.float32)
    read = before
    if IS_NORMALIZED:
        scale = tl.load(affine + channel, is_channel, 0.0)[None, :]
        shift = tl.load(affine + n_channels + channel, is_channel, 0.0)[None, :]
        read = tl.where(mask, before * scale + shift, 0.0)
    positive = tl.maximum(read, 0.0)
    total = tl.zeros((BLOCK_P, BLOCK_C), tl.float32)
    contribution = taps_gradients + tile * (N_ROWS * N_COLUMNS) * n_channels + channel
    for i in range(N_ROWS):
        rows = row - i * row_dilation
        is_row = is_pixel & (rows >= 0) & (rows % row_stride == 0) & (rows // row_stride < out_height)
        for j in tl.static_range(N_COLUMNS):
            columns = column - j * column_dilation
            is_seen = is_row & (columns >= 0) & (columns % column_stride == 0) & (columns // column_stride < out_width)
            place = (image * out_height + rows // row_stride) * out_width + columns // column_stride
            got = tl.load(
                z_gradient + place[:, None] * n_channels + channel[None, :], is_seen[:, None] & is_channel[None, :], 0.0
            ).to(tl.float32)
            tap = tl.load(taps + channel * (N_ROWS * N_COLUMNS) + i * N_COLUMNS + j, is_channel, 0.0)
            total += got * tap[None, :]
            tl.store(contribution + (i * N_COLUMNS + j) * n_channels, tl.sum(got * positive, 0), is_channel)
    passed = tl.where(read > 0.0, total, 0.0).to(x_gradient.dtype.element_ty)
    tl.store(x_gradient + at, passed, mask)
    if IS_NORMALIZED:
        passed = passed.to(tl.float32)  # rounded, as whoever reads it sees it
        mean = tl.load(mean_and_scale + channel, is_channel, 0.0)[None, :]
        inverse = tl.load(mean_and_scale + n_channels + channel, is_channel, 0.0)[None, :]
        store = sums + tile * 2 * n_channels + channel
        tl.store(store, tl.sum(passed, 0), is_channel)
        tl.store(store + n_channels, tl.sum(passed * (before - mean) * inverse, 0), is_channel)
