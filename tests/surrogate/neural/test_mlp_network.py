import numpy as np
import pytest
import torch
from torch import Tensor

from pnas_surrogate import SequenceSpec
from pnas_surrogate._neural._mlp_network import MLPNetwork
from pnas_surrogate._sequences import pack

N_MEMBERS = 3
RAGGED = [[0, 7, 5, 0], [1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5], [3, 3, 3, 3, 2, 2, 2, 2], [4, 1, 0, 7, 4, 1, 0, 7]]


@pytest.fixture
def network(spec: SequenceSpec) -> MLPNetwork:
    return MLPNetwork(
        spec,
        n_members=N_MEMBERS,
        embedding_size=6,
        hidden_size=9,
        initial_bias=1.8,
        # Far apart, so that tokens matter at once.
        embedding_range=2.0,
        generator=torch.Generator().manual_seed(0),
    )


def predict_alone(network: MLPNetwork, spec: SequenceSpec, member: int, sequence: list[int]) -> Tensor:
    return predict([parameter[member].detach() for parameter in network.parameters], spec, sequence)


def predict(parameters: list[Tensor], spec: SequenceSpec, sequence: list[int]) -> Tensor:
    """One member on one sequence, as the paper tells it: embed, concatenate a group, average the groups, two layers."""
    tables = dict(zip(spec.vocabulary, parameters, strict=False))
    weight_1, bias_1, weight_2, bias_2, weight_3, bias_3 = parameters[len(tables) :]
    embedded = [tables[spec.kinds[t % len(spec.kinds)]][token] for t, token in enumerate(sequence)]
    groups = torch.stack(embedded).view(-1, len(spec.kinds) * embedded[0].numel())
    hidden = torch.relu(groups.mean(0) @ weight_1 + bias_1)
    return torch.sigmoid(torch.relu(hidden @ weight_2 + bias_2) @ weight_3 + bias_3).squeeze()


def test_the_batched_network_is_every_member_on_every_sequence_alone(network, spec):
    expected = [[predict_alone(network, spec, member, row) for row in RAGGED] for member in range(N_MEMBERS)]
    expected = torch.tensor(expected)
    assert expected.std() > 0.01
    tokens = pack(RAGGED, spec)
    inputs = network.prepare(tokens).expand(N_MEMBERS, -1, -1)
    torch.testing.assert_close(network.training_scores(inputs).detach(), expected)
    np.testing.assert_allclose(network.scores(tokens), expected, rtol=1e-5)


def test_sequences_of_each_members_own_give_what_shared_ones_give(network, spec):
    inputs = network.prepare(pack(RAGGED, spec))
    shared = network.training_scores(inputs.expand(N_MEMBERS, -1, -1))
    own = network.training_scores(torch.stack([inputs, inputs.flip(0), inputs.roll(1, 0)]))
    torch.testing.assert_close(own, torch.stack([shared[0], shared[1].flip(0), shared[2].roll(1)]))


def test_gradients_are_those_of_every_sequence_alone(network, spec):
    inputs = network.prepare(pack(RAGGED, spec)).expand(N_MEMBERS, -1, -1)
    gradients = torch.autograd.grad(network.training_scores(inputs).sum(), network.parameters)
    for member in range(N_MEMBERS):
        own = [parameter[member].detach().clone().requires_grad_() for parameter in network.parameters]
        expected = torch.autograd.grad(sum(predict(own, spec, row) for row in RAGGED), own)
        torch.testing.assert_close([gradient[member] for gradient in gradients], [*expected])


def test_more_sequences_than_are_scored_at_once_score_the_same(network, spec):
    tokens = pack(RAGGED, spec)
    np.testing.assert_allclose(
        network.scores(np.tile(tokens, (1100, 1, 1))), np.tile(network.scores(tokens), 1100), rtol=1e-5
    )


def test_a_new_network_scores_about_the_sigmoid_of_its_initial_bias(spec):
    network = MLPNetwork(
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
