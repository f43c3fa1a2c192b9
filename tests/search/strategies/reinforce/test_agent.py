"""What an agent learns, against PyTorch's optimizer and the objective as the papers write it."""

import copy
from collections.abc import Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pnas_search import ReinforceConfig  # noqa: E402  # after PyTorch is known to be there
from pnas_search._strategies._reinforce._agent import Agent  # noqa: E402
from pnas_search._strategies._reinforce._config import Algorithm  # noqa: E402
from pnas_searchspace import CellSpace  # noqa: E402

REWARDS = ([0.5, 0.25, 1.0, 0.0, 0.75], [1.0, 0.5, 0.5], [0.25, 0.0, 1.0, 0.125])


def make_agent(algorithm: Algorithm = "ppo", **values: float) -> Agent:
    settings = {"hidden_size": 8, "embedding_size": 6, "entropy_weight": 0.05, "learning_rate": 0.01, **values}
    config = ReinforceConfig(**settings)
    return Agent(CellSpace(("a", "b")), 2, algorithm=algorithm, config=config, rng=np.random.default_rng(0))


def weights(agent: Agent) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in agent._policy.parameters()]


@pytest.mark.parametrize(("algorithm", "n_epochs"), [("reinforce", 4), ("ppo", 1), ("ppo", 4)])
def test_an_agent_climbs_the_objective_of_its_paper(algorithm: Algorithm, n_epochs: int) -> None:
    agent = make_agent(algorithm, n_epochs=n_epochs, baseline_decay=0.75)
    policy = copy.deepcopy(agent._policy)
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.01, maximize=True)
    baseline = float(np.mean(REWARDS[0]))
    for step, rewards in enumerate(REWARDS):
        tokens = agent.sample(np.random.default_rng(step).random((len(rewards), 8)))
        agent.learn(tokens, np.array(rewards))
        drawn_with = policy(torch.from_numpy(tokens))[0].detach()
        for _ in range(n_epochs if algorithm == "ppo" else 1):
            log_probabilities, entropies = policy(torch.from_numpy(tokens))
            objective = torch.zeros(())
            for row, reward in enumerate(rewards):
                for token in range(8):
                    ratio = (log_probabilities[row, token] - drawn_with[row, token]).exp()
                    advantage = reward - baseline
                    gain = min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
                    if algorithm == "reinforce":
                        gain = log_probabilities[row, token] * advantage
                    objective = objective + (gain + 0.05 * entropies[row, token]) / len(rewards)
            optimizer.zero_grad()
            objective.backward()
            optimizer.step()
        for reward in rewards:
            baseline = 0.75 * baseline + 0.25 * reward
        torch.testing.assert_close(weights(agent), [weight.detach() for weight in policy.parameters()])


@pytest.mark.parametrize("algorithm", ["reinforce", "ppo"])
def test_where_all_rewards_are_equal_there_is_nothing_to_learn(algorithm: Algorithm) -> None:
    agent = make_agent(algorithm, entropy_weight=0)
    before = weights(agent)
    for step in range(3):
        agent.learn(agent.sample(np.random.default_rng(step).random((5, 8))), np.full(5, 0.75))
    torch.testing.assert_close(weights(agent), before, rtol=0, atol=0)


def test_entropy_alone_makes_choices_equally_probable() -> None:
    agent = make_agent(initial_range=2, entropy_weight=1)
    tokens = agent.sample(np.random.default_rng(0).random((64, 8)))
    (_, first) = agent._policy(torch.from_numpy(tokens))
    for _ in range(60):
        agent.learn(tokens, np.full(64, 0.5))
    (_, last) = agent._policy(torch.from_numpy(tokens))
    most = np.log([2, 2, 2, 2, 3, 2, 3, 2]).sum()
    assert first.sum(1).mean().item() < 0.9 * most
    assert last.sum(1).mean().item() > 0.99 * most


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_an_agent_computes_on_one_thread_and_leaves_what_is_global_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = make_agent()
    n_threads = []
    monkeypatch.setattr(agent._policy.lstm, "forward", _spied(agent._policy.lstm.forward, n_threads))
    state = torch.random.get_rng_state()
    agent.learn(agent.sample(np.random.default_rng(0).random((4, 8))), np.linspace(0, 1, 4))
    # One call for each token that is drawn, and one for the probabilities it was drawn with before the 3 epochs.
    assert n_threads == [1] * (8 + 1 + 3)
    assert torch.get_num_threads() == 3
    assert torch.equal(torch.random.get_rng_state(), state)


def _spied(forward, n_threads):
    def spy(*args):
        n_threads.append(torch.get_num_threads())
        return forward(*args)

    return spy
