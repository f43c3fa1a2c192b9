"""Trainings on folders of images, which are decoded on the way."""

import dataclasses
import multiprocessing
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import distributed, nn

from pnas_trainer import (
    Checkpoint,
    ImageFolders,
    Preprocessing,
    TrainConfig,
    TrainerError,
    train,
    train_final,
    train_many,
)
from pnas_trainer._training import Training

pytestmark = [
    # Of few cores, and of Python 3.12 and later, where processes with threads fork.
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]

CONFIG = TrainConfig(n_epochs=4, batch_size=8, learning_rate=0.1)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Small JPEGs of several sizes: stripes that run across or down."""
    root = tmp_path_factory.mktemp("stripes")
    rng = np.random.default_rng(0)
    for part, n_images in (("training", 44), ("validation", 22)):
        for index in range(n_images):
            name = ("across", "down")[index % 2]
            stripes = rng.integers(256, size=(6, 1, 3) if name == "across" else (1, 6, 3), dtype=np.uint8)
            path = root / part / name / f"{index:02}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.broadcast_to(stripes, (6, 6, 3)).copy()).resize((24 + index, 30)).save(path)
    return root


def folders(root: Path, **settings) -> ImageFolders:
    return ImageFolders(root / "training", root / "validation", **{"image_size": 12} | settings)


def make_model() -> nn.Module:
    """Without batch normalization, whose statistics each of several processes has of its own images."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(144, 2),
    )


def outcome(result) -> tuple:
    return result.status, result.accuracies, result.losses, result.n_examples


def test_it_learns_and_the_result_does_not_depend_on_who_decodes(root):
    config = dataclasses.replace(CONFIG, n_epochs=12)
    alone = train(make_model, folders(root), config, seed=0)
    assert alone.status == "finished"
    assert alone.accuracy > 0.75  # chance is 0.5
    assert alone.n_examples == 12 * 44
    assert outcome(train(make_model, folders(root, n_workers=2), config, seed=0)) == outcome(alone)


def test_the_seed_and_the_jitter_change_what_is_seen(root):
    first, second = (train(make_model, folders(root), CONFIG, seed=seed) for seed in (0, -1))
    jittered = train(make_model, folders(root, color_jitter=True), CONFIG, seed=0)
    assert len({first.losses, second.losses, jittered.losses}) == 3


def test_many_are_trained_as_each_alone(root):
    images, n_threads = folders(root), torch.get_num_threads()
    results = train_many([make_model] * 2, images, CONFIG, seeds=[0, 1], threads_per_child=n_threads)
    alone = [train(make_model, images, CONFIG, seed=seed) for seed in (0, 1)]
    assert list(map(outcome, results)) == list(map(outcome, alone))


class Killed(BaseException):
    """As a Ctrl-C would, at a step of the test's choice."""


def make_dropping_model() -> nn.Module:
    return nn.Sequential(nn.Dropout(0.2), *make_model())


@pytest.mark.parametrize("step", [1, 3, 9, 10])  # six steps an epoch
def test_it_goes_on_in_the_middle_of_an_epoch(root, tmp_path, monkeypatch, step):
    whole = train(make_dropping_model, folders(root, n_workers=1), CONFIG, seed=0)
    checkpoint = Checkpoint(path=tmp_path / "kept.pt", seconds=0)
    take, n_taken = Training._take_step, []

    def take_or_die(self, *arguments):
        n_taken.append(None)
        if len(n_taken) > step:
            raise Killed
        take(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_take_step", take_or_die)
        with pytest.raises(Killed):
            train(make_dropping_model, folders(root, n_workers=1), CONFIG, seed=0, checkpoint=checkpoint)
    resumed = train(make_dropping_model, folders(root), CONFIG, seed=0, checkpoint=checkpoint)
    assert outcome(resumed) == outcome(whole)


def test_the_checkpoint_of_other_folders_is_refused(root, tmp_path):
    checkpoint = Checkpoint(path=tmp_path / "kept.pt")
    train(make_model, folders(root), CONFIG, seed=0, checkpoint=checkpoint)
    moved = tmp_path / "elsewhere"
    shutil.copytree(root, moved)
    assert outcome(train(make_model, folders(moved), CONFIG, seed=0, checkpoint=checkpoint))[0] == "finished"
    (moved / "training" / "down" / "01.jpg").unlink()
    for others in (folders(moved), folders(root, color_jitter=True)):
        with pytest.raises(TrainerError, match="the checkpoint of another training"):
            train(make_model, others, CONFIG, seed=0, checkpoint=checkpoint)


def train_as(rank: int, store: str, root: Path, results) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    torch.set_num_threads(1)
    result = train(make_model, folders(root), CONFIG, seed=5, distributed=True)
    results.put((result.losses, result.accuracies))
    distributed.destroy_process_group()


@pytest.mark.usefixtures("importable")
def test_two_processes_train_as_one_does(root, tmp_path):
    alone = train(make_model, folders(root), CONFIG, seed=5)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [
        context.Process(target=train_as, args=(rank, str(tmp_path / "store"), root, results)) for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    got = [results.get(timeout=240) for _ in processes]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert got[0] == got[1]
    assert got[0][0] == pytest.approx(alone.losses, rel=1e-4)
    assert got[0][1] == pytest.approx(alone.accuracies, abs=0.05)


def test_a_file_that_is_cut_short_is_named(root, tmp_path):
    shutil.copytree(root, tmp_path / "cut")
    path = tmp_path / "cut" / "training" / "down" / "05.jpg"
    path.write_bytes(path.read_bytes()[:-200])
    for n_workers in (0, 1):
        with pytest.raises(TrainerError, match=r"05\.jpg"):
            train(make_model, folders(tmp_path / "cut", n_workers=n_workers), CONFIG, seed=0)
    path.write_bytes(b"no image")
    with pytest.raises(TrainerError, match=r"05\.jpg"):
        folders(tmp_path / "cut")


def test_settings_that_are_for_images_in_memory_are_refused(root):
    with pytest.raises(TrainerError, match=r"preprocessing must be left at its default, not .*crop_to=8"):
        train(make_model, folders(root), TrainConfig(preprocessing=Preprocessing(crop_to=8)), seed=0)
    with pytest.raises(TrainerError, match="need images in memory: leave combine out"):
        train_many([make_model] * 2, folders(root), CONFIG, seeds=[0, 1], combine=nn.ModuleList)
    with pytest.raises(TrainerError, match="data must be an ImageDataset or ImageFolders, not str"):
        train(make_model, str(root), CONFIG, seed=0)
    with pytest.raises(TrainerError, match="images in memory, an ImageDataset, not ImageFolders"):
        train_final({"one": make_model}, folders(root), CONFIG)


def test_it_measures_with_no_more_images_at_once_than_it_trains_with(root):
    sizes = []

    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = make_model()

        def forward(self, images):
            sizes.append((self.training, len(images)))
            return self.body(images)

    train(Watched, folders(root), CONFIG, seed=0)
    assert max(size for is_training, size in sizes if not is_training) == CONFIG.batch_size


def test_numbers_of_numpy_are_numbers(root):
    config = dataclasses.replace(CONFIG, batch_size=np.int64(8))
    images = folders(root, image_size=np.int64(12), n_workers=np.int64(0))
    assert outcome(train(make_model, images, config, seed=np.int64(0)))[0] == "finished"
