"""Training the search's children: this trainer against the plain way, which is written as one would well.

Plain: a DataLoader over images that are whitened already, `channels_last`, one network after another on all cores.
Ours: processes of one thread each, as the search has them. All one-block cells include the start of ours; two children
are trained by processes that are there already, because it would outweigh the few steps that are measured.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from pnas_models import PNAS_OPERATIONS, PNASNET_5, CellNetwork, cifar_network, combine
from pnas_trainer import RECIPES, ImageDataset, Preprocessing, TrainConfig, load_dataset, train, train_many

N_CORES = 2
N_PAPER_STEPS = 30
"""Of some 28,000 that a child takes in the search: what the first one costs must not outweigh them."""
Cell = Sequence[tuple[int, str, int, str]]
LEAVES = list(itertools.product((-2, -1), PNAS_OPERATIONS))
ONE_BLOCK_CELLS: list[Cell] = [[(*a, *b)] for a, b in itertools.combinations_with_replacement(LEAVES, 2)]

QUICK = RECIPES["proxy_quick"]
PAPER = TrainConfig(
    n_epochs=1,
    batch_size=64,
    learning_rate=0.01,
    preprocessing=Preprocessing(upsample_to=40, crop_to=32, flip=True),
)
CELLS: dict[int, Cell] = {
    1: [(-2, "sep_conv_5x5", -1, "max_pool_3x3")],
    3: PNASNET_5[:3],
    5: PNASNET_5,
}


def quick_network(cell: Cell) -> CellNetwork:
    return cifar_network(cell, n_filters=8, n_repeats=1, num_classes=10, in_channels=1)


def paper_network(cell: Cell) -> CellNetwork:
    return cifar_network(cell, n_filters=24, n_repeats=2, num_classes=10)


def plain(
    make_network: Callable[[], CellNetwork],
    data: ImageDataset,
    config: TrainConfig,
    seed: int = 0,
    device: str = "cpu",
    n_threads: int = N_CORES,
) -> float:
    """One child's training; gives its accuracy."""
    torch.manual_seed(seed)
    torch.set_num_threads(n_threads)
    images = data.train_images.float()
    mean, std = images.mean((0, 2, 3), keepdim=True), images.std((0, 2, 3), keepdim=True)
    model = make_network().to(device, memory_format=torch.channels_last)
    loader = DataLoader(
        TensorDataset((images - mean) / std, data.train_labels),
        batch_size=config.batch_size,
        shuffle=True,
        pin_memory=device != "cpu",
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=config.learning_rate, momentum=0.9, weight_decay=5e-4)
    n_steps = config.n_epochs * math.ceil(len(images) / config.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    model.train()
    for x, y in itertools.chain.from_iterable(itertools.repeat(loader, config.n_epochs)):
        x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
        if config.preprocessing.upsample_to is not None:
            x = nn.functional.interpolate(x, size=config.preprocessing.upsample_to, mode="bilinear")
            top, left = torch.randint(9, (2,)).tolist()
            x = x[:, :, top : top + 32, left : left + 32]
            x = torch.where(torch.rand(len(x), 1, 1, 1, device=device) < 0.5, x.flip(3), x)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x.contiguous(memory_format=torch.channels_last)), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        n_right = 0
        for x, y in zip(data.validation_images.split(500), data.validation_labels.split(500), strict=True):
            x, y = ((x.float() - mean) / std).to(device), y.to(device)
            if config.preprocessing.upsample_to is not None:
                x = nn.functional.interpolate(x, size=config.preprocessing.upsample_to, mode="bilinear")[
                    ..., 4:36, 4:36
                ]
            n_right += int((model(x.contiguous(memory_format=torch.channels_last)).argmax(1) == y).sum())
    return n_right / len(data.validation_labels)


def plain_quick(data: ImageDataset) -> list[float]:
    return [plain(partial(quick_network, cell), data, QUICK) for cell in ONE_BLOCK_CELLS]


def ours_quick(data: ImageDataset) -> list[float | None]:
    makes = [partial(quick_network, cell) for cell in ONE_BLOCK_CELLS]
    return [result.accuracy for result in train_many(makes, data, QUICK, seeds=range(len(makes)), n_processes=N_CORES)]


