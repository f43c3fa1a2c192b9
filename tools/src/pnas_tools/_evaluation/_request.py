"""From what was asked for on the command line to a network and the images that it is measured on."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pnas_models import WeightFile, Weights, list_models
from pnas_tools._errors import BadInput
from pnas_tools._evaluation._images import EvaluationImages, in_memory, streamed, transformed
from pnas_tools._network_choice import NetworkChoice, choose_network, with_weights
from pnas_tools._preparation import Preparation
from pnas_tools._published import weights_by_name

KeepOpen = Callable[[AbstractContextManager[WeightFile]], WeightFile]

_WITH_BACKGROUND = 1001


@dataclass(frozen=True, kw_only=True)
class Request:
    """An evaluation that was asked for.

    Attributes:
        choice: the network, with weights.
        dataset: its name or path.
        images: that the network is measured on.
    """

    choice: NetworkChoice
    dataset: str
    images: EvaluationImages

    @classmethod
    def of_options(cls, text: str, options: dict[str, Any], keep_open: KeepOpen) -> Self:
        """What NAME or FILE, and the options of `pnas-tools evaluate`, ask for.

        Raises:
            BadInput: they do not go together.
            ModelError: there is no such network, or there are no such weights.
            TrainerError: there is no such data set.
        """
        choice = _choice(text, options["weights_text"], keep_open)
        preparation = Preparation.of_file(choice.file.path) if choice.file else None
        dataset = options["dataset"] or (preparation.dataset if preparation else None)
        if dataset is None:
            raise BadInput(f"{choice.name} does not say what it was trained on: pass a data set or a folder, --dataset")
        images = _images(choice, preparation, dataset, options)
        if (choice.empty.num_classes, images.num_classes) == (_WITH_BACKGROUND, _WITH_BACKGROUND - 1):
            choice.empty.reset_classifier(images.num_classes)
        _check_classes(choice, preparation, dataset, images)
        return cls(choice=choice, dataset=dataset, images=images)


def _choice(text: str, weights: str | None, keep_open: KeepOpen) -> NetworkChoice:
    choice = choose_network(text, {}, keep_open)
    if text in list_models() and weights is None and not weights_by_name(text):
        raise BadInput(f"nobody has published weights for {text}: pass a file of them with --weights")
    if text in list_models() or weights is not None:
        return with_weights(choice, weights or "DEFAULT", None, keep_open)
    if choice.file is None:
        raise BadInput(f"{choice.name} has no weights yet: train it first, or pass a file of them with --weights")
    return choice


def _images(
    choice: NetworkChoice, preparation: Preparation | None, dataset: str, options: dict[str, Any]
) -> EvaluationImages:
    batch_size, n_workers = options["batch_size"], options["n_workers"]
    if n_workers is None:
        n_workers = os.cpu_count() or 1
    if preparation is not None and preparation.kind == "memory":
        if options["image_size"] is not None:
            raise BadInput("--image-size is of images that are resized, and this network's are not: leave it out")
        return in_memory(dataset, preparation, batch_size)
    if preparation is None and choice.empty.config["network"] != "imagenet":
        raise BadInput(
            f"{choice.name} does not say what its images go through: expected the file or the folder of a training, "
            "as pnas-tools train writes it"
        )
    folder = Path(dataset)
    if not folder.is_dir():
        raise BadInput(f"{choice.name} is measured on a folder with a folder of images for each class, not {dataset!r}")
    size = options["image_size"] or (preparation.height if preparation else choice.image_size)
    published = _published(choice) if preparation is None else None
    if published is not None:
        return transformed(folder, published.transforms(size), batch_size, n_workers)
    return streamed(folder, size, batch_size, n_workers)


def _published(choice: NetworkChoice) -> Weights | None:
    """The published weights that the images are prepared for: of the file's source, or else the default ones."""
    known = weights_by_name(choice.model) if choice.model else {}
    source = choice.file.source if choice.file else None
    return next((weights for weights in known.values() if weights.source == source), known.get("DEFAULT"))


def _check_classes(
    choice: NetworkChoice, preparation: Preparation | None, dataset: str, images: EvaluationImages
) -> None:
    if images.num_classes != choice.empty.num_classes:
        raise BadInput(
            f"{choice.name} knows {choice.empty.num_classes} classes, and {dataset} has {images.num_classes}: "
            "choose the data set that it was trained for"
        )
    expected = preparation.classes if preparation else None
    if expected is not None and images.classes is not None and expected != images.classes:
        there, here = next(pair for pair in zip(expected, images.classes, strict=True) if pair[0] != pair[1])
        raise BadInput(
            f"{dataset} has other classes than {choice.name}, {here!r} where {there!r} was expected: choose the data "
            "set that it was trained for"
        )
