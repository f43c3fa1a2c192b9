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
        channels, source = x.shape[1], pixels(x)
        mean, inverse_std, scale = np.empty((3, channels), np.float32)
        moments = np.empty((2, channels))
        kernels().add_moments(True, source, *moments, np.empty(1, np.int64))
        kernels().batch_norm_statistics(
            *moments,
            len(source),
            weight.detach().numpy(),
            running_mean.numpy() if running_mean is not None else NONE,
            running_var.numpy() if running_var is not None else NONE,
            momentum,
            eps,
            mean,
            inverse_std,
            scale,
        )
        kernels().normalize(source, mean, scale, bias.detach().numpy(), pixels(y))
        ctx.statistics = mean, inverse_std
        ctx.save_for_backward(x, weight)
        return y

    @staticmethod
    @undisturbed_once
    def backward(ctx: Any, saved: tuple[Tensor, ...], gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = saved
        array, source = pixels(in_layout(gradient)), pixels(x)
        coefficients = np.empty((4, x.shape[1]), np.float32)
        parameter_gradients = np.empty((2, x.shape[1]), np.float32)
        mean, inverse_std = ctx.statistics
        sums = np.empty((2, x.shape[1]))
        kernels().add_batch_norm_sums(True, array, source, mean, *sums)
        kernels().batch_norm_coefficients(
            *sums,
            len(source),
            weight.detach().numpy(),
            mean,
            inverse_std,
            coefficients,
            *parameter_gradients,
        )
        x_gradient = empty_images(*x.shape)
        kernels().batch_norm_input_gradient(array, source, coefficients, pixels(x_gradient))
        return x_gradient, *map(torch.from_numpy, parameter_gradients), None, None, None, None
