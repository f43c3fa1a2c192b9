"""The searches of a comparison: every trial is a run in a folder of its own."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from pnas_search import DamagedLedgerError, Ledger, LedgerError, SearchError
from pnas_tools._compare_result import CompareResult
from pnas_tools._compare_trial import Trial
from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput, Failed
from pnas_tools._execution import Execution
from pnas_tools._run_folder import RunFolder
from pnas_tools._run_search import run_search

_LAST_SEED = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """A search that a comparison needs, finished or not."""

    config: SearchConfig
    run: RunFolder

    @property
    def is_finished(self) -> bool:
        return self.run.read_result() is not None


def planned_trials(configs: Sequence[SearchConfig], n_trials: int, folder: Path) -> list[PlannedTrial]:
    """Every strategy with every seed from its config's on; one seed after the other, so that each is soon complete.

    Raises:
        BadInput: there are not so many seeds.
    """
    first = configs[0].seed
    if first + n_trials - 1 > _LAST_SEED:
        raise BadInput(f"seeds from {first} on end at {_LAST_SEED}, and --trials is {n_trials}: pass a smaller --seed")
    with_seeds = [dataclasses.replace(one, seed=one.seed + index) for index in range(n_trials) for one in configs]
    return [
        PlannedTrial(config=config, run=RunFolder(folder / f"{config.strategy}-seed{config.seed}"))
        for config in with_seeds
    ]


def check_trials(trials: Sequence[PlannedTrial]) -> None:
    """Raise `BadInput` unless every trial can begin, go on, or be read; nothing is changed on disk."""
    for trial in trials:
        trial.run.check(trial.config)


def run_trials(trials: Sequence[PlannedTrial], execution: Execution, console: Console) -> None:
    """Search, or go on, where a trial is not finished.

    Raises:
        BadInput: the images, values that do not go together, or a ledger that is damaged.
        Failed: a search cannot go on.
    """
    for number, trial in enumerate(trials, start=1):
        if not trial.is_finished:
            console.print(f"Trial {number} of {len(trials)}:", highlight=False)
            try:
                run_search(trial.config, trial.run, execution, None, console)
            except DamagedLedgerError as error:
                raise BadInput(str(error)) from error
            except SearchError as error:
                raise Failed(f"{trial.run.path}: {error}") from error


def finished_trials(trials: Sequence[PlannedTrial]) -> list[PlannedTrial]:
    """Those of the seeds that every strategy has finished.

    Raises:
        BadInput: there is no such seed.
    """
    unfinished = {trial.config.seed for trial in trials if not trial.is_finished}
    finished = [trial for trial in trials if trial.config.seed not in unfinished]
    if not finished:
        raise BadInput("no seed is finished by every strategy so far: wait for one, or leave out --so-far")
    return finished


def read_trials(trials: Sequence[PlannedTrial]) -> CompareResult:
    """What finished trials found.

    Raises:
        BadInput: a ledger cannot be read.
    """
    read: dict[str, list[Trial]] = {}
    configs: dict[str, SearchConfig] = {}
    provenances: list[Mapping[str, Any]] = []
    for trial in trials:
        strategy = trial.config.strategy
        configs.setdefault(strategy, trial.config)
        try:
            with Ledger.read(trial.run.ledger) as ledger:
                rows, provenance = ledger.rows(), ledger.provenance()
        except LedgerError as error:
            raise BadInput(str(error)) from error
        read.setdefault(strategy, []).append(Trial.of(trial.config.seed, rows))
        if provenance not in provenances:
            provenances.append(provenance)
    return CompareResult(trials=read, configs=configs, provenances=provenances)
