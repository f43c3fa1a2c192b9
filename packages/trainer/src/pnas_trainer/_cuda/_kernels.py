"""Layers of ReLU, depthwise convolution, 1x1 convolution and batch normalization, with little memory traffic.

That is what limits them on a GPU, so what can be computed as a map is read is not written: the ReLU, and the
normalization before it. Statistics are those of the tile that is being written. Nothing is added up by atomics: the
same inputs give the same bits.

Maps are `(pixels, groups * channels)`, as `channels_last` lies in memory. A program computes every so many-th tile of
one group: BLOCK_P pixels of all its channels, in blocks that are padded to a power of two. Output row `h` and tap `i`
of a convolution see row `first_row + row_stride * h + row_dilation * i`, and the same for columns. Sums are float32.
"""

from pnas_trainer._cuda._convolution_kernels import (
    depthwise_input_gradient,
    forward,
    product_gradients,
    taps_gradient,
)
from pnas_trainer._cuda._normalization_kernels import (
    normalization_gradients,
    normalization_sums,
    normalize,
    statistics,
)

__all__ = [
    "depthwise_input_gradient",
    "forward",
    "normalization_gradients",
    "normalization_sums",
    "normalize",
    "product_gradients",
    "statistics",
    "taps_gradient",
]
