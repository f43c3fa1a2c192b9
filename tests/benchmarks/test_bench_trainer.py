"""Training one-block cells on digits: this trainer against the plain way, written as PyTorch's tutorials do."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from pnas_models import CellNetwork, cifar_network
from pnas_trainer import ImageDataset, TrainConfig, load_dataset, train

CONFIG = TrainConfig(n_epochs=1, batch_size=64, learning_rate=0.05)
CELLS = [
    [(-2, "sep_conv_5x5", -1, "max_pool_3x3")],
    [(-2, "conv_1x7_7x1", -1, "identity")],
    [(-2, "dil_conv_3x3", -1, "sep_conv_7x7")],
]


@pytest.fixture(scope="module")
def digits() -> ImageDataset:
    return load_dataset("digits", validation_fraction=0.2)


def network(cell: list[tuple[int, str, int, str]]) -> CellNetwork:
    return cifar_network(cell, n_filters=8, n_repeats=1, num_classes=10, in_channels=1)


def ours(data: ImageDataset) -> list[float | None]:
    return [train(partial(network, cell), data, CONFIG, seed=0).accuracy for cell in CELLS]


def plain(data: ImageDataset) -> list[float | None]:
    accuracies: list[float | None] = []
    images = data.train_images.float()
    whitened = TensorDataset((images - images.mean()) / images.std(), data.train_labels)
    validation = (data.validation_images.float() - images.mean()) / images.std()
    for cell in CELLS:
        torch.manual_seed(0)
        model = network(cell)
        loader = DataLoader(whitened, batch_size=CONFIG.batch_size, shuffle=True)
        optimizer = torch.optim.SGD(model.parameters(), lr=CONFIG.learning_rate, momentum=0.9, weight_decay=5e-4)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, math.ceil(len(whitened) / CONFIG.batch_size))
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            accuracies.append((model(validation).argmax(1) == data.validation_labels).float().mean().item())
    return accuracies


@pytest.mark.benchmark(group="train three one-block cells for an epoch of digits")
@pytest.mark.parametrize("way", [ours, plain])
def test_train(benchmark: Any, digits: ImageDataset, way: Callable[[ImageDataset], list[float | None]]) -> None:
    accuracies = benchmark.pedantic(way, args=(digits,), rounds=5, warmup_rounds=1)
    assert min(accuracies) > 0.3  # chance is 0.1: both ways learn
