from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pnas_trainer._cpu._arrays import empty_images, in_layout, kernels, pixels, rows, undisturbed, undisturbed_once
from pnas_trainer._cpu._layers import Layers
from pnas_trainer._cpu._mode import is_ours

_LARGEST = 2**18
"""Numbers of a batch up to which a chain of ours is faster than oneDNN's convolutions, whose set-up takes 0.1 ms."""
_NONE = np.empty(0, np.float32)

Floats = NDArray[np.float32]


class Scratch:
    """Memory that all chains of a model use in turn, so that it stays in the cache."""

    def __init__(self) -> None:
        self.first, self.second = np.empty((2, _LARGEST), np.float32)


class Chain:
    """Layers that compute as one operation where images are few and small, in training and on one thread.

    Then PyTorch's work between the layers outweighs theirs. Memory for what lies between them is kept from step to
    step, and with it the place in the cache. Where it is not so, the layers compute one by one.
    """

    def __init__(self, layers: Layers, scratch: Scratch) -> None:
        self.layers = layers
        self._scratch = scratch
        self._parameters: Parameters | None = None
        self._geometries: dict[torch.Size, Geometry] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """What the layers give."""
        with torch._C.DisableTorchFunction():  # noqa: SLF001
            y = self._at_once(x)
        if y is None:
            for layer in self.layers.all:
                x = layer(x)
            return x
        return y

    def _at_once(self, x: Tensor) -> Tensor | None:
        norm = self.layers.batch_norm
        if not is_ours(x) or not norm.training or torch.get_num_threads() > 1 or self.layers.have_hooks():
            return None
        if x.shape[1] != self.layers.pointwise.in_channels or x.numel() > _LARGEST:
            return None
        geometry = self._geometries.get(x.shape)
        if geometry is None:
            geometry = self._geometries[x.shape] = Geometry(x.shape, self.layers, self._scratch)
        if not geometry.is_small:
            return None
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)
        taps, weight, scale, shift, *_ = self.layers.tensors()
        y: Tensor = ChainFunction.apply(x, taps, weight, scale, shift, self, geometry)
        return y

    def parameters(self) -> "Parameters":
        """As arrays of the same memory, which are made anew where the parameters have moved."""
        addresses = [x.data_ptr() for x in self.layers.tensors() if x is not None]
        if self._parameters is None or self._parameters.addresses != addresses:
            self._parameters = Parameters.of(self.layers, addresses)
        return self._parameters


class Geometry:
    """Of batches of one shape, with the memory for what lies between the layers."""

    def __init__(self, shape: Sequence[int], layers: Layers, scratch: "Scratch") -> None:
        n_images, self.in_channels, height, width = shape
        left, right, self.top, bottom = layers.padding(height, width)
        self.left = left
        first = layers.depthwise or layers.pointwise
        sizes = (height + self.top + bottom, width + left + right)
        extents = (layers.dilation * (size - 1) + 1 for size in first.kernel_size)
        self.height, self.width = (
            (size - extent) // layers.stride + 1 for size, extent in zip(sizes, extents, strict=True)
        )
        self.n_images, self.out_channels = n_images, layers.pointwise.out_channels
        self.n_pixels = n_images * self.height * self.width
        is_possible = min(self.height, self.width) > 0  # else PyTorch's layers say what is wrong
        self.is_small = is_possible and 1 < self.n_pixels <= _LARGEST // max(self.in_channels, self.out_channels)
        if not self.is_small:
            return
        self.mixed_gradient = scratch.first[: self.n_pixels * self.in_channels].reshape(-1, self.in_channels)
        self.products_gradient = scratch.second[: self.n_pixels * self.out_channels].reshape(-1, self.out_channels)
        self.rows_gradient = self.mixed_gradient.reshape(n_images, self.height, -1)
        self.mixed_gradient_tensor = torch.from_numpy(self.mixed_gradient)
        self.products_gradient_tensor = torch.from_numpy(self.products_gradient)
        self._free: list[Buffers] = []

    def borrowed(self) -> "Loan":
        """Memory for a batch, until the graph that needs it is gone."""
        return Loan(self._free.pop() if self._free else Buffers(self), self._free)


