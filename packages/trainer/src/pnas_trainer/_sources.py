"""Where images come from: each reader gives uint8 images `(N, C, H, W)`, int64 labels `(N,)`, and the number of
classes.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pnas_trainer._decoded import decoded_once
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


def read_torchvision(class_name: str, root: Path, *, train: bool = True) -> LabelledImages:
    """The training part of a data set of `torchvision.datasets`, or its test part, downloaded into `root` where it is
    not there yet.
    """
    import torchvision.datasets

    try:
        source = getattr(torchvision.datasets, class_name)(root, train=train, download=True)
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


def read_image_folder(root: Path, *, cache: bool) -> LabelledImages:
    """Folders of images in torchvision's ImageFolder convention: `<class>/<image>`, or those below `train/`."""
    return _read(open_image_folder(root / "train" if (root / "train").is_dir() else root), cache)


def read_test_folder(root: Path, *, cache: bool) -> LabelledImages:
    """The images below `test/`, or below `val/` where there is none, which have the classes of those below `train/`."""
    train = root / "train"
    test = next((root / name for name in ("test", "val") if (root / name).is_dir()), None)
    if test is None or not train.is_dir():
        raise TrainerError(
            f"a test part is read from a folder test or val beside a folder train, and {root} holds no such two: "
            f"make them, or go without a test part"
        )
    expected, source = set(open_image_folder(train).classes), open_image_folder(test)
    if differing := sorted(expected.symmetric_difference(source.classes)):
        first = differing[0]
        there, missing = (train, test) if first in expected else (test, train)
        raise TrainerError(
            f"{test} must hold the {len(expected)} classes of {train}, and the class {first!r} is in {there.name} "
            f"alone: add it to {missing.name}, or remove it"
        )
    return _read(source, cache)


def open_image_folder(root: Path) -> Any:
    """The ImageFolder of torchvision, which lists the images of every class in alphabetical order and opens none."""
    import torchvision.datasets

    try:
        return torchvision.datasets.ImageFolder(str(root))
    except (FileNotFoundError, NotADirectoryError) as error:
        reason = str(error).splitlines()[0]
        raise TrainerError(f"{root} must hold one folder of images for each class, but: {reason}") from error


def check_header(path: str) -> None:
    """Raise `TrainerError` unless a file begins as an image does."""
    try:
        with Path(path).open("rb", buffering=0) as file:
            # From memory, because each of Pillow's small reads would hand Python's lock to another thread.
            Image.open(BytesIO(file.read(_HEADER_BYTES))).close()
    except _BROKEN:
        _open(path).close()  # the header may be longer


def decode(path: str) -> Image.Image:
    """The image in a file, in the mode RGB.

    Raises:
        TrainerError: the file cannot be opened or decoded.
    """
    with _open(path) as image:
        try:
            image.load()
            # convert would copy what is RGB already
            return image if image.mode == "RGB" else image.convert("RGB")
        except _BROKEN as error:
            raise _unreadable(path, error) from error


def for_each_in_threads(work: Callable[[int], None], n_items: int, n_threads: int | None = None) -> None:
    """Call `work` for 0 to `n_items - 1`, on as many threads as there are cores if not said otherwise.

    What the first item raises that raises anything is raised here, and the items that nobody has begun are left alone.
    """

    def work_off(items: range) -> None:
        for item in items:
            work(item)

    with ThreadPoolExecutor(n_threads or os.cpu_count()) as pool:
        # Handing over one item at a time would cost as much as decoding a small image.
        for _ in pool.map(work_off, [range(n_items)[start : start + 64] for start in range(0, n_items, 64)]):
            pass


_BROKEN = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises for broken files."""

_HEADER_BYTES = 16384
_PIXELS_FOR_THREADS = 128 * 128


def _open(path: str) -> Image.Image:
    try:
        return Image.open(path)
    except _BROKEN as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> TrainerError:
    return TrainerError(f"the image {path} cannot be read ({error}): mend it or remove it")


def _read(source: Any, cache: bool) -> LabelledImages:
    images = decoded_once(source, _decode_all) if cache else _decode_all(source)
    return LabelledImages(images, np.asarray(source.targets, dtype=np.int64), len(source.classes))


def _decode_all(source: Any) -> NDArray[np.uint8]:
    paths = [path for path, _ in source.samples]
    width, height = decode(paths[0]).size
    images = np.empty((len(paths), 3, height, width), dtype=np.uint8)

    def read(index: int) -> None:
        image = decode(paths[index])
        if image.size != (width, height):
            raise TrainerError(
                f"all images must be of one size, {width}x{height} as the first, "
                f"but {paths[index]} is {image.width}x{image.height}"
            )
        images[index] = np.asarray(image).transpose(2, 0, 1)

    # Pillow decodes without Python's lock, but around small images threads spend longer on the lock than they save.
    for_each_in_threads(read, len(paths), n_threads=None if width * height >= _PIXELS_FOR_THREADS else 1)
    return images
