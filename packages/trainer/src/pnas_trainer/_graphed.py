import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from pnas_trainer._memory import OutOfMemoryError, released
from pnas_trainer._sameness import Snapshot, host_randomness

Step = Callable[[Tensor, Tensor, Tensor], None]
"""A step of training, given images, labels and the learning rate as tensors: all that it does, it does to tensors."""


@contextmanager
def in_stream(stream: torch.cuda.Stream | None) -> Iterator[None]:
    """What is launched within it runs in that stream, after what was launched before and before what comes later."""
    if stream is None:
        yield
        return
    stream.wait_stream(torch.cuda.current_stream(stream.device))
    try:
        with torch.cuda.stream(stream):
            yield
    finally:
        torch.cuda.current_stream(stream.device).wait_stream(stream)


def within_stream(stream: torch.cuda.Stream | None) -> AbstractContextManager[Any]:
    """The same without waiting for anybody."""
    return nullcontext() if stream is None else torch.cuda.stream(stream)


def is_captured(device: torch.device) -> bool:
    """Whether what is computed now is only written down, for a graph."""
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


_N_WARM_UPS = 3
"""Steps as they are before one is captured: libraries set themselves up in the first ones, and memory may be short."""
_MOST_CHANGES = 3
"""After more changes of the model, capturing it anew costs more than it saves."""


class GraphedStep:
    """A step of training that becomes a CUDA graph, so that the host launches one thing instead of a thousand.

    It is captured for the shape of images that comes most; others, such as an epoch's last batch, run as they are. So
    does every step of a model that is watched by hooks, waits for the device, draws random numbers on the host or
    counts its steps in an attribute, and where there is no memory for a graph. When somebody changes the model, it is
    captured anew. Steps must run in a stream that is not the default one, and no other thread may use CUDA meanwhile.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._snapshot: Snapshot | None = None
        self._n_changes = 0
        self._n_steps: dict[torch.Size, int] = {}
        self._cannot_be = False
        self._inputs: tuple[Tensor, ...] = ()
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, step: Step, *inputs: Tensor) -> None:
        """Take the step, which is the same at every call but for what is in the tensors."""
        self._look_at_model()
        shape = inputs[0].shape
        if self._graph is not None and shape == self._inputs[0].shape:
            for own, x in zip(self._inputs, inputs, strict=True):
                own.copy_(x)
            self._graph.replay()
            return
        n_steps = self._n_steps[shape] = self._n_steps.get(shape, 0) + 1
        if self._cannot_be or self._graph is not None or n_steps < _N_WARM_UPS:
            step(*inputs)
        elif n_steps == _N_WARM_UPS:
            self._cannot_be = not self._is_alike(step, inputs)
        else:
            self._inputs = tuple(x.clone() for x in inputs)
            self._graph = graph = self._captured(step)
            if graph is None:
                step(*inputs)
            else:
                graph.replay()

    @property
    def is_possible(self) -> bool:
        """Whether there is a graph, or is to be one."""
        return not self._cannot_be

    def dropped(self) -> bool:
        """Give up a graph for the memory that it holds; whether there was one."""
        had_one = self._graph is not None
        if had_one:
            self._graph, self._cannot_be = None, True
        return had_one

    def _look_at_model(self) -> None:
        if self._snapshot is not None and not self._snapshot.still_holds():
            self._snapshot, self._graph, self._n_steps = None, None, {}
            self._n_changes += 1
        if self._snapshot is None:
            self._snapshot = Snapshot(self._model)
        if self._n_changes > _MOST_CHANGES or self._snapshot.is_watched:
            self._graph, self._cannot_be = None, True

    def _is_alike(self, step: Step, inputs: tuple[Tensor, ...]) -> bool:
        """Take a step, and see whether it does what a graph can do: a capture that fails leaves PyTorch in disorder."""
        before = host_randomness()
        with _waits_seen() as waits:
            step(*inputs)
        if waits:
            _warn(f"it waits for the device at {waits[0]}")
        return not waits and before == host_randomness()

    def _captured(self, step: Step) -> torch.cuda.CUDAGraph | None:
        """The step, written down and not taken."""
        graph = torch.cuda.CUDAGraph()
        reason = None
        try:
            with torch.cuda.graph(graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
                step(*self._inputs)
        except OutOfMemoryError:
            reason = "there is no memory for one"
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
        if reason is None:
            return graph
        del graph
        self._cannot_be = True
        released(self._inputs[0].device)
        _warn(reason)
        return None


@contextmanager
def _waits_seen() -> Iterator[list[str]]:
    """Fills the list with where the host has waited for the device, in what runs within it."""
    waits: list[str] = []
    mode = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")  # itself it warns that this is a prototype
        try:
            yield waits
        finally:
            torch.cuda.set_sync_debug_mode(mode)
    for warning in seen:
        if "called a synchronizing CUDA operation" in str(warning.message):
            waits.append(f"{warning.filename}:{warning.lineno}")
        elif "Synchronization debug mode" not in str(warning.message):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def _warn(reason: str) -> None:
    warnings.warn(f"the training step runs without a CUDA graph: {reason}", stacklevel=4)
