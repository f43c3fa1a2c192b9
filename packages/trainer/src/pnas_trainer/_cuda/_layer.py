from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pnas_trainer._windows import Sight

MOST_CHANNELS = 128
"""Of a group, that the kernels keep in registers at once."""
_TILE = 2048
"""Numbers of a map that a program has in registers at a time: with more, few programs fit on a multiprocessor."""


@dataclass(frozen=True, kw_only=True)
class Separable:
    """ReLU, depthwise convolution, 1x1 convolution within groups, and batch normalization in training mode.

    Attributes:
        depthwise: the weights `(groups * channels, 1, height, width)` of the first convolution.
        pointwise: those of the second, `(groups * out_channels, channels, 1, 1)`.
        norm: its parameters, buffers and settings.
        rows: what the depthwise convolution sees of the rows, and `columns` of the columns.
        precision: of products of float32, as Triton calls it.
    """

    depthwise: Tensor
    pointwise: Tensor
    norm: nn.BatchNorm2d
    rows: Sight
    columns: Sight
    precision: str

    @property
    def channels(self) -> int:
        """Of the input, in each group."""
        return self.pointwise.shape[1]

    @property
    def groups(self) -> int:
        return len(self.depthwise) // self.channels

    @property
    def out_channels(self) -> int:
        """In each group."""
        return len(self.pointwise) // self.groups

    @property
    def parameters(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.depthwise, self.pointwise, self.norm.weight, self.norm.bias

    @property
    def window(self) -> tuple[int, ...]:
        """Where it begins, its strides and its dilations, as the kernels take them."""
        names = ("first", "stride", "dilation")
        return tuple(getattr(axis, name) for name in names for axis in (self.rows, self.columns))

    @property
    def kernel_size(self) -> dict[str, int]:
        """As the kernels take it."""
        return {"N_ROWS": self.rows.n_taps, "N_COLUMNS": self.columns.n_taps}

    def empty_input_map(self, like: Tensor) -> Tensor:
        """To be written to: of the input's channels, and the output's size."""
        return self._empty(like, self.groups * self.channels)

    def empty_output_map(self, like: Tensor) -> Tensor:
        """To be written to."""
        return self._empty(like, self.groups * self.out_channels)

    def _empty(self, like: Tensor, channels: int) -> Tensor:
        shape = len(like), channels, self.rows.n_outputs, self.columns.n_outputs
        return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)


def block(channels: int) -> int:
    """The channels of a tile, of which some may be padding; a product needs 16 at least."""
    return max(16, 1 << (channels - 1).bit_length())


def pixels_of_tile(channels: int, at_least: int = 16) -> int:
    """Of a tile with so many channels; again a product needs 16."""
    return max(at_least, _TILE // channels)
