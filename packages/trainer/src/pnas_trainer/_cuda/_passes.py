from functools import cache
from types import ModuleType
from typing import NamedTuple, Self

import torch
from torch import Tensor

from pnas_trainer._cuda._layer import Separable, block, pixels_of_tile

_MOST_PROGRAMS = 256
"""That share a group's tiles, and leave a sum each: about two for every multiprocessor of a large GPU."""
_PARTS_AT_ONCE = 128
_CHANNELS_AT_ONCE = 32
"""Of those sums, that are added up."""
_OPTIONS = {"num_warps": 4, "enable_fp_fusion": True}
_WIDE = {"num_warps": 8, "enable_fp_fusion": True}


class Tiles(NamedTuple):
    """How the pixels of some maps are shared out: `n` tiles of `size` pixels, taken in turns by so many programs."""

    n_pixels: int
    size: int
    n: int
    n_programs: int

    @classmethod
    def of(cls, maps: Tensor, layer: Separable, channels: int, *, at_least: int = 16, share: int = 1) -> Self:
        """With so many channels in a tile, of which `share` times as many programs are at work."""
        n_pixels, size = len(maps) * maps.shape[2] * maps.shape[3], pixels_of_tile(channels, at_least)
        n = _n_parts(n_pixels, size)
        return cls(n_pixels, size, n, min(n, max(1, _MOST_PROGRAMS // (layer.groups * share))))


class Maps(NamedTuple):
    """Feature maps `(N, C, H, W)` in `channels_last`, as they are, or as they are before their normalization.

    `statistics` are their means and inverse standard deviations, `(2, C)`; `affine` is the scale and shift `(2, C)`
    that normalizes them.
    """

    pixels: Tensor
    statistics: Tensor | None = None
    affine: Tensor | None = None


def forward(layer: Separable, x: Maps) -> tuple[Tensor, Maps]:
    """What the depthwise convolution gives, and what the layer gives."""
    z, y = layer.empty_input_map(x.pixels), layer.empty_output_map(x.pixels)
    blocks = block(layer.channels), block(layer.out_channels)
    tiles = Tiles.of(y, layer, max(blocks))
    n_channels = y.shape[1]
    moments = _empty(x, tiles.n_programs, 3, n_channels)
    _kernels().forward[tiles.n_programs, layer.groups](
        x.pixels,
        x.pixels if x.affine is None else x.affine,
        layer.depthwise,
        layer.pointwise,
        z,
        y,
        moments,
        tiles.n_pixels,
        tiles.n,
        *x.pixels.shape[2:],
        *y.shape[2:],
        *layer.window,
        **_form(layer, x),
        OUT_CHANNELS=layer.out_channels,
        BLOCK_P=tiles.size,
        BLOCK_C=blocks[0],
        BLOCK_O=blocks[1],
        PRECISION=layer.precision,
        **_OPTIONS,
    )
    norm = layer.norm
    # Activation checkpointing takes the counter away where it computes a layer for the second time.
    counter = norm.num_batches_tracked
    statistics, affine = _empty(x, 2, n_channels), _empty(x, 2, n_channels)
    _kernels().statistics[(_n_parts(n_channels, _CHANNELS_AT_ONCE),)](
        moments,
        norm.weight,
        norm.bias,
        norm.running_mean,
        norm.running_var,
        norm.running_mean if counter is None else counter,
        statistics,
        affine,
        tiles.n_programs,
        tiles.n_pixels,
        n_channels,
        0 if counter is None else counter.numel(),
        float(norm.momentum or 0.0),
        norm.eps,
        BLOCK_T=_PARTS_AT_ONCE,
        BLOCK_C=_CHANNELS_AT_ONCE,
        **_OPTIONS,
    )
    return z, Maps(y, statistics, affine)


def normalized(layer: Separable, y: Maps) -> Tensor:
    """A layer's output as others read it."""
    out = torch.empty_like(y.pixels)
    channels = block(layer.out_channels)
    tiles = Tiles.of(out, layer, channels)
    _kernels().normalize[tiles.n, layer.groups](
        y.pixels,
        y.affine,
        out,
        tiles.n_pixels,
        CHANNELS=layer.out_channels,
        BLOCK_P=tiles.size,
        BLOCK_C=channels,
        **_OPTIONS,
    )
    return out


def normalization_sums(layer: Separable, gradient: Tensor, y: Maps) -> Tensor:
    """Of the gradient of a layer's output, what the gradients of its normalization depend on: `(programs, 2, C)`."""
    channels = block(layer.out_channels)
    tiles = Tiles.of(gradient, layer, channels)
    sums = _empty(y, tiles.n_programs, 2, gradient.shape[1])
    _kernels().normalization_sums[tiles.n_programs, layer.groups](
        gradient,
        y.pixels,
        y.statistics,
        sums,
        tiles.n_pixels,
        tiles.n,
        CHANNELS=layer.out_channels,
        BLOCK_P=tiles.size,
        BLOCK_C=channels,
        **_OPTIONS,
    )
    return sums


def backward(
    layer: Separable, x: Maps, z: Tensor, y: Maps, gradient: Tensor, sums: Tensor
) -> tuple[Tensor, Tensor | None, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Of the gradient of a layer's output and its `normalization_sums`, those of its input and of its parameters."""
    coefficients, of_norm = _through_normalization(layer, y, sums)
    z_gradient, of_pointwise = _through_product(layer, z, y, gradient, coefficients)
    x_gradient, sums_of_x = _through_depthwise(layer, x, z_gradient)
    return x_gradient, sums_of_x, (_of_taps(layer, x, z_gradient), of_pointwise, *of_norm)


def _through_normalization(layer: Separable, y: Maps, sums: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    n_channels = sums.shape[2]
    coefficients = _empty(y, 3, n_channels)
    of_weight, of_bias = torch.empty_like(layer.norm.weight), torch.empty_like(layer.norm.bias)
    _kernels().normalization_gradients[(_n_parts(n_channels, _CHANNELS_AT_ONCE),)](
        sums,
        layer.norm.weight,
        y.statistics,
        of_weight,
        of_bias,
        coefficients,
        len(sums),
        y.pixels[:, 0].numel(),
        n_channels,
        BLOCK_T=_PARTS_AT_ONCE,
        BLOCK_C=_CHANNELS_AT_ONCE,
        **_OPTIONS,
    )
    return coefficients, (of_weight, of_bias)


def _through_product(
    layer: Separable, z: Tensor, y: Maps, gradient: Tensor, coefficients: Tensor
) -> tuple[Tensor, Tensor]:
    blocks = block(layer.channels), block(layer.out_channels)
    tiles = Tiles.of(z, layer, max(blocks))
    z_gradient = torch.empty_like(z)
    parts = _empty(y, tiles.n_programs, *layer.pointwise.shape)
    _kernels().product_gradients[tiles.n_programs, layer.groups](
        gradient,
        y.pixels,
        y.statistics,
        coefficients,
        layer.pointwise,
        z,
        z_gradient,
        parts,
        tiles.n_pixels,
        tiles.n,
        CHANNELS=layer.channels,
        OUT_CHANNELS=layer.out_channels,
        BLOCK_P=tiles.size,
        BLOCK_C=blocks[0],
        BLOCK_O=blocks[1],
        PRECISION=layer.precision,
        **_WIDE,
        num_stages=1,  # more of them take so much shared memory that a multiprocessor has room for one program alone
    )
    return z_gradient, parts.sum(0)


def _through_depthwise(layer: Separable, x: Maps, z_gradient: Tensor) -> tuple[Tensor, Tensor | None]:
    channels = block(layer.channels)
    tiles = Tiles.of(x.pixels, layer, channels)
    x_gradient = torch.empty_like(x.pixels)
    sums = _empty(x, tiles.n_programs, 2, x.pixels.shape[1])
    _kernels().depthwise_input_gradient[tiles.n_programs, layer.groups](
        z_gradient,
        x.pixels,
        sums if x.affine is None else x.affine,  # what is not read has to be a pointer all the same
        sums if x.statistics is None else x.statistics,
        layer.depthwise,
        x_gradient,
        sums,
        tiles.n_pixels,
        tiles.n,
        *x.pixels.shape[2:],
        *z_gradient.shape[2:],
        *layer.window,
        **_form(layer, x),
        BLOCK_P=tiles.size,
        BLOCK_C=channels,
        **_OPTIONS,
    )
    return x_gradient, None if x.affine is None else sums


def _of_taps(layer: Separable, x: Maps, z_gradient: Tensor) -> Tensor:
    channels, n_rows, n_columns = block(layer.channels), layer.rows.n_taps, layer.columns.n_taps
    columns = 1 << (n_columns - 1).bit_length()
    tiles = Tiles.of(z_gradient, layer, channels * columns, at_least=2, share=n_rows)
    parts = _empty(x, tiles.n_programs, n_rows * n_columns, z_gradient.shape[1])
    _kernels().taps_gradient[tiles.n_programs, layer.groups, n_rows](
        z_gradient,
        x.pixels,
        parts if x.affine is None else x.affine,
        parts,
        tiles.n_pixels,
        tiles.n,
        *x.pixels.shape[2:],
        *z_gradient.shape[2:],
        *layer.window,
        **_form(layer, x),
        BLOCK_P=tiles.size,
        BLOCK_C=channels,
        BLOCK_J=columns,
        **_OPTIONS,
    )
    return parts.sum(0).t().reshape(layer.depthwise.shape)


def _form(layer: Separable, x: Maps) -> dict[str, int | bool]:
    """What kernels of a depthwise convolution are compiled for."""
    return {"IS_NORMALIZED": x.affine is not None, **layer.kernel_size, "CHANNELS": layer.channels}


@cache
def _kernels() -> ModuleType:
    """Imported where they are needed: not every PyTorch comes with Triton."""
    from pnas_trainer._cuda import _kernels as kernels

    return kernels


def _empty(like: Maps, *shape: int) -> Tensor:
    return torch.empty(shape, dtype=torch.float32, device=like.pixels.device)


def _n_parts(n: int, size: int) -> int:
    return -(-n // size)
