import numpy as np
import torch
from numpy.typing import NDArray

from pnas_search._strategies._reinforce._adam import Adam
from pnas_search._strategies._reinforce._config import Algorithm, ReinforceConfig
from pnas_search._strategies._reinforce._losses import ppo_loss, reinforce_loss
from pnas_search._strategies._reinforce._one_thread import one_thread
from pnas_search._strategies._reinforce._policy import Policy
from pnas_searchspace import CellSpace


class Agent:
    """A policy, with what it learns by: the algorithm, its optimizer and its baseline."""

    def __init__(
        self,
        space: CellSpace,
        n_blocks: int,
        *,
        algorithm: Algorithm,
        config: ReinforceConfig,
        rng: np.random.Generator,
    ) -> None:
        self._policy = Policy(space, n_blocks, config, rng)
        self._adam = Adam(list(self._policy.parameters()), learning_rate=config.learning_rate)
        self._algorithm = algorithm
        self._config = config
        self._baseline: float | None = None

    @one_thread()
    def sample(self, uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
        """The spellings that numbers in [0, 1) choose, one for each token; both `(N, 4 * n_blocks)`."""
        return self._policy.sample(uniforms)

    @one_thread()
    def learn(self, tokens: NDArray[np.int64], rewards: NDArray[np.float64]) -> None:
        """From spellings `(N, 4 * n_blocks)` that the policy drew as it is now, and their rewards, `(N,)`."""
        spellings = torch.from_numpy(tokens)
        advantages = torch.from_numpy(rewards - self._baseline_before(rewards)).float()
        with torch.no_grad():
            drawn_with, _ = self._policy(spellings)
        for _ in range(self._config.n_epochs if self._algorithm == "ppo" else 1):
            log_probabilities, entropies = self._policy(spellings)
            if self._algorithm == "ppo":
                loss = ppo_loss(log_probabilities, drawn_with, advantages, clip=self._config.clip)
            else:
                loss = reinforce_loss(log_probabilities, advantages)
            self._adam.minimize(loss - self._config.entropy_weight * entropies.sum(1).mean())

    def _baseline_before(self, rewards: NDArray[np.float64]) -> float:
        """What rewards are compared with; the next ones will be with an average that has moved on, reward by reward."""
        before = float(rewards.mean()) if self._baseline is None else self._baseline
        self._baseline = before
        for reward in rewards.tolist():
            self._baseline += (1 - self._config.baseline_decay) * (reward - self._baseline)
        return before
