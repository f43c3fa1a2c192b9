"""What a worker process does: it turns a cell into a network, and trains it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pnas_search import Outcome, Request
from pnas_searchspace import Cell
from pnas_tools._config import SearchConfig
from pnas_tools._heirs import CURVES, WEIGHTS

if TYPE_CHECKING:  # importing torch takes seconds, and the command line answers before it is needed
    from pnas_models import CellNetwork
    from pnas_trainer import ImageDataset, TrainConfig


@dataclass(frozen=True, kw_only=True)
class ChildTrainer:
    """Makes, in a worker process, the function that trains a child there.

    Attributes:
        config: of the search.
        data: the `.npz` file that holds the images by the time that the first child is trained.
    """

    config: SearchConfig
    data: os.PathLike[str]

    def __call__(self) -> Callable[[Request], Outcome]:
        settings = train_config(self.config)

        @cache
        def images() -> "ImageDataset":
            from pnas_trainer import ImageDataset

            return ImageDataset.load(Path(self.data)).to(self.config.device)

        return lambda request: _train(request, self.config, settings, images())


def train_config(config: SearchConfig) -> "TrainConfig":
    """The part of a search's config that is the trainer's.

    Raises:
        TrainerError: the values do not go together.
    """
    from pnas_trainer import Preprocessing, TrainConfig

    return TrainConfig(
        n_epochs=config.n_epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        nesterov=config.nesterov,
        weight_decay=config.weight_decay,
        max_gradient_norm=config.max_gradient_norm,
        precision=config.precision,  # type: ignore[arg-type]  # click has checked the choice
        preprocessing=Preprocessing(
            whitening=config.whitening,  # type: ignore[arg-type]  # click has checked the choice
            upsample_to=config.upsample_to,
            crop_to=config.crop_to,
            flip=config.flip,
        ),
    )


def _train(request: Request, config: SearchConfig, settings: "TrainConfig", images: "ImageDataset") -> Outcome:
    import torch
    from safetensors.torch import save

    from pnas_trainer import LearningCurveRule, train

    torch.set_num_threads(config.threads_per_child)  # anew, as a surrogate may have been fitted in this process
    rule = None
    if config.early_stopping is not None and request.fidelity == 1:
        finished = request.attachments[CURVES]
        rule = LearningCurveRule(finished=finished, top=config.beam_size, confidence=config.early_stopping)
    result = train(
        partial(_network, request, config, images.num_classes, images.in_channels),
        images,
        replace(settings, n_epochs=request.fidelity * settings.n_epochs),
        seed=request.seed,
        device=config.device,
        should_stop=rule,
        keep_weights=config.warm_start,
    )
    accuracy = result.accuracy
    if rule is not None and result.status == "stopped":
        accuracy = rule.predicted_accuracy(result.accuracies)
    attachments = {}
    if result.weights is not None and accuracy is not None:  # it may have children
        attachments[WEIGHTS] = save({name: tensor.contiguous() for name, tensor in result.weights.items()})
    return Outcome(
        status=result.status,
        accuracy=accuracy,
        accuracies=result.accuracies,
        n_examples=result.n_examples,
        seconds=result.seconds,
        measurements={"n_parameters": result.n_parameters, "multiply_adds": result.multiply_adds},
        attachments=attachments,
    )


def make_network(cell: Cell, config: SearchConfig, num_classes: int, in_channels: int) -> "CellNetwork":
    """The network that a cell is trained as, before it is."""
    from pnas_models import cifar_network

    return cifar_network(
        cell,
        n_filters=config.n_filters,
        n_repeats=config.n_repeats,
        num_classes=num_classes,
        in_channels=in_channels,
    )


def _network(request: Request, config: SearchConfig, num_classes: int, in_channels: int) -> "CellNetwork":
    from safetensors.torch import load

    from pnas_models import inherit

    network = make_network(request.cell, config, num_classes, in_channels)
    if request.parent is not None and WEIGHTS in request.attachments:
        inherited = inherit(load(bytes(request.attachments[WEIGHTS])), request.parent, request.cell)
        network.load_state_dict(inherited, strict=False)
    return network
