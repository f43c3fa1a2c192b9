import dataclasses
from collections.abc import Sequence

import pytest
import torch
from torch import nn

from pnas_trainer import Checkpoint, Preprocessing, TrainConfig, TrainerError, train
from pnas_trainer._training import Training

CONFIG = TrainConfig(
    n_epochs=3,
    batch_size=300,
    learning_rate=0.05,
    ema_decay=0.9,
    preprocessing=Preprocessing(upsample_to=10, crop_to=8, flip=True),
)


class Killed(BaseException):
    """As a Ctrl-C would, at a step of the test's choice."""


@pytest.fixture
def kill_at(monkeypatch):
    """Interrupts a training before a step; None lets it run."""

    def arm(epoch: int | None, step: int = 0) -> None:
        original = Training.__dict__["_train_step"] if epoch is None else arm.original

        def train_step(self) -> None:
            if (self.epoch, self.step) == (epoch, step):
                raise Killed
            original(self)

        monkeypatch.setattr(Training, "_train_step", train_step)

    arm.original = Training._train_step
    return arm


def outcome(result) -> dict:
    return {name: value for name, value in dataclasses.asdict(result).items() if name not in ("seconds", "weights")}


@pytest.mark.parametrize(("epoch", "step"), [(0, 3), (1, 0), (1, 2), (2, 4)])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_a_killed_training_goes_on_to_the_same_result_to_the_last_bit(
    tmp_path, digits, make_convnet, kill_at, monkeypatch, optimizer, epoch, step
):
    config = dataclasses.replace(CONFIG, optimizer=optimizer)
    undisturbed = train(make_convnet, digits, config, seed=3, keep_weights=True)
    checkpoint = Checkpoint(path=tmp_path / "run" / "checkpoint.pt", seconds=0)
    kill_at(epoch, step)
    with pytest.raises(Killed):
        train(make_convnet, digits, config, seed=3, checkpoint=checkpoint)
    monkeypatch.undo()
    resumed = train(make_convnet, digits, config, seed=3, checkpoint=checkpoint, keep_weights=True)
    assert outcome(resumed) == outcome(undisturbed)
    assert all(torch.equal(resumed.weights[name], tensor) for name, tensor in undisturbed.weights.items())


def test_a_training_that_on_step_ends_goes_on_from_the_very_step(tmp_path, digits, make_convnet):
    undisturbed = train(make_convnet, digits, CONFIG, seed=3)
    checkpoint = Checkpoint(path=tmp_path / "checkpoint.pt", seconds=3600)
    told: list[float] = []

    def end_at_every_third(n_epochs: float, accuracies: Sequence[float]) -> None:
        told.append(n_epochs)
        if len(told) % 3 == 0:
            raise Killed

    while True:
        try:
            resumed = train(make_convnet, digits, CONFIG, seed=3, checkpoint=checkpoint, on_step=end_at_every_third)
            break
        except Killed:
            continue
    assert outcome(resumed) == outcome(undisturbed)
    n_steps = -(-len(digits.train_images) // CONFIG.batch_size)
    assert told == pytest.approx([(step + 1) / n_steps for step in range(CONFIG.n_epochs * n_steps)])


def test_a_finished_training_gives_its_result_again_without_training(tmp_path, digits, make_convnet, kill_at):
    checkpoint = Checkpoint(path=tmp_path / "checkpoint.pt")
    first = train(make_convnet, digits, CONFIG, seed=3, checkpoint=checkpoint)
    kill_at(0)
    assert outcome(train(make_convnet, digits, CONFIG, seed=3, checkpoint=checkpoint)) == outcome(first)


@pytest.mark.parametrize(
    ("change", "seed"), [({"learning_rate": 0.01}, 3), ({}, 4)], ids=["another config", "another seed"]
)
def test_the_checkpoint_of_another_training_is_refused(tmp_path, digits, make_convnet, change, seed):
    checkpoint = Checkpoint(path=tmp_path / "checkpoint.pt")
    train(make_convnet, digits, CONFIG, seed=3, checkpoint=checkpoint)
    before = checkpoint.path.read_bytes()
    with pytest.raises(TrainerError, match=r"checkpoint\.pt is the checkpoint of another training"):
        train(make_convnet, digits, dataclasses.replace(CONFIG, **change), seed=seed, checkpoint=checkpoint)
    assert checkpoint.path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 neither"])
def test_a_file_that_is_no_checkpoint_is_refused_and_kept(tmp_path, digits, make_convnet, content):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(TrainerError, match=r"must be a checkpoint of pnas-trainer, but: .*; remove it"):
        train(make_convnet, digits, CONFIG, seed=3, checkpoint=Checkpoint(path=path))
    assert path.read_bytes() == content


def test_seconds_below_zero_are_refused():
    with pytest.raises(TrainerError, match="seconds between checkpoints must be 0 or more, not -1"):
        Checkpoint(path="x", seconds=-1)


def test_the_checkpoint_of_other_images_or_another_network_is_refused(tmp_path, digits, make_convnet):
    checkpoint = Checkpoint(path=tmp_path / "checkpoint.pt")
    train(make_convnet, digits, CONFIG, seed=3, checkpoint=checkpoint)
    others = dataclasses.replace(digits, train_images=digits.train_images.flip(0))
    with pytest.raises(TrainerError, match="the checkpoint of another training"):
        train(make_convnet, others, CONFIG, seed=3, checkpoint=checkpoint)
    with pytest.raises(TrainerError, match="the checkpoint of another training"):
        train(lambda: nn.Sequential(nn.Identity(), *make_convnet()), digits, CONFIG, seed=3, checkpoint=checkpoint)


def test_a_checkpoint_that_cannot_be_written_is_said_before_the_training(tmp_path, digits, make_convnet, kill_at):
    (tmp_path / "file").touch()
    kill_at(0)
    with pytest.raises(TrainerError, match=r"the checkpoint .*file/checkpoint\.pt cannot be written"):
        train(make_convnet, digits, CONFIG, seed=3, checkpoint=Checkpoint(path=tmp_path / "file" / "checkpoint.pt"))


def test_a_tensor_in_place_of_a_checkpoint_is_refused(tmp_path, digits, make_convnet):
    path = tmp_path / "checkpoint.pt"
    torch.save(torch.zeros(3), path)
    with pytest.raises(TrainerError, match="must be a checkpoint of pnas-trainer"):
        train(make_convnet, digits, CONFIG, seed=3, checkpoint=Checkpoint(path=path))
