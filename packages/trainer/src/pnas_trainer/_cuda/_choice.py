import copy
import warnings
from collections.abc import Callable, Hashable, Sequence

import torch
from torch import Tensor

from pnas_trainer._cuda._chains import Chain
from pnas_trainer._cuda._layer import Separable, n_pixels
from pnas_trainer._cuda._separable import separable_layers
from pnas_trainer._memory import is_out_of_memory
from pnas_trainer._set_up import set_up

_N_ROUNDS, _N_REPLAYS = 3, 5
_MOST_APART = 0.1
"""Of the norm of what PyTorch computes: in 16 bits, rounding alone moves gradients of normalizations by 3 %."""
_MOST_NUMBERS = 2**30
"""Of a map: the kernels count in 32 bits."""

Milliseconds = Callable[[Callable[[], object]], float]
"""How long something takes on the device."""

_chosen: dict[Hashable, bool] = {}


def is_faster(chain: Chain, layers: Sequence[Separable], x: Tensor) -> bool:
    """Whether our kernels are faster than PyTorch's own on this device, for layers of this form and such maps.

    That is measured once in a process, forward and backward, as CUDA graphs; so is whether both compute the same.
    Where Triton is not there or cannot compile, a warning says so.
    """
    if x.device.type != "cuda" or _most_numbers(layers, x) > _MOST_NUMBERS:
        return False
    key = x.device, x.dtype, len(x), tuple(x.shape[2:]), tuple(map(_form, layers))
    if key not in _chosen:
        if torch.cuda.is_current_stream_capturing():
            return False
        with set_up.running():
            _chosen[key] = _measured(chain, x, _milliseconds)
    return _chosen[key]


def _most_numbers(layers: Sequence[Separable], x: Tensor) -> int:
    return n_pixels(x) * max(layer.groups * max(layer.channels, layer.out_channels) for layer in layers)


def _form(layer: Separable) -> Hashable:
    groups = layer.groups.bit_length()  # so that there are not too many; which is faster does not depend on it much
    return groups, layer.channels, layer.out_channels, layer.rows, layer.columns


def _measured(chain: Chain, x: Tensor, milliseconds: Milliseconds) -> bool:
    chain = Chain(copy.deepcopy(chain.modules))
    layers = chain.layers(x) or []  # there are some, as before
    parameters = [parameter for layer in layers for parameter in layer.parameters]
    x = x.detach().clone(memory_format=torch.channels_last).requires_grad_()
    is_short = x.dtype != torch.float32

    def run(way: Callable[[Tensor], Tensor]) -> tuple[Tensor, ...]:
        with torch.autocast(x.device.type, x.dtype if is_short else None, enabled=is_short, cache_enabled=False):
            y = way(x)
        return y, *torch.autograd.grad(y, [x, *parameters], _noise_like(y))

    def ours() -> tuple[Tensor, ...]:
        return run(lambda x: separable_layers(x, layers))

    def plain() -> tuple[Tensor, ...]:
        return run(chain)

    try:
        computed = ours()
    except Exception as error:  # whatever Triton, its compiler and the driver have to say
        if is_out_of_memory(error):
            raise
        _warn(" ".join(str(error).split())[:200] or type(error).__name__)
        return False
    apart = max(_apart(a, b) for a, b in zip(computed, plain(), strict=True))
    if not apart <= _MOST_APART:
        _warn(f"what they compute is {apart:.0%} away from PyTorch's own")
        return False
    return milliseconds(ours) < milliseconds(plain)


def _noise_like(y: Tensor) -> Tensor:
    """The same every time, so that nobody's random numbers depend on what is measured."""
    phases = torch.arange(y.numel(), device=y.device, dtype=torch.float32)
    return (phases * 0.7).sin().to(y.dtype).view(y.shape).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def _apart(ours: Tensor, plain: Tensor) -> float:
    return float((ours.float() - plain.float()).norm() / plain.float().norm())


def _milliseconds(run: Callable[[], object]) -> float:
    """On the device, at best."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
        run()
    times: list[float] = []
    for _ in range(_N_ROUNDS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        graph.replay()
        begin.record()
        for _ in range(_N_REPLAYS):
            graph.replay()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / _N_REPLAYS)
    return min(times)


def _warn(reason: str) -> None:
    warnings.warn(
        f"separable convolutions are PyTorch's own, since the fused kernels fail here: {reason}", stacklevel=2
    )
