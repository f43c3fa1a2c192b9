"""What a user of `pnas-tools models` sees, on real files of real, if random, networks."""

import dataclasses
import json
import os
import signal
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnxruntime
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from pnas_models import (
    CellNetwork,
    PNASNet5MobileWeights,
    SourceName,
    cifar_network,
    count_multiply_adds,
    count_parameters,
    create_model,
    imagenet_network,
    list_models,
    load_network,
    save_weights,
)
from pnas_models._checkpoints._sources import timm_names
from pnas_tools import _classification, _models_command, _onnx_file
from pnas_tools._cli import cli

pytestmark = pytest.mark.usefixtures("one_thread")

TENSORFLOW_FILES = Path(__file__).parents[1] / "models" / "data"
CELL = "sep_conv_3x3@-2+identity@-1,max_pool_3x3@0+identity@-1"
BLOCKS = [[-2, "sep_conv_3x3", -1, "identity"], [0, "max_pool_3x3", -1, "identity"]]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["models", *map(str, arguments)])


def done(*arguments: object) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def refused(*arguments: object, exit_code: int = 2) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def mobile(folder: Path) -> CellNetwork:
    """Mobile as TensorFlow has it, with a background class and an auxiliary head; `mobile.safetensors` is it."""
    torch.manual_seed(0)
    network = create_model("pnasnet5_mobile", num_classes=1001, auxiliary=True, image_size=224)
    with torch.no_grad():  # so that not every image is of the same class
        network.classifier.weight.mul_(0.01)
    save_weights(network, folder / "mobile.safetensors")
    return network


@pytest.fixture(scope="module")
def small(folder: Path) -> CellNetwork:
    """A network that is in no zoo; `small.safetensors` is it."""
    torch.manual_seed(1)
    network = cifar_network(BLOCKS, n_filters=4, n_repeats=1, drop_path_rate=0.4)
    save_weights(network, folder / "small.safetensors")
    return network


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("onnx") / "cell.onnx"
    text = done("export", CELL, "--onnx", path, "--filters", 4, "--repeats", 1, "--seed", 3)
    return path, text


