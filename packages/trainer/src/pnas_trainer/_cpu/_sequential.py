from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from pnas_trainer._cpu._chain import Chain, Scratch
from pnas_trainer._cpu._layers import ExplicitPadding, Layers
from pnas_trainer._cpu._mode import paddings


@contextmanager
def fused_chains(model: nn.Module) -> Iterator[None]:
    """Within it, PyTorch's own sequences of its own layers compute as a `Chain` where they are one.

    The layers that are called by a sequence are known, so that no one else can see what lies between them. Everything
    else is left alone: subclasses, layers with hooks or parametrizations, and sequences in evaluation mode.
    """
    changed = []
    scratch = Scratch()
    for module in model.modules():
        if type(module) is nn.Sequential and "forward" not in vars(module):
            steps = list(_steps(list(module), scratch))
            if any(isinstance(step, Chain) for step in steps):
                module.forward = partial(_run, steps)  # type: ignore[method-assign]
                changed.append(module)
    try:
        yield
    finally:
        for module in changed:
            del module.forward


def _run(steps: Sequence[nn.Module | Chain], input: Tensor) -> Tensor:
    for step in steps:
        input = step(input)
    return input


def _steps(layers: Sequence[nn.Module], scratch: Scratch) -> Iterator[nn.Module | Chain]:
    is_fresh = False
    while layers:
        first = first_chain(layers, is_fresh=is_fresh)
        is_fresh = first is not None
        yield Chain(first, scratch) if first is not None else layers[0]
        layers = layers[len(first.all) if first is not None else 1 :]


def first_chain(layers: Sequence[nn.Module], *, is_fresh: bool) -> Layers | None:
    """The chain that layers begin with; `is_fresh` says that nobody else holds what they are given."""
    rest = list(layers)
    # An in-place ReLU changes what it is given, which the chain would not.
    rectify = type(rest[0]) is nn.ReLU and (is_fresh or not rest[0].inplace)
    if rectify:
        del rest[0]
    depthwise = _as_depthwise(rest[0]) if rest else None
    if depthwise is not None:
        del rest[0]
    pointwise = _as_pointwise(rest[0]) if rest else None
    batch_norm = rest[1] if len(rest) > 1 else None
    if pointwise is None or not isinstance(batch_norm, nn.BatchNorm2d) or not _is_plain(batch_norm):
        return None
    first = depthwise or pointwise
    padding = _explicit_padding(first)
    if padding is None or (depthwise is not None and pointwise.stride != (1, 1)):
        return None
    together = layers[: len(layers) - len(rest) + 2]
    tensors = [x for layer in together for x in (*layer.parameters(), *layer.buffers()) if x.is_floating_point()]
    if not all(x.dtype == torch.float32 and x.device.type == "cpu" for x in tensors):
        return None
    return Layers(
        all=together,
        rectify=rectify,
        depthwise=depthwise,
        pointwise=pointwise,
        batch_norm=batch_norm,
        stride=first.stride[0],
        dilation=first.dilation[0],
        padding=padding,
    )


def _as_depthwise(layer: nn.Module) -> nn.Conv2d | None:
    if not isinstance(layer, nn.Conv2d) or not layer.groups == layer.in_channels == layer.out_channels > 1:
        return None
    is_known = layer.bias is None and _explicit_padding(layer) is not None
    return layer if is_known and _is_isotropic(layer) else None


def _as_pointwise(layer: nn.Module) -> nn.Conv2d | None:
    if not isinstance(layer, nn.Conv2d) or layer.kernel_size != (1, 1) or layer.groups != 1:
        return None
    padding = _explicit_padding(layer)
    is_known = layer.bias is None and padding is not None and padding(1, 1) == (0, 0, 0, 0)
    return layer if is_known and _is_isotropic(layer) else None


def _is_isotropic(layer: nn.Conv2d) -> bool:
    return layer.stride[0] == layer.stride[1] and layer.dilation[0] == layer.dilation[1]


def _explicit_padding(layer: nn.Conv2d) -> ExplicitPadding | None:
    """How a convolution pads its images with zeros, where that is all that it does besides PyTorch's own; or None."""
    if type(layer) is not nn.Conv2d:
        own: ExplicitPadding | None = getattr(layer, "explicit_padding", None)
        return own
    sizes = (_pair(values) for values in (layer.kernel_size, layer.stride, layer.dilation))
    both_sides = paddings(layer.padding, *sizes) if layer.padding_mode == "zeros" else None
    if both_sides is None:
        return None
    vertical, horizontal = both_sides
    return lambda *_: (horizontal, horizontal, vertical, vertical)


def _pair(values: tuple[int, ...]) -> tuple[int, int]:
    first, second = values
    return first, second


def _is_plain(layer: nn.BatchNorm2d) -> bool:
    return type(layer) is nn.BatchNorm2d and layer.affine and layer.momentum is not None
