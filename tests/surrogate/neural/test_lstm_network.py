import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pnas_surrogate import SequenceSpec
from pnas_surrogate._neural._lstm_network import LSTMNetwork
from pnas_surrogate._sequences import pack

N_MEMBERS, EMBEDDING_SIZE, HIDDEN_SIZE = 3, 6, 9
RAGGED = [[0, 7, 5, 0], [1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5], [3, 3, 3, 3, 2, 2, 2, 2], [4, 1, 0, 7, 4, 1, 0, 7]]


@pytest.fixture
def network(spec: SequenceSpec) -> LSTMNetwork:
    return LSTMNetwork(
        spec,
        n_members=N_MEMBERS,
        embedding_size=EMBEDDING_SIZE,
        hidden_size=HIDDEN_SIZE,
        initial_bias=1.8,
        # Far apart, so that tokens matter at once.
        embedding_range=2.0,
        generator=torch.Generator().manual_seed(0),
    )


def alone(network: LSTMNetwork, spec: SequenceSpec, member: int, sequence: list[int]) -> tuple[Tensor, list[Tensor]]:
    """PyTorch's own LSTM on one sequence: its score, and gradients by the network's parameters."""
    own = [parameter[member].detach().clone().requires_grad_() for parameter in network.parameters]
    tables = dict(zip(spec.vocabulary, own, strict=False))
    input_weight, recurrent_weight, bias, output_weight, output_bias = own[len(tables) :]
    lstm = nn.LSTM(EMBEDDING_SIZE, HIDDEN_SIZE)
    weights = {
        "weight_ih_l0": input_weight.T,
        "weight_hh_l0": recurrent_weight.T,
        "bias_ih_l0": bias[0],
        "bias_hh_l0": torch.zeros_like(bias[0]),
    }
    embedded = torch.stack([tables[spec.kinds[t % len(spec.kinds)]][token] for t, token in enumerate(sequence)])
    _, (hidden, _) = torch.func.functional_call(lstm, weights, embedded)
    score = torch.sigmoid(hidden @ output_weight + output_bias).squeeze()
    return score.detach(), list(torch.autograd.grad(score, own))


def test_the_batched_network_is_pytorchs_lstm_on_every_sequence_alone(network, spec):
    expected = torch.tensor([[alone(network, spec, member, row)[0] for row in RAGGED] for member in range(N_MEMBERS)])
    assert expected.std() > 0.005
    tokens = pack(RAGGED, spec)
    inputs = network.prepare(tokens).expand(N_MEMBERS, -1, -1, -1)
    torch.testing.assert_close(network.training_scores(inputs).detach(), expected)
    np.testing.assert_allclose(network.scores(tokens), expected, rtol=1e-5)


def test_gradients_are_those_of_pytorchs_lstm_whatever_order_a_members_sequences_have(network, spec):
    order = torch.tensor([[0, 1, 2, 3], [3, 1, 0, 2], [2, 2, 0, 0]])
    weights = torch.randn(order.shape, generator=torch.Generator().manual_seed(0))
    scores = network.training_scores(network.prepare(pack(RAGGED, spec))[order])
    gradients = torch.autograd.grad((scores * weights).sum(), network.parameters)
    for member in range(N_MEMBERS):
        of_each = [alone(network, spec, member, RAGGED[row])[1] for row in order[member]]
        expected = [
            sum(weight * gradient for weight, gradient in zip(weights[member], of_one, strict=True))
            for of_one in zip(*of_each, strict=True)
        ]
        torch.testing.assert_close([gradient[member] for gradient in gradients], expected, rtol=1e-4, atol=1e-6)


def test_sequences_that_share_prefixes_score_what_each_scores_without_sharing(network, spec, draw_sequences):
    """Of few tokens, so that they share many; more of them than are scored at once."""
    rows = [row % 2 for n_groups in (1, 4, 2, 3) for row in draw_sequences(150, n_groups, n_groups)]
    tokens = pack([rows[index] for index in np.random.default_rng(0).permutation(len(rows))], spec)
    separately = network.training_scores(network.prepare(tokens).expand(N_MEMBERS, -1, -1, -1)).detach()
    assert separately[0].unique().numel() > 100
    np.testing.assert_allclose(network.scores(tokens), separately, rtol=1e-5)


def test_a_new_network_scores_about_the_sigmoid_of_its_initial_bias(spec):
    network = LSTMNetwork(
        spec,
        n_members=50,
        embedding_size=100,
        hidden_size=100,
        initial_bias=1.8,
        embedding_range=0.1,
        generator=torch.Generator().manual_seed(0),
    )
    scores = network.scores(pack(RAGGED, spec))
    assert scores.mean() == pytest.approx(0.858149, abs=0.01)
    assert np.abs(scores - 0.858149).max() < 0.1
    for table in network.embeddings.values():
        assert 0.099 < table.abs().max() <= 0.1
