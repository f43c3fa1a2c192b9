import copy
import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pnas_trainer._cuda._chains import Chain
from pnas_trainer._cuda._layer import Separable
from pnas_trainer._cuda._separable import separable_layers
from pnas_trainer._memory import is_out_of_memory, released
from pnas_trainer._set_up import set_up

_N_ROUNDS, _N_REPLAYS = 3, 5
_MOST_APART = 0.1
"""Of the norm of what PyTorch computes: in 16 bits, rounding alone moves gradients of normalizations by 3 %."""
_MOST_NUMBERS = 2**30
"""Of a map: the kernels count in 32 bits."""
_MOST_TAPS = 64
_ARCHITECTURE = (8, 0)
"""Of the oldest GPUs that Triton compiles these for: on others it may end the process."""

Milliseconds = Callable[[Callable[[], object]], float]
"""How long something takes on the device."""

_chosen: dict[Hashable, bool] = {}


def is_faster(chain: Chain, layers: Sequence[Separable], x: Tensor) -> bool:
    """Whether our kernels are faster than PyTorch's own on this device, for layers of this form and such maps.

    That is measured once in a process, forward and backward, as CUDA graphs; so is whether both compute the same.
    Where Triton is not there or cannot compile, a warning says so.
    """
    if x.device.type != "cuda" or not _may_be(layers, x):
        return False
    key = x.device, x.dtype, len(x), tuple(x.shape[2:]), tuple(map(_form, layers))
    if key not in _chosen:
        if torch.cuda.is_current_stream_capturing():
            return False
        with set_up.running(), _undisturbed():
            chosen = _measured(chain, x, _milliseconds)
        if chosen is None:
            return False
        _chosen[key] = chosen
    return _chosen[key]


def _may_be(layers: Sequence[Separable], x: Tensor) -> bool:
    numbers = x.numel()
    for layer in layers:
        n_pixels = len(x) * layer.rows.n_outputs * layer.columns.n_outputs
        numbers = max(numbers, n_pixels * layer.groups * max(layer.channels, layer.out_channels))
    n_taps = max(layer.rows.n_taps * layer.columns.n_taps for layer in layers)
    is_new = torch.cuda.get_device_capability(x.device) >= _ARCHITECTURE
    return is_new and numbers <= _MOST_NUMBERS and n_taps <= _MOST_TAPS


def _form(layer: Separable) -> Hashable:
    groups = layer.groups.bit_length()  # so that there are not too many; which is faster does not depend on it much
    return groups, layer.channels, layer.out_channels, layer.rows, layer.columns, layer.precision


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without those around a model who keep its tensors in a way of their own, or look where the host waits."""
    mode = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("default")
    try:
        with torch.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x):
            yield
    finally:
        torch.cuda.set_sync_debug_mode(mode)


def _measured(chain: Chain, x: Tensor, milliseconds: Milliseconds) -> bool | None:
    """None where there is no memory for it."""
    try:
        ours, plain = (_Way(chain, x, is_ours=is_ours) for is_ours in (True, False))
        apart = max(map(_apart, ours.results(), plain.results()))
        if not apart <= _MOST_APART:
            _warn(f"what they compute is {apart:.0%} away from PyTorch's own")
            return False
        return milliseconds(ours) < milliseconds(plain)
    except Exception as error:  # noqa: BLE001  # whatever Triton, its compiler and the driver have to say
        if not is_out_of_memory(error):
            _warn(" ".join(str(error).split())[:200] or type(error).__name__)
            return False
    released(x.device)
    return None


class _Way:
    """One of two ways to compute a chain, forward and backward, with noise for maps and weights: networks may begin
    with zeros, of which nothing can be told.
    """

    def __init__(self, chain: Chain, x: Tensor, *, is_ours: bool) -> None:
        self._modules = nn.Sequential(*copy.deepcopy(chain.modules))
        for parameter in self._modules.parameters():
            parameter.requires_grad_()
            parameter.data.copy_(_noise_like(parameter))
        self._chain = Chain(list(self._modules))
        self._layers = self._chain.layers(x) or []  # there are some, as before
        self._x = _noise_like(x).contiguous(memory_format=torch.channels_last).requires_grad_()
        self._is_ours = is_ours

    def __call__(self) -> tuple[Tensor, ...]:
        x, is_short = self._x, self._x.dtype != torch.float32
        with torch.autocast(x.device.type, x.dtype if is_short else None, enabled=is_short, cache_enabled=False):
            y = separable_layers(x, self._layers) if self._is_ours else self._chain(x)
        return y, *torch.autograd.grad(y, [x, *self._modules.parameters()], _noise_like(y))

    def results(self) -> list[Tensor]:
        """With the statistics that have moved."""
        return [*self(), *self._modules.buffers()]


def _noise_like(x: Tensor) -> Tensor:
    """The same every time, so that nobody's random numbers depend on what is measured."""
    phases = torch.arange(x.numel(), device=x.device, dtype=torch.float32)
    return (phases * 0.7).sin().add(0.1).to(x.dtype).view(x.shape)


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
