"""The policy against the same network written out, and as what it is: probabilities."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from pnas_search import ReinforceConfig  # noqa: E402  # after PyTorch is known to be there
from pnas_search._strategies._reinforce._policy import Policy  # noqa: E402
from pnas_searchspace import CellSpace  # noqa: E402


def make_policy(space: CellSpace, n_blocks: int, *, initial_range: float = 0.1, seed: int = 0) -> Policy:
    config = ReinforceConfig(hidden_size=6, embedding_size=5, initial_range=initial_range)
    return Policy(space, n_blocks, config, np.random.default_rng(seed))


def all_spellings(space: CellSpace, n_blocks: int) -> NDArray[np.int64]:
    """Of all encodings of a size, `(N, 4 * n_blocks)`."""
    n_operations = len(space.operations)
    choices = [range(n) for block in range(n_blocks) for n in 2 * (space.n_cell_inputs + block, n_operations)]
    return np.array(list(itertools.product(*choices)))


def written_out(policy: Policy, spelling: NDArray[np.int64], n_cell_inputs: int) -> tuple[list[float], list[float]]:
    """Log-probabilities and entropies of one spelling's tokens, a number at a time where that is possible."""
    arrays = {name: weight.detach().double().numpy() for name, weight in policy.named_parameters()}
    size = arrays["lstm.weight_hh_l0"].shape[1]
    n_inputs = len(arrays["heads.0.weight"])
    h, c = np.zeros(size), np.zeros(size)
    row = len(arrays["embedding.weight"]) - 1
    log_probabilities, entropies = [], []
    for place, token in enumerate(spelling):
        gates = arrays["lstm.weight_ih_l0"] @ arrays["embedding.weight"][row] + arrays["lstm.bias_ih_l0"]
        gates = gates + arrays["lstm.weight_hh_l0"] @ h + arrays["lstm.bias_hh_l0"]
        i, f, g, o = gates.reshape(4, size)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        is_operation = place % 2
        scores = arrays[f"heads.{is_operation}.weight"] @ h + arrays[f"heads.{is_operation}.bias"]
        if not is_operation:
            scores = scores[: n_cell_inputs + place // 4]
        probabilities = np.exp(scores) / np.exp(scores).sum()
        log_probabilities.append(np.log(probabilities[token]))
        entropies.append(-sum(p * np.log(p) for p in probabilities))
        row = token + (n_inputs if is_operation else 0)
    return log_probabilities, entropies


def test_the_policy_is_the_network_written_out() -> None:
    space = CellSpace(("a", "b", "c"), n_cell_inputs=2)
    policy = make_policy(space, 3, initial_range=1)
    spellings = np.random.default_rng(1).choice(all_spellings(space, 2), 8)
    spellings = np.concatenate([spellings, [[3, 0, 2, 1], [0, 2, 3, 2]] * 4], axis=1)
    log_probabilities, entropies = policy(torch.from_numpy(spellings))
    for row, spelling in enumerate(spellings):
        expected = written_out(policy, spelling, 2)
        np.testing.assert_allclose(log_probabilities[row].detach(), expected[0], rtol=1e-5)
        np.testing.assert_allclose(entropies[row].detach(), expected[1], rtol=1e-5)


@pytest.mark.parametrize("initial_range", [0.1, 2.0])
def test_the_probabilities_of_all_spellings_sum_to_one(initial_range: float) -> None:
    space = CellSpace(("a", "b", "c"), n_cell_inputs=1)
    spellings = all_spellings(space, 2)
    assert len(spellings) == space.count(2, up_to="nothing")
    log_probabilities, entropies = make_policy(space, 2, initial_range=initial_range)(torch.from_numpy(spellings))
    of_spellings = log_probabilities.double().sum(1)
    assert of_spellings.exp().sum().item() == pytest.approx(1, abs=1e-5)
    # The chain rule: a spelling's entropy is what is expected of the sum of its tokens'.
    entropy = -(of_spellings.exp() * of_spellings).sum().item()
    assert (of_spellings.exp() * entropies.double().sum(1)).sum().item() == pytest.approx(entropy, abs=1e-5)


def test_spellings_are_drawn_as_often_as_is_probable() -> None:
    space = CellSpace(("a",))
    policy = make_policy(space, 2, initial_range=1.5)
    spellings = all_spellings(space, 2)
    n = 40_000
    drawn = policy.sample(np.random.default_rng(0).random((n, 8)))
    counts = (drawn[:, None] == spellings).all(2).sum(0)
    assert counts.sum() == n
    probabilities = policy(torch.from_numpy(spellings))[0].sum(1).exp().detach().numpy()
    assert probabilities.max() > 4 * probabilities.min()
    assert (np.abs(counts - n * probabilities) < 4.5 * np.sqrt(n * probabilities)).all()


def test_the_smallest_and_largest_numbers_choose_the_first_and_last_tokens_that_there_are() -> None:
    policy = make_policy(CellSpace(("a", "b", "c")), 3)
    uniforms = np.array([[0.0] * 12, [np.nextafter(1, 0)] * 12])
    assert policy.sample(uniforms).tolist() == [[0] * 12, [1, 2, 1, 2, 2, 2, 2, 2, 3, 2, 3, 2]]


def test_impossible_tokens_leave_every_gradient_finite() -> None:
    policy = make_policy(CellSpace(("a", "b")), 3)
    log_probabilities, entropies = policy(torch.zeros(2, 12, dtype=torch.int64))
    (log_probabilities.sum() + entropies.sum()).backward()
    for weight in policy.parameters():
        assert weight.grad is not None
        assert weight.grad.isfinite().all()


def test_first_weights_are_uniform_and_those_of_the_seed_alone() -> None:
    state = torch.random.get_rng_state()
    policy, same, other = (make_policy(CellSpace(), 5, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    weights, others = (torch.cat([weight.flatten() for weight in made.parameters()]) for made in (policy, other))
    assert torch.equal(weights, torch.cat([weight.flatten() for weight in same.parameters()]))
    assert not torch.equal(weights, others)
    assert 0.099 < weights.max() <= 0.1
    assert -0.1 <= weights.min() < -0.099
    assert abs(weights.std().item() - 0.2 / 12**0.5) < 0.003
