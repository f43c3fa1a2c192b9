"""Images `(N, C, H, W)` in `channels_last` as what kernels take: arrays of the same memory, and threads over them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, wraps
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from pnas_trainer._set_up import set_up


@cache
def kernels() -> ModuleType:
    """Imported where it is needed: Numba takes a second to import, and GPUs have no use for it."""
    with set_up.running():
        from pnas_trainer._cpu import _kernels
    return _kernels


def undisturbed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Without the modes that stand around a model: they would look at every small step of ours."""

    @wraps(function)
    def run(*args: Any) -> Any:
        with torch._C.DisableTorchFunction():  # noqa: SLF001  # PyTorch's own name in its notes on extending
            return function(*args)

    return run


def undisturbed_once(backward: Callable[..., Any]) -> Callable[..., Any]:
    """`undisturbed`, for a backward pass `(ctx, saved_tensors, *gradients)` that has no backward pass of its own."""
    computed = undisturbed(backward)
    guarded = once_differentiable(computed)  # it costs more than some of ours take

    @wraps(backward)
    def run(ctx: Any, *gradients: Tensor) -> Any:
        saved = ctx.saved_tensors  # activation checkpointing computes them again here, and with the modes
        return (guarded if torch.is_grad_enabled() else computed)(ctx, saved, *gradients)

    return run


def in_layout(x: Tensor) -> Tensor:
    """The same images, in `channels_last`."""
    return x.contiguous(memory_format=torch.channels_last)


def empty_images(n_images: int, channels: int, height: int, width: int) -> Tensor:
    """Images `(N, C, H, W)` to be written to, in `channels_last`."""
    return torch.empty(n_images, channels, height, width, dtype=torch.float32, memory_format=torch.channels_last)


def rows(x: Tensor) -> NDArray[Any]:
    """`(N, H, W * C)`."""
    n_images, channels, height, width = x.shape
    array: NDArray[Any] = x.detach().numpy().transpose(0, 2, 3, 1)
    return array.reshape(n_images, height, width * channels)


def pixels(x: Tensor) -> NDArray[Any]:
    """`(N * H * W, C)`."""
    array: NDArray[Any] = x.detach().numpy().transpose(0, 2, 3, 1)
    return array.reshape(-1, array.shape[3])


def in_threads(function: Callable[..., Any], *arrays: NDArray[Any]) -> list[Any]:
    """Results of a function of arrays that releases the GIL, on as many parts of them as PyTorch has threads."""
    n_threads = min(torch.get_num_threads(), len(arrays[0]))
    if n_threads <= 1:
        return [function(*arrays)]
    parts = [np.array_split(array, n_threads) for array in arrays]
    return list(_threads(n_threads).map(function, *parts))


@cache
def _threads(n_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads, thread_name_prefix="pnas-trainer")
