from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.sgd import sgd


class SGD:
    """PyTorch's SGD with momentum, through its functional form.

    `torch.optim.SGD` imports the compiler when it is made, which costs every worker process several seconds;
    the arithmetic behind both is the same function.
    """

    def __init__(self, parameters: Sequence[Tensor], *, momentum: float, nesterov: bool, weight_decay: float) -> None:
        self._parameters = parameters
        self._momentum = momentum
        self._nesterov = nesterov
        self._weight_decay = weight_decay
        # Zeros from the start are the same as torch.optim's buffers from a parameter's first gradient on, and serve
        # parameters whose first gradient comes late, which the fused function cannot.
        self._buffers = [torch.zeros_like(parameter) for parameter in parameters]

    def zero_grad(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move every parameter that has a gradient."""
        moved = [index for index, parameter in enumerate(self._parameters) if parameter.grad is not None]
        sgd(
            [self._parameters[index] for index in moved],
            [self._parameters[index].grad for index in moved],  # type: ignore[misc]  # `moved` holds those with one
            [self._buffers[index] for index in moved],
            fused=True,
            weight_decay=self._weight_decay,
            momentum=self._momentum,
            lr=learning_rate,
            dampening=0.0,
            nesterov=self._nesterov,
            maximize=False,
        )
