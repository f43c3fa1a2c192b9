from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from pnas_trainer._errors import TrainerError

Whitening = Literal["channel", "image"]


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What happens to images on their way into a network, a batch at a time and on their device.

    Attributes:
        whitening: `"channel"` by the training set's mean and deviation of each channel; `"image"` by each image's own.
            The paper says "whitened" and not which.
        upsample_to: side in pixels that images are enlarged to before the crop (the paper: 40 for 32x32 images).
        crop_to: side in pixels of the crop, random in training and central in evaluation (the paper: 32).
        flip: whether half of the training images are mirrored left to right.
    """

    whitening: Whitening = "channel"
    upsample_to: int | None = None
    crop_to: int | None = None
    flip: bool = False

    def __post_init__(self) -> None:
        if self.whitening not in ("channel", "image"):
            raise TrainerError(f"whitening must be 'channel' or 'image', not {self.whitening!r}")
        for name in ("upsample_to", "crop_to"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and value >= 1):
                raise TrainerError(f"{name} must be a whole number of pixels of 1 or more, or None, not {value!r}")


class Preprocessor:
    """`Preprocessing` with what it needs to know of the training images `(N, C, H, W)`, uint8."""

    def __init__(self, settings: Preprocessing, train_images: Tensor) -> None:
        self._settings = settings
        height, width = train_images.shape[-2:]
        crop, upsample_to = settings.crop_to, settings.upsample_to
        if crop is not None and crop > (upsample_to or min(height, width)):
            raise TrainerError(
                f"crop_to must fit into the image of {upsample_to or min(height, width)} pixels, and {crop} does not"
            )
        self._mean, self._std = _channel_statistics(train_images)

    def for_training(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """uint8 `(N, C, H, W)` to float32 of the network's size, with random crop and flip drawn from `generator`."""
        x = self._enlarged(images)
        crop = self._settings.crop_to
        if crop is not None:
            x = _random_crop(x, crop, generator)
        if self._settings.flip:
            mirrored = torch.rand(len(x), generator=generator, device=generator.device).to(x.device) < 0.5
            x = torch.where(mirrored[:, None, None, None], x.flip(-1), x)
        return x

    def for_evaluation(self, images: Tensor) -> Tensor:
        """uint8 `(N, C, H, W)` to float32 of the network's size, with the central crop."""
        x = self._enlarged(images)
        crop = self._settings.crop_to
        if crop is None:
            return x
        top, left = (x.shape[-2] - crop) // 2, (x.shape[-1] - crop) // 2
        return x[:, :, top : top + crop, left : left + crop]

    def _enlarged(self, images: Tensor) -> Tensor:
        x = images.float()
        if self._settings.whitening == "image":
            # The floor under the deviation is TensorFlow's, `per_image_standardization`.
            std, mean = torch.std_mean(x, dim=(1, 2, 3), correction=0, keepdim=True)
            x = (x - mean) / std.clamp_min(x[0].numel() ** -0.5)
        else:
            x = (x - self._mean) / self._std
        side = self._settings.upsample_to
        return x if side is None else F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)


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


def _random_crop(x: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """A crop of `side` pixels at a place of its own from each image, `(N, C, H, W) -> (N, C, side, side)`."""
    n_images = len(x)

    def places(size: int) -> Tensor:
        high = size - side + 1
        start = torch.randint(high, (n_images, 1), generator=generator, device=generator.device).to(x.device)
        return start + torch.arange(side, device=x.device)

    rows, columns = places(x.shape[-2]), places(x.shape[-1])
    index = torch.arange(n_images, device=x.device)[:, None, None]
    return x.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
