from typing import Any

import numpy as np
import torch
from torch import Tensor

from pnas_trainer._cpu._arrays import empty_images, in_layout, kernels, pixels, undisturbed, undisturbed_once

NONE = np.empty(0, np.float32)
"""What the kernel gets where there are no running statistics."""


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
        ctx.statistics = np.empty((2, x.shape[1]), np.float32)  # mean and inverse standard deviation
        kernels().batch_norm(
            pixels(x),
            weight.detach().numpy(),
            bias.detach().numpy(),
            running_mean.numpy() if running_mean is not None else NONE,
            running_var.numpy() if running_var is not None else NONE,
            momentum,
            eps,
            pixels(y),
            *ctx.statistics,
        )
        ctx.save_for_backward(x, weight)
        return y

    @staticmethod
    @undisturbed_once
    def backward(ctx: Any, saved: tuple[Tensor, ...], gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = saved
        array, source = pixels(in_layout(gradient)), pixels(x)
        coefficients = np.empty((4, x.shape[1]), np.float32)
        parameter_gradients = np.empty((2, x.shape[1]), np.float32)
        kernels().batch_norm_gradients(
            array, source, weight.detach().numpy(), *ctx.statistics, coefficients, *parameter_gradients
        )
        x_gradient = empty_images(*x.shape)
        kernels().batch_norm_input_gradient(array, source, coefficients, pixels(x_gradient))
        return x_gradient, *map(torch.from_numpy, parameter_gradients), None, None, None, None
