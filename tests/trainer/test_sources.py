import re
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision.datasets
from PIL import Image

from pnas_trainer import TrainerError, load_dataset
from pnas_trainer._sources import read_digits, read_image_folder, read_test_folder, read_torchvision


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


def stand_in(data, targets, classes, n_test=0):
    """A class as torchvision's, which needs no download; the first `n_test` images are its test part."""

    class Source:
        def __init__(self, root, *, train, download):
            assert download
            part = slice(n_test, None) if train else slice(n_test)
            self.data, self.targets, self.classes = data[part], targets[part], classes

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


def test_the_test_part_of_a_source_is_what_torchvision_has_for_testing(monkeypatch, tmp_path):
    data = np.random.default_rng(0).integers(256, size=(9, 32, 32, 3), dtype=np.uint8)
    labels = [3, 0, 9, 3, 1, 2, 4, 5, 6]
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", stand_in(data, labels, list("abcdefghij"), n_test=3))
    for seed in (0, 1):
        loaded = load_dataset("cifar10", root=tmp_path, validation_fraction=0.5, split_seed=seed, test=True)
        np.testing.assert_array_equal(loaded.test_images, data[:3].transpose(0, 3, 1, 2))
        assert loaded.test_labels.tolist() == [3, 0, 9]
        assert len(loaded.train_images) == len(loaded.validation_images) == 3
    assert load_dataset("cifar10", root=tmp_path, validation_fraction=0.5).test_images is None


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
    images, labels, num_classes = read_image_folder(folder, cache=False)
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
        read_image_folder(folder, cache=False)


def many_images(root: Path, n_images: int, size: tuple[int, int]) -> list[Path]:
    """Of distinct colours, in the order in which ImageFolder lists them."""
    return [
        write_image(root / f"class{index // 100}" / f"{index:04}.png", (index % 256, index // 256, 77), size)
        for index in range(n_images)
    ]


each_size = pytest.mark.parametrize("size", [(7, 5), (130, 128)])  # the larger ones are decoded in threads


@each_size
def test_threads_keep_the_order_of_the_folder(tmp_path, size):
    many_images(tmp_path, 300, size)
    images, labels, num_classes = read_image_folder(tmp_path, cache=False)
    assert images[:, 0, 2, 2].tolist() == [index % 256 for index in range(300)]
    assert images[:, 1, 2, 2].tolist() == [index // 256 for index in range(300)]
    assert (images[:, 2] == 77).all()
    assert labels.tolist() == [index // 100 for index in range(300)]
    assert num_classes == 3


@each_size
def test_of_many_broken_images_the_first_is_named_whichever_thread_is_first(tmp_path, size):
    paths = many_images(tmp_path, 300, size)
    for index in (150, 151, 299):
        paths[index].write_bytes(b"no image")
    for _ in range(5):
        with pytest.raises(TrainerError, match=f"the image {re.escape(str(paths[150]))} cannot be read"):
            read_image_folder(tmp_path, cache=False)


@pytest.fixture(params=["test", "val"])
def both_parts(request, tmp_path) -> Path:
    for part, colour in (("train", 10), (request.param, 200)):
        for index, name in enumerate(["cat", "dog"]):
            for copy in range(3):
                write_image(tmp_path / part / name / f"{copy}.png", (colour, index, copy))
    return tmp_path


def test_the_test_part_of_a_folder_lies_beside_train_and_no_split_touches_it(both_parts):
    for seed in (0, 1):
        data = load_dataset(str(both_parts), validation_fraction=0.5, split_seed=seed, test=True)
        assert data.test_labels.tolist() == [0, 0, 0, 1, 1, 1]
        assert data.test_images[:, :, 0, 0].tolist() == [[200, i, copy] for i in (0, 1) for copy in range(3)]
        assert (torch.cat([data.train_images, data.validation_images])[:, 0] == 10).all()
    assert load_dataset(str(both_parts), validation_fraction=0.5).test_images is None


def test_test_goes_before_val(both_parts):
    for part, colour in (("test", 1), ("val", 2)):
        for name in ("cat", "dog"):
            for copy in range(3):
                write_image(both_parts / part / name / f"{copy}.png", (colour, 0, 0))
    assert (read_test_folder(both_parts, cache=False).images[:, 0] == 1).all()


@pytest.mark.parametrize(("part", "missing"), [("train", "the other"), ("the other", "train")])
def test_a_class_that_one_part_has_alone_is_named(both_parts, part, missing):
    other = next(path.name for path in both_parts.iterdir() if path.name != "train")
    here, there = (name.replace("the other", other) for name in (part, missing))
    write_image(both_parts / here / "emu" / "0.png", (1, 2, 3))
    with pytest.raises(TrainerError) as refused:
        load_dataset(str(both_parts), test=True)
    n_classes = 3 if here == "train" else 2
    assert str(refused.value) == (
        f"{both_parts / other} must hold the {n_classes} classes of {both_parts / 'train'}, "
        f"and the class 'emu' is in {here} alone: add it to {there}, or remove it"
    )


@pytest.mark.parametrize("inside", ["train/cat", "test/cat", "cat"])
def test_a_folder_without_a_test_part_is_refused_to_those_who_ask_for_it(tmp_path, inside):
    write_image(tmp_path / inside / "0.png", (1, 2, 3))
    with pytest.raises(TrainerError, match=rf"beside a folder train, and {re.escape(str(tmp_path))} holds no such two"):
        load_dataset(str(tmp_path), test=True)


def test_grey_and_palette_images_become_rgb_as_pillow_converts_them(tmp_path):
    grey = Image.fromarray(np.arange(35, dtype=np.uint8).reshape(5, 7))
    (tmp_path / "cat").mkdir()
    images = [grey, grey.convert("P"), grey.convert("RGBA"), grey.convert("LA")]
    for index, image in enumerate(images):
        image.save(tmp_path / "cat" / f"{index}.png")
    expected = np.stack([np.asarray(image.convert("RGB")).transpose(2, 0, 1) for image in images])
    np.testing.assert_array_equal(read_image_folder(tmp_path, cache=False).images, expected)


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
        read_image_folder(tmp_path, cache=False)


@pytest.mark.parametrize("inside", [[], ["train"], ["cat"], ["train/cat"]])
def test_a_folder_without_classes_or_images_is_named(tmp_path, inside):
    for name in inside:
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(TrainerError, match=rf"{re.escape(str(tmp_path))}.* must hold one folder of images for each"):
        load_dataset(str(tmp_path))
