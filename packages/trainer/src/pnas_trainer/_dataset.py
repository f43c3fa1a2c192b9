import zlib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from pnas_trainer._errors import TrainerError


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageDataset:
    """Labelled images, split in two, as tensors that can live on any device.

    Attributes:
        train_images: uint8 `(N, C, H, W)`.
        train_labels: int64 `(N,)`, in `[0, num_classes)`.
        validation_images: uint8 `(M, C, H, W)`, of the same size.
        validation_labels: int64 `(M,)`.
        num_classes: how many classes there are.
    """

    train_images: Tensor
    train_labels: Tensor
    validation_images: Tensor
    validation_labels: Tensor
    num_classes: int

    def __post_init__(self) -> None:
        for part in ("train", "validation"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.dtype != torch.uint8 or images.ndim != 4 or len(images) == 0:
                raise TrainerError(
                    f"{part}_images must be uint8 of shape (N, C, H, W) with N of 1 or more, not {_describe(images)}"
                )
            if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
                raise TrainerError(f"{part}_labels must be int64 of shape ({len(images)},), not {_describe(labels)}")
            if labels.min() < 0 or labels.max() >= self.num_classes:
                raise TrainerError(
                    f"{part}_labels must lie in [0, {self.num_classes}), not in [{labels.min()}, {labels.max()}]"
                )
        if self.train_images.shape[1:] != self.validation_images.shape[1:]:
            raise TrainerError(
                f"validation_images must be of the size of train_images, {tuple(self.train_images.shape[1:])}, "
                f"not {tuple(self.validation_images.shape[1:])}"
            )

    @property
    def in_channels(self) -> int:
        return self.train_images.shape[1]

    def to(self, device: torch.device | str) -> Self:
        """The same images on another device."""
        moved: dict[str, Any] = {name: tensor.to(device) for name, tensor in self._tensors().items()}
        return replace(self, **moved)

    def save(self, path: Path | str) -> None:
        """Write the images to an `.npz` file, which `load_dataset` reads."""
        arrays = {name: tensor.cpu().numpy() for name, tensor in self._tensors().items()}
        with Path(path).open("wb") as file:
            np.savez(file, num_classes=np.int64(self.num_classes), **arrays)  # type: ignore[arg-type]  # numpy/numpy#23938

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote.

        Raises:
            TrainerError: the file is missing, is no `.npz` file, or lacks one of the arrays.
        """
        try:
            # Opened here, because np.load leaves a file that is no archive open.
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
                tensors: dict[str, Any] = {name: torch.from_numpy(archive[name]) for name in _tensor_names(cls)}
                return cls(num_classes=int(archive["num_classes"]), **tensors)
        except TrainerError:
            raise
        # NumPy lets RuntimeErrors (an unknown compression, say), BadZipFile and zlib's error out for damaged archives.
        except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, BadZipFile, zlib.error) as error:
            expected = ", ".join([*_tensor_names(cls), "num_classes"])
            raise TrainerError(f"{path} must be an .npz file with the arrays {expected}, but: {error}") from error

    def _tensors(self) -> dict[str, Tensor]:
        return {name: getattr(self, name) for name in _tensor_names(type(self))}


def _tensor_names(cls: type[ImageDataset]) -> list[str]:
    return [field.name for field in fields(cls) if field.name != "num_classes"]


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
