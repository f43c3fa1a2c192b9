from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from pnas_trainer._cuda import _passes
from pnas_trainer._cuda._layer import Separable
from pnas_trainer._cuda._passes import Maps


class SeparableLayers(torch.autograd.Function):
    """Layers one after the other: maps `(N, C, H, W)` in `channels_last` to such maps of the same type.

    What the normalization between two of them gives is never written.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Sequence[Separable], *_parameters: Tensor) -> Tensor:
        ctx.layers = layers
        maps, kept = Maps(x), [x]
        for layer in layers:
            z, maps = _passes.forward(layer, maps)
            kept += [z, *maps]  # type: ignore[list-item]  # of a layer's output all three are there
        ctx.save_for_backward(*kept)
        return _passes.normalized(layers[-1], maps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        layers: Sequence[Separable] = ctx.layers
        x, *kept = ctx.saved_tensors
        products = kept[::4]
        maps = [Maps(x), *(Maps(*kept[begin : begin + 3]) for begin in range(1, len(kept), 4))]
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_parameters: tuple[Tensor, ...] = ()
        sums: Any = _passes.normalization_sums(layers[-1], gradient, maps[-1])
        for index in reversed(range(len(layers))):
            gradient, sums, of_layer = _passes.backward(
                layers[index], maps[index], products[index], maps[index + 1], gradient, sums
            )
            of_parameters = (*of_layer, *of_parameters)
        return gradient, None, *of_parameters


def separable_layers(x: Tensor, layers: Sequence[Separable]) -> Tensor:
    """The layers one after the other, of maps `(N, C, H, W)`."""
    parameters = (parameter for layer in layers for parameter in layer.parameters)
    return SeparableLayers.apply(x.contiguous(memory_format=torch.channels_last), layers, *parameters)  # type: ignore[no-any-return]
