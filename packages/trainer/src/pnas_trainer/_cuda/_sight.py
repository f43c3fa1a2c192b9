from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from pnas_trainer._arguments import paddings, pair
from pnas_trainer._metadata import METADATA
from pnas_trainer._windows import NotRecordableError, Sight, Window

_Sights = tuple[Sight, Sight]
_SETTINGS = (bool, int, float, str, tuple, list, type(None))
_known: dict[Hashable, _Sights | None] = {}


@torch.no_grad()
def sights(convolution: nn.Conv2d, images: Tensor) -> _Sights | None:
    """What a convolution sees of the rows and columns of such images; None where that is no window.

    Whatever pads, slices and convolves in `forward` is looked at as it does so, so classes of anybody's own are
    understood.
    """
    key = _key(convolution, images)
    if key is None:
        return _watched(convolution, images)
    if key not in _known:
        _known[key] = _watched(convolution, images)
    return _known[key]


def _key(convolution: nn.Conv2d, images: Tensor) -> Hashable | None:
    """Equal where the same is seen; None where an attribute is an object, which may do anything."""
    # Dictionaries and a set are what every module has.
    settings = {name: value for name, value in vars(convolution).items() if not isinstance(value, (dict, set))}
    if not all(isinstance(value, _SETTINGS) for value in settings.values()):
        return None
    return type(convolution), str(settings), tuple(images.shape[1:])


def _watched(convolution: nn.Conv2d, images: Tensor) -> _Sights | None:
    # Autocast would remember weights that were read here, where nothing has a gradient.
    with (
        torch.autocast(images.device.type, enabled=False),
        _Watch(images.new_zeros(1, *images.shape[1:], dtype=convolution.weight.dtype)) as watch,
    ):
        result = convolution(watch.images)
    return watch.sights if watch.problem is None and result is watch.result else None


class _Watch(TorchFunctionMode):
    """Follows images through padding and slices into a convolution."""

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.images = images
        self.sights: _Sights | None = None
        self.result: Any = images
        self.problem: str | None = None
        self._window = Window.whole(images)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func not in METADATA and self.problem is None:
            try:
                self._follow(func, *args, **(kwargs or {}))
            except (NotRecordableError, TypeError) as error:
                self.problem = str(error)
            self.result = result
        return result

    def _follow(self, func: Any, input: Any, *args: Any, **kwargs: Any) -> None:
        if input is not self.result or self.sights is not None:
            raise NotRecordableError("something beside one convolution")
        if func is F.pad:
            self._window = self._window.with_call_of_pad(*args, **kwargs)
        elif func is Tensor.__getitem__:
            self._window = self._window.with_index(*args)
        elif func is F.conv2d:
            self.sights = self._convolved(*args, **kwargs)
        else:
            raise NotRecordableError(getattr(func, "__name__", repr(func)))

    def _convolved(
        self,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
    ) -> _Sights:
        kernel, strides, dilations = (weight.shape[2], weight.shape[3]), pair(stride), pair(dilation)
        if strides is None or dilations is None:
            raise NotRecordableError("settings of a form that is left to PyTorch")
        both_sides = paddings(padding, kernel, strides, dilations)
        if both_sides is None:
            raise NotRecordableError("another padding on one side")
        return self._window.sights(kernel, strides, both_sides, dilations, 0.0)
