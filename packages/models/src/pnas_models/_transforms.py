from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as VF


class ImageClassification(nn.Module):
    """From an image to a network's input: crop, resize, scale to [0, 1], normalize; torchvision's class of that name.

    Takes a PIL image, or a tensor `(…, C, H, W)` of uint8 or of floats in [0, 1]; gives float32 `(…, C, size, size)`.

    Args:
        size: pixels of the result's sides.
        crop: share of the image that is kept, around its middle.
        squash: whether that share is taken of both sides and then made square, as TF-Slim does; or else of the shorter
            side after resizing, as torchvision and timm do.
        interpolation: for resizing; TF-Slim's does not smooth before it makes an image smaller.
        mean: of every channel.
        std: of every channel.
    """

    def __init__(
        self,
        size: int,
        *,
        crop: float,
        squash: bool,
        interpolation: v2.InterpolationMode,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        super().__init__()
        self.size = size
        self.crop = crop
        self.squash = squash
        self.interpolation = interpolation
        self.mean = list(mean)
        self.std = list(std)

    def forward(self, image: Any) -> Tensor:
        image = image if isinstance(image, Tensor) else VF.pil_to_tensor(image.convert("RGB"))
        if self.squash:
            image = VF.center_crop(image, [_kept(side, self.crop) for side in image.shape[-2:]])
            image = VF.resize(image, [self.size, self.size], self.interpolation, antialias=False)
        else:
            image = VF.resize(image, [int(self.size / self.crop)], self.interpolation, antialias=True)
            image = VF.center_crop(image, [self.size, self.size])
        image = VF.to_dtype(image, torch.float32, scale=True)
        normalized: Tensor = VF.normalize(image, self.mean, self.std)
        return normalized

    def extra_repr(self) -> str:
        way = "of both sides" if self.squash else "of the shorter side"
        return f"size={self.size}, crop={self.crop} {way}, interpolation={self.interpolation.value}"


def _kept(side: int, share: float) -> int:
    """The pixels that `tf.image.central_crop` keeps of a side."""
    return side - 2 * int((side - side * share) / 2)