@pytest.mark.usefixtures("importable")
@pytest.mark.benchmark(group="train all one-block cells on digits, as preset quick does")
@pytest.mark.parametrize("way", [ours_quick, plain_quick])
def test_train_one_block_cells(benchmark: Any, way: Callable[[ImageDataset], list[float | None]]) -> None:
    data = load_dataset("digits", validation_fraction=0.2)
    accuracies = benchmark.pedantic(way, args=(data,), rounds=1, warmup_rounds=0)
    n_images = len(accuracies) * QUICK.n_epochs * len(data.train_images)
    benchmark.extra_info["images_per_second"] = n_images / benchmark.stats.stats.min
    assert sorted(accuracies)[len(accuracies) // 2] > 0.3  # chance is 0.1: both ways learn


def random_photos(n_images: int) -> ImageDataset:
    """Noise of CIFAR-10's size: what is measured is time."""
    generator = torch.Generator().manual_seed(0)
    return ImageDataset(
        train_images=torch.randint(256, (n_images, 3, 32, 32), generator=generator, dtype=torch.uint8),
        train_labels=torch.randint(10, (n_images,), generator=generator),
        validation_images=torch.randint(256, (16, 3, 32, 32), generator=generator, dtype=torch.uint8),
        validation_labels=torch.randint(10, (16,), generator=generator),
        num_classes=10,
    )


def task(size: str, n_blocks: int) -> tuple[Callable[[], CellNetwork], ImageDataset, TrainConfig]:
    """A child at the size of `quick`, with the preset's three epochs, or of `paper`, with a thousandth of its steps."""
    if size == "quick":
        return partial(quick_network, CELLS[n_blocks]), load_dataset("digits", validation_fraction=0.2), QUICK
    return partial(paper_network, CELLS[n_blocks]), random_photos(64 * N_PAPER_STEPS), PAPER


def ours_child(size: str, n_blocks: int) -> None:
    torch.set_num_threads(1)
    train(*task(size, n_blocks), seed=0)


@pytest.mark.usefixtures("importable")
@pytest.mark.benchmark(group="train two children")
@pytest.mark.parametrize("way", ["ours", "plain"])
@pytest.mark.parametrize("n_blocks", sorted(CELLS))
@pytest.mark.parametrize("size", ["quick", "paper"])
def test_train_two_children(benchmark: Any, size: str, n_blocks: int, way: str) -> None:
    if way == "plain":
        benchmark.pedantic(lambda: [plain(*task(size, n_blocks)) for _ in range(N_CORES)], rounds=2, warmup_rounds=1)
    else:
        arguments = [size] * N_CORES, [n_blocks] * N_CORES
        with ProcessPoolExecutor(N_CORES, mp_context=torch.multiprocessing.get_context("spawn")) as pool:
            benchmark.pedantic(lambda: list(pool.map(ours_child, *arguments)), rounds=2, warmup_rounds=1)
    _, data, config = task(size, n_blocks)
    n_images = N_CORES * config.n_epochs * len(data.train_images)
    benchmark.extra_info["images_per_second"] = n_images / benchmark.stats.stats.min


N_CUDA_IMAGES = 12_800


IN_BFLOAT16 = replace(PAPER, precision="bfloat16")
SIDE_BY_SIDE = 8


def ours_on_cuda(n_blocks: int, data: ImageDataset) -> int:
    """Gives how many children were trained."""
    train(partial(paper_network, CELLS[n_blocks]), data, PAPER, seed=0, device="cuda")
    return 1


def ours_on_cuda_in_bfloat16(n_blocks: int, data: ImageDataset) -> int:
    train(partial(paper_network, CELLS[n_blocks]), data, IN_BFLOAT16, seed=0, device="cuda")
    return 1


def ours_on_cuda_side_by_side(n_blocks: int, data: ImageDataset) -> int:
    makes = [partial(paper_network, CELLS[n_blocks])] * SIDE_BY_SIDE
    train_many(makes, data, IN_BFLOAT16, seeds=range(SIDE_BY_SIDE), device="cuda", side_by_side=SIDE_BY_SIDE)
    return SIDE_BY_SIDE


def ours_on_cuda_combined(n_blocks: int, data: ImageDataset) -> int:
    makes = [partial(paper_network, CELLS[n_blocks])] * SIDE_BY_SIDE
    seeds = range(SIDE_BY_SIDE)
    train_many(makes, data, IN_BFLOAT16, seeds=seeds, device="cuda", combine=combine, children_per_step=SIDE_BY_SIDE)
    return SIDE_BY_SIDE


def plain_on_cuda(n_blocks: int, data: ImageDataset) -> int:
    plain(partial(paper_network, CELLS[n_blocks]), data, PAPER, device="cuda")
    return 1


WAYS_ON_CUDA = [
    ours_on_cuda,
    ours_on_cuda_in_bfloat16,
    ours_on_cuda_side_by_side,
    ours_on_cuda_combined,
    plain_on_cuda,
]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.benchmark(group="train children for an epoch of 12,800 photos on a GPU")
@pytest.mark.parametrize("way", WAYS_ON_CUDA)
@pytest.mark.parametrize("n_blocks", sorted(CELLS))
def test_train_paper_cells_on_cuda(benchmark: Any, n_blocks: int, way: Callable[[int, ImageDataset], int]) -> None:
    data = random_photos(N_CUDA_IMAGES)
    n_children = benchmark.pedantic(way, args=(n_blocks, data), rounds=3, warmup_rounds=1)
    benchmark.extra_info["images_per_second"] = n_children * N_CUDA_IMAGES / benchmark.stats.stats.min