@pytest.fixture
def quick(exported: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> list[CellNetwork]:
    """Has every export give the file of the fixture; lists what should have been exported."""
    networks = []

    def export(network: CellNetwork, path: Path, *, image_size: int) -> None:
        networks.append(network)
        path.write_bytes(exported[0].read_bytes())

    monkeypatch.setattr(_onnx_file, "export_onnx", export)
    return networks


@pytest.fixture
def no_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of all kinds, and files that are none."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    colors = Image.fromarray(rng.integers(0, 256, (60, 90, 3), dtype=np.uint8))
    colors.save(folder / "colors.png")
    colors.convert("L").save(folder / "grey.jpg")
    colors.convert("P").save(folder / "palette.gif")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    colors.rotate(90, expand=True).save(folder / "lying.png", exif=exif)
    (folder / "cut.png").write_bytes((folder / "colors.png").read_bytes()[:2000])
    (folder / "text.png").write_text("no image")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PNAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def without_background(network: CellNetwork) -> dict[str, torch.Tensor]:
    """The weights with 1000 classes, and without the auxiliary head."""
    return {
        name: tensor[1:] if name.startswith("classifier.") else tensor
        for name, tensor in network.state_dict().items()
        if not name.startswith("aux.")
    }


def assert_same(actual: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert set(actual) == set(expected)
    assert all(torch.equal(actual[name], expected[name]) for name in expected)


class TestList:
    def test_it_is_a_table_of_networks_and_weights(self) -> None:
        header, *lines = done("list").splitlines()
        assert header.split() == ["model", "weights", "source", "pixels", "parameters", "mult-adds", "top-1", "top-5"]
        assert lines[0].split() == ["pnasnet5_cifar", "none", "32", "3.19", "M", "575", "M", "-", "-"]
        assert lines[1].split() == [
            "pnasnet5_large",
            "TENSORFLOW*",
            "tensorflow",
            "331",
            "86.1",
            "M",
            "24.9",
            "B",
            "82.9",
            "96.2",
        ]
        assert lines[4].split() == [
            "pnasnet5_mobile",
            "TENSORFLOW*",
            "tensorflow",
            "224",
            "5.06",
            "M",
            "587",
            "M",
            "74.2",
            "91.9",
        ]

    def test_json_has_exact_numbers(self) -> None:
        models = {model["name"]: model for model in json.loads(done("list", "--json"))}
        assert list(models) == list_models()
        for name, model in models.items():
            with torch.device("meta"):
                network = create_model(name)
            assert model["n_parameters"] == count_parameters(network)
            assert model["n_multiply_adds"] == count_multiply_adds(network, model["image_size"])
        (default,) = [weights for weights in models["pnasnet5_large"]["weights"] if weights["is_default"]]
        assert default == {
            "name": "TENSORFLOW",
            "is_default": True,
            "source": "tensorflow",
            "top_1": 82.9,
            "top_5": 96.2,
        }


class TestInfo:
    def test_a_name_has_its_weights_and_where_they_are(self, home: Path) -> None:
        text = done("info", "pnasnet5_mobile")
        path = home / "checkpoints" / "pnasnet-5_mobile_2017_12_13.tar.gz"
        for words in (
            "parameters    5,064,487",
            "multiply-adds 587,293,200 for one image of 224 pixels",
            "URL           https://storage.googleapis.com/download.tensorflow.org/models/pnasnet-5_mobile_2017_12_13",
            "mirror 1      https://download.tensorflow.org/models/pnasnet-5_mobile_2017_12_13.tar.gz",
            "SHA-256       not published: recorded at first use",
            f"file          {path} (not downloaded)",
            "images        224 pixels from the middle 0.875 of both sides, bilinear",
            "mean          0.5, 0.5, 0.5",
            "licence       Apache-2.0",
        ):
            assert words in text
        path.parent.mkdir(parents=True)
        path.touch()
        assert f"{path} (is here)" in done("info", "pnasnet5_mobile")

    def test_json_has_everything(self, home: Path) -> None:
        info = json.loads(done("info", "pnasnet5_large", "--json"))
        assert info["n_multiply_adds"] == 24_937_395_792
        assert [weights["name"] for weights in info["weights"]] == ["TENSORFLOW", "TIMM", "CADENE"]
        assert info["weights"][2]["sha256"] == "bf079911"
        assert [feature["reduction"] for feature in info["feature_info"]] == [2, 4, 8, 16, 32]

    def test_another_size_takes_other_multiply_adds(self) -> None:
        info = json.loads(done("info", "pnasnet5_mobile", "--image-size", 97, "--json"))
        with torch.device("meta"):
            network = create_model("pnasnet5_mobile")
        assert info["n_multiply_adds"] == count_multiply_adds(network, 97)

    @pytest.mark.parametrize("text", [CELL, json.dumps(BLOCKS)])
    def test_a_cell_is_put_into_a_network(self, text: str) -> None:
        info = json.loads(done("info", text, "--json"))
        assert info["n_parameters"] == count_parameters(cifar_network(BLOCKS, n_filters=48, n_repeats=3))
        options = "--network imagenet --filters 8 --repeats 1 --stem-filters 5 --classes 7 --image-size 33"
        info = json.loads(done("info", text, *options.split(), "--json"))
        network = imagenet_network(BLOCKS, n_filters=8, n_repeats=1, num_classes=7, stem_filters=5)
        assert info["n_parameters"] == count_parameters(network)
        assert info["n_multiply_adds"] == count_multiply_adds(network, 33)
        assert info["feature_info"] == network.feature_info

    def test_a_file_tells_its_network(self, folder: Path, small: CellNetwork, mobile: CellNetwork) -> None:
        info = json.loads(done("info", folder / "small.safetensors", "--json"))
        assert (info["config"], info["weights"]) == (small.config, [])
        text = done("info", folder / "mobile.safetensors", "--classes", "1000")
        assert "parameters    5,064,487" in text
        assert "cell          sep_conv_5x5@-2+max_pool_3x3@-2," in text

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                ["pnasnet5"],
                "is no model (pnasnet5_cifar, pnasnet5_large, pnasnet5_mobile), no file, no folder of a search",
            ),
            (["pnasnet5_large", "--filters", "3"], "--filters is of the network around a CELL"),
            (["pnasnet5_large", "--image-size", "2"], "2 is not in the range 3<=x<=4096"),
            (["identity@-2+identity@0"], "block 0"),
            (["[[1]]"], "block 0 must be"),
            (["mine@-2+identity@-1"], "block 0 applies the operation 'mine'"),
            (["identity@-2+identity@-1", "--stem-filters", "3"], "--stem-filters is of --network imagenet"),
            (["identity@-2+identity@-1", "--network", "imagenet", "--filters", "3"], "n_filters must be 4 or more"),
            (["nothing.safetensors"], "there is no nothing.safetensors"),
        ],
    )
    def test_bad_input_is_one_sentence(self, arguments: list[str], message: str) -> None:
        assert message in refused("info", *arguments)


