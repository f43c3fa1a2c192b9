"""Where images come from: each reader gives uint8 images `(N, C, H, W)`, int64 labels `(N,)`, and the number of
classes.
"""

from pathlib import Path
from typing import NamedTuple

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
    size = source[0][0].size
    images = np.empty((len(source), 3, size[1], size[0]), dtype=np.uint8)
    for index, (path, _) in enumerate(source.samples):
        images[index] = _decoded(source, path, size)
    return LabelledImages(images, np.asarray(source.targets, dtype=np.int64), len(source.classes))


def _decoded(source: "torchvision.datasets.ImageFolder", path: str, size: tuple[int, int]) -> NDArray[np.uint8]:  # type: ignore[name-defined]  # noqa: F821
    try:
        image = source.loader(path)
    except OSError as error:
        raise TrainerError(f"the image {path} cannot be read ({error}): mend it or remove it") from error
    if image.size != size:
        raise TrainerError(
            f"all images must be of one size, {size[0]}x{size[1]} as the first, "
            f"but {path} is {image.size[0]}x{image.size[1]}"
        )
    pixels: NDArray[np.uint8] = np.asarray(image).transpose(2, 0, 1)
    return pixels
