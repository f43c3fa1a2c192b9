from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pnas_trainer._batches import Batches, batch_bounds, validation_bounds
from pnas_trainer._dataset import ImageDataset
from pnas_trainer._errors import TrainerError
from pnas_trainer._preprocessing import Preprocessing, Preprocessor
from pnas_trainer._processes import Processes

_IMAGES_ON_GPU = 1000
"""To measure with at a time."""
_PIXELS_ON_CPU = 17 * 2**10
"""Of the images to measure with at a time: maps of so many stay in a cache.

With fewer than 2**14 oneDNN adds some products up in another order.
"""


class ResidentBatches(Batches):
    """Batches of images that are on the device already.

    What a child is shown is a function of its seed, whoever is trained beside it.
    """

    def __init__(
        self,
        data: ImageDataset,
        preprocessing: Preprocessing,
        batch_size: int,
        seeds: Sequence[int],
        processes: Processes,
    ) -> None:
        self._data = data
        self._processes = processes
        self._preprocessor = Preprocessor(preprocessing, data.train_images)
        self.n_children = len(seeds)
        self.n_images, self.n_validation_images = len(data.train_images), len(data.validation_images)
        self.evaluation_batch_size = self._most_at_once()
        self.bounds = batch_bounds(self.n_images, batch_size, processes.n)
        device = data.train_images.device
        self._generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
        self._orders: list[Tensor] = []

    def shuffle(self) -> None:
        self._orders = [
            torch.randperm(self.n_images, generator=generator, device=generator.device)
            for generator in self._generators
        ]

    def get(self, step: int) -> tuple[Tensor, Tensor]:
        begin, end = self.bounds[step]
        images, labels = [], []
        for order, generator in zip(self._orders, self._generators, strict=True):
            index = order[begin:end]
            # Augmented before it is shared, so that every process draws the same.
            images.append(self._preprocessor.for_training(self._data.train_images[index], generator))
            labels.append(self._data.train_labels[index])
        if len(images) == 1:
            batch = images[0].unsqueeze(0), labels[0].unsqueeze(0)
        else:
            batch = torch.stack(images), torch.stack(labels)
        return self._processes.share(batch[0], dim=1), self._processes.share(batch[1], dim=1)

    def validation(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        images, labels = self._data.validation_images, self._data.validation_labels
        for begin, end in validation_bounds(len(images), batch_size, self._processes.index, self._processes.n):
            yield self._preprocessor.for_evaluation(images[begin:end]), labels[begin:end]

    def state_dict(self) -> dict[str, Any]:
        return {"generators": [generator.get_state() for generator in self._generators], "orders": self._orders}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        device = self._data.train_images.device
        orders = [order.to(device) for order in state["orders"]]
        if any(len(order) != self.n_images for order in orders):
            raise TrainerError(
                f"the checkpoint is of a training on {len(orders[0])} images, not {self.n_images}: "
                f"give it the images it began with, or another path"
            )
        for generator, generator_state in zip(self._generators, state["generators"], strict=True):
            generator.set_state(generator_state.cpu())
        self._orders = orders

    def _most_at_once(self) -> int:
        images = self._data.validation_images[:1]
        if images.device.type != "cpu":
            return _IMAGES_ON_GPU
        height, width = self._preprocessor.for_evaluation(images).shape[-2:]
        return max(1, _PIXELS_ON_CPU // (height * width))
