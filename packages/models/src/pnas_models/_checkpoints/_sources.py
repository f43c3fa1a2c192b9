"""Files of weights, each as tensors in PyTorch's layout under our names."""

import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from pnas_models._checkpoints._bundle import Bundle, bundle_prefix
from pnas_models._checkpoints._names import SLIM, TIMM, Naming
from pnas_models._errors import ModelError
from pnas_models._network import CellNetwork

_SLIM_BATCH_NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
# Behind a variable's own name: its moving average, and what optimizers keep.
_SLIM_COPIES = (
    "ExponentialMovingAverage",
    "RMSProp",
    "RMSProp_1",
    "Momentum",
    "Adam",
    "Adam_1",
    "Adagrad",
    "Adadelta",
    "Adadelta_1",
    "Ftrl",
    "Ftrl_1",
    "beta1_power",
    "beta2_power",
    "global_step",
    "_CHECKPOINTABLE_OBJECT_GRAPH",
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file's tensors.

    Attributes:
        path: of the file.
        names: of the tensors that are a network's weights.
        find: the name of a tensor in the file, by ours.
        shape: of a tensor of the file, in PyTorch's layout.
        read: a tensor of the file, in PyTorch's layout.
        is_auxiliary: whether a name of the file belongs to an auxiliary head.
        config: of the network that it was written from, where it says so.
    """

    path: Path
    names: frozenset[str]
    find: Mapping[str, str]
    shape: Callable[[str], tuple[int, ...]]
    read: Callable[[str], Tensor]
    is_auxiliary: Callable[[str], bool]
    config: Mapping[str, object] | None = None


def tensorflow_source(network: CellNetwork, path: Path) -> Source:
    """A TensorFlow checkpoint of TF-Slim's variables."""
    bundle = Bundle(bundle_prefix(path))

    def shape(name: str) -> tuple[int, ...]:
        sizes = bundle.shape(name)
        return tuple(sizes[axis] for axis in _axes(name, len(sizes)))

    def read(name: str) -> Tensor:
        array = bundle[name]
        return torch.from_numpy(np.ascontiguousarray(array.transpose(_axes(name, array.ndim))))

    return Source(
        path=path,
        names=frozenset(name for name in bundle if name.rpartition("/")[2] not in _SLIM_COPIES),
        find=slim_names(network),
        shape=shape,
        read=read,
        is_auxiliary=lambda name: name.startswith("aux_"),
    )


def slim_names(network: CellNetwork) -> dict[str, str]:
    """TF-Slim's names of a network's variables, by ours."""
    return {key: _slim_name(name, leaf) for key, name, leaf in _named(network, SLIM)}


def _slim_name(name: str, leaf: str) -> str:
    if name.endswith("_weights"):
        return name
    if "bn" in name.rpartition("/")[2]:
        return f"{name}/{_SLIM_BATCH_NORM[leaf]}"
    return f"{name}/{'weights' if leaf == 'weight' else 'biases'}"


def _axes(name: str, n_axes: int) -> tuple[int, ...]:
    """The order in which PyTorch has the axes of one of TensorFlow's tensors."""
    if n_axes == 4:  # (height, width, in, out), and (height, width, in, multiplier) of a depthwise convolution
        return (2, 3, 0, 1) if name.endswith("depthwise_weights") else (3, 2, 0, 1)
    return tuple(reversed(range(n_axes)))


def timm_source(network: CellNetwork, path: Path) -> Source:
    """A state dict of timm's, or of Cadene's, which has the same names."""
    return _state_dict_source(path, timm_names(network))


def pnas_source(network: CellNetwork, path: Path) -> Source:
    """A state dict of ours."""
    return _state_dict_source(path, {key: key for key in weight_names(network)})


def timm_names(network: CellNetwork) -> dict[str, str]:
    """Timm's names of a network's weights, by ours; an auxiliary head has none."""
    return {key: f"{name}.{leaf}" for key, name, leaf in _named(network, TIMM)}


def _named(network: CellNetwork, naming: Naming) -> Iterator[tuple[str, str, str]]:
    """Every weight's own name, with its layer's name in another program and what it is of that layer."""
    layers = naming.layers(network)
    for key in weight_names(network):
        layer, _, leaf = key.rpartition(".")
        if layer in layers:
            yield key, layers[layer], leaf
        elif not layer.startswith("aux."):
            raise ModelError(f"there is no such name for {key}: the network is not as it was published")


def weight_names(network: CellNetwork) -> list[str]:
    """The names of all that a file must hold; how many batches were counted is not among it."""
    return [key for key in network.state_dict() if not key.endswith(".num_batches_tracked")]


def _state_dict_source(path: Path, find: Mapping[str, str]) -> Source:
    tensors = read_state_dict(path)
    return Source(
        path=path,
        names=frozenset(name for name in tensors if not name.endswith(".num_batches_tracked")),
        find=find,
        shape=lambda name: tuple(tensors[name].shape),
        read=lambda name: tensors[name],
        is_auxiliary=lambda name: name.startswith("aux."),
        config=read_config(path),
    )


def read_config(path: Path) -> dict[str, Any] | None:
    """The config of the network that a file of ours was written from; None where the file has none.

    Raises:
        ModelError: there is no such file, or it cannot be read.
    """
    if not _is_safetensors(path):
        return None
    with _readable(path), safe_open(path, framework="pt") as tensors:
        text = (tensors.metadata() or {}).get("config")
        config = None if text is None else json.loads(text)
    if config is not None and not isinstance(config, dict):
        raise ModelError(f"{path} has a config that is no object of JSON, but {config!r}: it was not written here")
    return config


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file or of a PyTorch file."""
    with _readable(path):
        loaded = load_file(path) if _is_safetensors(path) else torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(loaded, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in loaded.items()
    ):
        raise ModelError(
            f"{path} does not hold a state dict, which maps names to tensors and holds nothing else: save the "
            "state_dict() alone"
        )
    return dict(loaded)


def _is_safetensors(path: Path) -> bool:
    """Whether a file starts as such files do: with a length of 8 bytes and an object of JSON."""
    if not path.is_file():
        raise ModelError(f"there is no file {path}: give a .safetensors or .pth file of weights")
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say of a file that cannot be read what was expected of it."""
    try:
        yield
    except pickle.UnpicklingError as error:  # PyTorch's own text tells how to read the file all the same
        raise ModelError(f"{path} is no PyTorch file of tensors alone, and nothing else is unpickled") from error
    except Exception as error:  # whatever a damaged file leads the unpickler to
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise ModelError(
            f"{path} is damaged, or no safetensors file and no PyTorch file of tensors alone ({reason}): "
            "fetch or write it again"
        ) from error
