from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from pnas_trainer._cpu._chain import Chain, Scratch
from pnas_trainer._cpu._layers import ExplicitPadding, Layers
from pnas_trainer._cpu._mode import paddings


@contextmanager
def fused_chains(model: nn.Module) -> Iterator[None]:
    """Within it, PyTorch's own sequences of its own layers compute as a `Chain` where they are one.

    The layers that are called by a sequence are known, so that no one else can see what lies between them. Everything
    else is left alone: subclasses, layers with hooks or parametrizations, and sequences in evaluation mode. As all our
    operations, chains have no second derivatives.
    """
    changed: list[nn.Sequential] = []
    scratch = Scratch()
    try:
        for module in model.modules():
            if type(module) is nn.Sequential and "forward" not in vars(module):
                forward = _FusedForward(module, scratch)
                if forward.has_chains:
                    module.forward = forward  # type: ignore[method-assign]
                    changed.append(module)
        yield
    finally:
        for module in changed:
            vars(module).pop("forward", None)


class _FusedForward:
    """The `forward` of a sequence; a copy of the sequence computes layer by layer."""

    def __init__(self, sequence: nn.Sequential, scratch: Scratch) -> None:
        self._sequence = sequence
        self._scratch = scratch
        self._layers: list[nn.Module] = []
        self._steps: list[nn.Module | Chain] = []
        self._plan()

    @property
    def has_chains(self) -> bool:
        return any(isinstance(step, Chain) for step in self._steps)

    def __call__(self, input: Tensor) -> Tensor:
        if self._layers != list(self._sequence._modules.values()):  # noqa: SLF001  # quicker than to iterate
            self._plan()
        is_fresh = False
        for step in self._steps:
            if isinstance(step, Chain):
                with torch._C.DisableTorchFunction():  # noqa: SLF001
                    output = step.at_once(input, is_fresh=is_fresh)
                is_fresh = output is not None
                input = output if output is not None else _one_by_one(step.layers.sequence, input)
            else:
                input, is_fresh = step(input), False
        return input

    def __reduce__(self) -> tuple[object, ...]:
        return partial, (nn.Sequential.forward, self._sequence)

    def _plan(self) -> None:
        self._layers = list(self._sequence)
        self._steps = list(_steps(self._layers, self._scratch))


def _one_by_one(layers: Sequence[nn.Module], input: Tensor) -> Tensor:
    for layer in layers:
        input = layer(input)
    return input


def _steps(layers: Sequence[nn.Module], scratch: Scratch) -> Iterator[nn.Module | Chain]:
    while layers:
        first = first_chain(layers)
        yield Chain(first, scratch) if first is not None else layers[0]
        layers = layers[len(first.sequence) if first is not None else 1 :]


def first_chain(layers: Sequence[nn.Module]) -> Layers | None:
    """The chain that layers begin with."""
    rest = list(layers)
    first_layer = rest[0]
    overwrites = type(first_layer) is nn.ReLU and first_layer.inplace
    rectify = type(first_layer) is nn.ReLU
    if rectify:
        del rest[0]
    depthwise = _as_depthwise(rest[0]) if rest else None
    if depthwise is not None:
        del rest[0]
    pointwise = _as_pointwise(rest[0]) if rest else None
    batch_norm = rest[1] if len(rest) > 1 else None
    if pointwise is None or type(batch_norm) is not nn.BatchNorm2d or batch_norm.momentum is None:
        return None
    first = depthwise or pointwise
    padding = _explicit_padding(first)
    if padding is None or (depthwise is not None and pointwise.stride != (1, 1)):
        return None
    return Layers(
        sequence=layers[: len(layers) - len(rest) + 2],
        rectify=rectify,
        overwrites=overwrites,
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
    kernel, stride, dilation = (_pair(x) for x in (layer.kernel_size, layer.stride, layer.dilation))
    if parametrize.is_parametrized(layer) or kernel is None or stride is None or dilation is None:
        return None
    if type(layer) is not nn.Conv2d:
        # Whoever wrote the class's forward must be who says how it pads.
        writer = next(part for part in type(layer).__mro__ if "forward" in vars(part))
        return layer.explicit_padding if "explicit_padding" in vars(writer) else None  # type: ignore[return-value]
    both_sides = paddings(layer.padding, kernel, stride, dilation) if layer.padding_mode == "zeros" else None
    if both_sides is None:
        return None
    vertical, horizontal = both_sides
    return lambda *_: (horizontal, horizontal, vertical, vertical)


def _pair(values: object) -> tuple[int, int] | None:
    return (values[0], values[1]) if isinstance(values, tuple) and len(values) == 2 else None
