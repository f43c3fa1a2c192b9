from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pnas_trainer._cpu._arrays import empty_images, in_layout, kernels, pixels, undisturbed, undisturbed_once

Pixels = NDArray[np.float32]
"""`(N * H * W, C)`."""
_NONE = np.empty(0, np.float32)


class Statistics(NamedTuple):
    """Of the pixels of a batch, `(C,)` each."""

    mean: NDArray[np.float32]
    inverse_std: NDArray[np.float32]


class BatchNorm(torch.autograd.Function):
    """Batch normalization in training mode, on one thread."""

    @staticmethod
    @undisturbed
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        momentum: float,
        eps: float,
    ) -> Tensor:
        x = in_layout(x)
        y = empty_images(*x.shape)
        ctx.statistics = normalized(pixels(x), weight, bias, running_mean, running_var, momentum, eps, into=pixels(y))
        ctx.save_for_backward(x, weight)
        return y

    @staticmethod
    @undisturbed_once
    def backward(ctx: Any, saved: tuple[Tensor, ...], gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = saved
        array, source = pixels(in_layout(gradient)), pixels(x)
        coefficients, *parameters = coefficients_and_gradients(array, source, weight, ctx.statistics)
        x_gradient = empty_images(*x.shape)
        kernels().batch_norm_input_gradient(array, source, coefficients, pixels(x_gradient))
        return x_gradient, *parameters, None, None, None, None


def normalized(
    x: Pixels,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    momentum: float,
    eps: float,
    into: Pixels,
) -> Statistics:
    """Write pixels, normalized, `into` others, and move the running statistics."""
    statistics = Statistics(*np.empty((2, x.shape[1]), np.float32))
    kernels().batch_norm(
        x,
        weight.detach().numpy(),
        bias.detach().numpy(),
        running_mean.numpy() if running_mean is not None else _NONE,
        running_var.numpy() if running_var is not None else _NONE,
        momentum,
        eps,
        into,
        *statistics,
    )
    return statistics


def coefficients_and_gradients(
    gradient: Pixels, x: Pixels, weight: Tensor, statistics: Statistics
) -> tuple[Pixels, Tensor, Tensor]:
    """What gives the gradient of pixels that were `normalized`, and those of weight and bias."""
    channels = x.shape[1]
    coefficients = np.empty((4, channels), np.float32)
    weight_gradient, bias_gradient = np.empty((2, channels), np.float32)
    kernels().batch_norm_gradients(
        gradient, x, weight.detach().numpy(), *statistics, coefficients, weight_gradient, bias_gradient
    )
    return coefficients, torch.from_numpy(weight_gradient), torch.from_numpy(bias_gradient)
