"""Who says how accurate a search's children are."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from pnas_search import BenchmarkEvaluator, Evaluator, Ledger, ProcessPool
from pnas_tools._arithmetic import computed_with
from pnas_tools._child import ChildTrainer
from pnas_tools._config import SearchConfig
from pnas_tools._evaluator_name import BenchmarkName
from pnas_tools._heirs import Heirs
from pnas_tools._prepare import prepare
from pnas_tools._run_folder import RunFolder
from pnas_tools._surrogate import load_surrogate


@contextmanager
def opened_evaluator(
    config: SearchConfig, run: RunFolder, ledger: Ledger, n_workers: int, console: Console
) -> Iterator[tuple[Evaluator, str]]:
    """The evaluator that a config asks for, ready to answer, and what it is in words.

    Raises:
        BadInput: the images, or values that do not go together.
    """
    if (benchmark := BenchmarkName.of(config.evaluator)) is not None:
        evaluator = BenchmarkEvaluator(benchmark.load(), exact=benchmark.exact)
        with computed_with(config.arithmetic):
            load_surrogate()
            yield evaluator, f"on the surrogate benchmark {benchmark.name}"
        return
    with trainers(config, run, n_workers, console) as pool:
        load_surrogate()
        yield _with_heirs(config, run, pool, ledger), f"with {n_workers} workers"


@contextmanager
def trainers(config: SearchConfig, run: RunFolder, n_workers: int, console: Console) -> Iterator[ProcessPool]:
    """Processes that train children, with the images that they train on.

    Raises:
        BadInput: the images, or values that do not go together.
    """
    trainer = ChildTrainer(config=config, data=run.data.absolute())
    # The workers import what they need while this process does.
    with computed_with(config.arithmetic), ProcessPool(trainer, n_workers) as pool:
        with console.status("Reading the images, while the workers start"):
            prepare(config, run.data)
        yield pool


def _with_heirs(config: SearchConfig, run: RunFolder, pool: ProcessPool, ledger: Ledger) -> Evaluator:
    """The pool, or one that gives children what they get from others."""
    if not config.warm_start and config.early_stopping is None:
        return pool
    weights = run.weights if config.warm_start else None
    return Heirs(pool, ledger, weights=weights, curves=config.early_stopping is not None)
