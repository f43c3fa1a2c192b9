"""The images of a data set as the batches that a network is measured on."""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from pnas_tools._errors import BadInput
from pnas_tools._image_folders import class_names, find_test_part
from pnas_tools._preparation import Preparation
from pnas_trainer import DATASETS, load_dataset, stream_image_folder

# What Pillow raises for files that are no images, or damaged.
_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


@dataclass(frozen=True, kw_only=True)
class EvaluationImages:
    """Batches of a network's input with their labels.

    Attributes:
        batches: float32 `(N, C, H, W)`, int64 `(N,)`.
        n_batches: how many there are.
        num_classes: of the data set.
        classes: their names in the order of the labels, where the data set has names.
    """

    batches: Iterable[tuple[Tensor, Tensor]]
    n_batches: int
    num_classes: int
    classes: tuple[str, ...] | None


def in_memory(dataset: str, preparation: Preparation, batch_size: int) -> EvaluationImages:
    """The test part of a data set, or all of a folder that has none, prepared as the training's were.

    Raises:
        BadInput: the images are of another shape.
        TrainerError: they cannot be had.
    """
    images, labels, num_classes = _part(dataset, preparation.shrink_to)
    if tuple(images.shape[1:]) != preparation.shape:
        there, here = ("x".join(map(str, shape)) for shape in (preparation.shape, images.shape[1:]))
        raise BadInput(
            f"the network was trained on images of {there} (channels, height, width), and those of {dataset} are "
            f"{here}: choose a data set such as {preparation.dataset}"
        )
    pairs = zip(images.split(batch_size), labels.split(batch_size), strict=True)
    return EvaluationImages(
        batches=((preparation.prepared(some), some_labels) for some, some_labels in pairs),
        n_batches=math.ceil(len(images) / batch_size),
        num_classes=num_classes,
        classes=class_names(_test_root(Path(dataset))) if Path(dataset).is_dir() else None,
    )


def streamed(folder: Path, image_size: int, batch_size: int, n_workers: int) -> EvaluationImages:
    """The images of a folder as a training on folders measures itself.

    Raises:
        TrainerError: there are no class folders, or a file is no image.
    """
    stream = stream_image_folder(
        _test_root(folder), image_size=image_size, batch_size=batch_size, train=False, n_workers=n_workers
    )
    return EvaluationImages(
        batches=stream, n_batches=len(stream), num_classes=stream.num_classes, classes=stream.classes
    )


def transformed(
    folder: Path, transforms: Callable[[Image.Image], Tensor], batch_size: int, n_workers: int
) -> EvaluationImages:
    """The images of a folder with what published weights expect done to them.

    Raises:
        BadInput: there are no class folders with images in them; while iterating, a file that is no image.
    """
    from torchvision.datasets import ImageFolder

    root = _test_root(folder)
    try:
        source = ImageFolder(root)
    except OSError as error:
        raise BadInput(f"{root} must hold a folder of images for each class, but: {error}") from error
    return EvaluationImages(
        batches=_transformed_batches(source.samples, transforms, batch_size, max(1, n_workers)),
        n_batches=math.ceil(len(source.samples) / batch_size),
        num_classes=len(source.classes),
        classes=tuple(source.classes),
    )


def _part(dataset: str, shrink_to: int | None) -> tuple[Tensor, Tensor, int]:
    """Images, labels and the number of classes of a test part, or of a whole folder that has none."""
    root = Path(dataset)
    is_whole = dataset not in DATASETS and root.is_dir() and find_test_part(root) is None
    data = load_dataset(dataset, validation_fraction=0.5) if is_whole else load_dataset(dataset, test=True)
    data = data if shrink_to is None else data.shrunk_to(shrink_to)
    if data.test_images is not None and data.test_labels is not None:
        return data.test_images, data.test_labels, data.num_classes
    images = torch.cat([data.train_images, data.validation_images])
    return images, torch.cat([data.train_labels, data.validation_labels]), data.num_classes


def _test_root(folder: Path) -> Path:
    return find_test_part(folder) or folder


def _transformed_batches(
    samples: list[tuple[str, int]], transforms: Callable[[Image.Image], Tensor], batch_size: int, n_threads: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """One batch is read while the network is at work on the one before it."""
    batches = [samples[start : start + batch_size] for start in range(0, len(samples), batch_size)]
    with ThreadPoolExecutor(n_threads) as pool:

        def begun(batch: list[tuple[str, int]]) -> list[Future[Tensor]]:
            return [pool.submit(_transformed, path, transforms) for path, _ in batch]

        reading = begun(batches[0])
        for batch, following in zip(batches, [*batches[1:], []], strict=True):
            images = torch.stack([image.result() for image in reading])
            reading = begun(following)
            yield images, torch.tensor([label for _, label in batch])


def _transformed(path: str, transforms: Callable[[Image.Image], Tensor]) -> Tensor:
    try:
        with Image.open(path) as image:
            return transforms(image)
    except _UNREADABLE as error:
        raise BadInput(f"the image {path} cannot be read ({error}): mend it or remove it") from error
