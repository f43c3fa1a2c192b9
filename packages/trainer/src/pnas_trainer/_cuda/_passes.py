from functools import cache
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor

from pnas_trainer._cuda._layer import Separable, block, n_pixels, pixels_of_tile

_TILES_AT_ONCE = 64
_CHANNELS_AT_ONCE = 32
"""Of those numbers of tiles that are added up."""
_WIDE = {"num_warps": 8, "enable_fp_fusion": True}
"""Options of kernels that keep several tiles in registers: with fewer warps they would not fit."""
_NARROW = {"num_warps": 4, "enable_fp_fusion": True}
_MOST_PROGRAMS = 256
"""That share a group's tiles, where each adds up what its own give: about so many run at a time."""


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
    n, tile, n_channels = n_pixels(y), pixels_of_tile(*blocks), y.shape[1]
    n_tiles = _n_parts(n, tile)
    moments = _empty(x, n_tiles, 2, n_channels)
    _kernels().forward[n_tiles, layer.groups](
        x.pixels,
        x.pixels if x.affine is None else x.affine,
        layer.depthwise,
        layer.pointwise,
        z,
        y,
        moments,
        n,
        *x.pixels.shape[2:],
        *y.shape[2:],
        *layer.window,
        IS_NORMALIZED=x.affine is not None,
        **layer.kernel_size,
        CHANNELS=layer.channels,
        OUT_CHANNELS=layer.out_channels,
        BLOCK_P=tile,
        BLOCK_C=blocks[0],
        BLOCK_O=blocks[1],
        PRECISION=_precision(),
        **_WIDE,
    )
    norm = layer.norm
    statistics, affine = _empty(x, 2, n_channels), _empty(x, 2, n_channels)
    _kernels().statistics[(_n_parts(n_channels, _CHANNELS_AT_ONCE),)](
        moments,
        norm.weight,
        norm.bias,
        norm.running_mean,
        norm.running_var,
        norm.num_batches_tracked,
        statistics,
        affine,
        n_tiles,
        n,
        n_channels,
        norm.num_batches_tracked.numel(),  # type: ignore[union-attr]  # layers are made of such that have one
        norm.momentum,
        norm.eps,
        TILE=tile,
        BLOCK_T=_TILES_AT_ONCE,
        BLOCK_C=_CHANNELS_AT_ONCE,
        **_NARROW,
    )
    return z, Maps(y, statistics, affine)


def normalized(layer: Separable, y: Maps) -> Tensor:
    """A layer's output as others read it."""
    out = torch.empty_like(y.pixels)
    n, channels = n_pixels(out), block(layer.out_channels)
    tile = pixels_of_tile(channels)
    _kernels().normalize[_n_parts(n, tile), layer.groups](
        y.pixels, y.affine, out, n, CHANNELS=layer.out_channels, BLOCK_P=tile, BLOCK_C=channels, **_NARROW
    )
    return out


def normalization_sums(layer: Separable, gradient: Tensor, y: Maps) -> Tensor:
    """Of the gradient of a layer's output, what the gradients of its normalization depend on: `(tiles, 2, C)`."""
    n, channels = n_pixels(gradient), block(layer.out_channels)
    tile = pixels_of_tile(channels)
    sums = _empty(y, _n_parts(n, tile), 2, gradient.shape[1])
    _kernels().normalization_sums[len(sums), layer.groups](
        gradient,
        y.pixels,
        y.statistics,
        sums,
        n,
        CHANNELS=layer.out_channels,
        BLOCK_P=tile,
        BLOCK_C=channels,
        **_NARROW,
    )
    return sums


def backward(
    layer: Separable, x: Maps, z: Tensor, y: Maps, gradient: Tensor, sums: Tensor
) -> tuple[Tensor, Tensor | None, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Of the gradient of a layer's output and its `normalization_sums`, those of its input and of its parameters."""
    coefficients, of_norm = _through_normalization(layer, y, sums)
    z_gradient, of_pointwise = _through_product(layer, z, y, gradient, coefficients)
    x_gradient, of_depthwise, sums_of_x = _through_depthwise(layer, x, z_gradient)
    return x_gradient, sums_of_x, (of_depthwise, of_pointwise, *of_norm)


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
        n_pixels(y.pixels),
        n_channels,
        BLOCK_T=_TILES_AT_ONCE,
        BLOCK_C=_CHANNELS_AT_ONCE,
        **_NARROW,
    )
    return coefficients, (of_weight, of_bias)


def _through_product(
    layer: Separable, z: Tensor, y: Maps, gradient: Tensor, coefficients: Tensor
) -> tuple[Tensor, Tensor]:
    blocks = block(layer.channels), block(layer.out_channels)
    n, tile = n_pixels(z), pixels_of_tile(*blocks)
    n_tiles = _n_parts(n, tile)
    n_programs = min(n_tiles, _MOST_PROGRAMS)
    z_gradient = torch.empty_like(z)
    parts = _empty(y, n_programs, *layer.pointwise.shape)
    _kernels().product_gradients[n_programs, layer.groups](
        gradient,
        y.pixels,
        y.statistics,
        coefficients,
        layer.pointwise,
        z,
        z_gradient,
        parts,
        n,
        n_tiles,
        CHANNELS=layer.channels,
        OUT_CHANNELS=layer.out_channels,
        BLOCK_P=tile,
        BLOCK_C=blocks[0],
        BLOCK_O=blocks[1],
        PRECISION=_precision(),
        **_WIDE,
    )
    return z_gradient, parts.sum(0)


def _through_depthwise(layer: Separable, x: Maps, z_gradient: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
    channels, n_channels = block(layer.channels), z_gradient.shape[1]
    n, tile = n_pixels(x.pixels), pixels_of_tile(channels)
    n_tiles = _n_parts(n, tile)
    x_gradient = torch.empty_like(x.pixels)
    n_taps = layer.rows.n_taps * layer.columns.n_taps
    parts = _empty(x, n_tiles, n_taps, n_channels)
    sums = _empty(x, n_tiles, 2, n_channels) if x.affine is not None else None
    unread = parts  # a pointer has to be one
    _kernels().depthwise_gradients[n_tiles, layer.groups](
        z_gradient,
        x.pixels,
        unread if x.affine is None else x.affine,
        unread if x.statistics is None else x.statistics,
        layer.depthwise,
        x_gradient,
        parts,
        unread if sums is None else sums,
        n,
        *x.pixels.shape[2:],
        *z_gradient.shape[2:],
        *layer.window,
        IS_NORMALIZED=x.affine is not None,
        **layer.kernel_size,
        CHANNELS=layer.channels,
        BLOCK_P=tile,
        BLOCK_C=channels,
        **_WIDE,
    )
    return x_gradient, parts.sum(0).t().reshape(layer.depthwise.shape), sums


@cache
def _kernels() -> ModuleType:
    """Imported where they are needed: not every PyTorch comes with Triton."""
    from pnas_trainer._cuda import _kernels as kernels

    return kernels


def _empty(like: Maps, *shape: int) -> Tensor:
    return torch.empty(shape, dtype=torch.float32, device=like.pixels.device)


def _n_parts(n: int, size: int) -> int:
    return -(-n // size)


def _precision() -> str:
    """Of products of float32, as PyTorch's convolutions have it."""
    return "tf32" if torch.backends.cudnn.allow_tf32 else "ieee"
