import math

import pytest

from pnas_trainer import Checkpoint, CosineSchedule, LearningCurveRule, TrainConfig, TrainerError, train
from pnas_trainer._checks import checked_device


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": "0.1"}, "learning_rate must be greater than 0, not '0.1'"),
        ({"learning_rate": math.inf}, "learning_rate must be greater than 0, not inf"),
        ({"learning_rate": True}, "learning_rate must be greater than 0, not True"),
        ({"momentum": None}, r"momentum must lie in \[0, 1\), not None"),
        ({"weight_decay": math.nan}, "weight_decay must be 0 or more, not nan"),
        ({"max_gradient_norm": "5"}, "max_gradient_norm must be greater than 0, or None, not '5'"),
        ({"ema_decay": 1}, r"ema_decay must lie in \[0, 1\), or be None, not 1"),
        ({"n_epochs": 2.0}, "n_epochs must be a whole number of 1 or more, not 2.0"),
        ({"deterministic": "yes"}, "deterministic must be True or False, not 'yes'"),
        ({"preprocessing": {}}, "preprocessing must be a Preprocessing, not {}"),
    ],
)
def test_settings_of_a_training_are_checked(settings, message):
    with pytest.raises(TrainerError, match=message):
        TrainConfig(**settings)


def test_settings_of_others_are_checked():
    with pytest.raises(TrainerError, match="warmup_epochs must be 0 or more, not 'two'"):
        CosineSchedule(warmup_epochs="two")
    with pytest.raises(TrainerError, match="path of a checkpoint must be that of a file, not 3"):
        Checkpoint(path=3)
    with pytest.raises(TrainerError, match="seconds between checkpoints must be 0 or more, not None"):
        Checkpoint(path="x", seconds=None)
    with pytest.raises(TrainerError, match="top must be a whole number of 1 or more"):
        LearningCurveRule(finished=(), top=0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": "0"}, "seed must be a whole number, not '0'"),
        ({"seed": 0, "device": "gpu"}, "device must be one that PyTorch can use here, not 'gpu'"),
        ({"seed": 0, "device": None}, "device must be one that PyTorch can use here, not None"),
        ({"seed": 0, "checkpoint": "file.pt"}, r"checkpoint must be a Checkpoint\(path=...\), not 'file.pt'"),
    ],
)
def test_arguments_of_train_are_checked(digits, make_convnet, arguments, message):
    with pytest.raises(TrainerError, match=message):
        train(make_convnet, digits, TrainConfig(), **arguments)


def test_a_device_that_computes_nothing_is_refused():
    with pytest.raises(TrainerError, match="meta device does not: use cpu or cuda"):
        checked_device("meta")
