import os
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


def test_the_second_time_no_image_is_decoded_and_the_data_are_the_same(photos, home, monkeypatch):
    first = load(photos)
    [path] = kept(home)
    assert path.name.startswith(f"{photos.parent.name}-photos-")
    monkeypatch.setattr("pnas_trainer._sources.decode", refuse)
    again = load(photos)
    assert again.digest() == first.digest()
    assert greys(again) == [0, 1, 2, 3, 4, 5]
    with pytest.raises(AssertionError, match="decoded"):
        load(photos, cache=False)


def refuse(path: str) -> None:
    raise AssertionError(f"{path} is decoded")


def test_an_image_that_is_replaced_by_one_of_the_same_size_and_time_counts_all_the_same(photos):
    """As unpacking or copying may do, and formats of a fixed size."""
    for index in range(2):
        Image.new("RGB", (4, 3), (100 + index, 9, 9)).save(photos / "class0" / f"{index}.bmp")
    file = photos / "class0" / "1.bmp"
    os.utime(file, ns=(0, 0))
    assert greys(load(photos)) == [0, 1, 2, 3, 4, 5, 100, 101]
    Image.new("RGB", (4, 3), (200, 9, 9)).save(file)
    os.utime(file, ns=(0, 0))
    assert greys(load(photos)) == [0, 1, 2, 3, 4, 5, 100, 200]


def test_another_decoder_decodes_anew(photos, monkeypatch):
    load(photos)
    monkeypatch.setattr("PIL.__version__", "0.0.0")
    monkeypatch.setattr("pnas_trainer._sources.decode", refuse)
    with pytest.raises(AssertionError, match="decoded"):
        load(photos)


def test_a_link_to_nowhere_is_named(photos):
    (photos / "class0" / "z.png").symlink_to("/nowhere.png")
    with pytest.raises(TrainerError, match=r"the image .*z\.png cannot be read"):
        load(photos)


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


def test_any_damaged_byte_of_the_directory_is_found_out(photos, home):
    expected = load(photos).digest()
    [path] = kept(home)
    whole = path.read_bytes()
    for position in range(len(whole) - 160, len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        assert load(photos).digest() == expected


def test_without_a_home_images_are_decoded_all_the_same(photos, monkeypatch):
    monkeypatch.setenv("PNAS_HOME", "~no-such-user/pnas")
    assert greys(load(photos)) == [0, 1, 2, 3, 4, 5]


def test_what_killed_processes_left_behind_goes(photos, home):
    load(photos)
    old, new = (home / "decoded" / name for name in ("other.old.part", "other.new.part"))
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (0, 0))
    write(photos / "class0" / "8.png", 88)
    load(photos)
    assert not old.exists()
    assert new.exists()


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
