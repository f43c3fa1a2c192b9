from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from pnas_models._archive import extract
from pnas_models._checkpoints._load import load_weights
from pnas_models._checks import checked_positive
from pnas_models._cifar import cifar_network
from pnas_models._download import cache_folder, download
from pnas_models._errors import ModelError
from pnas_models._genotypes import PNASNET_5
from pnas_models._imagenet import imagenet_network
from pnas_models._materialize import materialize
from pnas_models._network import CellNetwork
from pnas_models._weights import PNASNet5LargeWeights, PNASNet5MobileWeights, PublishedWeights, Weights


def pnasnet5_large(
    weights: Weights | PublishedWeights | str | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    progress: bool = True,
    **options: Any,
) -> CellNetwork:
    """PNASNet-5 Large (N = 4, F = 216) for images of 331x331 and others: 86.1 M parameters, 24.9 B multiply-adds.

    Args:
        weights: a member of `PNASNet5LargeWeights` or its name, `Weights` of your own, or None for random ones.
        num_classes: 1000, or TensorFlow's 1001 with the background first. With `weights` and any other number the
            classifier is fresh; 0 leaves it away.
        in_channels: of the images. With `weights` and other than 3, the first convolution reads every channel as one of
            the three in turn, at the same overall scale; one grey channel counts as all three.
        progress: whether a download shows its progress.
        options: further arguments of `imagenet_network`.

    Raises:
        ModelError: the weights are not known, or cannot be fetched.
    """
    network = {"n_filters": 216, "n_repeats": 4, "stem_filters": 96}
    return _build("pnasnet5_large", _imagenet, weights, num_classes, in_channels, progress, {**network, **options})


def pnasnet5_mobile(
    weights: Weights | PublishedWeights | str | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    progress: bool = True,
    **options: Any,
) -> CellNetwork:
    """PNASNet-5 Mobile (N = 3, F = 54) for images of 224x224 and others: 5.1 M parameters, 587 M multiply-adds.

    The arguments are those of `pnasnet5_large`, with `PNASNet5MobileWeights`.
    """
    network = {"n_filters": 54, "n_repeats": 3, "stem_filters": 32}
    return _build("pnasnet5_mobile", _imagenet, weights, num_classes, in_channels, progress, {**network, **options})


def pnasnet5_cifar(
    weights: Weights | PublishedWeights | str | None = None,
    num_classes: int = 10,
    in_channels: int = 3,
    *,
    progress: bool = True,
    **options: Any,
) -> CellNetwork:
    """PNASNet-5 for CIFAR (N = 3, F = 48): 3.2 M parameters; nobody has published weights.

    The arguments are those of `pnasnet5_large`; the options are those of `cifar_network`.
    """
    network = {"n_filters": 48, "n_repeats": 3}
    return _build("pnasnet5_cifar", _cifar, weights, num_classes, in_channels, progress, {**network, **options})


_CIFAR_SIZE = 32
_MODELS: dict[str, Callable[..., CellNetwork]] = {
    "pnasnet5_cifar": pnasnet5_cifar,
    "pnasnet5_large": pnasnet5_large,
    "pnasnet5_mobile": pnasnet5_mobile,
}
_PUBLISHED: dict[str, type[PublishedWeights]] = {
    "pnasnet5_large": PNASNet5LargeWeights,
    "pnasnet5_mobile": PNASNet5MobileWeights,
}


def list_models() -> list[str]:
    """The names that `create_model` knows."""
    return sorted(_MODELS)


def create_model(
    name: str,
    weights: Weights | PublishedWeights | str | None = None,
    num_classes: int | None = None,
    in_channels: int = 3,
    **options: Any,
) -> CellNetwork:
    """A network of the zoo by its name.

    Args:
        name: one of `list_models()`.
        weights: as of `pnasnet5_large`: "DEFAULT", another member's name, the member itself, or None.
        num_classes: the network's own number when None: 1000 of ImageNet, 10 of CIFAR.
        in_channels: as of `pnasnet5_large`.
        options: further arguments of the function of that name.

    Raises:
        ModelError: there is no such network or there are no such weights, or they cannot be fetched.
    """
    if name not in _MODELS:
        raise ModelError(f"there is no model {name!r}; there are {', '.join(list_models())}")
    if num_classes is not None:
        options["num_classes"] = num_classes
    return _MODELS[name](weights, in_channels=in_channels, **options)


