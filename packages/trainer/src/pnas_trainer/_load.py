import difflib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pnas_trainer._dataset import ImageDataset
from pnas_trainer._errors import TrainerError
from pnas_trainer._sources import (
    LabelledImages,
    read_digits,
    read_image_folder,
    read_test_folder,
    read_torchvision,
)

_N_TEST_DIGITS = 360


def _digits(_: Path, test: bool) -> tuple[LabelledImages, LabelledImages | None]:
    images, labels, num_classes = read_digits()
    if not test:
        return LabelledImages(images, labels, num_classes), None
    parts = (slice(-_N_TEST_DIGITS), slice(-_N_TEST_DIGITS, None))
    train, held_out = (LabelledImages(images[part], labels[part], num_classes) for part in parts)
    return train, held_out


def _torchvision(class_name: str, root: Path, test: bool) -> tuple[LabelledImages, LabelledImages | None]:
    train = read_torchvision(class_name, root)
    return train, read_torchvision(class_name, root, train=False) if test else None


def _folder(root: Path, test: bool, cache: bool) -> tuple[LabelledImages, LabelledImages | None]:
    # The test part goes first, since it is the one that may be missing and is quickly read.
    held_out = read_test_folder(root, cache=cache) if test else None
    return read_image_folder(root, cache=cache), held_out


_BY_NAME: dict[str, Callable[[Path, bool], tuple[LabelledImages, LabelledImages | None]]] = {
    "digits": _digits,
    "cifar10": partial(_torchvision, "CIFAR10"),
    "cifar100": partial(_torchvision, "CIFAR100"),
    "fashion_mnist": partial(_torchvision, "FashionMNIST"),
}

DATASETS = tuple(_BY_NAME)
"""The data sets that `load_dataset` knows by name."""


def check_dataset(name: str) -> None:
    """Raise `TrainerError` unless `load_dataset` knows the name, or it is a folder or an `.npz` file that exists."""
    if name in _BY_NAME or (name and Path(name).is_dir()) or (name.endswith(".npz") and Path(name).is_file()):
        return
    close = difflib.get_close_matches(name.lower(), DATASETS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "or is a path misspelt?"
    raise TrainerError(
        f"unknown data set {name!r}: expected {', '.join(DATASETS)}, "
        f"a folder with one folder of images for each class, or an .npz file; {hint}"
    )


def load_dataset(
    name: str,
    *,
    validation_fraction: float = 0.1,
    split_seed: int = 0,
    root: Path | str = "data",
    test: bool = False,
    cache: bool = True,
) -> ImageDataset:
    """Labelled images by name or from disk, with a part of them split off for validation.

    Unless `test` is asked for, only training images are read: a test set that the source keeps apart stays unseen.

    Args:
        name: one of `DATASETS`; a folder in torchvision's ImageFolder form (`<class>/<image>`, or those below
            `train/`); or an `.npz` file that `ImageDataset.save` wrote, which is split already.
        validation_fraction: share of the images that validate; 0.1 gives the paper's 45,000 and 5,000 of CIFAR-10.
        split_seed: which images these are; the test part is the same whatever it is.
        root: where torchvision keeps what it downloads.
        test: whether the source's test part is read as well, for `ImageDataset.merged`. A folder has it in `test/`, or
            else `val/`, beside `train/`. The digits come without one: their last 360 images are held out then, which
            are among the other parts where `test` is False.
        cache: whether a folder's images, once decoded, are kept as one file of bytes in `$PNAS_HOME/decoded` or
            `~/.cache/pnas/decoded`. It is used as long as no image comes, goes, or changes its size or times; it may be
            removed at any time.

    Raises:
        TrainerError: the name is unknown, the data or its test part cannot be had, or the fraction leaves one part
            empty.
    """
    check_dataset(name)
    if name not in _BY_NAME and name.endswith(".npz"):
        return _load_npz(name, test)
    source = _BY_NAME[name](Path(root), test) if name in _BY_NAME else _folder(Path(name), test, cache)
    (images, labels, num_classes), held_out = source
    train, validation = _split(len(images), validation_fraction, split_seed)
    return ImageDataset(
        train_images=torch.from_numpy(images[train]),
        train_labels=torch.from_numpy(labels[train]),
        validation_images=torch.from_numpy(images[validation]),
        validation_labels=torch.from_numpy(labels[validation]),
        num_classes=num_classes,
        test_images=None if held_out is None else torch.from_numpy(held_out.images),
        test_labels=None if held_out is None else torch.from_numpy(held_out.labels),
    )


def _load_npz(path: str, test: bool) -> ImageDataset:
    data = ImageDataset.load(path)
    if not test:
        return replace(data, test_images=None, test_labels=None)
    if data.test_images is None:
        raise TrainerError(
            f"{path} must hold test_images and test_labels to be loaded with test=True, and it has neither: "
            f"save it from a data set with a test part, or go without"
        )
    return data


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
