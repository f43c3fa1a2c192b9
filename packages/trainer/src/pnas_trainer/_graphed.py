import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pnas_trainer._memory import OutOfMemoryError, released
from pnas_trainer._sameness import Snapshot, is_watched

Step = Callable[[Tensor, Tensor, Tensor], None]
"""A step of training, given images, labels and the learning rate as tensors: all that it does, it does to tensors."""


@contextmanager
def in_stream(stream: torch.cuda.Stream | None) -> Iterator[None]:
    """What is launched within it runs in that stream, after what was launched before and before what comes later."""
    if stream is None:
        yield
        return
    stream.wait_stream(torch.cuda.current_stream(stream.device))
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream(stream.device).wait_stream(stream)


def is_captured(device: torch.device) -> bool:
    """Whether what is computed now is only written down, for a graph."""
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


_N_WARM_UPS = 3
"""Steps as they are before one is captured: libraries set themselves up in the first ones, and memory may be short."""


class GraphedStep:
    """A step of training that becomes a CUDA graph, so that the host launches one thing instead of a thousand.

    It is captured for the shape of images that comes first; others, such as an epoch's last batch, run as they are. A
    model that is watched by hooks or counts its steps in an attribute is never captured, and a step that cannot be
    captured, because it waits for the device or there is no memory for both, goes on as it was.

    Args:
        step: must run in the stream that is current whenever this is called, which is not the default stream.
        model: that it trains.
    """

    def __init__(self, step: Step, model: nn.Module) -> None:
        self._step = step
        self._model = model
        self._snapshot = Snapshot(model)
        self._n_warm_ups = 0
        self._is_captured = self._cannot_be = False
        self._inputs: tuple[Tensor, ...] = ()
        self._graph: torch.cuda.CUDAGraph

    def __call__(self, *inputs: Tensor) -> None:
        if not self._inputs:
            self._inputs = tuple(torch.empty_like(x) for x in inputs)
        if self._cannot_be or inputs[0].shape != self._inputs[0].shape:
            self._step(*inputs)
            return
        if not self._is_captured and self._n_warm_ups == _N_WARM_UPS:
            self._capture()
        if not self._is_captured:
            self._step(*inputs)
            self._n_warm_ups += 1
            return
        for own, x in zip(self._inputs, inputs, strict=True):
            own.copy_(x)
        self._graph.replay()

    def _capture(self) -> None:
        """Write the step down, without taking it."""
        if is_watched(self._model) or not self._snapshot.still_holds():
            self._cannot_be = True
            return
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
                self._step(*self._inputs)
        except (OutOfMemoryError, RuntimeError) as error:
            self._cannot_be = True
            released(self._inputs[0].device)
            reason = (str(error) or type(error).__name__).splitlines()[0]
            warnings.warn(
                f"the training step runs without a CUDA graph, since none can be made ({reason})", stacklevel=2
            )
            return
        self._graph, self._is_captured = graph, True
