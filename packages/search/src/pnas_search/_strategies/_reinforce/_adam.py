from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    """PyTorch's Adam through its functional form: `torch.optim.Adam` imports the compiler, which takes seconds."""

    def __init__(self, parameters: Sequence[Tensor], *, learning_rate: float) -> None:
        self._parameters = list(parameters)
        self._learning_rate = learning_rate
        self._means = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._steps = [torch.zeros(()) for _ in self._parameters]

    @torch.no_grad()
    def minimize(self, loss: Tensor) -> None:
        """One step down a loss."""
        adam(
            self._parameters,
            # The fused kernel reads a slice of another tensor as if it were not one.
            [gradient.contiguous() for gradient in torch.autograd.grad(loss, self._parameters)],
            self._means,
            self._squares,
            [],
            self._steps,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self._learning_rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )
