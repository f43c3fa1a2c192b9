import warnings
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from pnas_models._checkpoints._sources import Source, pnas_source, tensorflow_source, timm_source, weight_names
from pnas_models._errors import ModelError
from pnas_models._network import CellNetwork

SourceName = Literal["tensorflow", "timm", "cadene", "pnas"]
"""Who wrote a file of weights: TF-Slim, timm, Cadene's pretrained-models.pytorch, or this package."""

_SOURCES = {"tensorflow": tensorflow_source, "timm": timm_source, "cadene": timm_source, "pnas": pnas_source}
_BACKGROUND = (1001, 1000)
"""TensorFlow's classes of ImageNet, and those without the background."""
_N_NAMED = 10


def load_weights(model: CellNetwork, path: str | PathLike[str], source: SourceName = "pnas") -> None:
    """Read a network's weights from a file, all of them or none.

    Of ImageNet's 1001 classes in TensorFlow the first is background, whose row is left out where the network has 1000.
    An auxiliary head of the file is skipped where the network has none.

    Args:
        model: a network as the file's: the same cells, filters and repeats.
        path: a `.safetensors` or `.pth` file; of TensorFlow the prefix of a checkpoint, one of its files, or a folder
            that holds one checkpoint alone.
        source: who wrote it.

    Raises:
        ModelError: the file cannot be read, or a tensor is missing, left over or of another shape; the sentence lists
            the names, and the network is as it was.

    Warns:
        UserWarning: the network has an auxiliary head and the file has none, so that the head is untrained.
    """
    opened, keys = checked_weights(model, path, source)
    copy_weights(model, opened, keys)
    if model.aux is not None and not any(key.startswith("aux.") for key in keys):
        warnings.warn(f"{path} has no auxiliary head: the network's own is untrained", UserWarning, stacklevel=2)


def copy_weights(model: CellNetwork, source: Source, keys: list[str]) -> None:
    """Read what `checked_weights` found into the network, all of it or nothing."""
    state = model.state_dict()
    # First everything is read and checked, and only then is the network changed.
    tensors = {key: _fitted(source, key, state[key]) for key in keys}
    with torch.no_grad():
        for key, tensor in tensors.items():
            state[key].copy_(tensor)


def checked_weights(model: CellNetwork, path: str | PathLike[str], source: SourceName) -> tuple[Source, list[str]]:
    """A file that has the network's weights, by names and shapes, and the names of ours that it has tensors for."""
    if source not in _SOURCES:
        raise ModelError(f"source must be one of {', '.join(_SOURCES)}, not {source!r}")
    if not isinstance(model, CellNetwork):
        raise ModelError(
            f"weights are loaded into a CellNetwork, not into {type(model).__name__}: pass the network itself"
        )
    opened = _SOURCES[source](model, Path(path))
    return opened, _checked_keys(model, opened)


def _checked_keys(model: CellNetwork, source: Source) -> list[str]:
    """The names of ours that the file has tensors for."""
    _check_same_network(model, source)
    has_head = any(map(source.is_auxiliary, source.names))
    keys = [key for key in weight_names(model) if has_head or not key.startswith("aux.")]
    missing = [source.find.get(key, key) for key in keys if source.find.get(key, key) not in source.names]
    wanted = {source.find[key] for key in keys if key in source.find}
    extra = [name for name in sorted(source.names - wanted) if model.aux is not None or not source.is_auxiliary(name)]
    state = model.state_dict()
    misshapen = [
        f"{name} {_text(shape)} for {_text(state[key].shape)}"
        for key in keys
        if (name := source.find.get(key, "")) in source.names
        and not _fits(key, shape := source.shape(name), tuple(state[key].shape))
    ]
    problems = {"missing": missing, "left over": extra, "of another shape": misshapen}
    found = [f"{len(names)} {kind}: {_listed(names)}" for kind, names in problems.items() if names]
    if found:
        is_head_alone = not missing and not extra and all(name.startswith("aux") for name in misshapen)
        raise ModelError(
            f"the weights in {source.path} are not those of this network ({'; '.join(found)}); "
            f"{_way_out(is_head_alone)}"
        )
    return keys


def _way_out(is_head_alone: bool) -> str:
    if is_head_alone:
        return "build it with the image_size that the auxiliary head was made for"
    return (
        "build it with the cells, filters, repeats and classes that the file was made with; reset_classifier changes "
        "the classes afterwards"
    )


def _check_same_network(model: CellNetwork, source: Source) -> None:
    """Two networks may have the same tensors and read them in another order; a file of ours says which it is."""
    for name in ("network", "cell", "concat", "reduction_cell", "reduction_concat", "batch_norm"):
        ours = model.config[name]
        theirs: Any = (source.config or {}).get(name, ours)
        if name == "batch_norm" and isinstance(theirs, dict):
            theirs = {**theirs, "decay": ours["decay"]}  # which changes nothing that a network computes
        if theirs != ours:
            raise ModelError(
                f"the weights in {source.path} are of a network with {name} {theirs}, and this one has {ours}: "
                "build the network that the file was made with"
            )


def _fits(key: str, actual: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return actual == expected or _has_background(key, actual, expected)


def _has_background(key: str, actual: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    is_classifier = key.rpartition(".")[0] in ("classifier", "aux.classifier")
    sizes = (actual[0], expected[0]) if actual and expected else ()
    return is_classifier and sizes == _BACKGROUND and actual[1:] == expected[1:]


def _fitted(source: Source, key: str, like: Tensor) -> Tensor:
    """A tensor of the file as the network has it, so that copying it cannot fail."""
    name = source.find[key]
    tensor = source.read(name)
    if like.is_meta:
        raise ModelError(
            "the network is on the meta device, which holds no weights: move it by to_empty(device=…) first"
        )
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_quantized or not tensor.is_floating_point():
        raise ModelError(f"{name} in {source.path} is no plain tensor of floating point, but {_kind(tensor)}")
    if _has_background(key, tuple(tensor.shape), tuple(like.shape)):
        tensor = tensor[1:]
    return tensor.to(like.device, like.dtype)


def _kind(tensor: Tensor) -> str:
    return f"of {tensor.dtype}, {tensor.layout}, on {tensor.device}"


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - _N_NAMED} more" if len(names) > _N_NAMED else ""
    return ", ".join(names[:_N_NAMED]) + rest


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
