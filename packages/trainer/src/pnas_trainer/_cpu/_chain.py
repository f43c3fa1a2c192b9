from collections.abc import Sequence
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pnas_trainer._cpu._arrays import empty_images, in_layout, kernels, pixels, rows, undisturbed, undisturbed_once
from pnas_trainer._cpu._batch_norm import coefficients_and_gradients, normalized
from pnas_trainer._cpu._layers import Layers
from pnas_trainer._cpu._mode import is_ours

_LARGEST = 2**18
"""Numbers of a batch up to which a chain of ours is faster than oneDNN's convolutions, whose set-up takes 0.1 ms."""

Floats = NDArray[np.float32]


class Scratch:
    """Memory that the backward passes of all chains of a model use in turn, so that it stays in the cache."""

    def __init__(self) -> None:
        self.lock = Lock()
        self._first, self._second = np.empty((2, _LARGEST), np.float32)

    def arrays(self, n_pixels: int, in_channels: int, out_channels: int) -> tuple[Floats, Floats]:
        """Pixels `(n_pixels, in_channels)` and `(n_pixels, out_channels)`."""
        return (
            self._first[: n_pixels * in_channels].reshape(n_pixels, in_channels),
            self._second[: n_pixels * out_channels].reshape(n_pixels, out_channels),
        )


class Chain:
    """Layers that compute as one operation where images are few and small, in training and on one thread.

    Then PyTorch's work between the layers outweighs theirs. Where it is not so, the layers compute one by one.
    """

    def __init__(self, layers: Layers, scratch: Scratch) -> None:
        self.layers = layers
        self.scratch = scratch
        self._identity: list[object] = []
        self._fits = False

    def at_once(self, x: Tensor, *, is_fresh: bool) -> Tensor | None:
        """What the layers give, or None where they must compute one by one.

        Args:
            x: the images.
            is_fresh: whether nobody else holds them: an in-place ReLU would overwrite them, and the chain does not.
        """
        layers, norm = self.layers, self.layers.batch_norm
        if type(x) is not Tensor or not is_ours(x) or not norm.training or torch.get_num_threads() > 1:
            return None
        if x.shape[1] != layers.pointwise.weight.shape[1] or (layers.overwrites and not is_fresh):
            return None
        if not layers.are_as_planned() or not self._tensors_fit():
            return None
        geometry = _geometry(x.shape, layers)
        if geometry is None or max(x.numel(), geometry.n_numbers) > _LARGEST:
            return None
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)
        taps, weight, scale, shift, *_ = layers.tensors()
        y: Tensor = ChainFunction.apply(x, taps, weight, scale, shift, self, geometry)
        return y

    def _tensors_fit(self) -> bool:
        """As of `Layers.fit_together`, looked at anew when one of the tensors is another."""
        identity: list[object] = [
            (x.data_ptr(), x.shape, x.dtype) if x is not None else None for x in self.layers.tensors()
        ]
        if identity != self._identity:
            self._identity, self._fits = identity, self.layers.fit_together()
        return self._fits


class _Geometry(NamedTuple):
    top: int
    left: int
    shape: tuple[int, int, int, int]
    n_numbers: int


def _geometry(shape: Sequence[int], layers: Layers) -> _Geometry | None:
    """Of the output `(N, C, H, W)`; None where there would be none, or one pixel alone, which PyTorch refuses."""
    n_images, in_channels, height, width = shape
    left, right, top, bottom = layers.padding(height, width)
    rows, columns = (layers.depthwise or layers.pointwise).kernel_size
    out_height = (height + top + bottom - layers.dilation * (rows - 1) - 1) // layers.stride + 1
    out_width = (width + left + right - layers.dilation * (columns - 1) - 1) // layers.stride + 1
    out_channels = layers.pointwise.out_channels
    n_pixels = n_images * out_height * out_width
    if min(out_height, out_width) < 1 or min(left, right, top, bottom) < 0 or n_pixels <= 1:
        return None
    n_numbers = n_pixels * max(in_channels, out_channels)
    return _Geometry(top, left, (n_images, out_channels, out_height, out_width), n_numbers)


