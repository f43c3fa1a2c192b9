"""How calls of PyTorch's functions are written down: each as PyTorch's own signature has it, after its result."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from pnas_trainer._arguments import paddings, pair
from pnas_trainer._cpu._batch_norm import NONE
from pnas_trainer._cpu._program._convolutions import Convolution, Depthwise, Linear
from pnas_trainer._cpu._program._elementwise import BatchNorm, Concatenation, Rectify, Scale, Sum
from pnas_trainer._cpu._program._pools import AveragePool3x3, GlobalAveragePool, MaxPool3x3, Taken
from pnas_trainer._cpu._program._recording import Recording
from pnas_trainer._cpu._program._values import Value, Weights
from pnas_trainer._windows import NotRecordableError, Sight, Window


def _conv2d(
    recording: Recording,
    result: Tensor,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> None:
    window, kernel = recording.window(input), (weight.shape[2], weight.shape[3])
    x, strides, dilations = window.of, pair(stride), pair(dilation)
    is_depthwise = groups == x.channels == weight.shape[0] and groups > 1
    if strides is None or dilations is None or bias is not None or not (groups == 1 or is_depthwise):
        raise NotRecordableError("a convolution with groups or a bias")
    both_sides = paddings(padding, kernel, strides, dilations)
    if both_sides is None:
        raise NotRecordableError("a convolution with another padding on one side")
    sights = window.sights(kernel, strides, both_sides, dilations, 0.0)
    kind = Depthwise if is_depthwise else Convolution
    y = recording.made(result, x, of_weights=True)
    recording.operations.append(kind(x, recording.weights(weight), *sights, y))


def _pad(
    recording: Recording, result: Tensor, input: Tensor, pad: Any, mode: str = "constant", value: float | None = None
) -> None:
    if id(input) in recording.constants:
        recording.constants[id(result)] = result
        return
    recording.is_now(result, recording.window(input).with_call_of_pad(pad, mode, value))


def _slice(recording: Recording, result: Tensor, input: Tensor, index: Any) -> None:
    recording.is_now(result, recording.window(input).with_index(index))


def _max_pool2d(
    recording: Recording,
    result: Tensor,
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> None:
    if pair(dilation) != (1, 1) or ceil_mode or return_indices:
        raise NotRecordableError("max_pool2d with dilation, ceil_mode or return_indices")
    x, rows, columns = _sights(recording, input, kernel_size, stride, padding, -math.inf)
    pooled = Value(x.shape, needs_gradient=x.needs_gradient)
    recording.operations.append(MaxPool3x3(x, pooled))
    _taken(recording, result, pooled, rows, columns)


def _avg_pool2d(
    recording: Recording,
    result: Tensor,
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> None:
    if id(input) in recording.constants:
        recording.constants[id(result)] = result
        return
    if ceil_mode or divisor_override is not None:
        raise NotRecordableError("avg_pool2d with ceil_mode or divisor_override")
    if pair(padding) != (0, 0) and count_include_pad:
        raise NotRecordableError("avg_pool2d that counts its padding")
    x, rows, columns = _sights(recording, input, kernel_size, stride, padding, 0.0)
    if pair(padding) == (0, 0):
        ninths = torch.full((x.channels, 1, 3, 3), 1 / 9)
        weights = Weights(ninths, torch.empty_like(ninths))
        recording.operations.append(Depthwise(x, weights, rows, columns, recording.made(result, x)))
        return
    if recording.window(input) != Window.whole(x):
        raise NotRecordableError("avg_pool2d of a part of an image, with padding")
    pooled = Value(x.shape, needs_gradient=x.needs_gradient)
    recording.operations.append(AveragePool3x3(x, pooled))
    _taken(recording, result, pooled, rows, columns)


def _sights(
    recording: Recording, input: Tensor, kernel_size: Any, stride: Any, padding: Any, outside: float
) -> tuple[Value, Sight, Sight]:
    """What a pool of 3x3 sees, of what and where."""
    window, padded = recording.window(input), pair(padding)
    strides = pair(kernel_size if stride is None else stride)
    if pair(kernel_size) != (3, 3) or strides is None or padded is None:
        raise NotRecordableError("a pool of another size than 3x3")
    return window.of, *window.sights((3, 3), strides, padded, (1, 1), outside)


def _taken(recording: Recording, result: Tensor, pooled: Value, rows: Sight, columns: Sight) -> None:
    """The result of a pool with a stride, out of one without."""
    keeps_size = pooled.shape == recording.shape_of(result)
    if keeps_size and all((sight.first, sight.stride) == (-1, 1) for sight in (rows, columns)):
        recording.is_now(result, pooled)
        return
    for sight, size in zip((rows, columns), pooled.shape[2:], strict=True):
        last = sight.first + 1 + sight.stride * (sight.n_outputs - 1)
        if sight.dilation != 1 or sight.first < -1 or last >= size:
            raise NotRecordableError("a pool of every other pixel, or around what lies outside")
    rows, columns = (replace(sight, n_taps=1, first=sight.first + 1) for sight in (rows, columns))
    recording.operations.append(Taken(pooled, rows, columns, recording.made(result, pooled)))


def _batch_norm(
    recording: Recording,
    result: Tensor,
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> None:
    running = [NONE, NONE]
    if running_mean is not None and running_var is not None:
        running = [recording.buffer(x, torch.float32).numpy() for x in (running_mean, running_var)]
    x = recording.value_of(input)
    if not training or momentum is None or len(x.shape) != 4 or math.prod(x.shape) == x.channels:
        raise NotRecordableError("batch normalization in evaluation mode, without momentum or of one pixel")
    recording.needed.add(x)
    y = recording.made(result, x, of_weights=True)
    recording.operations.append(
        BatchNorm(x, recording.weights(weight), recording.weights(bias), running, momentum, eps, y)
    )


def _relu(recording: Recording, result: Tensor, input: Tensor, inplace: bool = False) -> None:
    x = recording.value_of(input)
    if inplace and x in recording.needed:
        raise NotRecordableError("a ReLU that overwrites what is needed")
    if x in recording.rectified:  # several cells and blocks begin with the ReLU of one map
        recording.is_now(result, recording.rectified[x])
        return
    y = recording.rectified[x] = recording.made(result, x)
    recording.operations.append(Rectify(x, y))


def _add(recording: Recording, result: Tensor, input: Tensor, other: Any) -> None:
    a, b = recording.value_of(input), recording.value_of(other)
    if a.shape != b.shape:
        raise NotRecordableError("a sum of different shapes")
    recording.operations.append(Sum(a, b, recording.made(result, a, b)))


def _count(recording: Recording, _result: Tensor, input: Tensor, other: Any) -> None:
    if input.ndim > 0 or other != 1:
        raise NotRecordableError("a sum in place")
    recording.counters.append(recording.buffer(input, torch.int64))


def _cat(recording: Recording, result: Tensor, tensors: Any, dim: int = 0) -> None:
    parts = [recording.value_of(tensor) for tensor in tensors]
    if dim != 1 or not all(len(part.shape) == 4 for part in parts):
        raise NotRecordableError("a concatenation of something else than channels")
    recording.operations.append(Concatenation(parts, recording.made(result, *parts)))


def _constant(recording: Recording, result: Tensor, *_args: Any, **_kwargs: Any) -> None:
    recording.constants[id(result)] = result


def _div(recording: Recording, result: Tensor, input: Tensor, other: Any) -> None:
    x, divisor = recording.value_of(input), recording.constants.get(id(other))
    if divisor is None or divisor.ndim != 4 or divisor.shape[:2] != (1, 1) or recording.shape_of(result) != x.shape:
        raise NotRecordableError("a quotient by something else than numbers for every pixel")
    recording.operations.append(Scale(x, (1 / divisor[0, 0]).numpy(), recording.made(result, x)))


def _mean(recording: Recording, result: Tensor, input: Tensor, dim: Any = None, keepdim: bool = False) -> None:
    x = recording.value_of(input)
    if len(x.shape) != 4 or tuple(dim or ()) not in ((2, 3), (-2, -1)) or keepdim:
        raise NotRecordableError("a mean over something else than the pixels of an image")
    recording.operations.append(GlobalAveragePool(x, recording.made(result, x)))


def _linear(recording: Recording, result: Tensor, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> None:
    x = recording.value_of(input)
    if len(x.shape) != 2:
        raise NotRecordableError("a linear layer of something else than vectors")
    y = recording.made(result, x, of_weights=True)
    recording.operations.append(Linear(x, recording.weights(weight), recording.weights(bias), y))


def _dropout(
    recording: Recording, result: Tensor, input: Tensor, p: float = 0.5, training: bool = True, **_inplace: bool
) -> None:
    if training and p > 0:
        raise NotRecordableError("dropout")
    recording.is_now(result, recording.value_of(input))


WRITERS: Mapping[Any, Callable[..., None]] = {
    F.conv2d: _conv2d,
    F.pad: _pad,
    F.max_pool2d: _max_pool2d,
    F.avg_pool2d: _avg_pool2d,
    F.batch_norm: _batch_norm,
    F.relu: _relu,
    torch.relu: _relu,
    Tensor.relu: _relu,
    F.linear: _linear,
    F.dropout: _dropout,
    torch.cat: _cat,
    Tensor.add: _add,
    torch.add: _add,
    Tensor.add_: _count,
    Tensor.div: _div,
    Tensor.mean: _mean,
    Tensor.new_ones: _constant,
    Tensor.__getitem__: _slice,
}
