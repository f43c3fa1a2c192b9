import dataclasses
import re

import numpy as np
import pytest
import torch

from pnas_trainer import ImageDataset, TrainerError, load_dataset

TENSORS = ("train_images", "train_labels", "validation_images", "validation_labels")


TEST_PART = {
    "test_images": torch.arange(4 * 60).reshape(4, 2, 5, 6).to(torch.uint8),
    "test_labels": torch.tensor([2, 0, 1, 2]),
}


@pytest.fixture
def with_test(random_images) -> ImageDataset:
    return dataclasses.replace(random_images, **TEST_PART)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"train_images": torch.zeros(20, 2, 5, 6)},
            "train_images must be uint8 of shape (N, C, H, W) with N of 1 or more, not float32 of shape (20, 2, 5, 6)",
        ),
        ({"validation_images": torch.zeros(7, 5, 6, dtype=torch.uint8)}, "not uint8 of shape (7, 5, 6)"),
        ({"train_images": torch.zeros(0, 2, 5, 6, dtype=torch.uint8)}, "not uint8 of shape (0, 2, 5, 6)"),
        (
            {"train_labels": torch.zeros(19, dtype=torch.int64)},
            "train_labels must be int64 of shape (20,), not int64 of shape (19,)",
        ),
        ({"validation_labels": torch.zeros(7)}, "validation_labels must be int64 of shape (7,), not float32"),
        ({"validation_labels": torch.arange(7)}, "validation_labels must lie in [0, 3), not in [0, 6]"),
        ({"train_labels": torch.full((20,), -1)}, "train_labels must lie in [0, 3), not in [-1, -1]"),
        ({"num_classes": 2}, "train_labels must lie in [0, 2), not in [0, 2]"),
        (
            {"validation_images": torch.zeros(7, 2, 6, 5, dtype=torch.uint8)},
            "validation_images must be of the size of train_images, (2, 5, 6), not (2, 6, 5)",
        ),
        (TEST_PART | {"test_images": torch.zeros(4, 2, 5, 6)}, "test_images must be uint8 of shape (N, C, H, W)"),
        (
            TEST_PART | {"test_labels": torch.zeros(3, dtype=torch.int64)},
            "test_labels must be int64 of shape (4,), not",
        ),
        (TEST_PART | {"test_labels": torch.arange(4)}, "test_labels must lie in [0, 3), not in [0, 3]"),
        (
            TEST_PART | {"test_images": torch.zeros(4, 1, 5, 6, dtype=torch.uint8)},
            "test_images must be of the size of train_images, (2, 5, 6), not (1, 5, 6)",
        ),
        (TEST_PART | {"test_labels": None}, "test_images came without test_labels: give both, or neither"),
        (TEST_PART | {"test_images": None}, "test_labels came without test_images: give both, or neither"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_by_name_with_what_they_are(random_images, changes, message):
    with pytest.raises(TrainerError, match=re.escape(message)):
        dataclasses.replace(random_images, **changes)


def test_in_channels_is_the_second_axis(random_images):
    assert random_images.in_channels == 2


def test_moving_to_the_device_where_it_is_copies_nothing(random_images):
    moved = random_images.to("cpu")
    assert all(getattr(moved, name).data_ptr() == getattr(random_images, name).data_ptr() for name in TENSORS)


@pytest.mark.parametrize("read", [ImageDataset.load, lambda path: load_dataset(str(path))], ids=["load", "by name"])
def test_what_is_saved_is_what_loads(random_images, tmp_path, read):
    path = tmp_path / "images.npz"
    random_images.save(path)
    loaded = read(path)
    assert loaded.num_classes == 3
    for name in TENSORS:
        torch.testing.assert_close(getattr(loaded, name), getattr(random_images, name), rtol=0, atol=0)


def flip_a_pixel(archive: bytes) -> bytes:
    position = archive.index(b"\x93NUMPY", archive.index(b"train_images.npy")) + 200
    return archive[:position] + bytes([archive[position] ^ 255]) + archive[position + 1 :]


def name_an_unknown_compression(archive: bytes) -> bytes:
    return re.sub(rb"(?s)(PK\x01\x02.{6}).", rb"\g<1>c", archive)


EXPECTED = f"must be an .npz file with the arrays {', '.join(TENSORS)}, num_classes, but: "


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_pixel,
        name_an_unknown_compression,
        lambda archive: archive[: len(archive) // 2],
        lambda archive: archive[:1],
        lambda archive: archive[:0],
        lambda archive: archive[archive.index(b"\x93NUMPY") :][:136],
    ],
    ids=["flipped pixel", "unknown compression", "cut in half", "one byte", "empty", "one array"],
)
def test_a_damaged_file_is_named_with_what_it_should_hold(random_images, tmp_path, damage):
    path = tmp_path / "images.npz"
    random_images.save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(TrainerError, match=re.escape(f"{path} {EXPECTED}")):
        ImageDataset.load(path)


@pytest.mark.parametrize(
    "arrays",
    [
        {"train_images": np.zeros((1, 1, 2, 2), dtype=np.uint8)},
        dict.fromkeys([*TENSORS, "num_classes"], np.array([None])),
        dict.fromkeys([*TENSORS, "num_classes"], np.array(["a"])),
    ],
    ids=["too few", "objects", "strings"],
)
def test_a_file_with_other_arrays_is_named_with_what_it_should_hold(tmp_path, arrays):
    np.savez(tmp_path / "images.npz", **arrays)
    with pytest.raises(TrainerError, match=re.escape(EXPECTED)):
        ImageDataset.load(tmp_path / "images.npz")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path, tmp_path / "missing.npz"):
        with pytest.raises(TrainerError, match=re.escape(f"{path} {EXPECTED}")):
            ImageDataset.load(path)


