"""Trains any image classifier on a data set, and says what it cost."""

from pnas_trainer._config import TrainConfig
from pnas_trainer._dataset import ImageDataset
from pnas_trainer._errors import TrainerError
from pnas_trainer._load import DATASETS, load_dataset
from pnas_trainer._preprocessing import Preprocessing, Preprocessor
from pnas_trainer._result import TrainResult
from pnas_trainer._train import train

__all__ = [
    "DATASETS",
    "ImageDataset",
    "Preprocessing",
    "Preprocessor",
    "TrainConfig",
    "TrainResult",
    "TrainerError",
    "load_dataset",
    "train",
]
__version__ = "0.1.0"
