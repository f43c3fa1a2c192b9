import numpy as np
import pytest
import torch
from PIL import Image

from pnas_models import PNASNet5LargeWeights, PNASNet5MobileWeights


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
