import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch
import torch.multiprocessing
from torch import nn

from pnas_trainer._beside import train_beside
from pnas_trainer._checks import check_integer, check_whole, checked_device
from pnas_trainer._child import Child, MakeModel, result, surroundings
from pnas_trainer._config import TrainConfig
from pnas_trainer._data import TrainingData, example_image, make_batches
from pnas_trainer._errors import TrainerError
from pnas_trainer._folders import ImageFolders
from pnas_trainer._memory import OutOfMemoryError, memory_shortage, released
from pnas_trainer._processes import Processes
from pnas_trainer._randomness import random_state
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
    side_by_side: int = 1,
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
        side_by_side: how many trainings, of a child or of combined ones, take their steps by turns. On a GPU each has a
            stream of its own, so that it computes several small steps at a time. With too little memory, fewer do. It
            does not change the results, but for what a GPU computes in another order, and that the seconds of
            those that share one are shared out by their multiply-adds.
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
    check_whole(1, children_per_step=children_per_step, side_by_side=side_by_side)
    check_whole(1, n_processes=n_processes, threads_per_child=threads_per_child)
    if combine is not None and config.ema_decay is not None:
        raise TrainerError("combined networks are trained without ema_decay: leave one of the two out")
    example_image(data, config.preprocessing)  # refuses settings that do not fit the images
    if combine is not None and isinstance(data, ImageFolders):
        raise TrainerError("networks that are trained as one module need images in memory: leave combine out")
    size = children_per_step if combine is not None else 1
    companies = [(make_models[at : at + size], seeds[at : at + size]) for at in range(0, len(make_models), size)]
    cohorts = [companies[at : at + side_by_side] for at in range(0, len(companies), side_by_side)]
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


_Company = tuple[Sequence[MakeModel], Sequence[int]]
"""Children that are one module in training, with their seeds."""
_Cohort = Sequence[_Company]
"""Companies that are trained side by side."""


def _train_cohort(data: TrainingData, settings: _Settings, cohort: _Cohort) -> list[TrainResult]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(settings.threads_per_child)
    try:
        return _train_in_company(cohort, data, settings)
    finally:
        torch.set_num_threads(n_threads)


def _train_in_company(cohort: _Cohort, data: TrainingData, settings: _Settings) -> list[TrainResult]:
    """All at once where that fits into memory, else in two halves, and at last one child alone."""
    if sum(len(seeds) for _, seeds in cohort) == 1:
        (((make_model,), (seed,)),) = cohort
        keep_weights = settings.keep_weights
        return [train(make_model, data, settings.config, seed=seed, device=settings.device, keep_weights=keep_weights)]
    try:
        with memory_shortage(), surroundings(settings.config, settings.device):
            return _trained(cohort, data, settings)
    except OutOfMemoryError:
        halves = _halves(cohort)
    released(settings.device)
    return [x for half in halves for x in _train_in_company(half, data, settings)]


def _halves(cohort: _Cohort) -> tuple[_Cohort, _Cohort]:
    """Of the companies, or of the only one."""
    if len(cohort) > 1:
        half = len(cohort) // 2
        return cohort[:half], cohort[half:]
    make_models, seeds = cohort[0]
    half = len(seeds) // 2
    return [(make_models[:half], seeds[:half])], [(make_models[half:], seeds[half:])]


def _trained(cohort: _Cohort, data: TrainingData, settings: _Settings) -> list[TrainResult]:
    """A function of its own, so that nothing holds their memory when it ends by a shortage of that."""
    begun, states = [], []
    for company in cohort:
        begun.append(_Begun(company, data, settings))
        states.append(random_state(settings.device))
    train_beside([(each.training, state) for each, state in zip(begun, states, strict=True)], settings.device)
    if settings.device.type == "cuda":
        _share_seconds(begun)
    return [x for each in begun for x in each.results()]


def _share_seconds(begun: "Sequence[_Begun]") -> None:
    """By work: the host waits for one of them while the device computes for all."""
    works = [(1 + each.multiply_adds) * len(each.training.losses) for each in begun]
    by_work = sum(each.training.seconds for each in begun) / sum(works)
    for each, work in zip(begun, works, strict=True):
        each.training.seconds = by_work * work


class _Begun:
    """A company whose training has begun."""

    def __init__(self, company: _Company, data: TrainingData, settings: _Settings) -> None:
        make_models, seeds = company
        config, device = settings.config, settings.device
        image = example_image(data, config.preprocessing)
        self._settings = settings
        self._children = [
            Child.made(make, image, data.num_classes, seed, device)
            for make, seed in zip(make_models, seeds, strict=True)
        ]
        model = self._children[0].model
        self._combined: CombinedModel | None = None
        if settings.combine is not None and len(seeds) > 1:
            model = settings.combine([child.model for child in self._children])
            model = model.to(memory_format=torch.channels_last)
            if not isinstance(model, CombinedModel):
                raise TrainerError(
                    "combine must give a module with n_children, gradients() and networks(), "
                    f"not {type(model).__name__}"
                )
            self._combined = model
            torch.manual_seed(seeds[0])
        batches = make_batches(data, config, seeds, device, Processes())
        self.training = Training(model, batches, config, device, Processes(), is_alone=False)

    @property
    def multiply_adds(self) -> int:
        """For an image of every child."""
        return sum(child.multiply_adds for child in self._children)

    def results(self) -> list[TrainResult]:
        """Of every child, once the training has ended."""
        if self._combined is not None:
            self._combined.networks()  # brings the weights back to the children
        with self.training.averaged():
            return [
                result(
                    child,
                    self.training,
                    index,
                    "diverged" if self.training.has_diverged(index) else "finished",
                    self._settings.device,
                    keep_weights=self._settings.keep_weights,
                )
                for index, child in enumerate(self._children)
            ]


_process: tuple[TrainingData, _Settings]


def _begin_process(data: TrainingData, settings: _Settings) -> None:
    global _process
    _process = data, settings


def _in_process(cohort: _Cohort) -> list[TrainResult]:
    return _train_cohort(*_process, cohort)
