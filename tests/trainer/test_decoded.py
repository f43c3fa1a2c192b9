import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pnas_trainer import ImageDataset, TrainerError, load_dataset


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("PNAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def photos(tmp_path) -> Path:
    """Six images of 4x3 pixels, two classes."""
    root = tmp_path / "photos"
    for index in range(6):
        write(root / f"class{index % 2}" / f"{index}.png", index)
    return root


def write(path: Path, grey: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), (grey, 9, 9)).save(path)


def load(root: Path, **options) -> ImageDataset:
    return load_dataset(str(root), validation_fraction=0.5, **options)


def greys(data: ImageDataset) -> list[int]:
    return sorted(torch.cat([data.train_images, data.validation_images])[:, 0, 0, 0].tolist())


def kept(home: Path) -> list[Path]:
    return list((home / "decoded").iterdir())


def test_the_second_time_no_image_is_decoded_and_the_data_are_the_same(photos, home):
    first = load(photos)
    [path] = kept(home)
    assert path.name.startswith("photos-")
    file = photos / "class1" / "3.png"
    before = file.stat()
    # Damaged behind the back of size and time, it would be refused if anybody looked into it.
    file.write_bytes(bytes(before.st_size))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = load(photos)
    assert again.digest() == first.digest()
    assert greys(again) == [0, 1, 2, 3, 4, 5]
    with pytest.raises(TrainerError, match=re.escape(str(file))):
        load(photos, cache=False)


def test_a_changed_image_is_decoded_again_and_the_file_replaced(photos, home):
    load(photos)
    write(photos / "class0" / "0.png", 77)
    os.utime(photos / "class0" / "0.png", ns=(1, 1))
    assert greys(load(photos)) == [1, 2, 3, 4, 5, 77]
    assert len(kept(home)) == 1


def test_an_image_that_comes_or_goes_or_gets_another_class_counts_at_once(photos):
    load(photos)
    write(photos / "class0" / "8.png", 88)
    assert greys(load(photos)) == [0, 1, 2, 3, 4, 5, 88]
    (photos / "class1" / "1.png").unlink()
    assert greys(load(photos)) == [0, 2, 3, 4, 5, 88]
    (photos / "class1" / "3.png").rename(photos / "class0" / "3.png")
    data = load(photos)
    labels = torch.cat([data.train_labels, data.validation_labels])
    images = torch.cat([data.train_images, data.validation_images])
    assert labels[images[:, 0, 0, 0] == 3].tolist() == [0]


def test_folders_of_one_name_are_kept_apart(photos, home, tmp_path):
    other = tmp_path / "other" / "photos"
    for index in range(4):
        write(other / f"class{index % 2}" / f"{index}.png", 100 + index)
    assert greys(load(photos)) == [0, 1, 2, 3, 4, 5]
    assert greys(load(other)) == [100, 101, 102, 103]
    assert greys(load(photos)) == [0, 1, 2, 3, 4, 5]
    assert len(kept(home)) == 2


def test_training_and_test_parts_are_both_kept(photos, home, tmp_path):
    root = tmp_path / "both"
    root.mkdir()
    photos.rename(root / "train")
    write(root / "test" / "class0" / "0.png", 200)
    write(root / "test" / "class1" / "1.png", 201)
    first, again = load(root, test=True), load(root, test=True)
    assert first.digest() == again.digest()
    np.testing.assert_array_equal(again.test_images[:, 0, 0, 0], [200, 201])
    assert len(kept(home)) == 2


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_file_is_written_anew(photos, home, damage):
    expected = load(photos).digest()
    [path] = kept(home)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert load(photos).digest() == expected
    assert path.read_bytes() == whole


def test_where_nothing_can_be_written_images_are_loaded_all_the_same_with_a_warning(photos, home):
    home.write_text("a file where a folder should be")
    with pytest.warns(UserWarning, match=r"will be decoded at every use, since .* cannot be written"):
        assert greys(load(photos)) == [0, 1, 2, 3, 4, 5]


def test_without_the_cache_nothing_is_written(photos, home):
    load(photos, cache=False)
    assert not home.exists()


def test_half_a_file_is_never_left_behind(photos, home, monkeypatch):
    def full(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(UserWarning, match="no space left on device"):
        load(photos)
    assert kept(home) == []


def test_the_users_cache_folder_is_the_default(photos, tmp_path, monkeypatch):
    monkeypatch.delenv("PNAS_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    load(photos)
    assert len(kept(tmp_path / "cache" / "pnas")) == 1
