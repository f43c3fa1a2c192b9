"""Folders of images that do not fit into memory, decoded and augmented while a network trains on them."""

import copy
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Sampler, default_collate

from pnas_trainer._checks import check_truth, check_whole
from pnas_trainer._errors import TrainerError
from pnas_trainer._sources import check_header, decode, for_each_in_threads, open_image_folder
from pnas_trainer._workers import leave_interrupts_to_parent

Key = tuple[int, int]
"""An epoch, and an image's place in its folder."""
Sample = tuple[Tensor, int] | TrainerError

_CENTRAL_SHARE = 0.875


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """How `ImageFolderStream` reads its images.

    Attributes:
        image_size: side in pixels of what the network sees (PNASNet-5: 331, and 224 on mobile devices).
        batch_size: images in a batch; the last one of an epoch has what is left.
        train: whether images are shuffled and augmented.
        n_workers: processes that decode; 0 decodes in the process that iterates.
        seed: of the order and the augmentation.
        color_jitter: whether brightness, contrast, saturation and hue of training images vary, as far as in TF-Slim.

    Raises:
        TrainerError: a number is out of its range.
    """

    image_size: int
    batch_size: int
    train: bool
    n_workers: int = 0
    seed: int = 0
    color_jitter: bool = False

    def __post_init__(self) -> None:
        check_whole(1, image_size=self.image_size, batch_size=self.batch_size)
        check_whole(0, n_workers=self.n_workers, seed=self.seed)
        check_truth(train=self.train, color_jitter=self.color_jitter)


class ImageFolderStream:
    """Batches of a folder in torchvision's ImageFolder form, `<class>/<image>`, as a network trains on them.

    Iterating gives an epoch's batches: float32 images `(N, 3, S, S)` in [-1, 1], which is TF-Slim's range and what
    PNASNet-5's published weights expect, and int64 labels `(N,)`. In training, an image is a random part of 8 to 100 %
    of its area, resized to S pixels, and mirrored half the time. Otherwise it is the middle 87.5 % of either side, and
    images come in the order of the folder.

    An epoch is a function of the seed and of what `set_epoch` was given, whatever the number of workers; the caller's
    random state is left as it was. One epoch can be iterated at a time.

    Args:
        root: the folder of class folders; the header of every image is read here.
        settings: how to read it.

    Attributes:
        settings: those given.
        classes: their names, in the order of the labels.
        n_images: in the folder.

    Raises:
        TrainerError: there are no such folders, or a file is no image; while iterating, an image that is cut short.
    """

    def __init__(self, root: Path | str, settings: StreamSettings) -> None:
        folder = Folder.read(root)
        self.settings = settings
        self.classes = folder.classes
        self.n_images = len(folder)
        augmentation = Augmentation(seed=settings.seed, color_jitter=settings.color_jitter) if settings.train else None
        self._images = FolderImages(folder, settings.image_size, augmentation)
        self._start(rank=0, world_size=1)

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self._loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in self._loader:
            images, labels = decoded(batch)
            # Only now, because bytes travel from the workers in a quarter of the time.
            yield in_slims_range(images), labels

    def set_epoch(self, epoch: int) -> None:
        """Choose the order and the augmentation of the epoch that is iterated next; without it, all are epoch 0."""
        self._keys.epoch = epoch

    def shard(self, rank: int, world_size: int) -> Self:
        """The part of one of several processes that train together, as torch's DistributedSampler deals images out.

        Every part has as many images as any other, so in evaluation, too, up to `world_size - 1` images come twice.

        Raises:
            TrainerError: the rank is none of the world's.
        """
        if not 0 <= rank < world_size:
            raise TrainerError(f"rank must lie in [0, {world_size}), the world's size, and {rank} does not")
        part = copy.copy(self)
        part._start(rank, world_size)  # noqa: SLF001  # of its own class
        return part

    def _start(self, rank: int, world_size: int) -> None:
        settings = self.settings
        self._keys = _Keys(self._images, settings, rank, world_size)
        self._loader: DataLoader[Sample] = DataLoader(
            self._images,
            batch_size=settings.batch_size,
            sampler=self._keys,
            num_workers=settings.n_workers,
            persistent_workers=settings.n_workers > 0,
            collate_fn=collated,
            worker_init_fn=leave_interrupts_to_parent,
            generator=torch.Generator(),  # or it would draw from the caller's
        )


def stream_image_folder(
    root: Path | str,
    *,
    image_size: int,
    batch_size: int,
    train: bool,
    n_workers: int = 0,
    seed: int = 0,
    color_jitter: bool = False,
) -> ImageFolderStream:
    """An `ImageFolderStream` of `root`, a folder of class folders; the other arguments are those of `StreamSettings`.

    Raises:
        TrainerError: as the two of them.
    """
    settings = StreamSettings(
        image_size=image_size,
        batch_size=batch_size,
        train=train,
        n_workers=n_workers,
        seed=seed,
        color_jitter=color_jitter,
    )
    return ImageFolderStream(root, settings)


