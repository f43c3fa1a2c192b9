from collections.abc import Sequence

import torch

from pnas_trainer._randomness import random_state, set_random_state
from pnas_trainer._training import Training


class Beside:
    """Trainings that take their steps by turns, on a GPU each in its stream, so that small ones fill it together.

    Each of them draws the random numbers that it would draw alone.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._trainings: list[tuple[Training, list[torch.Tensor]]] = []

    def add(self, training: Training) -> None:
        """One more, which begins with the random state as it is."""
        self._trainings.append((training, random_state(self._device)))

    def run(self) -> None:
        """Train all of them to the end."""
        waiting = [(training, state, training.steps()) for training, state in self._trainings]
        while waiting:
            turn, waiting = waiting, []
            for training, state, steps in turn:
                set_random_state(state, self._device)
                for _ in steps:
                    waiting.append((training, random_state(self._device), steps))
                    break
                else:
                    if not training.has_ended:
                        waiting.append((training, random_state(self._device), training.steps()))
        for training, _ in self._trainings:
            training.wait()
        self._share_seconds([training for training, _ in self._trainings])

    @staticmethod
    def _share_seconds(trainings: Sequence[Training]) -> None:
        """The host waits for one of them while the device computes for all, so the time is everybody's by epochs."""
        by_epoch = sum(training.seconds for training in trainings) / sum(len(x.losses) for x in trainings)
        for training in trainings:
            training.seconds = by_epoch * len(training.losses)