class ChainFunction(torch.autograd.Function):
    @staticmethod
    @undisturbed
    def forward(
        ctx: Any,
        x: Tensor,
        taps: Tensor | None,
        weight: Tensor,
        scale: Tensor,
        shift: Tensor,
        chain: Chain,
        geometry: _Geometry,
    ) -> Tensor:
        layers = chain.layers
        # As PyTorch's ReLU, the chain keeps its output and not its input, which may be overwritten.
        source = in_layout(torch.relu(x) if layers.rectify else x)
        mixed = source
        kernel = _kernel(taps, layers, source.shape[1])
        if kernel is not None:
            mixed = empty_images(source.shape[0], source.shape[1], *geometry.shape[2:])
            kernels().depthwise(
                rows(source), kernel, rows(mixed), geometry.top, geometry.left, layers.stride, layers.dilation
            )
        products = torch.mm(torch.from_numpy(pixels(mixed)), weight.detach()[:, :, 0, 0].t())
        y = empty_images(*geometry.shape)
        norm = layers.batch_norm
        ctx.statistics = normalized(
            products.numpy(),
            scale,
            shift,
            norm.running_mean,
            norm.running_var,
            0.0 if norm.momentum is None else norm.momentum,
            norm.eps,
            into=pixels(y),
        )
        ctx.save_for_backward(source, mixed, products, taps, weight, scale)
        ctx.chain, ctx.geometry = chain, geometry
        return y

    @staticmethod
    @undisturbed_once
    def backward(ctx: Any, saved: tuple[Tensor, ...], gradient: Tensor) -> tuple[Tensor | None, ...]:
        source, mixed, products, taps, weight, scale = saved
        chain: Chain = ctx.chain
        layers, geometry = chain.layers, ctx.geometry
        array, product_array = pixels(in_layout(gradient)), products.numpy()
        coefficients, *parameters = coefficients_and_gradients(array, product_array, scale, ctx.statistics)
        x_gradient = empty_images(*source.shape)
        kernel = _kernel(taps, layers, source.shape[1])
        taps_gradient = None
        with chain.scratch.lock:
            mixed_gradient, products_gradient = chain.scratch.arrays(len(products), mixed.shape[1], len(weight))
            kernels().batch_norm_input_gradient(array, product_array, coefficients, products_gradient)
            before = torch.from_numpy(products_gradient)
            matrix_gradient = torch.mm(before.t(), torch.from_numpy(pixels(mixed)))
            into = pixels(x_gradient) if kernel is None else mixed_gradient
            torch.mm(before, weight.detach()[:, :, 0, 0], out=torch.from_numpy(into))
            if kernel is not None:
                taps_gradient = np.empty_like(kernel)
                kernels().depthwise_gradients(
                    rows(source),
                    kernel,
                    mixed_gradient.reshape(len(mixed), mixed.shape[2], -1),
                    rows(x_gradient),
                    taps_gradient,
                    geometry.top,
                    geometry.left,
                    layers.stride,
                    layers.dilation,
                    layers.rectify,
                )
            elif layers.rectify:
                kernels().mask(into, pixels(source))
        return (
            x_gradient,
            torch.from_numpy(taps_gradient).unsqueeze(1) if taps is not None and taps_gradient is not None else None,
            matrix_gradient.view(weight.shape),
            *parameters,
            None,
            None,
        )


def _kernel(taps: Tensor | None, layers: Layers, channels: int) -> Floats | None:
    """`(C, KH, KW)` of what comes before the 1x1 convolution, if anything does: a stride alone is a kernel of ones."""
    if taps is not None:
        kernel: Floats = taps.detach()[:, 0].contiguous().numpy()
        return kernel
    return np.ones((channels, 1, 1), np.float32) if layers.stride > 1 else None
