"""Trains any image classifier on a data set, and says what it cost."""

from pnas_trainer._checkpoint import Checkpoint
from pnas_trainer._config import RECIPES, TrainConfig
from pnas_trainer._dataset import ImageDataset
from pnas_trainer._early_stopping import LearningCurveRule
from pnas_trainer._errors import TrainerError
from pnas_trainer._final import FinalResult, train_final
from pnas_trainer._folders import ImageFolders
from pnas_trainer._load import DATASETS, check_dataset, load_dataset
from pnas_trainer._preprocessing import Preprocessing, Preprocessor
from pnas_trainer._result import TrainResult
from pnas_trainer._schedule import ConstantSchedule, CosineSchedule, ExponentialSchedule, Schedule
from pnas_trainer._streaming import ImageFolderStream, StreamSettings, stream_image_folder
from pnas_trainer._train import train
from pnas_trainer._train_many import train_many

__all__ = [
    "DATASETS",
    "RECIPES",
    "Checkpoint",
    "ConstantSchedule",
    "CosineSchedule",
    "ExponentialSchedule",
    "FinalResult",
    "ImageDataset",
    "ImageFolderStream",
    "ImageFolders",
    "LearningCurveRule",
    "Preprocessing",
    "Preprocessor",
    "Schedule",
    "StreamSettings",
    "TrainConfig",
    "TrainResult",
    "TrainerError",
    "check_dataset",
    "load_dataset",
    "stream_image_folder",
    "train",
    "train_final",
    "train_many",
]
__version__ = "0.1.0"
