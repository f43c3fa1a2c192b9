from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from pnas_trainer._arguments import paddings, pair
from pnas_trainer._cpu._batch_norm import BatchNorm
from pnas_trainer._cpu._depthwise import DepthwiseConvolution, Geometry
from pnas_trainer._cpu._functions import AveragePool3x3, Concatenation, MaxPool3x3


class fast_operations(TorchFunctionMode):  # noqa: N801  # a context manager, as torch.no_grad
    """Within it, networks in any code of theirs use our operations where these are faster, and PyTorch's elsewhere.

    It takes over convolutions, pools, batch normalizations and concatenations of float32 images `(N, C, H, W)` on the
    CPU that lie in memory as `channels_last`; what they compute is equal up to the order of sums.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        replacement = _REPLACEMENTS.get(func)
        if replacement is None:
            return func(*args, **(kwargs or {}))
        return replacement(*args, **(kwargs or {}))


def are_images(x: Any) -> bool:
    """Whether our operations are for these: float32 on the CPU, in training."""
    return (
        isinstance(x, Tensor)
        and x.ndim == 4
        and x.dtype == torch.float32
        and x.device.type == "cpu"
        and torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
    )


def is_ours(x: Any) -> bool:
    """Whether our operations are faster for these, too."""
    return are_images(x) and x.stride(1) == 1


def _conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    if is_ours(input) and weight.dtype == torch.float32:
        kernel, strides, dilations = (weight.shape[2], weight.shape[3]), pair(stride), pair(dilation)
        if strides is None or dilations is None:
            return F.conv2d(input, weight, bias, stride, padding, dilation, groups)
        both_sides = paddings(padding, kernel, strides, dilations)
        if kernel == (1, 1) and strides == (1, 1) and groups == 1 and both_sides == (0, 0):
            # oneDNN's set-up of a convolution costs more than the product where images are few and small.
            return F.linear(input.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)
        is_depthwise = groups == input.shape[1] == weight.shape[0]
        if is_depthwise and bias is None and both_sides is not None:
            return DepthwiseConvolution.apply(input, weight, Geometry(strides, both_sides, dilations))
    return F.conv2d(input, weight, bias, stride, padding, dilation, groups)


def _max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    plain = pair(dilation) == (1, 1) and not ceil_mode and not return_indices
    if plain and is_ours(input) and _is_3x3(kernel_size, stride, padding):
        return MaxPool3x3.apply(input)
    return F.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)  # type: ignore[call-overload]


def _avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    plain = not ceil_mode and not count_include_pad and divisor_override is None
    if plain and is_ours(input) and _is_3x3(kernel_size, stride, padding):
        return AveragePool3x3.apply(input)
    return F.avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    is_full = weight is not None and bias is not None and torch.get_num_threads() == 1
    if training and is_full and is_ours(input) and input[:, 0].numel() > 1:
        return BatchNorm.apply(input, weight, bias, running_mean, running_var, momentum, eps)
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def _cat(tensors: tuple[Tensor, ...] | list[Tensor], *args: Any, **kwargs: Any) -> Any:
    dim = args[0] if args else kwargs.get("dim", 0)
    if dim == 1 and len(args) + len(kwargs) == 1 and len(tensors) > 1 and all(is_ours(x) for x in tensors):
        return Concatenation.apply(*tensors)
    return torch.cat(tensors, *args, **kwargs)


def _is_3x3(kernel_size: Any, stride: Any, padding: Any) -> bool:
    """Whether a pool keeps the size of its images, with a window of 3x3."""
    strides = kernel_size if stride is None else stride
    return pair(kernel_size) == (3, 3) and pair(strides) == (1, 1) and pair(padding) == (1, 1)


_REPLACEMENTS: dict[Any, Callable[..., Any]] = {
    F.conv2d: _conv2d,
    F.max_pool2d: _max_pool2d,
    F.avg_pool2d: _avg_pool2d,
    F.batch_norm: _batch_norm,
    torch.cat: _cat,
}
