"""Whether the trainer's speed costs accuracy: its trainings and the plain way's, ten seeds each, on one schedule.

python tests/benchmarks/accuracy.py                     digits
python tests/benchmarks/accuracy.py FOLDER N_IMAGES     photos of an ImageFolder, the first so many in a random order
"""

import statistics
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from test_bench_trainer import CELLS, PAPER, plain
from torch import nn

from pnas_models import cifar_network
from pnas_trainer import ImageDataset, Preprocessing, TrainConfig, load_dataset, train

SEEDS = range(10)


def some(data: ImageDataset, n_images: int) -> ImageDataset:
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(data.train_images))[:n_images])
    return replace(data, train_images=data.train_images[order], train_labels=data.train_labels[order])


def ours(make: Callable[[], nn.Module], data: ImageDataset, config: TrainConfig, seed: int) -> float | None:
    torch.set_num_threads(1)  # as a worker of a search does
    return train(make, data, config, seed=seed).accuracy


def main() -> None:
    if len(sys.argv) > 1:
        data = some(load_dataset(sys.argv[1], validation_fraction=0.05), int(sys.argv[2]))
        # Without augmentation: the plain way crops a batch at one place, and the trainer each image at its own.
        config, n_filters = replace(PAPER, n_epochs=4, learning_rate=0.05, preprocessing=Preprocessing()), 8
    else:
        data = load_dataset("digits", validation_fraction=0.2)
        config, n_filters = TrainConfig(n_epochs=3, batch_size=96, learning_rate=0.1), 8
    for n_blocks, cell in CELLS.items():
        make = partial(
            cifar_network, cell, n_filters=n_filters, n_repeats=1, in_channels=data.in_channels, num_classes=10
        )
        for name, way in (
            ("plain", lambda seed, make=make: plain(make, data, config, seed, n_threads=1)),
            ("ours", lambda seed, make=make: ours(make, data, config, seed)),
        ):
            accuracies = [way(seed) for seed in SEEDS]
            mean, spread = statistics.fmean(accuracies), statistics.stdev(accuracies)
            sys.stdout.write(f"{n_blocks} blocks, {name}: {mean:.4f} +- {spread:.4f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
