"""Who says how accurate a search's children are."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from pnas_search import BenchmarkEvaluator, Evaluator, InProcess, Ledger, ProcessPool, RayExecutor, RayFile
from pnas_tools._arithmetic import computed_with
from pnas_tools._child import ChildTrainer
from pnas_tools._config import SearchConfig
from pnas_tools._evaluator_name import BenchmarkName
from pnas_tools._execution import Execution, gpus
from pnas_tools._heirs import Heirs
from pnas_tools._prepare import prepare
from pnas_tools._run_folder import RunFolder
from pnas_tools._surrogate import load_surrogate


@contextmanager
def opened_evaluator(
    config: SearchConfig, run: RunFolder, ledger: Ledger, execution: Execution, console: Console
) -> Iterator[tuple[Evaluator, str]]:
    """The evaluator that a config asks for, ready to answer, and what it is in words.

    Raises:
        BadInput: the images, or values that do not go together.
        SearchError: there is no Ray cluster.
    """
    if (benchmark := BenchmarkName.of(config.evaluator)) is not None:
        evaluator = BenchmarkEvaluator(benchmark.load(), exact=benchmark.exact)
        with computed_with(config.arithmetic):
            _load_surrogate(config)
            yield evaluator, f"on the surrogate benchmark {benchmark.name}"
        return
    with trainers(config, run, execution, console) as executor:
        _load_surrogate(config)
        yield _with_heirs(config, run, executor, ledger), _in_words(executor, execution.workers(config))


@contextmanager
def trainers(config: SearchConfig, run: RunFolder, execution: Execution, console: Console) -> Iterator[Evaluator]:
    """What trains children, with the images that they train on.

    Raises:
        BadInput: the images, or values that do not go together.
        SearchError: there is no Ray cluster.
    """
    data = run.data.absolute()
    with computed_with(config.arithmetic):
        if execution.executor == "processes":
            # The workers import what they need while this process does.
            with _processes(config, data, execution) as pool:
                _prepare(config, data, console)
                yield pool
            return
        _prepare(config, data, console)
        with _ray(config, data, execution) if execution.executor == "ray" else _here(config, data) as executor:
            yield executor


def _load_surrogate(config: SearchConfig) -> None:
    """Where there will be one: it takes seconds."""
    if config.strategy == "progressive":
        load_surrogate()


def _prepare(config: SearchConfig, data: Path, console: Console) -> None:
    with console.status("Reading the images"):
        prepare(config, data)


def _here(config: SearchConfig, data: Path) -> InProcess:
    return InProcess(ChildTrainer(config=config, data=data))


def _processes(config: SearchConfig, data: Path, execution: Execution) -> ProcessPool:
    return ProcessPool(
        ChildTrainer(config=config, data=data),
        execution.workers(config),
        seconds_per_child=execution.seconds_per_child,
        environments=[{"CUDA_VISIBLE_DEVICES": name} for name in gpus(config)],
    )


def _ray(config: SearchConfig, data: Path, execution: Execution) -> RayExecutor:
    return RayExecutor(
        ChildTrainer(config=config, data=RayFile(data)),
        n_workers=execution.n_workers,
        cpus_per_child=config.threads_per_child,
        gpus_per_child=0.0 if config.device == "cpu" else 1 / execution.children_per_gpu,
        seconds_per_child=execution.seconds_per_child,
    )


def _in_words(executor: Evaluator, n_workers: int) -> str:
    if isinstance(executor, InProcess):
        return "in this process"
    if isinstance(executor, RayExecutor):
        return f"with {executor.n_workers} workers on a Ray cluster"
    return f"with {n_workers} workers"


def _with_heirs(config: SearchConfig, run: RunFolder, executor: Evaluator, ledger: Ledger) -> Evaluator:
    """The executor, or one that gives children what they get from others."""
    if not config.warm_start and config.early_stopping is None:
        return executor
    weights = run.weights if config.warm_start else None
    return Heirs(executor, ledger, weights=weights, curves=config.early_stopping is not None)
