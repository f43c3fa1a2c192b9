import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from pnas_trainer._archives import BROKEN_ARCHIVE
from pnas_trainer._checks import check_whole
from pnas_trainer._errors import TrainerError

_TENSORS = ("train_images", "train_labels", "validation_images", "validation_labels")
_TEST_TENSORS = ("test_images", "test_labels")


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageDataset:
    """Labelled images, split for training and validation, as tensors that can live on any device.

    Attributes:
        train_images: uint8 `(N, C, H, W)`.
        train_labels: int64 `(N,)`, in `[0, num_classes)`.
        validation_images: uint8 `(M, C, H, W)`, of the same size.
        validation_labels: int64 `(M,)`.
        num_classes: how many classes there are.
        test_images: uint8 `(K, C, H, W)`, of the same size, which neither training nor a search ever sees; or None.
        test_labels: int64 `(K,)`; None where `test_images` is.

    Raises:
        TrainerError: a tensor has another dtype, shape or range, or one of the test part comes without the other.
    """

    train_images: Tensor
    train_labels: Tensor
    validation_images: Tensor
    validation_labels: Tensor
    num_classes: int
    test_images: Tensor | None = None
    test_labels: Tensor | None = None

    def __post_init__(self) -> None:
        if (self.test_images is None) != (self.test_labels is None):
            given, missing = _TEST_TENSORS if self.test_labels is None else reversed(_TEST_TENSORS)
            raise TrainerError(f"{given} came without {missing}: give both, or neither")
        parts = ("train", "validation") if self.test_images is None else ("train", "validation", "test")
        for part in parts:
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
            if images.shape[1:] != self.train_images.shape[1:]:
                raise TrainerError(
                    f"{part}_images must be of the size of train_images, {tuple(self.train_images.shape[1:])}, "
                    f"not {tuple(images.shape[1:])}"
                )

    @property
    def in_channels(self) -> int:
        return self.train_images.shape[1]

    def merged(self) -> Self:
        """The data of a final training: all images but the test part train, and the test part validates.

        Raises:
            TrainerError: there is no test part.
        """
        if self.test_images is None or self.test_labels is None:
            raise TrainerError(
                "a final training is measured on a test part, and these images have none: "
                "load them with test=True, or give test_images and test_labels"
            )
        return replace(
            self,
            train_images=torch.cat([self.train_images, self.validation_images]),
            train_labels=torch.cat([self.train_labels, self.validation_labels]),
            validation_images=self.test_images,
            validation_labels=self.test_labels,
            test_images=None,
            test_labels=None,
        )

    def first(self, n_train: int, n_validation: int) -> Self:
        """The same with at most so many images to train on and to validate with, the first ones.

        Raises:
            TrainerError: a number is not positive.
        """
        check_whole(1, n_train=n_train, n_validation=n_validation)
        return replace(
            self,
            train_images=self.train_images[:n_train],
            train_labels=self.train_labels[:n_train],
            validation_images=self.validation_images[:n_validation],
            validation_labels=self.validation_labels[:n_validation],
        )

    def shrunk_to(self, side: int) -> Self:
        """The same images as means over squares, `side` pixels high and wide, rounded half up.

        Raises:
            TrainerError: the images are no squares, or their side is no multiple of this one.
        """
        height, width = self.train_images.shape[2:]
        check_whole(1, side=side)
        if height != width or height % side:
            raise TrainerError(
                f"images can be shrunk to {side}x{side} if they are squares and their side is a multiple of {side}, "
                f"and these are {width}x{height}: choose a side that fits, or none"
            )
        shrunk: dict[str, Any] = {
            name: _means(tensor, height // side) for name, tensor in self._tensors().items() if tensor.ndim == 4
        }
        return replace(self, **shrunk)

    def to(self, device: torch.device | str) -> Self:
        """The same images on another device."""
        moved: dict[str, Any] = {name: tensor.to(device) for name, tensor in self._tensors().items()}
        return replace(self, **moved)

    def digest(self) -> str:
        """Sixteen hexadecimal digits that tell these images and labels from others."""
        digest = hashlib.blake2b(digest_size=8)
        for name, tensor in self._tensors().items():
            digest.update(f"{name} {tuple(tensor.shape)}".encode())
            digest.update(tensor.cpu().contiguous().numpy().data)
        return digest.hexdigest()

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
                # A test part that came as one of its two arrays is one that the constructor refuses.
                names = (*_TENSORS, *(name for name in _TEST_TENSORS if name in archive))
                tensors: dict[str, Any] = {name: torch.from_numpy(archive[name]) for name in names}
                return cls(num_classes=int(archive["num_classes"]), **tensors)
        except TrainerError:
            raise
        except BROKEN_ARCHIVE as error:
            expected = ", ".join([*_TENSORS, "num_classes"])
            raise TrainerError(f"{path} must be an .npz file with the arrays {expected}, but: {error}") from error

    def _tensors(self) -> dict[str, Tensor]:
        names = _TENSORS if self.test_images is None else (*_TENSORS, *_TEST_TENSORS)
        return {name: getattr(self, name) for name in names}


def _means(images: Tensor, side: int) -> Tensor:
    """Means over squares of uint8 images; a thousand images at a time, since sums take more memory than images."""
    parts = (
        part.unflatten(3, (-1, side)).unflatten(2, (-1, side)).sum(dim=(3, 5), dtype=torch.int32)
        for part in images.split(1000)
    )
    return torch.cat([((part + side * side // 2) // (side * side)).to(torch.uint8) for part in parts])


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
