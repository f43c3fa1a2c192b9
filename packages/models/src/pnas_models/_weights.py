"""Published weights as data: where they are, what they expect, and how good they are."""

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pnas_models._checkpoints._load import SourceName

if TYPE_CHECKING:
    from pnas_models._transforms import ImageClassification

_TENSORFLOW_HOSTS = (
    "https://storage.googleapis.com/download.tensorflow.org/models",
    "https://download.tensorflow.org/models",
)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One published file of weights, and all that one needs to use it.

    Attributes:
        model: the name for `create_model`.
        source: whose file it is, for `load_weights`.
        urls: where it is, the first that answers wins.
        file_name: under which it is kept.
        sha256: of the file, or the first digits of it, where somebody has published it; None means that the digest of
            the first download is recorded and holds from then on.
        n_bytes: of the file, where it is known.
        num_classes: of the file's classifier; of 1001, the first is TensorFlow's background.
        image_size: pixels of the images' sides.
        crop: share of an image that evaluation keeps.
        squash: see `ImageClassification`.
        interpolation: for resizing.
        mean: of the images' channels, which lie in [0, 1] before.
        std: of the same.
        top_1: accuracy on ImageNet's validation set in percent, as who published it says.
        top_5: the same of the five best.
        n_parameters: with 1000 classes.
        n_multiply_adds: for one image, with 1000 classes.
        license: an SPDX identifier.
        url: what to read about it.
    """

    model: str
    source: SourceName
    urls: tuple[str, ...]
    file_name: str
    sha256: str | None
    n_bytes: int | None = None
    num_classes: int
    image_size: int
    crop: float
    squash: bool
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    top_1: float
    top_5: float
    n_parameters: int
    n_multiply_adds: int
    license: str = "Apache-2.0"
    url: str

    def transforms(self, image_size: int | None = None) -> "ImageClassification":
        """What the images of the published accuracy went through; another size may be asked for."""
        from torchvision.transforms.v2 import InterpolationMode

        from pnas_models._transforms import ImageClassification  # torchvision takes seconds to import

        return ImageClassification(
            self.image_size if image_size is None else image_size,
            crop=self.crop,
            squash=self.squash,
            interpolation=InterpolationMode(self.interpolation),
            mean=self.mean,
            std=self.std,
        )

    @property
    def categories(self) -> tuple[str, ...]:
        """The names of ImageNet's 1000 classes in the order of the logits, without the background (torchvision's)."""
        from torchvision.models import ResNet18_Weights

        return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


class PublishedWeights(Enum):
    """The weights of one network, in torchvision's manner; every member's value is a `Weights`."""

    def transforms(self, image_size: int | None = None) -> "ImageClassification":
        """As of `Weights`."""
        weights: Weights = self.value
        return weights.transforms(image_size)

    @property
    def url(self) -> str:
        """The first place to fetch them from."""
        weights: Weights = self.value
        return weights.urls[0]

    @property
    def meta(self) -> dict[str, Any]:
        """What torchvision keeps under that name, its keys included."""
        weights: Weights = self.value
        return {
            "categories": list(weights.categories),
            "num_params": weights.n_parameters,
            "recipe": weights.url,
            "license": weights.license,
            "_metrics": {"ImageNet-1K": {"acc@1": weights.top_1, "acc@5": weights.top_5}},
            "_ops": weights.n_multiply_adds / 1e9,
        }


_SLIM = "https://github.com/tensorflow/models/tree/master/research/slim"
_LARGE = partial(
    Weights, model="pnasnet5_large", image_size=331, n_parameters=86_057_668, n_multiply_adds=24_937_395_792
)
_MOBILE = partial(Weights, model="pnasnet5_mobile", image_size=224, n_parameters=5_064_487, n_multiply_adds=587_293_200)


class PNASNet5LargeWeights(PublishedWeights):
    """What has been published of PNASNet-5 Large: three files of one training run, with nearly the same numbers."""

    TENSORFLOW = _LARGE(
        source="tensorflow",
        urls=tuple(f"{host}/pnasnet-5_large_2017_12_13.tar.gz" for host in _TENSORFLOW_HOSTS),
        file_name="pnasnet-5_large_2017_12_13.tar.gz",
        sha256=None,
        num_classes=1001,
        crop=0.875,
        squash=True,
        interpolation="bilinear",
        top_1=82.9,
        top_5=96.2,
        url=_SLIM,
    )
    TIMM = _LARGE(
        source="timm",
        urls=("https://huggingface.co/timm/pnasnet5large.tf_in1k/resolve/main/model.safetensors",),
        file_name="pnasnet5large.tf_in1k.safetensors",
        sha256=None,
        num_classes=1000,
        crop=0.911,
        squash=False,
        interpolation="bicubic",
        top_1=82.81,
        top_5=96.03,
        url="https://huggingface.co/timm/pnasnet5large.tf_in1k",
    )
    CADENE = _LARGE(
        source="cadene",
        urls=("http://data.lip6.fr/cadene/pretrainedmodels/pnasnet5large-bf079911.pth",),
        file_name="pnasnet5large-bf079911.pth",
        sha256="bf079911",
        num_classes=1001,
        crop=0.875,
        squash=False,
        interpolation="bilinear",
        top_1=82.74,
        top_5=95.99,
        url="https://github.com/Cadene/pretrained-models.pytorch",
    )
    DEFAULT = TENSORFLOW


class PNASNet5MobileWeights(PublishedWeights):
    """What has been published of PNASNet-5 Mobile: TensorFlow's checkpoint alone."""

    TENSORFLOW = _MOBILE(
        source="tensorflow",
        urls=tuple(f"{host}/pnasnet-5_mobile_2017_12_13.tar.gz" for host in _TENSORFLOW_HOSTS),
        file_name="pnasnet-5_mobile_2017_12_13.tar.gz",
        sha256=None,
        num_classes=1001,
        crop=0.875,
        squash=True,
        interpolation="bilinear",
        top_1=74.2,
        top_5=91.9,
        url=_SLIM,
    )
    DEFAULT = TENSORFLOW
