import os
from collections.abc import Callable

import pytest
import torch
from torch import nn

from pnas_trainer import ImageDataset, load_dataset


@pytest.fixture(scope="session")
def digits() -> ImageDataset:
    return load_dataset("digits", validation_fraction=0.2)


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def random_images() -> ImageDataset:
    """Random images of two channels, 5 pixels high and 6 wide, of three classes."""
    generator = torch.Generator().manual_seed(0)

    def draw(n_images: int) -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.randint(256, (n_images, 2, 5, 6), generator=generator, dtype=torch.uint8)
        return images, torch.randint(3, (n_images,), generator=generator)

    (train_images, train_labels), (validation_images, validation_labels) = draw(20), draw(7)
    return ImageDataset(
        train_images=train_images,
        train_labels=train_labels,
        validation_images=validation_images,
        validation_labels=validation_labels,
        num_classes=3,
    )


@pytest.fixture
def make_convnet():
    """Batch normalization and dropout included: dropout draws from the global random state."""

    def make() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(128, 10),
        )

    return make


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What our Triton kernels compute is for a GPU to show, though an interpreter may stand in for it."""
    for item in items:
        if "kernel_device" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.cuda)


@pytest.fixture
def kernel_device() -> str:
    """Where our Triton kernels run: on a GPU, or in an interpreter, which must be asked for before the import."""
    if not torch.cuda.is_available() and os.environ.get("TRITON_INTERPRET") != "1":
        pytest.skip("needs a CUDA device, or Triton's interpreter, in which test_kernels.py runs this")
    return "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture(scope="session")
def separable_layer() -> Callable[..., list[nn.Module]]:
    """Makes the modules of a layer that our kernels for GPUs are made for, of `groups` groups of so many channels."""

    def make(channels, out_channels, kernel_size, groups=1, *, kind=nn.Conv2d, stride=1, dilation=1, inplace=False):
        height, width = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        padding = dilation * (height // 2), dilation * (width // 2)
        n, n_out = groups * channels, groups * out_channels
        norm = nn.BatchNorm2d(n_out)
        nn.init.normal_(norm.weight, 1.0, 0.2)
        nn.init.normal_(norm.bias, 0.3, 0.2)
        return [
            nn.ReLU(inplace),
            kind(n, n, (height, width), stride, padding, dilation, groups=n, bias=False),
            nn.Conv2d(n, n_out, 1, groups=groups, bias=False),
            norm,
        ]

    return make


class _Recordable(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Conv2d(1, 24, 3, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU())
        self.head = nn.Linear(24, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self[2](self[1](self[0](images))).mean((2, 3)))


@pytest.fixture
def recordable() -> Callable[[], nn.Module]:
    """Makes a network whose steps are replayed on one thread."""
    return _Recordable
