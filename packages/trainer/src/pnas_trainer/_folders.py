import hashlib
from pathlib import Path

from pnas_trainer._checks import check_truth, check_whole
from pnas_trainer._errors import TrainerError
from pnas_trainer._streaming import Folder


class ImageFolders:
    """Labelled images that do not fit into memory, such as ImageNet's: they are decoded while a network trains on them.

    Both folders are in torchvision's ImageFolder form, `<class>/<image>`. Training images are cut out, resized and
    mirrored at random, others are cut out in the middle, as `ImageFolderStream` says; the network sees float32
    `(N, 3, S, S)` in [-1, 1].

    Args:
        training: the folder of the images to train on; the header of every image is read here.
        validation: that of the images which measure it, with the same classes.
        image_size: side in pixels of what the network sees (PNASNet-5: 331, and 224 on mobile devices).
        n_workers: processes that decode; 0 decodes in the process that trains.
        color_jitter: whether brightness, contrast, saturation and hue of training images vary, as far as in TF-Slim.

    Attributes:
        classes: their names, in the order of the labels.
        num_classes: how many they are.
        in_channels: 3.
        image_size, n_workers, color_jitter: those given.

    Raises:
        TrainerError: a number is out of its range, there are no such folders, a file is no image, or classes differ.
    """

    in_channels = 3

    def __init__(
        self,
        training: Path | str,
        validation: Path | str,
        *,
        image_size: int,
        n_workers: int = 0,
        color_jitter: bool = False,
    ) -> None:
        check_whole(1, image_size=image_size)
        check_whole(0, n_workers=n_workers)
        check_truth(color_jitter=color_jitter)
        self.training, self.validation = map(Folder.read, (training, validation))
        if self.training.classes != self.validation.classes:
            only = sorted(set(self.training.classes) ^ set(self.validation.classes))[:3]
            raise TrainerError(
                f"{training} and {validation} must hold the same classes, and {', '.join(only)} are in one alone"
            )
        self.classes = self.training.classes
        self.image_size = int(image_size)
        self.n_workers = int(n_workers)
        self.color_jitter = color_jitter

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    def digest(self) -> str:
        """Sixteen hexadecimal digits that tell these images from others by their names, and how they are read."""
        digest = hashlib.blake2b(f"{self.image_size} {self.color_jitter}".encode(), digest_size=8)
        for folder in (self.training, self.validation):
            digest.update(b"\0\0" + folder.names())
        return digest.hexdigest()
