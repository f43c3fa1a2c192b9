import difflib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pnas_trainer._dataset import ImageDataset
from pnas_trainer._errors import TrainerError
from pnas_trainer._sources import LabelledImages, read_digits, read_image_folder, read_torchvision

_BY_NAME: dict[str, Callable[[Path], LabelledImages]] = {
    "digits": lambda _: read_digits(),
    "cifar10": lambda root: read_torchvision("CIFAR10", root),
    "cifar100": lambda root: read_torchvision("CIFAR100", root),
    "fashion_mnist": lambda root: read_torchvision("FashionMNIST", root),
}

DATASETS = tuple(_BY_NAME)
"""The data sets that `load_dataset` knows by name."""


def _check_name(name: str) -> None:
    """Raise `TrainerError` unless `name` is one of `DATASETS`, or a folder or an `.npz` file that exists."""
    if name in _BY_NAME or (name and Path(name).is_dir()) or (name.endswith(".npz") and Path(name).is_file()):
        return
    close = difflib.get_close_matches(name.lower(), DATASETS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "or is a path misspelt?"
    raise TrainerError(
        f"unknown data set {name!r}: expected {', '.join(DATASETS)}, "
        f"a folder with one folder of images for each class, or an .npz file; {hint}"
    )


def load_dataset(
    name: str, *, validation_fraction: float = 0.1, split_seed: int = 0, root: Path | str = "data"
) -> ImageDataset:
    """Labelled images by name or from disk, with a part of them split off for validation.

    Only training images are read: a test set that the source keeps apart stays unseen.

    Args:
        name: one of `DATASETS`; a folder in torchvision's ImageFolder form (`<class>/<image>`, or those below
            `train/`); or an `.npz` file that `ImageDataset.save` wrote, which is split already.
        validation_fraction: share of the images that validate; 0.1 gives the paper's 45,000 and 5,000 of CIFAR-10.
        split_seed: which images these are.
        root: where torchvision keeps what it downloads.

    Raises:
        TrainerError: the name is unknown, the data cannot be had, or the fraction leaves one part empty.
    """
    _check_name(name)
    if name not in _BY_NAME and name.endswith(".npz"):
        return ImageDataset.load(name)
    images, labels, num_classes = _BY_NAME[name](Path(root)) if name in _BY_NAME else read_image_folder(Path(name))
    train, validation = _split(len(images), validation_fraction, split_seed)
    return ImageDataset(
        train_images=torch.from_numpy(images[train]),
        train_labels=torch.from_numpy(labels[train]),
        validation_images=torch.from_numpy(images[validation]),
        validation_labels=torch.from_numpy(labels[validation]),
        num_classes=num_classes,
    )


def _split(n_images: int, validation_fraction: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if not 0 < validation_fraction < 1:
        raise TrainerError(f"validation_fraction must lie between 0 and 1, and {validation_fraction} does not")
    n_validation = round(n_images * validation_fraction)
    if not 0 < n_validation < n_images:
        raise TrainerError(
            f"validation_fraction must leave images for training and for validation, "
            f"and {validation_fraction} of {n_images} leaves {n_images - n_validation} and {n_validation}"
        )
    order = np.random.default_rng(seed).permutation(n_images)
    return order[n_validation:], order[:n_validation]
