"""Images in, the most probable classes of ImageNet out."""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from pnas_models import (
    ModelError,
    SourceName,
    WeightFile,
    Weights,
    empty_network,
    fill_network,
    list_models,
    open_weights,
)
from pnas_tools._network_choice import guess, names_file
from pnas_tools._published import fetched, weights_by_name

_BATCH_SIZE = 16
_N_CLASSES = 1000  # without the background
# What Pillow raises for files that are damaged, or so large that they may be an attack.
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)


class Classification:
    """Some images and the network for them. The images are read first, and if none can be, nothing is downloaded.

    Args:
        model: a name in the zoo.
        paths: of the images.
        weights: the name of published weights, or a file. A file's images are prepared as for the published weights of
            the same source, or else for the default ones.
        source: whose file it is; None where its names tell.
        keep_open: enters a file for as long as the classification lasts.

    Attributes:
        unreadable: the images that cannot be read, and why.

    Raises:
        ModelError: there is no such model, or there are no such weights.
        Failed: the weights could not be downloaded.
    """

    def __init__(
        self,
        model: str,
        paths: Sequence[Path],
        weights: str,
        source: SourceName | None,
        keep_open: Callable[[AbstractContextManager[WeightFile]], WeightFile],
    ) -> None:
        published = _published(model)
        file = None
        if weights in published:
            chosen = published[weights]
            if source is not None:
                raise ModelError(f"--from is of a file, and {weights} is the name of published weights")
        elif names_file(weights):
            file = keep_open(open_weights(Path(weights), source))
            of_source = (known for known in published.values() if known.source == file.source)
            chosen = next(of_source, published["DEFAULT"])
        else:
            raise ModelError(
                f"there are no weights {weights!r} for {model}, only {', '.join(published)}, and no such file"
            )
        self._categories = chosen.categories
        self._images, self.unreadable = _read_images(paths, chosen.transforms())
        if self._images:
            file = file or keep_open(open_weights(fetched(chosen), chosen.source))
            self._network = empty_network(file, model=model, num_classes=_N_CLASSES)
            fill_network(self._network, file)
            self._network.eval()

    def results(self, n_top: int) -> Iterator[dict[str, Any]]:
        """For every image that could be read its path and its `n_top` most probable classes."""
        for start in range(0, len(self._images), _BATCH_SIZE):
            paths, images = zip(*self._images[start : start + _BATCH_SIZE], strict=True)
            with torch.inference_mode():
                probabilities = self._network(torch.stack(images)).softmax(dim=1)
            top = probabilities.topk(min(n_top, _N_CLASSES))
            for path, values, indices in zip(paths, top.values.tolist(), top.indices.tolist(), strict=True):
                classes = [
                    {"index": index, "name": self._categories[index], "probability": value}
                    for index, value in zip(indices, values, strict=True)
                ]
                yield {"image": str(path), "classes": classes}


def _published(model: str) -> dict[str, Weights]:
    if model not in list_models():
        raise ModelError(f"there is no model {model!r}, there are {', '.join(list_models())}{guess(model)}")
    published = dict(weights_by_name(model))
    if not published:
        raise ModelError(f"nobody has published weights for {model}, so its classes have no names; try another model")
    return published


def _read_images(
    paths: Sequence[Path], transforms: Callable[[Image.Image], Tensor]
) -> tuple[list[tuple[Path, Tensor]], list[tuple[Path, str]]]:
    """The images that can be read, each `(3, size, size)`, and why the others cannot."""
    readable, unreadable = [], []
    for path in paths:
        try:
            with Image.open(path) as image:
                # As the camera was held.
                readable.append((path, transforms(ImageOps.exif_transpose(image))))
        except UnidentifiedImageError:
            unreadable.append((path, "no image of a known format"))
        except _UNREADABLE as error:
            unreadable.append((path, getattr(error, "strerror", None) or str(error)))
    return readable, unreadable