class TestConvert:
    def test_the_background_and_the_head_are_left_out(self, folder: Path, mobile: CellNetwork, tmp_path: Path) -> None:
        target = tmp_path / "out.safetensors"
        text = done("convert", folder / "mobile.safetensors", target, "--classes", "1000")
        expected = without_background(mobile)
        assert_same(load_file(target), expected)
        assert load_network(target).num_classes == 1000
        assert text.splitlines() == [
            f"read  {folder}/mobile.safetensors: a network of the imagenet kind, 1,001 classes, names of pnas",
            "      without the background class",
            "      without the auxiliary head, which --auxiliary keeps",
            f"wrote {target}: {len(expected):,} tensors, 5,064,487 parameters, 1,000 classes, names of pnas",
        ]

    def test_the_head_is_kept_if_asked_for(self, folder: Path, mobile: CellNetwork, tmp_path: Path) -> None:
        target = tmp_path / "out.safetensors"
        text = done("convert", folder / "mobile.safetensors", target, "--auxiliary")
        assert_same(load_file(target), mobile.state_dict())
        assert load_network(target).config == mobile.config
        assert "without" not in text

    def test_files_of_others_are_recognized(self, mobile: CellNetwork, folder: Path, tmp_path: Path) -> None:
        """As Cadene has them, 1001 classes in a .pth file; and as timm has them, 1000 in a .safetensors file."""
        names = timm_names(mobile)
        torch.save({name: mobile.state_dict()[key] for key, name in names.items()}, tmp_path / "cadene.pth")
        text = done("convert", tmp_path / "cadene.pth", tmp_path / "ours.safetensors", "--classes", 1000)
        assert "cadene.pth: pnasnet5_mobile, 1,001 classes, names of cadene" in text
        expected = without_background(mobile)
        assert_same(load_file(tmp_path / "ours.safetensors"), expected)
        save_file({name: expected[key] for key, name in names.items()}, tmp_path / "timm.safetensors")
        text = done("convert", tmp_path / "timm.safetensors", tmp_path / "ours.safetensors")
        assert "timm.safetensors: pnasnet5_mobile, 1,000 classes, names of timm" in text
        assert_same(load_file(tmp_path / "ours.safetensors"), expected)

    def test_timms_own_network_is_large_alone(self, folder: Path, tmp_path: Path) -> None:
        message = refused("convert", folder / "mobile.safetensors", tmp_path / "timm.safetensors", "--to", "timm")
        assert "timm's own network is PNASNet-5 Large, and this one differs in n_filters" in message

    def test_a_file_of_a_network_in_no_zoo_says_what_it_is(
        self, folder: Path, small: CellNetwork, tmp_path: Path
    ) -> None:
        done("convert", folder / "small.safetensors", tmp_path / "out.safetensors")
        with safe_open(tmp_path / "out.safetensors", framework="pt") as file:
            assert json.loads(file.metadata()["config"]) == small.config

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--classes", "17"], "has 1001 classes, and 17 cannot be had from it"),
            (["--from", "timm"], "are those of pnas, and not of timm"),
            (["--model", "pnasnet5"], "there is no model 'pnasnet5'"),
            (["--model", "pnasnet5_large"], "are not those of this network"),
            (["--auxiliary", "--to", "timm"], "timm's networks have no auxiliary head"),
            (["--image-size", "224"], "needs --auxiliary"),
            (["--auxiliary", "--image-size", "331"], "of another shape: aux.conv.weight"),
        ],
    )
    def test_bad_input_is_one_sentence_and_nothing_is_written(
        self, options: list[str], message: str, folder: Path, mobile: CellNetwork, tmp_path: Path
    ) -> None:
        target = tmp_path / "out.safetensors"
        target.write_text("as it was")
        assert message in refused("convert", folder / "mobile.safetensors", target, *options)
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(target.name, "as it was")]

    def test_files_that_are_no_network_are_told(self, folder: Path, small: CellNetwork, tmp_path: Path) -> None:
        target = tmp_path / "out.safetensors"
        (tmp_path / "text.pth").write_text("hello")
        assert "text.pth is damaged, or no safetensors file" in refused("convert", tmp_path / "text.pth", target)
        torch.save({"weight": torch.zeros(2)}, tmp_path / "else.pth")
        assert "else.pth has no classifier" in refused("convert", tmp_path / "else.pth", target)
        torch.save({"last_linear.weight": torch.zeros(10, 7)}, tmp_path / "seven.pth")
        message = refused("convert", tmp_path / "seven.pth", target)
        assert "reads 7 features, and those of the zoo 960 (pnasnet5_cifar), 1080 (pnasnet5_mobile), 4320" in message
        assert "no auxiliary head" in refused("convert", folder / "small.safetensors", target, "--auxiliary")
        assert "ends in .safetensors" in refused("convert", folder / "small.safetensors", tmp_path / "out.pth")
        assert "there is no folder" in refused("convert", folder / "small.safetensors", tmp_path / "no" / target.name)

    def test_checkpoints_of_tensorflow_are_found_by_prefix_file_folder_and_archive(self, tmp_path: Path) -> None:
        checkpoint = tmp_path / "checkpoint"
        checkpoint.mkdir()
        for path in TENSORFLOW_FILES.glob("tiny.ckpt.*"):
            (checkpoint / path.name).write_bytes(path.read_bytes())
        with tarfile.open(tmp_path / "tiny.tar.gz", "w:gz") as archive:
            archive.add(checkpoint, "tiny")
        for source in (
            checkpoint,
            checkpoint / "tiny.ckpt",
            checkpoint / "tiny.ckpt.index",
            checkpoint / "tiny.ckpt.data-00000-of-00001",
            tmp_path / "tiny.tar.gz",
        ):
            message = refused("convert", source, tmp_path / "out.safetensors")
            assert f"{source} has no classifier under a name that is known here (final_layer/FC/weights" in message

    def test_every_source_of_the_package_can_be_named(self) -> None:
        assert get_args(SourceName) == _models_command._SOURCES


