import collections
import math

import numpy as np
import pytest
import torch

from pnas_trainer import DATASETS, ImageDataset, TrainerError, check_dataset, load_dataset
from pnas_trainer._sources import read_digits


def images_with_labels(data: ImageDataset) -> collections.Counter:
    images = torch.cat([data.train_images, data.validation_images])
    labels = torch.cat([data.train_labels, data.validation_labels])
    return collections.Counter(
        (image.numpy().tobytes(), label) for image, label in zip(images, labels.tolist(), strict=True)
    )


def test_the_digits_are_1797_images_of_8x8_split_in_two(digits):
    assert digits.train_images.shape == (1438, 1, 8, 8)
    assert digits.validation_images.shape == (359, 1, 8, 8)
    assert digits.num_classes == 10
    assert set(digits.train_labels.tolist()) == set(range(10))


def test_a_tenth_validates_by_default():
    assert len(load_dataset("digits").validation_images) == 180


def test_the_split_is_a_function_of_its_seed_and_loses_and_changes_nothing(digits):
    again, other = (load_dataset("digits", validation_fraction=0.2, split_seed=seed) for seed in (0, 1))
    assert torch.equal(digits.train_images, again.train_images)
    assert torch.equal(digits.validation_labels, again.validation_labels)
    assert not torch.equal(digits.validation_images, other.validation_images)
    assert images_with_labels(digits) == images_with_labels(other)


def test_the_split_is_drawn_from_all_over_the_source(digits):
    # Nearly all digits come round by round, so the order of the source would show in the first ten labels.
    assert digits.validation_labels[:10].tolist() != list(range(10))
    counts = torch.bincount(digits.validation_labels)
    assert 20 < counts.min() <= counts.max() < 55


def test_the_test_part_of_the_digits_is_their_last_360_images_whatever_the_split():
    everything = read_digits()
    several = [
        load_dataset("digits", test=True, split_seed=seed, validation_fraction=fraction)
        for seed, fraction in ((0, 0.1), (1, 0.1), (0, 0.5))
    ]
    for data in several:
        np.testing.assert_array_equal(data.test_images, everything.images[-360:])
        np.testing.assert_array_equal(data.test_labels, everything.labels[-360:])
        expected = zip(everything.images[:-360], everything.labels[:-360].tolist(), strict=True)
        assert images_with_labels(data) == collections.Counter((image.tobytes(), label) for image, label in expected)
    assert not torch.equal(several[0].validation_images, several[1].validation_images)


def test_nobody_gets_a_test_part_who_does_not_ask_for_one(digits):
    assert (digits.test_images, digits.test_labels) == (None, None)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, math.nan])
def test_a_fraction_that_is_none_is_refused(fraction):
    with pytest.raises(TrainerError, match=f"must lie between 0 and 1, and {fraction} does not"):
        load_dataset("digits", validation_fraction=fraction)


@pytest.mark.parametrize(("fraction", "left"), [(0.9999, "0 and 1797"), (0.0001, "1797 and 0")])
def test_a_fraction_that_leaves_one_part_empty_is_refused(fraction, left):
    with pytest.raises(TrainerError, match=f"and {fraction} of 1797 leaves {left}"):
        load_dataset("digits", validation_fraction=fraction)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("digit", "did you mean 'digits'?"),
        ("cifar1O", "did you mean 'cifar10'?"),
        ("cifar-100", "did you mean 'cifar100'?"),
        ("fashion-mnist", "did you mean 'fashion_mnist'?"),
        ("no/such/folder", "or is a path misspelt?"),
        ("missing.npz", "or is a path misspelt?"),
    ],
)
def test_an_unknown_name_is_answered_with_all_names_and_the_nearest(name, hint):
    with pytest.raises(TrainerError) as error:
        load_dataset(name)
    message = str(error.value)
    assert message.startswith(f"unknown data set {name!r}: expected digits, cifar10, cifar100, fashion_mnist, a folder")
    assert message.endswith(hint)


def test_known_names_folders_and_npz_files_pass_the_check(tmp_path):
    (tmp_path / "images.npz").touch()
    for name in (*DATASETS, str(tmp_path), str(tmp_path / "images.npz")):
        check_dataset(name)
    (tmp_path / "images.txt").touch()
    with pytest.raises(TrainerError, match="unknown data set"):
        check_dataset(str(tmp_path / "images.txt"))


def test_a_name_goes_before_a_folder_that_is_called_the_same(tmp_path, monkeypatch, digits):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert torch.equal(load_dataset("digits", validation_fraction=0.2).train_images, digits.train_images)
