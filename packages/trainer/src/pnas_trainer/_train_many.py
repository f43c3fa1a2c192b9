import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch
import torch.multiprocessing
from torch import nn

from pnas_trainer._checks import check_integer, check_whole, checked_device
from pnas_trainer._child import Child, MakeModel, result, surroundings
from pnas_trainer._config import TrainConfig
from pnas_trainer._data import TrainingData, example_image, make_batches
from pnas_trainer._errors import TrainerError
from pnas_trainer._folders import ImageFolders
from pnas_trainer._memory import OutOfMemoryError, memory_shortage, released
from pnas_trainer._processes import Processes
from pnas_trainer._result import TrainResult
from pnas_trainer._train import train
from pnas_trainer._training import CombinedModel, Training

Combine = Callable[[Sequence[nn.Module]], nn.Module]
"""Makes one module of several networks: a `CombinedModel`, as `pnas_models.combine` does."""


def train_many(
    make_models: Sequence[MakeModel],
    data: TrainingData,
    config: TrainConfig,
    *,
    seeds: Sequence[int],
    device: torch.device | str = "cpu",
    combine: Combine | None = None,
    children_per_step: int = 8,
    n_processes: int = 1,
    threads_per_child: int = 1,
    keep_weights: bool = False,
) -> list[TrainResult]:
    """Train many classifiers, each as `train` would with its seed; gives their results in order.

    On the CPU, small networks gain most from processes of one thread each. Where steps are so small that the computer
    spends its time starting them, `combine` trains several networks in one step; each is still shown its own images in
    its own order, and equal to training alone up to floating-point noise (dropout and drop path draw other numbers).

    Args:
        make_models: as `train` takes them, each with its `seeds`; with several processes, they must be picklable.
        data: the images.
        config: how to train.
        seeds: of each child.
        device: to train on.
        combine: makes one module of several networks, for images in memory; None trains one after another.
        children_per_step: how many are combined at most. With too little memory, fewer are.
        n_processes: that children are spread over, this one among them. It does not change the results.
        threads_per_child: that PyTorch computes a child's step with; results depend on it.
        keep_weights: whether the results carry the networks' state dicts.

    Raises:
        TrainerError: the settings and the images do not go together.
    """
    if len(make_models) != len(seeds):
        raise TrainerError(f"train_many needs a seed for each of {len(make_models)} models, not {len(seeds)} seeds")
    for seed in seeds:
        check_integer(seed=seed)
    check_whole(1, children_per_step=children_per_step, n_processes=n_processes, threads_per_child=threads_per_child)
    if combine is not None and config.ema_decay is not None:
        raise TrainerError("combined networks are trained without ema_decay: leave one of the two out")
    example_image(data, config.preprocessing)  # refuses settings that do not fit the images
    if combine is not None and isinstance(data, ImageFolders):
        raise TrainerError("networks that are trained as one module need images in memory: leave combine out")
    size = children_per_step if combine is not None else 1
    starts = range(0, len(make_models), size)
    cohorts = [(make_models[start : start + size], seeds[start : start + size]) for start in starts]
    settings = _Settings(
        config=config,
        device=checked_device(device),
        combine=combine,
        threads_per_child=threads_per_child,
        keep_weights=keep_weights,
    )
    if n_processes == 1 or len(cohorts) <= 1:
        return [x for cohort in cohorts for x in _train_cohort(data, settings, cohort)]
    try:
        pickle.dumps((make_models, combine))
    except Exception as error:
        raise TrainerError(
            f"with n_processes={n_processes}, make_models and combine must be picklable ({error}): "
            f"use functools.partial of a function at the top of a module, or n_processes=1"
        ) from error
    with ProcessPoolExecutor(
        min(n_processes, len(cohorts)) - 1,  # this process is the last one: it need not start
        # torch's context hands the images over as shared memory.
        mp_context=torch.multiprocessing.get_context("spawn"),
        initializer=_begin_process,
        initargs=(data, settings),
    ) as pool:
        futures = [pool.submit(_in_process, cohort) for cohort in cohorts]
        results = {}
        try:
            for index in reversed(range(len(cohorts))):
                if futures[index].cancel():  # none of the others has begun with it
                    results[index] = _train_cohort(data, settings, cohorts[index])
            return [x for index, future in enumerate(futures) for x in results.get(index) or future.result()]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """What all cohorts have in common."""

    config: TrainConfig
    device: torch.device
    combine: Combine | None
    threads_per_child: int
    keep_weights: bool


_Cohort = tuple[Sequence[MakeModel], Sequence[int]]


def _train_cohort(data: TrainingData, settings: _Settings, cohort: _Cohort) -> list[TrainResult]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(settings.threads_per_child)
    try:
        if settings.combine is None:
            return [_train_alone(make, seed, data, settings) for make, seed in zip(*cohort, strict=True)]
        return _train_in_company(*cohort, data, settings, settings.combine)
    finally:
        torch.set_num_threads(n_threads)


def _train_alone(make_model: MakeModel, seed: int, data: TrainingData, settings: _Settings) -> TrainResult:
    return train(
        make_model, data, settings.config, seed=seed, device=settings.device, keep_weights=settings.keep_weights
    )


def _train_in_company(
    make_models: Sequence[MakeModel],
    seeds: Sequence[int],
    data: TrainingData,
    settings: _Settings,
    combine: Combine,
) -> list[TrainResult]:
    """Combined where that fits into memory, else in two halves, and at last one by one."""
    if len(seeds) == 1:
        return [_train_alone(make_models[0], seeds[0], data, settings)]
    try:
        with memory_shortage(), surroundings(settings.config, settings.device):
            return _train_combined(make_models, seeds, data, settings, combine)
    except OutOfMemoryError:
        half = len(seeds) // 2
    released(settings.device)
    return [
        x
        for part in (slice(None, half), slice(half, None))
        for x in _train_in_company(make_models[part], seeds[part], data, settings, combine)
    ]


def _train_combined(
    make_models: Sequence[MakeModel],
    seeds: Sequence[int],
    data: TrainingData,
    settings: _Settings,
    combine: Combine,
) -> list[TrainResult]:
    config, device = settings.config, settings.device
    image = example_image(data, config.preprocessing)
    children = [
        Child.made(make, image, data.num_classes, seed, device) for make, seed in zip(make_models, seeds, strict=True)
    ]
    model = combine([child.model for child in children]).to(memory_format=torch.channels_last)
    if not isinstance(model, CombinedModel):
        raise TrainerError(
            f"combine must give a module with n_children, gradients() and networks(), not {type(model).__name__}"
        )
    torch.manual_seed(seeds[0])
    batches = make_batches(data, config, seeds, device, Processes())
    training = Training(model, batches, config, device, Processes())
    while training.epoch < config.n_epochs and not all(map(training.has_diverged, range(len(seeds)))):
        training.run_epoch()
    model.networks()  # brings the weights back to the children
    return [
        result(
            child,
            training,
            index,
            "diverged" if training.has_diverged(index) else "finished",
            device,
            keep_weights=settings.keep_weights,
        )
        for index, child in enumerate(children)
    ]


_process: tuple[TrainingData, _Settings]


def _begin_process(data: TrainingData, settings: _Settings) -> None:
    global _process
    _process = data, settings


def _in_process(cohort: _Cohort) -> list[TrainResult]:
    return _train_cohort(*_process, cohort)
