"""Loops that neither PyTorch nor oneDNN has a fast form of, compiled by Numba at first use and kept on disk.

`channels_last` lies in memory as rows `(N, H, W * C)`: a shift by one pixel is a shift by C numbers of a row, so most
inner loops run along a whole row, whatever C is. All functions release the GIL.
"""

from pnas_trainer._cpu._kernels._depthwise import (
    depthwise,
    depthwise_input_gradient,
    depthwise_weight_gradient,
)
from pnas_trainer._cpu._kernels._elementwise import (
    image_means,
    image_means_gradient,
    put_channels,
    rectify,
    rectify_gradient,
    take_channels,
)
from pnas_trainer._cpu._kernels._normalization import (
    add_batch_norm_sums,
    add_moments,
    batch_norm_coefficients,
    batch_norm_input_gradient,
    batch_norm_statistics,
    normalize,
    normalize_and_rectify,
)
from pnas_trainer._cpu._kernels._pooling import average_pool, max_pool, max_pool_gradient
from pnas_trainer._cpu._kernels._unfolding import fold, unfold

__all__ = [
    "add_batch_norm_sums",
    "add_moments",
    "average_pool",
    "batch_norm_coefficients",
    "batch_norm_input_gradient",
    "batch_norm_statistics",
    "depthwise",
    "depthwise_input_gradient",
    "depthwise_weight_gradient",
    "fold",
    "image_means",
    "image_means_gradient",
    "max_pool",
    "max_pool_gradient",
    "normalize",
    "normalize_and_rectify",
    "put_channels",
    "rectify",
    "rectify_gradient",
    "take_channels",
    "unfold",
]
