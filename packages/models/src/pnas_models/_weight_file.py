"""A file of weights that is here: whose it is, and the network that it is of."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from pnas_models._archive import extract
from pnas_models._checkpoints._bundle import Bundle, bundle_prefix
from pnas_models._checkpoints._load import SourceName, load_weights
from pnas_models._checkpoints._sources import read_config, read_state_dict
from pnas_models._config import network_of
from pnas_models._errors import ModelError
from pnas_models._materialize import materialize
from pnas_models._network import CellNetwork
from pnas_models._zoo import create_model, list_models, published_image_size

_CLASSIFIERS: dict[str, SourceName] = {
    "final_layer/FC/weights": "tensorflow",
    "last_linear.weight": "timm",
    "classifier.weight": "pnas",
}
_AUXILIARY_SCOPES = ("aux_", "aux.")
_WITH_BACKGROUND = 1001


@dataclass(frozen=True, kw_only=True)
class WeightFile:
    """What a file of weights says of its network.

    Attributes:
        path: as it was given.
        readable: what `load_weights` takes: the path, or what an archive has been unpacked to.
        source: who wrote it.
        num_classes: of its classifier.
        num_features: that its classifier reads.
        has_auxiliary: whether it holds an auxiliary head.
        config: of its network, in a file of ours.
    """

    path: Path
    readable: Path
    source: SourceName
    num_classes: int
    num_features: int
    has_auxiliary: bool
    config: Mapping[str, Any] | None

    @cached_property
    def model(self) -> str | None:
        """The network of the zoo whose classifier reads as many features; None where the file says its network.

        Whether everything else fits, `fill_network` tells.
        """
        if self.config is not None:
            return None
        with torch.device("meta"):
            known = {create_model(name).num_features: name for name in list_models()}
        if self.num_features not in known:
            there_are = ", ".join(f"{n_features} ({name})" for n_features, name in sorted(known.items()))
            raise ModelError(
                f"the classifier in {self.path} reads {self.num_features} features, and those of the zoo {there_are}: "
                "build its network in Python, and use load_weights"
            )
        return known[self.num_features]


@contextmanager
def open_weights(path: Path, source: SourceName | None = None) -> Iterator[WeightFile]:
    """A .safetensors or .pth file, or TensorFlow's: a prefix, a folder, one of its files, or a .tar.gz, unpacked here.

    Raises:
        ModelError: it cannot be read, it is of no network, or it is not of `source`.
    """
    if path.name.endswith((".tar.gz", ".tgz")) and path.is_file():
        with tempfile.TemporaryDirectory(prefix="pnas-") as folder:
            yield _inspected(path, extract(path, Path(folder) / "checkpoint"), source)
    else:
        yield _inspected(path, path, source)


def empty_network(
    file: WeightFile,
    *,
    model: str | None = None,
    num_classes: int | None = None,
    auxiliary: bool = False,
    image_size: int | None = None,
) -> CellNetwork:
    """The network that a file is of, on PyTorch's meta device, that is, without any numbers.

    Args:
        file: the weights.
        model: its name in the zoo; None where the file tells.
        num_classes: the file's when None; 1000 of 1001 leaves out TensorFlow's background.
        auxiliary: whether the network shall have the auxiliary head, which the file must have then.
        image_size: of the images that the head was trained on; None where the file tells.

    Raises:
        ModelError: the file has no such weights.
    """
    n_wanted = file.num_classes if num_classes is None else num_classes
    if n_wanted != file.num_classes and (n_wanted, file.num_classes) != (_WITH_BACKGROUND - 1, _WITH_BACKGROUND):
        raise ModelError(
            f"{file.path} has {file.num_classes} classes, and {n_wanted} cannot be had from it: only of "
            f"{_WITH_BACKGROUND} can one be left out, TensorFlow's background"
        )
    if auxiliary and not file.has_auxiliary:
        raise ModelError(f"{file.path} has no auxiliary head that could be kept")
    options: dict[str, Any] = {"num_classes": n_wanted, "auxiliary": auxiliary}
    chosen = model or file.model
    if auxiliary and image_size is None and chosen is not None:
        image_size = published_image_size(chosen)
    if image_size is not None:
        options["image_size"] = image_size
    with torch.device("meta"):
        if chosen is not None:
            return create_model(chosen, **options)
        assert file.config is not None  # or else it would be a model's
        return network_of({**file.config, **options})


def fill_network(network: CellNetwork, file: WeightFile) -> None:
    """Give an empty network the weights of a file; initial ones, which take long for a large network, are not drawn.

    Raises:
        ModelError: they are not the network's.
    """
    materialize(network)
    load_weights(network, file.readable, file.source)


def _inspected(path: Path, readable: Path, source: SourceName | None) -> WeightFile:
    config = None
    if source == "tensorflow" or _is_tensorflow(readable):
        bundle = Bundle(bundle_prefix(readable))
        # Of its tensors only the classifiers are matrices, which TensorFlow has the other way round.
        shapes = {name: bundle.shape(name)[::-1] for name in bundle}
    else:
        shapes = {name: tuple(tensor.shape) for name, tensor in read_state_dict(readable).items()}
        config = read_config(readable)
    found, (num_classes, num_features) = _classifier(path, shapes, config)
    if source is not None and source != found and {source, found} != {"timm", "cadene"}:
        raise ModelError(f"the names of the tensors in {path} are those of {found}, and not of {source}")
    return WeightFile(
        path=path,
        readable=readable,
        source=source or found,
        num_classes=num_classes,
        num_features=num_features,
        has_auxiliary=any(name.startswith(_AUXILIARY_SCOPES) for name in shapes),
        config=config,
    )


def _is_tensorflow(path: Path) -> bool:
    if path.is_dir() or re.search(r"\.(index|data-\d{5}-of-\d{5})$", path.name) or Path(f"{path}.index").is_file():
        return True
    if not path.is_file():
        raise ModelError(f"there is no {path}, and no {path.name}.index either, as of a checkpoint of TensorFlow")
    return False


def _classifier(
    path: Path, shapes: Mapping[str, tuple[int, ...]], config: Mapping[str, Any] | None
) -> tuple[SourceName, tuple[int, int]]:
    """Whose names they are, and how many classes and features the classifier has."""
    for name, source in _CLASSIFIERS.items():
        shape = shapes.get(name, ())
        if len(shape) == 2:
            # Cadene's names are timm's, and only the background class tells them apart.
            is_cadene = source == "timm" and shape[0] == _WITH_BACKGROUND
            return "cadene" if is_cadene else source, (shape[0], shape[1])
    if config is not None:  # a network without a classifier
        return "pnas", (0, 0)
    raise ModelError(
        f"{path} has no classifier under a name that is known here ({', '.join(_CLASSIFIERS)}), so it does not hold "
        "the weights of a whole network"
    )
