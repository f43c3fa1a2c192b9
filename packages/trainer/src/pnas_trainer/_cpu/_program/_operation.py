from abc import ABC, abstractmethod
from collections.abc import Sequence

from pnas_trainer._cpu._program._program import Program
from pnas_trainer._cpu._program._values import Value, Weights


class Operation(ABC):
    """One operation of a model, which writes its two passes into a program.

    Attributes:
        y: what it computes.
        weights: that get a gradient.
    """

    y: Value
    weights: Sequence[Weights] = ()

    @abstractmethod
    def forward(self, program: Program) -> None:
        """Write the steps that compute `y`."""

    @abstractmethod
    def backward(self, program: Program) -> None:
        """Write those that give everything that it has read its part of the gradient; `y.gradient` is there."""
