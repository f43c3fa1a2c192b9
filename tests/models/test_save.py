from pathlib import Path

import pytest
import timm
import torch
from safetensors import safe_open

from pnas_models import (
    PNASNET_5,
    ModelError,
    cifar_network,
    create_model,
    fuse,
    imagenet_network,
    load_network,
    load_weights,
    save_weights,
    timm_state_dict,
)


def test_pnasnet5_large_is_timms_and_its_weights_go_there_and_back(tmp_path: Path) -> None:
    """With random weights and moving averages, at 331x331 and at an even and oblong size.

    timm pads as TensorFlow does when it is built by its name, and so has the same logits; its class built directly pads
    evenly, and has not.
    """
    network = create_model("pnasnet5_large").eval()
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            tensor.normal_(0.0, 0.1)
        elif name.endswith("running_var") or (name.endswith("weight") and tensor.ndim == 1):
            tensor.uniform_(0.8, 1.2)
    save_weights(network, tmp_path / "timm.safetensors", target="timm")
    theirs = timm.create_model("pnasnet5large", checkpoint_path=tmp_path / "timm.safetensors").eval()
    even_padding = timm.models.pnasnet.PNASNet5Large().eval()
    even_padding.load_state_dict(timm_state_dict(network))
    with torch.inference_mode():
        for size in ((331, 331), (96, 161)):
            images = torch.rand(1, 3, *size) * 2 - 1
            ours, expected = network(images), theirs(images)
            assert (ours - expected).abs().max() <= 1e-4 * expected.abs().max()
        assert (network(images) - even_padding(images)).abs().max() > 1e-3 * expected.abs().max()
    back = create_model("pnasnet5_large")
    torch.save(theirs.state_dict(), tmp_path / "timm.pth")
    load_weights(back, tmp_path / "timm.pth", source="timm")
    torch.testing.assert_close(back.state_dict(), network.state_dict(), rtol=0.0, atol=0.0)


def test_timm_has_no_other_network(tmp_path: Path) -> None:
    for network, what in (
        (cifar_network(PNASNET_5, 4, 1), "differs in network, n_filters, n_repeats"),
        (imagenet_network([(-2, "dil_conv_3x3", -1, "identity")], 4, 1), "differs in cell, n_filters, n_repeats"),
        (create_model("pnasnet5_mobile"), "differs in n_filters, n_repeats, stem_filters"),
    ):
        with pytest.raises(ModelError, match=f"timm's own network is PNASNet-5 Large, and this one {what}"):
            timm_state_dict(network)
    with pytest.raises(ModelError, match="target must be pnas or timm, not 'keras'"):
        save_weights(cifar_network(PNASNET_5, 4, 1), tmp_path / "w", target="keras")  # type: ignore[arg-type]


def test_a_file_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(cifar_network(PNASNET_5, 4, 1), path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("pnas_models._checkpoints._save.save", fail)
    with pytest.raises(OSError, match="No space left"):
        save_weights(cifar_network(PNASNET_5, 4, 1), path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_a_fused_or_pruned_network_is_not_saved_as_what_it_was(tmp_path: Path) -> None:
    network = cifar_network(PNASNET_5, 4, 1)
    fused = fuse(network)
    network.prune_intermediate_layers((1,))
    for altered in (fused, network):
        with pytest.raises(ModelError, match="a fused or pruned network is not what its config builds again"):
            save_weights(altered, tmp_path / "weights.safetensors")


def test_channels_last_weights_are_saved(tmp_path: Path) -> None:
    network = cifar_network(PNASNET_5, 4, 1).to(memory_format=torch.channels_last)
    save_weights(network, tmp_path / "weights.safetensors")
    torch.testing.assert_close(load_network(tmp_path / "weights.safetensors").state_dict(), network.state_dict())


def test_others_may_read_the_file_as_any_other(tmp_path: Path) -> None:
    save_weights(cifar_network(PNASNET_5, 4, 1), tmp_path / "weights.safetensors")
    (tmp_path / "other").write_bytes(b"")
    assert (tmp_path / "weights.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_file_says_what_else_it_was_told_and_is_read_all_the_same(tmp_path: Path) -> None:
    network = cifar_network(PNASNET_5, 4, 1)
    save_weights(network, tmp_path / "noted.safetensors", notes={"images": "grey"})
    with safe_open(tmp_path / "noted.safetensors", framework="pt") as file:
        assert file.metadata()["images"] == "grey"
    assert load_network(tmp_path / "noted.safetensors").config == network.config


def test_a_note_does_not_take_the_place_of_the_config(tmp_path: Path) -> None:
    network = cifar_network(PNASNET_5, 4, 1)
    with pytest.raises(ModelError, match="cannot be named 'config'"):
        save_weights(network, tmp_path / "noted.safetensors", notes={"config": "{}"})
    assert not list(tmp_path.iterdir())
