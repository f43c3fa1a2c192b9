"""Folders of images with a folder for each class in them."""

import os
from pathlib import Path

_TEST_PARTS = ("test", "val")


def find_test_part(root: Path) -> Path | None:
    """Where a folder has its test part; None where it has none."""
    return next((root / name for name in _TEST_PARTS if (root / name).is_dir()), None)


def class_names(folder: Path) -> tuple[str, ...]:
    """The classes of a folder in the order of their labels, which is torchvision's."""
    return tuple(sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()))
