import tarfile
from pathlib import Path
from typing import Any

import pytest
import torch

from pnas_models import (
    CellNetwork,
    ModelError,
    PNASNet5LargeWeights,
    PNASNet5MobileWeights,
    Weights,
    create_model,
    fetch_weights,
    imagenet_network,
    list_models,
    load_weights,
    pnasnet5_cifar,
    pnasnet5_large,
    pnasnet5_mobile,
    published_weights,
)
from pnas_models._zoo import PNASNET_5

DATA = Path(__file__).parent / "data"
SMALL: dict[str, Any] = {"n_filters": 5, "n_repeats": 1, "stem_filters": 4}


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """Published weights of a small network: an archive as TensorFlow's are, on a server that is a folder."""
    monkeypatch.setenv("PNAS_HOME", str(tmp_path / "home"))
    with tarfile.open(tmp_path / "pnasnet-5_small.tar.gz", "w:gz") as archive:
        for file in DATA.glob("slim_imagenet.ckpt.*"):
            archive.add(file, f"./{file.name.replace('slim_imagenet', 'model')}")
    return Weights(
        model="pnasnet5_mobile",
        source="tensorflow",
        urls=("file:///nowhere/pnasnet-5_small.tar.gz", (tmp_path / "pnasnet-5_small.tar.gz").as_uri()),
        file_name="pnasnet-5_small.tar.gz",
        sha256=None,
        num_classes=7,
        image_size=64,
        crop=0.875,
        squash=True,
        interpolation="bilinear",
        top_1=10.0,
        top_5=20.0,
        n_parameters=15_066,
        n_multiply_adds=1,
        url="",
    )


@pytest.fixture
def expected() -> CellNetwork:
    network = imagenet_network(PNASNET_5, 5, 1, 7, 4).eval()
    load_weights(network, DATA / "slim_imagenet.ckpt", source="tensorflow")
    return network


def test_the_zoo_has_three_networks() -> None:
    assert list_models() == ["pnasnet5_cifar", "pnasnet5_large", "pnasnet5_mobile"]
    with torch.device("meta"):
        for build, name, num_classes in (
            (pnasnet5_cifar, "pnasnet5_cifar", 10),
            (pnasnet5_large, "pnasnet5_large", 1000),
            (pnasnet5_mobile, "pnasnet5_mobile", 1000),
        ):
            assert build().config == create_model(name).config
            assert build().num_classes == num_classes
    assert [weights.name for weights in published_weights("pnasnet5_mobile")] == ["TENSORFLOW"]
    assert published_weights("pnasnet5_cifar") == []


def test_options_go_to_the_network() -> None:
    network = create_model(
        "pnasnet5_cifar", num_classes=5, in_channels=1, n_filters=4, n_repeats=1, auxiliary=True, image_size=8
    )
    logits, auxiliary_logits = network(torch.zeros(2, 1, 8, 8))
    assert logits.shape == auxiliary_logits.shape == (2, 5)


def test_published_weights_are_fetched_once_unpacked_and_loaded(weights: Weights, expected: CellNetwork) -> None:
    images = torch.randn(2, 3, 64, 64)
    network = create_model("pnasnet5_mobile", weights, num_classes=7, progress=False, **SMALL).eval()
    assert torch.equal(network(images), expected(images))
    Path(weights.urls[1].removeprefix("file://")).unlink()
    again = create_model("pnasnet5_mobile", weights, num_classes=7, progress=False, **SMALL).eval()
    assert torch.equal(again(images), expected(images))


@pytest.mark.parametrize("num_classes", [3, 0, 6, 1000])
def test_any_other_number_of_classes_gets_a_fresh_classifier(
    num_classes: int, weights: Weights, expected: CellNetwork
) -> None:
    network = create_model("pnasnet5_mobile", weights, num_classes=num_classes, progress=False, **SMALL).eval()
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(network.forward_features(images), expected.forward_features(images))
    assert network(images).shape == (2, num_classes or network.num_features)


def test_grey_images_are_seen_as_if_they_had_three_channels(weights: Weights, expected: CellNetwork) -> None:
    network = create_model("pnasnet5_mobile", weights, 7, in_channels=1, progress=False, **SMALL).eval()
    images = torch.randn(2, 1, 64, 64)
    torch.testing.assert_close(network(images), expected(images.expand(2, 3, 64, 64)))
    assert network.config["in_channels"] == 1


@pytest.mark.parametrize("in_channels", [2, 4, 7])
def test_other_channels_repeat_the_three_at_the_same_scale(
    in_channels: int, weights: Weights, expected: CellNetwork
) -> None:
    network = create_model("pnasnet5_mobile", weights, 7, in_channels=in_channels, progress=False, **SMALL)
    kernel, original = network.stem[0].weight, expected.stem[0].weight
    for channel in range(in_channels):
        torch.testing.assert_close(kernel[:, channel], original[:, channel % 3] * 3 / in_channels)
    assert network(torch.randn(2, in_channels, 64, 64)).shape == (2, 7)


@pytest.mark.parametrize(("name", "value"), [("in_channels", 0), ("in_channels", -2), ("num_classes", -1)])
def test_numbers_are_checked_before_anything_is_fetched(
    name: str, value: int, weights: Weights, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=f"{name} must be a whole number of 1 or more, not {value}"):
        create_model("pnasnet5_mobile", weights, **{name: value}, **SMALL)
    assert not (tmp_path / "home").exists()


def test_what_cannot_be_had_is_one_sentence(weights: Weights, tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match="there is no model 'resnet'; there are pnasnet5_cifar, pnasnet5_large, pnasnet5"
    ):
        create_model("resnet")
    with pytest.raises(
        ModelError, match="there are no weights 'TIMM' for pnasnet5_mobile: there are TENSORFLOW, DEFAULT"
    ):
        create_model("pnasnet5_mobile", "TIMM")
    with pytest.raises(ModelError, match="there are no weights 'DEFAULT' for pnasnet5_cifar: nobody has published any"):
        create_model("pnasnet5_cifar", "DEFAULT")
    with pytest.raises(ModelError, match="there is no model 'resnet'"):
        published_weights("resnet")
    with pytest.raises(ModelError, match="are no weights of pnasnet5_large"):
        create_model("pnasnet5_large", PNASNet5MobileWeights.DEFAULT)
    Path(weights.urls[1].removeprefix("file://")).unlink()
    with pytest.raises(ModelError) as caught:
        fetch_weights(weights, progress=False)
    sentence = str(caught.value)
    assert weights.urls[0] in sentence
    assert str(tmp_path / "home" / "checkpoints" / weights.file_name) in sentence


def test_weights_may_be_named_in_several_ways(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Weights] = []

    def fetch(chosen: Weights, *, progress: bool) -> Path:
        fetched.append(chosen)
        raise ModelError("offline")

    monkeypatch.setattr("pnas_models._zoo.fetch_weights", fetch)
    with torch.device("meta"):
        for named in (
            "CADENE",
            "PNASNet5LargeWeights.CADENE",
            PNASNet5LargeWeights.CADENE,
            PNASNet5LargeWeights.CADENE.value,
        ):
            with pytest.raises(ModelError, match="offline"):
                create_model("pnasnet5_large", named)
    assert fetched == [PNASNet5LargeWeights.CADENE.value] * 4
