from typing import Any

import pytest
import torch
from torch import nn

from pnas_models import cifar_network, count_multiply_adds, count_parameters, create_model, imagenet_network


@pytest.mark.parametrize(
    ("name", "num_classes", "image_size", "n_parameters", "n_multiply_adds"),
    [
        ("pnasnet5_cifar", 10, 32, 3_189_082, 574_891_392),
        ("pnasnet5_mobile", 1001, 224, 5_065_568, 587_294_280),
        ("pnasnet5_mobile", 1000, 224, 5_064_487, 587_293_200),
        ("pnasnet5_large", 1001, 331, 86_061_989, 24_937_400_112),
        ("pnasnet5_large", 1000, 331, 86_057_668, 24_937_395_792),
    ],
)
def test_the_counts_of_the_zoo(
    name: str, num_classes: int, image_size: int, n_parameters: int, n_multiply_adds: int
) -> None:
    with torch.device("meta"):
        network = create_model(name, num_classes=num_classes)
    assert count_parameters(network) == n_parameters
    assert count_multiply_adds(network, image_size) == n_multiply_adds


@pytest.mark.parametrize(
    ("build", "options", "image_size", "published_parameters", "published_multiply_adds"),
    [
        # The NASNet paper: 4 @ 1056 has 5.3 M parameters and 564 M multiply-adds, 6 @ 768 has 3.3 M parameters.
        (imagenet_network, {"n_filters": 44, "n_repeats": 4, "stem_filters": 32}, 224, 5.3, 564),
        (cifar_network, {"n_filters": 32, "n_repeats": 6}, 32, 3.3, None),
    ],
)
def test_nasnet_a_has_the_published_counts(
    build: Any,
    options: dict[str, int],
    image_size: int,
    published_parameters: float,
    published_multiply_adds: Any,
    nasnet_a: dict[str, Any],
) -> None:
    with torch.device("meta"):
        network = build(**options, **nasnet_a)
    assert round(count_parameters(network) / 1e6, 1) == published_parameters
    if published_multiply_adds is not None:
        assert round(count_multiply_adds(network, image_size) / 1e6) == published_multiply_adds


def test_a_network_knows_its_channels() -> None:
    grey = cifar_network([(-1, "identity", -2, "identity")], 2, 1, in_channels=1)
    assert count_multiply_adds(grey, 8) == count_multiply_adds(grey, (8, 8), in_channels=1)


def test_the_count_is_that_of_the_convolutions_and_linear_layers() -> None:
    network = nn.Sequential(
        nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), nn.BatchNorm2d(6), nn.Flatten(), nn.Linear(6 * 4 * 5, 7)
    )
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert count_multiply_adds(network, (8, 10), in_channels=4) == 9 * 2 * 6 * 4 * 5 + 6 * 4 * 5 * 7
    assert network.training
    torch.testing.assert_close(network.state_dict(), before)