class ChainFunction(torch.autograd.Function):
    @staticmethod
    @undisturbed
    def forward(
        ctx: Any,
        x: Tensor,
        taps: Tensor | None,
        weight: Tensor,
        scale: Tensor,
        shift: Tensor,  # noqa: ARG004  # its gradient is given
        chain: Chain,
        geometry: Geometry,
    ) -> Tensor:
        x = in_layout(x)
        ctx.chain, ctx.geometry, ctx.loan, ctx.parameters = chain, geometry, geometry.borrowed(), chain.parameters()
        buffers: Buffers = ctx.loan.buffers
        parameters: Parameters = ctx.parameters
        layers, norm = chain.layers, chain.layers.batch_norm
        if parameters.taps is not None:
            kernels().depthwise(
                rows(x),
                parameters.taps,
                buffers.rows,
                geometry.top,
                geometry.left,
                layers.stride,
                layers.dilation,
                layers.rectify,
            )
        else:
            np.maximum(pixels(x), 0 if layers.rectify else -np.inf, out=buffers.mixed)
        torch.mm(buffers.mixed_tensor, parameters.matrix.t(), out=buffers.products_tensor)
        y = empty_images(geometry.n_images, geometry.out_channels, geometry.height, geometry.width)
        kernels().batch_norm(
            buffers.products,
            parameters.weight,
            parameters.bias,
            parameters.running_mean,
            parameters.running_var,
            norm.momentum,
            norm.eps,
            pixels(y),
            buffers.mean,
            buffers.inverse_std,
        )
        ctx.save_for_backward(x, taps, weight, scale)
        return y

    @staticmethod
    @undisturbed_once
    def backward(ctx: Any, saved: tuple[Tensor, ...], gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, taps, *_ = saved  # PyTorch's check that nobody has changed them
        buffers: Buffers = ctx.loan.buffers
        parameters: Parameters = ctx.parameters
        geometry: Geometry = ctx.geometry
        layers: Layers = ctx.chain.layers
        array = pixels(in_layout(gradient))
        scale_gradient, shift_gradient = torch.empty(2, geometry.out_channels)
        kernels().batch_norm_gradients(
            array,
            buffers.products,
            parameters.weight,
            buffers.mean,
            buffers.inverse_std,
            buffers.coefficients,
            scale_gradient.numpy(),
            shift_gradient.numpy(),
        )
        kernels().batch_norm_input_gradient(array, buffers.products, buffers.coefficients, geometry.products_gradient)
        matrix_gradient = torch.mm(geometry.products_gradient_tensor.t(), buffers.mixed_tensor)
        x_gradient = empty_images(*x.shape)
        taps_gradient = None
        if parameters.taps is not None:
            torch.mm(geometry.products_gradient_tensor, parameters.matrix, out=geometry.mixed_gradient_tensor)
            taps_gradient = torch.empty(parameters.taps.shape)
            kernels().depthwise_gradients(
                rows(x),
                parameters.taps,
                geometry.rows_gradient,
                rows(x_gradient),
                taps_gradient.numpy(),
                geometry.top,
                geometry.left,
                layers.stride,
                layers.dilation,
                layers.rectify,
            )
        else:
            into = pixels(x_gradient)
            torch.mm(geometry.products_gradient_tensor, parameters.matrix, out=torch.from_numpy(into))
            if layers.rectify:
                kernels().mask(into, buffers.mixed)
        return (
            x_gradient,
            taps_gradient.unsqueeze(1) if taps is not None and taps_gradient is not None else None,
            matrix_gradient.view(geometry.out_channels, geometry.in_channels, 1, 1),
            scale_gradient,
            shift_gradient,
            None,
            None,
        )


class Parameters(NamedTuple):
    """Arrays of the memory of a chain's parameters and running statistics."""

    addresses: list[int]
    taps: Floats | None
    matrix: Tensor
    weight: Floats
    bias: Floats
    running_mean: Floats
    running_var: Floats

    @classmethod
    def of(cls, layers: Layers, addresses: list[int]) -> Self:
        norm = layers.batch_norm
        matrix = layers.pointwise.weight.detach()[:, :, 0, 0]
        taps = None
        if layers.depthwise is not None:
            taps = layers.depthwise.weight.detach()[:, 0].numpy()
        elif layers.stride > 1:
            taps = np.ones((matrix.shape[1], 1, 1), np.float32)  # it takes every s-th pixel
        vectors = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
        return cls(addresses, taps, matrix, *(_NONE if x is None else x.detach().numpy() for x in vectors))


class Buffers:
    """What lies between the layers of a chain from the forward to the backward pass."""

    def __init__(self, geometry: Geometry) -> None:
        n_pixels, in_channels, out_channels = geometry.n_pixels, geometry.in_channels, geometry.out_channels
        self.mixed = np.empty((n_pixels, in_channels), np.float32)
        self.products = np.empty((n_pixels, out_channels), np.float32)
        self.rows = self.mixed.reshape(geometry.n_images, geometry.height, -1)
        self.mixed_tensor = torch.from_numpy(self.mixed)
        self.products_tensor = torch.from_numpy(self.products)
        self.mean, self.inverse_std = np.empty((2, out_channels), np.float32)
        self.coefficients = np.empty((4, out_channels), np.float32)


class Loan:
    """Buffers that go back to their shelf when nobody holds the loan any more, so that a graph may be kept at will."""

    def __init__(self, buffers: Buffers, shelf: list[Buffers]) -> None:
        self.buffers = buffers
        self._shelf = shelf

    def __del__(self) -> None:
        self._shelf.append(self.buffers)
