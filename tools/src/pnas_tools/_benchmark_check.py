"""Whether a benchmark's trainings can be had again."""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from pnas_search import Benchmark, BenchmarkRow, Outcome, Request, Started, child_seed
from pnas_tools._config import PRESETS, SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._evaluator_name import BenchmarkName
from pnas_tools._evaluators import trainers
from pnas_tools._execution import Execution
from pnas_tools._options import on_benchmark
from pnas_tools._prepare import check_images
from pnas_tools._run_folder import RunFolder


@dataclasses.dataclass(frozen=True, kw_only=True)
class Remade:
    """A training of a benchmark, and what it gave now."""

    row: BenchmarkRow
    outcome: Outcome

    @property
    def is_equal(self) -> bool:
        """Whether it ended alike, with the same images classified right after every epoch."""
        return (self.outcome.status, self.outcome.accuracies) == (self.row.status, self.row.accuracies)


def training_config(name: BenchmarkName, dataset: str | None = None) -> SearchConfig:
    """How the networks of a benchmark were trained; `dataset` is where its images are, if not where they were.

    Raises:
        BadInput: the images are others, or not where they were.
    """
    from pnas_trainer import DATASETS

    config = on_benchmark(PRESETS["quick"], name)
    config = config if dataset is None else dataclasses.replace(config, dataset=dataset)
    about = name.load().about
    if dataset is None and config.dataset not in DATASETS and not Path(config.dataset).exists():
        raise BadInput(
            f"{name.name} is of {about['images']}, which do not come with PNAS: say with --dataset where they are"
        )
    check_images(config, name.name, about.get("images_digest"))
    return config


def drawn_rows(benchmark: Benchmark, n_rows: int, seed: int) -> list[BenchmarkRow]:
    """So many trainings, drawn without replacement."""
    chosen = np.random.default_rng(seed).permutation(len(benchmark.rows))[:n_rows]
    return [benchmark.rows[i] for i in sorted(chosen)]


def remake(config: SearchConfig, rows: Sequence[BenchmarkRow], execution: Execution, console: Console) -> list[Remade]:
    """Train them again, in the order in which they are given.

    Raises:
        BadInput: the images.
        SearchError: training raised an exception.
    """
    requests = [Request(cell=row.cell, seed=child_seed(row.seed, row.cell), parent=None) for row in rows]
    with tempfile.TemporaryDirectory() as folder, trainers(config, RunFolder(Path(folder)), execution, console) as pool:
        reports = [report for report in pool.evaluate(requests) if not isinstance(report, Started)]
    outcomes = {(request.cell, request.seed): outcome for request, outcome in reports}
    return [
        Remade(row=row, outcome=outcomes[request.cell, request.seed])
        for row, request in zip(rows, requests, strict=True)
    ]
