"""How long the paper's search would train on a device: 1,160 models, each for 20 epochs of 45,000 images.

    python tests/benchmarks/projection.py --device cuda --cells 4 --images 9000

Cells of every size are drawn uniformly. Each is trained twice, for one epoch of so many images and of twice as many,
and measured on a ninth of them, as the search does; the difference is what images cost, and the rest what a child costs
before its first. With `--together`, that many children of a size train in one step; with `--beside`,
so many trainings take their steps by turns, in streams of their own.
"""

import argparse
import statistics
import sys
import time
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from test_bench_trainer import paper_network, random_photos

from pnas_models import combine
from pnas_searchspace import CellSpace
from pnas_trainer import RECIPES, ImageDataset, TrainConfig, train_many

N_MODELS = {1: 136, 2: 256, 3: 256, 4: 256, 5: 256}
N_IMAGES = 20 * 45_000


def photos(n_images: int) -> ImageDataset:
    data = random_photos(n_images + n_images // 9)
    return replace(
        data,
        train_images=data.train_images[:n_images],
        train_labels=data.train_labels[:n_images],
        validation_images=data.train_images[n_images:],
        validation_labels=data.train_labels[n_images:],
    )


def seconds(cells: list, n_images: int, config: TrainConfig, device: str, together: int, beside: int) -> float:
    """Of training all the cells."""
    data = photos(n_images).to(device)
    start = time.perf_counter()
    results = train_many(
        [partial(paper_network, cell) for cell in cells],
        data,
        config,
        seeds=range(len(cells)),
        device=device,
        combine=combine if together > 1 else None,
        children_per_step=together,
        side_by_side=beside,
    )
    assert all(result.status == "finished" for result in results)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--deterministic", action="store_true")
    parser.add_argument("--cells", type=int, default=4)
    parser.add_argument("--images", type=int, default=9000)
    parser.add_argument("--together", type=int, default=1)
    parser.add_argument("--beside", type=int, default=1)
    parser.add_argument("--batch", type=int, default=RECIPES["proxy_paper"].batch_size)
    options = parser.parse_args()
    if options.device == "cpu":
        torch.set_num_threads(1)
    config = replace(
        RECIPES["proxy_paper"],
        n_epochs=1,
        batch_size=options.batch,
        precision=options.precision,
        deterministic=options.deterministic,
    )
    space, rng = CellSpace(), np.random.default_rng(0)
    hours, n_models = [], sum(N_MODELS.values())
    for n_blocks, n_of_size in N_MODELS.items():
        cells = space.to_cells(space.sample(n_blocks, options.cells, rng))
        # The first training on a device also waits for its libraries.
        seconds(cells[:2], options.images, config, options.device, min(2, options.together), options.beside)
        few, many = (
            seconds(cells, n, config, options.device, options.together, options.beside)
            for n in (options.images, 2 * options.images)
        )
        per_image = (many - few) / (options.images * len(cells))
        before_first = few / len(cells) - per_image * options.images
        hours.append(n_of_size * (before_first + per_image * N_IMAGES) / 3600)
        sys.stdout.write(
            f"{n_blocks} blocks: {1 / per_image:8.0f} images/s, {before_first:6.2f} s before the first, "
            f"{hours[-1]:8.2f} hours for {n_of_size} models\n"
        )
        sys.stdout.flush()
    mean = statistics.fmean(hour / n for hour, n in zip(hours, N_MODELS.values(), strict=True)) * 3600
    sys.stdout.write(f"all {n_models} models: {sum(hours):.1f} hours, {mean:.1f} s a model\n")


if __name__ == "__main__":
    main()
