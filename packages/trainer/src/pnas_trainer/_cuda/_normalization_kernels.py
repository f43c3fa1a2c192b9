"""Batch normalization from the sums that others leave, and sums for its gradients."""

import triton
import triton.language as tl


@triton.jit
def statistics(
    moments,
    weight,
    bias,
    running_mean,
    running_var,
    counter,
    mean_and_inverse,
    affine,
    n_parts,
    n_pixels,
    n_channels,
    n_counters,
    momentum,
    epsilon,
    BLOCK_T: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """From the moments of all programs: mean and inverse standard deviation `(2, channels)`, and the scale and shift
    `(2, channels)` that normalize; running statistics and counters move.
    """
    channel = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    is_channel = channel < n_channels
    total = tl.zeros((BLOCK_C,), tl.float32)
    for begin in range(0, n_parts, BLOCK_T):
        part = begin + tl.arange(0, BLOCK_T)
        mask = (part < n_parts)[:, None] & is_channel[None, :]
        place = moments + part[:, None] * 3 * n_channels + channel[None, :]
        total += tl.sum(tl.load(place, mask, 0.0) * tl.load(place + n_channels, mask, 0.0), 0)
    mean = total / n_pixels
    squares = tl.zeros((BLOCK_C,), tl.float32)
    for begin in range(0, n_parts, BLOCK_T):
        part = begin + tl.arange(0, BLOCK_T)
        mask = (part < n_parts)[:, None] & is_channel[None, :]
        place = moments + part[:, None] * 3 * n_channels + channel[None, :]
        off = tl.load(place + n_channels, mask, 0.0) - mean[None, :]
        squares += tl.sum(tl.load(place + 2 * n_channels, mask, 0.0) + off * off * tl.load(place, mask, 0.0), 0)
    inverse = 1.0 / tl.sqrt(squares / n_pixels + epsilon)
    tl.store(mean_and_inverse + channel, mean, is_channel)
    tl.store(mean_and_inverse + n_channels + channel, inverse, is_channel)
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
    mean_and_inverse,
    sums,
    n_pixels,
    n_tiles,
    CHANNELS: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """Over a program's pixels, those of the gradient and of its product with the normalized y: `(programs, 2,
    channels)`.
    """
    program, group, n_channels = tl.program_id(0), tl.program_id(1), tl.num_programs(1) * CHANNELS
    within = tl.arange(0, BLOCK_C)
    is_channel = within < CHANNELS
    channel = group * CHANNELS + within
    mean = tl.load(mean_and_inverse + channel, is_channel, 0.0)[None, :]
    inverse = tl.load(mean_and_inverse + n_channels + channel, is_channel, 0.0)
    total, product = tl.zeros((BLOCK_P, BLOCK_C), tl.float32), tl.zeros((BLOCK_P, BLOCK_C), tl.float32)
    for tile in range(program, n_tiles, tl.num_programs(0)):
        pixel = tile * BLOCK_P + tl.arange(0, BLOCK_P)
        mask = (pixel < n_pixels)[:, None] & is_channel[None, :]
        place = pixel[:, None] * n_channels + channel[None, :]
        got = tl.load(gradient + place, mask, 0.0).to(tl.float32)
        total += got
        product += got * (tl.load(y + place, mask, 0.0).to(tl.float32) - mean)
    store = sums + program * 2 * n_channels + channel
    tl.store(store, tl.sum(total, 0), is_channel)
    tl.store(store + n_channels, tl.sum(product, 0) * inverse, is_channel)


@triton.jit
def normalization_gradients(
    sums,
    weight,
    mean_and_inverse,
    weight_gradient,
    bias_gradient,
    coefficients,
    n_parts,
    n_pixels,
    n_channels,
    BLOCK_T: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """From the sums of all programs: the gradients of weight and bias, and the coefficients `(3, channels)` with which
    the gradient of y is `a * gradient - b - c * (y - mean)`.
    """
    channel = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    is_channel = channel < n_channels
    total, product = tl.zeros((BLOCK_C,), tl.float32), tl.zeros((BLOCK_C,), tl.float32)
    for begin in range(0, n_parts, BLOCK_T):
        part = begin + tl.arange(0, BLOCK_T)
        mask = (part < n_parts)[:, None] & is_channel[None, :]
        place = sums + part[:, None] * 2 * n_channels + channel[None, :]
        total += tl.sum(tl.load(place, mask, 0.0), 0)
        product += tl.sum(tl.load(place + n_channels, mask, 0.0), 0)
    tl.store(weight_gradient + channel, product, is_channel)
    tl.store(bias_gradient + channel, total, is_channel)
    inverse = tl.load(mean_and_inverse + n_channels + channel, is_channel, 0.0)
    scale = tl.load(weight + channel, is_channel, 0.0) * inverse
    tl.store(coefficients + channel, scale, is_channel)
    tl.store(coefficients + n_channels + channel, scale * total / n_pixels, is_channel)
    tl.store(coefficients + 2 * n_channels + channel, scale * inverse * product / n_pixels, is_channel)
