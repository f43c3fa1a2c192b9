import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pnas_trainer._cpu._program._products import in_one_thread
from pnas_trainer._cpu._program._program import Program
from pnas_trainer._cpu._program._recording import Recording
from pnas_trainer._cpu._program._values import Value, Weights

_LARGE = 2**19
"""Numbers of a map from which on steps run for some images at a time: a cache that cores share holds a few such."""
_ROW = 512
"""Numbers that a row should have: what it costs to begin one is far less then than the row itself."""


class Replay:
    """What a model was recorded to compute, forward and backward.

    Args:
        recording: with the operations.
        outputs: the logits among what they compute.
    """

    def __init__(self, recording: Recording, outputs: Value) -> None:
        images = recording.images
        largest = max(math.prod(operation.y.shape) for operation in recording.operations)
        program = Program(images.shape[0], n_together=_n_together(recording), is_cut=largest > _LARGE)
        self._weights: list[Weights] = []
        program.keep(images.pixels)
        for operation in recording.operations:
            operation.forward(program)
        logits = outputs.read(program)
        program.keep(logits)
        program.begin_backward()
        outputs.gradient = outputs.new_memory()
        program.keep(outputs.gradient)
        for operation in reversed(recording.operations):
            if operation.y.needs_gradient and operation.y.gradient is not None:
                operation.backward(program)
                self._weights += operation.weights
        self._forward, self._backward = program.compiled()
        self._counters = recording.counters
        self._images = _as_images(images, program.n_together)
        self._outputs, self._outputs_gradient = logits.array, outputs.gradient.array

    def forward(self, images: Tensor) -> Tensor:
        """Logits `(N, num_classes)` of images `(N, C, H, W)`; statistics of batch normalizations move."""
        self._images[:] = images.detach().numpy().reshape(self._images.shape)
        _run(self._forward)
        if self._counters:
            torch._foreach_add_(self._counters, 1)
        return torch.from_numpy(self._outputs.copy())

    def backward(self, gradient: Tensor) -> None:
        """Add to the parameters' gradients what comes of that of the logits of the last `forward`."""
        for weights in self._weights:
            if weights.parameter.grad is weights.gradient:  # it is about to be overwritten
                weights.parameter.grad = weights.gradient.clone()
        self._outputs_gradient[:] = gradient.numpy()
        _run(self._backward)
        for weights in self._weights:
            if weights.parameter.grad is None:
                weights.parameter.grad = weights.gradient
            else:
                weights.parameter.grad += weights.gradient


def _run(calls: Iterable[Callable[[], Any]]) -> None:
    """One after the other. What overflows is found by whoever looks at the loss."""
    with in_one_thread(), np.errstate(all="ignore"):
        for call in calls:
            call()


def _n_together(recording: Recording) -> int:
    """How many images to lay side by side, so that kernels go along rows of some length; their number is a multiple."""
    shapes = [operation.y.shape for operation in recording.operations if len(operation.y.shape) == 4]
    shortest = min((channels * width for _, channels, _, width in shapes), default=_ROW)
    n_images = recording.images.shape[0]
    return max(n for n in range(1, max(1, _ROW // shortest) + 1) if n_images % n == 0)


def _as_images(images: Value, together: int) -> NDArray[np.float32]:
    """The memory of some images, `(N / G, G, C, H, W)`."""
    n_images, channels, height, width = images.shape
    pixels: NDArray[np.float32] = images.pixels.array
    return pixels.reshape(n_images // together, height, width, together, channels).transpose(0, 3, 4, 1, 2)
