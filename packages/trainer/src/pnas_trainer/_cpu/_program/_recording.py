from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from pnas_trainer._cpu._program._operation import Operation
from pnas_trainer._cpu._program._values import Gradients, Value, Weights
from pnas_trainer._windows import NotRecordableError, Window


class Recording:
    """What a model was seen to compute of its images.

    A tensor is known by what made it. So whatever is not seen, such as an `autograd.Function` of somebody's own, gives
    a tensor that is not known, and is a problem as soon as something reads it.

    Args:
        images: of the batch that it is seen with.
        n_images: of the batches that it is for.
        gradients: of the model's parameters.
        buffers: of the model.

    Attributes:
        images: what they are.
        operations: in order.
        counters: buffers that a step adds 1 to.
        known: by the `id` of a tensor, what it is.
        constants: by the `id`, tensors that depend on nothing but the shape of an image, and not on how many there are.
        rectified: ReLUs by what they are of: several blocks begin with that of the same map.
        needed: values that gradients need as they are, or that slices show: nothing may overwrite them.
    """

    def __init__(self, images: Tensor, n_images: int, gradients: Gradients, buffers: Iterable[Tensor]) -> None:
        self._n_seen = len(images)
        self.images = Value((n_images, *images.shape[1:]), needs_gradient=False)
        self.operations: list[Operation] = []
        self.counters: list[Tensor] = []
        self.known: dict[int, Value | Window[Value]] = {id(images): self.images}
        self.constants: dict[int, Tensor] = {}
        self.rectified: dict[Value, Value] = {}
        self.needed: set[Value] = set()
        self._buffers = set(map(id, buffers))
        self._read: set[int] = set()
        self._gradients = gradients

    def value_of(self, tensor: Any) -> Value:
        """What a tensor is, as a whole.

        Raises:
            NotRecordableError: it is a part of something, or nothing known has made it.
        """
        known = self.known.get(id(tensor))
        if isinstance(known, Window) and known == Window.whole(known.of):
            return known.of
        if not isinstance(known, Value):
            raise NotRecordableError("a tensor that nothing known has made")
        return known

    def outputs(self, logits: Any) -> Value | None:
        """What the model gave, if it is logits `(N, num_classes)` that depend on weights."""
        known = self.known.get(id(logits))
        is_logits = isinstance(known, Value) and len(known.shape) == 2 and known.needs_gradient
        return known if isinstance(known, Value) and is_logits else None

    def window(self, tensor: Any) -> Window[Value]:
        """What part of images a tensor is.

        Raises:
            NotRecordableError: it is no image, or nothing known has made it.
        """
        known = self.known.get(id(tensor))
        if not isinstance(known, Window):
            value = self.value_of(tensor)
            if len(value.shape) != 4:
                raise NotRecordableError("a part of something else than images")
            known = Window.whole(value)
        self.needed.add(known.of)
        return known

    def buffer(self, tensor: Any, dtype: torch.dtype) -> Tensor:
        """A buffer of the model."""
        if not isinstance(tensor, Tensor) or id(tensor) not in self._buffers or tensor.dtype != dtype:
            raise NotRecordableError(f"a tensor that is no buffer of {dtype}")
        return tensor

    def weights(self, tensor: Any) -> Weights:
        """A parameter that nothing has read yet."""
        gradient = self._gradients.of(tensor)
        if gradient is None:
            raise NotRecordableError("weights that are no parameter of float32 in training")
        if id(tensor) in self._read:
            raise NotRecordableError("weights that are read twice")
        self._read.add(id(tensor))
        return Weights(tensor, gradient)

    def shape_of(self, result: Tensor) -> tuple[int, ...]:
        """With as many images as this is for.

        Raises:
            NotRecordableError: it is not of all images that were seen.
        """
        if result.ndim == 0 or len(result) != self._n_seen:
            raise NotRecordableError("a tensor of something else than all images")
        return self.images.shape[0], *result.shape[1:]

    def made(self, result: Tensor, *inputs: Value, of_weights: bool = False) -> Value:
        """A new value, which `result` is."""
        value = Value(self.shape_of(result), needs_gradient=of_weights or any(x.needs_gradient for x in inputs))
        self.is_now(result, value)
        return value

    def is_now(self, result: Tensor, what: Value | Window[Value]) -> None:
        """From here on, `result` is known as `what`."""
        value = what.of if isinstance(what, Window) else what
        if result.dtype != torch.float32 or result.requires_grad != value.needs_gradient:
            raise NotRecordableError("another type than float32, or no gradient where there should be one")
        self.known[id(result)] = what
