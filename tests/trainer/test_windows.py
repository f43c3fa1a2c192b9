"""Which pixels windows see of images that were padded and cut, against padding and cutting them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_trainer._cpu._kernels import unfold
from pnas_trainer._windows import Axis, NotRecordableError, Window, windows

bounds = st.none() | st.integers(-12, 12)
pads = st.tuples(st.integers(0, 4), st.integers(0, 4))
slices = st.builds(slice, bounds, bounds, st.none() | st.integers(1, 3))
changes = st.lists(pads | slices, max_size=4)


def changed(axis: Axis, numbers: np.ndarray, change) -> tuple[Axis, np.ndarray]:
    if isinstance(change, slice):
        return axis.sliced(change), numbers[change]
    return axis.padded(*change), np.pad(numbers, change)


def seen(numbers: np.ndarray, first: int, step: int, n: int) -> np.ndarray:
    """`n` of them, and zeros outside."""
    places = first + step * np.arange(n)
    is_inside = (places >= 0) & (places < len(numbers))
    return np.where(is_inside, numbers[np.clip(places, 0, len(numbers) - 1)], 0)


@given(st.integers(1, 10), changes)
def test_an_axis_is_what_slices_and_padding_leave(length, some_changes):
    numbers = np.arange(1, length + 1)
    axis, left = Axis.whole(length), numbers
    for change in some_changes:
        axis, left = changed(axis, left, change)
    assert axis.size == len(left)
    places = axis.first + axis.step * np.arange(axis.size)
    is_shown = (places >= max(0, axis.low)) & (places < min(length, axis.high))
    assert np.array_equal(np.where(is_shown, seen(numbers, axis.first, axis.step, axis.size), 0), left)


@given(st.integers(1, 10), changes, st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_what_taps_see_is_right_or_refused(length, some_changes, n_taps, stride, dilation):
    numbers = np.arange(1, length + 1)
    axis, left = Axis.whole(length), numbers
    for change in some_changes:
        axis, left = changed(axis, left, change)
    n_outputs = (len(left) - dilation * (n_taps - 1) - 1) // stride + 1
    expected = [left[dilation * i :: stride][: max(0, n_outputs)] for i in range(n_taps)]
    naive = [seen(numbers, axis.first + axis.step * dilation * i, axis.step * stride, n_outputs) for i in range(n_taps)]
    if n_outputs < 1 or not np.array_equal(naive, expected):
        with pytest.raises(NotRecordableError, match="padding within an image"):
            axis.sight(length, n_taps, stride, dilation)
        return
    sight = axis.sight(length, n_taps, stride, dilation)
    assert (sight.n_taps, sight.n_outputs) == (n_taps, n_outputs)
    for i in range(n_taps):
        assert np.array_equal(seen(numbers, sight.first + sight.dilation * i, sight.stride, n_outputs), expected[i])


@settings(deadline=None)  # the kernel may have to be compiled
@given(st.integers(4, 8), st.integers(4, 8), slices, slices, pads, pads)
def test_a_window_on_an_image_is_what_is_unfolded(height, width, rows, columns, row_pads, column_pads):
    image = np.arange(1, height * width + 1, dtype=np.float32).reshape(1, height, width)
    window = Window.whole(torch.empty(1, 1, height, width)).sliced(rows, columns).padded(row_pads, column_pads, 0.0)
    expected = np.pad(image[0, rows, columns], (row_pads, column_pads))
    try:
        sights = window.sights((1, 1), (1, 1), (0, 0), (1, 1), 0.0)
    except NotRecordableError:
        return  # as above
    assert (sights[0].n_outputs, sights[1].n_outputs) == expected.shape
    columns_seen = np.empty((expected.size, 1), np.float32)
    unfold(image, columns_seen, windows(*sights))
    assert np.array_equal(columns_seen.reshape(expected.shape), expected)


def whole() -> Window[torch.Tensor]:
    return Window.whole(torch.empty(2, 3, 8, 9))


def test_a_convolution_pads_what_is_padded_already():
    rows, columns = whole().padded((0, 1), (2, 3), 0.0).sights((3, 5), (2, 1), (1, 2), (1, 2), 0.0)
    assert (rows.first, rows.n_outputs) == (-1, 5)
    assert (columns.first, columns.n_outputs) == (-4, 10)
    assert windows(rows, columns) == (3, 5, 5, 10, -1, -4, 2, 1, 1, 2)


def test_padding_is_with_one_number():
    padded = whole().padded((1, 1), (1, 1), -math.inf)
    padded.sights((3, 3), (1, 1), (0, 0), (1, 1), -math.inf)
    with pytest.raises(NotRecordableError, match="another number"):
        padded.sights((3, 3), (1, 1), (0, 0), (1, 1), 0.0)
    with pytest.raises(NotRecordableError, match="two numbers"):
        padded.sights((3, 3), (1, 1), (1, 1), (1, 1), 0.0)
    with pytest.raises(NotRecordableError, match="two numbers"):
        padded.padded((0, 1), (0, 0), 0.0)
    assert padded.padded((0, 0), (0, 0), 0.0) is padded
