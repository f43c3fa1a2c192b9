from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from pnas_trainer._augmentation import (
    central_crop,
    enlarging,
    padding,
    random_crops,
    random_cutout,
    random_flips,
    resampled,
)
from pnas_trainer._errors import TrainerError

Whitening = Literal["channel", "image"]


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What happens to images on their way into a network, a batch at a time and on their device, in this order.

    Attributes:
        whitening: `"channel"` by the training set's mean and deviation of each channel; `"image"` by each image's own.
            The paper says "whitened" and not which.
        upsample_to: side in pixels that images are enlarged to before the crop (the paper: 40 for 32x32 images).
        pad_to: side in pixels that images get by a border of zeros before the crop, instead of being enlarged; 40 is
            the usual border of 4 pixels around 32x32 images. Zero is the mean, since the images are whitened.
        crop_to: side in pixels of the crop, random in training and central in evaluation (the paper: 32).
        flip: whether half of the training images are mirrored left to right.
        cutout: side in pixels of a square that is set to 0 around a random pixel of each training image, cut off at the
            borders (DeVries and Taylor, 2017: 16 for CIFAR-10).

    Raises:
        TrainerError: a value means nothing, or both `upsample_to` and `pad_to` are given.
    """

    whitening: Whitening = "channel"
    upsample_to: int | None = None
    pad_to: int | None = None
    crop_to: int | None = None
    flip: bool = False
    cutout: int | None = None

    def __post_init__(self) -> None:
        if self.whitening not in ("channel", "image"):
            raise TrainerError(f"whitening must be 'channel' or 'image', not {self.whitening!r}")
        for name in ("upsample_to", "pad_to", "crop_to", "cutout"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and value >= 1):
                raise TrainerError(f"{name} must be a whole number of pixels of 1 or more, or None, not {value!r}")
        if self.upsample_to is not None and self.pad_to is not None:
            raise TrainerError(
                f"images are either enlarged or padded, and upsample_to={self.upsample_to} and pad_to={self.pad_to} "
                f"came together: leave one of them None"
            )


class Preprocessor:
    """`Preprocessing` with what it needs to know of the training images `(N, C, H, W)`, uint8.

    Attributes:
        mean: of every channel of the training images, in [0, 255].
        std: the deviation of the same.

    Raises:
        TrainerError: the settings do not fit the size of the images.
    """

    def __init__(self, settings: Preprocessing, train_images: Tensor) -> None:
        self._set(settings, train_images.shape[-2:], *_channel_statistics(train_images))

    @classmethod
    def of_statistics(
        cls,
        settings: Preprocessing,
        size: tuple[int, int],
        *,
        mean: Sequence[float],
        std: Sequence[float],
        device: torch.device | str = "cpu",
    ) -> Self:
        """The same without the training images, for images `(height, width)`; it gives the same bits.

        Raises:
            TrainerError: as the constructor.
        """
        made = cls.__new__(cls)
        made._set(settings, size, *(torch.tensor(x, device=device).view(1, -1, 1, 1) for x in (mean, std)))  # noqa: SLF001  # of its own class
        return made

    def _set(self, settings: Preprocessing, size: Sequence[int], mean: Tensor, std: Tensor) -> None:
        self._settings = settings
        height, width = size
        _check_sizes(settings, height, width)
        self._mean, self._std = mean, std
        self.mean, self.std = (tuple(x.flatten().tolist()) for x in (mean, std))
        self._rows, self._columns = (_axis(settings, pixels).to(mean.device) for pixels in (height, width))
        crop = settings.crop_to
        self._central = tuple(
            axis if crop is None else central_crop(axis, crop) for axis in (self._rows, self._columns)
        )
        self._evaluation_keeps_all = all(_is_identity(axis) for axis in self._central)

    def for_training(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """uint8 `(N, C, H, W)` to float32 of the network's size, with what is random drawn from `generator`.

        The generator may live on another device than the images. The result is channels_last where images are enlarged,
        padded, cropped or flipped.
        """
        x = self._augmented(self._whitened(images), generator)
        cutout = self._settings.cutout
        return x if cutout is None else random_cutout(x, cutout, generator)

    def for_evaluation(self, images: Tensor) -> Tensor:
        """uint8 `(N, C, H, W)` to float32 of the network's size, with the central crop."""
        return self._unaugmented(self._whitened(images))

    def _augmented(self, x: Tensor, generator: torch.Generator) -> Tensor:
        crop, n_images = self._settings.crop_to, len(x)
        if crop is None and not self._settings.flip:
            return self._unaugmented(x)
        rows, columns = self._rows, self._columns
        if crop is not None:
            rows = random_crops(rows, crop, n_images, generator)
            columns = random_crops(columns, crop, n_images, generator)
        if self._settings.flip:
            columns = random_flips(columns, n_images, generator)
        return resampled(x, rows, columns)

    def _unaugmented(self, x: Tensor) -> Tensor:
        return x if self._evaluation_keeps_all else resampled(x, *self._central)

    def _whitened(self, images: Tensor) -> Tensor:
        # In place where that is possible: memory that is new costs as much as the arithmetic.
        if self._settings.whitening == "channel":
            return torch.sub(images, self._mean).div_(self._std)
        x = images.float()
        x = x.sub(x.mean(dim=(1, 2, 3), keepdim=True))
        # The floor under the deviation is TensorFlow's, `per_image_standardization`, and a norm is faster than std.
        scale: float = x[0].numel() ** -0.5
        std: Tensor = torch.linalg.vector_norm(x, dim=(1, 2, 3), keepdim=True) * scale
        return x.div_(std.clamp_min(scale))


def _check_sizes(settings: Preprocessing, height: int, width: int) -> None:
    if settings.pad_to is not None and settings.pad_to < max(height, width):
        raise TrainerError(
            f"pad_to must be {max(height, width)} pixels or more, the size of the images, and {settings.pad_to} is not"
        )
    side = settings.upsample_to or settings.pad_to or min(height, width)
    for name, inner in (("crop_to", settings.crop_to), ("cutout", settings.cutout)):
        if inner is not None and inner > side:
            raise TrainerError(f"{name} must fit into the image of {side} pixels, and {inner} does not")
        side = inner or side


def _axis(settings: Preprocessing, size: int) -> Tensor:
    """What enlarging or padding does along one axis, as a matrix."""
    if settings.upsample_to is not None:
        return enlarging(size, settings.upsample_to)
    return padding(size, settings.pad_to or size)


def _is_identity(axis: Tensor) -> bool:
    return axis.shape[0] == axis.shape[1] and torch.equal(axis, torch.eye(len(axis), device=axis.device))


def _channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of every channel, `(1, C, 1, 1)` each; a constant channel has a deviation of 1."""
    # From counts of the 256 values, so that no float copy of all images is made.
    counts = torch.stack(
        [torch.bincount(channel.flatten().int(), minlength=256) for channel in images.unbind(1)]
    ).double()
    values = torch.arange(256, dtype=torch.float64, device=images.device)
    total = counts.sum(1, keepdim=True)
    mean = (counts * values).sum(1, keepdim=True) / total
    std = ((counts * (values - mean) ** 2).sum(1, keepdim=True) / total).sqrt()
    std = torch.where(std == 0, torch.ones_like(std), std)
    return mean.float().view(1, -1, 1, 1), std.float().view(1, -1, 1, 1)
