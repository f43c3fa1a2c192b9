from collections.abc import Sequence
from importlib.util import find_spec
from typing import get_args

import numpy as np

from pnas_search._errors import SearchError
from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate
from pnas_search._strategies._budgeted import Budgeted
from pnas_search._strategies._reinforce._config import Algorithm, ReinforceConfig
from pnas_search._strategies._reinforce._draws import Draws, draw, spelt_cells
from pnas_search._strategies._unseen import Allowed, all_allowed
from pnas_searchspace import CellSpace

# NumPy reads [seed] as [seed, 0], which is the first round's.
_FIRST_WEIGHTS = 1


class Reinforce(Budgeted):
    """Neural architecture search with reinforcement learning, which the paper compares itself to (section 5.3).

    The controller of Zoph & Le (ICLR 2017) as the NASNet paper has it (Zoph et al., CVPR 2018, appendix A): an LSTM
    spells out a cell token by token, and learns from the accuracies of what it spelt, by PPO or by REINFORCE. They are
    compared with a moving average of the rewards before, and in the first round with their mean.

    The policy draws until the cells of a round are there, all of them new; two spellings of one cell are one. It
    learns from all that it drew, spelt as it was drawn: a cell that was trained before has its reward again, one that
    failed or is not allowed has 0. Where too few of the draws are new, random cells fill the round, from which the
    policy learns nothing, as it did not draw them.

    When a round is told, it is drawn once more from the policy as it was, so that a search that is resumed takes the
    ledger alone, and the time of all that learning.

    NASNet updates its controller after every 20 children, and trains the best 250 for longer at the end: that is
    `Reranked(strategy, n_models=250, fidelity=15)`.

    Args:
        space: of the cells.
        n_blocks: the size of the cells.
        n_models: how many are trained in all, or as many as there are.
        round_size: how many make a round, after which the policy learns.
        seed: of the policy's first weights, and of the draws.
        algorithm: `"ppo"` or `"reinforce"`.
        config: of the policy and of its learning.
        allowed: says which cells may be trained.

    Raises:
        SearchError: a size that is not positive, a negative seed, another algorithm, or no PyTorch; later, a round that
            the policy would not have asked for.
    """

    def __init__(
        self,
        space: CellSpace,
        *,
        n_blocks: int,
        n_models: int,
        round_size: int,
        seed: int,
        algorithm: Algorithm = "ppo",
        config: ReinforceConfig | None = None,
        allowed: Allowed = all_allowed,
    ) -> None:
        super().__init__(space, n_blocks=n_blocks, n_models=n_models, round_size=round_size, seed=seed, allowed=allowed)
        if algorithm not in get_args(Algorithm):
            raise SearchError(f"algorithm must be one of {', '.join(get_args(Algorithm))}, not {algorithm!r}")
        if find_spec("torch") is None:
            raise SearchError("Reinforce needs PyTorch, which is not installed: pip install pnas-search[reinforce]")
        from pnas_search._strategies._reinforce._agent import Agent

        self._config = config or ReinforceConfig()
        rng = np.random.default_rng([seed, 0, _FIRST_WEIGHTS])
        self._agent = Agent(space, n_blocks, algorithm=algorithm, config=self._config, rng=rng)
        self._asked: list[Candidate] | None = None
        self._draws = Draws()

    def ask(self) -> list[Candidate]:
        if self._asked is None:
            self._asked = super().ask()
        return list(self._asked)

    def tell(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        if [candidate.cell for candidate in candidates] != [candidate.cell for candidate in self.ask()]:
            raise SearchError(
                f"the ledger is that of another search: after {len(self._history)} children it has others than the "
                "policy asks for; give the arguments it began with, on the kind of machine it began on"
            )
        super().tell(candidates, outcomes)
        self._agent.learn(np.array(self._draws.spellings), self._draws.rewards(self._history))
        self._asked = None

    def _round(self, size: int, rng: np.random.Generator) -> list[Candidate]:
        shape = size, 4 * self._n_blocks
        batches = (rng.random(shape) for _ in range(self._config.draws_per_child))
        spelt = spelt_cells(map(self._agent.sample, batches), self._space, self._allowed)
        self._draws = draw(spelt, size, self._history)
        drawn = [Candidate(cell=cell) for cell in self._draws.new.values()]
        return drawn + self._random(size - len(drawn), rng, besides=self._draws.new)
