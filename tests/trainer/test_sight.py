import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pnas_trainer._cuda._sight import sights
from pnas_trainer._windows import Sight

IMAGES = torch.zeros(2, 3, 9, 8)


def test_the_settings_of_a_convolution_are_what_it_sees():
    convolution = nn.Conv2d(3, 3, (3, 5), (1, 2), (1, 4), (1, 2), groups=3)
    assert sights(convolution, IMAGES) == (Sight(3, 9, -1, 1, 1), Sight(5, 4, -4, 2, 2))


def test_padding_by_name():
    assert sights(nn.Conv2d(3, 3, 5, padding="same"), IMAGES) == (Sight(5, 9, -2, 1, 1), Sight(5, 8, -2, 1, 1))


class Padded(nn.Conv2d):
    def forward(self, input):
        return F.conv2d(F.pad(input, (0, 1, 1, 2))[:, :, ::2, :], self.weight)


def test_padding_and_slices_of_somebodys_own_are_followed():
    assert sights(Padded(3, 3, 3, bias=False), IMAGES) == (Sight(3, 4, -1, 2, 2), Sight(3, 7, 0, 1, 1))


def test_sizes_are_kept_apart():
    convolution = nn.Conv2d(3, 3, 3)
    assert sights(convolution, IMAGES) != sights(convolution, IMAGES[:, :, 1:])


class Around(nn.Conv2d):
    def __init__(self, change):
        super().__init__(3, 3, 3)
        self.change = change

    def forward(self, input):
        return self.change(super().forward, input)


@pytest.mark.parametrize(
    "change",
    [
        lambda convolve, x: convolve(x) + 1,
        lambda convolve, x: convolve(x + 1),
        lambda convolve, x: convolve(convolve(x)),
        lambda convolve, x: (convolve(x), x)[1],
        lambda convolve, x: (convolve(x), F.conv2d(x, torch.ones(3, 3, 3, 3)))[0],
        lambda convolve, x: convolve(F.pad(x, (1, 1, 1, 1), value=2.0)),
        lambda convolve, x: convolve(F.pad(x, (1, 1, 1, 1), mode="reflect")),
        lambda convolve, x: convolve(F.pad(F.pad(x, (1, 1, 1, 1))[:, :, 1:], (0, 0, 1, 0))[:, :, :, 1:]),
        lambda convolve, x: convolve(x[:1]),
        lambda convolve, x: convolve(torch.zeros_like(x)),
    ],
)
def test_what_else_a_convolution_does_is_no_window(change):
    assert sights(Around(change), IMAGES) is None


def test_reflections_are_no_window():
    assert sights(nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), IMAGES) is None
