"""What networks are right about, on files that trainings have written and on pictures in folders."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from torch import Tensor

from pnas_models import PNASNet5MobileWeights, cifar_network, create_model, imagenet_network, save_weights
from pnas_tools._cli import cli
from pnas_tools._errors import BadInput
from pnas_tools._evaluation._images import transformed

pytestmark = pytest.mark.usefixtures("one_thread")

CELL = "sep_conv_3x3@-2+identity@-1"
BLOCKS = [[-2, "sep_conv_3x3", -1, "identity"]]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["evaluate", *map(str, arguments)])


def refused(*arguments: object) -> str:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    return line


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training on digits, at another size than theirs."""
    folder = tmp_path_factory.mktemp("evaluated") / "folder"
    command = ["train", CELL, "-o", str(folder), "--filters", "2", "--repeats", "1", "--epochs", "2", "--no-track"]
    assert CliRunner().invoke(cli, command).exit_code == 0
    return folder


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "two.safetensors"
    torch.manual_seed(0)
    save_weights(imagenet_network(BLOCKS, n_filters=4, n_repeats=1, num_classes=2, stem_filters=4), path)
    return path


def test_the_accuracy_is_that_which_the_training_measured(out: Path) -> None:
    expected = json.loads((out / "result.json").read_text())["accuracy"]
    for name in (out, out / "network.safetensors"):
        done = run(name, "--json", "--batch-size", 77)
        assert done.exit_code == 0, done.output
        measured = json.loads(done.stdout)
        assert measured["top_1"] == expected
        assert expected < measured["top_5"] <= 1
        assert (measured["n_images"], measured["dataset"]) == (360, "digits")
        assert measured["images_per_second"] > 0


def test_people_are_told_in_percent(out: Path) -> None:
    expected = json.loads((out / "result.json").read_text())["accuracy"]
    done = run(out)
    names, row = done.stdout.splitlines()[3:5]
    assert re.split(" {2,}", names.strip()) == ["image size", "params", "mult-adds", "top-1", "top-5"]
    assert row.split()[:3] == ["8", "x", "8"]
    assert f"{100 * expected:.2f} %" in row
    assert "on 360 images of digits" in done.stdout


def test_of_two_classes_the_first_five_are_always_right_and_test_parts_are_found(
    two_classes: Path, pictures: Path
) -> None:
    for folder in (pictures, pictures / "val"):
        measured = json.loads(run(two_classes, "--dataset", folder, "--workers", 0, "--json").stdout)
        assert (measured["top_5"], measured["n_images"]) == (1.0, 10)


def test_published_weights_get_the_images_that_they_expect_in_the_order_of_the_folders(pictures: Path) -> None:
    transforms = PNASNet5MobileWeights.DEFAULT.transforms(40)
    images = transformed(pictures, transforms, batch_size=4, n_workers=2)
    got = list(images.batches)
    paths = [path for folder in sorted((pictures / "val").iterdir()) for path in sorted(folder.iterdir())]
    expected: list[Tensor] = []
    for path in paths:
        with Image.open(path) as image:
            expected.append(transforms(image))
    assert [len(labels) for _, labels in got] == [4, 4, 2]
    assert images.n_batches == 3
    assert torch.equal(torch.cat([some for some, _ in got]), torch.stack(expected))
    assert torch.cat([labels for _, labels in got]).tolist() == [0] * 5 + [1] * 5


def test_a_file_for_imagenet_has_the_classes_of_imagenet_without_the_background(pictures: Path, tmp_path: Path) -> None:
    save_weights(create_model("pnasnet5_mobile", num_classes=1001), tmp_path / "mobile.safetensors")
    shutil.copytree(pictures / "val", tmp_path / "val")
    for index in range(998):
        (tmp_path / "val" / f"n1{index:07}").mkdir()
        shutil.copy(pictures / "val" / "n01440764" / "0.png", tmp_path / "val" / f"n1{index:07}")
    for folder in (tmp_path / "val").iterdir():  # few enough to be quick
        for path in sorted(folder.iterdir())[1:]:
            path.unlink()
    done = run(
        "pnasnet5_mobile",
        "--weights",
        tmp_path / "mobile.safetensors",
        "--dataset",
        tmp_path,
        "--json",
        "--image-size",
        35,
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["n_images"] == 1000


def test_what_cannot_be_measured_is_refused_in_a_sentence(
    out: Path, two_classes: Path, pictures: Path, tmp_path: Path
) -> None:
    shutil.copytree(pictures, tmp_path / "three")
    shutil.copytree(pictures / "val" / "n01440764", tmp_path / "three" / "val" / "n02")
    shutil.copytree(pictures / "val", tmp_path / "broken")
    (tmp_path / "broken" / "n01440764" / "0.png").write_text("no image")
    torch.manual_seed(0)
    save_weights(cifar_network(BLOCKS, n_filters=2, n_repeats=1), tmp_path / "untold.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((out / "network.safetensors").read_bytes()[:500])
    (tmp_path / "half").mkdir()
    shutil.copy(out / "config.json", tmp_path / "half")
    assert "knows 2 classes, and" in refused(two_classes, "--dataset", tmp_path / "three", "--workers", 0)
    assert "cannot be read" in refused(two_classes, "--dataset", tmp_path / "broken", "--workers", 0)
    assert "is measured on a folder" in refused(two_classes, "--dataset", "digits")
    assert "does not say what it was trained on" in refused(two_classes)
    assert "does not say what its images go through" in refused(tmp_path / "untold.safetensors", "--dataset", "digits")
    assert "unknown data set 'digit'" in refused(out, "--dataset", "digit")
    assert "cut.safetensors is damaged" in refused(tmp_path / "cut.safetensors")
    assert "is not finished" in refused(tmp_path / "half")
    assert "nobody has published weights" in refused("pnasnet5_cifar", "--dataset", "digits")
    assert "has no weights yet" in refused(CELL, "--dataset", "digits")
    assert "is no model" in refused(tmp_path / "nothing")


def test_pictures_that_are_no_images_are_named(pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(pictures / "val", tmp_path / "broken")
    (tmp_path / "broken" / "n01440764" / "0.png").write_text("no image")
    images = transformed(tmp_path / "broken", PNASNet5MobileWeights.DEFAULT.transforms(40), 4, 1)
    with pytest.raises(BadInput, match=r"0\.png cannot be read"):
        list(images.batches)
