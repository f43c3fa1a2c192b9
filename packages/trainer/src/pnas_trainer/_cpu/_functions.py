"""Pools and concatenations of float32 images `(N, C, H, W)` that lie in memory as `channels_last`."""

from typing import Any

import torch
from torch import Tensor

from pnas_trainer._cpu._arrays import in_layout, in_threads, kernels, rows, undisturbed, undisturbed_once


class MaxPool3x3(torch.autograd.Function):
    """The maximum of each pixel and its eight neighbours."""

    @staticmethod
    @undisturbed
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = in_layout(x)
        y, taps = torch.empty_like(x), torch.empty_like(x, dtype=torch.uint8)
        in_threads(lambda *arrays: kernels().max_pool(*arrays, x.shape[1]), rows(x), rows(y), rows(taps))
        ctx.save_for_backward(taps)
        return y

    @staticmethod
    @undisturbed_once
    def backward(_ctx: Any, saved: tuple[Tensor, ...], gradient: Tensor) -> Tensor:
        (taps,) = saved
        gradient = in_layout(gradient)
        x_gradient = torch.empty_like(gradient)
        in_threads(
            lambda *arrays: kernels().max_pool_gradient(*arrays, gradient.shape[1]),
            rows(gradient),
            rows(taps),
            rows(x_gradient),
        )
        return x_gradient


class AveragePool3x3(torch.autograd.Function):
    """The mean of each pixel and those of its eight neighbours that lie in the image."""

    @staticmethod
    @undisturbed
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        x = in_layout(x)
        y = torch.empty_like(x)
        in_threads(lambda *arrays: kernels().average_pool(*arrays, x.shape[1], False), rows(x), rows(y))
        return y

    @staticmethod
    @undisturbed_once
    def backward(_ctx: Any, _saved: tuple[Tensor, ...], gradient: Tensor) -> Tensor:
        gradient = in_layout(gradient)
        x_gradient = torch.empty_like(gradient)
        in_threads(
            lambda *arrays: kernels().average_pool(*arrays, gradient.shape[1], True), rows(gradient), rows(x_gradient)
        )
        return x_gradient


class Concatenation(torch.autograd.Function):
    """Maps side by side, whose gradients are cut apart once for all that read them."""

    @staticmethod
    @undisturbed
    def forward(ctx: Any, *maps: Tensor) -> Tensor:
        ctx.channels = [x.shape[1] for x in maps]
        return torch.cat(maps, dim=1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        return tuple(in_layout(part) for part in gradient.split(ctx.channels, dim=1))
