from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from pnas_trainer._batches import Batches, batch_bounds, validation_bounds
from pnas_trainer._folders import ImageFolders
from pnas_trainer._processes import Processes
from pnas_trainer._streaming import Augmentation, FolderImages, Key, Sample, collated, decoded, in_slims_range
from pnas_trainer._workers import leave_interrupts_to_parent


class StreamedBatches(Batches):
    """Batches that are decoded while the network trains on those before them.

    An epoch is a function of the seed and its number, whatever the number of workers; each process decodes its share.
    """

    def __init__(
        self, folders: ImageFolders, batch_size: int, seed: int, device: torch.device, processes: Processes
    ) -> None:
        self._device = device
        self._folders = folders
        self._processes = processes
        self._validation_images = FolderImages(folders.validation, folders.image_size)
        self.n_children = 1
        self.n_images, self.n_validation_images = len(folders.training), len(folders.validation)
        self.evaluation_batch_size = batch_size
        self.bounds = batch_bounds(self.n_images, batch_size, processes.n)
        seed %= 2**63  # negative ones are seeds of PyTorch's, too
        self._keys = _EpochKeys(self.bounds, seed, processes)
        augmentation = Augmentation(seed=seed, color_jitter=folders.color_jitter)
        images = FolderImages(folders.training, folders.image_size, augmentation)
        self._loader = self._loader_of(images, self._keys, persistent_workers=folders.n_workers > 0)
        self._epoch = -1
        self._next_step = -1
        self._batches: Iterator[Any] = iter(())

    def shuffle(self) -> None:
        self._epoch += 1

    def get(self, step: int) -> tuple[Tensor, Tensor]:
        if step != self._next_step:  # at the beginning of an epoch, and where one goes on after an interruption
            self._keys.epoch, self._keys.first_step = self._epoch, step
            self._batches = iter(self._loader)
        self._next_step = step + 1
        images, labels = self._on_device(next(self._batches))
        return images.unsqueeze(0), labels.unsqueeze(0)

    def validation(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        bounds = validation_bounds(self.n_validation_images, batch_size, self._processes.index, self._processes.n)
        keys = [[(0, index) for index in range(begin, end)] for begin, end in bounds]
        yield from map(self._on_device, self._loader_of(self._validation_images, keys))

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self._epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._epoch, self._next_step = state["epoch"], -1

    def _loader_of(self, images: FolderImages, keys: Any, *, persistent_workers: bool = False) -> DataLoader[Sample]:
        return DataLoader(
            images,
            batch_sampler=keys,
            num_workers=self._folders.n_workers,
            persistent_workers=persistent_workers,
            pin_memory=self._device.type == "cuda",
            collate_fn=collated,
            worker_init_fn=leave_interrupts_to_parent,
            generator=torch.Generator(),  # or it would draw from the caller's
        )

    def _on_device(self, batch: Any) -> tuple[Tensor, Tensor]:
        images, labels = (tensor.to(self._device, non_blocking=True) for tensor in decoded(batch))
        return in_slims_range(images), labels


class _EpochKeys(Sampler[list[Key]]):
    """For each step of an epoch, the images of this process' share."""

    def __init__(self, bounds: list[tuple[int, int]], seed: int, processes: Processes) -> None:
        self.epoch = 0
        self.first_step = 0
        self._bounds = bounds
        self._seed = seed
        self._processes = processes

    def __len__(self) -> int:
        return len(self._bounds) - self.first_step

    def __iter__(self) -> Iterator[list[Key]]:
        epoch, n_images = self.epoch, self._bounds[-1][1]
        order = np.random.default_rng([self._seed, epoch]).permutation(n_images).tolist()
        for begin, end in self._bounds[self.first_step :]:
            yield [(epoch, index) for index in order[begin + self._processes.index : end : self._processes.n]]