@dataclass(frozen=True, eq=False)
class Folder:
    """What is in a folder of class folders.

    Attributes:
        root: of the class folders.
        paths: of the images, as bytes; in an array, because workers would copy a million Python objects as they count
            references to them.
        labels: int64.
        classes: their names, in the order of the labels.
    """

    root: Path
    paths: NDArray[np.bytes_]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    @classmethod
    def read(cls, root: Path | str) -> Self:
        """Look at the header of every image.

        Raises:
            TrainerError: there are no such folders, or a file is no image.
        """
        if not isinstance(root, (str, Path)):
            raise TrainerError(f"a folder of images must be given by its path, not {root!r}")
        root = Path(root)
        folder = open_image_folder(root)
        paths = [path for path, _ in folder.samples]
        for_each_in_threads(lambda index: check_header(paths[index]), len(paths))
        encoded = np.array([os.fsencode(path) for path in paths])
        return cls(root, encoded, np.asarray(folder.targets, dtype=np.int64), tuple(folder.classes))

    def __len__(self) -> int:
        return len(self.labels)

    def names(self) -> bytes:
        """Of all images below the root, in the order of the labels."""
        n_before = len(os.fsencode(self.root)) + 1
        return b"\0".join(path[n_before:] for path in self.paths.tolist())


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What happens to training images at random, and the seed of it."""

    seed: int
    color_jitter: bool


class FolderImages(Dataset[Sample]):
    """Images as uint8 `(3, S, S)`, by epoch and place in the folder: an image's augmentation is drawn from these two
    and the seed, in whichever process it is drawn.
    """

    def __init__(self, folder: Folder, image_size: int, augmentation: Augmentation | None = None) -> None:
        self._paths, self._labels = folder.paths, folder.labels
        self._seed = 0 if augmentation is None else augmentation.seed
        self._transform = _Central(image_size) if augmentation is None else _training(image_size, augmentation)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, key: Key) -> Sample:
        epoch, index = key
        try:
            image = decode(os.fsdecode(self._paths[index]))
        except TrainerError as error:
            return error  # raised in the process that iterates, since a worker would wrap it into its traceback
        with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's global generator
            seed = np.random.SeedSequence([self._seed, epoch, index]).generate_state(1, np.uint64)
            torch.default_generator.manual_seed(int(seed[0]))
            return self._transform(image), int(self._labels[index])


class _Keys(Sampler[Key]):
    def __init__(self, images: FolderImages, settings: StreamSettings, rank: int, world_size: int) -> None:
        self.epoch = 0
        self._sampler: DistributedSampler[int] = DistributedSampler(
            images, num_replicas=world_size, rank=rank, shuffle=settings.train, seed=settings.seed
        )

    def __len__(self) -> int:
        return len(self._sampler)

    def __iter__(self) -> Iterator[Key]:
        epoch = self.epoch
        self._sampler.set_epoch(epoch)
        return ((epoch, index) for index in self._sampler)


def decoded(batch: Any) -> Any:
    """A batch, unless it is what went wrong in a worker, which is raised here."""
    if isinstance(batch, TrainerError):
        raise batch
    return batch


def in_slims_range(images: Tensor) -> Tensor:
    """uint8 to float32 in [-1, 1]."""
    return images.float().div_(127.5).sub_(1.0)


def collated(samples: list[Sample]) -> list[Tensor] | TrainerError:
    broken = next((sample for sample in samples if isinstance(sample, TrainerError)), None)
    return default_collate(samples) if broken is None else broken


@dataclass(frozen=True)
class _Central:
    """The middle of an image, made square: as TF-Slim evaluates."""

    image_size: int

    def __call__(self, image: Image.Image) -> Tensor:
        from torchvision.transforms.v2 import functional as VF

        # Rounded as `tf.image.central_crop` rounds.
        left, top = (int(side * (1 - _CENTRAL_SHARE) / 2) for side in image.size)
        middle = image.crop((left, top, image.width - left, image.height - top))
        resized = middle.resize((self.image_size, self.image_size), Image.Resampling.BILINEAR)
        pixels: Tensor = VF.pil_to_tensor(resized)
        return pixels


def _training(image_size: int, augmentation: Augmentation) -> Callable[[Image.Image], Tensor]:
    from torchvision.transforms import v2

    # TF-Slim's bounds; it adds to the brightness, and torchvision multiplies.
    jitter = [v2.ColorJitter(brightness=32 / 255, contrast=0.5, saturation=0.5, hue=0.2)]
    transform: Callable[[Image.Image], Tensor] = v2.Compose(
        [
            v2.RandomResizedCrop(image_size, scale=(0.08, 1.0)),
            v2.RandomHorizontalFlip(),
            *(jitter if augmentation.color_jitter else []),
            v2.PILToTensor(),
        ]
    )
    return transform
