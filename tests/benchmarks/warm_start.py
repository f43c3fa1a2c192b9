"""What a warm start saves and costs: children of two blocks on digits, with their parents' weights and without.

    OMP_NUM_THREADS=1 python tests/benchmarks/warm_start.py trainings.jsonl

The trainings go to the file, one JSON line each; run again, the command goes on where it stopped. A child's true
accuracy is the mean of two long trainings from scratch. Its columns, for each way and number of epochs:

- examples saved, in percent of those of one long training;
- the mean accuracy;
- Spearman's rank correlation with the true accuracies, over all children and on average over the children of a parent.

The first line is one long training against the other.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from pnas_models import CellNetwork, cifar_network, inherit
from pnas_searchspace import Cell, CellSpace
from pnas_trainer import TrainConfig, load_dataset, train

N_PARENTS, N_CHILDREN, N_FILTERS = 12, 6, 6
N_EPOCHS, SHORTER = 6, (1, 2, 3)
N_WAYS = 2 + 2 * len(SHORTER)


def families() -> list[tuple[Cell, list[Cell]]]:
    """Parents of one block, each with some of its children."""
    space, rng = CellSpace(), np.random.default_rng(0)
    parents = space.to_cells(rng.permutation(space.one_block_cells())[:N_PARENTS])
    children = (space.to_cells(rng.permutation(space.expand([parent])[0])[:N_CHILDREN]) for parent in parents)
    return list(zip(parents, children, strict=True))


def network(cell: Cell) -> CellNetwork:
    return cifar_network(cell, n_filters=N_FILTERS, n_repeats=1, num_classes=10, in_channels=1)


def heir(cell: Cell, parent: Cell, weights: Mapping[str, Tensor]) -> CellNetwork:
    child = network(cell)
    child.load_state_dict(inherit(weights, parent, cell), strict=False)
    return child


def trainings(done: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[str, str, float | None]]:
    """The child, the way and the accuracy of all that is not done."""
    torch.set_num_threads(1)
    data = load_dataset("digits", validation_fraction=0.2)

    def config(n_epochs: int) -> TrainConfig:
        return TrainConfig(n_epochs=n_epochs, batch_size=96, learning_rate=0.1)

    for parent, children in families():
        names = {f"{parent} -> {cell}": cell for cell in children}
        if all(len(done.get(name, ())) == N_WAYS for name in names):
            continue
        weights = train(partial(network, parent), data, config(N_EPOCHS), seed=0, keep_weights=True).weights
        assert weights is not None
        for name, cell in names.items():
            scratch, warm = partial(network, cell), partial(heir, cell, parent, weights)
            ways = {f"long {seed}": (scratch, N_EPOCHS, seed) for seed in (1, 2)}
            ways |= {f"scratch {n}": (scratch, n, 3) for n in SHORTER} | {f"warm {n}": (warm, n, 3) for n in SHORTER}
            for way, (make, n_epochs, seed) in ways.items():
                if way not in done.get(name, ()):
                    yield name, way, train(make, data, config(n_epochs), seed=seed).accuracy


def train_all(path: Path) -> None:
    done = read(path)
    with path.open("a") as file:
        for child, way, accuracy in trainings(done):
            file.write(json.dumps({"child": child, "way": way, "accuracy": accuracy}) + "\n")
            file.flush()


def read(path: Path) -> dict[str, dict[str, float]]:
    """Accuracies by child and way."""
    accuracies: dict[str, dict[str, float]] = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        row = json.loads(line)
        accuracies.setdefault(row["child"], {})[row["way"]] = row["accuracy"]
    return accuracies


def rank_correlations(scores: list[float], truths: list[float]) -> tuple[float, float]:
    """Over all children, and on average over those of one parent."""
    families_ = [slice(start, start + N_CHILDREN) for start in range(0, len(scores), N_CHILDREN)]
    within = [spearmanr(scores[family], truths[family]).statistic for family in families_]
    return spearmanr(scores, truths).statistic, statistics.fmean(x for x in within if np.isfinite(x))


def report(path: Path) -> None:
    children = list(read(path).values())
    truths = [(child["long 1"] + child["long 2"]) / 2 for child in children]
    firsts, seconds = ([child[f"long {seed}"] for child in children] for seed in (1, 2))
    lines = [("long against long", 0.0, statistics.fmean(firsts), *rank_correlations(firsts, seconds))]
    for n_epochs in SHORTER:
        for way in ("scratch", "warm"):
            scores = [child[f"{way} {n_epochs}"] for child in children]
            saved, mean = 100 * (1 - n_epochs / N_EPOCHS), statistics.fmean(scores)
            lines.append((f"{way}, {n_epochs} epochs", saved, mean, *rank_correlations(scores, truths)))
    for name, saved, accuracy, overall, within in lines:
        sys.stdout.write(f"{name:20} {saved:5.0f} %  {accuracy:.4f}  {overall:6.3f}  {within:6.3f}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    path = parser.parse_args().path
    train_all(path)
    report(path)
