"""Where images come from: each reader gives uint8 images `(N, C, H, W)`, int64 labels `(N,)`, and the number of
classes.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pnas_trainer._errors import TrainerError


class LabelledImages(NamedTuple):
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    num_classes: int


def read_digits() -> LabelledImages:
    """The 1,797 handwritten digits of 8x8 pixels that scikit-learn ships; its 17 grey levels stretch over 0 to 255."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    return LabelledImages(images, digits.target.astype(np.int64), len(digits.target_names))


def read_torchvision(class_name: str, root: Path) -> LabelledImages:
    """The training part of a data set of `torchvision.datasets`, downloaded into `root` where it is not there yet."""
    import torchvision.datasets

    try:
        source = getattr(torchvision.datasets, class_name)(root, train=True, download=True)
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TrainerError(
            f"{class_name} is not in {root} and could not be downloaded ({reason}): "
            f"put torchvision's files there, or choose another data set"
        ) from error
    images = np.asarray(source.data)
    images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    labels = np.asarray(source.targets, dtype=np.int64)
    return LabelledImages(np.ascontiguousarray(images), labels, len(source.classes))


def read_image_folder(root: Path) -> LabelledImages:
    """Folders of images in torchvision's ImageFolder convention: `<class>/<image>`, or those below `train/`."""
    import torchvision.datasets

    root = root / "train" if (root / "train").is_dir() else root
    try:
        source = torchvision.datasets.ImageFolder(str(root))
    except FileNotFoundError as error:
        reason = str(error).splitlines()[0]
        raise TrainerError(f"{root} must hold one folder of images for each class, but: {reason}") from error
    first = _decoded(source, source.samples[0][0])
    images = np.empty((len(source), *first.shape), dtype=np.uint8)
    for index, (path, _) in enumerate(source.samples):
        image = _decoded(source, path)
        if image.shape != first.shape:
            raise TrainerError(
                f"all images must be of one size, {first.shape[2]}x{first.shape[1]} as the first, "
                f"but {path} is {image.shape[2]}x{image.shape[1]}"
            )
        images[index] = image
    return LabelledImages(images, np.asarray(source.targets, dtype=np.int64), len(source.classes))


def _decoded(source: Any, path: str) -> NDArray[np.uint8]:
    try:
        pixels: NDArray[np.uint8] = np.asarray(source.loader(path)).transpose(2, 0, 1)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow has all three for broken files
        raise TrainerError(f"the image {path} cannot be read ({error}): mend it or remove it") from error
    return pixels
