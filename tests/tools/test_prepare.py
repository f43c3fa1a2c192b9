import dataclasses

import pytest
import torch

from pnas_tools._config import PRESETS
from pnas_tools._errors import BadInput
from pnas_tools._prepare import read_images
from pnas_trainer import load_dataset

QUICK = PRESETS["quick"]


def test_all_images_are_read_as_they_are_unless_asked_otherwise():
    assert read_images(QUICK).digest() == load_dataset("digits", validation_fraction=0.2).digest()


def test_fewer_and_smaller_images_are_the_first_ones_as_means():
    config = dataclasses.replace(QUICK, train_images=100, validation_images=50, shrink_to=4)
    images = read_images(config)
    expected = load_dataset("digits", validation_fraction=0.2).first(100, 50).shrunk_to(4)
    assert images.digest() == expected.digest()
    assert images.train_images.shape == (100, 1, 4, 4)
    assert torch.equal(images.validation_labels, expected.validation_labels)


def test_more_images_than_there_are_are_all():
    config = dataclasses.replace(QUICK, train_images=10**6, validation_images=10**6)
    assert read_images(config).digest() == read_images(QUICK).digest()


def test_a_side_that_does_not_fit_is_refused():
    with pytest.raises(BadInput, match="images can be shrunk to 3x3 if they are squares"):
        read_images(dataclasses.replace(QUICK, shrink_to=3))
