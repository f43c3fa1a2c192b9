from pathlib import Path

import pytest
import torch

from pnas_models import cifar_network, save_weights
from pnas_tools._errors import BadInput
from pnas_tools._preparation import NOTE, Preparation
from pnas_trainer import ImageDataset, Preprocessing, Preprocessor

BLOCKS = [[-2, "identity", -1, "max_pool_3x3"]]


def random_images() -> ImageDataset:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (12, 3, 8, 8), dtype=torch.uint8, generator=generator)
    labels = torch.arange(12) % 2
    return ImageDataset(
        train_images=images, train_labels=labels, validation_images=images, validation_labels=labels, num_classes=2
    )


def test_it_goes_into_a_file_of_weights_and_prepares_as_the_training_did(tmp_path: Path) -> None:
    settings = Preprocessing(upsample_to=10, crop_to=9, flip=True)
    data = random_images()
    preparation = Preparation.of_memory("some", data, settings, shrink_to=None, classes=("cat", "dog"))
    save_weights(cifar_network(BLOCKS, 2, 1), tmp_path / "noted.safetensors", notes=preparation.notes())
    read = Preparation.of_file(tmp_path / "noted.safetensors")
    assert read == preparation
    assert read.input_size == 9
    expected = Preprocessor(settings, data.train_images).for_evaluation(data.train_images)
    assert torch.equal(read.prepared(data.train_images), expected)


def test_a_file_that_says_nothing_has_none(tmp_path: Path) -> None:
    save_weights(cifar_network(BLOCKS, 2, 1), tmp_path / "untold.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    for name in ("untold", "text"):
        assert Preparation.of_file(tmp_path / f"{name}.safetensors") is None


@pytest.mark.parametrize("note", ["{", "[]", "{}", '{"kind": "memory"}'])
def test_what_cannot_be_understood_is_refused(note: str, tmp_path: Path) -> None:
    save_weights(cifar_network(BLOCKS, 2, 1), tmp_path / "odd.safetensors", notes={NOTE: note})
    with pytest.raises(BadInput, match="cannot be understood"):
        Preparation.of_file(tmp_path / "odd.safetensors")
