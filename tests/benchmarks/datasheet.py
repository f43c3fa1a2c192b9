"""The figures of the micro-benchmark's datasheet: Markdown tables on standard output, and a plot of accuracies by size.

    python tests/benchmarks/datasheet.py micro-digits micro-cifar10 --plot docs/images/micro_benchmark.svg

A name may also be the path of a file that `pnas-tools benchmark make` wrote.
"""

import argparse
import itertools
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import pearsonr, spearmanr

from pnas_search import SOURCES, Benchmark, BenchmarkRow, load_benchmark
from pnas_searchspace import Cell

COLORS = dict(zip(SOURCES, ("#4878a8", "#d1701f", "#9aa5b1"), strict=True))


def finished(benchmark: Benchmark) -> list[BenchmarkRow]:
    return [row for row in benchmark.rows if row.status == "finished"]


def by_cell(benchmark: Benchmark, size: int | None = None) -> dict[Cell, list[BenchmarkRow]]:
    """Trainings that finished, by seed."""
    cells: dict[Cell, list[BenchmarkRow]] = {}
    for row in finished(benchmark):
        if size in (None, len(row.cell)):
            cells.setdefault(row.cell, []).append(row)
    return cells


def sizes(benchmark: Benchmark) -> range:
    return range(1, benchmark.n_blocks + 1)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def counts(benchmark: Benchmark) -> str:
    rows = []
    for size in sizes(benchmark):
        cells = [cell for cell in benchmark.cells if len(cell.cell) == size]
        trainings = [len(of_cell) for of_cell in by_cell(benchmark, size).values()]
        failed = sum(len(row.cell) == size and row.status != "finished" for row in benchmark.rows)
        sources = [sum(cell.source == source for cell in cells) for source in SOURCES]
        rows.append([size, len(cells), *sources, sum(trainings), sum(n >= 3 for n in trainings), failed])
    return table(["blocks", "cells", *SOURCES, "trainings", "cells with three seeds", "failed"], rows)


def distribution(benchmark: Benchmark) -> str:
    rows = []
    for size in sizes(benchmark):
        means = [np.mean([row.accuracy for row in of_cell]) for of_cell in by_cell(benchmark, size).values()]
        quantiles = [f"{value:.3f}" for value in np.quantile(means, [0, 0.25, 0.5, 0.75, 1])]
        seconds = np.median([row.seconds for row in finished(benchmark) if len(row.cell) == size])
        rows.append([size, *quantiles, f"{seconds:.2f}"])
    return table(["blocks", "worst", "1/4", "median", "3/4", "best", "median seconds"], rows)