def published_weights(name: str) -> list[PublishedWeights]:
    """All weights that there are for a model.

    Raises:
        ModelError: there is no such model.
    """
    if name not in _MODELS:
        raise ModelError(f"there is no model {name!r}; there are {', '.join(list_models())}")
    return list(_PUBLISHED.get(name, ()))


def published_image_size(name: str) -> int:
    """Pixels of the images that a network of the zoo is for."""
    known = published_weights(name)
    size: int = known[0].value.image_size if known else _CIFAR_SIZE
    return size


def cached_path(weights: Weights | PublishedWeights) -> Path:
    """Where a published file is once it has been fetched."""
    weights = weights.value if isinstance(weights, PublishedWeights) else weights
    return cache_folder() / weights.file_name


def fetch_weights(weights: Weights | PublishedWeights, *, progress: bool = True) -> Path:
    """Download a published file unless it is here, and give the path for `load_weights`.

    Raises:
        ModelError: no URL delivers the file; the sentence says which file to put where.
    """
    weights = weights.value if isinstance(weights, PublishedWeights) else weights
    path = download(weights.urls, weights.file_name, sha256=weights.sha256, n_bytes=weights.n_bytes, progress=progress)
    if weights.source == "tensorflow":
        path = extract(path, path.with_name(path.name.removesuffix(".tar.gz")))
    return path


def _imagenet(**options: Any) -> CellNetwork:
    return imagenet_network(PNASNET_5, **options)


def _cifar(**options: Any) -> CellNetwork:
    return cifar_network(PNASNET_5, **options)


def _build(
    name: str,
    build: Callable[..., CellNetwork],
    weights: Weights | PublishedWeights | str | None,
    num_classes: int,
    in_channels: int,
    progress: bool,
    options: dict[str, Any],
) -> CellNetwork:
    if weights is None:
        return build(num_classes=num_classes, in_channels=in_channels, **options)
    checked_positive(in_channels=in_channels)
    if num_classes != 0:
        checked_positive(num_classes=num_classes)
    chosen = _chosen(name, weights)
    path = fetch_weights(chosen, progress=progress)
    is_loadable = num_classes == chosen.num_classes or (num_classes, chosen.num_classes) == (1000, 1001)
    # Built as the file is, filled, and only then changed to what was asked for.
    n_loaded = num_classes if is_loadable else chosen.num_classes
    if options.get("auxiliary"):  # which the file may lack: then it needs initial weights
        network = build(num_classes=n_loaded, in_channels=3, **options)
    else:
        with torch.device("meta"):
            network = build(num_classes=n_loaded, in_channels=3, **options)
        materialize(network)
    load_weights(network, path, chosen.source)
    if not is_loadable:
        network.reset_classifier(num_classes)
    if in_channels != 3:
        _read_channels(network, in_channels)
    return network


def _chosen(name: str, weights: Weights | PublishedWeights | str) -> Weights:
    if isinstance(weights, str):
        known = _PUBLISHED[name].__members__ if name in _PUBLISHED else {}
        weights = weights.removeprefix(f"{_PUBLISHED[name].__name__}.") if known else weights
        if weights not in known:
            there_are = f"there are {', '.join(known)}" if known else "nobody has published any"
            raise ModelError(
                f"there are no weights {weights!r} for {name}: {there_are}; weights=None gives random ones"
            )
        weights = known[weights]
    chosen: Weights = weights.value if isinstance(weights, PublishedWeights) else weights
    if not isinstance(chosen, Weights) or chosen.model != name:
        raise ModelError(f"{weights!r} are no weights of {name}")
    return chosen


def _read_channels(network: CellNetwork, in_channels: int) -> None:
    """Let the first convolution read so many channels: each as one of the three in turn, all together as strong."""
    first = cast(nn.Conv2d, network.stem[0])
    kernel = first.weight.detach()
    n_channels = kernel.shape[1]
    if in_channels == 1:
        kernel = kernel.sum(dim=1, keepdim=True)
    else:
        n_copies = (in_channels + n_channels - 1) // n_channels
        kernel = kernel.repeat(1, n_copies, 1, 1)[:, :in_channels] * (n_channels / in_channels)
    first.in_channels = in_channels
    first.weight = nn.Parameter(kernel.contiguous())
    network.config["in_channels"] = in_channels
