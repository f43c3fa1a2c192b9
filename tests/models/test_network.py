from typing import Any

import pytest
import torch
from torch import nn
from torchvision.models.feature_extraction import create_feature_extractor

from pnas_models import PNASNET_5, CellNetwork, ModelError, cifar_network, imagenet_network
from pnas_models._drop_path import DropPath

OTHER = [(-2, "conv_1x7_7x1", -1, "avg_pool_3x3"), (0, "dil_conv_3x3", -2, "identity")]
NETWORKS: list[Any] = [
    pytest.param(lambda cell=PNASNET_5, **options: cifar_network(cell, 4, 1, 5, **options), 12, id="cifar"),
    pytest.param(lambda cell=PNASNET_5, **options: imagenet_network(cell, 4, 1, 5, 6, **options), 48, id="imagenet"),
]
each_network = pytest.mark.parametrize(("build", "size"), NETWORKS)


def _images(size: int, n: int = 2) -> torch.Tensor:
    return torch.randn(n, 3, size, size)


@each_network
def test_logits_are_the_head_of_the_features(build: Any, size: int) -> None:
    network = build().eval()
    features = network.forward_features(_images(size))
    assert features.shape[1] == network.num_features
    assert features.min() == 0
    torch.manual_seed(1)
    images = _images(size)
    torch.testing.assert_close(network.forward_head(network.forward_features(images)), network(images))
    pooled = network.forward_head(features, pre_logits=True)
    torch.testing.assert_close(pooled, features.mean((2, 3)))


@each_network
def test_intermediate_maps_are_what_feature_info_says(build: Any, size: int) -> None:
    network = build().eval()
    images = _images(size)
    last, maps = network.forward_intermediates(images)
    assert len(maps) == len(network.feature_info)
    assert torch.equal(last, network.forward_features(images))
    assert torch.equal(maps[-1], last)
    hooked: dict[str, torch.Tensor] = {}
    for info in network.feature_info:
        network.get_submodule(info["module"]).register_forward_hook(
            lambda _module, _inputs, output, name=info["module"]: hooked.__setitem__(name, output)
        )
    network(images)
    for info, feature_map in zip(network.feature_info, maps, strict=True):
        assert feature_map.shape[1] == info["num_chs"]
        assert abs(size / info["reduction"] - feature_map.shape[2]) <= 1
        expected = hooked[info["module"]]
        assert torch.equal(feature_map, expected if info["module"] == "stem" else expected.relu())


def test_reductions_are_those_of_the_two_families() -> None:
    assert [info["reduction"] for info in cifar_network(PNASNET_5, 4, 2).feature_info] == [1, 2, 4]
    network = imagenet_network(PNASNET_5, 4, 2)
    assert [info["reduction"] for info in network.feature_info] == [2, 4, 8, 16, 32]
    assert [info["module"] for info in network.feature_info] == ["stem", "cells.0", "cells.3", "cells.5", "cells.7"]


def test_some_maps_may_be_asked_for_and_the_rest_left_out() -> None:
    network = imagenet_network(PNASNET_5, 4, 1).eval()
    images = _images(48)
    maps = network.forward_intermediates(images, intermediates_only=True)
    for indices, expected in ((2, [3, 4]), ((0,), [0]), ([-1, 1], [4, 1])):
        chosen = network.forward_intermediates(images, indices, intermediates_only=True)
        assert [chosen_map.shape for chosen_map in chosen] == [maps[index].shape for index in expected]
        assert all(torch.equal(chosen_map, maps[index]) for chosen_map, index in zip(chosen, expected, strict=True))
    ran: list[int] = []
    network.cells[-1].register_forward_hook(lambda *_: ran.append(1))
    last, (only,) = network.forward_intermediates(images, (1,), stop_early=True)
    assert torch.equal(last, maps[1])
    assert torch.equal(only, maps[1])
    assert not ran
    for indices in ((5,), (-6,), 0, ()):
        with pytest.raises(ModelError, match="indices must be among the 5 maps of feature_info"):
            network.forward_intermediates(images, indices)
    with pytest.raises(ModelError, match='maps come as output_fmt="NCHW" only'):
        network.forward_intermediates(images, output_fmt="NHWC")


