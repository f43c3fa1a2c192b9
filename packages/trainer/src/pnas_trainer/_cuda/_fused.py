from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from pnas_trainer._cuda._chains import Chain, chains
from pnas_trainer._cuda._layer import Separable
from pnas_trainer._cuda._separable import separable_layers

Choose = Callable[[Chain, Sequence[Separable], Tensor], bool]
"""Whether the layers of a chain are to be computed by our kernels, of such maps."""


@contextmanager
def fused_layers(model: nn.Module, choose: Choose) -> Iterator[None]:
    """Within it, layers of ReLU, depthwise convolution, 1x1 convolution and batch normalization that follow each other
    in an `nn.Sequential` of the model are computed by our kernels, where `choose` says so.

    They are looked for anew every time; nothing of the model stays changed.
    """
    changed: list[nn.Module] = []
    try:
        for module in model.modules():
            if type(module) is nn.Sequential and "forward" not in vars(module):
                parts = chains(module)
                if any(isinstance(part, Chain) for part in parts):
                    vars(module)["forward"] = partial(_forward, parts, choose)
                    changed.append(module)
        yield
    finally:
        for module in changed:
            del vars(module)["forward"]


def _forward(parts: Sequence[nn.Module | Chain], choose: Choose, x: Tensor) -> Tensor:
    for part in parts:
        x = _computed(part, choose, x) if isinstance(part, Chain) else part(x)
    return x


def _computed(chain: Chain, choose: Choose, x: Tensor) -> Tensor:
    if x.ndim == 4 and x.is_floating_point() and torch.is_grad_enabled() and not torch.compiler.is_compiling():
        type_ = x.device.type
        maps = x.to(torch.get_autocast_dtype(type_)) if torch.is_autocast_enabled(type_) else x
        layers = chain.layers(maps)
        if layers is not None and choose(chain, layers, maps):
            return separable_layers(maps, layers)
    return chain(x)
