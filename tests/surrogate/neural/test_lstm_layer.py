import pytest
import torch

from pnas_surrogate._neural._lstm_layer import LastHidden, activate, squash

N_MEMBERS, N_INPUTS, HIDDEN_SIZE = 2, 3, 2


@pytest.fixture
def weight():
    shape = (N_MEMBERS, HIDDEN_SIZE + N_INPUTS, 4 * HIDDEN_SIZE)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()


@pytest.fixture
def inputs():
    """Sequences of 4, 2, 2 and 1 steps."""
    inputs = torch.randn(N_MEMBERS, 4, 4, N_INPUTS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for row, length in enumerate([4, 2, 2, 1]):
        inputs[:, row, : 4 - length] = 0
    return inputs


@pytest.mark.parametrize("n_running", [[1, 1, 3, 4], [4, 4, 4, 4], [0, 0, 3, 4]])
def test_the_gradient_is_that_of_small_differences(inputs, weight, n_running):
    assert torch.autograd.gradcheck(lambda weight: LastHidden.apply(inputs, weight, n_running), [weight])


def test_steps_before_a_start_make_no_difference(inputs, weight):
    results = []
    for n_running in ([1, 1, 3, 4], [4, 4, 4, 4]):
        hidden = LastHidden.apply(inputs, weight, n_running)
        results.append((hidden, torch.autograd.grad(hidden.square().sum(), weight)[0]))
    torch.testing.assert_close(*results)


def test_gates_and_cells_go_through_sigmoids_and_hyperbolic_tangents():
    values = torch.linspace(-30, 30, 4 * 50).view(1, 50, 4)
    expected = torch.cat([values[..., :2].sigmoid(), values[..., 2:3].tanh(), values[..., 3:].sigmoid()], 2)
    torch.testing.assert_close(torch.cat(activate(values.clone()), 2), expected)
    torch.testing.assert_close(squash(values), values.tanh())