def seeds(benchmark: Benchmark) -> str:
    """How well one training ranks cells as another does: the ceiling of what a surrogate can reach."""
    rows = []
    drawn = {cell.cell for cell in benchmark.cells if cell.source == "uniform"}
    for size in (*sizes(benchmark), None):
        cells = {cell: rows for cell, rows in by_cell(benchmark, size).items() if len(rows) >= 3}
        repeated = np.array([[row.accuracy for row in of_cell[:3]] for of_cell in cells.values()])
        uniform = repeated[[cell in drawn for cell in cells]]
        better = repeated[np.argsort(-repeated.mean(axis=1))[: len(repeated) // 2]]
        noise = np.sqrt(repeated.var(axis=1, ddof=1).mean())
        correlations = [f"{mean_correlation(part):.3f}" for part in (repeated, better, uniform)]
        rows.append([size or "all", len(repeated), *correlations[:2], len(uniform), correlations[2], f"{noise:.4f}"])
    header = ["blocks", "cells", "between seeds", "of the better half", "uniform samples", "between seeds, of these"]
    return table([*header, "standard deviation of a training"], rows)


def mean_correlation(accuracies: np.ndarray) -> float:
    pairs = itertools.combinations(range(accuracies.shape[1]), 2)
    return float(np.mean([spearmanr(accuracies[:, i], accuracies[:, j]).statistic for i, j in pairs]))


def epochs(benchmark: Benchmark) -> str:
    rows = []
    for size in (*sizes(benchmark), None):
        curves = np.array([of_cell[0].accuracies for of_cell in by_cell(benchmark, size).values()])
        correlations = [spearmanr(curves[:, epoch], curves[:, -1]).statistic for epoch in range(benchmark.n_epochs - 1)]
        rows.append([size or "all", *(f"{value:.3f}" for value in correlations)])
    return table(["blocks", *(f"after epoch {epoch}" for epoch in range(1, benchmark.n_epochs))], rows)


def interpolation(benchmark: Benchmark) -> str:
    held_out = benchmark.about["held_out"]
    return table(["blocks", "rank correlation"], [[size, f"{value:.3f}"] for size, value in held_out.items()])


def sizes_of_networks(benchmark: Benchmark) -> str:
    about, rows = {cell.cell: cell for cell in benchmark.cells}, []
    for size in (*sizes(benchmark), None):
        means = {cell: np.mean([row.accuracy for row in of_cell]) for cell, of_cell in by_cell(benchmark, size).items()}
        accuracies = list(means.values())
        rows.append(
            [
                size or "all",
                *(
                    f"{spearmanr(accuracies, [getattr(about[cell], name) for cell in means]).statistic:.3f}"
                    for name in ("n_parameters", "multiply_adds")
                ),
            ]
        )
    return table(["blocks", "with parameters", "with multiply-adds"], rows)


def between(first: Benchmark, second: Benchmark) -> str:
    rows = []
    for size in (*sizes(first), None):
        here, there = by_cell(first, size), by_cell(second, size)
        shared = [cell for cell in here if cell in there]
        means = [[np.mean([row.accuracy for row in of[cell]]) for cell in shared] for of in (here, there)]
        rows.append(
            [size or "all", len(shared), f"{spearmanr(*means).statistic:.3f}", f"{pearsonr(*means).statistic:.3f}"]
        )
    return table(["blocks", "cells", "Spearman", "Pearson"], rows)


def plot(benchmarks: Sequence[Benchmark], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "pnas", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(benchmarks), figsize=(3.8 * len(benchmarks) + 0.8, 3), squeeze=False)
    for axis, benchmark in zip(axes[0], benchmarks, strict=True):
        rng = np.random.default_rng(0)
        for size in sizes(benchmark):
            cells = by_cell(benchmark, size)
            means = [np.mean([row.accuracy for row in of_cell]) for of_cell in cells.values()]
            sources = {cell.cell: cell.source for cell in benchmark.cells}
            for source, color in COLORS.items():
                heights = [mean for cell, mean in zip(cells, means, strict=True) if sources[cell] == source]
                across = size + rng.uniform(-0.3, 0.3, len(heights))
                axis.scatter(across, heights, s=4, color=color, linewidths=0, alpha=0.7)
            axis.hlines(np.median(means), size - 0.36, size + 0.36, color="black", linewidth=1.2)
        axis.set(title=benchmark.name, xlabel="blocks", ylabel="validation accuracy", xticks=list(sizes(benchmark)))
        axis.spines[["top", "right"]].set_visible(False)
    handles = [plt.Line2D([], [], marker="o", linestyle="", color=color, markersize=4) for color in COLORS.values()]
    axes[0, -1].legend(handles, COLORS, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None}, facecolor="white")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--plot", type=Path, help="where the plot goes")
    arguments = parser.parse_args()
    benchmarks = [load_benchmark(name) for name in arguments.names]
    for benchmark in benchmarks:
        sys.stdout.write(f"## {benchmark.name}\n\n{benchmark.about}\n\n")
        for part in (counts, distribution, seeds, epochs, sizes_of_networks, interpolation):
            sys.stdout.write(f"### {part.__name__}\n\n{part(benchmark)}\n")
    for first, second in itertools.combinations(benchmarks, 2):
        sys.stdout.write(f"## {first.name} and {second.name}\n\n{between(first, second)}\n")
    if arguments.plot is not None:
        plot(benchmarks, arguments.plot)


if __name__ == "__main__":
    main()