class TestExport:
    def test_the_file_of_a_cell_gives_what_pytorch_gives(self, exported: tuple[Path, str]) -> None:
        path, text = exported
        torch.manual_seed(3)
        network = cifar_network(BLOCKS, n_filters=4, n_repeats=1).eval()
        images = torch.randn(3, 3, 40, 24)  # neither the number nor the size of the export
        session = onnxruntime.InferenceSession(path)
        (logits,) = session.run(None, {"images": images.numpy()})
        np.testing.assert_allclose(logits, network(images).detach().numpy(), rtol=1e-3, atol=1e-5)
        assert text.startswith(f"wrote {path}: the cifar network of {CELL}, random weights of seed 3, 10 classes\n")
        assert "checked at 32x32 pixels: onnxruntime differs from PyTorch by " in text
        assert [found.name for found in path.parent.iterdir()] == ["cell.onnx"]

    def test_a_file_has_its_weights(
        self,
        quick: list[CellNetwork],
        folder: Path,
        small: CellNetwork,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        file, path = folder / "small.safetensors", tmp_path / "small.onnx"
        text = done("export", file, "--onnx", path, "--no-fuse")
        assert text.startswith(f"wrote {path}: the network in {file}, 10 classes\n")
        assert_same(quick[0].state_dict(), small.state_dict())
        done("export", file, "--onnx", path)
        assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in quick[1].modules())

    def test_a_file_that_gives_something_else_is_not_kept(self, quick: list[CellNetwork], tmp_path: Path) -> None:
        path = tmp_path / "cell.onnx"
        path.write_text("as it was")
        arguments = ("export", CELL, "--onnx", path, "--filters", 4, "--repeats", 1, "--seed")
        message = refused(*arguments, 4, exit_code=1)
        assert "onnxruntime's logits for it differ from PyTorch's by" in message
        assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("cell.onnx", "as it was")]
        assert "checked" in done(*arguments, 3)

    def test_without_onnxruntime_it_says_that_nothing_was_checked(
        self, quick: list[CellNetwork], no_onnxruntime: None, tmp_path: Path
    ) -> None:
        text = done("export", CELL, "--onnx", tmp_path / "cell.onnx", "--filters", 4, "--repeats", 1, "--seed", 4)
        assert 'not checked: onnxruntime is missing; pip install "pnas-tools[onnx]"\n' in text
        assert (tmp_path / "cell.onnx").is_file()

    def test_weights_can_be_a_file(
        self, quick: list[CellNetwork], no_onnxruntime: None, folder: Path, mobile: CellNetwork, tmp_path: Path
    ) -> None:
        path, file = tmp_path / "mobile.onnx", folder / "mobile.safetensors"
        done("export", "pnasnet5_mobile", "--onnx", path, "--weights", file, "--classes", 1000, "--no-fuse")
        assert_same(quick[0].state_dict(), without_background(mobile))
        done("export", "pnasnet5_mobile", "--onnx", path, "--weights", file, "--no-fuse")
        assert quick[1].num_classes == 1001

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                ["pnasnet5_mobile", "--weights", "TIMM"],
                "no weights 'TIMM' for pnasnet5_mobile: there are TENSORFLOW",
            ),
            (["pnasnet5_cifar", "--weights", "DEFAULT"], "nobody has published any"),
            (
                [CELL, "--weights", "small.safetensors"],
                "small.safetensors are not those of this network",
            ),
            (["small.safetensors", "--weights", "small.safetensors"], "--weights is of a NAME or a CELL"),
            (["small.safetensors", "--classes", "9"], "has 10 classes, and 9 cannot be had from it"),
        ],
    )
    def test_bad_input_is_one_sentence(
        self, arguments: list[str], message: str, folder: Path, small: CellNetwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder)
        before = sorted(path.name for path in folder.iterdir())
        assert message in refused("export", *arguments, "--onnx", "out.onnx")
        assert sorted(path.name for path in folder.iterdir()) == before


