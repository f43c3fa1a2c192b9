import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from pnas_trainer._checkpoint import Checkpoint
from pnas_trainer._checks import check_whole
from pnas_trainer._child import MakeModel
from pnas_trainer._config import TrainConfig
from pnas_trainer._dataset import ImageDataset
from pnas_trainer._errors import TrainerError
from pnas_trainer._result import TrainResult
from pnas_trainer._train import train


@dataclass(frozen=True, kw_only=True)
class FinalResult:
    """What `train_final` chose and measured.

    Attributes:
        chosen: the candidate's name.
        selection: every candidate's training on the training images, measured on the validation images; empty where
            there was one candidate.
        runs: trainings of the chosen one on both, measured on the test images after every epoch. What counts is the
            last epoch: a better one before it would be chosen by the test images.
    """

    chosen: str
    selection: Mapping[str, TrainResult]
    runs: tuple[TrainResult, ...]

    @property
    def test_errors(self) -> tuple[float, ...]:
        """Share of the test images that each run got wrong; a run that did not finish is left out."""
        return tuple(1 - run.accuracy for run in self.runs if run.accuracy is not None)

    @property
    def mean_error(self) -> float:
        """Of the runs; NaN where none finished."""
        return statistics.fmean(self.test_errors) if self.test_errors else math.nan

    @property
    def std_error(self) -> float:
        """Sample standard deviation of the runs' errors; NaN for fewer than two of them."""
        return statistics.stdev(self.test_errors) if len(self.test_errors) > 1 else math.nan


def train_final(
    candidates: Mapping[str, MakeModel],
    data: ImageDataset,
    config: TrainConfig,
    *,
    selection_epochs: int = 300,
    n_runs: int = 5,
    seed: int = 0,
    device: torch.device | str = "cpu",
    folder: Path | str | None = None,
) -> FinalResult:
    """The paper's final training on CIFAR-10 (section 5.4 and table 3).

    Every candidate, such as a pair of N and F near a number of parameters, is trained on the training images for
    `selection_epochs`; the best on the validation images is trained on both, several times from new weights, and
    measured on the test images.

    Args:
        candidates: what makes each network, by name. One alone needs no choosing.
        data: with a test part (`load_dataset(…, test=True)`).
        config: of the final runs, such as `RECIPES["cifar10_final"]`; choosing differs in its number of epochs alone.
        selection_epochs: E of the choosing.
        n_runs: trainings of the chosen one, with the seeds `seed`, `seed + 1`, and so on.
        seed: of the choosing, and of the first run.
        device: to train on.
        folder: where the trainings keep their checkpoints; the same call goes on from them.

    Raises:
        TrainerError: no candidate, none that finished its training, no run, or no test part.
    """
    if not candidates:
        raise TrainerError("train_final needs at least one candidate and got none")
    check_whole(1, n_runs=n_runs)
    if not isinstance(data, ImageDataset):
        raise TrainerError(f"a final training is of images in memory, an ImageDataset, not {type(data).__name__}")
    merged = data.merged()

    def run(name: str, images: ImageDataset, settings: TrainConfig, run_seed: int, file: str) -> TrainResult:
        checkpoint = None if folder is None else Checkpoint(path=Path(folder) / f"{file}.pt")
        return train(candidates[name], images, settings, seed=run_seed, device=device, checkpoint=checkpoint)

    selection = {}
    if len(candidates) > 1:
        choosing = replace(config, n_epochs=selection_epochs)
        selection = {
            name: run(name, data, choosing, seed, f"selection-{index}") for index, name in enumerate(candidates)
        }
    finished = {name: result.accuracy for name, result in selection.items() if result.accuracy is not None}
    if selection and not finished:
        statuses = ", ".join(f"{name} {result.status}" for name, result in selection.items())
        raise TrainerError(f"one candidate at least must finish its training, but none did ({statuses})")
    chosen = max(finished, key=lambda name: finished[name]) if finished else next(iter(candidates))
    order = list(candidates).index(chosen)
    runs = tuple(run(chosen, merged, config, seed + index, f"run-{order}-{index}") for index in range(n_runs))
    return FinalResult(chosen=chosen, selection=selection, runs=runs)
