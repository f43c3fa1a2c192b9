"""Which pixels the taps of a window see, through padding and slices that nobody has to carry out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar


class NotRecordableError(Exception):
    """A model does something that nothing is written for; PyTorch computes it then."""


class Shaped(Protocol):
    """Images `(N, C, H, W)`."""

    @property
    def shape(self) -> Sequence[int]: ...


Images = TypeVar("Images", bound=Shaped)


@dataclass(frozen=True)
class Sight:
    """Which pixels of an axis the taps of a window see: output `h` and tap `i` see `first + stride * h + dilation * i`.

    What lies outside the images was padding.
    """

    n_taps: int
    n_outputs: int
    first: int
    stride: int
    dilation: int


@dataclass(frozen=True)
class Axis:
    """Rows or columns that are taken out of those of some images: `first`, `first + step`, and so on, `size` of them.

    Those outside `[low, high)` are padding.
    """

    first: int
    step: int
    size: int
    low: int
    high: int

    @classmethod
    def whole(cls, size: int) -> Self:
        return cls(0, 1, size, 0, size)

    def padded(self, before: int, after: int) -> Self:
        low, high = self._seen()
        return type(self)(self.first - before * self.step, self.step, self.size + before + after, low, high)

    def sliced(self, taken: slice) -> Self:
        start, stop, step = taken.indices(self.size)
        low, high = self._seen()
        return type(self)(self.first + start * self.step, self.step * step, len(range(start, stop, step)), low, high)

    def sight(self, length: int, n_taps: int, stride: int, dilation: int) -> Sight:
        """What taps see, of images that are `length` along this axis.

        Raises:
            NotRecordableError: nothing, or padding within the images.
        """
        n_outputs = (self.size - dilation * (n_taps - 1) - 1) // stride + 1
        sight = Sight(n_taps, n_outputs, self.first, stride * self.step, dilation * self.step)
        seen = {sight.first + sight.stride * h + sight.dilation * i for h in range(n_outputs) for i in range(n_taps)}
        if n_outputs < 1 or any(0 <= place < length and not self.low <= place < self.high for place in seen):
            raise NotRecordableError("padding within an image")
        return sight

    def _seen(self) -> tuple[int, int]:
        """From where to where the images are seen through it."""
        return max(self.low, self.first), min(self.high, self.first + self.step * (self.size - 1) + 1)


@dataclass(frozen=True)
class Window(Generic[Images]):
    """A part of images with padding around it or none, that is not copied before somebody reads it."""

    of: Images
    rows: Axis
    columns: Axis
    padding: float | None = None

    @classmethod
    def whole(cls, images: Images) -> Self:
        return cls(images, Axis.whole(images.shape[2]), Axis.whole(images.shape[3]))

    def padded(self, rows: tuple[int, int], columns: tuple[int, int], number: float) -> Self:
        """With that number around it.

        Raises:
            NotRecordableError: there is another one already.
        """
        if not any((*rows, *columns)):
            return self
        if self.padding not in (None, number):
            raise NotRecordableError("padding with two numbers")
        return type(self)(self.of, self.rows.padded(*rows), self.columns.padded(*columns), number)

    def sliced(self, rows: slice, columns: slice) -> Self:
        return type(self)(self.of, self.rows.sliced(rows), self.columns.sliced(columns), self.padding)

    def sights(
        self,
        kernel: tuple[int, int],
        strides: tuple[int, int],
        padding: tuple[int, int],
        dilations: tuple[int, int],
        number: float,
    ) -> tuple[Sight, Sight]:
        """What the taps of a convolution or a pool see along rows and columns, which itself pads with `number`.

        Raises:
            NotRecordableError: they see padding within the images, or other padding.
        """
        padded = self.padded((padding[0], padding[0]), (padding[1], padding[1]), number)
        if padded.padding not in (None, number):
            raise NotRecordableError("padding with another number")
        height, width = self.of.shape[2:]
        return (
            padded.rows.sight(height, kernel[0], strides[0], dilations[0]),
            padded.columns.sight(width, kernel[1], strides[1], dilations[1]),
        )

    def with_call_of_pad(self, pad: Any, mode: str = "constant", value: float | None = None) -> Self:
        """As `torch.nn.functional.pad` leaves it, whose arguments these are.

        Raises:
            NotRecordableError: that leaves no window.
        """
        if mode != "constant" or len(pad) not in (2, 4) or min(pad) < 0:
            raise NotRecordableError("padding of another kind than with a number around images")
        left, right, top, bottom = (*pad, 0, 0)[:4]
        return self.padded((top, bottom), (left, right), value or 0.0)

    def with_index(self, index: Any) -> Self:
        """As `images[index]` leaves it.

        Raises:
            NotRecordableError: that leaves no window.
        """
        everything = slice(None)
        is_known = isinstance(index, tuple) and len(index) == 4 and index[:2] == (everything, everything)
        if not is_known or not all(isinstance(part, slice) and (part.step or 1) > 0 for part in index):
            raise NotRecordableError("an index of another kind than slices of rows and columns")
        return self.sliced(index[2], index[3])


def windows(rows: Sight, columns: Sight) -> tuple[int, ...]:
    """Of both axes by turns, as kernels take them."""
    pairs = zip(vars(rows).values(), vars(columns).values(), strict=True)
    return tuple(number for pair in pairs for number in pair)
