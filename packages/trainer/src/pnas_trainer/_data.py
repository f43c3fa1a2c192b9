"""The two kinds of images that a network is trained on: in memory, or in folders."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pnas_trainer._batches import Batches
from pnas_trainer._config import TrainConfig
from pnas_trainer._dataset import ImageDataset
from pnas_trainer._errors import TrainerError
from pnas_trainer._folders import ImageFolders
from pnas_trainer._preprocessing import Preprocessing, Preprocessor
from pnas_trainer._processes import Processes
from pnas_trainer._resident import ResidentBatches
from pnas_trainer._streamed import StreamedBatches

TrainingData = ImageDataset | ImageFolders


def example_image(data: TrainingData, preprocessing: Preprocessing) -> Tensor:
    """One image as the network sees it, `(1, C, H, W)`, on the CPU where it comes from a folder.

    Raises:
        TrainerError: the settings do not fit the images.
    """
    if isinstance(data, ImageDataset):
        return Preprocessor(preprocessing, data.train_images).for_evaluation(data.train_images[:1])
    if not isinstance(data, ImageFolders):
        raise TrainerError(f"data must be an ImageDataset or ImageFolders, not {type(data).__name__}")
    if preprocessing != Preprocessing():
        raise TrainerError(
            f"images of folders are cut out and mirrored as they are read, and preprocessing must be left at its "
            f"default, not {preprocessing}"
        )
    return torch.zeros(1, data.in_channels, data.image_size, data.image_size)


def make_batches(
    data: TrainingData, config: TrainConfig, seeds: Sequence[int], device: torch.device, processes: Processes
) -> Batches:
    """The batches of a training on a device, of one network for each seed; images of folders are for one alone."""
    batch_size = int(config.batch_size)
    if isinstance(data, ImageDataset):
        return ResidentBatches(data.to(device), config.preprocessing, batch_size, seeds, processes)
    (seed,) = seeds
    return StreamedBatches(data, batch_size, int(seed), device, processes)
