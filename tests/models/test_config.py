import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pnas_models import (
    PNAS_OPERATIONS,
    PNASNET_5,
    BatchNorm,
    ModelError,
    cifar_network,
    imagenet_network,
    load_network,
    save_weights,
)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"auxiliary": True, "image_size": (64, 48), "drop_path_rate": 0.2, "drop_rate": 0.1},
        {"reduction_cell": [(-1, "identity", -2, "identity")], "concat": (-1, 0), "in_channels": 1},
        {"batch_norm": BatchNorm(eps=0.1, decay=0.5)},
    ],
)
@pytest.mark.parametrize("build", [cifar_network, imagenet_network])
def test_a_file_is_enough_to_build_the_network_again(build: Any, options: dict[str, Any], tmp_path: Path) -> None:
    network = build(PNASNET_5, 4, 1, 3, **options)
    save_weights(network, tmp_path / "network.safetensors")
    again = load_network(tmp_path / "network.safetensors")
    images = torch.randn(2, options.get("in_channels", 3), 64, 48)
    assert torch.equal(again.eval()(images), network.eval()(images))
    assert len(again.state_dict()) == len(network.state_dict())
    torch.manual_seed(0)
    expected = network.train()(images)
    torch.manual_seed(0)
    torch.testing.assert_close(again.train()(images), expected)


def test_a_network_with_a_new_classifier_is_written_as_it_is(tmp_path: Path) -> None:
    network = cifar_network(PNASNET_5, 4, 1)
    network.reset_classifier(3)
    save_weights(network, tmp_path / "network.safetensors")
    assert load_network(tmp_path / "network.safetensors").num_classes == 3


def test_operations_of_ones_own_are_given_again(tmp_path: Path) -> None:
    def mine(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
        return PNAS_OPERATIONS["identity"](in_channels, out_channels, stride, batch_norm)

    network = cifar_network([(-1, "mine", -2, "identity")], 4, 1, operations={"mine": mine})
    save_weights(network, tmp_path / "network.safetensors")
    with pytest.raises(ModelError, match="block 0 applies the operation 'mine'; known are"):
        load_network(tmp_path / "network.safetensors")
    again = load_network(tmp_path / "network.safetensors", operations={"mine": mine})
    assert torch.equal(again.stem[0].weight, network.stem[0].weight)


def test_a_file_that_does_not_say_what_it_is_of_is_refused(tmp_path: Path) -> None:
    save_file(cifar_network(PNASNET_5, 4, 1).state_dict(), tmp_path / "state.safetensors")
    with pytest.raises(ModelError, match="does not say which network it is of: build the network and use load_weights"):
        load_network(tmp_path / "state.safetensors")


@pytest.mark.parametrize(
    "config",
    ['{"network": "mnist"}', '{"network": "cifar"}', '{"network": "cifar", "size": 3}', "[1", "[1, 2]", "3", '"cifar"'],
)
def test_a_config_of_something_else_is_refused(config: str, tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors", {"config": config})
    with pytest.raises(ModelError, match=r"the config is that of no network here|is no object of JSON|is damaged"):
        load_network(tmp_path / "other.safetensors")


@pytest.mark.parametrize("n_filters", [10**6, 10**12])
def test_a_config_too_large_to_be_true_costs_nothing(n_filters: int, tmp_path: Path) -> None:
    config = {**cifar_network(PNASNET_5, 4, 1).config, "n_filters": n_filters}
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors", {"config": json.dumps(config)})
    with pytest.raises(ModelError, match=r"are not those of this network|the config is that of no network here"):
        load_network(tmp_path / "other.safetensors")


@pytest.mark.parametrize("build", [cifar_network, imagenet_network])
def test_the_same_network_has_the_same_config_that_json_can_hold(build: Any) -> None:
    plain = build(PNASNET_5, 4, 1, 3, auxiliary=True, image_size=64)
    other = build(
        [list(block) for block in PNASNET_5],
        np.int64(4),
        np.int32(1),
        np.int64(3),
        auxiliary=np.True_,
        image_size=(64, np.int64(64)),
        concat=(0, 1, 2, 3, 4),
        drop_path_rate=np.float32(0.0),
    )
    assert json.loads(json.dumps(other.config)) == other.config == plain.config
