from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as VF

from pnas_models._errors import ModelError


class ImageClassification(nn.Module):
    """From an image to a network's input: crop, resize, scale to [0, 1], normalize; torchvision's class of that name.

    Takes a PIL image, or a tensor `(…, C, H, W)` of uint8 or of floats in [0, 1]; gives float32 `(…, C, size, size)`.

    Args:
        size: pixels of the result's sides.
        crop: share of the image that is kept, around its middle.
        squash: whether that share is taken of both sides and then made square, as TF-Slim does; or else of the shorter
            side after resizing, as torchvision and timm do.
        interpolation: for resizing; with `squash` it is TensorFlow 1's bilinear one, always.
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
        pixels = VF.to_dtype(_rgb(image), torch.float32, scale=True)
        if self.squash:
            pixels = VF.center_crop(pixels, [_kept(side, self.crop) for side in pixels.shape[-2:]])
            resized = _resized(_resized(pixels, -2, self.size), -1, self.size)
        else:
            resized = VF.resize(pixels, [int(self.size / self.crop)], self.interpolation, antialias=True)
            resized = VF.center_crop(resized, [self.size, self.size]).clamp(0.0, 1.0)  # bicubic overshoots
        normalized: Tensor = VF.normalize(resized, self.mean, self.std)
        return normalized

    def extra_repr(self) -> str:
        way = "of both sides" if self.squash else "of the shorter side"
        return f"size={self.size}, crop={self.crop} {way}, interpolation={self.interpolation.value}"


def _rgb(image: Any) -> Tensor:
    """A picture's three channels; a grey tensor has them thrice."""
    if isinstance(image, Image.Image):
        if image.mode in ("F", "I") or image.mode.startswith("I;"):
            raise ModelError(
                f"pictures have 8 bits a channel, and this one has the mode {image.mode}: convert it to RGB"
            )
        pixels: Tensor = VF.pil_to_tensor(image.convert("RGB"))
        return pixels
    if not isinstance(image, Tensor) or image.ndim < 3 or image.shape[-3] not in (1, 3):
        kind = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise ModelError(f"an image must be one of PIL's, or a tensor (..., C, H, W) with C of 1 or 3, not {kind}")
    return image if image.shape[-3] == 3 else image.expand(*image.shape[:-3], 3, -1, -1)


def _resized(x: Tensor, dim: int, size: int) -> Tensor:
    """One dimension resized as `tf.image.resize_bilinear` of TensorFlow 1 does.

    Pixel i of the result is at `i * n / size` of the n pixels, without the shift by half a pixel that is usual today,
    and without smoothing.
    """
    n_pixels = x.shape[dim]
    position = torch.arange(size, device=x.device) * (n_pixels / size)
    low = position.floor().long().clamp(max=n_pixels - 1)
    high = (low + 1).clamp(max=n_pixels - 1)
    weight = (position - low).to(x.dtype).reshape(-1, *[1] * (-dim - 1))
    return torch.lerp(x.index_select(dim, low), x.index_select(dim, high), weight)


def _kept(side: int, share: float) -> int:
    """The pixels that `tf.image.central_crop` keeps of a side."""
    return side - 2 * int((side - side * share) / 2)
