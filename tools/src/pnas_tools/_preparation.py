"""What images go through before a trained network sees them; its file of weights carries it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pnas_tools._errors import BadInput

if TYPE_CHECKING:  # importing torch takes seconds
    from torch import Tensor

    from pnas_trainer import ImageDataset, ImageFolders, Preprocessing

NOTE = "images"
"""The name under which a file of weights has it."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How images become a network's input, as plain data.

    Attributes:
        kind: `memory` where all images are of one size, `folder` where the middle of each is resized as it is read.
        dataset: that the network was trained on.
        channels, height, width: of the images, after `shrink_to`; of a folder, as they are once resized.
        classes: their names in the order of the logits, where the data set has names.
        shrink_to: side that images were given by means over squares, for `memory`.
        mean, std: of the training images' channels, for `memory`.
        preprocessing: the fields of `pnas_trainer.Preprocessing`, for `memory`.
    """

    kind: Literal["memory", "folder"]
    dataset: str
    channels: int
    height: int
    width: int
    classes: tuple[str, ...] | None = None
    shrink_to: int | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    preprocessing: dict[str, Any] | None = None

    @classmethod
    def of_memory(
        cls,
        dataset: str,
        data: "ImageDataset",
        preprocessing: "Preprocessing",
        *,
        shrink_to: int | None,
        classes: tuple[str, ...] | None,
    ) -> Self:
        from pnas_trainer import Preprocessor

        statistics = Preprocessor(preprocessing, data.train_images)
        channels, height, width = data.train_images.shape[1:]
        return cls(
            kind="memory",
            dataset=dataset,
            channels=channels,
            height=height,
            width=width,
            classes=classes,
            shrink_to=shrink_to,
            mean=statistics.mean,
            std=statistics.std,
            preprocessing=asdict(preprocessing),
        )

    @classmethod
    def of_folders(cls, dataset: str, data: "ImageFolders") -> Self:
        size = data.image_size
        return cls(kind="folder", dataset=dataset, channels=3, height=size, width=size, classes=data.classes)

    @classmethod
    def of_file(cls, path: Path) -> Self | None:
        """What a file of weights says; None where it says nothing.

        Raises:
            BadInput: what it says cannot be understood.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="pt") as file:
                text = (file.metadata() or {}).get(NOTE)
        except (SafetensorError, OSError):  # TensorFlow's or PyTorch's, or damaged, which reading the weights will tell
            return None
        return None if text is None else cls._parsed(path, text)

    @classmethod
    def _parsed(cls, path: Path, text: str) -> Self:
        try:
            fields: dict[str, Any] = {
                name: tuple(x) if isinstance(x, list) else x for name, x in json.loads(text).items()
            }
            made = cls(**fields)
            made.input_size  # noqa: B018  # reads what the rest relies on
        except (ValueError, TypeError, AttributeError) as error:
            raise BadInput(
                f"{path} says of its images what cannot be understood ({error}): write it again with pnas-tools train"
            ) from error
        return made

    def notes(self) -> dict[str, str]:
        """For `pnas_models.save_weights`."""
        return {NOTE: json.dumps(asdict(self))}

    @property
    def input_size(self) -> int:
        """Side in pixels of what the network sees; of images that are no squares, the shorter one."""
        settings = self.preprocessing or {}
        side = settings.get("crop_to") or settings.get("upsample_to") or settings.get("pad_to")
        return int(side or min(self.height, self.width))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an image."""
        return self.channels, self.height, self.width

    def prepared(self, images: "Tensor") -> "Tensor":
        """uint8 `(N, C, H, W)` of `shape` to the network's input, float32."""
        from pnas_trainer import Preprocessing, Preprocessor

        if self.preprocessing is None:
            return images.float().div_(127.5).sub_(1.0)
        preprocessor = Preprocessor.of_statistics(
            Preprocessing(**self.preprocessing),
            (self.height, self.width),
            mean=self.mean,
            std=self.std,
            device=images.device,
        )
        return preprocessor.for_evaluation(images)
