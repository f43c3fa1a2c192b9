"""How a benchmark comes about: searches, more cells, and an interpolator of what was trained."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from pnas_search import (
    Benchmark,
    BenchmarkCell,
    BenchmarkRow,
    Event,
    Ledger,
    LedgerRow,
    Listed,
    Outcome,
    RoundStarted,
    search,
)
from pnas_searchspace import Cell, CellSpace
from pnas_tools._benchmark_fit import fit_interpolator
from pnas_tools._benchmark_plan import BenchmarkPlan
from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._evaluators import trainers
from pnas_tools._execution import Execution
from pnas_tools._files import write_atomically, write_json_atomically
from pnas_tools._prepare import check_images, read_images
from pnas_tools._provenance import provenance, warn_of_other_versions
from pnas_tools._proxies import Proxy
from pnas_tools._run_folder import RunFolder
from pnas_tools._run_search import run_search


class BenchmarkMaker:
    """Trains what a plan asks for, in folders of runs that remember it, and makes a benchmark of them.

    Args:
        name: of the benchmark.
        proxy: what says of it which images those are, wherever they lie.
        config: of the searches, and how every network is trained; the plan's seeds take the place of its own.
        plan: which cells are trained.
        folder: of all runs.
        n_workers: processes that train.
        console: that is told how far it is.
    """

    def __init__(
        self,
        name: str,
        proxy: Proxy,
        config: SearchConfig,
        plan: BenchmarkPlan,
        folder: Path,
        *,
        execution: Execution,
        console: Console,
    ) -> None:
        self._name = name
        self._proxy = proxy
        self._config = config
        self._plan = plan
        self._folder = folder
        self._execution = execution
        self._console = console
        self._space = CellSpace(config.operations)

    def check(self) -> None:
        """Raise `BadInput` unless all runs can begin or go on here, on these images; nothing is changed on disk."""
        here = self._plan_as_json()
        there = self._recorded_plan() or here
        for field in here:
            if there.get(field) != here[field]:
                raise BadInput(
                    f"{self._folder} holds the runs of another plan, {field} is {there.get(field)!r} there and "
                    f"{here[field]!r} here: give what it began with, or choose another folder with --out"
                )
        for seed in self._plan.seeds:
            for run in (self._search_run(seed), self._table_run(seed)):
                run.check(self._with_seed(seed))
        if self._proxy.images_digest is not None:
            check_images(self._config, self._name, self._proxy.images_digest)

    def train(self) -> None:
        """Train what is missing: a search with every seed, then all other cells.

        Raises:
            BadInput: a folder, the images, or values that do not go together.
            SearchError: training raised an exception.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        write_json_atomically(self._plan_file, self._plan_as_json())
        for seed in self._plan.seeds:
            run = self._search_run(seed)
            if run.read_result() is None:
                run_search(self._with_seed(seed), run, self._execution, None, self._console)
        sources = self._sources()
        repeated = self._plan.repeated(list(sources))
        for seed in self._plan.seeds:
            done = {row.candidate.cell for row in _rows(self._search_run(seed))}
            cells = [cell for cell in sources if seed == self._plan.seeds[0] or cell in repeated]
            missing = [cell for cell in cells if cell not in done]
            # Shuffled, so that what is there at any time has cells of all sizes.
            order = np.random.default_rng(seed).permutation(len(missing))
            self._train_listed([missing[i] for i in order], seed)

    def collect(self) -> Benchmark:
        """The benchmark of what is trained by now.

        Raises:
            BadInput: the images, or there is no run.
            SearchError: too little is trained by now.
        """
        first = self._search_run(self._plan.seeds[0])
        if not first.holds_run():
            raise BadInput(
                f"{self._folder} holds no runs: leave out --so-far to begin, or say where they are with --out"
            )
        sources = self._sources()
        rows: list[BenchmarkRow] = []
        cells: dict[Cell, BenchmarkCell] = {}
        images = read_images(self._config)
        n_validation = len(images.validation_images)
        for seed in self._plan.seeds:
            for row in _rows(self._search_run(seed)) + _rows(self._table_run(seed)):
                # A child that took its worker down, or too long, says nothing of its cell.
                if row.outcome is not None and row.outcome.status not in ("crashed", "timed_out"):
                    cell, outcome = row.candidate.cell, row.outcome
                    rows.append(_benchmark_row(cell, outcome, seed, n_validation))
                    cells.setdefault(cell, _benchmark_cell(cell, outcome, sources[cell]))
        ordered = sorted(cells.values(), key=lambda cell: (len(cell.cell), cell.cell.key))
        rows.sort(key=lambda row: (len(row.cell), row.cell.key, row.seed))
        interpolator, held_out = fit_interpolator(self._space, ordered, rows)
        with Ledger.read(first.ledger) as ledger:
            # The machine's name tells nobody anything.
            made_with = {name: value for name, value in ledger.provenance().items() if name != "platform"}
        about: Mapping[str, Any] = {
            "images": self._proxy.images,
            "images_digest": images.digest(),
            "config": {**self._config.training(), "dataset": self._proxy.config.dataset},
            "plan": self._plan_as_json(),
            "provenance": made_with,
            "n_train": len(images.train_images),
            "n_validation": n_validation,
            "n_epochs": self._config.n_epochs,
            "held_out": held_out,
        }
        return Benchmark(
            name=self._name, about=about, cells=tuple(ordered), rows=tuple(rows), interpolator=interpolator
        )

    def write(self) -> Path:
        """Put what is trained by now into the folder, under its name."""
        path = self._folder / f"{self._name}.npz"
        write_atomically(path, self.collect().to_bytes())
        return path

    def _train_listed(self, cells: list[Cell], seed: int) -> None:
        run, config = self._table_run(seed), self._with_seed(seed)
        with run.opened(config, provenance()) as ledger:
            warn_of_other_versions(ledger.provenance(), self._console)
            if cells and sum(ledger.n_outcomes().values()) < len(cells):
                with trainers(config, run, self._execution, self._console) as pool:
                    search(Listed(cells), pool, ledger, seed=seed, on_event=_Report(self._console, seed, len(cells)))

    @property
    def _plan_file(self) -> Path:
        return self._folder / "plan.json"

    def _plan_as_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self._plan), "seeds": list(self._plan.seeds)}

    def _recorded_plan(self) -> dict[str, Any] | None:
        try:
            plan: dict[str, Any] = json.loads(self._plan_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise BadInput(
                f"{self._plan_file} is damaged ({error}): remove it, and give the options it began with"
            ) from error
        return plan

    def _sources(self) -> dict[Cell, str]:
        searched = [row.candidate.cell for seed in self._plan.seeds for row in _rows(self._search_run(seed))]
        return self._plan.sources(self._space, self._config.n_blocks, searched)

    def _with_seed(self, seed: int) -> SearchConfig:
        return dataclasses.replace(self._config, seed=seed)

    def _search_run(self, seed: int) -> RunFolder:
        return RunFolder(self._folder / f"search-{seed}")

    def _table_run(self, seed: int) -> RunFolder:
        return RunFolder(self._folder / f"table-{seed}")


class _Report:
    def __init__(self, console: Console, seed: int, n_cells: int) -> None:
        self._console = console
        self._what = f"of {n_cells:,} other cells with seed {seed}"
        self._n_before = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, RoundStarted):
            self._console.print(f"{self._n_before:,} {self._what}", highlight=False)
            self._n_before += len(event.rows)


def _rows(run: RunFolder) -> list[LedgerRow]:
    if not run.holds_run():
        return []
    with Ledger.read(run.ledger) as ledger:
        return ledger.rows()


def _benchmark_row(cell: Cell, outcome: Outcome, seed: int, n_validation: int) -> BenchmarkRow:
    n_correct = tuple(round(accuracy * n_validation) for accuracy in outcome.accuracies)
    assert all(n / n_validation == accuracy for n, accuracy in zip(n_correct, outcome.accuracies, strict=True))
    return BenchmarkRow(
        cell=cell,
        seed=seed,
        status=outcome.status,
        n_correct=n_correct,
        accuracies=outcome.accuracies,
        seconds=outcome.seconds,
    )


def _benchmark_cell(cell: Cell, outcome: Outcome, source: str) -> BenchmarkCell:
    return BenchmarkCell(
        cell=cell,
        source=source,
        n_parameters=int(outcome.measurements["n_parameters"]),
        multiply_adds=int(outcome.measurements["multiply_adds"]),
    )
