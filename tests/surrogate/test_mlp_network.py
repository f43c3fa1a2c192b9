import pytest
import torch
from torch import Tensor

from pnas_surrogate import SequenceSpec
from pnas_surrogate._mlp_network import MLPNetwork
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
    """One member on one sequence, as the paper tells it: embed, concatenate a group, average the groups, two layers."""
    own = [parameter[member].detach() for parameter in network.parameters]
    tables = dict(zip(spec.vocabulary, own, strict=False))
    weight_1, bias_1, weight_2, bias_2, weight_3, bias_3 = own[len(tables) :]
    embedded = [tables[spec.kinds[t % len(spec.kinds)]][token] for t, token in enumerate(sequence)]
    groups = torch.stack(embedded).view(-1, len(spec.kinds) * embedded[0].numel())
    hidden = torch.relu(groups.mean(0) @ weight_1 + bias_1)
    return torch.sigmoid(torch.relu(hidden @ weight_2 + bias_2) @ weight_3 + bias_3).squeeze()


def test_the_batched_network_is_every_member_on_every_sequence_alone(network, spec):
    expected = [[predict_alone(network, spec, member, row) for row in RAGGED] for member in range(N_MEMBERS)]
    expected = torch.tensor(expected)
    assert expected.std() > 0.01
    torch.testing.assert_close(network(torch.from_numpy(pack(RAGGED, spec))).detach(), expected)


def test_sequences_of_each_members_own_give_what_shared_ones_give(network, spec):
    tokens = torch.from_numpy(pack(RAGGED, spec))
    own = torch.stack([tokens, tokens.flip(0), tokens.roll(1, 0)])
    shared = network(tokens)
    torch.testing.assert_close(network(own), torch.stack([shared[0], shared[1].flip(0), shared[2].roll(1)]))


def test_no_members_gradient_depends_on_another(network, spec):
    output = network(torch.from_numpy(pack(RAGGED, spec)))
    for gradient in torch.autograd.grad(output[1].sum(), network.parameters):
        assert gradient[1].any()
        assert not gradient[[0, 2]].any()


def test_a_new_network_predicts_about_the_sigmoid_of_its_initial_bias(spec):
    network = MLPNetwork(
        spec,
        n_members=50,
        embedding_size=100,
        hidden_size=100,
        initial_bias=1.8,
        embedding_range=0.1,
        generator=torch.Generator().manual_seed(0),
    )
    predictions = network(torch.from_numpy(pack(RAGGED, spec))).detach()
    assert predictions.mean().item() == pytest.approx(0.858149, abs=0.01)
    assert (predictions - 0.858149).abs().max() < 0.1
    for table in network.parameters[: len(spec.vocabulary)]:
        assert 0.099 < table.abs().max() <= 0.1