def test_a_file_with_arrays_of_a_wrong_type_says_which(random_images, tmp_path):
    path = tmp_path / "images.npz"
    arrays = {name: getattr(random_images, name).numpy() for name in TENSORS}
    np.savez(path, **arrays | {"train_images": arrays["train_images"] / 255}, num_classes=3)
    with pytest.raises(TrainerError, match=r"^train_images must be uint8 .*, not float64 of shape \(20, 2, 5, 6\)"):
        ImageDataset.load(path)


def test_a_test_part_is_saved_loaded_and_moved_with_the_others(with_test, tmp_path, monkeypatch):
    path = tmp_path / "images.npz"
    with_test.save(path)
    loaded = ImageDataset.load(path)
    for name in (*TENSORS, *TEST_PART):
        assert torch.equal(getattr(loaded, name), getattr(with_test, name))
    # There may be no device but this one.
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device: torch.full_like(tensor, len(device)))
    moved = with_test.to("an")
    assert all((getattr(moved, name) == 2).all() for name in (*TENSORS, *TEST_PART))


def test_without_a_test_part_there_is_none_after_loading_and_moving(random_images, tmp_path):
    path = tmp_path / "images.npz"
    random_images.save(path)
    with np.load(path) as archive:
        assert sorted(archive) == sorted([*TENSORS, "num_classes"])
    for data in (random_images, ImageDataset.load(path), random_images.to("cpu")):
        assert (data.test_images, data.test_labels) == (None, None)


def test_a_file_with_half_a_test_part_is_refused(with_test, tmp_path):
    path = tmp_path / "images.npz"
    arrays = {name: getattr(with_test, name).numpy() for name in (*TENSORS, "test_labels")}
    np.savez(path, **arrays, num_classes=3)
    with pytest.raises(TrainerError, match="test_labels came without test_images: give both"):
        ImageDataset.load(path)


def test_by_name_a_file_gives_its_test_part_to_those_alone_who_ask_for_it(with_test, random_images, tmp_path):
    path = tmp_path / "images.npz"
    with_test.save(path)
    assert load_dataset(str(path)).test_images is None
    assert torch.equal(load_dataset(str(path), test=True).test_images, with_test.test_images)
    random_images.save(path)
    with pytest.raises(
        TrainerError, match=f"{re.escape(str(path))} must hold test_images and test_labels to be loaded"
    ):
        load_dataset(str(path), test=True)


def test_merging_trains_on_all_but_the_test_part_and_validates_on_it(with_test):
    merged = with_test.merged()
    assert torch.equal(merged.train_images[:20], with_test.train_images)
    assert torch.equal(merged.train_images[20:], with_test.validation_images)
    assert torch.equal(merged.train_labels, torch.cat([with_test.train_labels, with_test.validation_labels]))
    assert torch.equal(merged.validation_images, with_test.test_images)
    assert torch.equal(merged.validation_labels, with_test.test_labels)
    assert (merged.test_images, merged.test_labels, merged.num_classes) == (None, None, 3)


def test_merging_without_a_test_part_is_refused_with_the_way_out(random_images, with_test):
    for data in (random_images, with_test.merged()):
        with pytest.raises(
            TrainerError, match="measured on a test part, and these images have none: load them with test="
        ):
            data.merged()


def test_the_first_images_of_each_part(digits):
    few = digits.first(5, 3)
    assert torch.equal(few.train_images, digits.train_images[:5])
    assert torch.equal(few.train_labels, digits.train_labels[:5])
    assert torch.equal(few.validation_images, digits.validation_images[:3])
    assert torch.equal(few.validation_labels, digits.validation_labels[:3])
    assert digits.first(10**6, 10**6).digest() == digits.digest()
    with pytest.raises(TrainerError, match="n_train must be a whole number of 1 or more, not 0"):
        digits.first(0, 3)


def test_shrinking_takes_means_over_squares_rounded_half_up(digits):
    small = digits.shrunk_to(4)
    images = digits.train_images.double()
    means = (images[..., ::2, ::2] + images[..., 1::2, ::2] + images[..., ::2, 1::2] + images[..., 1::2, 1::2]) / 4
    assert torch.equal(small.train_images, (means + 0.5).floor().to(torch.uint8))
    assert small.validation_images.shape == (359, 1, 4, 4)
    assert torch.equal(small.train_labels, digits.train_labels)
    assert digits.shrunk_to(8).digest() == digits.digest()


def test_shrinking_reaches_the_test_part():
    assert load_dataset("digits", test=True).shrunk_to(2).test_images.shape == (360, 1, 2, 2)


@pytest.mark.parametrize("side", [3, 16])
def test_images_that_cannot_be_cut_into_equal_squares_are_refused(digits, side):
    with pytest.raises(TrainerError, match=f"can be shrunk to {side}x{side} if .* and these are 8x8"):
        digits.shrunk_to(side)


def test_images_that_are_no_squares_are_refused(random_images):
    with pytest.raises(TrainerError, match="and these are 6x5"):
        random_images.shrunk_to(1)
