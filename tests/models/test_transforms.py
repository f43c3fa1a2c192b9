import re

import numpy as np
import pytest
import torch
from PIL import Image

from pnas_models import ModelError, PNASNet5LargeWeights, PNASNet5MobileWeights


def _picture(height: int, width: int) -> Image.Image:
    """A smooth picture, so that ways to resize differ little."""
    rows, columns = np.mgrid[0:height, 0:width]
    red, green = 255 * rows / height, 255 * columns / width
    return Image.fromarray(np.stack([red, green, 0 * red], -1).astype(np.uint8))


@pytest.mark.parametrize(("weights", "size"), [(PNASNet5MobileWeights.DEFAULT, 224), (PNASNet5LargeWeights.TIMM, 331)])
def test_pictures_and_tensors_become_the_networks_input(weights: PNASNet5LargeWeights, size: int) -> None:
    picture = _picture(300, 400)
    transform = weights.transforms()
    x = transform(picture)
    assert x.shape == (3, size, size)
    assert x.dtype == torch.float32
    assert torch.equal(x[2], torch.full((size, size), -1.0))
    pixels = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)
    assert torch.equal(transform(pixels), x)
    torch.testing.assert_close(transform(pixels / 255), x, rtol=0.0, atol=0.02)
    assert transform(torch.stack([pixels, pixels])).shape == (2, 3, size, size)
    assert transform(picture.convert("L")).shape == x.shape
    assert weights.transforms(96)(picture).shape == (3, 96, 96)


def test_tf_slim_keeps_a_share_of_both_sides_and_squashes() -> None:
    x = PNASNet5MobileWeights.TENSORFLOW.transforms()(_picture(400, 800))
    # The middle 87.5 % of rows and columns, which rise from 0 to 1 over the picture: 2 * share - 1.
    assert x[0, 0].mean().item() == pytest.approx(2 * 0.0625 - 1, abs=0.01)
    assert x[0, -1].mean().item() == pytest.approx(1 - 2 * 0.0625, abs=0.015)
    assert x[1, :, 0].mean().item() == pytest.approx(2 * 0.0625 - 1, abs=0.01)


def test_timm_keeps_a_share_of_the_shorter_side_in_shape() -> None:
    x = PNASNet5LargeWeights.TIMM.transforms()(_picture(400, 800))
    left_out = (1 - 0.911) / 2
    assert x[0, 0].mean().item() == pytest.approx(2 * left_out - 1, abs=0.01)
    assert x[1, :, 0].mean().item() == pytest.approx(2 * (0.25 + left_out / 2) - 1, abs=0.01)


def test_tensorflow_1_samples_from_corner_to_corner_without_smoothing() -> None:
    """Against the formula of `resize_bilinear(align_corners=False)`, pixel by pixel, after `central_crop`."""
    pixels = torch.rand(3, 37, 50)
    x = PNASNet5MobileWeights.TENSORFLOW.transforms(20)(pixels)
    top, left = int((37 - 37 * 0.875) / 2), int((50 - 50 * 0.875) / 2)
    cropped = pixels[:, top : 37 - top, left : 50 - left]
    expected = torch.empty(3, 20, 20)
    for row in range(20):
        for column in range(20):
            y, z = row * cropped.shape[1] / 20, column * cropped.shape[2] / 20
            rows = [int(y), min(int(y) + 1, cropped.shape[1] - 1)]
            columns = [int(z), min(int(z) + 1, cropped.shape[2] - 1)]
            shares = torch.outer(torch.tensor([1 - y % 1, y % 1]), torch.tensor([1 - z % 1, z % 1]))
            expected[:, row, column] = (cropped[:, rows][:, :, columns] * shares).sum((1, 2))
    torch.testing.assert_close(x, 2 * expected - 1, rtol=0.0, atol=1e-5)


def test_bicubic_resizing_stays_in_the_range_of_pixels() -> None:
    pixels = (torch.rand(3, 100, 100) > 0.5).float()
    x = PNASNet5LargeWeights.TIMM.transforms()(pixels)
    assert (x.min(), x.max()) == (-1, 1)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "CMYK"])
def test_pictures_of_8_bits_come_in_any_mode(mode: str) -> None:
    assert PNASNet5MobileWeights.DEFAULT.transforms(8)(_picture(20, 30).convert(mode)).shape == (3, 8, 8)


def test_grey_tensors_have_three_equal_channels() -> None:
    x = PNASNet5MobileWeights.DEFAULT.transforms(8)(torch.rand(1, 20, 30))
    assert x.shape == (3, 8, 8)
    assert torch.equal(x[0], x[2])


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (Image.new("I;16", (9, 9)), "this one has the mode I;16: convert it to RGB"),
        (Image.new("F", (9, 9)), "this one has the mode F: convert it to RGB"),
        (torch.zeros(4, 9, 9), r"not (4, 9, 9)"),
        (torch.zeros(9, 9), r"not (9, 9)"),
        (np.zeros((9, 9, 3)), "not ndarray"),
    ],
)
def test_what_is_no_picture_is_refused(image: object, kind: str) -> None:
    with pytest.raises(ModelError, match=re.escape(kind)):
        PNASNet5MobileWeights.DEFAULT.transforms(8)(image)
