from pathlib import Path

import pytest
from PIL import Image

from pnas_trainer import ImageFolders, TrainerError


def fill(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 8)).save(root / name)
    return root


def test_it_knows_its_images(tmp_path):
    training = fill(tmp_path / "a", "cat/1.png", "dog/1.png", "dog/2.png")
    validation = fill(tmp_path / "b", "cat/9.png", "dog/9.png")
    folders = ImageFolders(training, str(validation), image_size=8, n_workers=1, color_jitter=True)
    assert (folders.classes, folders.num_classes, folders.in_channels) == (("cat", "dog"), 2, 3)
    assert (len(folders.training), len(folders.validation)) == (3, 2)
    same = ImageFolders(training, validation, image_size=8, color_jitter=True)
    assert folders.digest() == same.digest()
    assert folders.digest() != ImageFolders(training, validation, image_size=7, color_jitter=True).digest()
    for part in (training, validation):
        before = ImageFolders(training, validation, image_size=8).digest()
        fill(part, "dog/3.png")
        assert ImageFolders(training, validation, image_size=8).digest() != before


def test_classes_that_differ_are_named(tmp_path):
    training, validation = (
        fill(tmp_path / "a", "cat/1.png", "dog/1.png"),
        fill(tmp_path / "b", "cat/1.png", "emu/1.png"),
    )
    with pytest.raises(TrainerError, match="must hold the same classes, and dog, emu are in one alone"):
        ImageFolders(training, validation, image_size=8)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_size": 0}, "image_size must be a whole number of 1 or more, not 0"),
        ({"image_size": 8, "n_workers": -1}, "n_workers must be a whole number of 0 or more, not -1"),
        ({"image_size": 8, "color_jitter": "no"}, "color_jitter must be True or False, not 'no'"),
    ],
)
def test_settings_out_of_their_range_are_refused(tmp_path, settings, message):
    root = fill(tmp_path, "cat/1.png")
    with pytest.raises(TrainerError, match=message):
        ImageFolders(root, root, **settings)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TrainerError, match="nowhere must hold one folder of images for each class"):
        ImageFolders(tmp_path / "nowhere", tmp_path, image_size=8)
    (tmp_path / "file").touch()
    with pytest.raises(TrainerError, match="file must hold one folder of images for each class"):
        ImageFolders(tmp_path / "file", tmp_path, image_size=8)
    with pytest.raises(TrainerError, match="a folder of images must be given by its path, not None"):
        ImageFolders(None, tmp_path, image_size=8)