def test_layers_behind_the_last_wanted_map_can_be_removed() -> None:
    network = imagenet_network(PNASNET_5, 4, 1, auxiliary=True, image_size=64).eval()
    images = _images(64)
    maps = network.forward_intermediates(images, intermediates_only=True)
    assert network.prune_intermediate_layers((1, 2)) == [1, 2]
    assert len(network.cells) == 3
    assert network.aux is None
    pruned = network.forward_intermediates(images, (1, 2), intermediates_only=True)
    assert all(torch.equal(*pair) for pair in zip(pruned, maps[1:3], strict=True))
    assert torch.equal(network(images), maps[2].mean((2, 3)))
    network.prune_intermediate_layers((0,))
    assert len(network.cells) == 1
    assert network(images).shape == (2, network.num_features)
    assert [info["module"] for info in network.feature_info] == ["stem"]


def test_torchvision_makes_a_backbone_of_it() -> None:
    network = imagenet_network(PNASNET_5, 4, 1).eval()
    images = _images(61)
    extractor = create_feature_extractor(network, {"cells.0": "low", "cells.4": "high"})
    maps = extractor(images)
    expected = network.forward_intermediates(images, (1, 4), intermediates_only=True)
    torch.testing.assert_close([maps["low"].relu(), maps["high"].relu()], expected)


@each_network
def test_a_fresh_classifier_leaves_the_rest_as_it_was(build: Any, size: int) -> None:
    network = build(auxiliary=True, image_size=size)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.reset_classifier(7)
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"classifier.weight", "classifier.bias", "aux.classifier.weight", "aux.classifier.bias"}
    logits, auxiliary_logits = network(_images(size))
    assert logits.shape == auxiliary_logits.shape == (2, 7)
    assert network.get_classifier() is network.classifier
    assert (network.num_classes, network.config["num_classes"]) == (7, 7)
    with pytest.raises(ModelError, match="global_pool must be avg, not 'max'"):
        network.reset_classifier(3, "max")
    network.reset_classifier(0)
    assert network.aux is None
    assert network.config["auxiliary"] is False
    assert network.eval()(_images(size)).shape == (2, network.num_features)


def test_a_fresh_classifier_has_the_type_and_place_of_the_network() -> None:
    network = cifar_network(PNASNET_5, 4, 1).to(torch.bfloat16)
    network.reset_classifier(3)
    assert network.classifier.weight.dtype == torch.bfloat16


def test_no_classes_give_features() -> None:
    network = cifar_network(PNASNET_5, 4, 1, num_classes=0)
    assert isinstance(network.classifier, nn.Identity)
    assert network(_images(8)).shape == (2, network.num_features)


@each_network
def test_dropout_stands_before_the_classifier(build: Any, size: int) -> None:
    network = build(drop_rate=0.5)
    pooled = network.forward_head(torch.ones(4, network.num_features, 2, 2), pre_logits=True)
    assert set(pooled.unique().tolist()) == {0.0, 2.0}
    pooled = network.eval().forward_head(torch.ones(4, network.num_features, 2, 2), pre_logits=True)
    assert set(pooled.unique().tolist()) == {1.0}


@each_network
def test_the_auxiliary_head_speaks_in_training_alone(build: Any, size: int) -> None:
    network = build(auxiliary=True, image_size=size)
    assert {name.partition(".")[0] for name in network.state_dict()} == {"stem", "cells", "classifier", "aux"}
    assert {name for name in network.state_dict() if not name.startswith("aux.")} == set(build().state_dict())
    _, auxiliary_logits = network(_images(size))
    auxiliary_logits.sum().backward()
    assert network.classifier.weight.grad is None
    assert network.stem[0].weight.grad.abs().max() > 0
    assert isinstance(network.eval()(_images(size)), torch.Tensor)


@pytest.mark.parametrize(("n_repeats", "aux_cell"), [(1, 1), (2, 3), (3, 5)])
def test_the_auxiliary_head_stands_at_two_thirds_of_the_depth(n_repeats: int, aux_cell: int) -> None:
    assert cifar_network(PNASNET_5, 4, n_repeats).aux_cell == aux_cell
    assert imagenet_network(PNASNET_5, 4, n_repeats).aux_cell == 2 + aux_cell
    # With reduction cells besides, it is still the last cell of the second stage.
    assert cifar_network(PNASNET_5, 4, n_repeats, reduction_cell=PNASNET_5).aux_cell == aux_cell + 1


