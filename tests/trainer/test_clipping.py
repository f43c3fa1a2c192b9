import pytest
import torch
from torch import nn

from pnas_trainer import TrainerError
from pnas_trainer._clipping import clip_gradients


def draw() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator) for shape in [(4, 3, 2, 2), (5,), ()]]


@pytest.mark.parametrize("max_norm", [0.01, 1.0, 7.5, 1e6])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4, float("nan"), float("inf")])
@pytest.mark.parametrize("n_gradients", [1, 3])
def test_it_is_pytorchs_clipping(max_norm, scale, n_gradients):
    gradients = [gradient * scale for gradient in draw()[:n_gradients]]
    parameters = [torch.zeros_like(gradient) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    expected = nn.utils.clip_grad_norm_(parameters, max_norm)
    norm = clip_gradients(gradients, max_norm)
    torch.testing.assert_close(norm, expected, equal_nan=True)
    torch.testing.assert_close(gradients, [parameter.grad for parameter in parameters], equal_nan=True)


def test_what_is_short_enough_stays_as_it_is():
    gradients = draw()
    clip_gradients(gradients, 1e3)
    assert all(torch.equal(ours, drawn) for ours, drawn in zip(gradients, draw(), strict=True))


def test_no_gradients_have_a_norm_of_0():
    assert clip_gradients([], 5.0) == 0


@pytest.mark.parametrize("max_norm", [0.0, -1.0, float("nan")])
def test_a_norm_that_nothing_can_have_is_refused(max_norm):
    with pytest.raises(TrainerError, match=f"^max_norm must be greater than 0, not {max_norm}$"):
        clip_gradients(draw(), max_norm)
