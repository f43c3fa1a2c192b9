from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch

from pnas_models._checkpoints._load import checked_weights, copy_weights
from pnas_models._checkpoints._sources import read_config
from pnas_models._cifar import cifar_network
from pnas_models._errors import ModelError
from pnas_models._imagenet import imagenet_network
from pnas_models._materialize import materialize
from pnas_models._network import CellNetwork
from pnas_models._normalization import BatchNorm
from pnas_models._operations import OperationBuilder

_FAMILIES: dict[str, Callable[..., CellNetwork]] = {"cifar": cifar_network, "imagenet": imagenet_network}


def network_of(config: Mapping[str, Any], operations: Mapping[str, OperationBuilder] | None = None) -> CellNetwork:
    """The network that a `CellNetwork.config` describes, with random weights."""
    arguments = dict(config)
    try:
        build = _FAMILIES[arguments.pop("network")]
        batch_norm = BatchNorm(**arguments.pop("batch_norm"))
        return build(**arguments, batch_norm=batch_norm, operations=operations)
    except (KeyError, TypeError, OverflowError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(f"the config is that of no network here ({reason}): {dict(config)}") from error


def load_network(path: str | PathLike[str], *, operations: Mapping[str, OperationBuilder] | None = None) -> CellNetwork:
    """The network that `save_weights` wrote, built and filled from the file alone.

    Args:
        path: the `.safetensors` file.
        operations: builders for the operations that are not the paper's.

    Raises:
        ModelError: the file does not say which network it is of, or cannot be read.
    """
    config = read_config(Path(path))
    if config is None:
        raise ModelError(f"{path} does not say which network it is of: build the network and use load_weights")
    with torch.device("meta"):  # where a config that is too large to be true costs nothing
        network = network_of(config, operations)
    source, keys = checked_weights(network, path, "pnas")
    materialize(network)
    copy_weights(network, source, keys)
    return network