@pytest.mark.parametrize(("build", "n_cells"), [(cifar_network, 6), (imagenet_network, 8)])
def test_drop_path_grows_from_cell_to_cell_and_with_training(build: Any, n_cells: int) -> None:
    network: CellNetwork = build(OTHER, 4, 2, drop_path_rate=0.4)
    paths = [module for module in network.modules() if isinstance(module, DropPath)]
    assert [path.rate for path in paths] == pytest.approx([0.4 * (index + 1) / n_cells for index in range(n_cells)])
    assert [path.progress.item() for path in paths] == [1.0] * n_cells
    network.set_training_progress(0.25)
    assert [path.progress.item() for path in paths] == [0.25] * n_cells
    assert not any("progress" in name for name in network.state_dict())
    assert not any(isinstance(module, DropPath) for module in build(OTHER, 4, 2).modules())
    for fraction in (-0.1, 1.1, float("nan"), "0.5"):
        with pytest.raises(ModelError, match="fraction must be a number from 0 to 1, not "):
            network.set_training_progress(fraction)


@each_network
def test_at_the_beginning_of_training_drop_path_does_nothing(build: Any, size: int) -> None:
    torch.manual_seed(0)
    network = build(drop_path_rate=0.6, drop_rate=0.0)
    torch.manual_seed(0)
    plain = build(drop_rate=0.0)
    images = _images(size)
    network.set_training_progress(0.0)
    assert torch.equal(network(images), plain(images))
    network.set_training_progress(1.0)
    assert not torch.equal(network(images), network(images))


@pytest.mark.parametrize("cell", [PNASNET_5, OTHER])
@each_network
def test_channels_last_and_bfloat16_give_nearly_the_same(build: Any, size: int, cell: Any) -> None:
    network = build(cell)
    images = _images(size)
    network(images)
    network.eval()
    with torch.no_grad():
        expected = network(images)
        channels_last = network.to(memory_format=torch.channels_last)
        torch.testing.assert_close(
            channels_last(images.contiguous(memory_format=torch.channels_last)), expected, rtol=1e-4, atol=1e-5
        )
        low = network.to(torch.bfloat16)(images.bfloat16())
    assert low.dtype == torch.bfloat16
    assert (low.float() - expected).abs().max() < 0.05 * expected.abs().max()


@pytest.mark.parametrize("cell", [PNASNET_5, OTHER])
@each_network
def test_checkpoints_change_neither_gradients_nor_statistics(build: Any, size: int, cell: Any) -> None:
    torch.manual_seed(0)
    network = build(cell, drop_path_rate=0.3, auxiliary=True, image_size=size)
    torch.manual_seed(0)
    plain = build(cell, drop_path_rate=0.3, auxiliary=True, image_size=size)
    network.set_grad_checkpointing()
    images = _images(size)
    for model in (network, plain):
        torch.manual_seed(1)
        logits, auxiliary_logits = model(images)
        (logits.square().sum() + auxiliary_logits.square().sum()).backward()
    pairs = zip(network.parameters(), plain.parameters(), strict=True)
    assert all(torch.equal(ours.grad, theirs.grad) for ours, theirs in pairs if theirs.grad is not None)
    torch.testing.assert_close(network.state_dict(), plain.state_dict(), rtol=0.0, atol=0.0)


@each_network
def test_it_compiles_without_a_break_in_the_graph(build: Any, size: int) -> None:
    network = build(OTHER[:1], drop_path_rate=0.3, auxiliary=True, image_size=size)
    torch.compiler.reset()
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    torch.manual_seed(0)
    expected = network(_images(size))
    torch.manual_seed(0)
    torch.testing.assert_close(compiled(_images(size)), expected)
    network.eval()
    images = _images(size + 1)
    torch.testing.assert_close(compiled(images), network(images))


def test_checkpoints_count_a_batch_once_in_batch_normalizations_of_all_kinds() -> None:
    class Synchronized(nn.modules.batchnorm._BatchNorm):
        def _check_input_dim(self, input: torch.Tensor) -> None:
            """Takes all."""

    def mine(in_channels: int, out_channels: int, stride: int, batch_norm: Any) -> nn.Module:
        return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride), Synchronized(out_channels))

    network = cifar_network([(-1, "mine", -2, "mine")], 4, 1, operations={"mine": mine})
    network.set_grad_checkpointing()
    network(_images(8)).sum().backward()
    counts = {int(count) for name, count in network.state_dict().items() if name.endswith("num_batches_tracked")}
    assert counts == {1}


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@each_network
def test_a_gpu_computes_what_the_cpu_computes(build: Any, size: int, layout: torch.memory_format) -> None:
    network = build().eval()
    images = _images(size)
    with torch.no_grad():
        expected = network(images)
        logits = network.to("cuda", memory_format=layout)(images.to("cuda", memory_format=layout))
    torch.testing.assert_close(logits.cpu(), expected, rtol=1e-3, atol=1e-4)
