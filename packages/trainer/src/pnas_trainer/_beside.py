from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from pnas_trainer._randomness import random_state, set_random_state
from pnas_trainer._training import Training

Begun = tuple[Training, Sequence[Tensor]]
"""A training, and the random state that it begins with."""
_Turn = tuple[Iterator[Training], Sequence[Tensor]]


def train_beside(trainings: Sequence[Begun], device: torch.device) -> None:
    """Train all of them to the end, by turns: on a GPU each in its stream, so that small steps fill it together.

    Each draws the random numbers that it would draw alone.
    """
    turns: list[_Turn] = [(_steps(training), state) for training, state in trainings]
    try:
        while turns:
            waiting: list[_Turn] = []
            for steps, state in turns:
                set_random_state(state, device)
                if next(steps, None) is not None:
                    waiting.append((steps, random_state(device)))
            turns = waiting
    finally:
        for training, _ in trainings:
            training.wait()  # or others would get memory that it still writes to


def _steps(training: Training) -> Iterator[Training]:
    """The training itself after every step but its last."""
    while not training.has_ended:
        for _ in training.steps():
            yield training
