"""What NAME, CELL or FILE stands for on the command line."""

import difflib
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from pnas_models import (
    CellNetwork,
    ModelError,
    WeightFile,
    cifar_network,
    create_model,
    empty_network,
    fill_network,
    imagenet_network,
    list_models,
    network_of,
    open_weights,
    published_image_size,
)
from pnas_searchspace import Cell, SearchSpaceError
from pnas_tools._preparation import Preparation
from pnas_tools._published import fetched, weights_by_name

_CELL_LIKE = re.compile(r"\s*\[|[^/.]*@-?\d+\+")
_FILE_ENDINGS = (".safetensors", ".pth", ".index", ".tar.gz", ".tgz")
_IMAGE_SIZES = {"cifar": 32, "imagenet": 224}
_NETWORKS: dict[str, Callable[..., CellNetwork]] = {
    # The paper's final networks for CIFAR, and for ImageNet on a telephone.
    "cifar": partial(cifar_network, n_filters=48, n_repeats=3, num_classes=10),
    "imagenet": partial(imagenet_network, n_filters=54, n_repeats=3, num_classes=1000, stem_filters=32),
}


@dataclass(frozen=True, kw_only=True)
class NetworkChoice:
    """A network that was asked for.

    Attributes:
        name: to call it by.
        empty: the network on PyTorch's meta device.
        image_size: pixels of the images that it is for.
        model: its name in the zoo, where that is known.
        file: of weights, where one was given.
    """

    name: str
    empty: CellNetwork
    image_size: int
    model: str | None = None
    file: WeightFile | None = None

    def network(self) -> CellNetwork:
        """The network with the file's weights, or with random ones."""
        if self.file is None:
            return network_of(self.empty.config)
        fill_network(self.empty, self.file)
        return self.empty


def choose_network(
    text: str, options: dict[str, Any], keep_open: Callable[[AbstractContextManager[WeightFile]], WeightFile]
) -> NetworkChoice:
    """The network that a text stands for.

    Args:
        text: a name in the zoo, a cell in JSON or in the short form, or the path of a file of weights.
        options: of the network around a cell; what was not given is None.
        keep_open: enters a file for as long as the choice is in use.

    Raises:
        ModelError: the text is none of them, or an option does not go with it.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if text not in list_models() and _CELL_LIKE.match(text):
        return _of_cell(text, **given)
    for name in given.keys() - {"num_classes"}:
        option = name.removeprefix("n_").replace("_", "-")
        raise ModelError(f"--{option} is of the network around a CELL, and {text} is a network as it stands")
    if text in list_models():
        return _of_zoo(text, **given)
    if not names_file(text):
        raise ModelError(
            f"{text!r} is no model ({', '.join(list_models())}), no file, no folder of a search or a training, and no "
            f"cell such as identity@-2+identity@-1{guess(text)}"
        )
    return _of_file(keep_open(open_weights(Path(text))), given.get("num_classes"))


def with_weights(
    choice: NetworkChoice,
    text: str,
    num_classes: int | None,
    keep_open: Callable[[AbstractContextManager[WeightFile]], WeightFile],
) -> NetworkChoice:
    """The choice with the weights of a name or in a file; of published ones the 1000 classes of ImageNet.

    Raises:
        ModelError: there are no such weights, or the choice has its own.
        Failed: they could not be downloaded.
    """
    if choice.file is not None:
        raise ModelError(f"--weights is of a NAME or a CELL, and {choice.name} has weights")
    published = weights_by_name(choice.model) if choice.model else {}
    if text in published:
        file = keep_open(open_weights(fetched(published[text]), published[text].source))
    elif names_file(text):
        file = keep_open(open_weights(Path(text)))
        if num_classes is None:
            choice.empty.reset_classifier(file.num_classes)
    else:
        there_are = f"there are {', '.join(published)}" if published else "nobody has published any"
        raise ModelError(f"there are no weights {text!r} for {choice.name}: {there_are}, and no such file is here")
    return replace(choice, file=file)


def guess(text: str) -> str:
    """The end of a sentence about a text that names no network: which name it is close to, if it is to any."""
    close = difflib.get_close_matches(text, list_models(), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def names_file(text: str) -> bool:
    """Whether there is such a file or checkpoint, or the text can only mean one."""
    return text != "" and (Path(text).exists() or Path(f"{text}.index").exists() or text.endswith(_FILE_ENDINGS))


def _of_cell(text: str, network: str = "cifar", **given: Any) -> NetworkChoice:
    if network == "cifar" and "stem_filters" in given:
        raise ModelError("--stem-filters is of --network imagenet: the stem for CIFAR has three times --filters")
    try:
        cell = Cell.from_json(text) if text.lstrip().startswith("[") else Cell.from_text(text)
    except SearchSpaceError as error:
        raise ModelError(str(error)) from error
    with torch.device("meta"):
        empty = _NETWORKS[network](cell, **given)
    return NetworkChoice(name=f"the {network} network of {cell}", empty=empty, image_size=_IMAGE_SIZES[network])


def _of_zoo(model: str, **given: Any) -> NetworkChoice:
    with torch.device("meta"):
        empty = create_model(model, **given)
    return NetworkChoice(name=model, empty=empty, image_size=published_image_size(model), model=model)


def _of_file(file: WeightFile, num_classes: int | None) -> NetworkChoice:
    empty = empty_network(file, num_classes=num_classes)
    preparation = Preparation.of_file(file.path)
    if preparation is not None:
        image_size = preparation.input_size
    else:
        image_size = published_image_size(file.model) if file.model else _IMAGE_SIZES[empty.config["network"]]
    return NetworkChoice(
        name=f"the network in {file.path}", empty=empty, image_size=image_size, model=file.model, file=file
    )
