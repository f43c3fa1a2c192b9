from pathlib import Path
from typing import TYPE_CHECKING

from pnas_tools._child import train_config
from pnas_tools._config import SearchConfig
from pnas_tools._devices import check_device
from pnas_tools._errors import BadInput

if TYPE_CHECKING:
    from pnas_trainer import ImageDataset


def prepare(config: SearchConfig, data: Path) -> None:
    """Put the images where the workers look for them, and see that everything the config names can be had.

    Raises:
        BadInput: the data set, the device, or values that do not go together.
    """
    check_device(config.device)
    read_images(config).save(data)


def read_images(config: SearchConfig) -> "ImageDataset":
    """The images that children are trained on.

    Raises:
        BadInput: the data set, or values that do not go together.
    """
    from pnas_trainer import Preprocessor, TrainerError, load_dataset

    try:
        settings = train_config(config)
        images = load_dataset(
            config.dataset, validation_fraction=config.validation_fraction, split_seed=config.split_seed
        )
        images = images.first(
            config.train_images or len(images.train_images), config.validation_images or len(images.validation_images)
        )
        if config.shrink_to is not None:
            images = images.shrunk_to(config.shrink_to)
        Preprocessor(settings.preprocessing, images.train_images)
    except TrainerError as error:
        raise BadInput(str(error)) from error
    return images


def check_images(config: SearchConfig, name: str, expected: str | None) -> None:
    """Raise `BadInput` unless these are the images that a benchmark is of, as their digest says."""
    digest = read_images(config).digest()
    if digest != expected:
        raise BadInput(
            f"{config.dataset} holds other images than those of {name}: expected {expected}, got {digest}; "
            "pass the folder of those with --dataset"
        )
