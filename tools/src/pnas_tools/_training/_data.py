"""The images of a final training: all but a test part train, and the test part measures."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Union

from pnas_tools._errors import BadInput
from pnas_tools._image_folders import class_names, find_test_part
from pnas_tools._preparation import Preparation
from pnas_tools._training._plan import TrainingPlan

if TYPE_CHECKING:  # importing torch takes seconds
    from pnas_trainer import ImageDataset, ImageFolders


def final_data(plan: TrainingPlan, n_workers: int | None) -> tuple[Union["ImageDataset", "ImageFolders"], Preparation]:
    """The images, and what they go through before the network sees them.

    Raises:
        BadInput: they cannot be had, or have no test part.
    """
    from pnas_trainer import TrainerError

    try:
        return _in_memory(plan) if plan.image_size is None else _in_folders(plan, plan.image_size, n_workers)
    except TrainerError as error:
        raise BadInput(str(error)) from error


def _in_memory(plan: TrainingPlan) -> tuple["ImageDataset", Preparation]:
    from pnas_trainer import load_dataset

    data = load_dataset(plan.dataset, test=True).merged()
    if plan.train_images is not None:
        data = data.first(plan.train_images, len(data.validation_images))
    if plan.shrink_to is not None:
        data = data.shrunk_to(plan.shrink_to)
    folder = Path(plan.dataset) / "train"
    preparation = Preparation.of_memory(
        plan.dataset,
        data,
        plan.training.preprocessing,
        shrink_to=plan.shrink_to,
        classes=class_names(folder) if folder.is_dir() else None,
    )
    return data, preparation


def _in_folders(plan: TrainingPlan, image_size: int, n_workers: int | None) -> tuple["ImageFolders", Preparation]:
    from pnas_trainer import ImageFolders

    root = Path(plan.dataset)
    test = find_test_part(root)
    if test is None or not (root / "train").is_dir():
        raise BadInput(f"{root} must hold a folder train and beside it test or val, with a folder for each class")
    workers = (os.cpu_count() or 1) if n_workers is None else n_workers
    data = ImageFolders(root / "train", test, image_size=image_size, n_workers=workers)
    return data, Preparation.of_folders(plan.dataset, data)
