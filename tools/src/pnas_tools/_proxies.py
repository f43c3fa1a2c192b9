"""How networks of the benchmarks of pnas-search are trained: so small that a table is an hour or two of two cores."""

from dataclasses import dataclass

from pnas_tools._arithmetic import PORTABLE
from pnas_tools._config import SearchConfig


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """How the networks of a benchmark are trained, and on what.

    Attributes:
        config: of its searches, and of every training.
        images: in words.
        is_embedded: whether the images come with PNAS, so that nobody need say where they are.
        images_digest: of those that others are refused for; None where all will do.
    """

    config: SearchConfig
    images: str
    is_embedded: bool
    images_digest: str | None = None


_DIGITS = SearchConfig(
    dataset="digits",
    n_blocks=5,
    beam_size=20,
    n_filters=4,
    n_repeats=2,
    n_epochs=4,
    batch_size=96,
    learning_rate=0.02,
    validation_fraction=0.5,
    arithmetic=PORTABLE,
)

_PHOTOS = SearchConfig(
    dataset="cifar10_jpeg/train",
    n_blocks=5,
    beam_size=20,
    n_filters=4,
    n_repeats=2,
    n_epochs=3,
    batch_size=64,
    learning_rate=0.02,
    validation_fraction=0.1,
    train_images=4000,
    shrink_to=8,
    arithmetic=PORTABLE,
)

PROXIES = {
    "micro-digits": Proxy(
        config=_DIGITS,
        images="scikit-learn's handwritten digits, 8x8",
        is_embedded=True,
        images_digest="3b52e34c36324cf2",
    ),
    "micro-cifar10": Proxy(
        config=_PHOTOS,
        images="CIFAR-10 as JPEG files, shrunk to 8x8",
        is_embedded=False,
        images_digest="3993b4e52496322c",
    ),
}
