from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pnas_trainer._cuda._layer import MOST_CHANNELS, Separable
from pnas_trainer._cuda._sight import sights
from pnas_trainer._sameness import is_watched

_N_MODULES = 4
"""Of a layer: a ReLU, two convolutions and a normalization."""


class Chain:
    """Modules that are separable layers one after the other.

    Args:
        modules: ReLU, depthwise convolution, 1x1 convolution and batch normalization of every layer.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self.modules = modules

    def __call__(self, x: Tensor) -> Tensor:
        """As the modules compute it."""
        for module in self.modules:
            x = module(x)
        return x

    def layers(self, x: Tensor) -> list[Separable] | None:
        """For such maps `(N, C, H, W)`; None where their convolutions see what no window shows."""
        layers, precision = [], _precision()
        for begin in range(0, len(self.modules), _N_MODULES):
            _, depthwise, pointwise, norm = self.modules[begin : begin + _N_MODULES]
            # Chains are made of such.
            assert isinstance(depthwise, nn.Conv2d)
            assert isinstance(pointwise, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            seen = sights(depthwise, x)
            if seen is None:
                return None
            rows, columns = seen
            layers.append(
                Separable(
                    depthwise=depthwise.weight,
                    pointwise=pointwise.weight,
                    norm=norm,
                    rows=rows,
                    columns=columns,
                    precision=precision,
                )
            )
            x = x.new_empty(()).expand(1, pointwise.out_channels, rows.n_outputs, columns.n_outputs)
        return layers


def chains(sequence: nn.Sequential) -> list[nn.Module | Chain]:
    """Its modules, where as many as possible stand together in chains."""
    modules = list(sequence)
    found: list[nn.Module | Chain] = []
    begin = 0
    while begin < len(modules):
        end = begin
        while _is_layer(modules[end : end + _N_MODULES], is_first=end == begin):
            end += _N_MODULES
        found.append(Chain(modules[begin:end]) if end > begin else modules[begin])
        begin = max(end, begin + 1)
    return found


def _is_layer(modules: Sequence[nn.Module], *, is_first: bool) -> bool:
    if len(modules) < _N_MODULES or is_watched(modules):
        return False
    relu, depthwise, pointwise, norm = modules
    return (
        type(relu) is nn.ReLU
        and not (relu.inplace and is_first)  # somebody else may read what it overwrites
        and isinstance(depthwise, nn.Conv2d)
        and depthwise.bias is None
        and depthwise.groups == depthwise.in_channels == depthwise.out_channels
        and type(pointwise) is nn.Conv2d
        and pointwise.bias is None
        and pointwise.kernel_size == pointwise.stride == (1, 1)
        and pointwise.padding in ((0, 0), "valid", "same")
        and max(pointwise.in_channels, pointwise.out_channels) <= MOST_CHANNELS * pointwise.groups
        and type(norm) is nn.BatchNorm2d
        and norm.training
        and norm.momentum is not None
        and all(_is_dense(x) for x in (depthwise.weight, pointwise.weight))
        and all(_is_dense(x) for x in (norm.weight, norm.bias, norm.running_mean, norm.running_var))
    )


def _is_dense(x: Tensor | None) -> bool:
    """Whether the kernels may go along its memory, which for weights of a convolution is the same in both layouts."""
    return x is not None and x.dtype == torch.float32 and (x.is_contiguous() or _is_in_layout(x)) and x.numel() > 0


def _is_in_layout(x: Tensor) -> bool:
    return x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)


def _precision() -> str:
    """Of products of float32, as PyTorch's convolutions have it."""
    try:
        return "tf32" if torch.backends.cudnn.allow_tf32 else "ieee"
    except RuntimeError:  # somebody has said it in the other way, which versions after 2.8 have
        settings: Any = torch.backends.cudnn
        return "tf32" if settings.conv.fp32_precision == "tf32" else "ieee"
