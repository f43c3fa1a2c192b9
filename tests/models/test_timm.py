import re
from pathlib import Path

import pytest
import timm
import torch

import pnas_models.timm
from pnas_models import CellNetwork, ModelError, create_model, save_weights


def test_the_zoo_is_among_timms_models_and_its_own_network_stays() -> None:
    assert {"pnasnet5_cifar", "pnasnet5_large", "pnasnet5_mobile", "pnasnet5large"} <= set(
        timm.list_models("pnasnet5*")
    )
    assert sorted(pnas_models.timm.__all__) == ["pnasnet5_cifar", "pnasnet5_large", "pnasnet5_mobile"]
    assert timm.is_model_pretrained("pnasnet5_mobile")
    assert not timm.is_model_pretrained("pnasnet5_cifar")


def test_timm_builds_our_network() -> None:
    network = timm.create_model("pnasnet5_mobile", num_classes=7, in_chans=1, drop_rate=0.1, drop_path_rate=0.2)
    expected = create_model("pnasnet5_mobile", num_classes=7, in_channels=1, drop_rate=0.1, drop_path_rate=0.2)
    assert isinstance(network, CellNetwork)
    assert network.config == expected.config
    assert timm.create_model("pnasnet5_cifar").num_classes == 10
    assert timm.create_model("pnasnet5_mobile").num_classes == 1000
    for pool in ("max", ""):
        with pytest.raises(ModelError, match=f"global_pool must be avg, not '{pool}'"):
            timm.create_model("pnasnet5_cifar", global_pool=pool)


def test_timm_knows_what_the_weights_expect() -> None:
    network = timm.create_model("pnasnet5_mobile")
    config = timm.data.resolve_data_config({}, model=network)
    assert config["input_size"] == (3, 224, 224)
    assert config["mean"] == config["std"] == (0.5, 0.5, 0.5)
    assert (config["crop_pct"], config["interpolation"]) == (0.875, "bilinear")


@pytest.mark.parametrize("out_indices", [None, (1, 3)])
def test_timm_makes_a_backbone_of_it(out_indices: tuple[int, ...] | None) -> None:
    backbone = timm.create_model("pnasnet5_mobile", features_only=True, out_indices=out_indices)
    maps = backbone(torch.zeros(1, 3, 65, 97))
    strides = [2, 4, 8, 16, 32] if out_indices is None else [4, 16]
    assert backbone.feature_info.reduction() == strides
    assert [feature_map.shape[1] for feature_map in maps] == backbone.feature_info.channels()
    assert all(abs(97 / stride - m.shape[3]) <= 1 for m, stride in zip(maps, strides, strict=True))


def test_a_backbone_may_be_the_stem_alone_and_have_fewer_maps() -> None:
    stem = timm.create_model("pnasnet5_mobile", features_only=True, out_indices=(0,))
    assert [tuple(feature_map.shape) for feature_map in stem(torch.zeros(1, 3, 33, 33))] == [(1, 32, 16, 16)]
    small = timm.create_model("pnasnet5_cifar", features_only=True)
    assert small.feature_info.reduction() == [1, 2, 4]
    assert len(small(torch.zeros(1, 3, 16, 16))) == 3


def test_weights_of_ones_own_are_loaded_by_timm(tmp_path: Path) -> None:
    network = create_model("pnasnet5_cifar", num_classes=5)
    save_weights(network, tmp_path / "cifar.safetensors")
    path = str(tmp_path / "cifar.safetensors")
    by_checkpoint = timm.create_model("pnasnet5_cifar", num_classes=5, checkpoint_path=path)
    overlay = {"file": path, "num_classes": 5}
    by_overlay = timm.create_model("pnasnet5_cifar", num_classes=5, pretrained=True, pretrained_cfg_overlay=overlay)
    with pytest.raises(ModelError, match="nobody has published any"):  # ours, as the overlay names no file
        timm.create_model("pnasnet5_cifar", pretrained=True, pretrained_cfg_overlay={"crop_pct": 0.9})
    for loaded in (by_checkpoint, by_overlay):
        assert torch.equal(loaded.classifier.weight, network.classifier.weight)
        assert torch.equal(loaded.stem[0].weight, network.stem[0].weight)


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("pnasnet5_mobile", "pnasnet-5_mobile_2017_12_13.tar.gz"),
        ("pnasnet5_large", "pnasnet-5_large_2017_12_13.tar.gz"),
        ("pnasnet5_large.cadene_in1k", "pnasnet5large-bf079911.pth"),
        ("pnasnet5_large.timm_in1k", "pnasnet5large.tf_in1k.safetensors"),
    ],
)
def test_pretrained_weights_are_ours(name: str, weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise ModelError(f"no connection for {_[1]}")

    monkeypatch.setattr("pnas_models._zoo.download", offline)
    with torch.device("meta"), pytest.raises(ModelError, match=re.escape(weights)):
        timm.create_model(name, pretrained=True)