class TestClassify:
    def test_the_classes_are_those_of_the_network_without_the_background(
        self, images: Path, folder: Path, mobile: CellNetwork
    ) -> None:
        paths = [images / name for name in ("colors.png", "grey.jpg", "palette.gif")]
        arguments = ("classify", "pnasnet5_mobile", *paths, "--weights", folder / "mobile.safetensors", "--top", 3)
        found = json.loads(done(*arguments, "--json"))
        weights = PNASNet5MobileWeights.DEFAULT.value
        batch = []
        for path in paths:
            with Image.open(path) as image:
                batch.append(weights.transforms()(image))
        with torch.inference_mode():
            top = mobile.eval()(torch.stack(batch))[:, 1:].softmax(dim=1).topk(3)
        mobile.train()
        assert [result["image"] for result in found] == [str(path) for path in paths]
        for result, values, indices in zip(found, top.values.tolist(), top.indices.tolist(), strict=True):
            assert [one["index"] for one in result["classes"]] == indices
            assert [one["name"] for one in result["classes"]] == [weights.categories[index] for index in indices]
            assert [one["probability"] for one in result["classes"]] == pytest.approx(values, rel=1e-3)
        text = done(*arguments)
        assert text.count("probability") == 3
        assert f"{found[0]['classes'][0]['name']} " in text
        assert f" {found[0]['classes'][0]['probability']:.4f}\n" in text

    def test_images_are_seen_as_the_camera_was_held(self, images: Path, folder: Path, mobile: CellNetwork) -> None:
        text = done(
            *("classify", "pnasnet5_mobile", images / "colors.png", images / "lying.png", "--json"),
            *("--weights", folder / "mobile.safetensors"),
        )
        upright, lying = json.loads(text)
        assert upright["classes"] == [
            {**one, "probability": pytest.approx(one["probability"])} for one in lying["classes"]
        ]

    def test_images_that_cannot_be_read_do_not_take_the_others_along(
        self, images: Path, folder: Path, mobile: CellNetwork
    ) -> None:
        names = ("cut.png", "colors.png", "text.png", "missing.png", "grey.jpg", ".")
        paths = [images / name for name in names]
        result = run("classify", "pnasnet5_mobile", *paths, "--weights", folder / "mobile.safetensors", "--json")
        assert result.exit_code == 2
        assert [Path(one["image"]).name for one in json.loads(result.stdout)] == ["colors.png", "grey.jpg"]
        assert "4 of 6 images could not be read: " in result.stderr
        assert f"{images}/cut.png (image file is truncated)" in result.stderr
        assert f"{images}/text.png (no image of a known format)" in result.stderr
        assert f"{images}/missing.png (No such file or directory)" in result.stderr

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["pnasnet5", "colors.png"], "there is no model 'pnasnet5'"),
            (["pnasnet5_cifar", "colors.png"], "nobody has published weights for pnasnet5_cifar"),
            (["pnasnet5_mobile"], "Missing argument 'IMAGE…'"),
            (["pnasnet5_mobile", "colors.png", "--weights", "TIMM"], "there are no weights 'TIMM' for pnasnet5_mobile"),
            (["pnasnet5_mobile", "colors.png", "--from", "timm"], "--from is of a file"),
            (
                ["pnasnet5_mobile", "colors.png", "--weights", "text.png"],
                "text.png is no PyTorch file of tensors alone",
            ),
        ],
    )
    def test_bad_input_is_one_sentence(
        self, arguments: list[str], message: str, images: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(images)
        assert message in refused("classify", *arguments)

    def test_offline_it_says_where_to_put_the_file(
        self, images: Path, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        serve_from(monkeypatch, "http://127.0.0.1:9/mobile.tar.gz")
        message = refused("classify", "pnasnet5_mobile", images / "colors.png", exit_code=1)
        assert "could not be downloaded (http://127.0.0.1:9/mobile.tar.gz: " in message
        assert f"and put it at {home}/checkpoints/" in message
        # Without an image there is nothing to download for.
        assert "1 of 1 images" in refused("classify", "pnasnet5_mobile", images / "text.png")

    def test_a_download_that_is_interrupted_goes_on(
        self, images: Path, folder: Path, mobile: CellNetwork, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Interrupting((folder / "mobile.safetensors").read_bytes()) as server:
            serve_from(monkeypatch, server.url, source="pnas", file_name="mobile.safetensors")
            arguments = ("classify", "pnasnet5_mobile", images / "colors.png", "--json")
            message = refused(*arguments, exit_code=130)
            assert message == "Error: interrupted; the same command goes on where the download stopped"
            result = run(*arguments)
        assert result.exit_code == 0, result.output
        assert server.starts[0] == 0 < server.starts[1]
        assert result.stdout == done(*arguments[:3], "--json", "--weights", folder / "mobile.safetensors")
        assert result.stdout == done(*arguments)  # from what is here: nothing is served any more


def serve_from(monkeypatch: pytest.MonkeyPatch, url: str, **changes: Any) -> None:
    """Have Mobile's weights lie at a URL of this machine."""
    weights = dataclasses.replace(PNASNet5MobileWeights.DEFAULT.value, urls=(url,), **changes)
    monkeypatch.setattr(_classification, "weights_by_name", lambda _: {"DEFAULT": weights})


class Interrupting:
    """A server of one file, in the middle of which somebody presses Ctrl-C for once."""

    def __init__(self, content: bytes) -> None:
        self.starts: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                start = int(self.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
                outer.starts.append(start)
                self.send_response(206 if start else 200)
                self.send_header("ETag", '"one"')
                self.send_header("Content-Length", str(len(content) - start))
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                self.end_headers()
                if start:
                    self.wfile.write(content[start:])
                else:
                    self.wfile.write(content[: len(content) // 2])
                    os.kill(os.getpid(), signal.SIGINT)
                    outer.released.wait(60)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}/mobile.safetensors"

    def __enter__(self) -> "Interrupting":
        # Processes that a shell starts in the background ignore Ctrl-C.
        self._handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGINT, self._handler)
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
