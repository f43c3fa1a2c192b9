import re
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision.datasets
from PIL import Image

from pnas_trainer import TrainerError, load_dataset
from pnas_trainer._sources import read_digits, read_image_folder, read_torchvision


def test_the_digits_keep_their_17_grey_levels_stretched_over_a_byte():
    images, labels, num_classes = read_digits()
    assert images.shape == (1797, 1, 8, 8)
    assert (images.dtype, labels.dtype, num_classes) == (np.uint8, np.int64, 10)
    levels = np.unique(images)
    assert len(levels) == 17
    assert (levels[0], levels[8], levels[-1]) == (0, 128, 255)
    # The first digit is the zero whose top row is 0 0 5 13 9 1 0 0 in the original's sixteenths.
    assert labels[0] == 0
    assert images[0, 0, 0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]


def stand_in(data, targets, classes):
    """A class as torchvision's, which needs no download."""

    class Source:
        def __init__(self, root, *, train, download):
            assert train
            assert download
            self.data, self.targets, self.classes = data, targets, classes

    return Source


def test_a_cifar_like_source_has_its_channels_moved_to_the_front(monkeypatch, tmp_path):
    data = np.random.default_rng(0).integers(256, size=(4, 32, 30, 3), dtype=np.uint8)
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", stand_in(data, [3, 0, 9, 3], list("abcdefghij")))
    images, labels, num_classes = read_torchvision("CIFAR10", tmp_path)
    assert images.shape == (4, 3, 32, 30)
    assert images[2, 1, 31, 7] == data[2, 31, 7, 1]
    for channel in range(3):
        np.testing.assert_array_equal(images[:, channel], data[..., channel])
    assert (labels.tolist(), labels.dtype, num_classes) == ([3, 0, 9, 3], np.int64, 10)


def test_a_fashion_mnist_like_source_gets_a_channel(monkeypatch, tmp_path):
    data = torch.randint(256, (10, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", stand_in(data, torch.arange(10), list("abcdefghij")))
    loaded = load_dataset("fashion_mnist", root=tmp_path, validation_fraction=0.3)
    assert loaded.train_images.shape == (7, 1, 28, 28)
    for image, label in zip(loaded.train_images, loaded.train_labels, strict=True):
        assert torch.equal(image[0], data[label])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (URLError("no route to host"), "<urlopen error no route to host>"),
        (RuntimeError("Dataset not found or corrupted.\nSecond line"), "Dataset not found or corrupted."),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_a_source_that_cannot_be_downloaded_is_one_sentence_with_the_way_out(monkeypatch, tmp_path, error, reason):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(torchvision.datasets, "CIFAR100", fail)
    with pytest.raises(TrainerError) as refused:
        load_dataset("cifar100", root=tmp_path)
    assert str(refused.value) == (
        f"CIFAR100 is not in {tmp_path} and could not be downloaded ({reason}): "
        f"put torchvision's files there, or choose another data set"
    )


def write_image(path: Path, colour: tuple[int, ...], size: tuple[int, int] = (7, 5)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB" if len(colour) == 3 else "L", size, colour if len(colour) == 3 else colour[0]).save(path)
    return path


@pytest.fixture(params=["", "train"])
def folder(request, tmp_path) -> Path:
    """Three images of two classes; beside `train/`, other folders are not looked at."""
    root = tmp_path / request.param
    write_image(root / "cat" / "0.png", (255, 0, 0))
    write_image(root / "cat" / "1.png", (9,))
    write_image(root / "dog" / "0.png", (0, 0, 255))
    if request.param:
        write_image(tmp_path / "val" / "cat" / "0.png", (1, 2, 3), size=(3, 3))
    return tmp_path


def test_a_folder_of_class_folders_is_read_with_or_without_train(folder):
    images, labels, num_classes = read_image_folder(folder)
    assert images.shape == (3, 3, 5, 7)
    assert labels.tolist() == [0, 0, 1]
    assert num_classes == 2
    np.testing.assert_array_equal(images[:, :, 4, 6], [[255, 0, 0], [9, 9, 9], [0, 0, 255]])


def test_a_folder_loads_by_its_path(folder):
    data = load_dataset(str(folder), validation_fraction=0.34)
    assert (len(data.train_images), len(data.validation_images), data.num_classes) == (2, 1, 2)


def test_an_image_of_another_size_is_named_with_both_sizes(folder):
    odd = write_image(next(folder.rglob("dog")) / "9.png", (1, 1, 1), size=(5, 7))
    message = f"all images must be of one size, 7x5 as the first, but {odd} is 5x7"
    with pytest.raises(TrainerError, match=re.escape(message)):
        read_image_folder(folder)


def flip(png: bytes, position: int, bits: int) -> bytes:
    return png[:position] + bytes([png[position] ^ bits]) + png[position + 1 :]


@pytest.mark.parametrize("name", ["cat/0.png", "dog/0.png"])
@pytest.mark.parametrize(
    "broken",
    [
        lambda png: png[:0],
        lambda png: png[1:],
        lambda png: png[:50],
        lambda png: png[:-60],
        lambda png: flip(png, 11, 1),
        lambda png: flip(png, 36, 16),
    ],
    ids=["empty", "no signature", "cut early", "cut late", "length of the header", "length of the pixels"],
)
def test_a_broken_image_is_named_be_it_the_first_or_the_last(tmp_path, name, broken):
    pixels = np.random.default_rng(2).integers(255, size=(5, 7, 3), dtype=np.uint8)
    for whole in ("cat/0.png", "dog/0.png"):
        Image.fromarray(pixels).save(write_image(tmp_path / whole, (0, 0, 0)))
    path = tmp_path / name
    path.write_bytes(broken(path.read_bytes()))
    with pytest.raises(TrainerError, match=rf"the image {re.escape(str(path))} cannot be read \(.*mend it or remove"):
        read_image_folder(tmp_path)


@pytest.mark.parametrize("inside", [[], ["train"], ["cat"], ["train/cat"]])
def test_a_folder_without_classes_or_images_is_named(tmp_path, inside):
    for name in inside:
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(TrainerError, match=rf"{re.escape(str(tmp_path))}.* must hold one folder of images for each"):
        load_dataset(str(tmp_path))
